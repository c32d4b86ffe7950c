//! `deprecated-version`: the answer says that its version is going to go.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::is_whole;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::{Delivery, Framing};

/// Adds the header `Deprecated`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeprecatedVersion {}

impl FaultKind for DeprecatedVersion {
    const SUMMARY: &'static str = "The answer says that the version of the API is deprecated.";
    const DOCS: &'static str = "\
The answer comes whole, with a header `Deprecated` beside the others, as consoles send it for a version of the API \
that is going to be removed (documented; the exact text is not known, and ours here).

A client sees nothing else. It should pass the warning on to whoever can pin a newer `Version`; it must not fail \
because of a header that it does not know.";
    const EXAMPLE: &'static str = "inject = { deprecated-version = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Whole;
    const MEETS_REFUSED: bool = true;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let frames = matches!(delivery.framing, Framing::AsRecorded | Framing::Chunked(_));
        if !frames || !is_whole(delivery) {
            return None;
        }
        let version = cx.request.headers.text("Version").unwrap_or_default();
        let text =
            format!("Version ({}) is deprecated and will be removed.", version.trim().escape_default());
        delivery.response.headers.set("Deprecated", text);
        Some("said that the version is deprecated".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
