//! Templates: a new project out of the `template/` folder of a verified archive.
//!
//! Placeholders in names and texts are filled in, and that is all: no script, no hook and no cargo
//! runs, and nothing is read but the archive. A project appears whole or not at all. The author of
//! a template is known, and still not trusted with paths, memory or time.

mod declaration;
mod environment;
mod plain_tags;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::archive::{self, ArchiveError, Contents, Limits, Paths};
use crate::disk::{self, Failure, failed};
use crate::model::{NameError, PackageName};
use crate::trust::{Archive, Verified};

pub use declaration::{DeclarationError, Key};
pub use environment::FillError;
use environment::Filler;

/// The folder in an archive whose content becomes the project.
const FOLDER: &str = "template/";

/// The file beside it that declares keys.
const DECLARATION: &str = "template.toml";

/// What is cut off a file's name: `cargo package` leaves out folders that have a `Cargo.toml`.
const SUFFIX: &str = ".liquid";

/// The folders of version control, and how Windows calls the first one in short. Their settings and
/// hooks name programs that run as soon as somebody, or a shell's prompt, asks for the state.
const REPOSITORIES: [&str; 4] = [".git", "git~1", ".hg", ".jj"];

/// Bytes of a project in all.
const TOTAL: u64 = 64 << 20;

/// A verified template.
#[derive(Debug)]
pub struct Template {
    archive: Verified<Archive>,
    contents: Contents,
    keys: Vec<Key>,
}

/// What to make of a template.
#[derive(Debug, Clone, Copy)]
pub struct RenderRequest<'a> {
    /// The project's folder, which must not exist or be empty.
    pub target: &'a Path,
    /// The project's name; `None` for that of the folder.
    pub name: Option<&'a PackageName>,
    /// Who makes it, where known.
    pub author: Option<&'a str>,
    /// Values for the keys that the template declares.
    pub values: &'a BTreeMap<String, String>,
}

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The package is no template.
    #[error("`{0}` is not a template: it has no folder `{FOLDER}`")]
    NoTemplate(PackageName),
    /// The archive is refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The declaration of keys is malformed, or a value does not fit it.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    /// A text or a path cannot be filled in.
    #[error("could not fill in `{path}` of the template")]
    Fill {
        /// The file in the archive.
        path: String,
        /// Why.
        #[source]
        source: FillError,
    },
    /// A path is filled in to one that no archive may have.
    #[error("`{path}` of the template becomes `{rendered}`, which is not a safe path")]
    Path {
        /// The file in the archive.
        path: String,
        /// What it becomes.
        rendered: String,
    },
    /// The project would be too large.
    #[error("the project would be larger than {TOTAL} bytes")]
    TooLarge,
    /// The folder's name is no name for a package.
    #[error("the folder `{}` cannot give the project its name", path.display())]
    FolderName {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: NameError,
    },
    /// Something is there already.
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    /// A file could not be read or written.
    #[error(transparent)]
    Disk(#[from] Failure),
}

impl Template {
    /// Reads a verified archive as a template.
    pub fn open(archive: Verified<Archive>) -> Result<Self, TemplateError> {
        let limits = Limits::default();
        let contents = archive::read(&archive.bytes, &limits)?;
        if !contents.paths().any(|path| path.starts_with(FOLDER)) {
            return Err(TemplateError::NoTemplate(
                archive.entry.release.name.clone(),
            ));
        }
        let declaration = archive::read_file(&archive.bytes, DECLARATION, &limits)?;
        let keys = declaration::parse(declaration.as_deref().unwrap_or_default())?;
        Ok(Self {
            archive,
            contents,
            keys,
        })
    }

    /// The keys that it declares, in their order: what may be asked for.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The files that a project would have, without making it.
    pub fn plan(&self, request: RenderRequest<'_>) -> Result<Vec<String>, TemplateError> {
        refuse_if_there(request.target)?;
        let filler = Filler::new(self.values(request)?);
        let mut paths = Paths::new(Limits::default().entries);
        self.template_paths()
            .map(|path| rendered_path(path, &filler, &mut paths))
            .collect()
    }

    fn template_paths(&self) -> impl Iterator<Item = &str> {
        let paths = self.contents.paths();
        paths.filter(|path| path.starts_with(FOLDER))
    }

    /// Makes a project; returns the number of its files. On error nothing has changed.
    pub fn render(&self, request: RenderRequest<'_>) -> Result<usize, TemplateError> {
        refuse_if_there(request.target)?;
        let values = self.values(request)?;
        let parent = nearest_folder(request.target);
        let staging = tempfile::Builder::new()
            .prefix(".cargo-marketplace-new-")
            .tempdir_in(parent)
            .map_err(failed("create a folder in", parent))?;
        let unpacked = staging.path().join("unpacked");
        archive::unpack(&self.archive.bytes, &unpacked, &Limits::default())?;
        let project = staging.path().join("project");
        let count = self.write(&unpacked, &project, &Filler::new(values))?;
        move_into_place(&project, request.target)?;
        Ok(count)
    }

    fn values(
        &self,
        request: RenderRequest<'_>,
    ) -> Result<BTreeMap<String, String>, TemplateError> {
        let name = match request.name {
            Some(name) => name.clone(),
            None => folder_name(request.target)?,
        };
        let mut values = declaration::values(&self.keys, request.values)?;
        values.insert("crate_name".into(), name.as_str().replace('-', "_"));
        values.insert("name".into(), name.to_string());
        let author = request.author.map(ToOwned::to_owned);
        values.extend(author.map(|author| ("author".into(), author)));
        Ok(values)
    }

    fn write(
        &self,
        unpacked: &Path,
        project: &Path,
        filler: &Filler,
    ) -> Result<usize, TemplateError> {
        let limits = Limits::default();
        let mut paths = Paths::new(limits.entries);
        let (mut count, mut total) = (0, 0);
        fs::create_dir(project).map_err(failed("create", project))?;
        for path in self.template_paths() {
            let rendered = rendered_path(path, filler, &mut paths)?;
            let (from, to) = (unpacked.join(path), project.join(rendered));
            total += write_file(path, &from, &to, filler)?;
            if total > TOTAL {
                return Err(TemplateError::TooLarge);
            }
            count += 1;
        }
        Ok(count)
    }
}

/// Fills in a path, and holds it to the rules for paths in archives.
fn rendered_path(path: &str, filler: &Filler, paths: &mut Paths) -> Result<String, TemplateError> {
    let below = path.strip_prefix(FOLDER).unwrap_or(path);
    let rendered = filler.fill(below).map_err(|source| TemplateError::Fill {
        path: path.into(),
        source,
    })?;
    let rendered = match rendered.strip_suffix(SUFFIX) {
        Some(cut) => cut.to_owned(),
        None => rendered,
    };
    let is_safe = rendered.matches('/').count() == below.matches('/').count()
        && !leads_into_repository(&rendered)
        && paths
            .add(format!("{FOLDER}{rendered}").as_bytes(), false)
            .is_ok();
    if is_safe {
        return Ok(rendered);
    }
    Err(TemplateError::Path {
        path: path.into(),
        rendered: rendered
            .chars()
            .take(200)
            .flat_map(char::escape_debug)
            .collect(),
    })
}

/// Says whether a path leads into a folder of version control. Some file systems leave letters
/// beyond ASCII out of account, and all letters count as one case here.
fn leads_into_repository(path: &str) -> bool {
    path.split('/').any(|part| {
        let plain: String = part.chars().filter(char::is_ascii).collect();
        let mut names = REPOSITORIES.iter();
        names.any(|name| plain.eq_ignore_ascii_case(name))
    })
}

/// Writes a file, filled in if it is a text; returns its length.
fn write_file(path: &str, from: &Path, to: &Path, filler: &Filler) -> Result<u64, TemplateError> {
    let bytes = disk::read(from, disk::LIMIT)?;
    let bytes = match std::str::from_utf8(&bytes) {
        Ok(text) if !text.contains('\0') => filler
            .fill(text)
            .map_err(|source| TemplateError::Fill {
                path: path.into(),
                source,
            })?
            .into_bytes(),
        _ => bytes,
    };
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(failed("create", folder))?;
    fs::write(to, &bytes).map_err(failed("write", to))?;
    let permissions = fs::metadata(from).map(|metadata| metadata.permissions());
    let permissions = permissions.map_err(failed("read", from))?;
    fs::set_permissions(to, permissions).map_err(failed("write", to))?;
    Ok(bytes.len() as u64)
}

fn refuse_if_there(target: &Path) -> Result<(), TemplateError> {
    let exists = || TemplateError::Exists(target.into());
    match target.symlink_metadata() {
        Ok(metadata) if !metadata.is_dir() => Err(exists()),
        Ok(_) => {
            let mut entries = fs::read_dir(target).map_err(failed("read", target))?;
            entries.next().map_or(Ok(()), |_| Err(exists()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("read", target)(error))?,
    }
}

/// The nearest folder above a path that exists: on the same file system, most likely.
fn nearest_folder(target: &Path) -> &Path {
    let above = target.ancestors().skip(1);
    let mut above = above.map(|folder| {
        if folder == Path::new("") {
            Path::new(".")
        } else {
            folder
        }
    });
    above
        .find(|folder| folder.is_dir())
        .unwrap_or(Path::new("."))
}

fn move_into_place(project: &Path, target: &Path) -> Result<(), Failure> {
    let create = || -> io::Result<()> {
        match target.parent() {
            Some(parent) if parent != Path::new("") => fs::create_dir_all(parent)?,
            _ => {}
        }
        // Not every system renames onto a folder that is there and empty.
        match fs::remove_dir(target) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        fs::rename(project, target)
    };
    create().map_err(failed("create", target))
}

fn folder_name(target: &Path) -> Result<PackageName, TemplateError> {
    let name = target.file_name().unwrap_or_default();
    name.to_string_lossy()
        .parse()
        .map_err(|source| TemplateError::FolderName {
            path: target.into(),
            source,
        })
}

#[cfg(test)]
mod tests;
