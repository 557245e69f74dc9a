//! What a draft may not say: those who sign are shown keys, bins and expiry, and nothing else changes.
//! Nothing is read or written here.

use serde_json::{Map, Value};

use super::rotation::shares;
use super::{DraftError, Drafts};
use crate::formats::layout;
use crate::model::{KeyId, PublicKey};
use crate::publish::metadata::{CLAIMED, wire_key};
use crate::publish::roles::Roles;

/// Checks that every key in a draft stands under its own id, and that nothing else stands for a key: people
/// look at ids when they sign.
pub(super) fn check_keys(role: &str, signed: &Value) -> Result<(), DraftError> {
    let lists = [&signed["keys"], &signed["delegations"]["keys"]];
    let mut keys = lists.iter().filter_map(|keys| keys.as_object()).flatten();
    let is_own = |(id, key): (&String, &Value)| {
        let public = key["keyval"]["public"].as_str();
        let public: Option<PublicKey> = public.and_then(|public| public.parse().ok());
        public.is_some_and(|public| public.id().to_string() == *id && wire_key(&public) == *key)
    };
    if !keys.all(is_own) {
        return Err(DraftError::Keys(role.to_owned()));
    }
    let mut descriptions = descriptions(signed);
    match descriptions.all(names_keys) {
        true => Ok(()),
        false => Err(DraftError::KeyIds(role.to_owned())),
    }
}

/// What a role says of whose keys sign others.
fn descriptions(signed: &Value) -> impl Iterator<Item = &Value> {
    let delegations = &signed["delegations"];
    let top = signed["roles"]
        .as_object()
        .into_iter()
        .flat_map(Map::values);
    let named = delegations["roles"].as_array().into_iter().flatten();
    let bins = delegations.get("succinct_roles");
    top.chain(named).chain(bins)
}

/// Whether a description lists ids of keys and nothing else.
fn names_keys(description: &Value) -> bool {
    let is_id = |id: &Value| {
        let id = id.as_str();
        id.is_some_and(|id| id.parse().is_ok_and(|key: KeyId| key.to_string() == id))
    };
    let ids = description["keyids"].as_array();
    ids.is_some_and(|ids| ids.iter().all(is_id))
}

/// Whether a draft changes more than is shown to those who sign. A first root cannot name the registry,
/// whose id is its digest; the next one does, once and for all.
pub(super) fn changes_more(before: &Value, after: &Value) -> bool {
    let id = &before["registry_id"];
    let is_other = !id.is_null() && *id != after["registry_id"];
    is_other || skeleton(before) != skeleton(after)
}

/// What no draft changes: all but version, expiry, targets (see [`check_lists`]), and the keys of roles
/// and number of bins that are shown to those who sign.
fn skeleton(signed: &Value) -> Value {
    let mut rest = signed.clone();
    for field in ["version", "expires", "targets", "keys", "registry_id"] {
        rest[field] = Value::Null;
    }
    if rest["delegations"].is_object() {
        rest["delegations"]["keys"] = Value::Null;
    }
    for place in ["/roles", "/delegations/roles", "/delegations"] {
        let found = rest.pointer_mut(place);
        let roles: Vec<&mut Value> = match found {
            Some(Value::Array(roles)) => roles.iter_mut().collect(),
            Some(Value::Object(roles)) => roles.values_mut().filter(|v| v.is_object()).collect(),
            _ => Vec::new(),
        };
        for role in roles {
            for field in ["keyids", "threshold", "bit_length"] {
                role[field] = Value::Null;
            }
        }
    }
    rest
}

/// Checks that no drafted role would list other files than before. What a role lists changes where its key
/// is at hand, and never by a draft, of which people see no file's content. Only claims move, from bin to
/// bin. Those bins must have been read if one of them, or `claimed`, is drafted.
///
/// # Errors
///
/// [`DraftError::Claims`] where a bin of claims would, [`DraftError::Beyond`] where another role would.
pub(super) fn check_lists(
    before: &Roles,
    after: &Roles,
    drafts: &Drafts,
) -> Result<(), DraftError> {
    let beyond =
        |role: Option<&str>| role.map_or(Ok(()), |role| Err(DraftError::Beyond(role.into())));
    if !before.contains("root") {
        return beyond(
            drafts
                .roles()
                .find(|role| !lists_first_files(role, &after[role])),
        );
    }
    let is_claims = |role: &str| role == CLAIMED || role.starts_with("claimed-");
    let mut others = drafts.roles().filter(|role| !is_claims(role));
    beyond(others.find(|role| before[role]["targets"] != after[role]["targets"]))?;
    if !drafts.roles().any(is_claims) {
        return Ok(());
    }
    let Some(bits) = after.bin_bits(CLAIMED) else {
        return beyond(Some(CLAIMED));
    };
    let mut shares = shares(before, (CLAIMED, bits));
    let other = after.bins(CLAIMED).into_iter().find(|bin| {
        let share = shares.remove(bin).unwrap_or_default();
        after[bin]["targets"].as_object() != Some(&share)
    });
    other.map_or(Ok(()), |bin| Err(DraftError::Claims(bin)))
}

/// Says whether a role lists what it does in a registry that is being made: no publisher, no claim.
fn lists_first_files(role: &str, signed: &Value) -> bool {
    let listed = signed["targets"].as_object().into_iter().flatten();
    let listed: Vec<&str> = listed.map(|(path, _)| path.as_str()).collect();
    match role {
        "policy" => listed == [layout::POLICY],
        "catalog" => listed == [layout::CATALOG_INDEX],
        _ => listed.is_empty(),
    }
}
