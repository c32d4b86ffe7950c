//! A task's life over ticks: from a deployment of managed hosts, or a scripted path, to phases.
//!
//! A tick is one poll of the task, counted from 0; never seconds. That PARTIALLY_COMPLETE stands for hosts that are
//! not done yet is documented; how a deployment leads there tick by tick is a model of ours.

use serde::{Deserialize, Serialize};

/// A task's kind of state; a profile spells each in the words of its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing is being done yet.
    Waiting,
    /// Picked up; no managed host is done.
    Working,
    /// At least one managed host is done, but not all: usable, neither done nor failed.
    Partial,
    /// Every managed host is done.
    Done,
    /// It ended without success. Case creations have no such state; other tasks do.
    Failed,
    /// It was called off. Case creations have no such state; other tasks do.
    Cancelled,
}

impl Phase {
    /// Whether nothing follows it.
    pub(crate) fn is_last(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    /// How far a task is in it: one that goes on as it should never comes to a lower one.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Working => 1,
            Self::Partial => 2,
            Self::Done | Self::Failed | Self::Cancelled => 3,
        }
    }
}

/// The managed hosts behind a task, and what becomes of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// The tick at which the task is picked up; waiting before. 1 unless given, so that the first poll sees it wait.
    #[serde(default = "picked_up_at_first")]
    pub picked_up_at: u32,
    /// The managed hosts, the console included if it takes part.
    pub hosts: Vec<ManagedHost>,
}

fn picked_up_at_first() -> u32 {
    1
}

/// One managed host. It starts [`HostState::Working`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedHost {
    /// Its name in the scenario; shown to people, never on the wire.
    pub name: String,
    /// What becomes of it, in any order; of two at one tick the later in the list wins.
    #[serde(default)]
    pub changes: Vec<HostChange>,
}

/// A change of one managed host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostChange {
    /// It applies before this poll.
    pub at: u32,
    /// What the host becomes.
    pub becomes: HostState,
}

/// What a managed host is doing about the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostState {
    /// It has not finished its part.
    Working,
    /// It has finished its part. Only removal undoes that: what was created on a host stays there while it is down.
    Done,
    /// It does not answer.
    Down,
    /// It was taken out of the deployment and counts no more.
    Removed,
}

impl HostState {
    /// The state after a change: `done` survives everything but removal.
    fn changed_to(self, next: Self) -> Self {
        if self == Self::Done && next != Self::Removed { Self::Done } else { next }
    }
}

impl Deployment {
    /// The phase the poll `tick` sees.
    ///
    /// Before pick-up: waiting. No remaining host done: working. Every remaining host done, and at least one: done,
    /// for good. Otherwise: partial. A host that was done and then removed counts no more.
    pub fn phase_at(&self, tick: u32) -> Phase {
        let phases = self.phases();
        phases.iter().rev().find(|(from, _)| *from <= tick).map_or(Phase::Waiting, |(_, phase)| *phase)
    }

    /// What each host does as the poll `tick` sees it, in the order of the text; all work until the task is picked up.
    pub fn states_at(&self, tick: u32) -> Vec<HostState> {
        let mut states = vec![HostState::Working; self.hosts.len()];
        let due = self.changes().into_iter().filter(|(at, ..)| *at <= tick && tick >= self.picked_up_at);
        for (_, host, next) in due {
            if let Some(state) = states.get_mut(host) {
                *state = state.changed_to(next);
            }
        }
        states
    }

    /// The first tick from which the phase never changes any more.
    pub fn settles(&self) -> u32 {
        self.phases().last().map_or(0, |(from, _)| *from)
    }

    /// Every phase of the task with the tick it starts at: the first at 0, ascending, no two neighbours equal.
    pub fn phases(&self) -> Vec<(u32, Phase)> {
        let mut states = vec![HostState::Working; self.hosts.len()];
        let mut phases = Vec::new();
        let mut enter = |from: u32, phase: Phase| {
            if phases.last().is_none_or(|(_, last)| *last != phase) {
                phases.push((from, phase));
            }
            phase
        };
        if self.picked_up_at > 0 {
            enter(0, Phase::Waiting);
        }
        let mut changes = self.changes().into_iter().peekable();
        let mut now = self.picked_up_at;
        loop {
            while let Some((_, host, next)) = changes.next_if(|(at, _, _)| *at <= now) {
                if let Some(state) = states.get_mut(host) {
                    *state = state.changed_to(next);
                }
            }
            if enter(now, phase_of(&states)) == Phase::Done {
                return phases;
            }
            match changes.peek() {
                Some((at, _, _)) => now = *at,
                None => return phases,
            }
        }
    }

    /// All changes by tick; of equal ticks in the order of the text.
    fn changes(&self) -> Vec<(u32, usize, HostState)> {
        let mut changes: Vec<_> = (self.hosts.iter().enumerate())
            .flat_map(|(host, managed)| {
                managed.changes.iter().map(move |change| (change.at, host, change.becomes))
            })
            .collect();
        changes.sort_by_key(|(at, host, _)| (*at, *host));
        changes
    }
}

/// The phase of hosts in these states, once the task is picked up.
fn phase_of(states: &[HostState]) -> Phase {
    let remaining = states.iter().filter(|state| **state != HostState::Removed).count();
    let done = states.iter().filter(|state| **state == HostState::Done).count();
    match done {
        0 => Phase::Working,
        _ if done == remaining => Phase::Done,
        _ => Phase::Partial,
    }
}

/// One step of a scripted life: from poll `at` on, these members have these values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// The tick from which it holds, until a later step.
    pub at: u32,
    /// Top-level members and their values as JSON text, by name.
    pub set: Vec<(String, String)>,
}

/// Which recorded poll answers poll `tick`, if every run of one phase is cut or stretched to `polls` polls.
///
/// `phases` has the phase of each recorded poll. A run longer than `polls` is cut at its end, a shorter one repeats
/// its last poll; after the last run its last answer stays. `polls` of 0 counts as 1; without any recorded poll: 0.
pub fn stretched<P: PartialEq>(phases: &[P], polls: u32, tick: u32) -> usize {
    let polls = polls.max(1) as usize;
    let (mut start, mut tick) = (0, tick as usize);
    for run in phases.chunk_by(|one, next| one == next) {
        let last_run = start + run.len() == phases.len();
        if tick < polls || last_run {
            return start + tick.min(polls - 1).min(run.len() - 1);
        }
        start += run.len();
        tick -= polls;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, changes: &[(u32, HostState)]) -> ManagedHost {
        let changes = changes.iter().map(|(at, becomes)| HostChange { at: *at, becomes: *becomes }).collect();
        ManagedHost { name: name.to_owned(), changes }
    }

    #[test]
    fn a_host_that_stays_down_keeps_the_task_partial_until_it_is_removed() {
        let deployment = Deployment {
            picked_up_at: 1,
            hosts: vec![
                host("console", &[(2, HostState::Done)]),
                host("mh-2", &[(1, HostState::Down), (6, HostState::Removed)]),
            ],
        };
        use Phase::{Done, Partial, Waiting, Working};
        let seen: Vec<Phase> = (0..8).map(|tick| deployment.phase_at(tick)).collect();
        assert_eq!(seen, [Waiting, Working, Partial, Partial, Partial, Partial, Done, Done]);
        assert_eq!(deployment.settles(), 6);
    }

    #[test]
    fn without_any_host_the_task_is_worked_on_for_ever() {
        let deployment =
            Deployment { picked_up_at: 0, hosts: vec![host("mh-1", &[(3, HostState::Removed)])] };
        assert_eq!(deployment.phase_at(100), Phase::Working);
        assert_eq!(deployment.settles(), 0);
    }

    #[test]
    fn runs_are_cut_and_stretched() {
        let recorded = ["w", "p", "p", "p", "c"];
        let stretched_to = |polls: u32, ticks: u32| {
            (0..ticks).map(|tick| stretched(&recorded, polls, tick)).collect::<Vec<_>>()
        };
        assert_eq!(stretched_to(1, 5), [0, 1, 4, 4, 4]);
        assert_eq!(stretched_to(2, 7), [0, 0, 1, 2, 4, 4, 4]);
        assert_eq!(stretched_to(4, 10), [0, 0, 0, 0, 1, 2, 3, 3, 4, 4]);
        assert_eq!(stretched::<u8>(&[], 3, 9), 0);
    }
}
