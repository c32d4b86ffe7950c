//! [`Refusal`]: a request that was turned away before it became an exchange.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;

use super::hosts::Host;
use super::limits::FIRST_LINE_MAX;
use crate::delivery::Delivery;
use crate::json::quote;
use crate::message::{Response, octets};

/// A request that the listener turned away in its own name: nobody was asked for an answer.
///
/// A connection that never sent a byte is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status it was answered with.
    pub status: u16,
    /// What is wrong with it, in words.
    pub why: Cow<'static, str>,
    /// The method, if the first line holds one.
    pub method: Option<String>,
    /// The target as sent, if the first line holds one; of a CONNECT its host and port alone. Like all that came from outside it may hold a secret.
    pub target: Option<String>,
    /// The first line as it came, without its end, cut after 8 KiB.
    pub first_line: Bytes,
    /// When it was turned away, since the server started.
    pub at: Duration,
}

impl Refusal {
    pub(super) fn new(unfit: &Unfit, received: &[u8], at: Duration) -> Self {
        let line = received.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.get(..FIRST_LINE_MAX).unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (method, target) = words(line);
        Self {
            status: unfit.status,
            why: unfit.why.clone(),
            method,
            target,
            first_line: Bytes::copy_from_slice(line),
            at,
        }
    }
}

/// Method and target, as far as a line has them that need not be a request line.
fn words(line: &[u8]) -> (Option<String>, Option<String>) {
    let mut parts = line.splitn(2, |byte| *byte == b' ');
    let method = parts.next().filter(|word| !word.is_empty() && word.iter().all(u8::is_ascii_alphabetic));
    let Some(method) = method else { return (None, None) };
    let rest = parts.next().unwrap_or_default();
    // The version is what stands behind the last blank; a target with a blank in it keeps that.
    let target = match rest.windows(6).rposition(|window| window == b" HTTP/") {
        Some(at) => rest.get(..at).unwrap_or_default(),
        None => rest,
    };
    let target = (!target.is_empty()).then(|| octets::text(target));
    (
        Some(octets::text(method)),
        if method == b"CONNECT" { target.and_then(|it| destination(&it)) } else { target },
    )
}

/// Whom a CONNECT names, without the user and the password that some put before it. What names nobody may be anything.
fn destination(target: &str) -> Option<String> {
    let authority = target.rsplit('@').next().unwrap_or_default();
    Host::of(authority).map(|_| authority.to_owned())
}

/// Why a request is not taken, and what it is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    pub(super) status: u16,
    pub(super) why: Cow<'static, str>,
    /// The fix; empty if the reason names it.
    pub(super) help: Cow<'static, str>,
    /// Whether trying again in a second may help.
    pub(super) later: bool,
}

impl Unfit {
    pub(super) fn new(status: u16, why: impl Into<Cow<'static, str>>) -> Self {
        Self { status, why: why.into(), help: Cow::Borrowed(""), later: false }
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = help.into();
        self
    }

    #[must_use]
    pub(super) fn later(mut self) -> Self {
        self.later = true;
        self
    }

    /// What the client gets. It closes the connection.
    pub(super) fn delivery(&self) -> Delivery {
        let help =
            if self.help.is_empty() { String::new() } else { format!(",\"help\":{}", quote(&self.help)) };
        let body = format!("{{\"faultdeck\":\"refused\",\"cause\":{}{help}}}\n", quote(&self.why));
        let mut response = Response::json(self.status, body);
        response.headers.push("Connection", "close");
        if self.later {
            response.headers.push("Retry-After", "1");
        }
        if response.reason.is_empty() {
            response.reason = match self.status {
                414 => "URI Too Long",
                417 => "Expectation Failed",
                421 => "Misdirected Request",
                431 => "Request Header Fields Too Large",
                _ => "Refused",
            }
            .into();
        }
        Delivery::of(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(received: &[u8]) -> Refusal {
        Refusal::new(&Unfit::new(400, "x"), received, Duration::ZERO)
    }

    #[test]
    fn method_and_target_are_told_as_far_as_there_are_any() {
        let words = |received: &[u8]| {
            let refusal = refusal(received);
            (refusal.method.unwrap_or_default(), refusal.target.unwrap_or_default())
        };
        let pair = |method: &str, target: &str| (method.to_owned(), target.to_owned());
        assert_eq!(words(b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"), pair("GET", "/a b"));
        assert_eq!(words(b"GET /a?b=\xfc"), pair("GET", "/a?b=\u{effc}"));
        assert_eq!(words(b"GET"), pair("GET", ""));
        assert_eq!(words(b"CONNECT a.example:1 HTTP/1.1\r\n"), pair("CONNECT", "a.example:1"));
        assert_eq!(words(b"CONNECT u:a-secret@a.example:1 HTTP/1.1\r\n"), pair("CONNECT", "a.example:1"));
        assert_eq!(words(b"CONNECT u:a/secret HTTP/1.1\r\n"), pair("CONNECT", ""));
        assert_eq!(words(b"\x16\x03\x01 a"), pair("", ""));
        assert_eq!(words(b""), pair("", ""));
    }

    #[test]
    fn a_first_line_without_an_end_is_cut() {
        let long = [&b"GET /"[..], &[b'x'; 100_000]].concat();
        assert_eq!(refusal(&long).first_line.len(), FIRST_LINE_MAX);
        assert_eq!(&refusal(b"GET / HTTP/1.1\r\nSEC: t\r\n").first_line[..], b"GET / HTTP/1.1");
    }
}
