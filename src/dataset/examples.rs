//! Queries that answer common questions, by name: `sparql --example NAME`.

/// A named query.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The name on the command line.
    pub name: &'static str,
    /// What it answers, in a line.
    pub about: &'static str,
    /// The query; its parameters are variables in it.
    pub query: &'static str,
    /// The variables that can be bound with `--param`.
    pub parameters: &'static [Parameter],
}

/// A variable of an example.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// The variable's name.
    pub name: &'static str,
    /// Its value when none is given; without one it must be given.
    pub default: Option<&'static str>,
}

const fn required(name: &'static str) -> Parameter {
    Parameter {
        name,
        default: None,
    }
}

/// Every example.
pub const EXAMPLES: [Example; 8] = [
    Example {
        name: "reverse-deps",
        about: "packages whose latest release depends on a package",
        query: include_str!("examples/reverse-deps.rq"),
        parameters: &[required("name")],
    },
    Example {
        name: "reach",
        about: "packages that depend on a package, at any distance",
        query: include_str!("examples/reach.rq"),
        parameters: &[required("name")],
    },
    Example {
        name: "license-closure",
        about: "the licenses of a package and of all that it depends on",
        query: include_str!("examples/license-closure.rq"),
        parameters: &[required("name")],
    },
    Example {
        name: "copyleft-below",
        about: "packages that have a copyleft license somewhere below them",
        query: include_str!("examples/copyleft-below.rq"),
        parameters: &[],
    },
    Example {
        name: "msrv",
        about: "packages that state an older Rust than a package that they depend on",
        query: include_str!("examples/msrv.rq"),
        parameters: &[],
    },
    Example {
        name: "signed-on-unsigned",
        about: "signed packages that depend on packages which nobody signed",
        query: include_str!("examples/signed-on-unsigned.rq"),
        parameters: &[],
    },
    Example {
        name: "newest",
        about: "the newest releases with a keyword",
        query: include_str!("examples/newest.rq"),
        parameters: &[required("keyword")],
    },
    Example {
        name: "owner-reach",
        about: "for each publisher, how many packages depend on theirs",
        query: include_str!("examples/owner-reach.rq"),
        parameters: &[],
    },
];

/// Finds an example by its name.
#[must_use]
pub fn example(name: &str) -> Option<&'static Example> {
    EXAMPLES.iter().find(|example| example.name == name)
}
