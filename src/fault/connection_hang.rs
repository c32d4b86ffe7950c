//! `connection-hang`: nothing comes of it.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::greets::Greets;
use super::{At, Effect, FaultKind, Parameter, Work};
use crate::greeting::{Ending, Welcome};

/// A connection is accepted, and nothing ever comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionHang {}

impl FaultKind for ConnectionHang {
    const SUMMARY: &'static str = "A connection is accepted, and nothing ever comes of it.";
    const DOCS: &'static str = "\
The connection is there and stays there; what the client sends on it is never answered, not even a TLS handshake.

Only a deadline of the client's own ends the wait: one for the handshake or for the answer, for the connection itself \
comes at once. curl ends with 28 if it has a `--max-time`.";
    const EXAMPLE: &'static str = "when = { connection = \"2\" }\ninject = { connection-hang = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const AT: At = At::Connection;

    fn greets(&self) -> Option<Greets> {
        Some(Greets::Then(Welcome::End(Ending::Hang)))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
