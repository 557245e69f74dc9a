//! Why a manifest gives no release. Each variant names the field, as `dependencies.serde.version`.

use crate::model::{NameError, RequirementError};

/// Why a manifest was refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The manifest is too long.
    #[error("the manifest is over the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// It is no TOML; duplicate keys are refused here, too.
    #[error("the manifest is not valid TOML")]
    Toml(#[source] Box<toml::de::Error>),
    /// A field that must be there is not.
    #[error("`{field}` is missing in the manifest")]
    Missing {
        /// Which.
        field: String,
    },
    /// A field has another type than Cargo gives it.
    #[error("`{field}` in the manifest is not {expected}")]
    Type {
        /// Which.
        field: String,
        /// As `a string`.
        expected: &'static str,
    },
    /// The value stands in a workspace that is not in the archive.
    #[error(
        "`{field}` is inherited from a workspace, which the archive does not hold; package it with `cargo package`"
    )]
    Inherited {
        /// Which.
        field: String,
    },
    /// The text is too long.
    #[error("`{field}` in the manifest is over the limit of {limit} bytes")]
    TooLong {
        /// Which.
        field: String,
        /// The limit.
        limit: usize,
    },
    /// The list or table has too many members.
    #[error("`{field}` in the manifest has more than {limit} members")]
    TooMany {
        /// Which.
        field: String,
        /// The limit.
        limit: usize,
    },
    /// A control character that no text needs.
    #[error("`{field}` in the manifest has the control character {found:?}")]
    Control {
        /// Which.
        field: String,
        /// The character.
        found: char,
    },
    /// The text is of another form than the field asks for.
    #[error("`{field}` in the manifest is not {expected}")]
    Form {
        /// Which.
        field: String,
        /// As `a Rust version`.
        expected: &'static str,
    },
    /// No package name.
    #[error("`{field}` in the manifest is no package name")]
    Name {
        /// Where.
        field: String,
        /// Why.
        #[source]
        source: NameError,
    },
    /// No version.
    #[error("`{field}` in the manifest is no version")]
    Version {
        /// Where.
        field: String,
        /// Why.
        #[source]
        source: semver::Error,
    },
    /// No version requirement.
    #[error("`{field}` in the manifest is no version requirement")]
    Requirement {
        /// Where.
        field: String,
        /// Why.
        #[source]
        source: RequirementError,
    },
    /// A dependency that no registry can serve.
    #[error("`{field}` depends on a {kind} without a version")]
    NoVersion {
        /// The dependency.
        field: String,
        /// `path` or `git repository`.
        kind: &'static str,
    },
    /// A registry named by what its name is on the publisher's machine.
    #[error("`{field}` names a registry without its index URL; package it with `cargo package`")]
    RegistryName {
        /// The field.
        field: String,
    },
    /// Something that stable Cargo does not know.
    #[error("`{field}` in the manifest needs an unstable feature of Cargo")]
    Unstable {
        /// The field.
        field: String,
    },
}
