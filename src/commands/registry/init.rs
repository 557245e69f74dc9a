//! `registry init`: a new, empty, signed registry in a folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::role_change::{created, report};
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::key::make;
use crate::commands::signing::{self, public_key};
use crate::formats::config_json::Readers;
use crate::formats::policy::Lifetimes;
use crate::model::{KeyId, PublicKey};
use crate::publish::ceremony::{Ceremony, ROLES, Signers};
use crate::publish::init::{self, Made, NewRegistry};
use crate::publish::keystore::KeyName;
use crate::publish::role_keys::RoleKeys;
use crate::registry::transport::BaseUrl;
use crate::trust::SecretKey;

/// Makes a new registry in a folder
///
/// Prints the sha256 of its root file: what users compare when they add it. Where not all keys are
/// here, the new metadata waits for those who have them: `registry sign`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("ceremony").required(true).args(["solo", "role_key"])))]
pub struct InitArgs {
    /// The folder; made if it is not there, else it must be empty
    pub dir: PathBuf,

    /// One offline key and one online key, for a single operator
    #[arg(long)]
    pub solo: bool,

    /// The keys of a role, and how many of them must sign, as `root=ann,bob,eve.pub.pem:2`; may be
    /// repeated
    ///
    /// A key is a name in the key folder, where the public half will do, or the path of a PEM file.
    /// Roles without keys have those of another: policy, rollout, claimed and packages those of
    /// targets; catalog, bins and snapshot those of timestamp; vouchers those of bins; recovery those
    /// of policy. One key must sign, where no number is given.
    #[arg(long, value_name = "ROLE=KEY,…[:N]", value_parser = role_key)]
    pub role_key: Vec<RoleKey>,

    /// The public address that the registry will have
    #[arg(long, value_name = "URL")]
    pub base_url: BaseUrl,

    /// The offline key; made if it is not there
    #[arg(
        long,
        value_name = "NAME",
        default_value = "offline",
        conflicts_with = "role_key"
    )]
    pub offline_key: KeyName,

    /// The online key; made if it is not there
    #[arg(
        long,
        value_name = "NAME",
        default_value = "online",
        conflicts_with = "role_key"
    )]
    pub online_key: KeyName,

    /// Where else it will be served; said to users in what is signed (repeatable)
    #[arg(long, value_name = "URL")]
    pub mirror: Vec<BaseUrl>,

    /// Its server will ask for a token: cargo sends it with every request then
    #[arg(long)]
    pub auth_required: bool,

    /// Days for which metadata is valid after its signing [default: 7 for the timestamp, 30 for the
    /// snapshot, 90 for other online roles, 365 for offline ones]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub valid_days: Option<u32>,

    /// Do not encrypt keys that are made
    #[arg(long)]
    pub no_passphrase: bool,
}

/// A role, its keys, and how many must sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleKey {
    role: String,
    keys: Vec<String>,
    threshold: u64,
}

/// Reads `role=key,key:2`.
fn role_key(text: &str) -> Result<RoleKey, String> {
    let (role, keys) = text.split_once('=').ok_or("as `ROLE=KEY`")?;
    let (keys, threshold) = match keys.rsplit_once(':') {
        Some((keys, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            let number = number.parse();
            (keys, number.map_err(|_| "after `:` stands a number")?)
        }
        _ => (keys, 1),
    };
    let keys: Vec<String> = keys.split(',').map(str::to_owned).collect();
    match keys.iter().any(String::is_empty) {
        true => Err("a key has no name".to_owned()),
        false => Ok(RoleKey {
            role: role.to_owned(),
            keys,
            threshold,
        }),
    }
}

/// Runs the command.
pub fn run(args: InitArgs, context: &Context) -> Result<(), CommandError> {
    let folder = context.absolute(&args.dir);
    init::check_empty(&folder)?;
    let (ceremony, keys) = match args.solo {
        true => solo(&args, context)?,
        false => apart(&args.role_key, context)?,
    };
    let mirrors: Vec<String> = args.mirror.iter().map(ToString::to_string).collect();
    let new = NewRegistry {
        base: args.base_url.as_str(),
        ceremony,
        keys: &keys,
        now: context.now,
        lifetimes: lifetimes(args.valid_days),
        mirrors: &mirrors,
        readers: match args.auth_required {
            true => Readers::WithToken,
            false => Readers::Everybody,
        },
    };
    let shell = &context.shell;
    match init::init(&folder, &new)? {
        Made::Published(root) => {
            created(&root.to_string(), &args.dir, new.base, context);
            shell.note("publish this digest where your users can compare it; keep the offline key off line");
        }
        Made::Waiting(waiting) => report(&waiting, context),
    }
    Ok(())
}

/// Two keys, made where they are missing.
fn solo(args: &InitArgs, context: &Context) -> Result<(Ceremony, RoleKeys), CommandError> {
    let offline = key(&args.offline_key, args.no_passphrase, context)?;
    let online = key(&args.online_key, args.no_passphrase, context)?;
    if offline.public() == online.public() {
        let error = CommandError::usage("the offline and the online key are the same");
        return Err(error.with_help("the online key may be stolen; name two keys"));
    }
    let ceremony = Ceremony::solo(offline.public(), online.public())?;
    Ok((ceremony, RoleKeys::new([offline, online])))
}

/// The keys that each role is given, of which some may be elsewhere.
fn apart(role_keys: &[RoleKey], context: &Context) -> Result<(Ceremony, RoleKeys), CommandError> {
    let mut named = BTreeMap::new();
    for RoleKey {
        role,
        keys,
        threshold,
    } in role_keys
    {
        let keys = keys.iter().map(|key| public_key(context, key));
        let signers = Signers {
            keys: keys.collect::<Result<_, _>>()?,
            threshold: *threshold,
        };
        if named.insert(role.clone(), signers).is_some() {
            let text = format!("the keys of `{role}` are given twice");
            return Err(CommandError::usage(text).with_help("separate them by commas"));
        }
    }
    let ceremony = Ceremony::new(named)?;
    let all = ceremony.keys(ROLES.iter().map(|role| role.name));
    let ids: Vec<KeyId> = all.iter().map(PublicKey::id).collect();
    let keys = signing::role_keys(context, &ids)?;
    Ok((ceremony, keys))
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
    match context.keystore().get(name) {
        Ok(_) => signing::load(context, name),
        Err(_) => make(name, no_passphrase, context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_roles_are_read_with_and_without_a_number() {
        let read = |text: &str| {
            let RoleKey {
                role,
                keys,
                threshold,
            } = role_key(text).unwrap();
            format!("{role} {} {threshold}", keys.join("+"))
        };
        assert_eq!(
            read("root=ann,bob,keys/eve.pub.pem:2"),
            "root ann+bob+keys/eve.pub.pem 2"
        );
        assert_eq!(read("timestamp=clock"), "timestamp clock 1");
        assert_eq!(read("targets=C:\\keys\\a.pem"), "targets C:\\keys\\a.pem 1");
        for wrong in [
            "root",
            "root=",
            "root=ann,",
            "root=ann:99999999999999999999",
        ] {
            assert!(role_key(wrong).is_err(), "{wrong}");
        }
    }
}
