//! The chain of a registry's roots, from its first one: what shows that a later root belongs to the
//! registry whose id it claims. Anybody can write an id into a root; only who held the keys of each
//! root before it can have signed it.

use super::error::TufError;
use super::metadata::ed25519_only;
use super::updater::{Mode, Settings, Updater};
use crate::model::{Sha256Digest, UtcTime};

/// Roots, each signed by the one before it. Whether they have expired is not asked here.
#[derive(Debug)]
pub struct RootChain {
    updater: Updater,
    registry_id: Sha256Digest,
    digests: Vec<Sha256Digest>,
}

impl RootChain {
    /// Starts from the first root, whose digest is the registry's id.
    pub fn start(first: &[u8]) -> Result<Self, TufError> {
        let settings = Settings {
            now: UtcTime::from_unix(0).unwrap_or(UtcTime::MAX),
            mode: Mode::Online,
            verifier: ed25519_only,
        };
        let updater = Updater::start(first, settings)?;
        if updater.root_version() != 1 {
            return Err(TufError::Version {
                role: "root".into(),
                expected: 1,
                found: updater.root_version(),
            });
        }
        let registry_id = Sha256Digest::of(first);
        Ok(Self {
            updater,
            registry_id,
            digests: vec![registry_id],
        })
    }

    /// Adds the next root, if the last one's keys and its own signed it.
    pub fn add(&mut self, next: Vec<u8>) -> Result<(), TufError> {
        let digest = Sha256Digest::of(&next);
        self.updater.supply(Some(next))?;
        self.digests.push(digest);
        Ok(())
    }

    /// The digest of the first root.
    #[must_use]
    pub const fn registry_id(&self) -> Sha256Digest {
        self.registry_id
    }

    /// The digests of the roots, the first one first.
    #[must_use]
    pub fn digests(&self) -> &[Sha256Digest] {
        &self.digests
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::tuf::testing::Repository;

    fn roots(count: usize) -> Vec<Vec<u8>> {
        let mut repository = Repository::new();
        (2..=count).for_each(|_| repository.write_root());
        let path = |version: usize| format!("{version}.root.json");
        let root = |version| repository.files[&path(version)].clone();
        (1..=count).map(root).collect()
    }

    #[test]
    fn each_root_follows_on_the_one_before_it() {
        let roots = roots(3);
        let mut chain = RootChain::start(&roots[0]).unwrap();
        chain.add(roots[1].clone()).unwrap();
        chain.add(roots[2].clone()).unwrap();
        let digests: Vec<_> = roots.iter().map(|root| Sha256Digest::of(root)).collect();
        assert_eq!(chain.digests(), digests);
        assert_eq!(chain.registry_id(), digests[0]);
    }

    #[test]
    fn refuses_a_gap_and_a_start_in_the_middle() {
        let roots = roots(3);
        assert!(matches!(
            RootChain::start(&roots[1]),
            Err(TufError::Version { expected: 1, .. })
        ));
        let mut chain = RootChain::start(&roots[0]).unwrap();
        assert!(chain.add(roots[2].clone()).is_err());
        assert_eq!(chain.digests().len(), 1);
    }
}
