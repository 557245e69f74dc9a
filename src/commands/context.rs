//! What a command knows of its surroundings: settings, folders, the clock, randomness. Built once;
//! environment and clock are read here and nowhere else.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use anstream::ColorChoice;
use zeroize::Zeroizing;

use super::arguments::{ColorArg, GlobalArgs};
use super::error::{CommandError, Kind};
use super::shell::{MessageFormat, Shell, ShellOptions, Verbosity};
use crate::disk;
use crate::model::{RegistryName, Span, UtcTime};
use crate::publish::keystore::Keystore;
use crate::ranking::nearest;
use crate::registry::cargo_settings::CargoSettings;
use crate::registry::config::{Config, ConfigError, Registry};
use crate::registry::credentials::Credentials;
use crate::registry::freshness::Need;
use crate::registry::network;
use crate::registry::transport::{BaseUrl, Network};

/// A command's surroundings.
pub struct Context {
    /// Where to print.
    pub shell: Shell,
    /// The working folder.
    pub cwd: PathBuf,
    /// Cargo's home folder.
    pub cargo_home: PathBuf,
    /// Our folder in it: configuration, keys, what was learnt of registries.
    pub home: PathBuf,
    /// The cargo program: the one that called us, else the one on the path.
    pub cargo: OsString,
    /// No network is to be used.
    pub offline: bool,
    /// The time when the command started; the same for all that it checks.
    pub now: UtcTime,
    keys: PathBuf,
    registry: Option<RegistryName>,
    /// The folder of the manifest that the user named, if they did.
    project: OnceLock<PathBuf>,
    cooldown: Option<Span>,
    refresh_after: Option<Span>,
    /// What the configuration holds in vain was said.
    has_warned: AtomicBool,
    passphrase: Option<Zeroizing<String>>,
    settings: Result<CargoSettings, CommandError>,
}

impl Context {
    /// Reads flags and environment.
    ///
    /// # Errors
    ///
    /// A setting that makes no sense, or no home folder.
    pub fn new(globals: &GlobalArgs) -> Result<Self, CommandError> {
        let cwd = working_folder()?;
        let cargo_home = match variable("CARGO_HOME") {
            Some(home) => cwd.join(home),
            None => std::env::home_dir()
                .ok_or_else(|| CommandError::failure("no home folder: set CARGO_HOME"))?
                .join(".cargo"),
        };
        let home = match variable("CARGO_MARKETPLACE_HOME") {
            Some(home) => cwd.join(home),
            None => cargo_home.join("marketplace"),
        };
        let keys = match variable("CARGO_MARKETPLACE_KEYS") {
            Some(keys) => cwd.join(keys),
            None => home.join("keys"),
        };
        let settings = CargoSettings::load(&cargo_home, &cwd, variables());
        let settings = settings.map_err(|error| CommandError::from_error(Kind::Failure, &error));
        let offline = match &settings {
            _ if globals.offline || is_set("CARGO_NET_OFFLINE") => true,
            Ok(settings) => network::is_offline(settings)?,
            // Told by whoever needs them.
            Err(_) => false,
        };
        Ok(Self {
            shell: Shell::new(shell_options(globals)),
            offline,
            settings,
            now: now()?,
            registry: parsed("CARGO_MARKETPLACE_REGISTRY", "names no registry")?,
            cooldown: parsed("CARGO_MARKETPLACE_COOLDOWN", "gives no time")?,
            refresh_after: parsed("CARGO_MARKETPLACE_REFRESH_AFTER", "gives no time")?,
            project: OnceLock::new(),
            has_warned: AtomicBool::new(false),
            passphrase: text_variable("CARGO_MARKETPLACE_KEY_PASSPHRASE")?.map(Zeroizing::new),
            cargo: variable("CARGO").unwrap_or_else(|| "cargo".into()),
            cwd,
            cargo_home,
            home,
            keys,
        })
    }

    /// The user's configuration.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let config = Config::load(&self.home)?;
        self.warn_of_keys(&config);
        Ok(config)
    }

    /// Says once which keys of the configuration mean nothing.
    fn warn_of_keys(&self, config: &Config) {
        if self.has_warned.swap(true, Ordering::Relaxed) {
            return;
        }
        for (key, known) in config.unknown_keys() {
            let (_, last) = key.rsplit_once('.').unwrap_or(("", &key));
            let meant = match nearest(last, known.iter().copied()) {
                Some(near) => format!("; did you mean `{near}`?"),
                None => String::new(),
            };
            let path = config.path().display();
            self.shell
                .warn(&format!("`{key}` in `{path}` means nothing{meant}"));
        }
    }

    /// Keeps other commands from changing the user's configuration, ours and cargo's, until dropped.
    pub fn lock_config(&self) -> Result<File, CommandError> {
        Ok(disk::lock(&self.home.join("config.lock"))?)
    }

    /// The registry to work with: the one that was named, that of `CARGO_MARKETPLACE_REGISTRY`, or
    /// the only one.
    pub fn registry(&self, name: Option<&RegistryName>) -> Result<Registry, ConfigError> {
        self.config()?.choose(name.or(self.registry.as_ref()))
    }

    /// Cargo's settings of the user, never of a project.
    pub fn cargo_settings(&self) -> Result<&CargoSettings, CommandError> {
        self.settings.as_ref().map_err(Clone::clone)
    }

    /// How servers are reached.
    pub fn network(&self) -> Result<Network, CommandError> {
        Ok(network::network(self.cargo_settings()?)?)
    }

    /// What to show to a registry that asks who reads it.
    pub fn credentials(
        &self,
        name: &RegistryName,
        url: &BaseUrl,
        is_required: bool,
    ) -> Result<Option<Arc<Credentials<'_>>>, CommandError> {
        let settings = self.cargo_settings()?;
        Ok(Credentials::new(settings, name.clone(), url, is_required).map(Arc::new))
    }

    /// The manifest that the user named, absolute. From here on its folder is a project's, whose
    /// demands count like those of the working folder.
    pub fn manifest(&self, path: Option<&PathBuf>) -> Option<PathBuf> {
        let path = self.absolute(path?);
        if let Some(folder) = path.parent() {
            // The first one named counts; no command takes two.
            let _ = self.project.set(folder.to_owned());
        }
        Some(path)
    }

    /// The folders from which the project at hand is looked for.
    pub fn project_folders(&self) -> impl Iterator<Item = PathBuf> {
        let named = self.project.get().filter(|folder| **folder != self.cwd);
        std::iter::once(self.cwd.clone()).chain(named.cloned())
    }

    /// How old a release must be to be chosen: what the flag says, else `CARGO_MARKETPLACE_COOLDOWN`,
    /// else the user's configuration.
    pub fn cooldown(&self, flag: Option<Span>) -> Result<Span, CommandError> {
        if let Some(cooldown) = flag.or(self.cooldown) {
            return Ok(cooldown);
        }
        Ok(self.config()?.cooldown()?.unwrap_or_default())
    }

    /// What a command needs that chooses nothing: a copy will do that is no older than
    /// `CARGO_MARKETPLACE_REFRESH_AFTER` says, else the user's configuration.
    pub fn recent(&self) -> Result<Need, CommandError> {
        if let Some(span) = self.refresh_after {
            return Ok(Need::Recent(span));
        }
        let span = self.config()?.refresh_after()?;
        Ok(Need::Recent(span.unwrap_or(Span::QUARTER)))
    }

    /// The registry that a command works with unless another one is named: that of
    /// `CARGO_MARKETPLACE_REGISTRY`.
    #[must_use]
    pub const fn default_registry(&self) -> Option<&RegistryName> {
        self.registry.as_ref()
    }

    /// The user's keys.
    #[must_use]
    pub fn keystore(&self) -> Keystore {
        Keystore::new(self.keys.clone())
    }

    /// The passphrase from the environment. Foreign code could read it there, so a command that
    /// runs any must refuse when there is one.
    #[must_use]
    pub fn passphrase(&self) -> Option<&str> {
        self.passphrase.as_ref().map(|text| text.as_str())
    }

    /// Refuses what runs foreign code (`doing`, as `packaging`) while a passphrase is in the
    /// environment. Cargo gets none of it, but a build script can read that of the processes above
    /// its own.
    pub fn refuse_passphrase(&self, doing: &str, help: &str) -> Result<(), CommandError> {
        if self.passphrase().is_none() {
            return Ok(());
        }
        let text = format!("a passphrase is in the environment, and {doing} runs foreign code");
        let error = CommandError::failure(text).with_note("a build script could read it");
        Err(error.with_help(help))
    }

    /// `path` from the working folder.
    #[must_use]
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.cwd.join(path)
    }

    /// Reads a file that the user named.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>, CommandError> {
        let refused = || CommandError::failure(format!("cannot read `{}`", path.display()));
        let bytes = disk::read_start(&self.absolute(path), disk::LIMIT + 1);
        let bytes = bytes.map_err(|failure| refused().caused_by(Some(&failure.source)))?;
        // Also what has no end, as a device.
        match bytes.len() as u64 > disk::LIMIT {
            true => Err(refused().with_note("it is larger than any file that this program reads")),
            false => Ok(bytes),
        }
    }

    /// Fresh random bytes from the system.
    ///
    /// # Errors
    ///
    /// The system has none to give.
    pub fn random<const N: usize>(&self) -> Result<Zeroizing<[u8; N]>, CommandError> {
        let mut bytes = Zeroizing::new([0; N]);
        match getrandom::fill(bytes.as_mut()) {
            Ok(()) => Ok(bytes),
            Err(error) => {
                let failed = CommandError::failure("the system gives no random bytes");
                Err(failed.caused_by(Some(&error)))
            }
        }
    }
}

/// Flags above environment above default.
#[must_use]
pub fn shell_options(globals: &GlobalArgs) -> ShellOptions {
    let verbosity = if globals.verbose > 0 {
        Verbosity::Verbose
    } else if globals.quiet || is_set("CARGO_TERM_QUIET") {
        Verbosity::Quiet
    } else if is_set("CARGO_TERM_VERBOSE") {
        Verbosity::Verbose
    } else {
        Verbosity::Normal
    };
    let color = globals.color.or_else(|| {
        let word = variable("CARGO_TERM_COLOR")?;
        ColorArg::from_word(word.to_str()?)
    });
    ShellOptions {
        verbosity,
        format: globals.message_format.unwrap_or(MessageFormat::Human),
        color: match color {
            Some(ColorArg::Always) => ColorChoice::Always,
            Some(ColorArg::Never) => ColorChoice::Never,
            Some(ColorArg::Auto) | None => ColorChoice::Auto,
        },
        progress: variable("CI").is_none(),
    }
}

/// What a variable says, if it is set.
fn parsed<T>(name: &str, wrong: &str) -> Result<Option<T>, CommandError>
where
    T: FromStr<Err: std::error::Error>,
{
    let Some(text) = text_variable(name)? else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|error| {
        CommandError::usage(format!("{name} {wrong}"))
            .caused_by(Some(&error as &dyn std::error::Error))
    })
}

/// The time, or what `CARGO_MARKETPLACE_NOW` says it is. Not `SOURCE_DATE_EPOCH`, which builds set to a time
/// that is past, and at which what has expired since would be good.
fn now() -> Result<UtcTime, CommandError> {
    let seconds = match text_variable("CARGO_MARKETPLACE_NOW")? {
        Some(text) => text.parse().ok(),
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the clock"
        )]
        None => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|age| i64::try_from(age.as_secs()).ok()),
    };
    seconds
        .and_then(UtcTime::from_unix)
        .ok_or_else(|| CommandError::usage("CARGO_MARKETPLACE_NOW or the clock gives no time"))
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks for it")]
fn working_folder() -> Result<PathBuf, CommandError> {
    std::env::current_dir().map_err(|error| {
        CommandError::failure("the working folder cannot be used").caused_by(Some(&error))
    })
}

/// A variable that is set to something.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The variables that cargo's settings are made of, and others beside them.
fn variables() -> BTreeMap<String, Zeroizing<String>> {
    let all = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        let is_setting = name.starts_with("CARGO_") || name == "HTTP_TIMEOUT";
        let is_ours = name.starts_with("CARGO_MARKETPLACE_");
        let value = (is_setting && !is_ours).then(|| value.into_string().ok())??;
        Some((name, Zeroizing::new(value)))
    });
    all.collect()
}

fn text_variable(name: &str) -> Result<Option<String>, CommandError> {
    variable(name)
        .map(OsString::into_string)
        .transpose()
        .map_err(|_| CommandError::usage(format!("{name} is not valid Unicode")))
}

fn is_set(name: &str) -> bool {
    variable(name).is_some_and(|value| value == "true" || value == "1")
}
