//! Trailer lines, read as strictly as head lines: what may stand behind a body reaches the client, nothing else does.

use bytes::Bytes;

use crate::message::{Header, Headers};
use crate::redact::is_credential_name;

/// Trailer lines of one answer.
const LINES_MAX: usize = 128;
/// Bytes of all trailer lines of one answer.
const BYTES_MAX: usize = 64 * 1024;

/// Fields that say how a message is framed, where it goes, who asks, or how it is to be read: each has to be known
/// before the body, so RFC 9110 (6.5.1) forbids them behind it, and a program that merges trailers into the head
/// would obey them.
const FOR_HEADS_ONLY: [&str; 37] = [
    "Accept-Ranges",
    "Age",
    "Allow",
    "Alt-Svc",
    "Authorization",
    "Cache-Control",
    "Clear-Site-Data",
    "Connection",
    "Cookie",
    "Date",
    "Expect",
    "Expires",
    "Host",
    "HTTP2-Settings",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Location",
    "Max-Forwards",
    "Pragma",
    "Range",
    "Refresh",
    "Retry-After",
    "Set-Cookie",
    "Set-Cookie2",
    "Strict-Transport-Security",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Vary",
    "Via",
    "Warning",
    "WWW-Authenticate",
];
/// Families of such fields.
const FOR_HEADS_ONLY_STARTS: [&str; 4] = ["Content-", "Proxy-", "Access-Control-", "Sec-"];

/// The trailers of one answer as they come in.
#[derive(Debug, Default)]
pub(super) struct Trailers {
    kept: Headers,
    lines: usize,
    bytes: usize,
    /// The names of those that were left out.
    dropped: Vec<String>,
}

impl Trailers {
    /// Takes one line, without its end.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<(), &'static str> {
        self.lines += 1;
        self.bytes = self.bytes.saturating_add(line.len());
        if self.lines > LINES_MAX || self.bytes > BYTES_MAX {
            return Err("its trailers are too many or too long");
        }
        let line = parse(line)?;
        if is_for_heads_only(&line.name) {
            if !self.dropped.contains(&line.name) {
                self.dropped.push(line.name);
            }
        } else {
            self.kept.push(line.name, line.value);
        }
        Ok(())
    }

    /// The lines that may be passed on, and a remark about the others.
    pub(super) fn finish(self) -> (Headers, Option<String>) {
        let remark = (!self.dropped.is_empty()).then(|| {
            format!("trailers were dropped that may stand in a head only: {}", self.dropped.join(", "))
        });
        (self.kept, remark)
    }
}

/// One line, by the grammar of a header line.
fn parse(line: &[u8]) -> Result<Header, &'static str> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or("a trailer is no header line")?;
    let (name, value) = line.split_at(colon);
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let name =
        std::str::from_utf8(name).ok().filter(|name| !name.is_empty() && name.bytes().all(|b| is_token(&b)));
    let name = name.ok_or("a trailer has no legal name")?.to_owned();
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    if value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err("a trailer holds a control character");
    }
    Ok(Header { name, value: Bytes::copy_from_slice(value) })
}

fn is_for_heads_only(name: &str) -> bool {
    let starts = |start: &&str| name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    FOR_HEADS_ONLY.iter().any(|known| name.eq_ignore_ascii_case(known))
        || FOR_HEADS_ONLY_STARTS.iter().any(starts)
        || is_credential_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frames_routes_or_authenticates_is_dropped_and_named() {
        let mut trailers = Trailers::default();
        for line in [
            "X-Sum: 1",
            "content-length: 3",
            "Transfer-Encoding: chunked",
            "set-cookie: a=b",
            "SEC: x",
            "x-auth-token: t",
        ] {
            trailers.take(line.as_bytes()).unwrap();
        }
        let (kept, remark) = trailers.finish();
        assert_eq!(kept, [("X-Sum", "1")].into_iter().collect::<Headers>());
        let remark = remark.unwrap();
        assert!(
            remark.ends_with(": content-length, Transfer-Encoding, set-cookie, SEC, x-auth-token"),
            "{remark}"
        );
    }

    #[test]
    fn a_line_that_could_not_stand_in_a_head_is_an_error() {
        for wrong in [
            &b"X Y: a"[..],
            b": a",
            b"X",
            b"X: a\nY: b",
            b"X: a\0",
            b" X: a",
            b"X : a",
            b"X\xff: a",
            b"X: \x7f",
            b"X: a\rb",
        ] {
            assert!(Trailers::default().take(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
        assert!(Trailers::default().take(b"X: \xe9\t\xff").is_ok());
    }

    #[test]
    fn trailers_are_bounded_in_number_and_in_length() {
        let mut trailers = Trailers::default();
        assert!((0..LINES_MAX).all(|_| trailers.take(b"X: a").is_ok()));
        assert!(trailers.take(b"X: a").is_err());
        assert!(Trailers::default().take(&[b'x'; BYTES_MAX + 1]).is_err());
    }
}
