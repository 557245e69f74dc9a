//! `registry import`: archives in bulk into a registry: all or none.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::shell::count;
use crate::commands::{publishing, signing};
use crate::formats::manifest::Home;
use crate::formats::policy::Policy;
use crate::formats::publisher::Publisher;
use crate::model::{PackageName, PublicKey};
use crate::publish::apply::Authority;
use crate::publish::folder::Folder;
use crate::publish::import::{Archive, Attestation, Imported, derive_all, import};
use crate::publish::keystore::KeyName;

/// Takes archives into a registry, all or none
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("dependencies").required(true).args(["as_own", "as_mirror"])))]
#[command(group(ArgGroup::new("answer").required(true).args(["vouch", "key", "unsigned"])))]
pub struct ImportArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// The archives
    #[arg(required = true, value_name = "FILE.crate")]
    pub archives: Vec<PathBuf>,

    /// Dependencies without a registry are on crates.io
    #[arg(long)]
    pub as_own: bool,

    /// Dependencies without a registry are in this registry, as in a mirror
    #[arg(long)]
    pub as_mirror: bool,

    /// The operator answers for the archives: they are what their source served
    #[arg(long)]
    pub vouch: bool,

    /// Nobody answers for the archives: they are listed as unsigned, which needs the offline key
    #[arg(long)]
    pub unsigned: bool,

    /// Sign as owner with this key
    #[arg(short, long, value_name = "NAME")]
    pub key: Option<KeyName>,
}

/// Runs the command.
pub fn run(args: ImportArgs, context: &Context) -> Result<(), CommandError> {
    let path = context.absolute(&args.dir);
    let mut folder = Folder::open(&path)?;
    let Policy { base, vouchers, .. } = folder.policy()?;
    let home = match args.as_mirror {
        true => Home::Mirror,
        false => Home::Own {
            index_urls: vec![format!("sparse+{base}")],
        },
    };
    let publisher = match &args.key {
        None => None,
        Some(name) => {
            let key = signing::publisher_key(context, Some(name), |_| false)?;
            Some((signing::publisher_of(&mut folder, &key)?, key))
        }
    };
    let publishers = publisher.iter();
    let publishers: Vec<Publisher> = publishers
        .map(|(id, key)| Publisher::new(id.clone(), vec![key.public]))
        .collect();
    let mut needed = signing::release_key_ids(&mut folder, &publishers)?;
    match args.unsigned {
        true => needed.extend(folder.key_ids("policy")?),
        false => needed.extend(vouchers.iter().map(PublicKey::id)),
    }
    // Nobody has to wait while passphrases are typed and archives read: the base URL stands in the first
    // root, and who may vouch is judged again with what is imported.
    drop(folder);
    let publisher = publisher
        .map(|(id, key)| signing::Publisher::load(context, id, &key))
        .transpose()?;
    let keys = signing::role_keys(context, &needed)?;
    let archives = derive_all(read_all(&args, context)?, &home, &context.shell)?;
    let authority = Authority {
        keys: &keys,
        now: context.now,
    };
    let source = args.as_mirror.then_some("crates.io");
    let attestation = match &publisher {
        Some(publisher) => Attestation::Sign(publisher.signer()),
        None if args.unsigned => Attestation::Nobody { source },
        None => Attestation::Vouch {
            key: vouchers
                .iter()
                .find_map(|key| keys.get(&key.id()))
                .ok_or_else(signing::no_voucher)?,
            source,
        },
    };
    let imported = import(Folder::open(&path)?, archives, attestation, &authority)?;
    report(&imported, context);
    publishing::warn_of_age(&mut Folder::open(&path)?, context)
}

fn read_all(args: &ImportArgs, context: &Context) -> Result<Vec<Archive>, CommandError> {
    let read = |path: &PathBuf| {
        Ok(Archive {
            label: path.display().to_string(),
            bytes: context.read(path)?,
        })
    };
    args.archives.iter().map(read).collect()
}

/// Names at most ten packages; all are in the JSON output.
fn missing(names: &[PackageName]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(10)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = if names.len() > shown.len() {
        ", …"
    } else {
        ""
    };
    format!(
        "{} not in this registry, but depended on: {}{more}",
        count(names.len(), "package"),
        shown.join(", ")
    )
}

fn report(imported: &Imported, context: &Context) {
    let shell = &context.shell;
    let (added, present) = (imported.added.len(), imported.present);
    if !imported.missing.is_empty() {
        shell.warn(&missing(&imported.missing));
    }
    match &imported.applied {
        Some(applied) => shell.status(
            "Imported",
            &format!(
                "{}, {present} present before; serial {}",
                count(added, "release"),
                applied.serial
            ),
        ),
        None => shell.status(
            "Unchanged",
            &format!("{} present before", count(present, "release")),
        ),
    }
    if shell.is_json() {
        for (name, version) in &imported.added {
            let body = json!({"name": name.as_str(), "version": version.to_string()});
            shell.message("imported", body);
        }
        let missing: Vec<&str> = imported.missing.iter().map(PackageName::as_str).collect();
        let serial = imported.applied.as_ref().map(|applied| applied.serial);
        let body =
            json!({"added": added, "present": present, "missing": missing, "serial": serial});
        shell.message("import-finished", body);
    }
}
