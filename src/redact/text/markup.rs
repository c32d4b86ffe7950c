//! Elements and attributes of XML and HTML: `<password>...`, `<input name="token" value="...">`, `<key>token</key>`
//! beside `<string>...</string>`. Attributes named like a credential are found as assignments are.

use std::ops::Range;

use super::super::names::Likeness;
use super::super::place::{Place, What};
use super::super::rules::Rules;
use super::{Find, counts};

/// The longest tag, in bytes.
const TAG_MAX: usize = 16 * 1024;
/// Elements and attributes whose text may name what stands beside them.
const NAMING: &[&str] =
    &["name", "key", "id", "property", "param", "field", "type", "th", "td", "dt", "label", "http-equiv"];
/// Elements and attributes whose text is named by what stands beside them.
const HOLDING: &[&str] =
    &["value", "val", "content", "string", "data", "text", "default", "td", "dd", "input"];

struct Tag {
    /// Without its prefix, as it is written.
    written: String,
    /// The same in lower case.
    name: String,
    attributes: Range<usize>,
    end: usize,
}

pub(super) fn find(bytes: &[u8], rules: &Rules, found: &mut Vec<Find>) {
    // The credential that was named last, until something else comes between.
    let mut named: Option<(String, Likeness)> = None;
    let mut at = 0;
    while let Some(tag) = next_tag(bytes, at) {
        at = tag.end;
        let attributes = attributes(bytes, &tag.attributes);
        let own = rules.likeness(&tag.written).map(|likeness| (tag.written.clone(), likeness));
        let by_attribute = attributes.iter().find_map(|(name, value)| {
            let text = String::from_utf8_lossy(bytes.get(value.clone())?).into_owned();
            let likeness = rules.likeness(&text).filter(|_| NAMING.contains(&name.as_str()))?;
            Some((text, likeness))
        });
        let holds = HOLDING.contains(&tag.name.as_str());
        let here = own.or(by_attribute).or_else(|| named.take().filter(|_| holds));
        let content = content(bytes, tag.end);
        let Some((name, likeness)) = here else {
            let text = String::from_utf8_lossy(bytes.get(content).unwrap_or_default()).trim().to_owned();
            if NAMING.contains(&tag.name.as_str()) {
                named = rules.likeness(&text).map(|likeness| (text, likeness));
            }
            continue;
        };
        let mut note = |at: Range<usize>| {
            if counts(likeness, bytes.get(at.clone()).unwrap_or_default()) {
                found.push(Find { at, place: Place::new(What::Text, name.clone()) });
            }
        };
        let values = attributes.iter().filter(|(name, _)| HOLDING.contains(&name.as_str()));
        values.for_each(|(_, value)| note(value.clone()));
        let is_empty = bytes.get(content.clone()).unwrap_or_default().trim_ascii().is_empty();
        note(content);
        // `<property name="password"><value>...`: the value is one tag further down.
        named = (is_empty && likeness == Likeness::Sure).then_some((name, likeness));
    }
}

/// The next opening tag; closing tags, comments and declarations are passed over.
fn next_tag(bytes: &[u8], from: usize) -> Option<Tag> {
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'<')? + 1;
        if bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
            break;
        }
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let length =
        rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_:.-".contains(byte)).count();
    let written = String::from_utf8_lossy(rest.get(..length).unwrap_or_default());
    let written = written.rsplit(':').next().unwrap_or_default().to_owned();
    let name = written.to_ascii_lowercase();
    let mut quote = None;
    let mut end = at + length;
    while let Some(byte) = bytes.get(end).filter(|_| end - at < TAG_MAX) {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(*byte),
            (None, b'>') => break,
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
        end += 1;
    }
    Some(Tag { written, name, attributes: at + length..end, end: (end + 1).min(bytes.len()) })
}

/// Attributes with quoted values, or with plain words.
fn attributes(bytes: &[u8], within: &Range<usize>) -> Vec<(String, Range<usize>)> {
    let mut all = Vec::new();
    let mut at = within.start;
    while let Some(found) =
        bytes.get(at..within.end).and_then(|rest| rest.iter().position(|byte| *byte == b'='))
    {
        let sign = at + found;
        let before = bytes.get(at..sign).unwrap_or_default().trim_ascii_end();
        let length = before.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
        let name = String::from_utf8_lossy(before.get(before.len() - length..).unwrap_or_default())
            .to_ascii_lowercase();
        let rest = bytes.get(sign + 1..within.end).unwrap_or_default();
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let (start, length) = match rest.get(blanks) {
            Some(quote @ (b'"' | b'\'')) => {
                (blanks + 1, rest.iter().skip(blanks + 1).take_while(|byte| *byte != quote).count())
            }
            _ => (blanks, rest.iter().skip(blanks).take_while(|byte| !byte.is_ascii_whitespace()).count()),
        };
        let value = sign + 1 + start..(sign + 1 + start + length).min(within.end);
        at = (value.end + 1).min(within.end);
        all.push((name, value));
    }
    all
}

/// The text right after a tag, up to the next one, without blanks around; of a CDATA section its inside.
fn content(bytes: &[u8], from: usize) -> Range<usize> {
    const OPEN: &[u8] = b"<![CDATA[";
    let rest = bytes.get(from..).unwrap_or_default();
    let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let start = from + blanks;
    let rest = bytes.get(start..).unwrap_or_default();
    if let Some(inside) = rest.strip_prefix(OPEN) {
        let length = inside.windows(3).position(|window| window == b"]]>").unwrap_or(inside.len());
        return start + OPEN.len()..start + OPEN.len() + length;
    }
    let text =
        rest.iter().position(|byte| *byte == b'<').map_or(rest, |end| rest.get(..end).unwrap_or_default());
    start..start + text.trim_ascii_end().len()
}
