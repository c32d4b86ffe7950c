//! [`Turn`]: a request and its place in a session: which occurrence it is, which call, of what.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::message::Request;
use crate::profile::{Lifecycle, Matched};

use super::Setup;
use super::session::{ENTRY, Session};

/// What a session knows of one resource of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Seen {
    occurrences: u32,
    calls: u32,
    /// A hash of the last request: the same one again is the same call.
    last: Option<u64>,
    /// Polls so far.
    pub(super) ticks: u32,
}

/// A request and what its place in the session is.
pub(super) struct Turn<'p> {
    pub(super) request: Request,
    pub(super) matched: Option<Matched<'p>>,
    /// Its full id; empty where no profile knows the path.
    pub(super) endpoint: &'static str,
    /// The life cycle whose task it polls.
    pub(super) polls: Option<&'static Lifecycle>,
    /// The life cycle whose tasks it creates.
    pub(super) creates: Option<&'static Lifecycle>,
    pub(super) resource: String,
    /// What is counted: the resource, or method and path where no profile knows it.
    pub(super) counted: String,
    pub(super) nth: u32,
    pub(super) nth_of_endpoint: u32,
    pub(super) call: u32,
    /// Whether the session knows this resource; not so only once it is full.
    pub(super) is_known: bool,
}

impl Session {
    /// The request's place in the session, which counts it.
    pub(super) fn turn<'p>(&mut self, setup: &'p Setup, request: Request) -> Turn<'p> {
        let method = if request.method == "HEAD" { "GET" } else { &request.method };
        let matched = setup.profile.find(method, request.path());
        let endpoint = matched.as_ref().map(|found| found.endpoint.id.as_str()).unwrap_or_default();
        let resource =
            matched.as_ref().map_or_else(|| request.path().to_owned(), |found| found.resource.clone());
        let counted = match &matched {
            Some(found) => found.resource.clone(),
            None => format!("{method} {}", request.path()),
        };
        let (polls, creates) = match endpoint {
            "" => (None, None),
            endpoint => (setup.profile.task_of(endpoint), setup.profile.created_by(endpoint)),
        };
        let mut turn = Turn {
            request,
            matched,
            endpoint,
            polls,
            creates,
            resource,
            counted,
            nth: 0,
            nth_of_endpoint: 0,
            call: 0,
            is_known: true,
        };
        self.count(&mut turn);
        turn
    }

    /// Says which occurrence and which call this is.
    fn count(&mut self, turn: &mut Turn<'_>) {
        if self.place(turn).is_none() {
            if self.is_full() {
                let nth = next(&mut self.unknown);
                (turn.nth, turn.nth_of_endpoint, turn.call, turn.is_known) = (nth, nth, nth, false);
                return;
            }
            self.held += 2 * (ENTRY + turn.endpoint.len() + turn.counted.len());
            let of_endpoint = self.seen.entry(turn.endpoint).or_default();
            of_endpoint.insert(turn.counted.clone(), Seen::default());
        }
        let of_endpoint = if turn.endpoint.is_empty() { turn.counted.as_str() } else { turn.endpoint };
        turn.nth_of_endpoint = match self.endpoint_occurrences.get_mut(of_endpoint) {
            Some(count) => next(count),
            None => *self.endpoint_occurrences.entry(of_endpoint.to_owned()).or_insert(1),
        };
        let call = call_of(&turn.request);
        let Some(seen) = self.place(turn) else { return };
        turn.nth = next(&mut seen.occurrences);
        if seen.last.replace(call) != Some(call) {
            next(&mut seen.calls);
        }
        turn.call = seen.calls;
    }

    /// What is known of the turn's resource.
    pub(super) fn place(&mut self, turn: &Turn<'_>) -> Option<&mut Seen> {
        self.seen.get_mut(turn.endpoint)?.get_mut(&turn.counted)
    }

    /// How many polls of this resource there were.
    pub(super) fn ticks(&self, turn: &Turn<'_>) -> u32 {
        self.polls_of(turn.endpoint, &turn.resource)
    }

    /// How many polls of this resource there were by this endpoint.
    pub(super) fn polls_of(&self, endpoint: &str, resource: &str) -> u32 {
        let seen = self.seen.get(endpoint).and_then(|of_endpoint| of_endpoint.get(resource));
        seen.map_or(0, |seen| seen.ticks)
    }
}

pub(super) fn next(count: &mut u32) -> u32 {
    *count = count.saturating_add(1);
    *count
}

/// A hash of what makes two requests one logical call: method, target and body.
fn call_of(request: &Request) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&request.method, &request.target, &request.body[..]).hash(&mut hasher);
    hasher.finish()
}
