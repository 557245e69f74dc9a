//! Whether a catalog's packs agree: whichever of them a client takes, and from whichever serial on, it ends
//! with the same documents. Pure; what a pack does is what [`Union`] says, as for a client.
//!
//! What was released, changed or withdrawn of one package has no bearing on another, so that the packs are
//! gone through for each package by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use semver::Version;

use crate::formats::catalog_index::{CatalogIndex, Pack};
use crate::formats::layout::Format;
use crate::formats::union::Union;
use crate::model::{Document, PackageName, without_build};

/// The document of a package at a serial, if it has one.
type State = Rc<Option<Document>>;

/// What packs say of one package, by their places in the index.
type Share = BTreeMap<usize, Part>;

/// What a pack says of one package.
struct Part {
    /// The pack, with what it says is withdrawn of this package.
    pack: Pack,
    documents: Vec<Document>,
}

/// How packs are taken; by their places in the index.
struct Ways<'a> {
    packs: &'a [Pack],
    /// Each after those that end where it begins.
    order: Vec<usize>,
    /// What is to be taken from each serial on at which a pack begins or ends, and from 0.
    since: BTreeMap<u64, Vec<usize>>,
}

/// What the packs of a format say together; `contents` are their documents, in the same order. Nothing if
/// they leave a serial out, or if two ways through them lead to different documents.
pub(super) fn replay(
    index: &CatalogIndex,
    format: Format,
    contents: Vec<Vec<Document>>,
) -> Option<BTreeMap<PackageName, Document>> {
    let ways = Ways::of(index, format)?;
    let mut all = BTreeMap::new();
    for (package, share) in shares(ways.packs, contents) {
        let state = ways.state(&package, &share)?;
        all.extend(Option::clone(&state).map(|document| (package, document)));
    }
    Some(all)
}

/// What the packs say, by package.
fn shares(packs: &[Pack], contents: Vec<Vec<Document>>) -> BTreeMap<PackageName, Share> {
    let mut shares: BTreeMap<PackageName, Share> = BTreeMap::new();
    for (place, (pack, documents)) in packs.iter().zip(contents).enumerate() {
        for package in pack.withdrawn.keys() {
            part(&mut shares, (place, pack), package);
        }
        for document in documents {
            let part = part(&mut shares, (place, pack), &document.package);
            part.documents.push(document);
        }
    }
    shares
}

/// Where it stands what a pack says of a package.
fn part<'a>(
    shares: &'a mut BTreeMap<PackageName, Share>,
    (place, pack): (usize, &Pack),
    package: &PackageName,
) -> &'a mut Part {
    let share = shares.entry(package.clone()).or_default();
    share
        .entry(place)
        .or_insert_with(|| Part::of(pack, package))
}

impl Part {
    fn of(pack: &Pack, package: &PackageName) -> Self {
        let withdrawn = pack.withdrawn.get_key_value(package);
        let withdrawn = withdrawn.map(|(package, versions)| (package.clone(), versions.clone()));
        Self {
            pack: Pack {
                withdrawn: withdrawn.into_iter().collect(),
                ..*pack
            },
            documents: Vec::new(),
        }
    }

    /// The versions of which it says anything.
    fn versions(&self) -> BTreeSet<Version> {
        let entries = self.documents.iter().flat_map(|one| &one.entries);
        let changed = entries.map(|entry| &entry.release.version);
        let withdrawn = self.pack.withdrawn.values().flatten();
        changed.chain(withdrawn).map(without_build).collect()
    }
}

impl<'a> Ways<'a> {
    fn of(index: &'a CatalogIndex, format: Format) -> Option<Self> {
        let packs = index.packs(format);
        if packs.iter().any(|pack| pack.from >= pack.to) {
            return None;
        }
        let mut order: Vec<usize> = (0..packs.len()).collect();
        order.sort_by_key(|place| (packs[*place].to, packs[*place].from));
        let place = |found: &Pack| packs.iter().position(|pack| std::ptr::eq(pack, found));
        let ends = packs.iter().flat_map(|pack| [pack.from, pack.to]);
        let mut since = BTreeMap::new();
        for serial in ends.chain([0]) {
            let way = index.since(serial, format)?.into_iter();
            since.insert(serial, way.filter_map(place).collect());
        }
        Some(Self {
            packs,
            order,
            since,
        })
    }

    /// The document of a package, if all ways lead to it.
    fn state(&self, package: &PackageName, share: &Share) -> Option<State> {
        let nothing = State::default();
        let take_all = |state: &State, serial: u64| {
            let way = self.since[&serial].iter();
            way.fold(Rc::clone(state), |state, place| {
                self.take(&state, *place, package, share)
            })
        };
        let last = take_all(&nothing, 0);
        let mut states: BTreeMap<u64, State> = [(0, nothing)].into();
        for place in &self.order {
            let Pack { from, to, .. } = self.packs[*place];
            if let Some(before) = states.get(&from) {
                let after = self.take(before, *place, package, share);
                if !is_same(
                    states.entry(to).or_insert_with(|| Rc::clone(&after)),
                    &after,
                ) {
                    return None;
                }
            } else {
                // The packs before it are listed no more. What it says must not undo what there is.
                let after = self.take(&last, *place, package, share);
                if !is_same(&take_all(&after, to), &last) {
                    return None;
                }
            }
        }
        let mut states = states.iter();
        let leads_on = states.all(|(serial, state)| is_same(&take_all(state, *serial), &last));
        (leads_on && self.wider_say_as_much(share)).then_some(last)
    }

    fn take(&self, state: &State, place: usize, package: &PackageName, share: &Share) -> State {
        let from = self.packs[place].from;
        let Some(part) = share.get(&place) else {
            // A pack that starts at 0 holds all that there was.
            return if from == 0 {
                State::default()
            } else {
                Rc::clone(state)
            };
        };
        let mut union: Union = Option::clone(state).into_iter().collect();
        union.take(&part.pack, part.documents.clone());
        Rc::new(union.into_documents().remove(package))
    }

    /// Whether a pack says something of every release of which one does that holds fewer serials, all of
    /// them its own: who has some of these takes the wider one all the same.
    fn wider_say_as_much(&self, share: &Share) -> bool {
        let wider = self
            .packs
            .iter()
            .enumerate()
            .filter(|(_, pack)| pack.from > 0);
        let mut wider = wider.filter_map(|(place, wide)| {
            let inner = |pack: &Pack| pack.from >= wide.from && pack.to <= wide.to;
            let inner = share.iter().filter(move |(_, part)| inner(&part.pack));
            let inner = inner.filter(move |(other, _)| **other != place);
            let inner: BTreeSet<Version> = inner.flat_map(|(_, part)| part.versions()).collect();
            let own = share.get(&place).map(Part::versions).unwrap_or_default();
            (!inner.is_subset(&own)).then_some(())
        });
        wider.next().is_none()
    }
}

fn is_same(one: &State, other: &State) -> bool {
    Rc::ptr_eq(one, other) || one == other
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::catalog_index::Withdrawn;
    use crate::model::{Entry, Release, Sha256Digest, Yank};

    /// What the packs hold, with the serials that they begin after and end at.
    type Listed = Vec<((u64, u64), Withdrawn, Vec<Document>)>;

    fn document(name: &str, versions: &[&str]) -> Document {
        // A yanked one ends with a star.
        let entry = |version: &&str| Entry {
            release: Release::sample(name, version.trim_end_matches('*')),
            accepted: None,
            yanked: version.ends_with('*').then_some(Yank { reason: None }),
            trust: None,
        };
        Document {
            package: name.parse().unwrap(),
            entries: versions.iter().map(entry).collect(),
        }
    }

    fn gone(name: &str, version: &str) -> Withdrawn {
        [(name.parse().unwrap(), [version.parse().unwrap()].into())].into()
    }

    /// Serial 1 brings `a` 1.0.0, `b` 1.0.0 and `d` 1.0.0; 2 brings `a` 2.0.0; 3 yanks `a` 1.0.0, takes
    /// `b` 1.0.0 out and brings `c` 1.0.0; 4 brings `c` 2.0.0. As the writer lists them.
    fn listed() -> Listed {
        let nothing = Withdrawn::new;
        vec![
            (
                (0, 1),
                nothing(),
                vec![
                    document("a", &["1.0.0"]),
                    document("b", &["1.0.0"]),
                    document("d", &["1.0.0"]),
                ],
            ),
            ((1, 2), nothing(), vec![document("a", &["2.0.0"])]),
            (
                (2, 3),
                gone("b", "1.0.0"),
                vec![document("a", &["1.0.0*"]), document("c", &["1.0.0"])],
            ),
            (
                (1, 3),
                gone("b", "1.0.0"),
                vec![
                    document("a", &["2.0.0", "1.0.0*"]),
                    document("c", &["1.0.0"]),
                ],
            ),
            ((3, 4), nothing(), vec![document("c", &["2.0.0"])]),
        ]
    }

    fn replayed(listed: &Listed) -> Option<BTreeMap<PackageName, Document>> {
        let pack = |((from, to), withdrawn, _): &((u64, u64), Withdrawn, Vec<Document>)| Pack {
            from: *from,
            to: *to,
            sha256: Sha256Digest::of(b""),
            length: 10 * (to - from),
            uncompressed: 0,
            withdrawn: withdrawn.clone(),
        };
        let index = CatalogIndex {
            serial: 4,
            v1: listed.iter().map(pack).collect(),
            v2: Vec::new(),
        };
        let contents = listed.iter().map(|(.., documents)| documents.clone());
        replay(&index, Format::V1, contents.collect())
    }

    fn expected() -> Vec<Document> {
        vec![
            document("a", &["1.0.0*", "2.0.0"]),
            document("c", &["1.0.0", "2.0.0"]),
            document("d", &["1.0.0"]),
        ]
    }

    /// The same beside a pack of everything.
    fn listed_twice() -> Listed {
        let mut listed = listed();
        listed.push(((0, 4), Withdrawn::new(), expected()));
        listed
    }

    #[test]
    fn packs_that_agree_say_what_there_is() {
        let documents = |listed: &Listed| -> Vec<Document> {
            let documents = replayed(listed);
            documents.unwrap().into_values().collect()
        };
        assert_eq!(documents(&listed()), expected());
        let mut listed = listed_twice();
        assert_eq!(documents(&listed), expected());
        // The packs before one may be listed no more.
        listed.retain(|(range, ..)| ![(0, 1), (1, 2)].contains(range));
        assert_eq!(documents(&listed), expected());
    }

    #[test]
    fn no_pack_can_lack_a_package_or_hold_an_older_state_of_one() {
        let listed = listed_twice();
        // What the first one says of others than `d` is of no matter in the end.
        let places = [
            (0, 2),
            (1, 0),
            (2, 0),
            (2, 1),
            (3, 0),
            (3, 1),
            (4, 0),
            (5, 0),
            (5, 1),
            (5, 2),
        ];
        for (place, number) in places {
            let mut lacking = listed.clone();
            let lost = lacking[place].2.remove(number);
            assert_eq!(replayed(&lacking), None, "{place} without {lost:?}");
            for entry in 0..lost.entries.len() {
                let mut stale = listed.clone();
                let entry = &mut stale[place].2[number].entries[entry];
                entry.yanked = match entry.yanked {
                    None => Some(Yank { reason: None }),
                    Some(_) => None,
                };
                assert_eq!(replayed(&stale), None, "{place}: {stale:?}");
            }
        }
    }

    #[test]
    fn no_pack_can_forget_what_was_withdrawn_or_withdraw_anything_else() {
        let listed = listed_twice();
        for place in [2, 3] {
            let mut forgetful = listed.clone();
            forgetful[place].1.clear();
            assert_eq!(replayed(&forgetful), None, "{place}");
        }
        for place in 1..5 {
            let mut more = listed.clone();
            more[place].1.extend(gone("d", "1.0.0"));
            assert_eq!(replayed(&more), None, "{place}");
        }
        // Where what lies before is not listed any more.
        let mut more = listed;
        more.retain(|(range, ..)| ![(0, 1), (1, 2), (1, 3)].contains(range));
        assert!(replayed(&more).is_some());
        more[0].1.extend(gone("d", "1.0.0"));
        assert_eq!(replayed(&more), None);
    }

    /// Who was here between is not led astray, though both ends are as they should be.
    #[test]
    fn a_wider_pack_says_what_changed_and_changed_back() {
        let mut listed: Listed = vec![
            ((0, 1), Withdrawn::new(), vec![document("a", &["1.0.0"])]),
            ((1, 2), Withdrawn::new(), vec![document("a", &["1.0.0*"])]),
            ((2, 4), Withdrawn::new(), vec![document("a", &["1.0.0"])]),
            ((1, 4), Withdrawn::new(), vec![document("a", &["1.0.0"])]),
        ];
        assert!(replayed(&listed).is_some());
        listed[3].2.clear();
        assert_eq!(replayed(&listed), None);
    }
}
