//! The command line: one subcommand, one file, with its arguments and `run`.
//!
//! The only folder that prints, reads the environment or knows exit codes.

#![expect(
    clippy::needless_pass_by_value,
    reason = "every `run` takes its arguments whole, whether it uses them up or not"
)]
#![expect(
    clippy::struct_excessive_bools,
    reason = "a flag of the command line is a bool"
)]

pub mod add;
pub mod arguments;
pub mod audit;
pub mod completions;
mod confusion;
pub mod context;
pub mod error;
pub mod exec;
pub mod explain;
mod failures;
pub mod fetch;
pub mod handover;
pub mod info;
pub mod install;
pub mod key;
mod license;
mod locked;
pub mod man;
pub mod new;
pub mod owner;
pub mod package;
pub mod project;
pub mod project_trust;
pub mod prompt;
pub mod publish;
pub mod publishing;
pub mod reading;
pub mod refresh;
pub mod registry;
pub mod search;
pub mod shell;
pub mod sign;
pub mod signing;
pub mod sparql;
#[cfg(feature = "marketplace-v2")]
#[path = "sparql/answer.rs"]
mod sparql_answer;
#[cfg(not(feature = "marketplace-v2"))]
#[path = "sparql/refusal.rs"]
mod sparql_answer;
pub mod submitting;
pub mod tour;
pub mod verify;
pub mod yank;

use std::ffi::OsString;
use std::process::ExitCode;

use anstyle::{AnsiColor, Effects};
use clap::builder::Styles;
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

use arguments::GlobalArgs;
use context::Context;
use error::{CommandError, Kind};
use shell::{Shell, sanitize};

/// The colours of cargo's help.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::BrightGreen.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::BrightGreen.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::BrightCyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default())
    .error(AnsiColor::BrightRed.on_default().effects(Effects::BOLD))
    .valid(AnsiColor::BrightCyan.on_default().effects(Effects::BOLD))
    .invalid(AnsiColor::BrightYellow.on_default().effects(Effects::BOLD));

/// A signed Cargo registry made of static files, and the subcommand that uses it
#[derive(Debug, Parser)]
#[command(
    name = "cargo-marketplace",
    bin_name = "cargo marketplace",
    version,
    styles = STYLES,
    max_term_width = 100,
    infer_long_args = false,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    globals: GlobalArgs,
}

/// The subcommands; each one's help is the comment on its arguments.
#[derive(Debug, Subcommand)]
enum Command {
    Tour(tour::TourArgs),
    Search(search::SearchArgs),
    Info(info::InfoArgs),
    Sparql(sparql::SparqlArgs),
    Install(install::InstallArgs),
    Add(add::AddArgs),
    New(new::NewArgs),
    Fetch(fetch::FetchArgs),
    Exec(exec::ExecArgs),
    Verify(verify::VerifyArgs),
    Audit(audit::AuditArgs),
    Refresh(refresh::RefreshArgs),
    Key(key::KeyArgs),
    Package(package::PackageArgs),
    Sign(sign::SignArgs),
    Publish(publish::PublishArgs),
    Yank(yank::YankArgs),
    Owner(owner::OwnerArgs),
    Registry(registry::RegistryArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Explain(explain::ExplainArgs),
}

/// Runs the program: reads the command line, dispatches, reports.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = without_own_name(std::env::args_os().collect());
    let early = GlobalArgs {
        color: typed(&arguments, "--color"),
        message_format: typed(&arguments, "--message-format"),
        ..GlobalArgs::default()
    };
    match Cli::try_parse_from(&arguments) {
        Ok(cli) => run(cli),
        Err(error) => {
            let error = harmless(error, &arguments);
            let shell = Shell::new(context::shell_options(&early));
            let failed = error.use_stderr().then_some(Kind::Usage);
            if failed.is_some() && shell.is_json() {
                shell.message("error", usage(&error).to_json());
            }
            shell.parser_text(&error.render(), failed.is_none());
            finish(&shell, failed)
        }
    }
}

fn run(cli: Cli) -> ExitCode {
    let context = match Context::new(&cli.globals) {
        Ok(context) => context,
        Err(error) => {
            let shell = Shell::new(context::shell_options(&cli.globals));
            shell.error(&error);
            return finish(&shell, Some(error.kind));
        }
    };
    let failed = dispatch(cli.command, &context).err();
    if let Some(error) = &failed {
        context.shell.error(error);
    }
    finish(&context.shell, failed.map(|error| error.kind))
}

fn dispatch(command: Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::Tour(args) => tour::run(args, context),
        Command::Search(args) => search::run(args, context),
        Command::Info(args) => info::run(args, context),
        Command::Sparql(args) => sparql::run(args, context),
        Command::Install(args) => install::run(args, context),
        Command::Add(args) => add::run(args, context),
        Command::New(args) => new::run(args, context),
        Command::Fetch(args) => fetch::run(args, context),
        Command::Exec(args) => exec::run(args, context),
        Command::Verify(args) => verify::run(args, context),
        Command::Audit(args) => audit::run(args, context),
        Command::Refresh(args) => refresh::run(args, context),
        Command::Key(args) => key::run(args, context),
        Command::Package(args) => package::run(args, context),
        Command::Sign(args) => sign::run(args, context),
        Command::Publish(args) => publish::run(args, context),
        Command::Yank(args) => yank::run(args, context),
        Command::Owner(args) => owner::run(args, context),
        Command::Registry(args) => registry::run(args, context),
        Command::Completions(args) => completions::run(args, context),
        Command::Man(args) => man::run(args, context),
        Command::Explain(args) => explain::run(args, context),
    }
}

/// Ends the output and gives the exit code.
fn finish(shell: &Shell, failed: Option<Kind>) -> ExitCode {
    let unwritten = shell.finish().err();
    if let Some(error) = &unwritten {
        let text = "the answer could not be written to stdout";
        shell.error(&CommandError::failure(text).caused_by(Some(error)));
    }
    match failed.or(unwritten.map(|_| Kind::Failure)) {
        None => ExitCode::SUCCESS,
        Some(kind) => ExitCode::from(kind.exit_code()),
    }
}

/// The whole command line as the parser knows it, for completions and man pages.
pub(crate) fn cli() -> clap::Command {
    Cli::command()
}

/// `cargo marketplace x` runs `cargo-marketplace marketplace x`: drops that one word.
fn without_own_name(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|first| first == "marketplace") {
        arguments.remove(1);
    }
    arguments
}

/// What a flag asks for, also where the rest of the line cannot be parsed.
fn typed<T: ValueEnum>(arguments: &[OsString], flag: &str) -> Option<T> {
    let words: Vec<_> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let with_value = |word: &&str| {
        word.strip_prefix(flag)?
            .strip_prefix('=')
            .map(str::to_owned)
    };
    let value = words.iter().find_map(with_value).or_else(|| {
        let place = words.iter().position(|word| *word == flag)?;
        words.get(place + 1).map(|&word| word.to_owned())
    })?;
    T::from_str(&value, false).ok()
}

/// The error without what drives a terminal: the parser quotes arguments as they are, between its own
/// colours. So it is asked again, with arguments that can be shown.
fn harmless(error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let words = arguments.iter().map(|word| word.to_string_lossy());
    let clean: Vec<OsString> = words
        .map(|word| sanitize(&word).into_owned().into())
        .collect();
    if !error.use_stderr() || clean == arguments {
        return error;
    }
    match Cli::try_parse_from(clean) {
        Err(clean) if clean.use_stderr() => clean,
        _ => cli().error(
            error.kind(),
            "an argument holds characters that are not shown",
        ),
    }
}

/// The parser's error in one line, without its `error: ` and what it adds by way of help.
fn usage(error: &clap::Error) -> CommandError {
    let text = error.render().to_string();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let line = lines.join(" ");
    CommandError::usage(line.strip_prefix("error: ").unwrap_or(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        cli().debug_assert();
    }

    #[test]
    fn drops_its_own_name_once() {
        let typed = ["cargo-marketplace", "marketplace", "marketplace", "x"];
        let typed = typed.map(OsString::from).to_vec();
        assert_eq!(
            without_own_name(typed),
            ["cargo-marketplace", "marketplace", "x"]
        );
    }
}
