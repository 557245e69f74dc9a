//! Publishing: package, sign, apply. The only folder that writes registries.

pub mod journal;
pub mod metadata;
pub mod package;
pub mod role_keys;
