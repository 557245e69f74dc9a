//! Publishing: package, sign, apply. The only folder that writes registries.

pub mod apply;
pub mod bundle;
pub mod ceremony;
pub mod check;
pub mod claim;
pub mod collision;
pub mod drafts;
pub mod folder;
pub mod import;
pub mod init;
pub mod journal;
pub mod keystore;
pub mod metadata;
pub mod owners;
pub mod package;
pub mod packs;
pub mod popularity;
pub mod role_keys;
pub mod roles;
pub mod sign;
pub mod staged;
