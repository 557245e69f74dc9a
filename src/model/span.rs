//! Spans of time: how old a release must be before it is chosen, how old a copy may be.

use std::fmt;
use std::str::FromStr;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const UNITS: [(&str, i64); 5] = [
    ("w", 7 * DAY),
    ("d", DAY),
    ("h", HOUR),
    ("min", 60),
    ("m", 60),
];

/// A span of time as users write it: `3d`, `12h`, `15min`; `0` means none at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(i64);

/// The text is no such span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time such as 3d, 12h or 2w")]
pub struct SpanError(String);

impl Span {
    /// A quarter of an hour.
    pub const QUARTER: Self = Self(900);

    /// Its seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "0" {
            return Ok(Self(0));
        }
        let error = || SpanError(text.chars().take(40).collect());
        let digits = text.find(|c: char| !c.is_ascii_digit());
        let (number, unit) = text.split_at(digits.ok_or_else(error)?);
        let seconds = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, seconds) = seconds.ok_or_else(error)?;
        let number: i64 = number.parse().map_err(|_| error())?;
        number.checked_mul(*seconds).map(Self).ok_or_else(error)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, seconds)| self.0 % seconds == 0);
        match whole {
            Some((unit, seconds)) if self.0 > 0 => write!(f, "{}{unit}", self.0 / seconds),
            _ => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_spans_and_writes_them_short() {
        for (text, seconds, shown) in [
            ("3d", 259_200, "3d"),
            ("12h", 43_200, "12h"),
            ("2w", 1_209_600, "2w"),
            ("14d", 1_209_600, "2w"),
            ("90min", 5_400, "90min"),
            ("15m", 900, "15min"),
            ("0", 0, "0"),
            ("0d", 0, "0"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(
                (span.seconds(), span.to_string().as_str()),
                (seconds, shown)
            );
        }
    }

    #[test]
    fn refuses_other_texts() {
        for text in [
            "",
            "3",
            "d",
            "-3d",
            "3 d",
            "1.5d",
            "3y",
            "99999999999999999999d",
            "9223372036854775807w",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
