//! Search in the text index.

use tantivy::TantivyError;

use super::triples::Damaged;
use super::{Dataset, DatasetError, UNREADABLE};
use crate::model::PackageName;
use crate::ranking::{Filters, Hit, Hits, Query, SearchRequest, Shown, meant, rank};

impl Dataset {
    /// Searches the latest releases.
    pub fn search(&self, request: &SearchRequest) -> Result<Hits, DatasetError> {
        let text = self.texts()?;
        let filters = &request.filters;
        let passing = text.passing(filters).map_err(damaged)?;
        let passes = |place| {
            let passing = passing.as_ref();
            passing.is_none_or(|passing| passing.binary_search(&place).is_ok())
        };
        let query = Query::new(&request.words);
        let ranked = rank(&query, text, passes, request.limit).map_err(damaged)?;
        let mut best = Vec::new();
        for (place, score) in ranked.best {
            let latest = text.shown(place).map_err(damaged)?;
            let latest = latest.ok_or(UNREADABLE)?;
            best.push(Hit {
                release: self.shown(latest, filters)?,
                score: score.points,
            });
        }
        Ok(Hits {
            best,
            total: ranked.total,
            with_all_words: ranked.with_all_words,
            tolerant: ranked.tolerant,
        })
    }

    /// The package that was perhaps meant by a name that is not there.
    pub fn meant(&self, name: &PackageName) -> Result<Option<PackageName>, DatasetError> {
        let text = self.texts()?;
        let Some(place) = meant(name.as_str(), text).map_err(damaged)? else {
            return Ok(None);
        };
        let meant = text.name(place).map_err(damaged)?.parse();
        Ok(Some(meant.map_err(|_| UNREADABLE)?))
    }

    /// The release to show of a package, whose latest one is at hand.
    fn shown(&self, latest: Shown, filters: &Filters) -> Result<Shown, DatasetError> {
        if filters.rust_version.is_none() {
            return Ok(latest);
        }
        let package = self.document(&latest.name)?;
        let shown = package.as_ref().and_then(|package| filters.shown(package));
        let shown = shown.ok_or(Damaged("its text names a package that it has not"))?;
        Ok(shown.into())
    }
}

/// What the index cannot read is not what was written.
fn damaged(_: TantivyError) -> DatasetError {
    UNREADABLE.into()
}
