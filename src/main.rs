//! The program `cargo-marketplace`; all it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_marketplace::commands::main()
}
