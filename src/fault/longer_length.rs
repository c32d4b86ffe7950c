//! `longer-length`: more bytes are announced than ever come.

use std::time::Duration;

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::is_whole;
use super::ending::in_bytes;
use super::latency::MOST_MS;
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, End, Framing, Step};

/// Announces a Content-Length that is greater than the body is long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongerLength {
    /// By how many bytes, 0 to 1,000,000,000.
    pub by: u32,
    /// How long after the last byte the connection closes, in milliseconds, 0 to 600,000.
    #[serde(default = "a_second", skip_serializing_if = "is_a_second")]
    pub ms: u32,
}

fn a_second() -> u32 {
    1000
}

fn is_a_second(ms: &u32) -> bool {
    *ms == a_second()
}

impl FaultKind for LongerLength {
    const SUMMARY: &'static str = "The Content-Length is greater than the body is long.";
    const DOCS: &'static str = "\
The whole body comes, but the head announces `by` bytes more. Nothing follows for `ms` milliseconds; then the connection \
closes in order (FIN). A chunked answer becomes one with a Content-Length. With `by` 0 nothing is changed; an answer without \
a body, or cut by an earlier fault, is left alone.

The client waits for bytes that never come. It must give up by a deadline of its own or at the close, and report the answer \
as incomplete, although what it holds may well be valid JSON.";
    const EXAMPLE: &'static str = "inject = { longer-length = { by = 10 } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter {
            name: "by",
            takes: Takes::Number(0, 1_000_000_000),
            default: None,
            meaning: "how many bytes more are announced than come",
        },
        Parameter {
            name: "ms",
            takes: Takes::Number(0, MOST_MS),
            default: Some("1000"),
            meaning: "how long after the last byte the connection closes, in milliseconds",
        },
    ];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Lost;
    const MEETS_REFUSED: bool = true;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let is_framed_by_itself = matches!(delivery.framing, Framing::AsRecorded | Framing::Chunked(_));
        if self.is_identity() || delivery.bodiless || !is_framed_by_itself || !is_whole(delivery) {
            return None;
        }
        let length = delivery.response.body.len() as u64 + u64::from(self.by);
        delivery.framing = Framing::Length(length);
        delivery.steps.retain(|step| !matches!(step, Step::End(_)));
        if self.ms > 0 {
            delivery.steps.push(Step::Wait(Duration::from_millis(self.ms.into())));
        }
        delivery.steps.push(Step::End(End::Fin));
        Some(format!("announced {} more than it sent, then closed", in_bytes(self.by.into())).into())
    }

    fn is_identity(&self) -> bool {
        self.by == 0
    }

    fn strategy() -> BoxedStrategy<Self> {
        (0..=100u32, 0..=200u32).prop_map(|(by, ms)| Self { by, ms }).boxed()
    }
}
