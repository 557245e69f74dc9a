//! The registry's policy: `policy.json`, signed offline.

use serde::{Deserialize, Serialize};

use super::canonical_json::{JsonError, parse_strict};
use super::layout::Format;
use super::public_key::{KeyListError, WireKey, read_keys, write_keys};
use crate::model::PublicKey;

const SCHEMA: u64 = 1;
const MAX_SALT: usize = 64;
/// The most mirrors that a policy may name.
const MAX_MIRRORS: usize = 16;

/// What a registry demands and says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The canonical URL of the registry's root, ending in `/`. Its documents' IRIs start with it,
    /// wherever they are served.
    pub base: String,
    /// Mixed into the choice of a client's bucket.
    pub bucket_salt: Vec<u8>,
    /// The oldest format that may be read.
    pub format_floor: FormatFloor,
    /// From this serial on, no unsigned release is accepted.
    pub signing_required_from: Option<u64>,
    /// How long the registry's metadata is valid.
    pub lifetimes: Lifetimes,
    /// Keys whose owners may vouch for archives of other registries.
    pub vouchers: Vec<PublicKey>,
    /// Keys, kept offline, whose owners may withdraw versions and assign packages.
    pub recovery: Vec<PublicKey>,
    /// Where else the registry is served, each ending in `/`.
    pub mirrors: Vec<String>,
}

/// How long metadata is valid from its signing, in days, by the keys of its roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifetimes {
    /// Roles whose keys lie offline.
    pub offline: u32,
    /// Bins and catalog.
    pub online: u32,
    /// Snapshot.
    pub snapshot: u32,
    /// Timestamp: bounds how long a mirror can hold users back.
    pub timestamp: u32,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            offline: 365,
            online: 90,
            snapshot: 30,
            timestamp: 7,
        }
    }
}

/// The oldest index format that a registry allows to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FormatFloor {
    /// Cargo's index lines will do.
    V1,
    /// Only Turtle.
    V2,
}

impl FormatFloor {
    /// Says whether a format may be read.
    #[must_use]
    pub const fn allows(self, format: Format) -> bool {
        match (self, format) {
            (Self::V1, _) | (Self::V2, Format::V2) => true,
            (Self::V2, Format::V1) => false,
        }
    }
}

/// Why bytes are no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A newer program wrote it.
    #[error("the policy has schema {0}, which this program does not know")]
    UnknownSchema(u64),
    /// A key is missing, unknown or holds something else than it should.
    #[error("the policy is malformed: {0}")]
    Shape(String),
    /// The salt is not made of pairs of lower-case hexadecimal digits, or too long.
    #[error("the policy's bucket salt is not hexadecimal or longer than {MAX_SALT} bytes")]
    Salt,
    /// The base or a mirror is no URL of a folder.
    #[error("`{0}` in the policy is not a URL that ends in `/`")]
    Base(String),
    /// All of them are asked for what is new.
    #[error("the policy names {0} mirrors, more than {MAX_MIRRORS}")]
    Mirrors(usize),
    /// The keys of vouchers or recovery are refused.
    #[error(transparent)]
    Keys(#[from] KeyListError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: u64,
    base: String,
    bucket_salt: String,
    format_floor: FormatFloor,
    lifetimes: Lifetimes,
    signing: WireSigning,
    vouchers: Vec<WireKey>,
    recovery: Vec<WireKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mirrors: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSigning {
    required_from_serial: Option<u64>,
}

/// Returns a policy's bytes, the same ones for the same policy.
pub fn encode(policy: &Policy) -> Result<Vec<u8>, PolicyError> {
    let wire = Wire {
        schema: SCHEMA,
        base: policy.base.clone(),
        bucket_salt: hex::encode(&policy.bucket_salt),
        format_floor: policy.format_floor,
        lifetimes: policy.lifetimes,
        signing: WireSigning {
            required_from_serial: policy.signing_required_from,
        },
        vouchers: write_keys(&policy.vouchers),
        recovery: write_keys(&policy.recovery),
        mirrors: policy.mirrors.clone(),
    };
    let mut bytes =
        serde_json::to_vec_pretty(&wire).map_err(|error| PolicyError::Shape(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a policy.
pub fn decode(bytes: &[u8]) -> Result<Policy, PolicyError> {
    let value = parse_strict(bytes)?;
    if let Some(schema) = value["schema"].as_u64().filter(|schema| *schema != SCHEMA) {
        return Err(PolicyError::UnknownSchema(schema));
    }
    let wire: Wire =
        serde_json::from_value(value).map_err(|error| PolicyError::Shape(error.to_string()))?;
    let salt = hex::decode(&wire.bucket_salt).map_err(|_| PolicyError::Salt)?;
    if salt.len() > MAX_SALT || hex::encode(&salt) != wire.bucket_salt {
        return Err(PolicyError::Salt);
    }
    if !is_folder(&wire.base) {
        return Err(PolicyError::Base(wire.base));
    }
    if wire.mirrors.len() > MAX_MIRRORS {
        return Err(PolicyError::Mirrors(wire.mirrors.len()));
    }
    if let Some(wrong) = wire.mirrors.iter().find(|url| !is_folder(url)) {
        return Err(PolicyError::Base(wrong.clone()));
    }
    Ok(Policy {
        base: wire.base,
        bucket_salt: salt,
        format_floor: wire.format_floor,
        lifetimes: wire.lifetimes,
        signing_required_from: wire.signing.required_from_serial,
        vouchers: read_keys(wire.vouchers)?,
        recovery: read_keys(wire.recovery)?,
        mirrors: wire.mirrors,
    })
}

/// A parser of URLs takes line breaks for nothing, and people would be shown them.
fn is_folder(url: &str) -> bool {
    let is_plain = !url.contains(|letter: char| letter.is_control() || letter.is_whitespace());
    is_plain && url.ends_with('/') && url::Url::parse(url).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            base: "https://registry.example.org/".into(),
            bucket_salt: vec![0xab; 16],
            format_floor: FormatFloor::V1,
            signing_required_from: None,
            lifetimes: Lifetimes::default(),
            vouchers: vec![PublicKey([1; 32])],
            recovery: vec![PublicKey([2; 32])],
            mirrors: Vec::new(),
        }
    }

    #[test]
    fn comes_back_as_it_was() {
        for required_from in [None, Some(7)] {
            let policy = Policy {
                signing_required_from: required_from,
                ..policy()
            };
            assert_eq!(decode(&encode(&policy).unwrap()).unwrap(), policy);
        }
    }

    #[test]
    fn mirrors_are_named_only_where_there_are_some() {
        let none = String::from_utf8(encode(&policy()).unwrap()).unwrap();
        assert!(!none.contains("mirrors"));
        let with = |mirrors: Vec<String>| Policy {
            mirrors,
            ..policy()
        };
        let some = with(vec!["https://mirror.example.org/".into()]);
        assert_eq!(decode(&encode(&some).unwrap()).unwrap(), some);
        let file = with(vec!["https://mirror.example.org/file".into()]);
        let refused = decode(&encode(&file).unwrap());
        assert!(matches!(refused, Err(PolicyError::Base(_))));
        for hidden in ["\n", "\t", "\u{1b}[2J", "\u{85}", " ", "\u{2028}"] {
            let url = format!("https://mirror.example.org/{hidden}x/");
            let mirror = decode(&encode(&with(vec![url.clone()])).unwrap());
            assert_eq!(mirror, Err(PolicyError::Base(url.clone())));
            let base = Policy {
                base: url.clone(),
                ..policy()
            };
            let base = decode(&encode(&base).unwrap());
            assert_eq!(base, Err(PolicyError::Base(url)));
        }
        let many = with(vec!["https://mirror.example.org/".into(); 17]);
        let refused = decode(&encode(&many).unwrap());
        assert_eq!(refused, Err(PolicyError::Mirrors(17)));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let text = String::from_utf8(encode(&policy()).unwrap()).unwrap();
        let refused = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            decode(text.replacen(from, to, 1).as_bytes()).unwrap_err()
        };
        assert_eq!(
            refused("\"schema\": 1", "\"schema\": 9"),
            PolicyError::UnknownSchema(9)
        );
        assert!(matches!(refused("\"v1\"", "\"v3\""), PolicyError::Shape(_)));
        assert_eq!(refused("abab", "ABAB"), PolicyError::Salt);
        assert_eq!(refused("abab", &"ab".repeat(99)), PolicyError::Salt);
        let relaxed = refused("\"vouchers\"", "\"allow_unsigned\": true, \"vouchers\"");
        assert!(matches!(relaxed, PolicyError::Shape(_)));
    }
}
