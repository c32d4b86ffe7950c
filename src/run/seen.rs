//! What a command was seen to do, and what of that falls short of the scenario's `see`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::fields::FieldSelector;
use crate::ledger::{EndpointSeen, Exchange, Line, Origin, Reached, RecordingUsed, SeenLine, Sum};
use crate::profile::{Profile, hits};
use crate::replay::{Evidence, Setup};
use crate::scenario::{See, Seen};

/// How many interactions are named that were not used.
const UNUSED_SHOWN: usize = 5;

/// What the lines of a run show.
pub fn seen(setup: &Setup, lines: &[Line]) -> SeenLine {
    let mut endpoints: BTreeMap<String, EndpointSeen> = BTreeMap::new();
    for exchange in exchanges(lines) {
        count(endpoints.entry(exchange.key.endpoint.clone()).or_default(), exchange);
    }
    let mut seen = SeenLine { states: states(&endpoints, setup.profile), endpoints, ..SeenLine::default() };
    if let Some(scenario) = &setup.scenario {
        // Of what was only in force nobody knows whether the command met it: it is neither.
        let titles = scenario.faults.iter().filter(|planned| !is_only_in_force(&planned.title(), lines));
        let titles = titles.map(|planned| (scenario.title_of(planned), has_fired(&planned.title(), lines)));
        seen.faults = split(titles);
    }
    if let Evidence::Cassette(material) = &setup.evidence {
        let cassette = material.cassette();
        let used: BTreeSet<&str> = exchanges(lines).filter_map(|exchange| used(&exchange.origin)).collect();
        let theirs = || cassette.interactions.iter().filter(|interaction| !interaction.by_recorder);
        let unused = theirs().map(|it| it.id.as_str()).filter(|id| !used.contains(id)).map(str::to_owned);
        let known = theirs().map(|it| &*it.endpoint).filter(|endpoint| !endpoint.is_empty());
        seen.recorded = split(known.map(|it| (it.to_owned(), seen.endpoints.contains_key(it))));
        let used = RecordingUsed { interactions: theirs().count() as u64, unused: unused.collect() };
        seen.recordings = BTreeMap::from([(cassette.name.clone(), used)]);
    }
    seen
}

/// Whether the planned fault of this title fired.
pub(super) fn has_fired(title: &str, lines: &[Line]) -> bool {
    lines.iter().any(|line| match line {
        Line::Exchange(exchange) => exchange.faults.iter().any(|fault| fault.planned == title),
        Line::Greeted(greeted) => greeted.planned == title,
        _ => false,
    })
}

/// Whether the planned fault of this title was in force, and no request and no connection is known to have met it.
fn is_only_in_force(title: &str, lines: &[Line]) -> bool {
    let is_met = |line: &Line| match line {
        Line::Exchange(exchange) => exchange.faults.iter().any(|fault| fault.planned == title),
        Line::Greeted(greeted) => greeted.planned == title && greeted.connection.is_some(),
        _ => false,
    };
    has_fired(title, lines) && !lines.iter().any(is_met)
}

fn exchanges(lines: &[Line]) -> impl Iterator<Item = &Exchange> {
    lines.iter().filter_map(|line| match line {
        Line::Exchange(exchange) => Some(&**exchange),
        _ => None,
    })
}

fn count(seen: &mut EndpointSeen, exchange: &Exchange) {
    seen.requests += 1;
    *seen.statuses.entry(exchange.status).or_default() += 1;
    if let Some(state) = &exchange.state {
        *seen.states.entry(state.clone()).or_default() += 1;
    }
    for fault in &exchange.faults {
        *seen.faults.entry(fault.kind.clone()).or_default() += 1;
    }
    if let Some(selector) = selector(&exchange.target) {
        seen.widest = seen.widest.max(selector.widest());
        seen.deepest = seen.deepest.max(selector.deepest());
    }
}

fn selector(target: &str) -> Option<FieldSelector> {
    let (_, query) = target.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, fields): (_, Cow<'_, str>) = pairs.find(|(name, _)| name == "fields")?;
    FieldSelector::parse(&fields).ok().flatten()
}

/// The interaction that an answer was made from.
fn used(origin: &Origin) -> Option<&str> {
    match origin {
        Origin::Recorded(id) | Origin::Timeline(id) | Origin::Created(id) => Some(id),
        Origin::Synthesised { .. } | Origin::Model | Origin::Fault(_) | Origin::Miss { .. } => None,
    }
}

/// The states of the tasks that were asked for.
fn states(endpoints: &BTreeMap<String, EndpointSeen>, profile: &Profile) -> Reached {
    let shown: BTreeSet<&String> = endpoints.values().flat_map(|seen| seen.states.keys()).collect();
    let lives = endpoints.keys().filter_map(|endpoint| profile.task_of(endpoint));
    let known = lives.flat_map(|life| &life.phases).map(|(state, _)| state.clone());
    split(known.map(|state| (state.clone(), shown.contains(&state))))
}

fn split(all: impl Iterator<Item = (String, bool)>) -> Reached {
    let all: BTreeSet<(String, bool)> = all.collect();
    let (reached, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, is_reached)| *is_reached);
    let names = |of: Vec<(String, bool)>| of.into_iter().map(|(name, _)| name).collect();
    Reached { reached: names(reached), missing: names(missing) }
}

/// What falls short of what must be seen, each in a sentence.
pub(super) fn unmet(see: &See, lines: &[Line], sum: &Sum, seen: &SeenLine) -> Vec<String> {
    let (served, misses) = (sum.served, sum.misses);
    let mut unmet = Vec::new();
    if let Some(most) = see.requests_max.filter(|most| served > *most) {
        unmet.push(format!("{} made, at most {most} are allowed", requests(served)));
    }
    if let Some(least) = see.requests_min.filter(|least| served < *least) {
        unmet.push(format!("{} made, at least {least} must be", requests(served)));
    }
    unmet.extend(see.requests.iter().filter_map(|row| of_row(row, lines)));
    let unused: Vec<&str> = seen.unused().collect();
    if see.every_interaction && !unused.is_empty() {
        let named: Vec<&str> = unused.iter().take(UNUSED_SHOWN).copied().collect();
        let more = if unused.len() > named.len() { ", ..." } else { "" };
        let (_, all) = seen.used();
        unmet.push(format!(
            "{} of {all} interactions were not used: {}{more}",
            unused.len(),
            named.join(", ")
        ));
    }
    if see.nothing_missed && misses > 0 {
        unmet.push(format!("{} answered by no recording, and none may be", requests(misses)));
    }
    unmet
}

fn requests(count: u64) -> String {
    if count == 1 { "1 request was".to_owned() } else { format!("{count} requests were") }
}

fn of_row(row: &Seen, lines: &[Line]) -> Option<String> {
    let asked_nothing_of_requests = row.endpoint.is_none() && row.status.is_none();
    let of_exchanges = exchanges(lines).filter(|exchange| is_of(row, exchange)).count();
    // A connection that met its fault never came to ask for an endpoint.
    let of_connections = lines.iter().filter(|line| match line {
        Line::Greeted(it) if it.connection.is_some() => is_named(row, &it.kind, &it.planned),
        _ => false,
    });
    let of_connections = if asked_nothing_of_requests { of_connections.count() } else { 0 };
    let count = (of_exchanges + of_connections) as u64;
    let bound = match row.max {
        Some(most) if count > most => format!("at most {most} may be"),
        _ if count < row.min => format!("at least {} must be", row.min),
        _ => return None,
    };
    let mut words = requests(count);
    words.push_str(" seen");
    words.extend(row.endpoint.as_deref().map(|endpoint| format!(" to {endpoint}")));
    words.extend(row.status.map(|status| format!(" answered with {status}")));
    words.extend(row.fault.as_deref().map(|fault| format!(" that met the fault {fault}")));
    Some(format!("{words}; {bound}"))
}

fn is_of(row: &Seen, exchange: &Exchange) -> bool {
    let path = exchange.target.split('?').next().unwrap_or_default();
    let asked = format!("{} {path}", exchange.method);
    row.endpoint.as_deref().is_none_or(|aim| hits(aim, &exchange.key.endpoint, &asked))
        && row.status.is_none_or(|statuses| statuses.has(exchange.status))
        && (row.fault.is_none()
            || exchange.faults.iter().any(|fault| is_named(row, &fault.kind, &fault.planned)))
}

fn is_named(row: &Seen, kind: &str, planned: &str) -> bool {
    row.fault.as_deref().is_some_and(|fault| fault == kind || fault == planned)
}
