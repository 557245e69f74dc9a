//! SPARQL: each example against an answer computed without it, and how a query can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cargo_marketplace::model::{DependencyKind, DependencySource, Entry, Release, TrustState};
use insta::assert_snapshot;

use crate::env::TestEnv;
use crate::fixture::Fixture;

/// Rows of an answer, each value as text.
type Rows = Vec<Vec<String>>;

/// The registry as plain values, to be asked in Rust.
struct World(BTreeMap<String, Entry>);

impl World {
    /// The latest release of each package that has one.
    fn new() -> Self {
        let documents = Fixture::get().documents();
        let latest = documents.iter().filter_map(|document| {
            let latest = document.latest()?.clone();
            Some((document.package.to_string(), latest))
        });
        Self(latest.collect())
    }

    fn release(&self, name: &str) -> &Release {
        &self.0[name].release
    }

    /// The packages of this registry that a package's latest release needs to build or run.
    fn needs(&self, name: &str) -> BTreeSet<String> {
        let Some(entry) = self.0.get(name) else {
            return BTreeSet::new();
        };
        let all = entry.release.dependencies.iter();
        let needed = all.filter(|dependency| {
            dependency.kind != DependencyKind::Dev
                && dependency.source == DependencySource::SameRegistry
        });
        needed.map(|it| it.package.to_string()).collect()
    }

    /// All packages below one.
    fn below(&self, name: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut next = self.needs(name);
        while let Some(name) = next.pop_first() {
            next.extend(self.needs(&name).difference(&found).cloned());
            found.insert(name);
        }
        found
    }

    /// All packages above one.
    fn above(&self, name: &str) -> BTreeSet<String> {
        let names = self
            .0
            .keys()
            .filter(|above| self.below(above).contains(name));
        names.cloned().collect()
    }

    /// Each package with each package below it.
    fn pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.0.keys().flat_map(|name| {
            let below = self.below(name).into_iter();
            below.map(move |below| (name.clone(), below))
        })
    }
}

fn minor(release: &Release) -> Option<u32> {
    let text = release.rust_version.as_deref()?;
    text.split('.').nth(1)?.parse().ok()
}

/// The rows of an example, as the program answers in CSV.
fn example(name: &str, parameters: &[&str]) -> Rows {
    let env = TestEnv::new();
    Fixture::get().add_to(&env);
    let mut arguments = vec!["sparql", "--format", "csv", "--example", name];
    arguments.extend(parameters.iter().flat_map(|it| ["--param", it]));
    let answer = env.command(arguments).run();
    assert_eq!(answer.code, Some(0), "{answer}");
    // No value of the fixture holds a comma or a quote.
    let rows = answer.stdout.lines().skip(1);
    rows.map(|row| row.split(',').map(str::to_owned).collect())
        .collect()
}

/// Asserts that an example gives these rows, in this order, and that there are some.
fn assert_rows(example: &Rows, expected: impl IntoIterator<Item = Vec<String>>) {
    let expected: Rows = expected.into_iter().collect();
    assert!(!expected.is_empty(), "the fixture has no such case");
    assert_eq!(*example, expected);
}

fn row<const N: usize>(values: [&str; N]) -> Vec<String> {
    values.map(str::to_owned).to_vec()
}

#[test]
fn reverse_deps_are_those_that_name_it() {
    let world = World::new();
    let mut expected = BTreeSet::new();
    for entry in world.0.values() {
        let release = &entry.release;
        let all = release.dependencies.iter();
        for dependency in all.filter(|it| it.kind != DependencyKind::Dev) {
            if dependency.package.as_str() == "tide-table" {
                let (version, requirement) = (release.version.to_string(), &dependency.requirement);
                expected.insert(row([release.name.as_str(), &version, requirement.as_str()]));
            }
        }
    }
    assert_rows(&example("reverse-deps", &["name=tide-table"]), expected);
}

#[test]
fn reach_is_everything_above() {
    let above = World::new().above("libm-lite");
    assert!(above.contains("almanac-server"), "{above:?}");
    let expected = above.into_iter().map(|name| vec![name]);
    assert_rows(&example("reach", &["name=libm-lite"]), expected);
}

#[test]
fn a_license_closure_counts_the_package_and_all_below() {
    let world = World::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut names = world.below("almanac-server");
    names.insert("almanac-server".into());
    for name in names {
        let license = world.release(&name).license.clone().unwrap();
        *counts.entry(license).or_default() += 1;
    }
    let mut expected: Vec<_> = counts.into_iter().collect();
    expected.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let expected = expected
        .into_iter()
        .map(|(license, count)| row([&license, &count.to_string()]));
    assert_rows(
        &example("license-closure", &["name=almanac-server"]),
        expected,
    );
}

#[test]
fn copyleft_is_found_at_any_depth() {
    let world = World::new();
    let is_copyleft = |license: &str| {
        ["GPL", "LGPL", "AGPL", "MPL", "EUPL"]
            .iter()
            .any(|family| license.starts_with(family))
    };
    let expected = world.pairs().filter_map(|(package, below)| {
        let license = world.release(&below).license.as_deref()?;
        is_copyleft(license).then(|| row([&package, &below, license]))
    });
    assert_rows(&example("copyleft-below", &[]), expected);
}

#[test]
fn msrv_names_those_that_promise_too_much() {
    let world = World::new();
    let expected = world.pairs().filter_map(|(package, below)| {
        let (stated, needed) = (world.release(&package), world.release(&below));
        let rust = |release: &Release| release.rust_version.clone();
        let too_much = minor(needed)? > minor(stated)?;
        let (stated, needed) = (rust(stated)?, rust(needed)?);
        too_much.then(|| row([&package, &stated, &below, &needed]))
    });
    assert_rows(&example("msrv", &[]), expected);
}

#[test]
fn signed_on_unsigned_is_about_direct_dependencies() {
    let world = World::new();
    let mut expected = Rows::new();
    for (name, entry) in &world.0 {
        if entry.trust == Some(TrustState::Signed) {
            for needed in world.needs(name) {
                let trust = world.0[&needed].trust.unwrap();
                if trust != TrustState::Signed {
                    expected.push(row([name, &needed, trust.as_str()]));
                }
            }
        }
    }
    assert_rows(&example("signed-on-unsigned", &[]), expected);
}

#[test]
fn newest_are_sorted_by_time_and_name() {
    let world = World::new();
    let tides = world.0.values().filter(|entry| {
        let keywords = &entry.release.keywords;
        keywords.iter().any(|keyword| keyword == "tides")
    });
    let mut expected: Rows = tides
        .map(|entry| {
            let (name, version) = (&entry.release.name, &entry.release.version);
            let accepted = entry.accepted.unwrap().to_string();
            row([name.as_str(), &version.to_string(), &accepted])
        })
        .collect();
    expected.sort_by_key(|row| std::cmp::Reverse(row[2].clone()));
    assert_rows(&example("newest", &["keyword=tides"]), expected);
}

#[test]
fn an_owners_reach_counts_each_dependent_once() {
    let world = World::new();
    let mut reach: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, entry) in &world.0 {
        if let Some(publisher) = &entry.release.publisher {
            let dependents = reach.entry(publisher.to_string()).or_default();
            dependents.extend(world.above(name));
        }
    }
    let mut expected: Vec<_> = reach
        .into_iter()
        .map(|(publisher, dependents)| (dependents.len(), publisher))
        .collect();
    expected.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let expected = expected
        .into_iter()
        .map(|(count, publisher)| row([&publisher, &count.to_string()]));
    assert_rows(&example("owner-reach", &[]), expected);
}

/// A place with the registry in it.
fn env() -> TestEnv {
    let env = TestEnv::new();
    Fixture::get().add_to(&env);
    env
}

const REVERSE_DEPS: [&str; 5] = [
    "sparql",
    "--example",
    "reverse-deps",
    "--param",
    "name=libm-lite",
];

/// Some hundred million rows to sort; the dataset is read at once, and then no more.
const CROSS_JOIN: &str = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?c ?f ?i";

#[test]
fn a_table_is_for_people_and_says_where_it_comes_from() {
    assert_snapshot!(env().run(REVERSE_DEPS), @"
    exit: 0
    --- stdout
    package     version  requirement
    moon-phase  0.1.0    ^0.2
    tide-table  0.3.1    ^0.2.4
    --- stderr
        Updating `harbour` index
    note: 2 rows in [TIME], harbour v2 serial 9
    ");
}

#[test]
fn json_is_sparqls_own() {
    let env = env();
    let mut json = REVERSE_DEPS.to_vec();
    json.extend(["--format", "json"]);
    assert_snapshot!(env.run(&json), @r#"
    exit: 0
    --- stdout
    {"head":{"vars":["package","version","requirement"]},"results":{"bindings":[{"package":{"type":"literal","value":"moon-phase"},"version":{"type":"literal","value":"0.1.0"},"requirement":{"type":"literal","value":"^0.2"}},{"package":{"type":"literal","value":"tide-table"},"version":{"type":"literal","value":"0.3.1"},"requirement":{"type":"literal","value":"^0.2.4"}}]}}
    --- stderr
        Updating `harbour` index
    note: 2 rows in [TIME], harbour v2 serial 9
    "#);
    let mut message = REVERSE_DEPS.to_vec();
    message.extend(["--message-format", "json"]);
    assert_snapshot!(env.run(&message), @r#"
    exit: 0
    --- stdout
    {"reason":"sparql-result","schema":1,"head":{"vars":["package","version","requirement"]},"results":{"bindings":[{"package":{"type":"literal","value":"moon-phase"},"requirement":{"type":"literal","value":"^0.2"},"version":{"type":"literal","value":"0.1.0"}},{"package":{"type":"literal","value":"tide-table"},"requirement":{"type":"literal","value":"^0.2.4"},"version":{"type":"literal","value":"0.3.1"}}]},"source":{"registry":"harbour","serial":9}}
    --- stderr
        Updating `harbour` index
    note: 2 rows in [TIME], harbour v2 serial 9
    "#);
}

#[test]
fn other_forms_are_those_of_the_specification() {
    let env = env();
    let mut tsv = REVERSE_DEPS.to_vec();
    tsv.extend(["--format", "tsv"]);
    assert_snapshot!(env.run(&tsv), @r#"
    exit: 0
    --- stdout
    ?package	?version	?requirement
    "moon-phase"	"0.1.0"	"^0.2"
    "tide-table"	"0.3.1"	"^0.2.4"
    --- stderr
        Updating `harbour` index
    note: 2 rows in [TIME], harbour v2 serial 9
    "#);
    let construct = "PREFIX mp: <https://w3id.org/cargo-marketplace/ns#> \
        CONSTRUCT { ?p mp:latest ?r } { ?p mp:latest ?r ; mp:schema 1 } ORDER BY ?p LIMIT 1";
    assert_snapshot!(env.run(["sparql", construct]), @"
    exit: 0
    --- stdout
    <https://registry.example.org/packages/Beaufort/#package> <https://w3id.org/cargo-marketplace/ns#latest> <https://registry.example.org/packages/Beaufort/0.1.0/#release> .
    --- stderr
        Updating `harbour` index
    note: 1 triple in [TIME], harbour v2 serial 9
    ");
    assert_snapshot!(env.run(["sparql", construct, "--format", "csv"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0806]: a graph cannot be written as csv
    help: `--format turtle`
    ");
    assert_snapshot!(env.run(["sparql", "ASK { ?s ?p ?o }", "--format", "turtle"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0806]: yes or no cannot be written as turtle
    help: `--format table`, json, csv or tsv
    ");
}

#[test]
fn a_query_may_come_from_a_file_or_stdin() {
    let env = env();
    env.write("work/query.rq", "ASK { ?s ?p ?o }");
    assert_snapshot!(env.run(["sparql", "-f", "query.rq"]), @"
    exit: 0
    --- stdout
    true
    --- stderr
        Updating `harbour` index
    note: answered in [TIME], harbour v2 serial 9
    ");
    let stdin = env.command(["sparql", "-f", "-"]).stdin("ASK { ?s ?s ?s }");
    assert_snapshot!(stdin.run(), @"
    exit: 0
    --- stdout
    false
    --- stderr
        Updating `harbour` index
    note: answered in [TIME], harbour v2 serial 9
    ");
    assert_snapshot!(env.run(["sparql", "-f", "none.rq"]), @"
    exit: 101
    --- stdout
    --- stderr
    error: cannot read the query from `none.rq`

    Caused by:
      No such file or directory (os error 2)
    ");
}

#[test]
fn examples_are_listed_without_a_registry() {
    let env = TestEnv::new();
    assert_snapshot!(env.run(["sparql", "--list-examples"]), @"
    exit: 0
    --- stdout
    reverse-deps        packages whose latest release depends on a package
                          --param name=… (a package)
    reach               packages that depend on a package, at any distance
                          --param name=… (a package)
    license-closure     the licenses of a package and of all that it depends on
                          --param name=… (a package)
    copyleft-below      packages that have a copyleft license somewhere below them
    msrv                packages that state an older Rust than a package below them
    signed-on-unsigned  signed packages that depend on packages which nobody signed
    newest              the newest releases with a keyword
                          --param keyword=… (a keyword)
    owner-reach         for each publisher, how many packages depend on theirs
    --- stderr
    ");
}

#[test]
fn an_example_must_exist_and_have_its_parameters() {
    let env = env();
    assert_snapshot!(env.run(["sparql", "--example", "reverse-dep"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: there is no example `reverse-dep`
    help: did you mean `reverse-deps`?
    ");
    assert_snapshot!(env.run(["sparql", "--example", "reach"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `reach` needs the parameter `name`
    help: `--param name=…`
    ");
    let unknown = ["sparql", "--example", "msrv", "--param", "name=x"];
    assert_snapshot!(env.run(unknown), @"
    exit: 1
    --- stdout
    --- stderr
    error: `msrv` has no parameter `name`
    help: `cargo marketplace sparql --list-examples` shows them
    ");
}

#[test]
fn a_parameter_is_a_value_and_no_part_of_the_query() {
    let hostile = "name=x\" } } SERVICE <http://127.0.0.1/> { ?a ?b \"";
    let arguments = ["sparql", "--example", "reach", "--param", hostile];
    assert_snapshot!(env().run(arguments), @"
    exit: 0
    --- stdout
    package
    --- stderr
        Updating `harbour` index
    note: 0 rows in [TIME], harbour v2 serial 9
    ");
}

#[test]
fn invalid_queries_name_the_place() {
    let env = env();
    assert_snapshot!(env.run(["sparql", "SELECT ?x {\n  ?x ?y \n} GROUP"]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0802]: the query is not valid SPARQL 1.1

    Caused by:
      line 3, column 2: `GROUP` cannot stand here

    help: `cargo marketplace sparql --list-examples` shows queries that are valid
    ");
    assert_snapshot!(env.run(["sparql", "SELECT ?x { ?x a foo:Bar }"]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0802]: the query is not valid SPARQL 1.1

    Caused by:
      line 1, column 25: prefix not found

    help: `cargo marketplace sparql --list-examples` shows queries that are valid
    ");
}

#[test]
fn queries_never_leave_the_registry() {
    let env = env();
    let service = "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }";
    assert_snapshot!(env.run(["sparql", service]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0803]: the query uses `SERVICE`, which is refused
    help: a query sees the triples of one registry: no SERVICE, no FROM, no updates
    ");
    let from = "SELECT * FROM <http://127.0.0.1/> { ?s ?p ?o }";
    assert_snapshot!(env.run(["sparql", from]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0803]: the query uses `FROM`, which is refused
    help: a query sees the triples of one registry: no SERVICE, no FROM, no updates
    ");
    assert_snapshot!(env.run(["sparql", "DELETE WHERE { ?s ?p ?o }"]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0803]: the query uses `DELETE`, which is refused
    help: a query sees the triples of one registry: no SERVICE, no FROM, no updates
    ");
}

#[test]
fn deep_nesting_does_not_use_up_the_stack() {
    let query = format!("ASK {}{}", "{".repeat(3000), "}".repeat(3000));
    assert_snapshot!(env().run(["sparql", &query]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0803]: the query nests more than 100 brackets
    help: ask for less at once: one registry's triples, a shorter and flatter query
    ");
}

/// Queries that are chains, and how many links each repeated piece has.
const CHAINS: [(&str, &str, &str, usize); 18] = [
    ("SELECT (1", "+1", " AS ?x) {}", 1),
    ("SELECT (1", "-1", " AS ?x) {}", 1),
    ("SELECT * { FILTER(1=1", "&&1=1", ") }", 1),
    ("SELECT * { FILTER(1=2", "||1=2", ") }", 1),
    ("SELECT * { ", "?s ?p ?o.", " }", 1),
    ("SELECT * { ?s ?p ?o", ";?p ?o", " }", 1),
    ("SELECT * { ?s ?p ?o", ",?o", " }", 1),
    ("SELECT * { ?s ?p (0", " 1", ") }", 1),
    ("SELECT * { ?s ?p (0", "(1)", ") }", 1),
    ("SELECT * { ?s <a:a>", "/<a:a>", " ?o }", 1),
    ("SELECT * { ?s (<a:a>", "|<a:a>*", ")* ?o }", 2),
    ("SELECT * { {}", "UNION{?s ?p ?o}", " }", 1),
    ("SELECT * { ?s ?p ?o ", "OPTIONAL{?s ?p ?o}", " }", 1),
    ("SELECT * { ?s ?p ?o ", "MINUS{?s ?p ?o}", " }", 1),
    ("SELECT * { ", "FILTER EXISTS{?s ?p ?o}", " }", 1),
    ("SELECT * { ", "VALUES ?x{1}", " }", 1),
    ("SELECT (COUNT(*) AS ?n) {} HAVING", "(1=1)", "", 1),
    ("DESCRIBE <a:a>", "<a:a>", "", 1),
];

#[test]
fn no_chain_uses_up_the_stack() {
    let env = env();
    for (before, piece, after, links) in CHAINS {
        let ask = |pieces: usize| {
            env.write(
                "work/chain.rq",
                [before, &piece.repeat(pieces), after].concat(),
            );
            env.command([
                "sparql",
                "-f",
                "chain.rq",
                "--timeout",
                "1s",
                "--format",
                "json",
            ])
            .run()
        };
        // Some have links before and after the pieces.
        let answer = ask(1990 / links);
        let in_limits = answer.code == Some(0) || answer.stderr.contains("error[MP0804]");
        assert!(in_limits, "{piece}\n{answer}");
        let refused = ask(2001 / links);
        assert_eq!(refused.code, Some(101), "{piece}\n{refused}");
        assert_eq!(
            refused.stderr,
            "error[MP0803]: the query has more than 2000 operators, separators and brackets\n\
             help: ask for less at once: one registry's triples, a shorter and flatter query\n",
            "{piece}"
        );
    }
}

#[test]
fn no_nesting_that_is_let_through_uses_up_the_stack() {
    let env = env();
    for (open, inner, close) in [
        ("STR(", "1", ")"),
        ("IF(1,1,", "1", ")"),
        ("!(", "1", ")"),
        ("(1+", "1", ")"),
        ("SUBSTR(", "'a'", ",1)"),
        ("EXISTS{FILTER(", "1", ")}"),
        ("EXISTS{?s ?p ?o OPTIONAL{FILTER(", "1", ")}}"),
        ("EXISTS{SELECT * {FILTER(", "1", ")}}"),
    ] {
        let depth = 97 / open.matches(['(', '{']).count();
        let nest = [&open.repeat(depth), inner, &close.repeat(depth)].concat();
        let query = format!("SELECT ({nest} AS ?x) {{}}");
        let answer = env.command(["sparql", &query, "--timeout", "1s"]).run();
        let in_limits = answer.code == Some(0) || answer.stderr.contains("error[MP0804]");
        assert!(in_limits, "{open}\n{answer}");
    }
}

#[test]
fn parsing_ends_in_time() {
    let query = format!(
        "SELECT ({}'a'{} AS ?x) {{}}",
        "SUBSTR(".repeat(60),
        ",1)".repeat(60)
    );
    assert_snapshot!(env().run(["sparql", &query, "--timeout", "200ms"]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0804]: the query had no answer within 200ms
    help: make the pattern narrower, or raise `--timeout`
    ");
}

#[test]
fn a_comparison_that_may_be_an_iri_is_refused() {
    let query = "ASK { ?a ?b ?c FILTER(?a<?b&&?c>?b) }";
    assert_snapshot!(env().run(["sparql", query]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0803]: the query has a `<` that can be read in two ways
    help: put a space after a comparison; write a prefix or `scheme://` in an IRI
    ");
}

#[test]
fn limits_have_a_minimum() {
    let env = env();
    assert_snapshot!(env.run(["sparql", "ASK {}", "--max-memory", "1B"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value '1B' for '--max-memory <AMOUNT>': expected at least 64MiB

    For more information, try '--help'.
    ");
    assert_snapshot!(env.run(["sparql", "ASK {}", "--timeout", "0s"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value '0s' for '--timeout <TIME>': expected at least 1ms

    For more information, try '--help'.
    ");
    let json = [
        "sparql",
        "ASK {}",
        "--max-memory",
        "1B",
        "--message-format",
        "json",
    ];
    assert_snapshot!(env.run(json), @r#"
    exit: 1
    --- stdout
    {"reason":"error","schema":1,"causes":[],"code":null,"exit_code":1,"help":null,"message":"invalid value '1B' for '--max-memory <AMOUNT>': expected at least 64MiB","note":null}
    --- stderr
    error: invalid value '1B' for '--max-memory <AMOUNT>': expected at least 64MiB

    For more information, try '--help'.
    "#);
}

#[test]
fn the_least_memory_is_enough_for_a_small_registry() {
    let arguments = [
        "sparql",
        "SELECT * { ?s ?p ?o } LIMIT 0",
        "--max-memory",
        "64MiB",
    ];
    assert_snapshot!(env().run(arguments), @"
    exit: 0
    --- stdout
    s  p  o
    --- stderr
        Updating `harbour` index
    note: 0 rows in [TIME], harbour v2 serial 9
    ");
}

#[test]
fn lines_of_csv_are_no_messages() {
    let env = env();
    for format in ["csv", "tsv", "turtle", "table"] {
        let query = [
            "sparql",
            "ASK {}",
            "--message-format",
            "json",
            "--format",
            format,
        ];
        let answer = env.command(query).run();
        assert_eq!(answer.code, Some(1), "{answer}");
        assert!(
            answer.stdout.starts_with(r#"{"reason":"error""#),
            "{answer}"
        );
    }
    let csv = [
        "sparql",
        "ASK {}",
        "--message-format",
        "json",
        "--format",
        "csv",
    ];
    assert_snapshot!(env.run(csv), @r#"
    exit: 1
    --- stdout
    {"reason":"error","schema":1,"causes":[],"code":null,"exit_code":1,"help":"choose one of them","message":"`--format csv` does not fit `--message-format json`","note":"with the latter, every line on stdout is a JSON object"}
    --- stderr
    error: `--format csv` does not fit `--message-format json`
    note: with the latter, every line on stdout is a JSON object
    help: choose one of them
    "#);
}

#[test]
fn all_variables_come_in_the_order_of_the_query() {
    let query = "SELECT * { VALUES (?s ?p ?o) { (1 2 3) } BIND(4 AS ?a) }";
    assert_snapshot!(env().run(["sparql", query]), @"
    exit: 0
    --- stdout
    s  p  o  a
    1  2  3  4
    --- stderr
        Updating `harbour` index
    note: 1 row in [TIME], harbour v2 serial 9
    ");
    assert_snapshot!(env().run(["sparql", query, "--format", "csv"]), @"
    exit: 0
    --- stdout
    s,p,o,a
    1,2,3,4
    --- stderr
        Updating `harbour` index
    note: 1 row in [TIME], harbour v2 serial 9
    ");
}

#[test]
fn too_many_rows_are_an_error_and_none_is_printed() {
    let query = "SELECT (1 AS ?one) { ?a ?b ?c . ?d ?e ?f }";
    let arguments = ["sparql", query, "--format", "csv", "--timeout", "2min"];
    assert_snapshot!(env().run(arguments), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0804]: the answer has more than 300000 rows
    help: add LIMIT, or a narrower pattern
    ");
}

#[test]
fn sorting_a_cross_join_ends_in_time() {
    let arguments = [
        "sparql",
        CROSS_JOIN,
        "--timeout",
        "200ms",
        "--max-memory",
        "64GiB",
    ];
    assert_snapshot!(env().run(arguments), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0804]: the query had no answer within 200ms
    help: make the pattern narrower, or raise `--timeout`
    ");
}

#[test]
fn counting_a_cross_join_ends_in_time() {
    let query = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }";
    let arguments = [
        "sparql",
        query,
        "--timeout",
        "200ms",
        "--message-format",
        "json",
    ];
    assert_snapshot!(env().run(arguments), @r#"
    exit: 101
    --- stdout
    {"reason":"error","schema":1,"causes":[],"code":"MP0804","exit_code":101,"help":"make the pattern narrower, or raise `--timeout`","message":"the query had no answer within 200ms","note":null}
    --- stderr
        Updating `harbour` index
    error[MP0804]: the query had no answer within 200ms
    help: make the pattern narrower, or raise `--timeout`
    "#);
}

#[cfg(target_os = "linux")]
#[test]
fn memory_is_limited() {
    let arguments = [
        "sparql",
        CROSS_JOIN,
        "--timeout",
        "10min",
        "--max-memory",
        "96MiB",
    ];
    assert_snapshot!(env().run(arguments), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0804]: the query needs more than 96.0MiB of memory
    help: make the pattern narrower, or raise `--max-memory`
    ");
}

/// A string that is doubled again and again asks for all memory in a few steps.
#[cfg(target_os = "linux")]
#[test]
fn memory_that_is_asked_for_at_once_is_limited() {
    let doubled = |n: usize| format!("BIND(CONCAT(?s{n}, ?s{n}) AS ?s{})", n + 1);
    let doubled: String = (0..40).map(doubled).collect();
    let query = format!("SELECT * {{ BIND('0123456789' AS ?s0) {doubled} }}");
    let arguments = ["sparql", &query, "--max-memory", "64MiB"];
    assert_snapshot!(env().run(arguments), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0804]: the query needs more than 64.0MiB of memory
    help: make the pattern narrower, or raise `--max-memory`
    ");
}

#[test]
fn v1_has_no_sparql() {
    assert_snapshot!(env().run(["sparql", "ASK {}", "--backend", "v1"]), @"
    exit: 1
    --- stdout
    --- stderr
    error[MP0801]: `sparql` needs v2, the Turtle index
    note: `--backend v1` reads v1 only, and there is no falling back
    help: leave `--backend v1` away, or use a build that reads v2
    ");
}

#[test]
fn there_is_no_falling_back_to_v1() {
    let env = TestEnv::new();
    let registry = Fixture::get().add_to(&env);
    for file in fs::read_dir(registry.join("catalog")).unwrap() {
        let path = file.unwrap().path();
        if path.to_string_lossy().ends_with(".ttl.zst") {
            fs::remove_file(path).unwrap();
        }
    }
    let answer = env.command(["sparql", "ASK {}"]).redact_digests().run();
    assert_snapshot!(answer, @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error: `catalog/[DIGEST].ttl.zst` is not in the registry
    help: the mirror is incomplete; try again later, or tell its operator
    ");
}
