//! A package for machines: one object with all that is known, whatever the flags.

use serde_json::{Value, json};

use super::Known;
use crate::model::{Dependency, Entry, PublisherId, TrustState};
use crate::trust::{SignedStatement, Signer};

/// The body of the `package` message.
pub(super) fn package(known: &Known<'_>) -> Value {
    let entry = known.entry;
    let release = &entry.release;
    let latest = known.document.latest();
    let dependents = known.dependents.as_ref().map(|all| {
        let one = |dependent: &super::Dependent<'_>| {
            json!({
                "name": dependent.entry.release.name.as_str(),
                "version": dependent.entry.release.version.to_string(),
                "requirement": dependent.dependency.requirement.as_str(),
            })
        };
        all.iter().map(one).collect::<Vec<_>>()
    });
    let owners = known.state.owners.as_ref();
    let owners = owners.map(|owners| owners.publishers.iter().map(PublisherId::as_str));
    let dependencies = release.dependencies.iter().map(dependency);
    json!({
        "registry": known.registry,
        "name": release.name.as_str(),
        "version": release.version.to_string(),
        "latest": latest.map(|entry| entry.release.version.to_string()),
        "description": release.description,
        "keywords": release.keywords,
        "categories": release.categories,
        "license": release.license,
        "rust_version": release.rust_version,
        "edition": release.edition,
        "links": release.links,
        "repository": release.repository,
        "homepage": release.homepage,
        "documentation": release.documentation,
        "library": release.kinds.library,
        "binaries": release.kinds.binaries,
        "template": release.kinds.template,
        "checksum": release.checksum.to_string(),
        "size": release.size,
        "commit": release.commit,
        "publisher": release.publisher.as_ref().map(PublisherId::as_str),
        "claimed": known.state.is_claimed,
        "owners": owners.map(Iterator::collect::<Vec<_>>),
        "accepted": entry.accepted.map(|time| time.to_string()),
        "yanked": yanked(entry),
        "yank_reason": entry.yanked.as_ref().and_then(|yank| yank.reason.as_deref()),
        "trust": entry.trust.map(TrustState::as_str),
        "signers": known.statement().map(|signed| signers(&signed.signers)),
        "root_version": known.root_version,
        "features": release.features,
        "dependencies": dependencies.collect::<Vec<_>>(),
        "dependents": dependents,
        "versions": known.releases().into_iter().map(version).collect::<Vec<_>>(),
        "statements": known.statements.iter().map(statement).collect::<Vec<_>>(),
    })
}

fn yanked(entry: &Entry) -> bool {
    entry.yanked.is_some()
}

fn version(entry: &Entry) -> Value {
    json!({
        "version": entry.release.version.to_string(),
        "accepted": entry.accepted.map(|time| time.to_string()),
        "trust": entry.trust.map(TrustState::as_str),
        "yanked": yanked(entry),
        "yank_reason": entry.yanked.as_ref().and_then(|yank| yank.reason.as_deref()),
        "rust_version": entry.release.rust_version,
    })
}

fn dependency(dependency: &Dependency) -> Value {
    json!({
        "name": dependency.package.as_str(),
        "rename": dependency.rename,
        "requirement": dependency.requirement.as_str(),
        "kind": dependency.kind.as_str(),
        "registry": dependency.source.index(),
        "optional": dependency.optional,
        "default_features": dependency.default_features,
        "features": dependency.features,
        "target": dependency.target,
    })
}

fn statement(signed: &SignedStatement) -> Value {
    let statement = &signed.statement;
    let version = statement.body.version();
    json!({
        "sequence": statement.sequence,
        "kind": statement.body.kind(),
        "version": version.map(ToString::to_string),
        "signers": signers(&signed.signers),
    })
}

fn signers(signers: &[Signer]) -> Vec<Value> {
    let one = |signer: &Signer| {
        json!({
            "key": signer.key.to_string(),
            "key_id": signer.key.id().to_string(),
            "fingerprint": signer.key.fingerprint(),
            "publisher": signer.publisher.as_ref().map(PublisherId::as_str),
        })
    };
    signers.iter().map(one).collect()
}
