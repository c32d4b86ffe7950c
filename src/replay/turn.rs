//! [`Turn`]: a request and its place in a session: which occurrence it is, which call, of what.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::message::Request;
use crate::profile::{Lifecycle, Matched};

use super::Setup;
use super::counts::{CountedAt, Nth, next};
use super::session::{ENTRY, Session};

/// A request and what its place in the session is.
#[derive(Clone)]
pub(super) struct Turn {
    pub(super) request: Arc<Request>,
    pub(super) matched: Option<Matched<'static>>,
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
    /// Where it is counted; nowhere once the session is full.
    pub(super) counted_at: Option<CountedAt>,
}

impl Turn {
    /// Which time it is.
    pub(super) fn is_nth(&mut self, nth: Nth) {
        let Nth { of_resource, of_endpoint, call } = nth;
        (self.nth, self.nth_of_endpoint, self.call) = (of_resource, of_endpoint, call);
    }
}

impl Session {
    /// The request's place in the session, which counts it.
    pub(super) fn turn(&mut self, setup: &Setup, request: Arc<Request>) -> Turn {
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
            counted_at: None,
        };
        self.count(&mut turn);
        turn
    }

    /// Says which occurrence and which call this is.
    fn count(&mut self, turn: &mut Turn) {
        let known = self.counts.find(turn.endpoint, &turn.counted);
        if known.is_none() && self.is_full() {
            let nth = next(&mut self.unknown);
            (turn.nth, turn.nth_of_endpoint, turn.call) = (nth, nth, nth);
            return;
        }
        let at = known.unwrap_or_else(|| {
            self.held += 2 * (ENTRY + turn.endpoint.len() + turn.counted.len());
            self.counts.add(turn.endpoint, &turn.counted)
        });
        turn.counted_at = Some(at);
        turn.is_nth(self.counts.count(at, call_of(&turn.request)));
    }

    /// How many polls of this resource there were.
    pub(super) fn ticks(&self, turn: &Turn) -> u32 {
        self.polls_of(turn.endpoint, &turn.resource)
    }

    /// How many polls of this resource there were by this endpoint.
    pub(super) fn polls_of(&self, endpoint: &str, resource: &str) -> u32 {
        self.counts.find(endpoint, resource).map_or(0, |at| self.counts.ticks(at))
    }
}

/// A hash of what makes two requests one logical call: method, target and body.
pub(super) fn call_of(request: &Request) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&request.method, &request.target, &request.body[..]).hash(&mut hasher);
    hasher.finish()
}
