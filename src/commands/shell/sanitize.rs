//! Taking from text what would do something to a terminal instead of being shown: control
//! characters, escape sequences, and the marks that turn text around.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` on one line, without anything that a terminal would obey. Line breaks and tabs become
/// spaces, so that no text can forge a line of its own.
#[must_use]
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\x1b' => skip_sequence(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\n' | '\t' => clean.push(' '),
            _ if is_hostile(c) => {}
            _ => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

/// As [`sanitize`], line by line; for text whose line breaks are ours.
#[must_use]
pub fn sanitize_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(sanitize).collect();
    lines.join("\n")
}

/// As [`sanitize_lines`], further lines indented, so that none looks like one of ours.
pub(super) fn indented(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().split('\n').map(sanitize).collect();
    lines.join("\n    ")
}

/// JSON text in which hostile characters are written as escapes: the same value, harmless on a
/// terminal. They can only stand inside strings, where an escape means the same.
#[must_use]
pub fn json_text(json: &str) -> Cow<'_, str> {
    escaped(json, |clean, c| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(clean, "\\u{unit:04x}");
        }
    })
}

/// As [`json_text`] for Turtle, in whose texts and IRIs an escape means the same, too.
#[must_use]
pub fn turtle_text(turtle: &str) -> Cow<'_, str> {
    escaped(turtle, |clean, c| {
        let _ = write!(clean, "\\U{:08X}", u32::from(c));
    })
}

fn escaped(text: &str, escape: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hostile(c) {
            escape(&mut clean, c);
        } else {
            clean.push(c);
        }
    }
    Cow::Owned(clean)
}

/// Control characters (C0, DEL, C1), the bidirectional marks (Unicode UAX 9), line and paragraph
/// separators, what has no width or no shape (joiners, soft hyphens, fillers, tags, the mark that hides
/// at the start of files): with it a text can be other than it looks.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Skips what belongs to an escape character (ECMA-48, section 5).
fn skip_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_control_sequence(rest);
        }
        // Strings (title, clipboard, hyperlink): up to BEL or ST.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = rest.next() {
                if c == '\x07' || c == '\u{9c}' {
                    break;
                }
                if c == '\x1b' && rest.peek() == Some(&'\\') {
                    rest.next();
                    break;
                }
            }
        }
        _ => while rest.next_if(|c| matches!(c, ' '..='/')).is_some() {},
    }
}

/// Skips parameters, intermediates and the final character of a control sequence.
fn skip_control_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while rest.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    rest.next_if(|c| matches!(c, '@'..='~'));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn leaves_plain_text_alone() {
        for text in ["", "tide-table v0.3.1", "naïve — 日本語 🦀"] {
            assert!(matches!(sanitize(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn takes_out_sequences_and_marks() {
        for (hostile, clean) in [
            ("a\x1b[31mred\x1b[0m", "ared"),
            ("\x1b]0;title\x07x", "x"),
            ("\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\u{9b}2Jx", "x"),
            ("a\r\n   Verifying b", "a    Verifying b"),
            ("a\u{202e}b\u{2066}c", "abc"),
            ("a\u{200d}b\u{ad}c\u{e0041}d\u{3164}e", "abcde"),
            ("bell\x07 del\x7f nul\0", "bell del nul"),
            ("\x1b", ""),
            ("\x1b]never ends", ""),
        ] {
            assert_eq!(sanitize(hostile), clean, "{hostile:?}");
        }
    }

    #[test]
    fn further_lines_of_a_message_are_indented() {
        assert_eq!(
            indented("first\nhelp: run this\n"),
            "first\n    help: run this"
        );
    }

    proptest! {
        #[test]
        fn nothing_hostile_is_left(text in "[\\x00-\\u{ff}\\u{2000}-\\u{2070}\\u{e0000}-\\u{e0080}\\[\\]]*") {
            prop_assert!(!sanitize(&text).chars().any(is_hostile));
            prop_assert!(!sanitize_lines(&text).replace('\n', "").chars().any(is_hostile));
        }

        #[test]
        fn json_keeps_its_value(text in any::<String>()) {
            let value = serde_json::json!({ "x": text, "y": "\u{9b}\u{202e}\u{e0041}" });
            let shown = json_text(&value.to_string()).into_owned();
            prop_assert!(!shown.chars().any(is_hostile));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }
}
