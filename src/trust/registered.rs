//! Publishers and the policy, as the registry's offline keys signed them. A key that anybody could
//! sign with is refused here, before anything is verified with it.

use super::Verified;
use super::ed25519::{KeyError, check_key};
use super::tuf::Target;
use crate::formats::policy::{self, Policy, PolicyError};
use crate::formats::publisher::{self, Publisher, PublisherError};
use crate::formats::unsigned::{self, UnsignedError, UnsignedList};
use crate::model::{PublicKey, PublisherId};

/// Why a publisher or a policy is refused, although it is signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisteredError {
    /// The publisher's file is refused.
    #[error("the keys of the publisher `{id}` are refused")]
    Publisher {
        /// The publisher who was asked for.
        id: PublisherId,
        /// Why.
        #[source]
        source: PublisherError,
    },
    /// The file of one publisher stands at the place of another.
    #[error("the file of the publisher `{expected}` is that of `{found}`")]
    OtherPublisher {
        /// The publisher who was asked for.
        expected: PublisherId,
        /// The one whom the file names.
        found: PublisherId,
    },
    /// The policy is refused.
    #[error("the policy is refused")]
    Policy(#[source] PolicyError),
    /// The list of unsigned releases is refused.
    #[error("the list of unsigned releases is refused")]
    Unsigned(#[source] UnsignedError),
    /// A key may not be anybody's.
    #[error("`{path}` lists a key that may not sign")]
    Key {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: KeyError,
    },
}

/// Reads a publisher's file that came through TUF.
pub fn read_publisher(
    target: &Verified<Target>,
    id: &PublisherId,
) -> Result<Verified<Publisher>, RegisteredError> {
    let publisher =
        publisher::decode(&target.bytes).map_err(|source| RegisteredError::Publisher {
            id: id.clone(),
            source,
        })?;
    if publisher.id != *id {
        return Err(RegisteredError::OtherPublisher {
            expected: id.clone(),
            found: publisher.id,
        });
    }
    check_keys(target, &publisher.keys)?;
    let revoked = publisher.revoked.iter().map(|revocation| &revocation.key);
    check_keys(target, revoked)?;
    Ok(Verified::new(publisher))
}

/// Reads the policy that came through TUF.
pub fn read_policy(target: &Verified<Target>) -> Result<Verified<Policy>, RegisteredError> {
    let policy = policy::decode(&target.bytes).map_err(RegisteredError::Policy)?;
    check_keys(target, policy.vouchers.iter().chain(&policy.recovery))?;
    Ok(Verified::new(policy))
}

/// Reads the list of unsigned releases that came through TUF.
pub fn read_unsigned(target: &Verified<Target>) -> Result<Verified<UnsignedList>, RegisteredError> {
    let list = unsigned::decode(&target.bytes).map_err(RegisteredError::Unsigned)?;
    Ok(Verified::new(list))
}

fn check_keys<'a>(
    target: &Target,
    keys: impl IntoIterator<Item = &'a PublicKey>,
) -> Result<(), RegisteredError> {
    keys.into_iter()
        .try_for_each(check_key)
        .map_err(|source| RegisteredError::Key {
            path: target.path.clone(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::SecretKey;

    fn publisher(keys: &[PublicKey]) -> Verified<Target> {
        let listed = keys.iter().map(|key| {
            serde_json::json!({
                "keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": key.to_string()},
            })
        });
        let keys: Vec<_> = listed.collect();
        let file = serde_json::json!({"schema": 1, "id": "ferris", "keys": keys});
        Verified::new(Target {
            path: "publishers/ferris.json".into(),
            bytes: file.to_string().into_bytes(),
        })
    }

    #[test]
    fn a_publisher_is_the_one_who_was_asked_for() {
        let target = publisher(&[SecretKey::from_seed(&[1; 32]).public()]);
        assert!(read_publisher(&target, &"ferris".parse().unwrap()).is_ok());
        let error = read_publisher(&target, &"anna".parse().unwrap()).unwrap_err();
        assert!(matches!(error, RegisteredError::OtherPublisher { .. }));
    }

    #[test]
    fn weak_keys_are_nobodys() {
        let keys = [SecretKey::from_seed(&[1; 32]).public(), PublicKey([0; 32])];
        let id = "ferris".parse().unwrap();
        let error = read_publisher(&publisher(&keys), &id).unwrap_err();
        let expected = RegisteredError::Key {
            path: "publishers/ferris.json".into(),
            source: KeyError::Weak(keys[1]),
        };
        assert_eq!(error, expected);
    }
}
