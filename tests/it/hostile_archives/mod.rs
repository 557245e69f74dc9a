//! Hostile archives, one test a defect: each is refused with its reason, and the folder that it was
//! to be unpacked in is to the byte and to the second what it was.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod compare;
mod derive;
mod disguise;
mod fixture;
mod limits;
mod paths;
mod structure;
mod unpack;
