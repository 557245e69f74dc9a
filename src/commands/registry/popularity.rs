//! `registry popularity`: how often packages were downloaded, by which searches order what they find.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::publishing::warn_of_age;
use crate::commands::shell::count;
use crate::commands::signing;
use crate::disk;
use crate::formats::popularity::{MAX_BYTES, Popularity, decode};
use crate::model::PackageName;
use crate::publish::apply::Authority;
use crate::publish::folder::Folder;
use crate::publish::popularity::{is_new, leave_out_unknown, publish};

/// How many packages that were left out are named.
const NAMED: usize = 8;

/// Publishes how often packages were downloaded
///
/// `search` then puts first what is used more; without such counts it goes by dependents alone. They replace
/// those that were published before, and are signed with the online key.
#[derive(Debug, Args)]
pub struct PopularityArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// A text with a line `PACKAGE,DOWNLOADS` for each package
    #[arg(value_name = "FILE.csv", required_unless_present = "remove")]
    pub file: Option<PathBuf>,

    /// Take away what was published
    #[arg(long, conflicts_with = "file")]
    pub remove: bool,
}

/// Runs the command.
pub fn run(args: PopularityArgs, context: &Context) -> Result<(), CommandError> {
    let path = context.absolute(&args.dir);
    let counts = args.file.as_deref().map(|file| read(file, context));
    let mut counts = counts.transpose()?;
    let mut folder = Folder::open(&path)?;
    let mut left_out = BTreeSet::new();
    if let (Some(counts), Some(file)) = (&mut counts, &args.file) {
        left_out = leave_out_unknown(&mut folder, counts)?;
        if counts.is_empty() {
            return Err(refused(file, "names no package of the registry")
                .with_help("`--remove` takes away what was published before"));
        }
        warn_of(&left_out, context);
    }
    let changed = is_new(&mut folder, counts.as_ref())?;
    if changed {
        let needed = signing::catalog_key_ids(&mut folder)?;
        let authority = Authority {
            keys: &signing::role_keys(context, &needed)?,
            now: context.now,
        };
        publish(folder, counts.as_ref(), &authority)?;
        warn_of_age(&mut Folder::open(&path)?, context)?;
    }
    show(counts.as_ref(), &left_out, changed, context);
    Ok(())
}

fn read(file: &Path, context: &Context) -> Result<Popularity, CommandError> {
    let bytes = disk::read(&context.absolute(file), MAX_BYTES)?;
    decode(&bytes).map_err(|error| {
        refused(file, "cannot be read as counts of downloads")
            .caused_by(Some(&error))
            .with_help("write a line `PACKAGE,DOWNLOADS` for each package, as `tide-table,1204`")
    })
}

fn refused(file: &Path, why: &str) -> CommandError {
    CommandError::failure(format!("`{}` {why}", file.display()))
        .with_code("MP0612")
        .with_note("nothing was written")
}

/// Names some of the packages that are not in the registry.
fn warn_of(left_out: &BTreeSet<PackageName>, context: &Context) {
    if left_out.is_empty() {
        return;
    }
    let named = left_out.iter().take(NAMED);
    let mut named: Vec<String> = named.map(|package| format!("`{package}`")).collect();
    if left_out.len() > NAMED {
        named.push("…".to_owned());
    }
    context.shell.warn(&format!(
        "left out {}, which the registry has not: {}",
        count(left_out.len(), "name"),
        named.join(", ")
    ));
}

fn show(
    counts: Option<&Popularity>,
    left_out: &BTreeSet<PackageName>,
    changed: bool,
    context: &Context,
) {
    let shell = &context.shell;
    let packages = counts.map_or(0, Popularity::len);
    match (changed, counts) {
        (false, Some(_)) => shell.status("Unchanged", "the registry says the same already"),
        (false, None) => shell.status("Unchanged", "the registry says nothing of downloads"),
        (true, Some(_)) => {
            let text = format!("downloads of {} published", count(packages, "package"));
            shell.status("Finished", &text);
        }
        (true, None) => shell.status(
            "Finished",
            "the registry says nothing of downloads any more",
        ),
    }
    if shell.is_json() {
        let left_out: Vec<&str> = left_out.iter().map(PackageName::as_str).collect();
        let body = json!({"packages": packages, "left_out": left_out, "changed": changed});
        shell.message("popularity", body);
    }
}
