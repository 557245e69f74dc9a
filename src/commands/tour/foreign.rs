//! The one crate that the sample takes from crates.io: fetched first, by the user's own way to
//! crates.io, into a folder that cargo then takes for crates.io. Of the user's settings only that way
//! is read, and nothing of theirs is changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use toml_edit::{DocumentMut, Item, Value, value};

use super::samples;
use super::stage::{Stage, failed};
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::registry::toml_file::TomlFile;

/// Where the crate lies then, in the tour's folder.
const FOLDER: &str = "crates-io";

/// Where it is fetched to be there.
const PROBE: &str = "probe";

/// Gets the crate, or takes it out of the sample if it is not to be had. Writes the settings that
/// the tour's own cargo home begins with.
pub(super) fn prepare(stage: &Stage<'_>, context: &Context) -> Result<(), CommandError> {
    let user = TomlFile::load_of_cargo(&context.cargo_home).map_err(|error| {
        CommandError::failure("could not read cargo's settings").caused_by(Some(&error))
    })?;
    let is_offline = context.offline || says_offline(&user.document);
    let not_prepared = |error: io::Error| failed("prepare the tour", &error);
    write_probe(stage, context, &user.document).map_err(not_prepared)?;
    let found = fetch(stage, is_offline)?;
    if found {
        fs::rename(stage.path(PROBE).join(FOLDER), stage.path(FOLDER)).map_err(not_prepared)?;
    }
    fs::remove_dir_all(stage.path(PROBE)).map_err(not_prepared)?;
    if !found {
        samples::without_foreign(&stage.path("tides")).map_err(not_prepared)?;
        context.shell.note(match is_offline {
            true => "the network is not to be used: the sample does without crates.io",
            false => "crates.io is not reachable: the sample does without it",
        });
    }
    let settings = own_settings(found.then(|| stage.path(FOLDER)));
    fs::write(stage.cargo_home().join("config.toml"), settings).map_err(not_prepared)
}

/// A package that depends on the crate, and a cargo home with the user's way to crates.io and what
/// was fetched of the crate before.
fn write_probe(stage: &Stage<'_>, context: &Context, user: &DocumentMut) -> io::Result<()> {
    let probe = stage.path(PROBE);
    let home = probe.join("cargo-home");
    fs::create_dir_all(probe.join("src"))?;
    fs::create_dir_all(&home)?;
    fs::write(probe.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\n{} = \"0.11\"\n",
        samples::FOREIGN
    );
    fs::write(probe.join("Cargo.toml"), manifest)?;
    // Cargo takes paths in its settings from the folder above the one that they are in.
    let base = context.cargo_home.parent().unwrap_or(Path::new(""));
    let settings = way_to_crates_io(user, base);
    fs::write(home.join("config.toml"), settings.to_string())?;
    let fetched = context.cargo_home.join("registry");
    copy_matching(&fetched, &home.join("registry"))
}

/// Fetches the crate: what was fetched before will do, else the network, if it may be used.
fn fetch(stage: &Stage<'_>, is_offline: bool) -> Result<bool, CommandError> {
    let online: &[&[&str]] = if is_offline { &[] } else { &[&[]] };
    for offline in [&["--offline"][..]].iter().chain(online) {
        let mut cargo = stage.scrubbed_cargo(PROBE)?;
        let cargo = cargo
            .args(["vendor", "--quiet", "--respect-source-config"])
            .args(*offline)
            .arg(FOLDER)
            .env("CARGO_HOME", stage.path(PROBE).join("cargo-home"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if cargo.status().is_ok_and(|status| status.success()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Says whether cargo's settings forbid the network.
fn says_offline(user: &DocumentMut) -> bool {
    let offline = user.get("net").and_then(|net| net.get("offline"));
    offline.and_then(Item::as_bool) == Some(true)
}

/// What the tour's cargo is told: where the crate lies. The rest speaks against settings of folders
/// above the tour's, which cargo reads, too.
fn own_settings(crates_io: Option<PathBuf>) -> String {
    let mut document = DocumentMut::new();
    document["net"]["offline"] = value(false);
    if let Some(folder) = crates_io {
        document["source"]["crates-io"]["replace-with"] = value("tour");
        document["source"]["tour"]["directory"] = value(folder.to_string_lossy().into_owned());
    }
    document.to_string()
}

/// Those of cargo's settings that say how crates.io is reached. `base` is what paths are relative to.
fn way_to_crates_io(user: &DocumentMut, base: &Path) -> DocumentMut {
    let mut document = DocumentMut::new();
    for outer in ["http", "net"] {
        if let Some(table) = copied(user.get(outer), base) {
            document[outer] = table;
        }
    }
    document["net"]["offline"] = value(false);
    let mut next = Some("crates-io".to_owned());
    while let Some(name) = next.take() {
        // A source may be replaced by another, and that by a registry.
        for outer in ["source", "registries"] {
            let known = user.get(outer).and_then(|outer| outer.get(&name));
            if document
                .get(outer)
                .is_none_or(|outer| outer.get(&name).is_none())
                && let Some(table) = copied(known, base)
            {
                let target = table.get("replace-with").and_then(Item::as_str);
                next = target.map(str::to_owned).or(next);
                document[outer][&name] = table;
            }
        }
    }
    document
}

/// A table of settings, with its paths made absolute.
fn copied(item: Option<&Item>, base: &Path) -> Option<Item> {
    let Ok(Value::InlineTable(mut table)) = item?.clone().into_value() else {
        return None;
    };
    for key in ["cainfo", "proxy-cainfo", "directory", "local-registry"] {
        if let Some(path) = table.get_mut(key)
            && let Some(text) = path.as_str()
        {
            *path = base.join(text).to_string_lossy().into_owned().into();
        }
    }
    Some(Item::Value(Value::InlineTable(table)))
}

/// Copies what belongs to the crate, and the registries' settings, out of cargo's folder of indexes
/// and archives.
fn copy_matching(from: &Path, to: &Path) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(from) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let (source, target) = (entry.path(), to.join(&name));
        let text = name.to_string_lossy();
        if source.is_dir() && text != "src" && text != ".git" {
            copy_matching(&source, &target)?;
        } else if source.is_file() && (text.starts_with(samples::FOREIGN) || text == "config.json")
        {
            fs::create_dir_all(to)?;
            fs::copy(source, target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(user: &str) -> String {
        way_to_crates_io(&user.parse().unwrap(), Path::new("/home/me")).to_string()
    }

    #[test]
    fn copies_the_way_to_crates_io_and_nothing_else() {
        let user = "\
            alias.b = 'build'\nbuild.target-dir = 'x'\n\
            [registries.harbour]\nindex = 'sparse+https://registry.example/'\n\
            [registries.mirror]\nindex = 'sparse+https://mirror.example/'\n\
            [source.crates-io]\nreplace-with = 'near'\n\
            [source.near]\nregistry = 'https://near.example'\nreplace-with = 'mirror'\n\
            [source.far]\nregistry = 'https://far.example'\n\
            [http]\ncainfo = 'certificates.pem'\nmultiplexing = false\n\
            [net]\noffline = true\nretry = 7\n";
        let expected = "\
            http = { cainfo = \"/home/me/certificates.pem\", multiplexing = false }\n\
            net = { offline = false, retry = 7 }\n\
            source = { crates-io = { replace-with = 'near' }, near = { registry = 'https://near.example', replace-with = 'mirror' } }\n\
            registries = { mirror = { index = 'sparse+https://mirror.example/' } }\n";
        let normal = |text: &str| text.replace('\'', "\"").replace("  ", " ");
        assert_eq!(normal(&way(user)), normal(expected));
    }

    #[test]
    fn copies_folders_and_ends_with_a_circle() {
        let user = "source = { crates-io = { replace-with = 'a' }, a = { directory = 'vendor', replace-with = 'crates-io' } }";
        let text = way(user);
        assert!(text.contains("directory = \"/home/me/vendor\""), "{text}");
        assert_eq!(way(""), "net = { offline = false }\n");
    }
}
