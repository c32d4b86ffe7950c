//! GitLab's code quality report: a list of findings that a merge request shows.

use serde::Serialize;

use super::account::Account;
use super::content::Content;
use super::failure::{Failure, Level, failures};
use super::json::safe;
use super::visible;

#[derive(Serialize)]
struct Finding<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// The findings as pretty JSON text, newline included. GitLab tells by the fingerprint whether a finding is new: it is the same
/// as long as the same law is broken under the same scenario by the same client.
///
/// # Errors
/// Only if a value cannot be written as JSON, which no line of a ledger does.
pub fn gitlab<'a>(content: impl Into<Content<'a>>) -> serde_json::Result<String> {
    let account = Account::of(content);
    let findings: Vec<Finding<'_>> = failures(&account).iter().map(finding).collect();
    Ok(safe(&serde_json::to_string_pretty(&findings)?))
}

fn finding<'a>(failure: &Failure<'a>) -> Finding<'a> {
    let repeat =
        failure.repeat.map_or_else(String::new, |repeat| format!(" (repeat it: {})", visible(repeat)));
    Finding {
        description: format!("{}: {}{repeat}", failure.title(), failure.why),
        check_name: failure.id,
        fingerprint: failure.fingerprint(),
        severity: match failure.level {
            Level::Failed => "critical",
            Level::Open => "minor",
            Level::Note | Level::Known => "info",
        },
        location: Location { path: visible(failure.place()).into_owned(), lines: Lines { begin: 1 } },
    }
}
