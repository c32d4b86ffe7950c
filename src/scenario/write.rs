//! Writes a scenario, so that reading it gives the same back.

use std::fmt::Write as _;

use super::matching::put_matching;
use super::one_line::conditions_of;
use super::trigger::{CONDITIONS, Condition};
use super::when::When;
use super::{Case, Clock, CommandMust, Must, Of, PlannedFault, Repeats, Scenario, Source, Writes};
use crate::fault::Fault;
use crate::json::{Json, Kind, quote};
use crate::timeline::{Deployment, HostState, PathStep};

impl Scenario {
    /// The scenario as TOML. Reading the text gives the same scenario back: comments, spelling and order of keys may
    /// differ, what it means does not. A `null` in the value of a path step is left out: TOML has none.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        put(&mut out, "summary", &text(&self.summary));
        match &self.source {
            Source::Cassette(None) => {}
            Source::Cassette(Some(name)) => put(&mut out, "cassette", &text(name)),
            Source::Emulate => put(&mut out, "console", "\"emulate\""),
        }
        if self.repeats != Repeats::default() {
            put(&mut out, "repeats", &text(word(&Repeats::WORDS, self.repeats)));
        }
        if self.writes != Writes::default() {
            put(&mut out, "writes", &text(word(&Writes::WORDS, self.writes)));
        }
        if self.unknown_id_misses {
            put(&mut out, "unknown_id", "\"miss\"");
        }
        if let Some(polls) = self.polls_per_phase {
            put(&mut out, "polls_per_phase", &polls.to_string());
        }
        match self.clock {
            None => {}
            Some(Clock::Every(tick_ms)) => put(&mut out, "clock", &format!("{{ tick_ms = {tick_ms} }}")),
            Some(Clock::ByHand) => put(&mut out, "clock", "{ by = \"hand\" }"),
        }
        put_matching(&mut out, &self.matching);
        put_must(&mut out, &self.must);
        if let Some(deployment) = &self.deployment {
            put_deployment(&mut out, deployment);
        }
        self.path.iter().for_each(|step| put_step(&mut out, step));
        self.faults.iter().for_each(|fault| put_fault(&mut out, fault));
        if let Some(case) = &self.case {
            put_case(&mut out, case);
        }
        out
    }
}

/// All that says what a planned fault does and when; its name, whether it is optional, and its place do not count.
pub(super) fn canonical(fault: &PlannedFault) -> String {
    let When { endpoint, nth, of, chance, .. } = &fault.when;
    let chance = chance.map_or_else(String::new, |chance| chance.to_string());
    let of = word(&Of::WORDS, *of);
    let mut parts = vec![
        endpoint.clone().unwrap_or_default(),
        nth.to_string(),
        of.to_owned(),
        chance,
        fault_toml(&fault.inject),
    ];
    // Those that came later say nothing where they are not given: no key changed when they came.
    let later = conditions_of(&fault.when).into_iter().filter(|(name, _)| !matches!(*name, "of" | "chance"));
    parts.extend(later.map(|(name, value)| format!("{name} = {value}")));
    parts.join("\n")
}

/// A fault as the value of `inject`: `{ latency = { ms = 5, jitter_ms = 0 } }`.
pub(crate) fn fault_toml(fault: &Fault) -> String {
    // Every parameter is a number of at most 32 bits or a text, so this cannot fail; the bare name would say so.
    toml::Value::try_from(fault).map_or_else(|_| fault.kind().to_owned(), |value| value.to_string())
}

fn put(out: &mut String, key: &str, value: &str) {
    // Writing to a String never fails.
    let _ = writeln!(out, "{key} = {value}");
}

/// A basic string, legal as a key too: JSON's escapes are TOML's, and TOML wants one more character escaped.
fn text(value: &str) -> String {
    quote(value).replace('\u{7f}', "\\u007f")
}

fn word<W: PartialEq>(words: &[(&'static str, W)], meaning: W) -> &'static str {
    words.iter().find(|(_, known)| *known == meaning).map_or("", |(word, _)| word)
}

fn put_must(out: &mut String, must: &Must) {
    if *must == Must::default() {
        return;
    }
    out.push_str("\n[must]\n");
    if !must.hold.is_empty() {
        let names: Vec<String> = must.hold.iter().map(|named| text(&named.name)).collect();
        put(out, "hold", &format!("[{}]", names.join(", ")));
    }
    if must.command != CommandMust::default() {
        put(out, "command", &text(word(&CommandMust::WORDS, must.command)));
    }
    if let Some(see) = must.see.in_toml(text) {
        put(out, "see", &see);
    }
}

fn put_deployment(out: &mut String, deployment: &Deployment) {
    out.push_str("\n[deployment]\n");
    put(out, "picked_up_at", &deployment.picked_up_at.to_string());
    for host in &deployment.hosts {
        out.push_str("[[deployment.hosts]]\n");
        put(out, "name", &text(&host.name));
        let changes: Vec<String> = (host.changes.iter())
            .map(|change| format!("{{ at = {}, becomes = \"{}\" }}", change.at, state(change.becomes)))
            .collect();
        put(out, "changes", &format!("[{}]", changes.join(", ")));
    }
}

fn state(state: HostState) -> &'static str {
    match state {
        HostState::Working => "working",
        HostState::Done => "done",
        HostState::Down => "down",
        HostState::Removed => "removed",
    }
}

fn put_step(out: &mut String, step: &PathStep) {
    out.push_str("\n[[path]]\n");
    put(out, "at", &step.at.to_string());
    let members = step.set.iter().filter_map(|(name, json)| {
        let value = toml_of(&Json::parse(json).ok()?)?;
        Some(format!("{} = {value}", text(name)))
    });
    put(out, "set", &format!("{{ {} }}", members.collect::<Vec<_>>().join(", ")));
}

/// A JSON value as TOML, numbers with their digits; `None` for null, which TOML lacks.
fn toml_of(json: &Json<'_>) -> Option<String> {
    Some(match json.kind() {
        Kind::Null => return None,
        Kind::Bool(_) | Kind::Number => json.text().to_owned(),
        Kind::String(value) => text(value),
        Kind::Array(items) => {
            format!("[{}]", items.iter().filter_map(toml_of).collect::<Vec<_>>().join(", "))
        }
        Kind::Object(members) => {
            let members = members
                .iter()
                .filter_map(|(name, value)| Some(format!("{} = {}", text(name), toml_of(value)?)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
    })
}

fn put_fault(out: &mut String, fault: &PlannedFault) {
    out.push_str("\n[[fault]]\n");
    if let Some(name) = &fault.name {
        put(out, "name", &text(name));
    }
    put(out, "when", &format!("{{ {} }}", when_entries(&fault.when).join(", ")));
    put(out, "inject", &fault_toml(&fault.inject));
    if fault.optional {
        put(out, "optional", "true");
    }
}

fn when_entries(when: &When) -> Vec<String> {
    let mut entries = Vec::new();
    if let Some(endpoint) = &when.endpoint {
        entries.push(format!("endpoint = {}", text(endpoint)));
    }
    entries.push(format!("nth = \"{}\"", when.nth));
    let mut query = Vec::new();
    for (name, value) in conditions_of(when) {
        match CONDITIONS.iter().find(|(known, _)| *known == name).map(|(_, takes)| takes) {
            Some(Condition::Texts) => query.push(text(&value)),
            Some(Condition::Number) => entries.push(format!("{name} = {value}")),
            Some(Condition::Text) | None => entries.push(format!("{name} = {}", text(&value))),
        }
    }
    if !query.is_empty() {
        entries.push(format!("query = [{}]", query.join(", ")));
    }
    entries
}

fn put_case(out: &mut String, case: &Case) {
    out.push_str("\n[case]\n");
    put(out, "property", &text(&case.property));
    put(out, "client", &text(&case.client));
    put(out, "job", &text(&case.job));
    for (key, value) in [("endpoint", &case.endpoint), ("path", &case.path)] {
        if let Some(value) = value {
            put(out, key, &text(value));
        }
    }
    put(out, "dialect", &text(&case.dialect));
    if let Some(fields) = &case.fields {
        put(out, "fields", &text(fields));
    }
    if let Some(task) = &case.task {
        put(out, "task", &text(task));
    }
    let seed = case.seed.0;
    // Other readers of TOML stop at 63 bits, so a larger seed is written as text.
    put(out, "seed", &if i64::try_from(seed).is_ok() { seed.to_string() } else { format!("\"{seed}\"") });
}
