//! Search in the text index.

use tantivy::TantivyError;

use super::triples::Damaged;
use super::{Dataset, DatasetError};
use crate::ranking::{Hit, Hits, Query, SearchRequest, rank};

impl Dataset {
    /// Searches the latest releases.
    pub fn search(&self, request: &SearchRequest) -> Result<Hits, DatasetError> {
        let Some(text) = self.text() else {
            return Err(Damaged("it has no texts").into());
        };
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
            let name = text.name(place).map_err(damaged)?.parse();
            let document = self.document(&name.map_err(|_| no_such_package())?)?;
            let document = document.ok_or_else(no_such_package)?;
            let entry = filters.shown(&document).ok_or_else(no_such_package)?;
            best.push(Hit {
                entry: entry.clone(),
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
}

fn no_such_package() -> Damaged {
    Damaged("its text names a package that it has not")
}

/// What the index cannot read is not what was written.
fn damaged(_: TantivyError) -> DatasetError {
    Damaged("its text cannot be read").into()
}
