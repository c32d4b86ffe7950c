//! `truncate`: the body breaks off before its announced length.

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::ending::{end_after, in_bytes};
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, End, Framing};

/// Sends only the first bytes of a body whose full length was announced, then closes in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truncate {
    /// How many bytes of the body are sent, 0 to 1,000,000,000. A body that is no longer than this is left alone.
    pub body_bytes: u32,
}

impl FaultKind for Truncate {
    const SUMMARY: &'static str = "The body stops before its announced length.";
    const DOCS: &'static str = "\
The head announces the full Content-Length, the first `body_bytes` bytes of the body come, then the connection closes \
in order. A chunked answer becomes one with a Content-Length. A body that is no longer than `body_bytes` is left alone.

It puts to the test whether a client trusts the announced length: the answer is incomplete and must be reported as \
such, never parsed as far as it goes and taken for the task.";
    const EXAMPLE: &'static str = "inject = { truncate = { body_bytes = 10 } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "body_bytes",
        takes: Takes::Number(0, 1_000_000_000),
        default: None,
        meaning: "how many bytes of the body are sent",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Lost;
    const MEETS_REFUSED: bool = true;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let full = full_length(delivery);
        let sent = self.body_bytes as usize;
        if delivery.bodiless || sent >= full {
            return None;
        }
        let mut cut = delivery.clone();
        if !announces(delivery, full) {
            cut.framing = Framing::Length(full as u64);
        }
        let bytes = cut.image().head.len() + sent;
        if !end_after(&mut cut, bytes, End::Fin) {
            return None;
        }
        *delivery = cut;
        Some(format!("sent {} of a body of {full}, then closed", in_bytes(sent as u64)).into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        (0..=120u32).prop_map(|body_bytes| Self { body_bytes }).boxed()
    }
}

/// The length of the body without any transfer coding.
fn full_length(delivery: &Delivery) -> usize {
    match &delivery.framing {
        Framing::Raw(bytes) => bytes.len(),
        Framing::AsRecorded | Framing::Length(_) | Framing::Chunked(_) => delivery.response.body.len(),
    }
}

/// Whether the head already announces at least `full` bytes, and nothing else about the framing.
fn announces(delivery: &Delivery, full: usize) -> bool {
    match &delivery.framing {
        Framing::Raw(_) => true,
        Framing::Length(length) => *length >= full as u64,
        Framing::Chunked(_) => false,
        Framing::AsRecorded => {
            let headers = &delivery.response.headers;
            let length = headers.text("Content-Length").and_then(|text| text.trim().parse::<usize>().ok());
            !headers.has("Transfer-Encoding") && length.is_some_and(|length| length >= full)
        }
    }
}
