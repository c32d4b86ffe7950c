//! What a console is asked, and what it answered.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::json::{Json, Kind};
use crate::message::Response;
use crate::profile::Observation;
use crate::record::Safe;

/// Unreserved characters stay, everything else is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// How much of a text from a console is shown in one place, in characters.
const SHOWN_MAX: usize = 160;

/// One request. Its method is one that changes nothing; there is no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// GET or HEAD.
    pub method: Safe,
    /// The path, as it is sent.
    pub path: String,
    /// Names and values of the query, as they are sent.
    pub query: Vec<(String, String)>,
    /// Header lines, but for the token.
    pub headers: Vec<(String, String)>,
    /// Whether the token is sent along.
    pub credited: bool,
}

impl Question {
    /// A GET of this path, as it is sent.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: Safe::Get, path: path.into(), query: Vec::new(), headers: Vec::new(), credited: true }
    }

    /// The same with a parameter, encoded here.
    #[must_use]
    pub(super) fn with(self, name: &str, value: &str) -> Self {
        let value = encoded(value);
        self.with_raw(name, &value)
    }

    /// The same with a parameter that is encoded already.
    #[must_use]
    pub(super) fn with_raw(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with this header in place of any other of its name.
    #[must_use]
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Path and query.
    pub fn target(&self) -> String {
        let mut target = self.path.clone();
        for (place, (name, value)) in self.query.iter().enumerate() {
            target.push(if place == 0 { '?' } else { '&' });
            target.push_str(&format!("{name}={value}"));
        }
        target
    }
}

/// A text as it stands in a path or a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) content_range: Option<String>,
    /// The body, if it is text.
    pub(super) body: Option<String>,
}

impl Answer {
    pub(super) fn of(response: &Response) -> Self {
        let header = |name: &str| response.headers.text(name).map(|text| text.trim().to_owned());
        Self {
            status: response.status,
            content_type: header("Content-Type").unwrap_or_default(),
            content_range: header("Content-Range"),
            body: response.text().map(str::to_owned),
        }
    }

    /// The body, if it is JSON.
    pub(super) fn json(&self) -> Option<Json<'_>> {
        Json::parse(self.body.as_deref()?).ok()
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the head says that the body is JSON.
    pub(super) fn says_json(&self) -> bool {
        let kind = self.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    }

    /// The code of an error's body.
    pub(super) fn code(&self) -> Option<i128> {
        self.json()?.member("code")?.as_i128()
    }

    /// `404/1002`, or the status alone where the body has no code.
    pub(super) fn named(&self) -> String {
        match (self.is_success(), self.code()) {
            (false, Some(code)) => format!("{}/{code}", self.status),
            _ => self.status.to_string(),
        }
    }

    /// In one line: status, code, content type, and the start of the body.
    pub(super) fn line(&self) -> String {
        let range = self.content_range.as_ref().map(|range| format!(", Content-Range: {}", cut(range)));
        let body = self.body.as_deref().map_or("a body that is no text".to_owned(), cut);
        format!(
            "{}, {}{}: {body}",
            self.named(),
            if self.content_type.is_empty() { "no Content-Type".to_owned() } else { cut(&self.content_type) },
            range.unwrap_or_default()
        )
    }
}

/// The start of a text, on one line.
pub(super) fn cut(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_MAX) {
        Some((at, _)) => format!("{} ...", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

/// The first place where two values differ, in words; `None` if they are the same value. Members may stand in any order.
pub(super) fn first_difference(expected: &Json<'_>, found: &Json<'_>) -> Option<Difference> {
    differ(expected, found, "")
}

/// How two values differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Which kind of difference it is: no value stands in it.
    pub(super) kept: &'static str,
    /// Where it is, and what is there.
    pub(super) text: String,
}

impl Difference {
    fn new(kept: &'static str, text: String) -> Option<Self> {
        Some(Self { kept, text })
    }
}

fn differ(expected: &Json<'_>, found: &Json<'_>, at: &str) -> Option<Difference> {
    if expected.same(found) {
        return None;
    }
    let place = if at.is_empty() { "the whole" } else { at };
    match (expected.kind(), found.kind()) {
        (Kind::Object(members), Kind::Object(others)) => {
            for (name, value) in members {
                let below = format!("{at}/{name}");
                match found.member(name) {
                    None => {
                        return Difference::new("a member is missing", format!("{} is missing", cut(&below)));
                    }
                    Some(other) => {
                        if let Some(difference) = differ(value, other, &below) {
                            return Some(difference);
                        }
                    }
                }
            }
            let extra = others.iter().find(|(name, _)| expected.member(name).is_none())?;
            let text = format!("{} is there and should not be", cut(&format!("{at}/{}", extra.0)));
            Difference::new(Observation::IS_THERE, text)
        }
        (Kind::Array(elements), Kind::Array(others)) => {
            if elements.len() != others.len() {
                let (came, planned) = (others.len(), elements.len());
                let text = format!("{place} has {came} elements and should have {planned}");
                return Difference::new("a list has another length", text);
            }
            let pairs = elements.iter().zip(others).enumerate();
            pairs.filter_map(|(index, (one, two))| differ(one, two, &format!("{at}/{index}"))).next()
        }
        _ => {
            let text =
                format!("{} is {} and should be {}", cut(place), cut(found.text()), cut(expected.text()));
            Difference::new("a value is another one", text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_encoded_once_and_keeps_what_is_encoded() {
        let question = Question::get("/api/x").with("fields", "id,rules(id, type)").with_raw("a", "%2C");
        assert_eq!(question.target(), "/api/x?fields=id%2Crules%28id%2C%20type%29&a=%2C");
        let question = question.header("Range", "items=0-4").header("range", "items=1-2");
        assert_eq!(question.headers, [("range".to_owned(), "items=1-2".to_owned())]);
    }

    #[test]
    fn the_first_difference_is_named_by_its_place() {
        let differs = |one: &str, two: &str| {
            first_difference(&Json::parse(one).unwrap(), &Json::parse(two).unwrap())
                .map_or_else(String::new, |difference| difference.text)
        };
        assert_eq!(differs(r#"{"a":1,"b":[{}]}"#, r#"{"b":[{}],"a":1.0}"#), "");
        assert_eq!(differs(r#"{"a":1}"#, r#"{"a":1,"b":2}"#), "/b is there and should not be");
        assert_eq!(differs(r#"{"a":{"b":1}}"#, r#"{"a":{}}"#), "/a/b is missing");
        assert_eq!(differs("[1,2]", "[1,3]"), "/1 is 3 and should be 2");
        assert_eq!(differs("[1]", "[1,3]"), "the whole has 2 elements and should have 1");
    }

    #[test]
    fn an_answer_is_named_by_its_status_and_code() {
        let answer = |status, kind: &str, body: &str| Answer {
            status,
            content_type: kind.to_owned(),
            content_range: None,
            body: Some(body.to_owned()),
        };
        assert_eq!(answer(404, "application/json", r#"{"code":1002}"#).named(), "404/1002");
        assert_eq!(answer(404, "text/html", "<p>").named(), "404");
        assert_eq!(answer(200, "text/html", r#"{"code":7}"#).named(), "200");
        assert!(answer(200, "Application/JSON;charset=UTF-8", "").says_json());
        assert!(!answer(200, "text/html", "").says_json());
    }
}
