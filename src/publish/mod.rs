//! Package, sign, apply: writing registries.

pub mod keystore;
