//! Request heads as they stood on the wire.
//!
//! hyper judges every request, but its header map forgets case, order and repeats. So the head is read here first,
//! byte for byte, and checked for the few things that hyper lets pass and that two programs may understand
//! differently. What is malformed beyond that is left to hyper, which answers it in its own words.

use bytes::Bytes;

use super::limits::HEADERS_MAX;
use crate::message::{Headers, HttpVersion, Request};

/// A request head, and what it says about what follows.
#[derive(Debug)]
pub(super) struct Head {
    /// The request, its body still empty.
    pub(super) request: Request,
    /// How the body is framed.
    pub(super) body: BodyFraming,
    /// Whether the client wants the connection kept.
    pub(super) keep_alive: bool,
}

/// How a request body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    Length(u64),
    Chunked,
}

/// Why a head is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Not HTTP/1; hyper answers it.
    Malformed,
    /// Refused by our own rule, with this status and reason.
    Refused(u16, &'static str),
}

/// Where the head at the start of `bytes` ends, looking again only at what came after the first `seen` bytes.
pub(super) fn end(bytes: &[u8], seen: usize) -> Option<usize> {
    let from = seen.saturating_sub(3);
    let fresh = bytes.get(from..)?;
    fresh.iter().enumerate().filter(|(_, byte)| **byte == b'\n').find_map(|(at, _)| {
        match fresh.get(at + 1..)? {
            [b'\n', ..] => Some(from + at + 2),
            [b'\r', b'\n', ..] => Some(from + at + 3),
            _ => None,
        }
    })
}

/// How many bytes of empty lines stand before the request line; HTTP allows them.
pub(super) fn leading_blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Whether `bytes`, the start of a head, can no longer become one.
pub(super) fn is_hopeless(bytes: &[u8]) -> bool {
    let mut lines = [httparse::EMPTY_HEADER; HEADERS_MAX];
    httparse::Request::new(&mut lines).parse(bytes).is_err()
}

/// Reads one whole head, line ends included.
pub(super) fn parse(raw: &Bytes) -> Result<Head, Unfit> {
    let mut lines = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut lines);
    match parsed.parse(raw) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) | Err(_) => return Err(Unfit::Malformed),
    }
    let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version) else {
        return Err(Unfit::Malformed);
    };
    let version = if version == 0 { HttpVersion::Http10 } else { HttpVersion::Http11 };
    let headers =
        parsed.headers.iter().map(|line| (line.name, raw.slice_ref(line.value))).collect::<Headers>();
    let request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        version,
        headers,
        body: Bytes::new(),
    };
    check_lines(raw)?;
    check_target(&request)?;
    check_expect(&request)?;
    let body = body_framing(&request)?;
    let keep_alive = version == HttpVersion::Http11 && !request.headers.lists("Connection", "close");
    Ok(Head { request, body, keep_alive })
}

fn check_lines(raw: &[u8]) -> Result<(), Unfit> {
    let mut previous = 0;
    for byte in raw {
        if *byte == b'\n' && previous != b'\r' {
            return Err(Unfit::Refused(400, "a line of the request head ends without a carriage return"));
        }
        previous = *byte;
    }
    Ok(())
}

fn check_target(request: &Request) -> Result<(), Unfit> {
    if !request.target.starts_with('/') {
        return Err(Unfit::Refused(
            400,
            "the request target must start with a slash; this listener is not a forward proxy",
        ));
    }
    match (request.headers.all("Host").count(), request.version) {
        (1, _) | (0, HttpVersion::Http10) => Ok(()),
        (0, HttpVersion::Http11) => Err(Unfit::Refused(400, "the request has no Host header")),
        _ => Err(Unfit::Refused(400, "the request has more than one Host header")),
    }
}

fn check_expect(request: &Request) -> Result<(), Unfit> {
    let known = |value: &Bytes| value.eq_ignore_ascii_case(b"100-continue");
    if request.headers.all("Expect").all(known) {
        Ok(())
    } else {
        Err(Unfit::Refused(417, "the only expectation understood here is 100-continue"))
    }
}

fn body_framing(request: &Request) -> Result<BodyFraming, Unfit> {
    let mut lengths = request.headers.all("Content-Length");
    let mut codings = request.headers.all("Transfer-Encoding");
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(BodyFraming::Length(0)),
        (Some(_), Some(_)) => {
            Err(Unfit::Refused(400, "the request has both Content-Length and Transfer-Encoding"))
        }
        (Some(_), None) if lengths.next().is_some() => {
            Err(Unfit::Refused(400, "the request has more than one Content-Length"))
        }
        (Some(length), None) => decimal(length).map(BodyFraming::Length).ok_or(Unfit::Malformed),
        (None, Some(_)) if codings.next().is_some() => {
            Err(Unfit::Refused(400, "the request has more than one Transfer-Encoding"))
        }
        (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(BodyFraming::Chunked),
        (None, Some(coding)) if coding.to_ascii_lowercase().ends_with(b"chunked") => {
            Err(Unfit::Refused(501, "the only transfer coding understood here is chunked"))
        }
        (None, Some(_)) => Err(Unfit::Malformed),
    }
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
        match read(text) {
            Err(Unfit::Refused(status, _)) => Some(status),
            Ok(_) | Err(Unfit::Malformed) => None,
        }
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
            b"GeT /a%20b?x=%2C#f HTTP/1.1\r\nhOST: h\r\nX-A: 1\r\nx-b:  2 \r\nX-A: \xff\r\n\r\n",
        );
        let head = parse(&raw).unwrap();
        assert_eq!((head.request.method.as_str(), head.request.target.as_str()), ("GeT", "/a%20b?x=%2C#f"));
        let lines = head.request.headers.iter().map(|line| (line.name.as_str(), &line.value[..]));
        let wanted: [(&str, &[u8]); 4] = [("hOST", b"h"), ("X-A", b"1"), ("x-b", b"2"), ("X-A", b"\xff")];
        assert_eq!(lines.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn what_two_programs_may_understand_differently_is_refused() {
        let with = |lines: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        assert_eq!(status(&with("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")), Some(400));
        assert_eq!(status(&with("Content-Length: 1\r\nContent-Length: 1\r\n")), Some(400));
        assert_eq!(status(&with("Transfer-Encoding: gzip, chunked\r\n")), Some(501));
        assert_eq!(status(&with("Host: a\r\n")), Some(400));
        assert_eq!(status(&with("Expect: tea\r\n")), Some(417));
        assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), Some(400));
        assert_eq!(status("GET / HTTP/1.1\nHost: a\n\n"), Some(400));
        assert_eq!(status("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), Some(400));
        assert_eq!(status("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"), Some(400));
        assert_eq!(status("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), Some(400));
        for length in ["+1", "0x1", "1, 1", "99999999999999999999"] {
            assert_eq!(read(&with(&format!("Content-Length: {length}\r\n"))).unwrap_err(), Unfit::Malformed);
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
        assert!(is_hopeless(b"\x16\x03\x01\x02\x00"));
        assert!(!is_hopeless(b"GE"));
        assert!(!is_hopeless(b"GET / HTTP/1.1\r\nHos"));
    }
}
