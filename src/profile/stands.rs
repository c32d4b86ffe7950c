//! What goes with a state that a timeline puts in place: how far the task is, and what each of its hosts does.

use super::lifecycle::{Lifecycle, Total};
use crate::json::{Json, quote};
use crate::timeline::{HostState, Phase};

/// Where a timeline has a task at a poll.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stands {
    pub(crate) phase: Option<Phase>,
    /// In the order of the scenario; empty if it has no deployment.
    pub(crate) hosts: Vec<HostState>,
}

impl Stands {
    /// Whether a task of this life cycle says anything of it beside its state.
    pub(crate) fn shows_in(&self, lifecycle: &Lifecycle) -> bool {
        let counts = lifecycle.progress.is_some() && self.phase.is_some();
        counts || (lifecycle.hosts.is_some() && !self.hosts.is_empty())
    }

    /// What is put in place of what a poll recorded in the phase `recorded` has, by JSON pointer.
    pub(crate) fn edits(
        &self,
        lifecycle: &Lifecycle,
        recorded: Phase,
        body: &Json<'_>,
    ) -> Vec<(String, String)> {
        let progress = self.progress(lifecycle, recorded, body);
        progress.into_iter().chain(self.host_states(lifecycle, body)).collect()
    }

    /// Nothing before the work begins, all at its end, and the share of the hosts that are done between. Where no host
    /// is known, what was recorded in the midst of the work stays; else it is half (a number of ours).
    fn progress(&self, lifecycle: &Lifecycle, recorded: Phase, body: &Json<'_>) -> Option<(String, String)> {
        let progress = lifecycle.progress.as_ref()?;
        let there = body.member(&progress.member)?.as_i128()?;
        let whole = match &progress.of {
            Total::Number(number) => i128::from(*number),
            Total::Member(member) => body.member(member)?.as_i128()?,
        };
        let value = match self.phase? {
            Phase::Waiting => 0,
            Phase::Done => whole,
            Phase::Working | Phase::Partial => match self.share() {
                Some((done, all)) => whole.checked_mul(done)?.checked_div(all)?,
                None if matches!(recorded, Phase::Working | Phase::Partial) => there,
                None => whole / 2,
            },
            Phase::Failed | Phase::Cancelled => there,
        };
        Some((format!("/{}", progress.member), value.to_string()))
    }

    /// Hosts that are done, and hosts that count.
    fn share(&self) -> Option<(i128, i128)> {
        let of = |fits: fn(&HostState) -> bool| self.hosts.iter().filter(|state| fits(state)).count() as i128;
        let all = of(|state| *state != HostState::Removed);
        (all > 0).then(|| (of(|state| *state == HostState::Done), all))
    }

    /// The scenario's hosts are the recorded ones, in their order; what it has no host for stays.
    fn host_states(&self, lifecycle: &Lifecycle, body: &Json<'_>) -> Vec<(String, String)> {
        let Some(hosts) = &lifecycle.hosts else { return Vec::new() };
        let Some(listed) = body.member(&hosts.list) else { return Vec::new() };
        let spelt = |state: HostState| match state {
            HostState::Done => Some(&hosts.spelling.done),
            HostState::Down => Some(&hosts.spelling.down),
            HostState::Working if self.phase == Some(Phase::Waiting) => Some(&hosts.spelling.waiting),
            HostState::Working => Some(&hosts.spelling.working),
            HostState::Removed => None,
        };
        let mut edits = Vec::new();
        for ((place, host), state) in listed.elements().iter().enumerate().zip(&self.hosts) {
            let Some(state) = spelt(*state) else { continue };
            let shown = hosts.state.iter().filter(|member| host.member(member).is_some());
            edits.extend(shown.map(|member| (format!("/{}/{place}/{member}", hosts.list), quote(state))));
        }
        edits
    }
}
