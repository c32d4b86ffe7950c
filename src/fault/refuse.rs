//! `refuse`: nobody is listened to for a while.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::greets::Greets;
use super::{At, Effect, FaultKind, Parameter, Work};

/// For a while every connection is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refuse {}

impl FaultKind for Refuse {
    const SUMMARY: &'static str = "For a while every connection is refused.";
    const DOCS: &'static str = "\
The port stays ours, and nobody listens: the system refuses connections by itself, as it does while a console is \
being restarted. `since_start_ms` says when, and is needed. Connections that are open go on.

The client's attempt to connect fails at once: ECONNREFUSED; curl ends with 7. It has sent nothing, so it may try again \
at no risk, after a pause. The system tells nobody whom it refused, or \
whether it refused anyone: ledgers and reports list the fault as having been in force, neither as fired nor as never \
fired. Before its time has begun it has never fired.";
    const EXAMPLE: &'static str = "when = { since_start_ms = \"2000-5000\" }\ninject = { refuse = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Lost;
    const AT: At = At::Connection;

    fn greets(&self) -> Option<Greets> {
        Some(Greets::Absence)
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
