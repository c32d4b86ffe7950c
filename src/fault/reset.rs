//! `reset`: the connection is reset before the answer is whole.

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::ending::{end_after, in_bytes, wait_before_the_end};
use super::latency::MOST_MS;
use super::{Alias, Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, End};

/// Resets the connection in the midst of the response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// How many bytes are sent first, counted from the first byte of the status line, 0 to 1,000,000,000. More than
    /// the response has is the whole response.
    #[serde(default)]
    pub after_bytes: u32,
    /// How long after those bytes it is reset, in milliseconds, 0 to 600,000.
    #[serde(default, skip_serializing_if = "is_at_once")]
    pub ms: u32,
}

fn is_at_once(ms: &u32) -> bool {
    *ms == 0
}

impl FaultKind for Reset {
    const SUMMARY: &'static str = "The connection is reset before the answer is whole.";
    const DOCS: &'static str = "\
The console has done its work and starts to answer; after `after_bytes` bytes, counted from the first byte of the \
status line, and `ms` milliseconds, the connection is reset (RST). With 0 bytes, nothing of the answer is seen.

The client sees ECONNRESET, `connection reset by peer`. \
What it asked for may well have been done. A poll may simply be asked again. A creation must not be: the case may \
exist, and a second POST makes a second one.";
    const EXAMPLE: &'static str = "inject = { reset = { after_bytes = 40 } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter {
            name: "after_bytes",
            takes: Takes::Number(0, 1_000_000_000),
            default: Some("0"),
            meaning: "how many bytes of the response are sent first, head included",
        },
        Parameter {
            name: "ms",
            takes: Takes::Number(0, MOST_MS),
            default: Some("0"),
            meaning: "how long after those bytes it is reset, in milliseconds",
        },
    ];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Lost;
    const MEETS_REFUSED: bool = true;
    const ALIASES: &'static [Alias] = &[
        Alias { name: "reset_peer", of: "Toxiproxy", parameters: &[("timeout", "ms")], sets: &[] },
        Alias { name: "CONNECTION_RESET_BY_PEER", of: "WireMock", parameters: &[], sets: &[] },
    ];

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        if !end_after(delivery, self.after_bytes as usize, End::Rst) {
            return None;
        }
        wait_before_the_end(delivery, self.ms);
        let sent = in_bytes(delivery.planned_bytes());
        Some(match self.ms {
            0 => format!("reset the connection after {sent}").into(),
            ms => format!("reset the connection after {sent} and {ms} ms").into(),
        })
    }

    fn strategy() -> BoxedStrategy<Self> {
        (0..=300u32, 0..=100u32).prop_map(|(after_bytes, ms)| Self { after_bytes, ms }).boxed()
    }
}
