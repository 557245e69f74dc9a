//! `verify --workspace`: every package of ours in a lock file against its verified record, and with
//! `--deep` its archive, the manifest in it, and what cargo unpacked of it.

use rayon::prelude::*;
use serde_json::json;
use url::Url;

use super::VerifyArgs;
use crate::commands::context::Context;
use crate::commands::error::{CommandError, Kind};
use crate::commands::locked::{Examined, Listed, LockedProject};
use crate::commands::shell::count;
use crate::install;
use crate::model::TrustState;
use crate::registry::config::Registry;
use crate::registry::freshness::Need;
use crate::trust::{Archive, Verified};

/// Runs the command.
pub(super) fn run(args: &VerifyArgs, context: &Context) -> Result<(), CommandError> {
    let manifest = context.manifest(args.manifest_path.as_ref());
    let project = LockedProject::open(
        context,
        manifest.as_deref(),
        args.read.backend,
        Need::Latest,
    )?;
    let packages = project.examine()?;
    let names = project.names();
    let object = match names.is_empty() {
        true => "no package: none is of a registry that you have added".to_owned(),
        false => format!(
            "{} of {}",
            count(packages.len(), "package"),
            names.join(", ")
        ),
    };
    context.shell.status("Verifying", &object);
    let found = packages
        .par_iter()
        .map(|one| look_at(one, args.deep, context));
    let found = found.collect::<Result<Vec<_>, _>>()?;
    for (one, findings) in packages.iter().zip(&found) {
        show(one, findings, context);
    }
    let foreign = project.foreign().count();
    let findings: Vec<_> = found.iter().flatten().collect();
    if context.shell.is_json() {
        let body = json!({
            "packages": packages.len(),
            "foreign": foreign,
            "deep": args.deep,
            "findings": findings.len(),
        });
        context.shell.message("verify-finished", body);
    }
    if findings.is_empty() {
        let foreign = match foreign {
            0 => String::new(),
            foreign => format!(", {foreign} from crates.io and elsewhere (checksum only)"),
        };
        let text = format!("{}{foreign}", count(packages.len(), "package"));
        context.shell.status("Verified", &text);
        return Ok(());
    }
    let text = format!("verify found {}", count(findings.len(), "problem"));
    let refused = findings.iter().find(|finding| finding.kind == Kind::Trust);
    Err(match refused {
        Some(refused) => CommandError {
            code: refused.code,
            ..CommandError::new(Kind::Trust, text)
        },
        None => CommandError::findings(text),
    })
}

/// What is wrong with a package.
fn look_at(
    one: &Examined<'_>,
    deep: bool,
    context: &Context,
) -> Result<Vec<CommandError>, CommandError> {
    let package = format!("`{}` v{}", one.package.name, one.package.version);
    let listed = match &one.listed {
        Ok(listed) => listed,
        Err(fault) => return Ok(vec![one.at_fault(fault)]),
    };
    let mut found = Vec::new();
    if !matches!(
        listed.entry.trust,
        Some(TrustState::Signed | TrustState::Vouched)
    ) {
        let text = format!("{package} is unsigned");
        found.push(CommandError::findings(text).with_code("MP0310"));
    }
    if deep {
        found.extend(look_into(one, listed, context)?);
    }
    Ok(found)
}

/// What is wrong with what cargo builds of a package. An archive that is not the published one ends
/// the command: nothing goes on from there.
fn look_into(
    one: &Examined<'_>,
    listed: &Listed,
    context: &Context,
) -> Result<Vec<CommandError>, CommandError> {
    let reading = &one.home.reading;
    let document = reading.backend.document(&reading.client, &listed.state)?;
    let mut entries = document.verified_entries();
    let entry = entries.find(|entry| entry.release.version == listed.entry.release.version);
    let entry = entry.ok_or_else(|| reading.unknown(&listed.entry.release.name))?;
    let archive = one.home.archive(&entry)?;
    changed_folders(&archive, &reading.registry, context)
}

/// Folders that cargo unpacked from the archive and that were changed since.
pub(super) fn changed_folders(
    archive: &Verified<Archive>,
    registry: &Registry,
    context: &Context,
) -> Result<Vec<CommandError>, CommandError> {
    let hosts: Vec<String> = own_host(registry, context)?.into_iter().collect();
    let changed = install::changed_folders(archive, &context.cargo_home, &hosts);
    let changed = changed.map_err(|error| CommandError::from_error(Kind::Failure, &error))?;
    let finding = |(folder, path): (std::path::PathBuf, std::path::PathBuf)| {
        let text = format!(
            "`{}` is not what its archive holds (`{}`)",
            folder.display(),
            path.display()
        );
        CommandError::findings(text)
            .with_code("MP0319")
            .with_help("remove the folder, and cargo unpacks the archive anew")
    };
    Ok(changed.into_iter().map(finding).collect())
}

/// The host by which plain cargo names its folder for a registry, if no other one shares it.
fn own_host(registry: &Registry, context: &Context) -> Result<Option<String>, CommandError> {
    let host = |one: &Registry| {
        let url = Url::parse(one.url.as_str()).ok()?;
        url.host_str().map(ToOwned::to_owned)
    };
    let own = host(registry);
    let others = context.config()?.distinct_registries()?;
    let mut others = others
        .iter()
        .filter(|one| one.registry_id != registry.registry_id);
    Ok(own.filter(|own| others.all(|other| host(other).as_ref() != Some(own))))
}

fn show(one: &Examined<'_>, findings: &[CommandError], context: &Context) {
    let (package, shell) = (one.package, &context.shell);
    let listed = one.listed.as_ref().ok();
    let trust = listed.and_then(|listed| listed.entry.trust);
    let is_yanked = listed.is_some_and(|listed| listed.entry.yanked.is_some());
    if shell.is_json() {
        let texts: Vec<_> = findings.iter().map(CommandError::to_json).collect();
        let body = json!({
            "name": package.name,
            "version": package.version,
            "registry": one.home.registry.name.as_str(),
            "sha256": listed.map(|listed| listed.entry.release.checksum.to_string()),
            "trust": trust.map(TrustState::as_str),
            "yanked": is_yanked,
            "findings": texts,
        });
        shell.message("verified", body);
    }
    for finding in findings {
        shell.finding(finding, true);
    }
    if is_yanked {
        shell.warn(&format!("{} v{} is yanked", package.name, package.version));
    }
}
