//! `corrupt-gzip`: a compressed body that does not unpack.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::is_good;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

/// Compresses the body and damages it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorruptGzip {}

impl FaultKind for CorruptGzip {
    const SUMMARY: &'static str = "The body says it is gzip, and does not unpack.";
    const DOCS: &'static str = "\
A successful answer comes with `Content-Encoding: gzip` and a gzip stream that is damaged in its midst and in its \
checksum; the Content-Length is right. It comes to any client, whether it offered to take gzip or not: what does not \
unpack cannot be read either way.

Whether a console compresses is not known; proxies in front of it do. A client must say that it cannot read the \
answer; it must not parse what unpacked so far, and not crash without a word.";
    const EXAMPLE: &'static str = "inject = { corrupt-gzip = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Unreadable;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        if !is_good(delivery) || delivery.response.headers.has("Content-Encoding") {
            return None;
        }
        let packed = damaged(&delivery.response.body)?;
        delivery.response.set_body(packed);
        delivery.response.headers.push("Content-Encoding", "gzip");
        Some("sent a gzip stream that is damaged".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}

/// How long the head of a gzip stream is, where it names no file (RFC 1952).
const HEAD: usize = 10;
/// How long its end is: checksum and length.
const END: usize = 8;

fn damaged(body: &[u8]) -> Option<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(body).ok()?;
    let mut packed = packer.finish().ok()?;
    let end = packed.len().saturating_sub(END);
    let midst = HEAD + end.saturating_sub(HEAD) / 2;
    for (at, byte) in packed.iter_mut().enumerate() {
        if at == midst || at >= end {
            *byte ^= 0xff;
        }
    }
    Some(packed)
}
