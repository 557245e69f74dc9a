//! `config.json`: the one file that stock cargo reads beside the documents. It is unsigned, and
//! nothing in it is trusted by us.

use serde::Serialize;

use super::layout;

#[derive(Serialize)]
struct Config {
    dl: String,
    marketplace: Marketplace,
}

#[derive(Serialize)]
struct Marketplace {
    schema: u64,
    base: String,
}

/// Writes the file for a registry whose canonical base URL (ending in `/`) is `base`. Cargo fetches
/// it on every command, so it stays tiny; cargo ignores the key `marketplace`.
#[must_use]
pub fn encode(base: &str) -> Vec<u8> {
    super::pretty(&Config {
        dl: layout::download_template(base),
        marketplace: Marketplace {
            schema: 1,
            base: base.to_owned(),
        },
    })
}

/// Reads the canonical base URL back, if the file names one.
#[must_use]
pub fn base(bytes: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    Some(value["marketplace"]["base"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_base_that_it_was_written_for() {
        assert_eq!(
            base(&encode("https://h.example/r/")).as_deref(),
            Some("https://h.example/r/")
        );
    }
}
