//! Reading a registry: transport, the user's list of registries, previews. The only network.

pub mod atomic;
pub mod cargo_config;
pub mod config;
pub mod serve;
pub mod transport;
