//! Which release a spec means when it is only to be shown: unlike an install, a yanked one will do.

use crate::commands::error::CommandError;
use crate::model::{Document, Entry, PackageSpec, Requirement};

/// The most versions that an error lists.
const LISTED: usize = 10;

/// All releases, the highest version first.
pub(super) fn sorted(document: &Document) -> Vec<&Entry> {
    let mut entries: Vec<&Entry> = document.entries.iter().collect();
    entries.sort_by(|a, b| b.release.version.cmp(&a.release.version));
    entries
}

/// The release to show: the exact version that was asked for, or the highest that fits, one that
/// is not yanked before one that is.
pub(super) fn choose<'a>(
    document: &'a Document,
    spec: &PackageSpec,
) -> Result<&'a Entry, CommandError> {
    let chosen = match (&spec.exact, &spec.requirement) {
        (Some(version), _) => document.entry(version),
        (None, Some(requirement)) => highest(document, requirement),
        (None, None) => document
            .latest()
            .or_else(|| sorted(document).first().copied()),
    };
    chosen.ok_or_else(|| no_release(document, spec.requirement.as_ref()))
}

fn highest<'a>(document: &'a Document, requirement: &Requirement) -> Option<&'a Entry> {
    let matcher = requirement.matcher();
    let mut fitting = sorted(document);
    fitting.retain(|entry| matcher.matches(&entry.release.version));
    let choosable = fitting.iter().find(|entry| entry.yanked.is_none());
    choosable.or(fitting.first()).copied()
}

fn no_release(document: &Document, requirement: Option<&Requirement>) -> CommandError {
    let package = &document.package;
    let error = match requirement {
        Some(requirement) => format!("no version of `{package}` matches `{requirement}`"),
        None => format!("`{package}` has no release"),
    };
    let all = sorted(document);
    let mut versions: Vec<String> = all
        .iter()
        .take(LISTED)
        .map(|entry| version(entry))
        .collect();
    if all.len() > LISTED {
        versions.push(format!("and {} older ones", all.len() - LISTED));
    }
    let error = CommandError::failure(error).with_code("MP0203");
    match versions.is_empty() {
        true => error.with_note("every release of it was withdrawn"),
        false => error.with_help(format!("there are {}", versions.join(", "))),
    }
}

fn version(entry: &Entry) -> String {
    let yanked = if entry.yanked.is_some() {
        " (yanked)"
    } else {
        ""
    };
    format!("{}{yanked}", entry.release.version)
}
