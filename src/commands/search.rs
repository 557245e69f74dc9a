//! `search`: finding packages in the local copy of a registry. Sends no search term anywhere.

use anstyle::{AnsiColor, Effects, Style};
use clap::Args;
use serde_json::{Value, json};

use super::arguments::ReadArgs;
use super::context::Context;
use super::error::CommandError;
use super::license::{is_id, spelling};
use super::reading;
use crate::model::{PublisherId, TrustState, rust_version};
use crate::ranking::{Filters, Hit, Hits, SearchRequest};

const NAME: Style = AnsiColor::BrightGreen.on_default().effects(Effects::BOLD);
const COMMENT: Style = Style::new().effects(Effects::DIMMED);

/// Finds packages by name, keyword and description
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Words that must all occur (of three, two); the last one may be the start of a word
    #[arg(required_unless_present_any = ["keyword", "license", "rust_version", "owner", "trust"])]
    pub words: Vec<String>,

    /// The most results to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,

    /// Only packages with this keyword; may be repeated
    #[arg(long, value_name = "WORD")]
    pub keyword: Vec<String>,

    /// Only packages with this license (an SPDX id)
    #[arg(long, value_name = "LICENSE")]
    pub license: Option<String>,

    /// Only packages that build with this version of Rust
    #[arg(long, value_name = "VERSION")]
    pub rust_version: Option<String>,

    /// Only packages whose latest release is this publisher's
    #[arg(long, value_name = "ID")]
    pub owner: Option<PublisherId>,

    /// Only packages whose latest release is `signed`, `vouched` or `unsigned`
    #[arg(long, value_name = "STATE", value_parser = trust_state)]
    pub trust: Option<TrustState>,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(args: SearchArgs, context: &Context) -> Result<(), CommandError> {
    let request = request(&args)?;
    if let Some(license) = args.license.as_deref().filter(|text| !is_id(text)) {
        let meant = match spelling(license) {
            Some(meant) => format!("; did you mean `{meant}`?"),
            None => ", as `MIT` is, and no package is found by it".to_owned(),
        };
        context
            .shell
            .warn(&format!("`{license}` is no SPDX license id{meant}"));
    }
    let reading = reading::open(context, &args.read, None, context.recent()?)?;
    let found = reading.backend.search(&reading.client, &request)?;
    let shown = &found.best;
    if context.shell.is_json() {
        for hit in shown {
            context.shell.message("search-result", to_json(hit));
        }
        return Ok(());
    }
    let names = shown.iter().map(|hit| hit.release.name.as_str().len());
    let versions = shown.iter().map(|hit| version(hit).len());
    let widths = (names.max().unwrap_or(0), versions.max().unwrap_or(0));
    for hit in shown {
        print(hit, widths, context);
    }
    context.shell.note(&format!(
        "{} of {}; searched a local copy, nothing was sent",
        shown.len(),
        total(&found)
    ));
    Ok(())
}

/// How many results there are, and how they differ from what was typed.
fn total(found: &Hits) -> String {
    let (total, whole) = (found.total, found.with_all_words);
    let tolerance = match found.tolerant && total > 0 {
        true => " with one letter changed",
        false => "",
    };
    let missing = match whole {
        _ if whole == total => String::new(),
        0 => ", none with all words".to_owned(),
        _ => format!(", {whole} with all words"),
    };
    format!("{total} results{tolerance}{missing}")
}

fn request(args: &SearchArgs) -> Result<SearchRequest, CommandError> {
    let rust_version = match &args.rust_version {
        None => None,
        Some(text) => Some(rust_version(text).ok_or_else(|| {
            CommandError::usage(format!("`{text}` is not a Rust version, such as `1.85`"))
        })?),
    };
    Ok(SearchRequest {
        words: args.words.clone(),
        filters: Filters {
            keywords: args.keyword.clone(),
            license: args.license.clone(),
            rust_version,
            owner: args.owner.clone(),
            trust: args.trust,
        },
        limit: args.limit,
    })
}

fn trust_state(text: &str) -> Result<TrustState, String> {
    TrustState::from_word(text).ok_or_else(|| "it is `signed`, `vouched` or `unsigned`".to_owned())
}

fn version(hit: &Hit) -> String {
    format!("\"{}\"", hit.release.version)
}

fn print(hit: &Hit, (name_width, version_width): (usize, usize), context: &Context) {
    let release = &hit.release;
    let description = release.description.as_deref().unwrap_or_default();
    let description = description.lines().next().unwrap_or_default();
    let name = format!("{:name_width$}", release.name.as_str());
    let version = format!(" = {:version_width$}", version(hit));
    let trust = release.trust.map(TrustState::as_str).unwrap_or_default();
    context.shell.styled_line(&[
        (NAME, &name),
        (Style::new(), &version),
        (COMMENT, &format!("  # {description}")),
        (Style::new(), &format!("  {trust}")),
    ]);
}

fn to_json(hit: &Hit) -> Value {
    let release = &hit.release;
    json!({
        "name": release.name.as_str(),
        "version": release.version.to_string(),
        "description": release.description,
        "keywords": release.keywords,
        "trust": release.trust.map(TrustState::as_str),
        "score": hit.score,
    })
}
