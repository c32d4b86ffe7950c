//! What a scenario plans for an occurrence: which faults fire, and what they do to its answer.

use crate::delivery::Delivery;
use crate::fault::{Context, Work};
use crate::ledger::FaultLine;
use crate::scenario::{Of, PlannedFault};

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

impl Session {
    /// The planned faults that fire on this occurrence, in file order.
    pub(super) fn firing<'s>(
        &self,
        setup: &'s Setup,
        turn: &Turn,
        is_refused: bool,
    ) -> Vec<&'s PlannedFault> {
        let Some(scenario) = &setup.scenario else { return Vec::new() };
        if scenario.faults.is_empty() {
            return Vec::new();
        }
        let place = if turn.endpoint.is_empty() { turn.counted.as_str() } else { turn.endpoint };
        let method = if turn.request.method == "HEAD" { "GET" } else { &turn.request.method };
        let asked = format!("{method} {}", turn.request.path());
        let fires = |planned: &&PlannedFault| {
            let nth = if planned.of == Of::Endpoint { turn.nth_of_endpoint } else { turn.nth };
            (!is_refused || planned.inject.meets_refused())
                && planned.is_aimed_at(place, &asked)
                && planned.is_due(setup.seed, &self.name, place, &turn.counted, nth)
        };
        scenario.faults.iter().filter(fires).collect()
    }

    /// Lets these faults edit the answer. What the console answers comes before what becomes of it on the way; each of
    /// these in file order.
    pub(super) fn spoil(
        &mut self,
        setup: &Setup,
        turn: &Turn,
        firing: &[&PlannedFault],
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
                selector: None,
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
            });
        }
        spoilt
    }
}
