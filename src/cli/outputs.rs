//! What a verb that serves or judges leaves behind: its ledger and its reports.

use std::path::{Path, PathBuf};

use super::ci;
use super::flowing::Flowing;
use super::output;
use super::private;
use super::problem::Problem;
use super::report::{ReportTo, rendered, write};
use crate::ledger::{self, EndLine, Exit, Line, RunLine};
use crate::redact::Redactor;
use crate::replay::Watch;
use crate::report::{self, Content, Digest, FORMATS, Paint};

/// Where a verb shows its report: on standard output if it is what the verb is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// On standard output.
    AsData,
    /// On standard error: standard output is a server's URL's, or a command's.
    AsNote,
}

/// What a verb that serves or judges leaves behind: `--ledger`, each `--report`, and the report it shows.
pub(super) struct Outputs {
    shown: Shown,
    ledger: Option<PathBuf>,
    flowing: Option<Flowing>,
    reports: Vec<ReportTo>,
}

impl Outputs {
    /// Takes hold of the files, so that a wrong path is found before anything runs.
    ///
    /// # Errors
    /// If one of them cannot be written.
    pub(super) fn new(
        shown: Shown,
        ledger: Option<PathBuf>,
        reports: Vec<ReportTo>,
    ) -> Result<Self, Problem> {
        let of_reports = reports.iter().map(|report| &report.file).filter(|file| !ci::is_summary(file));
        for file in ledger.iter().chain(of_reports) {
            private::claim(file).map_err(|error| Problem::file("write", file, error))?;
        }
        Ok(Self { shown, ledger, flowing: None, reports })
    }

    /// Lets the ledger flow: from now on its lines are written while they come. Whoever brings them is handed back, if there
    /// is a ledger.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn flow(&mut self, redactor: &Redactor) -> Result<Option<Watch>, Problem> {
        let Some(path) = &self.ledger else { return Ok(None) };
        let flowing = Flowing::begin(path, redactor)?;
        let watch = flowing.watch();
        self.flowing = Some(flowing);
        Ok(Some(watch))
    }

    /// Adds lines to a ledger that flows, if one does.
    pub(super) fn add(&self, lines: Vec<Line>) {
        if let Some(flowing) = &self.flowing {
            flowing.add(lines);
        }
    }

    /// Closes a ledger that has flowed with `verdicts` and `end`, and makes every report of `digest`, which lacks them.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(super) fn finish_flow(
        mut self,
        mut digest: Digest,
        end: EndLine,
        redactor: &Redactor,
    ) -> Result<Exit, Problem> {
        let end = self.close_flow(Vec::new(), end)?;
        let exit = end.exit;
        digest.hold(Line::End(end));
        let digest = digest.map(|line| clean(line, redactor));
        self.report(&digest)?;
        Ok(exit)
    }

    /// Adds the last lines to a ledger that flows, if one does, and closes it.
    fn close_flow(&mut self, mut lines: Vec<Line>, mut end: EndLine) -> Result<EndLine, Problem> {
        let Some(flowing) = self.flowing.take() else { return Ok(end) };
        let missing = flowing.flush();
        if missing > 0 && flowing.is_lossy() {
            let many = if missing == 1 { "line is" } else { "lines are" };
            let why = format!("{missing} {many} missing from the ledger, because nobody read it in time");
            end = end.also(Exit::Failed, why);
        }
        lines.push(Line::End(end.clone()));
        flowing.close(lines)?;
        Ok(end)
    }

    /// Closes the ledger with `end`, writes every file and shows the report. What the run comes to is handed back. If the
    /// ledger has flowed, it has these lines but for verdicts and what was seen.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(super) fn finish(
        mut self,
        lines: Vec<Line>,
        end: EndLine,
        redactor: &Redactor,
    ) -> Result<Exit, Problem> {
        let has_flowed = self.flowing.is_some();
        let is_last = |line: &&Line| matches!(line, Line::Verdict(_) | Line::Seen(_));
        let last = lines.iter().filter(is_last).cloned().collect();
        let end = self.close_flow(last, end)?;
        let exit = end.exit;
        let lines = redacted(lines.into_iter().chain([Line::End(end)]), redactor);
        if let Some(file) = self.ledger.as_ref().filter(|_| !has_flowed) {
            write_ledger(&lines, file)?;
        }
        self.report(&lines)?;
        Ok(exit)
    }

    fn report<'a>(&self, content: impl Into<Content<'a>>) -> Result<(), Problem> {
        let content = content.into();
        for report in &self.reports {
            match ci::is_summary(&report.file) {
                true => ci::add(&report.file, &rendered(content.clone(), report.format, Paint::Plain)?)?,
                false => write(content.clone(), report.format, &report.file)?,
            }
        }
        ci::tell(&content, self.reports.iter().any(|report| ci::is_summary(&report.file)));
        let text = report::human(content, Paint::Colour);
        match self.shown {
            Shown::AsData => output::data(&ci::inert(&text)),
            Shown::AsNote => {
                output::note(&ci::inert(text.trim_end()));
                Ok(())
            }
        }
    }
}

/// Writes the ledger and every report to a folder, under their usual names; gives back the report for a person.
///
/// # Errors
/// If a file cannot be written.
pub(super) fn written(
    lines: impl Iterator<Item = Line>,
    folder: &Path,
    redactor: &Redactor,
) -> Result<String, Problem> {
    let lines = redacted(lines, redactor);
    write_ledger(&lines, &folder.join("ledger.jsonl"))?;
    for format in FORMATS.iter().filter(|format| !format.usual_file.is_empty()) {
        write(&lines, format, &folder.join(format.usual_file))?;
    }
    Ok(report::human(&lines, Paint::Colour))
}

fn write_ledger(lines: &[Line], file: &Path) -> Result<(), Problem> {
    let mut bytes = Vec::new();
    ledger::write(lines, &mut bytes).map_err(|error| Problem::file("write", file, error))?;
    private::write(file, &bytes).map_err(|error| Problem::file("write", file, error))
}

/// The lines with `opening` first if no session was opened: a report has to say what it is about.
pub(super) fn opened(mut lines: Vec<Line>, opening: RunLine) -> Vec<Line> {
    if !lines.iter().any(|line| matches!(line, Line::Run(_))) {
        lines.insert(0, Line::Run(opening));
    }
    lines
}

/// A secret may have been learnt after a line that holds it was made, so every line goes through the redactor once more.
fn redacted(lines: impl Iterator<Item = Line>, redactor: &Redactor) -> Vec<Line> {
    lines.filter_map(|line| clean(&line, redactor)).collect()
}

/// A line without what was learnt since it was made, string by string. One that no longer reads as a line is left out
/// rather than shown.
fn clean(line: &Line, redactor: &Redactor) -> Option<Line> {
    serde_json::from_str(&redactor.json(&line.to_json().ok()?)).ok()
}
