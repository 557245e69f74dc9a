//! The client of `cargo marketplace` behind the command line that the TUF conformance suite asks of a
//! client under test. The state machine is the shipped one; only the verifier knows one more kind of
//! key, and an older timestamp, which we put aside, is the failure that the suite expects.

mod ecdsa;
mod folder;
mod server;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use cargo_marketplace::model::UtcTime;
use cargo_marketplace::trust::tuf::{Change, Lookup, Mode, Request, Settings, Updater};
use clap::{Parser, Subcommand};

use crate::folder::Folder;
use crate::server::Server;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Debug, Parser)]
struct Arguments {
    /// Where trusted metadata is kept
    #[arg(long)]
    metadata_dir: PathBuf,

    /// The address of the repository's metadata
    #[arg(long, default_value = "")]
    metadata_url: String,

    /// The path of a target to download; may be repeated
    #[arg(long)]
    target_name: Vec<String>,

    /// The address of the repository's targets
    #[arg(long, default_value = "")]
    target_base_url: String,

    /// Where downloaded targets are put
    #[arg(long, default_value = ".")]
    target_dir: PathBuf,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Trusts a root file
    Init {
        /// The file
        trusted_root: PathBuf,
    },
    /// Brings metadata up to date
    Refresh,
    /// Brings metadata up to date and downloads targets
    Download,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&*error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the suite shows what a client says")]
fn report(error: &dyn Error) {
    let mut next = Some(error);
    while let Some(error) = next {
        eprintln!("{error}");
        next = error.source();
    }
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let metadata = Folder::new(&arguments.metadata_dir);
    match &arguments.command {
        Command::Init { trusted_root } => {
            metadata.write("root.json", &std::fs::read(trusted_root)?)
        }
        Command::Refresh => refresh(arguments, &metadata).map(drop),
        Command::Download => download(arguments, &metadata),
    }
}

fn refresh(arguments: &Arguments, metadata: &Folder) -> Outcome<Updater> {
    let root = metadata.read("root.json")?.ok_or("no root is trusted")?;
    let settings = Settings {
        now: now()?,
        mode: Mode::Online,
        verifier: ecdsa::verify,
    };
    let mut updater = Updater::start(&root, settings)?;
    answer(&mut updater, arguments, metadata)?;
    match updater.rollback() {
        None => Ok(updater),
        Some(older) => Err(older.into()),
    }
}

/// Answers what the state machine asks for, until it asks for nothing more.
fn answer(updater: &mut Updater, arguments: &Arguments, metadata: &Folder) -> Outcome<()> {
    let server = Server::new(&arguments.metadata_url)?;
    while let Some(request) = updater.next_request() {
        let answer = match request {
            Request::Stored { name } => metadata.read(&name)?,
            Request::Remote {
                path, max_bytes, ..
            } => server.get(&path, max_bytes)?,
        };
        for change in updater.supply(answer)? {
            match change {
                Change::Write { name, bytes } => metadata.write(&name, &bytes)?,
                Change::Remove { name } => metadata.remove(&name)?,
            }
        }
    }
    Ok(())
}

fn download(arguments: &Arguments, metadata: &Folder) -> Outcome<()> {
    let mut updater = refresh(arguments, metadata)?;
    let server = Server::new(&arguments.target_base_url)?;
    let targets = Folder::new(&arguments.target_dir);
    for name in &arguments.target_name {
        let file = loop {
            match updater.find_target(name)? {
                Lookup::Found(file) => break file,
                Lookup::Absent => return Err(format!("no role lists `{name}`").into()),
                Lookup::Needs => answer(&mut updater, arguments, metadata)?,
            }
        };
        let kept = targets.read(name)?;
        if kept.is_some_and(|bytes| file.verify(bytes).is_ok()) {
            continue;
        }
        let bytes = server.get(file.location(), file.length())?;
        let bytes = bytes.ok_or_else(|| format!("`{name}` is not there"))?;
        targets.write(name, &file.verify(bytes)?.bytes)?;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the suite sets the clock of this process"
)]
fn now() -> Outcome<UtcTime> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let time = UtcTime::from_unix(seconds.try_into()?);
    Ok(time.ok_or("the clock gives no time")?)
}
