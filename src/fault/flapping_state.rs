//! `flapping-state`: the task goes back and forth.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::task::{earlier, no_task, show};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::profile::{Endpoint, Lifecycle};

/// Shows a task one phase earlier at every second look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlappingState {}

impl FaultKind for FlappingState {
    const SUMMARY: &'static str = "The task goes back and forth between two states.";
    const DOCS: &'static str = "\
Every second answer about a task, counted by its resource, shows it one phase earlier than it is, as \
`regressed-state` does; the others are as they would have been. A task that waits stays so.

Consoles of a deployment that do not agree look like it from outside (inferred). A client must not report what it \
saw last as the end if a later look is worse, and must not wait for two equal looks without end.";
    const EXAMPLE: &'static str = "inject = { flapping-state = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let lifecycle = cx.lifecycle.filter(|_| cx.nth.is_multiple_of(2))?;
        show(delivery, lifecycle, |now| earlier(lifecycle, now?))
    }

    fn never_at(&self, endpoint: &Endpoint, lifecycle: Option<&Lifecycle>) -> Option<String> {
        lifecycle.is_none().then(|| no_task(endpoint))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
