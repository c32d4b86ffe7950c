//! Waiting for a peer, but not for ever.
//!
//! Most waits are over when they begin: the bytes are there. So a timer is only touched by a wait that really waits, and
//! a connection keeps one timer that is moved when it fires early, not with every request.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::connection::Phases;

/// `future`'s output, or `None` if it takes longer than `limit`.
pub(super) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(output) => Some(output),
        Poll::Pending => timeout(limit, future).await.ok(),
    }
}

/// This long from now; what is longer than a year counts as a year.
pub(super) fn from_now(limit: Duration) -> Instant {
    Instant::now() + limit.min(Duration::from_secs(365 * 24 * 60 * 60))
}

/// How a wait ended.
pub(super) enum Waited<T> {
    Done(T),
    Late,
    /// The listener stops.
    Stopping,
}

/// What a connection has for its waits between requests.
pub(super) struct Patience {
    sleep: Pin<Box<Sleep>>,
    stopping: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Patience {
    /// For one connection; the first wait is expected to end by `until`.
    pub(super) fn new(phases: &Phases, until: Instant) -> Self {
        let mut phases = phases.clone();
        Self {
            sleep: Box::pin(sleep_until(until)),
            stopping: Box::pin(async move { phases.draining().await }),
        }
    }

    /// Waits for `future` until `until`, or until the listener stops; nothing may be waited for after that.
    pub(super) async fn wait<F: Future>(&mut self, until: Instant, future: F) -> Waited<F::Output> {
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Waited::Done(output));
            }
            if self.stopping.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Waited::Stopping);
            }
            if self.sleep.deadline() > until {
                self.sleep.as_mut().reset(until);
            }
            while self.sleep.as_mut().poll(cx).is_ready() {
                if Instant::now() >= until {
                    return Poll::Ready(Waited::Late);
                }
                // It was set for an earlier wait.
                self.sleep.as_mut().reset(until);
            }
            Poll::Pending
        })
        .await
    }
}
