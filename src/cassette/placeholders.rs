//! Users, hosts and addresses: how they leave a message on the way into a cassette, and come back at a replay.
//!
//! In a recorded request a placeholder stands for any value of its type: [`bind`] says whether a live request is the
//! recorded one but for its placeholders, and what each stands for; [`Bindings::apply`] puts that into an answer.

use std::collections::BTreeMap;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;

use super::MatchKey;
use super::base::{self, Address, BASE};
use super::host::Names;
use crate::json::{Json, Kind, rewrite};
use crate::message::{Header, Headers, Request, Response};
use crate::redact::customer::{Class, Holds, Token, holds, is_distinctive, is_query, tokens};
use crate::redact::{is_credential_name, looks_like_a_secret, with_text};

/// A recorded console's address, to be taken out of what is stored.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    address: Address,
    names: Names,
}

impl Console {
    /// A console at `scheme://host:port`; an IPv6 address in brackets.
    pub(crate) fn new(scheme: &str, host: &str, port: u16) -> Self {
        Self { address: Address::new(scheme, host, port), names: Names::of(host) }
    }

    /// The same console, which also has this address: the one that its name led to.
    #[must_use]
    pub(crate) fn at(mut self, address: IpAddr) -> Self {
        // Of this machine's own address nobody learns where a console is.
        if !address.is_loopback() {
            self.names.add(&address.to_string());
        }
        self
    }

    /// Takes this console's and the listener's addresses out of a request: `Host` becomes `{base}`, and so does the
    /// start of `Origin` and `Referer`; the console's name anywhere else becomes `host-1`.
    pub(crate) fn leave_request(&self, request: &mut Request, listener: &str) {
        request.headers.replace_lines(|line| {
            if line.is("Host") {
                return Some(Header { name: line.name.clone(), value: BASE.into() });
            }
            let mut line = Some(line).filter(|line| line.is("Origin") || line.is("Referer"))?.clone();
            (base::leave_listener(&mut line, listener) || self.address.leave_url(&mut line)).then_some(line)
        });
        self.hide_host(&mut request.headers);
        if let Some(target) = self.names.leave(request.target.as_bytes()) {
            request.target = String::from_utf8_lossy(&target).into_owned();
        }
        if let Some(body) = self.names.leave_body(&request.body) {
            request.set_body(body);
        }
    }

    /// Takes this console's address out of a response, as [`Console::leave_links`] does, and its name out of all else.
    pub(crate) fn leave_response(&self, response: &mut Response) {
        self.leave_links(response);
        self.hide_host(&mut response.headers);
        self.hide_host(&mut response.trailers);
        if let Some(body) = self.names.leave_body(&response.body) {
            response.set_body(body);
        }
    }

    /// `Location` and the `Domain` of cookies only: `{base}` in place of this console's address.
    pub(crate) fn leave_links(&self, response: &mut Response) {
        self.address.leave_links(response);
    }

    /// Where a redirect leads if it is this console under another scheme or port (`https://console.example`).
    pub(crate) fn moved_to(&self, response: &Response) -> Option<String> {
        self.address.moved_to(response)
    }

    fn hide_host(&self, headers: &mut Headers) {
        headers.put_values(|line| self.names.leave(&line.value).map(Into::into));
    }
}

/// What placeholders stand for in a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bindings(BTreeMap<String, String>);

impl Bindings {
    /// Takes over what `newer` says; it wins where both speak of the same placeholder. Whether that changed anything.
    pub(crate) fn merge(&mut self, newer: Bindings) -> bool {
        let is_new = newer.0.iter().any(|(placeholder, value)| self.0.get(placeholder) != Some(value));
        self.0.extend(newer.0);
        is_new
    }

    /// Puts bound values into an answer, wherever their placeholders stand. All other bytes stay; the answer's
    /// `Content-Length` follows.
    pub(crate) fn apply(&self, response: &mut Response) {
        // A placeholder that stands for itself changes nothing.
        if self.0.iter().all(|(placeholder, value)| placeholder == value) {
            return;
        }
        if let Some(body) = with_text(&response.body, &mut |bytes| self.in_body(bytes)) {
            response.set_body(body);
        }
        for line in response.headers.iter_mut() {
            let new = std::str::from_utf8(&line.value).ok().and_then(|text| self.in_text(text, false));
            if let Some(value) = new {
                line.value = value.into();
            }
        }
    }

    fn in_body(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(bytes).ok()?;
        let new = match Json::parse(text) {
            Ok(_) => rewrite(text, &mut |spot| {
                let is_named = !spot.is_name && matches!(holds(spot.under), Some(Holds::Class(Class::User)));
                self.in_text(spot.text, is_named)
            }),
            Err(_) => self.in_text(text, false),
        };
        new.map(String::into_bytes)
    }

    /// Where a name says that a user stands there, any user is put in; elsewhere one that is told from a word.
    fn in_text(&self, text: &str, is_named: bool) -> Option<String> {
        let mut out = String::new();
        let mut done = 0;
        for token in tokens(text) {
            let Some(value) = text.get(token.at.clone()).and_then(|token| self.0.get(token)) else {
                continue;
            };
            let is_whole = is_named && token.at == (0..text.len());
            if token.class == Class::User && !is_whole && !is_distinctive(value) {
                continue;
            }
            out.push_str(text.get(done..token.at.start).unwrap_or_default());
            out.push_str(value);
            done = token.at.end;
        }
        (done > 0).then(|| {
            out.push_str(text.get(done..).unwrap_or_default());
            out
        })
    }

    /// Whether nothing that `other` says of a placeholder is said otherwise here.
    pub(crate) fn agrees(&self, other: &Bindings) -> bool {
        other.0.iter().all(|(placeholder, value)| self.0.get(placeholder).is_none_or(|bound| bound == value))
    }

    fn bind(&mut self, placeholder: &str, value: &str) -> bool {
        match self.0.get(placeholder) {
            Some(bound) => bound == value,
            None => {
                self.0.insert(placeholder.to_owned(), value.to_owned());
                true
            }
        }
    }
}

/// Whether `live` is the recorded request but for its placeholders, and what they stand for.
pub(crate) fn bind(recorded: &Request, live: &Request) -> Option<Bindings> {
    bind_keys(&MatchKey::of(recorded), &MatchKey::of(live))
}

/// Whether `live` is the recorded request but for its placeholders.
pub(crate) fn same_but_for_placeholders(recorded: &Request, live: &Request) -> bool {
    bind(recorded, live).is_some()
}

/// The same of texts that a request holds, each beside what was recorded.
pub(crate) fn bind_texts<'t>(pairs: impl Iterator<Item = (&'t str, &'t str)>) -> Option<Bindings> {
    let mut bindings = Bindings::default();
    let mut pairs = pairs;
    pairs.all(|(one, two)| bind_text(one, two, Place::Whole, &mut bindings)).then_some(bindings)
}

/// Of things that may be the one that was asked for but for their placeholders, the first that says nothing of these
/// which is said otherwise already; if there is none, the first.
pub(super) fn first_bound<T>(
    candidates: impl Iterator<Item = T>,
    bound: &Bindings,
    bind: impl Fn(&T) -> Option<Bindings>,
) -> Option<T> {
    let mut first = None;
    for candidate in candidates {
        let Some(bindings) = bind(&candidate) else { continue };
        if bound.agrees(&bindings) {
            return Some(candidate);
        }
        first = first.or(Some(candidate));
    }
    first
}

/// The same of their keys.
pub(super) fn bind_keys(recorded: &MatchKey, live: &MatchKey) -> Option<Bindings> {
    let mut bindings = Bindings::default();
    let same = recorded.method == live.method
        && recorded.range == live.range
        && bind_path(&recorded.path, &live.path, &mut bindings)
        && recorded.query.len() == live.query.len()
        && recorded.query.iter().zip(&live.query).all(|((name, value), (other, received))| {
            name == other && bind_text(value, received, Place::Whole, &mut bindings)
        })
        && bind_body(&recorded.body, &live.body, &mut bindings);
    same.then_some(bindings)
}

/// Segments stand in a key with escapes in them; what they stand for has none.
fn bind_path(recorded: &str, live: &str, bindings: &mut Bindings) -> bool {
    if recorded == live {
        return true;
    }
    let plain = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    recorded.split('/').count() == live.split('/').count()
        && recorded.split('/').zip(live.split('/')).all(|(one, two)| {
            // A word of the API's own is no secret, though it fill a segment.
            let is_hidden = one.contains(HIDDEN);
            let (one, two) = (plain(one), plain(two));
            match is_hidden {
                true => one == two || stands_for(&format!("/{one}"), &format!("/{two}")),
                false => bind_text(&one, &two, Place::Whole, bindings),
            }
        })
}

fn bind_body(recorded: &str, live: &str, bindings: &mut Bindings) -> bool {
    if recorded == live {
        return learn_equal(recorded, bindings);
    }
    match (Json::parse(recorded), Json::parse(live)) {
        (Ok(recorded), Ok(live)) => bind_value(&recorded, &live, &mut Vec::new(), bindings),
        _ => bind_text(recorded, live, Place::Whole, bindings),
    }
}

/// What a client sends as it was recorded stands for itself.
fn learn_equal(text: &str, bindings: &mut Bindings) -> bool {
    tokens(text).all(|token| {
        let token = text.get(token.at).unwrap_or_default();
        bindings.bind(token, token)
    })
}

/// Where a text stands that may hold placeholders.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Under a name that holds users or hosts.
    Named,
    /// A value of a query, a segment, a body that is no JSON: all of it may be one value.
    Whole,
    /// Within JSON, under any other name: a user is only one that is told from a word.
    Plain,
}

fn bind_value<'v>(
    recorded: &'v Json<'_>,
    live: &Json<'_>,
    under: &mut Vec<&'v str>,
    bindings: &mut Bindings,
) -> bool {
    match (recorded.kind(), live.kind()) {
        (Kind::String(hidden), Kind::String(_) | Kind::Number) if hidden == HIDDEN => true,
        (Kind::String(one), Kind::String(two)) => {
            let is_named = holds(under).is_some() || under.last().is_some_and(|name| is_query(name));
            let place = if is_named { Place::Named } else { Place::Plain };
            bind_text(one, two, place, bindings)
        }
        (Kind::Array(one), Kind::Array(two)) => {
            one.len() == two.len()
                && one.iter().zip(two).all(|(one, two)| bind_value(one, two, under, bindings))
        }
        (Kind::Object(one), Kind::Object(two)) => {
            // Keys hold canonical text: members are sorted and stand once.
            one.len() == two.len()
                && one.iter().zip(two).all(|((name, value), (other, received))| {
                    if !bind_text(name, other, Place::Plain, bindings) {
                        return false;
                    }
                    let depth = under.len();
                    under.extend(recorded.paired_name(name));
                    under.push(name);
                    let same = is_credential_name(name) || bind_value(value, received, under, bindings);
                    under.truncate(depth);
                    same
                })
        }
        _ => recorded.same(live),
    }
}

/// How a redacted value stands in a key: without its number.
const HIDDEN: &str = "fd-secret-";

/// Whether live text is the recorded one but for its redacted value: any value where nothing else stands there, and
/// within a text one that looks like a secret. With several of them nothing is guessed.
fn stands_for(recorded: &str, live: &str) -> bool {
    let Some((before, after)) = recorded.split_once(HIDDEN).filter(|(_, after)| !after.contains(HIDDEN))
    else {
        return false;
    };
    let value = live.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).unwrap_or_default();
    let is_whole = before.is_empty() && after.is_empty();
    !value.is_empty() && (is_whole || (!value.contains(['/', '&', '"']) && looks_like_a_secret(value)))
}

/// With more placeholders in it a text is matched as it stands: each is a step of a recursion.
const TOKENS_MAX: usize = 256;
/// How many beginnings of values are tried for one text; texts are short, and so are values.
const TRIES_MAX: usize = 4096;

/// Text with placeholders in it against live text: what is around them must be equal.
fn bind_text(recorded: &str, live: &str, place: Place, bindings: &mut Bindings) -> bool {
    if recorded.contains(HIDDEN) && recorded != live {
        return stands_for(recorded, live);
    }
    if recorded == live {
        return learn_equal(recorded, bindings);
    }
    let tokens: Vec<Token> = tokens(recorded).collect();
    if let [token] = tokens.as_slice()
        && token.at == (0..recorded.len())
        && place != Place::Plain
    {
        return token.class.fits(live) && bindings.bind(recorded, live);
    }
    if tokens.len() > TOKENS_MAX {
        return false;
    }
    let mut tries = TRIES_MAX;
    bind_tokens(recorded, &tokens, 0, live, place, bindings, &mut tries)
}

/// From `from` on in the recorded text.
fn bind_tokens(
    recorded: &str,
    tokens: &[Token],
    from: usize,
    live: &str,
    place: Place,
    bindings: &mut Bindings,
    tries: &mut usize,
) -> bool {
    let Some((token, rest)) = tokens.split_first() else {
        return recorded.get(from..) == Some(live);
    };
    let before = recorded.get(from..token.at.start).unwrap_or_default();
    let after = recorded.get(token.at.end..).unwrap_or_default();
    let Some(live) = live.strip_prefix(before) else { return false };
    let quote = before.chars().next_back().filter(|quote| matches!(quote, '"' | '\''));
    let is_quoted = quote.is_some_and(|quote| after.starts_with(quote));
    let longest = live.find(|c| !token.class.takes(c, is_quoted)).unwrap_or(live.len());
    let placeholder = recorded.get(token.at.clone()).unwrap_or_default();
    let mut ends: Vec<usize> =
        live.char_indices().map(|(at, _)| at).take_while(|at| *at <= longest).collect();
    if longest == live.len() {
        ends.push(longest);
    }
    // The longest first: what stands behind is a dot, a colon or a slash more often than a letter.
    for end in ends.into_iter().rev() {
        let Some(left) = tries.checked_sub(1) else { return false };
        *tries = left;
        let (value, behind) = live.split_at(end);
        let is_told = place != Place::Plain || token.class != Class::User || is_distinctive(value);
        if !is_told || !token.class.fits(value) {
            continue;
        }
        let mut tried = bindings.clone();
        if tried.bind(placeholder, value)
            && bind_tokens(recorded, rest, token.at.end, behind, place, &mut tried, tries)
        {
            *bindings = tried;
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
