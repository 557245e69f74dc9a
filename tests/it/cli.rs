//! The command line itself: help, usage errors, colours, pipes.

use std::process::Stdio;

use insta::assert_snapshot;

use crate::env::TestEnv;

#[test]
fn help_lists_the_commands() {
    assert_snapshot!(TestEnv::new().run(["--help"]), @"
    exit: 0
    --- stdout
    A signed Cargo registry made of static files, and the subcommand that uses it

    Usage: cargo marketplace [OPTIONS] <COMMAND>

    Commands:
      tour         Shows all of it in a temporary folder: publish, search, install, tamper, build
      search       Finds packages by name, keyword and description
      info         Shows what a registry knows of a package
      sparql       Asks a registry a SPARQL question
      install      Verifies binary packages and installs them with cargo
      add          Verifies packages and adds them to a manifest
      new          Makes a project from a template package
      fetch        Fetches and verifies what a project depends on
      exec         Runs cargo on verified packages
      verify       Verifies a project's packages, one package, or an archive
      audit        Looks for packages in `Cargo.lock` that you want none of
      refresh      Brings the local copies of registries up to date
      key          Makes, shows, exchanges and revokes signing keys
      package      Packages without signing: runs cargo, sees no key
      sign         Signs what was packaged, or what others signed before: runs no cargo
      publish      Packages, signs and hands in
      yank         Marks a release as not to be chosen any more
      owner        Shows and changes who owns a package
      registry     Adds registries; makes, checks and serves them
      completions  Prints a completion script for a shell
      man          Writes the man pages
      explain      Explains an error code
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Global options:
      -q, --quiet                    Say nothing but warnings and errors
      -v, --verbose...               Say more about what is done and why
          --color <WHEN>             Colour the output: auto, always or never
          --offline                  Use no network: work from what was fetched and verified before
          --message-format <FORMAT>  The answer on stdout: human, or json (one object a line)
    --- stderr
    ");
}

#[test]
fn a_commands_help_is_complete() {
    assert_snapshot!(TestEnv::new().run(["search", "--help"]), @"
    exit: 0
    --- stdout
    Finds packages by name, keyword and description

    Usage: cargo marketplace search [OPTIONS] [WORDS]...

    Arguments:
      [WORDS]...  Words that must all occur (of three, two); the last one may be the start of a word

    Options:
          --limit <N>               The most results to show [default: 20]
          --keyword <WORD>          Only packages with this keyword; may be repeated
          --license <LICENSE>       Only packages with this license (an SPDX id)
          --rust-version <VERSION>  Only packages that build with this version of Rust
          --owner <ID>              Only packages whose latest release is this publisher's
          --trust <STATE>           Only packages whose latest release is `signed`, `vouched` or
                                    `unsigned`
          --registry <NAME>         The registry; needed only where several are known
          --backend <FORMAT>        Read this index format, v1 or v2
      -h, --help                    Print help

    Global options:
      -q, --quiet                    Say nothing but warnings and errors
      -v, --verbose...               Say more about what is done and why
          --color <WHEN>             Colour the output: auto, always or never
          --offline                  Use no network: work from what was fetched and verified before
          --message-format <FORMAT>  The answer on stdout: human, or json (one object a line)
    --- stderr
    ");
}

#[test]
fn usage_errors_exit_with_one_and_suggest() {
    let env = TestEnv::new();
    assert_snapshot!(env.run(["serch", "x"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: unrecognized subcommand 'serch'

      tip: some similar subcommands exist: 'fetch', 'search'

    Usage: cargo marketplace [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(env.run(["search"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: the following required arguments were not provided:
      <WORDS>...

    Usage: cargo marketplace search <WORDS>...

    For more information, try '--help'.
    ");
    assert_snapshot!(env.run(["info", "x@not.a.version"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value 'x@not.a.version' for '<SPEC>': `not.a.version` is not a version requirement: unexpected character 'n' while parsing major version number

    For more information, try '--help'.
    ");
    assert_snapshot!(env.run(["registry", "add", "x", "http://registry.example"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value 'http://registry.example' for '<URL>': `http://registry.example` is refused: plain http is for this machine only, use https

    For more information, try '--help'.
    ");
    assert_snapshot!(env.run(["search", "x", "--offlin"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: unexpected argument '--offlin' found

      tip: a similar argument exists: '--offline'

    Usage: cargo marketplace search --offline <WORDS>...

    For more information, try '--help'.
    ");
}

#[test]
fn no_command_shows_the_help_and_fails() {
    let outcome = TestEnv::new().command::<&str>([]).run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    assert!(outcome.stderr.contains("Usage: cargo marketplace"));
}

#[test]
fn both_ways_of_calling_reach_the_same_command() {
    let env = TestEnv::new();
    let own = env.command(["explain", "MP0402"]).run();
    assert_eq!(own.code, Some(0));
    let cargos = env.cargo(["marketplace", "explain", "MP0402"]).run();
    assert_eq!(own, cargos);
    let bare = env.command(["marketplace", "explain", "MP0402"]).run();
    assert_eq!(own, bare);
}

#[test]
fn says_its_version() {
    assert_snapshot!(TestEnv::new().run(["--version"]), @r"
    exit: 0
    --- stdout
    cargo-marketplace [VERSION]
    --- stderr
    ");
}

#[test]
fn colours_as_cargo_does() {
    let env = TestEnv::new();
    let coloured = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = env.command([&["info", "@"], arguments].concat());
        for (name, value) in variables {
            command = command.env(name, value);
        }
        command.run().stderr.contains('\x1b')
    };
    assert!(!coloured(&[], &[]), "no terminal");
    assert!(coloured(&[("CARGO_TERM_COLOR", "always")], &[]));
    assert!(coloured(
        &[("CARGO_TERM_COLOR", "always"), ("NO_COLOR", "1")],
        &[]
    ));
    assert!(!coloured(&[("CARGO_TERM_COLOR", "never")], &[]));
    assert!(coloured(
        &[("CARGO_TERM_COLOR", "never")],
        &["--color", "always"]
    ));
    assert!(!coloured(
        &[("CARGO_TERM_COLOR", "always")],
        &["--color=never"]
    ));
    let status = env
        .command(["key", "new", "a", "--no-passphrase", "--color", "always"])
        .run();
    let verb = "\x1b[1m\x1b[92m     Created\x1b[0m key";
    assert!(status.stderr.starts_with(verb), "{:?}", status.stderr);
}

#[test]
fn a_command_line_that_makes_no_sense_is_an_error_for_machines_too() {
    let env = TestEnv::new();
    assert_snapshot!(env.run(["serach", "--message-format", "json"]), @r#"
    exit: 1
    --- stdout
    {"reason":"error","schema":1,"causes":[],"code":null,"exit_code":1,"help":null,"message":"unrecognized subcommand 'serach'","note":null}
    --- stderr
    error: unrecognized subcommand 'serach'

      tip: some similar subcommands exist: 'fetch', 'search'

    Usage: cargo marketplace [OPTIONS] <COMMAND>

    For more information, try '--help'.
    "#);
    assert_snapshot!(env.run(["search", "--message-format=json"]), @r#"
    exit: 1
    --- stdout
    {"reason":"error","schema":1,"causes":[],"code":null,"exit_code":1,"help":null,"message":"the following required arguments were not provided: <WORDS>...","note":null}
    --- stderr
    error: the following required arguments were not provided:
      <WORDS>...

    Usage: cargo marketplace search --message-format <FORMAT> <WORDS>...

    For more information, try '--help'.
    "#);
    assert_snapshot!(env.run(["key", "new", "--message-format=json"]), @r#"
    exit: 1
    --- stdout
    {"reason":"error","schema":1,"causes":[],"code":null,"exit_code":1,"help":null,"message":"the following required arguments were not provided: <NAME>","note":null}
    --- stderr
    error: the following required arguments were not provided:
      <NAME>

    Usage: cargo marketplace key new --message-format <FORMAT> <NAME>

    For more information, try '--help'.
    "#);
    assert_snapshot!(env.run(["search", "--limit=x", "--message-format=json"]), @r#"
    exit: 1
    --- stdout
    {"reason":"error","schema":1,"causes":[],"code":null,"exit_code":1,"help":null,"message":"invalid value 'x' for '--limit <N>': invalid digit found in string","note":null}
    --- stderr
    error: invalid value 'x' for '--limit <N>': invalid digit found in string

    For more information, try '--help'.
    "#);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let env = TestEnv::new();
    for arguments in [["completions", "bash"], ["--help", "--color=never"]] {
        let mut command = env.command(arguments).into_command();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*stderr), (Some(0), ""));
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let full = std::path::Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let env = TestEnv::new();
    let mut command = env.command(["completions", "bash"]).into_command();
    let stdout = std::fs::OpenOptions::new().write(true).open(full).unwrap();
    let output = command.stdout(stdout).output().unwrap();
    assert_eq!(output.status.code(), Some(101));
}

#[test]
fn completions_exist_for_each_shell() {
    let env = TestEnv::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let outcome = env.command(["completions", shell]).run();
        assert_eq!(
            (outcome.code, outcome.stderr.as_str()),
            (Some(0), ""),
            "{shell}"
        );
        assert!(outcome.stdout.contains("sparql"), "{shell}");
    }
}

#[test]
fn the_title_lines_of_man_pages_fit() {
    let env = TestEnv::new();
    env.run(["man", "pages"]);
    for page in std::fs::read_dir(env.path("work/pages")).unwrap() {
        let text = std::fs::read_to_string(page.unwrap().path()).unwrap();
        let title = text.lines().find(|line| line.starts_with(".TH")).unwrap();
        let rest = r#" 1 " " "cargo-marketplace 0.1.0" Cargo"#;
        let rest = rest.replace("0.1.0", env!("CARGO_PKG_VERSION"));
        let name = title.strip_prefix(".TH ").unwrap();
        let name = name
            .strip_suffix(&rest)
            .unwrap_or_else(|| panic!("{title}"));
        // As `name(1)  Cargo  name(1)`.
        let length = 2 * (name.len() + "(1)  ".len()) + "Cargo".len();
        assert!(length <= 78, "{title}");
    }
}

#[test]
fn man_pages_are_written_for_each_command() {
    let env = TestEnv::new();
    assert_snapshot!(env.run(["man", "pages"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Finished man pages in [ROOT]/work/pages
    ");
    let mut pages: Vec<_> = std::fs::read_dir(env.path("work/pages"))
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    assert_snapshot!("man_pages", pages.join("\n"));
    assert!(env.run(["man"]).contains(".TH marketplace 1"));
}

#[test]
fn explains_codes() {
    let env = TestEnv::new();
    assert_snapshot!(env.run(["explain", "mp0204"]), @r"
    exit: 0
    --- stdout
    MP0204: the release is yanked

    Its publisher took it out of choice; lock files that name it go on working. Ask
    for another release.
    --- stderr
    ");
    assert_snapshot!(env.run(["explain", "MP0999"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no error has the code `MP0999`
    help: did you mean `MP0319`?
    ");
    assert_snapshot!(env.run(["explain", "MP0501", "--message-format", "json"]), @r#"
    exit: 0
    --- stdout
    {"reason":"explanation","schema":1,"code":"MP0501","text":"The Turtle document was missing or unreadable, and the verified JSON document of the same content was used. A remark, not a danger: both are bound by the same record.","title":"v2 is not usable, v1 is read"}
    --- stderr
    "#);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let env = TestEnv::new();
    let command = env
        .command(["key", "list"])
        .env("CARGO_MARKETPLACE_NOW", "soon");
    assert_snapshot!(command.run().to_string(), @r"
    exit: 1
    --- stdout
    --- stderr
    error: CARGO_MARKETPLACE_NOW or the clock gives no time
    ");
    let command = env
        .command(["key", "list"])
        .env("CARGO_MARKETPLACE_REGISTRY", "a b");
    assert_snapshot!(command.run().to_string(), @r"
    exit: 1
    --- stdout
    --- stderr
    error: CARGO_MARKETPLACE_REGISTRY names no registry

    Caused by:
      `a b` cannot be a name: ' ' is not an ASCII letter, digit, `-` or `_`
    ");
}
