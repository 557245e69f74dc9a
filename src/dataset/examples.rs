//! Queries that answer common questions, by name: `sparql --example NAME`.

use oxigraph::model::Literal;

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
    /// What it stands for, in a line.
    pub about: &'static str,
}

/// Why an example cannot be asked with the parameters that were given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// One is needed and was not given.
    #[error("`{example}` needs the parameter `{parameter}`")]
    Missing {
        /// The example.
        example: &'static str,
        /// The parameter.
        parameter: &'static str,
    },
    /// One was given that the example does not have.
    #[error("`{example}` has no parameter `{parameter}`")]
    Unknown {
        /// The example.
        example: &'static str,
        /// As it was given.
        parameter: String,
    },
    /// One was given twice.
    #[error("the parameter `{0}` is given twice")]
    Twice(&'static str),
}

const NAME: Parameter = Parameter {
    name: "name",
    about: "a package",
};
const KEYWORD: Parameter = Parameter {
    name: "keyword",
    about: "a keyword",
};

/// Every example.
pub const EXAMPLES: [Example; 8] = [
    Example {
        name: "reverse-deps",
        about: "packages whose latest release depends on a package",
        query: include_str!("examples/reverse-deps.rq"),
        parameters: &[NAME],
    },
    Example {
        name: "reach",
        about: "packages that depend on a package, at any distance",
        query: include_str!("examples/reach.rq"),
        parameters: &[NAME],
    },
    Example {
        name: "license-closure",
        about: "the licenses of a package and of all that it depends on",
        query: include_str!("examples/license-closure.rq"),
        parameters: &[NAME],
    },
    Example {
        name: "copyleft-below",
        about: "packages that have a copyleft license somewhere below them",
        query: include_str!("examples/copyleft-below.rq"),
        parameters: &[],
    },
    Example {
        name: "msrv",
        about: "packages that state an older Rust than a package below them",
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
        parameters: &[KEYWORD],
    },
    Example {
        name: "owner-reach",
        about: "for each publisher, how many packages depend on theirs",
        query: include_str!("examples/owner-reach.rq"),
        parameters: &[],
    },
];

impl Example {
    /// The query with its parameters bound, each to a string.
    ///
    /// They are bound where the pattern begins, so that the evaluation starts from them.
    pub fn question(&self, given: &[(String, String)]) -> Result<String, ParameterError> {
        let example = self.name;
        let is_known = |name: &str| self.parameters.iter().any(|known| known.name == name);
        if let Some((unknown, _)) = given.iter().find(|(name, _)| !is_known(name)) {
            return Err(ParameterError::Unknown {
                example,
                parameter: unknown.clone(),
            });
        }
        let mut bindings = String::new();
        for Parameter { name, .. } in self.parameters {
            let mut values = given.iter().filter(|(given, _)| given == name);
            let (_, value) = values.next().ok_or(ParameterError::Missing {
                example,
                parameter: name,
            })?;
            if values.next().is_some() {
                return Err(ParameterError::Twice(name));
            }
            // As N-Triples, which writes strings as SPARQL reads them.
            let value = Literal::new_simple_literal(value);
            bindings.push_str(&["VALUES ?", name, " { ", &value.to_string(), " }"].concat());
        }
        // No prefix holds a brace: the first one opens the pattern.
        Ok(self.query.replacen('{', &format!("{{ {bindings}"), 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach() -> &'static Example {
        let mut examples = EXAMPLES.iter();
        examples.find(|example| example.name == "reach").unwrap()
    }

    fn given(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = parameters.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        owned.collect()
    }

    #[test]
    fn a_parameter_is_a_string_and_never_more() {
        let query = reach()
            .question(&given(&[("name", "a\" } \\\n{")]))
            .unwrap();
        assert!(
            query.contains(r#"{ VALUES ?name { "a\" } \\\n{" }"#),
            "{query}"
        );
    }

    #[test]
    fn every_parameter_must_be_given_once() {
        for (parameters, message) in [
            (&[][..], "`reach` needs the parameter `name`"),
            (&[("nam", "x")], "`reach` has no parameter `nam`"),
            (
                &[("name", "x"), ("name", "y")],
                "the parameter `name` is given twice",
            ),
        ] {
            let error = reach().question(&given(parameters)).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
