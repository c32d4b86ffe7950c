//! `connection-reset`: it ends before it has begun.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::greets::Greets;
use super::{At, Effect, FaultKind, Parameter, Work};
use crate::greeting::{Ending, Welcome};

/// A connection is reset as soon as it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionReset {}

impl FaultKind for ConnectionReset {
    const SUMMARY: &'static str = "A connection is reset as soon as it is there.";
    const DOCS: &'static str = "\
The connection is accepted and reset before a byte of it is read, as by a proxy that has lost its console.

The client's first read or write fails: ECONNRESET, or EPIPE; curl ends with 56, or with 35 where it speaks TLS. No \
request has been read, so it may be sent again on another connection, whatever it asks for.";
    const EXAMPLE: &'static str = "when = { connection = \"2\" }\ninject = { connection-reset = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const AT: At = At::Connection;

    fn greets(&self) -> Option<Greets> {
        Some(Greets::Then(Welcome::End(Ending::Reset)))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
