//! A scenario drawn as text: what each poll of a task sees, which planned faults it meets, and how it ends.

use std::collections::BTreeSet;

use crate::cassette::find::{Asker, find};
use crate::fault::Fault;
use crate::json::Json;
use crate::profile::{Lifecycle, Profile};
use crate::scenario::{Clock, Nth, Of, PlannedFault, Scenario, Source, When};
use crate::timeline::{Deployment, HostState, Phase, stretched};

/// How many columns are drawn; what changes later is told in a line.
const COLUMNS_MAX: usize = 48;
/// How wide a line is; a wider grid goes on below.
const WIDTH: usize = 96;
/// How many recorded tasks are drawn.
const TASKS_MAX: usize = 6;
/// How many recorded polls of a task are looked at.
const POLLS_MAX: u32 = 10_000;
/// How many firings of what fires every so many times have columns of their own.
const EVERY_SHOWN: u64 = 3;

/// What something is from one tick on, until it is something else. Ascending, the first at 0.
struct Track {
    title: String,
    changes: Vec<(u64, String)>,
    life: Option<&'static Lifecycle>,
}

impl Track {
    fn at(&self, tick: u64) -> &str {
        self.changes.iter().rev().find(|(from, _)| *from <= tick).map_or("", |(_, word)| word)
    }
}

/// The grid, how it ends, and the planned faults.
pub(super) fn drawn(scenario: &Scenario) -> String {
    let (hosts, tasks) = (hosts(scenario), tasks(scenario));
    let mut text = String::new();
    if !tasks.is_empty() {
        text.push_str(&grid(scenario, &hosts, &tasks));
        for task in &tasks {
            text.push_str(&end(scenario, task, tasks.len() > 1));
        }
    }
    if !scenario.faults.is_empty() {
        text.push_str(if text.is_empty() { "Faults:\n" } else { "\nFaults:\n" });
    }
    for (n, planned) in (1..).zip(&scenario.faults) {
        let what = Fault::row(planned.inject.kind()).map_or("", |row| row.summary);
        text.push_str(&format!(
            "  [{n}] {planned}\n      {what}\n      When: {}.\n",
            in_words(&planned.when)
        ));
        if planned.optional {
            text.push_str("      It need not fire.\n");
        }
        if planned.depends_on_order() {
            text.push_str("      Which requests it meets depends on when they come, or in which order.\n");
        }
    }
    text
}

/// What ticks are called here.
fn unit(scenario: &Scenario) -> &'static str {
    if scenario.clock.is_some() { "tick" } else { "poll" }
}

fn hosts(scenario: &Scenario) -> Vec<Track> {
    let Some(deployment) = &scenario.deployment else { return Vec::new() };
    let up = deployment.picked_up_at;
    let later = deployment.hosts.iter().flat_map(|host| &host.changes).map(|change| change.at.max(up));
    let ticks: BTreeSet<u32> = later.chain([up]).collect();
    let track = |(index, title): (usize, String)| {
        let word = |tick: u32| deployment.states_at(tick).get(index).map_or("", |state| host_word(*state));
        let before = (up > 0).then(|| (0, "-".to_owned()));
        let after = ticks.iter().map(|tick| (u64::from(*tick), word(*tick).to_owned()));
        Track { title, changes: before.into_iter().chain(after).collect(), life: None }
    };
    deployment.hosts.iter().map(|host| host.name.clone()).enumerate().map(track).collect()
}

fn host_word(state: HostState) -> &'static str {
    match state {
        HostState::Working => "working",
        HostState::Done => "done",
        HostState::Down => "down",
        HostState::Removed => "removed",
    }
}

/// The task's state: as the deployment makes it, as it is scripted, or as it was recorded.
fn tasks(scenario: &Scenario) -> Vec<Track> {
    let recorded = recorded(scenario);
    let life = recorded.first().and_then(|track| track.life).or_else(usual_life);
    let changes: Vec<(u64, String)> = if let Some(deployment) = &scenario.deployment {
        phases(deployment, life)
    } else {
        let set = |set: &[(String, String)]| {
            let of_state = set.iter().find(|(name, _)| {
                name == "state" || name == "status" || life.is_some_and(|life| life.state.contains(name))
            });
            match of_state {
                Some((_, value)) => plain(value),
                None => {
                    set.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
                }
            }
        };
        scenario.path.iter().map(|step| (u64::from(step.at), set(&step.set))).collect()
    };
    if changes.is_empty() {
        return recorded;
    }
    vec![Track { title: "task".to_owned(), changes, life }]
}

fn phases(deployment: &Deployment, life: Option<&'static Lifecycle>) -> Vec<(u64, String)> {
    let spelt = |phase: Phase| {
        life.and_then(|life| life.spelling(phase)).map_or_else(|| format!("{phase:?}"), str::to_owned)
    };
    deployment.phases().into_iter().map(|(from, phase)| (u64::from(from), spelt(phase))).collect()
}

/// The text of a JSON value without its quotes.
fn plain(value: &str) -> String {
    Json::parse(value)
        .ok()
        .and_then(|json| json.as_str().map(str::to_owned))
        .unwrap_or_else(|| value.to_owned())
}

fn usual_life() -> Option<&'static Lifecycle> {
    Profile::builtin().task_of(crate::client::JobKind::Wait.usual_endpoint()?)
}

/// The tasks of the scenario's cassette, as their polls were recorded. What cannot be had has none.
fn recorded(scenario: &Scenario) -> Vec<Track> {
    let Source::Cassette(Some(name)) = &scenario.source else { return Vec::new() };
    let Ok(cassette) = find(name, Asker::Scenario(scenario.file.as_deref())) else { return Vec::new() };
    let mut polls: Vec<(String, &'static Lifecycle, Vec<String>)> = Vec::new();
    for one in &cassette.interactions {
        let Some(life) = Profile::builtin().task_of(&one.endpoint) else { continue };
        let state = one.response.text().and_then(|text| {
            let json = Json::parse(text).ok()?;
            life.state_of(&json).map(|(_, state)| state.to_owned())
        });
        let (Some(state), path) = (state, one.request.path()) else { continue };
        match polls.iter_mut().find(|(known, ..)| known == path) {
            Some((_, _, states)) => states.push(state),
            None => polls.push((path.to_owned(), life, vec![state])),
        }
    }
    let several = polls.len() > 1;
    polls.truncate(TASKS_MAX);
    let track = |(path, life, states): (String, &'static Lifecycle, Vec<String>)| {
        let id = path.rsplit('/').next().unwrap_or_default();
        let title = if several { format!("task {id}") } else { "task".to_owned() };
        Track { title, changes: lasting(&states, life, scenario.polls_per_phase), life: Some(life) }
    };
    polls.into_iter().map(track).collect()
}

/// Recorded states as they come poll by poll, each phase cut or stretched if the scenario says so.
fn lasting(states: &[String], life: &Lifecycle, per_phase: Option<u32>) -> Vec<(u64, String)> {
    let phases: Vec<Option<Phase>> = states.iter().map(|state| life.phase(state)).collect();
    let most = u32::try_from(states.len()).unwrap_or(POLLS_MAX).saturating_mul(per_phase.unwrap_or(1));
    let mut changes: Vec<(u64, String)> = Vec::new();
    for tick in 0..most.min(POLLS_MAX) {
        let index = per_phase.map_or(tick as usize, |polls| stretched(&phases, polls, tick));
        let Some(state) = states.get(index) else { break };
        if changes.last().is_none_or(|(_, last)| last != state) {
            changes.push((u64::from(tick), state.clone()));
        }
    }
    changes
}

/// The ticks at which anything changes: the columns begin there.
fn columns(scenario: &Scenario, tracks: &[&Track]) -> Vec<u64> {
    let mut starts: BTreeSet<u64> =
        tracks.iter().flat_map(|track| &track.changes).map(|(at, _)| *at).collect();
    starts.insert(0);
    for planned in scenario.faults.iter().filter(|planned| is_placed(scenario, planned)) {
        match planned.when.nth {
            Nth::Between(first, last) => {
                starts.insert(u64::from(first).saturating_sub(1));
                starts.extend(last.map(u64::from));
            }
            Nth::Every(step) => {
                let hits = (1..=EVERY_SHOWN).map(|n| u64::from(step).saturating_mul(n).saturating_sub(1));
                starts.extend(hits.flat_map(|hit| [hit, hit + 1]));
            }
        }
        if let Some(ticks) = planned.when.tick {
            starts.insert(ticks.first);
            starts.extend(ticks.last.map(|last| last.saturating_add(1)));
        }
    }
    starts.into_iter().collect()
}

/// Whether the polls of a task at which it fires can be told beforehand.
fn is_placed(scenario: &Scenario, planned: &PlannedFault) -> bool {
    let When { endpoint, nth, of, call, session, resource, query, since_start_ms, after, .. } = &planned.when;
    let When { connection, most, .. } = &planned.when;
    let is_poll = endpoint.as_deref().is_none_or(|id| Profile::builtin().task_of(id).is_some());
    let depends_on_more = call.is_some()
        || session.is_some()
        || resource.is_some()
        || !query.is_empty()
        || since_start_ms.is_some()
        || after.is_some()
        || connection.is_some()
        || most.is_some();
    // With a clock nobody knows which poll falls on which tick.
    let is_counted = scenario.clock.is_none() || *nth == Nth::ALL;
    is_poll && *of == Of::Resource && is_counted && !depends_on_more
}

/// The mark of a fault in the column from `from` up to `to`, if it fires there.
fn mark(n: usize, planned: &PlannedFault, task: &Track, from: u64, to: Option<u64>) -> Option<String> {
    let When { nth, tick, state, chance, .. } = &planned.when;
    let is_state = |wanted: &String| {
        let shown = task.at(from);
        let phase = task.life.and_then(|life| life.phase(shown));
        wanted == shown || phase.is_some_and(|phase| format!("{phase:?}").eq_ignore_ascii_case(wanted))
    };
    if !state.as_ref().is_none_or(is_state) || !tick.is_none_or(|ticks| ticks.holds(from)) {
        return None;
    }
    let poll = u32::try_from(from.saturating_add(1)).unwrap_or(u32::MAX);
    let is_wide = to.is_none_or(|to| to > from + 1);
    let at_times = match nth {
        Nth::Every(step) if is_wide => {
            let hit = (from / u64::from(*step).max(1) + 1).saturating_mul((*step).into());
            to.is_none_or(|to| hit <= to).then_some("*")?
        }
        _ if nth.holds(poll) => "",
        _ => return None,
    };
    Some(format!("[{n}]{at_times}{}", if chance.is_some() { "?" } else { "" }))
}

/// One line of the grid: what it is about, and a word a column.
type Line = (String, Vec<String>);

fn grid(scenario: &Scenario, hosts: &[Track], tasks: &[Track]) -> String {
    let tracks: Vec<&Track> = hosts.iter().chain(tasks).collect();
    let all = columns(scenario, &tracks);
    let ranges: Vec<(u64, Option<u64>)> = all
        .iter()
        .copied()
        .zip(all.iter().copied().skip(1).map(Some).chain([None]))
        .take(COLUMNS_MAX)
        .collect();
    let label = |(from, to): &(u64, Option<u64>)| match to {
        None => format!("{from}-"),
        Some(to) if *to == from + 1 => from.to_string(),
        Some(to) => format!("{from}-{}", to - 1),
    };
    let mut lines: Vec<Line> = vec![(unit(scenario).to_owned(), ranges.iter().map(label).collect())];
    for track in tracks {
        let words = ranges.iter().map(|(from, _)| track.at(*from).to_owned()).collect();
        lines.push((track.title.clone(), words));
    }
    if let Some(task) = tasks.first() {
        let marks = |(from, to): &(u64, Option<u64>)| {
            let placed = (1..).zip(&scenario.faults).filter(|(_, planned)| is_placed(scenario, planned));
            let marks = placed.filter_map(|(n, planned)| mark(n, planned, task, *from, *to));
            marks.collect::<Vec<_>>().join(" ")
        };
        let marks: Vec<String> = ranges.iter().map(marks).collect();
        if marks.iter().any(|mark| !mark.is_empty()) {
            lines.push(("faults".to_owned(), marks));
        }
    }
    let mut text = laid_out(&lines, ranges.len());
    if all.len() > ranges.len() {
        text.push_str(&format!("  ... and {} changes more\n", all.len() - ranges.len()));
    }
    match scenario.clock {
        Some(Clock::Every(ms)) => {
            text.push_str(&format!("A tick is {ms} ms, counted from the first poll.\n"))
        }
        Some(Clock::ByHand) => text.push_str("Whoever runs it moves the clock, tick by tick.\n"),
        None => {}
    }
    text
}

/// The lines with their columns below each other, in as many parts as their width needs.
fn laid_out(lines: &[Line], count: usize) -> String {
    let length = |word: &String| word.chars().count();
    let width_of = |column: usize| {
        lines.iter().filter_map(|(_, words)| words.get(column)).map(length).max().unwrap_or(0)
    };
    let title = lines.iter().map(|(title, _)| length(title)).max().unwrap_or(0);
    let (mut text, mut first) = (String::new(), 0);
    while first < count {
        let (mut last, mut width) = (first, 2 + title);
        while last < count && (last == first || width + 2 + width_of(last) <= WIDTH) {
            width += 2 + width_of(last);
            last += 1;
        }
        if first > 0 {
            text.push('\n');
        }
        for (name, words) in lines {
            let mut line = format!("  {name:<title$}");
            for column in first..last {
                let word = words.get(column).map_or("", String::as_str);
                line.push_str(&format!("  {word:<0$}", width_of(column)));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        first = last;
    }
    text
}

/// How a task ends, in a sentence.
fn end(scenario: &Scenario, task: &Track, is_one_of_several: bool) -> String {
    let Some((from, word)) = task.changes.last() else { return String::new() };
    let name = if is_one_of_several { format!("{}: ", task.title) } else { String::new() };
    let unit = unit(scenario);
    match task.life.and_then(|life| life.phase(word)) {
        Some(Phase::Done | Phase::Failed | Phase::Cancelled) => {
            format!("{name}It ends with {word} at {unit} {from}.\n")
        }
        Some(_) => format!("{name}It never ends: it stays {word} from {unit} {from} on.\n"),
        None => format!("{name}From {unit} {from} on: {word}, which the API does not know here.\n"),
    }
}

/// The conditions of a planned fault, in words.
fn in_words(when: &When) -> String {
    let mut parts = vec![when.endpoint.clone().unwrap_or_else(|| "any request".to_owned()), times(when.nth)];
    let mut add = |part: Option<String>| parts.extend(part);
    add((when.of == Of::Endpoint).then(|| "counted over all its resources together".to_owned()));
    add(when
        .call
        .map(|call| format!("in its calls {call}, where the same request repeated at once is one call")));
    add(when.session.as_ref().map(|name| format!("in the session `{name}`")));
    add(when.resource.as_ref().map(|path| format!("about {path}")));
    for (name, value) in &when.query {
        let value = value.as_ref().map(|value| format!("={value}")).unwrap_or_default();
        add(Some(format!("with `{name}{value}` in its query")));
    }
    add(when.state.as_ref().map(|state| format!("while the answer shows {state}")));
    add(when.tick.map(|ticks| format!("at tick {ticks}")));
    add(when.since_start_ms.map(|window| format!("{window} ms after the start")));
    add(when.after.as_ref().map(|name| format!("after `{name}` has fired")));
    add(when.connection.map(|nth| format!("on connection {nth}")));
    add(when.chance.map(|chance| format!("with a chance of {chance}")));
    add(when.most.map(|most| format!("at most {most} times")));
    parts.join(", ")
}

fn times(nth: Nth) -> String {
    match nth {
        Nth::Between(1, None) => "each time".to_owned(),
        Nth::Between(first, None) => format!("from the {} time on", ordinal(first)),
        Nth::Between(first, Some(last)) if first == last => format!("the {} time", ordinal(first)),
        Nth::Between(first, Some(last)) => format!("the {} to the {} time", ordinal(first), ordinal(last)),
        Nth::Every(step) => format!("every {} time", ordinal(step)),
    }
}

fn ordinal(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (1, not_11) if not_11 != 11 => "st",
        (2, not_12) if not_12 != 12 => "nd",
        (3, not_13) if not_13 != 13 => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(text: &str) -> String {
        drawn(&Scenario::parse("x", "x", text, Profile::builtin()).unwrap())
    }

    #[test]
    fn hosts_stand_over_the_task_and_faults_below_it() {
        let drawn = story(
            "[deployment]\n[[deployment.hosts]]\nname = \"console\"\nchanges = [{ at = 2, becomes = \"done\" }]\n\
             [[deployment.hosts]]\nname = \"mh\"\nchanges = [{ at = 1, becomes = \"down\" }, { at = 5, becomes = \
             \"removed\" }]\n[[fault]]\nwhen = { endpoint = \"case_create_tasks.get\", nth = \"2-3\" }\ninject = { \
             hang = {} }\n[[fault]]\nwhen = { endpoint = \"cases.post\", nth = \"1\" }\ninject = { garbage = {} }\n",
        );
        let expected = "  \
  poll     0        1           2                   3-4                 5-
  console  -        working     done                done                done
  mh       -        down        down                down                removed
  task     WAITING  PROCESSING  PARTIALLY_COMPLETE  PARTIALLY_COMPLETE  COMPLETE
  faults            [1]         [1]
It ends with COMPLETE at poll 5.
";
        assert!(drawn.starts_with(expected), "{drawn}");
        assert!(
            drawn.contains("  [1] hang@GET /forensics/") && drawn.contains("the 2nd to the 3rd time"),
            "{drawn}"
        );
        assert!(drawn.contains("POST /forensics/case_management/cases, the 1st time."), "{drawn}");
    }

    #[test]
    fn a_path_is_drawn_by_its_states_and_one_without_end_is_told() {
        let drawn = story(
            "[[path]]\nat = 0\nset = { state = \"WAITING\" }\n[[path]]\nat = 3\nset = { state = \"PROCESSING\" }\n",
        );
        assert!(drawn.contains("  poll  0-2      3-\n  task  WAITING  PROCESSING\n"), "{drawn}");
        assert!(drawn.contains("It never ends: it stays PROCESSING from poll 3 on."), "{drawn}");
    }

    #[test]
    fn what_depends_on_the_order_of_arrival_is_said_to() {
        let told = |when: &str, inject: &str| {
            let drawn = story(&format!("[[fault]]\nwhen = {{ {when} }}\ninject = {{ {inject} }}\n"));
            drawn.contains("depends on when they come, or in which order")
        };
        // A quota is shared by all that is aimed at, whatever else is said of them.
        assert!(told("endpoint = \"cases.list\"", "rate-limit = { requests = 2, window_ms = 1000 }"));
        for when in
            ["connection = \"3\"", "nth = \"2\", of = \"endpoint\"", "most = 2", "since_start_ms = \"5-\""]
        {
            assert!(told(when, "garbage = {}"), "{when}");
        }
        for when in
            ["", "nth = \"2\"", "chance = \"1/2\"", "tick = \"3\"", "call = \"2\"", "state = \"done\""]
        {
            assert!(!told(when, "garbage = {}"), "{when}");
        }
    }

    #[test]
    fn what_fires_every_third_time_is_marked_where_it_does() {
        let fault = "[[fault]]\nwhen = { endpoint = \"case_create_tasks.get\", nth = \"every 3\" }\ninject = { hang = {} }\n";
        let path = "[[path]]\nat = 0\nset = { state = \"WAITING\" }\n";
        let drawn = story(&format!("{path}{fault}"));
        assert!(
            drawn.contains("  poll    0-1      2        3-4      5        6-7      8        9-\n"),
            "{drawn}"
        );
        assert!(
            drawn.contains("  faults           [1]               [1]               [1]      [1]*\n"),
            "{drawn}"
        );
    }

    #[test]
    fn a_recorded_task_is_drawn_as_its_polls_came() {
        let drawn = story("cassette = \"builtin:forensics/create-case\"\npolls_per_phase = 2\n");
        assert!(drawn.contains("  poll  0-1      2-3         4-5                 6-\n"), "{drawn}");
        assert!(drawn.contains("  task  WAITING  PROCESSING  PARTIALLY_COMPLETE  COMPLETE\n"), "{drawn}");
    }

    #[test]
    fn a_wide_grid_goes_on_below_and_a_huge_one_ends() {
        let steps: String = (0..60)
            .map(|at| format!("[[path]]\nat = {at}\nset = {{ state = \"STATE_NUMBER_{at}\" }}\n"))
            .collect();
        let drawn = story(&steps);
        assert!(drawn.lines().all(|line| line.chars().count() <= WIDTH), "{drawn}");
        assert!(drawn.contains("... and 12 changes more"), "{drawn}");
    }
}
