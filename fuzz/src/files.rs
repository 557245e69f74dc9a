//! The small files of a registry and around it: publishers, policy, catalog index, downloads, records, unsigned
//! releases, submissions, changes of keys, a project's `marketplace.trust`; and packs.

use cargo_marketplace::formats::catalog_index::{Pack, Withdrawn};
use cargo_marketplace::formats::{
    catalog_index, key_change, marketplace_trust, pack, policy, popularity, publisher, record,
    submission, unsigned, v1, v2,
};
use cargo_marketplace::model::Sha256Digest;

use crate::BASE;

/// Small, so that this limit is met, too.
const MOST_UNPACKED: u64 = 8 << 20;

/// The same bytes as a file of each kind.
pub(crate) fn files(bytes: &[u8]) {
    if let Ok(publisher) = publisher::decode(bytes) {
        let written = publisher::encode(&publisher);
        assert_eq!(publisher::decode(&written), Ok(publisher));
    }
    if let Ok(policy) = policy::decode(bytes) {
        let written = policy::encode(&policy).expect("what was read can be written");
        assert_eq!(policy::decode(&written), Ok(policy));
    }
    if let Ok(index) = catalog_index::decode(bytes) {
        let again = catalog_index::decode(&catalog_index::encode(&index));
        assert_eq!(again.expect("it was written just now"), index);
    }
    if let Ok(record) = record::decode(bytes) {
        let written = record::encode(&record).expect("what was read can be written");
        assert_eq!(record::decode(&written), Ok(record));
    }
    if let Ok(counts) = popularity::decode(bytes) {
        assert_eq!(popularity::decode(&popularity::encode(&counts)), Ok(counts));
    }
    if let Ok(list) = unsigned::decode(bytes) {
        assert_eq!(unsigned::decode(&unsigned::encode(&list)), Ok(list));
    }
    if let Ok(change) = key_change::decode(bytes) {
        assert_eq!(key_change::decode(&key_change::encode(&change)), Ok(change));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = marketplace_trust::decode(text);
    }
    if let Ok(submission) = submission::decode(bytes) {
        let again = submission::decode(&submission::encode(&submission));
        assert_eq!(again.expect("it was written just now"), submission);
    }
}

/// Eight bytes as the length that is stated, and the rest as a pack.
pub(crate) fn pack(bytes: &[u8]) {
    let Some((stated, bytes)) = bytes.split_first_chunk() else {
        return;
    };
    let uncompressed = u64::from_le_bytes(*stated);
    let pack = Pack {
        from: 0,
        to: 1,
        sha256: Sha256Digest::of(bytes),
        length: bytes.len() as u64,
        uncompressed,
        withdrawn: Withdrawn::new(),
    };
    if let Ok(text) = pack::unpack(bytes, &pack, MOST_UNPACKED) {
        assert_eq!(text.len() as u64, uncompressed);
        let _ = v1::decode_pack(&text);
        let _ = v2::decode_pack(&text, BASE);
    }
}
