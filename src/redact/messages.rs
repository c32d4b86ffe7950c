//! Messages as they may be written: first the credentials in their places, learnt on the way, then all that is known.
//!
//! Most messages, and most lines of the others, have been seen before: what became of them is remembered, for as long as
//! nothing new is learnt.

use std::collections::{HashMap, HashSet};

use super::{Redactor, bodies, places};
use crate::message::{Header, Headers, Request, Response};

/// The most that is remembered, in bytes; then it is forgotten and begun anew.
const HELD_MAX: usize = 4 * 1024 * 1024;
/// Longer parts are not remembered.
const PART_MAX: usize = 64 * 1024;

/// What became of a part of a message: nothing, or what stands in its place.
type Cleaned = Option<Vec<u8>>;

/// What became of the parts that were cleaned since the last thing was learnt.
#[derive(Default)]
pub(super) struct Memory {
    parts: HashMap<Vec<u8>, Cleaned>,
    /// Whole requests whose credentials are known.
    learnt: HashSet<Vec<u8>>,
    requests: HashMap<Vec<u8>, Request>,
    responses: HashMap<Vec<u8>, Response>,
    held: usize,
    /// `Known::changes` when these were cleaned.
    since: usize,
}

impl Memory {
    fn get(&self, part: &[u8], changes: usize) -> Option<Cleaned> {
        if self.since == changes { self.parts.get(part).cloned() } else { None }
    }

    fn put(&mut self, part: Vec<u8>, cleaned: Cleaned, changes: usize) {
        self.make_room(part.len() + cleaned.as_ref().map_or(0, Vec::len), changes);
        self.parts.insert(part, cleaned);
    }

    fn make_room(&mut self, bytes: usize, changes: usize) {
        const ENTRY: usize = 64;
        if self.since != changes || self.held + bytes + ENTRY > HELD_MAX {
            *self = Self { since: changes, ..Self::default() };
        }
        self.held += bytes + ENTRY;
    }
}

/// All of a message that decides what becomes of it; `None` if it is too long to be remembered whole.
fn whole<'m>(start: &[&'m [u8]], headers: [&'m Headers; 2], body: &'m [u8]) -> Option<Vec<u8>> {
    let lines = headers.into_iter().flat_map(|headers| headers.iter().map(Some).chain([None]));
    let mut all = Vec::with_capacity(1024);
    let mut add = |part: &[u8]| {
        all.extend_from_slice(&(part.len() as u64).to_le_bytes());
        all.extend_from_slice(part);
    };
    start.iter().for_each(|part| add(part));
    for line in lines {
        add(line.map_or(b"", |line| line.name.as_bytes()));
        add(line.map_or(b"", |line| &line.value));
    }
    add(body);
    (all.len() <= PART_MAX).then_some(all)
}

fn whole_request(request: &Request) -> Option<Vec<u8>> {
    let start = [request.method.as_bytes(), request.target.as_bytes(), request.version.as_str().as_bytes()];
    whole(&start, [&request.headers, &Headers::new()], &request.body)
}

fn whole_response(response: &Response) -> Option<Vec<u8>> {
    let status = response.status.to_le_bytes();
    let chunks = format!("{:?}", response.chunks);
    let start = [&status, response.version.as_str().as_bytes(), &response.reason, chunks.as_bytes()];
    whole(&start, [&response.headers, &response.trailers], &response.body)
}

/// What is done to a part; two of them never share what is remembered.
#[derive(Clone, Copy)]
enum Step {
    PlaceInReason = 1,
    PlaceInTarget,
    PlaceInHeader,
    PlaceInBody,
    KnownText,
    KnownUrl,
    KnownBody,
}

impl Redactor {
    /// Learns the credentials a request carries, by place.
    pub(crate) fn learn_request(&self, request: &Request) {
        let whole = whole_request(request);
        let (seen, before) = self.seen(|memory| {
            let whole = whole.as_ref()?;
            (memory.learnt.contains(whole) || memory.requests.contains_key(whole)).then_some(())
        });
        if seen.is_some() {
            return;
        }
        let _ = self.request_placed(request);
        // What it has brought counts as a change: it is remembered the second time.
        if let Some(whole) = whole {
            self.keep(whole, before, |memory, whole| {
                let _ = memory.learnt.insert(whole);
            });
        }
    }

    /// Learns the credentials a response carries, by place.
    pub(crate) fn learn_response(&self, response: &Response) {
        if !self.is_seen(whole_response(response), |memory, whole| memory.responses.contains_key(whole)) {
            let _ = self.response_placed(response);
        }
    }

    /// A request as it may be written: credentials by place (learnt on the way) and known values anywhere.
    #[must_use]
    pub fn request(&self, request: &Request) -> Request {
        let whole = whole_request(request);
        let (found, before) =
            self.seen(|memory| whole.as_ref().and_then(|whole| memory.requests.get(whole).cloned()));
        if let Some(found) = found {
            return found;
        }
        let out = self.request_anew(request);
        if let Some(whole) = whole {
            self.keep(whole, before, |memory, whole| drop(memory.requests.insert(whole, out.clone())));
        }
        out
    }

    fn request_anew(&self, request: &Request) -> Request {
        let mut out = self.request_placed(request);
        out.method = self.known_in_text(&out.method);
        if let Some(new) = self.known_in_url(out.target.as_bytes()) {
            out.target = new;
        }
        self.known_in_headers(&mut out.headers);
        if let Some(body) = self.known_in_body(&out.body) {
            out.set_body(body);
        }
        out
    }

    /// A response as it may be written: credentials by place (learnt on the way) and known values anywhere.
    #[must_use]
    pub fn response(&self, response: &Response) -> Response {
        let whole = whole_response(response);
        let (found, before) =
            self.seen(|memory| whole.as_ref().and_then(|whole| memory.responses.get(whole).cloned()));
        if let Some(found) = found {
            return found;
        }
        let out = self.response_anew(response);
        if let Some(whole) = whole {
            self.keep(whole, before, |memory, whole| drop(memory.responses.insert(whole, out.clone())));
        }
        out
    }

    fn is_seen(&self, whole: Option<Vec<u8>>, look: impl FnOnce(&Memory, &[u8]) -> bool) -> bool {
        let look = |memory: &Memory| whole.filter(|whole| look(memory, whole));
        self.seen(look).0.is_some()
    }

    /// What `look` finds in memory, if that is of use still, and how often anything had been learnt then.
    fn seen<T>(&self, look: impl FnOnce(&Memory) -> Option<T>) -> (Option<T>, usize) {
        let known = self.known();
        let changes = known.changes();
        let found = if known.memory.since == changes { look(&known.memory) } else { None };
        (found, changes)
    }

    /// Remembers a whole message, if nothing was learnt since `before`.
    fn keep(&self, whole: Vec<u8>, before: usize, put: impl FnOnce(&mut Memory, Vec<u8>)) {
        let known = &mut *self.known();
        if known.changes() == before {
            known.memory.make_room(2 * whole.len(), before);
            put(&mut known.memory, whole);
        }
    }

    fn response_anew(&self, response: &Response) -> Response {
        let mut out = self.response_placed(response);
        if let Some(reason) = self.known_in(&out.reason) {
            out.reason = reason.into();
        }
        self.known_in_headers(&mut out.headers);
        self.known_in_headers(&mut out.trailers);
        if let Some(body) = self.known_in_body(&out.body) {
            out.set_body(body);
        }
        out
    }

    fn request_placed(&self, request: &Request) -> Request {
        let mut out = request.clone();
        let target = || {
            let new =
                places::target(&request.target, &self.rules, &mut |place, value| self.placed(place, value));
            (new != request.target).then(|| new.into_bytes())
        };
        if let Some(new) = self.remembered(Step::PlaceInTarget, "", request.target.as_bytes(), target) {
            out.target = String::from_utf8_lossy(&new).into_owned();
        }
        self.headers_placed(&mut out.headers);
        if let Some(body) = self.body_placed(&request.body, &request.headers) {
            out.set_body(body);
        }
        out
    }

    fn response_placed(&self, response: &Response) -> Response {
        let mut out = response.clone();
        let reason =
            || bodies::text(&response.reason, &self.rules, &mut |place, value| self.placed(place, value));
        if let Some(new) = self.remembered(Step::PlaceInReason, "", &response.reason, reason) {
            out.reason = new.into();
        }
        self.headers_placed(&mut out.headers);
        self.headers_placed(&mut out.trailers);
        if let Some(body) = self.body_placed(&response.body, &response.headers) {
            out.set_body(body);
        }
        out
    }

    fn headers_placed(&self, headers: &mut Headers) {
        for line in headers.iter_mut() {
            let place = || places::header(line, &self.rules, &mut |place, value| self.placed(place, value));
            if let Some(new) = self.remembered(Step::PlaceInHeader, &line.name, &line.value, place) {
                line.value = new.into();
            }
        }
    }

    fn body_placed(&self, body: &[u8], headers: &Headers) -> Cleaned {
        let kind = headers.text("Content-Type").unwrap_or_default();
        let place =
            || bodies::body(body, headers, &self.rules, &mut |place, value| self.placed(place, value));
        self.remembered(Step::PlaceInBody, &kind, body, place)
    }

    fn known_in_headers(&self, headers: &mut Headers) {
        for line in headers.iter_mut() {
            line.name = self.known_in_text(&line.name);
            let new = if is_url(line) {
                self.known_in_url(&line.value).map(String::into_bytes)
            } else {
                self.known_in(&line.value)
            };
            if let Some(new) = new {
                line.value = new.into();
            }
        }
    }

    pub(super) fn known_in_text(&self, text: &str) -> String {
        match self.known_in(text.as_bytes()) {
            // A known value may end within a character of the text; the rest of it is then lost, which is safe.
            Some(new) => String::from_utf8_lossy(&new).into_owned(),
            None => text.to_owned(),
        }
    }

    fn known_in(&self, bytes: &[u8]) -> Cleaned {
        self.remembered(Step::KnownText, "", bytes, || self.known().replace(bytes))
    }

    pub(super) fn known_in_url(&self, url: &[u8]) -> Option<String> {
        let Ok(text) = std::str::from_utf8(url) else {
            return self.known_in(url).map(|new| String::from_utf8_lossy(&new).into_owned());
        };
        let replace = || {
            let new = self.known().replace_target(text);
            (new != text).then(|| new.into_bytes())
        };
        let new = self.remembered(Step::KnownUrl, "", url, replace)?;
        Some(String::from_utf8_lossy(&new).into_owned())
    }

    fn known_in_body(&self, body: &[u8]) -> Cleaned {
        self.remembered(Step::KnownBody, "", body, || self.known().replace_body(body))
    }

    /// What `clean` makes of a part, or made of it before. `beside` is what else it depends on.
    fn remembered(&self, step: Step, beside: &str, bytes: &[u8], clean: impl FnOnce() -> Cleaned) -> Cleaned {
        if bytes.is_empty() {
            return None;
        }
        if bytes.len() > PART_MAX {
            return clean();
        }
        let part = [&[step as u8], beside.as_bytes(), b"\0", bytes].concat();
        let before = {
            let known = self.known();
            if let Some(cleaned) = known.memory.get(&part, known.changes()) {
                return cleaned;
            }
            known.changes()
        };
        let cleaned = clean();
        let known = &mut *self.known();
        // What was learnt meanwhile, here or by another request, may stand in this part as well.
        if known.changes() == before {
            known.memory.put(part, cleaned.clone(), before);
        }
        cleaned
    }
}

fn is_url(line: &Header) -> bool {
    ["Location", "Content-Location", "Referer"].iter().any(|name| line.is(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(redactor: &Redactor, target: &str, token: &str) -> (String, String) {
        let clean = redactor.request(&Request::new("GET", target).with("SEC", token));
        (clean.target, clean.headers.text("SEC").unwrap_or_default().into_owned())
    }

    #[test]
    fn what_is_remembered_is_forgotten_when_something_is_learnt() {
        let redactor = Redactor::new();
        let target = "/api/x/zq81-kk20-ab77";
        let first = shown(&redactor, target, "other-0001-aa");
        assert_eq!(first, shown(&redactor, target, "other-0001-aa"), "the second time, from memory");
        assert_eq!(first.0, target);
        redactor.learn("zq81-kk20-ab77");
        assert_eq!(shown(&redactor, target, "other-0001-aa").0, "/api/x/fd-secret-2");
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = Memory::default();
        for n in 0..200_u32 {
            memory.put([&n.to_le_bytes()[..], &[0; 50_000]].concat(), None, 0);
            assert!(memory.held <= HELD_MAX);
        }
        assert!(memory.parts.len() < 100);
    }
}
