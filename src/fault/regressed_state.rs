//! `regressed-state`: the task goes a step back.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::task::{earlier, no_task, show};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::profile::{Endpoint, Lifecycle};

/// Shows a task one phase earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegressedState {}

impl FaultKind for RegressedState {
    const SUMMARY: &'static str = "The task is a step further back than it would be.";
    const DOCS: &'static str = "\
A successful answer that shows a task shows it one phase earlier than it is, spelt as its endpoint spells it, with \
the progress and the hosts that go with it: done becomes partial or working, partial becomes working, working \
becomes waiting; a failed or cancelled task works again. A task that waits stays so. Planned for a poll after the \
first, it goes backwards.

A life cycle has an order, and no page says that it is kept (inferred). A client may go on, or say that this cannot \
be; it must not report an older state as the last one that it saw, and not wait without end.";
    const EXAMPLE: &'static str = "inject = { regressed-state = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let lifecycle = cx.lifecycle?;
        show(delivery, lifecycle, |now| earlier(lifecycle, now?))
    }

    fn never_at(&self, endpoint: &Endpoint, lifecycle: Option<&Lifecycle>) -> Option<String> {
        lifecycle.is_none().then(|| no_task(endpoint))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
