//! Tests from outside: the library's public functions and the program, against outside referees.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy takes functions beside the tests for shipped code"
)]

mod check;
mod cli;
mod config;
mod env;
mod faults;
mod fixture;
mod hostile_archives;
mod interrupted;
mod key;
mod layers;
mod openssl;
mod reading;
mod real_lines;
mod referee_index;
mod schemas;
mod serve;
mod small_registry;
mod sparql;
mod transport;
mod writing;
