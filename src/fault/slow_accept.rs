//! `slow-accept`: nobody turns to a connection for a while.

use std::time::Duration;

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::greets::Greets;
use super::{At, Effect, FaultKind, Parameter, Takes, Work};

/// The longest wait: 10 minutes.
const MOST_MS: u32 = 600_000;

/// A new connection is left waiting before it is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowAccept {
    /// How long nobody turns to it, in milliseconds, 0 to 600,000.
    pub ms: u32,
}

impl FaultKind for SlowAccept {
    const SUMMARY: &'static str = "A new connection is left waiting before it is served.";
    const DOCS: &'static str = "\
The system has accepted the connection, and for `ms` milliseconds nobody turns to it, as with a console that has more \
visitors than threads; never less. Then it is served as usual.

The client is connected at once; its TLS handshake, or the answer to its first request, comes late. It puts deadlines to \
the test that begin with the connection, and clients that open a new one for every request.";
    const EXAMPLE: &'static str = "when = { connection = \"1\" }\ninject = { slow-accept = { ms = 1500 } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "ms",
        takes: Takes::Number(0, MOST_MS),
        default: None,
        meaning: "how long nobody turns to it, in milliseconds",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Whole;
    const AT: At = At::Connection;

    fn greets(&self) -> Option<Greets> {
        Some(Greets::Wait(Duration::from_millis(self.ms.into())))
    }

    fn is_identity(&self) -> bool {
        self.ms == 0
    }

    fn strategy() -> BoxedStrategy<Self> {
        (0..=400u32).prop_map(|ms| Self { ms }).boxed()
    }
}
