//! `missing-state`: the task's answer does not say its state.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::edit_json;
use super::task::no_task;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::json::remove_member;
use crate::profile::{Endpoint, Lifecycle};

/// Takes the state out of a task's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingState {}

impl FaultKind for MissingState {
    const SUMMARY: &'static str = "The answer lacks the task's state.";
    const DOCS: &'static str = "\
A successful answer that shows a task comes without the member that holds its state, in whichever spelling it has; \
every other byte stays. Only answers with a task are met.

The pages contradict each other on what the member is called (documented: `state` in a sample, `status` in its \
list). A client must say that it cannot tell how far the task is; it must not take a missing state for an empty one, \
for done, or for `not yet` without end.";
    const EXAMPLE: &'static str = "inject = { missing-state = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Thinner;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let lifecycle = cx.lifecycle?;
        let mut members = Vec::new();
        edit_json(delivery, |text, json| {
            members = lifecycle.state.iter().filter(|name| json.member(name).is_some()).cloned().collect();
            let without = members.iter().fold(text.to_owned(), |text, name| remove_member(&text, name));
            (!members.is_empty()).then_some(without)
        })
        .then(|| Did { words: "left the task's state out".to_owned(), members })
    }

    fn never_at(&self, endpoint: &Endpoint, lifecycle: Option<&Lifecycle>) -> Option<String> {
        lifecycle.is_none().then(|| no_task(endpoint))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
