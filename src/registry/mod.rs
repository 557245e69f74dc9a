//! Reading a registry: transport, cache and state, backends. The only network.

pub mod catalog;
pub mod search;
