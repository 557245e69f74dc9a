//! SPARQL: each example against an answer computed without it, and how a query can fail.

use std::collections::{BTreeMap, BTreeSet};

use cargo_marketplace::model::{DependencyKind, DependencySource, Entry, Release, TrustState};
use insta::assert_snapshot;

use crate::env::TestEnv;
use crate::fixture::Fixture;

/// Rows of an answer, each value as text.
type Rows = Vec<Vec<String>>;

/// The registry as plain values, to be asked in Rust.
struct World(BTreeMap<String, Entry>);

impl World {
    /// The latest release of each package that has one.
    fn new() -> Self {
        let documents = Fixture::get().documents();
        let latest = documents.iter().filter_map(|document| {
            let latest = document.latest()?.clone();
            Some((document.package.to_string(), latest))
        });
        Self(latest.collect())
    }

    fn release(&self, name: &str) -> &Release {
        &self.0[name].release
    }

    /// The packages of this registry that a package's latest release needs to build or run.
    fn needs(&self, name: &str) -> BTreeSet<String> {
        let Some(entry) = self.0.get(name) else {
            return BTreeSet::new();
        };
        let all = entry.release.dependencies.iter();
        let needed = all.filter(|dependency| {
            dependency.kind != DependencyKind::Dev
                && dependency.source == DependencySource::SameRegistry
        });
        needed.map(|it| it.package.to_string()).collect()
    }

    /// All packages below one.
    fn below(&self, name: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut next = self.needs(name);
        while let Some(name) = next.pop_first() {
            next.extend(self.needs(&name).difference(&found).cloned());
            found.insert(name);
        }
        found
    }

    /// All packages above one.
    fn above(&self, name: &str) -> BTreeSet<String> {
        let names = self
            .0
            .keys()
            .filter(|above| self.below(above).contains(name));
        names.cloned().collect()
    }

    /// Each package with each package below it.
    fn pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.0.keys().flat_map(|name| {
            let below = self.below(name).into_iter();
            below.map(move |below| (name.clone(), below))
        })
    }
}

fn minor(release: &Release) -> Option<u32> {
    let text = release.rust_version.as_deref()?;
    text.split('.').nth(1)?.parse().ok()
}

/// The rows of an example, as the program answers in CSV.
fn example(name: &str, parameters: &[&str]) -> Rows {
    let env = TestEnv::new();
    Fixture::get().add_to(&env);
    let mut arguments = vec!["sparql", "--format", "csv", "--example", name];
    arguments.extend(parameters.iter().flat_map(|it| ["--param", it]));
    let answer = env.command(arguments).run();
    assert_eq!(answer.code, Some(0), "{answer}");
    // No value of the fixture holds a comma or a quote.
    let rows = answer.stdout.lines().skip(1);
    rows.map(|row| row.split(',').map(str::to_owned).collect())
        .collect()
}

/// Asserts that an example gives these rows, in this order, and that there are some.
fn assert_rows(example: Rows, expected: impl IntoIterator<Item = Vec<String>>) {
    let expected: Rows = expected.into_iter().collect();
    assert!(!expected.is_empty(), "the fixture has no such case");
    assert_eq!(example, expected);
}

fn row<const N: usize>(values: [&str; N]) -> Vec<String> {
    values.map(str::to_owned).to_vec()
}

#[test]
fn reverse_deps_are_those_that_name_it() {
    let world = World::new();
    let mut expected = BTreeSet::new();
    for entry in world.0.values() {
        let release = &entry.release;
        let all = release.dependencies.iter();
        for dependency in all.filter(|it| it.kind != DependencyKind::Dev) {
            if dependency.package.as_str() == "tide-table" {
                let (version, requirement) = (release.version.to_string(), &dependency.requirement);
                expected.insert(row([release.name.as_str(), &version, requirement.as_str()]));
            }
        }
    }
    assert_rows(example("reverse-deps", &["name=tide-table"]), expected);
}

#[test]
fn reach_is_everything_above() {
    let above = World::new().above("libm-lite");
    assert!(above.contains("almanac-server"), "{above:?}");
    let expected = above.into_iter().map(|name| vec![name]);
    assert_rows(example("reach", &["name=libm-lite"]), expected);
}

#[test]
fn a_license_closure_counts_the_package_and_all_below() {
    let world = World::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut names = world.below("almanac-server");
    names.insert("almanac-server".into());
    for name in names {
        let license = world.release(&name).license.clone().unwrap();
        *counts.entry(license).or_default() += 1;
    }
    let mut expected: Vec<_> = counts.into_iter().collect();
    expected.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let expected = expected
        .into_iter()
        .map(|(license, count)| row([&license, &count.to_string()]));
    assert_rows(
        example("license-closure", &["name=almanac-server"]),
        expected,
    );
}

#[test]
fn copyleft_is_found_at_any_depth() {
    let world = World::new();
    let is_copyleft = |license: &str| {
        ["GPL", "LGPL", "AGPL", "MPL", "EUPL"]
            .iter()
            .any(|family| license.starts_with(family))
    };
    let expected = world.pairs().filter_map(|(package, below)| {
        let license = world.release(&below).license.as_deref()?;
        is_copyleft(license).then(|| row([&package, &below, license]))
    });
    assert_rows(example("copyleft-below", &[]), expected);
}

#[test]
fn msrv_names_those_that_promise_too_much() {
    let world = World::new();
    let expected = world.pairs().filter_map(|(package, below)| {
        let (stated, needed) = (world.release(&package), world.release(&below));
        let rust = |release: &Release| release.rust_version.clone();
        let too_much = minor(needed)? > minor(stated)?;
        too_much.then(|| row([&package, &rust(stated)?, &below, &rust(needed)?]).into())?
    });
    assert_rows(example("msrv", &[]), expected);
}

#[test]
fn signed_on_unsigned_is_about_direct_dependencies() {
    let world = World::new();
    let mut expected = Rows::new();
    for (name, entry) in &world.0 {
        if entry.trust == Some(TrustState::Signed) {
            for needed in world.needs(name) {
                let trust = world.0[&needed].trust.unwrap();
                if trust != TrustState::Signed {
                    expected.push(row([name, &needed, trust.as_str()]));
                }
            }
        }
    }
    assert_rows(example("signed-on-unsigned", &[]), expected);
}

#[test]
fn newest_are_sorted_by_time_and_name() {
    let world = World::new();
    let tides = world.0.values().filter(|entry| {
        let keywords = &entry.release.keywords;
        keywords.iter().any(|keyword| keyword == "tides")
    });
    let mut expected: Rows = tides
        .map(|entry| {
            let (name, version) = (&entry.release.name, &entry.release.version);
            let accepted = entry.accepted.unwrap().to_string();
            row([name.as_str(), &version.to_string(), &accepted])
        })
        .collect();
    expected.sort_by_key(|row| std::cmp::Reverse(row[2].clone()));
    assert_rows(example("newest", &["keyword=tides"]), expected);
}

#[test]
fn an_owners_reach_counts_each_dependent_once() {
    let world = World::new();
    let mut reach: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, entry) in &world.0 {
        if let Some(publisher) = &entry.release.publisher {
            let dependents = reach.entry(publisher.to_string()).or_default();
            dependents.extend(world.above(name));
        }
    }
    let mut expected: Vec<_> = reach
        .into_iter()
        .map(|(publisher, dependents)| (dependents.len(), publisher))
        .collect();
    expected.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let expected = expected
        .into_iter()
        .map(|(count, publisher)| row([&publisher, &count.to_string()]));
    assert_rows(example("owner-reach", &[]), expected);
}
