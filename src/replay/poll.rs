//! Elastic polling: one recording serves a client that polls 1, 7 or 500 times.
//!
//! Which recorded poll answers tick `i` is decided here, and nothing else: the session keeps the ticks.

use crate::fields::FieldSelector;
use crate::json::{self, Json};
use crate::message::Response;
use crate::profile::{Lifecycle, Stands};
use crate::scenario::Scenario;
use crate::timeline::{HostState, PathStep, Phase, stretched};

use super::material::{Material, Poll};

/// The recorded poll that answers, and what a timeline puts in its body's place.
#[derive(Debug, PartialEq)]
pub(super) struct Choice<'m> {
    pub(super) poll: &'m Poll,
    /// Members to put in place, by name, as JSON text; empty if the recording is told as it is.
    pub(super) set: Vec<(String, String)>,
    /// Where a timeline has the task.
    pub(super) stands: Stands,
}

/// What a scenario plans for one task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan<'s> {
    pub(super) scenario: Option<&'s Scenario>,
    /// A task that was called off walks no timeline any more.
    pub(super) is_called_off: bool,
}

impl<'s> Plan<'s> {
    fn timeline(self) -> Option<&'s Scenario> {
        self.scenario.filter(|_| !self.is_called_off)
    }

    fn polls_per_phase(self) -> Option<u32> {
        self.scenario.and_then(|scenario| scenario.polls_per_phase)
    }
}

impl Choice<'_> {
    /// Whether the scenario itself says what stands here.
    fn names(&self, pointer: &str) -> bool {
        self.set.iter().any(|(name, _)| pointer.strip_prefix('/') == Some(name))
    }

    fn as_recorded(poll: &Poll) -> Choice<'_> {
        Choice { poll, set: Vec::new(), stands: Stands::default() }
    }

    /// Whether anything is put in the recording's place.
    pub(super) fn rewrites(&self, lifecycle: &Lifecycle) -> bool {
        !self.set.is_empty() || self.stands.shows_in(lifecycle)
    }
}

impl PartialEq for Poll {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

/// Why no recorded poll answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooNarrow;

/// What poll number `tick` of a task with the recorded `path` is answered from.
pub(super) fn choose<'m>(
    path: &'m [Poll],
    plan: Plan<'_>,
    lifecycle: &Lifecycle,
    asked: Option<&FieldSelector>,
    tick: u32,
) -> Result<Choice<'m>, TooNarrow> {
    let steps: Vec<&Poll> = path.iter().filter(|poll| !poll.lends_only).collect();
    let only_errors = !path.iter().any(|poll| poll.is_task);
    match plan.timeline().and_then(|scenario| wanted(scenario, lifecycle, tick)) {
        Some(wanted) if !only_errors => by_timeline(path, lifecycle, asked, wanted),
        _ => by_recording(path, &steps, plan.polls_per_phase(), asked, tick),
    }
}

/// What a scenario wants at a tick: a phase, and the members that say so.
struct Wanted {
    phase: Option<Phase>,
    set: Vec<(String, String)>,
    hosts: Vec<HostState>,
}

fn wanted(scenario: &Scenario, lifecycle: &Lifecycle, tick: u32) -> Option<Wanted> {
    if let Some(deployment) = &scenario.deployment {
        let phase = lifecycle.nearest(deployment.phase_at(tick));
        let state = lifecycle.state.first().zip(lifecycle.spelling(phase));
        let set = state.map(|(name, spelling)| (name.clone(), json::quote(spelling))).into_iter().collect();
        return Some(Wanted { phase: Some(phase), set, hosts: deployment.states_at(tick) });
    }
    if scenario.path.is_empty() {
        return None;
    }
    let step = scenario.path.iter().filter(|step| step.at <= tick).max_by_key(|step| step.at);
    Some(Wanted {
        phase: step.and_then(|step| phase_of(lifecycle, step)),
        set: step.map(|step| step.set.clone()).unwrap_or_default(),
        hosts: Vec::new(),
    })
}

fn phase_of(lifecycle: &Lifecycle, step: &PathStep) -> Option<Phase> {
    let (_, value) = step.set.iter().find(|(name, _)| lifecycle.state.iter().any(|state| state == name))?;
    let value = Json::parse(value).ok()?;
    lifecycle.phase(value.as_str()?)
}

fn by_recording<'m>(
    path: &'m [Poll],
    steps: &[&'m Poll],
    polls_per_phase: Option<u32>,
    asked: Option<&FieldSelector>,
    tick: u32,
) -> Result<Choice<'m>, TooNarrow> {
    let own = step_at(steps, polls_per_phase, tick).ok_or(TooNarrow)?;
    if !own.is_task || covers(own, asked) {
        return Ok(Choice::as_recorded(own));
    }
    let distance = |poll: &Poll| poll.index.abs_diff(own.index);
    let mut lent: Vec<&Poll> =
        path.iter().filter(|poll| poll.is_task && poll.phase == own.phase && covers(poll, asked)).collect();
    lent.sort_by_key(|poll| (!equals(poll, asked), distance(poll)));
    lent.first().map(|poll| Choice::as_recorded(poll)).ok_or(TooNarrow)
}

/// The recorded poll that is due at a tick.
fn step_at<'m>(steps: &[&'m Poll], polls_per_phase: Option<u32>, tick: u32) -> Option<&'m Poll> {
    let place = match polls_per_phase {
        Some(n) => stretched(&steps.iter().map(|poll| poll.phase).collect::<Vec<_>>(), n, tick),
        None => (tick as usize).min(steps.len().checked_sub(1)?),
    };
    steps.get(place).copied()
}

/// The phase of a task with the recorded `path` at a tick; `None` if nothing says it.
pub(super) fn phase_at(path: &[Poll], plan: Plan<'_>, lifecycle: &Lifecycle, tick: u32) -> Option<Phase> {
    if let Some(wanted) = plan.timeline().and_then(|scenario| wanted(scenario, lifecycle, tick)) {
        return wanted.phase;
    }
    let steps: Vec<&Poll> = path.iter().filter(|poll| !poll.lends_only).collect();
    let step = step_at(&steps, plan.polls_per_phase(), tick)?;
    step.is_task.then_some(step.phase)
}

fn by_timeline<'m>(
    path: &'m [Poll],
    lifecycle: &Lifecycle,
    asked: Option<&FieldSelector>,
    wanted: Wanted,
) -> Result<Choice<'m>, TooNarrow> {
    let lent = |fits: &dyn Fn(&Poll) -> bool| {
        let mut polls: Vec<&Poll> =
            path.iter().filter(|poll| poll.is_task && covers(poll, asked) && fits(poll)).collect();
        polls.sort_by_key(|poll| !equals(poll, asked));
        polls.first().copied()
    };
    // Before the first step of a scripted path, the first recorded poll stands as it is.
    if wanted.set.is_empty() && wanted.phase.is_none() {
        return lent(&|_| true).map(Choice::as_recorded).ok_or(TooNarrow);
    }
    let by_hosts = !wanted.hosts.is_empty();
    let stands = Stands { phase: wanted.phase, hosts: wanted.hosts };
    let only_state = wanted.set.iter().all(|(name, _)| lifecycle.state.contains(name));
    if let Some(phase) = wanted.phase
        && only_state
        && let Some(poll) = lent(&|poll| poll.phase == phase)
    {
        // A path says all there is to say; hosts differ from poll to poll.
        let stands = if by_hosts { stands } else { Stands::default() };
        return Ok(Choice { poll, set: Vec::new(), stands });
    }
    let state_is_asked = asked.is_none_or(|asked| lifecycle.state.iter().any(|name| asked.selects(name)));
    lent(&|poll| poll.state.is_some() || !state_is_asked)
        .map(|poll| Choice { poll, set: wanted.set, stands })
        .ok_or(TooNarrow)
}

fn covers(poll: &Poll, asked: Option<&FieldSelector>) -> bool {
    match (&poll.selector, asked) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(held), Some(asked)) => held.covers(asked),
    }
}

pub(super) fn equals(poll: &Poll, asked: Option<&FieldSelector>) -> bool {
    match (&poll.selector, asked) {
        (None, None) => true,
        (Some(held), Some(asked)) => held.same(asked),
        _ => false,
    }
}

/// The recorded response of a choice with the timeline's members in place.
pub(super) fn rewritten(material: &Material, choice: &Choice<'_>, lifecycle: &Lifecycle) -> Response {
    let mut response = material.cassette().interactions[choice.poll.index].response.clone();
    let Some(text) = response.text() else { return response };
    let Ok(body) = Json::parse(text) else { return response };
    let mut edits: Vec<(String, String)> = choice
        .set
        .iter()
        .filter_map(|(name, value)| Some((pointer_of(lifecycle, &body, name)?, value.clone())))
        .collect();
    let beside: Vec<_> = choice.stands.edits(lifecycle, choice.poll.phase, &body);
    edits.extend(beside.into_iter().filter(|(pointer, _)| !choice.names(pointer)));
    if !edits.is_empty() {
        let edits: Vec<(&str, &str)> =
            edits.iter().map(|(pointer, value)| (pointer.as_str(), value.as_str())).collect();
        response.set_body(json::replace(text, &edits));
    }
    response
}

/// Where a member stands in this body: a state goes by whichever of its names the body has.
fn pointer_of(lifecycle: &Lifecycle, body: &Json<'_>, name: &str) -> Option<String> {
    let names: Vec<&str> = if lifecycle.state.iter().any(|state| state == name) {
        lifecycle.state.iter().map(String::as_str).collect()
    } else {
        vec![name]
    };
    names.into_iter().find(|name| body.member(name).is_some()).map(|name| format!("/{name}"))
}
