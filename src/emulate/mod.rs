//! A small console with no console: it answers from a model, in memory.
//!
//! [`Console`] is the model, a function of the requests so far: no socket, no clock. What any console does by itself
//! it leaves to the [gate](crate::profile::gate()), so a replay and an emulation refuse alike. [`Emulator`] puts it
//! behind a listener. It sends no `Date`, so the same requests give the same bytes on any day.

mod console;
mod family;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use console::Console;

use crate::delivery::Delivery;
use crate::message::Request;
use crate::seed::Seed;
use crate::serve::{Answer, Reply};
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

/// A [`Console`] behind a listener.
#[derive(Debug)]
pub struct Emulator(Mutex<Console>);

impl Emulator {
    /// Puts `console` behind a listener.
    pub fn new(console: Console) -> Self {
        Self(Mutex::new(console))
    }
}

impl Answer for Emulator {
    async fn answer(&self, request: Request, _at: Duration) -> Reply {
        // A panic elsewhere leaves the model as it was: every answer changes it in one step at the end.
        let response = self.0.lock().unwrap_or_else(PoisonError::into_inner).answer(&request);
        let mut delivery = Delivery::of(response);
        delivery.bodiless |= request.method == "HEAD";
        Reply::Planned { delivery, ticket: 0 }
    }
}
