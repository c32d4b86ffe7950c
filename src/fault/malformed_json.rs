//! `malformed-json`: the body breaks off although the length is right.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::edit_json;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::json::Kind;

/// Drops the last byte of the JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MalformedJson {}

impl FaultKind for MalformedJson {
    const SUMMARY: &'static str = "The body is not quite JSON: its last byte is missing.";
    const DOCS: &'static str = "\
A successful JSON answer loses the last byte of its text, usually the closing brace; the Content-Length is right for \
what is sent, so HTTP has nothing to complain about. Errors and other media types are left alone, and so is a body \
that is a bare number, which would stay JSON.

It puts to the test whether a client reports an answer it cannot read as just that: no crash, no half-read task, no \
endless retry.";
    const EXAMPLE: &'static str = "inject = { malformed-json = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Unreadable;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let broken = edit_json(delivery, |text, json| {
            // White space after the text goes too: without it the last byte might be a line break, and nothing broken.
            let mut broken = text.trim_end().to_owned();
            broken.pop();
            (!matches!(json.kind(), Kind::Number)).then_some(broken)
        });
        broken.then(|| "dropped the last byte of the JSON text".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
