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
