//! The program `cargo-marketplace`; all it does is in the library.

fn main() {}
