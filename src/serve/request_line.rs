//! The request line, byte for byte.
//!
//! hyper never sees a target: what stands in it is for the console to judge. Raw quotes, brackets, braces and bytes
//! beyond ASCII are what real clients send, so they are taken as they are. A blank or a control character is not: no
//! server takes it, because nobody can tell where the target ends.

use super::refusal::Unfit;
use crate::message::HttpVersion;

/// A request line that keeps to its form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestLine<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a [u8],
    pub(super) version: HttpVersion,
}

/// Reads a line, its end taken off.
pub(super) fn parse(line: &[u8]) -> Result<RequestLine<'_>, Unfit> {
    let (method, rest) = cut_at_blank(line).ok_or_else(|| begun(line).err().unwrap_or_else(no_target))?;
    check_method(method)?;
    let method = std::str::from_utf8(method).map_err(|_| no_method(method))?;
    let last = rest.iter().rposition(|byte| *byte == b' ').ok_or_else(no_version)?;
    let (target, version) = (rest.get(..last).unwrap_or_default(), rest.get(last + 1..).unwrap_or_default());
    let version = std::str::from_utf8(version).ok().and_then(HttpVersion::parse).ok_or_else(no_version)?;
    check_target(target)?;
    if target.is_empty() {
        return Err(no_target());
    }
    if target.contains(&b' ') {
        let why = "there is a blank in the request target";
        return Err(Unfit::new(400, why).help("write it as %20; the console refuses it, too"));
    }
    Ok(RequestLine { method, target, version })
}

/// Whether `start`, which has no end of a line yet, can still become a request line.
pub(super) fn begun(start: &[u8]) -> Result<(), Unfit> {
    match cut_at_blank(start) {
        None => check_method(start.strip_suffix(b"\r").unwrap_or(start)),
        Some((method, rest)) => {
            check_method(method)?;
            check_target(rest.strip_suffix(b"\r").unwrap_or(rest))
        }
    }
}

fn cut_at_blank(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == b' ')?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

fn check_method(method: &[u8]) -> Result<(), Unfit> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if method.is_empty() || !method.iter().all(is_token) { Err(no_method(method)) } else { Ok(()) }
}

fn check_target(target: &[u8]) -> Result<(), Unfit> {
    if target.iter().any(u8::is_ascii_control) {
        let why = "there is a control character in the request line";
        return Err(Unfit::new(400, why).help("write it percent-encoded"));
    }
    Ok(())
}

fn no_method(method: &[u8]) -> Unfit {
    if method.starts_with(b"\x16\x03") {
        let why = "this is the beginning of a TLS handshake; this listener speaks plain HTTP";
        return Unfit::new(400, why)
            .help("use http:// in the client's address, or start the listener with --tls");
    }
    Unfit::new(400, "this is not an HTTP/1 request: it does not begin with a method")
}

fn no_target() -> Unfit {
    Unfit::new(400, "this is not an HTTP/1 request: the first line has no target")
}

fn no_version() -> Unfit {
    Unfit::new(400, "the first line does not end with HTTP/1.1 or HTTP/1.0")
        .help("this listener speaks HTTP/1.1 and HTTP/1.0 alone")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_but_blanks_and_controls_may_stand_in_a_target() {
        for byte in 0..=255_u8 {
            let target = [b"/a", &[byte][..], b"b"].concat();
            let line = [b"GET ", &target[..], b" HTTP/1.1"].concat();
            let fits = byte != b' ' && !byte.is_ascii_control();
            let wanted = RequestLine { method: "GET", target: &target, version: HttpVersion::Http11 };
            assert_eq!(parse(&line).ok(), fits.then_some(wanted), "{byte:#x}");
            assert_eq!(begun(&line).is_ok(), fits || byte == b' ', "{byte:#x}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let why = |line: &[u8]| parse(line).unwrap_err().why.into_owned();
        assert!(why(b"GET /a b HTTP/1.1").contains("blank"));
        assert!(why(b"GET /a").contains("HTTP/1.1"));
        assert!(why(b"GET / HTTP/2.0").contains("HTTP/1.1"));
        assert!(why(b"GET / http/1.1").contains("HTTP/1.1"));
        assert!(why(b"GET").contains("no target"));
        assert!(why(b"GET  HTTP/1.1").contains("no target"));
        assert!(why(b"G\xc3T / HTTP/1.1").contains("method"));
        assert!(why(b" / HTTP/1.1").contains("method"));
        assert!(why(b"").contains("method"));
        assert!(why(b"\x16\x03\x01\x02").contains("TLS"));
    }

    #[test]
    fn no_start_of_a_good_line_is_given_up() {
        let line = b"PoST /x?y=\"<>\xff HTTP/1.0\r";
        for end in 1..=line.len() {
            assert_eq!(begun(&line[..end]), Ok(()), "{end}");
        }
    }
}
