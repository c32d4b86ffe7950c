//! `overlapping-page`: a page begins an element early.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::page::{no_list, window_of};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::lists::Window;
use crate::message::Request;
use crate::profile::{Endpoint, Lifecycle};

/// Has the console see a window that begins one earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverlappingPage {}

impl FaultKind for OverlappingPage {
    const SUMMARY: &'static str = "A page of a list begins with the last element of the page before.";
    const DOCS: &'static str = "\
The console answers the window that begins and ends one element before the one that was asked for, and says in its \
`Content-Range` that it is the one asked for. A request without a `Range`, or for the beginning of a list, is left \
alone.

Something was added at the front while the client read (inferred: places are counted at the moment of the request). \
A client that adds pages up has one element twice; it must go by ids, or say what it read, and must not report a \
number that is no count.";
    const EXAMPLE: &'static str = "inject = { overlapping-page = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn hears(&self, request: &Request, _endpoint: Option<&Endpoint>) -> Option<Request> {
        let asked = later_window(request)?;
        let mut heard = request.clone();
        heard.headers.set("Range", format!("items={}-{}", asked.first - 1, asked.last - 1));
        Some(heard)
    }

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        later_window(cx.request).filter(|_| cx.heard)?;
        let (window, total) = window_of(delivery)?;
        let (first, last) = (window.first.checked_add(1)?, window.last.checked_add(1)?);
        delivery.response.headers.set("Content-Range", format!("items {first}-{last}/{total}"));
        Some("answered a window that begins one element early".into())
    }

    fn never_at(&self, endpoint: &Endpoint, _lifecycle: Option<&Lifecycle>) -> Option<String> {
        no_list(endpoint)
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}

/// The window that was asked for, if it does not begin at the beginning.
fn later_window(request: &Request) -> Option<Window> {
    let range = request.headers.text("Range")?;
    Window::parse(&range).ok().filter(|window| window.first > 0)
}
