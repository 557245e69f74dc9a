//! Prepared questions, by name: those of `sparql --example`, and the policies of `audit`.

use serde_json::json;

use super::failures;
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::dataset::{EXAMPLES, Example, POLICIES};
use crate::ranking::nearest;

/// Prepared questions of one kind.
pub(super) struct Prepared {
    examples: &'static [Example],
    /// What one of them is called.
    word: &'static str,
    /// The command that lists them.
    list: &'static str,
    /// The `reason` of one of them in JSON.
    reason: &'static str,
}

/// Those of `sparql`.
pub(super) const QUESTIONS: Prepared = Prepared {
    examples: &EXAMPLES,
    word: "example",
    list: "sparql --list-examples",
    reason: "sparql-example",
};

const PREPARED_POLICIES: Prepared = Prepared {
    examples: &POLICIES,
    word: "policy",
    list: "audit --list-policies",
    reason: "policy",
};

/// The text of each policy that was named. Each takes the parameters that it has.
pub(in crate::commands) fn policies(
    names: &[String],
    params: &[(String, String)],
) -> Result<Vec<(String, String)>, CommandError> {
    let all = PREPARED_POLICIES;
    let chosen: Vec<&Example> = names
        .iter()
        .map(|name| all.find(name))
        .collect::<Result<_, _>>()?;
    let has = |example: &Example, key: &str| example.parameters.iter().any(|one| one.name == key);
    let texts = chosen.iter().map(|example| {
        // What none of them has is the fault of each.
        let is_its = |key: &str| has(example, key) || !chosen.iter().any(|one| has(one, key));
        let params: Vec<_> = params
            .iter()
            .filter(|(key, _)| is_its(key))
            .cloned()
            .collect();
        Ok((
            example.name.to_owned(),
            all.question(example.name, &params)?,
        ))
    });
    texts.collect()
}

/// Lists the policies.
#[expect(clippy::unnecessary_wraps, reason = "other builds have none")]
pub(in crate::commands) fn list_policies(context: &Context) -> Result<(), CommandError> {
    PREPARED_POLICIES.list(context);
    Ok(())
}

impl Prepared {
    fn find(&self, name: &str) -> Result<&'static Example, CommandError> {
        let mut examples = self.examples.iter();
        examples
            .find(|example| example.name == name)
            .ok_or_else(|| {
                let error = CommandError::usage(format!("there is no {} `{name}`", self.word));
                match nearest(name, self.examples.iter().map(|example| example.name)) {
                    Some(near) => error.with_help(format!("did you mean `{near}`?")),
                    None => error.with_help(format!("`cargo marketplace {}`", self.list)),
                }
            })
    }

    /// The text of one, with its parameters.
    pub(super) fn question(
        &self,
        name: &str,
        params: &[(String, String)],
    ) -> Result<String, CommandError> {
        let question = self.find(name)?.question(params);
        question.map_err(|error| failures::parameter(&error, self.list))
    }

    /// Prints all of them.
    pub(super) fn list(&self, context: &Context) {
        let shell = &context.shell;
        let width = self.examples.iter().map(|example| example.name.len()).max();
        let width = width.unwrap_or(0);
        for example in self.examples {
            let parameters = example.parameters.iter();
            if shell.is_json() {
                let parameters: Vec<_> = parameters.map(|parameter| parameter.name).collect();
                let (name, about, query) = (example.name, example.about, example.query);
                let body =
                    json!({"name": name, "about": about, "parameters": parameters, "query": query});
                shell.message(self.reason, body);
                continue;
            }
            let about = example.about;
            shell.line(&format!("{:width$}  {about}", example.name));
            for parameter in parameters {
                let (name, about) = (parameter.name, parameter.about);
                shell.line(&format!("{:width$}    --param {name}=… ({about})", ""));
            }
        }
    }
}
