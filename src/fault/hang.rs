//! `hang`: no answer, and no end.

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::ending::{end_after, wait_before_the_end};
use super::latency::MOST_MS;
use super::{Alias, Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, End};

/// Never answers, and keeps the connection open, for ever or for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hang {
    /// After how long the connection closes all the same, in milliseconds, 0 to 600,000; 0 is never.
    #[serde(default, skip_serializing_if = "is_never")]
    pub ms: u32,
}

fn is_never(ms: &u32) -> bool {
    *ms == 0
}

impl FaultKind for Hang {
    const SUMMARY: &'static str = "No answer ever comes, and the connection stays open.";
    const DOCS: &'static str = "\
The request is read, then nothing happens: no byte, no close. The work is not done. With `ms`, the connection closes in \
order (FIN) after so many milliseconds, still without a byte.

Only a deadline of the client's own ends the wait. A client without one hangs for ever, and so does whatever waits for \
it. A client with one must say that it gave up, and must not leave the impression that the task failed.";
    const EXAMPLE: &'static str = "inject = { hang = {} }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "ms",
        takes: Takes::Number(0, MOST_MS),
        default: Some("0"),
        meaning: "after how long the connection closes all the same, in milliseconds; 0 is never",
    }];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const MEETS_REFUSED: bool = true;
    const ALIASES: &'static [Alias] =
        &[Alias { name: "timeout", of: "Toxiproxy", parameters: &[("timeout", "ms")], sets: &[] }];

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let end = if self.ms > 0 { End::Fin } else { End::Hang };
        if !end_after(delivery, 0, end) {
            return None;
        }
        wait_before_the_end(delivery, self.ms);
        Some(match self.ms {
            0 => "never answered".into(),
            ms => format!("never answered, and closed the connection after {ms} ms").into(),
        })
    }

    fn strategy() -> BoxedStrategy<Self> {
        (0..=200u32).prop_map(|ms| Self { ms }).boxed()
    }
}
