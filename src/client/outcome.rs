//! Reading what a client left behind: the outcome line, the exit map, and what is seen from outside.

use std::fmt;

use super::child::{Ending, Finished};
use super::file::{ExitMap, ExitWord, Stdout};
use super::{JobKind, Outcome, OutcomeLine, Report, Resting};
use crate::json::Json;

/// How much of a client's standard error an outcome line keeps: the end, where the reason stands.
const STDERR_KEPT: usize = 4 * 1024;

/// Reads the outcome a client writes as one line of JSON:
/// `{"outcome":"task","standing":"done","task":{...}}`, or `not_found`, `server_error`, `rejected` (each with an
/// optional `code`), `gave_up`, `error` (with `text`). Unknown members are ignored; the task stays source text.
///
/// # Errors
/// One sentence that says what is wrong with the line.
pub fn read_outcome(line: &str) -> Result<Outcome, String> {
    let json = Json::parse(line).map_err(|error| format!("the outcome is not JSON: {error}"))?;
    let Some(word) = json.member("outcome").and_then(Json::as_str) else {
        return Err("the outcome has no member `outcome` that is a text".to_owned());
    };
    let code = || code_of(&json);
    match word {
        "task" => {
            let standing = json.member("standing").and_then(Json::as_str).unwrap_or("");
            let standing = Resting::parse(standing).ok_or_else(|| {
                format!("the outcome's standing is `{standing}`; use done, usable, pending or failed")
            })?;
            let task = json.member("task").ok_or("the outcome is a task, but has no member `task`")?;
            Ok(Outcome::Task { standing, task: task.text().to_owned() })
        }
        "not_found" => Ok(Outcome::NotFound { code: code()? }),
        "server_error" => Ok(Outcome::ServerError { code: code()? }),
        "rejected" => Ok(Outcome::Rejected { code: code()? }),
        "gave_up" => Ok(Outcome::GaveUp),
        "error" => {
            let text = json.member("text").and_then(Json::as_str).unwrap_or("(no text)");
            Ok(Outcome::Error { text: text.to_owned() })
        }
        other => Err(format!(
            "the outcome is `{other}`; use task, not_found, server_error, rejected, gave_up or error"
        )),
    }
}

fn code_of(json: &Json<'_>) -> Result<Option<i64>, String> {
    match json.member("code") {
        None => Ok(None),
        Some(code) if code.is_null() => Ok(None),
        Some(code) => match code.as_i128().and_then(|code| i64::try_from(code).ok()) {
            Some(code) => Ok(Some(code)),
            None => Err(format!("the outcome's code is {}, not an integer", code.text())),
        },
    }
}

/// Reads what a finished program left behind.
pub(super) fn read_report(finished: Finished, stdout: Stdout, exit: &ExitMap) -> Report {
    let mut notes = Vec::new();
    for (name, captured) in [("output", &finished.stdout), ("error", &finished.stderr)] {
        if captured.cut > 0 {
            notes.push(format!("{} bytes in the middle of its standard {name} were not kept", captured.cut));
        }
    }
    let text = finished.stdout.text();
    let outcome = match finished.ending {
        Ending::TimedOut | Ending::Stopped => Outcome::TimedOut,
        Ending::Signalled(signal) => Outcome::Crashed { how: format!("signal {signal}") },
        Ending::Exited(code) => match stdout {
            Stdout::Outcome => from_line(&text, code, exit, &mut notes),
            Stdout::Resource if finished.stdout.cut > 0 => {
                Outcome::Error { text: "its standard output is longer than what is kept".to_owned() }
            }
            Stdout::Resource => from_resource(&text, code, exit),
        },
    };
    let by_exit_code = stdout == Stdout::Resource;
    Report { outcome, stderr: finished.stderr.text(), stdout: text, by_exit_code, notes }
}

/// The JSON value that standard output ends with is the outcome; what comes before it is the client's own affair. An
/// exit code of 0 without one is a client that cannot be read; any other is a crash, whatever its exit map says of it:
/// programs that crash end with the same codes as those that complain.
fn from_line(stdout: &str, code: i32, exit: &ExitMap, notes: &mut Vec<String>) -> Outcome {
    let Some(value) = last_value(stdout) else {
        return if code == 0 { Outcome::Silent } else { crashed(code, "no outcome") };
    };
    match read_outcome(value) {
        Ok(outcome) => {
            if let Some(word) = exit.get(code)
                && word != ExitWord::of(&outcome)
            {
                notes.push(format!(
                    "exit code {code} means `{}`, but its outcome is `{}`: the outcome is taken",
                    word.as_str(),
                    ExitWord::of(&outcome).as_str()
                ));
            }
            outcome
        }
        Err(why) if code == 0 => Outcome::Unreadable { why },
        Err(_) => crashed(code, "no outcome"),
    }
}

fn crashed(code: i32, and: &str) -> Outcome {
    Outcome::Crashed { how: format!("exit code {code}, and {and}") }
}

/// Lines, from the end, in which the start of the last JSON value is looked for.
const LINES_MAX: usize = 4096;

/// White space, and the byte order mark that some runtimes put before their output.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\u{feff}'
}

/// The JSON object that the text ends with, on one line or over several; without one, its last line.
fn last_value(text: &str) -> Option<&str> {
    let text = text.trim_matches(is_blank);
    let starts = std::iter::once(text.len()).chain(text.rmatch_indices('\n').map(|(at, _)| at));
    // The start of each line, the last line first: what stands behind the line break before it, or the whole text.
    let starts = starts.skip(1).map(|at| at + 1).chain([0]).take(LINES_MAX);
    let lines = starts.filter_map(|start| Some(text.get(start..)?.trim_start_matches(is_blank)));
    let mut last = None;
    for line in lines.filter(|line| !line.is_empty()) {
        last = last.or(Some(line));
        if line.starts_with('{') && Json::is_one(line) {
            return Some(line);
        }
    }
    last
}

/// The program prints the resource and nothing else; its exit code says the rest.
fn from_resource(stdout: &str, code: i32, exit: &ExitMap) -> Outcome {
    let standing = match exit.get(code) {
        None if code == 0 => {
            return Outcome::Unreadable { why: "its exit map does not name exit code 0".to_owned() };
        }
        None => return crashed(code, "its exit map does not name it"),
        Some(ExitWord::Task(standing)) => standing,
        Some(word) => return word.bare().unwrap_or(Outcome::Silent),
    };
    match read_resource(stdout) {
        Ok(Some(task)) => Outcome::Task { standing, task },
        Ok(None) if code == 0 => Outcome::Silent,
        Ok(None) => crashed(code, "nothing on its standard output"),
        Err(why) if code == 0 => Outcome::Unreadable { why },
        Err(why) => crashed(code, &why),
    }
}

/// The resource that is all of a program's output; none if there is no output.
fn read_resource(stdout: &str) -> Result<Option<String>, String> {
    let text = stdout.trim_matches(is_blank);
    if text.is_empty() {
        return Ok(None);
    }
    let json = Json::parse(text).map_err(|error| format!("its standard output is not JSON: {error}"))?;
    if !text.starts_with(['{', '[']) {
        return Err("its standard output is JSON, but no object and no list".to_owned());
    }
    if read_outcome(text).is_ok() {
        return Err("its standard output is an outcome, not the resource".to_owned());
    }
    Ok(Some(json.text().to_owned()))
}

impl Report {
    /// A report of a client that never ran.
    pub(crate) fn not_started(why: impl Into<String>) -> Self {
        Self::of(Outcome::NotStarted { why: why.into() })
    }

    /// A report with nothing but its outcome.
    pub(crate) fn of(outcome: Outcome) -> Self {
        Self { outcome, stderr: String::new(), stdout: String::new(), by_exit_code: false, notes: Vec::new() }
    }

    /// The ledger's line about it. Nothing is redacted here; the caller does that before it is written.
    pub fn line(&self, session: &str, job: JobKind) -> OutcomeLine {
        let task = match &self.outcome {
            Outcome::Task { task, .. } => Some(task.clone()),
            _ => None,
        };
        let mut stderr = end_of(&self.stderr, STDERR_KEPT).to_owned();
        for note in &self.notes {
            if !stderr.is_empty() && !stderr.ends_with('\n') {
                stderr.push('\n');
            }
            stderr.push_str("[faultdeck] ");
            stderr.push_str(note);
        }
        OutcomeLine {
            session: session.to_owned(),
            job: job.as_str().to_owned(),
            outcome: self.outcome.to_string(),
            task,
            stderr,
        }
    }
}

/// The last `max` bytes of `text`, from the start of a character.
fn end_of(text: &str, max: usize) -> &str {
    let mut start = text.len().saturating_sub(max);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or("")
}

impl Outcome {
    /// Whether the client went down, or left nothing that can be read.
    pub(crate) fn says_nothing(&self) -> bool {
        matches!(self, Self::Crashed { .. } | Self::Silent | Self::Unreadable { .. })
    }

    /// Whether the client reported it, and came to its end by itself.
    pub(crate) fn is_of_its_own(&self) -> bool {
        !self.says_nothing() && !matches!(self, Self::TimedOut | Self::NotStarted { .. })
    }

    /// The outcome's word without its details: `done`, `not_found`, `timed out`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Task { standing, .. } => standing.as_str(),
            Self::NotFound { .. } => "not_found",
            Self::ServerError { .. } => "server_error",
            Self::Rejected { .. } => "rejected",
            Self::GaveUp => "gave_up",
            Self::Error { .. } => "error",
            Self::TimedOut => "timed out",
            Self::Crashed { .. } => "crashed",
            Self::Silent => "silent",
            Self::Unreadable { .. } => "unreadable",
            Self::NotStarted { .. } => "not started",
        }
    }
}

/// The word, then its details: `not_found 1002`, `crashed: signal 11`.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Self::NotFound { code: Some(code) }
            | Self::ServerError { code: Some(code) }
            | Self::Rejected { code: Some(code) } => write!(f, " {code}"),
            Self::Error { text } => write!(f, ": {text}"),
            Self::Crashed { how } => write!(f, ": {how}"),
            Self::NotStarted { why } | Self::Unreadable { why } => write!(f, ": {why}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::child::Captured;
    use std::collections::BTreeMap;

    use super::*;

    fn finished(ending: Ending, stdout: &str) -> Finished {
        Finished {
            ending,
            stdout: Captured::of(stdout),
            stderr: Captured::of("complaint"),
            was_killed: false,
        }
    }

    fn map() -> ExitMap {
        ExitMap(BTreeMap::from([
            (0, ExitWord::Task(Resting::Done)),
            (3, ExitWord::Task(Resting::Usable)),
            (4, ExitWord::NotFound),
            (7, ExitWord::GaveUp),
        ]))
    }

    fn outcome(ending: Ending, stdout: &str, kind: Stdout) -> Outcome {
        read_report(finished(ending, stdout), kind, &map()).outcome
    }

    #[test]
    fn a_task_keeps_its_source_text() {
        let line = r#"{"outcome":"task","standing":"usable","task":{"id":9007199254740993,"w":1.00}}"#;
        assert_eq!(
            read_outcome(line),
            Ok(Outcome::Task {
                standing: Resting::Usable,
                task: r#"{"id":9007199254740993,"w":1.00}"#.to_owned()
            })
        );
    }

    #[test]
    fn codes_are_optional_and_unknown_members_are_ignored() {
        assert_eq!(
            read_outcome(r#"{"outcome":"not_found","code":1002,"x":1}"#),
            Ok(Outcome::NotFound { code: Some(1002) })
        );
        assert_eq!(read_outcome(r#"{"outcome":"server_error"}"#), Ok(Outcome::ServerError { code: None }));
        assert_eq!(
            read_outcome(r#"{"outcome":"rejected","code":null}"#),
            Ok(Outcome::Rejected { code: None })
        );
        assert!(read_outcome(r#"{"outcome":"rejected","code":"30"}"#).is_err());
        assert!(read_outcome(r#"{"outcome":"task","standing":"finished","task":{}}"#).is_err());
        assert!(read_outcome(r#"{"outcome":"task","standing":"done"}"#).is_err());
        assert!(read_outcome(r#"{"outcome":"ok"}"#).is_err());
        assert!(read_outcome("[]").is_err());
    }

    #[test]
    fn the_outcome_wins_over_the_exit_code_and_the_difference_is_noted() {
        let report = read_report(
            finished(Ending::Exited(4), "loading\n{\"outcome\":\"gave_up\"}\n\n"),
            Stdout::Outcome,
            &map(),
        );
        assert_eq!(report.outcome, Outcome::GaveUp);
        assert_eq!(report.notes.len(), 1);
    }

    fn crashed(code: i32, and: &str) -> Outcome {
        super::crashed(code, and)
    }

    #[test]
    fn what_is_seen_from_outside_is_told_apart() {
        let kind = Stdout::Outcome;
        let line = r#"{"outcome":"gave_up"}"#;
        assert_eq!(outcome(Ending::TimedOut, line, kind), Outcome::TimedOut);
        assert_eq!(
            outcome(Ending::Signalled(11), line, kind),
            Outcome::Crashed { how: "signal 11".to_owned() }
        );
        assert_eq!(outcome(Ending::Exited(101), "", kind), crashed(101, "no outcome"));
        assert_eq!(outcome(Ending::Exited(0), " \n", kind), Outcome::Silent);
        assert!(matches!(outcome(Ending::Exited(0), "hello", kind), Outcome::Unreadable { .. }));
        assert!(matches!(outcome(Ending::Exited(0), "{\"id\":1}", kind), Outcome::Unreadable { .. }));
    }

    #[test]
    fn an_exit_code_alone_is_no_outcome_whatever_the_map_says_of_it() {
        // 4 is `not_found` in the map, and what a crash of another runtime ends with.
        for output in ["", "hello", "{\"id\":1}", "{\"outcome\":\"task\""] {
            let ended = outcome(Ending::Exited(4), output, Stdout::Outcome);
            assert_eq!(ended, crashed(4, "no outcome"), "{output}");
        }
    }

    #[test]
    fn a_mark_before_the_outcome_and_line_breaks_in_it_change_nothing() {
        let task = r#"{"id": 9007199254740993}"#.to_owned();
        let expected = Outcome::Task { standing: Resting::Done, task };
        let one = r#"{"outcome":"task","standing":"done","task":{"id": 9007199254740993}}"#;
        let many = "{\r\n \"outcome\": \"task\",\r\n \"standing\": \"done\",\r\n \"task\":\r\n  {\"id\": 9007199254740993}\r\n}";
        for value in [one, many] {
            for before in
                ["", "\u{feff}", "loading\n", "\u{feff}{\"level\":\"info\"}\r\n", "{\n", "loading\n\u{feff}"]
            {
                for after in ["", "\n", "\r\n\r\n"] {
                    let output = format!("{before}{value}{after}");
                    assert_eq!(outcome(Ending::Exited(0), &output, Stdout::Outcome), expected, "{output:?}");
                }
            }
        }
        let resource = outcome(Ending::Exited(0), "\u{feff}{\r\n\"id\": 1\r\n}\r\n", Stdout::Resource);
        let task = "{\r\n\"id\": 1\r\n}".to_owned();
        assert_eq!(resource, Outcome::Task { standing: Resting::Done, task });
    }

    #[test]
    fn a_printed_resource_is_read_by_its_exit_code() {
        let kind = Stdout::Resource;
        assert_eq!(
            outcome(Ending::Exited(3), " {\"id\": 1}\n", kind),
            Outcome::Task { standing: Resting::Usable, task: "{\"id\": 1}".to_owned() }
        );
        // A list is one, too.
        assert_eq!(
            outcome(Ending::Exited(0), "[]\n", kind),
            Outcome::Task { standing: Resting::Done, task: "[]".to_owned() }
        );
        assert_eq!(outcome(Ending::Exited(7), "", kind), Outcome::GaveUp);
        assert_eq!(outcome(Ending::Exited(0), "", kind), Outcome::Silent);
        for output in ["<html>", "7", "null", r#"{"outcome":"gave_up"}"#] {
            assert!(
                matches!(outcome(Ending::Exited(0), output, kind), Outcome::Unreadable { .. }),
                "{output}"
            );
            assert!(matches!(outcome(Ending::Exited(3), output, kind), Outcome::Crashed { .. }), "{output}");
        }
        assert_eq!(outcome(Ending::Exited(3), "", kind), crashed(3, "nothing on its standard output"));
        assert!(matches!(outcome(Ending::Exited(9), "{}", kind), Outcome::Crashed { .. }));
    }

    #[test]
    fn an_outcome_reads_well_on_one_line() {
        assert_eq!(Outcome::ServerError { code: Some(1020) }.to_string(), "server_error 1020");
        assert_eq!(Outcome::Crashed { how: "signal 11".into() }.to_string(), "crashed: signal 11");
        assert_eq!(Outcome::TimedOut.to_string(), "timed out");
    }
}
