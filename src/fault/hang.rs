//! `hang`: no answer, and no end.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::ending::end_after;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::{Delivery, End};

/// Never answers, and keeps the connection open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hang {}

impl FaultKind for Hang {
    const SUMMARY: &'static str = "No answer ever comes, and the connection stays open.";
    const DOCS: &'static str = "\
The request is read, then nothing happens: no byte, no close. The work is not done.

Only a deadline of the client's own ends the wait. A client without one hangs for ever, and so does whatever waits for \
it. A client with one must say that it gave up, and must not leave the impression that the task failed.";
    const EXAMPLE: &'static str = "inject = { hang = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const MEETS_REFUSED: bool = true;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        end_after(delivery, 0, End::Hang).then(|| "never answered".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
