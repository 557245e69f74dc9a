//! `key export`: a key for other programs, or for a backup. A secret goes into a file that only its
//! owner reads, encrypted, and nowhere else.

use std::io::ErrorKind;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::disk::{self, Failure, Readers};
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
    let public = store.get(&args.name)?;
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
            let text = written(&public.public, &args.name, args.format)?;
            (text.into(), Readers::All)
        }
    };
    if let Some(output) = &args.output {
        let path = context.absolute(output);
        disk::create(&path, text.as_bytes(), readers).map_err(unwritten)?;
        let object = format!("key `{}` to {}", args.name, output.display());
        context.shell.status("Exported", &object);
    }
    if context.shell.is_json() {
        let mut body = super::to_json(&public);
        match &args.output {
            Some(output) => body["path"] = json!(context.absolute(output)),
            None => body["text"] = json!(text.as_str()),
        }
        context.shell.message("key", body);
    } else if args.output.is_none() {
        context.shell.lines(text.trim_end());
    }
    Ok(())
}

/// A backup that is there already may be the only one.
fn unwritten(failure: Failure) -> CommandError {
    if failure.source.kind() != ErrorKind::AlreadyExists {
        return failure.into();
    }
    let text = format!("`{}` exists already", failure.path.display());
    let error = CommandError::failure(text).with_note("nothing was written");
    error.with_help("name another file, or remove that one first")
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
