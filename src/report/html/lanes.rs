//! Swim lanes: requests, faults, the task's state and each managed host of a run, against time and ticks.

use std::collections::{BTreeMap, BTreeSet};

use super::super::account::Account;
use super::super::request_line;
use super::exchanges::Folded;
use super::hosts::hosts;
use super::text::{beginning, escaped};
use crate::ledger::{Exchange, ExchangeKey, Origin, RunLine, Standing, Timing};

/// Bytes of the page that lanes take.
const LANES_MAX: usize = 1536 * 1024;
/// How many lanes of requests a run has; the others share the last.
const ENDPOINTS_MAX: usize = 10;
/// How many managed hosts have a lane.
const HOSTS_MAX: usize = 12;
/// Where lanes begin and end, and how high one is.
const LEFT: u64 = 230;
const RIGHT: u64 = 1180;
const HEIGHT: u64 = 22;

/// The lanes of every run, as far as the page has room: those with a violation first.
pub(super) fn lanes<'a>(
    account: &Account<'a>,
    folded: &Folded<'a>,
    times: &BTreeMap<&'a ExchangeKey, &'a Timing>,
) -> String {
    let mut sessions: BTreeMap<&str, Vec<&Exchange>> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    for (exchange, _) in &account.exchanges {
        let session = exchange.key.session.as_str();
        // What was folded before it came here has no run.
        if exchange.method.is_empty() || exchange.key.nth == 0 {
            continue;
        }
        sessions.entry(session).or_insert_with(|| {
            order.push(session);
            Vec::new()
        });
        if let Some(exchanges) = sessions.get_mut(session) {
            exchanges.push(exchange);
        }
    }
    let broken: BTreeSet<&str> = (account.verdicts.iter())
        .filter(|verdict| verdict.verdict == Standing::Violated)
        .filter_map(|verdict| verdict.session.as_deref())
        .collect();
    order.sort_by_key(|session| !broken.contains(session));
    let mut text = String::new();
    let mut shown = 0;
    for session in &order {
        let exchanges = sessions.get(session).map(Vec::as_slice).unwrap_or_default();
        let run = account.runs.iter().find(|run| run.session == **session).copied();
        let drawn = drawn(session, run, exchanges, folded, times, shown == 0);
        if text.len() + drawn.len() > LANES_MAX {
            break;
        }
        shown += 1;
        text.push_str(&drawn);
    }
    if order.len() > shown {
        text.push_str(&format!(
            "<p>{} more sessions are left out: the ledger has them.</p>\n",
            order.len() - shown
        ));
    }
    text
}

/// One run.
fn drawn(
    session: &str,
    run: Option<&RunLine>,
    exchanges: &[&Exchange],
    folded: &Folded<'_>,
    times: &BTreeMap<&ExchangeKey, &Timing>,
    is_open: bool,
) -> String {
    let axis = Axis::of(exchanges, times);
    let mut canvas = Canvas { body: String::new(), row: 0 };
    requests(&mut canvas, &axis, exchanges, folded);
    faults(&mut canvas, &axis, exchanges, folded);
    states(&mut canvas, &axis, exchanges);
    ticks(&mut canvas, &axis, exchanges);
    let scenario = run.and_then(|run| run.scenario_text.as_deref()).unwrap_or_default();
    for host in hosts(scenario).iter().take(HOSTS_MAX) {
        let mut spans = vec![(axis.of_tick(0), "working".to_owned())];
        for (at, becomes) in &host.changes {
            spans.push((axis.of_tick(*at), becomes.clone()));
        }
        canvas.lane(&format!("host {}", host.name));
        canvas.spans(&spans);
        canvas.row += 1;
    }
    let name = run.and_then(|run| run.scenario.as_deref()).filter(|name| !name.is_empty());
    let seed = run.map_or_else(String::new, |run| format!(", seed {}", run.seed));
    let title = format!("{session}: {}{seed}, {} requests", name.unwrap_or("no scenario"), exchanges.len());
    let (title, open) = (escaped(&title), if is_open { " open" } else { "" });
    let height = (canvas.row + 1) * HEIGHT + 8;
    format!(
        "<details{open}>\n<summary>{title}</summary>\n<svg viewBox=\"0 0 1200 {height}\" role=\"img\" aria-label=\"{title}\">\n{}<text class=\"dim\" x=\"{LEFT}\" y=\"{}\">{}</text>\n</svg>\n</details>\n",
        canvas.body,
        height - 6,
        escaped(&axis.label),
    )
}

/// Where on the page a moment is.
struct Axis {
    /// The place of each exchange, and how wide it is.
    places: Vec<(u64, u64)>,
    /// The first place of each tick.
    ticks: BTreeMap<u32, u64>,
    label: String,
}

impl Axis {
    fn of(exchanges: &[&Exchange], times: &BTreeMap<&ExchangeKey, &Timing>) -> Self {
        let timed: Option<Vec<(u64, u64)>> = exchanges
            .iter()
            .map(|exchange| times.get(&exchange.key).map(|timing| (timing.at_us, timing.took_us)))
            .collect();
        let (moments, label): (Vec<(u64, u64)>, _) = match timed {
            Some(timed) => (timed, "ms"),
            None => ((0..exchanges.len() as u64).map(|place| (place, 1)).collect(), ""),
        };
        let end = moments.iter().map(|(at, took)| at.saturating_add(*took)).max().unwrap_or(1).max(1);
        let scaled = |moment: u64| {
            // In 128 bits no number of a ledger overflows.
            let wide = u128::from(moment) * u128::from(RIGHT - LEFT) / u128::from(end);
            u64::try_from(wide).unwrap_or(RIGHT - LEFT)
        };
        let places: Vec<(u64, u64)> =
            moments.iter().map(|(at, took)| (LEFT + scaled(*at), scaled(*took).max(3))).collect();
        let mut ticks = BTreeMap::new();
        for (exchange, (x, _)) in exchanges.iter().zip(&places) {
            if let Some(tick) = exchange.tick {
                ticks.entry(tick).or_insert(*x);
            }
        }
        let label = match label {
            "" => "in the order in which they were asked (the ledger has no times)".to_owned(),
            _ => format!("from 0 to {} ms", end.div_ceil(1000)),
        };
        Self { places, ticks, label }
    }

    /// Where a tick begins: at its first poll, or at the end if no poll came to it.
    fn of_tick(&self, tick: u32) -> u64 {
        if tick == 0 {
            return LEFT;
        }
        self.ticks.range(tick..).next().map_or(RIGHT, |(_, x)| *x)
    }
}

/// What is drawn so far.
struct Canvas {
    body: String,
    row: u64,
}

impl Canvas {
    /// Begins a lane with its name.
    fn lane(&mut self, name: &str) {
        let y = self.row * HEIGHT;
        self.body.push_str(&format!(
            "<text x=\"4\" y=\"{}\">{}</text><line class=\"grid\" x1=\"0\" x2=\"1200\" y1=\"{y}\" y2=\"{y}\"/>\n",
            y + 15,
            escaped(beginning(name, 36)),
        ));
    }

    /// A mark on the lane that leads to its exchange.
    fn mark(&mut self, (x, width): (u64, u64), class: &str, title: &str, anchor: Option<String>) {
        let y = self.row * HEIGHT + 5;
        let mark = format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"12\"><title>{}</title></rect>",
            escaped(beginning(title, 120))
        );
        match anchor {
            Some(anchor) => self.body.push_str(&format!("<a href=\"{anchor}\">{mark}</a>\n")),
            None => self.body.push_str(&format!("{mark}\n")),
        }
    }

    /// What lasts until the next one begins.
    fn spans(&mut self, spans: &[(u64, String)]) {
        let y = self.row * HEIGHT + 3;
        for (place, (x, name)) in spans.iter().enumerate() {
            let end = spans.get(place + 1).map_or(RIGHT, |(next, _)| *next);
            if end <= *x {
                continue;
            }
            let width = end - x;
            let lower = name.to_lowercase();
            let class = match lower.as_str() {
                "done" | "complete" | "completed" => "done",
                "down" | "failed" | "error" => "down",
                _ => "state",
            };
            let shown = if width > 40 {
                escaped(beginning(name, usize::try_from(width / 7).unwrap_or(0)))
            } else {
                String::new()
            };
            self.body.push_str(&format!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"16\"><title>{}</title></rect><text x=\"{}\" y=\"{}\">{shown}</text>\n",
                escaped(beginning(name, 60)),
                x + 4,
                y + 12,
            ));
        }
    }
}

/// A lane an endpoint; marks that would cover each other are drawn once.
fn requests(canvas: &mut Canvas, axis: &Axis, exchanges: &[&Exchange], folded: &Folded<'_>) {
    let name = |exchange: &Exchange| match exchange.key.endpoint.is_empty() {
        true => format!("{} {}", exchange.method, exchange.key.resource),
        false => exchange.key.endpoint.clone(),
    };
    let mut names: Vec<String> = Vec::new();
    for exchange in exchanges {
        let name = name(exchange);
        if names.len() < ENDPOINTS_MAX && !names.contains(&name) {
            names.push(name);
        }
    }
    let lane_of = |exchange: &Exchange| {
        names.iter().position(|known| *known == name(exchange)).unwrap_or(ENDPOINTS_MAX)
    };
    let has_others = exchanges.iter().any(|exchange| lane_of(exchange) == ENDPOINTS_MAX);
    for lane in (0..names.len()).chain(has_others.then_some(ENDPOINTS_MAX)) {
        // The end of an endpoint's name says most.
        let shown = names.get(lane).map_or("others", |name| {
            let begin = (name.len().saturating_sub(34)..=name.len()).find(|at| name.is_char_boundary(*at));
            begin.and_then(|at| name.get(at..)).unwrap_or_default()
        });
        canvas.lane(shown);
        let mut last = None;
        for (exchange, place) in exchanges.iter().zip(&axis.places).filter(|(it, _)| lane_of(it) == lane) {
            let class = if matches!(exchange.origin, Origin::Miss { .. }) { "miss" } else { "request" };
            if last == Some((place.0, class)) {
                continue;
            }
            last = Some((place.0, class));
            canvas.mark(*place, class, &request_line(exchange), folded.anchor(&exchange.key));
        }
        canvas.row += 1;
    }
}

fn faults(canvas: &mut Canvas, axis: &Axis, exchanges: &[&Exchange], folded: &Folded<'_>) {
    if exchanges.iter().all(|exchange| exchange.faults.is_empty()) {
        return;
    }
    canvas.lane("faults");
    let mut last = None;
    for (exchange, place) in exchanges.iter().zip(&axis.places) {
        let Some(fault) = exchange.faults.first() else { continue };
        if last == Some(place.0) {
            continue;
        }
        last = Some(place.0);
        let title = format!("{}: {}", fault.kind, fault.did);
        canvas.mark((place.0, 4), "fault", &title, folded.anchor(&exchange.key));
    }
    canvas.row += 1;
}

fn states(canvas: &mut Canvas, axis: &Axis, exchanges: &[&Exchange]) {
    let mut spans: Vec<(u64, String)> = Vec::new();
    for (exchange, (x, _)) in exchanges.iter().zip(&axis.places) {
        if let Some(state) = &exchange.state
            && spans.last().is_none_or(|(_, known)| known != state)
        {
            spans.push((*x, state.clone()));
        }
    }
    if !spans.is_empty() {
        canvas.lane("state of the task");
        canvas.spans(&spans);
        canvas.row += 1;
    }
}

fn ticks(canvas: &mut Canvas, axis: &Axis, exchanges: &[&Exchange]) {
    if exchanges.iter().all(|exchange| exchange.tick.is_none()) {
        return;
    }
    canvas.lane("tick");
    let y = canvas.row * HEIGHT + 15;
    let mut free = 0;
    for (tick, x) in &axis.ticks {
        if *x >= free {
            canvas.body.push_str(&format!("<text class=\"dim\" x=\"{x}\" y=\"{y}\">{tick}</text>\n"));
            free = x + 24;
        }
    }
    canvas.row += 1;
}
