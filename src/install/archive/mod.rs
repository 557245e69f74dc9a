//! `.crate` archives: reading, unpacking and comparing them, and deriving releases from them.
//!
//! Every archive is hostile. Nothing here ever creates a file at a path that `path` did not pass,
//! follows a link, takes over a mode, or writes before the whole archive was read once without fault.

mod agree;
mod derive;
mod differ;
mod error;
mod header;
mod limits;
mod path;
mod read;
mod stream;
mod unpack;
mod walk;

pub use agree::{DisagreementError, agrees};
pub use derive::{DeriveError, derive};
pub use differ::differs;
pub use error::{ArchiveError, PathFault};
pub use limits::Limits;
pub(super) use path::Paths;
pub use read::{ArchiveFile, Contents, read, read_file};
pub use unpack::unpack;
