//! Users and hosts: how they leave a message on the way into a cassette, and come back at a replay.
//!
//! In a recorded request a placeholder stands for any value of its type: [`bind`] says whether a live request is the
//! recorded one but for its placeholders, and what each stands for; [`Bindings::apply`] puts that into an answer.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::MatchKey;
use super::base::{self, Address, BASE};
use super::host::Names;
use crate::json::{Json, Kind, quote};
use crate::message::{Headers, Request, Response};
use crate::profile::Profile;
use crate::redact::{is_credential_name, looks_like_a_secret};

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
        for line in request.headers.iter_mut() {
            if line.is("Host") {
                line.value = BASE.into();
            } else if line.is("Origin") || line.is("Referer") {
                let _ = base::leave_listener(line, listener) || self.address.leave_url(line);
            }
        }
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
        for line in headers.iter_mut() {
            if let Some(value) = self.names.leave(&line.value) {
                line.value = value.into();
            }
        }
    }
}

/// What placeholders stand for in a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bindings(BTreeMap<String, String>);

impl Bindings {
    /// Takes over what `newer` says; it wins where both speak of the same placeholder.
    pub(crate) fn merge(&mut self, newer: Bindings) {
        self.0.extend(newer.0);
    }

    /// Whether nothing is bound.
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts bound values into an answer: users in the members that hold users, hosts wherever their placeholder stands.
    /// All other bytes stay; the answer's `Content-Length` follows.
    pub(crate) fn apply(&self, response: &mut Response) {
        if self.is_empty() {
            return;
        }
        let members = all_users(Profile::builtin());
        if let Some(body) = replace_users(&response.body, &members, &mut |user| self.0.get(user).cloned()) {
            response.set_body(body);
        }
        if let Some(body) = self.with_hosts(&response.body) {
            response.set_body(body);
        }
        for line in response.headers.iter_mut() {
            if let Some(value) = self.with_hosts(&line.value) {
                line.value = value.into();
            }
        }
    }

    fn with_hosts(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if !self.0.keys().any(|placeholder| placeholder.starts_with(HOST)) {
            return None;
        }
        let mut text = std::str::from_utf8(bytes).ok()?;
        let mut out = String::new();
        let mut changed = false;
        while let Some((before, placeholder, after)) = split_host(text) {
            let value = self.0.get(placeholder);
            changed |= value.is_some();
            out.push_str(before);
            out.push_str(value.map_or(placeholder, String::as_str));
            text = after;
        }
        out.push_str(text);
        changed.then(|| out.into_bytes())
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

const HOST: &str = "host-";

/// Whether the whole text is a user's placeholder.
pub(super) fn is_user(text: &str) -> bool {
    text.strip_prefix("user-")
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn split_host(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find(HOST) {
        let start = from + found;
        let digits = text.get(start + HOST.len()..)?.bytes().take_while(u8::is_ascii_digit).count();
        let end = start + HOST.len() + digits;
        if digits > 0 {
            return Some((text.get(..start)?, text.get(start..end)?, text.get(end..)?));
        }
        from = end;
    }
    None
}

/// Whether `live` is the recorded request but for its placeholders, and what they stand for.
pub(crate) fn bind(recorded: &Request, live: &Request) -> Option<Bindings> {
    bind_keys(&MatchKey::of(recorded), &MatchKey::of(live), &all_users(Profile::builtin()))
}

/// Whether `live` is the recorded request but for its placeholders.
pub(crate) fn same_but_for_placeholders(recorded: &Request, live: &Request) -> bool {
    bind(recorded, live).is_some()
}

pub(super) fn bind_keys(recorded: &MatchKey, live: &MatchKey, users: &[String]) -> Option<Bindings> {
    let mut bindings = Bindings::default();
    let same = recorded.method == live.method
        && recorded.range == live.range
        && bind_text(&recorded.path, &live.path, &mut bindings)
        && recorded.query.len() == live.query.len()
        && recorded.query.iter().zip(&live.query).all(|((name, value), (other, received))| {
            name == other && bind_text(value, received, &mut bindings)
        })
        && bind_body(&recorded.body, &live.body, users, &mut bindings);
    same.then_some(bindings)
}

fn bind_body(recorded: &str, live: &str, users: &[String], bindings: &mut Bindings) -> bool {
    if recorded == live {
        return true;
    }
    match (Json::parse(recorded), Json::parse(live)) {
        (Ok(recorded), Ok(live)) => bind_value(&recorded, &live, users, Place::Plain, bindings),
        _ => bind_text(recorded, live, bindings),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Plain,
    /// In a member that holds users.
    Users,
}

fn bind_value(
    recorded: &Json<'_>,
    live: &Json<'_>,
    users: &[String],
    place: Place,
    bindings: &mut Bindings,
) -> bool {
    match (recorded.kind(), live.kind()) {
        (Kind::String(hidden), Kind::String(_) | Kind::Number) if hidden == HIDDEN => true,
        (Kind::String(user), Kind::String(value)) if place == Place::Users && is_user(user) => {
            bindings.bind(user, value)
        }
        (Kind::String(one), Kind::String(two)) => bind_text(one, two, bindings),
        (Kind::Array(one), Kind::Array(two)) => {
            one.len() == two.len()
                && one.iter().zip(two).all(|(one, two)| bind_value(one, two, users, place, bindings))
        }
        (Kind::Object(one), Kind::Object(two)) => {
            // Keys hold canonical text: members are sorted and stand once.
            one.len() == two.len()
                && one.iter().zip(two).all(|((name, value), (other, received))| {
                    let place =
                        if users.iter().any(|user| user == name) { Place::Users } else { Place::Plain };
                    name == other
                        && (is_credential_name(name) || bind_value(value, received, users, place, bindings))
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

/// Text with `host-N` in it against live text: what is around the placeholders must be equal.
fn bind_text(recorded: &str, live: &str, bindings: &mut Bindings) -> bool {
    if recorded.contains(HIDDEN) && recorded != live {
        return stands_for(recorded, live);
    }
    let Some((before, placeholder, after)) = split_host(recorded) else { return recorded == live };
    let Some(rest) = live.strip_prefix(before) else { return false };
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    let longest = rest.find(|c| !is_host(c)).unwrap_or(rest.len());
    (1..=longest).rev().any(|length| {
        let mut tried = bindings.clone();
        let fits = tried.bind(placeholder, &rest[..length]) && bind_text(after, &rest[length..], &mut tried);
        if fits {
            *bindings = tried;
        }
        fits
    })
}

/// The members that hold users in the bodies of this endpoint, in every dialect.
pub(super) fn users_of(profile: &Profile, endpoint: &str) -> Vec<String> {
    let mut members = Vec::new();
    for lifecycle in &profile.lifecycles {
        let mut ids =
            [&lifecycle.created_by, &lifecycle.case_list, &lifecycle.case_item].into_iter().flatten();
        if lifecycle.task != endpoint && !ids.any(|id| id == endpoint) {
            continue;
        }
        for user in &lifecycle.users {
            members.push(user.clone());
            let renames = lifecycle.dialects.iter().flat_map(|(_, renames)| renames);
            members.extend(renames.filter(|(from, _)| from == user).map(|(_, to)| to.clone()));
        }
    }
    members
}

/// The members that hold users in any body.
pub(super) fn all_users(profile: &Profile) -> Vec<String> {
    let mut members: Vec<String> =
        profile.lifecycles.iter().flat_map(|lifecycle| users_of(profile, &lifecycle.task)).collect();
    members.sort();
    members.dedup();
    members
}

/// `body` with the users in these members of its object, or of each object of its list, replaced by what `put` says;
/// `None` if nothing changes. All other bytes stay.
pub(super) fn replace_users(
    body: &[u8],
    members: &[String],
    put: &mut dyn FnMut(&str) -> Option<String>,
) -> Option<String> {
    let text = std::str::from_utf8(body).ok().filter(|_| !members.is_empty())?;
    if !members.iter().any(|member| text.contains(member.as_str())) {
        return None;
    }
    let json = Json::parse(text).ok()?;
    let objects: Vec<&Json<'_>> = std::iter::once(&json).chain(json.elements()).collect();
    let mut out = String::new();
    let mut done = 0;
    for (name, value) in objects.iter().flat_map(|object| object.members()) {
        if !members.iter().any(|member| *member == **name) {
            continue;
        }
        for user in std::iter::once(value).chain(value.elements()) {
            let Some(new) = user.as_str().filter(|user| !user.is_empty()).and_then(&mut *put) else {
                continue;
            };
            // The value's own text is a part of `text`: the distance of their starts is its place.
            let start = user.text().as_ptr() as usize - text.as_ptr() as usize;
            out.push_str(text.get(done..start).unwrap_or_default());
            out.push_str(&quote(&new));
            done = start + user.text().len();
        }
    }
    (done > 0).then(|| {
        out.push_str(text.get(done..).unwrap_or_default());
        out
    })
}

#[cfg(test)]
mod tests;
