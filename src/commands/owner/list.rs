//! `owner list`: a package's owners and their keys, from verified records.

use clap::Args;
use serde_json::{Value, json};

use crate::commands::arguments::{ReadArgs, whole_package};
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::reading;
use crate::formats::publisher::Publisher;
use crate::model::{Owners, PackageSpec, PublicKey};
use crate::registry::freshness::Need;

/// Lists the owners of a package and their keys
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The package: `name`, `registry/name`
    #[arg(value_parser = whole_package)]
    pub package: PackageSpec,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(args: ListArgs, context: &Context) -> Result<(), CommandError> {
    let specs = std::slice::from_ref(&args.package);
    let reading = reading::open_for(context, &args.read, specs, "owner list", Need::Latest)?;
    let package = &args.package.name;
    let state = reading.package(package)?;
    let mut publishers = Vec::new();
    for id in state.owners.iter().flat_map(|owners| &owners.publishers) {
        publishers.extend(reading.client.publisher(id)?);
    }
    let shell = &context.shell;
    let sequence = state.sequence();
    if shell.is_json() {
        let body = json!({
            "package": package.as_str(),
            "owners": publishers.iter().map(publisher).collect::<Vec<_>>(),
            "threshold": state.owners.as_ref().map(|owners| owners.threshold),
            "sequence": sequence,
        });
        shell.message("owners", body);
        return Ok(());
    }
    let Some(Owners { threshold, .. }) = state.owners else {
        shell.note(&format!("`{package}` has no owner"));
        return Ok(());
    };
    for publisher in &publishers {
        let revoked = publisher.revoked.iter().map(|one| (&one.key, " (revoked)"));
        let keys = publisher.keys.iter().map(|key| (key, ""));
        for (key, word) in keys.chain(revoked) {
            let (name, print) = (&publisher.id, key.fingerprint());
            shell.line(&format!("{name}  {print}  {}{word}", key.id()));
        }
    }
    let count = publishers.len();
    shell.note(&format!(
        "{threshold} of {count} must sign; {sequence} statements so far"
    ));
    Ok(())
}

fn publisher(publisher: &Publisher) -> Value {
    let key = |key: &PublicKey| json!({"fingerprint": key.fingerprint(), "key_id": key.id().to_string(), "public": key.to_string()});
    let revoked = publisher
        .revoked
        .iter()
        .map(|revocation| key(&revocation.key));
    json!({
        "publisher": publisher.id.as_str(),
        "keys": publisher.keys.iter().map(key).collect::<Vec<_>>(),
        "revoked": revoked.collect::<Vec<_>>(),
    })
}
