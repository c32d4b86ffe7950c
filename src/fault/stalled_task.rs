//! `stalled-task`: the task does not get any further.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::task::{no_task, rank, show, without};
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::Delivery;
use crate::profile::{Endpoint, Lifecycle};
use crate::timeline::Phase;

/// Shows a task no further than in one phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StalledTask {
    /// The phase: waiting, working or partial.
    #[serde(default = "working", skip_serializing_if = "is_working")]
    pub phase: Phase,
}

impl FaultKind for StalledTask {
    const SUMMARY: &'static str = "The task stays in one state for as long as the fault is planned.";
    const DOCS: &'static str = "\
A successful answer that shows a task further than `phase` shows it in that phase, spelt as its endpoint spells it, \
with the progress and the hosts that go with it; answers before that stay as they are. The phases are waiting, \
working and partial; partial for ever is documented for case creations as something that happens. A task without \
such a phase cannot be stalled in it, and a scenario that asks for it is refused.

A client needs a limit of its own: it says that it gave up, or for a task that is partly done that it can be used. \
It must not poll without end, and must not report the task as done or failed.";
    const EXAMPLE: &'static str = "inject = { stalled-task = { phase = \"working\" } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "phase",
        takes: Takes::Word(&["waiting", "working", "partial"]),
        default: Some("\"working\""),
        meaning: "the phase it stays in",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let lifecycle = cx.lifecycle?;
        show(delivery, lifecycle, |now| {
            let is_further = now.is_some_and(|now| rank(now) > rank(self.phase));
            let state = lifecycle.spelling(self.phase).filter(|_| is_further)?;
            Some((Some(self.phase), state.to_owned()))
        })
    }

    fn never_at(&self, endpoint: &Endpoint, lifecycle: Option<&Lifecycle>) -> Option<String> {
        let Some(lifecycle) = lifecycle else { return Some(no_task(endpoint)) };
        without(lifecycle, self.phase)
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&[Phase::Working, Phase::Waiting, Phase::Partial][..]).prop_map(|phase| Self { phase }).boxed()
    }
}

fn working() -> Phase {
    Phase::Working
}

fn is_working(phase: &Phase) -> bool {
    *phase == Phase::Working
}
