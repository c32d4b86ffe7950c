//! `failed-task`: the task ends in its state of failure.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::task::{no_task, show, without};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::profile::{Endpoint, Lifecycle};
use crate::timeline::Phase;

/// Shows a task as failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedTask {}

impl FaultKind for FailedTask {
    const SUMMARY: &'static str = "The task has failed.";
    const DOCS: &'static str = "\
A successful answer that shows a task shows it as failed, spelt as its endpoint spells it (EXCEPTION, ERROR, FAILED, \
...: as documented). The progress stays where it is. A task whose endpoint has no such state, as the case creation, \
cannot fail, and a scenario that asks for it is refused.

A client must stop, and report a task that failed: not an error of the console, not `done`, and not `not yet`.";
    const EXAMPLE: &'static str = "inject = { failed-task = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let lifecycle = cx.lifecycle?;
        show(delivery, lifecycle, |now| {
            let state = lifecycle.spelling(Phase::Failed).filter(|_| now != Some(Phase::Failed))?;
            Some((Some(Phase::Failed), state.to_owned()))
        })
    }

    fn never_at(&self, endpoint: &Endpoint, lifecycle: Option<&Lifecycle>) -> Option<String> {
        let Some(lifecycle) = lifecycle else { return Some(no_task(endpoint)) };
        without(lifecycle, Phase::Failed)
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
