//! The form in which an error is shown to people: cargo's.

use anstyle::Style;

use super::{NOTE, sanitize};
use crate::commands::error::CommandError;

/// An error as cargo shows one: message, chain of causes, note, help. `word` is what it begins with.
pub(super) fn report((word, style): (&str, Style), error: &CommandError) -> String {
    let code = error.code.map(|code| format!("[{code}]"));
    let mut lines = vec![format!(
        "{style}{word}{}{style:#}: {}",
        code.unwrap_or_default(),
        sanitize::indented(&error.message)
    )];
    if !error.causes.is_empty() {
        lines.extend([String::new(), "Caused by:".to_owned()]);
        let causes = error.causes.iter();
        lines.extend(causes.map(|cause| format!("  {}", sanitize::indented(cause))));
        if error.note.is_some() || error.help.is_some() {
            lines.push(String::new());
        }
    }
    for (word, text) in [("note", &error.note), ("help", &error.help)] {
        if let Some(text) = text {
            lines.push(format!(
                "{NOTE}{word}{NOTE:#}: {}",
                sanitize::sanitize(text)
            ));
        }
    }
    lines.join("\n") + "\n"
}
