//! Clients under test: what they are asked, how they are started, and how what they say is read.
//!
//! A client is a program of its own, described by `clients/NAME.toml` ([`Program`]), or a closure in a Rust test
//! ([`InProcess`]). Both give back a [`Report`]. Nothing here judges it.
//!
//! - `read` and `start` read the file, `jobs` what it can be asked, `placeholder` what stands for a job's values
//! - a program is started anew for each job by `child`; a `worker` stays and is given them in lines, a service in requests
//!   (`service`): `case_line` is what both are given
//! - `outcome` reads what came of a job

mod case_line;
pub mod child;
mod file;
mod in_process;
mod jobs;
mod outcome;
mod placeholder;
mod program;
mod read;
mod service;
mod start;
mod worker;

use std::future::Future;
use std::path::PathBuf;

use crate::ledger::OutcomeLine;
use crate::replay::Door;

pub use file::{ClientError, ClientFile, Stdout};
pub use in_process::{Called, InProcess, Through};
pub use outcome::read_outcome;
pub use program::{Program, Settings, builtins, open};

/// What a client can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// One GET of a task, with `fields`.
    Get,
    /// Poll a task until there is nothing more to wait for.
    Wait,
    /// Create a case, then wait for its task.
    Create,
    /// One write, with `fields` where its endpoint takes it.
    Send,
    /// Read a whole list to its end, and report all its elements.
    List,
}

impl JobKind {
    /// Every kind, in the order it is documented.
    pub const ALL: [Self; 5] = [Self::Get, Self::Wait, Self::Create, Self::Send, Self::List];

    /// As it is written in client files and handed to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Wait => "wait",
            Self::Create => "create",
            Self::Send => "send",
            Self::List => "list",
        }
    }

    /// The endpoint it asks where a client file names none, by its full id; a write and a list are always named.
    pub fn usual_endpoint(self) -> Option<&'static str> {
        match self {
            Self::Get | Self::Wait => Some("GET /forensics/case_management/case_create_tasks/{id}"),
            Self::Create => Some("POST /forensics/case_management/cases"),
            Self::Send | Self::List => None,
        }
    }

    /// Whether it watches a task until there is nothing more to wait for.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Self::Wait | Self::Create)
    }

    /// The kind an exact spelling names.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl std::fmt::Display for JobKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a client is asked to do, once.
#[derive(Clone, PartialEq, Eq)]
pub struct Job {
    /// Which job.
    pub kind: JobKind,
    /// `scheme://host:port`, perhaps with a session's path; no final slash and no `/api`.
    pub base_url: String,
    /// The method of the endpoint it asks first.
    pub method: String,
    /// The path it asks first, values in it and encoded, without `/api`.
    pub path: String,
    /// Names and values of the path's parameters, decoded.
    pub params: Vec<(String, String)>,
    /// The body of the write for `send`.
    pub body: Option<String>,
    /// The value of the last of the path's parameters for `get` and `wait`, as text: it may exceed 2^53.
    pub id: Option<String>,
    /// The case name for `create`.
    pub name: Option<String>,
    /// The selector, as a person would write it (not encoded); none asks for the whole resource.
    pub fields: Option<String>,
    /// The token.
    pub sec: String,
    /// Who logs in, where a client has no token.
    pub user: String,
    /// With which password.
    pub password: String,
    /// The certificate authority to trust, when the base URL is https.
    pub ca_file: Option<PathBuf>,
    /// Milliseconds to leave between polls, at least.
    pub pace_ms: u64,
    /// Milliseconds after which the client itself should give up the whole job.
    pub deadline_ms: u64,
}

#[cfg(test)]
impl Job {
    fn example(kind: JobKind) -> Self {
        Self {
            kind,
            base_url: "http://127.0.0.1:1".to_owned(),
            method: "GET".to_owned(),
            path: String::new(),
            params: Vec::new(),
            body: None,
            id: Some("42".to_owned()),
            name: None,
            fields: None,
            sec: "canary".to_owned(),
            user: "analyst".to_owned(),
            password: "correct-horse-9b1".to_owned(),
            ca_file: None,
            pace_ms: 1,
            deadline_ms: 100,
        }
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token and the password stay out: this text may end up in a panic message.
        f.debug_struct("Job")
            .field("kind", &self.kind)
            .field("base_url", &self.base_url)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("body", &self.body)
            .field("id", &self.id)
            .field("name", &self.name)
            .field("fields", &self.fields)
            .field("ca_file", &self.ca_file)
            .field("pace_ms", &self.pace_ms)
            .field("deadline_ms", &self.deadline_ms)
            .finish_non_exhaustive()
    }
}

/// How a client says the task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resting {
    /// The work is done on every host.
    Done,
    /// Partly done: usable, and neither done nor failed.
    Usable,
    /// Not far enough to be used, or not known.
    Pending,
    /// Failed for good.
    Failed,
}

impl Resting {
    /// Every standing, in the order it is documented.
    pub(crate) const ALL: [Self; 4] = [Self::Done, Self::Usable, Self::Pending, Self::Failed];

    /// As it is written in an outcome.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Usable => "usable",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }

    /// The standing an exact spelling names.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == text)
    }
}

impl std::fmt::Display for Resting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What came of a job. The last five are seen from outside; the client does not report them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A task was reported.
    Task {
        /// How it stands.
        standing: Resting,
        /// The task as JSON text, every scalar as the client wrote it.
        task: String,
    },
    /// There is no such task.
    NotFound {
        /// The console's own code, if the client gave one.
        code: Option<i64>,
    },
    /// The console failed.
    ServerError {
        /// The console's own code, if the client gave one.
        code: Option<i64>,
    },
    /// The console refused what was asked.
    Rejected {
        /// The console's own code, if the client gave one.
        code: Option<i64>,
    },
    /// The client stopped on purpose before it knew the end.
    GaveUp,
    /// Anything else the client complains of.
    Error {
        /// In words.
        text: String,
    },
    /// It did not end in the time it had, and was ended.
    TimedOut,
    /// It ended by a signal, a panic, or an exit code that nothing explains.
    Crashed {
        /// How, in words: `signal 11`, `exit code 101`.
        how: String,
    },
    /// It ended well and wrote nothing.
    Silent,
    /// It ended well, and what it wrote cannot be read as an outcome.
    Unreadable {
        /// Why, in words.
        why: String,
    },
    /// It could not be started: nothing was tested.
    NotStarted {
        /// Why, in words.
        why: String,
    },
}

/// What a client did with a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What came of it.
    pub outcome: Outcome,
    /// What it wrote on standard error, the middle cut out if it was long.
    pub stderr: String,
    /// What it wrote on standard output, the middle cut out if it was long.
    pub stdout: String,
    /// Whether the standing is what its exit code means, as of a program that prints the resource alone.
    pub by_exit_code: bool,
    /// Remarks of ours: the exit code said another thing than the outcome, output was cut.
    pub notes: Vec<String>,
}

/// What a client says of itself; never held against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// What it does with a task that stays partly done.
    pub on_partial: OnPartial,
    /// Whether each of its requests carries a `Version` header.
    pub sends_version: bool,
    /// How often it repeats a failed request, at most.
    pub retries_max: u32,
    /// Which statuses it repeats a request after.
    pub retries_on: Vec<u16>,
    /// After how many milliseconds it ends a request by itself whose answer has not come.
    pub request_timeout_ms: Option<u64>,
    /// After how many milliseconds it gives a job up by itself.
    pub gives_up_after_ms: Option<u64>,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            on_partial: OnPartial::Waits,
            sends_version: false,
            retries_max: 0,
            retries_on: Vec::new(),
            request_timeout_ms: None,
            gives_up_after_ms: None,
        }
    }
}

/// As in the `[claims]` of a client file, on one line.
impl std::fmt::Display for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let on_partial = match self.on_partial {
            OnPartial::Waits => "waits",
            OnPartial::Leaves => "leaves",
        };
        write!(f, "on_partial = \"{on_partial}\", sends_version = {}", self.sends_version)?;
        if self.retries_max > 0 {
            write!(f, ", retries = {{ max = {}, on = {:?} }}", self.retries_max, self.retries_on)?;
        }
        if let Some(limit) = self.request_timeout_ms {
            write!(f, ", request_timeout_ms = {limit}")?;
        }
        match self.gives_up_after_ms {
            Some(limit) => write!(f, ", gives_up_after_ms = {limit}"),
            None => Ok(()),
        }
    }
}

/// What a client does with a task that stays partly done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnPartial {
    /// Watches on until it is done, or its own limit.
    Waits,
    /// Reports it as usable and leaves it.
    Leaves,
}

/// What of a job reaches a client. A closure has all of it and uses the token; a program has what its file hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takes {
    /// How long to wait between polls.
    pub pace: bool,
    /// When to give up.
    pub deadline: bool,
    /// A user and a password, to log in with.
    pub login: bool,
    /// The selector to ask with.
    pub fields: bool,
    /// The name of the case to create.
    pub name: bool,
}

impl Default for Takes {
    fn default() -> Self {
        Self { pace: true, deadline: true, login: false, fields: true, name: true }
    }
}

/// How a client is asked to do a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The command that starts it, if one does.
    pub command: Vec<String>,
    /// What it is given beside that: on which way, and the text.
    pub given: Option<(String, String)>,
}

/// The program under test.
pub trait Client: Send + Sync {
    /// Its name: the file's stem.
    fn name(&self) -> &str;
    /// The jobs it can do.
    fn jobs(&self) -> &[JobKind];
    /// The endpoint that a job of its asks first, by its full id.
    fn endpoint(&self, job: JobKind) -> Option<&str> {
        job.usual_endpoint()
    }
    /// The body it sends in the job `send`.
    fn body(&self) -> Option<&str> {
        None
    }
    /// The dialects of the API it knows: `sample`, `prose`.
    fn dialects(&self) -> &[String];
    /// What of a job reaches it.
    fn takes(&self) -> Takes {
        Takes::default()
    }
    /// What it says of itself.
    fn claims(&self) -> &Claims;
    /// Milliseconds it has for one job before it is ended.
    fn timeout_ms(&self) -> u64;
    /// What it has to write for its outcome to be read, for a person.
    fn expects(&self) -> &str {
        "an outcome"
    }
    /// Whether it goes on after a job: what it does then must not be taken for a part of the next one.
    fn outlives_its_cases(&self) -> bool {
        false
    }
    /// How it is asked to do a job, for a person; the token stands in it.
    fn asked(&self, _job: &Job) -> Asked {
        Asked::default()
    }
    /// Ends whatever of it outlives its jobs.
    fn end(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
    /// Does one job. Ends soon after [`Client::timeout_ms`] whatever the client does; when the future is dropped, the
    /// client is ended.
    fn run(&self, job: &Job) -> impl Future<Output = Report> + Send;
    /// Whether it asks the console through a [`Door`], and so without any socket.
    fn asks_through_a_door(&self) -> bool {
        false
    }
    /// As [`Client::run`], where the console is behind this door.
    fn run_through(&self, job: &Job, door: Door) -> impl Future<Output = Report> + Send {
        drop(door);
        self.run(job)
    }
}
