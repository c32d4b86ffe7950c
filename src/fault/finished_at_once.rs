//! `finished-at-once`: the task is done at the first look.

use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};

use super::task::{no_task, rank, show};
use super::{Context, Did, Effect, FaultKind, Parameter, Work};
use crate::delivery::Delivery;
use crate::profile::{Endpoint, Lifecycle};
use crate::timeline::Phase;

/// Shows a task as done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinishedAtOnce {}

impl FaultKind for FinishedAtOnce {
    const SUMMARY: &'static str = "The task is done at once.";
    const DOCS: &'static str = "\
A successful answer that shows a task shows it as done, spelt as its endpoint spells it, with all of its progress \
and every host done, however far it is; one that has come to an end stays as it is. Only answers with a task are \
met, that of the creation among them.

A small task is done before the first poll (seen). A client must look at the answer of the creation, or poll once \
and stop; it must not wait for states in between, which will never come.";
    const EXAMPLE: &'static str = "inject = { finished-at-once = {} }";
    const PARAMETERS: &'static [Parameter] = &[];
    const WORK: Work = Work::Done;
    const EFFECT: Effect = Effect::Altered;

    fn inject(&self, delivery: &mut Delivery, cx: &mut Context<'_>) -> Option<Did> {
        let lifecycle = cx.lifecycle?;
        show(delivery, lifecycle, |now| {
            let goes_on = now.is_none_or(|now| rank(now) < rank(Phase::Done));
            let state = lifecycle.spelling(Phase::Done).filter(|_| goes_on)?;
            Some((Some(Phase::Done), state.to_owned()))
        })
    }

    fn never_at(&self, endpoint: &Endpoint, lifecycle: Option<&Lifecycle>) -> Option<String> {
        lifecycle.is_none().then(|| no_task(endpoint))
    }

    fn strategy() -> BoxedStrategy<Self> {
        Just(Self {}).boxed()
    }
}
