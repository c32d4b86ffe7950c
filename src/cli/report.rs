//! `faultdeck report`: a report from a ledger, and the `--report` flag of the verbs that write one.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::flowing::Flowing;
use super::problem::Problem;
use super::{output, private};
use crate::files;
use crate::ledger::{self, EndLine, Exit, Line, RunLine};
use crate::redact::Redactor;
use crate::replay::Watch;
use crate::report::{self, Content, Digest, Paint};

/// Makes a report from a ledger that an earlier run wrote.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck report run.jsonl                     # for a person
  faultdeck report run.jsonl --format junit --out report.xml")]
pub(super) struct Args {
    /// The ledger: JSON lines, written with `--ledger FILE`.
    ledger: PathBuf,
    /// What the report is for: `human` a person, `json` a program, `junit` a CI system.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Writes to this file; without it the report goes to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A report's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// A table, the first counter-example in full, and why.
    Human,
    /// One JSON object with stable members.
    Json,
    /// JUnit XML, a test case per property and scenario.
    Junit,
}

/// `--report junit=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReportTo {
    format: Format,
    file: PathBuf,
}

impl FromStr for ReportTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "write it as `junit=FILE`, `json=FILE` or `human=FILE`".to_owned();
        let (format, file) = text.split_once('=').ok_or_else(form)?;
        let format = <Format as clap::ValueEnum>::from_str(format, false).map_err(|_| form())?;
        if file.is_empty() { Err(form()) } else { Ok(Self { format, file: PathBuf::from(file) }) }
    }
}

pub(super) fn run(args: Args) -> Result<Exit, Problem> {
    let text = files::read_text(&args.ledger, files::LEDGER_MAX_BYTES)
        .map_err(|error| Problem::file("read", &args.ledger, error))?;
    let lines = ledger::read(&text).map_err(|error| {
        Problem::file("read", &args.ledger, error)
            .help("a ledger is what `--ledger FILE` writes, one JSON object a line")
    })?;
    match args.out {
        None => output::data(&rendered(&lines, args.format, Paint::Colour)?)?,
        Some(file) => write(&lines, args.format, &file)?,
    }
    Ok(Exit::Passed)
}

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
        for file in ledger.iter().chain(reports.iter().map(|report| &report.file)) {
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
    /// ledger has flowed, it has these lines but for verdicts.
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
        let verdicts = lines.iter().filter(|line| matches!(line, Line::Verdict(_))).cloned().collect();
        let end = self.close_flow(verdicts, end)?;
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
        self.reports.iter().try_for_each(|report| write(content.clone(), report.format, &report.file))?;
        let text = report::human(content, Paint::Colour);
        match self.shown {
            Shown::AsData => output::data(&text),
            Shown::AsNote => {
                output::note(text.trim_end());
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
    for (format, name) in
        [(Format::Human, "report.txt"), (Format::Json, "report.json"), (Format::Junit, "report.xml")]
    {
        write(&lines, format, &folder.join(name))?;
    }
    rendered(&lines, Format::Human, Paint::Colour)
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

fn write<'a>(content: impl Into<Content<'a>>, format: Format, file: &Path) -> Result<(), Problem> {
    private::write(file, rendered(content, format, Paint::Plain)?.as_bytes())
        .map_err(|error| Problem::file("write", file, error))
}

fn rendered<'a>(content: impl Into<Content<'a>>, format: Format, paint: Paint) -> Result<String, Problem> {
    match format {
        Format::Human => Ok(report::human(content, paint)),
        Format::Json => {
            report::json(content).map_err(|error| Problem::input(format!("cannot make the report: {error}")))
        }
        Format::Junit => {
            report::junit(content).map_err(|error| Problem::input(format!("cannot make the report: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_flag_names_a_format_and_a_file() {
        let parsed: ReportTo = "junit=out/a=b.xml".parse().unwrap();
        assert_eq!(parsed, ReportTo { format: Format::Junit, file: "out/a=b.xml".into() });
        assert!(["junit", "xml=a", "junit=", "=a"].iter().all(|text| text.parse::<ReportTo>().is_err()));
    }
}
