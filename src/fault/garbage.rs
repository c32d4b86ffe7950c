//! `garbage`: bytes that are no HTTP, in place of the answer.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::ending::end_after;
use super::{Alias, Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::{Delivery, End, Step};

/// How many bytes come.
const BYTES: usize = 64;

/// Sends bytes drawn from the seed in place of the answer, then closes in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Garbage {}

impl FaultKind for Garbage {
    const SUMMARY: &'static str =
        "Bytes that are no HTTP come in place of the answer, then the connection closes.";
    const DOCS: &'static str = "\
The console has done its work; in place of the answer come 64 bytes drawn from the seed, without a status line, and \
the connection is closed in order (FIN). The same seed gives the same bytes.

The client sees something that is no HTTP, as from a wrong port or a broken proxy. It must say so, and neither crash nor \
take the bytes for a body. What it asked for may well have been done: a poll may be asked again, a creation must not be.";
    const EXAMPLE: &'static str = "inject = { garbage = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const ALIASES: &'static [Alias] =
        &[Alias { name: "RANDOM_DATA_THEN_CLOSE", of: "WireMock", parameters: &[], sets: &[] }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Lost;
    const MEETS_REFUSED: bool = true;

    fn draws(&self) -> bool {
        true
    }

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        if !end_after(delivery, 0, End::Fin) {
            return None;
        }
        let mut bytes: Vec<u8> = (0..BYTES).map(|_| cx.stream.word().to_le_bytes()[0]).collect();
        // No status line begins with a byte that is no ASCII, whatever was drawn.
        if let Some(first) = bytes.first_mut() {
            *first |= 0x80;
        }
        let end = delivery.steps.pop();
        delivery.steps.push(Step::Raw(bytes.into()));
        delivery.steps.extend(end);
        Some(format!("sent {BYTES} bytes that are no HTTP, then closed").into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
