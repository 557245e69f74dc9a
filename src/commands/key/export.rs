//! `key export`: a key for other programs, or for a backup. A secret goes into a file that only its
//! owner reads, encrypted, and nowhere else.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::disk::{self, Readers};
use crate::model::PublicKey;
use crate::publish::keystore::{KeyName, KeystoreError};
use crate::trust::ed25519;

/// Exports the public half of a key, or, for a backup, the encrypted secret half
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The key
    pub name: KeyName,

    /// How to write the public half: pem, openssh, or hex
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "pem",
        hide_possible_values = true
    )]
    pub format: Format,

    /// The secret half, encrypted as it is; only into a file
    #[arg(long, requires = "output", conflicts_with = "format")]
    pub secret: bool,

    /// The file to write, which must not be there [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How a public key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// `SubjectPublicKeyInfo`, as OpenSSL reads it.
    Pem,
    /// A line of `authorized_keys`.
    Openssh,
    /// The 32 bytes, as they stand in a registry's files.
    Hex,
}

/// Runs the command.
pub fn run(args: ExportArgs, context: &Context) -> Result<(), CommandError> {
    let store = context.keystore();
    let (text, readers) = match args.secret {
        true => {
            if !store.is_encrypted(&args.name)? {
                let text = format!("the key `{}` is not encrypted", args.name);
                let error = CommandError::failure(text).with_note("nothing was written");
                return Err(error.with_help("a copy of an unencrypted key is as good as the key"));
            }
            (store.secret_text(&args.name)?, Readers::Owner)
        }
        false => {
            let key = store.get(&args.name)?;
            let text = written(&key.public, &args.name, args.format)?;
            (text.into(), Readers::All)
        }
    };
    let Some(output) = &args.output else {
        context.shell.lines(text.trim_end());
        return Ok(());
    };
    disk::create(&context.absolute(output), text.as_bytes(), readers)?;
    let object = format!("key `{}` to {}", args.name, output.display());
    context.shell.status("Exported", &object);
    Ok(())
}

fn written(key: &PublicKey, name: &KeyName, format: Format) -> Result<String, CommandError> {
    Ok(match format {
        Format::Pem => ed25519::public_pem(key).map_err(|source| {
            let path = PathBuf::from(name.as_str());
            KeystoreError::Key { path, source }
        })?,
        Format::Openssh => format!("{} {name}\n", openssh(key)),
        Format::Hex => format!("{key}\n"),
    })
}

/// The key in the form of RFC 8709, section 4: its kind and its bytes, each after its length.
fn openssh(key: &PublicKey) -> String {
    const KIND: &str = "ssh-ed25519";
    let mut blob = Vec::new();
    for part in [KIND.as_bytes(), &key.0] {
        let length = u32::try_from(part.len()).unwrap_or_default();
        blob.extend(length.to_be_bytes());
        blob.extend(part);
    }
    format!("{KIND} {}", STANDARD.encode(blob))
}
