//! `faultdeck lint`: scenarios, cassettes and client files, read and looked over.

use std::fs;
use std::path::{Path, PathBuf};

use super::output;
use super::problem::{Problem, with_caret, with_carets};
use super::redacting::Redacting;
use super::settings::{self, BY_HAND};
use super::setup;
use crate::cassette::{Cassette, CassetteError, FILE_MAX_BYTES, Found, Hold, MatchRules, Weight, journal_of};
use crate::client::{ClientError, ClientFile};
use crate::files;
use crate::judge;
use crate::ledger::{Exit, Reasons};
use crate::profile::Profile;
use crate::redact::Rules;
use crate::replay::Auth;
use crate::report::{brief, visible};
use crate::scenario::{Scenario, ScenarioError, Source};
use crate::schemas;
use crate::seed::Seed;
use crate::settings::LARGEST_BYTES;

/// Reads scenarios, cassettes and client files and says what is wrong with them.
///
/// A file is looked at by its ending and folder: `.json` is a cassette, `faultdeck.toml` are settings, `.toml` below
/// `clients/` is a client, any other `.toml` is a scenario. In a folder, only what stands below `cassettes/`, `scenarios/` or `clients/` is
/// looked at.
///
/// Of a cassette it finds, each with its line, what is broken (a secret, a stale id, a length that is wrong, a request that
/// none would match) and, apart from that, what is only written in another order or layout than faultdeck's.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck lint                        # cassettes/, scenarios/ and clients/ of this folder
  faultdeck lint scenarios/mine.toml
  faultdeck lint --fix cassettes/mine.json      # also makes it of mine.journal, if a recording was cut short

Exit codes: 0 nothing to remark, or all of it was put right; 1 findings; 2 a file cannot be read or does not parse.")]
pub(super) struct Args {
    /// Files and folders; without any, `cassettes/`, `scenarios/` and `clients/` of the working folder.
    paths: Vec<PathBuf>,
    /// Rewrites cassettes with findings: secrets become placeholders, ids, lengths and order are put right. Whole or not
    /// at all: no interaction is ever lost.
    #[arg(long, group = BY_HAND)]
    fix: bool,
    #[command(flatten)]
    redacting: Redacting,
}

/// The folders whose files are ours.
const FOLDERS: [&str; 3] = ["cassettes", "scenarios", "clients"];
/// How deep folders are searched.
const DEPTH_MAX: usize = 16;

/// What one file came to.
#[derive(Debug)]
enum Finding {
    /// It cannot be read or does not parse.
    Unreadable(String),
    /// It is read, and this is to be put right.
    Remark(String),
}

pub(super) fn run(args: Args) -> Result<Exit, Problem> {
    let files = files(&args.paths)?;
    let mut reasons = Reasons::default();
    for file in &files {
        for finding in look_at(file, &args)? {
            let (text, worth) = match finding {
                Finding::Unreadable(text) => (text, Exit::BadInput),
                Finding::Remark(text) => (text, Exit::Failed),
            };
            output::data(&format!("{text}\n"))?;
            reasons.push(worth, text);
        }
    }
    if reasons.exit() == Exit::Passed {
        let many = if files.len() == 1 { "file" } else { "files" };
        output::note(&format!("{} {many}, nothing to remark", files.len()));
    }
    Ok(reasons.exit())
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let mut found = Vec::new();
    if paths.is_empty() {
        for folder in FOLDERS.map(Path::new).into_iter().filter(|folder| folder.is_dir()) {
            walk(folder, 0, &mut found)?;
        }
    }
    for path in paths {
        let path = &cassette_of(path);
        if ends(path, "json") && journal_of(path).is_file() {
            found.push(path.clone());
            continue;
        }
        let about = fs::symlink_metadata(path).map_err(|error| Problem::file("read", path, error))?;
        if about.is_dir() {
            walk(path, 0, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    if found.is_empty() {
        return Err(Problem::input("there is nothing to lint here")
            .help("name a file, or a folder that holds `cassettes/`, `scenarios/` or `clients/`"));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Files of ours below `folder`. Links are not followed, so no loop and nothing outside is met.
fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let cannot = |error| Problem::file("read", folder, error);
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let (path, name) = (entry.path(), entry.file_name());
        let about = entry.file_type().map_err(cannot)?;
        let skipped = name.to_string_lossy().starts_with('.') || name == "target" || name == "node_modules";
        if about.is_dir() && depth < DEPTH_MAX && !skipped {
            walk(&path, depth + 1, found)?;
        } else if about.is_file() && below(&path, &FOLDERS) && !schemas::is_schema(&path) {
            let path = cassette_of(&path);
            if ends(&path, "json") || ends(&path, "toml") {
                found.push(path);
            }
        }
    }
    Ok(())
}

/// A journal is looked at with its cassette, whether that is there or not.
fn cassette_of(path: &Path) -> PathBuf {
    if ends(path, "journal") { path.with_extension("json") } else { path.to_owned() }
}

fn below(path: &Path, folders: &[&str]) -> bool {
    path.components().any(|part| folders.iter().any(|folder| part.as_os_str() == *folder))
}

fn ends(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

fn look_at(file: &Path, args: &Args) -> Result<Vec<Finding>, Problem> {
    if ends(file, "json") {
        let rules = args.redacting.rules(file)?;
        return cassette(file, &rules, args.fix);
    }
    if file.to_string_lossy().ends_with(".match.toml") {
        return Ok(match MatchRules::load(file) {
            Ok(_) => Vec::new(),
            Err(CassetteError::Rules(mistakes)) => vec![Finding::Unreadable(with_carets(&mistakes))],
            Err(error) => unreadable(error),
        });
    }
    if file.file_name().is_some_and(|name| name == crate::settings::NAME) {
        return Ok(settings_of(file));
    }
    Ok(if ends(file, "toml") && below(file, &["clients"]) {
        client(file)
    } else if ends(file, "toml") {
        scenario(file)
    } else {
        let shown = file.display().to_string();
        vec![Finding::Unreadable(format!("{}: not a `.json` or `.toml` file", visible(&shown)))]
    })
}

fn unreadable(error: impl std::fmt::Display) -> Vec<Finding> {
    vec![Finding::Unreadable(brief(&error.to_string()).into_owned())]
}

fn in_words(error: ScenarioError) -> Vec<Finding> {
    match error {
        ScenarioError::Invalid(mistakes) => {
            vec![Finding::Unreadable(with_carets(&judge::with_names(mistakes)))]
        }
        ScenarioError::Io { .. }
        | ScenarioError::NoSuch { .. }
        | ScenarioError::Ambiguous { .. }
        | ScenarioError::Folder { .. }
        | ScenarioError::NoFolder { .. }
        | ScenarioError::BadFolder { .. } => unreadable(error),
    }
}

/// Parses, holds no secret, stands as faultdeck writes it.
fn cassette(file: &Path, rules: &Rules, fix: bool) -> Result<Vec<Finding>, Problem> {
    let shown = file.display().to_string();
    let unfinished = match journal(file, rules, fix)? {
        Ok(unfinished) => unfinished,
        Err(findings) => return Ok(findings),
    };
    let read = || files::read_text(file, FILE_MAX_BYTES);
    let text = match read() {
        Ok(text) => text,
        Err(error) => return Ok(unreadable(format!("{shown}: {error}"))),
    };
    let cassette = match Cassette::load(file) {
        Ok(cassette) => cassette,
        Err(error) => return Ok(unreadable(error)),
    };
    let mut remarks = cassette.check(&text, rules);
    if fix && !remarks.is_empty() {
        cassette.fix(file, rules).map_err(Problem::failed)?;
        let fixed = Cassette::load(file).map_err(Problem::failed)?;
        let text = read().map_err(|error| Problem::file("read", file, error))?;
        let left = fixed.check(&text, rules);
        output::data(&format!(
            "{}: rewritten, {} of {} put right\n",
            visible(&shown),
            remarks.len().saturating_sub(left.len()),
            remarks.len()
        ))?;
        remarks = left;
    }
    let line = |remark: &crate::cassette::Remark| {
        let weight = match remark.weight {
            Weight::Broken => "broken",
            Weight::Layout => "layout",
        };
        Finding::Remark(format!("{}:{}: {weight}: {}", visible(&shown), remark.line, visible(&remark.text)))
    };
    Ok(remarks.iter().map(line).chain(unfinished).collect())
}

/// A journal beside a cassette is to be put into one: a finding if there is one, or all of them if there is no cassette.
fn journal(file: &Path, rules: &Rules, fix: bool) -> Result<Result<Option<Finding>, Vec<Finding>>, Problem> {
    let is_there = file.symlink_metadata().is_ok();
    let found = match Found::beside(file) {
        Ok(found) => found.filter(|found| found.is_wanted(file)),
        // Somebody else's file of that name is no concern of a cassette that is there.
        Err(_) if is_there => None,
        Err(error) => return Ok(Err(unreadable(error))),
    };
    let Some(found) = found else { return Ok(Ok(None)) };
    if fix && !is_there {
        let _hold = Hold::take(file).map_err(Problem::failed)?;
        found.compact(file, rules).map_err(Problem::failed)?;
        let (made, of) = (file.display().to_string(), found.path.display().to_string());
        let many = if found.interactions == 1 { "" } else { "s" };
        output::data(&format!(
            "{}: made of {}, {} interaction{many}\n",
            visible(&made),
            visible(&of),
            found.interactions
        ))?;
        return Ok(Ok(None));
    }
    let remark = found.unfinished(file).to_string();
    let finding =
        Finding::Remark(format!("{}: broken: {}", visible(&file.display().to_string()), visible(&remark)));
    Ok(if is_there { Ok(Some(finding)) } else { Err(vec![finding]) })
}

/// Parses; what it names exists.
fn scenario(file: &Path) -> Vec<Finding> {
    let scenario = match Scenario::load(file, Profile::builtin()) {
        Ok(scenario) => scenario,
        Err(error) => return in_words(error),
    };
    let shown = file.display().to_string();
    let mut findings: Vec<Finding> = judge::unknown_names(&scenario)
        .iter()
        .map(|diagnostic| Finding::Remark(with_caret(diagnostic)))
        .collect();
    if let Source::Cassette(Some(name)) = &scenario.source
        && let Err(problem) =
            setup::evidence(None, Some(&scenario), Seed::default(), Auth::Required, FILE_MAX_BYTES)
    {
        let why = problem.message();
        findings.push(Finding::Remark(format!("{}: cassette {}: {why}", visible(&shown), visible(name))));
    }
    findings
}

fn settings_of(file: &Path) -> Vec<Finding> {
    let text = match files::read_text(file, LARGEST_BYTES) {
        Ok(text) => text,
        Err(error) => return unreadable(format!("{}: {error}", file.display())),
    };
    match settings::parse(&file.display().to_string(), &text) {
        Ok(_) => Vec::new(),
        Err(mistakes) => vec![Finding::Unreadable(with_carets(&mistakes))],
    }
}

fn client(file: &Path) -> Vec<Finding> {
    match ClientFile::load(file) {
        Ok(_) => Vec::new(),
        Err(ClientError::Invalid(mistakes)) => vec![Finding::Unreadable(with_carets(&mistakes))],
        Err(error) => unreadable(error),
    }
}
