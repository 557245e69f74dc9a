//! What may fall back from v2 to v1. Fallback is about format and availability, never about trust:
//! otherwise whoever can damage v2 would choose what users read.

/// Why a document or pack of one format cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The registry lists it, and the server does not have it.
    Missing,
    /// The server did not answer, or with an error.
    Unavailable,
    /// The registry offers none in this format.
    NotListed,
    /// The bytes are the right ones, and cannot be read.
    Malformed,
    /// The bytes are the right ones, and larger than what is read.
    TooLarge,
    /// The bytes are the right ones, of a later schema.
    UnknownSchema,
    /// Not on this machine, and no network is to be used.
    Offline,
    /// The copy on this machine cannot be used: a full disk, say.
    Local,
    /// The bytes are not the right ones.
    Mismatch,
    /// The document does not say what the signed statements say.
    Disagreement,
    /// Signatures, metadata or records are refused.
    Trust,
}

impl Cause {
    /// The word for it in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unavailable => "unavailable",
            Self::NotListed => "not listed",
            Self::Malformed => "malformed",
            Self::TooLarge => "too large",
            Self::UnknownSchema => "unknown schema",
            Self::Offline => "not in the offline copy",
            Self::Local => "local fault",
            Self::Mismatch => "mismatch",
            Self::Disagreement => "disagreement",
            Self::Trust => "trust",
        }
    }
}

/// Says whether v1 may be read in place of v2.
#[must_use]
pub const fn may_fall_back(cause: Cause) -> bool {
    match cause {
        Cause::Missing
        | Cause::Unavailable
        | Cause::NotListed
        | Cause::Malformed
        | Cause::TooLarge
        | Cause::UnknownSchema
        | Cause::Offline => true,
        Cause::Local | Cause::Mismatch | Cause::Disagreement | Cause::Trust => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falls_back_when_the_format_is_not_to_be_had() {
        for cause in [
            Cause::Missing,
            Cause::Unavailable,
            Cause::NotListed,
            Cause::Offline,
        ] {
            assert!(may_fall_back(cause), "{cause:?}");
        }
    }

    #[test]
    fn falls_back_when_the_right_bytes_cannot_be_read() {
        for cause in [Cause::Malformed, Cause::TooLarge, Cause::UnknownSchema] {
            assert!(may_fall_back(cause), "{cause:?}");
        }
    }

    #[test]
    fn never_falls_back_over_trust() {
        for cause in [
            Cause::Mismatch,
            Cause::Disagreement,
            Cause::Trust,
            Cause::Local,
        ] {
            assert!(!may_fall_back(cause), "{cause:?}");
        }
    }
}
