//! `tls-unknown-ca`: nobody knows who signed the certificate.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::greets::Greets;
use super::{At, Effect, FaultKind, Parameter, Work};
use crate::greeting::{Flaw, Trouble, Welcome};

/// The server shows a certificate that nobody known has signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsUnknownCa {}

impl FaultKind for TlsUnknownCa {
    const SUMMARY: &'static str = "The server shows a certificate that nobody known has signed.";
    const DOCS: &'static str = "\
The certificate is for the right names and valid today; the CA that has signed it is in no list. It needs a listener with `--tls`.

The client must end the handshake and send nothing; curl ends with 60. It is no error that passes: to try again without \
end is wrong, and so is to go on with verification off.";
    const EXAMPLE: &'static str = "when = { connection = \"1-\" }\ninject = { tls-unknown-ca = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const AT: At = At::Connection;

    fn greets(&self) -> Option<Greets> {
        Some(Greets::Then(Welcome::Handshake(Trouble::Certificate(Flaw::UnknownCa))))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
