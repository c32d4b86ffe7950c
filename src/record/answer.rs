//! Reading a console's answer exactly as it stands on the wire.
//!
//! Heads go through httparse and keep case, order and repeats; chunks are told one by one in their sizes. hyper's
//! client would merge chunks, fold headers, and skip any number of interim answers; so answers are read here, and
//! more strictly: what two programs could understand differently is an error, never passed on.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::trailers::Trailers;
use crate::message::{Header, Headers, HttpVersion, Response};

/// A remark that is made once an answer.
const DROPPED: &str = "chunk extensions were dropped";

const HEAD_BYTES_MAX: usize = 64 * 1024;
const LINES_MAX: usize = 128;
const INTERIM_MAX: usize = 16;
const CHUNK_LINE_MAX: usize = 1024;
const READ_SIZE: usize = 16 * 1024;
/// Memory that is left is used for a further read if it is so much.
const READ_LEAST: usize = 4 * 1024;

/// What a console did instead of giving an answer that can be passed on and kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum AnswerError {
    #[error("the console closed the connection {0}")]
    Closed(&'static str),
    #[error("the console reset the connection")]
    Reset,
    #[error("the connection to the console failed: {0}")]
    Io(io::Error),
    #[error("the console was too slow: it {did} within {} s", within.as_secs_f32())]
    Slow { did: &'static str, within: Duration },
    #[error("the console's answer cannot be read: {0}")]
    Malformed(&'static str),
}

impl From<io::Error> for AnswerError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Self::Reset,
            _ => Self::Io(error),
        }
    }
}

/// A part of a body, as the console sent it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Body bytes; for a chunked body exactly one chunk.
    Body(Bytes),
    /// The body is over.
    End(Headers),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    None,
    Length(u64),
    Chunked,
    UntilClose,
}

/// An answer being read.
#[derive(Debug)]
pub(super) struct Reader<S> {
    from: S,
    buffer: BytesMut,
    framing: Framing,
    /// How long the console may take between two pieces of its body.
    wait: Duration,
    /// What was dropped or odd, for the cassette's notes.
    pub(super) notes: Vec<String>,
    over: bool,
}

impl<S: AsyncRead + Unpin> Reader<S> {
    /// `buffer` is empty memory of the answer before it, or none.
    pub(super) fn new(from: S, buffer: BytesMut, wait: Duration) -> Self {
        let (framing, notes) = (Framing::None, Vec::new());
        Self { from, buffer, framing, wait, notes, over: false }
    }

    /// The final answer's head; the caller has the wait. Interim answers (1xx) before it are passed over, and noted.
    pub(super) async fn head(&mut self, to_head: bool) -> Result<Response, AnswerError> {
        for _ in 0..INTERIM_MAX {
            let response = self.one_head().await?;
            match response.status {
                101 => return Err(AnswerError::Malformed("it switches protocols, which nobody asked for")),
                100..=199 => self.notes.push(format!("an interim answer {} came first", response.status)),
                _ => {
                    self.framing = framing(&response, to_head)?;
                    return Ok(response);
                }
            }
        }
        Err(AnswerError::Malformed("too many interim answers"))
    }

    async fn one_head(&mut self) -> Result<Response, AnswerError> {
        loop {
            if let Some((response, length)) = parse_head(&self.buffer)? {
                self.buffer.advance(length);
                return Ok(response);
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(AnswerError::Malformed("its head is over 64 KiB"));
            }
            let place = if self.buffer.is_empty() { "without an answer" } else { "within the head" };
            self.more(place).await?;
        }
    }

    async fn more(&mut self, place: &'static str) -> Result<(), AnswerError> {
        if self.buffer.capacity() - self.buffer.len() < READ_LEAST {
            self.buffer.reserve(READ_SIZE);
        }
        match self.from.read_buf(&mut self.buffer).await {
            Ok(0) => Err(AnswerError::Closed(place)),
            Ok(_) => Ok(()),
            // TLS tells an end without a farewell from one with it; to HTTP both are an end.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(AnswerError::Closed(place)),
            Err(error) => Err(error.into()),
        }
    }

    async fn more_body(&mut self, place: &'static str) -> Result<(), AnswerError> {
        let wait = self.wait;
        timeout(wait, self.more(place))
            .await
            .map_err(|_| AnswerError::Slow { did: "sent nothing more of its body", within: wait })?
    }

    /// The next part of the body.
    pub(super) async fn part(&mut self) -> Result<Part, AnswerError> {
        if self.over {
            return Ok(Part::End(Headers::new()));
        }
        match self.framing {
            Framing::None => Ok(self.end(Headers::new())),
            Framing::Length(0) => Ok(self.end(Headers::new())),
            Framing::Length(left) => {
                if self.buffer.is_empty() {
                    self.more_body("within the body").await?;
                }
                let take = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
                self.framing = Framing::Length(left - take as u64);
                Ok(Part::Body(self.buffer.split_to(take).freeze()))
            }
            Framing::UntilClose => match self.buffer.is_empty() {
                false => Ok(Part::Body(self.buffer.split().freeze())),
                true => match self.more_body("at the end").await {
                    Ok(()) => Ok(Part::Body(self.buffer.split().freeze())),
                    Err(AnswerError::Closed(_)) => Ok(self.end(Headers::new())),
                    Err(error) => Err(error),
                },
            },
            Framing::Chunked => self.chunk().await,
        }
    }

    /// Whether the next part is there already, as far as can be told without reading it.
    pub(super) fn is_ready(&self) -> bool {
        match self.framing {
            _ if self.over => true,
            Framing::None | Framing::Length(0) => true,
            Framing::Length(_) | Framing::UntilClose => !self.buffer.is_empty(),
            Framing::Chunked => false,
        }
    }

    /// Whether nothing came yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.buffer.is_empty() && self.notes.is_empty()
    }

    /// What is read from, if the answer is over there and nothing came behind it, and memory for the next.
    pub(super) fn into_rest(self) -> Option<(S, BytesMut)> {
        let is_whole = self.over && self.buffer.is_empty() && self.framing != Framing::UntilClose;
        is_whole.then_some((self.from, self.buffer))
    }

    fn end(&mut self, trailers: Headers) -> Part {
        self.over = true;
        if !self.buffer.is_empty() {
            self.notes.push(format!("{} bytes came after the end of the body", self.buffer.len()));
        }
        Part::End(trailers)
    }

    async fn chunk(&mut self) -> Result<Part, AnswerError> {
        let line = self.line(CHUNK_LINE_MAX).await?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let (size, extension) = match line.split_once(';') {
            Some((size, extension)) => (size.trim_end(), Some(extension)),
            None => (line.as_str(), None),
        };
        if extension.is_some() && !self.notes.iter().any(|note| note == DROPPED) {
            self.notes.push(DROPPED.to_owned());
        }
        let legal = !size.is_empty() && size.len() <= 16 && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = legal.then(|| u64::from_str_radix(size, 16).ok()).flatten();
        let size = size
            .and_then(|size| usize::try_from(size).ok())
            .ok_or(AnswerError::Malformed("a chunk size is no number"))?;
        if size == 0 {
            let trailers = self.trailers().await?;
            return Ok(self.end(trailers));
        }
        if size > crate::serve::Limits::default().body_bytes {
            return Err(AnswerError::Malformed("one chunk is over 64 MiB"));
        }
        while self.buffer.len() < size + 2 {
            self.more_body("within a chunk").await?;
        }
        let chunk = self.buffer.split_to(size).freeze();
        if !self.buffer.starts_with(b"\r\n") {
            return Err(AnswerError::Malformed("a chunk is longer than its size"));
        }
        self.buffer.advance(2);
        Ok(Part::Body(chunk))
    }

    /// A line without its end.
    async fn line(&mut self, max: usize) -> Result<Bytes, AnswerError> {
        let mut seen: usize = 0;
        loop {
            let from = seen.saturating_sub(1);
            let fresh = self.buffer.get(from..).unwrap_or_default();
            if let Some(end) = fresh.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.buffer.split_to(from + end).freeze();
                self.buffer.advance(2);
                return Ok(line);
            }
            seen = self.buffer.len();
            if seen > max {
                return Err(AnswerError::Malformed("a line of its chunks is too long"));
            }
            self.more_body("between chunks").await?;
        }
    }

    async fn trailers(&mut self) -> Result<Headers, AnswerError> {
        let mut trailers = Trailers::default();
        loop {
            let line = self.line(HEAD_BYTES_MAX).await?;
            if line.is_empty() {
                let (kept, remark) = trailers.finish();
                self.notes.extend(remark);
                return Ok(kept);
            }
            trailers.take(&line).map_err(AnswerError::Malformed)?;
        }
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Response, usize)>, AnswerError> {
    let mut lines = [httparse::EMPTY_HEADER; LINES_MAX];
    let mut parsed = httparse::Response::new(&mut lines);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(AnswerError::Malformed("too many header lines")),
        Err(_) => return Err(AnswerError::Malformed("its head cannot be read")),
    };
    let (Some(version), Some(status)) = (parsed.version, parsed.code) else {
        return Err(AnswerError::Malformed("its status line cannot be read"));
    };
    if status < 100 {
        return Err(AnswerError::Malformed("its status is below 100"));
    }
    let mut response = Response::new(status);
    response.version = if version == 0 { HttpVersion::Http10 } else { HttpVersion::Http11 };
    response.reason = reason_of(bytes);
    // The message is copied for the client, for redaction and for the journal: most of its lines are the same in all.
    let line = |line: &httparse::Header<'_>| {
        Arc::new(Header { name: line.name.to_owned(), value: Bytes::copy_from_slice(line.value) })
    };
    response.headers = Headers::shared(parsed.headers.iter().map(line).collect());
    Ok(Some((response, length)))
}

/// The reason phrase as it stands: httparse gives up on one that is not ASCII.
fn reason_of(head: &[u8]) -> Bytes {
    let line =
        head.split(|byte| *byte == b'\r' || *byte == b'\n').find(|line| !line.is_empty()).unwrap_or_default();
    let reason = line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default();
    Bytes::copy_from_slice(reason)
}

fn framing(response: &Response, to_head: bool) -> Result<Framing, AnswerError> {
    let lengths: Vec<&Bytes> = response.headers.all("Content-Length").collect();
    let codings: Vec<&Bytes> = response.headers.all("Transfer-Encoding").collect();
    if to_head || matches!(response.status, 204 | 304) {
        return Ok(Framing::None);
    }
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => Ok(Framing::UntilClose),
        ([length], []) => {
            let digits = std::str::from_utf8(length)
                .ok()
                .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let length = digits.and_then(|text| text.parse().ok());
            length.map(Framing::Length).ok_or(AnswerError::Malformed("its Content-Length is no number"))
        }
        ([], [_]) if response.version == HttpVersion::Http10 => {
            Err(AnswerError::Malformed("it has a Transfer-Encoding, which HTTP/1.0 does not know"))
        }
        ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        ([], _) => Err(AnswerError::Malformed("its Transfer-Encoding is not plain chunked")),
        (_, []) => Err(AnswerError::Malformed("it has two Content-Length lines")),
        _ => Err(AnswerError::Malformed("it has both Content-Length and Transfer-Encoding")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Result<(Response, Vec<Part>), AnswerError> {
        let mut reader = Reader::new(bytes, BytesMut::new(), Duration::from_secs(60));
        let head = reader.head(false).await?;
        let mut parts = Vec::new();
        loop {
            let part = reader.part().await?;
            let over = matches!(part, Part::End(_));
            parts.push(part);
            if over {
                return Ok((head, parts));
            }
        }
    }

    #[tokio::test]
    async fn heads_keep_case_order_repeats_and_odd_reasons() {
        let (head, _) =
            read(b"HTTP/1.1 200 All  Is \xe9Well\r\nx-A: 1\r\nB: 2\r\nX-a: 3\r\nContent-Length: 0\r\n\r\n")
                .await
                .unwrap();
        assert_eq!(&head.reason[..], b"All  Is \xe9Well");
        let names: Vec<&str> = head.headers.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["x-A", "B", "X-a", "Content-Length"]);
    }

    #[tokio::test]
    async fn chunks_are_told_one_by_one() {
        let (_, parts) = read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n3\r\nbcd\r\n0\r\nT: 1\r\n\r\n").await.unwrap();
        let end = [("T", "1")].into_iter().collect::<Headers>();
        assert_eq!(
            parts,
            [Part::Body(Bytes::from_static(b"a")), Part::Body(Bytes::from_static(b"bcd")), Part::End(end)]
        );
    }

    #[tokio::test]
    async fn what_two_programs_could_read_differently_is_refused() {
        for wrong in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            "Content-Length: 3\r\nContent-Length: 3",
            "Content-Length: +3",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        ] {
            let text = format!("HTTP/1.1 200 OK\r\n{wrong}\r\n\r\nabc");
            assert!(matches!(read(text.as_bytes()).await, Err(AnswerError::Malformed(_))), "{wrong}");
        }
        for status in ["HTTP/1.1 000 X", "HTTP/1.1 099 X", "HTTP/1.1 1000 X", "HTTP/1.1 20 X"] {
            assert!(
                read(format!("{status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await.is_err(),
                "{status}"
            );
        }
        let old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        assert!(read(old.as_bytes()).await.is_err());
        for chunks in ["g\r\n", "-1\r\n", "2\r\nabc\r\n0\r\n\r\n", "fffffffffffffffff\r\n", "1\r\na"] {
            let text = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
            assert!(read(text.as_bytes()).await.is_err(), "{chunks:?}");
        }
    }

    #[tokio::test]
    async fn interim_answers_are_passed_over_up_to_a_limit() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let interim = "HTTP/1.1 103 Early Hints\r\n\r\n";
        assert_eq!(read(format!("{interim}{answer}").as_bytes()).await.unwrap().0.status, 200);
        assert!(read(format!("{}{answer}", interim.repeat(17)).as_bytes()).await.is_err());
    }

    #[tokio::test]
    async fn a_short_body_is_told_from_a_whole_one() {
        assert!(matches!(
            read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc").await,
            Err(AnswerError::Closed(_))
        ));
        assert!(read(b"HTTP/1.0 200 OK\r\n\r\nabc").await.is_ok());
        assert!(matches!(read(b"").await, Err(AnswerError::Closed(_))));
    }
}
