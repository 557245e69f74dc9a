//! A package name that is in several registries. Which of them is meant, only the user can say:
//! whoever registers the name of somebody's private package elsewhere must gain nothing by it.

use super::context::Context;
use super::error::CommandError;
use super::reading;
use crate::model::{PackageName, PackageSpec};
use crate::registry::client::Client;
use crate::registry::config::Registry;
use crate::registry::freshness::Need;

/// The registry that has all packages that the specs name, where no other has any of them.
pub(super) fn only_holder<'a>(
    context: &'a Context,
    registries: Vec<Registry>,
    (specs, command): (&[PackageSpec], &str),
    need: Need,
) -> Result<(Registry, Client<'a>), CommandError> {
    let mut open = Vec::new();
    for registry in registries {
        let client = reading::client(context, &registry, need);
        // One that cannot be asked may have the name, too.
        let client = client.map_err(|error| unasked(error, &registry))?;
        open.push((registry, client));
    }
    let mut chosen = None;
    for spec in specs {
        let holder = holder(&open, spec, command)?;
        if chosen.is_some_and(|other| other != holder) {
            let text = "the packages are in several registries";
            return Err(CommandError::usage(text).with_help("name those of one registry at a time"));
        }
        chosen = Some(holder);
    }
    Ok(open.swap_remove(chosen.unwrap_or_default()))
}

/// The place of the only registry that has a package.
fn holder(
    open: &[(Registry, Client<'_>)],
    spec: &PackageSpec,
    command: &str,
) -> Result<usize, CommandError> {
    let mut holders = Vec::new();
    for (place, (registry, client)) in open.iter().enumerate() {
        let package = client.package(&spec.name);
        let package = package.map_err(|error| unasked(error.into(), registry))?;
        if package.is_some() {
            holders.push(place);
        }
    }
    match holders.as_slice() {
        [only] => Ok(*only),
        [] => Err(nowhere(open, &spec.name)),
        several => Err(in_several(
            several.iter().map(|place| &open[*place].0),
            spec,
            command,
        )),
    }
}

fn nowhere(open: &[(Registry, Client<'_>)], name: &PackageName) -> CommandError {
    let names: Vec<_> = open
        .iter()
        .map(|(one, _)| format!("`{}`", one.name))
        .collect();
    let text = format!("no package `{name}` in {}", names.join(", "));
    CommandError::failure(text)
        .with_code("MP0203")
        .with_help("`cargo marketplace search WORDS --registry NAME` looks for packages")
}

fn in_several<'b>(
    holders: impl Iterator<Item = &'b Registry>,
    spec: &PackageSpec,
    command: &str,
) -> CommandError {
    let (mut names, mut commands) = (Vec::new(), Vec::new());
    for registry in holders {
        let spec = PackageSpec {
            registry: Some(registry.name.clone()),
            ..spec.clone()
        };
        names.push(format!("`{}`", registry.name));
        commands.push(format!("`cargo marketplace {command} {spec}`"));
    }
    let text = format!(
        "`{}` is in several registries: {}",
        spec.name,
        names.join(", ")
    );
    CommandError::failure(text)
        .with_code("MP0206")
        .with_note("they need not be the same package; nothing was written")
        .with_help(commands.join(" or "))
}

fn unasked(error: CommandError, registry: &Registry) -> CommandError {
    match error.help {
        Some(_) => error,
        None => error.with_help(format!(
            "`{}` may have the package, too: name the registry that is meant",
            registry.name
        )),
    }
}
