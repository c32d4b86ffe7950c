//! Credentials in a body or another longer text, by place: JSON by its members, forms by their fields, tables by their
//! columns, and any text by the names and forms in it, under every layer of encoding.

use std::ops::Range;

use super::coded;
use super::layers;
use super::looks;
use super::names::{Likeness, is_redacted};
use super::packed::{self, Charset, Kind as Bytes};
use super::place::{Place, What};
use super::places::{Visit, pairs, spliced};
use super::readings::Readings;
use super::rules::Rules;
use super::text as search;
use super::tokens::{self, Kind, Token};
use crate::json::Json;
use crate::json::tokens::is_value;

/// JSON text in a string of JSON text, so deep.
const JSON_DEPTH: usize = 4;
/// A body is looked through so often, until nothing more is found in it.
const ROUNDS_MAX: usize = 4;
/// The type of a form.
const FORM: &str = "application/x-www-form-urlencoded";
/// Numbers of so many digits may be a secret; shorter ones count something.
const DIGITS_MIN: usize = 8;

/// A body with the visited values put in place; `None` if there are none. Of a packed one with a secret in it nothing
/// is left but the placeholder.
pub(super) fn body(
    bytes: &[u8],
    content_type: &str,
    rules: &Rules,
    visit: &mut Visit<'_>,
) -> Option<Vec<u8>> {
    if bytes.is_empty() {
        return None;
    }
    let kind = content_type.trim_start().to_ascii_lowercase();
    match packed::kind(bytes) {
        Bytes::Text(charset) => decoded_body(bytes, charset, &kind, rules, visit),
        Bytes::Opaque => decoded_body(bytes, Charset::OneByte, &kind, rules, visit),
        Bytes::Packed => {
            let inner = packed::unpacked(bytes)?;
            let mut last = None;
            let mut noted = |place: &Place, value: &[u8]| {
                let new = visit(place, value);
                last = new.clone().or(last.take());
                new
            };
            let _ = body(&inner, content_type, rules, &mut noted);
            last.map(String::into_bytes)
        }
    }
}

fn decoded_body(
    bytes: &[u8],
    charset: Charset,
    kind: &str,
    rules: &Rules,
    visit: &mut Visit<'_>,
) -> Option<Vec<u8>> {
    let whole = charset.decode(bytes);
    if kind.starts_with(FORM) {
        let fields = pairs(&whole, What::FormField, rules, visit);
        let now = fields.as_deref().unwrap_or(&whole);
        let new = text(now.as_bytes(), rules, visit).map(|new| String::from_utf8_lossy(&new).into_owned());
        return new.or(fields).map(|new| charset.encode(&new));
    }
    let mut new: Option<String> = None;
    // What stands in the place of a value can bring another to light, where a text is almost JSON.
    for _ in 0..ROUNDS_MAX {
        let Some(next) = json_or_text(new.as_deref().unwrap_or(&whole), rules, visit) else { break };
        new = Some(next);
    }
    new.map(|new| charset.encode(&new))
}

fn json_or_text(whole: &str, rules: &Rules, visit: &mut Visit<'_>) -> Option<String> {
    let members = tokens::looks_like_json(whole).then(|| json(whole, JSON_DEPTH, rules, visit)).flatten();
    // What is almost JSON, or several texts of it, is a text as well.
    let is_json = tokens::looks_like_json(whole) && is_value(whole);
    match is_json {
        true => members,
        false => any_text(members.as_deref().unwrap_or(whole), rules, visit).or(members),
    }
}

/// A text of any format but JSON.
fn any_text(whole: &str, rules: &Rules, visit: &mut Visit<'_>) -> Option<String> {
    let fields = search::in_table(whole.as_bytes(), rules).into_iter().map(|find| {
        let value = whole.as_bytes().get(find.at.clone()).unwrap_or_default().to_vec();
        (find.at, find.place, value)
    });
    let table = spliced(whole.as_bytes(), &edits(fields, visit));
    let new = text(table.as_deref().unwrap_or(whole.as_bytes()), rules, visit).or(table)?;
    Some(String::from_utf8_lossy(&new).into_owned())
}

/// Any text with the visited values put in place, under whatever escapes they stand; `None` if there are none.
pub(super) fn text(bytes: &[u8], rules: &Rules, visit: &mut Visit<'_>) -> Option<Vec<u8>> {
    spliced(bytes, &finds(bytes, rules, visit))
}

/// Whether no form of a text holds a credential by its place, nor anything that `is_known`: one walk for both.
pub(super) fn holds_nothing(bytes: &[u8], rules: &Rules, is_known: &dyn Fn(&[u8]) -> bool) -> bool {
    let mut is_clean = true;
    layers::each(bytes, layers::Depth::All, &mut |layer| {
        let is_named = |bytes: &[u8]| layer.is_text && !search::find(bytes, rules).is_empty();
        is_clean = is_clean && !is_named(layer.bytes) && !is_known(layer.bytes);
    });
    is_clean
}

/// The same of a body that is one text of JSON without escapes: most are. Of any other it is never sure, and says no.
///
/// Without escapes each form of a token is one of the whole text as well, so that it is enough to walk over that: a run of
/// digits ends with its token, at the latest.
pub(super) fn json_holds_nothing(
    bytes: &[u8],
    content_type: &str,
    rules: &Rules,
    is_known: &dyn Fn(&[u8]) -> bool,
) -> bool {
    let readings = Readings::of(bytes);
    let is_form =
        content_type.trim_start().get(..FORM.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(FORM));
    if is_form || readings.has_escapes() || !rules.pointers().is_empty() {
        return false;
    }
    let Some(whole) = apart(bytes, readings) else { return false };
    let holds_nothing = |token: &Token| {
        let inner = tokens::inner(whole.get(token.at.clone()).unwrap_or_default());
        let is_nothing = || {
            search::is_dull(inner, rules)
                || (!tokens::looks_like_json(inner) && search::find(inner.as_bytes(), rules).is_empty())
        };
        token.credential.is_none() && (token.kind != Kind::Text || is_nothing())
    };
    if is_known(bytes) || !tokens::tokens(whole, rules).iter().all(holds_nothing) {
        return false;
    }
    let (mut is_clean, mut is_whole) = (true, true);
    let is_all = layers::each(bytes, layers::Depth::All, &mut |layer| {
        // That one was looked at token by token.
        if !std::mem::take(&mut is_whole) {
            let is_named = || layer.is_text && !search::find(layer.bytes, rules).is_empty();
            is_clean = is_clean && !is_known(layer.bytes) && !is_named();
        }
    });
    is_clean && is_all
}

/// A body as text, if it is one text of JSON whose tokens stand apart: no form that the whole can be read in has anything
/// that goes over the end of a token.
pub(super) fn apart(bytes: &[u8], readings: Readings) -> Option<&str> {
    let may_go_on = readings.has_breaks() || bytes.contains(&b'\r') || coded::has_shared_run(bytes, readings);
    let text = std::str::from_utf8(bytes).ok().filter(|_| !may_go_on)?;
    (tokens::looks_like_json(text) && is_value(text)).then_some(text)
}

fn finds(bytes: &[u8], rules: &Rules, visit: &mut Visit<'_>) -> Vec<(Range<usize>, String)> {
    let mut all = Vec::new();
    layers::each(bytes, layers::Depth::All, &mut |layer| {
        if !layer.is_text {
            return;
        }
        for find in search::find(layer.bytes, rules) {
            let value = layer.bytes.get(find.at.clone()).unwrap_or_default().to_vec();
            all.push((layer.place(find.at), find.place, value));
        }
    });
    edits(all.into_iter(), visit)
}

/// What is to be put where, in order and apart: of finds that overlap, the longest speaks for all.
fn edits(
    finds: impl Iterator<Item = (Range<usize>, Place, Vec<u8>)>,
    visit: &mut Visit<'_>,
) -> Vec<(Range<usize>, String)> {
    let mut finds: Vec<_> = finds.collect();
    finds.sort_by_key(|(at, _, value)| (at.start, std::cmp::Reverse((at.end, value.len()))));
    let mut apart: Vec<(Range<usize>, Place, Vec<u8>)> = Vec::with_capacity(finds.len());
    for (at, place, value) in finds {
        match apart.last_mut() {
            Some((last, _, _)) if at.start < last.end => last.end = last.end.max(at.end),
            _ => apart.push((at, place, value)),
        }
    }
    let put =
        |(at, place, value): (Range<usize>, Place, Vec<u8>)| Some((at, visit(&place, value.trim_ascii())?));
    apart.into_iter().filter_map(put).collect()
}

fn json(whole: &str, depth: usize, rules: &Rules, visit: &mut Visit<'_>) -> Option<String> {
    let pointed = pointed(whole, rules);
    let mut edits = Vec::new();
    for token in tokens::tokens(whole, rules) {
        if token.kind == Kind::Name {
            continue;
        }
        let source = whole.get(token.at.clone()).unwrap_or_default();
        if token.credential.is_none() && pointed.is_empty() && search::is_dull(tokens::inner(source), rules) {
            continue;
        }
        let rule = pointed
            .iter()
            .find(|(at, _)| *at == token.at)
            .map(|(_, rule)| Place::new(What::Rule, rule.clone()));
        let value = if token.kind == Kind::Text { tokens::decoded(source) } else { source.into() };
        if let Some(place) = rule.or_else(|| member(&token, &value, rules)) {
            if !value.trim().is_empty()
                && let Some(new) = visit(&place, value.as_bytes())
            {
                edits.push((token.at, tokens::quoted(&new)));
            }
            continue;
        }
        if token.kind == Kind::Bare {
            continue;
        }
        if depth > 0
            && value.len() > 1
            && tokens::looks_like_json(&value)
            && let Some(new) = json(&value, depth - 1, rules, visit)
        {
            edits.push((token.at, tokens::quoted(&new)));
            continue;
        }
        let start = token.at.start + 1;
        let inner = finds(tokens::inner(source).as_bytes(), rules, visit);
        edits.extend(inner.into_iter().map(|(at, new)| (start + at.start..start + at.end, new)));
    }
    let new = spliced(whole.as_bytes(), &edits)?;
    Some(String::from_utf8_lossy(&new).into_owned())
}

/// The place of a value that stands under a credential's name and may be one.
fn member(token: &Token, value: &str, rules: &Rules) -> Option<Place> {
    let credential = token.credential.as_ref()?;
    let is_number = value.bytes().filter(u8::is_ascii_digit).count() >= DIGITS_MIN;
    let counts = match (token.kind, credential.likeness) {
        (Kind::Name, _) => false,
        (Kind::Bare, _) if matches!(value, "null" | "true" | "false") => false,
        (Kind::Bare, _) => {
            rules.names(&credential.name) || (is_number && credential.likeness == Likeness::Sure)
        }
        (Kind::Text, Likeness::Sure) => true,
        (Kind::Text, Likeness::Maybe) => looks::secret(value.as_bytes()) || is_redacted(value.as_bytes()),
    };
    counts.then(|| Place::new(What::Member, credential.name.clone()))
}

/// Whether `whole` is meant to be JSON, and cannot be read far enough for the pointers of the rules.
pub(super) fn is_beyond_pointers(whole: &str, rules: &Rules) -> bool {
    !rules.pointers().is_empty() && tokens::looks_like_json(whole) && Json::parse(whole).is_err()
}

/// Where the values stand that the pointers of the rules lead to, and by which rule.
fn pointed(whole: &str, rules: &Rules) -> Vec<(Range<usize>, String)> {
    if rules.pointers().is_empty() {
        return Vec::new();
    }
    let Ok(value) = Json::parse(whole) else { return Vec::new() };
    let mut found = Vec::new();
    for (rule, steps) in rules.pointers() {
        let mut here = vec![&value];
        for step in steps {
            here = here.into_iter().flat_map(|value| below(value, step)).collect();
        }
        for leaf in here.into_iter().flat_map(leaves) {
            // A value's own text is a part of the whole: the distance of their starts is its place.
            let start = leaf.text().as_ptr() as usize - whole.as_ptr() as usize;
            found.push((start..start + leaf.text().len(), rule.clone()));
        }
    }
    found
}

fn below<'a, 'j>(value: &'a Json<'j>, step: &str) -> Vec<&'a Json<'j>> {
    let elements = value.elements().iter().enumerate();
    let elements = elements.filter(|(place, _)| step == "*" || step.parse() == Ok(*place)).map(|(_, it)| it);
    let members = value.members().iter().filter(|(name, _)| step == "*" || **name == *step).map(|(_, it)| it);
    elements.chain(members).collect()
}

fn leaves<'a, 'j>(value: &'a Json<'j>) -> Vec<&'a Json<'j>> {
    let mut found = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        let inner: Vec<_> = value.elements().iter().chain(value.members().iter().map(|(_, it)| it)).collect();
        if inner.is_empty() {
            found.push(value);
        }
        open.extend(inner);
    }
    found
}
