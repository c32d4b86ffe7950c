//! Further defects of the careless client, each switched on by name alone: small slips, as people make them, to prove the
//! judge on. They lie around the client, not in it: what it is told, sends, hears and says passes here.

mod hearing;
mod saying;
mod sending;

use std::time::Duration;

use super::arguments::Arguments;
use super::defects::{Defect, Defects};
use super::report::Outcome;
use super::session::Credential;
use super::wire::{Console, Trouble};
use crate::message::{Request, Response};

/// An answer, or why there is none.
type Heard = Result<Response, Trouble>;

/// A defect, and where it sits.
struct Slip {
    defect: Defect,
    does: Does,
}

/// What a slip changes.
#[derive(Clone, Copy)]
enum Does {
    /// What the client is told.
    Told(fn(&mut Arguments)),
    /// A request, before it is sent.
    Sent(fn(&mut Request, &Arguments)),
    /// An answer, before it is understood.
    Heard(fn(&Request, Heard) -> Heard),
    /// An answer, before it is understood, by asking further.
    Asks(fn(&Call<'_>, Heard) -> Heard),
    /// What is reported in the end.
    Said(fn(Outcome, &Arguments) -> Outcome),
}

/// A request that was sent, and how to send more.
struct Call<'a> {
    console: &'a Console,
    request: &'a Request,
    limit: Duration,
}

const fn slip(name: &'static str, summary: &'static str, property: &'static str, does: Does) -> Slip {
    Slip { defect: Defect { name, summary, property, needs_login: false }, does }
}

fn all() -> impl Iterator<Item = &'static Slip> {
    sending::SLIPS.iter().chain(hearing::SLIPS).chain(saying::SLIPS)
}

/// The defects that are switched on by name alone.
pub fn slips() -> impl Iterator<Item = &'static Defect> {
    all().map(|slip| &slip.defect)
}

fn on(defects: &Defects) -> impl Iterator<Item = Does> {
    all().filter(|slip| defects.has(slip.defect.name)).map(|slip| slip.does)
}

/// Changes what the client is told.
pub(super) fn as_given(arguments: &mut Arguments) {
    for does in on(&arguments.defects.clone()) {
        if let Does::Told(change) = does {
            change(arguments);
        }
    }
}

/// Sends a request and hears its answer.
pub(super) fn exchange(
    console: &Console,
    request: &Request,
    limit: Duration,
    arguments: &Arguments,
) -> Heard {
    let mut request = request.clone();
    for does in on(&arguments.defects) {
        if let Does::Sent(change) = does {
            change(&mut request, arguments);
        }
    }
    let mut heard = console.exchange(&request, limit);
    for does in on(&arguments.defects) {
        match does {
            Does::Heard(change) => heard = change(&request, heard),
            Does::Asks(change) => heard = change(&Call { console, request: &request, limit }, heard),
            _ => {}
        }
    }
    heard
}

/// Changes what is reported.
pub(super) fn reported(mut outcome: Outcome, arguments: &Arguments) -> Outcome {
    for does in on(&arguments.defects) {
        if let Does::Said(change) = does {
            outcome = change(outcome, arguments);
        }
    }
    outcome
}

/// The token it was given; empty if it logs in.
fn token(arguments: &Arguments) -> &str {
    match &arguments.credential {
        Credential::Token(token) => token,
        Credential::Login { .. } => "",
    }
}

/// Whether it asks for a task.
fn is_poll(request: &Request) -> bool {
    request.method == "GET" && request.target.contains("/case_create_tasks/")
}
