//! `changing-total`: a list grows while it is read.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::page::{no_list, range_of};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::profile::{Endpoint, Lifecycle};

/// Counts the total of a list up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangingTotal {}

impl FaultKind for ChangingTotal {
    const SUMMARY: &'static str = "The total of a list changes from page to page.";
    const DOCS: &'static str = "\
A successful answer with a `Content-Range` gives another total each time: the true one and as many more as it was \
asked for, counted by its resource. The elements stay. Answers without a `Content-Range` are left alone.

Lists grow while somebody reads them (documented for offenses: the console's own order is kept). A client that reads \
up to the first total loses what came later, and one that waits for the total to be reached never ends; it must go \
by the pages.";
    const EXAMPLE: &'static str = "inject = { changing-total = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let shown = range_of(delivery)?;
        let (places, total) = shown.rsplit_once('/')?;
        let total = total.trim().parse::<u64>().ok()?.checked_add(u64::from(cx.nth))?;
        delivery.response.headers.set("Content-Range", format!("{places}/{total}"));
        Some(format!("said that there are {total} in all").into())
    }

    fn never_at(&self, endpoint: &Endpoint, _lifecycle: Option<&Lifecycle>) -> Option<String> {
        no_list(endpoint)
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
