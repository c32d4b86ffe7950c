//! Waiting for a peer, but not for ever.
//!
//! Most waits are over when they begin: the bytes are there. So a timer is only touched by a wait that really waits, and
//! a connection keeps one timer that is moved when it fires early, not with every request.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::connection::Phases;
use super::limits::LAST_LOOK;
use super::places::{Place, Standing};

/// `future`'s output, or `None` if it takes longer than `limit`.
pub(super) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(output) => Some(output),
        Poll::Pending => or_at_last(limit, future).await,
    }
}

/// `future`'s output, or `None` after `limit` and a last look.
async fn or_at_last<F: Future>(limit: Duration, mut future: Pin<&mut F>) -> Option<F::Output> {
    match timeout(limit, future.as_mut()).await {
        Ok(output) => Some(output),
        Err(_) => timeout(LAST_LOOK, future).await.ok(),
    }
}

/// `future`'s output, or `None` if the peer lets it take longer than `limit`, or if another connection needs the place
/// meanwhile.
pub(super) async fn while_placed<F: Future>(place: &Place, limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        return Some(output);
    }
    place.now(Standing::Waiting);
    tokio::select! {
        biased;
        output = or_at_last(limit, future) => output,
        () = place.asked_to_leave() => None,
    }
}

/// How long a peer that has moved `bytes` may still be waited for, after `waited`: `idle` at most, and less for one that
/// moves less than `rate` bytes a second.
pub(super) fn allowance(idle: Duration, rate: u64, bytes: u64, waited: Duration) -> Duration {
    let earned = Duration::from_secs(bytes / rate.max(1));
    idle.saturating_add(earned).saturating_sub(waited).min(idle)
}

/// This long from now; what is longer than a year counts as a year.
pub(super) fn from_now(limit: Duration) -> Instant {
    Instant::now() + limit.min(Duration::from_secs(365 * 24 * 60 * 60))
}

/// How a wait ended.
pub(super) enum Waited<T> {
    Done(T),
    Late,
    /// The listener stops, or another connection needs the place.
    Stopping,
}

/// What a connection has for its waits between requests.
pub(super) struct Patience {
    sleep: Pin<Box<Sleep>>,
    stopping: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Patience {
    /// For one connection; the first wait is expected to end by `until`.
    pub(super) fn new(phases: &Phases, place: &Arc<Place>, until: Instant) -> Self {
        let mut phases = phases.clone();
        let place = Arc::clone(place);
        let stopping = async move {
            tokio::select! {
                biased;
                () = phases.draining() => {}
                () = place.asked_to_leave() => {}
            }
        };
        Self { sleep: Box::pin(sleep_until(until)), stopping: Box::pin(stopping) }
    }

    /// Waits for `future` until `until`, or until the listener stops or needs the place; nothing may be waited for after
    /// that.
    pub(super) async fn wait<F: Future>(&mut self, until: Instant, future: F) -> Waited<F::Output> {
        let mut future = pin!(future);
        let mut is_last = false;
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Waited::Done(output));
            }
            if self.stopping.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Waited::Stopping);
            }
            if !is_last && self.sleep.deadline() > until {
                self.sleep.as_mut().reset(until);
            }
            while self.sleep.as_mut().poll(cx).is_ready() {
                if is_last {
                    return Poll::Ready(Waited::Late);
                }
                is_last = Instant::now() >= until;
                // It was set for an earlier wait.
                self.sleep.as_mut().reset(if is_last { Instant::now() + LAST_LOOK } else { until });
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drip_earns_no_more_time() {
        let idle = Duration::from_secs(30);
        assert_eq!(allowance(idle, 1024, 0, Duration::ZERO), idle);
        assert_eq!(allowance(idle, 1024, 10, Duration::from_secs(29)), Duration::from_secs(1));
        assert_eq!(allowance(idle, 1024, 10, Duration::from_secs(31)), Duration::ZERO);
        assert_eq!(allowance(idle, 1024, 1 << 20, Duration::from_secs(31)), idle);
        assert_eq!(allowance(idle, 0, u64::MAX, Duration::from_secs(u64::MAX / 2)), idle);
    }
}
