//! `half-close`: the answer, and then no other on this connection.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::ending::goes_on;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::{Delivery, End, Step};

/// Shuts the sending side after the whole answer, and keeps the receiving side open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfClose {}

impl FaultKind for HalfClose {
    const SUMMARY: &'static str =
        "The whole answer comes; then the sending side closes and the connection stays open.";
    const DOCS: &'static str = "\
The answer comes whole, and nothing in it speaks of a close. Then the sending side of the connection is shut (FIN) \
while the receiving side stays open: whatever the client still sends is taken and never answered.

It puts to the test whether a client that keeps connections looks at them before it uses one again. The answer must be \
read as always; the next request must go out on a new connection. A client that sends it on the old one sees the end of \
the stream in place of an answer, or waits for ever.";
    const EXAMPLE: &'static str = "inject = { half-close = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Whole;
    const MEETS_REFUSED: bool = true;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        if !goes_on(delivery) {
            return None;
        }
        delivery.steps.pop();
        delivery.steps.push(Step::End(End::HalfClose));
        Some("shut the sending side after the answer".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
