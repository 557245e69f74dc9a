//! Does an archive hold the release that a verified document states? The checksum ties the bytes to
//! the document; this ties the document's words to the manifest that cargo will read.

use super::derive::{DeriveError, derive};
use super::limits::Limits;
use crate::formats::manifest::Home;
use crate::model::{Kinds, Release};

/// Why an archive and its release do not agree.
#[derive(Debug, thiserror::Error)]
pub enum DisagreementError {
    /// The archive gives no release at all.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// A field of the release is not what the archive says.
    #[error("the registry states another {field} for `{package}` than its archive")]
    Field {
        /// As `name 1.2.3`.
        package: String,
        /// Which.
        field: &'static str,
    },
}

/// Checks that an archive holds this release. `index_urls` are those of the registry, as in
/// [`Home::Own`]; the release may have been derived for it or for a mirror of crates.io.
pub fn agrees(
    release: &Release,
    bytes: &[u8],
    index_urls: &[String],
    limits: &Limits,
) -> Result<(), DisagreementError> {
    let own = Home::Own {
        index_urls: index_urls.to_vec(),
    };
    let mut found = derive(bytes, &own, limits)?;
    if found.dependencies != release.dependencies {
        found.dependencies = derive(bytes, &Home::Mirror, limits)?.dependencies;
    }
    match differing_field(release, &found) {
        None => Ok(()),
        Some(field) => Err(DisagreementError::Field {
            package: format!("{} {}", release.name, release.version),
            field,
        }),
    }
}

/// The first field in which the release is not what its archive says. Publisher and foreign keys
/// are not in an archive.
fn differing_field(stated: &Release, found: &Release) -> Option<&'static str> {
    // Every field is named, so that a new one cannot be forgotten here.
    let Release {
        name,
        version,
        dependencies,
        checksum,
        features,
        links,
        rust_version,
        size,
        description,
        license,
        keywords,
        categories,
        repository,
        homepage,
        documentation,
        edition,
        kinds,
        publisher: _,
        commit,
        foreign: _,
    } = stated;
    let cargos = [
        ("name", *name == found.name),
        ("version", *version == found.version),
        ("list of dependencies", *dependencies == found.dependencies),
        ("checksum", *checksum == found.checksum),
        ("list of features", *features == found.features),
        ("links", *links == found.links),
        ("rust version", *rust_version == found.rust_version),
    ];
    let ours = [
        ("size", *size == found.size),
        ("description", *description == found.description),
        ("license", *license == found.license),
        ("list of keywords", *keywords == found.keywords),
        ("list of categories", *categories == found.categories),
        ("repository", *repository == found.repository),
        ("homepage", *homepage == found.homepage),
        ("documentation", *documentation == found.documentation),
        ("edition", *edition == found.edition),
        ("list of targets", *kinds == found.kinds),
        ("commit", *commit == found.commit),
    ];
    let ours = ours.into_iter().filter(|_| states_ours(stated));
    let mut fields = cargos.into_iter().chain(ours);
    fields.find(|(_, same)| !same).map(|(field, _)| field)
}

/// Says whether the release states any of what Cargo's own index lines do not have; a line that
/// another registry wrote states none of it, and nothing of it can be wrong.
fn states_ours(release: &Release) -> bool {
    let Release {
        size,
        description,
        license,
        keywords,
        categories,
        repository,
        homepage,
        documentation,
        edition,
        kinds,
        commit,
        ..
    } = release;
    let texts = [
        description,
        license,
        repository,
        homepage,
        documentation,
        edition,
        commit,
    ];
    size.is_some()
        || texts.into_iter().any(Option::is_some)
        || !keywords.is_empty()
        || !categories.is_empty()
        || *kinds != Kinds::default()
}
