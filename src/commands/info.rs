//! `info`: what a registry knows of one package. Everything shown of it comes from its verified record
//! and document; only the list of dependents is the catalog's word.

mod json;
mod release;
mod text;

use clap::Args;

use super::arguments::ReadArgs;
use super::context::Context;
use super::error::CommandError;
use super::reading::{self, Reading};
use crate::model::{Dependency, Document, Entry, PackageName, PackageSpec, same_release};
use crate::registry::backend::BackendError;
use crate::registry::catalog::Catalog;
use crate::rollout::may_fall_back;
use crate::trust::{PackageState, SignedStatement, Verified};

/// Shows what a registry knows of a package
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// The package: `name`, `name@1.2`, `registry/name@=1.2.3`
    pub spec: PackageSpec,

    /// List all releases
    #[arg(long)]
    pub versions: bool,

    /// List the dependencies
    #[arg(long)]
    pub deps: bool,

    /// List the packages of the registry that depend on it
    #[arg(long)]
    pub dependents: bool,

    /// List who signed what
    #[arg(long)]
    pub signatures: bool,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// What is known of a package and one of its releases.
struct Known<'a> {
    registry: &'a str,
    state: &'a Verified<PackageState>,
    document: &'a Verified<Document>,
    /// The release that is shown.
    entry: &'a Entry,
    statements: &'a Verified<Vec<SignedStatement>>,
    /// Who depends on the package, and by what; none if the catalog is not to be had.
    dependents: Option<Vec<Dependent<'a>>>,
    root_version: u64,
}

/// A release that depends on the package.
struct Dependent<'a> {
    entry: &'a Entry,
    dependency: &'a Dependency,
}

/// Runs the command.
pub fn run(args: InfoArgs, context: &Context) -> Result<(), CommandError> {
    let specs = std::slice::from_ref(&args.spec);
    let reading = reading::open_for(context, &args.read, specs, "info", context.recent()?)?;
    let name = &args.spec.name;
    let read = || {
        let state = reading.package(name)?;
        let document = reading.backend.document(&reading.client, &state)?;
        release::choose(&document, &args.spec)?;
        Ok::<_, CommandError>((state, document))
    };
    let (state, document) = reading.client.awake(|_| true, read)?;
    let entry = release::choose(&document, &args.spec)?;
    let statements = reading.client.statements(name)?;
    let statements = statements.ok_or_else(|| reading.unknown(name))?;
    let catalog = catalog(&reading)?;
    let known = Known {
        registry: reading.client.name().as_str(),
        state: &state,
        document: &document,
        entry,
        statements: &statements,
        dependents: catalog.as_ref().map(|catalog| dependents(catalog, name)),
        root_version: reading.client.root_version(),
    };
    if context.shell.is_json() {
        context.shell.message("package", json::package(&known));
    } else {
        text::show(&known, &args, &context.shell);
    }
    Ok(())
}

/// The catalog, or nothing where it is not to be had: a package can be shown without it.
fn catalog(reading: &Reading<'_>) -> Result<Option<Catalog>, BackendError> {
    match reading.backend.catalog(&reading.client) {
        Ok(catalog) => Ok(Some(catalog)),
        Err(error) if may_fall_back(error.cause()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The latest releases that need a package to build or run, by name, each with the first dependency
/// that says so.
fn dependents<'a>(catalog: &'a Catalog, package: &PackageName) -> Vec<Dependent<'a>> {
    let one = |entry: &'a Entry| {
        let dependency = entry
            .release
            .needs()
            .find(|needed| needed.package == *package)?;
        Some(Dependent { entry, dependency })
    };
    catalog.latest().filter_map(one).collect()
}

impl<'a> Known<'a> {
    /// The statement that brought the release in.
    fn statement(&self) -> Option<&'a SignedStatement> {
        let version = &self.entry.release.version;
        self.statements.iter().find(|signed| {
            let release = signed.statement.body.release();
            release.is_some_and(|release| same_release(&release.version, version))
        })
    }

    /// All releases, the highest version first.
    fn releases(&self) -> Vec<&'a Entry> {
        release::sorted(self.document)
    }
}
