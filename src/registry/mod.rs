//! Reading a registry: transport, the user's list of registries, cache and state, backends. The
//! only network.

pub mod backend;
pub mod cargo_config;
pub mod cargo_settings;
pub mod catalog;
pub mod client;
pub mod config;
pub mod cooldown;
pub mod credentials;
pub mod error;
pub mod files;
pub mod freshness;
mod keeping;
pub mod metadata;
pub mod mirrors;
pub mod network;
pub mod search;
pub mod seen;
pub mod serve;
pub mod toml_file;
pub mod transport;
