//! `catalog/popularity.csv`: how often packages were downloaded, as far as the registry's operator says.
//!
//! A line is `PACKAGE,DOWNLOADS`. What an operator gives may have a first line that says so, a byte order
//! mark, and its lines in any order; the registry's own file has that first line, and then the packages in
//! the order of their names.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::model::{NameError, PackageName, Sha256Digest};

/// The most bytes of the file: a line for each of some 800,000 packages of the longest name.
pub const MAX_BYTES: u64 = 64 << 20;

/// What the first line says.
const HEADER: &str = "package,downloads";

/// The most characters of a text that are repeated in an error.
const SHOWN: usize = 40;

/// How often packages were downloaded, in the order of their names. One that is not in it counts as never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Popularity(Vec<(PackageName, u32)>);

/// What a registry has published of downloads.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// The SHA-256 of its file; none where there is no file.
    pub file: Option<Sha256Digest>,
    /// What it says.
    pub counts: Popularity,
}

/// Why a text is no such file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PopularityError {
    /// Bytes that are no text.
    #[error("line {0} is not UTF-8")]
    Encoding(usize),
    /// A line without a comma.
    #[error("line {0} is not `PACKAGE,DOWNLOADS`")]
    Line(usize),
    /// What should be a name is none.
    #[error("line {line} does not begin with a package's name")]
    Name {
        /// Its place, from 1.
        line: usize,
        /// What is wrong.
        source: NameError,
    },
    /// What should be a count is none: negative, say, or with a comma.
    #[error("line {line}: `{found}` is not a number of downloads")]
    Count {
        /// Its place, from 1.
        line: usize,
        /// What stands there.
        found: String,
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
    /// How often a package was downloaded.
    #[must_use]
    pub fn downloads(&self, package: &PackageName) -> u32 {
        let place = self.0.binary_search_by(|(other, _)| other.cmp(package));
        place.map_or(0, |place| self.0[place].1)
    }

    /// The packages, in the order of their names.
    pub fn packages(&self) -> impl Iterator<Item = &PackageName> {
        self.0.iter().map(|(package, _)| package)
    }

    /// Leaves packages out.
    pub fn leave_out(&mut self, packages: &BTreeSet<PackageName>) {
        self.0.retain(|(package, _)| !packages.contains(package));
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

/// Reads a registry's file, or what an operator gives. A count above 4,294,967,295 is cut to that.
pub fn decode(bytes: &[u8]) -> Result<Popularity, PopularityError> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let before = bytes.iter().take(error.valid_up_to());
        PopularityError::Encoding(1 + before.filter(|byte| **byte == b'\n').count())
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().zip(1..);
    let lines = lines.filter(|(text, line)| *line > 1 || *text != HEADER);
    let counted = lines.clone().map(|(text, line)| counted(text, line));
    let mut all: Vec<(PackageName, u32)> = counted.collect::<Result<_, _>>()?;
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut neighbours = all.windows(2);
    if let Some([(package, _), _]) = neighbours.find(|two| two[0].0 == two[1].0) {
        let is_it = |text: &str| text.split(',').next() == Some(package.as_str());
        let mut named = lines.filter(|(text, _)| is_it(text));
        return Err(PopularityError::Twice {
            line: named.nth(1).map_or(0, |(_, line)| line),
            package: package.clone(),
        });
    }
    Ok(Popularity(all))
}

fn counted(text: &str, line: usize) -> Result<(PackageName, u32), PopularityError> {
    let (package, downloads) = text.split_once(',').ok_or(PopularityError::Line(line))?;
    let package = package
        .parse()
        .map_err(|source| PopularityError::Name { line, source })?;
    let count: u64 = downloads.parse().map_err(|_| PopularityError::Count {
        line,
        found: downloads.chars().take(SHOWN).collect(),
    })?;
    Ok((package, u32::try_from(count).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(popularity: &Popularity) -> String {
        String::from_utf8(encode(popularity)).unwrap()
    }

    #[test]
    fn what_an_operator_gives_becomes_the_registrys_file() {
        let given = "\u{feff}package,downloads\r\ntide,7\r\nalmanac,5000000000\r\n";
        let popularity = decode(given.as_bytes()).unwrap();
        let written = "package,downloads\nalmanac,4294967295\ntide,7\n";
        assert_eq!(text(&popularity), written);
        assert_eq!(decode(b"tide,7\nalmanac,4294967295").unwrap(), popularity);
        assert_eq!(popularity.downloads(&"tide".parse().unwrap()), 7);
        assert_eq!(popularity.downloads(&"ebb".parse().unwrap()), 0);
    }

    #[test]
    fn a_file_without_a_line_counts_nothing() {
        for given in ["", "package,downloads", "package,downloads\n"] {
            let popularity = decode(given.as_bytes()).unwrap();
            assert!(popularity.is_empty(), "{given:?}");
            assert_eq!(text(&popularity), "package,downloads\n");
        }
    }

    #[test]
    fn names_the_line_that_is_wrong() {
        for (given, message) in [
            (&b"tide 7"[..], "line 1 is not `PACKAGE,DOWNLOADS`"),
            (b"tide,7\n\nebb,1", "line 2 is not `PACKAGE,DOWNLOADS`"),
            (b"tide,7\nebb,\xff", "line 2 is not UTF-8"),
            (
                b"name,downloads\n",
                "line 1: `downloads` is not a number of downloads",
            ),
            (b"tide,-7", "line 1: `-7` is not a number of downloads"),
            (b"tide,", "line 1: `` is not a number of downloads"),
            (b"tide,7,8", "line 1: `7,8` is not a number of downloads"),
            (b"tide, 7", "line 1: ` 7` is not a number of downloads"),
            (b"tide,1e3", "line 1: `1e3` is not a number of downloads"),
            (
                b"tide,99999999999999999999",
                "line 1: `99999999999999999999` is not a number of downloads",
            ),
            (b"ti/de,7", "line 1 does not begin with a package's name"),
            (b"\"tide\",7", "line 1 does not begin with a package's name"),
            (b"tide,7\nebb,1\ntide,7", "line 3 names `tide` again"),
        ] {
            let error = decode(given).unwrap_err().to_string();
            assert_eq!(error, message, "{}", given.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_wrote(counts in prop::collection::btree_map("[a-zA-Z_][a-z0-9_-]{0,20}", any::<u32>(), 0..20)) {
            let counts = counts.into_iter().filter_map(|(name, count)| Some((name.parse().ok()?, count)));
            let popularity = Popularity(counts.collect());
            let packages = popularity.0.iter();
            for (package, downloads) in packages {
                prop_assert_eq!(popularity.downloads(package), *downloads);
            }
            prop_assert_eq!(decode(&encode(&popularity)).unwrap(), popularity);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
            if let Ok(popularity) = decode(&bytes) {
                prop_assert_eq!(decode(&encode(&popularity)).unwrap(), popularity);
            }
        }
    }
}
