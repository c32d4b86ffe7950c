//! `unknown-state`: the task is in a state that no page knows.

use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};
use serde::{Deserialize, Serialize};

use super::task::{no_task, show};
use super::{Context, Did, Effect, FaultKind, Parameter, Takes, Work};
use crate::delivery::Delivery;
use crate::profile::{Endpoint, Lifecycle};

/// Shows a task in a state of any name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnknownState {
    /// The state.
    pub becomes: String,
}

impl FaultKind for UnknownState {
    const SUMMARY: &'static str = "The task is in a state that nobody documents.";
    const DOCS: &'static str = "\
A successful answer that shows a task has `becomes` for its state, whatever that would have been. All else stays. \
Only answers with a task are met, and only where they hold the state.

New versions add states, and pages and consoles spell them differently (seen: five spellings of done, two of \
cancelled). A client must not take a state that it does not know for done or for failed; it goes on up to a limit of \
its own, or says what it saw.";
    const EXAMPLE: &'static str = "inject = { unknown-state = { becomes = \"ARCHIVED\" } }";
    const PARAMETERS: &'static [Parameter] = &[Parameter {
        name: "becomes",
        takes: Takes::Name,
        default: None,
        meaning: "the state, as the answer spells it",
    }];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        show(delivery, cx.lifecycle?, |_| Some((None, self.becomes.clone())))
    }

    fn never_at(&self, endpoint: &Endpoint, lifecycle: Option<&Lifecycle>) -> Option<String> {
        lifecycle.is_none().then(|| no_task(endpoint))
    }

    fn strategy() -> BoxedStrategy<Self> {
        select(&["ARCHIVED", "complete", "WAITING"][..])
            .prop_map(|becomes| Self { becomes: becomes.to_owned() })
            .boxed()
    }
}
