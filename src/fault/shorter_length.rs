//! `shorter-length`: fewer bytes are announced than come.

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::is_whole;
use super::ending::in_bytes;
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, End, Framing, Step};

/// Announces a Content-Length that is less than the body is long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShorterLength {
    /// By how many bytes, 0 to 1,000,000,000; more than the body has is all of it.
    pub by: u32,
}

impl FaultKind for ShorterLength {
    const SUMMARY: &'static str = "The Content-Length is less than the body is long.";
    const DOCS: &'static str = "\
The whole body comes, but the head announces `by` bytes less. What is left over stands on the connection where the next \
answer would; then the connection closes in order (FIN), and what the client sends on it is never answered. A chunked answer \
becomes one with a Content-Length. With `by` 0 nothing is changed; an answer without a body, or cut by an earlier fault, is \
left alone.

The client has a body that stops early, as its head says it should: it must report what it cannot parse, and never take the \
part for the task. The bytes left over must not be taken for the answer to its next request: whoever finds them on a \
connection that should be silent has to drop it.";
    const EXAMPLE: &'static str = "inject = { shorter-length = { by = 5 } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "by",
        takes: Takes::Number(0, 1_000_000_000),
        default: None,
        meaning: "how many bytes less are announced than come",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Lost;
    const MEETS_REFUSED: bool = true;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let is_framed_by_itself = matches!(delivery.framing, Framing::AsRecorded | Framing::Chunked(_));
        let full = delivery.response.body.len() as u64;
        let nothing_less = self.is_identity() || full == 0 || delivery.bodiless;
        if nothing_less || !is_framed_by_itself || !is_whole(delivery) {
            return None;
        }
        let by = full.min(self.by.into());
        delivery.framing = Framing::Length(full - by);
        delivery.steps.retain(|step| !matches!(step, Step::End(_)));
        delivery.steps.push(Step::End(End::Fin));
        Some(format!("announced {} less than it sent, then closed", in_bytes(by)).into())
    }

    fn is_identity(&self) -> bool {
        self.by == 0
    }

    fn strategy() -> BoxedStrategy<Self> {
        (0..=100u32).prop_map(|by| Self { by }).boxed()
    }
}
