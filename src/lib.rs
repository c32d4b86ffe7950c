//! faultdeck stands in for a QRadar console: it records real answers once, replays them offline with exactly the
//! trouble you ask for, and tells you whether your client coped.
//!
//! The module list below is a map of the code, in the order the data flows; imports go down only.
//!
//! # In a program of yours
//!
//! A replay is one call, [`replay::Replay::builder`]; it listens on a thread of its own and stops when it is dropped.
//!
//! A recording is an answerer behind a listener, like a replay and the small console of [`emulate`], which is what is
//! recorded here:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::sync::Arc;
//!
//! use faultdeck::cassette::Cassette;
//! use faultdeck::emulate::{Console, Emulator, Settings};
//! use faultdeck::record::{self, Recorder, Upstream};
//! use faultdeck::serve::{Options, ServerThread};
//!
//! let emulator = Emulator::new(Console::new(Settings::default())?);
//! let console = ServerThread::start(Options::default(), Arc::new(emulator))?;
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("mine.json");
//! let settings = record::Settings::new(Upstream::parse(console.url())?, &file);
//! let recorder = Arc::new(Recorder::new(settings, None)?);
//! let mut proxy = ServerThread::start(Options::default(), Arc::clone(&recorder))?;
//! recorder.set_base(proxy.url());
//!
//! // Any client will do; this one is a socket.
//! let mut socket = std::net::TcpStream::connect(proxy.addr())?;
//! let target = "/api/forensics/case_management/cases";
//! write!(socket, "GET {target} HTTP/1.1\r\nHost: localhost\r\nSEC: my-secret-token\r\nConnection: close\r\n\r\n")?;
//! let mut answer = String::new();
//! socket.read_to_string(&mut answer)?;
//! assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
//!
//! proxy.stop();
//! assert_eq!(recorder.finish()?.stored, 1);
//! let cassette = Cassette::load(&file)?;
//! assert_eq!(cassette.interactions[0].request.target, target);
//! assert!(!cassette.to_text().contains("my-secret-token"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A client is judged in process if it can be called: here one that takes every failure for "no such task".
//!
//! ```
//! use std::io::{Read, Write};
//! use std::sync::Arc;
//!
//! use faultdeck::cassette::find::{Asker, find};
//! use faultdeck::client::{InProcess, Job, JobKind, Outcome, Resting};
//! use faultdeck::judge::{Plan, judge};
//! use faultdeck::ledger::Standing;
//! use faultdeck::replay::recorded;
//!
//! fn get(job: &Job) -> std::io::Result<Outcome> {
//!     let host = job.base_url.trim_start_matches("http://");
//!     let id = job.id.as_deref().unwrap_or_default();
//!     let fields = job.fields.as_ref().map_or(String::new(), |fields| format!("?fields={}", fields.replace(' ', "%20")));
//!     let mut socket = std::net::TcpStream::connect(host)?;
//!     write!(
//!         socket,
//!         "GET /api/forensics/case_management/case_create_tasks/{id}{fields} HTTP/1.1\r\n\
//!          Host: {host}\r\nSEC: {}\r\nVersion: 26.0\r\nConnection: close\r\n\r\n",
//!         job.sec
//!     )?;
//!     let mut answer = String::new();
//!     socket.read_to_string(&mut answer)?;
//!     match answer.split_once("\r\n\r\n") {
//!         Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => {
//!             Ok(Outcome::Task { standing: Resting::Pending, task: body.to_owned() })
//!         }
//!         _ => Ok(Outcome::NotFound { code: None }),
//!     }
//! }
//!
//! let client = InProcess::new("mine", |job: Job| async move {
//!     let answer = tokio::task::spawn_blocking(move || get(&job)).await.expect("it does not panic");
//!     answer.unwrap_or_else(|error| Outcome::Error { text: error.to_string() })
//! })
//! .with_jobs(&[JobKind::Get]);
//!
//! let cassette = find("builtin:forensics/create-case", Asker::CommandLine)?;
//! let evidence = recorded(cassette);
//! let plan = Plan { cases: 8, scenarios: Vec::new(), ..Plan::new(Arc::new(move |_| Ok(evidence.clone()))) };
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! let judged = runtime.block_on(judge(&plan, &client, &|_| {}))?;
//!
//! let broken: Vec<&str> = judged
//!     .verdicts
//!     .iter()
//!     .filter(|verdict| verdict.verdict == Standing::Violated)
//!     .map(|verdict| verdict.property.as_str())
//!     .collect();
//! assert_eq!(broken, ["names-the-error"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// Vocabulary: words every module uses.
pub mod files;
pub mod json;
pub mod message;
pub mod seed;
mod spelling;

pub mod delivery;
pub mod fields;
pub mod greeting;
pub mod redact;
pub mod schemas;
pub mod timeline;
mod written;

pub mod lists;

pub mod profile;

// The sentence: record -> cassette -> scenario -> replay -> judge -> report.
pub mod cassette;
pub mod fault;
pub mod ledger;
pub mod scenario;
pub mod settings;

pub mod emulate;
pub mod record;
pub mod replay;
pub mod serve;

pub mod client;
pub mod console;
pub mod judge;
pub mod report;
pub mod run;

#[cfg(feature = "cli")]
pub mod bundled;
#[cfg(feature = "cli")]
pub mod cli;
