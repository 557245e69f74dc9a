//! A TOML table that knows where it stands, so that an error can name the field.

use toml::{Table, Value};

use super::ManifestError;

/// A table and its place in the manifest.
pub(super) struct Section<'t> {
    table: &'t Table,
    place: String,
}

impl<'t> Section<'t> {
    /// The whole manifest.
    pub(super) const fn root(table: &'t Table) -> Self {
        Self {
            table,
            place: String::new(),
        }
    }

    /// The place of a field, as `package.version`.
    pub(super) fn field(&self, key: &str) -> String {
        let key: String = key.chars().take(120).collect();
        match self.place.as_str() {
            "" => key,
            place => format!("{place}.{key}"),
        }
    }

    /// Says whether the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A string, of at most `limit` bytes and without control characters but line ends and tabs;
    /// nothing if it is absent or empty.
    pub(super) fn text(&self, key: &str, limit: usize) -> Result<Option<String>, ManifestError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => {
                check_text(text, limit, || self.field(key))?;
                Ok(Some(text.clone()).filter(|text| !text.is_empty()))
            }
            Some(other) => Err(self.wrong(key, other, "a string")),
        }
    }

    /// A boolean.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, ManifestError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Boolean(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong(key, other, "true or false")),
        }
    }

    /// A list of at most `most` strings of at most `limit` bytes; none if it is absent.
    pub(super) fn list(
        &self,
        key: &str,
        most: usize,
        limit: usize,
    ) -> Result<Vec<String>, ManifestError> {
        let members = match self.table.get(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(members)) => members,
            Some(other) => return Err(self.wrong(key, other, "a list of strings")),
        };
        self.check_count(key, members.len(), most)?;
        let text = |member: &Value| match member {
            Value::String(text) => {
                check_text(text, limit, || self.field(key))?;
                Ok(text.clone())
            }
            other => Err(self.wrong(key, other, "a list of strings")),
        };
        members.iter().map(text).collect()
    }

    /// A table.
    pub(super) fn section(&self, key: &str) -> Result<Option<Section<'t>>, ManifestError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Table(table)) => Ok(Some(Section {
                table,
                place: self.field(key),
            })),
            Some(_) => Err(self.type_error(key, "a table")),
        }
    }

    /// A list of tables, as `[[bin]]` makes one.
    pub(super) fn sections(&self, key: &str) -> Result<Vec<Section<'t>>, ManifestError> {
        let members = match self.table.get(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(members)) => members,
            Some(_) => return Err(self.type_error(key, "a list of tables")),
        };
        let section = |member: &'t Value| match member {
            Value::Table(table) => Ok(Section {
                table,
                place: self.field(key),
            }),
            _ => Err(self.type_error(key, "a list of tables")),
        };
        members.iter().map(section).collect()
    }

    /// The keys, of which there may be `most`, and their values.
    pub(super) fn members(
        &self,
        most: usize,
    ) -> Result<impl Iterator<Item = (&'t String, &'t Value)>, ManifestError> {
        self.check_count("", self.table.len(), most)?;
        Ok(self.table.iter())
    }

    /// Refuses values that are left to the workspace, in fields that are read here as in others:
    /// Cargo cannot build such a package. `free` keys may hold any table.
    pub(super) fn refuse_inherited(&self, free: &[&str]) -> Result<(), ManifestError> {
        let inherited = |(key, value): &(&String, &Value)| {
            !free.contains(&key.as_str()) && value.get("workspace").is_some_and(Value::is_bool)
        };
        match self.table.iter().find(inherited) {
            Some((key, _)) => Err(ManifestError::Inherited {
                field: self.field(key),
            }),
            None => Ok(()),
        }
    }

    /// The error for a value of another type, which is most often one left to the workspace.
    fn wrong(&self, key: &str, value: &Value, expected: &'static str) -> ManifestError {
        match value {
            Value::Table(table) if table.contains_key("workspace") => ManifestError::Inherited {
                field: self.field(key),
            },
            _ => self.type_error(key, expected),
        }
    }

    /// The error for a value of another type.
    pub(super) fn type_error(&self, key: &str, expected: &'static str) -> ManifestError {
        ManifestError::Type {
            field: self.field(key),
            expected,
        }
    }

    /// The error for a text of another form.
    pub(super) fn form_error(&self, key: &str, expected: &'static str) -> ManifestError {
        ManifestError::Form {
            field: self.field(key),
            expected,
        }
    }

    fn check_count(&self, key: &str, count: usize, most: usize) -> Result<(), ManifestError> {
        if count > most {
            let field = if key.is_empty() {
                self.place.clone()
            } else {
                self.field(key)
            };
            return Err(ManifestError::TooMany { field, limit: most });
        }
        Ok(())
    }
}

/// Refuses texts that are too long, and control characters but line ends and tabs.
pub(super) fn check_text(
    text: &str,
    limit: usize,
    field: impl Fn() -> String,
) -> Result<(), ManifestError> {
    if text.len() > limit {
        return Err(ManifestError::TooLong {
            field: field(),
            limit,
        });
    }
    let refused = |c: &char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    match text.chars().find(refused) {
        Some(found) => Err(ManifestError::Control {
            field: field(),
            found,
        }),
        None => Ok(()),
    }
}
