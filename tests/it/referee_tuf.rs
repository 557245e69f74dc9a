//! An outside referee: python-tuf's client reads our registries, over HTTP, from the first root to
//! every record, and securesystemslib verifies the statements in them.

use std::ffi::OsString;
use std::process::Command;

use cargo_marketplace::registry::serve;

use crate::ceremony;
use crate::env::TestEnv;
use crate::fixture::Fixture;
use crate::small_registry;

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/referees/tuf_client.py");

/// The interpreter that has python-tuf.
#[expect(clippy::disallowed_methods, reason = "the tests' own surroundings")]
fn python() -> OsString {
    std::env::var_os("MARKETPLACE_TEST_PYTHON").unwrap_or_else(|| "python3".into())
}

#[test]
#[ignore = "needs python-tuf"]
fn python_tuf_finds_every_target() {
    let env = TestEnv::new();
    let small = env.path("small");
    small_registry::make(&small);
    // Policy, catalog index, a record for each package, and publishers.
    let fixture = Fixture::get().registry_dir(&env);
    let (many, grown) = (ceremony::made_by_many(), ceremony::grown());
    for (registry, targets, statements) in [
        (small, 5, 5),
        (fixture, 18, 32),
        (many.path("new"), 2, 0),
        (grown.path("registry"), 18, 32),
    ] {
        let server = serve::spawn(&registry, 0).unwrap();
        let mut client = Command::new(python());
        client.arg(CLIENT).arg(&registry).arg(server.url());
        let output = client.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let expected = format!(
            "python-tuf agrees on {targets} targets, and securesystemslib on {statements} statements\n"
        );
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, expected, "{errors}");
    }
}
