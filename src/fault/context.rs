//! What faults may look at: a request before it is answered, and an answer on its way.

use std::time::Duration;

use crate::message::Request;
use crate::profile::{Endpoint, Lifecycle};
use crate::seed::Stream;

/// What a fault may look at.
#[derive(Debug)]
pub struct Context<'a> {
    /// The endpoint the request hit, if a profile knows it.
    pub endpoint: Option<&'a Endpoint>,
    /// The life cycle whose task the response carries, if it carries one.
    pub lifecycle: Option<&'a Lifecycle>,
    /// The request.
    pub request: &'a Request,
    /// Which occurrence of its resource it is, from 1.
    pub nth: u32,
    /// Whether the console has heard what [`Fault::hears`](super::Fault::hears) made of the request.
    pub heard: bool,
    /// The time since the start.
    pub at: Duration,
    /// The only randomness: the stream of this fault on this occurrence.
    pub stream: &'a mut Stream,
}

/// What is known of a request before the console answers.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The endpoint the request hits, if a profile knows it.
    pub endpoint: Option<&'a Endpoint>,
    /// The life cycle of the task it is about, if it is about one.
    pub lifecycle: Option<&'a Lifecycle>,
    /// The request.
    pub request: &'a Request,
    /// Which occurrence of its resource it is, from 1.
    pub nth: u32,
}

/// How often a console answers before it refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// So many requests of one session.
    pub requests: u32,
    /// In each window of so many milliseconds from the start; 0 is one window that never ends.
    pub window_ms: u32,
}

impl Quota {
    /// The window, from 0, that this time lies in.
    pub fn window(self, at: Duration) -> u128 {
        at.as_millis().checked_div(u128::from(self.window_ms)).unwrap_or(0)
    }

    /// How long that window lasts from then on; `None` if it never ends.
    pub fn rest(self, at: Duration) -> Option<Duration> {
        let end_ms = self.window(at).checked_add(1)?.checked_mul(u128::from(self.window_ms))?;
        let end = Duration::from_millis(u64::try_from(end_ms).ok()?);
        (self.window_ms > 0).then(|| end.saturating_sub(at))
    }
}
