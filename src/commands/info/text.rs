//! A package for people: in the manner of `cargo info`, a field a line.

use std::collections::BTreeSet;

use anstyle::{AnsiColor, Effects, Style};

use super::{InfoArgs, Known};
use crate::commands::publishing::{describe, describe_owners};
use crate::commands::shell::Shell;
use crate::model::{
    Body, Dependency, DependencyKind, Entry, Owners, Release, TrustState, Yank, same_release,
};
use crate::registry::catalog::source_word;
use crate::trust::{SignedStatement, Signer};

const NAME: Style = AnsiColor::BrightGreen.on_default().effects(Effects::BOLD);
const PLAIN: Style = Style::new();
const WORDS: Style = Style::new().effects(Effects::DIMMED);
/// The most dependencies on one line.
const ON_A_LINE: usize = 8;

/// Prints all that was asked for.
pub(super) fn show(known: &Known<'_>, args: &InfoArgs, shell: &Shell) {
    let release = &known.entry.release;
    heading(release, shell);
    let field = |name: &str, text: Option<String>| field(shell, name, text);
    field("version", Some(version(known)));
    field("yanked", known.entry.yanked.as_ref().map(yanked));
    field("license", release.license.clone());
    field("rust-version", release.rust_version.clone());
    field("contains", contains(release));
    let (word, text) = trust(known);
    field(word, text);
    field(
        "owners",
        known
            .state
            .owners
            .as_ref()
            .map(|owners| owned(owners, known.state.is_claimed)),
    );
    field("commit", release.commit.clone());
    field("repository", release.repository.clone());
    field("homepage", release.homepage.clone());
    field("documentation", release.documentation.clone());
    if !args.deps {
        field("dependencies", Some(dependencies_in_short(release)));
    }
    if !args.dependents {
        let count = known.dependents.as_ref().map(|all| all.len().to_string());
        let unknown = || "unknown, without the catalog".to_owned();
        field("dependents", Some(count.unwrap_or_else(unknown)));
    }
    block(shell, "features", &features(release));
    if args.versions {
        block(shell, "versions", &versions(known));
    }
    if args.deps {
        dependencies(release, shell);
    }
    if args.dependents {
        block(shell, "dependents", &dependents(known));
    }
    if args.signatures {
        block(shell, "signatures", &signatures(known));
    }
}

fn heading(release: &Release, shell: &Shell) {
    let keywords = release.keywords.iter().map(|word| format!(" #{word}"));
    let keywords: String = keywords.collect();
    shell.styled_line(&[(NAME, release.name.as_str()), (WORDS, &keywords)]);
    if let Some(description) = &release.description {
        shell.line(description.trim());
    }
}

fn field(shell: &Shell, name: &str, text: Option<String>) {
    if let Some(text) = text {
        shell.styled_line(&[(NAME, name), (NAME, ":"), (PLAIN, " "), (PLAIN, &text)]);
    }
}

/// A heading with lines below it; `none` where there are none.
fn block(shell: &Shell, name: &str, lines: &[String]) {
    if lines.is_empty() {
        // Features that a package does not have are not worth a line.
        if name != "features" {
            field(shell, name, Some("none".into()));
        }
        return;
    }
    shell.styled_line(&[(NAME, name), (NAME, ":")]);
    for line in lines {
        shell.line(&format!("  {line}"));
    }
}

/// `0.3.1 (latest; 2 others, 1 yanked)`.
fn version(known: &Known<'_>) -> String {
    let (shown, document) = (&known.entry.release.version, known.document);
    let mut remarks = Vec::new();
    match document.latest().map(|entry| &entry.release.version) {
        Some(latest) if latest == shown => remarks.push("latest".to_owned()),
        Some(latest) => remarks.push(format!("latest is {latest}")),
        None => {}
    }
    let others = || {
        let others = document.entries.iter();
        others.filter(|entry| !same_release(&entry.release.version, shown))
    };
    let yanked = match others().filter(|entry| entry.yanked.is_some()).count() {
        0 => String::new(),
        count => format!(", {count} yanked"),
    };
    match others().count() {
        0 => {}
        1 => remarks.push(format!("1 other{yanked}")),
        count => remarks.push(format!("{count} others{yanked}")),
    }
    in_brackets(&shown.to_string(), &remarks)
}

fn yanked(yank: &Yank) -> String {
    match &yank.reason {
        Some(reason) => format!("\"{reason}\""),
        None => "no reason given".to_owned(),
    }
}

fn contains(release: &Release) -> Option<String> {
    let kinds = &release.kinds;
    let mut parts = Vec::new();
    parts.extend(kinds.library.then(|| "library".to_owned()));
    parts.extend(kinds.binaries.iter().map(|name| format!("binary `{name}`")));
    parts.extend(kinds.template.then(|| "template".to_owned()));
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Who answers for the release: `signed`, `ed25519:7Q2M-9K1D by harbour (verified, root v3)`.
fn trust(known: &Known<'_>) -> (&'static str, Option<String>) {
    let word = known.entry.trust.map_or("trust", TrustState::as_str);
    let Some(statement) = known.statement() else {
        return (word, Some("no statement".to_owned()));
    };
    let source = match &statement.statement.body {
        Body::Vouch {
            source: Some(source),
            ..
        }
        | Body::Unsigned {
            source: Some(source),
            ..
        } => format!(" as served by {source}"),
        _ => String::new(),
    };
    let who = match statement.statement.body {
        Body::Unsigned { .. } => "listed by the registry".to_owned(),
        _ => signers(statement),
    };
    let text = format!("{who}{source} (verified, root v{})", known.root_version);
    (word, Some(text))
}

/// `harbour (1 of 1 must sign)`; of a name that no offline key has confirmed, that it is new.
fn owned(owners: &Owners, is_claimed: bool) -> String {
    let new = if is_claimed {
        ""
    } else {
        "; new, by the online key's word only"
    };
    describe_owners(owners) + new
}

fn signers(statement: &SignedStatement) -> String {
    let all = statement.signers.iter().map(signer);
    all.collect::<Vec<_>>().join(", ")
}

fn signer(signer: &Signer) -> String {
    let who = signer.publisher.as_ref();
    let who = who.map_or("the registry's operator", |publisher| publisher.as_str());
    format!("{} by {who}", signer.key.fingerprint())
}

/// What is needed to build and run, on a line.
fn dependencies_in_short(release: &Release) -> String {
    let needed = release.dependencies.iter();
    let needed = needed.filter(|dependency| dependency.kind != DependencyKind::Dev);
    let mut all: Vec<String> = needed.map(|it| dependency(it, false)).collect();
    if all.len() > ON_A_LINE {
        let rest = all.len() - ON_A_LINE;
        all.truncate(ON_A_LINE);
        all.push(format!("and {rest} more (--deps)"));
    }
    if all.is_empty() {
        return "none".to_owned();
    }
    all.join(", ")
}

fn dependencies(release: &Release, shell: &Shell) {
    let kinds = [
        ("dependencies", DependencyKind::Normal),
        ("build-dependencies", DependencyKind::Build),
        ("dev-dependencies", DependencyKind::Dev),
    ];
    for (heading, kind) in kinds {
        let of_kind = release.dependencies.iter().filter(|it| it.kind == kind);
        let lines: Vec<String> = of_kind.map(|it| dependency(it, true)).collect();
        if kind == DependencyKind::Normal || !lines.is_empty() {
            block(shell, heading, &lines);
        }
    }
}

/// `libm-lite ^0.2.4 (crates.io, optional)`; `whole` says also which features it turns on.
fn dependency(dependency: &Dependency, whole: bool) -> String {
    let mut remarks: Vec<String> = Vec::new();
    remarks.extend(source_word(&dependency.source).map(str::to_owned));
    if !whole && dependency.kind == DependencyKind::Build {
        remarks.push("to build".to_owned());
    }
    remarks.extend(dependency.optional.then(|| "optional".to_owned()));
    remarks.extend(
        dependency
            .target
            .as_ref()
            .map(|target| format!("on {target}")),
    );
    if whole {
        let off = !dependency.default_features;
        remarks.extend(off.then(|| "no default features".to_owned()));
        let features = dependency.features.join(", ");
        remarks.extend((!features.is_empty()).then(|| format!("features {features}")));
    }
    let rename = dependency.rename.as_ref();
    let rename = rename.map(|name| format!(" as {name}")).unwrap_or_default();
    let (package, requirement) = (&dependency.package, &dependency.requirement);
    in_brackets(&format!("{package} {requirement}{rename}"), &remarks)
}

/// `text (remark; remark)`.
fn in_brackets(text: &str, remarks: &[String]) -> String {
    if remarks.is_empty() {
        return text.to_owned();
    }
    format!("{text} ({})", remarks.join("; "))
}

/// Features with what they turn on; those that are on by default first, with a `+`.
fn features(release: &Release) -> Vec<String> {
    let mut on = BTreeSet::new();
    let mut next = vec!["default"];
    while let Some(name) = next.pop() {
        if let Some((name, values)) = release.features.get_key_value(name)
            && on.insert(name)
        {
            next.extend(values.iter().map(String::as_str));
        }
    }
    let width = release.features.keys().map(String::len).max();
    let mut all: Vec<_> = release.features.iter().collect();
    all.sort_by_key(|(name, _)| (*name != "default", !on.contains(name)));
    let line = |(name, values): (&String, &Vec<String>)| {
        let (mark, width) = (
            if on.contains(name) { '+' } else { ' ' },
            width.unwrap_or(0),
        );
        format!("{mark}{name:width$} = [{}]", values.join(", "))
    };
    all.into_iter().map(line).collect()
}

fn versions(known: &Known<'_>) -> Vec<String> {
    let releases = known.releases();
    let text = |entry: &Entry| entry.release.version.to_string();
    let width = releases.iter().map(|entry| text(entry).len()).max();
    let width = width.unwrap_or(0);
    let line = |entry: &&Entry| {
        let date = entry.accepted.map(|time| time.to_string());
        let date = date.as_deref().and_then(|time| time.get(..10));
        let trust = entry.trust.map_or("", TrustState::as_str);
        let yanked = entry.yanked.as_ref().map(yanked);
        let yanked = yanked.map(|reason| format!("  yanked: {reason}"));
        let (date, yanked) = (date.unwrap_or_default(), yanked.unwrap_or_default());
        format!("{:width$}  {date}  {trust}{yanked}", text(entry))
    };
    releases.iter().map(line).collect()
}

fn dependents(known: &Known<'_>) -> Vec<String> {
    let Some(dependents) = &known.dependents else {
        return vec!["unknown, without the catalog".to_owned()];
    };
    let line = |one: &super::Dependent<'_>| {
        let release = &one.entry.release;
        let (name, version) = (&release.name, &release.version);
        format!("{name} {version} needs {}", one.dependency.requirement)
    };
    dependents.iter().map(line).collect()
}

fn signatures(known: &Known<'_>) -> Vec<String> {
    let line = |signed: &SignedStatement| {
        let statement = &signed.statement;
        let body = describe(&statement.body);
        let signers = match signed.signers.is_empty() {
            true => "unsigned".to_owned(),
            false => signers(signed),
        };
        format!("{} {body}, {signers}", statement.sequence)
    };
    known.statements.iter().map(line).collect()
}
