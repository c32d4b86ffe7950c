//! Reading one HTTP answer, bounded in every direction.

use bytes::Bytes;

use super::wire::Trouble;
use crate::message::{Headers, HttpVersion, Response};

const HEAD_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 100;
const BODY_MAX: usize = 16 * 1024 * 1024;
/// Interim answers (1xx) that are passed over.
const INTERIM_MAX: usize = 8;
const CHUNK_LINE_MAX: usize = 1024;

/// Where bytes come from.
pub(super) trait Source {
    /// As [`std::io::Read::read`]: 0 is the end.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Trouble>;
}

/// Reads the answer to a request of this method.
pub(super) fn response(source: &mut dyn Source, method: &str) -> Result<Response, Trouble> {
    let mut incoming = Incoming { source, buffer: Vec::new(), at: 0 };
    for _ in 0..=INTERIM_MAX {
        let mut response = incoming.head()?;
        match response.status {
            101 => return Err(Trouble::NotHttp("it changes the protocol".to_owned())),
            100..=199 => continue,
            _ => {}
        }
        if method != "HEAD" && !matches!(response.status, 204 | 304) {
            incoming.body(&mut response)?;
        }
        return Ok(response);
    }
    Err(Trouble::NotHttp("interim answers without end".to_owned()))
}

struct Incoming<'a> {
    source: &'a mut dyn Source,
    buffer: Vec<u8>,
    /// How much of the buffer has been taken.
    at: usize,
}

impl Incoming<'_> {
    fn unread(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or(&[])
    }

    /// Reads some more; `false` at the end.
    fn fill(&mut self) -> Result<bool, Trouble> {
        let mut piece = [0; 8 * 1024];
        let count = self.source.read(&mut piece)?;
        self.buffer.extend_from_slice(piece.get(..count).unwrap_or(&[]));
        Ok(count > 0)
    }

    fn head(&mut self) -> Result<Response, Trouble> {
        loop {
            if let Some((length, response)) = parse_head(self.unread())? {
                self.at += length;
                return Ok(response);
            }
            if self.unread().len() > HEAD_MAX {
                return Err(Trouble::TooLong);
            }
            if !self.fill()? {
                return Err(Trouble::Closed);
            }
        }
    }

    fn body(&mut self, response: &mut Response) -> Result<(), Trouble> {
        response.body = if response.headers.lists("Transfer-Encoding", "chunked") {
            self.chunked()?
        } else if let Some(length) = response.headers.text("Content-Length") {
            let length = length.trim().parse::<usize>();
            self.take(length.map_err(|_| Trouble::NotHttp("its length is no number".to_owned()))?)?
        } else {
            while self.fill()? {
                if self.unread().len() > BODY_MAX {
                    return Err(Trouble::TooLong);
                }
            }
            self.take(self.unread().len())?
        };
        Ok(())
    }

    /// Exactly `length` bytes.
    fn take(&mut self, length: usize) -> Result<Bytes, Trouble> {
        if length > BODY_MAX {
            return Err(Trouble::TooLong);
        }
        loop {
            if let Some(bytes) = self.unread().get(..length) {
                let bytes = Bytes::copy_from_slice(bytes);
                self.at += length;
                return Ok(bytes);
            }
            if !self.fill()? {
                return Err(Trouble::Truncated);
            }
        }
    }

    /// A line, its end taken off.
    fn line(&mut self) -> Result<String, Trouble> {
        loop {
            if let Some(end) = self.unread().iter().position(|byte| *byte == b'\n') {
                let line = self.take(end + 1)?;
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.unread().len() > CHUNK_LINE_MAX {
                return Err(Trouble::TooLong);
            }
            if !self.fill()? {
                return Err(Trouble::Truncated);
            }
        }
    }

    fn chunked(&mut self) -> Result<Bytes, Trouble> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or("").trim();
            let size = usize::from_str_radix(size, 16)
                .map_err(|_| Trouble::NotHttp("a chunk's size is no number".to_owned()))?;
            if size == 0 {
                break;
            }
            if body.len().saturating_add(size) > BODY_MAX {
                return Err(Trouble::TooLong);
            }
            body.extend_from_slice(&self.take(size)?);
            if !self.line()?.is_empty() {
                return Err(Trouble::NotHttp("a chunk is longer than it says".to_owned()));
            }
        }
        for _ in 0..HEADERS_MAX {
            if self.line()?.is_empty() {
                return Ok(body.into());
            }
        }
        Err(Trouble::TooLong)
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<(usize, Response)>, Trouble> {
    let mut lines = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut lines);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(Trouble::NotHttp(error.to_string())),
    };
    let headers: Headers =
        head.headers.iter().map(|line| (line.name, Bytes::copy_from_slice(line.value))).collect();
    let version = if head.version == Some(0) { HttpVersion::Http10 } else { HttpVersion::Http11 };
    let reason = Bytes::copy_from_slice(head.reason.unwrap_or("").as_bytes());
    let status = head.code.unwrap_or(0);
    Ok(Some((length, Response { version, status, reason, headers, ..Response::default() })))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes one by one, then the end.
    struct Drip<'a>(&'a [u8]);

    impl Source for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Trouble> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn read(text: &str) -> Result<Response, Trouble> {
        response(&mut Drip(text.as_bytes()), "GET")
    }

    #[test]
    fn each_framing_is_read() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        ] {
            let response = read(text).unwrap();
            assert_eq!((response.status, response.text()), (200, Some("hello")), "{text}");
        }
        assert_eq!(read("HTTP/1.1 204 No Content\r\n\r\n").unwrap().body.len(), 0);
    }

    #[test]
    fn each_way_to_break_is_told_apart() {
        for (text, trouble) in [
            ("", Trouble::Closed),
            ("HTTP/1.1 200 OK\r\nCont", Trouble::Closed),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", Trouble::Truncated),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", Trouble::Truncated),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", Trouble::Truncated),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", Trouble::TooLong),
        ] {
            assert_eq!(read(text), Err(trouble), "{text}");
        }
        for text in [
            "SSH-2.0-x\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
            "HTTP/1.1 101 x\r\n\r\n",
        ] {
            assert!(matches!(read(text), Err(Trouble::NotHttp(_))), "{text}");
        }
        assert!(matches!(read(&"HTTP/1.1 103 x\r\n\r\n".repeat(20)), Err(Trouble::NotHttp(_))));
    }
}
