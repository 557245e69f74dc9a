//! Outside referee 1: what we derive from a `.crate` alone against crates.io's own index line, for
//! every package that this project is built from. Both lie in cargo's home.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_marketplace::formats::manifest::Home;
use cargo_marketplace::formats::v1::encode_line;
use cargo_marketplace::install::archive::{Limits, derive, differs};
use cargo_marketplace::model::{Entry, PackageName, Release};
use cargo_metadata::{MetadataCommand, Package};
use serde_json::Value;

/// Keys that are the registry's or ours, not the archive's.
const NOT_COMPARED: [&str; 3] = ["pubtime", "yanked", "marketplace"];

/// What the archive alone cannot give, and why.
const CFG_WRITTEN_ANEW: &str = "until September 2023 the index took over what the publishing cargo \
    sent, which put its own spaces into a `cfg(…)`; now it takes the manifest's text. The archive \
    does not say when it was published";
const REQUIREMENT_WRITTEN_ANEW: &str = "until 2021 cargo put a space behind the operator of a \
    requirement; the archive does not say which cargo packaged it";
const NOT_EXPLAINED: &str = "not explained";

/// A field of a line in which the two sides are not equal.
struct Difference {
    package: String,
    field: String,
    ours: Value,
    theirs: Value,
}

#[test]
fn derives_the_index_lines_of_our_own_closure() {
    let home = cargo_home();
    let archives: Vec<_> = locked_packages()
        .into_iter()
        .filter_map(|package| archive(&home, &package))
        .collect();
    let (compared, differences) = compare(&home, &archives);
    println!("{compared} index lines compared");
    assert!(compared >= 200, "only {compared} archives with index lines");
    let report = report(&differences);
    assert!(!report.contains(NOT_EXPLAINED), "{report}");
    insta::assert_snapshot!(report);
}

#[test]
fn folders_that_cargo_unpacked_do_not_differ() {
    let home = cargo_home();
    let mut compared = 0;
    for package in locked_packages() {
        let folders = registries(&home, "src").into_iter();
        let mut folders = folders.map(|registry| registry.join(&package));
        let Some(folder) = folders.find(|folder| folder.exists()) else {
            continue;
        };
        let bytes = fs::read(archive(&home, &package).unwrap()).unwrap();
        let difference = differs(&bytes, &folder, &Limits::default()).unwrap();
        assert_eq!(difference, None, "{package}");
        compared += 1;
    }
    println!("{compared} unpacked folders compared");
    assert!(
        compared >= 200,
        "only {compared} archives that are unpacked"
    );
}

#[test]
#[ignore = "needs a cargo home with more archives; run by hand with CARGO_HOME set"]
fn derives_the_index_lines_of_every_archive_at_hand() {
    let home = cargo_home();
    let archives: Vec<_> = caches(&home)
        .iter()
        .flat_map(|cache| fs::read_dir(cache).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    let (compared, differences) = compare(&home, &archives);
    println!("{compared} index lines compared\n{}", report(&differences));
}

/// The same from cargo's side: what cargo itself reads from the manifests, which it unpacked.
#[test]
fn derives_the_words_and_targets_that_cargo_reads() {
    let home = cargo_home();
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .other_options(
            ["--offline", "--locked", "--filter-platform", "host-tuple"].map(str::to_owned),
        )
        .exec()
        .unwrap();
    let foreign = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_some());
    let mut compared = 0;
    for package in foreign {
        let stem = format!("{}-{}", package.name, package.version);
        let Some(archive) = archive(&home, &stem) else {
            continue;
        };
        let bytes = fs::read(archive).unwrap();
        let release = derive(&bytes, &Home::Mirror, &Limits::default()).unwrap();
        assert_eq!(words_of(&release), words_of_cargo(package), "{stem}");
        compared += 1;
    }
    println!("{compared} manifests compared");
    assert!(
        compared >= 200,
        "only {compared} archives of packages in use"
    );
}

/// What a release says beside its index line, by name.
type Words = BTreeMap<&'static str, Vec<String>>;

fn words_of(release: &Release) -> Words {
    let list = |text: &Option<String>| text.iter().cloned().collect();
    BTreeMap::from([
        ("description", list(&release.description)),
        ("license", list(&release.license)),
        ("repository", list(&release.repository)),
        ("homepage", list(&release.homepage)),
        ("documentation", list(&release.documentation)),
        ("links", list(&release.links)),
        ("keywords", release.keywords.clone()),
        ("categories", release.categories.clone()),
        (
            "edition",
            vec![release.edition.clone().unwrap_or_else(|| "2015".into())],
        ),
        ("library", vec![release.kinds.library.to_string()]),
        ("binaries", release.kinds.binaries.clone()),
    ])
}

fn words_of_cargo(package: &Package) -> Words {
    let list = |text: &Option<String>| {
        let text = text.iter().filter(|text| !text.is_empty());
        text.cloned().collect()
    };
    let targets = |program| {
        let targets = package.targets.iter();
        targets.filter(move |target| {
            let other = target.is_test()
                || target.is_bench()
                || target.is_example()
                || target.is_custom_build();
            !other && target.is_bin() == program
        })
    };
    let mut binaries: Vec<_> = targets(true).map(|target| target.name.clone()).collect();
    binaries.sort();
    BTreeMap::from([
        ("description", list(&package.description)),
        ("license", list(&package.license)),
        ("repository", list(&package.repository)),
        ("homepage", list(&package.homepage)),
        ("documentation", list(&package.documentation)),
        ("links", list(&package.links)),
        ("keywords", package.keywords.clone()),
        ("categories", package.categories.clone()),
        ("edition", vec![package.edition.to_string()]),
        ("library", vec![(targets(false).count() > 0).to_string()]),
        ("binaries", binaries),
    ])
}

/// Compares each archive that has an index line; the number of them, and where they differ.
fn compare(home: &Path, archives: &[PathBuf]) -> (usize, Vec<Difference>) {
    let mut compared = 0;
    let mut differences = Vec::new();
    for archive in archives {
        let bytes = fs::read(archive).unwrap();
        let stem = archive.file_stem().unwrap().to_str().unwrap();
        let release = match derive(&bytes, &Home::Mirror, &Limits::default()) {
            Ok(release) => release,
            Err(error) => {
                differences.push(Difference {
                    package: stem.into(),
                    field: "refused".into(),
                    ours: chain(&error).into(),
                    theirs: Value::Null,
                });
                continue;
            }
        };
        let Some(theirs) = index_line(home, &release.name, &release.version.to_string()) else {
            continue;
        };
        let ours = encode_line(&Entry {
            release,
            accepted: None,
            yanked: None,
            trust: None,
        });
        let ours = serde_json::from_str(&ours).unwrap();
        compare_lines(stem, ours, theirs, &mut differences);
        compared += 1;
    }
    (compared, differences)
}

/// Compares two lines field by field, and the dependencies one by one.
fn compare_lines(package: &str, mut ours: Value, mut theirs: Value, all: &mut Vec<Difference>) {
    let (ours, theirs) = (
        ours.as_object_mut().unwrap(),
        theirs.as_object_mut().unwrap(),
    );
    for key in NOT_COMPARED {
        ours.remove(key);
        theirs.remove(key);
    }
    let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).cloned().collect();
    let mut differ = |field: String, ours: Value, theirs: Value| {
        if ours != theirs {
            all.push(Difference {
                package: package.into(),
                field,
                ours,
                theirs,
            });
        }
    };
    for key in keys {
        let take = |line: &mut serde_json::Map<_, _>| line.remove(&key).unwrap_or(Value::Null);
        match (take(ours), take(theirs)) {
            (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
                for (ours, theirs) in ours.into_iter().zip(theirs) {
                    let name = ours["name"].as_str().unwrap().to_owned();
                    let (ours, theirs) = (ours.as_object().unwrap(), theirs.as_object().unwrap());
                    for part in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
                        let get = |side: &serde_json::Map<_, _>| side.get(part).cloned();
                        differ(
                            format!("{key}.{name}.{part}"),
                            get(ours).unwrap_or(Value::Null),
                            get(theirs).unwrap_or(Value::Null),
                        );
                    }
                }
            }
            (ours, theirs) => differ(key, ours, theirs),
        }
    }
}

/// The differences by reason.
fn report(differences: &[Difference]) -> String {
    let mut reasons: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for difference in differences {
        reasons
            .entry(reason(difference))
            .or_default()
            .push(difference);
    }
    let mut text = String::new();
    for (reason, differences) in reasons {
        writeln!(text, "{reason}:").unwrap();
        for Difference {
            package,
            field,
            ours,
            theirs,
        } in differences
        {
            writeln!(text, "  {package} {field}: {ours} is {theirs} in the index").unwrap();
        }
    }
    text
}

/// Why the archive alone cannot give what the index has.
fn reason(difference: &Difference) -> &'static str {
    let Difference {
        field,
        ours,
        theirs,
        ..
    } = difference;
    let but_for_spaces = |side: &Value| side.as_str().map(|text| text.replace(' ', ""));
    let same_words = but_for_spaces(ours).is_some_and(|ours| Some(ours) == but_for_spaces(theirs));
    match field.rsplit('.').next() {
        Some("target") if same_words => CFG_WRITTEN_ANEW,
        Some("req") if same_words => REQUIREMENT_WRITTEN_ANEW,
        _ => NOT_EXPLAINED,
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// `name-version` of every crates.io package in our lock file.
fn locked_packages() -> Vec<String> {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock");
    let lock: toml::Table = fs::read_to_string(lock).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let packages = packages
        .iter()
        .filter(|package| package.get("source").is_some());
    let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
    packages
        .map(|package| format!("{}-{}", text(&package["name"]), text(&package["version"])))
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "a test has no command context")]
fn cargo_home() -> PathBuf {
    match std::env::var_os("CARGO_HOME") {
        Some(home) => home.into(),
        None => std::env::home_dir().unwrap().join(".cargo"),
    }
}

/// The folders below `registry/KIND`, one for each registry.
fn registries(home: &Path, kind: &str) -> Vec<PathBuf> {
    let folders = fs::read_dir(home.join("registry").join(kind)).unwrap();
    folders.map(|folder| folder.unwrap().path()).collect()
}

fn caches(home: &Path) -> Vec<PathBuf> {
    registries(home, "cache")
}

fn archive(home: &Path, package: &str) -> Option<PathBuf> {
    let mut paths = caches(home)
        .into_iter()
        .map(|cache| cache.join(format!("{package}.crate")));
    paths.find(|path| path.exists())
}

/// The line of a release in cargo's cache of the index. A cache file is a byte for its version (3),
/// four for the index's, then texts that end in NUL: the file's revision, and for each release its
/// version and its line (cargo, `src/cargo/sources/registry/index/cache.rs`).
fn index_line(home: &Path, name: &PackageName, version: &str) -> Option<Value> {
    let mut indexes = registries(home, "index").into_iter();
    indexes.find_map(|index| {
        let file = fs::read(index.join(".cache").join(name.index_path())).ok()?;
        assert_eq!(file[0], 3, "cargo's cache has another form");
        let mut texts = file[5..].split(|byte| *byte == 0).skip(1);
        while let (Some(found), Some(line)) = (texts.next(), texts.next()) {
            if found == version.as_bytes() {
                return Some(serde_json::from_slice(line).unwrap());
            }
        }
        None
    })
}
