//! What a CI system is told without being asked: GitHub's step summary and annotations.

use std::borrow::Cow;
use std::env;
use std::path::{Path, PathBuf};

use super::problem::Problem;
use super::{output, private};
use crate::report::{self, Content};

/// Where GitHub wants a step's summary.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// Says that this is a workflow of GitHub's.
const ACTIONS: &str = "GITHUB_ACTIONS";
/// How much GitHub takes for a step: of more it shows nothing at all.
const SUMMARY_MAX: u64 = 1024 * 1024;
/// The verbs that tell a CI system what they came to. A server that has ended came to nothing that a step is about.
const VERBS: [&str; 2] = ["run", "judge"];

/// Whether this is a workflow of GitHub's.
fn is_workflow() -> bool {
    env::var_os(ACTIONS).is_some_and(|value| value == "true")
}

/// A text for a person, as it may be printed here: in a workflow a line that begins with `::`, and `##[` anywhere, is a command
/// to the runner (one source: the runner's own code), and a recorded body, or the program under test, may have written it.
pub(super) fn inert(text: &str) -> Cow<'_, str> {
    if is_workflow() { disarmed(text) } else { Cow::Borrowed(text) }
}

fn disarmed(text: &str) -> Cow<'_, str> {
    let is_command = |line: &str| beginning(line).starts_with("::") || line.contains("##[");
    if !text.lines().any(is_command) {
        return Cow::Borrowed(text);
    }
    let line = |line: &str| {
        let line = line.replace("##[", "## [");
        match beginning(&line).starts_with("::") {
            true => line.replacen("::", ": :", 1),
            false => line,
        }
    };
    Cow::Owned(text.split_inclusive('\n').map(line).collect())
}

/// A line from its first character on that is no blank and no colour.
fn beginning(line: &str) -> &str {
    let mut line = line.trim_start();
    while let Some((_, rest)) = line.strip_prefix("\u{1b}[").and_then(|rest| rest.split_once('m')) {
        line = rest.trim_start();
    }
    line
}

/// The file of the step's summary, if there is one.
fn summary() -> Option<PathBuf> {
    env::var_os(SUMMARY).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Whether a file is the step's summary: to that one is added, and what it holds is somebody else's.
pub(super) fn is_summary(file: &Path) -> bool {
    let same = |summary: &Path| match (summary.canonicalize(), file.canonicalize()) {
        (Ok(summary), Ok(file)) => summary == file,
        _ => summary == file,
    };
    summary().is_some_and(|summary| same(&summary))
}

/// Adds a report to the step's summary.
///
/// # Errors
/// If it cannot be written.
pub(super) fn add(file: &Path, text: &str) -> Result<(), Problem> {
    let before = std::fs::metadata(file).map_or(0, |about| about.len());
    let text = output::clean(text);
    if before + text.len() as u64 > SUMMARY_MAX {
        output::note("the step summary has no room left: a report was not added to it");
        return Ok(());
    }
    private::append(file, text.as_bytes()).map_err(|error| Problem::file("write", file, error))
}

/// Adds a run's report to the step's summary, unless `is_told` says that it was, and shows its annotations on standard error:
/// a runner reads them there as well. What cannot be written is told, and changes nothing about the run.
pub(super) fn tell(content: &Content<'_>, is_told: bool) {
    if !VERBS.contains(&content.verb()) {
        return;
    }
    if is_workflow() {
        let annotations = report::github(content.clone());
        if !annotations.is_empty() {
            output::note(annotations.trim_end());
        }
    }
    if let Some(file) = summary().filter(|_| !is_told)
        && let Err(problem) = add(&file, &report::markdown(content.clone()))
    {
        output::note(&problem.message());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_runner_would_obey_is_shown_so_that_it_does_not() {
        assert_eq!(disarmed("a::b\nok\n"), "a::b\nok\n");
        assert_eq!(disarmed("\u{1b}[1m ::x"), "\u{1b}[1m : :x");
        let text = "one\n  ::error::x\n::stop-commands::y\nsaid ##[group]z\n";
        assert_eq!(disarmed(text), "one\n  : :error::x\n: :stop-commands::y\nsaid ## [group]z\n");
    }
}
