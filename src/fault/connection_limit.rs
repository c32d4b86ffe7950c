//! `connection-limit`: there is room for so many connections alone.

use proptest::prop_oneof;
use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::greets::Greets;
use super::{At, Effect, FaultKind, Parameter, Takes, Work};
use crate::greeting::Ending;

/// Connections beyond so many at one time are turned away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionLimit {
    /// How many may be open at one time, 0 to 100,000.
    pub open: u32,
    /// How one more is ended.
    #[serde(default)]
    pub by: By,
}

/// How a connection is turned away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// With an orderly close.
    #[default]
    Close,
    /// With a reset.
    Reset,
}

impl FaultKind for ConnectionLimit {
    const SUMMARY: &'static str = "Connections beyond so many at one time are turned away.";
    const DOCS: &'static str = "\
While `open` connections are open, one more is ended at once: with an orderly close, or with a reset. Each that leaves \
makes room. Those that wait in a client's pool count as well.

The client reads the end, or a reset, where it expects an answer; curl ends with 52 or 56. A client that keeps its \
connections, and opens few, never meets it; one that opens one for each request at once has to wait and try again.";
    const EXAMPLE: &'static str = "inject = { connection-limit = { open = 4, by = \"reset\" } }";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter {
            name: "open",
            takes: Takes::Number(0, 100_000),
            default: None,
            meaning: "how many may be open at one time",
        },
        Parameter {
            name: "by",
            takes: Takes::Word(&["close", "reset"]),
            default: Some("\"close\""),
            meaning: "how one more is ended",
        },
    ];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const AT: At = At::Connection;

    fn greets(&self) -> Option<Greets> {
        let ending = match self.by {
            By::Close => Ending::Close,
            By::Reset => Ending::Reset,
        };
        Some(Greets::Beyond(self.open, ending))
    }

    fn strategy() -> BoxedStrategy<Self> {
        (0..=4u32, prop_oneof![Just(By::Close), Just(By::Reset)])
            .prop_map(|(open, by)| Self { open, by })
            .boxed()
    }
}
