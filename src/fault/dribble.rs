//! `dribble`: the body comes in pieces, over a time.

use std::time::Duration;

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::latency::MOST_MS;
use super::pieces::{PIECES_MAX, body_of};
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, Step};

/// Sends the body in pieces, evenly over a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dribble {
    /// How many pieces the body comes in, 1 to 100,000; of a shorter body, as many as it has bytes.
    pub pieces: u32,
    /// How long after the head the last piece comes, in milliseconds, 0 to 600,000.
    pub over_ms: u32,
}

impl FaultKind for Dribble {
    const SUMMARY: &'static str = "The body comes in pieces, evenly over a time.";
    const DOCS: &'static str = "\
The head comes at once. The body follows in `pieces` pieces of about one size, one after each equal part of `over_ms` \
milliseconds, so that the last one comes when the time is over: never earlier, and what was late is made up for. A body \
that has fewer bytes comes byte by byte. With `over_ms` 0 nothing is changed; an answer without a body is left alone.

The client has a status at once, and a body that never stops coming for long: a read that waits for the next byte only \
never times out. It must wait for the whole body or give up on the whole request, and never parse what it has so far.";
    const EXAMPLE: &'static str = "inject = { dribble = { pieces = 5, over_ms = 1000 } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter {
            name: "pieces",
            takes: Takes::Number(1, PIECES_MAX as u32),
            default: None,
            meaning: "in how many pieces the body comes",
        },
        Parameter {
            name: "over_ms",
            takes: Takes::Number(0, MOST_MS),
            default: None,
            meaning: "how long after the head the last piece comes, in milliseconds",
        },
    ];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Whole;
    const MEETS_REFUSED: bool = true;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let body = body_of(delivery);
        let pieces = body.len().min(self.pieces as usize);
        if self.is_identity() || pieces == 0 {
            return None;
        }
        let over = Duration::from_millis(self.over_ms.into());
        let nanos = over.as_nanos().div_ceil(pieces as u128);
        let beat = Step::Beat(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)));
        // In the widest numbers, for a long body times many pieces is more than fits.
        let start =
            |piece: usize| body.start + (piece as u128 * body.len() as u128 / pieces as u128) as usize;
        let put = delivery.put_before((0..pieces).map(start), &beat);
        (put > 0).then(|| format!("sent the body in {put} pieces over {} ms", self.over_ms).into())
    }

    fn is_identity(&self) -> bool {
        self.over_ms == 0
    }

    fn strategy() -> BoxedStrategy<Self> {
        (1..=20u32, 0..=200u32).prop_map(|(pieces, over_ms)| Self { pieces, over_ms }).boxed()
    }
}
