//! `registry claim`: the operator's offline word on whose a package is.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::publishing::{describe_owners, warn_of_age};
use crate::commands::shell::count;
use crate::commands::signing;
use crate::model::PackageName;
use crate::publish::apply::Authority;
use crate::publish::claim::{self, Claim};
use crate::publish::folder::Folder;

/// Signs offline whose packages are, so that a thief of the online key can give them to nobody else
///
/// A package that is not claimed is shown as new. Run it now and then with the offline key at hand.
#[derive(Debug, Args)]
pub struct ClaimArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// Only these packages [default: all that are not claimed]
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<PackageName>,

    /// Show what would be claimed, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(args: ClaimArgs, context: &Context) -> Result<(), CommandError> {
    let shell = &context.shell;
    let mut folder = Folder::open(&context.absolute(&args.dir))?;
    let claims = chosen(claim::pending(&mut folder)?, &mut folder, &args.packages)?;
    for claim in &claims {
        let owners = describe_owners(&claim.owners);
        shell.status("Claiming", &format!("`{}` for {owners}", claim.package));
    }
    if shell.is_json() {
        let packages: Vec<&str> = claims.iter().map(|claim| claim.package.as_str()).collect();
        shell.message(
            "claims",
            json!({"packages": packages, "dry_run": args.dry_run}),
        );
    }
    if claims.is_empty() {
        shell.status("Unchanged", "every package with an owner is claimed");
        return Ok(());
    }
    if args.dry_run {
        shell.warn("nothing was written, as this is a dry run");
        return Ok(());
    }
    let needed = signing::claiming_key_ids(&mut folder)?;
    let authority = Authority {
        keys: &signing::role_keys(context, &needed)?,
        now: context.now,
    };
    claim::claim(folder, &claims, &authority)?;
    warn_of_age(&mut Folder::open(&context.absolute(&args.dir))?, context)?;
    shell.status(
        "Finished",
        &format!("{} claimed", count(claims.len(), "package")),
    );
    Ok(())
}

/// Of what is to be claimed, what was asked for.
fn chosen(
    pending: Vec<Claim>,
    folder: &mut Folder,
    packages: &[PackageName],
) -> Result<Vec<Claim>, CommandError> {
    for package in packages {
        if folder.record(package)?.is_none() {
            let error = CommandError::failure(format!("the registry has no package `{package}`"));
            return Err(error.with_code("MP0203"));
        }
    }
    let is_chosen = |claim: &Claim| packages.is_empty() || packages.contains(&claim.package);
    Ok(pending.into_iter().filter(is_chosen).collect())
}
