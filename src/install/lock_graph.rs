//! `Cargo.lock` as a graph: every package in it, whatever its source, and by what way the workspace
//! comes to need it. Everything in it is the word of a file that anybody may have written.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use super::lock_file::{self, LockFileError};
use crate::disk;
use crate::model::Sha256Digest;

/// The packages of a lock file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockGraph {
    /// In the order of the file.
    pub packages: Vec<LockPackage>,
    /// For each package the places of those that need it.
    needed_by: Vec<Vec<usize>>,
}

/// A package in a lock file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// From where; packages of the workspace and path dependencies have no source.
    pub source: Option<String>,
    /// The sha256 of its archive, as it is written.
    pub(super) checksum: Option<String>,
    /// `[replace]` puts another package in its place.
    pub(super) is_replaced: bool,
    /// As `name`, `name version` or `name version (source)`.
    pub(super) dependencies: Vec<String>,
}

impl LockGraph {
    /// Reads a lock file; `None` if there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, LockFileError> {
        let text = disk::read_text_if_there(path, lock_file::LIMIT)?;
        let packages = text.map(|text| lock_file::packages(&text, path));
        Ok(packages.transpose()?.map(Self::new))
    }

    fn new(packages: Vec<LockPackage>) -> Self {
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, package) in packages.iter().enumerate() {
            places.entry(&package.name).or_default().push(place);
        }
        let mut needed_by = vec![Vec::new(); packages.len()];
        for (above, package) in packages.iter().enumerate() {
            for dependency in &package.dependencies {
                let name = dependency.split(' ').next().unwrap_or_default();
                for place in places.get(name).into_iter().flatten() {
                    if is_on(dependency, &packages[*place])
                        && needed_by[*place].last() != Some(&above)
                    {
                        needed_by[*place].push(above);
                    }
                }
            }
        }
        Self {
            packages,
            needed_by,
        }
    }

    /// The places of the packages that need the one at `place`, in order.
    #[must_use]
    pub fn needed_by(&self, place: usize) -> &[usize] {
        &self.needed_by[place]
    }

    /// The shortest way from a package of the workspace to the one at `place`, both ends among them;
    /// empty if nothing leads there.
    #[must_use]
    pub fn way_to(&self, place: usize) -> Vec<&LockPackage> {
        let mut next: Vec<Option<usize>> = vec![None; self.packages.len()];
        let mut seen = vec![false; self.packages.len()];
        let mut queue = VecDeque::from([place]);
        while let Some(at) = queue.pop_front() {
            let package = &self.packages[at];
            if package.source.is_none() {
                let way = std::iter::successors(Some(at), |at| next[*at]);
                return way.map(|at| &self.packages[at]).collect();
            }
            for &above in self.needed_by(at) {
                if above != place && !seen[above] {
                    seen[above] = true;
                    next[above] = Some(at);
                    queue.push_back(above);
                }
            }
        }
        Vec::new()
    }
}

impl LockPackage {
    /// The sha256 of its archive, unless another package stands in its place.
    #[must_use]
    pub fn own_checksum(&self) -> Option<Sha256Digest> {
        let checksum = self.checksum.as_ref().filter(|_| !self.is_replaced);
        checksum?.parse().ok()
    }
}

/// Says whether an entry among the dependencies means a package.
fn is_on(dependency: &str, package: &LockPackage) -> bool {
    let mut words = dependency.splitn(3, ' ');
    let source =
        |word: &str| word.trim_matches(['(', ')']) == package.source.as_deref().unwrap_or_default();
    words.next() == Some(package.name.as_str())
        && words
            .next()
            .is_none_or(|version| version == package.version)
        && words.next().is_none_or(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["foam 0.2.0", "widgets"]
[[package]]
name = "widgets"
version = "1.4.0"
source = "sparse+https://a.invalid/"
dependencies = ["foam 0.1.0", "knot 1.0.0 (sparse+https://b.invalid/)", "widgets-core"]
[[package]]
name = "widgets-core"
version = "1.0.0"
source = "sparse+https://a.invalid/"
dependencies = ["widgets"]
[[package]]
name = "foam"
version = "0.1.0"
source = "sparse+https://a.invalid/"
[[package]]
name = "foam"
version = "0.2.0"
source = "sparse+https://a.invalid/"
[[package]]
name = "knot"
version = "1.0.0"
source = "sparse+https://a.invalid/"
[[package]]
name = "knot"
version = "1.0.0"
source = "sparse+https://b.invalid/"
"#;

    #[test]
    fn finds_the_shortest_way_in_circles_too() {
        let path = Path::new("Cargo.lock");
        let packages = lock_file::packages(LOCK, path).unwrap();
        let graph = LockGraph::new(packages);
        let way = |place: usize| {
            let way = graph.way_to(place);
            let names: Vec<_> = way.iter().map(|one| one.name.as_str()).collect();
            names.join(" ")
        };
        let ways: Vec<_> = (0..graph.packages.len()).map(way).collect();
        assert_eq!(
            ways,
            [
                "app",
                "app widgets",
                "app widgets widgets-core",
                "app widgets foam",
                "app foam",
                "",
                "app widgets knot",
            ]
        );
    }
}
