//! `stall`: the answer stops within its body, and goes on.

use std::time::Duration;

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::ending::in_bytes;
use super::latency::MOST_MS;
use super::pieces::body_of;
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, Step};

/// Stops within the body for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// How many bytes of the body come first, as it stands on the wire, 0 to 1,000,000,000. A body that is no longer than
    /// this is left alone.
    #[serde(default)]
    pub body_bytes: u32,
    /// How long nothing comes then, in milliseconds, 0 to 600,000.
    pub ms: u32,
}

impl FaultKind for Stall {
    const SUMMARY: &'static str = "The answer stops within its body for a while, then goes on.";
    const DOCS: &'static str = "\
The head and the first `body_bytes` bytes of the body come at once, sizes of chunks included; then nothing for `ms` \
milliseconds, and never less; then the rest. With `body_bytes` 0 the first byte of the body is slow. With `ms` 0 nothing is \
changed; a body that is no longer than `body_bytes` is left alone.

The client has a good status and a part of the body. A deadline that ended with the head no longer holds: without one for \
the body it waits as long as the console likes. If it gives up, it must say so, and not take the part for the whole.";
    const EXAMPLE: &'static str = "inject = { stall = { body_bytes = 10, ms = 1000 } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter {
            name: "body_bytes",
            takes: Takes::Number(0, 1_000_000_000),
            default: Some("0"),
            meaning: "how many bytes of the body come first",
        },
        Parameter {
            name: "ms",
            takes: Takes::Number(0, MOST_MS),
            default: None,
            meaning: "how long nothing comes then, in milliseconds",
        },
    ];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Whole;
    const MEETS_REFUSED: bool = true;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let body = body_of(delivery);
        let at = body.start + self.body_bytes as usize;
        if self.is_identity() || at >= body.end {
            return None;
        }
        let put = delivery.put_before([at], &Step::Wait(Duration::from_millis(self.ms.into())));
        let after = in_bytes(self.body_bytes.into());
        (put > 0).then(|| format!("stopped for {} ms after {after} of the body", self.ms).into())
    }

    fn is_identity(&self) -> bool {
        self.ms == 0
    }

    fn strategy() -> BoxedStrategy<Self> {
        (0..=100u32, 0..=400u32).prop_map(|(body_bytes, ms)| Self { body_bytes, ms }).boxed()
    }
}
