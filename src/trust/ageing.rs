//! How long the metadata of a role lives, and when it is time to sign it anew. The one place that
//! decides it, for the client who warns and for the operator who signs.

use std::fmt;

use crate::formats::policy::Lifetimes;
use crate::model::UtcTime;

const SECONDS_A_DAY: i64 = 86_400;

/// A role that has less than a third of its life left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ageing {
    /// The role.
    pub role: String,
    /// When it expires.
    pub expires: UtcTime,
}

impl fmt::Display for Ageing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, expires } = self;
        write!(
            f,
            "`{role}` expires at {expires}: less than a third of its life is left"
        )
    }
}

/// Days that a role's metadata is valid from the moment of signing.
#[must_use]
pub fn lifetime(role: &str, lifetimes: &Lifetimes) -> u32 {
    match role {
        "timestamp" => lifetimes.timestamp,
        "snapshot" => lifetimes.snapshot,
        "catalog" => lifetimes.online,
        _ if role.starts_with("packages-") => lifetimes.online,
        _ => lifetimes.offline,
    }
}

/// Says that a role is to be signed anew soon: less than a third of its life is left, or nothing.
#[must_use]
pub fn ageing(role: &str, expires: UtcTime, lifetimes: &Lifetimes, now: UtcTime) -> Option<Ageing> {
    has_at_most_a(3, role, expires, lifetimes, now).then(|| Ageing {
        role: role.to_owned(),
        expires,
    })
}

/// Says whether a role is past half its life.
#[must_use]
pub fn is_past_half(role: &str, expires: UtcTime, lifetimes: &Lifetimes, now: UtcTime) -> bool {
    has_at_most_a(2, role, expires, lifetimes, now)
}

fn has_at_most_a(
    part: i64,
    role: &str,
    expires: UtcTime,
    lifetimes: &Lifetimes,
    now: UtcTime,
) -> bool {
    let life = i64::from(lifetime(role, lifetimes)) * SECONDS_A_DAY;
    expires <= now.plus_seconds(life / part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_ages_by_its_own_life() {
        let lifetimes = Lifetimes::default();
        let now = UtcTime::from_unix(1_800_000_000).unwrap();
        for (role, life) in [
            ("timestamp", 7),
            ("snapshot", 30),
            ("catalog", 90),
            ("packages-3", 90),
            ("packages", 365),
            ("root", 365),
            ("targets", 365),
        ] {
            assert_eq!(lifetime(role, &lifetimes), life, "{role}");
            let left = |seconds: i64| now.plus_seconds(seconds);
            let third = i64::from(life) * SECONDS_A_DAY / 3;
            let half = i64::from(life) * SECONDS_A_DAY / 2;
            assert_eq!(ageing(role, left(third + 1), &lifetimes, now), None);
            let found = ageing(role, left(third), &lifetimes, now).unwrap();
            assert_eq!((found.role.as_str(), found.expires), (role, left(third)));
            assert!(!is_past_half(role, left(half + 1), &lifetimes, now));
            assert!(is_past_half(role, left(half), &lifetimes, now));
        }
    }

    #[test]
    fn what_has_expired_is_ageing_too() {
        let now = UtcTime::from_unix(1_800_000_000).unwrap();
        let before = now.plus_seconds(-1);
        assert!(ageing("root", before, &Lifetimes::default(), now).is_some());
    }
}
