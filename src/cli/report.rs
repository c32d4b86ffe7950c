//! `faultdeck report`: a report from ledgers, and one ledger of many; also the `--report` flag of the verbs that write one.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::problem::Problem;
use super::{output, private};
use crate::files;
use crate::ledger::{self, EndLine, Exit, Line, Merged, Part, merge};
use crate::report::{Content, FORMATS, Format, Paint, visible};

pub(super) use super::outputs::{Outputs, Shown, opened, written};

/// Makes a report from the ledgers that earlier runs wrote.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    subcommand_value_name = "merge",
    subcommand_help_heading = "Or",
    after_help = "\
Examples:
  faultdeck report run.jsonl                     # for a person
  faultdeck report run.jsonl --format junit --out report.xml
  faultdeck report shard-*.jsonl                 # one report of all
  faultdeck report merge shard-*.jsonl --out all.jsonl

Several ledgers are merged first: a run that two of them hold counts once, and is named. A ledger that was called
`merge` is `./merge`."
)]
pub(super) struct Args {
    #[command(subcommand)]
    merge: Option<Merge>,
    /// The ledgers: JSON lines, written with `--ledger FILE`. Several make one report.
    #[arg(required = true, value_name = "LEDGER")]
    ledgers: Vec<PathBuf>,
    /// What the report is for.
    #[arg(long, value_parser = format_parser(), default_value = "human")]
    format: &'static Format,
    /// Writes to this file; without it the report goes to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Ends with the exit code that the runs came to, not with 0.
    #[arg(long)]
    exit_code: bool,
}

/// What else `report` does.
#[derive(Debug, clap::Subcommand)]
enum Merge {
    /// Makes one ledger of many: sessions are told apart, counts added, the weightiest exit code stays.
    ///
    /// The order of the files does not change the result. A run that two files hold counts once, and is named.
    Merge(MergeArgs),
}

#[derive(Debug, clap::Args)]
struct MergeArgs {
    /// The ledgers.
    #[arg(required = true, value_name = "LEDGER")]
    ledgers: Vec<PathBuf>,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Ends with the exit code that the runs came to, not with 0.
    #[arg(long)]
    exit_code: bool,
}

/// The names of all formats, each with what it is for.
fn format_parser() -> impl TypedValueParser<Value = &'static Format> {
    let value = |format: &'static Format| PossibleValue::new(format.name).help(format.about);
    let names = PossibleValuesParser::new(FORMATS.iter().map(value));
    names.try_map(|name| Format::named(&name).ok_or_else(form))
}

/// How `--report` is written.
fn form() -> String {
    let [forms @ .., last] = FORMATS else { return String::new() };
    let forms: Vec<String> = forms.iter().map(|format| format!("`{}=FILE`", format.name)).collect();
    format!("write it as {} or `{}=FILE`", forms.join(", "), last.name)
}

/// `--report junit=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReportTo {
    pub(super) format: &'static Format,
    pub(super) file: PathBuf,
}

impl FromStr for ReportTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = text.split_once('=').ok_or_else(form)?;
        let format = Format::named(format).ok_or_else(form)?;
        if file.is_empty() { Err(form()) } else { Ok(Self { format, file: PathBuf::from(file) }) }
    }
}

pub(super) fn run(args: Args) -> Result<Exit, Problem> {
    if let Some(Merge::Merge(merge)) = args.merge {
        return merged_to(&merge);
    }
    let lines = match args.ledgers.as_slice() {
        [one] => read_one(one)?,
        several => read_all(several)?,
    };
    match args.out {
        None => output::data(&rendered(&lines, args.format, Paint::Colour)?)?,
        Some(file) => write(&lines, args.format, &file)?,
    }
    Ok(if args.exit_code { exit(&lines) } else { Exit::Passed })
}

fn merged_to(args: &MergeArgs) -> Result<Exit, Problem> {
    let lines = read_all(&args.ledgers)?;
    let failed = |error| Problem::file("write", &args.out, error);
    let mut bytes = Vec::new();
    ledger::write(&lines, &mut bytes).map_err(failed)?;
    private::write(&args.out, &bytes).map_err(failed)?;
    Ok(if args.exit_code { exit(&lines) } else { Exit::Passed })
}

/// What the lines came to; a run that was cut short proves nothing.
fn exit(lines: &[Line]) -> Exit {
    match lines.last() {
        Some(Line::End(EndLine { exit, .. })) => *exit,
        _ => Exit::Inconclusive,
    }
}

/// One ledger: also one that was cut short, and says so in its report.
fn read_one(path: &Path) -> Result<Vec<Line>, Problem> {
    let text = text(path, files::LEDGER_MAX_BYTES)?;
    let lines = ledger::read(&text).map_err(|error| unreadable(path, &error))?;
    let closings = lines.iter().filter(|line| matches!(line, Line::End(_))).count();
    // Two files that were put together are two ledgers.
    if closings > 1 { read_all(&[path.to_owned()]) } else { Ok(lines) }
}

/// One ledger of many. Together they are as large as one may be.
fn read_all(paths: &[PathBuf]) -> Result<Vec<Line>, Problem> {
    let mut left = files::LEDGER_MAX_BYTES;
    let mut parts = Vec::new();
    for path in paths {
        let text = text(path, left)?;
        left = left.saturating_sub(text.len() as u64);
        let part = Part::read(&path.display().to_string(), &text);
        parts.push(part.map_err(|error| unreadable(path, &error))?);
    }
    let Merged { lines, doubled } = merge(parts)
        .map_err(|error| Problem::input(error).help("give each run once: leave one of the two files out"))?;
    for (left_out, other) in doubled {
        let line = format!("{left_out} holds what {other} holds: it is counted once");
        output::note(&visible(&line));
    }
    Ok(lines)
}

/// The lines of a ledger whose end may be missing: a last line that is none was not written whole.
///
/// # Errors
/// If it cannot be read, or another line is none.
pub(super) fn whole_lines(path: &Path) -> Result<Vec<Line>, Problem> {
    let text = text(path, files::LEDGER_MAX_BYTES)?;
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    match ledger::read(whole) {
        Err(ledger::LedgerError::Empty) => Ok(Vec::new()),
        read => read.map_err(|error| unreadable(path, &error)),
    }
}

fn text(path: &Path, most: u64) -> Result<String, Problem> {
    files::read_text(path, most).map_err(|error| Problem::file("read", path, error))
}

fn unreadable(path: &Path, error: &ledger::LedgerError) -> Problem {
    Problem::file("read", path, error).help("a ledger is what `--ledger FILE` writes, one JSON object a line")
}

pub(super) fn write<'a>(
    content: impl Into<Content<'a>>,
    format: &Format,
    file: &Path,
) -> Result<(), Problem> {
    private::write(file, rendered(content, format, Paint::Plain)?.as_bytes())
        .map_err(|error| Problem::file("write", file, error))
}

pub(super) fn rendered<'a>(
    content: impl Into<Content<'a>>,
    format: &Format,
    paint: Paint,
) -> Result<String, Problem> {
    format.make(content, paint).map_err(|error| Problem::input(format!("cannot make the report: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_flag_names_a_format_and_a_file() {
        let parsed: ReportTo = "junit=out/a=b.xml".parse().unwrap();
        let junit = Format::named("junit").unwrap();
        assert_eq!(parsed, ReportTo { format: junit, file: "out/a=b.xml".into() });
        assert!(["junit", "xml=a", "junit=", "=a"].iter().all(|text| text.parse::<ReportTo>().is_err()));
        assert!(form().starts_with("write it as `human=FILE`, "));
    }
}
