//! Questions to the person at the terminal. Without a terminal there is no question, and the
//! command must do without an answer: never assume one.

mod hidden;

use std::io::{self, IsTerminal as _, Write as _};

use zeroize::Zeroizing;

use super::context::Context;
use super::error::CommandError;

/// Says whether there is somebody to ask.
#[must_use]
pub fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question that `y` answers; anything else is no. `None` without a terminal. Line breaks in
/// the question are the caller's own.
#[must_use]
pub fn confirm(question: &str) -> Option<bool> {
    if !is_possible() {
        return None;
    }
    let question = super::shell::sanitize_lines(question);
    // If the question cannot be shown, what is typed is no answer to it.
    let shown = write!(io::stderr(), "{question} [y/N] ").and_then(|()| io::stderr().flush());
    let mut answer = String::new();
    if shown.is_err() || io::stdin().read_line(&mut answer).is_err() {
        return Some(false);
    }
    Some(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The passphrase of an existing key: from the environment, else asked for.
pub fn passphrase(context: &Context, key: &str) -> Result<Zeroizing<String>, CommandError> {
    if let Some(given) = context.passphrase() {
        return Ok(Zeroizing::new(given.to_owned()));
    }
    ask(&format!("Passphrase of `{key}`: "), key)
}

/// A passphrase for a new key: from the environment, else asked for twice.
pub fn new_passphrase(context: &Context, key: &str) -> Result<Zeroizing<String>, CommandError> {
    if let Some(given) = context.passphrase() {
        return Ok(Zeroizing::new(given.to_owned()));
    }
    let first = ask(&format!("New passphrase for `{key}`: "), key)?;
    let second = ask("The same again: ", key)?;
    if first.is_empty() {
        let error = CommandError::failure("an empty passphrase protects nothing");
        return Err(error.with_help("pass `--no-passphrase` to have an unencrypted key"));
    }
    if *first != *second {
        return Err(CommandError::failure("the two passphrases differ"));
    }
    Ok(first)
}

fn ask(question: &str, key: &str) -> Result<Zeroizing<String>, CommandError> {
    if !is_possible() {
        let error = CommandError::failure(format!("the passphrase of `{key}` cannot be asked for"));
        return Err(error
            .with_note("there is no terminal")
            .with_help("set CARGO_MARKETPLACE_KEY_PASSPHRASE"));
    }
    // Nothing that is typed is shown by the time that the question is.
    let typed = hidden::read(|| write!(io::stderr(), "{question}"));
    // The line break was not shown, either.
    let _ = writeln!(io::stderr());
    let failed = || CommandError::failure("the passphrase could not be read");
    match typed {
        Ok(Some(line)) => Ok(line),
        Ok(None) => {
            hidden::interrupt();
            Err(failed().with_note("it was interrupted"))
        }
        Err(error) => Err(failed().caused_by(Some(&error))),
    }
}
