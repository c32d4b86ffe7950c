//! Requests and responses exactly as they crossed the wire.
//!
//! Nothing here is normalised: the raw target, header lines in order and case, repeats included, and body bytes
//! are kept as sent. JSON is a view of a body ([`crate::json`]), never its storage.

pub mod octets;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
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

/// One header line: the name in the case it was sent, the value as bytes without surrounding blanks.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Header {
    /// The name as sent.
    pub name: String,
    /// The value; usually ASCII, but any byte from 0x80 up is legal on the wire.
    pub value: Bytes,
}

/// Headers whose value is a credential and nothing else.
const CREDENTIALS: [&str; 6] =
    ["SEC", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "QRadarCSRF"];

/// Whether a header of this name holds a credential and nothing else.
pub(crate) fn is_credential_header(name: &str) -> bool {
    CREDENTIALS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl fmt::Debug for Header {
    /// Without the value of a credential: this text may end up in a panic message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match CREDENTIALS.iter().any(|name| self.is(name)) {
            true => write!(f, "{}: ({} bytes)", self.name, self.value.len()),
            false => write!(f, "{}: {:?}", self.name, self.value),
        }
    }
}

impl Header {
    /// The value as text, bytes that are not UTF-8 replaced.
    pub fn text(&self) -> Cow<'_, str> {
        std::str::from_utf8(&self.value).map_or_else(|_| String::from_utf8_lossy(&self.value), Cow::Borrowed)
    }

    /// Whether this line carries `name`, in any case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Header lines in order, repeats and case kept; looked up without regard to case.
///
/// Lines that stand in many messages can be shared by them; whoever edits a line makes them the message's own.
#[derive(Clone, Default)]
pub struct Headers(Lines);

#[derive(Clone)]
enum Lines {
    Own(Vec<Header>),
    Shared(Arc<[Arc<Header>]>),
}

impl Default for Lines {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

impl Headers {
    /// No lines.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Lines that other messages have, too.
    pub(crate) fn shared(lines: Arc<[Arc<Header>]>) -> Self {
        Self(Lines::Shared(lines))
    }

    /// The shared lines, if they are: the same memory means the same lines.
    pub(crate) fn as_shared(&self) -> Option<&Arc<[Arc<Header>]>> {
        match &self.0 {
            Lines::Own(_) => None,
            Lines::Shared(lines) => Some(lines),
        }
    }

    /// Appends a line.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Bytes>) {
        let line = Header { name: name.into(), value: value.into() };
        self.edit(|lines| lines.push(line));
    }

    /// The lines, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Header> + Clone {
        let (own, shared): (&[Header], &[Arc<Header>]) = match &self.0 {
            Lines::Own(lines) => (lines, &[]),
            Lines::Shared(lines) => (&[], lines),
        };
        shared.iter().map(|line| &**line).chain(own)
    }

    /// The lines, in order, to be edited in place.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Header> {
        self.edit(|_| ());
        match &mut self.0 {
            Lines::Own(lines) => lines.iter_mut(),
            Lines::Shared(_) => [].iter_mut(),
        }
    }

    /// Shares the lines with the copies that are made from here on.
    pub(crate) fn share(&mut self) {
        if let Lines::Own(lines) = &mut self.0 {
            self.0 = Lines::Shared(std::mem::take(lines).into_iter().map(Arc::new).collect());
        }
    }

    /// Puts other lines in the place of those that `new` has one for. Shared lines that stay are shared as before.
    pub(crate) fn replace_lines(&mut self, mut new: impl FnMut(&Header) -> Option<Header>) {
        match &mut self.0 {
            Lines::Own(lines) => {
                for line in lines {
                    if let Some(new) = new(line) {
                        *line = new;
                    }
                }
            }
            Lines::Shared(lines) => {
                let edits: Vec<(usize, Header)> =
                    lines.iter().enumerate().filter_map(|(at, line)| Some((at, new(line)?))).collect();
                if edits.is_empty() {
                    return;
                }
                let mut edits = edits.into_iter().peekable();
                let line =
                    |(at, line): (usize, &Arc<Header>)| match edits.next_if(|(edited, _)| *edited == at) {
                        Some((_, new)) => Arc::new(new),
                        None => Arc::clone(line),
                    };
                *lines = lines.iter().enumerate().map(line).collect();
            }
        }
    }

    /// The same for their values alone.
    pub(crate) fn put_values(&mut self, mut new: impl FnMut(&Header) -> Option<Bytes>) {
        self.replace_lines(|line| new(line).map(|value| Header { name: line.name.clone(), value }));
    }

    /// Edits lines of the message's own.
    fn edit(&mut self, edit: impl FnOnce(&mut Vec<Header>)) {
        match &mut self.0 {
            Lines::Own(lines) => edit(lines),
            Lines::Shared(lines) => {
                let mut own = lines.iter().map(|line| Header::clone(line)).collect();
                edit(&mut own);
                self.0 = Lines::Own(own);
            }
        }
    }

    /// Whether there is no line.
    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The value of the first line called `name`.
    fn get(&self, name: &str) -> Option<&Bytes> {
        self.iter().find(|line| line.is(name)).map(|line| &line.value)
    }

    /// The value of the first line called `name`, as text.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.iter().find(|line| line.is(name)).map(Header::text)
    }

    /// The values of all lines called `name`, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> + 'a {
        self.iter().filter(move |line| line.is(name)).map(|line| &line.value)
    }

    /// Whether a line called `name` is there.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether a comma-separated header such as `Connection` names `token`.
    pub(crate) fn lists(&self, name: &str, token: &str) -> bool {
        self.all(name).any(|value| {
            String::from_utf8_lossy(value).split(',').any(|part| part.trim().eq_ignore_ascii_case(token))
        })
    }

    /// Puts `value` in the first line called `name`, or appends such a line; further ones stay.
    pub fn set(&mut self, name: &str, value: impl Into<Bytes>) {
        let value = value.into();
        match self.iter_mut().find(|line| line.is(name)) {
            Some(line) => line.value = value,
            None => self.push(name, value),
        }
    }

    /// Removes all lines called `name`.
    pub fn remove(&mut self, name: &str) {
        if self.has(name) {
            self.edit(|lines| lines.retain(|line| !line.is(name)));
        }
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

impl std::hash::Hash for Headers {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.iter().count().hash(state);
        self.iter().for_each(|line| line.hash(state));
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<N: Into<String>, V: Into<Bytes>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Self {
        let mut headers = Self::new();
        for (name, value) in lines {
            headers.push(name, value);
        }
        headers
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
        pairs.map(pair).collect()
    }

    /// The first query parameter called `name`, decoded once.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        self.params().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
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

/// One part of a query, decoded.
fn pair(part: &[u8]) -> (String, String) {
    let mut halves = part.splitn(2, |byte| *byte == b'=');
    let mut decoded = || {
        let half = halves.next().unwrap_or_default();
        let blanks = half.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte });
        octets::text(&percent_decode(&blanks.collect::<Vec<u8>>()).collect::<Vec<u8>>())
    };
    (decoded(), decoded())
}

/// A response as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
