//! Tests from outside: the library's public functions and the program, against outside referees.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy takes functions beside the tests for shipped code"
)]

mod bad_input;
mod check;
mod cli;
mod config;
mod docs;
mod end_to_end;
mod env;
mod faults;
mod fixture;
mod hostile_archives;
mod interrupted;
mod key;
mod layers;
mod nginx;
mod openssl;
mod reading;
mod real_lines;
mod referee_index;
mod referee_tuf;
mod samples;
mod schemas;
mod serve;
mod small_registry;
mod sparql;
mod stock_cargo;
mod tour;
mod transport;
mod writing;
