//! Messages as they may be written: first the credentials in their places, learnt on the way, then all that is known.
//!
//! Most parts of most messages have been seen before: what became of them is remembered, for as long as nothing new is
//! learnt. All parts of a message are cleaned by the same knowledge: if cleaning it taught something, it is cleaned again.

use std::borrow::Cow;

use bytes::Bytes;

use super::memory::Cleaned;
use super::{Redactor, bodies, places};
use crate::message::{Header, Headers, Request, Response};

/// Longer parts are not remembered.
const PART_MAX: usize = 64 * 1024;
/// A message is cleaned so often at most, until nothing is learnt meanwhile.
const ROUNDS_MAX: usize = 3;

/// What is done to a part; two of them never share what is remembered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    KnownText = 1,
    KnownUrl,
    Reason,
    Target,
    Line,
    Body,
}

/// A part of a message.
#[derive(Clone, Copy)]
struct Part<'m> {
    step: Step,
    bytes: &'m [u8],
    /// The name of a line, the type of a body.
    beside: &'m str,
    line: Option<&'m Header>,
}

impl<'m> Part<'m> {
    fn of(step: Step, bytes: &'m [u8]) -> Self {
        Self { step, bytes, beside: "", line: None }
    }

    fn line(line: &'m Header) -> Self {
        Self { step: Step::Line, bytes: &line.value, beside: &line.name, line: Some(line) }
    }

    fn body(bytes: &'m [u8], content_type: &'m str) -> Self {
        Self { step: Step::Body, bytes, beside: content_type, line: None }
    }

    /// What it is remembered by.
    fn key_in<'k>(&self, key: &'k mut Vec<u8>) -> &'k [u8] {
        key.clear();
        key.push(self.step as u8);
        key.extend_from_slice(&self.beside.len().to_le_bytes());
        key.extend_from_slice(self.beside.as_bytes());
        key.extend_from_slice(self.bytes);
        key
    }

    fn is_nothing(&self) -> bool {
        self.bytes.is_empty() && self.step != Step::Line
    }

    fn is_remembered(&self) -> bool {
        self.bytes.len() + self.beside.len() <= PART_MAX
    }
}

fn content_type(headers: &Headers) -> Cow<'_, str> {
    headers.text("Content-Type").unwrap_or_default()
}

fn parts_of_request<'m>(request: &'m Request, content_type: &'m str) -> Vec<Part<'m>> {
    let mut parts = Vec::with_capacity(16);
    parts.push(Part::of(Step::KnownText, request.method.as_bytes()));
    parts.push(Part::of(Step::Target, request.target.as_bytes()));
    parts.extend(request.headers.iter().map(Part::line));
    parts.push(Part::body(&request.body, content_type));
    parts
}

fn parts_of_response<'m>(response: &'m Response, content_type: &'m str) -> Vec<Part<'m>> {
    let mut parts = Vec::with_capacity(16);
    parts.push(Part::of(Step::Reason, &response.reason));
    parts.extend(response.headers.iter().chain(response.trailers.iter()).map(Part::line));
    parts.push(Part::body(&response.body, content_type));
    parts
}

fn put_lines(headers: &mut Headers, cleaned: &mut impl Iterator<Item = Cleaned>) {
    headers.replace_lines(|line| {
        let Cleaned { name, value } = cleaned.next().filter(Cleaned::is_other)?;
        let name = name.unwrap_or_else(|| line.name.clone());
        Some(Header { name, value: value.unwrap_or_else(|| line.value.clone()) })
    });
}

impl Redactor {
    /// Learns the credentials a request carries, by place.
    pub(crate) fn learn_request(&self, request: &Request) {
        let _ = self.clean(&parts_of_request(request, &content_type(&request.headers)));
    }

    /// Learns the credentials a response carries, by place.
    pub(crate) fn learn_response(&self, response: &Response) {
        let _ = self.clean(&parts_of_response(response, &content_type(&response.headers)));
    }

    /// A request as it may be written: credentials by place (learnt on the way) and known values anywhere.
    #[must_use]
    pub fn request(&self, request: &Request) -> Request {
        let cleaned = self.clean(&parts_of_request(request, &content_type(&request.headers)));
        let mut out = request.clone();
        let mut cleaned = cleaned.into_iter();
        if let Some(method) = cleaned.next().and_then(|method| method.value) {
            out.method = text_of(&method);
        }
        if let Some(target) = cleaned.next().and_then(|target| target.value) {
            out.target = text_of(&target);
        }
        put_lines(&mut out.headers, &mut cleaned);
        if let Some(body) = cleaned.next().and_then(|body| body.value) {
            out.set_body(body);
        }
        out
    }

    /// The method and the target of a request as they may be printed.
    pub(crate) fn start_of(&self, request: &Request) -> (String, String) {
        let mut cleaned = self
            .clean(&[
                Part::of(Step::KnownText, request.method.as_bytes()),
                Part::of(Step::Target, request.target.as_bytes()),
            ])
            .into_iter();
        let mut next = |as_it_is: &str| {
            cleaned.next().and_then(|it| it.value).map_or_else(|| as_it_is.to_owned(), |new| text_of(&new))
        };
        (next(&request.method), next(&request.target))
    }

    /// A response as it may be written: credentials by place (learnt on the way) and known values anywhere.
    #[must_use]
    pub fn response(&self, response: &Response) -> Response {
        let cleaned = self.clean(&parts_of_response(response, &content_type(&response.headers)));
        let mut out = response.clone();
        let mut cleaned = cleaned.into_iter();
        if let Some(reason) = cleaned.next().and_then(|reason| reason.value) {
            out.reason = reason;
        }
        put_lines(&mut out.headers, &mut cleaned);
        put_lines(&mut out.trailers, &mut cleaned);
        if let Some(body) = cleaned.next().and_then(|body| body.value) {
            out.set_body(body);
        }
        out
    }

    /// Any text with what is known replaced.
    pub(super) fn known_in_text(&self, text: &str) -> String {
        // A known value may end within a character of the text; the rest of it is then lost, which is safe.
        let new = self.clean(&[Part::of(Step::KnownText, text.as_bytes())]).pop().and_then(|it| it.value);
        new.map_or_else(|| text.to_owned(), |new| text_of(&new))
    }

    pub(super) fn known_in_url(&self, url: &[u8]) -> Option<String> {
        let new = self.clean(&[Part::of(Step::KnownUrl, url)]).pop().and_then(|it| it.value);
        new.map(|new| text_of(&new))
    }

    /// What becomes of these parts of one message, all by the same knowledge.
    fn clean(&self, parts: &[Part<'_>]) -> Vec<Cleaned> {
        let mut key = Vec::with_capacity(512);
        for _ in 0..ROUNDS_MAX {
            let (mut all, mut fresh) = (Vec::with_capacity(parts.len()), Vec::new());
            let before = {
                let known = self.known();
                for (place, part) in parts.iter().enumerate() {
                    if part.is_nothing() {
                        all.push(Cleaned::default());
                        continue;
                    }
                    let found = part
                        .is_remembered()
                        .then(|| known.memory.get(part.key_in(&mut key), known.changes()))
                        .flatten();
                    if found.is_none() {
                        fresh.push(place);
                    }
                    all.push(found.unwrap_or_default());
                }
                known.changes()
            };
            for place in &fresh {
                if let (Some(slot), Some(part)) = (all.get_mut(*place), parts.get(*place))
                    && !self.is_clean(part)
                {
                    let placed = self.place(part);
                    *slot = self.without_known(part, placed);
                }
            }
            if fresh.is_empty() {
                return all;
            }
            let known = &mut *self.known();
            // What was learnt meanwhile, here or by another request, may stand in any part.
            if known.changes() == before {
                for place in fresh {
                    if let (Some(cleaned), Some(part)) = (all.get(place), parts.get(place))
                        && part.is_remembered()
                    {
                        known.memory.put(part.key_in(&mut key), cleaned.clone(), before);
                    }
                }
                return all;
            }
        }
        // Others learn all the time: what this message holds is learnt from all of it before any of it is cleaned.
        let placed: Vec<_> = parts.iter().map(|part| self.place(part)).collect();
        parts.iter().zip(placed).map(|(part, placed)| self.without_known(part, placed)).collect()
    }

    /// Whether a target or a body comes out as it goes in: most do, and one walk over it tells.
    fn is_clean(&self, part: &Part<'_>) -> bool {
        let search = self.search();
        let is_known = |bytes: &[u8]| search.as_ref().is_some_and(|search| search.is_in(bytes));
        if part.step == Step::Body {
            return bodies::json_holds_nothing(part.bytes, part.beside, &self.rules, &is_known);
        }
        let Some(target) = std::str::from_utf8(part.bytes).ok().filter(|_| part.step == Step::Target) else {
            return false;
        };
        let mut visit = |place: &super::Place, value: &[u8]| self.placed(place, value);
        // A `+` may stand for a blank.
        !target.contains('+')
            && places::target_parts(target, &self.rules, &mut visit) == target
            && bodies::holds_nothing(part.bytes, &self.rules, &is_known)
    }

    /// The credentials of a part replaced by place, and learnt on the way.
    fn place(&self, part: &Part<'_>) -> Option<Vec<u8>> {
        let mut visit = |place: &super::Place, value: &[u8]| self.placed(place, value);
        match (part.step, part.line) {
            (Step::Reason, _) => bodies::text(part.bytes, &self.rules, &mut visit),
            (Step::Target, _) => {
                let target = std::str::from_utf8(part.bytes).unwrap_or_default();
                let new = places::target(target, &self.rules, &mut visit);
                (new != target).then(|| new.into_bytes())
            }
            (Step::Line, Some(line)) => places::header(line, &self.rules, &mut visit),
            (Step::Body, _) => bodies::body(part.bytes, part.beside, &self.rules, &mut visit),
            (Step::KnownText | Step::KnownUrl | Step::Line, _) => None,
        }
    }

    /// A part, or what was made of it, with what is known replaced.
    fn without_known(&self, part: &Part<'_>, placed: Option<Vec<u8>>) -> Cleaned {
        let Some(search) = self.search() else {
            return Cleaned { name: None, value: placed.map(Bytes::from) };
        };
        let bytes = placed.as_deref().unwrap_or(part.bytes);
        let known = match (part.step, part.line) {
            (Step::KnownUrl | Step::Target, _) => search.replace_url(bytes),
            (Step::Line, Some(line)) if is_url(line) => search.replace_url(bytes),
            (Step::Body, _) => search.replace_body(bytes),
            (Step::KnownText | Step::Reason | Step::Line, _) => search.replace(bytes),
        };
        let name = part.line.and_then(|line| search.replace(line.name.as_bytes()));
        Cleaned { name: name.map(|name| text_of(&name)), value: known.or(placed).map(Bytes::from) }
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn is_url(line: &Header) -> bool {
    ["Location", "Content-Location", "Referer"].iter().any(|name| line.is(name))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::super::packed::{self, Charset};
    use super::*;

    fn shown(redactor: &Redactor, target: &str, token: &str) -> (String, String) {
        let clean = redactor.request(&Request::new("GET", target).with("SEC", token));
        (clean.target, clean.headers.text("SEC").unwrap_or_default().into_owned())
    }

    #[test]
    fn what_is_remembered_is_forgotten_when_something_is_learnt() {
        let redactor = Redactor::new();
        let target = "/api/x/zq81-kk20-ab77";
        let first = shown(&redactor, target, "other-0001-aa");
        assert_eq!(first, shown(&redactor, target, "other-0001-aa"), "the second time, from memory");
        assert_eq!(first.0, target);
        redactor.learn("zq81-kk20-ab77");
        assert_eq!(shown(&redactor, target, "other-0001-aa").0, "/api/x/fd-secret-2");
    }

    const SECRET: &str = "c4n4ry/Tok+en \"q\" 0123456789";

    /// A text that is made of ordinary pieces, of signs, and of a secret in whatever form it may stand.
    fn planted() -> impl Strategy<Value = String> {
        let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let forms = [
            SECRET.to_owned(),
            SECRET.to_ascii_uppercase(),
            SECRET.chars().rev().collect(),
            percent(SECRET),
            percent(&percent(SECRET)),
            SECRET.replace(' ', "+"),
            serde_json::Value::from(SECRET).to_string(),
            SECRET.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect(),
            SECRET.chars().map(|c| format!("&#{};", u32::from(c))).collect(),
            SECRET.bytes().map(|byte| format!("={byte:02X}")).collect(),
            SECRET.bytes().map(|byte| format!("{byte:02x}")).collect(),
            SECRET.bytes().map(|byte| format!("{byte:02x} ")).collect(),
            STANDARD.encode(SECRET),
            STANDARD.encode(format!("u:{SECRET}")),
            STANDARD
                .encode(format!("xy{SECRET}").repeat(4))
                .as_bytes()
                .chunks(60)
                .map(String::from_utf8_lossy)
                .collect::<Vec<_>>()
                .join("\r\n"),
            STANDARD.encode(percent(SECRET)),
            SECRET.chars().flat_map(|c| [c, '\0']).collect(),
            SECRET.replace("Tok", "T\r\n  ok"),
        ];
        let signs = [
            "token=",
            "password: ",
            "Bearer ",
            "--secret ",
            "\"sec\":\"",
            "/token/",
            "api/siem/offenses/",
            "case_create_tasks",
            "?",
            "&",
            "=",
            "%",
            "\\",
            "{",
            "}",
            "[",
            "]",
            "\"",
            ":",
            ",",
            " ",
            "\n",
            "<b>",
            "9f2c4e8a01b7",
            "COMPLETE",
            "17",
        ];
        let piece = prop_oneof![
            1 => prop::sample::select(forms.to_vec()),
            4 => prop::sample::select(signs.to_vec()).prop_map(str::to_owned),
            2 => "[ -~é]{0,9}",
        ];
        prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn the_quick_look_passes_over_nothing(text in planted(), is_json in any::<bool>()) {
            let redactor = Redactor::new();
            redactor.learn(SECRET);
            let target = format!("/{text}");
            let plain = format!(r#"{{"a":"{text}","{text}":[12,34,-12.5e3],"name":"{text}"}}"#);
            let body = if is_json { serde_json::json!({"a": text, "b": [1, text]}).to_string() } else { text };
            let bodies = [&body, &plain].map(|body| Part::body(body.as_bytes(), ""));
            for part in bodies.into_iter().chain([Part::of(Step::Target, target.as_bytes())]) {
                let quick = redactor.clean(&[part]).pop().and_then(|it| it.value);
                // Place by place, then every known value, each in a walk of its own.
                let placed = redactor.place(&part);
                let now = placed.as_deref().unwrap_or(part.bytes);
                let search = redactor.search().unwrap();
                let known = match (part.step, packed::kind(now)) {
                    (Step::Body, packed::Kind::Text(charset)) => search.in_any_body(now, charset),
                    (Step::Body, _) => search.in_any_body(now, Charset::OneByte),
                    _ => search.replace_url(now),
                };
                let slow = known.or_else(|| placed.clone());
                prop_assert_eq!(quick.as_deref(), slow.as_deref());
            }
        }
    }
}
