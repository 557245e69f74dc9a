//! Reading a registry: search and info, in both formats, and what happens when one is not to be had.

use std::fs;

use cargo_marketplace::formats::layout::Format;
use insta::assert_snapshot;

use crate::env::TestEnv;
use crate::fixture::Fixture;

#[test]
fn try_it() {
    let env = TestEnv::new();
    Fixture::get().add_to(&env);
    for args in [
        &["info", "tide-table"][..],
        &[
            "info",
            "tide-table@0.3.0",
            "--versions",
            "--deps",
            "--dependents",
            "--signatures",
        ],
        &["info", "almanac-server", "--deps"],
        &["info", "libm-lite", "--signatures", "--dependents"],
        &["info", "tide-table@9"],
        &["info", "tide-tabel"],
        &["info", "sensor-template", "--dependents", "--deps"],
        &["info", "old-anchor"],
        &[
            "info",
            "buoy-sim",
            "--deps",
            "--quiet",
            "--message-format",
            "json",
        ],
        &["search", "tide"],
    ] {
        eprintln!("$ {args:?}\n{}", env.run(args));
    }
}
