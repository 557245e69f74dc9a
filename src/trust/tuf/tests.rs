//! Claims about the update workflow and the search for targets.

mod answers;
mod recent;
mod search;
mod signatures;
mod survey;
mod upheld;
mod workflow;

use super::TufError;
use super::testing::{Client, Repository};

/// A registry and a client that is up to date with it.
fn settled() -> (Repository, Client) {
    let repository = Repository::new();
    let mut client = Client::of(&repository);
    client.refresh(&repository).unwrap();
    (repository, client)
}

/// What a client is told whose refresh fails. It keeps the targets that it had.
fn refused(repository: &Repository, client: &mut Client) -> TufError {
    let before = client.kept.get("targets.json").cloned();
    let error = client.refresh(repository).unwrap_err();
    assert!(client.kept.get("targets.json").cloned() == before);
    error
}
