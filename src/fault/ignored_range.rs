//! `ignored-range`: the whole list, although a window was asked.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::is_good;
use super::page::no_list;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::message::Request;
use crate::profile::{Endpoint, Lifecycle};

/// Has the console not see the `Range`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IgnoredRange {}

impl FaultKind for IgnoredRange {
    const SUMMARY: &'static str = "The console answers the whole list although a window was asked for.";
    const DOCS: &'static str = "\
The console does not see the `Range` of the request and answers with all there is, without a `Content-Range`. A \
request without a `Range` is left alone.

Endpoints that take no `Range` pass over it in silence (inferred), and proxies take it off. A client that reads page \
by page must see that it has all: it must not add the same list up again and again, and must not end in the middle \
of its own counting.";
    const EXAMPLE: &'static str = "inject = { ignored-range = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn hears(&self, request: &Request, _endpoint: Option<&Endpoint>) -> Option<Request> {
        request.headers.has("Range").then(|| {
            let mut heard = request.clone();
            heard.headers.remove("Range");
            heard
        })
    }

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let ignored = cx.heard && is_good(delivery) && cx.request.headers.has("Range");
        ignored.then(|| "answered as if no `Range` had been asked for".into())
    }

    fn never_at(&self, endpoint: &Endpoint, _lifecycle: Option<&Lifecycle>) -> Option<String> {
        no_list(endpoint)
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
