//! `explain`: what an error code means and what to do about it.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::error::{CommandError, nearest};

/// Explains an error code
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code, as `MP0402`; without one, all codes are listed
    pub code: Option<String>,
}

/// A code, its meaning in one line, and what to do.
struct Explanation {
    code: &'static str,
    title: &'static str,
    text: &'static str,
}

/// Every code that the program prints. A code keeps its meaning for ever.
const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        code: "MP0101",
        title: "the root of a registry is not trusted yet",
        text: "The first time, somebody must say that this is the right registry: nothing in it can \
            prove that. Get the sha256 of its root file some other way (its operator's page, a \
            colleague) and pass it as `--root sha256:…`, or pass the file with `--root-file`.",
    },
    Explanation {
        code: "MP0102",
        title: "no root of the registry has the digest that was given",
        text: "The file that was pinned is not among the registry's root files. Either the address is that of another registry, or somebody shows you other files than the operator publishes. Nothing was written.",
    },
    Explanation {
        code: "MP0103",
        title: "the keys of this root are public",
        text: "It is the root of the sample registry in the program's source, whose secret keys lie beside it. It is accepted from a folder only.",
    },
    Explanation {
        code: "MP0104",
        title: "not the registry that the project demands",
        text: "The project has a file `marketplace.trust`, which says which registry a name means and which root it must have had. The registry at hand is another one, or a root is held back. Nothing was written. Ask whoever maintains the project which of the two is right; the file is only ever a demand, and never makes a registry trusted.",
    },
    Explanation {
        code: "MP0201",
        title: "no copy of a registry, and no network",
        text: "Nothing was fetched from this registry yet, so there is nothing to work from. Run \
            the command once with the network up.",
    },
    Explanation {
        code: "MP0202",
        title: "not in the offline copy",
        text: "With `--offline`, only what was fetched and verified before can be used. Run once \
            without `--offline`.",
    },
    Explanation {
        code: "MP0203",
        title: "no such package or version",
        text: "The registry has no package of that name; names that differ only in case or in `-` \
            and `_` are suggested, as are names at most two edits away. Or it has, and none of its \
            releases fits the requirement.",
    },
    Explanation {
        code: "MP0204",
        title: "the release is yanked",
        text: "Its publisher took it out of choice; lock files that name it go on working. Ask for \
            another release.",
    },
    Explanation {
        code: "MP0205",
        title: "no release builds with this Rust",
        text: "Each release that fits says that it needs a newer Rust. Update Rust, ask for an older release, or pass `--ignore-rust-version` and see whether it builds.",
    },
    Explanation {
        code: "MP0206",
        title: "a name that is in several registries",
        text: "Several registries have a package of this name, and they need not be the same package. None is chosen silently, or whoever registers the name of somebody's private package elsewhere could have it built in its place. Name the registry: `registry/name`, or `--registry`.",
    },
    Explanation {
        code: "MP0207",
        title: "every release that fits is too young",
        text: "With a cooldown (`--cooldown`, `CARGO_MARKETPLACE_COOLDOWN`, or `cooldown` in `[install]` of the configuration) releases that the registry took in a short time ago are not chosen, so that others may find out what is wrong with them first. What a lock file names, and what is asked for exactly, is taken all the same.",
    },
    Explanation {
        code: "MP0208",
        title: "no token for the registry",
        text: "The registry's server answers only those whom it knows, and there is no token for it, or \
            it does not accept the one that there is. Tokens are cargo's: `cargo login --registry NAME` \
            stores one (plain cargo wants `registry.global-credential-providers` in its configuration for \
            that), `CARGO_REGISTRIES_NAME_TOKEN` or a credential provider give one. They are shown to the registry's own server, and not to mirrors at \
            other addresses.",
    },
    Explanation {
        code: "MP0310",
        title: "a package is unsigned",
        text: "Nobody signed the release; its registry only lists its checksum. `audit --deny unsigned` refuses such packages.",
    },
    Explanation {
        code: "MP0311",
        title: "a package is vouched for",
        text: "The registry's operator says that the archive is what its source served; no owner of the package has signed it. `audit --deny vouched` refuses such packages.",
    },
    Explanation {
        code: "MP0312",
        title: "a locked release was yanked",
        text: "Its publisher took it out of choice after it was locked. Cargo goes on using it until the lock file is updated. `audit --deny yanked` refuses such packages.",
    },
    Explanation {
        code: "MP0313",
        title: "a package is not from a registry of yours",
        text: "It comes from crates.io, from git, or from a registry that was not added: cargo compares its checksum with the lock file, and nobody's signature is checked. `audit --deny foreign` refuses such packages.",
    },
    Explanation {
        code: "MP0314",
        title: "a package's name is not claimed yet",
        text: "Its owners signed the release, but that the name is theirs is only the word of the registry's online key so far: a thief of that key could have given a new name to anybody. The operator claims names with a key that lies offline (`registry claim`). `audit --deny new` refuses such packages.",
    },
    Explanation {
        code: "MP0315",
        title: "a release was signed by a key that is revoked",
        text: "The key was good when it signed, and its publisher has revoked it since: it was lost or stolen at some time. What it signed before the revocation stays valid. `audit --deny unknown-key` refuses such releases; prefer one that was signed anew.",
    },
    Explanation {
        code: "MP0316",
        title: "a package's license is not taken",
        text: "`audit --deny license=…` names licenses that you do not take, `--allow-license …` the only ones that you do. The package's SPDX expression offers no choice that fits, or it states none.",
    },
    Explanation {
        code: "MP0317",
        title: "one name from two sources",
        text: "The lock file has packages of the same name from different registries or repositories. They need not have anything to do with one another, and one may be there because somebody hoped that it would be taken for the other.",
    },
    Explanation {
        code: "MP0318",
        title: "a locked package is not its registry's",
        text: "The registry does not list the release that the lock file names, or has withdrawn it for good (a leak, malware); or the lock file gives it no checksum. Update the lock file and find out where the entry came from.",
    },
    Explanation {
        code: "MP0319",
        title: "an unpacked package was changed",
        text: "Cargo builds from the folder to which it once unpacked the archive and does not look at the archive again. A file there is not what the verified archive holds. Remove the folder. `exec` and `fetch` see to it by themselves.",
    },
    Explanation {
        code: "MP0401",
        title: "checksum mismatch",
        text: "The bytes that arrived are not the bytes that were published, on any mirror. \
            Nothing was written. Tell the operator: an archive was damaged or exchanged.",
    },
    Explanation {
        code: "MP0402",
        title: "a signature does not fit",
        text: "Something signed was changed after signing, or was never signed by that key. \
            Nothing was written. This is never a fault of the network alone; tell the operator.",
    },
    Explanation {
        code: "MP0403",
        title: "an unknown or revoked key",
        text: "The signature is by a key that has no say here, or has none any more. Nothing was \
            written.",
    },
    Explanation {
        code: "MP0404",
        title: "the registry's metadata has expired",
        text: "A registry states until when its metadata is fresh. Past that, an attacker may be \
            showing an old state, or the operator forgot to renew it. Check this machine's clock, \
            then tell the operator.",
    },
    Explanation {
        code: "MP0405",
        title: "the registry went back in time",
        text: "A lower number was served than one that was seen before. A registry only ever \
            counts up: a mirror is stale, or somebody hides something. A project's `marketplace.trust` \
            can demand a number that must have been reached, too. Nothing was written.",
    },
    Explanation {
        code: "MP0406",
        title: "signed metadata or a record is refused",
        text: "It is signed, or should be, and breaks a rule: a form that does not exist, a statement out of order, a role that may not speak. Nothing was written. Tell the operator.",
    },
    Explanation {
        code: "MP0407",
        title: "an archive or template is not safe to unpack",
        text: "It holds something else than plain files below its own folder: a link, a device, a name that leads outside or that another system cannot have, or more than the limits allow. Nothing was written.",
    },
    Explanation {
        code: "MP0408",
        title: "a project could replace verified packages",
        text: "A setting or patch of the project would make cargo build something else in place of a verified package, or cargo was seen to do so. Nothing was built.",
    },
    Explanation {
        code: "MP0409",
        title: "a claimed name is in other hands",
        text: "The registry's operator signed offline whose the package is, and what is served is not \
            that package: another record stands in its place, or none. Somebody who has the registry's \
            online key can do that, or a mirror that mixes files. Nothing was written. Tell the operator.",
    },
    Explanation {
        code: "MP0501",
        title: "v2 is not usable, v1 is read",
        text: "The Turtle document was missing or unreadable, and the verified JSON document of \
            the same content was used. A remark, not a danger: both are bound by the same record.",
    },
    Explanation {
        code: "MP0502",
        title: "a document disagrees with its statements",
        text: "The v1 or v2 document says something else than the signed statements of the \
            package. There is no falling back over a disagreement. Nothing was written.",
    },
    Explanation {
        code: "MP0503",
        title: "the registry demands v2",
        text: "Its policy, signed offline, lets no v1 be read: neither by `--backend v1` nor where v2 \
            cannot be had. A build that reads v1 alone cannot read this registry: install one with \
            the default features, `cargo install cargo-marketplace`.",
    },
    Explanation {
        code: "MP0601",
        title: "no signing key",
        text: "Signing needs a key in the key folder. `cargo marketplace key new NAME` makes one.",
    },
    Explanation {
        code: "MP0602",
        title: "a role key of the registry is not at hand",
        text: "Changing a registry needs the keys of the roles that it signs anew. They are looked for in the key folder by their ids; the names do not matter.",
    },
    Explanation {
        code: "MP0603",
        title: "the name collides with another package",
        text: "Names that differ only in case or in `-` and `_` count as the same, so that nobody \
            can pass for another. Choose a name that is further away.",
    },
    Explanation {
        code: "MP0604",
        title: "the version exists",
        text: "A version is published once and never changes. Raise the version in `Cargo.toml`. The same archive again is no error.",
    },
    Explanation {
        code: "MP0605",
        title: "the passphrase does not fit the key",
        text: "The key file is sound, but this is not the passphrase that it was encrypted with. \
            Nobody can recover a lost one: make a new key with `cargo marketplace key new`, and \
            have the registry's operator register it.",
    },
    Explanation {
        code: "MP0606",
        title: "a package names the registry by a private address",
        text: "The manifest in an archive says where each dependency comes from. It must be the \
            registry's public address, or nobody else could build the package. `publish` and \
            `package --registry-dir` see to that, wherever the registry is read; plain `cargo \
            package` writes the address that it was told.",
    },
    Explanation {
        code: "MP0607",
        title: "drafts of the registry's roles do not fit",
        text: "In `.drafts/` of the registry's folder lies the next version of roles that wait for \
            signatures. What lies there now is damaged, or the registry has published another \
            version since it was drafted, or it must be finished before something else is drafted.",
    },
    Explanation {
        code: "MP0608",
        title: "the package has no owner",
        text: "The operator imported its releases, vouched for or unsigned, and nobody may publish \
            under its name. The operator gives it owners with `cargo marketplace owner assign PACKAGE \
            PUBLISHER --registry-dir DIR`, which needs a recovery key and the new owners' signatures.",
    },
    Explanation {
        code: "MP0609",
        title: "a change of a publisher's keys is refused",
        text: "A new key is registered by a signature of an old one and of its own; a key is revoked \
            by another one that stays in force, or by the operator. Each key stays known for what it \
            signed, and no revocation is taken back. Nothing was written.",
    },
    Explanation {
        code: "MP0610",
        title: "signatures are missing on a submission",
        text: "A package can have several owners of whom more than one must sign, and who becomes an \
            owner signs that, too. Hand the submission to those who are named: `cargo marketplace \
            sign SUBMISSION --registry-dir DIR --key NAME` adds a signature and changes nothing else.",
    },
    Explanation {
        code: "MP0611",
        title: "nobody has agreed to what is drafted",
        text: "Whoever signs a draft answers for it: other keys for a role, another number of bins, or \
            the same for longer. `registry sign` shows what is drafted and asks before it signs. Where \
            there is no terminal, look at it with `--dry-run` and pass `--yes`.",
    },
    Explanation {
        code: "MP0701",
        title: "the registry folder is damaged",
        text: "A file is missing or is not what the signed metadata says. `cargo marketplace registry check DIR` lists everything that is wrong.",
    },
    Explanation {
        code: "MP0801",
        title: "SPARQL needs v2",
        text: "Queries run over the triples of the v2 index. v1 holds none, so there is nothing to \
            fall back to. Leave `--backend v1` away, or use a build that reads v2.",
    },
    Explanation {
        code: "MP0802",
        title: "the query is not valid",
        text: "It is not SPARQL 1.1. The message says at which line and column the parser stopped, \
            and what could stand there.",
    },
    Explanation {
        code: "MP0803",
        title: "the query is refused",
        text: "Queries see one registry's triples, on this machine: SERVICE, FROM and updates are \
            refused, as are queries that are too long or too deep for the parser (64 KiB, 100 \
            brackets within one another, 2000 operators, separators and brackets in all).",
    },
    Explanation {
        code: "MP0804",
        title: "the query reached a limit",
        text: "Time, memory and rows are limited, since a short query can ask for more than any \
            machine has. Add LIMIT or a narrower pattern, or raise `--timeout` or `--max-memory`.",
    },
];

/// Runs the command.
pub fn run(args: ExplainArgs, context: &Context) -> Result<(), CommandError> {
    let Some(code) = args.code else {
        for one in EXPLANATIONS {
            show(one, false, context);
        }
        return Ok(());
    };
    let code = code.to_ascii_uppercase();
    if let Some(one) = EXPLANATIONS.iter().find(|one| one.code == code) {
        show(one, true, context);
        return Ok(());
    }
    let error = CommandError::usage(format!("no error has the code `{code}`"));
    let known = EXPLANATIONS.iter().map(|one| one.code);
    Err(match nearest(&code, known) {
        Some(near) => error.with_help(format!("did you mean `{near}`?")),
        None => error.with_help("`cargo marketplace explain` lists all codes"),
    })
}

fn show(one: &Explanation, whole: bool, context: &Context) {
    let shell = &context.shell;
    if shell.is_json() {
        let body = json!({ "code": one.code, "title": one.title, "text": one.text });
        shell.message("explanation", body);
        return;
    }
    shell.line(&format!("{}: {}", one.code, one.title));
    if whole {
        shell.line("");
        shell.lines(&wrapped(one.text, 80));
    }
}

/// Breaks text at spaces into lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let length = lines.last().map_or(0, |line| line.chars().count());
        if length > 0 && length + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(EXPLANATIONS.is_sorted_by(|a, b| a.code < b.code));
    }

    #[test]
    fn every_code_in_the_source_is_explained() {
        let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut codes = std::collections::BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(path).unwrap();
                let quoted = text.split('"').filter(|word| word.len() == 6);
                codes.extend(
                    quoted
                        .filter(|word| word.starts_with("MP0"))
                        .map(str::to_owned),
                );
            }
        }
        assert!(codes.len() > 20, "{codes:?}");
        for code in codes {
            assert!(EXPLANATIONS.iter().any(|one| one.code == code), "{code}");
        }
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(wrapped("one two  three", 7), "one two\nthree");
    }
}
