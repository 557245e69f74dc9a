//! Arguments that several commands share, and how their values are read.

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};

use super::shell::MessageFormat;
use crate::model::{PackageSpec, RegistryName, Span, SpecError};

/// Flags that every command takes, before or after its name.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Say nothing but warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more about what is done and why
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// Colour the output: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", hide_possible_values = true)]
    pub color: Option<ColorArg>,

    /// Use no network: work from what was fetched and verified before
    #[arg(long, global = true)]
    pub offline: bool,

    /// The answer on stdout: human, or json (one object a line)
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    pub message_format: Option<MessageFormat>,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorArg {
    /// The choice that a word in the environment names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::from_str(word, false).ok()
    }
}

/// Which registry to read, and how.
#[derive(Debug, Clone, Default, Args)]
pub struct ReadArgs {
    /// The registry; needed only where several are known
    #[arg(long, value_name = "NAME")]
    pub registry: Option<RegistryName>,

    /// Read this index format, v1 or v2
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub backend: Option<BackendArg>,
}

/// What a query may use.
#[derive(Debug, Clone, Copy, Args)]
pub struct QueryLimits {
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub timeout: Duration,

    /// Give up at this much memory
    #[arg(long, value_name = "AMOUNT", default_value = "1GiB", value_parser = memory)]
    pub max_memory: u64,
}

/// How old a release must be.
#[derive(Debug, Clone, Default, Args)]
pub struct CooldownArgs {
    /// Choose no release younger than this, as `3d`, `12h` or `2w`, unless it is locked or asked for
    /// exactly; `0` chooses any
    #[arg(long, value_name = "TIME")]
    pub cooldown: Option<Span>,
}

/// An index format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BackendArg {
    /// Cargo's JSON lines.
    V1,
    /// Turtle.
    V2,
}

/// What of a workspace to package, and how carefully.
#[derive(Debug, Clone, Default, Args)]
pub struct PackagingArgs {
    /// A package of the workspace; may be repeated
    #[arg(short, long = "package", value_name = "PACKAGE")]
    pub packages: Vec<String>,

    /// All packages of the workspace that may be published
    #[arg(long, conflicts_with = "packages")]
    pub workspace: bool,

    /// Package even if there are changes that are not committed
    #[arg(long)]
    pub allow_dirty: bool,

    /// Do not build the package from its archive
    #[arg(long)]
    pub no_verify: bool,
}

/// What `install` hands on to cargo about features.
#[derive(Debug, Clone, Default, Args)]
pub struct FeatureArgs {
    /// Features to turn on, separated by commas or spaces
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub features: Vec<String>,

    /// Turn on all features
    #[arg(long)]
    pub all_features: bool,

    /// Leave the default features off
    #[arg(long)]
    pub no_default_features: bool,
}

impl FeatureArgs {
    /// The same arguments for cargo.
    #[must_use]
    pub fn to_cargo(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        for features in &self.features {
            arguments.extend(["--features".into(), features.into()]);
        }
        if self.all_features {
            arguments.push("--all-features".into());
        }
        if self.no_default_features {
            arguments.push("--no-default-features".into());
        }
        arguments
    }
}

/// Reads `KEY=VALUE`.
pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// Reads a package of which all releases are meant: `name`, `registry/name`.
pub(super) fn whole_package(text: &str) -> Result<PackageSpec, String> {
    let spec: PackageSpec = text.parse().map_err(|error: SpecError| error.to_string())?;
    match spec.requirement {
        None => Ok(spec),
        Some(_) => Err(format!(
            "expected a package and no version, as `{}`",
            spec.name
        )),
    }
}

/// Reads a span of time: `500ms`, `10s`, `2min`.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = number_and_unit(text)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" | "" => 1_000,
        "min" | "m" => 60_000,
        _ => return Err("expected a time such as 500ms, 10s or 2min".to_owned()),
    };
    match number.checked_mul(milliseconds) {
        Some(0) => Err("expected at least 1ms".to_owned()),
        Some(time) => Ok(Duration::from_millis(time)),
        None => Err("too long".to_owned()),
    }
}

/// The least memory that does any work: the program itself takes about half.
const LEAST_MEMORY: u64 = 64 << 20;

/// Reads an amount of memory: `512MiB`, `1GiB`.
fn memory(text: &str) -> Result<u64, String> {
    let (number, unit) = number_and_unit(text)?;
    let bytes = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err("expected an amount such as 512MiB or 1GiB".to_owned()),
    };
    match number.checked_mul(bytes) {
        Some(amount) if amount < LEAST_MEMORY => Err("expected at least 64MiB".to_owned()),
        Some(amount) => Ok(amount),
        None => Err("too much".to_owned()),
    }
}

fn number_and_unit(text: &str) -> Result<(u64, &str), String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    match number.parse() {
        Ok(number) => Ok((number, unit.trim())),
        Err(_) => Err("expected a number and a unit".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_and_amounts() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(memory("1GiB"), Ok(1 << 30));
        for bad in [
            "",
            "s",
            "-1s",
            "1h",
            "1.5s",
            "99999999999999999999s",
            "18446744073709551615min",
            "0s",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        for bad in ["1GB", "99999999999999999GiB", "0", "1B", "65535KiB"] {
            assert!(memory(bad).is_err(), "{bad}");
        }
        assert_eq!(memory("65536KiB"), Ok(LEAST_MEMORY));
    }

    #[test]
    fn a_whole_package_has_no_version() {
        let spec = whole_package("harbour/tide-table").unwrap();
        assert_eq!(spec.to_string(), "harbour/tide-table");
        for bad in ["tide-table@1", "harbour/tide-table@=1.2.3", "a/b/c", ""] {
            assert!(whole_package(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_may_hold_the_sign() {
        assert_eq!(key_value("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(key_value("=x").is_err() && key_value("x").is_err());
    }
}
