//! `faultdeck profile`: what is known of the API, from where, and how to know more.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::console::{Console, Token};
use super::output;
use super::problem::{Problem, nearest_or};
use super::{private, profiles};
use crate::fields::Shape;
use crate::files;
use crate::ledger::Exit;
use crate::profile::{
    Endpoint, Lifecycle, NameError, Observation, Origin, Parameter, ParameterKind, Profile,
};
use crate::record::{CONSOLE_TIMEOUT, Inquiry, InquiryError, Upstream};
use crate::report::visible;

/// What an answer is called while it is looked at.
const ANSWER: &str = "endpoints.json";

/// Shows what is known of the API, and asks a console for what it says of itself.
///
/// Endpoints and task families of your own stand in `.toml` or `.json` files in the folder `profiles/`, or in those that
/// --profile names; every verb takes them. They add to what is built in, or replace it. A `.json` file is a console's own
/// answer, which outranks the published pages.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  FAULTDECK_CONSOLE_SEC=... faultdeck profile import --upstream https://console.example
  faultdeck profile list offenses
  faultdeck profile show 'GET /siem/offenses'

A file of your own, `profiles/lab.toml`. Headings, `task`, `id`, `state`, `phases` are needed:
  [\"POST /lab/jobs\"]
  body    = \"application/json\"
  success = [202]

  [\"GET /lab/jobs/{id}\"]
  query  = [\"fields\"]
  errors = [\"404/1002\"]
  answer = '''{\"id\": \"integer\", \"phase\": \"string: NEW | BUSY | READY | CANCELLED\",
              \"done\": \"integer\"}'''

  [\"GET /lab/jobs/{id}/report\"]
  errors = [\"404/78\"]

  [\"POST /lab/jobs/{id}\"]
  body   = \"application/json\"
  errors = [\"409/77\"]

  [[lifecycle]]
  task       = \"GET /lab/jobs/{id}\"    # polls the task
  id         = \"/id\"                   # the member with its id
  state      = [\"/phase\"]              # the member with its state
  phases     = { NEW = \"waiting\", BUSY = \"working\", READY = \"done\", CANCELLED = \"cancelled\" }
  # Its answer is the task; { endpoint = .., id = \"/job\" } where it calls the id otherwise.
  created_by = \"POST /lab/jobs\"
  key        = [\"sample\"]              # what is equal in equal creations; all of it if left out
  results    = [{ endpoint = \"GET /lab/jobs/{id}/report\", before = \"404/78\" }]
  cancel     = { endpoint = \"POST /lab/jobs/{id}\", over = \"409/77\" }
  progress   = { member = \"/done\", of = 100 }

Exit codes: 0 shown or written, 1 the console cannot be asked, 2 wrong input.")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Import(Import),
    List(List),
    Show(Show),
}

/// Turns a console's own `GET /api/help/endpoints` into a profile: all of its pages, or nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  FAULTDECK_CONSOLE_SEC=... faultdeck profile import --upstream https://console.example
  faultdeck profile import --upstream endpoints.json --output profiles/lab.json

Exit codes: 0 written, 1 the console cannot be asked, 2 wrong input.")]
struct Import {
    /// The console, https://HOST or https://HOST:PORT (or http), or a file with its answer.
    #[arg(long, value_name = "URL|FILE")]
    upstream: String,
    /// The profile to write. Below `profiles/` it is used from then on.
    #[arg(long, value_name = "FILE", default_value = "profiles/console.json")]
    output: PathBuf,
    /// Replaces a file that is there already.
    #[arg(long)]
    overwrite: bool,
    /// How long the console may take for each step.
    #[arg(long, value_name = "SECONDS", default_value_t = CONSOLE_TIMEOUT.as_secs(),
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    console_timeout: u64,
    #[command(flatten)]
    token: Token,
    #[command(flatten)]
    console: Console,
}

/// Lists endpoints, each with where it is known from.
#[derive(Debug, clap::Args)]
struct List {
    /// Only those with this text in their id or source.
    word: Option<String>,
    /// For people, or a JSON list.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Shows all that is known of an endpoint.
#[derive(Debug, clap::Args)]
struct Show {
    /// Its id (`GET /siem/offenses`) or a short name (`offenses.list`).
    endpoint: String,
    /// For people, or JSON.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Json,
}

pub(super) async fn run(args: Args) -> Result<Exit, Problem> {
    match args.what {
        What::Import(import) => import.run().await,
        What::List(list) => list.run(),
        What::Show(show) => show.run(),
    }
}

impl Import {
    async fn run(self) -> Result<Exit, Problem> {
        if !self.overwrite && self.output.exists() {
            return Err(Problem::input(format!("{} exists already", self.output.display()))
                .help("choose another name with --output, or replace it with --overwrite"));
        }
        if self.output.extension().is_none_or(|ending| ending != "json") {
            return Err(Problem::input("--output has to end in .json: it is a console's own answer"));
        }
        let text = match Upstream::parse(&self.upstream) {
            Ok(upstream) => self.ask(upstream).await?,
            Err(error) if self.upstream.contains("://") => return Err(Problem::input(error)),
            Err(_) => {
                let file = Path::new(&self.upstream);
                files::read_text(file, profiles::JSON_MAX_BYTES)
                    .map_err(|error| Problem::file("read", file, error))?
            }
        };
        let not_one = |error| Problem::input(format!("this is no answer of /api/help/endpoints: {error}"));
        let (text, left_out) = Profile::tidied(&self.upstream, &text).map_err(not_one)?;
        let profile = Profile::with_files(&[(ANSWER, text.as_str())]).map_err(not_one)?;
        let is_of_it = |id: &&str| profile.origin(id) == Some(Origin::Console(ANSWER));
        let count = profile.ids().filter(is_of_it).count();
        if let Some(folder) = self.output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| Problem::file("make", folder, error))?;
        }
        let text = output::clean(&text);
        private::write(&self.output, text.as_bytes())
            .map_err(|error| Problem::file("write", &self.output, error))?;
        let many = if count == 1 { "" } else { "s" };
        output::note(&format!("{count} endpoint{many} in {}", visible(&self.output.display().to_string())));
        if left_out > 0 {
            output::note(&format!("{left_out} samples are no JSON, and were left out"));
        }
        if self.output.parent() != Some(Path::new(profiles::FOLDER)) {
            output::note(&format!("use it: --profile {}", visible(&self.output.display().to_string())));
        }
        Ok(Exit::Passed)
    }

    async fn ask(&self, upstream: Upstream) -> Result<String, Problem> {
        let token = self.token.read()?;
        let wait = Duration::from_secs(self.console_timeout);
        let inquiry = Inquiry::new(upstream, self.console.clone().trust()?, token, wait);
        let watched = output::is_watched();
        let seen = move |count: usize| {
            if watched {
                output::in_passing(&format!("{count} endpoints"));
            }
        };
        inquiry.endpoints(&seen).await.map_err(|error| {
            let help = error.help();
            let shown = error.to_string().lines().map(visible).collect::<Vec<_>>().join("\n    ");
            match error {
                InquiryError::Trust(_) => Problem::input(shown).help(help),
                _ => Problem::failed(shown).help(help),
            }
        })
    }
}

/// Where an endpoint is known from, in words.
fn source(profile: &Profile, id: &str) -> String {
    match profile.origin(id) {
        Some(Origin::Published(_)) => "the published page".to_owned(),
        Some(Origin::Console(file)) => format!("a console's own answer ({})", visible(file)),
        Some(Origin::Own(file)) => visible(file).into_owned(),
        None => "nowhere".to_owned(),
    }
}

#[derive(Serialize)]
struct Row {
    endpoint: String,
    name: String,
    source: String,
}

impl List {
    fn run(self) -> Result<Exit, Problem> {
        let profile = Profile::builtin();
        let word = self.word.unwrap_or_default().to_lowercase();
        let rows = profile.ids().map(|id| (id, source(profile, id)));
        let rows: Vec<(&str, String)> = rows
            .filter(|(id, source)| id.to_lowercase().contains(&word) || source.to_lowercase().contains(&word))
            .collect();
        if rows.is_empty() {
            return Err(Problem::input(format!("no endpoint has `{}` in its id or source", visible(&word)))
                .help("`faultdeck profile list` lists them all"));
        }
        let text = match self.format {
            Format::Human => {
                let width = rows.iter().map(|(id, _)| id.len()).max().unwrap_or_default();
                rows.iter().map(|(id, source)| format!("{:<width$}  {source}\n", visible(id))).collect()
            }
            Format::Json => {
                let rows: Vec<Row> = rows
                    .into_iter()
                    .map(|(id, source)| Row { endpoint: id.to_owned(), name: profile.short_name(id), source })
                    .collect();
                json(&rows)?
            }
        };
        output::data(&text)?;
        Ok(Exit::Passed)
    }
}

#[derive(Serialize)]
struct Shown<'p> {
    endpoint: &'p str,
    name: String,
    source: String,
    summary: &'p str,
    deprecated: bool,
    parameters: Vec<ShownParameter<'p>>,
    success: &'p [u16],
    errors: Vec<ShownError<'p>>,
    is_list: bool,
    fields: serde_json::Value,
    task: Option<ShownTask<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    observed: Vec<&'p Observation>,
}

#[derive(Serialize)]
struct ShownParameter<'p> {
    name: &'p str,
    #[serde(rename = "in")]
    kind: ParameterKind,
    #[serde(rename = "type")]
    data_type: &'p str,
    required: bool,
}

#[derive(Serialize)]
struct ShownError<'p> {
    status: u16,
    code: u32,
    description: &'p str,
}

#[derive(Serialize)]
struct ShownTask<'p> {
    polled_by: &'p str,
    created_by: Vec<&'p str>,
    cancelled_by: Option<&'p str>,
    progress: Option<&'p str>,
    states: Vec<(&'p str, String)>,
}

impl Show {
    fn run(self) -> Result<Exit, Problem> {
        let profile = Profile::builtin();
        let endpoint = profile.by_name(&self.endpoint).map_err(|error| match error {
            NameError::Ambiguous { full, .. } => {
                Problem::input(format!("several endpoints are called `{}`", visible(&self.endpoint)))
                    .help(format!("write one of `{}`", full.join("`, `")))
            }
            NameError::Unknown { nearest, .. } => {
                Problem::input(format!("no endpoint is called `{}`", visible(&self.endpoint)))
                    .help(nearest_or(&nearest, "`faultdeck profile list` lists them all"))
            }
        })?;
        let shown = Shown::of(profile, endpoint);
        let text = match self.format {
            Format::Human => shown.in_words(endpoint),
            Format::Json => json(&shown)?,
        };
        output::data(&text)?;
        Ok(Exit::Passed)
    }
}

impl<'p> Shown<'p> {
    fn of(profile: &'p Profile, endpoint: &'p Endpoint) -> Self {
        let life = profile.task_of(&endpoint.id).or_else(|| profile.created_by(&endpoint.id));
        let parameter = |it: &'p Parameter| ShownParameter {
            name: &it.name,
            kind: it.kind,
            data_type: &it.data_type,
            required: it.required,
        };
        Self {
            endpoint: &endpoint.id,
            name: profile.short_name(&endpoint.id),
            source: source(profile, &endpoint.id),
            summary: &endpoint.summary,
            deprecated: endpoint.deprecated,
            parameters: endpoint.parameters.iter().map(parameter).collect(),
            success: &endpoint.success,
            errors: endpoint
                .errors
                .iter()
                .map(|it| ShownError { status: it.status, code: it.code, description: &it.description })
                .collect(),
            is_list: endpoint.is_list,
            fields: fields(&endpoint.shape),
            task: life.map(ShownTask::of),
            observed: profile.observed(&endpoint.id).collect(),
        }
    }

    fn in_words(&self, endpoint: &Endpoint) -> String {
        let mut text = format!("{}, called {}\nfrom {}\n", visible(self.endpoint), self.name, self.source);
        if !self.summary.is_empty() {
            text.push_str(&format!("\n{}\n", visible(self.summary)));
        }
        if self.deprecated {
            text.push_str("\nIt is deprecated.\n");
        }
        text.push_str(if self.parameters.is_empty() { "\nNo parameters.\n" } else { "\nParameters:\n" });
        for it in &self.parameters {
            let required = if it.required { ", required" } else { "" };
            let place = format!("{:?}", it.kind).to_lowercase();
            text.push_str(&format!(
                "  {:<20} {place}, {}{required}\n",
                visible(it.name),
                visible(it.data_type)
            ));
        }
        let success: Vec<String> = self.success.iter().map(u16::to_string).collect();
        text.push_str(&format!("\nStatuses: {}\n", success.join(", ")));
        for it in &self.errors {
            let line = format!("  {}/{:<6} {}", it.status, it.code, visible(it.description));
            text.push_str(&format!("{}\n", line.trim_end()));
        }
        let what = if self.is_list { "a list of" } else { "one of" };
        text.push_str(&format!("\nAnswers {what}:\n"));
        tree(&endpoint.shape, 1, &mut text);
        if let Some(task) = &self.task {
            text.push_str(&format!("\nTask: polled by {}", visible(task.polled_by)));
            let creators: Vec<_> = task.created_by.iter().map(|creator| visible(creator)).collect();
            if !creators.is_empty() {
                text.push_str(&format!(", created by {}", creators.join(" or ")));
            }
            if let Some(cancel) = task.cancelled_by {
                text.push_str(&format!(", called off by {}", visible(cancel)));
            }
            let states: Vec<String> =
                task.states.iter().map(|(state, phase)| format!("{} ({phase})", visible(state))).collect();
            text.push_str(&format!("\n  {}\n", states.join(", ")));
        }
        if !self.observed.is_empty() {
            text.push_str("\nSeen of a console:\n");
        }
        for it in &self.observed {
            let what = it.instead.as_deref().unwrap_or("kept");
            let answered = it.answered.as_ref().map_or(String::new(), |it| format!(" ({it})"));
            text.push_str(&format!("  {:<30} {}{}\n", visible(&it.rule), visible(what), visible(&answered)));
        }
        text
    }
}

impl<'p> ShownTask<'p> {
    fn of(life: &'p Lifecycle) -> Self {
        Self {
            polled_by: &life.task,
            created_by: life.creators.iter().map(|creator| creator.endpoint.as_str()).collect(),
            cancelled_by: life.cancel.as_ref().map(|cancel| cancel.endpoint.as_str()),
            progress: life.progress.as_ref().map(|progress| progress.member.as_str()),
            states: life
                .phases
                .iter()
                .map(|(state, phase)| (state.as_str(), format!("{phase:?}").to_lowercase()))
                .collect(),
        }
    }
}

/// The members of a shape, a line each, indented by their depth.
fn tree(shape: &Shape, depth: usize, text: &mut String) {
    match shape {
        Shape::Object(members) => {
            for (name, member) in members {
                text.push_str(&format!(
                    "{:depth$}{}: {}\n",
                    "",
                    visible(name),
                    kind(member),
                    depth = depth * 2
                ));
                let inner = if let Shape::List(element) = member { element } else { member };
                tree(inner, depth + 1, text);
            }
        }
        // The members of an element are those of the list.
        Shape::List(element) => tree(element, depth, text),
        Shape::Any if depth == 1 => text.push_str("  anything: its members are not published\n"),
        Shape::Scalar(_) if depth == 1 => text.push_str(&format!("  {}\n", kind(shape))),
        Shape::Any | Shape::Scalar(_) => {}
    }
}

fn kind(shape: &Shape) -> String {
    match shape {
        Shape::Scalar(scalar) => match scalar {
            crate::fields::Scalar::OneOf(choices) => visible(&choices.join(" | ")).into_owned(),
            other => format!("{other:?}").to_lowercase(),
        },
        Shape::List(element) => format!("list of {}", kind(element)),
        Shape::Object(_) => "object".to_owned(),
        Shape::Any => "anything".to_owned(),
    }
}

fn fields(shape: &Shape) -> serde_json::Value {
    match shape {
        Shape::Object(members) => serde_json::Value::Object(
            members.iter().map(|(name, member)| (name.clone(), fields(member))).collect(),
        ),
        Shape::List(element) => serde_json::Value::Array(vec![fields(element)]),
        Shape::Scalar(_) | Shape::Any => serde_json::Value::String(kind(shape)),
    }
}

fn json(value: &impl Serialize) -> Result<String, Problem> {
    let text = serde_json::to_string_pretty(value).map_err(Problem::failed)?;
    Ok(text + "\n")
}
