//! Requests and responses exactly as they crossed the wire.
//!
//! Nothing here is normalised: the raw target, header lines in order and case, repeats included, and body bytes
//! are kept as sent. JSON is a view of a body ([`crate::json`]), never its storage.

mod headers;
pub mod octets;

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
pub(crate) use headers::is_credential_header;
pub use headers::{Header, Headers};
use percent_encoding::percent_decode;

/// The HTTP/1 minor version of a message head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HttpVersion {
    /// `HTTP/1.0`
    Http10,
    /// `HTTP/1.1`
    #[default]
    Http11,
}

impl HttpVersion {
    /// As it stands in a status or request line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }

    /// The version an exact spelling names.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "HTTP/1.0" => Some(Self::Http10),
            "HTTP/1.1" => Some(Self::Http11),
            _ => None,
        }
    }
}

impl fmt::Display for HttpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, in the case sent.
    pub method: String,
    /// The target as sent, origin form (`/api/x?fields=id`), never decoded or re-encoded. Bytes that are no UTF-8 stand
    /// in it as [`octets`] has them.
    pub target: String,
    /// The version of the request line.
    pub version: HttpVersion,
    /// Header lines in order.
    pub headers: Headers,
    /// The body, transfer coding removed.
    pub body: Bytes,
    /// How its client means to speak to the host it names, `http` or `https`, where it asked a proxy for that host.
    pub scheme: Option<&'static str>,
}

impl Request {
    /// A request without headers or body.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            version: HttpVersion::default(),
            headers: Headers::new(),
            body: Bytes::new(),
            scheme: None,
        }
    }

    /// The same request with one more header line.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value.to_owned());
        self
    }

    /// Puts another body in place; an existing `Content-Length` is set to the new length.
    pub(crate) fn set_body(&mut self, body: impl Into<Bytes>) {
        self.body = body.into();
        if self.headers.has("Content-Length") {
            self.headers.set("Content-Length", self.body.len().to_string());
        }
    }

    /// The raw path: the target up to `?`.
    pub fn path(&self) -> &str {
        let end = memchr::memchr(b'?', self.target.as_bytes());
        end.and_then(|end| self.target.get(..end)).unwrap_or(&self.target)
    }

    /// The raw query, without `?`.
    pub(crate) fn query(&self) -> Option<&str> {
        memchr::memchr(b'?', self.target.as_bytes()).and_then(|end| self.target.get(end + 1..))
    }

    /// The query as pairs, decoded once (`+` and `%20` are spaces), in order. A byte that is no UTF-8 is the same
    /// whether it was sent raw or as an escape, and no two such bytes are.
    pub(crate) fn params(&self) -> Vec<(String, String)> {
        let Some(query) = self.query() else { return Vec::new() };
        let query = octets::bytes(query);
        let pairs = query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        let whole = |(name, value): (&[u8], &[u8])| (decoded(name).into_owned(), decoded(value).into_owned());
        pairs.map(|part| whole(halves(part))).collect()
    }

    /// The first query parameter called `name`, decoded once.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let query = octets::bytes(self.query()?);
        let mut pairs = query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(halves);
        pairs.find(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value).into_owned())
    }

    /// Whether it changes nothing on a console: GET, HEAD, OPTIONS (RFC 9110, section 9.2.1).
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    /// Whether the request carries any credential the console would look at: `SEC`, a `SEC` cookie, or Basic.
    /// Presence only; the value is never compared.
    pub(crate) fn has_credentials(&self) -> bool {
        let basic = |value: &Bytes| value.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"basic "));
        let cookie = |value: &Bytes| {
            String::from_utf8_lossy(value).split(';').any(|pair| pair.trim_start().starts_with("SEC="))
        };
        self.headers.has("SEC")
            || self.headers.all("Authorization").any(basic)
            || self.headers.all("Cookie").any(cookie)
    }
}

/// The name and the value in a part of a query.
fn halves(part: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = part.splitn(2, |byte| *byte == b'=');
    let mut next = || halves.next().unwrap_or_default();
    (next(), next())
}

fn decoded(half: &[u8]) -> Cow<'_, str> {
    // Most names, and many values, stand as they are.
    let is_plain = half.iter().all(|byte| byte.is_ascii() && !matches!(byte, b'+' | b'%'));
    if is_plain && let Ok(text) = std::str::from_utf8(half) {
        return text.into();
    }
    let blanks = || half.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let half: Cow<'_, [u8]> = if half.contains(&b'+') { Cow::Owned(blanks()) } else { Cow::Borrowed(half) };
    octets::text(&Cow::from(percent_decode(&half))).into()
}

/// A response as it was sent.
#[derive(Clone, Debug, Default, Eq)]
pub struct Response {
    /// The version of the status line.
    pub version: HttpVersion,
    /// The status code, 100 to 999.
    pub status: u16,
    /// The reason phrase as sent; may be empty or odd.
    pub reason: Bytes,
    /// Header lines in order.
    pub headers: Headers,
    /// The body, transfer coding removed.
    pub body: Bytes,
    /// The sizes of the chunks the body came in; `None` if it was not chunked.
    pub chunks: Option<Vec<usize>>,
    /// Trailer lines after a chunked body.
    pub trailers: Headers,
}

impl PartialEq for Response {
    fn eq(&self, other: &Self) -> bool {
        self.stands_in(other) == (true, true) && self.chunks == other.chunks
    }
}

impl Response {
    /// A response with `status`, its usual reason, and no headers.
    pub fn new(status: u16) -> Self {
        Self { status, reason: Bytes::from_static(usual_reason(status).as_bytes()), ..Self::default() }
    }

    /// Whether the other one says the same: in its head and trailers, and in its body. A body that is the very memory of
    /// this one is not read.
    pub(crate) fn stands_in(&self, other: &Self) -> (bool, bool) {
        let of_head = |it: &Self| (it.version, it.status);
        let head = of_head(self) == of_head(other)
            && self.reason == other.reason
            && self.headers == other.headers
            && self.trailers == other.trailers;
        let is_same = (self.body.as_ptr(), self.body.len()) == (other.body.as_ptr(), other.body.len());
        (head, is_same || self.body == other.body)
    }

    /// Whether it speaks of no close: the connection can be kept, if it is seen where it ends.
    pub(crate) fn allows_keeping(&self) -> bool {
        self.version == HttpVersion::Http11 && !self.headers.lists("Connection", "close")
    }

    /// The length that its head announces.
    pub(crate) fn declared_length(&self) -> Option<u64> {
        self.headers.text("Content-Length")?.trim().parse().ok()
    }

    /// A complete response: `Content-Type` and `Content-Length` set.
    pub fn with_body(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let mut response = Self::new(status);
        response.headers.push("Content-Type", content_type.to_owned());
        response.headers.push("Content-Length", body.len().to_string());
        response.body = body;
        response
    }

    /// A complete JSON response.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::with_body(status, "application/json;charset=UTF-8", body)
    }

    /// Whether the status is 2xx.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as text, if it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok()
    }

    /// Puts another body in place and keeps the framing true to it: an existing `Content-Length` is set to the new
    /// length, a chunked body becomes one chunk, `Content-Encoding` goes.
    pub(crate) fn set_body(&mut self, body: impl Into<Bytes>) {
        self.body = body.into();
        self.headers.remove("Content-Encoding");
        if self.headers.has("Content-Length") {
            self.headers.set("Content-Length", self.body.len().to_string());
        }
        if self.chunks.is_some() {
            self.chunks = Some(if self.body.is_empty() { Vec::new() } else { vec![self.body.len()] });
        }
    }
}

/// The reason phrase servers usually send with `status`; empty for one not in RFC 9110.
pub(crate) fn usual_reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}
