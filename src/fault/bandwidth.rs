//! `bandwidth`: the answer comes at a limited rate.

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::{Alias, Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::Delivery;

/// The fastest that can be asked for, in kilobytes a second: beyond it the system sets the pace.
const MOST_KB: u32 = 1_000_000;
/// Toxiproxy's kilobyte, as its source counts (`toxics/bandwidth.go`): a byte takes a millisecond divided by the rate.
const KB: u64 = 1000;

/// Sends the answer at a limited rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bandwidth {
    /// Kilobytes (1000 bytes) a second, 0 to 1,000,000; 0 is without a limit.
    pub kb_per_s: u32,
}

impl FaultKind for Bandwidth {
    const SUMMARY: &'static str = "The answer comes at a limited rate.";
    const DOCS: &'static str = "\
The answer comes whole, head included, at `kb_per_s` kilobytes (1000 bytes) a second: every byte when it is due and \
never before. The time is counted from the start of the answer, so what was late is made up for. 0 is without a limit. Of \
several the least holds.

The client sees bytes that keep coming, slowly. It puts to the test what a deadline is about: one that counts from the \
last byte never ends, one that counts from the request ends while the answer is on its way. A client must not take what it \
has by then for the whole.";
    const EXAMPLE: &'static str = "inject = { bandwidth = { kb_per_s = 2 } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "kb_per_s",
        takes: Takes::Number(0, MOST_KB),
        default: None,
        meaning: "how many kilobytes (1000 bytes) come in a second; 0 is without a limit",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Whole;
    const MEETS_REFUSED: bool = true;
    const ALIASES: &'static [Alias] =
        &[Alias { name: "bandwidth", of: "Toxiproxy", parameters: &[("rate", "kb_per_s")], sets: &[] }];

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        if self.is_identity() || delivery.planned_bytes() == 0 {
            return None;
        }
        delivery.pace(u64::from(self.kb_per_s) * KB);
        Some(format!("sent the answer at {} kB a second", self.kb_per_s).into())
    }

    fn is_identity(&self) -> bool {
        self.kb_per_s == 0
    }

    fn strategy() -> BoxedStrategy<Self> {
        // None is the mildest.
        (0..=1000u32).prop_map(|kb_per_s| Self { kb_per_s }).boxed()
    }
}
