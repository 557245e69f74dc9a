//! What it costs to check the signatures of one release: its record decoded, the chain and both
//! signatures verified, against the two bare signature checks in it.
//!
//! ```text
//! cargo bench --bench signature
//! ```

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of its own, with a clock and a stdout"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cargo_marketplace::formats::record;
use cargo_marketplace::formats::unsigned::UnsignedList;
use cargo_marketplace::formats::{policy, publisher, statement};
use cargo_marketplace::model::{PackageName, PublisherId, Sha256Digest};
use cargo_marketplace::trust::{RecordContext, check_record};
use ed25519_dalek::{Signature, VerifyingKey};

const RECORD: &[u8] = include_bytes!("../registry-index/ti/de/tide-cli.json");
const POLICY: &[u8] = include_bytes!("../registry-index/policy.json");
const PUBLISHER: &[u8] = include_bytes!("../registry-index/publishers/harbour.json");
const ROOT: &[u8] = include_bytes!("../registry-index/tuf/1.root.json");
const ROUNDS: u32 = 50;
const CALLS: u32 = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let package: PackageName = "tide-cli".parse()?;
    let id: PublisherId = "harbour".parse()?;
    let policy = policy::decode(POLICY)?;
    let publishers = BTreeMap::from([(id, publisher::decode(PUBLISHER)?)]);
    let context = RecordContext {
        registry_id: Sha256Digest::of(ROOT),
        package: &package,
        publishers: &publishers,
        policy: &policy,
        unsigned: &UnsignedList::default(),
        claim: None,
        verified_before: None,
    };
    let whole = median(|| {
        let record = record::decode(black_box(RECORD))?;
        let state = check_record(&record, &context)?;
        assert_eq!(black_box(state).document.entries.len(), 1);
        Ok(())
    })?;

    let key = publishers.values().flat_map(|publisher| &publisher.keys);
    let key = VerifyingKey::from_bytes(&key.map(|key| key.0).next().ok_or("no key")?)?;
    let signed = record::decode(RECORD)?.statements;
    let signed = signed.iter().map(|envelope| {
        let signature = Signature::from_slice(&envelope.signatures[0].bytes)?;
        Ok((statement::pae(&envelope.payload), signature))
    });
    let signed = signed.collect::<Result<Vec<_>, ed25519_dalek::SignatureError>>()?;
    let bare = median(|| {
        for (message, signature) in &signed {
            key.verify_strict(black_box(message), signature)?;
        }
        Ok(())
    })?;
    println!("one release, record decoded and verified: {whole:?}");
    println!(
        "its {} signatures alone:                  {bare:?}",
        signed.len()
    );
    println!("ratio: {:.2}", whole.as_secs_f64() / bare.as_secs_f64());
    Ok(())
}

/// The time of one call: the median of rounds of many calls.
fn median(
    mut work: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<Duration, Box<dyn Error>> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..CALLS {
            work()?;
        }
        rounds.push(start.elapsed() / CALLS);
    }
    rounds.sort_unstable();
    Ok(rounds[rounds.len() / 2])
}
