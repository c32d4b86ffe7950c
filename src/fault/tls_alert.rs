//! `tls-alert`: the handshake is refused.

use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::greets::Greets;
use super::{At, Effect, FaultKind, Parameter, Takes, Work};
use crate::greeting::{Alert, Trouble, Welcome};

/// The TLS handshake is refused with an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsAlert {
    /// The alert, as RFC 8446 calls it.
    #[serde(default)]
    pub alert: Alert,
}

impl FaultKind for TlsAlert {
    const SUMMARY: &'static str = "The TLS handshake is refused with an alert.";
    const DOCS: &'static str = "\
The client's hello is read, and a fatal alert is all that comes back; then the connection is closed. It needs a listener with `--tls`.

The client's handshake fails with the alert's name; curl ends with 35. Another try meets the same server: a client that \
tries again without end, or goes on without TLS, is wrong.";
    const EXAMPLE: &'static str =
        "when = { connection = \"1\" }\ninject = { tls-alert = { alert = \"handshake_failure\" } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "alert",
        takes: Takes::Word(Alert::NAMES),
        default: Some("\"handshake_failure\""),
        meaning: "the alert, as RFC 8446 calls it",
    }];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const AT: At = At::Connection;

    fn greets(&self) -> Option<Greets> {
        Some(Greets::Then(Welcome::Handshake(Trouble::Alert(self.alert))))
    }

    fn strategy() -> BoxedStrategy<Self> {
        proptest::sample::select(Alert::ALL.to_vec()).prop_map(|alert| Self { alert }).boxed()
    }
}
