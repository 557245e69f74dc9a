//! The dependency tables, as `cargo publish` transmits and the index lists them.

use toml::Value;

use super::table::{Section, check_text};
use super::{Home, ManifestError};
use crate::model::{
    CRATES_IO_INDEX, Dependency, DependencyKind, DependencySource, PackageName, Requirement,
};

/// Dependencies in one table, and targets with tables of their own.
const MEMBERS: usize = 4096;
/// Bytes of a requirement or a feature.
const WORD: usize = 256;
/// Bytes of a `cfg(…)` or a URL.
const LINE: usize = 2 << 10;

/// Each kind with its table's two spellings; the second is old, and counts where the first is absent.
const TABLES: [(DependencyKind, &str, Option<&str>); 3] = [
    (DependencyKind::Normal, "dependencies", None),
    (
        DependencyKind::Build,
        "build-dependencies",
        Some("build_dependencies"),
    ),
    (
        DependencyKind::Dev,
        "dev-dependencies",
        Some("dev_dependencies"),
    ),
];

/// Reads all dependency tables, those of targets included, into the index's order.
pub(super) fn dependencies(
    root: &Section<'_>,
    home: &Home,
) -> Result<Vec<Dependency>, ManifestError> {
    let mut all = Vec::new();
    tables(root, None, home, &mut all)?;
    if let Some(targets) = root.section("target")? {
        for (target, _) in targets.members(MEMBERS)? {
            check_text(target, LINE, || targets.field(target))?;
            if let Some(section) = targets.section(target)? {
                tables(&section, Some(target), home, &mut all)?;
            }
        }
    }
    all.sort_by(|a, b| index_order(a).cmp(&index_order(b)));
    Ok(all)
}

/// The order in which crates.io lists dependencies. Old cargos read the first of two with one name
/// only half, so a normal dependency must come before others (crates.io's index library).
fn index_order(dependency: &Dependency) -> impl Ord + '_ {
    let name = dependency
        .rename
        .as_deref()
        .unwrap_or_else(|| dependency.package.as_str());
    let package = dependency
        .rename
        .is_some()
        .then(|| dependency.package.as_str());
    (
        name,
        dependency.kind,
        dependency.requirement.as_str(),
        (dependency.optional, dependency.default_features),
        dependency.target.as_deref(),
        package,
        &dependency.features,
    )
}

/// Reads the dependency tables of the manifest, or of one target.
fn tables(
    place: &Section<'_>,
    target: Option<&str>,
    home: &Home,
    all: &mut Vec<Dependency>,
) -> Result<(), ManifestError> {
    for (kind, key, old_key) in TABLES {
        let section = match (place.section(key)?, old_key) {
            (None, Some(old_key)) => place.section(old_key)?,
            (section, _) => section,
        };
        let Some(section) = section else { continue };
        for (name, value) in section.members(MEMBERS)? {
            let mut dependency = match value {
                Value::String(requirement) => shorthand(&section, name, requirement, home)?,
                Value::Table(_) => detailed(&section, name, home)?,
                _ => return Err(section.type_error(name, "a requirement or a table")),
            };
            dependency.kind = kind;
            dependency.target = target.map(str::to_owned);
            all.push(dependency);
        }
    }
    Ok(())
}

/// Reads `name = "1.0"`.
fn shorthand(
    section: &Section<'_>,
    name: &str,
    requirement: &str,
    home: &Home,
) -> Result<Dependency, ManifestError> {
    let field = section.field(name);
    check_text(requirement, WORD, || field.clone())?;
    Ok(Dependency {
        package: package_name(name, &field)?,
        rename: None,
        requirement: transmitted(requirement, field)?,
        features: Vec::new(),
        optional: false,
        default_features: true,
        target: None,
        kind: DependencyKind::Normal,
        source: source(None, home),
    })
}

/// Reads `name = { version = "1.0", … }`.
fn detailed(section: &Section<'_>, name: &str, home: &Home) -> Result<Dependency, ManifestError> {
    let Some(table) = section.section(name)? else {
        return Err(section.type_error(name, "a table"));
    };
    if table.has("workspace") {
        let field = section.field(name);
        return Err(ManifestError::Inherited { field });
    }
    if table.has("artifact") {
        let field = table.field("artifact");
        return Err(ManifestError::Unstable { field });
    }
    let key = package_name(name, &section.field(name))?;
    // crates.io and cargo take a rename as one even if both names are the same.
    let (package, rename) = match table.text("package", WORD)? {
        Some(package) => {
            let package = package_name(&package, &table.field("package"))?;
            (package, Some(name.to_owned()))
        }
        None => (key, None),
    };
    let default_features = match table.flag("default-features")? {
        Some(flag) => Some(flag),
        None => table.flag("default_features")?,
    };
    Ok(Dependency {
        package,
        rename,
        requirement: requirement(&table, section.field(name))?,
        features: table.list("features", MEMBERS, WORD)?,
        optional: table.flag("optional")?.unwrap_or(false),
        default_features: default_features.unwrap_or(true),
        target: None,
        kind: DependencyKind::Normal,
        source: source(registry(&table)?, home),
    })
}

/// The requirement of a detailed dependency. Archives from before 2016 hold manifests as they were
/// written, with paths and repositories beside versions; a registry goes by the version.
fn requirement(table: &Section<'_>, field: String) -> Result<Requirement, ManifestError> {
    if let Some(text) = table.text("version", WORD)? {
        return transmitted(&text, table.field("version"));
    }
    if table.has("path") {
        return Err(ManifestError::NoVersion {
            field,
            kind: "path",
        });
    }
    if table.has("git") {
        let kind = "git repository";
        return Err(ManifestError::NoVersion { field, kind });
    }
    transmitted("*", field)
}

/// A requirement as Cargo transmits it: parsed and written anew, so that `1.0` is `^1.0`.
fn transmitted(text: &str, field: String) -> Result<Requirement, ManifestError> {
    match text.parse::<Requirement>() {
        Ok(requirement) => Ok(Requirement::from(&requirement.matcher())),
        Err(source) => Err(ManifestError::Requirement { field, source }),
    }
}

/// The index URL of the registry that a dependency names, if it names one.
fn registry(table: &Section<'_>) -> Result<Option<String>, ManifestError> {
    let url = table.text("registry-index", LINE)?;
    match (&url, table.text("registry", WORD)?.as_deref()) {
        (None, Some("crates-io")) => Ok(Some(CRATES_IO_INDEX.into())),
        (None, Some(_)) => Err(ManifestError::RegistryName {
            field: table.field("registry"),
        }),
        _ => Ok(url),
    }
}

/// Where a dependency comes from, seen from the registry that lists the release.
fn source(registry: Option<String>, home: &Home) -> DependencySource {
    let url = registry.unwrap_or_else(|| CRATES_IO_INDEX.into());
    let same = match home {
        Home::Own { index_urls } => index_urls.iter().any(|ours| same_url(ours, &url)),
        Home::Mirror => url == CRATES_IO_INDEX,
    };
    if same {
        DependencySource::SameRegistry
    } else {
        DependencySource::Other(url)
    }
}

/// Index URLs name a folder, with or without the last slash.
fn same_url(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}

fn package_name(text: &str, field: &str) -> Result<PackageName, ManifestError> {
    text.parse().map_err(|source| ManifestError::Name {
        field: field.into(),
        source,
    })
}
