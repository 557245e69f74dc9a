//! The only place that prints. stdout is for the answer, stderr for talk, in cargo's manner.
//!
//! What a registry says may hold escape sequences or line breaks that would forge our own lines.
//! Everything that is printed for people goes through [`sanitize`]; only bytes whose format is
//! fixed (JSON, Turtle, a completion script) go out as they are.

mod progress;
mod report;
mod sanitize;
mod units;

use std::collections::HashSet;
use std::io::{self, IsTerminal as _, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Effects, Style};
use serde_json::{Map, Value};

use super::error::{CommandError, Kind};
use crate::model::{Event, EventSink, Progress};
use progress::Bars;
use report::report;
pub use sanitize::{json_text, sanitize, sanitize_lines, turtle_text};
pub use units::{age, bytes, count};

const VERB: Style = AnsiColor::BrightGreen.on_default().effects(Effects::BOLD);
const ERROR: Style = AnsiColor::BrightRed.on_default().effects(Effects::BOLD);
const WARNING: Style = AnsiColor::BrightYellow.on_default().effects(Effects::BOLD);
const NOTE: Style = AnsiColor::BrightCyan.on_default().effects(Effects::BOLD);

/// The version of the JSON objects on stdout.
const SCHEMA: u64 = 1;

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// What happens, too.
    Normal,
    /// And why.
    Verbose,
}

/// The form of the answer on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum MessageFormat {
    /// Text for people.
    Human,
    /// One JSON object a line, each with `reason` and `schema`.
    Json,
}

/// What the shell needs to know of flags and environment.
#[derive(Debug, Clone, Copy)]
pub struct ShellOptions {
    /// How much is said.
    pub verbosity: Verbosity,
    /// The form of the answer.
    pub format: MessageFormat,
    /// Whether to colour; `Auto` asks the terminal and `NO_COLOR`.
    pub color: ColorChoice,
    /// Whether a progress bar may be shown on a terminal.
    pub progress: bool,
}

/// The two output streams. Shared between threads; a line is never broken by another.
pub struct Shell {
    options: ShellOptions,
    color_out: bool,
    streams: Mutex<Streams>,
}

struct Streams {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    /// The first failure to write the answer, a closed pipe apart.
    failure: Option<io::Error>,
    bars: Option<Bars>,
    /// Fallbacks that were reported: once a run is enough.
    reported: HashSet<String>,
}

impl Shell {
    /// A shell on the process's own streams.
    #[must_use]
    pub fn new(options: ShellOptions) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let chosen = match options.color {
            ColorChoice::Auto => AutoStream::choice(&err),
            choice => choice,
        };
        let color_out = match options.color {
            ColorChoice::Auto => AutoStream::choice(&out),
            choice => choice,
        };
        let bars = options.progress && err.is_terminal();
        let err = Box::new(AutoStream::new(err, chosen));
        Self::with_streams(
            options,
            color_out != ColorChoice::Never,
            bars,
            Box::new(out),
            err,
        )
    }

    fn with_streams(
        options: ShellOptions,
        color_out: bool,
        bars: bool,
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
    ) -> Self {
        let bars = bars && options.verbosity > Verbosity::Quiet;
        Self {
            options,
            color_out,
            streams: Mutex::new(Streams {
                out,
                err,
                failure: None,
                bars: bars.then(Bars::default),
                reported: HashSet::new(),
            }),
        }
    }

    /// Says whether stdout is to hold JSON lines.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.options.format == MessageFormat::Json
    }

    /// How much is said.
    #[must_use]
    pub fn verbosity(&self) -> Verbosity {
        self.options.verbosity
    }

    /// `style` where stdout is coloured, else none; for callers that align what they print.
    #[must_use]
    pub fn style(&self, style: Style) -> Style {
        if self.color_out { style } else { Style::new() }
    }

    /// Prints one line of the answer for people, unstyled.
    pub fn line(&self, text: &str) {
        self.write_out(format!("{}\n", sanitize(text)).as_bytes());
    }

    /// Prints several lines of the answer for people, line breaks kept.
    pub fn lines(&self, text: &str) {
        let text = sanitize_lines(text);
        let end = if text.ends_with('\n') { "" } else { "\n" };
        self.write_out(format!("{text}{end}").as_bytes());
    }

    /// Prints one line of the answer, each piece in its style and stripped of foreign sequences.
    pub fn styled_line(&self, pieces: &[(Style, &str)]) {
        let styled = |(style, text): &(Style, &str)| {
            let style = self.style(*style);
            format!("{style}{}{style:#}", sanitize(text))
        };
        let line: String = pieces.iter().map(styled).collect();
        self.write_out(format!("{line}\n").as_bytes());
    }

    /// Prints bytes of a fixed format to stdout as they are.
    pub fn bytes(&self, bytes: &[u8]) {
        self.write_out(bytes);
    }

    /// Prints a JSON object on a line of stdout, `reason` and `schema` first. `body` is an object;
    /// anything else goes under `value`.
    pub fn message(&self, reason: &str, body: Value) {
        let fields = match body {
            Value::Object(fields) => fields,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        // Written by hand because a JSON map does not keep the order of its keys.
        let mut json = format!(r#"{{"reason":{},"schema":{SCHEMA}"#, Value::from(reason));
        for (key, value) in fields {
            json.push_str(&[",", &Value::from(key).to_string(), ":", &value.to_string()].concat());
        }
        self.write_out(format!("{}}}\n", json_text(&json)).as_bytes());
    }

    /// Prints a status line: a verb of at most 12 letters, and its object.
    pub fn status(&self, verb: &str, object: &str) {
        if self.options.verbosity > Verbosity::Quiet {
            self.write_err(&format!("{VERB}{verb:>12}{VERB:#} {}\n", sanitize(object)));
        }
    }

    /// Prints a warning, quiet or not.
    pub fn warn(&self, text: &str) {
        self.coded_warning(None, text);
    }

    /// Prints a remark.
    pub fn note(&self, text: &str) {
        if self.options.verbosity > Verbosity::Quiet {
            self.write_err(&format!("{NOTE}note{NOTE:#}: {}\n", sanitize(text)));
        }
    }

    /// Prints a remark that only `--verbose` asks for.
    pub fn detail(&self, text: &str) {
        if self.options.verbosity > Verbosity::Normal {
            self.write_err(&format!("{NOTE}note{NOTE:#}: {}\n", sanitize(text)));
        }
    }

    /// Prints text that the argument parser has styled, to stdout for help, else to stderr.
    pub fn parser_text(&self, text: &clap::builder::StyledStr, to_stdout: bool) {
        if !to_stdout {
            self.write_err(&text.ansi().to_string());
        } else if self.color_out {
            self.write_out(text.ansi().to_string().as_bytes());
        } else {
            self.write_out(text.to_string().as_bytes());
        }
    }

    /// Reports why the command failed: to people on stderr, and to machines that asked, on stdout.
    pub fn error(&self, error: &CommandError) {
        let error = &error.clone().with_next_step();
        if self.is_json() {
            self.message("error", error.to_json());
        }
        if !matches!(error.kind, Kind::Passed(_)) {
            self.write_err(&report(("error", ERROR), error));
        }
    }

    /// Shows people what was found, as an error or as a warning; machines are told otherwise.
    pub fn finding(&self, error: &CommandError, is_denied: bool) {
        let word = match is_denied {
            true => ("error", ERROR),
            false => ("warning", WARNING),
        };
        self.write_err(&report(word, error));
    }

    /// Brings out what was printed so far; for commands that go on for long.
    pub fn flush(&self) {
        let mut streams = self.lock();
        let Streams { out, failure, .. } = &mut *streams;
        note_failure(failure, out.flush());
    }

    /// Ends the output: no bar stays, and a failure to write the answer comes to light.
    ///
    /// # Errors
    ///
    /// The first error other than a closed pipe.
    pub fn finish(&self) -> io::Result<()> {
        let mut streams = self.lock();
        let Streams {
            out, failure, bars, ..
        } = &mut *streams;
        bars.iter_mut().for_each(Bars::clear);
        note_failure(failure, out.flush());
        failure.take().map_or(Ok(()), Err)
    }

    fn coded_warning(&self, code: Option<&str>, text: &str) {
        if self.is_json() {
            let body = serde_json::json!({ "code": code, "message": text });
            self.message("warning", body);
        }
        let code = code.map(|code| format!("[{code}]")).unwrap_or_default();
        self.write_err(&format!(
            "{WARNING}warning{code}{WARNING:#}: {}\n",
            sanitize(text)
        ));
    }

    fn write_out(&self, bytes: &[u8]) {
        let mut streams = self.lock();
        let Streams {
            out, failure, bars, ..
        } = &mut *streams;
        let mut write = || note_failure(failure, out.write_all(bytes));
        match bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    /// What cannot be said on stderr cannot be said at all: failures are ignored.
    fn write_err(&self, text: &str) {
        let mut streams = self.lock();
        let Streams { err, bars, .. } = &mut *streams;
        let mut write = || drop(err.write_all(text.as_bytes()).and_then(|()| err.flush()));
        match bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Streams> {
        // A panic elsewhere leaves the streams as they are: still good to print on.
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for Shell {
    fn event(&self, event: Event) {
        match event {
            Event::Updating { registry } => self.status("Updating", &format!("`{registry}` index")),
            Event::UsingCopy {
                registry,
                reason,
                age_seconds,
            } => self.warn(&format!(
                "could not update `{registry}` ({reason}); using copy from {} ago",
                age(age_seconds)
            )),
            Event::FellBack { registry, reason } => {
                if self.lock().reported.insert(registry.to_string()) {
                    let text = format!("v2 of `{registry}` is not usable ({reason}), using v1");
                    self.coded_warning(Some("MP0501"), &text);
                }
            }
            Event::Downloading {
                name,
                version,
                size,
            } => {
                let size = size
                    .map(|size| format!(" ({})", bytes(size)))
                    .unwrap_or_default();
                self.status("Downloading", &format!("{name} v{version}{size}"));
            }
            Event::Status { verb, object } => self.status(verb, &object),
            Event::Warning(text) => self.warn(&text),
            Event::Note(text) => self.note(&text),
        }
    }

    fn progress(&self, progress: Progress) {
        if let Some(bars) = &mut self.lock().bars {
            bars.update(progress);
        }
    }
}

/// A reader that has seen enough (`| head`) is no failure.
fn note_failure(failure: &mut Option<io::Error>, result: io::Result<()>) {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            failure.get_or_insert(error);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
