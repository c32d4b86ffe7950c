//! `close`: the connection closes before the answer is whole.

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::ending::{end_after, in_bytes};
use super::{Alias, Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, End};

/// Closes the connection in order in the midst of the response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// How many bytes are sent first, counted from the first byte of the status line, 0 to 1,000,000,000. More than
    /// the response has is the whole response.
    #[serde(default)]
    pub after_bytes: u32,
}

impl FaultKind for Close {
    const SUMMARY: &'static str = "The connection closes before the answer is whole.";
    const DOCS: &'static str = "\
The console has done its work and starts to answer; after `after_bytes` bytes, counted from the first byte of the \
status line, the connection is closed in order (FIN). With 0, nothing of the answer is seen.

The client sees the end of the stream where a head or the rest of a body should be: an empty reply, or an incomplete message. \
What it asked for may well have been done. A poll may simply be asked again. A creation must not be: the case may \
exist, and a second POST makes a second one.";
    const EXAMPLE: &'static str = "inject = { close = { after_bytes = 20 } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "after_bytes",
        takes: Takes::Number(0, 1_000_000_000),
        default: Some("0"),
        meaning: "how many bytes of the response are sent first, head included",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Lost;
    const MEETS_REFUSED: bool = true;
    const ALIASES: &'static [Alias] = &[
        Alias { name: "limit_data", of: "Toxiproxy", parameters: &[("bytes", "after_bytes")], sets: &[] },
        Alias { name: "EMPTY_RESPONSE", of: "WireMock", parameters: &[], sets: &[] },
    ];

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let ended = end_after(delivery, self.after_bytes as usize, End::Fin);
        ended.then(|| format!("closed the connection after {}", in_bytes(delivery.planned_bytes())).into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        (0..=300u32).prop_map(|after_bytes| Self { after_bytes }).boxed()
    }
}
