//! The program under test, as its file describes it: started anew for each job, or once for many.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::case_line::case_line;
use super::child::{self, Environment};
use super::file::{Adapter, Argument, ClientError, ClientFile, Stdout};
use super::outcome::read_report;
use super::placeholder::{Placeholder, Values};
use super::service::{self, Started};
use super::worker::{self, Workers};
use super::{Asked, Claims, Client, Job, JobKind, Report, Takes};
use crate::files;

/// The client files that travel with the program: name and text.
const BUILTINS: [(&str, &str); 2] = [
    ("careful", include_str!("../../clients/careful.toml")),
    ("careless", include_str!("../../clients/careless.toml")),
];

/// What a client with `stdout = "outcome"` writes.
const OUTCOME_EXPECTED: &str = "\
as the last line on standard output, {\"outcome\":\"task\",\"standing\":\"done\",\"task\":{...}} with the task as it came, \
or {\"outcome\":\"not_found\"}, server_error, rejected, gave_up or error; a client that prints the task itself has \
`stdout = \"resource\"` and an exit map in its file";
/// What a client with `stdout = "resource"` writes.
const RESOURCE_EXPECTED: &str = "\
the task itself on standard output, as one JSON object and nothing else, and an exit code that the exit map of its \
file names; a client that prints {\"outcome\":...} has `stdout = \"outcome\"` in its file";

/// What the caller knows and this module does not look up by itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The faultdeck binary, for `{faultdeck}`.
    pub faultdeck: PathBuf,
    /// What programs under test are given of the caller's environment: see [`Environment::clean`].
    pub environment: Environment,
    /// The folder in which names are looked up and programs start.
    pub folder: PathBuf,
}

/// The program that a client file describes. Its clones share the workers or the service that were started.
#[derive(Clone, Debug)]
pub struct Program {
    file: ClientFile,
    settings: Settings,
    further: Vec<OsString>,
    workers: Arc<Workers>,
    service: Arc<Started>,
}

/// The client files that travel with the program: name and text.
pub fn builtins() -> &'static [(&'static str, &'static str)] {
    &BUILTINS
}

/// Opens a client: `builtin:NAME`, a path if it ends in `.toml`, else a name, looked up in `clients/` of the working
/// folder and then among those that travel with the program.
///
/// # Errors
/// If there is no such client, or its file cannot be read or is wrong.
pub fn open(argument: &str, settings: Settings) -> Result<Program, ClientError> {
    let file = if let Some(name) = argument.strip_prefix("builtin:") {
        builtin(name)?
    } else if argument.ends_with(".toml") {
        load(&settings.folder, Path::new(argument))?
    } else {
        let path = Path::new("clients").join(format!("{argument}.toml"));
        if settings.folder.join(&path).is_file() {
            load(&settings.folder, &path)?
        } else {
            builtin(argument)?
        }
    };
    let (workers, service) = (Arc::default(), Arc::default());
    Ok(Program { file, settings, further: Vec::new(), workers, service })
}

fn builtin(name: &str) -> Result<ClientFile, ClientError> {
    match BUILTINS.iter().find(|(each, _)| *each == name) {
        Some((_, text)) => ClientFile::parse(name, &format!("builtin:{name}"), text),
        None => Err(ClientError::NoSuch {
            name: name.to_owned(),
            known: BUILTINS.iter().map(|(each, _)| format!("builtin:{each}")).collect(),
        }),
    }
}

impl ClientFile {
    /// Reads a client file; its stem becomes the client's name.
    ///
    /// # Errors
    /// If it cannot be read or is wrong.
    pub fn load(path: &Path) -> Result<Self, ClientError> {
        load(Path::new(""), path)
    }
}

/// Messages call the file as the user did, without the folder.
fn load(folder: &Path, path: &Path) -> Result<ClientFile, ClientError> {
    let shown = path.display().to_string();
    let text = files::read_text(&folder.join(path), files::SMALL_MAX_BYTES)
        .map_err(|error| ClientError::Io { path: shown.clone(), source: error.into() })?;
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    ClientFile::parse(&name, &shown, &text)
}

impl Program {
    /// The client with more arguments after those in its file, as `demo --defect LIST` hands on.
    #[must_use]
    pub fn with_arguments(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.further.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Its file.
    pub fn file(&self) -> &ClientFile {
        &self.file
    }

    /// The command for a job, as it is started; of a client that is started once it is the same for each.
    pub fn command(&self, job: &Job) -> child::Command {
        let values = Values { job, faultdeck: &self.settings.faultdeck };
        let mut argv = Vec::new();
        for argument in &self.file.argv {
            match argument {
                Argument::Bare(template) => argv.extend(template.fill(&values)),
                Argument::Together(templates) => {
                    let filled: Option<Vec<_>> = templates.iter().map(|each| each.fill(&values)).collect();
                    argv.extend(filled.unwrap_or_default());
                }
            }
        }
        argv.extend(self.further.iter().cloned());
        let mut environment = self.settings.environment.clone();
        if let Some(file) = &job.ca_file {
            environment.trust(file);
        }
        for (name, template) in &self.file.env {
            if let Some(value) = template.fill(&values) {
                environment.set(name, value);
            }
        }
        child::Command {
            argv,
            environment,
            folder: Some(self.settings.folder.clone()),
            deadline: Some(Duration::from_millis(self.file.timeout_ms)),
            ..child::Command::default()
        }
    }
}

impl Client for Program {
    fn name(&self) -> &str {
        &self.file.name
    }

    fn jobs(&self) -> &[JobKind] {
        &self.file.jobs
    }

    fn endpoint(&self, job: JobKind) -> Option<&str> {
        self.file.asks.iter().find(|asks| asks.job == job).map(|asks| asks.endpoint.as_str())
    }

    fn body(&self) -> Option<&str> {
        self.file.asks.iter().find_map(|asks| asks.body.as_deref())
    }

    fn dialects(&self) -> &[String] {
        &self.file.dialects
    }

    fn takes(&self) -> Takes {
        if self.file.adapter != Adapter::Exec {
            // All of it stands in each line. Who goes by the token is asked for no session.
            return Takes { login: true, ..Takes::default() };
        }
        let takes = |hole: &Placeholder| self.file.templates().any(|template| template.holds(hole));
        Takes {
            pace: takes(&Placeholder::PaceMs),
            deadline: takes(&Placeholder::DeadlineMs),
            login: takes(&Placeholder::Password),
            fields: takes(&Placeholder::Fields),
            name: takes(&Placeholder::Name),
        }
    }

    fn claims(&self) -> &Claims {
        &self.file.claims
    }

    fn timeout_ms(&self) -> u64 {
        self.file.timeout_ms
    }

    fn expects(&self) -> &str {
        match (&self.file.adapter, self.file.stdout) {
            (Adapter::Exec, Stdout::Outcome) => OUTCOME_EXPECTED,
            (Adapter::Exec, Stdout::Resource) => RESOURCE_EXPECTED,
            (Adapter::Worker, _) => worker::EXPECTED,
            (Adapter::Http(_), _) => service::EXPECTED,
        }
    }

    fn outlives_its_cases(&self) -> bool {
        self.file.adapter != Adapter::Exec
    }

    fn asked(&self, job: &Job) -> Asked {
        let command = self.command(job).argv;
        let given = match &self.file.adapter {
            Adapter::Exec => None,
            Adapter::Worker => Some(("on its standard input".to_owned(), case_line(1, job))),
            Adapter::Http(service) => Some((format!("posted to {}", service.url), case_line(1, job))),
        };
        Asked { command: command.iter().map(|word| word.to_string_lossy().into_owned()).collect(), given }
    }

    async fn run(&self, job: &Job) -> Report {
        let command = self.command(job);
        match &self.file.adapter {
            Adapter::Exec => match child::run(&command).await {
                Ok(finished) => read_report(finished, self.file.stdout, &self.file.exit),
                Err(error) => Report::not_started(error.to_string()),
            },
            Adapter::Worker => self.workers.run(&command, &self.file.jobs, job).await,
            Adapter::Http(service) => self.service.run(service, &command, &case_line(1, job)).await,
        }
    }

    async fn end(&self) {
        self.workers.end().await;
        self.service.end().await;
    }
}
