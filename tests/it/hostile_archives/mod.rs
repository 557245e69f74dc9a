//! Hostile archives, one test a defect: each is refused with its reason, and the folder that it was
//! to be unpacked in is to the byte and to the second what it was.

mod compare;
mod derive;
mod fixture;
mod limits;
mod paths;
mod structure;
mod unpack;
