//! `explain`: what an error code means and what to do about it.

mod codes;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::error::CommandError;
use crate::ranking::nearest;
use codes::{EXPLANATIONS, Explanation};

/// Explains an error code
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code, as `MP0402`; without one, all codes are listed
    pub code: Option<String>,
}

/// Runs the command.
pub fn run(args: ExplainArgs, context: &Context) -> Result<(), CommandError> {
    let Some(code) = args.code else {
        for one in EXPLANATIONS {
            show(one, false, context);
        }
        return Ok(());
    };
    let code = code.to_ascii_uppercase();
    if let Some(one) = EXPLANATIONS.iter().find(|one| one.code == code) {
        show(one, true, context);
        return Ok(());
    }
    let error = CommandError::usage(format!("no error has the code `{code}`"));
    let known = EXPLANATIONS.iter().map(|one| one.code);
    Err(match nearest(&code, known) {
        Some(near) => error.with_help(format!("did you mean `{near}`?")),
        None => error.with_help("`cargo marketplace explain` lists all codes"),
    })
}

/// A code as it stands in the list.
pub(super) fn known_code(code: &str) -> Option<&'static str> {
    let one = EXPLANATIONS.iter().find(|one| one.code == code)?;
    Some(one.code)
}

/// What a user can do about an error of a code.
pub(super) fn next_step(code: &str) -> Option<&'static str> {
    let one = EXPLANATIONS.iter().find(|one| one.code == code)?;
    Some(one.next)
}

fn show(one: &Explanation, whole: bool, context: &Context) {
    let shell = &context.shell;
    if shell.is_json() {
        let body = json!({ "code": one.code, "title": one.title, "text": one.text });
        shell.message("explanation", body);
        return;
    }
    shell.line(&format!("{}: {}", one.code, one.title));
    if whole {
        shell.line("");
        shell.lines(&wrapped(one.text, 80));
    }
}

/// Breaks text at spaces into lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let length = lines.last().map_or(0, |line| line.chars().count());
        if length > 0 && length + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(EXPLANATIONS.is_sorted_by(|a, b| a.code < b.code));
    }

    #[test]
    fn every_error_with_a_code_has_a_next_step_in_one_line() {
        for one in EXPLANATIONS {
            let help = CommandError::trust(one.code, "refused")
                .with_next_step()
                .help;
            let help = help.unwrap_or_default();
            assert!(help.len() > 10 && !help.ends_with('.'), "{}", one.code);
            assert!(!help.contains('\n') && help == help.trim(), "{}", one.code);
        }
        let own = CommandError::trust("MP0403", "refused").with_help("its own");
        assert_eq!(own.with_next_step().help.as_deref(), Some("its own"));
        assert_eq!(CommandError::failure("no code").with_next_step().help, None);
    }

    #[test]
    fn every_code_in_the_source_is_explained() {
        let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut codes = std::collections::BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(path).unwrap();
                let quoted = text.split('"').filter(|word| word.len() == 6);
                codes.extend(
                    quoted
                        .filter(|word| word.starts_with("MP0"))
                        .map(str::to_owned),
                );
            }
        }
        assert!(codes.len() > 20, "{codes:?}");
        for code in codes {
            assert!(EXPLANATIONS.iter().any(|one| one.code == code), "{code}");
        }
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(wrapped("one two  three", 7), "one two\nthree");
    }
}
