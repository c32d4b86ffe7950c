//! `removed-version`: the version of the API is gone.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::{Before, Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::{Delivery, Framing};
use crate::profile::{error_response, removed_version};

/// Refuses the version that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemovedVersion {}

impl FaultKind for RemovedVersion {
    const SUMMARY: &'static str = "The console does not know the version any more.";
    const DOCS: &'static str = "\
A request that names a `Version` is answered with 422 and a message that this version has been removed, in the words \
that consoles use (seen; the code beside it is not known, and 0 here). The work is not done. A request without a \
`Version` asks for the newest, which is never removed: it is left alone.

A console that was upgraded does it to every client that pins an old version. A client must say that it is its own \
version that is refused; it is no error of the console, trying again does not help, and the task is not gone.";
    const EXAMPLE: &'static str = "inject = { removed-version = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Replaced;

    fn meets(&self, before: &Before<'_>) -> bool {
        before.request.headers.has("Version")
    }

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let version = cx.request.headers.text("Version").unwrap_or_default();
        delivery.response = error_response(422, 0, "", &removed_version(version.trim()));
        delivery.framing = Framing::AsRecorded;
        Some("answered that the version was removed".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
