//! How deep brackets stand in each other in Turtle text, found out without a parser: the parser
//! keeps something for each open bracket, and a document could consist of nothing else.

/// Returns the deepest nesting of `[`, `(` and `<<` outside of literals, IRIs and comments.
pub(super) fn deepest_nesting(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut rest = text;
    while let Some(byte) = rest.first() {
        let length = match byte {
            b'[' | b'(' | b'{' => {
                depth += 1;
                1
            }
            b'<' if rest.starts_with(b"<<") => {
                depth += 1;
                2
            }
            b']' | b')' | b'}' => {
                depth = depth.saturating_sub(1);
                1
            }
            b'>' if rest.starts_with(b">>") => {
                depth = depth.saturating_sub(1);
                2
            }
            b'<' => until(rest, b">"),
            b'#' => until(rest, b"\n"),
            b'\\' => 2,
            b'"' => literal(rest, [b'"'; 3]),
            b'\'' => literal(rest, [b'\''; 3]),
            _ => 1,
        };
        deepest = deepest.max(depth);
        rest = rest.get(length..).unwrap_or_default();
    }
    deepest
}

/// The length up to and with the end mark, which may follow the first byte at once.
fn until(text: &[u8], end: &[u8]) -> usize {
    text[1..]
        .iter()
        .position(|byte| end.contains(byte))
        .map_or(text.len(), |place| place + 2)
}

/// The length of the literal that starts here; `quotes` is its mark in the long form.
fn literal(text: &[u8], quotes: [u8; 3]) -> usize {
    let end = if text.starts_with(&quotes) {
        &quotes[..]
    } else {
        &quotes[..1]
    };
    let mut place = end.len();
    while place < text.len() && !text[place..].starts_with(end) {
        place += if text[place] == b'\\' { 2 } else { 1 };
    }
    place + end.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_brackets_and_nothing_in_texts() {
        for (text, depth) in [
            ("", 0),
            ("<a> <b> ( [ <c> ( 1 ) ] ) , [ ] .", 3),
            (
                "<a[[> <b> \"[[\\\"[[\" , '[', '''[ ' ''[''' , \"\"\"[\"[\"\"\" . # [[[\n[",
                1,
            ),
            ("<< << <a> <b> <c> >> <d> <e> >>", 2),
            ("\"unclosed [[[", 0),
            ("p:a\\'[ p:b \"[\" ]", 1),
            ("]]]][", 1),
        ] {
            assert_eq!(deepest_nesting(text.as_bytes()), depth, "{text}");
        }
        assert_eq!(deepest_nesting(&vec![b'['; 100_000]), 100_000);
    }
}
