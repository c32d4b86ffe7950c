//! Secrets out, placeholders in.
//!
//! A [`Redactor`] learns credentials by the place they stand in and replaces each by `fd-secret-N`, there and wherever
//! else the same value turns up, in whatever spelling. Nothing derived from a value is kept after the run, and there is
//! no key. Text that is already redacted passes unchanged.
//!
//! - `names` says which names speak of a credential, `looks` which values are one, `rules` what a user adds
//! - `places` walks a message, `bodies` a body, `text` finds names and forms in any text, `tokens` those of JSON;
//!   `arguments` reads a command line
//! - `readings` says by one pass whether a text can be read in another form at all; most cannot
//! - `layers` shows a text in every form it can be read: `views` without escapes, `coded` decoded, `packed` unpacked
//! - `messages` cleans a message, and `memory` remembers what became of its parts; `structures` remembers in which JSON no
//!   name makes a value a credential
//! - `known` finds what was learnt, in all `spellings`; `numbering` renumbers placeholders

mod arguments;
mod bodies;
mod coded;
pub(crate) mod customer;
mod deflate;
mod known;
mod layers;
mod looks;
mod memory;
mod messages;
mod names;
mod numbering;
mod packed;
mod place;
mod placeholders;
mod places;
mod readings;
mod rules;
mod spellings;
mod structures;
mod text;
mod tokens;
mod views;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use bytes::Bytes;
use percent_encoding::percent_decode;

use crate::message::{Header, Headers, Request, Response};
use known::{Known, Reach};
use place::{Place, What};

pub(crate) use names::{covers, is_redacted};
pub use names::{is_credential_name, is_secret};

pub use customer::Class;
pub(crate) use numbering::Numbering;
pub use placeholders::placeholders;
pub use rules::{RuleError, Rules};

/// How many different secrets a run can hold; a console that rotates its cookies reaches no more in an hour's work.
pub const SECRETS_MAX: usize = 4096;

/// A value shorter than this, in bytes, is replaced in its own place only: elsewhere it could be anything. So is one word,
/// an identifier or a path of any length (`administrator`, `start_time`), and a cookie that is not called like a
/// credential and does not mix letters and digits in 12 bytes and more.
pub const EVERYWHERE_MIN_BYTES: usize = 8;

/// Knows every secret seen so far in a run; replaces them wherever they stand. A cheap handle: clones share what they
/// know. `Debug` shows counts, never a value.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<Mutex<Known>>,
    rules: Arc<Rules>,
}

/// Why the secrets in a body cannot all be found or taken out, so that it must not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// `Content-Encoding` says so.
    Encoded,
    /// Compressed without saying so, and not to be unpacked within the limits.
    Packed,
    /// No text of any encoding.
    Binary,
    /// A secret stands in it, but cannot be replaced there.
    Hidden,
    /// A rule points into it, and it cannot be read as JSON: cut short, too deep, too many values.
    Unpointed,
}

impl Doubt {
    /// The same in words.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Encoded => {
                "a body is compressed although plain ones were asked for: secrets in it cannot be found"
            }
            Self::Packed => {
                "a body is compressed in a way that cannot be unpacked: secrets in it cannot be found"
            }
            Self::Binary => "a body is binary: secrets in it cannot be found",
            Self::Hidden => "a body holds a secret in compressed form, where it cannot be taken out",
            Self::Unpointed => {
                "a body cannot be read as JSON, and a --redact rule that is a /pointer cannot be followed in it"
            }
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why())
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("secrets", &self.known().len()).finish()
    }
}

impl Redactor {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Knows nothing yet, and numbers what it learns from `number` + 1: for text that holds placeholders already.
    pub(crate) fn counting_from(number: usize) -> Self {
        Self { known: Arc::new(Mutex::new(Known::counting_from(number))), ..Self::default() }
    }

    /// The same, by rules of the user's own beside the built-in ones.
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = Arc::new(rules);
        self
    }

    /// The rules of the user's own.
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What finds all that is known now.
    fn search(&self) -> Option<known::Search> {
        self.known().search()
    }

    /// Grows with what is known: text redacted at a lower count may hold a value that was learnt since.
    pub(crate) fn generation(&self) -> usize {
        self.known().generation()
    }

    /// How many values were ever searched for everywhere: what is learnt later is [`Redactor::since`] then.
    pub(crate) fn wanted(&self) -> usize {
        self.known().wanted()
    }

    /// Looks for what was learnt after the first `wanted` alone, under the same numbers: for text that was cleaned
    /// before.
    #[must_use]
    pub(crate) fn since(&self, wanted: usize) -> Self {
        Self { known: Arc::new(Mutex::new(self.known().since(wanted))), rules: Arc::clone(&self.rules) }
    }

    /// Knows these values no longer (cookies that the console has replaced long ago): they make room for others.
    pub(crate) fn forget(&self, values: &BTreeSet<Vec<u8>>) {
        self.known().forget(values);
    }

    /// Numbers what it learns from `number` + 1 at least: further down are the placeholders of others.
    pub(crate) fn count_from(&self, number: usize) {
        self.known().count_from(number);
    }

    /// Whether it is time to make room: three quarters of [`SECRETS_MAX`] are reached.
    pub(crate) fn is_filling(&self) -> bool {
        self.known().len() >= SECRETS_MAX / 4 * 3
    }

    /// Whether [`SECRETS_MAX`] is reached: a further secret is replaced in its own place, not elsewhere.
    pub(crate) fn is_full(&self) -> bool {
        self.known().len() >= SECRETS_MAX
    }

    /// Learns one value outright (a token given on the command line).
    pub fn learn(&self, secret: &str) {
        let _ = self.placed(&Place::new(What::Argument, ""), secret.trim().as_bytes());
    }

    /// Learns the value of a variable of the environment, if it is called like a credential.
    pub fn learn_variable(&self, name: &str, value: &str) {
        if is_secret(name, value) {
            let _ = self.placed(&Place::new(What::Environment, name), value.trim().as_bytes());
        }
    }

    /// The placeholder of a value found in a credential's place; `None` if it is one already.
    fn placed(&self, place: &Place, value: &[u8]) -> Option<String> {
        if value.is_empty() || is_redacted(value) {
            return None;
        }
        let worth = match place.what {
            What::Cookie if !is_credential_name(&place.name) => looks::secret_cookie,
            _ => looks::everywhere,
        };
        let reach = |value: &[u8]| if worth(value) { Reach::Everywhere } else { Reach::Here };
        let mut known = self.known();
        let number = known.number(value, reach(value));
        let mut also = |value: &[u8]| {
            if worth(value) {
                known.also(value, number);
            }
        };
        let (has_scheme, bare) = without_scheme(value);
        if has_scheme {
            also(bare);
        }
        // What reads as `user:password` once it is decoded is no accident.
        if let Ok(pair) = base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT.decode(bare)
            && std::str::from_utf8(&pair).is_ok_and(|pair| !pair.contains(char::is_control))
            && let Some(colon) = pair.iter().position(|byte| *byte == b':')
        {
            also(&pair);
            also(pair.get(colon + 1..).unwrap_or_default());
        }
        // A cookie's value is often percent-encoded; the same value may stand decoded elsewhere.
        also(&percent_decode(value).collect::<Vec<u8>>());
        Some(names::placeholder(number))
    }

    /// Any text (an output line, an error, what a client printed) with every known secret in every spelling replaced.
    pub fn text(&self, text: &str) -> String {
        self.known_in_text(text)
    }

    /// A target, path or URL with every known secret replaced, however it is encoded.
    pub(crate) fn target(&self, target: &str) -> String {
        self.known_in_url(target.as_bytes()).unwrap_or_else(|| target.to_owned())
    }

    /// JSON text of our own with every known secret replaced in its strings. Numbers stay: they are ours, and a
    /// secret of digits alone must not break the form.
    pub fn json(&self, text: &str) -> String {
        self.search().and_then(|search| search.replace_strings(text)).unwrap_or_else(|| text.to_owned())
    }

    /// Learns the credentials in a command line: what follows `--token` or `--token=`, `TOKEN=...`, a header after
    /// `-H`, the password of a URL.
    pub(crate) fn learn_arguments(&self, arguments: &[String]) {
        let _ = self.arguments(arguments);
    }

    /// A command line as it may be shown: each credential in it, however short, is a placeholder, and known from now on.
    pub(crate) fn arguments(&self, words: &[String]) -> Vec<String> {
        let placed = arguments::arguments(words, &self.rules, &mut |place, value| self.placed(place, value));
        placed.iter().map(|word| self.text(word)).collect()
    }

    /// The same for bytes that need not be text.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.search().and_then(|search| search.replace(bytes)).unwrap_or_else(|| bytes.to_vec())
    }
}

impl Redactor {
    /// Why this request must not be stored, if its body cannot be searched or cleaned.
    pub fn doubt_request(&self, request: &Request) -> Option<Doubt> {
        self.doubt(&request.headers, &request.body)
    }

    /// Why this response must not be stored, if its body cannot be searched or cleaned.
    pub fn doubt_response(&self, response: &Response) -> Option<Doubt> {
        self.doubt(&response.headers, &response.body)
    }

    fn doubt(&self, headers: &Headers, body: &[u8]) -> Option<Doubt> {
        let coding = headers.text("Content-Encoding").unwrap_or_default();
        if body.is_empty() {
            return None;
        }
        if !coding.is_empty() && !coding.trim().eq_ignore_ascii_case("identity") {
            return Some(Doubt::Encoded);
        }
        match packed::kind(body) {
            packed::Kind::Text(charset) => {
                bodies::is_beyond_pointers(&charset.decode(body), &self.rules).then_some(Doubt::Unpointed)
            }
            // So few bytes are no secret that is looked for anywhere but in its own place.
            packed::Kind::Opaque if body.len() < EVERYWHERE_MIN_BYTES => None,
            packed::Kind::Opaque => Some(Doubt::Binary),
            packed::Kind::Packed => {
                let Some(inner) = packed::unpacked(body) else { return Some(Doubt::Packed) };
                if packed::kind(&inner) == packed::Kind::Opaque {
                    return Some(Doubt::Binary);
                }
                let content_type = headers.text("Content-Type").unwrap_or_default();
                let mut visit = |place: &Place, value: &[u8]| self.placed(place, value);
                let places = bodies::body(&inner, &content_type, &self.rules, &mut visit);
                let is_known = || self.search().is_some_and(|search| search.replace_body(&inner).is_some());
                let is_clean = places.is_none() && !is_known();
                (!is_clean).then_some(Doubt::Hidden)
            }
        }
    }
}

/// Says where in a text a part of one of its layers stands.
type PlaceOf<'p> = dyn Fn(Range<usize>) -> Range<usize> + 'p;

/// Shows a text as it stands and without its escapes, layer by layer, with what says where in the text a part of a
/// layer stands.
pub(crate) fn unescaped(text: &[u8], look: &mut dyn FnMut(&[u8], &PlaceOf<'_>)) {
    layers::each(text, layers::Depth::Escapes, &mut |layer| look(layer.bytes, &|at| layer.place(at)));
}

/// Edits a body that may have two bytes for a character: `edit` sees one, and the others come back.
pub(crate) fn with_text(body: &[u8], edit: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    match packed::kind(body) {
        packed::Kind::Text(charset @ packed::Charset::Utf16 { .. }) => {
            let new = edit(charset.decode(body).as_bytes())?;
            Some(charset.encode(&String::from_utf8_lossy(&new)))
        }
        _ => edit(body),
    }
}

/// A value without the scheme before it (`Bearer`, `Basic`), and whether it has one.
fn without_scheme(value: &[u8]) -> (bool, &[u8]) {
    let blank = value
        .iter()
        .position(|byte| *byte == b' ')
        .filter(|at| value.get(..*at).is_some_and(|scheme| scheme.iter().all(u8::is_ascii_alphabetic)));
    let bare = blank.and_then(|at| value.get(at + 1..)).filter(|rest| !rest.contains(&b' '));
    (bare.is_some(), bare.unwrap_or(value))
}

/// Whether a value looks like a secret by itself: no word, no number, no path, and at least [`EVERYWHERE_MIN_BYTES`] long.
pub(crate) fn looks_like_a_secret(value: &str) -> bool {
    looks::secret(value.as_bytes())
}

/// Where in a message a credential stands that is not redacted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    /// The part of the message.
    pub part: Part,
    /// The place within it, in words; never the value.
    pub place: String,
    /// The name beside it, as it is written; empty if it stands for itself.
    pub name: String,
}

/// A part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The target of a request, or the reason phrase of a response.
    Start,
    /// A header, by its place.
    Header(usize),
    /// The body.
    Body,
    /// A trailer, by its place.
    Trailer(usize),
}

/// Where a credential stands in a request that is not redacted, by these rules; empty if it is clean.
pub(crate) fn open_in_request(request: &Request, rules: &Rules) -> Vec<Open> {
    let mut found = Vec::new();
    let _ = places::target(&request.target, rules, &mut noting(&mut found, Part::Start));
    open_in_lines(request.headers.iter().enumerate(), Part::Header, rules, &mut found);
    let content_type = request.headers.text("Content-Type").unwrap_or_default();
    let _ = bodies::body(&request.body, &content_type, rules, &mut noting(&mut found, Part::Body));
    found
}

/// Where a credential stands in a response that is not redacted, by these rules; empty if it is clean.
pub(crate) fn open_in_response(response: &Response, rules: &Rules) -> Vec<Open> {
    let mut found = Vec::new();
    let _ = bodies::text(&response.reason, rules, &mut noting(&mut found, Part::Start));
    open_in_lines(response.headers.iter().enumerate(), Part::Header, rules, &mut found);
    let content_type = response.headers.text("Content-Type").unwrap_or_default();
    let _ = bodies::body(&response.body, &content_type, rules, &mut noting(&mut found, Part::Body));
    open_in_lines(response.trailers.iter().enumerate(), Part::Trailer, rules, &mut found);
    found
}

/// The same in what became of a request when it was redacted: a part that came out as it went in has nothing open, or it
/// would have been replaced.
pub(crate) fn open_in_edits_of_request(now: &Request, before: &Request, rules: &Rules) -> Vec<Open> {
    let mut found = Vec::new();
    if now.target != before.target {
        let _ = places::target(&now.target, rules, &mut noting(&mut found, Part::Start));
    }
    open_in_lines(edited(&now.headers, &before.headers), Part::Header, rules, &mut found);
    open_in_edited_body((&now.headers, &now.body), &before.body, rules, &mut found);
    found
}

/// The same in what became of a response.
pub(crate) fn open_in_edits_of_response(now: &Response, before: &Response, rules: &Rules) -> Vec<Open> {
    let mut found = Vec::new();
    if now.reason != before.reason {
        let _ = bodies::text(&now.reason, rules, &mut noting(&mut found, Part::Start));
    }
    open_in_lines(edited(&now.headers, &before.headers), Part::Header, rules, &mut found);
    open_in_lines(edited(&now.trailers, &before.trailers), Part::Trailer, rules, &mut found);
    open_in_edited_body((&now.headers, &now.body), &before.body, rules, &mut found);
    found
}

/// The lines that changed, with their places; all of them if there are more or fewer than before.
fn edited<'h>(now: &'h Headers, before: &'h Headers) -> impl Iterator<Item = (usize, &'h Header)> {
    let is_aligned = now.iter().count() == before.iter().count();
    let held = before.iter().map(Some).chain(std::iter::repeat(None));
    let lines = now.iter().zip(held).enumerate();
    lines
        .filter(move |(_, (now, before))| !is_aligned || *before != Some(*now))
        .map(|(at, (now, _))| (at, now))
}

fn open_in_edited_body(now: (&Headers, &Bytes), before: &Bytes, rules: &Rules, found: &mut Vec<Open>) {
    if now.1 != before {
        let content_type = now.0.text("Content-Type").unwrap_or_default();
        let _ = bodies::body(now.1, &content_type, rules, &mut noting(found, Part::Body));
    }
}

fn open_in_lines<'l>(
    lines: impl Iterator<Item = (usize, &'l Header)>,
    part: fn(usize) -> Part,
    rules: &Rules,
    found: &mut Vec<Open>,
) {
    for (place, line) in lines {
        let _ = places::header(line, rules, &mut noting(found, part(place)));
    }
}

fn noting(found: &mut Vec<Open>, part: Part) -> impl FnMut(&Place, &[u8]) -> Option<String> + use<'_> {
    // What stands in a parameter also stands in the text of its target, perhaps encoded: it is told once.
    let mut seen: Vec<Vec<u8>> = Vec::new();
    move |place, value| {
        let is_named = |open: &Open| open.part == part && !place.name.is_empty() && open.name == place.name;
        let is_seen =
            seen.iter().any(|held| held == value) || (part != Part::Body && found.iter().any(is_named));
        if !is_redacted(value) && !is_seen {
            seen.push(value.to_vec());
            found.push(Open { part, place: place.to_string(), name: place.name.clone() });
        }
        None
    }
}

#[cfg(test)]
mod remembered;
#[cfg(test)]
mod tests;
