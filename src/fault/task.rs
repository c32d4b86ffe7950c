//! How the faults of a life cycle put a task into another state.

use super::Did;
use super::body::edit_json;
use crate::delivery::Delivery;
use crate::json::{self, Json, quote};
use crate::profile::{Endpoint, Lifecycle, Stands};
use crate::timeline::{HostState, Phase};

/// Has a successful answer show its task in the state that `choose` gives for the phase it is in (`None` if its state is
/// one that nobody knows): its phase, if it is one of the life cycle's, and how it is spelt. Progress and hosts go along.
pub(super) fn show(
    delivery: &mut Delivery,
    lifecycle: &Lifecycle,
    choose: impl FnOnce(Option<Phase>) -> Option<(Option<Phase>, String)>,
) -> Option<Did> {
    let mut did = None;
    edit_json(delivery, |text, json| {
        let (member, was) = lifecycle.state_of(json)?;
        let now = lifecycle.phase(was);
        let (phase, state) = choose(now)?;
        let mut edits = vec![(format!("/{member}"), quote(&state))];
        if let Some(phase) = phase {
            let stands = Stands { phase: Some(phase), hosts: hosts(lifecycle, json, phase) };
            edits.extend(stands.edits(lifecycle, now.unwrap_or(phase), json));
        }
        did = Some(format!("showed the task in the state {state} in place of {was}").into());
        let edits: Vec<(&str, &str)> = edits.iter().map(|(at, new)| (at.as_str(), new.as_str())).collect();
        Some(json::replace(text, &edits))
    })
    .then_some(did)
    .flatten()
}

/// The states of the hosts that an answer lists, if all goes with the phase: of one that is partly done, the first is.
fn hosts(lifecycle: &Lifecycle, json: &Json<'_>, phase: Phase) -> Vec<HostState> {
    let Some(listed) = lifecycle.hosts.as_ref().and_then(|hosts| json.member(&hosts.list)) else {
        return Vec::new();
    };
    let state = |place: usize| match phase {
        Phase::Done => HostState::Done,
        Phase::Partial if place == 0 => HostState::Done,
        _ => HostState::Working,
    };
    match phase {
        Phase::Failed | Phase::Cancelled => Vec::new(),
        _ => (0..listed.elements().len()).map(state).collect(),
    }
}

/// How far a task in this phase is.
pub(super) fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::Waiting => 0,
        Phase::Working => 1,
        Phase::Partial => 2,
        Phase::Done | Phase::Failed | Phase::Cancelled => 3,
    }
}

/// The phase before this one in the order of the life cycle, and how it is spelt.
pub(super) fn earlier(lifecycle: &Lifecycle, phase: Phase) -> Option<(Option<Phase>, String)> {
    let on_the_way: &[Phase] = match phase {
        Phase::Waiting => &[],
        Phase::Working => &[Phase::Waiting],
        Phase::Partial | Phase::Failed | Phase::Cancelled => &[Phase::Working, Phase::Waiting],
        Phase::Done => &[Phase::Partial, Phase::Working, Phase::Waiting],
    };
    on_the_way.iter().find_map(|phase| Some((Some(*phase), lifecycle.spelling(*phase)?.to_owned())))
}

/// Why a fault of a task cannot happen here.
pub(super) fn no_task(endpoint: &Endpoint) -> String {
    format!("no answer of `{}` shows the state of a task", endpoint.id)
}

/// Why a task cannot be in this phase, if it cannot.
pub(super) fn without(lifecycle: &Lifecycle, phase: Phase) -> Option<String> {
    let states: Vec<&str> = lifecycle.phases.iter().map(|(state, _)| state.as_str()).collect();
    let word = match phase {
        Phase::Waiting => "that waits",
        Phase::Working => "that works",
        Phase::Partial => "that is partly done",
        Phase::Done => "that is done",
        Phase::Failed => "of failure",
        Phase::Cancelled => "that is cancelled",
    };
    let lacks = lifecycle.spelling(phase).is_none();
    lacks.then(|| {
        format!("the task of `{}` has no state {word}: it has {}", lifecycle.task, states.join(", "))
    })
}
