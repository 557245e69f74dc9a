//! Tests from outside: the library's public functions and the program, against outside referees.

mod cli;
mod config;
mod env;
mod faults;
mod fixture;
mod hostile_archives;
mod key;
mod openssl;
mod reading;
mod real_lines;
mod referee_index;
mod serve;
#[cfg(feature = "marketplace-v2")]
mod sparql;
mod transport;
