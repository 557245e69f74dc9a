//! Makes a whole signed registry of any size, of tiny but real archives, for measurements.
//!
//! ```text
//! cargo run --release --example synthesize -- CORPUS.jsonl[.zst] OUT [--limit N]
//! ```
//!
//! A line of the corpus is one package: `{"name", "version", "description", "keywords", "deps"}`, the
//! last a list of `{"name", "req"}`. `OUT/registry` becomes the registry, of one publisher; `OUT/keys` holds
//! its keys, which everybody knows. A dependency on a package that is not taken is left out, and so is
//! a package whose name collides with one before it.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of its own, with a clock and a stdout"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, fs};

use cargo_marketplace::formats::config_json::Readers;
use cargo_marketplace::formats::manifest::Home;
use cargo_marketplace::formats::policy::Lifetimes;
use cargo_marketplace::model::{PackageName, Silent, UtcTime};
use cargo_marketplace::publish::apply::Authority;
use cargo_marketplace::publish::ceremony::Ceremony;
use cargo_marketplace::publish::folder::Folder;
use cargo_marketplace::publish::import::{Archive, Attestation, derive_all, import};
use cargo_marketplace::publish::init::{Made, NewRegistry, init};
use cargo_marketplace::publish::keystore::{KeyName, Keystore};
use cargo_marketplace::publish::role_keys::RoleKeys;
use cargo_marketplace::publish::sign::Signer;
use cargo_marketplace::trust::SecretKey;
use semver::VersionReq;
use serde::Deserialize;

const BASE: &str = "https://registry.example.org/";
const PUBLISHER: &str = "harbour";

#[derive(Deserialize)]
struct Line {
    name: String,
    version: String,
    description: String,
    keywords: Vec<String>,
    deps: Vec<Needed>,
}

#[derive(Deserialize)]
struct Needed {
    name: String,
    req: String,
}

struct Arguments {
    corpus: PathBuf,
    out: PathBuf,
    limit: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments().ok_or("usage: synthesize CORPUS.jsonl[.zst] OUT [--limit N]")?;
    let lines = lines(&arguments.corpus, arguments.limit)?;
    let archives = archives(&lines)?;
    let count = archives.len();
    let [offline, online, publisher] = keys(&arguments.out.join("keys"))?;
    let ceremony = Ceremony::solo(offline.public(), online.public())?;
    let keys = RoleKeys::new([offline, online]);
    let now = now().ok_or("the clock is out of range")?;
    let registry = arguments.out.join("registry");
    let new = NewRegistry {
        base: BASE,
        ceremony,
        keys: &keys,
        now,
        mirrors: &[],
        readers: Readers::Everybody,
        lifetimes: Lifetimes::default(),
    };
    let Made::Published(root) = init(&registry, &new)? else {
        return Err("both keys are at hand".into());
    };
    let id = PUBLISHER.parse()?;
    let signer = Signer {
        publisher: &id,
        key: &publisher,
    };
    import(
        Folder::open(&registry)?,
        derive_all(archives, &Home::Mirror, &Silent)?,
        Attestation::Sign(signer),
        &Authority { keys: &keys, now },
    )?;
    println!("{count} packages");
    println!("sha256:{root}");
    Ok(())
}

fn arguments() -> Option<Arguments> {
    let mut given = env::args().skip(1);
    let (corpus, out) = (given.next()?.into(), given.next()?.into());
    let limit = match (given.next().as_deref(), given.next()) {
        (None, None) => usize::MAX,
        (Some("--limit"), Some(limit)) => limit.parse().ok()?,
        _ => return None,
    };
    Some(Arguments { corpus, out, limit })
}

/// The first packages of a corpus, by the form in which names collide.
fn lines(corpus: &Path, limit: usize) -> Result<BTreeMap<String, Line>, Box<dyn Error>> {
    let file = fs::File::open(corpus)?;
    let is_compressed = corpus
        .extension()
        .is_some_and(|extension| extension == "zst");
    let reader: Box<dyn Read> = match is_compressed {
        true => Box::new(zstd::Decoder::new(file)?),
        false => Box::new(file),
    };
    let mut lines = BTreeMap::new();
    for line in BufReader::new(reader).lines() {
        if lines.len() == limit {
            break;
        }
        let line: Line = serde_json::from_str(&line?)?;
        // What is called so elsewhere may be no name for Cargo.
        if let Ok(name) = line.name.parse::<PackageName>() {
            lines.entry(name.collision_key()).or_insert(line);
        }
    }
    Ok(lines)
}

fn archives(lines: &BTreeMap<String, Line>) -> Result<Vec<Archive>, Box<dyn Error>> {
    let archive = |line: &Line| {
        let (name, version) = (&line.name, &line.version);
        let files = [
            ("Cargo.toml", manifest(line, lines)),
            ("src/lib.rs", format!("//! {name}\n")),
        ];
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut tar = tar::Builder::new(gzip);
        for (path, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            let path = format!("{name}-{version}/{path}");
            tar.append_data(&mut header, path, text.as_bytes())?;
        }
        Ok(Archive {
            label: format!("{name}-{version}.crate"),
            bytes: tar.into_inner()?.finish()?,
        })
    };
    lines.values().map(archive).collect()
}

/// The manifest of a package, with those of its dependencies that are taken, too.
fn manifest(line: &Line, lines: &BTreeMap<String, Line>) -> String {
    // A keyword with a blank in it would be none.
    let keywords = line
        .keywords
        .iter()
        .filter(|word| !word.contains(' '))
        .take(5);
    let mut manifest = toml_edit::DocumentMut::new();
    let package = &mut manifest["package"];
    package["name"] = toml_edit::value(&line.name);
    package["version"] = toml_edit::value(&line.version);
    package["edition"] = toml_edit::value("2024");
    package["license"] = toml_edit::value("MIT");
    package["description"] = toml_edit::value(&line.description);
    package["keywords"] = toml_edit::value(keywords.collect::<toml_edit::Array>());
    for needed in &line.deps {
        let Ok(name) = needed.name.parse::<PackageName>() else {
            continue;
        };
        if let Some(taken) = lines
            .get(&name.collision_key())
            .filter(|it| it.name != line.name)
        {
            let requirement = needed.req.parse::<VersionReq>().unwrap_or(VersionReq::STAR);
            manifest["dependencies"][&taken.name] = toml_edit::value(requirement.to_string());
        }
    }
    manifest.to_string()
}

/// The keys that everybody knows, written for the program to use.
fn keys(folder: &Path) -> Result<[SecretKey; 3], Box<dyn Error>> {
    let store = Keystore::new(folder.to_owned());
    let key = |name: &str, seed: u8| -> Result<SecretKey, Box<dyn Error>> {
        let secret = SecretKey::from_seed(&[seed; 32]);
        store.save(&name.parse::<KeyName>()?, &secret, None, &[seed; 32])?;
        Ok(secret)
    };
    Ok([key("offline", 1)?, key("online", 2)?, key(PUBLISHER, 3)?])
}

fn now() -> Option<UtcTime> {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    UtcTime::from_unix(i64::try_from(since.as_secs()).ok()?)
}
