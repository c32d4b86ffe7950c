//! Request heads as they stood on the wire.
//!
//! hyper judges every request, but its header map forgets case, order and repeats, and it takes fewer targets than real
//! clients send. So the head is read here first, byte for byte, and checked for the few things that hyper lets pass and
//! that two programs may understand differently. hyper then gets the same head with `/` for a target.

use bytes::{Bytes, BytesMut};

use super::limits::HEADERS_MAX;
use super::refusal::Unfit;
use super::request_line::{self, RequestLine};
use crate::message::{Headers, HttpVersion, Request, octets};

/// A request head, and what it says about what follows.
#[derive(Debug)]
pub(super) struct Head {
    /// The request, its body still empty.
    pub(super) request: Request,
    /// How the body is framed.
    pub(super) body: BodyFraming,
    /// Whether the client wants the connection kept.
    pub(super) keep_alive: bool,
    /// What hyper gets to read in place of the head.
    pub(super) stand_in: BytesMut,
}

/// How a request body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    Length(u64),
    Chunked,
}

/// Where the head at the start of `bytes` ends, looking again only at what came after the first `seen` bytes.
pub(super) fn end(bytes: &[u8], seen: usize) -> Option<usize> {
    let from = seen.saturating_sub(3);
    let fresh = bytes.get(from..)?;
    memchr::memchr_iter(b'\n', fresh).find_map(|at| match fresh.get(at + 1..)? {
        [b'\n', ..] => Some(from + at + 2),
        [b'\r', b'\n', ..] => Some(from + at + 3),
        _ => None,
    })
}

/// How many bytes of empty lines stand before the request line; HTTP allows them.
pub(super) fn leading_blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Whether `bytes`, the start of a head, can still become one.
pub(super) fn begun(bytes: &[u8]) -> Result<(), Unfit> {
    let Some((line, rest)) = first_line(bytes) else { return request_line::begun(bytes) };
    request_line::parse(line)?;
    let mut lines = [httparse::EMPTY_HEADER; HEADERS_MAX];
    httparse::parse_headers(rest, &mut lines).map(|_| ()).map_err(unfit)
}

/// Reads one whole head, line ends included.
pub(super) fn parse(raw: &Bytes) -> Result<Head, Unfit> {
    let (line, rest) = first_line(raw).ok_or_else(|| Unfit::new(400, "the request head has no end"))?;
    let RequestLine { method, target, version } = request_line::parse(line)?;
    let mut lines = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let lines = match httparse::parse_headers(rest, &mut lines) {
        Ok(httparse::Status::Complete((_, lines))) => lines,
        Ok(httparse::Status::Partial) => return Err(Unfit::new(400, "the request head has no end")),
        Err(error) => return Err(unfit(error)),
    };
    let headers = lines.iter().map(|line| (line.name, raw.slice_ref(line.value))).collect::<Headers>();
    let request = Request {
        method: method.to_owned(),
        target: octets::text(target),
        version,
        headers,
        body: Bytes::new(),
        scheme: None,
    };
    check_lines(raw)?;
    check_expect(&request)?;
    let body = body_framing(&request)?;
    let keep_alive = version == HttpVersion::Http11 && !request.headers.lists("Connection", "close");
    let mut stand_in = BytesMut::from(format!("{method} / {version}\r\n").as_bytes());
    stand_in.extend_from_slice(rest);
    Ok(Head { request, body, keep_alive, stand_in })
}

/// The first line without its end, and what comes after it.
fn first_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = bytes.get(..at)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), bytes.get(at + 1..)?))
}

fn unfit(error: httparse::Error) -> Unfit {
    match error {
        httparse::Error::TooManyHeaders => Unfit::new(431, "the request has more than 100 header lines"),
        httparse::Error::HeaderName => {
            Unfit::new(400, "a line of the request head does not begin with a header's name and a colon")
        }
        httparse::Error::HeaderValue => Unfit::new(400, "there is a control character in a header's value"),
        httparse::Error::NewLine => Unfit::new(400, "a line of the request head does not end as lines do"),
        httparse::Error::Status | httparse::Error::Token | httparse::Error::Version => {
            Unfit::new(400, "this is not an HTTP/1 request")
        }
    }
}

fn check_lines(raw: &[u8]) -> Result<(), Unfit> {
    let mut previous = 0;
    for byte in raw {
        if *byte == b'\n' && previous != b'\r' {
            return Err(Unfit::new(400, "a line of the request head ends without a carriage return"));
        }
        previous = *byte;
    }
    Ok(())
}

fn check_expect(request: &Request) -> Result<(), Unfit> {
    let known = |value: &Bytes| value.eq_ignore_ascii_case(b"100-continue");
    if request.headers.all("Expect").all(known) {
        Ok(())
    } else {
        Err(Unfit::new(417, "the only expectation understood here is 100-continue"))
    }
}

fn body_framing(request: &Request) -> Result<BodyFraming, Unfit> {
    let mut lengths = request.headers.all("Content-Length");
    let mut codings = request.headers.all("Transfer-Encoding");
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(BodyFraming::Length(0)),
        (Some(_), Some(_)) => {
            Err(Unfit::new(400, "the request has both Content-Length and Transfer-Encoding"))
        }
        (Some(_), None) if lengths.next().is_some() => {
            Err(Unfit::new(400, "the request has more than one Content-Length"))
        }
        (Some(length), None) => decimal(length)
            .map(BodyFraming::Length)
            .ok_or_else(|| Unfit::new(400, "the request's Content-Length is no number of bytes")),
        (None, Some(_)) if codings.next().is_some() => {
            Err(Unfit::new(400, "the request has more than one Transfer-Encoding"))
        }
        (None, Some(_)) if request.version == HttpVersion::Http10 => {
            Err(Unfit::new(400, "HTTP/1.0 has no Transfer-Encoding"))
        }
        (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(BodyFraming::Chunked),
        (None, Some(coding)) if ends_with_chunked(coding) => {
            Err(Unfit::new(501, "the only transfer coding understood here is chunked"))
        }
        (None, Some(_)) => Err(Unfit::new(400, "the request's Transfer-Encoding does not end with chunked")),
    }
}

/// Whether the last of several codings is chunked.
fn ends_with_chunked(codings: &[u8]) -> bool {
    let last = codings.rsplit(|byte| *byte == b',').next().unwrap_or_default();
    last.trim_ascii().eq_ignore_ascii_case(b"chunked")
}

fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Head, Unfit> {
        parse(&Bytes::copy_from_slice(text.as_bytes()))
    }

    fn status(text: &str) -> Option<u16> {
        read(text).err().map(|unfit| unfit.status)
    }

    #[test]
    fn the_end_of_a_head_is_found_wherever_it_is_cut() {
        let text = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
        for seen in 0..text.len() {
            let whole = (seen < 27).then_some(27);
            assert_eq!(end(&text[..seen], 0), if seen < 27 { None } else { Some(27) }, "{seen}");
            assert_eq!(end(text, seen.min(26)), whole.or(Some(27)), "{seen}");
        }
        assert_eq!(end(b"GET / HTTP/1.1\nHost: a\n\n", 0), Some(24));
    }

    #[test]
    fn lines_keep_case_order_repeats_and_odd_bytes() {
        let raw = Bytes::from_static(
            b"GeT /a%20b?x=%2C\"\xfc#f HTTP/1.1\r\nhOST: h\r\nX-A: 1\r\nx-b:  2 \r\nX-A: \xff\r\n\r\n",
        );
        let head = parse(&raw).unwrap();
        assert_eq!(
            (head.request.method.as_str(), octets::bytes(&head.request.target)),
            ("GeT", b"/a%20b?x=%2C\"\xfc#f".to_vec())
        );
        let lines = head.request.headers.iter().map(|line| (line.name.as_str(), &line.value[..]));
        let wanted: [(&str, &[u8]); 4] = [("hOST", b"h"), ("X-A", b"1"), ("x-b", b"2"), ("X-A", b"\xff")];
        assert_eq!(lines.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn hyper_gets_the_same_head_without_the_target() {
        let head = read("PUT /a?b=\"c\" HTTP/1.0\r\nX: 1\r\nContent-Length: 2\r\n\r\n").unwrap();
        assert_eq!(&head.stand_in[..], b"PUT / HTTP/1.0\r\nX: 1\r\nContent-Length: 2\r\n\r\n");
    }

    #[test]
    fn what_two_programs_may_understand_differently_is_refused() {
        let with = |lines: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        assert_eq!(status(&with("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")), Some(400));
        assert_eq!(status(&with("Content-Length: 1\r\nContent-Length: 1\r\n")), Some(400));
        assert_eq!(status(&with("Transfer-Encoding: gzip, chunked\r\n")), Some(501));
        assert_eq!(status(&with("Transfer-Encoding: xchunked, gzip\r\n")), Some(400));
        assert_eq!(status(&with("Transfer-Encoding: chunked\r\n").replace("1.1", "1.0")), Some(400));
        assert_eq!(status(&with("Expect: tea\r\n")), Some(417));
        assert_eq!(status(&with(&"X: y\r\n".repeat(100))), Some(431));
        assert_eq!(status(&with("X : y\r\n")), Some(400));
        assert_eq!(status(&with("X: a\r\n b\r\n")), Some(400));
        assert_eq!(status("GET / HTTP/1.1\nHost: a\n\n"), Some(400));
        for length in ["+1", "0x1", "1, 1", "99999999999999999999", ""] {
            assert_eq!(status(&with(&format!("Content-Length: {length}\r\n"))), Some(400));
        }
    }

    #[test]
    fn the_client_says_whether_the_connection_stays() {
        assert!(read("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap().keep_alive);
        assert!(!read("GET / HTTP/1.1\r\nHost: a\r\nconnection: x, Close\r\n\r\n").unwrap().keep_alive);
        assert!(!read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").unwrap().keep_alive);
    }

    #[test]
    fn what_cannot_become_a_head_is_seen_early() {
        assert!(begun(b"\x16\x03\x01\x02\x00").is_err());
        assert!(begun(b"GET / HTTP/1.1\r\nHos\x01").is_err());
        let whole = b"GET /?a=\"\xfc HTTP/1.1\r\nHost: a\r\nX: \xfc\r\n\r\n";
        for length in 1..=whole.len() {
            assert_eq!(begun(&whole[..length]), Ok(()), "{length}");
        }
    }
}
