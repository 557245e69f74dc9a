//! Licenses as SPDX expressions: may somebody who does not take some of them use a package?

use std::str::FromStr;

use spdx::{AdditionItem, Expression, LicenseItem, LicenseReq, ParseMode};

/// The licenses that an expression names.
#[derive(Debug, Clone, PartialEq)]
pub struct Licenses(Vec<LicenseReq>);

impl FromStr for Licenses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = Expression::parse_mode(text, ParseMode::LAX);
        let parsed =
            parsed.map_err(|error| format!("`{text}` is no SPDX expression: {}", error.reason))?;
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
}

fn same(a: &LicenseReq, b: &LicenseReq) -> bool {
    let addition = |one: &LicenseReq| one.addition.as_ref().map(AdditionItem::to_string);
    plain(&a.license) == plain(&b.license) && addition(a) == addition(b)
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
    let names = |all: &[Licenses], one: &LicenseReq| all.iter().any(|some| some.name(one));
    let is_usable =
        expression.evaluate(|one| !names(denied, one) && (!is_limited || names(allowed, one)));
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
}
