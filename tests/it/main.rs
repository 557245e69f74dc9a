//! Tests from outside: the library's public functions and the program, against outside referees.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy takes functions beside the tests for shipped code"
)]

mod audit;
mod bad_input;
mod catalog;
mod ceremony;
mod check;
mod claims;
mod cli;
mod config;
mod confusion;
mod cooldown;
mod crowd;
#[cfg(feature = "marketplace-v2")]
mod dataset;
// The documents and the tour show the default build.
#[cfg(feature = "marketplace-parallel")]
mod docs;
mod end_to_end;
mod env;
mod faults;
mod first_trust;
mod fixture;
mod freshness;
mod hostile_archives;
mod hostile_json;
mod hostile_mirror;
mod hostile_texts;
mod interrupted;
mod key;
#[cfg(debug_assertions)]
mod killed;
mod layers;
mod mirrors;
mod nginx;
mod no_room;
mod openssl;
mod owners;
#[cfg(feature = "marketplace-v2")]
mod policies;
mod popularity;
mod private;
mod project_trust;
mod publisher_keys;
mod reading;
mod real_lines;
mod referee_index;
mod referee_tuf;
mod refresh;
mod registering;
mod relevance;
mod samples;
mod schemas;
#[cfg(target_os = "linux")]
mod secrets;
mod serve;
mod shells;
#[cfg(target_os = "linux")]
mod signing_together;
mod small_registry;
#[cfg(feature = "marketplace-v2")]
mod sparql;
#[cfg(feature = "marketplace-v2")]
mod sparql_bombs;
mod stock_cargo;
#[cfg(target_os = "linux")]
mod terminal;
mod thieves;
#[cfg(feature = "marketplace-parallel")]
mod tour;
mod transport;
mod unsigned;
mod withdraw;
mod workspace;
mod writing;
