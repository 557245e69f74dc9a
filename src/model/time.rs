//! Points in time, to the second and in UTC, as TUF and the index write them.

use std::fmt;
use std::str::FromStr;

/// A point in time: `2026-11-22T12:05:11Z`, whole seconds, always `Z` (TUF 1.0, section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(jiff::Timestamp);

/// The text is not of the one accepted form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time of the form 2026-11-22T12:05:11Z")]
pub struct TimeError(String);

impl UtcTime {
    /// The last time that can be represented.
    pub const MAX: Self = Self(jiff::Timestamp::MAX);

    /// The time that many seconds after 1970, or nothing outside the years -9999 to 9999.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Option<Self> {
        jiff::Timestamp::from_second(seconds).ok().map(Self)
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0.as_second()
    }

    /// The time `days` later; the last representable one if there is none.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        self.plus_seconds(i64::from(days) * 86_400)
    }

    /// The time `seconds` later; the last or first representable one if there is none.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let later = self.unix().saturating_add(seconds);
        let beyond = match seconds < 0 {
            true => jiff::Timestamp::MIN,
            false => jiff::Timestamp::MAX,
        };
        Self(jiff::Timestamp::from_second(later).unwrap_or(beyond))
    }
}

impl FromStr for UtcTime {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || TimeError(text.chars().take(40).collect());
        let parsed = jiff::Timestamp::from_str(text).map_err(|_| error())?;
        let time = Self(parsed);
        if time.to_string() == text {
            Ok(time)
        } else {
            Err(error())
        }
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_one_written_form() {
        let text = "2026-11-22T12:05:11Z";
        assert_eq!(text.parse::<UtcTime>().unwrap().to_string(), text);
        for bad in [
            "2026-11-22T12:05:11+00:00",
            "2026-11-22T12:05:11.5Z",
            "2026-11-22",
            "2026-11-22t12:05:11z",
        ] {
            assert!(bad.parse::<UtcTime>().is_err(), "{bad}");
        }
    }

    #[test]
    fn days_are_86400_seconds() {
        let start = UtcTime::from_unix(0).unwrap();
        assert_eq!(start.plus_days(365).to_string(), "1971-01-01T00:00:00Z");
    }
}
