//! `byte-order-mark`: three bytes before the JSON.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::edit_json;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;

/// Puts a byte order mark before the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByteOrderMark {}

impl FaultKind for ByteOrderMark {
    const SUMMARY: &'static str = "The body begins with a byte order mark.";
    const DOCS: &'static str = "\
A successful JSON answer begins with EF BB BF, the byte order mark of UTF-8; the Content-Length counts it.

No sender may add one to JSON, and a reader may take it for an error or pass over it (RFC 8259, section 8.1). So \
both a client that reads the task and one that says that it cannot are right; one that crashes without a word is \
not.";
    const EXAMPLE: &'static str = "inject = { byte-order-mark = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Unreadable;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let marked = edit_json(delivery, |text, _| Some(format!("\u{FEFF}{text}")));
        marked.then(|| "put a byte order mark before the body".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
