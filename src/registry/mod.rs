//! Reading a registry: transport, the user's list of registries, cache and state, backends. The
//! only network.

pub mod atomic;
pub mod cargo_config;
pub mod catalog;
pub mod config;
pub mod search;
pub mod serve;
pub mod transport;
