//! `chunk`: the body comes in chunks of a size of your choice.

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::body::is_whole;
use super::pieces::PIECES_MAX;
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, Framing};
use crate::message::HttpVersion;

/// Sends the body in chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunk {
    /// How many bytes of the body each chunk has, 1 to 1,000,000.
    pub bytes: u32,
}

impl FaultKind for Chunk {
    const SUMMARY: &'static str = "The body comes in chunks of a given size.";
    const DOCS: &'static str = "\
The body is the same, framed as `Transfer-Encoding: chunked` in chunks of `bytes` bytes each; the last one has what is \
left, and after 100,000 chunks the rest is one. A chunk ends where it ends: also within a number, an escape or a \
character of several bytes. An answer without a body, of HTTP/1.0, or cut by an earlier fault is left alone, and a client \
of HTTP/1.0 gets it without chunks.

It puts to the test whether a client puts the chunks together before it decodes or parses them, and whether it needs a \
Content-Length that no server has to send.";
    const EXAMPLE: &'static str = "inject = { chunk = { bytes = 7 } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "bytes",
        takes: Takes::Number(1, 1_000_000),
        default: None,
        meaning: "how many bytes of the body each chunk has",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Whole;
    const MEETS_REFUSED: bool = true;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let response = &delivery.response;
        let has_chunks = response.version == HttpVersion::Http11 && !response.body.is_empty();
        let is_framed_by_itself = matches!(delivery.framing, Framing::AsRecorded | Framing::Chunked(_));
        if delivery.bodiless || !has_chunks || !is_framed_by_itself || !is_whole(delivery) {
            return None;
        }
        let bytes = (self.bytes as usize).max(1);
        // What is left over is one more chunk.
        let sizes = Framing::Chunked(vec![bytes; (response.body.len() / bytes).min(PIECES_MAX - 1)]);
        if delivery.framing == sizes {
            return None;
        }
        delivery.framing = sizes;
        Some(format!("sent the body in chunks of {bytes}").into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        (1..=40u32).prop_map(|bytes| Self { bytes }).boxed()
    }
}
