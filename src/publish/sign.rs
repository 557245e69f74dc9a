//! Signing: a publisher's statements on top of a package's present record. It runs no cargo and
//! writes nothing; the key is an argument.

use std::collections::BTreeMap;

use semver::Version;

use crate::formats::publisher::Publisher;
use crate::formats::statement::{Envelope, StatementError};
use crate::formats::submission::Submission;
use crate::model::{Body, Owners, PackageName, PublisherId, Release, Statement, same_release};
use crate::trust::{PackageState, SecretKey, countersign, sign_statement};

/// Who signs.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// The publisher's id.
    pub publisher: &'a PublisherId,
    /// The publisher's key.
    pub key: &'a SecretKey,
}

impl Signer<'_> {
    /// The signer as the registry knows publishers.
    #[must_use]
    pub fn public(&self) -> Publisher {
        Publisher::new(self.publisher.clone(), vec![self.key.public()])
    }
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The package has owners, and the signer is none of them.
    #[error("`{publisher}` does not own `{package}`; its owners are {owners}")]
    NotAnOwner {
        /// The signer.
        publisher: PublisherId,
        /// The package.
        package: String,
        /// Those who own it.
        owners: String,
    },
    /// The operator took the package in, vouched for or unsigned.
    #[error("`{0}` was taken in by the registry's operator and has no owner")]
    NoOwner(PackageName),
    /// The signer's signature is there already.
    #[error("`{0}` has signed it already")]
    Signed(PublisherId),
    /// Two archives hold one version, and are not the same.
    #[error("`{name}` {version} is in two archives that differ")]
    Twice {
        /// The package.
        name: PackageName,
        /// The version.
        version: Version,
    },
    /// A statement cannot be written.
    #[error("the statement cannot be written")]
    Statement(#[from] StatementError),
}

/// Archives of one package, with the releases derived from them.
pub type Found = Vec<(Release, Vec<u8>)>;

/// Sorts releases and their archives by package and version. The same archive given twice is one; two
/// that hold the same version are refused.
pub fn by_package(
    releases: impl IntoIterator<Item = (Release, Vec<u8>)>,
) -> Result<BTreeMap<PackageName, Found>, SignError> {
    let mut packages: BTreeMap<PackageName, Found> = BTreeMap::new();
    for (release, bytes) in releases {
        let found = packages.entry(release.name.clone()).or_default();
        found.push((release, bytes));
    }
    for found in packages.values_mut() {
        found.sort_by(|(a, _), (b, _)| (&a.version, a.checksum).cmp(&(&b.version, b.checksum)));
        found.dedup_by(|(a, _), (b, _)| a.version == b.version && a.checksum == b.checksum);
        let mut neighbours = found.windows(2);
        let same = neighbours.find(|two| same_release(&two[0].0.version, &two[1].0.version));
        if let Some((second, _)) = same.map(|two| &two[1]) {
            return Err(SignError::Twice {
                name: second.name.clone(),
                version: second.version.clone(),
            });
        }
    }
    Ok(packages)
}

/// Signs what follows on `state`: a genesis first, if the package is new, then each of `bodies`.
pub fn sign(
    state: &PackageState,
    bodies: Vec<Body>,
    signer: Signer<'_>,
) -> Result<Submission, SignError> {
    check_owner(state, signer.publisher)?;
    let genesis = (state.sequence() == 0).then(|| {
        Body::Genesis(Owners {
            publishers: vec![signer.publisher.clone()],
            threshold: 1,
        })
    });
    submission(state, genesis.into_iter().chain(bodies), &[signer], None)
}

/// Signs bodies as the next statements of a package's chain, for those who sign them, one of whom may
/// be the operator.
pub fn submission(
    state: &PackageState,
    bodies: impl IntoIterator<Item = Body>,
    signers: &[Signer<'_>],
    operator: Option<&SecretKey>,
) -> Result<Submission, SignError> {
    let keys = operator.into_iter().chain(signers.iter().map(|s| s.key));
    Ok(Submission {
        registry_id: state.registry_id,
        package: state.document.package.clone(),
        publishers: signers.iter().map(Signer::public).collect(),
        statements: chain(state, bodies, &keys.collect::<Vec<_>>())?,
    })
}

/// Adds a signer's signatures to those statements of a submission that they may sign.
pub fn cosign(
    submission: &mut Submission,
    signer: Signer<'_>,
    may_sign: impl IntoIterator<Item = bool>,
) -> Result<(), SignError> {
    let key_id = signer.key.public().id();
    let mut envelopes = submission.statements.iter();
    if envelopes.any(|one| one.signatures.iter().any(|s| s.key_id == key_id)) {
        return Err(SignError::Signed(signer.publisher.clone()));
    }
    for (envelope, _) in submission
        .statements
        .iter_mut()
        .zip(may_sign)
        .filter(|(_, may)| *may)
    {
        countersign(envelope, signer.key);
    }
    let mut known = submission.publishers.iter_mut();
    match known.find(|publisher| publisher.id == *signer.publisher) {
        Some(publisher) => publisher.keys.push(signer.key.public()),
        None => submission.publishers.push(signer.public()),
    }
    Ok(())
}

/// Signs bodies as the next statements of a package's chain.
pub fn chain(
    state: &PackageState,
    bodies: impl IntoIterator<Item = Body>,
    keys: &[&SecretKey],
) -> Result<Vec<Envelope>, StatementError> {
    let (mut sequence, mut previous) = (state.sequence(), state.last());
    let mut envelopes = Vec::new();
    for body in bodies {
        sequence += 1;
        let statement = Statement {
            registry_id: state.registry_id,
            package: state.document.package.clone(),
            sequence,
            previous,
            body,
        };
        let envelope = sign_statement(&statement, keys)?;
        previous = Some(envelope.digest());
        envelopes.push(envelope);
    }
    Ok(envelopes)
}

/// The body that releases what was derived from an archive, in the publisher's name.
#[must_use]
pub fn release_body(mut release: Release, publisher: &PublisherId) -> Body {
    release.publisher = Some(publisher.clone());
    Body::Release(Box::new(release))
}

/// Checks that a publisher may speak for a package, as its owner or as the first to use its name.
pub fn check_owner(state: &PackageState, publisher: &PublisherId) -> Result<(), SignError> {
    let package = || state.document.package.to_string();
    match &state.owners {
        Some(owners) if !owners.publishers.contains(publisher) => {
            let owners: Vec<String> = owners.publishers.iter().map(ToString::to_string).collect();
            Err(SignError::NotAnOwner {
                publisher: publisher.clone(),
                package: package(),
                owners: owners.join(", "),
            })
        }
        None if state.sequence() > 0 => Err(SignError::NoOwner(state.document.package.clone())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::formats::policy::{FormatFloor, Lifetimes, Policy};
    use crate::formats::record::{Documents, Record};
    use crate::formats::statement::parse_payload;
    use crate::formats::unsigned::UnsignedList;
    use crate::model::{Sha256Digest, UtcTime};
    use crate::trust::{RecordContext, check_record};

    fn empty() -> PackageState {
        PackageState::empty(Sha256Digest::of(b"root"), "tide".parse().unwrap())
    }

    /// The state after these statements, of which `releases` add a release, as a client finds it.
    fn after(statements: &[Envelope], releases: usize, key: &SecretKey) -> PackageState {
        let time = UtcTime::from_unix(0).unwrap();
        let versions = ["1.0.0", "1.1.0"].map(|version| (version.parse().unwrap(), time));
        let record = Record {
            package: "tide".parse().unwrap(),
            documents: Documents::default(),
            accepted: versions.into_iter().take(releases).collect(),
            statements: statements.to_vec(),
        };
        let harbour = Publisher::new("harbour".parse().unwrap(), vec![key.public()]);
        let policy = Policy {
            base: "https://registry.example.org/".into(),
            bucket_salt: Vec::new(),
            format_floor: FormatFloor::V1,
            signing_required_from: None,
            lifetimes: Lifetimes::default(),
            vouchers: vec![key.public()],
            mirrors: Vec::new(),
            recovery: Vec::new(),
        };
        let context = RecordContext {
            registry_id: Sha256Digest::of(b"root"),
            package: &record.package,
            publishers: &BTreeMap::from([(harbour.id.clone(), harbour)]),
            policy: &policy,
            unsigned: &UnsignedList::default(),
            claim: None,
            verified_before: None,
        };
        check_record(&record, &context).unwrap()
    }

    fn release(version: &str, publisher: &PublisherId) -> Body {
        release_body(Release::sample("tide", version), publisher)
    }

    fn kinds(statements: &[Envelope]) -> Vec<(u64, &'static str)> {
        let parsed = statements
            .iter()
            .map(|e| parse_payload(&e.payload).unwrap());
        parsed.map(|s| (s.sequence, s.body.kind())).collect()
    }

    #[test]
    fn a_new_package_begins_with_a_genesis_and_a_known_one_goes_on() {
        let key = SecretKey::from_seed(&[1; 32]);
        let harbour: PublisherId = "harbour".parse().unwrap();
        let signer = Signer {
            publisher: &harbour,
            key: &key,
        };
        let first = sign(&empty(), vec![release("1.0.0", &harbour)], signer).unwrap();
        assert_eq!(kinds(&first.statements), [(1, "genesis"), (2, "release")]);
        let state = after(&first.statements, 1, &key);
        let second = sign(&state, vec![release("1.1.0", &harbour)], signer).unwrap();
        assert_eq!(kinds(&second.statements), [(3, "release")]);
        // A client takes the whole chain.
        let all = [first.statements, second.statements].concat();
        assert_eq!(after(&all, 2, &key).document.entries.len(), 2);
    }

    #[test]
    fn a_stranger_signs_nothing() {
        let key = SecretKey::from_seed(&[1; 32]);
        let [harbour, stranger] = ["harbour", "stranger"].map(|id| id.parse().unwrap());
        let signer = |publisher| Signer {
            publisher,
            key: &key,
        };
        let bodies = vec![release("1.0.0", &harbour)];
        let first = sign(&empty(), bodies, signer(&harbour)).unwrap();
        let state = after(&first.statements, 1, &key);
        let error = sign(&state, vec![release("1.1.0", &stranger)], signer(&stranger));
        assert_eq!(
            error.unwrap_err().to_string(),
            "`stranger` does not own `tide`; its owners are harbour"
        );
    }

    #[test]
    fn nobody_becomes_the_owner_of_a_vouched_package() {
        let key = SecretKey::from_seed(&[1; 32]);
        let harbour: PublisherId = "harbour".parse().unwrap();
        let vouch = |version| Body::Vouch {
            release: Box::new(Release::sample("tide", version)),
            source: None,
        };
        let statements = chain(&empty(), ["1.0.0", "1.1.0"].map(vouch), &[&key]).unwrap();
        assert_eq!(kinds(&statements), [(1, "vouch"), (2, "vouch")]);
        let state = after(&statements[..1], 1, &key);
        let signer = Signer {
            publisher: &harbour,
            key: &key,
        };
        let refused = sign(&state, vec![release("1.1.0", &harbour)], signer);
        assert!(matches!(refused, Err(SignError::NoOwner(_))));
    }
}
