//! `empty-last-page`: the last page of a list is empty.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::page::{edit_list, no_list, window_of};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::profile::{Endpoint, Lifecycle};

/// Answers the last window of a list with nothing in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmptyLastPage {}

impl FaultKind for EmptyLastPage {
    const SUMMARY: &'static str = "The last page of a list is empty.";
    const DOCS: &'static str = "\
A successful JSON answer that is a window of a list up to its end, as its `Content-Range` says, comes as an empty \
list with `Content-Range: items */TOTAL`. Other windows, and answers without a `Content-Range`, are left alone.

What stood at the end was deleted while the client read (seen for other lists: the total is that of the moment). A \
client must end with what it has, or say that something is missing; it must not ask for ever, and not take the empty \
page for an empty list.";
    const EXAMPLE: &'static str = "inject = { empty-last-page = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        let (window, total) = window_of(delivery)?;
        let is_last = window.last.checked_add(1) == Some(total);
        let emptied = is_last && edit_list(delivery, |_| Some(Vec::new()));
        if emptied {
            delivery.response.headers.set("Content-Range", format!("items */{total}"));
        }
        emptied.then(|| "answered the last page with an empty list".into())
    }

    fn never_at(&self, endpoint: &Endpoint, _lifecycle: Option<&Lifecycle>) -> Option<String> {
        no_list(endpoint)
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
