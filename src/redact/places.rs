//! The places where a message carries credentials. One walk serves learning, redacting and checking, so that none of
//! them can know of a place that another forgets.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::{percent_decode, percent_decode_str};

use super::bodies::text;
use super::looks;
use super::names::{Likeness, is_redacted};
use super::place::{Place, What};
use super::rules::Rules;
use crate::message::{Header, octets};

/// Called with the place and the value there, decoded; what it returns takes the value's place.
pub(super) type Visit<'v> = dyn FnMut(&Place, &[u8]) -> Option<String> + 'v;

/// A header's value with the visited values put in place.
pub(super) fn header(line: &Header, rules: &Rules, visit: &mut Visit<'_>) -> Option<Vec<u8>> {
    let value: &[u8] = &line.value;
    if line.is("Cookie") {
        return cookies(value, visit);
    }
    if line.is("Set-Cookie") {
        let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
        let (pair, attributes) = value.split_at(end);
        return cookie(pair, visit).map(|pair| [&pair, attributes].concat());
    }
    if line.is("Authorization") || line.is("Proxy-Authorization") {
        // The scheme stays, so that Basic is still known as Basic.
        let start = value.iter().position(|byte| *byte == b' ').map_or(0, |at| at + 1);
        let (scheme, rest) = value.split_at(start);
        let place = Place::new(What::Authorization, &*line.name);
        return visited(&place, rest, visit).map(|new| [scheme, &new].concat());
    }
    let likeness = rules.likeness(&line.name);
    if likeness == Some(Likeness::Sure) || (likeness.is_some() && looks::secret(value)) {
        return visited(&Place::new(What::Header, &*line.name), value, visit);
    }
    let url = std::str::from_utf8(value).ok().filter(|text| text.contains(['?', '@', ';', '#']));
    let first = url.map(|text| target(text, rules, visit)).filter(|new| new.as_bytes() != value);
    let now = first.map(String::into_bytes);
    text(now.as_deref().unwrap_or(value), rules, visit).or(now)
}

/// Visits a value that stands there as it is; blanks around it stay.
fn visited(place: &Place, value: &[u8], visit: &mut Visit<'_>) -> Option<Vec<u8>> {
    let trimmed = value.trim_ascii();
    if trimmed.is_empty() { None } else { visit(place, trimmed).map(String::into_bytes) }
}

fn cookies(value: &[u8], visit: &mut Visit<'_>) -> Option<Vec<u8>> {
    let mut changed = false;
    let pairs: Vec<Vec<u8>> = value
        .split(|byte| *byte == b';')
        .map(|pair| cookie(pair, visit).inspect(|_| changed = true).unwrap_or_else(|| pair.to_vec()))
        .collect();
    changed.then(|| pairs.join(&b';'))
}

fn cookie(pair: &[u8], visit: &mut Visit<'_>) -> Option<Vec<u8>> {
    let start = pair.iter().position(|byte| *byte == b'=').map_or(0, |at| at + 1);
    let (name, value) = pair.split_at(start);
    let place = Place::new(What::Cookie, String::from_utf8_lossy(name).trim().trim_end_matches('='));
    let unquoted = value.trim_ascii();
    let unquoted = unquoted.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(unquoted);
    let new = visited(&place, unquoted, visit)?;
    let blank: &[u8] = if start == 0 && pair.starts_with(b" ") { b" " } else { b"" };
    Some([blank, name, &new].concat())
}

/// A target or URL: its query and fragment by parameters, its path by segments, and all of it as a text.
pub(super) fn target(url: &str, rules: &Rules, visit: &mut Visit<'_>) -> String {
    let out = target_parts(url, rules, visit);
    match text(out.as_bytes(), rules, visit) {
        Some(new) => String::from_utf8_lossy(&new).into_owned(),
        None => out,
    }
}

/// The same without the look at all of it as a text.
pub(super) fn target_parts(url: &str, rules: &Rules, visit: &mut Visit<'_>) -> String {
    let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let mut out = segments(path, rules, visit).into_owned();
    if let Some(query) = query {
        let (query, fragment) = query.find('#').map_or((query, ""), |at| query.split_at(at));
        let new = pairs(query, What::Parameter, rules, visit);
        out = format!("{out}?{}{fragment}", new.as_deref().unwrap_or(query));
    }
    out
}

/// `/token/9f2c4e8a01b7`: what follows a segment named like a credential, if it looks like one.
fn segments<'u>(path: &'u str, rules: &Rules, visit: &mut Visit<'_>) -> Cow<'u, str> {
    let mut out = Cow::Borrowed(path);
    let parts: Vec<&str> = path.split('/').collect();
    for (name, value) in parts.iter().zip(parts.iter().skip(1)) {
        let name = if name.contains('%') {
            percent_decode_str(name).decode_utf8_lossy()
        } else {
            Cow::Borrowed(*name)
        };
        if rules.likeness(&name).is_none() {
            continue;
        }
        let plain: Vec<u8> = percent_decode(&octets::bytes(value)).collect();
        if looks::secret(&plain)
            && let Some(new) = visit(&Place::new(What::Segment, name), &plain)
        {
            out = Cow::Owned(out.replace(value, &new));
        }
    }
    out
}

/// `a=b&c=d`, a query or a form, with the values of credential-like names visited.
pub(super) fn pairs(text: &str, what: What, rules: &Rules, visit: &mut Visit<'_>) -> Option<String> {
    let mut changed = false;
    let mut pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let name_text = plain(name);
        let name_text = String::from_utf8_lossy(&name_text);
        let likeness = rules.likeness(&name_text)?;
        let plain = plain(value);
        if value.is_empty() || (likeness == Likeness::Maybe && !looks::secret(&plain)) || is_redacted(&plain)
        {
            return None;
        }
        let new = visit(&Place::new(what, name_text), &plain)?;
        changed = true;
        Some(format!("{name}={new}"))
    };
    let parts: Vec<Cow<'_, str>> =
        text.split('&').map(|part| pair(part).map_or(Cow::Borrowed(part), Cow::Owned)).collect();
    changed.then(|| parts.join("&"))
}

/// A query or form value, decoded once.
fn plain(text: &str) -> Vec<u8> {
    percent_decode(&octets::bytes(&text.replace('+', " "))).collect()
}

/// `bytes` with other text in some places, which are in order and apart.
pub(super) fn spliced(bytes: &[u8], edits: &[(Range<usize>, String)]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for (at, new) in edits {
        out.extend_from_slice(bytes.get(done..at.start)?);
        out.extend_from_slice(new.as_bytes());
        done = at.end;
    }
    out.extend_from_slice(bytes.get(done..)?);
    (!edits.is_empty()).then_some(out)
}
