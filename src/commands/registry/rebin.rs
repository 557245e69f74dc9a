//! `registry rebin`: as many bins as fit the number of packages.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::role_change::{Registry, Signing, advance, require_no_drafts};
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::publish::folder::Folder;
use crate::publish::metadata::{CLAIMED, MAX_BIN_BITS, PACKAGES};

/// Shares the packages out among more or fewer bins
///
/// With about as many bins as there are packages in each, a change of one package costs least. Clients
/// follow without a question.
#[derive(Debug, Args)]
pub struct RebinArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// 2 to the power of this is the number of bins [default: what fits the number of packages]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_BIN_BITS)))]
    pub bits: Option<u32>,

    /// Whose bins: those of the records, or those of the claims
    #[arg(long, value_enum, value_name = "ROLE", default_value_t = Binned::Packages)]
    pub role: Binned,
}

/// A role that has bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Binned {
    /// The packages' records.
    Packages,
    /// Whose each package is.
    Claimed,
}

/// Runs the command.
pub fn run(args: RebinArgs, context: &Context) -> Result<(), CommandError> {
    let path = context.absolute(&args.dir);
    let role = match args.role {
        Binned::Packages => PACKAGES,
        Binned::Claimed => CLAIMED,
    };
    let drafting = || -> Result<_, CommandError> {
        let mut folder = Folder::open(&path)?;
        require_no_drafts(&mut folder)?;
        let pending = folder.rebin(role, args.bits, context.now)?;
        Ok(pending.map(|pending| (Registry::Known(folder), pending)))
    };
    let fits = "the number of bins fits already";
    if drafting()?.is_none() {
        context.shell.status("Unchanged", fits);
        return Ok(());
    }
    let drafting = || drafting()?.ok_or_else(|| CommandError::failure(fits));
    advance(context, &path, &drafting, &Signing::default())
}
