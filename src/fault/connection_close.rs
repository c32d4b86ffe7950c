//! `connection-close`: it ends before it has begun, in good order.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::greets::Greets;
use super::{At, Effect, FaultKind, Parameter, Work};
use crate::greeting::{Ending, Welcome};

/// A connection is closed as soon as it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionClose {}

impl FaultKind for ConnectionClose {
    const SUMMARY: &'static str = "A connection is closed as soon as it is there.";
    const DOCS: &'static str = "\
The connection is accepted and closed in an orderly way before a byte of it is read, as by a load balancer with \
nobody behind it.

The client reads the end where it expects an answer; curl ends with 52, or with 35 where it speaks TLS. An end before the \
first byte is no empty answer. No request has been read, so it may be sent again on another connection.";
    const EXAMPLE: &'static str = "when = { connection = \"2\" }\ninject = { connection-close = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const AT: At = At::Connection;

    fn greets(&self) -> Option<Greets> {
        Some(Greets::Then(Welcome::End(Ending::Close)))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
