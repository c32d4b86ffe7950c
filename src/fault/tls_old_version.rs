//! `tls-old-version`: the server knows old versions of TLS alone.

use proptest::prop_oneof;
use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::greets::Greets;
use super::{At, Effect, FaultKind, Parameter, Takes, Work};
use crate::greeting::{OldVersion, Trouble, Welcome};

/// The server speaks no version of TLS above an old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsOldVersion {
    /// The newest version that the server knows.
    #[serde(default)]
    pub version: OldVersion,
}

impl FaultKind for TlsOldVersion {
    const SUMMARY: &'static str = "The server speaks no version of TLS above an old one.";
    const DOCS: &'static str = "\
The client's hello is answered with that of a server from before TLS 1.2: it names TLS 1.0, or 1.1, whatever the client \
asked for, and leaves it to the client to end the handshake. With a client that offers no cipher suite of that time it \
refuses the handshake, as such a server does. It needs a listener with `--tls`.

The client's handshake fails with an unsupported version, or with `handshake_failure`; curl ends with 35. A client of \
today must not fall back. One that still takes the old version sees the connection close: the handshake goes no further.";
    const EXAMPLE: &'static str =
        "when = { connection = \"1-\" }\ninject = { tls-old-version = { version = \"1.0\" } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "version",
        takes: Takes::Word(&["1.0", "1.1"]),
        default: Some("\"1.0\""),
        meaning: "the newest version that the server knows",
    }];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const AT: At = At::Connection;

    fn greets(&self) -> Option<Greets> {
        Some(Greets::Then(Welcome::Handshake(Trouble::OldVersion(self.version))))
    }

    fn strategy() -> BoxedStrategy<Self> {
        prop_oneof![Just(OldVersion::Tls10), Just(OldVersion::Tls11)]
            .prop_map(|version| Self { version })
            .boxed()
    }
}
