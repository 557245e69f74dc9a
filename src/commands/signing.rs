//! Keys for a command that signs: which one, and its passphrase.

use std::path::{Path, PathBuf};

use super::context::Context;
use super::error::CommandError;
use super::prompt;
use crate::formats::publisher;
use crate::model::{Body, KeyId, PublicKey, PublisherId};
use crate::publish::apply::Intake;
use crate::publish::folder::Folder;
use crate::publish::keystore::{KeyName, StoredKey};
use crate::publish::role_keys::RoleKeys;
use crate::publish::sign::Signer;
use crate::trust::SecretKey;
use crate::trust::ed25519::public_from_pem;

/// The roles that adding releases signs anew.
const CHANGED_ROLES: [&str; 4] = ["packages-0", "catalog", "snapshot", "timestamp"];

/// The roles that registering a publisher signs anew besides: it, and the claims of new packages. Their
/// keys are offline ones, and not read without need.
const REGISTERING_ROLES: [&str; 2] = ["targets", CLAIMING_ROLE];

/// The roles that a change of a publisher's keys signs anew.
const CHANGING_ROLES: [&str; 3] = ["targets", "snapshot", "timestamp"];

/// The roles that a change of the catalog alone signs anew.
const CATALOG_ROLES: [&str; 3] = ["catalog", "snapshot", "timestamp"];

/// The roles that claiming packages signs anew.
const CLAIMING_ROLES: [&str; 3] = [CLAIMING_ROLE, "snapshot", "timestamp"];

/// One of the bins of claims: all have the same keys.
const CLAIMING_ROLE: &str = "claimed-0";

/// A publisher's key, ready to sign.
pub struct Publisher {
    /// The publisher.
    pub id: PublisherId,
    /// The key.
    pub key: SecretKey,
}

impl Publisher {
    /// Reads the secret half of the key of a publisher, whom [`publisher_of`] names.
    pub fn load(context: &Context, id: PublisherId, key: &StoredKey) -> Result<Self, CommandError> {
        let key = load(context, &key.name)?;
        Ok(Self { id, key })
    }

    /// The publisher as the one who signs.
    #[must_use]
    pub const fn signer(&self) -> Signer<'_> {
        Signer {
            publisher: &self.id,
            key: &self.key,
        }
    }
}

/// The publisher's key that was named; without a name, the only one that is no role key of the
/// registry. Its secret half is not read.
pub fn publisher_key(
    context: &Context,
    named: Option<&KeyName>,
    is_role_key: impl Fn(&KeyId) -> bool,
) -> Result<StoredKey, CommandError> {
    let store = context.keystore();
    if let Some(name) = named {
        return Ok(store.get(name)?);
    }
    let keys = store.list()?;
    let mut own = keys
        .into_iter()
        .filter(|key| !is_role_key(&key.public.id()));
    match (own.next(), own.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(no_key()),
        (Some(_), Some(_)) => {
            let error = CommandError::usage("several keys could sign, and none was named");
            Err(error.with_help("pass `--key NAME`; see `cargo marketplace key list`"))
        }
    }
}

/// The publisher whose key it is: the registry says so. A key that it does not know is that of the
/// publisher of the same name.
pub fn publisher_of(folder: &mut Folder, key: &StoredKey) -> Result<PublisherId, CommandError> {
    let named = key.name.publisher();
    let is_theirs = |publisher: &publisher::Publisher| publisher.keys.contains(&key.public);
    if folder
        .publisher(named)?
        .is_some_and(|named| is_theirs(&named))
    {
        return Ok(named.clone());
    }
    for publisher in folder.publishers()? {
        let mut revoked = publisher.revoked.iter();
        if revoked.any(|revocation| revocation.key == key.public) {
            let text = format!("the key `{}` of `{}` is revoked", key.name, publisher.id);
            let error = CommandError::trust("MP0403", text);
            return Err(error
                .with_note("nothing was written")
                .with_help("sign with another key of yours: `--key NAME`"));
        }
        if is_theirs(&publisher) {
            return Ok(publisher.id);
        }
    }
    Ok(named.clone())
}

fn no_key() -> CommandError {
    CommandError::failure("there is no signing key")
        .with_code("MP0601")
        .with_help("`cargo marketplace key new NAME` makes one")
}

/// The secret half of a key; asks for the passphrase where it needs one.
pub fn load(context: &Context, name: &KeyName) -> Result<SecretKey, CommandError> {
    let store = context.keystore();
    if !store.is_encrypted(name)? {
        return Ok(store.load(name, None)?);
    }
    let passphrase = prompt::passphrase(context, name.as_str())?;
    Ok(store.load(name, Some(&passphrase))?)
}

/// A public key: the name of one in the key folder, or the path of a PEM file.
pub fn public_key(context: &Context, text: &str) -> Result<PublicKey, CommandError> {
    let is_path = text.contains(['/', '\\']) || Path::new(text).extension().is_some();
    if !is_path {
        let name: KeyName = text.parse().map_err(|error| {
            let usage = CommandError::usage(format!("`{text}` is no name of a key"));
            usage.caused_by(Some(&error))
        })?;
        return Ok(context.keystore().get(&name)?.public);
    }
    let bytes = context.read(&PathBuf::from(text))?;
    let refused = || CommandError::failure(format!("`{text}` holds no public key"));
    let pem = std::str::from_utf8(&bytes).map_err(|error| refused().caused_by(Some(&error)))?;
    let key = public_from_pem(pem).map_err(|error| refused().caused_by(Some(&error)))?;
    Ok(key)
}

/// The id of a key: itself, or that of a key as [`public_key`] takes it.
pub fn key_id(context: &Context, text: &str) -> Result<KeyId, CommandError> {
    match text.parse() {
        Ok(id) => Ok(id),
        Err(_) => match public_key(context, text) {
            Ok(key) => Ok(key.id()),
            Err(error) => Err(unknown_key(error)),
        },
    }
}

/// Of a key that somebody uses already, a new one is none.
fn unknown_key(error: CommandError) -> CommandError {
    let is_near = error
        .help
        .as_deref()
        .is_some_and(|help| help.starts_with("did you mean"));
    match error.code {
        Some("MP0601") if !is_near => error
            .with_help("pass its id: `cargo marketplace owner list PACKAGE` shows the ids of keys"),
        _ => error,
    }
}

/// Warns of a key that was made without a passphrase.
pub fn warn_unencrypted(context: &Context) {
    context
        .shell
        .warn("the key is not encrypted: whoever reads the file can sign with it");
}

/// Warns of keys that foreign code can read, before it runs.
pub fn warn_within_reach(context: &Context) -> Result<(), CommandError> {
    let plain = context.keystore().unencrypted()?;
    if plain.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = plain.iter().map(|name| format!("`{name}`")).collect();
    let text = match &names[..] {
        [one] => {
            format!("the key {one} is not encrypted: a build script that runs now can read it")
        }
        _ => format!(
            "the keys {} are not encrypted: a build script that runs now can read them",
            names.join(", ")
        ),
    };
    context.shell.warn(&text);
    Ok(())
}

/// Those of the registry's role keys that a change needs and that are in the key folder.
pub fn role_keys(context: &Context, needed: &[KeyId]) -> Result<RoleKeys, CommandError> {
    let keys = at_hand(context, needed)?.into_iter();
    let keys = keys.map(|key| load(context, &key.name));
    Ok(RoleKeys::new(keys.collect::<Result<Vec<_>, _>>()?))
}

/// Those of the keys that are in the key folder.
pub fn at_hand(context: &Context, ids: &[KeyId]) -> Result<Vec<StoredKey>, CommandError> {
    let mut stored = context.keystore().list()?;
    // Of a key that is kept elsewhere only the public half may lie here.
    stored.retain(|key| ids.contains(&key.public.id()) && key.secret.is_file());
    Ok(stored)
}

/// The secret half of the first of these keys that is in the key folder.
pub fn first_at_hand(
    context: &Context,
    keys: &[PublicKey],
) -> Result<Option<SecretKey>, CommandError> {
    let stored = context.keystore().list()?;
    let mut at_hand = keys.iter().filter_map(|key| {
        let mut stored = stored.iter();
        stored.find(|stored| stored.public == *key && stored.secret.is_file())
    });
    at_hand
        .next()
        .map(|key| load(context, &key.name))
        .transpose()
}

/// The ids of the keys that an intake needs.
pub fn needed_key_ids(folder: &mut Folder, intake: &Intake) -> Result<Vec<KeyId>, CommandError> {
    let publishers = intake.proposals.iter().flat_map(|one| &one.publishers);
    let mut needed = match intake.proposals.is_empty() {
        true => Vec::new(),
        false => release_key_ids(folder, publishers)?,
    };
    if !intake.keys.is_empty() {
        needed.extend(changing_key_ids(folder)?);
    }
    Ok(needed)
}

/// The ids of the keys that releases need in which these publishers take part.
pub fn release_key_ids<'a>(
    folder: &mut Folder,
    publishers: impl IntoIterator<Item = &'a publisher::Publisher>,
) -> Result<Vec<KeyId>, CommandError> {
    let mut registers = false;
    for publisher in publishers {
        registers |= folder.publisher(&publisher.id)?.is_none();
    }
    key_ids(folder, registers)
}

/// The ids of the keys that a change of a publisher's keys needs.
pub fn changing_key_ids(folder: &mut Folder) -> Result<Vec<KeyId>, CommandError> {
    ids_of(folder, CHANGING_ROLES.into_iter())
}

/// The ids of all keys that changing the registry can need.
pub fn role_key_ids(folder: &mut Folder) -> Result<Vec<KeyId>, CommandError> {
    key_ids(folder, true)
}

fn key_ids(folder: &mut Folder, registers: bool) -> Result<Vec<KeyId>, CommandError> {
    let registering = REGISTERING_ROLES.into_iter().filter(|_| registers);
    ids_of(folder, CHANGED_ROLES.into_iter().chain(registering))
}

/// The ids of the keys that a change of the catalog alone needs.
pub fn catalog_key_ids(folder: &mut Folder) -> Result<Vec<KeyId>, CommandError> {
    ids_of(folder, CATALOG_ROLES.into_iter())
}

/// The ids of the keys that claiming packages needs.
pub fn claiming_key_ids(folder: &mut Folder) -> Result<Vec<KeyId>, CommandError> {
    ids_of(folder, CLAIMING_ROLES.into_iter())
}

fn ids_of(
    folder: &mut Folder,
    roles: impl Iterator<Item = &'static str>,
) -> Result<Vec<KeyId>, CommandError> {
    let mut ids = Vec::new();
    for role in roles {
        ids.extend(folder.key_ids(role)?);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// The error where nobody at hand may vouch.
#[must_use]
pub fn no_voucher() -> CommandError {
    CommandError::failure("no key that may vouch is in the key folder")
        .with_code("MP0602")
        .with_help("the registry's policy names the vouchers; a solo registry's is its online key")
}

/// The error where nobody at hand may say that for the operator.
#[must_use]
pub fn no_operator(body: &Body) -> CommandError {
    match body {
        Body::Withdraw { .. } | Body::Assign(_) => {
            CommandError::failure("no recovery key is in the key folder")
                .with_code("MP0602")
                .with_help("the registry's policy names them; a solo registry's is its offline key")
        }
        Body::Genesis(_)
        | Body::Owners(_)
        | Body::Release(_)
        | Body::Yank { .. }
        | Body::Unyank { .. }
        | Body::Vouch { .. }
        | Body::Unsigned { .. } => no_voucher(),
    }
}
