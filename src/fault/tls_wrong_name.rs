//! `tls-wrong-name`: the certificate is for another host.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::greets::Greets;
use super::{At, Effect, FaultKind, Parameter, Work};
use crate::greeting::{Flaw, Trouble, Welcome};

/// The server shows a certificate for another host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsWrongName {}

impl FaultKind for TlsWrongName {
    const SUMMARY: &'static str = "The server shows a certificate for another host.";
    const DOCS: &'static str = "\
The certificate is signed by the right CA, is valid today, and is for `wrong.localhost`: neither for the name nor for the \
address that the client asked for. It needs a listener with `--tls`. `--tls-cert` leaves nobody to sign it.

The client must end the handshake and send nothing; curl ends with 60. It is no error that passes: to try again without \
end is wrong, and so is to go on with verification off.";
    const EXAMPLE: &'static str = "when = { connection = \"1-\" }\ninject = { tls-wrong-name = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const AT: At = At::Connection;

    fn greets(&self) -> Option<Greets> {
        Some(Greets::Then(Welcome::Handshake(Trouble::Certificate(Flaw::WrongName))))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
