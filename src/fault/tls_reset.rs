//! `tls-reset`: the handshake is reset half-way.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::greets::Greets;
use super::{At, Effect, FaultKind, Parameter, Work};
use crate::greeting::{Ending, Trouble, Welcome};

/// The connection is reset in the middle of the TLS handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsReset {}

impl FaultKind for TlsReset {
    const SUMMARY: &'static str = "The connection is reset in the middle of the TLS handshake.";
    const DOCS: &'static str = "\
The server answers the client's hello with half of what it has to say, and then it resets the connection. It needs a listener with `--tls`.

The client's read fails with ECONNRESET; curl ends with 35. No request has been sent, so it may be sent on another connection, whatever it asks for.";
    const EXAMPLE: &'static str = "when = { connection = \"2\" }\ninject = { tls-reset = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const AT: At = At::Connection;

    fn greets(&self) -> Option<Greets> {
        Some(Greets::Then(Welcome::Handshake(Trouble::Broken(Ending::Reset))))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
