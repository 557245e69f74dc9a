//! Publishers and the policy, as the registry's offline keys signed them. A key that anybody could
//! sign with is refused here, before anything is verified with it.

use super::Verified;
use super::ed25519::{KeyError, check_key};
use super::tuf::Target;
use crate::formats::policy::{self, Policy, PolicyError};
use crate::formats::publisher::{self, Publisher, PublisherError};
use crate::model::PublisherId;

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
    for key in &publisher.keys {
        check_key(key).map_err(|source| refused_key(target, source))?;
    }
    Ok(Verified::new(publisher))
}

/// Reads the policy that came through TUF.
pub fn read_policy(target: &Verified<Target>) -> Result<Verified<Policy>, RegisteredError> {
    let policy = policy::decode(&target.bytes).map_err(RegisteredError::Policy)?;
    for key in &policy.vouchers {
        check_key(key).map_err(|source| refused_key(target, source))?;
    }
    Ok(Verified::new(policy))
}

fn refused_key(target: &Target, source: KeyError) -> RegisteredError {
    RegisteredError::Key {
        path: target.path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::policy::FormatFloor;
    use crate::model::PublicKey;
    use crate::trust::SecretKey;

    fn target(path: &str, bytes: Vec<u8>) -> Verified<Target> {
        Verified::new(Target {
            path: path.into(),
            bytes,
        })
    }

    fn publisher(keys: Vec<PublicKey>) -> Verified<Target> {
        let id: PublisherId = "ferris".parse().unwrap();
        let path = publisher::path(&id);
        target(&path, publisher::encode(&Publisher { id, keys }).unwrap())
    }

    fn policy(vouchers: Vec<PublicKey>) -> Verified<Target> {
        let policy = Policy {
            bucket_salt: vec![1; 16],
            format_floor: FormatFloor::V1,
            signing_required_from: None,
            vouchers,
        };
        target("policy.json", policy::encode(&policy).unwrap())
    }

    #[test]
    fn a_publisher_is_the_one_who_was_asked_for() {
        let target = publisher(vec![SecretKey::from_seed(&[1; 32]).public()]);
        assert!(read_publisher(&target, &"ferris".parse().unwrap()).is_ok());
        let error = read_publisher(&target, &"anna".parse().unwrap()).unwrap_err();
        assert!(matches!(error, RegisteredError::OtherPublisher { .. }));
    }

    #[test]
    fn weak_keys_are_nobodys() {
        let good = SecretKey::from_seed(&[1; 32]).public();
        let weak = PublicKey([0; 32]);
        let id = "ferris".parse().unwrap();
        let error = read_publisher(&publisher(vec![good, weak]), &id).unwrap_err();
        assert!(matches!(
            error,
            RegisteredError::Key {
                source: KeyError::Weak(_),
                ..
            }
        ));
        assert!(read_policy(&policy(vec![good])).is_ok());
        let error = read_policy(&policy(vec![weak])).unwrap_err();
        assert!(matches!(
            error,
            RegisteredError::Key {
                source: KeyError::Weak(_),
                ..
            }
        ));
    }
}
