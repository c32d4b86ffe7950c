//! `faultdeck init`: the files with which a project begins.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::output;
use super::problem::Problem;
use crate::ledger::Exit;
use crate::report::visible;
use crate::schemas::{self, Schema};
use crate::settings;

/// Writes settings, a scenario, a small client with its client file, and what a CI system needs.
///
/// No file that is there is written over, unless `--force` says so; what was to be added to one is printed. What was written is
/// listed, and what to do next.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck init --client python --ci github
  faultdeck init --client go --ci gitlab      # build the client once, then judge it

What it writes: faultdeck.toml, scenarios/console-fails-once.toml, clients/qradar.* (a client and its file), beside each its schema for
editors, .gitattributes,
.pre-commit-config.yaml, and the job of a CI system. docs/settings.md tells what may stand in faultdeck.toml.")]
pub(super) struct Args {
    /// The language of the client to begin with.
    #[arg(long, value_enum, default_value_t = Language::Python)]
    client: Language,
    /// Writes a job for this CI system, too.
    #[arg(long, value_enum)]
    ci: Option<Ci>,
    /// Writes over files that are there already.
    #[arg(long, group = super::settings::BY_HAND)]
    force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    Python,
    Go,
    Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Ci {
    Github,
    Gitlab,
}

/// The scenario.
const SCENARIO: &str = "scenarios/console-fails-once.toml";
/// The client file.
const CLIENT: &str = "clients/qradar.toml";

/// A file to write.
struct Draft {
    path: &'static str,
    text: String,
    /// Whether others have one of that name, too: what was to stand in it is printed if it is there.
    is_shared: bool,
    /// The schema by which editors help with it: its first line names it, and it is put beside it.
    schema: Option<Schema>,
}

impl Language {
    /// The program's file and its text.
    fn program(self) -> (&'static str, &'static str) {
        match self {
            Self::Python => ("clients/qradar.py", include_str!("init/client.py")),
            Self::Go => ("clients/qradar.go", include_str!("init/client.go")),
            Self::Node => ("clients/qradar.mjs", include_str!("init/client.mjs")),
        }
    }

    /// How it is started, as words in a client file.
    fn words(self) -> &'static str {
        match self {
            Self::Python => "\"python3\", \"clients/qradar.py\"",
            Self::Go => "\"clients/qradar\"",
            Self::Node => "\"node\", \"clients/qradar.mjs\"",
        }
    }

    /// What has to be run before it can be started.
    fn build(self) -> Option<&'static str> {
        (self == Self::Go).then_some("go build -o clients/qradar clients/qradar.go")
    }

    fn image(self) -> &'static str {
        match self {
            Self::Python => "python:3-slim",
            Self::Go => "golang:1",
            Self::Node => "node:lts-slim",
        }
    }
}

impl Ci {
    fn draft(self, language: Language) -> Draft {
        let (path, text, indent) = match self {
            Self::Github => {
                (".github/workflows/faultdeck.yml", include_str!("init/github.yaml"), "      - run: ")
            }
            Self::Gitlab => (".gitlab-ci.yml", include_str!("init/gitlab.yaml"), "    - "),
        };
        let build = language.build().map_or_else(String::new, |build| format!("{indent}{build}\n"));
        let text = text.replace("@BUILD@", &build).replace("@IMAGE@", language.image());
        Draft { path, text, is_shared: self == Self::Gitlab, schema: None }
    }
}

/// All files of a project.
fn drafts(language: Language, ci: Option<Ci>) -> Vec<Draft> {
    let own = |path, text: String| Draft { path, text, is_shared: false, schema: None };
    let helped = |path, name: &str, text: String| {
        let schema = schemas::ALL.into_iter().find(|schema| schema.name == name);
        let line = schema.map_or_else(String::new, |schema| schema.line());
        Draft { path, text: line + &text, is_shared: false, schema }
    };
    let shared = |path, text: &str| Draft { path, text: text.to_owned(), is_shared: true, schema: None };
    let (program, source) = language.program();
    let client = include_str!("init/client.toml").replace("@PROGRAM@", language.words());
    let mut drafts = vec![
        helped(settings::NAME, "settings", include_str!("init/settings.toml").replace("@FILE@", CLIENT)),
        helped(SCENARIO, "scenario", include_str!("init/scenario.toml").to_owned()),
        helped(CLIENT, "client", client.replace("@FILE@", CLIENT)),
        own(program, source.to_owned()),
        shared(".gitattributes", include_str!("init/attributes")),
        shared(".pre-commit-config.yaml", include_str!("init/pre-commit.yaml")),
    ];
    drafts.extend(ci.map(|ci| ci.draft(language)));
    drafts
}

pub(super) fn run(args: &Args) -> Result<Exit, Problem> {
    let mut missing = Vec::new();
    for draft in drafts(args.client, args.ci) {
        let path = Path::new(draft.path);
        match written(path, &draft.text, args.force) {
            Ok(true) => {
                output::data(&format!("wrote  {}\n", draft.path))?;
                put_schema(&draft)?;
            }
            Ok(false) => {
                output::data(&format!("kept   {}\n", draft.path))?;
                if draft.is_shared && !holds(path, &draft.text) {
                    missing.push(draft);
                }
            }
            Err(error) => return Err(Problem::file("write", path, error)),
        }
    }
    for draft in &missing {
        let text: String = draft.text.lines().map(|line| format!("    {line}\n")).collect();
        output::data(&format!("\nadd to {}, if it is not there:\n\n{text}", draft.path))?;
    }
    let build = args.client.build().map_or_else(String::new, |build| format!("{build} && "));
    output::data(&format!("\nnext: {build}faultdeck judge\n"))?;
    Ok(Exit::Passed)
}

/// Puts the schema of a file beside it.
fn put_schema(draft: &Draft) -> Result<(), Problem> {
    let Some(schema) = draft.schema else { return Ok(()) };
    let folder = match Path::new(draft.path).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    schema.put_into(folder).map_err(|error| Problem::file("write", &folder.join(schema.file()), error))
}

/// Writes a file, unless it is there; whether it was written. A link is something that is there, wherever it leads.
fn written(path: &Path, text: &str, force: bool) -> io::Result<bool> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).create(folder)?;
    }
    if force && path.symlink_metadata().is_ok() {
        if !path.symlink_metadata()?.is_file() {
            let why = format!("{} is no plain file", visible(&path.display().to_string()));
            return Err(io::Error::other(why));
        }
        std::fs::write(path, text)?;
        return Ok(true);
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a file that is there holds a text already, but for comments.
fn holds(path: &Path, text: &str) -> bool {
    let there = crate::files::read_text(path, crate::files::SMALL_MAX_BYTES).unwrap_or_default();
    let is_said = |line: &&str| line.trim().is_empty() || line.starts_with('#');
    text.lines().filter(|line| !is_said(line)).all(|line| there.lines().any(|known| known == line))
}
