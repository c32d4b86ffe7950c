//! `short-page`: a list has an element less than it says.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::page::{edit_list, no_list};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::profile::{Endpoint, Lifecycle};

/// Leaves out the last element of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShortPage {}

impl FaultKind for ShortPage {
    const SUMMARY: &'static str = "A page of a list has fewer elements than it says.";
    const DOCS: &'static str = "\
A successful JSON answer that is a list comes without its last element; a `Content-Range` stays as if all had come. \
An empty list is left alone. Answers that hold one list in an object are met where they have a `Content-Range`.

A console that clips a page, or leaves out what the user may not see, answers so (inferred). A client that adds the \
length of the page to find the next one asks for an element twice or loses one; it must go by what came, and end \
without one request for ever.";
    const EXAMPLE: &'static str = "inject = { short-page = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, _cx: &mut Context<'_>) -> Option<Did> {
        edit_list(delivery, |elements| elements.split_last().map(|(_, rest)| rest.to_vec()))
            .then(|| "left the last element of the list out".into())
    }

    fn never_at(&self, endpoint: &Endpoint, _lifecycle: Option<&Lifecycle>) -> Option<String> {
        no_list(endpoint)
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
