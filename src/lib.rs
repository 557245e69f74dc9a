//! `cargo marketplace`: a signed Cargo registry made of static files, and the subcommand that uses it.
//!
//! Data flows one way through the folders; a folder imports only folders above it in this list.
//!
//! - [`model`]: what things are. Values only.
//! - [`formats`]: bytes to model and back. Pure.
//! - [`trust`]: who may say what. Pure; the only caller of Ed25519.
//! - [`rollout`]: which backend, and what may fall back. Pure.
//! - [`ranking`]: how well packages fit the words of a search. Pure.
//! - [`disk`]: files, whole or not at all. Bytes and paths only.
//! - `dataset`: SPARQL over a registry's triples; only in builds that read v2.
//! - [`registry`]: reading a registry. The only network.
//! - [`install`]: archives, the local registry, the hand-over to cargo, templates.
//! - [`publish`]: package, sign, apply. Writes registries.
//! - [`commands`]: one subcommand, one file.

pub mod commands;
#[cfg(feature = "marketplace-v2")]
pub mod dataset;
pub mod disk;
pub mod formats;
pub mod install;
pub mod model;
pub mod publish;
pub mod ranking;
pub mod registry;
pub mod rollout;
pub mod trust;
