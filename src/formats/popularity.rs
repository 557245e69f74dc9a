//! `catalog/popularity.csv`: how often packages were downloaded, as far as the registry's operator says.
//!
//! A line is `NAME,COUNT`, after a first line `name,downloads`. As a file of the registry its lines stand in
//! the order of the names.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;

use crate::model::{NameError, PackageName};

/// The most bytes of the file.
pub const MAX_BYTES: u64 = 64 << 20;

/// What the first line says.
const HEADER: &str = "name,downloads";

/// How often packages were downloaded. One that is not in it counts as never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Popularity(BTreeMap<PackageName, u32>);

/// Why a text is no such file.
#[derive(Debug, thiserror::Error)]
pub enum PopularityError {
    /// The first line is another one.
    #[error("its first line is not `{HEADER}`")]
    Header,
    /// A line is not a name and a number.
    #[error("line {0} is not a name, a comma and a number")]
    Line(usize),
    /// What should be a name is none.
    #[error("line {line} does not begin with a package's name")]
    Name {
        /// Its place, from 1.
        line: usize,
        /// What is wrong.
        source: NameError,
    },
    /// A package stands there twice.
    #[error("line {line} names `{package}` again")]
    Twice {
        /// Its place, from 1.
        line: usize,
        /// The package.
        package: PackageName,
    },
}

impl Popularity {
    /// How often a package was downloaded; numbers above 4,294,967,295 are cut to that.
    #[must_use]
    pub fn downloads(&self, package: &PackageName) -> u32 {
        self.0.get(package).copied().unwrap_or_default()
    }

    /// How many packages it names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether it names none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes the bytes of the registry's file.
#[must_use]
pub fn encode(popularity: &Popularity) -> Vec<u8> {
    let mut text = format!("{HEADER}\n");
    for (package, downloads) in &popularity.0 {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{package},{downloads}");
    }
    text.into_bytes()
}

/// Reads a text, whose lines may stand in any order.
pub fn decode(text: &str) -> Result<Popularity, PopularityError> {
    let mut lines = text.lines().zip(1..);
    match lines.next() {
        Some((HEADER, _)) => {}
        _ => return Err(PopularityError::Header),
    }
    let mut all = BTreeMap::new();
    for (text, line) in lines {
        let (name, downloads) = text.split_once(',').ok_or(PopularityError::Line(line))?;
        let downloads: u64 = downloads.parse().map_err(|_| PopularityError::Line(line))?;
        let name: Result<PackageName, _> = name.parse();
        match all.entry(name.map_err(|source| PopularityError::Name { line, source })?) {
            Entry::Vacant(place) => place.insert(u32::try_from(downloads).unwrap_or(u32::MAX)),
            Entry::Occupied(before) => {
                let package = before.key().clone();
                return Err(PopularityError::Twice { line, package });
            }
        };
    }
    Ok(Popularity(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote() {
        let popularity = decode("name,downloads\ntide,7\nalmanac,5000000000\n").unwrap();
        let bytes = encode(&popularity);
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, "name,downloads\nalmanac,4294967295\ntide,7\n");
        assert_eq!(decode(&text).unwrap(), popularity);
        assert_eq!(popularity.downloads(&"tide".parse().unwrap()), 7);
        assert_eq!(popularity.downloads(&"ebb".parse().unwrap()), 0);
    }

    #[test]
    fn names_the_line_that_is_wrong() {
        for (text, message) in [
            ("", "its first line is not `name,downloads`"),
            ("tide,7", "its first line is not `name,downloads`"),
            (
                "name,downloads\ntide 7",
                "line 2 is not a name, a comma and a number",
            ),
            (
                "name,downloads\n\n",
                "line 2 is not a name, a comma and a number",
            ),
            (
                "name,downloads\ntide,-7",
                "line 2 is not a name, a comma and a number",
            ),
            (
                "name,downloads\nti/de,7",
                "line 2 does not begin with a package's name",
            ),
            (
                "name,downloads\ntide,7\nebb,1\ntide,7",
                "line 4 names `tide` again",
            ),
        ] {
            assert_eq!(decode(text).unwrap_err().to_string(), message, "{text}");
        }
    }
}
