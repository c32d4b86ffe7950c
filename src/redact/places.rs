//! The places where a message carries credentials. One walk serves learning, redacting and checking, so that none of
//! them can know of a place that another forgets.

use std::borrow::Cow;

use bytes::Bytes;
use percent_encoding::{percent_decode, percent_decode_str};

use super::names::{is_credential_header, is_credential_name};
use super::tokens::{self, Kind};
use crate::message::{Header, Headers, Request, Response, octets};

/// Called with the place (`header SEC`, `parameter token`, `member password`) and the value there, decoded; what it
/// returns takes the value's place.
pub(super) type Visit<'v> = dyn FnMut(&str, &[u8]) -> Option<String> + 'v;

/// A request with the visited values put in place.
pub(super) fn request(request: &Request, visit: &mut Visit<'_>) -> Request {
    let mut out = request.clone();
    out.target = url(&request.target, visit).into_owned();
    headers(&mut out.headers, visit);
    if let Some(body) = body(&request.body, is_form(&request.headers), visit) {
        out.set_body(body);
    }
    out
}

/// A response with the visited values put in place.
pub(super) fn response(response: &Response, visit: &mut Visit<'_>) -> Response {
    let mut out = response.clone();
    headers(&mut out.headers, visit);
    headers(&mut out.trailers, visit);
    if let Some(body) = body(&response.body, is_form(&response.headers), visit) {
        out.set_body(body);
    }
    out
}

fn is_form(headers: &Headers) -> bool {
    headers.text("Content-Type").is_some_and(|kind| {
        kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
    })
}

fn headers(headers: &mut Headers, visit: &mut Visit<'_>) {
    for line in headers.iter_mut() {
        if let Some(value) = header(line, visit) {
            line.value = value.into();
        }
    }
}

fn header(line: &Header, visit: &mut Visit<'_>) -> Option<Vec<u8>> {
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
        return visited(&format!("header {}", line.name), rest, visit).map(|new| [scheme, &new].concat());
    }
    if is_credential_header(&line.name) {
        return visited(&format!("header {}", line.name), value, visit);
    }
    if ["Location", "Content-Location", "Referer", "Refresh", "Link"].iter().any(|name| line.is(name)) {
        let text = std::str::from_utf8(value).ok()?;
        return match url(text, visit) {
            Cow::Borrowed(_) => None,
            Cow::Owned(new) => Some(new.into_bytes()),
        };
    }
    None
}

/// The credentials in a command line, as programs are usually given them.
pub(super) fn arguments(arguments: &[String], visit: &mut Visit<'_>) {
    let mut after: Option<&str> = None;
    for argument in arguments {
        let flag = after.take();
        if flag.is_some_and(|name| is_credential_header(name.trim_start_matches('-')))
            && !argument.starts_with('-')
        {
            let _ = visit("argument", argument.as_bytes());
        }
        if matches!(flag, Some("-u" | "--user"))
            && let Some((_, password)) = argument.split_once(':')
        {
            let _ = visit("argument", password.as_bytes());
        }
        let _ = url(argument, visit);
        if let Some((name, value)) = argument.split_once('=')
            && is_credential_header(name.trim_start_matches('-'))
            && !value.is_empty()
        {
            let _ = visit("argument", value.as_bytes());
        }
        if let Some((name, value)) = argument.split_once(':')
            && !name.contains([' ', '/'])
        {
            let line = Header { name: name.to_owned(), value: value.trim().to_owned().into() };
            let _ = header(&line, visit);
        }
        after = argument.starts_with('-').then_some(argument.as_str());
    }
}

/// Visits a value that stands there as it is; blanks around it stay.
fn visited(place: &str, value: &[u8], visit: &mut Visit<'_>) -> Option<Vec<u8>> {
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
    let place = format!("cookie {}", String::from_utf8_lossy(name).trim().trim_end_matches('='));
    let unquoted = value.trim_ascii();
    let unquoted = unquoted.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(unquoted);
    let new = visited(&place, unquoted, visit)?;
    let blank: &[u8] = if start == 0 && pair.starts_with(b" ") { b" " } else { b"" };
    Some([blank, name, &new].concat())
}

/// A target or URL: the password of its authority, and query parameters named like a credential.
fn url<'u>(text: &'u str, visit: &mut Visit<'_>) -> Cow<'u, str> {
    let mut out = Cow::Borrowed(text);
    if let Some((start, end)) = password_of_authority(text)
        && let Some(new) =
            visit("password of a URL", &percent_decode_str(&text[start..end]).collect::<Vec<u8>>())
    {
        out = Cow::Owned(format!("{}{new}{}", &text[..start], &text[end..]));
    }
    let Some((before, query)) = out.split_once('?') else { return out };
    let (query, fragment) = query.find('#').map_or((query, ""), |at| query.split_at(at));
    match pairs(query, "parameter", visit) {
        Some(new) => Cow::Owned(format!("{before}?{new}{fragment}")),
        None => out,
    }
}

fn password_of_authority(text: &str) -> Option<(usize, usize)> {
    let start = text.find("://")? + 3;
    let rest = text.get(start..)?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let at = authority.rfind('@')?;
    let colon = authority.get(..at)?.find(':')?;
    (colon + 1 < at).then_some((start + colon + 1, start + at))
}

/// `a=b&c=d`, a query or a form, with the values of credential-like names visited.
fn pairs(text: &str, what: &str, visit: &mut Visit<'_>) -> Option<String> {
    let mut changed = false;
    let mut pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let name_text = plain(name);
        let name_text = String::from_utf8_lossy(&name_text);
        if value.is_empty() || !is_credential_name(&name_text) {
            return None;
        }
        let new = visit(&format!("{what} {name_text}"), &plain(value))?;
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

fn body(bytes: &Bytes, form: bool, visit: &mut Visit<'_>) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    if form {
        return pairs(text, "form field", visit).map(String::into_bytes);
    }
    if tokens::looks_like_json(text) { json(text, visit).map(String::into_bytes) } else { None }
}

fn json(text: &str, visit: &mut Visit<'_>) -> Option<String> {
    let mut out = String::new();
    let mut done = 0;
    for token in tokens::tokens(text) {
        let Some(name) = &token.credential else { continue };
        let source = text.get(token.at.clone()).unwrap_or_default();
        let value = match token.kind {
            Kind::Name => continue,
            Kind::Text => tokens::decoded(source),
            Kind::Bare if matches!(source, "null" | "true" | "false") => continue,
            Kind::Bare => source.to_owned(),
        };
        if value.trim().is_empty() {
            continue;
        }
        if let Some(new) = visit(&format!("member {name}"), value.as_bytes()) {
            out.push_str(text.get(done..token.at.start).unwrap_or_default());
            out.push_str(&tokens::quoted(&new));
            done = token.at.end;
        }
    }
    (done > 0).then(|| {
        out.push_str(text.get(done..).unwrap_or_default());
        out
    })
}
