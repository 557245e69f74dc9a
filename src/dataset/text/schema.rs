//! What is indexed of a package.

use tantivy::schema::{
    FAST, Field as Place, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions,
    Value as _,
};
use tantivy::tokenizer::{RawTokenizer, TokenizerManager, WhitespaceTokenizer};
use tantivy::{TantivyDocument, Term};

use crate::model::{Document, Entry, PackageName, TrustState};
use crate::ranking::{Field, PerField, Shown, labels, lengths, name_key, texts};

/// Takes a text whole. It has the name that Tantivy looks for where a field names none.
const WHOLE: &str = "default";
/// Texts are cut by the ranking and joined by spaces; this cuts them again.
const TOKENS: &str = "tokens";

/// The column of packages' names.
pub(super) const PACKAGE: &str = "package";
/// The column of [`lengths`], a byte for each field.
pub(super) const LENGTHS: &str = "lengths";
/// The column of documents' numbers.
pub(super) const NUMBER: &str = "number";

/// The places of a document.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    /// The package's name: to find it again, and to show it.
    package: Place,
    /// Its name as [`name_key`] gives it, whole.
    pub(super) key: Place,
    /// By what it can be filtered.
    pub(super) labels: Place,
    /// The tokens of each field.
    pub(super) tokens: PerField<Place>,
    lengths: Place,
    number: Place,
    shown: ShownFields,
}

/// What is shown of the latest release, besides its package.
#[derive(Debug, Clone)]
struct ShownFields {
    version: Place,
    description: Place,
    keyword: Place,
    trust: Place,
}

/// The schema, and its fields.
pub(super) fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let indexed = |tokenizer| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(tokenizer)
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false);
        TextOptions::default().set_indexing_options(indexing)
    };
    let fields = Fields {
        package: schema.add_text_field(PACKAGE, indexed(WHOLE).set_fast("raw") | STORED),
        key: schema.add_text_field("key", indexed(WHOLE)),
        labels: schema.add_text_field("labels", indexed(WHOLE)),
        tokens: PerField {
            name: schema.add_text_field("name", indexed(TOKENS)),
            keywords: schema.add_text_field("keywords", indexed(TOKENS)),
            description: schema.add_text_field("description", indexed(TOKENS)),
        },
        lengths: schema.add_u64_field(LENGTHS, FAST),
        number: schema.add_u64_field(NUMBER, FAST),
        shown: ShownFields {
            version: schema.add_text_field("version", STORED),
            description: schema.add_text_field("shown-description", STORED),
            keyword: schema.add_text_field("keyword", STORED),
            trust: schema.add_text_field("trust", STORED),
        },
    };
    (schema.build(), fields)
}

/// What cuts texts.
pub(super) fn tokenizers() -> TokenizerManager {
    let tokenizers = TokenizerManager::new();
    tokenizers.register(WHOLE, RawTokenizer::default());
    tokenizers.register(TOKENS, WhitespaceTokenizer::default());
    tokenizers
}

impl Fields {
    /// A package by its latest release.
    pub(super) fn document(
        &self,
        package: &Document,
        latest: &Entry,
        number: usize,
    ) -> TantivyDocument {
        let name = package.package.as_str();
        let texts = texts(&latest.release);
        let mut document = TantivyDocument::default();
        document.add_text(self.package, name);
        document.add_text(self.key, name_key(name));
        for label in labels(package) {
            document.add_text(self.labels, label);
        }
        for field in Field::ALL {
            document.add_text(*self.tokens.get(field), texts.get(field).join(" "));
        }
        document.add_u64(self.lengths, pack(lengths(&texts)));
        document.add_u64(self.number, number as u64);
        self.add_shown(&latest.into(), &mut document);
        document
    }

    fn add_shown(&self, release: &Shown, document: &mut TantivyDocument) {
        let fields = &self.shown;
        document.add_text(fields.version, release.version.to_string());
        if let Some(description) = &release.description {
            document.add_text(fields.description, description);
        }
        for keyword in &release.keywords {
            document.add_text(fields.keyword, keyword);
        }
        if let Some(trust) = release.trust {
            document.add_text(fields.trust, trust.as_str());
        }
    }

    /// What is shown of a document; none if it is not one that was written here.
    pub(super) fn shown(&self, document: &TantivyDocument) -> Option<Shown> {
        let text = |place| document.get_first(place).and_then(|value| value.as_str());
        let fields = &self.shown;
        let keywords = document.get_all(fields.keyword);
        Some(Shown {
            name: text(self.package)?.parse().ok()?,
            version: text(fields.version)?.parse().ok()?,
            description: text(fields.description).map(str::to_owned),
            keywords: keywords
                .map(|value| Some(value.as_str()?.to_owned()))
                .collect::<Option<_>>()?,
            trust: text(fields.trust).and_then(TrustState::from_word),
        })
    }

    /// The term by which a package is found again.
    pub(super) fn package(&self, package: &PackageName) -> Term {
        Term::from_field_text(self.package, package.as_str())
    }
}

fn pack(lengths: PerField<u8>) -> u64 {
    let mut bytes = [0; 8];
    bytes[..3].copy_from_slice(&[lengths.name, lengths.keywords, lengths.description]);
    u64::from_le_bytes(bytes)
}

/// The lengths of a column's number.
pub(super) fn unpack(number: u64) -> PerField<u8> {
    let [name, keywords, description, ..] = number.to_le_bytes();
    PerField {
        name,
        keywords,
        description,
    }
}
