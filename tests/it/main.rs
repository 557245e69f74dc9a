//! The one integration test binary.

mod cli;
mod config;
mod env;
mod faults;
mod key;
mod openssl;
mod serve;
mod transport;
