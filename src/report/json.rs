//! The summary for programs: one JSON object, the same for equal runs.

use std::borrow::Cow;

use serde::Serialize;

use super::account::{Account, Counts};
use super::content::Content;
use super::visible::is_obeyed;
use crate::ledger::{CoverageLine, FORMAT, RanLine, Reason, SeenLine, VerdictLine};

/// Members may be added; those here keep their name and meaning within one format.
#[derive(Serialize)]
struct Summary<'a> {
    format: u32,
    faultdeck: Option<&'a str>,
    verb: Option<&'a str>,
    /// `null` if the run was cut short.
    exit: Option<u8>,
    result: &'static str,
    because: Option<&'a str>,
    reasons: &'a [Reason],
    seed: Option<u64>,
    /// Of all runs, where they are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    seeds: Vec<u64>,
    cassettes: Vec<&'a str>,
    scenarios: Vec<&'a str>,
    clients: Vec<&'a str>,
    command: Option<&'a str>,
    counts: Counts,
    verdicts: Vec<&'a VerdictLine>,
    /// The runs of a matrix.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    runs: &'a [&'a RanLine],
    /// What each judgement put to the test.
    coverage: &'a [&'a CoverageLine],
    /// What a command was seen to do: endpoints, states, faults, interactions of the recordings.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<&'a SeenLine>,
    /// Files of counter-examples found before whose property holds now.
    fixed: Vec<&'a str>,
    misses: Vec<MissGroup<'a>>,
    refused: Vec<RefusedGroup<'a>>,
    /// What became of connections before a request.
    connections: Vec<GreetedGroup<'a>>,
    findings: Vec<FindingGroup<'a>>,
    faults: Vec<FaultGroup<'a>>,
    never_fired: &'a [String],
    /// Planned faults of which nobody can know whether a client met them.
    in_force: &'a [String],
    /// Whom a command wanted to reach that could reach its replay alone.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    elsewhere: &'a [String],
}

#[derive(Serialize)]
struct MissGroup<'a> {
    method: &'a str,
    target: &'a str,
    cause: &'a str,
    nearest: &'a [String],
    times: usize,
}

#[derive(Serialize)]
struct RefusedGroup<'a> {
    head: &'a str,
    status: u16,
    why: &'a str,
    times: usize,
}

#[derive(Serialize)]
struct GreetedGroup<'a> {
    kind: &'a str,
    did: &'a str,
    times: usize,
}

#[derive(Serialize)]
struct FindingGroup<'a> {
    at: &'a str,
    finding: Cow<'a, str>,
    times: usize,
}

#[derive(Serialize)]
struct FaultGroup<'a> {
    kind: &'a str,
    planned: &'a str,
    times: usize,
}

/// The summary as pretty JSON text, newline included.
///
/// # Errors
/// Only if a value cannot be written as JSON, which no line of a ledger does.
pub fn json<'a>(content: impl Into<Content<'a>>) -> serde_json::Result<String> {
    let account = Account::of(content);
    let run = account.runs.first();
    let end = account.end;
    let summary = Summary {
        format: FORMAT,
        faultdeck: run.map(|run| run.faultdeck.as_str()),
        verb: run.map(|run| run.verb.as_str()),
        exit: end.map(|end| end.exit.code()),
        result: end.map_or("cut short", |end| end.exit.word()),
        because: end.map(|end| end.because.as_str()),
        reasons: end.map_or(&[], |end| &end.reasons),
        seed: run.map(|run| run.seed),
        seeds: Some(account.seeds()).filter(|seeds| seeds.len() > 1).unwrap_or_default(),
        cassettes: account.distinct(|run| run.cassette.as_deref()),
        scenarios: account.distinct(|run| run.scenario.as_deref().filter(|name| !name.is_empty())),
        clients: account.distinct(|run| run.client.as_deref().filter(|client| !client.is_empty())),
        command: end.and_then(|end| end.command.as_deref()),
        counts: account.counts(),
        runs: &account.ran,
        misses: (account.misses().into_iter())
            .map(|(miss, times)| MissGroup {
                method: miss.method,
                target: miss.target,
                cause: miss.cause,
                nearest: miss.nearest,
                times,
            })
            .collect(),
        refused: (account.refused().into_iter())
            .map(|(refused, times)| RefusedGroup {
                head: &refused.head,
                status: refused.status,
                why: &refused.why,
                times,
            })
            .collect(),
        connections: (account.greeted().into_iter())
            .map(|((kind, did), times)| GreetedGroup { kind, did, times })
            .collect(),
        findings: (account.findings().into_iter())
            .map(|((at, finding), times)| FindingGroup { at, finding, times })
            .collect(),
        faults: (account.fired().into_iter())
            .map(|((kind, planned), times)| FaultGroup { kind, planned, times })
            .collect(),
        never_fired: end.map_or(&[], |end| &end.never_fired),
        in_force: end.map_or(&[], |end| &end.in_force),
        elsewhere: end.map_or(&[], |end| &end.elsewhere),
        coverage: &account.coverage,
        seen: account.seen,
        fixed: account.fixed().filter_map(|verdict| verdict.found.as_deref()).collect(),
        verdicts: account.verdicts,
    };
    Ok(safe(&serde_json::to_string_pretty(&summary)?))
}

/// serde escapes what JSON forbids; the other characters that a terminal obeys can stand only inside a string, so
/// they are escaped here without looking at the structure.
pub(super) fn safe(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if is_obeyed(character) && character != '\n' {
            shown.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    shown.push('\n');
    shown
}
