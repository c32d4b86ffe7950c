//! The console's own name and address, in whatever form they stand in a message, and the placeholders they become.

use std::net::Ipv6Addr;
use std::ops::Range;

use crate::redact::{unescaped, with_text};

/// What the console's name and its address become.
const CONSOLE: &str = "host-1";
/// What the first label of its name becomes where it stands alone.
const SHORT: &str = "host-2";
/// What a member or parameter is called that holds a host.
const HOLDERS: [&str; 6] = ["host", "hostname", "server", "console", "fqdn", "node"];

/// The names of one console, longest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Vec<Name>);

#[derive(Clone, Debug)]
struct Name {
    /// In lower case.
    text: String,
    placeholder: &'static str,
    /// Of one word: elsewhere than in a URL or beside the name of a host it could be a word.
    is_word: bool,
}

impl Names {
    /// The names of a host: a name, an IPv4 address, an IPv6 address in brackets.
    pub(super) fn of(host: &str) -> Self {
        let mut names = Self::default();
        names.add(host);
        names
    }

    /// Adds another name or address of the same console.
    pub(super) fn add(&mut self, host: &str) {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if bare.is_empty() {
            return;
        }
        if let Ok(address) = bare.parse::<Ipv6Addr>() {
            for text in [address.to_string(), long(address, false), long(address, true)] {
                self.put(format!("[{text}]"), CONSOLE, false);
                self.put(text, CONSOLE, false);
            }
        }
        self.put(host.clone(), CONSOLE, !host.contains(['.', ':']));
        let is_name = host.bytes().any(|byte| byte.is_ascii_alphabetic()) && !host.contains(':');
        if let Some((short, _)) = host.split_once('.').filter(|(short, _)| is_name && short.len() > 1) {
            self.put(short.to_owned(), SHORT, true);
        }
    }

    fn put(&mut self, text: String, placeholder: &'static str, is_word: bool) {
        if !self.0.iter().any(|name| name.text == text) {
            self.0.push(Name { text, placeholder, is_word });
            self.0.sort_by_key(|name| std::cmp::Reverse(name.text.len()));
        }
    }

    /// A body without these names; `None` if none is there. Two bytes for a character stay two.
    pub(super) fn leave_body(&self, body: &[u8]) -> Option<Vec<u8>> {
        with_text(body, &mut |text| self.leave(text))
    }

    /// `bytes` without these names, under whatever escapes they stand; `None` if none is there.
    pub(super) fn leave(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut found: Vec<(Range<usize>, &str)> = Vec::new();
        unescaped(bytes, &mut |layer, place| {
            for name in &self.0 {
                found.extend(name.places(layer).map(|at| (place(at), name.placeholder)));
            }
        });
        found.sort_by_key(|(at, _)| (at.start, std::cmp::Reverse(at.end)));
        let mut out = Vec::new();
        let mut done = 0;
        for (at, placeholder) in found {
            if at.start >= done {
                out.extend_from_slice(bytes.get(done..at.start).unwrap_or_default());
                out.extend_from_slice(placeholder.as_bytes());
                done = at.end;
            }
        }
        (done > 0).then(|| {
            out.extend_from_slice(bytes.get(done..).unwrap_or_default());
            out
        })
    }
}

impl Name {
    fn places<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
        let length = self.text.len();
        let first = self.text.bytes().next().unwrap_or_default();
        let starts = memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), bytes);
        starts.map(move |at| at..at + length).filter(move |at| {
            bytes.get(at.clone()).is_some_and(|part| part.eq_ignore_ascii_case(self.text.as_bytes()))
                && self.stands_alone(
                    bytes.get(..at.start).unwrap_or_default(),
                    bytes.get(at.end..).unwrap_or_default(),
                )
        })
    }

    fn stands_alone(&self, before: &[u8], after: &[u8]) -> bool {
        let is_address = self.text.contains(':') && !self.text.starts_with('[');
        let is_name = |byte: &u8| {
            byte.is_ascii_alphanumeric() || b"-_.".contains(byte) || (is_address && *byte == b':')
        };
        let ends = match after {
            [b'.', next, ..] => !next.is_ascii_alphanumeric(),
            [next, ..] => !is_name(next) || *next == b'.',
            [] => true,
        };
        let starts = match self.is_word {
            true => {
                before.ends_with(b"//")
                    || before.ends_with(b"@")
                    || before.ends_with(b"\\/")
                    || names_a_host(before)
            }
            false => before.last().is_none_or(|byte| !is_name(byte)),
        };
        starts && ends
    }
}

/// Whether `hostname=` or `"hostname": "` ends here.
fn names_a_host(before: &[u8]) -> bool {
    let quotes = |byte: &u8| b"\"'\\ ".contains(byte);
    let end = before.len() - before.iter().rev().take(4).take_while(|byte| quotes(byte)).count();
    let Some((b'=' | b':', name)) = before.get(..end).and_then(|it| it.split_last()) else { return false };
    let end = name.len() - name.iter().rev().take(4).take_while(|byte| quotes(byte)).count();
    let name = name.get(..end).unwrap_or_default().to_ascii_lowercase();
    HOLDERS.iter().any(|holder| name.ends_with(holder.as_bytes()))
}

/// An address with nothing left out, and with zeros before each group.
fn long(address: Ipv6Addr, with_zeros: bool) -> String {
    let group = |group: u16| if with_zeros { format!("{group:04x}") } else { format!("{group:x}") };
    address.segments().map(group).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(host: &str, text: &str) -> String {
        Names::of(host)
            .leave(text.as_bytes())
            .map_or_else(|| text.to_owned(), |new| String::from_utf8(new).unwrap())
    }

    #[test]
    fn a_name_goes_in_whatever_form_it_stands() {
        for (text, expected) in [
            ("hostname%3Dqr.acme.example&x=1", "hostname%3Dhost-1&x=1"),
            ("%22qr.acme.example%22", "%22host-1%22"),
            ("https%3A%2F%2FQR.Acme.Example%3A8443%2Fx", "https%3A%2F%2Fhost-1%3A8443%2Fx"),
            ("https%253A%252F%252Fqr%252Eacme.example", "https%253A%252F%252Fhost-1"),
            (r#"{"u":"https:\/\/qr.acme.example\/x"}"#, r#"{"u":"https:\/\/host-1\/x"}"#),
            (r#"{"u":"\u0071r.acme.example"}"#, r#"{"u":"host-1"}"#),
            ("<a href=\"https:&#x2F;&#47;qr&#46;acme.example\">", "<a href=\"https:&#x2F;&#47;host-1\">"),
            ("admin@qr.acme.example, qr.acme.example.", "admin@host-1, host-1."),
            ("https://qr/x?hostname=qr&a=qr", "https://host-2/x?hostname=host-2&a=qr"),
            (r#"{"hostname": "qr", "name": "qr"}"#, r#"{"hostname": "host-2", "name": "qr"}"#),
            ("myqr.acme.example qr.acme.example.org", "myqr.acme.example qr.acme.example.org"),
        ] {
            assert_eq!(left("qr.acme.example", text), expected);
        }
    }

    #[test]
    fn an_address_goes_in_whatever_form_it_is_written() {
        assert_eq!(
            left("10.1.2.3", "at 10.1.2.3:443, 10.1.2.33 and 110.1.2.3"),
            "at host-1:443, 10.1.2.33 and 110.1.2.3"
        );
        for form in ["FD00::1", "fd00:0:0:0:0:0:0:1", "fd00:0000:0000:0000:0000:0000:0000:0001"] {
            assert_eq!(
                left("[fd00::1]", &format!("at {form}, https://[{form}]:8443/")),
                "at host-1, https://host-1:8443/"
            );
            assert_eq!(left("[fd00::1]", &format!("%5B{}%5D", form.replace(':', "%3A"))), "host-1");
        }
        assert_eq!(left("[fd00::1]", "fd00::12 and abfd00::1"), "fd00::12 and abfd00::1");
    }

    #[test]
    fn two_bytes_for_a_character_stay_two() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let body = wide("{\"host\":\"qr.acme.example\",\"n\":1}");
        assert_eq!(
            Names::of("qr.acme.example").leave_body(&body),
            Some(wide("{\"host\":\"host-1\",\"n\":1}"))
        );
    }
}
