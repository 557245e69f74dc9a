//! Completion scripts and man pages, read by what they are for.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use regex::Regex;

use crate::env::TestEnv;

fn bash_script(env: &TestEnv) -> String {
    env.command(["completions", "bash"]).run().stdout
}

#[test]
fn each_command_that_bash_can_reach_is_completed() {
    let script = bash_script(&TestEnv::new());
    let found = |pattern: &str| -> BTreeSet<String> {
        let pattern = Regex::new(pattern).unwrap();
        let names = pattern.captures_iter(&script);
        names.map(|name| name[1].to_owned()).collect()
    };
    let reached = found(r#"cmd="(\w+)""#);
    assert!(reached.len() > 40, "{reached:?}");
    assert_eq!(reached, found(r"(?m)^        (\w+)\)$"));
}

#[test]
#[ignore = "needs bash"]
fn bash_completes() {
    let env = TestEnv::new();
    env.write("work/completions.bash", bash_script(&env));
    let complete = r#"
        source completions.bash
        function=$(complete -p cargo-marketplace | sed 's/.* -F \([^ ]*\) .*/\1/')
        complete() {
            COMP_WORDS=(cargo-marketplace "$@")
            COMP_CWORD=$#
            COMPREPLY=()
            $function cargo-marketplace "${COMP_WORDS[$#]}" "${COMP_WORDS[$#-1]}"
            echo "$* -> ${COMPREPLY[*]}"
        }
        complete ins
        complete registry re
        complete registry init --off
        complete sparql --format ''
        complete search --backend ''
    "#;
    assert_snapshot!(env.program("bash", ["-c", complete]).run().to_string(), @"
    exit: 0
    --- stdout
    ins -> install
    registry re -> remove refresh rebin
    registry init --off -> --offline-key --offline
    sparql --format  -> table json csv tsv turtle
    search --backend  -> v1 v2
    --- stderr
    ");
}

#[test]
#[ignore = "needs man"]
fn man_reads_each_page_without_a_warning() {
    let env = TestEnv::new();
    assert_eq!(env.command(["man", "pages"]).run().code, Some(0));
    for page in std::fs::read_dir(env.path("work/pages")).unwrap() {
        let page = page.unwrap().path().display().to_string();
        let outcome = env.program("man", ["--warnings=w", "--local-file", &page]);
        let outcome = outcome.env("LC_ALL", "C.UTF-8").run();
        assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{page}");
        assert!(outcome.stdout.contains("SYNOPSIS"), "{page}");
    }
}
