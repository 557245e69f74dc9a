//! Tests from outside: the library's public functions and the program, against outside referees.

mod bad_input;
mod cli;
mod config;
mod end_to_end;
mod env;
mod faults;
mod fixture;
mod hostile_archives;
mod key;
mod nginx;
mod openssl;
mod real_lines;
mod referee_index;
mod samples;
mod schemas;
mod serve;
mod stock_cargo;
mod transport;
