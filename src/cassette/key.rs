//! [`MatchKey`]: what two requests must share to be the same request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use sha2::{Digest, Sha256};

use crate::json::{Json, Kind, quote};
use crate::message::{Request, octets};
use crate::redact::customer::tokens;
use crate::redact::{covers, is_credential_name, is_secret};

/// Method, path, query without `fields` as a multiset of decoded pairs, `Range`, and body as JSON, else bytes. The
/// value of a credential does not count, in a query or body its name does; nor does any other header.
///
/// Numbers in a JSON body count by value (`1.00` is `1`), members in any order. Values that were redacted are all the
/// same here, because their numbers differ from file to file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MatchKey {
    /// As sent.
    pub method: Cow<'static, str>,
    /// With `%41` written as `A`, escapes in capitals, and raw bytes that RFC 3986 does not allow as escapes.
    pub path: String,
    /// Decoded pairs, sorted.
    pub query: Vec<(String, String)>,
    /// The first `Range` header.
    pub range: Option<String>,
    /// Canonical text of a JSON body or form; other text as it is; `base64:` for other bytes.
    pub body: String,
}

/// What stands in a key where a request has a credential.
const CREDENTIAL: &str = "fd-secret";

impl MatchKey {
    /// The key of a request.
    pub fn of(request: &Request) -> Self {
        Self {
            method: method(&request.method),
            path: path(request),
            query: query(request),
            range: range(request),
            body: body(request),
        }
    }

    /// Whether this is the key of a request, which is looked at no further than that takes.
    pub(super) fn is_of(&self, request: &Request) -> bool {
        self.method == request.method
            && self.path == path(request)
            && self.query == query(request)
            && self.range == range(request)
            && self.body == body(request)
    }

    /// The pairs of a form, if the body is one.
    pub(crate) fn form(&self) -> Option<Vec<(String, String)>> {
        form(&self.body).filter(|pairs| !pairs.is_empty())
    }

    /// Eight hex digits that stay the same when placeholders are renumbered.
    pub(super) fn hash8(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            let part = without_placeholders(part);
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        add(&self.method);
        add(&self.path);
        for (name, value) in &self.query {
            add(name);
            add(value);
        }
        add(self.range.as_deref().unwrap_or("\0"));
        add(&self.body);
        hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Those that nearly all requests have need no memory of their own in each key.
const USUAL_METHODS: [&str; 5] = ["GET", "POST", "DELETE", "PUT", "HEAD"];

fn method(method: &str) -> Cow<'static, str> {
    let usual = USUAL_METHODS.into_iter().find(|usual| *usual == method);
    usual.map_or_else(|| Cow::Owned(method.to_owned()), Cow::Borrowed)
}

fn path(request: &Request) -> String {
    without_numbers(&normal_path(request.path()), &["fd-secret-"])
}

fn query(request: &Request) -> Vec<(String, String)> {
    pairs(request.params().into_iter().filter(|(name, _)| name != "fields"))
}

fn range(request: &Request) -> Option<String> {
    request.headers.text("Range").map(|range| range.trim().to_owned())
}

fn pairs(pairs: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let hide = |(name, value): (String, String)| {
        let value = if is_secret(&name, &value) {
            CREDENTIAL.to_owned()
        } else {
            without_numbers(&value, &["fd-secret-"])
        };
        (name, value)
    };
    let mut pairs: Vec<_> = pairs.map(hide).collect();
    pairs.sort();
    pairs
}

/// The path with one spelling for each byte: unreserved ones plain, other escapes in capitals, and what should have been
/// sent as an escape as one.
pub(super) fn normal_path(path: &str) -> String {
    // What nearly every path is: no escapes, and no private characters for raw bytes.
    if path.is_ascii() && memchr::memchr(b'%', path.as_bytes()).is_none() {
        return Cow::from(percent_encode(path.as_bytes(), RAW)).into_owned();
    }
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(&escaped(before));
        let escape = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = match escape {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
                &after[2..]
            }
            Some(byte) => {
                out.push_str(&format!("%{byte:02X}"));
                &after[2..]
            }
            None => {
                out.push('%');
                after
            }
        };
    }
    out.push_str(&escaped(rest));
    out
}

/// The bytes that RFC 3986 does not allow in a path, beside those that no request line has.
const RAW: &AsciiSet = &CONTROLS
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

fn escaped(text: &str) -> String {
    percent_encode(&octets::bytes(text), RAW).to_string()
}

fn body(request: &Request) -> String {
    if request.body.is_empty() {
        return String::new();
    }
    let Ok(text) = std::str::from_utf8(&request.body) else {
        return format!("base64:{}", STANDARD.encode(&request.body));
    };
    let kind = request.headers.text("Content-Type").unwrap_or_default().to_ascii_lowercase();
    if kind.trim_start().starts_with("application/x-www-form-urlencoded") {
        let form = form_urlencoded::parse(text.as_bytes()).into_owned();
        return pairs(form)
            .into_iter()
            .map(|(name, value)| format!("{}={}\n", quote(&name), quote(&value)))
            .collect();
    }
    match Json::parse(text) {
        Ok(value) => canonical(&value),
        Err(_) => without_numbers(text, &["fd-secret-"]),
    }
}

/// The pairs of a form, from how a key has it.
pub(super) fn form(body: &str) -> Option<Vec<(String, String)>> {
    let unquoted = |text: String| Json::parse(&text).ok()?.as_str().map(str::to_owned);
    let pair = |line: &str| {
        let (name, value) = line.split_once("\"=\"")?;
        Some((unquoted(format!("{name}\""))?, unquoted(format!("\"{value}"))?))
    };
    body.lines().map(pair).collect()
}

/// One text for all spellings of a value.
fn canonical(value: &Json<'_>) -> String {
    let mut out = String::new();
    write(&mut out, value, Names::Count);
    out
}

#[derive(Clone, Copy)]
enum Names<'n> {
    /// Every value counts.
    Count,
    /// Under a member named like a credential: what is one does not count.
    Under(&'n str),
}

fn write(out: &mut String, value: &Json<'_>, names: Names<'_>) {
    let hides = |text: &str| matches!(names, Names::Under(name) if is_secret(name, text));
    let covered = matches!(names, Names::Under(name) if covers(name));
    match value.kind() {
        Kind::String(text) if covered || hides(text) => out.push_str(CREDENTIAL),
        Kind::Number if covered => out.push_str(CREDENTIAL),
        Kind::String(text) => out.push_str(&quote(&without_numbers(text, &["fd-secret-"]))),
        Kind::Number => out.push_str(&number(value.text())),
        Kind::Array(elements) => {
            for (place, element) in elements.iter().enumerate() {
                out.push(if place == 0 { '[' } else { ',' });
                write(out, element, names);
            }
            out.push_str(if elements.is_empty() { "[]" } else { "]" });
        }
        Kind::Object(members) => {
            let mut sorted = BTreeMap::new();
            for (name, value) in members {
                sorted.entry(name.as_ref()).or_insert(value);
            }
            for (place, (name, value)) in sorted.iter().enumerate() {
                out.push(if place == 0 { '{' } else { ',' });
                out.push_str(&quote(name));
                out.push(':');
                let within = if covered { names } else { Names::Count };
                write(out, value, if is_credential_name(name) { Names::Under(name) } else { within });
            }
            out.push_str(if sorted.is_empty() { "{}" } else { "}" });
        }
        Kind::Null | Kind::Bool(_) => out.push_str(value.text()),
    }
}

/// The exact value of a number: digits without zeros around them, and a power of ten.
fn number(text: &str) -> String {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (digits, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // A power that no 64 bits hold is only compared as text.
    let Ok(power) = power.strip_prefix('+').unwrap_or(power).parse::<i64>() else { return text.to_owned() };
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let short = significant.trim_end_matches('0');
    if short.is_empty() {
        return "0".to_owned();
    }
    let shift = significant.len() as i128 - short.len() as i128 - fraction.len() as i128;
    format!("{sign}{short}e{}", i128::from(power) + shift)
}

/// `text` with every placeholder, of secrets and customer data, written alike.
pub(super) fn without_placeholders(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for token in tokens(text) {
        out.push_str(text.get(done..token.at.start).unwrap_or_default());
        out.push_str(token.class.stem());
        done = token.at.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    without_numbers(&out, &["fd-secret-"])
}

/// `text` with the digits after each of `prefixes` left out.
pub(super) fn without_numbers(text: &str, prefixes: &[&str]) -> String {
    let mut out = text.to_owned();
    for prefix in prefixes.iter().filter(|prefix| text.contains(**prefix)) {
        out = out
            .split(prefix)
            .enumerate()
            .map(
                |(place, part)| {
                    if place == 0 { part } else { part.trim_start_matches(|c: char| c.is_ascii_digit()) }
                },
            )
            .collect::<Vec<_>>()
            .join(prefix);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(target: &str, body: &'static str) -> MatchKey {
        let mut request = Request::new("POST", target);
        request.body = body.into();
        MatchKey::of(&request)
    }

    #[test]
    fn a_key_knows_its_requests_as_if_theirs_were_made() {
        let mut requests: Vec<Request> =
            ["/a", "/%61", "/a?x=1", "/a?fields=y", "/a?x=1&x=2", "/a?x=2&x=1", "/b"]
                .iter()
                .flat_map(|target| ["GET", "get"].map(|method| Request::new(method, target)))
                .collect();
        for range in ["items=0-1", " items=0-1", "items=0-2"] {
            requests.push(Request::new("GET", "/a").with("Range", range));
        }
        for body in ["1.0", "1", "x"] {
            requests.push(Request { body: body.into(), ..Request::new("GET", "/a") });
        }
        let mut same = 0;
        for one in &requests {
            for other in &requests {
                let key = MatchKey::of(one);
                assert_eq!(key.is_of(other), key == MatchKey::of(other), "{one:?} {other:?}");
                same += usize::from(key.is_of(other));
            }
        }
        assert!(same > requests.len() && same < requests.len() * requests.len());
    }

    #[test]
    fn spelling_does_not_count_and_meaning_does() {
        assert_eq!(key("/a%2fb/%41?x=1&y=a+b", ""), key("/a%2Fb/A?y=a%20b&fields=id&x=1", ""));
        assert_ne!(key("/a?x=1", ""), key("/a?x=1&x=1", ""));
        assert_eq!(
            key("/a", r#"{"a":1.00,"b":[1E5,"x"]}"#),
            key("/a", r#" { "b" : [100000, "\u0078"], "a":1} "#)
        );
        assert_ne!(key("/a", "12345678901234567890"), key("/a", "12345678901234567891"));
        assert_ne!(key("/a", r#"{"a":null}"#), key("/a", "{}"));
    }

    #[test]
    fn raw_bytes_are_the_same_as_their_escapes_and_no_two_bytes_are_one() {
        let raw = octets::text(b"/a<\xfc/\xc3\xbc|?q=\"{\xfc\xc3\xbc}\"");
        assert_eq!(key(&raw, ""), key("/a%3C%fc/%C3%BC%7C?q=%22%7B%FC%C3%bc%7d%22", ""));
        assert_ne!(key("/a?q=%FC", ""), key("/a?q=%E4", ""));
        assert_ne!(key(&octets::text(b"/\xfc"), ""), key(&octets::text(b"/\xe4"), ""));
        assert_ne!(key("/a?q=%EE%BF%BC", ""), key("/a?q=%FC", ""));
    }

    #[test]
    fn credentials_count_by_name_only() {
        assert_eq!(
            key("/a?token=x", r#"{"password":"a","b":{"secret":[1,"q"]}}"#),
            key("/a?token=y", r#"{"b":{"secret":["z",7]},"password":"b"}"#)
        );
        assert_ne!(key("/a?token=x", ""), key("/a", ""));
        assert_eq!(key("/a/fd-secret-1?q=fd-secret-12", ""), key("/a/fd-secret-2?q=fd-secret-3", ""));
    }

    #[test]
    fn numbers_are_compared_exactly() {
        for (one, two) in [("1", "1.0"), ("100", "1E+2"), ("-0", "0e9"), ("0.010", "1e-2"), ("1e0", "1")] {
            assert_eq!(number(one), number(two));
        }
        assert_ne!(number("1e99999999999999999999"), number("1"));
        assert_ne!(number("-1"), number("1"));
    }

    #[test]
    fn a_hash_survives_new_numbers() {
        let one = key("/a", r#"{"assigned_to":["user-1"]}"#);
        let two = key("/a", r#"{"assigned_to":["user-7"]}"#);
        assert_ne!(one, two);
        assert_eq!(one.hash8(), two.hash8());
        assert_eq!(one.hash8().len(), 8);
    }
}
