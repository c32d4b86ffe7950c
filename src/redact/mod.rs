//! Secrets out, placeholders in.
//!
//! A [`Redactor`] learns credentials by the place they stand in (`SEC`, `Authorization`, cookies, parameters and JSON
//! members named like one) and replaces each by `fd-secret-N`, there and wherever else the same value turns up, in
//! whatever spelling. Nothing derived from a value is kept after the run, and there is no key. Text that is already
//! redacted passes unchanged.

mod known;
mod names;
mod numbering;
mod placeholders;
mod places;
mod spellings;
mod tokens;
mod views;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use bytes::Bytes;
use percent_encoding::percent_decode;

use crate::message::{Headers, Request, Response};
use known::Known;

pub use names::{is_credential_name, is_redacted, policy_hash};
pub use numbering::Numbering;
pub use placeholders::placeholders;

/// How many different secrets a run can hold; a console that rotates its cookies reaches no more in an hour's work.
pub const SECRETS_MAX: usize = 4096;

/// A value shorter than this, in bytes, is replaced in its own place only: elsewhere it could be anything.
pub const EVERYWHERE_MIN_BYTES: usize = 8;

/// Knows every secret seen so far in a run; replaces them wherever they stand. A cheap handle: clones share what they
/// know. `Debug` shows counts, never a value.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<Mutex<Known>>,
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
    pub fn counting_from(number: usize) -> Self {
        Self { known: Arc::new(Mutex::new(Known::counting_from(number))) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many different values are known: text redacted at a lower count may hold one that was learnt since.
    pub fn generation(&self) -> usize {
        self.known().len()
    }

    /// Whether [`SECRETS_MAX`] is reached: a further secret is replaced in its own place, not elsewhere.
    pub fn is_full(&self) -> bool {
        self.known().len() >= SECRETS_MAX
    }

    /// Learns one value outright (a token given on the command line).
    pub fn learn(&self, secret: &str) {
        let secret = secret.trim();
        if !secret.is_empty() && !is_redacted(secret.as_bytes()) {
            self.known().number(secret.as_bytes());
        }
    }

    /// Learns the credentials a request carries, by place.
    pub fn learn_request(&self, request: &Request) {
        let _ = places::request(request, &mut |place, value| self.placed(place, value));
    }

    /// Learns the credentials a response carries, by place.
    pub fn learn_response(&self, response: &Response) {
        let _ = places::response(response, &mut |place, value| self.placed(place, value));
    }

    /// The placeholder of a value found in a credential's place; `None` if it is one already.
    fn placed(&self, place: &str, value: &[u8]) -> Option<String> {
        if is_redacted(value) {
            return None;
        }
        let mut known = self.known();
        let number = known.number(value);
        if place.to_ascii_lowercase().ends_with("authorization")
            && let Ok(pair) = base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT.decode(value)
            && let Some(colon) = pair.iter().position(|byte| *byte == b':')
        {
            known.also(&pair, number);
            known.also(pair.get(colon + 1..).unwrap_or_default(), number);
        }
        // A cookie's value is often percent-encoded; the same value may stand decoded elsewhere.
        let decoded: Vec<u8> = percent_decode(value).collect();
        known.also(&decoded, number);
        Some(names::placeholder(number))
    }

    /// Any text (an output line, an error, what a client printed) with every known secret in every spelling replaced.
    pub fn text(&self, text: &str) -> String {
        self.known().replace_str(text)
    }

    /// A target, path or URL with every known secret replaced, however it is encoded.
    pub fn target(&self, target: &str) -> String {
        self.known().replace_target(target)
    }

    /// JSON text of our own with every known secret replaced in its strings. Numbers stay: they are ours, and a
    /// secret of digits alone must not break the form.
    pub fn json(&self, text: &str) -> String {
        self.known().replace_strings(text)
    }

    /// Learns the credentials in a command line: what follows `--token` or `--token=`, `TOKEN=...`, a header after
    /// `-H`, the password of a URL.
    pub fn learn_arguments(&self, arguments: &[String]) {
        places::arguments(arguments, &mut |place, value| self.placed(place, value));
    }

    /// A command line as it may be shown, with a placeholder for each credential in it.
    pub fn arguments(&self, words: &[String]) -> Vec<String> {
        self.learn_arguments(words);
        words.iter().map(|word| self.text(word)).collect()
    }

    /// The same for bytes that need not be text.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.known().replace(bytes).unwrap_or_else(|| bytes.to_vec())
    }

    /// A request as it may be written: credentials by place (learnt on the way) and known values anywhere.
    #[must_use]
    pub fn request(&self, request: &Request) -> Request {
        let mut out = places::request(request, &mut |place, value| self.placed(place, value));
        let mut known = self.known();
        out.method = known.replace_str(&out.method);
        out.target = known.replace_target(&out.target);
        replace_headers(&mut known, &mut out.headers);
        if let Some(body) = known.replace_body(&out.body) {
            out.set_body(body);
        }
        out
    }

    /// A response as it may be written: credentials by place (learnt on the way) and known values anywhere.
    #[must_use]
    pub fn response(&self, response: &Response) -> Response {
        let mut out = places::response(response, &mut |place, value| self.placed(place, value));
        let mut known = self.known();
        if let Some(reason) = known.replace(&out.reason) {
            out.reason = reason.into();
        }
        replace_headers(&mut known, &mut out.headers);
        replace_headers(&mut known, &mut out.trailers);
        if let Some(body) = known.replace_body(&out.body) {
            out.set_body(body);
        }
        out
    }
}

fn replace_headers(known: &mut Known, headers: &mut Headers) {
    for line in headers.iter_mut() {
        line.name = known.replace_str(&line.name);
        let in_url = line.is("Location") || line.is("Content-Location") || line.is("Referer");
        if in_url && let Ok(text) = std::str::from_utf8(&line.value) {
            line.value = Bytes::from(known.replace_target(text));
        } else if let Some(value) = known.replace(&line.value) {
            line.value = value.into();
        }
    }
}

/// The places of a request where a credential stands that is not redacted, without its value; empty if it is clean.
pub fn credentials_in_request(request: &Request) -> Vec<String> {
    let mut found = Vec::new();
    let _ = places::request(request, &mut |place, value| note(&mut found, place, value));
    found
}

/// The places of a response where a credential stands that is not redacted, without its value; empty if it is clean.
pub fn credentials_in_response(response: &Response) -> Vec<String> {
    let mut found = Vec::new();
    let _ = places::response(response, &mut |place, value| note(&mut found, place, value));
    found
}

fn note(found: &mut Vec<String>, place: &str, value: &[u8]) -> Option<String> {
    if !is_redacted(value) {
        found.push(place.to_owned());
    }
    None
}

#[cfg(test)]
mod tests;
