//! `tls-hang`: the handshake stops half-way.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::greets::Greets;
use super::{At, Effect, FaultKind, Parameter, Work};
use crate::greeting::{Ending, Trouble, Welcome};

/// The TLS handshake never comes to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsHang {}

impl FaultKind for TlsHang {
    const SUMMARY: &'static str = "The TLS handshake never comes to its end.";
    const DOCS: &'static str = "\
The server answers the client's hello with half of what it has to say, and then it falls silent, and the connection stays open. It needs a listener with `--tls`.

Only a deadline of the client's own ends the wait, and many clients have none for a handshake; curl ends with 28 if it \
has a `--max-time` or a `--connect-timeout`. No request has been sent, so it may be sent on another connection, whatever it asks for.";
    const EXAMPLE: &'static str = "when = { connection = \"2\" }\ninject = { tls-hang = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const AT: At = At::Connection;

    fn greets(&self) -> Option<Greets> {
        Some(Greets::Then(Welcome::Handshake(Trouble::Broken(Ending::Hang))))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
