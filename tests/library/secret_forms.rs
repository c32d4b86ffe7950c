//! A token that is known is taken out of whatever repeats it, in every form that a console or a client gives it.

use crate::canary::Folder;

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use faultdeck::cassette::{Cassette, Interaction};
use faultdeck::message::{Request, Response};
use faultdeck::redact::{Doubt, Redactor, Rules};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

/// A token as a console makes it, and one with all that encodings spell differently.
const TOKENS: [&str; 2] = ["5f0c7a1e-9d3b-4c22-8f10-aa12bb34cc56", "Zq7/+x9Kp=a&b\"c <12>'é"];

/// One byte or character after the other.
fn each(text: &str, write: impl Fn(char) -> String) -> String {
    text.chars().map(write).collect()
}

fn bytes(text: &str, write: impl FnMut(u8) -> String) -> String {
    text.bytes().map(write).collect()
}

fn percent(text: &str) -> String {
    bytes(text, |byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).into()
        } else {
            format!("%{byte:02X}")
        }
    })
}

fn all_percent(text: &str) -> String {
    bytes(text, |byte| format!("%{byte:02x}"))
}

fn unicode(text: &str) -> String {
    text.encode_utf16().fold(String::new(), |mut out, unit| {
        let _ = write!(out, "\\u{unit:04x}");
        out
    })
}

fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn wide(text: &str, to: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to).collect()
}

fn hex(text: &str) -> String {
    bytes(text, |byte| format!("{byte:02x}"))
}

fn quoted_printable(text: &str) -> String {
    let mut column = 0;
    bytes(text, |byte| {
        column_break(&mut column)
            + &if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { format!("={byte:02X}") }
    })
}

fn column_break(column: &mut usize) -> String {
    *column += 1;
    if column.is_multiple_of(7) { "=\r\n".to_owned() } else { String::new() }
}

/// The forms that are text, each with its name.
fn forms(token: &str) -> Vec<(&'static str, String)> {
    let basic = BASE64_STANDARD.encode(format!("someone:{token}"));
    let b64 = BASE64_STANDARD.encode(token);
    vec![
        ("raw", token.to_owned()),
        ("in capitals", token.to_ascii_uppercase()),
        ("in small letters", token.to_ascii_lowercase()),
        ("percent", percent(token)),
        ("percent, small", percent(token).to_ascii_lowercase()),
        ("percent, every byte", all_percent(token)),
        ("percent, twice", all_percent(&all_percent(token))),
        ("percent, three times", percent(&percent(&all_percent(token)))),
        ("percent, some bytes", format!("%{:02X}{}", token.as_bytes()[0], percent(&token[1..]))),
        ("%uXXXX", unicode(token).replace('\\', "%")),
        ("a form", form_urlencoded::byte_serialize(token.as_bytes()).collect()),
        ("base64", b64.clone()),
        ("base64 without padding", BASE64_STANDARD_NO_PAD.encode(token)),
        ("base64url", BASE64_URL_SAFE.encode(token)),
        ("base64url without padding", BASE64_URL_SAFE_NO_PAD.encode(token)),
        ("base64, one byte before", BASE64_STANDARD.encode(format!("x{token}yy"))),
        ("base64, two bytes before", BASE64_URL_SAFE_NO_PAD.encode(format!("xx{token}y"))),
        ("base64 of base64", BASE64_STANDARD.encode(&b64)),
        ("base64 of percent", BASE64_STANDARD.encode(all_percent(token))),
        ("base64 of JSON", BASE64_STANDARD.encode(format!("{{\"a\":\"{}\"}}", unicode(token)))),
        ("base64 of UTF-16", BASE64_STANDARD.encode(wide(token, u16::to_le_bytes))),
        ("base64 of UTF-16, big end first", BASE64_STANDARD.encode(wide(token, u16::to_be_bytes))),
        ("base64 of gzip", BASE64_STANDARD.encode(gzip(token.as_bytes()))),
        ("base64 of zlib", BASE64_STANDARD.encode(zlib(token.as_bytes()))),
        ("percent of base64", percent(&b64)),
        ("base64 in small letters' place", format!("data:text/plain;base64,{b64}")),
        ("Basic", format!("Basic {basic}")),
        ("hex", hex(token)),
        ("hex in capitals", hex(token).to_ascii_uppercase()),
        ("hex with colons", bytes(token, |byte| format!("{byte:02x}:"))),
        ("hex with blanks", bytes(token, |byte| format!("{byte:02X} "))),
        ("\\x", bytes(token, |byte| format!("\\x{byte:02x}"))),
        ("octal", bytes(token, |byte| format!("\\{byte:03o}"))),
        ("JSON", json(token)),
        ("JSON with \\/", json(token).replace('/', "\\/")),
        ("JSON, every character", unicode(token)),
        ("JSON, some characters", format!("{}{}", unicode(&token[..3]), json(&token[3..]))),
        ("JSON in JSON", json(&json(token))),
        ("JSON in JSON, every character", json(&unicode(token))),
        ("JSON in JSON in JSON", json(&json(&unicode(token)))),
        ("\\u{}", each(token, |c| format!("\\u{{{:x}}}", u32::from(c)))),
        ("numeric entities", each(token, |c| format!("&#{};", u32::from(c)))),
        ("numeric entities in hex", each(token, |c| format!("&#x{:X};", u32::from(c)))),
        ("numeric entities, zeros before", each(token, |c| format!("&#{:07};", u32::from(c)))),
        ("entities of entities", each(token, |c| format!("&amp;#{};", u32::from(c)))),
        (
            "named entities",
            token
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&apos;")
                .replace('/', "&sol;")
                .replace('+', "&plus;")
                .replace('=', "&equals;"),
        ),
        ("quoted-printable", quoted_printable(token)),
        ("folded", format!("{}\r\n {}", &token[..6], &token[6..])),
        ("reversed", if token.is_ascii() { token.chars().rev().collect() } else { token.to_owned() }),
        ("without dashes", if token.contains('-') { token.replace('-', "") } else { token.to_owned() }),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn knowing(token: &str) -> Redactor {
    let redactor = Redactor::new();
    redactor.learn(token);
    redactor
}

fn holds(text: &[u8], form: &str) -> bool {
    text.windows(form.len()).any(|window| window == form.as_bytes())
}

#[test]
fn no_form_of_a_known_token_is_left_in_a_text() {
    let mut open = Vec::new();
    for token in TOKENS {
        let redactor = knowing(token);
        for (name, form) in forms(token) {
            for (around, text) in [
                ("text", format!("it was \u{201c}{form}\u{201d}, and no more")),
                ("page", format!("<html><p title=x>{form}</p></html>")),
                ("line", format!("a: 1\r\nb: {form}\r\nc: 2\r\n")),
            ] {
                let out = redactor.response(&Response::with_body(200, "text/plain", text.clone()));
                if holds(&out.body, &form) || !holds(&out.body, "fd-secret-") {
                    open.push(format!("{name} in a {around}: {}", String::from_utf8_lossy(&out.body)));
                }
            }
        }
    }
    assert!(open.is_empty(), "{} are open:\n{}", open.len(), open.join("\n"));
}

#[test]
fn no_form_of_a_known_token_is_left_in_json() {
    let mut open = Vec::new();
    for token in TOKENS {
        let redactor = knowing(token);
        for (name, form) in forms(token) {
            let body = format!("{{\"id\":1.00,\"a\":\"say {}!\",\"z\":[2]}}", json(&form));
            let out = redactor.response(&Response::json(200, body));
            let text = out.text().unwrap();
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            let member = value["a"].as_str().unwrap();
            if member.contains(&form) || !member.contains("fd-secret-") {
                open.push(format!("{name}: {text}"));
            }
            assert!(text.starts_with("{\"id\":1.00,") && text.ends_with(",\"z\":[2]}"), "{name}: {text}");
        }
    }
    assert!(open.is_empty(), "{} are open:\n{}", open.len(), open.join("\n"));
}

#[test]
fn no_form_of_a_known_token_is_left_in_a_head() {
    let mut open = Vec::new();
    for token in TOKENS {
        let redactor = knowing(token);
        for (name, form) in forms(token) {
            if form.contains(['\r', '\n']) {
                continue;
            }
            let mut response = Response::new(302);
            response.headers.push("X-Echo", format!("a {form} b"));
            response.trailers.push("X-Late", form.clone());
            response.reason = format!("OK {form}").into();
            let out = redactor.response(&response);
            let lines = out.headers.iter().chain(out.trailers.iter()).map(|line| line.value.clone());
            let mut all: Vec<_> = lines.chain([out.reason.clone()]).collect();
            if !form.contains([' ', '"', '<', '>', '\\']) && form.is_ascii() {
                let target = format!("/api/x/{form}?q={form}");
                all.push(redactor.request(&Request::new("GET", &target)).target.into());
            }
            open.extend(all.iter().filter(|text| holds(text, &form)).map(|text| format!("{name}: {text:?}")));
        }
    }
    assert!(open.is_empty(), "{} are open:\n{}", open.len(), open.join("\n"));
}

#[test]
fn a_token_in_the_name_of_a_header_goes_as_well() {
    let mut response = Response::new(200);
    response.headers.push("X-5f0c7a1e-9d3b-4c22-8f10-aa12bb34cc56", "1");
    let out = knowing(TOKENS[0]).response(&response);
    assert_eq!(out.headers.iter().next().unwrap().name, "X-fd-secret-1");
}

#[test]
fn bodies_that_are_no_utf8_are_searched_and_keep_their_encoding() {
    let token = TOKENS[0];
    let redactor = knowing(token);
    let clean = |body: Vec<u8>| redactor.response(&Response::with_body(200, "text/plain", body)).body;
    let latin1 = [b"Z\xfcrich ".as_slice(), token.as_bytes(), b" \xe9"].concat();
    assert_eq!(clean(latin1).as_ref(), b"Z\xfcrich fd-secret-1 \xe9");
    for to in [u16::to_le_bytes, u16::to_be_bytes] {
        for mark in ["", "\u{feff}"] {
            let text = |token: &str| wide(&format!("{mark}{{\"a\":\"é {token}\",\"n\":1}}"), to);
            assert_eq!(clean(text(token)).as_ref(), text("fd-secret-1"));
        }
    }
}

#[test]
fn a_packed_body_with_a_known_token_in_it_is_in_doubt_and_one_without_is_not() {
    let redactor = knowing(TOKENS[0]);
    let text =
        format!("some text with {} in it, and some more of it, and some more of it", percent(TOKENS[0]));
    for pack in [gzip, zlib, deflate] {
        for depth in 1..=2 {
            let packed = |text: &str| (0..depth).fold(text.as_bytes().to_vec(), |bytes, _| pack(&bytes));
            let bad = Response::with_body(200, "application/octet-stream", packed(&text));
            assert!(redactor.doubt_response(&bad).is_some(), "{depth}");
            assert_eq!(redactor.response(&bad).body, "fd-secret-1", "{depth}");
            let text = "some text with nothing in it, and some more of it, and some more of it";
            let good = Response::with_body(200, "application/octet-stream", packed(text));
            assert_eq!(redactor.doubt_response(&good), None, "{depth}");
            assert_eq!(redactor.response(&good), good, "{depth}");
        }
    }
}

#[test]
fn what_cannot_be_searched_is_in_doubt() {
    let redactor = Redactor::new();
    let doubt = |body: &[u8]| redactor.doubt_response(&Response::with_body(200, "text/plain", body.to_vec()));
    let bomb = gzip(&gzip(&vec![b'a'; 64 * 1024 * 1024]));
    for opaque in [
        &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff"[..],
        b"PK\x03\x04\x14\0\x08\x08\xc9\xd0",
        b"\x28\xb5\x2f\xfd\x04\x00\x81\0\0abc\xff",
        b"BZh91AY&SY\x8e\x01\xd8\xff",
        &gzip(b"a text that is cut short somewhere")[..24],
        &bomb,
    ] {
        assert!(doubt(opaque).is_some(), "{:?}", &opaque[..8]);
    }
    for plain in ["", "{\"a\":1}", "<html>&nbsp;é</html>", "plain\r\ntext\x1b[0m", "\u{feff}x"] {
        assert_eq!(doubt(plain.as_bytes()), None, "{plain}");
    }
    assert_eq!(doubt(b"Z\xfcrich"), None);
    let mut declared = Response::json(200, "{}");
    declared.headers.push("Content-Encoding", "br");
    assert!(redactor.doubt_response(&declared).is_some());
    let mut sent = Request::new("POST", "/api/x").with("Content-Encoding", "gzip");
    sent.body = gzip(b"{}").into();
    assert!(redactor.doubt_request(&sent).is_some());
}

#[test]
fn a_body_that_a_pointer_cannot_be_followed_in_is_in_doubt() {
    let mut rules = Rules::default();
    rules.add("/owner").unwrap();
    let pointed = Redactor::new().with_rules(rules);
    let body = |text: &str| Response::json(200, text.to_owned());
    let deep = format!("{{\"owner\":\"x\",\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    for text in [&deep, "{\"owner\":\"x\"", "[1,{\"owner\":}]"] {
        assert_eq!(pointed.doubt_response(&body(text)), Some(Doubt::Unpointed), "{text}");
        assert_eq!(Redactor::new().doubt_response(&body(text)), None, "without a pointer: {text}");
    }
    assert_eq!(pointed.doubt_response(&body("{\"owner\":\"x\"}")), None);
}

#[test]
fn a_token_split_anywhere_over_chunks_is_found() {
    let token = TOKENS[0];
    let body = format!("say {token} again");
    for at in 1..body.len() {
        let mut response = Response::with_body(200, "text/plain", body.clone());
        response.headers.remove("Content-Length");
        response.chunks = Some(vec![at, body.len() - at]);
        let out = knowing(token).response(&response);
        assert_eq!((out.body.as_ref(), out.chunks), (&b"say fd-secret-1 again"[..], Some(vec![21])));
    }
}

#[test]
fn what_is_saved_holds_no_form_of_a_token_that_is_learnt_last() {
    let folder = Folder::new();
    let token = TOKENS[0];
    folder.hide(token);
    let interaction = |request, response| Interaction {
        id: String::new(),
        endpoint: "".into(),
        request,
        response,
        by_recorder: false,
        moment: 0,
        notes: vec![format!("heard {token}")],
    };
    let mut interactions: Vec<Interaction> = forms(token)
        .iter()
        .enumerate()
        .map(|(n, (_, form))| {
            interaction(
                Request::new("GET", &format!("/api/x/{n}")),
                Response::with_body(200, "text/plain", format!("it was {form}!")),
            )
        })
        .collect();
    interactions.push(interaction(Request::new("GET", "/api/y").with("SEC", token), Response::new(204)));
    let cassette = Cassette { interactions, ..Cassette::default() };
    cassette.save(&folder.path().join("c.json")).unwrap();
    let mut text = String::new();
    std::fs::File::open(folder.path().join("c.json")).unwrap().read_to_string(&mut text).unwrap();
    for (name, form) in forms(token) {
        assert!(!text.contains(&json(&form)) && !text.contains(&form), "{name}");
    }
}
