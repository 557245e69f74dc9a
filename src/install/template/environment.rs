//! Filling in: minijinja without loader, globals, loops and assignments, with a limit on steps and on
//! output. A key without a value is an error that names it, wherever it stands.

use std::collections::BTreeMap;
use std::io::{self, Write};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use super::plain_tags;

/// Steps for one text.
const FUEL: u64 = 200_000;

/// Bytes of one text that is filled in, and of what comes out.
const MAX_TEXT: usize = 4 << 20;

/// Fills values into texts.
pub(super) struct Filler {
    environment: Environment<'static>,
    values: BTreeMap<String, String>,
}

/// Why a text cannot be filled in.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// A placeholder names a key that has no value.
    #[error("`{0}` has no value")]
    Undefined(String),
    /// A tag that templates cannot use.
    #[error("`{0}` is more than templates can use: placeholders, filters and conditions")]
    Tag(String),
    /// The text is longer than templates may be, or becomes so.
    #[error("it is longer than {MAX_TEXT} bytes")]
    TooLong,
    /// The template language refuses it.
    #[error("line {line}: {reason}")]
    Syntax {
        /// Where.
        line: usize,
        /// Why.
        reason: String,
    },
}

impl Filler {
    pub(super) fn new(values: BTreeMap<String, String>) -> Self {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        // A line with nothing but a block leaves no line behind.
        let syntax = SyntaxConfig::builder()
            .keep_trailing_newline(true)
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        environment.set_syntax(syntax.expect("the usual delimiters differ from one another"));
        environment.set_fuel(Some(FUEL));
        environment.add_filter("upper", |text: &str| text.to_uppercase());
        environment.add_filter("lower", |text: &str| text.to_lowercase());
        environment.add_filter("snake_case", |text: &str| words(text).join("_"));
        environment.add_filter("kebab_case", |text: &str| words(text).join("-"));
        environment.add_filter("pascal_case", |text: &str| {
            words(text)
                .iter()
                .map(|word| capitalized(word))
                .collect::<String>()
        });
        Self {
            environment,
            values,
        }
    }

    /// Fills in a text.
    pub(super) fn fill(&self, text: &str) -> Result<String, FillError> {
        // Most files of most templates.
        if !text.contains("{{") && !text.contains("{%") && !text.contains("{#") {
            return Ok(text.to_owned());
        }
        if text.len() > MAX_TEXT {
            return Err(FillError::TooLong);
        }
        if let Some(tag) = plain_tags::first_refused(text) {
            return Err(FillError::Tag(tag.chars().take(80).collect()));
        }
        let template = self
            .environment
            .template_from_str(text)
            .map_err(|error| syntax(&error))?;
        let mut used: Vec<_> = template.undeclared_variables(false).into_iter().collect();
        used.sort();
        if let Some(key) = used.into_iter().find(|key| !self.values.contains_key(key)) {
            return Err(FillError::Undefined(key));
        }
        let values = self.values.iter();
        let values: BTreeMap<&str, Value> = values
            .map(|(key, value)| (key.as_str(), Value::from(value.as_str())))
            .collect();
        let mut output = Limited(Vec::new());
        template
            .render_captured_to(Value::from(values), &mut output)
            .map_err(|error| match error.kind() {
                minijinja::ErrorKind::WriteFailure => FillError::TooLong,
                _ => syntax(&error),
            })?;
        Ok(String::from_utf8_lossy(&output.0).into_owned())
    }
}

fn syntax(error: &minijinja::Error) -> FillError {
    FillError::Syntax {
        line: error.line().unwrap_or_default(),
        reason: error
            .detail()
            .map_or_else(|| error.kind().to_string(), Into::into),
    }
}

/// The words of a name: parted by signs, and by an upper-case letter after a lower-case one.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in text.chars() {
        let starts = c.is_uppercase() && was_lower;
        if starts || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next();
    first
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(letters)
        .collect()
}

/// Takes output up to the limit.
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_TEXT {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let values = [("name", "tide-Buoy2"), ("board", "esp32")];
        let values = values.map(|(k, v)| (k.to_owned(), v.to_owned()));
        let filler = Filler::new(values.into());
        filler.fill(text).map_err(|error| error.to_string())
    }

    #[test]
    fn fills_in_placeholders_filters_and_conditions() {
        for (text, expected) in [
            ("no tag\n", "no tag\n"),
            ("<{{ name }}>\n", "<tide-Buoy2>\n"),
            ("{{ name|pascal_case }}", "TideBuoy2"),
            ("{{ name | snake_case | upper }}", "TIDE_BUOY2"),
            ("{{ 'aB c'|kebab_case }}", "a-b-c"),
            (
                "{% if board == 'esp32' %}wifi{% else %}-{% endif %}",
                "wifi",
            ),
            (
                "{% raw %}${{ github.ref }}{% endraw %}",
                "${{ github.ref }}",
            ),
            ("{# for authors #}x", "x"),
            ("a\n  {% if board %}\nb\n  {% endif %}\nc\n", "a\nb\nc\n"),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn names_the_key_that_has_no_value() {
        for text in ["{{ colour }}", "{% if name == '' %}{{ colour }}{% endif %}"] {
            assert_eq!(filled(text), Err("`colour` has no value".into()));
        }
    }

    #[test]
    fn refuses_what_is_more_than_filling_in() {
        for bad in [
            "{{ name * 9 }}",
            "{% include '/etc/passwd' %}",
            "{{ name",
            "{{ }}",
            "{{ name|nothing }}",
            "{{ name.x }}",
            "{{ name() }}",
            "{{ range(9) }}",
        ] {
            assert!(filled(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ends_what_takes_too_long_or_becomes_too_large() {
        let filler = Filler::new([("name".into(), "x".repeat(1000))].into());
        let text = "{{ name }}".repeat(5000);
        assert!(matches!(filler.fill(&text), Err(FillError::TooLong)));
        let text = "{% if name %}{% endif %}".repeat(100_000);
        assert!(filler.fill(&text).is_err());
    }
}
