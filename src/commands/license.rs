//! Licenses as SPDX expressions: may somebody who does not take some of them use a package?

use std::str::FromStr;

use spdx::identifiers::LICENSES;
use spdx::{AdditionItem, Expression, LicenseItem, LicenseReq, ParseMode};

use crate::ranking::nearest;

/// The licenses that an expression names.
#[derive(Debug, Clone, PartialEq)]
pub struct Licenses(Vec<LicenseReq>);

impl FromStr for Licenses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = Expression::parse_mode(text, ParseMode::LAX);
        let parsed = parsed.map_err(|error| {
            let meant = match spelling(word_at(text, error.span.start)) {
                Some(meant) => format!("; did you mean `{meant}`?"),
                None => String::new(),
            };
            format!("`{text}` is no SPDX expression: {}{meant}", error.reason)
        })?;
        let all = parsed.requirements();
        Ok(Self(all.map(|one| one.req.clone()).collect()))
    }
}

impl Licenses {
    /// Says whether a license is one of these, an exception to it (`WITH`) included. That of
    /// `GPL-3.0-only` and of `GPL-3.0-or-later` is the same one.
    fn name(&self, license: &LicenseReq) -> bool {
        self.0.iter().any(|own| same(own, license))
    }

    /// As [`Self::name`], and says whether the license is a later version of one that is named with
    /// `-or-later`.
    fn name_or_precede(&self, license: &LicenseReq) -> bool {
        self.name(license) || self.0.iter().any(|own| is_later(license, own))
    }
}

/// The whole word around a place: the parser may have taken the start of it for a license.
fn word_at(text: &str, place: usize) -> &str {
    let is_end = |c: char| c.is_whitespace() || "()".contains(c);
    let (before, after) = text.split_at_checked(place).unwrap_or((text, ""));
    let start = before.rfind(is_end).map_or(0, |end| end + 1);
    let end = after.find(is_end).unwrap_or(after.len());
    &text[start..place.min(text.len()) + end]
}

/// The nearest license id to what was typed, in whatever case.
pub(super) fn spelling(typed: &str) -> Option<&'static str> {
    nearest(typed, LICENSES.iter().map(|license| license.name))
}

/// Says whether packages can be licensed under that id, in whatever case.
pub(super) fn is_id(text: &str) -> bool {
    let is_of_its_own = ["LicenseRef-", "DocumentRef-"].iter();
    let mut known = LICENSES.iter();
    is_of_its_own.clone().any(|start| text.starts_with(start))
        || known.any(|license| license.name.eq_ignore_ascii_case(text))
}

fn same(a: &LicenseReq, b: &LicenseReq) -> bool {
    plain(&a.license) == plain(&b.license) && addition(a) == addition(b)
}

/// The exception of a license, if there is one.
fn addition(license: &LicenseReq) -> Option<String> {
    license.addition.as_ref().map(AdditionItem::to_string)
}

/// Says whether a license is a later version of one that is named with all later ones.
fn is_later(license: &LicenseReq, named: &LicenseReq) -> bool {
    let is_open = match &named.license {
        LicenseItem::Spdx { id, or_later } => *or_later || id.name.ends_with("-or-later"),
        LicenseItem::Other(_) => false,
    };
    let (own, first) = (plain(&license.license), plain(&named.license));
    let (Some((family, version)), Some((named_family, least))) =
        (versioned(&own), versioned(&first))
    else {
        return false;
    };
    is_open && family == named_family && version > least && addition(license) == addition(named)
}

/// A plain license in two, as `GPL` and 3.0.
fn versioned(plain: &str) -> Option<(&str, Vec<u32>)> {
    let (family, version) = plain.rsplit_once('-')?;
    let numbers = version.split('.').map(|number| number.parse().ok());
    Some((family, numbers.collect::<Option<_>>()?))
}

/// The license without what is said of later versions.
fn plain(license: &LicenseItem) -> String {
    let name = match license {
        LicenseItem::Spdx { id, .. } => id.name.to_owned(),
        LicenseItem::Other(other) => other.to_string(),
    };
    let bare = ["-only", "-or-later"]
        .iter()
        .find_map(|end| name.strip_suffix(end));
    bare.map_or_else(|| name.clone(), ToOwned::to_owned)
}

/// Why somebody may not use a package by its license; `None` if they may. A choice of licenses
/// (`OR`) is theirs.
///
/// `denied` are licenses that they do not take; `allowed`, if there are any, the only ones that they
/// do.
pub(super) fn refusal(
    license: Option<&str>,
    denied: &[Licenses],
    allowed: &[Licenses],
) -> Option<String> {
    let is_limited = !allowed.is_empty();
    let Some(text) = license else {
        return is_limited.then(|| "states no license".to_owned());
    };
    let Ok(expression) = Expression::parse_mode(text, ParseMode::LAX) else {
        let is_judged = is_limited || !denied.is_empty();
        return is_judged.then(|| format!("is licensed as `{text}`, which is no SPDX expression"));
    };
    let is_denied = |one: &LicenseReq| denied.iter().any(|some| some.name_or_precede(one));
    let is_allowed = |one: &LicenseReq| !is_limited || allowed.iter().any(|some| some.name(one));
    let is_usable = expression.evaluate(|one| !is_denied(one) && is_allowed(one));
    (!is_usable).then(|| format!("is licensed as `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(license: &str, denied: &[&str], allowed: &[&str]) -> bool {
        let all = |texts: &[&str]| -> Vec<Licenses> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let license = (license != "none").then_some(license);
        refusal(license, &all(denied), &all(allowed)).is_some()
    }

    #[test]
    fn a_denied_license_is_one_without_which_the_package_cannot_be_used() {
        for (license, denied, expected) in [
            ("GPL-3.0-only", "GPL-3.0-only", true),
            ("GPL-3.0-or-later", "GPL-3.0-only", true),
            ("GPL-3.0+", "GPL-3.0-or-later", true),
            ("GPL-2.0-or-later", "GPL-3.0-only", false),
            ("GPL-3.0-only", "GPL-2.0-or-later", true),
            ("GPL-3.0-or-later", "GPL-2.0-or-later", true),
            ("GPL-3.0-only", "GPL-2.0-only", false),
            ("GPL-2.0-only", "GPL-3.0-or-later", false),
            ("LGPL-3.0-only", "GPL-2.0-or-later", false),
            ("MIT OR GPL-3.0-only", "GPL-2.0-or-later", false),
            (
                "GPL-3.0-only WITH GCC-exception-3.1",
                "GPL-2.0-or-later",
                false,
            ),
            (
                "GPL-3.0-only WITH Classpath-exception-2.0",
                "GPL-2.0-or-later WITH Classpath-exception-2.0",
                true,
            ),
            ("Apache-2.0", "Apache-1.1+", true),
            ("LGPL-3.0-only", "GPL-3.0-only", false),
            ("MIT OR GPL-3.0-only", "GPL-3.0-only", false),
            ("MIT AND GPL-3.0-only", "GPL-3.0-only", true),
            ("MIT/Apache-2.0", "MIT", false),
            ("MIT/Apache-2.0", "MIT OR Apache-2.0", true),
            (
                "(MIT AND BSD-3-Clause) OR Apache-2.0",
                "Apache-2.0 OR MIT",
                true,
            ),
            ("Apache-2.0 WITH LLVM-exception", "Apache-2.0", false),
            ("LicenseRef-ours", "LicenseRef-ours", true),
            ("my own words", "MIT", true),
            ("none", "MIT", false),
        ] {
            assert_eq!(
                is_refused(license, &[denied], &[]),
                expected,
                "{license} / {denied}"
            );
        }
    }

    #[test]
    fn only_the_allowed_ones_will_do_if_there_are_any() {
        let allowed = [
            "MIT OR Apache-2.0",
            "GPL-2.0-or-later WITH Classpath-exception-2.0",
        ];
        for (license, expected) in [
            ("MIT", false),
            ("MIT OR GPL-3.0-only", false),
            ("MIT AND Apache-2.0", false),
            ("MIT AND Unicode-3.0", true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", false),
            ("GPL-2.0-only", true),
            ("none", true),
        ] {
            assert_eq!(is_refused(license, &[], &allowed), expected, "{license}");
        }
        assert!(is_refused("MIT", &["MIT"], &allowed));
        assert!(!is_refused("none", &[], &[]));
        assert!("MIT and a half".parse::<Licenses>().is_err());
    }

    #[test]
    fn what_is_no_license_id_is_spelt_right() {
        let error = "MIT OR gpl-3.0-only".parse::<Licenses>().unwrap_err();
        let meant = "; did you mean `GPL-3.0-only`?";
        assert!(error.ends_with(meant), "{error}");
        assert_eq!(spelling("Apache2.0"), Some("Apache-2.0"));
        assert_eq!(spelling("bogus"), None);
        for (text, expected) in [
            ("mit", true),
            ("LicenseRef-ours", true),
            ("bogus", false),
            ("MIT OR Apache-2.0", false),
        ] {
            assert_eq!(is_id(text), expected, "{text}");
        }
    }
}
