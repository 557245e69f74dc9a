//! `registry rotate-key`: other keys for a role of a registry.

use std::path::PathBuf;

use clap::Args;

use super::role_change::{Registry, Signing, advance, require_no_drafts};
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::signing::{key_id, public_key};
use crate::publish::drafts::Rotation;
use crate::publish::folder::Folder;

/// Gives a role of a registry other keys, or another threshold
///
/// The keys at hand sign; what they cannot sign waits for `registry sign`. A new root is signed by as
/// many of its old keys as the old root demands, and by as many of its new ones as it demands itself.
/// Clients follow without a question.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true).args(["add", "remove", "threshold"])))]
pub struct RotateKeyArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// The role: root, targets, policy, rollout, catalog, claimed, packages, bins, snapshot or
    /// timestamp
    #[arg(long, value_name = "ROLE")]
    pub role: String,

    /// A key that may sign from now on: a name in the key folder, or the path of a PEM file; may be
    /// repeated
    #[arg(long, value_name = "KEY")]
    pub add: Vec<String>,

    /// A key that may sign no more: its id, its name, or the path of a PEM file; may be repeated
    #[arg(long, value_name = "KEY")]
    pub remove: Vec<String>,

    /// How many of the keys must sign [default: as before]
    #[arg(long, value_name = "N")]
    pub threshold: Option<u64>,
}

/// Runs the command.
pub fn run(args: RotateKeyArgs, context: &Context) -> Result<(), CommandError> {
    let path = context.absolute(&args.dir);
    let add = args.add.iter().map(|key| public_key(context, key));
    let remove = args.remove.iter().map(|key| key_id(context, key));
    let rotation = Rotation {
        add: add.collect::<Result<_, _>>()?,
        remove: remove.collect::<Result<_, _>>()?,
        threshold: args.threshold,
    };
    let drafting = || {
        let mut folder = Folder::open(&path)?;
        require_no_drafts(&mut folder)?;
        let pending = folder.rotate(&args.role, &rotation, context.now)?;
        Ok((Registry::Known(folder), pending))
    };
    advance(context, &path, &drafting, &Signing::default())
}
