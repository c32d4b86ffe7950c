//! Slips in what is reported.

use super::super::arguments::Job;
use super::super::report::{Outcome, Standing};
use super::{Does, Slip, slip};
use crate::json::{Json, Kind, quote};

const SAYS: &str = "says-what-it-heard";
const PARTIAL: &str = "partial-is-usable-not-done";
const REPORTS: &str = "reports-what-it-got";
const ERROR: &str = "names-the-error";

pub(super) const SLIPS: &[Slip] = &[
    slip(
        "partial-as-failed",
        "it reports a task that is partly done as failed",
        PARTIAL,
        Does::Said(|outcome, _| stands(outcome, Standing::Usable, Standing::Failed)),
    ),
    slip(
        "partial-as-pending",
        "it reports a task that is partly done as not yet usable",
        PARTIAL,
        Does::Said(|outcome, _| stands(outcome, Standing::Usable, Standing::Pending)),
    ),
    slip(
        "partial-as-an-error",
        "it reports a task that is partly done as an error",
        PARTIAL,
        Does::Said(|outcome, _| match outcome {
            Outcome::Task { standing: Standing::Usable, .. } => {
                Outcome::Error("some hosts failed".to_owned())
            }
            other => other,
        }),
    ),
    slip(
        "pending-as-done",
        "it reports a task that is at work as done",
        SAYS,
        Does::Said(|outcome, _| stands(outcome, Standing::Pending, Standing::Done)),
    ),
    slip(
        "done-as-failed",
        "it reports a task that is done as failed",
        SAYS,
        Does::Said(|outcome, _| stands(outcome, Standing::Done, Standing::Failed)),
    ),
    slip(
        "gave-up-as-failed",
        "`wait` reports a task that it gave up as failed",
        SAYS,
        Does::Said(|outcome, arguments| match outcome {
            Outcome::GaveUp if arguments.job == Job::Wait => made_up(Standing::Failed, &arguments.id),
            other => other,
        }),
    ),
    slip(
        "trouble-as-failed",
        "`wait` reports a connection that broke as the task's failure",
        SAYS,
        Does::Said(|outcome, arguments| match outcome {
            Outcome::Error(_) if arguments.job == Job::Wait => made_up(Standing::Failed, &arguments.id),
            other => other,
        }),
    ),
    slip(
        "trouble-as-done",
        "`wait` reports a task as done when its console could not be reached",
        SAYS,
        Does::Said(|outcome, arguments| match outcome {
            Outcome::Error(_) if arguments.job == Job::Wait => made_up(Standing::Done, &arguments.id),
            other => other,
        }),
    ),
    slip(
        "null-is-absent",
        "it leaves out what is null",
        REPORTS,
        Does::Said(|outcome, _| {
            members(outcome, |name, value| {
                (!value.is_null()).then(|| (name.to_owned(), value.text().to_owned()))
            })
        }),
    ),
    slip(
        "empty-list-as-null",
        "it reports an empty list as null",
        REPORTS,
        Does::Said(|outcome, _| {
            let text = |value: &Json<'_>| {
                if value.compact() == "[]" { "null".to_owned() } else { value.text().to_owned() }
            };
            members(outcome, |name, value| Some((name.to_owned(), text(value))))
        }),
    ),
    slip(
        "plain-letters-alone",
        "it reports letters beyond ASCII as question marks",
        REPORTS,
        Does::Said(|outcome, _| {
            let plain = |text: &str| {
                text.chars().map(|one| if one.is_ascii() { one } else { '?' }).collect::<String>()
            };
            let text = |value: &Json<'_>| match value.kind() {
                Kind::String(_) => quote(&plain(value.as_str().unwrap_or_default())),
                _ => value.text().to_owned(),
            };
            members(outcome, |name, value| Some((name.to_owned(), text(value))))
        }),
    ),
    slip(
        "trims-texts",
        "it reports texts without the blanks at their ends, and no longer than 15",
        REPORTS,
        Does::Said(|outcome, _| {
            let text = |value: &Json<'_>| match value.as_str() {
                Some(text) => quote(&text.trim().chars().take(15).collect::<String>()),
                None => value.text().to_owned(),
            };
            members(outcome, |name, value| Some((name.to_owned(), text(value))))
        }),
    ),
    slip(
        "numbers-as-texts",
        "it reports numbers as texts",
        REPORTS,
        Does::Said(|outcome, _| {
            let text = |value: &Json<'_>| match value.kind() {
                Kind::Number => quote(value.text()),
                _ => value.text().to_owned(),
            };
            members(outcome, |name, value| Some((name.to_owned(), text(value))))
        }),
    ),
    slip(
        "loses-the-case",
        "it never reports `case_id`",
        REPORTS,
        Does::Said(|outcome, _| {
            members(outcome, |name, value| {
                (name != "case_id").then(|| (name.to_owned(), value.text().to_owned()))
            })
        }),
    ),
    slip(
        "absent-as-null",
        "it reports a name that did not come as null",
        REPORTS,
        Does::Said(|outcome, _| filled(outcome, "case_id", "null")),
    ),
    slip(
        "absent-as-empty",
        "it reports nobody as assigned where that did not come",
        "invents-nothing",
        Does::Said(|outcome, _| filled(outcome, "assigned_to", "[]")),
    ),
    slip(
        "not-found-as-gave-up",
        "it gives up when there is no such task",
        ERROR,
        Does::Said(|outcome, _| if outcome == Outcome::NotFound { Outcome::GaveUp } else { outcome }),
    ),
    slip(
        "down-when-refused",
        "it goes down without a word when it is refused",
        ERROR,
        Does::Said(|outcome, _| match outcome {
            Outcome::Rejected(_) => Outcome::Crash { how: "unhandled".to_owned() },
            other => other,
        }),
    ),
    slip(
        "down-when-missing",
        "it goes down without a word when there is no such task",
        ERROR,
        Does::Said(|outcome, _| match outcome {
            Outcome::NotFound => Outcome::Crash { how: "unhandled".to_owned() },
            other => other,
        }),
    ),
];

fn stands(outcome: Outcome, from: Standing, to: Standing) -> Outcome {
    match outcome {
        Outcome::Task { standing, task } if standing == from => Outcome::Task { standing: to, task },
        other => other,
    }
}

fn made_up(standing: Standing, id: &str) -> Outcome {
    Outcome::Task { standing, task: format!("{{\"id\":{id}}}") }
}

/// The members of a task that is reported, each with another text, or left out.
fn members(outcome: Outcome, each: impl Fn(&str, &Json<'_>) -> Option<(String, String)>) -> Outcome {
    let Outcome::Task { standing, task } = outcome else { return outcome };
    let Ok(json) = Json::parse(&task) else { return Outcome::Task { standing, task } };
    let kept = json.members().iter().filter_map(|(name, value)| each(name, value));
    let kept: Vec<String> = kept.map(|(name, text)| format!("{}:{text}", quote(&name))).collect();
    Outcome::Task { standing, task: format!("{{{}}}", kept.join(",")) }
}

/// A task that is reported with this member, if it has not got it.
fn filled(outcome: Outcome, name: &str, text: &str) -> Outcome {
    let Outcome::Task { standing, task } = &outcome else { return outcome };
    let Ok(json) = Json::parse(task) else { return outcome };
    if json.member(name).is_some() {
        return outcome;
    }
    let comma = if json.members().is_empty() { "" } else { "," };
    let Some(inner) = task.trim().strip_prefix('{') else { return outcome };
    Outcome::Task { standing: *standing, task: format!("{{\"{name}\":{text}{comma}{inner}") }
}
