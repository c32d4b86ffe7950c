//! `slow-close`: the answer says that the connection closes, and the close comes late.

use std::time::Duration;

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::ending::goes_on;
use super::latency::MOST_MS;
use super::{Alias, Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, End, Step};

/// Closes the connection a while after the whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowClose {
    /// How long after the answer the connection closes, in milliseconds, 0 to 600,000.
    pub ms: u32,
}

impl FaultKind for SlowClose {
    const SUMMARY: &'static str =
        "The whole answer comes and announces a close; the close itself comes late.";
    const DOCS: &'static str = "\
The answer comes whole, with `Connection: close`. The connection is then closed in order (FIN), but only `ms` \
milliseconds later; what the client sends on it until then is never answered. With `ms` 0 nothing is changed.

It puts to the test where a client sees the end of an answer: one that trusts the announced length is done at once, one \
that reads until the connection ends waits for nothing. Neither may use the connection again.";
    const EXAMPLE: &'static str = "inject = { slow-close = { ms = 1000 } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "ms",
        takes: Takes::Number(0, MOST_MS),
        default: None,
        meaning: "how long after the answer the connection closes, in milliseconds",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Whole;
    const MEETS_REFUSED: bool = true;
    const ALIASES: &'static [Alias] =
        &[Alias { name: "slow_close", of: "Toxiproxy", parameters: &[("delay", "ms")], sets: &[] }];

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        if self.is_identity() || !goes_on(delivery) {
            return None;
        }
        delivery.response.headers.remove("Connection");
        delivery.response.headers.push("Connection", "close");
        delivery.steps.pop();
        let wait = Step::Wait(Duration::from_millis(self.ms.into()));
        delivery.steps.extend([wait, Step::End(End::Fin)]);
        Some(format!("closed the connection {} ms after the answer", self.ms).into())
    }

    fn is_identity(&self) -> bool {
        self.ms == 0
    }

    fn strategy() -> BoxedStrategy<Self> {
        (0..=400u32).prop_map(|ms| Self { ms }).boxed()
    }
}
