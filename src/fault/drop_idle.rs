//! `drop-idle`: the connection that was to be kept is gone before the next request.

use std::time::Duration;

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::ending::goes_on;
use super::latency::MOST_MS;
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::{Delivery, End, Step};

/// Ends the connection between two requests although it was to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropIdle {
    /// How it ends.
    #[serde(default)]
    pub how: How,
    /// How long after the answer it ends, in milliseconds, 0 to 600,000.
    #[serde(default)]
    pub ms: u32,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// In order: a read sees the end.
    #[default]
    Close,
    /// With a reset: a read fails.
    Reset,
}

impl FaultKind for DropIdle {
    const SUMMARY: &'static str = "The whole answer comes; then the connection that was to be kept ends.";
    const DOCS: &'static str = "\
The answer comes whole, and nothing in it speaks of a close. `ms` milliseconds later, at once by default, the connection is \
closed in order (`how = \"close\"`, FIN) or reset (`how = \"reset\"`, RST), as a console or a load balancer does with \
connections that idle for too long. What the client sends on it meanwhile is never answered. An answer whose end is the \
end of the connection is left alone.

A client that keeps connections finds out with its next request: the end of the stream, ECONNRESET or EPIPE where an \
answer should be. A poll may be asked again on a new connection. A creation that was sent on the old one may be repeated \
only if it was surely not read, and that is hard to know.";
    const EXAMPLE: &'static str = "inject = { drop-idle = { how = \"reset\" } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter {
            name: "how",
            takes: Takes::Word(&["close", "reset"]),
            default: Some("\"close\""),
            meaning: "how the connection ends",
        },
        Parameter {
            name: "ms",
            takes: Takes::Number(0, MOST_MS),
            default: Some("0"),
            meaning: "how long after the answer it ends, in milliseconds",
        },
    ];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Whole;
    const MEETS_REFUSED: bool = true;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        if !goes_on(delivery) || !delivery.is_delimited() {
            return None;
        }
        delivery.steps.pop();
        if self.ms > 0 {
            delivery.steps.push(Step::Wait(Duration::from_millis(self.ms.into())));
        }
        let (end, did) = match self.how {
            How::Close => (End::Fin, "closed"),
            How::Reset => (End::Rst, "reset"),
        };
        delivery.steps.push(Step::End(end));
        let after = if self.ms > 0 { format!("{} ms after", self.ms) } else { "after".to_owned() };
        Some(format!("{did} the connection {after} the answer, which had not said so").into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        (proptest::sample::select(&[How::Close, How::Reset][..]), 0..=100u32)
            .prop_map(|(how, ms)| Self { how, ms })
            .boxed()
    }
}
