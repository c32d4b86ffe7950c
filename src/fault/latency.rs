//! `latency`: the answer comes late.

use std::time::Duration;

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::Delivery;

/// The most one fault may hold a response back: 10 minutes.
const MOST_MS: u32 = 600_000;

/// Holds the head back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// The least wait, in milliseconds, 0 to 600,000.
    pub ms: u32,
    /// Up to this many milliseconds more, drawn per occurrence, 0 to 600,000.
    #[serde(default)]
    pub jitter_ms: u32,
}

impl FaultKind for Latency {
    const SUMMARY: &'static str = "The whole answer comes late.";
    const DOCS: &'static str = "\
The console has done its work, but nothing is sent for `ms` milliseconds, plus a drawn part of `jitter_ms`; never \
less. Then the answer comes as it would have.

The client sees an answer that takes its time. It puts request deadlines to the test: a client with a shorter one \
must give up on the request, say so, and ask again with care; a client without one waits. A late answer to a creation \
means the case exists even if the client stopped listening.";
    const EXAMPLE: &'static str = "inject = { latency = { ms = 1500, jitter_ms = 200 } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter {
            name: "ms",
            takes: Takes::Number(0, MOST_MS),
            default: None,
            meaning: "the least wait before the first byte, in milliseconds",
        },
        Parameter {
            name: "jitter_ms",
            takes: Takes::Number(0, MOST_MS),
            default: Some("0"),
            meaning: "up to this many milliseconds more, drawn anew each time it fires",
        },
    ];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Whole;
    const MEETS_REFUSED: bool = true;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let drawn_ms = cx.stream.below(u64::from(self.jitter_ms) + 1);
        let wait_ms = u64::from(self.ms) + drawn_ms;
        delivery.delay(Duration::from_millis(wait_ms));
        (wait_ms > 0).then(|| format!("held the answer back for {wait_ms} ms").into())
    }

    fn is_identity(&self) -> bool {
        self.ms == 0 && self.jitter_ms == 0
    }

    fn strategy() -> BoxedStrategy<Self> {
        (0..=400u32, 0..=100u32).prop_map(|(ms, jitter_ms)| Self { ms, jitter_ms }).boxed()
    }
}
