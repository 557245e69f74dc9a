//! What an audit looks for in a package, and which of it is refused.

use std::str::FromStr;

use serde_json::Value;

use crate::commands::error::CommandError;
use crate::commands::license::{Licenses, refusal};
use crate::commands::locked::{Examined, Listed, LockedProject, kind_of_source};
use crate::install;
use crate::model::TrustState;
use crate::registry::error::ClientError;

/// What can be denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Nobody signed it.
    Unsigned,
    /// The registry's operator vouches for it, and no owner.
    Vouched,
    /// It is not from a registry of ours.
    Foreign,
    /// It is yanked.
    Yanked,
    /// Its name is not yet claimed by the registry's offline key.
    New,
    /// It was signed by a key that does not sign for its publisher any more.
    UnknownKey,
    /// Its license is one that is not taken.
    License,
    /// The lock file has the same name from several sources.
    Confusion,
}

/// What `--deny` was given.
#[derive(Debug, Clone, PartialEq)]
pub enum Denial {
    /// All findings of a rule.
    Rule(Rule),
    /// Licenses.
    Licenses(Licenses),
}

/// What is denied, and which licenses alone are taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Denials {
    pub(super) denied: Vec<Denial>,
    pub(super) allowed_licenses: Vec<Licenses>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// As `--deny` names it; `lock` and `policy` are denied always.
    pub(super) rule: &'static str,
    /// The place in the lock file of the package that it is about, if it is about one.
    pub(super) place: Option<usize>,
    /// What there is to say, with code and help.
    pub(super) error: CommandError,
    pub(super) is_denied: bool,
    /// The policy that found it, and the row.
    pub(super) row: Option<(String, Value)>,
}

const RULES: [(Rule, &str, &str); 8] = [
    (Rule::Unsigned, "unsigned", "MP0310"),
    (Rule::Vouched, "vouched", "MP0311"),
    (Rule::Yanked, "yanked", "MP0312"),
    (Rule::Foreign, "foreign", "MP0313"),
    (Rule::New, "new", "MP0314"),
    (Rule::UnknownKey, "unknown-key", "MP0315"),
    (Rule::License, "license", "MP0316"),
    (Rule::Confusion, "confusion", "MP0317"),
];

impl Rule {
    fn word_and_code(self) -> (&'static str, &'static str) {
        let found = RULES.iter().find(|(rule, ..)| *rule == self);
        found.map_or(("", ""), |(_, word, code)| (word, code))
    }
}

impl FromStr for Denial {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(expression) = text.strip_prefix("license=") {
            return expression.parse().map(Self::Licenses);
        }
        let plain = RULES.iter().filter(|(rule, ..)| *rule != Rule::License);
        let words: Vec<_> = plain.clone().map(|(_, word, _)| *word).collect();
        let mut plain = plain.filter(|(_, word, _)| *word == text);
        plain
            .next()
            .map(|(rule, ..)| Self::Rule(*rule))
            .ok_or_else(|| {
                format!(
                    "expected one of {}, or license=EXPRESSION",
                    words.join(", ")
                )
            })
    }
}

impl Denials {
    fn contains(&self, rule: Rule) -> bool {
        self.denied.contains(&Denial::Rule(rule))
    }

    /// Why a package may not be used by its license.
    fn license(&self, license: Option<&str>) -> Option<String> {
        let denied = self.denied.iter().filter_map(|denial| match denial {
            Denial::Licenses(licenses) => Some(licenses.clone()),
            Denial::Rule(_) => None,
        });
        let denied: Vec<Licenses> = denied.collect();
        refusal(license, &denied, &self.allowed_licenses)
    }

    fn finding(&self, rule: Rule, place: usize, text: String) -> Finding {
        let (word, code) = rule.word_and_code();
        Finding {
            rule: word,
            place: Some(place),
            error: CommandError::findings(text).with_code(code),
            is_denied: rule == Rule::License || self.contains(rule),
            row: None,
        }
    }
}

/// All that there is to say of a package of ours.
pub(super) fn examined(one: &Examined<'_>, denials: &Denials) -> Result<Vec<Finding>, ClientError> {
    let package = format!("`{}` v{}", one.package.name, one.package.version);
    let listed = match &one.listed {
        Ok(listed) => listed,
        Err(fault) => {
            return Ok(vec![Finding {
                rule: "lock",
                place: Some(one.place),
                error: one.at_fault(fault),
                is_denied: true,
                row: None,
            }]);
        }
    };
    let mut found = Vec::new();
    let mut say = |rule, text: String| found.push(denials.finding(rule, one.place, text));
    match listed.entry.trust {
        Some(TrustState::Signed) => {
            if is_new(listed) {
                say(
                    Rule::New,
                    format!(
                        "{package} is new: its name is vouched for by the registry's online key only"
                    ),
                );
            }
            if let Some(text) = unknown_key(one, listed)? {
                say(Rule::UnknownKey, format!("{package} {text}"));
            }
        }
        // A warning for each would drown the others: they are counted unless they are denied.
        Some(TrustState::Vouched) if denials.contains(Rule::Vouched) => {
            say(
                Rule::Vouched,
                format!(
                    "{package} is vouched for by the registry's operator, and signed by no owner"
                ),
            );
        }
        Some(TrustState::Vouched) => {}
        Some(TrustState::Unsigned) | None => {
            say(Rule::Unsigned, format!("{package} is unsigned"));
        }
    }
    if let Some(text) = denials.license(listed.entry.release.license.as_deref()) {
        say(Rule::License, format!("{package} {text}"));
    }
    found.extend(yanked(one, listed, denials, &package));
    Ok(found)
}

/// The offline role `claimed` does not yet say whose the name is.
fn is_new(listed: &Listed) -> bool {
    listed.state.owners.is_some() && !listed.state.is_claimed
}

/// The keys of its publisher that signed a release, and that their file does not list any more: they
/// were revoked, and what they signed before that stays.
fn unknown_key(one: &Examined<'_>, listed: &Listed) -> Result<Option<String>, ClientError> {
    let release = &listed.entry.release;
    let Some(id) = &release.publisher else {
        return Ok(None);
    };
    let client = &one.home.reading.client;
    let publisher = client.publisher(id)?;
    let statements = client.statements(&release.name)?;
    let signed = statements.iter().flat_map(|all| all.iter()).find(|signed| {
        let stated = signed.statement.body.release();
        stated.is_some_and(|stated| stated.version == release.version)
    });
    let signers = signed.iter().flat_map(|signed| &signed.signers);
    let mut theirs = signers.filter(|signer| signer.publisher.as_ref() == Some(id));
    let is_listed = |key| publisher.as_ref().is_some_and(|one| one.keys.contains(key));
    let unlisted = theirs.find(|signer| !is_listed(&signer.key));
    Ok(unlisted.map(|signer| {
        let key = signer.key.fingerprint();
        format!("was signed by {key}, which `{id}` has revoked since")
    }))
}

fn yanked(
    one: &Examined<'_>,
    listed: &Listed,
    denials: &Denials,
    package: &str,
) -> Option<Finding> {
    let yank = listed.entry.yanked.as_ref()?;
    let reason = yank.reason.as_ref().map(|reason| format!(": \"{reason}\""));
    let text = format!("{package} was yanked{}", reason.unwrap_or_default());
    let mut finding = denials.finding(Rule::Yanked, one.place, text);
    let release = &listed.entry.release;
    if let Some(nearest) = install::nearest(&listed.state.document, &release.version) {
        let spec = format!("{}@{}", release.name, release.version);
        let help = format!("`cargo update -p {spec} --precise {nearest}`");
        finding.error = finding.error.with_help(help);
    }
    Some(finding)
}

/// What there is to say of packages that come from elsewhere, if that is denied.
pub(super) fn foreign(project: &LockedProject<'_>, denials: &Denials) -> Vec<Finding> {
    if !denials.contains(Rule::Foreign) {
        return Vec::new();
    }
    let found = project.foreign().map(|(place, package)| {
        let kind = kind_of_source(package.source.as_deref().unwrap_or_default());
        let text = format!("`{}` v{} comes from {kind}", package.name, package.version);
        denials.finding(Rule::Foreign, place, text)
    });
    found.collect()
}

/// Names that the lock file has from several sources: one may have been meant for the other.
pub(super) fn confusions(project: &LockedProject<'_>, denials: &Denials) -> Vec<Finding> {
    let packages = &project.graph.packages;
    let mut found = Vec::new();
    for (place, package) in packages.iter().enumerate() {
        let Some(source) = &package.source else {
            continue;
        };
        let other = packages[..place].iter().find(|other| {
            other.name == package.name && other.source.as_ref().is_some_and(|one| one != source)
        });
        if let Some(first) = other.and_then(|other| other.source.as_deref()) {
            let text = format!(
                "`{}` comes from two sources: {first} and {source}",
                package.name
            );
            found.push(denials.finding(Rule::Confusion, place, text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_can_be_denied_by_its_word() {
        for (rule, word, code) in RULES {
            assert_eq!(rule.word_and_code(), (word, code));
            let denial: Result<Denial, _> = word.parse();
            assert_eq!(denial.is_ok(), rule != Rule::License, "{word}");
        }
        assert!(matches!("license=MIT".parse(), Ok(Denial::Licenses(_))));
        for bad in ["", "Unsigned", "license=", "license=no such", "all"] {
            assert!(bad.parse::<Denial>().is_err(), "{bad}");
        }
    }
}
