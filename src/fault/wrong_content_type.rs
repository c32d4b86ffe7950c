//! `wrong-content-type`: the head calls the body something else, or nothing.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::is_good;
use super::{Context, Did, Effect, FaultKind, Mistake, Parameter, Takes, Work};
use crate::delivery::Delivery;

/// Changes or removes the Content-Type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongContentType {
    /// The media type; empty for no such header.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
}

impl FaultKind for WrongContentType {
    const SUMMARY: &'static str = "The Content-Type is wrong or missing.";
    const DOCS: &'static str = "\
A successful answer comes with `value` for its Content-Type, or without one if `value` is empty. The body stays as \
it is.

Proxies and error pages do it (reported often; the API's own answers say `application/json`: seen). A client may go \
by the head and report an answer that it cannot read, or go by the body and report what it says; it must not crash \
without a word.";
    const EXAMPLE: &'static str = "inject = { wrong-content-type = { value = \"text/plain\" } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "value",
        takes: Takes::Text,
        default: Some("\"\""),
        meaning: "the media type; if it is empty, there is no such header",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Unreadable;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let headers = &delivery.response.headers;
        let is_so = match headers.text("Content-Type") {
            Some(now) => now == self.value,
            None => self.value.is_empty(),
        };
        if is_so || !is_good(delivery) {
            return None;
        }
        let headers = &mut delivery.response.headers;
        if self.value.is_empty() {
            headers.remove("Content-Type");
            return Some("left the Content-Type out".into());
        }
        headers.set("Content-Type", self.value.clone());
        Some(format!("called the body `{}`", self.value).into())
    }

    fn check(&self) -> Result<(), Mistake> {
        let is_legal =
            self.value.trim() == self.value && self.value.bytes().all(|byte| (b' '..0x7f).contains(&byte));
        if is_legal {
            return Ok(());
        }
        let why = "must be what a header can hold: printable ASCII without blanks at its ends".to_owned();
        Err(Mistake { parameter: "value", why })
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&["", "text/plain", "text/html"][..])
            .prop_map(|value| Self { value: value.to_owned() })
            .boxed()
    }
}
