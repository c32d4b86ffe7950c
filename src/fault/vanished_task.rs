//! `vanished-task`: the task was there and is gone.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::api_error::MESSAGE;
use super::{Before, Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::{Delivery, Framing};
use crate::profile::{ApiError, Endpoint, Lifecycle, error_response};

/// Answers that there is no such task, once it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VanishedTask {}

impl FaultKind for VanishedTask {
    const SUMMARY: &'static str = "The task was there, and is not any more.";
    const DOCS: &'static str = "\
From the second request of a session about a task on, the console answers with the error that its endpoint documents \
for a task that is not there: 404/1002 for nearly all, in the words of its page. The first is answered as ever. Only \
polls of a task whose endpoint documents such an error are met; a scenario that asks for it elsewhere is refused.

Tasks are cleared away, and a console that was restored has lost them (inferred). A client must report that there is \
no such task, whatever it saw before; it must not poll on, and not report the task's last state as if it still \
stood.";
    const EXAMPLE: &'static str = "inject = { vanished-task = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::NotDone;
    const EFFECT: Effect = Effect::Replaced;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let error = gone(cx.endpoint?)?;
        delivery.response = error_response(error.status, error.code, &error.description, MESSAGE);
        delivery.framing = Framing::AsRecorded;
        Some(format!("answered {}/{}: no such task any more", error.status, error.code).into())
    }

    fn meets(&self, before: &Before<'_>) -> bool {
        let polls = |endpoint: &Endpoint| {
            before.lifecycle.is_some_and(|life| life.task == endpoint.id) && gone(endpoint).is_some()
        };
        before.nth > 1 && before.endpoint.is_some_and(polls)
    }

    fn never_at(&self, endpoint: &Endpoint, lifecycle: Option<&Lifecycle>) -> Option<String> {
        let is_poll = lifecycle.is_some_and(|life| life.task == endpoint.id);
        if !is_poll {
            return Some(format!("`{}` does not look at a task", endpoint.id));
        }
        let says_none = gone(endpoint).is_none();
        says_none.then(|| format!("`{}` documents no error for a task that is not there", endpoint.id))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}

/// What the endpoint documents for a task that is not there.
fn gone(endpoint: &Endpoint) -> Option<&ApiError> {
    endpoint.error(404, 1002).or_else(|| endpoint.errors.iter().find(|error| error.status == 404))
}
