//! `registry init`: a new, empty, signed registry in a folder.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::{prompt, signing};
use crate::formats::config_json::Readers;
use crate::formats::policy::Lifetimes;
use crate::publish::init::{self, NewRegistry};
use crate::publish::keystore::KeyName;
use crate::publish::metadata::SoloKeys;
use crate::publish::role_keys::RoleKeys;
use crate::registry::transport::BaseUrl;
use crate::trust::SecretKey;

/// Makes a new registry in a folder
///
/// Prints the sha256 of its root file: what users compare when they add it.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder; made if it is not there, else it must be empty
    pub dir: PathBuf,

    /// One offline key and one online key, for a single operator
    #[arg(long, required = true)]
    pub solo: bool,

    /// The public address that the registry will have
    #[arg(long, value_name = "URL")]
    pub base_url: BaseUrl,

    /// The offline key; made if it is not there
    #[arg(long, value_name = "NAME", default_value = "offline")]
    pub offline_key: KeyName,

    /// The online key; made if it is not there
    #[arg(long, value_name = "NAME", default_value = "online")]
    pub online_key: KeyName,

    /// Where else it will be served; said to users in what is signed (repeatable)
    #[arg(long, value_name = "URL")]
    pub mirror: Vec<BaseUrl>,

    /// Its server will ask for a token: cargo sends it with every request then
    #[arg(long)]
    pub auth_required: bool,

    /// Days for which metadata is valid after its signing [default: 7 for the timestamp, 30 for the
    /// snapshot, 90 for other online roles, 365 for offline ones]
    #[arg(long, value_name = "DAYS")]
    pub valid_days: Option<u32>,

    /// Do not encrypt keys that are made
    #[arg(long)]
    pub no_passphrase: bool,
}

/// Runs the command.
pub fn run(args: InitArgs, context: &Context) -> Result<(), CommandError> {
    let folder = context.absolute(&args.dir);
    init::check_empty(&folder)?;
    let offline = key(&args.offline_key, args.no_passphrase, context)?;
    let online = key(&args.online_key, args.no_passphrase, context)?;
    let roles = SoloKeys {
        offline: offline.public(),
        online: online.public(),
    };
    if roles.offline == roles.online {
        let error = CommandError::usage("the offline and the online key are the same");
        return Err(error.with_help("the online key may be stolen; name two keys"));
    }
    let mirrors: Vec<String> = args.mirror.iter().map(ToString::to_string).collect();
    let new = NewRegistry {
        base: args.base_url.as_str(),
        roles,
        keys: &RoleKeys::new([offline, online]),
        now: context.now,
        lifetimes: lifetimes(args.valid_days),
        mirrors: &mirrors,
        readers: match args.auth_required {
            true => Readers::WithToken,
            false => Readers::Everybody,
        },
    };
    let root = init::init(&folder, &new)?;
    let shell = &context.shell;
    shell.status("Created", &format!("registry in {}", args.dir.display()));
    if shell.is_json() {
        let body = json!({"root": format!("sha256:{root}"), "base": args.base_url.as_str()});
        shell.message("registry-created", body);
    } else {
        shell.line(&format!("sha256:{root}"));
    }
    shell
        .note("publish this digest where your users can compare it; keep the offline key off line");
    Ok(())
}

fn lifetimes(days: Option<u32>) -> Lifetimes {
    days.map_or_else(Lifetimes::default, |days| Lifetimes {
        offline: days,
        online: days,
        snapshot: days,
        timestamp: days,
    })
}

/// The key of that name; a new one where there is none.
fn key(name: &KeyName, no_passphrase: bool, context: &Context) -> Result<SecretKey, CommandError> {
    let store = context.keystore();
    if store.get(name).is_ok() {
        return signing::load(context, name);
    }
    let secret = SecretKey::from_seed(&*context.random()?);
    let passphrase = match no_passphrase {
        true => None,
        false => Some(prompt::new_passphrase(context, name.as_str())?),
    };
    let passphrase = passphrase.as_ref().map(|text| text.as_str());
    let key = store.save(name, &secret, passphrase, &*context.random()?)?;
    context.shell.status(
        "Created",
        &format!("key `{name}` in {}", key.secret.display()),
    );
    if no_passphrase {
        signing::warn_unencrypted(context);
    }
    Ok(secret)
}
