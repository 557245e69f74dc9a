//! The one way to files: reading with a limit, writing whole or not at all, bringing names to the
//! disk, locks. Knows bytes and paths only; what a file means, others say.

mod failure;
mod folder;
mod lock;
mod part;
mod read;
mod step;
mod write;

pub use failure::{Failure, failed, is_absent, is_read_only};
pub use folder::{create_folder, remove_folder, rename, sync_folder};
pub use lock::{lock, open_lock};
pub use part::Part;
pub use read::{
    LIMIT, entries, entries_if_there, read, read_if_there, read_start, read_text,
    read_text_if_there, stamp_if_there,
};
pub use step::step;
pub use write::{Durability, Readers, create, remove, replace, replace_locked, write};
