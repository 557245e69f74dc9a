//! `config.json`: the one file that stock cargo reads beside the documents. It is unsigned, and
//! nothing in it is trusted by us.

use serde::Serialize;

use super::layout;

/// Who may read a registry; its server sees to that, not this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Everybody.
    Everybody,
    /// Those who show a token: cargo sends it with every request then.
    WithToken,
}

impl Readers {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Everybody, Self::WithToken];
}

#[derive(Serialize)]
struct Config {
    dl: String,
    #[serde(rename = "auth-required", skip_serializing_if = "is_false")]
    auth_required: bool,
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
pub fn encode(base: &str, readers: Readers) -> Vec<u8> {
    super::pretty(&Config {
        dl: layout::download_template(base),
        auth_required: readers == Readers::WithToken,
        marketplace: Marketplace {
            schema: 1,
            base: base.to_owned(),
        },
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_false(value: &bool) -> bool {
    !value
}
