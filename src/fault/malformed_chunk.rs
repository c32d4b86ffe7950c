//! `malformed-chunk`: a chunk whose size is no number.

use bytes::Bytes;
use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::is_whole;
use super::ending::goes_on;
use super::{Alias, Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::{Delivery, End, Framing, Step};
use crate::message::HttpVersion;

/// Sends a good head that announces chunks, then a chunk whose size line is no number, then closes in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MalformedChunk {}

impl FaultKind for MalformedChunk {
    const SUMMARY: &'static str =
        "A chunk of the body has a size that is no number, then the connection closes.";
    const DOCS: &'static str = "\
The head is good and announces `Transfer-Encoding: chunked`; then comes a chunk with `no-number` where its size should \
be, with the whole body behind it, and the connection is closed in order. An answer without a body, or of HTTP/1.0, is left alone.

The client has seen a status that may say success, and cannot read the body. It must report the answer as unreadable, and \
must not take what follows the size for the task. What it asked for has been done.";
    const EXAMPLE: &'static str = "inject = { malformed-chunk = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const ALIASES: &'static [Alias] =
        &[Alias { name: "MALFORMED_RESPONSE_CHUNK", of: "WireMock", parameters: &[], sets: &[] }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Lost;
    const MEETS_REFUSED: bool = true;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let response = &delivery.response;
        let has_chunks = response.version == HttpVersion::Http11 && !response.body.is_empty();
        if delivery.bodiless || !has_chunks || !is_whole(delivery) {
            return None;
        }
        let headers = &mut delivery.response.headers;
        headers.remove("Content-Length");
        headers.remove("Transfer-Encoding");
        headers.push("Transfer-Encoding", "chunked");
        let chunk = [b"no-number\r\n", &delivery.response.body[..], b"\r\n0\r\n\r\n"].concat();
        delivery.framing = Framing::Raw(Bytes::from(chunk));
        // What an earlier fault ends otherwise stays so.
        if goes_on(delivery) {
            delivery.steps.pop();
            delivery.steps.push(Step::End(End::Fin));
        }
        Some("sent a chunk whose size is no number, then closed".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
