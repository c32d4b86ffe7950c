//! The content: a task that is reported is one that came, the latest one.

use super::{Heard, brought, tells};
use crate::json::{Json, Kind};
use crate::judge::case::Run;
use crate::judge::wire;
use crate::ledger::Exchange;
use crate::timeline::Phase;

/// What is wrong with the task that a client reports after a wait, if anything.
pub(super) fn wrong(run: &Run, task: &str) -> Option<String> {
    let reported = Json::parse(task).ok()?;
    if !matches!(reported.kind(), Kind::Object(_)) {
        return None;
    }
    let is_sure = |exchange: &Exchange| {
        tells(run, exchange) && matches!(brought(run, exchange), Some((Heard::Surely, _)))
    };
    let last = run.exchanges.iter().rposition(is_sure)?;
    let (earlier, later) = run.exchanges.split_at_checked(last)?;
    let (_, text) = brought(run, later.first()?)?;
    let latest = Json::parse(text?).ok()?;
    let (name, was, is) = first_difference(&latest, &reported)?;
    if later.iter().any(|exchange| is_shown_by(run, exchange, &reported)) {
        return None;
    }
    let is_stale = earlier.iter().any(|exchange| is_shown_by(run, exchange, &reported));
    if is_stale && !is_in_order(run) {
        return None;
    }
    Some(match is_stale {
        true => {
            format!(
                "it reports the task as an earlier answer had it: `{name}` is {is}, and came last as {was}"
            )
        }
        false => format!("`{name}` came as {was}, and it reports {is}"),
    })
}

/// Whether a reported task came with the answer to another request: a list, another resource.
pub(super) fn is_from_elsewhere(run: &Run, task: &str) -> bool {
    let Ok(reported) = Json::parse(task) else { return false };
    let mut others = run.exchanges.iter().filter(|exchange| !tells(run, exchange));
    others.any(|exchange| is_shown_by(run, exchange, &reported))
}

/// Whether what is reported holds no plain value at all.
pub(super) fn is_empty(task: &str) -> bool {
    let is_nothing =
        |json: &Json<'_>| !is_plain(json) && json.members().iter().all(|(_, value)| !is_plain(value));
    Json::parse(task).is_ok_and(|json| each(&json).iter().all(is_nothing))
}

fn is_plain(json: &Json<'_>) -> bool {
    matches!(json.kind(), Kind::Bool(_) | Kind::Number | Kind::String(_))
}

/// Whether an answer, or an element of it, has a value in common with what is reported, and no other one.
fn is_shown_by(run: &Run, exchange: &Exchange, reported: &Json<'_>) -> bool {
    let Some((_, text)) = brought(run, exchange) else { return false };
    // What the ledger does not keep may hold anything.
    let Some(json) = text.and_then(|text| Json::parse(text).ok()) else { return true };
    let shows = |one: &Json<'_>, report: &Json<'_>| {
        shared(one, report).next().is_some() && first_difference(one, report).is_none()
    };
    each(reported).iter().any(|report| each(&json).iter().any(|one| shows(one, report)))
}

/// The elements of a list, else the value itself.
pub(super) fn each<'j, 'a>(json: &'j Json<'a>) -> &'j [Json<'a>] {
    if matches!(json.kind(), Kind::Array(_)) { json.elements() } else { std::slice::from_ref(json) }
}

/// The plain values that both have: members, lists and what is null identify nothing.
fn shared<'j, 'a>(
    one: &'j Json<'a>,
    other: &'j Json<'a>,
) -> impl Iterator<Item = (&'j str, &'j Json<'a>, &'j Json<'a>)> {
    one.members().iter().filter_map(move |(name, value)| {
        let theirs = other.member(name)?;
        (is_plain(value) && is_plain(theirs)).then_some((name.as_ref(), value, theirs))
    })
}

/// The first value that differs: its name, and how it is in each. A number as a text is the same number.
fn first_difference(one: &Json<'_>, other: &Json<'_>) -> Option<(String, String, String)> {
    fn bare<'j>(json: &'j Json<'_>) -> &'j str {
        json.as_str().unwrap_or(json.text())
    }
    shared(one, other)
        .find(|(_, ours, theirs)| !ours.same(theirs) && bare(ours) != bare(theirs))
        .map(|(name, ours, theirs)| (name.to_owned(), ours.text().to_owned(), theirs.text().to_owned()))
}

/// Whether the task only ever went on, as far as it was seen: else none of its answers outranks another.
fn is_in_order(run: &Run) -> bool {
    let asked =
        run.exchanges.iter().filter(|exchange| tells(run, exchange) && brought(run, exchange).is_some());
    let phases = asked.filter_map(|exchange| wire::phase_shown(exchange).map(Phase::rank));
    phases.is_sorted()
}
