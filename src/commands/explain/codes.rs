//! The codes of errors: what each means, and what to do. Text only.

/// A code, its meaning in one line, and what to do.
pub(super) struct Explanation {
    pub(super) code: &'static str,
    pub(super) title: &'static str,
    /// The next step, in a line, for errors that know no better one.
    pub(super) next: &'static str,
    pub(super) text: &'static str,
}

/// Every code that the program prints. A code keeps its meaning for ever.
pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        code: "MP0101",
        title: "the root of a registry is not trusted yet",
        next: "pass `--root sha256:…` or `--root-file root.json`",
        text: "The first time, somebody must say that this is the right registry: nothing in it can \
            prove that. Get the sha256 of its root file some other way (its operator's page, a \
            colleague) and pass it as `--root sha256:…`, or pass the file with `--root-file`.",
    },
    Explanation {
        code: "MP0102",
        title: "no root of the registry has the digest that was given",
        next: "is the address right? Else somebody shows you another registry",
        text: "The file that was pinned is not among the registry's root files. Either the address is that of another registry, or somebody shows you other files than the operator publishes. Nothing was written.",
    },
    Explanation {
        code: "MP0103",
        title: "the keys of this root are public",
        next: "add the sample registry from its folder, or a registry with keys of its own",
        text: "It is the root of the sample registry in the program's source, whose secret keys lie beside it. It is accepted from a folder only.",
    },
    Explanation {
        code: "MP0104",
        title: "not the registry that the project demands",
        next: "ask whoever maintains the project which of the two registries is right",
        text: "The project has a file `marketplace.trust`, which says which registry a name means and which root it must have had. The registry at hand is another one, or a root is held back. Nothing was written. Ask whoever maintains the project which of the two is right; the file is only ever a demand, and never makes a registry trusted.",
    },
    Explanation {
        code: "MP0201",
        title: "no copy of a registry, and no network",
        next: "check the network and the registry's address, and try again",
        text: "Nothing was fetched from this registry yet, so there is nothing to work from. Run \
            the command once with the network up.",
    },
    Explanation {
        code: "MP0202",
        title: "not in the offline copy",
        next: "run it once with the registry in reach and without `--offline`",
        text: "With `--offline`, only what was fetched and verified before can be used. Run once \
            without `--offline`.",
    },
    Explanation {
        code: "MP0203",
        title: "no such package or version",
        next: "`cargo marketplace search WORDS` looks for packages, `info NAME --versions` lists releases",
        text: "The registry has no package of that name; names that differ only in case or in `-` \
            and `_` are suggested, as are names at most two edits away. Or it has, and none of its \
            releases fits the requirement.",
    },
    Explanation {
        code: "MP0204",
        title: "the release is yanked",
        next: "ask for another release: `cargo marketplace info NAME --versions` lists them",
        text: "Its publisher took it out of choice; lock files that name it go on working. Ask for \
            another release.",
    },
    Explanation {
        code: "MP0205",
        title: "no release builds with this Rust",
        next: "update Rust, or pass `--ignore-rust-version`",
        text: "Each release that fits says that it needs a newer Rust. Update Rust, ask for an older release, or pass `--ignore-rust-version` and see whether it builds.",
    },
    Explanation {
        code: "MP0206",
        title: "a name that is in several registries",
        next: "name the registry: `registry/name`, or `--registry`",
        text: "Several registries have a package of this name, and they need not be the same package. None is chosen silently, or whoever registers the name of somebody's private package elsewhere could have it built in its place. Name the registry: `registry/name`, or `--registry`.",
    },
    Explanation {
        code: "MP0207",
        title: "every release that fits is too young",
        next: "ask for a release exactly, or pass `--cooldown 0`",
        text: "With a cooldown (`--cooldown`, `CARGO_MARKETPLACE_COOLDOWN`, or `cooldown` in `[install]` of the configuration) releases that the registry took in a short time ago are not chosen, so that others may find out what is wrong with them first. What a lock file names, and what is asked for exactly, is taken all the same.",
    },
    Explanation {
        code: "MP0208",
        title: "no token for the registry",
        next: "`cargo login --registry NAME` stores a token",
        text: "The registry's server answers only those whom it knows, and there is no token for it, or \
            it does not accept the one that there is. Tokens are cargo's: `cargo login --registry NAME` \
            stores one (plain cargo wants `registry.global-credential-providers` in its configuration for \
            that), `CARGO_REGISTRIES_NAME_TOKEN` or a credential provider give one. They are shown to the registry's own server, and not to mirrors at \
            other addresses.",
    },
    Explanation {
        code: "MP0310",
        title: "a package is unsigned",
        next: "choose a release that its owners signed",
        text: "Nobody signed the release; its registry only lists its checksum. `audit --deny unsigned` refuses such packages.",
    },
    Explanation {
        code: "MP0311",
        title: "a package is vouched for",
        next: "choose a package whose owners sign, or do without `--deny vouched`",
        text: "The registry's operator says that the archive is what its source served; no owner of the package has signed it. `audit --deny vouched` refuses such packages.",
    },
    Explanation {
        code: "MP0312",
        title: "a locked release was yanked",
        next: "`cargo update -p PACKAGE` chooses another release",
        text: "Its publisher took it out of choice after it was locked. Cargo goes on using it until the lock file is updated. `audit --deny yanked` refuses such packages.",
    },
    Explanation {
        code: "MP0313",
        title: "a package is not from a registry of yours",
        next: "add the registry, or do without `--deny foreign`",
        text: "It comes from crates.io, from git, or from a registry that was not added: cargo compares its checksum with the lock file, and nobody's signature is checked. `audit --deny foreign` refuses such packages.",
    },
    Explanation {
        code: "MP0314",
        title: "a package's name is not claimed yet",
        next: "the registry's operator claims names: `cargo marketplace registry claim DIR`",
        text: "Its owners signed the release, but that the name is theirs is only the word of the registry's online key so far: a thief of that key could have given a new name to anybody. The operator claims names with a key that lies offline (`registry claim`). `audit --deny new` refuses such packages.",
    },
    Explanation {
        code: "MP0315",
        title: "a release was signed by a key that is revoked",
        next: "choose a release that was signed anew",
        text: "The key was good when it signed, and its publisher has revoked it since: it was lost or stolen at some time. What it signed before the revocation stays valid. `audit --deny unknown-key` refuses such releases; prefer one that was signed anew.",
    },
    Explanation {
        code: "MP0316",
        title: "a package's license is not taken",
        next: "choose another package, or allow the license",
        text: "`audit --deny license=…` names licenses that you do not take, `--allow-license …` the only ones that you do. The package's SPDX expression offers no choice that fits, or it states none.",
    },
    Explanation {
        code: "MP0317",
        title: "one name from two sources",
        next: "name each dependency's registry, and keep one of the two",
        text: "The lock file has packages of the same name from different registries or repositories. They need not have anything to do with one another, and one may be there because somebody hoped that it would be taken for the other.",
    },
    Explanation {
        code: "MP0318",
        title: "a locked package is not its registry's",
        next: "update the lock file, and find out where the entry came from",
        text: "The registry does not list the release that the lock file names, or has withdrawn it for good (a leak, malware); or the lock file gives it no checksum. Update the lock file and find out where the entry came from.",
    },
    Explanation {
        code: "MP0319",
        title: "an unpacked package was changed",
        next: "remove the folder, and cargo unpacks the archive anew",
        text: "Cargo builds from the folder to which it once unpacked the archive and does not look at the archive again. A file there is not what the verified archive holds. Remove the folder. `exec` and `fetch` see to it by themselves.",
    },
    Explanation {
        code: "MP0320",
        title: "a policy found something",
        next: "change what the lock file takes, or the policy",
        text: "A query of `audit --policy` or `--policy-example` has rows, and each is a finding; or it is an ASK, and \
            the answer is yes. `cargo marketplace sparql --with-lock -f FILE` shows the rows as a table.",
    },
    Explanation {
        code: "MP0401",
        title: "checksum mismatch",
        next: "fetch it anew, from another mirror if there is one, and tell the registry's operator",
        text: "The bytes that arrived are not the bytes that were published, on any mirror. \
            Nothing was written. Tell the operator: an archive was damaged or exchanged.",
    },
    Explanation {
        code: "MP0402",
        title: "a signature does not fit",
        next: "try another mirror, and tell the registry's operator",
        text: "Something signed was changed after signing, or was never signed by that key. \
            Nothing was written. This is never a fault of the network alone; tell the operator.",
    },
    Explanation {
        code: "MP0403",
        title: "an unknown or revoked key",
        next: "have the publisher sign with a key that is registered and not revoked; `cargo marketplace owner list PACKAGE` shows them",
        text: "The signature is by a key that has no say here, or has none any more. Nothing was \
            written.",
    },
    Explanation {
        code: "MP0404",
        title: "the registry's metadata has expired",
        next: "check this machine's clock, then tell the registry's operator",
        text: "A registry states until when its metadata is fresh. Past that, an attacker may be \
            showing an old state, or the operator forgot to renew it. Check this machine's clock, \
            then tell the operator. A copy expires with the last timestamp under which nothing of the \
            registry was withheld: `--offline` chooses from it all the same.",
    },
    Explanation {
        code: "MP0405",
        title: "the registry went back in time",
        next: "try again later or from another mirror: this one is behind, or hides something",
        text: "A lower number was served than one that was seen before. A registry only ever \
            counts up: a mirror is stale, or somebody hides something. A project's `marketplace.trust` \
            can demand a number that must have been reached, too. Nothing was written.",
    },
    Explanation {
        code: "MP0406",
        title: "signed metadata or a record is refused",
        next: "tell the registry's operator; `cargo marketplace registry check DIR` shows them what is wrong",
        text: "It is signed, or should be, and breaks a rule: a form that does not exist, a statement out of order, a role that may not speak. Nothing was written. Tell the operator.",
    },
    Explanation {
        code: "MP0407",
        title: "an archive or template is not safe to unpack",
        next: "use another archive, and tell its publisher",
        text: "It holds something else than plain files below its own folder: a link, a device, a name that leads outside or that another system cannot have, or more than the limits allow. Nothing was written.",
    },
    Explanation {
        code: "MP0408",
        title: "a project could replace verified packages",
        next: "remove what leads elsewhere from the project, or use plain cargo and trust it",
        text: "A setting or patch of the project would make cargo build something else in place of a verified package, or cargo was seen to do so. Nothing was built.",
    },
    Explanation {
        code: "MP0409",
        title: "a claimed name is in other hands",
        next: "try another mirror, and tell the registry's operator",
        text: "The registry's operator signed offline whose the package is, and what is served is not \
            that package: another record stands in its place, or none. Somebody who has the registry's \
            online key can do that, or a mirror that mixes files. Nothing was written. Tell the operator.",
    },
    Explanation {
        code: "MP0501",
        title: "v2 is not usable, v1 is read",
        next: "leave `--backend` away, and the other format is tried",
        text: "The Turtle document was missing or unreadable, and the verified JSON document of \
            the same content was used. A remark, not a danger: both are bound by the same record.",
    },
    Explanation {
        code: "MP0502",
        title: "a document disagrees with its statements",
        next: "try again later or from another mirror, and tell the registry's operator",
        text: "The v1 or v2 document says something else than the signed statements of the \
            package. There is no falling back over a disagreement. Nothing was written.",
    },
    Explanation {
        code: "MP0503",
        title: "the registry demands v2",
        next: "install a build that reads v2: `cargo install cargo-marketplace`",
        text: "Its policy, signed offline, lets no v1 be read: neither by `--backend v1` nor where v2 \
            cannot be had. A build that reads v1 alone cannot read this registry: install one with \
            the default features, `cargo install cargo-marketplace`.",
    },
    Explanation {
        code: "MP0601",
        title: "no signing key",
        next: "`cargo marketplace key new NAME` makes one",
        text: "Signing needs a key in the key folder. `cargo marketplace key new NAME` makes one.",
    },
    Explanation {
        code: "MP0602",
        title: "a role key of the registry is not at hand",
        next: "put the registry's role keys into the key folder; see `cargo marketplace key list`",
        text: "Changing a registry needs the keys of the roles that it signs anew. They are looked for in the key folder by their ids; the names do not matter.",
    },
    Explanation {
        code: "MP0603",
        title: "the name collides with another package",
        next: "choose a name that is further away",
        text: "Names that differ only in case or in `-` and `_` count as the same, so that nobody \
            can pass for another. Choose a name that is further away.",
    },
    Explanation {
        code: "MP0604",
        title: "the version exists",
        next: "a version is published once; raise it in `Cargo.toml`",
        text: "A version is published once and never changes. Raise the version in `Cargo.toml`. The same archive again is no error.",
    },
    Explanation {
        code: "MP0605",
        title: "the passphrase does not fit the key",
        next: "type it again; a lost passphrase cannot be found again",
        text: "The key file is sound, but this is not the passphrase that it was encrypted with. \
            Nobody can recover a lost one: make a new key with `cargo marketplace key new`, and \
            have the registry's operator register it.",
    },
    Explanation {
        code: "MP0606",
        title: "a package names the registry by a private address",
        next: "name the registry by its public address, or let `cargo marketplace package` do it",
        text: "The manifest in an archive says where each dependency comes from. It must be the \
            registry's public address, or nobody else could build the package. `publish` and \
            `package --registry-dir` see to that, wherever the registry is read; plain `cargo \
            package` writes the address that it was told.",
    },
    Explanation {
        code: "MP0607",
        title: "drafts of the registry's roles do not fit",
        next: "`cargo marketplace registry sign DIR --discard` throws the drafts away; then start again",
        text: "In `.drafts/` of the registry's folder lies the next version of roles that wait for \
            signatures. What lies there now is damaged, or says what those who sign would not be \
            shown, or the registry has moved on since it was drafted, or has published it, or it must \
            be finished before something else is drafted.",
    },
    Explanation {
        code: "MP0608",
        title: "the package has no owner",
        next: "the registry's operator gives it one: `cargo marketplace owner assign PACKAGE PUBLISHER --registry-dir DIR`",
        text: "The operator imported its releases, vouched for or unsigned, and nobody may publish \
            under its name. The operator gives it owners with `cargo marketplace owner assign PACKAGE \
            PUBLISHER --registry-dir DIR`, which needs a recovery key and the new owners' signatures.",
    },
    Explanation {
        code: "MP0609",
        title: "a change of a publisher's keys is refused",
        next: "make the change anew, with keys that are in force",
        text: "A new key is registered by a signature of an old one and of its own; a key is revoked \
            by another one that stays in force, or by the operator. Each key stays known for what it \
            signed, and no revocation is taken back. Nothing was written.",
    },
    Explanation {
        code: "MP0610",
        title: "signatures are missing on a submission",
        next: "`cargo marketplace sign SUBMISSION --registry-dir DIR --key NAME` adds a signature",
        text: "A package can have several owners of whom more than one must sign, and who becomes an \
            owner signs that, too. Hand the submission to those who are named: `cargo marketplace \
            sign SUBMISSION --registry-dir DIR --key NAME` adds a signature and changes nothing else.",
    },
    Explanation {
        code: "MP0611",
        title: "nobody has agreed to what is drafted",
        next: "look at it with `--dry-run`, then pass `--yes`",
        text: "Whoever signs a draft answers for it: other keys for a role, another number of bins, or \
            the same for longer. `registry sign` shows what is drafted and asks before it signs. Where \
            there is no terminal, look at it with `--dry-run` and pass `--yes`.",
    },
    Explanation {
        code: "MP0612",
        title: "counts of downloads cannot be published",
        next: "correct the file: a line `PACKAGE,DOWNLOADS` for each package",
        text: "`registry popularity` takes a text with a line `PACKAGE,DOWNLOADS` for each package, each \
            once, and a whole number that is not negative. Names of no package of the registry are left \
            out, and at least one must be left. Nothing was written.",
    },
    Explanation {
        code: "MP0701",
        title: "the registry folder is damaged",
        next: "`cargo marketplace registry check DIR` lists what is wrong",
        text: "A file is missing or is not what the signed metadata says. `cargo marketplace registry check DIR` lists everything that is wrong.",
    },
    Explanation {
        code: "MP0801",
        title: "SPARQL needs v2",
        next: "leave `--backend v1` away, or use a build that reads v2",
        text: "Queries run over the triples of the v2 index. v1 holds none, so there is nothing to \
            fall back to. Leave `--backend v1` away, or use a build that reads v2.",
    },
    Explanation {
        code: "MP0802",
        title: "the query is not valid",
        next: "`cargo marketplace sparql --list-examples` shows queries that are valid",
        text: "It is not SPARQL 1.1. The message says at which line and column the parser stopped, \
            and what could stand there.",
    },
    Explanation {
        code: "MP0803",
        title: "the query is refused",
        next: "ask for less at once: one registry's triples, a shorter and flatter query",
        text: "Queries see one registry's triples, on this machine: SERVICE, FROM and updates are \
            refused, as are queries that are too long or too deep for the parser (64 KiB, 100 \
            brackets within one another, 2000 operators, separators and brackets in all).",
    },
    Explanation {
        code: "MP0804",
        title: "the query reached a limit",
        next: "add LIMIT or a narrower pattern, or raise `--timeout` or `--max-memory`",
        text: "Time, memory and rows are limited, since a short query can ask for more than any \
            machine has. Add LIMIT or a narrower pattern, or raise `--timeout` or `--max-memory`.",
    },
    Explanation {
        code: "MP0805",
        title: "the dataset on this machine cannot be used",
        next: "run the command again; it is built anew from the registry's packs",
        text: "Search and SPARQL read a dataset that is compiled from the registry's v2 packs and kept \
            beside the copy of its metadata. What is damaged in it is noticed and built anew without \
            a question; this error means that this failed, too, or that the registry has more than a \
            dataset can number. Nothing that is installed depends on it.",
    },
    Explanation {
        code: "MP0806",
        title: "the answer does not fit the form",
        next: "rows and yes or no are a table, json, csv or tsv; a graph is turtle",
        text: "SELECT and ASK give rows, and yes or no: `--format table`, json, csv or tsv. CONSTRUCT and DESCRIBE \
            give a graph: `--format turtle`. A policy of `audit` is a SELECT or an ASK.",
    },
];
