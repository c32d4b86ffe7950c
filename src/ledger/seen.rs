//! What a command was seen to do: endpoints, states, faults, and what it used of the recording.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::coverage::Reached;

/// What one run saw, or all runs of a matrix together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenLine {
    /// By the full id of each endpoint that was asked; what no profile knows stands under an empty one.
    pub endpoints: BTreeMap<String, EndpointSeen>,
    /// The endpoints of the recordings: asked, and not.
    pub recorded: Reached,
    /// The states of the tasks that were asked for, as the API spells them: shown, and not.
    pub states: Reached,
    /// The planned faults, by scenario and name: fired, and not.
    pub faults: Reached,
    /// Of each recording, by name, what was used.
    pub recordings: BTreeMap<String, RecordingUsed>,
}

/// What came of the requests to an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSeen {
    /// How many there were.
    pub requests: u64,
    /// How often each status was answered.
    pub statuses: BTreeMap<u16, u64>,
    /// How often a task was shown in each state.
    pub states: BTreeMap<String, u64>,
    /// How often each kind of fault fired.
    pub faults: BTreeMap<String, u64>,
    /// The most names that a selector had at one level; 0 without a selector.
    pub widest: u64,
    /// The most levels that one had.
    pub deepest: u64,
}

/// What was used of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingUsed {
    /// How many interactions it has, without those that a recorder fetched by itself.
    pub interactions: u64,
    /// The ids of those that answered no request.
    pub unused: BTreeSet<String>,
}

impl SeenLine {
    /// The same with what another run saw. In which order they are added makes no difference.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for (endpoint, seen) in &other.endpoints {
            self.endpoints.entry(endpoint.clone()).or_default().add(seen);
        }
        self.recorded = joined(&self.recorded, &other.recorded);
        self.states = joined(&self.states, &other.states);
        self.faults = joined(&self.faults, &other.faults);
        for (name, used) in &other.recordings {
            match self.recordings.get_mut(name) {
                Some(known) => known.unused.retain(|id| used.unused.contains(id)),
                None => {
                    self.recordings.insert(name.clone(), used.clone());
                }
            }
        }
        self
    }

    /// How many interactions were used, of how many.
    pub fn used(&self) -> (usize, usize) {
        let count = |used: &RecordingUsed| usize::try_from(used.interactions).unwrap_or(usize::MAX);
        let all: usize = self.recordings.values().map(count).sum();
        (all.saturating_sub(self.unused().count()), all)
    }

    /// The interactions that answered no request.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        self.recordings.values().flat_map(|used| &used.unused).map(String::as_str)
    }

    /// The most levels that a selector had.
    pub fn deepest(&self) -> u64 {
        self.endpoints.values().map(|seen| seen.deepest).max().unwrap_or_default()
    }

    /// The most names that a selector had at one level.
    pub fn widest(&self) -> u64 {
        self.endpoints.values().map(|seen| seen.widest).max().unwrap_or_default()
    }
}

impl EndpointSeen {
    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        add_up(&mut self.statuses, &other.statuses);
        add_up(&mut self.states, &other.states);
        add_up(&mut self.faults, &other.faults);
        self.widest = self.widest.max(other.widest);
        self.deepest = self.deepest.max(other.deepest);
    }
}

fn add_up<K: Ord + Clone>(sum: &mut BTreeMap<K, u64>, other: &BTreeMap<K, u64>) {
    for (key, count) in other {
        *sum.entry(key.clone()).or_default() += count;
    }
}

/// Reached is what either has reached.
fn joined(one: &Reached, other: &Reached) -> Reached {
    let reached: BTreeSet<&String> = one.reached.iter().chain(&other.reached).collect();
    let missing: BTreeSet<&String> = one.missing.iter().chain(&other.missing).collect();
    let missing = missing.difference(&reached).map(|name| (*name).clone()).collect();
    Reached { reached: reached.into_iter().cloned().collect(), missing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(reached: &[&str], missing: &[&str], unused: &[&str], requests: u64) -> SeenLine {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let used = RecordingUsed { interactions: 3, unused: texts(unused).into_iter().collect() };
        let seen = EndpointSeen { requests, statuses: [(200, requests)].into(), ..EndpointSeen::default() };
        SeenLine {
            endpoints: [("GET /x".to_owned(), seen)].into(),
            states: Reached { reached: texts(reached), missing: texts(missing) },
            recordings: [("r".to_owned(), used)].into(),
            ..SeenLine::default()
        }
    }

    #[test]
    fn together_two_runs_have_seen_what_either_has_in_any_order() {
        let (one, other) = (line(&["A"], &["B", "C"], &["x", "y"], 2), line(&["B"], &["A", "C"], &["y"], 3));
        let both = one.clone().and(&other);
        assert_eq!(both, other.and(&one));
        assert_eq!(both.states, Reached { reached: vec!["A".into(), "B".into()], missing: vec!["C".into()] });
        assert_eq!((both.used(), both.unused().collect::<Vec<_>>()), ((2, 3), vec!["y"]));
        assert_eq!(both.endpoints["GET /x"].statuses[&200], 5);
    }
}
