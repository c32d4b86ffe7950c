//! What a scenario plans for connections as such, before a session has to do with them.
//!
//! A connection's number, its time and how many are open decide, together with the seed: nothing else does. Which client
//! has which number is a matter of luck, so what is counted here is left out where two equal runs are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::fault::Greets;
use crate::greeting::{Arrival, Greeting, Part, Reception};
use crate::ledger::{GreetedLine, Sum};
use crate::scenario::{PlannedFault, Span};

use super::Setup;

/// What faults of connections have done so far.
#[derive(Debug, Default)]
pub(super) struct Arrivals(Mutex<Done>);

#[derive(Debug, Default)]
struct Done {
    /// How often each has fired, by key.
    fired: BTreeMap<String, u64>,
    /// Those that were in force, by key. Whom the system refuses it tells nobody: not even whether it refused anyone.
    in_force: BTreeSet<String>,
    sum: Sum,
}

/// A planned fault that a connection meets.
struct Met<'s> {
    planned: &'s PlannedFault,
    greets: Greets,
    part: Part,
}

fn of_connections(setup: &Setup) -> impl Iterator<Item = (&PlannedFault, Greets)> {
    let faults = setup.scenario.iter().flat_map(|scenario| &scenario.faults);
    faults.filter_map(|planned| Some((planned, planned.inject.greets()?)))
}

/// When nobody is listened to because of this fault, by the machine's clock, if that is what it does and chance has it so.
fn absence(setup: &Setup, planned: &PlannedFault, greets: Greets) -> Option<Range<Duration>> {
    let window = planned.when.since_start_ms.filter(|_| greets == Greets::Absence)?.as_time();
    // There is no connection yet, and so none that is counted.
    let fires = planned.fires_on(setup.seed, &setup.session, 0, window.start);
    let clock = &setup.clock;
    fires.then(|| clock.of_machine(window.start)..clock.of_machine(window.end))
}

/// What a listener has to be ready for.
pub(super) fn reception(setup: &Setup) -> Reception {
    let faults = setup.scenario.iter().flat_map(|scenario| &scenario.faults);
    let numbers =
        |planned: &PlannedFault| !planned.inject.is_of_connections() && planned.when.connection.is_some();
    let mut reception = Reception { numbers: { faults }.any(numbers), ..Reception::default() };
    for (planned, greets) in of_connections(setup) {
        reception.greets |= greets != Greets::Absence;
        reception.absences.extend(absence(setup, planned, greets));
        reception
            .troubles
            .extend(greets.trouble().map(|trouble| (planned.inject.kind().to_owned(), trouble)));
    }
    reception
}

/// How a connection is greeted.
pub(super) fn greeting(setup: &Setup, arrival: &Arrival) -> Greeting {
    plan(setup, arrival).0
}

fn plan<'s>(setup: &'s Setup, arrival: &Arrival) -> (Greeting, Vec<Met<'s>>) {
    let mut greeting = Greeting::default();
    let mut met = Vec::new();
    let at = setup.clock.of_scenario(arrival.at);
    for (planned, greets) in of_connections(setup) {
        if planned.fires_on(setup.seed, &setup.session, arrival.connection, at)
            && let Some(part) = greets.greet(&mut greeting, arrival)
        {
            met.push(Met { planned, greets, part });
        }
    }
    greeting.wait = setup.clock.of_machine(greeting.wait);
    (greeting, met)
}

impl Arrivals {
    fn done(&self) -> MutexGuard<'_, Done> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what was done so far.
    pub(super) fn add_to(&self, fired: &mut BTreeMap<String, u64>, sum: &mut Sum) {
        let done = self.done();
        for (key, times) in &done.fired {
            *fired.entry(key.clone()).or_insert(0) += times;
        }
        *sum += done.sum;
    }

    /// Counts this part of a connection's greeting: what is to be told of it.
    pub(super) fn greeted(&self, setup: &Setup, arrival: &Arrival, part: Part) -> Vec<GreetedLine> {
        let met = plan(setup, arrival).1.into_iter().filter(|met| met.part == part);
        let fired = |met: Met<'_>| {
            let mut done = self.done();
            *done.fired.entry(met.planned.key.clone()).or_insert(0) += 1;
            done.sum.greet();
            line(setup, met.planned, Some(arrival.connection), met.greets.did())
        };
        met.map(fired).collect()
    }

    /// Notes what has nobody listened to from now on: what is to be told of it.
    pub(super) fn absent(&self, setup: &Setup, away: &Range<Duration>) -> Vec<GreetedLine> {
        let lines = of_connections(setup).filter_map(|(planned, greets)| {
            absence(setup, planned, greets).filter(|window| away.contains(&window.start))?;
            self.done().in_force.insert(planned.key.clone());
            let did =
                format!("{} {}: whether a client met it cannot be known", greets.did(), time_of(planned));
            Some(line(setup, planned, None, did))
        });
        lines.collect()
    }

    /// Whether it has been in force, and nobody can know whether a client met it.
    pub(super) fn has_been_in_force(&self, planned: &PlannedFault) -> bool {
        self.done().in_force.contains(&planned.key)
    }
}

/// When it is in force, in words.
pub(super) fn time_of(planned: &PlannedFault) -> String {
    match planned.when.since_start_ms {
        None => "all the time".to_owned(),
        Some(Span { first, last: None }) => format!("from {first} ms on"),
        Some(Span { first, last: Some(last) }) => format!("from {first} to {last} ms"),
    }
}

fn line(setup: &Setup, planned: &PlannedFault, connection: Option<u64>, did: String) -> GreetedLine {
    GreetedLine {
        session: setup.session.clone(),
        connection,
        kind: planned.inject.kind().to_owned(),
        planned: planned.title(),
        did,
    }
}
