//! JSON as bytes that can be signed: one strict parser and two canonical forms.
//!
//! What two parsers could read in two ways is refused, never repaired: duplicate keys, numbers
//! with a fraction or an exponent, deep nesting, bytes after the value. `schemas/canonical-form.md`
//! says the same in prose, with test vectors.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep arrays and objects may stand in each other.
pub const MAX_DEPTH: usize = 64;

/// The largest integer that every JSON reader keeps exact: 2^53 - 1 (RFC 8785, section 3.2.2.3).
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// A canonical form of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// What TUF signs (securesystemslib's `encode_canonical`): keys in code point order, only `"`
    /// and `\` escaped. Not JSON where a string holds a control character.
    Olpc,
    /// RFC 8785, restricted to integers that every reader keeps exact. Always JSON.
    Jcs,
}

/// Why bytes are no JSON of ours, or a value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, or not one value alone.
    #[error("invalid JSON: {0}")]
    Syntax(String),
    /// An object has a key twice.
    #[error("the key {0:?} stands twice in one object")]
    DuplicateKey(String),
    /// A number with a fraction or exponent, a negative zero, or one beyond 64 bits.
    #[error("the number {0} is not a 64-bit integer")]
    NotAnInteger(String),
    /// Arrays and objects stand too deep in each other.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// An integer that some readers would round.
    #[error("the integer {0} lies outside of -(2^53-1) to 2^53-1")]
    UnsafeInteger(String),
}

/// Reads one JSON value and nothing else.
pub fn parse_strict(bytes: &[u8]) -> Result<Value, JsonError> {
    let refusal = RefCell::new(None);
    let seed = Strict {
        depth: 0,
        refusal: &refusal,
    };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parsed = seed
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    parsed.map_err(|error| {
        refusal
            .take()
            .unwrap_or_else(|| JsonError::Syntax(error.to_string()))
    })
}

/// Writes a value in a canonical form.
pub fn canonical(value: &Value, form: Form) -> Result<Vec<u8>, JsonError> {
    let mut out = String::new();
    write_value(&mut out, value, form, 0)?;
    Ok(out.into_bytes())
}

/// Reads one value; serde's errors are texts, so the cause of a refusal travels beside them.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    refusal: &'a RefCell<Option<JsonError>>,
}

impl Strict<'_> {
    fn refuse<E: de::Error>(self, error: JsonError) -> E {
        let text = E::custom(&error);
        self.refusal.replace(Some(error));
        text
    }

    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(JsonError::TooDeep));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Err(self.refuse(JsonError::NotAnInteger(value.to_string())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(self.refuse(JsonError::DuplicateKey(key)));
            }
            let value = members.next_value_seed(inner)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

fn write_value(out: &mut String, value: &Value, form: Form, depth: usize) -> Result<(), JsonError> {
    if depth > MAX_DEPTH || (depth == MAX_DEPTH && (value.is_array() || value.is_object())) {
        return Err(JsonError::TooDeep);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => write_integer(out, number, form)?,
        Value::String(text) => write_string(out, text, form),
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_value(out, item, form, depth + 1)?;
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (place, (key, item)) in sorted(map, form).into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_string(out, key, form);
                out.push(':');
                write_value(out, item, form, depth + 1)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// The members in the form's order. `Map` may keep any order: other crates can switch on
/// `serde_json/preserve_order` for us.
fn sorted(map: &Map<String, Value>, form: Form) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = map.iter().collect();
    match form {
        Form::Olpc => members.sort_unstable_by_key(|(key, _)| *key),
        Form::Jcs => {
            members.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        }
    }
    members
}

fn write_integer(out: &mut String, number: &Number, form: Form) -> Result<(), JsonError> {
    let text = number.to_string();
    let magnitude = number
        .as_i64()
        .map(i64::unsigned_abs)
        .or_else(|| number.as_u64())
        .ok_or_else(|| JsonError::NotAnInteger(text.clone()))?;
    if form == Form::Jcs && magnitude > MAX_SAFE_INTEGER {
        return Err(JsonError::UnsafeInteger(text));
    }
    out.push_str(&text);
    Ok(())
}

fn write_string(out: &mut String, text: &str, form: Form) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if form == Form::Jcs && control < ' ' => write_control(out, control),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Escapes a control character as ECMAScript's `JSON.stringify` does (RFC 8785, section 3.2.2.2).
fn write_control(out: &mut String, control: char) {
    match control {
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        other => {
            let code = u32::from(other);
            out.push_str("\\u00");
            out.extend(
                [code >> 4, code & 15].map(|digit| char::from_digit(digit, 16).unwrap_or('0')),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str, form: Form) -> String {
        let value = parse_strict(text.as_bytes()).unwrap();
        String::from_utf8(canonical(&value, form).unwrap()).unwrap()
    }

    #[test]
    fn refuses_what_readers_disagree_on() {
        use JsonError::{DuplicateKey, NotAnInteger, TooDeep};
        let refused = |text: &str| parse_strict(text.as_bytes()).unwrap_err();
        assert_eq!(refused(r#"{"a":1,"\u0061":2}"#), DuplicateKey("a".into()));
        assert_eq!(
            refused(r#"[{"b":{"a":1,"a":1}}]"#),
            DuplicateKey("a".into())
        );
        for number in ["1.0", "1e2", "-0", "18446744073709551616"] {
            assert!(matches!(refused(number), NotAnInteger(_)), "{number}");
        }
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse_strict(nested(64).as_bytes()).is_ok());
        assert_eq!(refused(&nested(65)), TooDeep);
        assert_eq!(refused(&"[".repeat(1_000_000)), TooDeep);
        for syntax in [
            "",
            "{} x",
            "{}{}",
            "'a'",
            r#""\ud800""#,
            "[1,]",
            "nul",
            "01",
            "NaN",
        ] {
            assert!(matches!(refused(syntax), JsonError::Syntax(_)), "{syntax}");
        }
        assert!(parse_strict(b"\"\xff\"").is_err());
    }

    #[test]
    fn sorts_by_code_point_or_by_utf16_unit() {
        // U+FB33 sorts behind U+1F600 in UTF-16 and before it by code point.
        let text = r#"{"\ud83d\ude00":1,"\ufb33":2,"b":3,"a":4}"#;
        assert_eq!(
            form(text, Form::Olpc),
            "{\"a\":4,\"b\":3,\"\u{fb33}\":2,\"\u{1f600}\":1}"
        );
        assert_eq!(
            form(text, Form::Jcs),
            "{\"a\":4,\"b\":3,\"\u{1f600}\":1,\"\u{fb33}\":2}"
        );
    }

    #[test]
    fn escapes_as_each_form_says() {
        let text = r#""\u0000\b\t\n\f\r\u001f\"\\\/\u007f\u20ac""#;
        assert_eq!(
            form(text, Form::Olpc),
            "\"\0\u{8}\t\n\u{c}\r\u{1f}\\\"\\\\/\u{7f}\u{20ac}\""
        );
        assert_eq!(
            form(text, Form::Jcs),
            "\"\\u0000\\b\\t\\n\\f\\r\\u001f\\\"\\\\/\u{7f}\u{20ac}\""
        );
    }

    #[test]
    fn statement_integers_are_those_that_every_reader_keeps() {
        for (text, fits) in [
            ("9007199254740991", true),
            ("-9007199254740991", true),
            ("9007199254740992", false),
            ("18446744073709551615", false),
            ("-9223372036854775808", false),
        ] {
            let value = parse_strict(text.as_bytes()).unwrap();
            assert_eq!(canonical(&value, Form::Jcs).is_ok(), fits, "{text}");
            assert!(canonical(&value, Form::Olpc).is_ok(), "{text}");
        }
    }

    #[test]
    fn values_too_deep_to_read_are_not_written() {
        let deep = |levels: usize| (0..levels).fold(Value::Null, |inner, _| vec![inner].into());
        assert!(canonical(&deep(MAX_DEPTH), Form::Jcs).is_ok());
        assert_eq!(
            canonical(&deep(MAX_DEPTH + 1), Form::Jcs),
            Err(JsonError::TooDeep)
        );
    }

    /// `schemas/vectors.json`, whose bytes come from securesystemslib and from the Python package
    /// `rfc8785`.
    #[test]
    fn gives_the_bytes_of_other_implementations() {
        let vectors = include_bytes!("../../schemas/vectors.json");
        let vectors = parse_strict(vectors).unwrap();
        for vector in vectors["canonicalization"].as_array().unwrap() {
            let name = &vector["name"];
            let parsed = parse_strict(vector["input"].as_str().unwrap().as_bytes());
            if let Some(refused) = vector["refused"].as_str() {
                assert_eq!(word(&parsed.unwrap_err()), refused, "{name}");
                continue;
            }
            let value = parsed.unwrap();
            for (form, key) in [(Form::Olpc, "olpc"), (Form::Jcs, "jcs")] {
                match canonical(&value, form) {
                    Ok(bytes) => assert_eq!(hex::encode(bytes), vector[key], "{name} in {form:?}"),
                    Err(error) => assert_eq!(word(&error), vector[format!("{key}_refused")]),
                }
            }
        }
    }

    fn word(error: &JsonError) -> &'static str {
        match error {
            JsonError::Syntax(_) => "syntax",
            JsonError::DuplicateKey(_) => "duplicate-key",
            JsonError::NotAnInteger(_) => "not-an-integer",
            JsonError::TooDeep => "too-deep",
            JsonError::UnsafeInteger(_) => "unsafe-integer",
        }
    }
}
