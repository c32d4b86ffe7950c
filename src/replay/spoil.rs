//! What a scenario plans for an occurrence: which faults fire, and what they do to its answer.

use std::time::Duration;

use crate::delivery::Delivery;
use crate::fault::{Before, Context, Quota, Work};
use crate::ledger::FaultLine;
use crate::scenario::{Moment, PlannedFault, Scenario};
use crate::serve::Came;

use super::Setup;
use super::session::Session;
use super::turn::Turn;

/// What faults have done.
pub(super) struct Spoilt {
    /// In order.
    pub(super) faults: Vec<FaultLine>,
    /// The kind of the one that answered in the console's place.
    pub(super) replaced: Option<&'static str>,
}

/// What else faults are chosen by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now<'a> {
    /// The tick, if a task is polled.
    pub(super) tick: Option<u32>,
    /// The state that the answer shows, once that is known.
    pub(super) state: Option<&'a str>,
    /// The time since the start, and the connection.
    pub(super) came: Came,
}

impl Session {
    /// The planned faults that fire at this moment, in file order. Those that wait for a state fire once it is known.
    pub(super) fn firing<'s>(
        &self,
        setup: &'s Setup,
        turn: &Turn,
        is_refused: bool,
        now: Now<'_>,
    ) -> Vec<&'s PlannedFault> {
        let Some(scenario) = &setup.scenario else { return Vec::new() };
        if scenario.faults.is_empty() {
            return Vec::new();
        }
        let place = if turn.endpoint.is_empty() { turn.counted.as_str() } else { turn.endpoint };
        let method = if turn.request.method == "HEAD" { "GET" } else { &turn.request.method };
        let asked = format!("{method} {}", turn.request.path());
        let query = match scenario.faults.iter().any(|planned| !planned.when.query.is_empty()) {
            true => turn.request.params(),
            false => Vec::new(),
        };
        let moment = Moment {
            session: &self.name,
            place,
            asked: &asked,
            resource: &turn.counted,
            query: &query,
            nth: (turn.nth, turn.nth_of_endpoint, turn.call),
            tick: now.tick,
            state: now.state.map(|state| (state, turn.polls.or(turn.creates))),
            at: now.came.at,
            connection: now.came.connection,
        };
        let before = Before {
            endpoint: turn.matched.as_ref().map(|matched| matched.endpoint),
            lifecycle: turn.polls.or(turn.creates),
            request: &turn.request,
            nth: turn.nth,
        };
        // What most faults fail by comes first.
        let fires = |planned: &&PlannedFault| {
            planned.fires_at(setup.seed, &moment)
                && !planned.inject.is_identity()
                && !planned.inject.is_of_connections()
                && (!is_refused || planned.inject.meets_refused())
                && planned.inject.meets(&before)
                && self.allows(planned, scenario)
        };
        scenario.faults.iter().filter(fires).collect()
    }

    /// Of the planned faults that fire, those that do: one that waits until its quota is used up lets this request pass
    /// if it is not, and counts it. `before` are those that did before the state was known: nothing counts twice.
    pub(super) fn beyond_quotas<'s>(
        &mut self,
        firing: Vec<&'s PlannedFault>,
        before: &[&PlannedFault],
        now: Now<'_>,
    ) -> Vec<&'s PlannedFault> {
        let mut does = |planned: &&PlannedFault| match planned.inject.quota() {
            None => true,
            Some(_) if now.state.is_some() && planned.when.state.is_none() => {
                before.iter().any(|other| other.key == planned.key)
            }
            Some(quota) => self.is_used_up(&planned.key, quota, now.came.at),
        };
        firing.into_iter().filter(|planned| does(planned)).collect()
    }

    fn is_used_up(&mut self, key: &str, quota: Quota, at: Duration) -> bool {
        let window = quota.window(at);
        let (last, answered) = self.quotas.entry(key.to_owned()).or_default();
        if *last != window {
            (*last, *answered) = (window, 0);
        }
        let is_used_up = *answered >= quota.requests;
        *answered += u32::from(!is_used_up);
        is_used_up
    }

    /// Whether what has fired so far leaves this one free to.
    fn allows(&self, planned: &PlannedFault, scenario: &Scenario) -> bool {
        let fired = |key: &str| self.fired.get(key).copied().unwrap_or_default();
        let came = |name: &str| {
            scenario.faults.iter().any(|other| other.name.as_deref() == Some(name) && fired(&other.key) > 0)
        };
        planned.when.most.is_none_or(|most| fired(&planned.key) < u64::from(most))
            && planned.when.after.as_deref().is_none_or(came)
    }

    /// Lets these faults edit the answer. What the console answers comes before what becomes of it on the way; each of
    /// these in file order. `heard` is the key of the one that had the console understand something else.
    pub(super) fn spoil(
        &mut self,
        setup: &Setup,
        turn: &Turn,
        firing: &[&PlannedFault],
        heard: Option<&str>,
        came: Came,
        delivery: &mut Delivery,
    ) -> Spoilt {
        let mut spoilt = Spoilt { faults: Vec::new(), replaced: None };
        let is_not_done = |planned: &&&PlannedFault| planned.inject.work() == Work::NotDone;
        let (at_the_console, on_the_way): (Vec<_>, Vec<_>) = firing.iter().partition(is_not_done);
        for planned in at_the_console.into_iter().chain(on_the_way) {
            let not_done = is_not_done(&planned);
            // The console can be out of the way only once.
            if not_done && spoilt.replaced.is_some() {
                continue;
            }
            let nth = turn.nth.to_string();
            let key = [&*self.name, planned.key.as_str(), turn.endpoint, &turn.counted, &nth, "effect"];
            let mut cx = Context {
                endpoint: turn.matched.as_ref().map(|matched| matched.endpoint),
                lifecycle: turn.polls.or(turn.creates),
                request: &turn.request,
                nth: turn.nth,
                heard: heard == Some(planned.key.as_str()),
                at: came.at,
                stream: &mut setup.seed.stream(&key),
            };
            let Some(did) = planned.inject.inject(delivery, &mut cx) else { continue };
            if not_done {
                spoilt.replaced = Some(planned.inject.kind());
            }
            match self.fired.get_mut(&planned.key) {
                Some(times) => *times += 1,
                None => drop(self.fired.insert(planned.key.clone(), 1)),
            }
            spoilt.faults.push(FaultLine {
                kind: planned.inject.kind().to_owned(),
                planned: planned.title(),
                did: did.words,
                members: did.members,
                connection: came.connection.filter(|_| planned.when.connection.is_some()),
            });
        }
        spoilt
    }
}
