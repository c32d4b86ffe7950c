//! A small console with no console: it answers from a model, in memory.
//!
//! [`Console`] is the model, a function of the requests so far: no socket, no clock. What any console does by itself
//! it leaves to the [gate](crate::profile::gate()), so a replay and an emulation refuse alike. [`Emulator`] puts it
//! behind a listener. What the user's files of profiles say of a real console it follows, as far as it can (`observed`).
//! It sends no `Date`, so the same requests give the same bytes on any day.

mod console;
mod family;
mod observed;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use console::Console;

use crate::delivery::Delivery;
use crate::ledger::{Reasons, RefusedLine};
use crate::message::Request;
use crate::redact::Redactor;
use crate::seed::Seed;
use crate::serve::{Answer, Came, Refusal, Reply};
use crate::timeline::{Deployment, HostChange, HostState, ManagedHost};

/// What a console is made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where ids come from: equal seeds give equal ids.
    pub seed: Seed,
    /// The hosts behind every task. A tick is one poll of that task.
    pub deployment: Deployment,
    /// How tasks spell their members: `sample`, or a dialect of `lifecycles.toml`.
    pub dialect: String,
    /// Whether requests without credentials are answered.
    pub no_auth: bool,
    /// Names of the cases that are there from the start; each belongs to the user `analyst`.
    pub cases: Vec<String>,
    /// The first id, in place of one from the seed; say, 2^53 + 1.
    pub ids_from: Option<i64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: Seed::default(),
            deployment: default_deployment(),
            dialect: "sample".to_owned(),
            no_auth: false,
            cases: vec!["Phishing07".to_owned(), "Exfiltration2".to_owned()],
            ids_from: None,
        }
    }
}

/// The console done before poll 3, the other host before poll 5: a task polled six times is seen waiting once, working
/// twice, partial twice, then done.
pub fn default_deployment() -> Deployment {
    let done_at = |name: &str, at| ManagedHost {
        name: name.to_owned(),
        changes: vec![HostChange { at, becomes: HostState::Done }],
    };
    Deployment { picked_up_at: 1, hosts: vec![done_at("console", 3), done_at("mh-1", 5)] }
}

/// No task has this dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no dialect `{dialect}`; there is {}", known.join(" and "))]
pub struct NoSuchDialect {
    /// The name asked for.
    pub dialect: String,
    /// The names there are.
    pub known: Vec<String>,
}

/// Called once per request that the listener turned away.
pub type Watch = Arc<dyn Fn(&RefusedLine) + Send + Sync>;

/// A [`Console`] behind a listener.
pub struct Emulator {
    console: Mutex<Console>,
    refused: AtomicU64,
    redactor: Redactor,
    watch: Option<Watch>,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("console", &self.console).finish_non_exhaustive()
    }
}

impl Emulator {
    /// Puts `console` behind a listener.
    pub fn new(console: Console) -> Self {
        let (refused, redactor) = (AtomicU64::new(0), Redactor::new());
        Self { console: Mutex::new(console), refused, redactor, watch: None }
    }

    /// The same emulator, which tells `watch` of each request that was turned away.
    #[must_use]
    pub fn watched(mut self, watch: Watch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// Everything found out about those who asked it so far.
    pub fn weigh(&self) -> Reasons {
        let mut reasons = Reasons::default();
        reasons.push_refused(self.refused.load(Ordering::Relaxed));
        reasons
    }
}

impl Answer for Emulator {
    type Asked = Request;

    fn asked(&self, request: Request) -> Request {
        request
    }

    async fn answer(&self, request: Arc<Request>, _came: Came) -> Reply {
        // A panic elsewhere leaves the model as it was: every answer changes it in one step at the end.
        let response = self.console.lock().unwrap_or_else(PoisonError::into_inner).answer(&request);
        let mut delivery = Delivery::of(response);
        delivery.bodiless |= request.method == "HEAD";
        Reply::Planned { delivery, ticket: 0 }
    }

    fn refused(&self, refusal: &Refusal) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        if let Some(watch) = &self.watch {
            watch(&refusal.line("", &self.redactor));
        }
    }
}
