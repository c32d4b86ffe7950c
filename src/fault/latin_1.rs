//! `latin-1`: bytes that are no UTF-8.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::good_json;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::json::{Json, Kind};

/// Sends the text in Latin-1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latin1 {}

impl FaultKind for Latin1 {
    const SUMMARY: &'static str = "The body is Latin-1 although JSON is UTF-8.";
    const DOCS: &'static str = "\
A successful JSON answer comes in Latin-1 (ISO 8859-1), whatever its head says; a character that Latin-1 lacks is a \
question mark. An answer that is the same in both gets an e with an acute accent (the byte E9) at the end of its \
first text; one without any text is left alone.

JSON is UTF-8 (RFC 8259, section 8.1). A client must say that it cannot read the answer; it must not crash without a \
word, and must not report a text with replacement characters as the console's.";
    const EXAMPLE: &'static str = "inject = { latin-1 = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Unreadable;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let text = good_json(delivery)?;
        let json = Json::parse(text).ok()?;
        let mut bytes = in_latin_1(text);
        if std::str::from_utf8(&bytes).is_ok() {
            bytes = with_an_accent(text, &json).map(|text| in_latin_1(&text))?;
        }
        delivery.response.set_body(bytes);
        Some("sent the body in Latin-1".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}

fn in_latin_1(text: &str) -> Vec<u8> {
    text.chars().map(|char| u8::try_from(u32::from(char)).unwrap_or(b'?')).collect()
}

/// The text with an accent at the end of its first string; a quote follows it, so it can be no part of a longer character.
fn with_an_accent(text: &str, json: &Json<'_>) -> Option<String> {
    let first = first_text(json)?;
    let end = (first.text().as_ptr() as usize).checked_sub(text.as_ptr() as usize)? + first.text().len() - 1;
    Some(format!("{}\u{E9}{}", text.get(..end)?, text.get(end..)?))
}

fn first_text<'j, 'a>(json: &'j Json<'a>) -> Option<&'j Json<'a>> {
    match json.kind() {
        Kind::String(_) => Some(json),
        Kind::Array(elements) => elements.iter().find_map(first_text),
        Kind::Object(members) => members.iter().find_map(|(_, value)| first_text(value)),
        Kind::Null | Kind::Bool(_) | Kind::Number => None,
    }
}
