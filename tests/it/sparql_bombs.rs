//! Queries that are short and ask for more than there is: of time, of memory, of rows. Each ends by itself
//! with its answer, or is ended with an error that says why; none takes the process down without a word.

use crate::env::{Outcome, TestEnv};
use crate::fixture::Fixture;

/// A place with the registry in it.
fn env() -> TestEnv {
    let env = TestEnv::new();
    Fixture::get().add_to(&env);
    env
}

/// Asks, with little time and memory.
fn ask(env: &TestEnv, query: &str) -> Outcome {
    env.write("work/bomb.rq", query);
    let arguments = ["sparql", "-f", "bomb.rq", "--timeout", "300ms"];
    let limits = ["--max-memory", "256MiB", "--message-format", "json"];
    env.command(arguments.into_iter().chain(limits)).run()
}

/// Requires an answer, or the error for too much time or memory as the last line for machines.
#[track_caller]
fn assert_ends(name: &str, outcome: &Outcome) {
    let last = outcome.stdout.lines().last().unwrap_or_default();
    let last: serde_json::Value = serde_json::from_str(last).unwrap_or_default();
    match outcome.code {
        Some(0) => assert_eq!(last["reason"], "sparql-result", "{name}\n{outcome}"),
        code => {
            assert_eq!(code, Some(101), "{name}\n{outcome}");
            assert_eq!(last["reason"], "error", "{name}\n{outcome}");
            assert_eq!(last["code"], "MP0804", "{name}\n{outcome}");
        }
    }
}

/// Requires the error.
#[track_caller]
fn assert_ended(name: &str, outcome: &Outcome) {
    assert_eq!(outcome.code, Some(101), "{name}\n{outcome}");
    assert_ends(name, outcome);
}

/// Each makes some hundred million rows, or one value of them.
#[test]
fn cross_joins_end_whatever_is_done_with_them() {
    let env = env();
    let rows = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l";
    for (name, query) in [
        ("order", "SELECT * { ROWS } ORDER BY DESC(?l) ?c ?f ?i"),
        (
            "group",
            "SELECT ?c ?f (SUM(STRLEN(STR(?i))) AS ?n) { ROWS } GROUP BY ?c ?f ?i ?l",
        ),
        (
            "group-concat",
            "SELECT (GROUP_CONCAT(CONCAT(STR(?c), STR(?l))) AS ?all) { ROWS }",
        ),
        (
            "group-concat-distinct",
            "SELECT (GROUP_CONCAT(DISTINCT CONCAT(STR(?c), STR(?f), STR(?l))) AS ?all) { ROWS }",
        ),
        ("distinct", "SELECT DISTINCT ?c ?f ?i ?l { ROWS }"),
        (
            "reduced",
            "SELECT REDUCED (STRLEN(STR(?c)) AS ?n) { ROWS } ORDER BY ?n",
        ),
        (
            "sample",
            "SELECT (SAMPLE(?c) AS ?one) (MAX(?f) AS ?most) { ROWS }",
        ),
        ("offset", "SELECT ?c { ROWS } OFFSET 100000000 LIMIT 1"),
        (
            "exists",
            "ASK { ROWS FILTER NOT EXISTS { ?m ?n ?o FILTER(?o != ?zz) } FILTER(?c = ?zz) }",
        ),
        (
            "minus",
            "SELECT (COUNT(*) AS ?n) { { ROWS } MINUS { ?m ?n ?c . ?o ?p ?f } }",
        ),
        ("rand", "SELECT * { ROWS } ORDER BY RAND()"),
    ] {
        assert_ended(name, &ask(&env, &query.replace("ROWS", rows)));
    }
}

#[test]
fn graphs_that_are_too_large_are_not_printed_in_part() {
    let graph = "CONSTRUCT { ?a ?b ?l . ?d ?e ?i } { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }";
    let outcome = env().command(["sparql", graph, "--timeout", "300ms"]).run();
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(101), ""),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("error[MP0804]"), "{outcome}");
}

#[test]
fn lists_of_values_that_are_joined_end() {
    let env = env();
    let values = (0..700)
        .map(|n| n.to_string())
        .collect::<Vec<_>>()
        .join(" ");
    let lists: String = ["?a", "?b", "?c", "?d"]
        .map(|name| format!("VALUES {name} {{ {values} }} "))
        .concat();
    for query in [
        format!("SELECT (COUNT(*) AS ?n) {{ {lists} }}"),
        format!("SELECT * {{ {lists} }} ORDER BY (?a * ?b - ?c * ?d)"),
        format!("SELECT (GROUP_CONCAT(?a) AS ?all) {{ {lists} }}"),
        format!("SELECT * {{ {lists} FILTER(?a + ?b + ?c + ?d < 0) }}"),
    ] {
        assert_ended(&query[..40], &ask(&env, &query));
    }
}

#[test]
fn paths_end() {
    let env = env();
    // Every step back and forth, in itself again and again.
    let nested = (0..30).fold("!<x:>".to_owned(), |inner, _| format!("({inner}|^!<y:>)*"));
    for path in [
        "(!<x:>)*/(!<x:>)*/(!<x:>)*",
        "(((!<x:>)*/(!<y:>)*)*/(!<z:>)+)*",
        "(<x:>|!<x:>|^!<x:>)*",
        "((!<x:>)?/(^!<x:>)?)*",
        &nested,
    ] {
        let query = format!("SELECT (COUNT(*) AS ?n) {{ ?a {path} ?b }}");
        assert_ends(path, &ask(&env, &query));
        let query = format!(
            "SELECT * {{ ?a {path} ?b . ?c {path} ?d . ?e {path} ?f . ?g {path} ?h }} ORDER BY ?h ?f ?d ?b"
        );
        assert_ended(path, &ask(&env, &query));
    }
}

/// The engine of regular expressions takes linear time and has a limit on its programs.
#[test]
fn regular_expressions_end() {
    let env = env();
    let long = "a".repeat(20_000);
    for (text, pattern) in [
        (long.as_str(), "^(a+)+$"),
        (&long, "^(a|aa)+b$"),
        (&long, "(a*)*(a*)*(a*)*b"),
        (&long, "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x"),
        ("a", "(((((a{1,99}){1,99}){1,99}){1,99}){1,99})"),
        ("a", "a{1000000000}"),
        ("a", "(\\\\p{L}{1,100}){1,100}"),
        ("a", "(a"),
        ("aa", "(a)\\\\1"),
    ] {
        let query = format!("SELECT (REGEX('{text}', '{pattern}') AS ?is) {{ ?s ?p ?o }}");
        assert_ends(pattern, &ask(&env, &query));
        let query = format!("SELECT (REPLACE('{text}', '{pattern}', '$0$0$1') AS ?is) {{}}");
        assert_ends(pattern, &ask(&env, &query));
    }
}

#[test]
fn strings_that_grow_end() {
    let env = env();
    let grown = |first: &str, step: &dyn Fn(usize) -> String| {
        let step = |n| format!("BIND({} AS ?s{})", step(n), n + 1);
        let steps = (0..60).map(step).collect::<Vec<_>>().join(" ");
        format!("SELECT (STRLEN(?s60) AS ?n) {{ BIND({first} AS ?s0) {steps} }}")
    };
    let repeated = |n: usize| vec![format!("?s{n}"); 50].join(",");
    for (name, query) in [
        (
            "concat",
            grown("'ab'", &|n| format!("CONCAT({})", repeated(n))),
        ),
        (
            "encode",
            grown("'é'", &|n| {
                format!("ENCODE_FOR_URI(CONCAT(?s{n}, 'é', ?s{n}))")
            }),
        ),
        (
            "replace",
            grown("'ab'", &|n| {
                format!("REPLACE(?s{n}, '.', '$0$0$0$0$0$0$0$0')")
            }),
        ),
        (
            "replace-more",
            grown("'ab'", &|n| format!("REPLACE(?s{n}, '.', ?s{n})")),
        ),
        (
            "upper",
            grown("'ŉ'", &|n| format!("UCASE(CONCAT(LCASE(?s{n}), ?s{n}))")),
        ),
    ] {
        assert_ended(name, &ask(&env, &query));
    }
}

/// Numbers overflow into nothing, and never into a panic.
#[test]
fn numbers_and_times_that_are_too_large_are_no_values() {
    let env = env();
    for expression in [
        "9223372036854775807 + 1",
        "-9223372036854775808 / -1",
        "ABS(-9223372036854775808)",
        "170141183460469231731.687303715884105727 * 10",
        "1e308 * 1e308",
        "ROUND(1e400)",
        "SUBSTR('é', -9223372036854775808, 9223372036854775807)",
        "SUBSTR('é', 2, 0)",
        "'99999999999999-12-31T23:59:59Z'^^<http://www.w3.org/2001/XMLSchema#dateTime>",
        "YEAR('-9999-01-01T24:00:00+14:00'^^<http://www.w3.org/2001/XMLSchema#dateTime>)",
        "'P9999999999999999999Y'^^<http://www.w3.org/2001/XMLSchema#duration>",
        "IRI('%%%\\u0000')",
        "STRLANG('a', 'not a language!')",
        "STRDT('a', <not:[a:b]>)",
    ] {
        let outcome = ask(&env, &format!("SELECT ({expression} AS ?x) {{}}"));
        // Some are refused as syntax.
        let ended = matches!(outcome.code, Some(0)) || outcome.stderr.contains("error[MP0802]");
        assert!(ended, "{expression}\n{outcome}");
    }
}
