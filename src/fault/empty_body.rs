//! `empty-body`: a good status, and nothing else.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::is_good;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::{Delivery, Framing};

/// Takes the whole body away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmptyBody {}

impl FaultKind for EmptyBody {
    const SUMMARY: &'static str = "The body is empty although the status is good.";
    const DOCS: &'static str = "\
A successful answer keeps its status and head, and has `Content-Length: 0` and no body. HTTP has nothing to complain \
about. Answers that have no body anyway are left alone.

Programs that fail while they write an answer do it (reported often). A client must say that no task came; it must \
neither crash in its parser nor report an empty task. What it asked for has been done.";
    const EXAMPLE: &'static str = "inject = { empty-body = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Unreadable;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        if !is_good(delivery) {
            return None;
        }
        let response = &mut delivery.response;
        response.headers.remove("Transfer-Encoding");
        response.headers.set("Content-Length", "0");
        response.chunks = None;
        response.set_body("");
        delivery.framing = Framing::AsRecorded;
        Some("sent an empty body".into())
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
