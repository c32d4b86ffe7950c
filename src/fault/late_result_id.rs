//! `late-result-id`: the task does not name yet what it made.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::body::edit_member;
use super::task::no_task;
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::profile::{Endpoint, Lifecycle};

/// Puts null for the id of what a task makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateResultId {}

impl FaultKind for LateResultId {
    const SUMMARY: &'static str = "The id of what the task makes is null.";
    const DOCS: &'static str = "\
A successful answer that shows a task has null for the member that names the thing it makes (`case_id` of a case \
creation), even where its state says done. Planned for the first polls, it comes later. A task that names no such \
thing cannot be late with it, and a scenario that asks for it is refused.

When the id comes is not documented (inferred: it may be null before the case is there). A client must wait for it, \
look the case up by its name, or say that it lacks it; it must not report 0, and not take the task's own id for it.";
    const EXAMPLE: &'static str = "inject = { late-result-id = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let name = cx.lifecycle?.case.as_deref()?;
        let put = edit_member(delivery, name, |value| (!value.is_null()).then(|| "null".to_owned()));
        put.then(|| Did { words: format!("put null for `{name}`"), members: vec![name.to_owned()] })
    }

    fn never_at(&self, endpoint: &Endpoint, lifecycle: Option<&Lifecycle>) -> Option<String> {
        let Some(lifecycle) = lifecycle else { return Some(no_task(endpoint)) };
        let names_none = lifecycle.case.is_none();
        names_none.then(|| format!("the task of `{}` has no member that names what it makes", lifecycle.task))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
