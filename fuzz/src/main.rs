//! What is fuzzed: one function for each reader of what a registry says. Each takes any bytes and
//! returns; a panic is a finding. Beside not to crash, a reader must keep its word: what it accepts it
//! can write, and reads again as the same.
//!
//! With the feature `fuzzer` this is libFuzzer's program, and `FUZZ_TARGET` names the target; else it is a
//! plain one that reads files, to look at a finding: `marketplace-fuzz TARGET FILE…`.

#![cfg_attr(feature = "fuzzer", no_main)]
#![expect(
    clippy::expect_used,
    reason = "a panic is how a target says what it found"
)]

mod archives;
mod documents;
mod files;
mod json;
mod keys;
mod queries;
mod records;
mod templates;
mod texts;
mod trees;
mod tuf;

/// The URL that registries have here.
const BASE: &str = "https://registry.example.org/";

/// A reader, and what is demanded of it.
type Target = fn(&[u8]);

/// Every target by its name; `run` reads this list.
const TARGETS: [(&str, Target); 15] = [
    ("archive", archives::archive),
    ("canonical_json", json::canonical_json),
    ("config", texts::config),
    ("files", files::files),
    ("manifest", archives::manifest),
    ("metadata", tuf::metadata),
    ("pack", files::pack),
    ("record", records::record),
    ("sparql", queries::sparql),
    ("tar", archives::tar),
    ("template", templates::template),
    ("text", texts::text),
    ("updater", tuf::updater),
    ("v1", documents::v1),
    ("v2", documents::v2),
];

fn target(name: &str) -> Target {
    let mut targets = TARGETS.iter();
    let target = targets.find(|(known, _)| *known == name);
    target.expect("the name of a target").1
}

#[cfg(feature = "fuzzer")]
#[expect(clippy::disallowed_methods, reason = "the arguments are libFuzzer's")]
static CHOSEN: std::sync::LazyLock<Target> =
    std::sync::LazyLock::new(|| target(&std::env::var("FUZZ_TARGET").unwrap_or_default()));

#[cfg(feature = "fuzzer")]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| CHOSEN(bytes));

#[cfg(not(feature = "fuzzer"))]
fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let target = target(&arguments.next().unwrap_or_default().to_string_lossy());
    for path in arguments {
        target(&std::fs::read(path)?);
    }
    Ok(())
}
