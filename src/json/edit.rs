//! Edits of JSON text that leave every other byte as it is: the source is cut and spliced, never written anew.

use std::ops::Range;

use super::{Json, JsonError, Kind, Member, quote};

/// A place in the text and what to put there.
type Splice<'r> = (Range<usize>, std::borrow::Cow<'r, str>);

/// `text` with the value at each RFC 6901 pointer replaced by the JSON text beside it; all other bytes stay.
///
/// A pointer that leads nowhere is skipped. Where one pointer leads into the value of another, the outer one wins; of
/// two equal ones the first. A `text` that is not JSON comes back unchanged.
pub fn replace(text: &str, edits: &[(&str, &str)]) -> String {
    let Ok(json) = Json::parse(text) else { return text.to_owned() };
    let found =
        edits.iter().filter_map(|(pointer, new)| Some((range(text, json.pointer(pointer)?), (*new).into())));
    splice(text, found.collect())
}

/// `text` without the member `name` (all duplicates of it) of the object, or of each object in the array; all other
/// bytes stay. A `text` that is not JSON comes back unchanged.
pub fn remove_member(text: &str, name: &str) -> String {
    let Ok(json) = Json::parse(text) else { return text.to_owned() };
    let mut cuts = Vec::new();
    for object in objects(&json) {
        let members = object.members();
        // A member goes with the comma before it; those at the front go with the comma behind.
        let kept_first = members.iter().position(|(known, _)| known != name).unwrap_or(members.len());
        if kept_first > 0 {
            let names = names(text, object);
            let end = match names.get(kept_first) {
                Some(kept) => kept.start,
                None => members.last().map_or(0, |(_, value)| range(text, value).end),
            };
            cuts.push((names.first().map_or(end, |first| first.start)..end, "".into()));
        }
        for pair in members.get(kept_first..).unwrap_or_default().windows(2) {
            if let [(_, before), (known, value)] = pair
                && known == name
            {
                cuts.push((range(text, before).end..range(text, value).end, "".into()));
            }
        }
    }
    splice(text, cuts)
}

/// `text` with members of the object, or of each object in the array, renamed from the first name of a pair to the
/// second, all at once, so that two names can be swapped; all other bytes stay. A `text` that is not JSON comes back
/// unchanged.
pub fn rename_members(text: &str, renames: &[(&str, &str)]) -> String {
    let Ok(json) = Json::parse(text) else { return text.to_owned() };
    let mut edits = Vec::new();
    for object in objects(&json) {
        for ((known, _), place) in object.members().iter().zip(names(text, object)) {
            if let Some((_, new)) = renames.iter().find(|(old, _)| known == old) {
                edits.push((place, quote(new).into()));
            }
        }
    }
    splice(text, edits)
}

/// A string in a text, for [`rewrite`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'s> {
    /// The names of the members it stands under, the nearest last. For a name those around it. The text beside a value
    /// that is its name (`{"name": "Owner", "value": "ann"}`) is one of them.
    pub(crate) under: &'s [&'s str],
    /// Whether it is the name of a member.
    pub(crate) is_name: bool,
    /// The string, decoded.
    pub(crate) text: &'s str,
}

/// `text` with each string, names included, replaced by what `put` says of it; `None` if nothing changes, or if it is
/// not JSON. All other bytes stay.
pub(crate) fn rewrite(text: &str, put: &mut dyn FnMut(Spot<'_>) -> Option<String>) -> Option<String> {
    try_rewrite(text, put).ok().flatten()
}

/// The same, and why not if it is not JSON.
pub(crate) fn try_rewrite(
    text: &str,
    put: &mut dyn FnMut(Spot<'_>) -> Option<String>,
) -> Result<Option<String>, JsonError> {
    let json = Json::parse(text)?;
    let mut edits = Vec::new();
    rewrite_value(text, &json, &mut Vec::new(), put, &mut edits);
    Ok((!edits.is_empty()).then(|| splice(text, edits)))
}

fn rewrite_value<'a>(
    text: &str,
    value: &'a Json<'_>,
    under: &mut Vec<&'a str>,
    put: &mut dyn FnMut(Spot<'_>) -> Option<String>,
    edits: &mut Vec<Splice<'_>>,
) {
    match value.kind() {
        Kind::String(string) => {
            if let Some(new) = put(Spot { under, is_name: false, text: string }) {
                edits.push((range(text, value), quote(&new).into()));
            }
        }
        Kind::Array(elements) => {
            elements.iter().for_each(|element| rewrite_value(text, element, under, put, edits));
        }
        Kind::Object(members) => {
            for ((name, member), place) in members.iter().zip(names(text, value)) {
                let paired = value.paired_name(name);
                if let Some(new) = put(Spot { under, is_name: true, text: name }) {
                    edits.push((place, quote(&new).into()));
                }
                let depth = under.len();
                under.extend(paired);
                under.push(name);
                rewrite_value(text, member, under, put, edits);
                under.truncate(depth);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number => {}
    }
}

/// The object itself, or the objects of the array.
fn objects<'j, 'a>(json: &'j Json<'a>) -> impl Iterator<Item = &'j Json<'a>> {
    let own = matches!(json.kind(), Kind::Object(_)).then_some(json);
    own.into_iter().chain(json.elements().iter().filter(|element| matches!(element.kind(), Kind::Object(_))))
}

/// Where the names of an object's members stand, quotes included. A name ends before the colon that precedes its
/// value, and begins at the first quote after the value before it.
fn names(text: &str, object: &Json<'_>) -> Vec<Range<usize>> {
    let mut from = range(text, object).start;
    let place = |(_, value): &Member<'_>| {
        let value = range(text, value);
        let gap = text.get(from..value.start).unwrap_or_default();
        let start = from + gap.find('"').unwrap_or(gap.len());
        let blank = [' ', '\t', '\r', '\n'];
        let end = from + gap.trim_end_matches(blank).trim_end_matches(':').trim_end_matches(blank).len();
        from = value.end;
        start..end
    };
    object.members().iter().map(place).collect()
}

/// Where a value's source text stands in the text it was read from.
fn range(text: &str, value: &Json<'_>) -> Range<usize> {
    let start = (value.text().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + value.text().len()
}

/// `text` with each place replaced. A place that begins inside one before it is skipped.
fn splice(text: &str, mut edits: Vec<Splice<'_>>) -> String {
    edits.sort_by_key(|(place, _)| (place.start, std::cmp::Reverse(place.end)));
    let mut out = String::with_capacity(text.len());
    let mut kept_from = 0;
    for (place, new) in edits {
        if place.start < kept_from {
            continue;
        }
        out.push_str(text.get(kept_from..place.start).unwrap_or_default());
        out.push_str(&new);
        kept_from = place.end;
    }
    out.push_str(text.get(kept_from..).unwrap_or_default());
    out
}
