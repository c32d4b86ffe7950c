//! `name=value`, `name: value`, `"name": "value"`, `name => 'value'`, `Cookie: a=b`.

use std::ops::Range;

use super::super::names::{Likeness, NAME_MAX};
use super::super::place::{Place, What};
use super::super::rules::Rules;
use super::{Find, counts};

/// The longest value that is looked at, in bytes.
const VALUE_MAX: usize = 1024 * 1024;
/// Blanks between a name, its sign and its value.
const BLANKS_MAX: usize = 16;

pub(super) fn find(bytes: &[u8], rules: &Rules, found: &mut Vec<Find>) {
    let signs = bytes.iter().enumerate().filter(|(_, byte)| matches!(byte, b'=' | b':'));
    for (at, sign) in signs {
        if *sign == b':' && bytes.get(at + 1..at + 3) == Some(b"//") {
            continue;
        }
        let Some(name) = name_before(bytes, at) else { continue };
        let text = String::from_utf8_lossy(bytes.get(name.clone()).unwrap_or_default()).into_owned();
        if text.to_ascii_lowercase().ends_with("cookie") {
            cookies(bytes, at + 1, &text, found);
        }
        let Some(likeness) = rules.likeness(&text) else { continue };
        let value = value_after(bytes, at + 1, is_authorization(&text));
        let source = bytes.get(value.at.clone()).unwrap_or_default();
        if counts(likeness, source) && (value.is_quoted || is_meant(bytes, &name, at, &value.at, likeness)) {
            found.push(Find { at: value.at, place: Place::new(What::Text, text) });
        }
    }
}

fn is_authorization(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["auth", "authorization", "authorisation"].iter().any(|end| name.ends_with(end))
}

/// The name that ends before the sign at `at`: up to two words, perhaps in quotes.
pub(super) fn name_before(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let back = |from: usize, most: usize, holds: &dyn Fn(u8) -> bool| {
        let part = bytes.get(from.saturating_sub(most)..from).unwrap_or_default();
        from - part.iter().rev().take_while(|byte| holds(**byte)).count()
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.$".contains(&byte);
    let mut end = back(at, BLANKS_MAX, &|byte| byte == b' ' || byte == b'\t');
    end = back(end, 4, &|byte| b"\"'`]\\".contains(&byte));
    let start = back(end, NAME_MAX, &is_name);
    if start == end {
        return None;
    }
    // `API key: ...` is a name of two words.
    let first = match bytes.get(start.wrapping_sub(1)) {
        Some(b' ') => back(start - 1, NAME_MAX, &is_name),
        _ => start,
    };
    let start = if first < start.saturating_sub(1) && end - first <= NAME_MAX { first } else { start };
    Some(start..end)
}

struct Value {
    at: Range<usize>,
    is_quoted: bool,
}

/// The value after a sign that ends before `from`.
fn value_after(bytes: &[u8], from: usize, has_scheme: bool) -> Value {
    let forth = |from: usize, most: usize, holds: &[u8]| {
        let part = bytes.get(from..).unwrap_or_default();
        from + part.iter().take(most).take_while(|byte| holds.contains(byte)).count()
    };
    let start = forth(forth(forth(from, 2, b"=>:"), BLANKS_MAX, b" \t"), 1, b"[");
    let (start, quote) = match bytes.get(start) {
        Some(quote @ (b'"' | b'\'' | b'`')) => (start + 1, Some(*quote)),
        _ => (start, None),
    };
    let (end, is_quoted) = match quote.and_then(|quote| closing(bytes, start, quote)) {
        Some(end) => (end, true),
        None if has_scheme => (end_of_line(bytes, start), false),
        None => (end_of_word(bytes, start), false),
    };
    let value = bytes.get(start..end).unwrap_or_default();
    // `Bearer abc`: the scheme stays.
    let scheme = value.iter().position(|byte| *byte == b' ').filter(|blank| {
        has_scheme
            && value
                .get(..*blank)
                .unwrap_or_default()
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    });
    Value { at: scheme.map_or(start, |blank| start + blank + 1)..end, is_quoted }
}

/// Where a quoted value ends. A line break ends what stands in single quotes: there it was an apostrophe.
fn closing(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut at = start;
    while let Some(byte) = bytes.get(at).filter(|_| at - start < VALUE_MAX) {
        match byte {
            b'\\' => at += 1,
            b'\n' if quote != b'"' => return None,
            byte if *byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    // Text that is cut short keeps its secret.
    (quote == b'"').then(|| bytes.len().min(start + VALUE_MAX))
}

fn end_of_line(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let length = rest.iter().take(VALUE_MAX).take_while(|byte| !b"\r\n\"'<>\\".contains(byte)).count();
    start + length
}

fn end_of_word(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while let Some(byte) = bytes.get(end).filter(|_| end - start < VALUE_MAX) {
        if byte.is_ascii_whitespace()
            || b"&;\"'`<>|\\".contains(byte)
            || (*byte == b',' && begins_a_pair(bytes, end))
        {
            break;
        }
        end += 1;
    }
    let word = bytes.get(start..end).unwrap_or_default();
    end - word.iter().rev().take_while(|byte| b",.)]}!?".contains(byte)).count().min(1)
}

/// Whether another `name=` follows a comma.
fn begins_a_pair(bytes: &[u8], comma: usize) -> bool {
    let rest = bytes.get(comma + 1..).unwrap_or_default();
    let blanks = rest.iter().take(BLANKS_MAX).take_while(|byte| **byte == b' ').count();
    let name = rest.iter().skip(blanks).take(NAME_MAX);
    let length = name.take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)).count();
    blanks > 0 || (length > 0 && matches!(rest.get(length), Some(b'=' | b':')))
}

/// Whether what follows a sign without quotes is a value, and not the next words of a sentence or a piece of a program.
fn is_meant(
    bytes: &[u8],
    name: &Range<usize>,
    sign: usize,
    value: &Range<usize>,
    likeness: Likeness,
) -> bool {
    let source = bytes.get(value.clone()).unwrap_or_default();
    let is_short_number = source.len() < 8 && source.iter().all(u8::is_ascii_digit);
    if is_short_number
        || source.contains(&b'(') && source.iter().take_while(|byte| **byte != b'(').all(is_of_program)
    {
        return false;
    }
    let is_word = source.iter().all(u8::is_ascii_alphabetic);
    let is_tight = bytes.get(sign) == Some(&b'=') && sign + 1 == value.start && name.end == sign;
    let begins = name.start == 0 || bytes.get(name.start - 1).is_some_and(|byte| b"\r\n".contains(byte));
    let ends = bytes.get(value.end).is_none_or(|byte| b"\r\n".contains(byte));
    likeness == Likeness::Maybe || !is_word || is_tight || (begins && ends)
}

fn is_of_program(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.$".contains(byte)
}

/// The values of `Cookie: a=b; c=d`; of `Set-Cookie` the first only.
fn cookies(bytes: &[u8], from: usize, header: &str, found: &mut Vec<Find>) {
    let end = end_of_line(bytes, from);
    let mut at = from;
    let line = bytes.get(from..end).unwrap_or_default();
    for pair in line.split(|byte| *byte == b';') {
        let equals = pair.iter().position(|byte| *byte == b'=');
        if let Some(equals) = equals {
            let name = String::from_utf8_lossy(pair.get(..equals).unwrap_or_default()).trim().to_owned();
            let value = at + equals + 1..at + pair.len();
            if counts(Likeness::Sure, bytes.get(value.clone()).unwrap_or_default()) {
                found.push(Find { at: value, place: Place::new(What::Cookie, name) });
            }
        }
        if header.len() > "cookie".len() {
            break;
        }
        at += pair.len() + 1;
    }
}
