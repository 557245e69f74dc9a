//! Which tags of the template language a template may use: `{{ key }}`, `{{ key | filter }}`, and
//! `{% if %}` with its like.
//!
//! Without loops, assignments and the operators `~`, `+` and `*` nothing can grow: what comes out
//! is at most as long as what goes in times the longest value. (Fuel bounds steps, and thirty
//! doublings of a text are few steps.) Refuses too much rather than too little, also where a tag
//! stands in a comment.

/// Words that a block may begin with.
const BLOCKS: [&str; 6] = ["if", "elif", "else", "endif", "raw", "endraw"];

/// Bytes of a tag.
const MAX_TAG: usize = 400;

/// Returns the first tag of a text that is not allowed.
pub(super) fn first_refused(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(1))
        .filter(|at| bytes[*at] == b'{' && matches!(bytes[at + 1], b'{' | b'%'))
        .map(|at| &text[at..])
        .find(|tag| !is_allowed(tag))
        .map(|tag| tag.lines().next().unwrap_or_default())
}

/// Checks the tag at the start of a text.
fn is_allowed(text: &str) -> bool {
    let is_block = text.as_bytes()[1] == b'%';
    let end = if is_block { "%}" } else { "}}" };
    let inner = &text[2..];
    let limit = inner.floor_char_boundary(MAX_TAG);
    let Some(end) = inner[..limit].find(end) else {
        return false;
    };
    let inner = &inner[..end];
    let word = inner.trim_start_matches('-').trim_start();
    let word = word.split(|c: char| !c.is_ascii_alphabetic()).next();
    let is_known = !is_block || word.is_some_and(|word| BLOCKS.contains(&word));
    is_known && has_plain_characters(inner)
}

/// Checks the characters of a tag; every text in quotes must end before the tag does, or the tag
/// would not end where we think.
fn has_plain_characters(inner: &str) -> bool {
    let mut quote = None;
    for c in inner.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) if c == '\\' => return false,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_ascii_alphanumeric() || c.is_ascii_whitespace() => {}
            None if "_.,|!=<>()-:/".contains(c) => {}
            None => return false,
        }
    }
    quote.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_placeholders_filters_and_conditions() {
        for fine in [
            "",
            "{ x } {",
            "{{ name }} {{name|upper}} {{- name -}}",
            "{% if board == \"esp32\" and not (unit != 'm') %}a{% elif x %}b{%- else -%}c{% endif %}",
            "{% raw %}${{ secrets.TOKEN }}{% endraw %}",
            "{# a remark #}",
        ] {
            assert_eq!(first_refused(fine), None, "{fine}");
        }
    }

    #[test]
    fn refuses_what_can_grow_or_hide() {
        for bad in [
            "{% for x in y %}{% endfor %}",
            "{% set x = name %}",
            "{%- set x = name %}",
            "{% include 'x' %}",
            "{% macro a() %}",
            "{{ name * 9 }}",
            "{{ name ~ name }}",
            "{{ name + name }}",
            "{{ \"}}\" * 9 }}",
            "{{ '\"' == \"}}\" * 9 }}",
            "{{ {'a': {'b': 1}} * 9 }}",
            "{{ [name] }}",
            "{{ 'a\\'}}' * 9 }}",
            "{# {{ #} {{ name * 9 }}",
            "{{ name",
            "{{{{ name }}",
        ] {
            assert!(first_refused(bad).is_some(), "{bad}");
        }
        let long = format!("{{{{ {} }}}}", "a".repeat(MAX_TAG));
        assert!(first_refused(&long).is_some());
    }
}
