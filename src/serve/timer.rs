//! Waits that are never early and seldom a millisecond late.
//!
//! tokio's own timer wheel counts whole milliseconds and is about 1.5 ms late. A fault that promises 50 ms deserves
//! better, so one thread per process sleeps on a condition variable until the next wait is due and wakes its task.
//! The thread starts with the first wait and sleeps while there is none.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// Returns once `wait` has passed, never earlier.
pub(super) async fn sleep(wait: Duration) {
    match Instant::now().checked_add(wait) {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Returns at `due`, never earlier; at once if it has passed.
pub(super) async fn sleep_until(due: Instant) {
    if due <= Instant::now() {
        return;
    }
    if TIMER.started {
        let woken = TIMER.wake_at(due);
        // An error would mean that the timer thread is gone; the loop below then keeps the promise, less finely.
        let _ = woken.await;
    }
    while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        tokio::time::sleep(left).await;
    }
}

static TIMER: LazyLock<Timer> = LazyLock::new(Timer::start);

struct Timer {
    started: bool,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waits: BinaryHeap<Reverse<Entry>>,
    /// Grows with the waits that are really in use; beyond it, abandoned ones are swept out.
    sweep_above: usize,
}

struct Entry {
    due: Instant,
    wake: oneshot::Sender<()>,
}

impl Timer {
    fn start() -> Self {
        let run = || TIMER.run();
        let started = std::thread::Builder::new().name("faultdeck-timer".to_owned()).spawn(run).is_ok();
        Self { started, queue: Mutex::default(), changed: Condvar::new() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_at(&self, due: Instant) -> oneshot::Receiver<()> {
        let (wake, woken) = oneshot::channel();
        let mut queue = self.queue();
        if queue.waits.len() > queue.sweep_above {
            queue.waits.retain(|Reverse(entry)| !entry.wake.is_closed());
            queue.sweep_above = 2 * queue.waits.len() + 64;
        }
        let first = queue.waits.peek().is_none_or(|Reverse(next)| due < next.due);
        queue.waits.push(Reverse(Entry { due, wake }));
        drop(queue);
        if first {
            self.changed.notify_one();
        }
        woken
    }

    fn run(&self) {
        let mut queue = self.queue();
        loop {
            let now = Instant::now();
            while queue.waits.peek().is_some_and(|Reverse(entry)| entry.due <= now) {
                if let Some(Reverse(entry)) = queue.waits.pop() {
                    // Nobody listens any more if the client went away.
                    let _ = entry.wake.send(());
                }
            }
            queue = match queue.waits.peek().map(|Reverse(entry)| entry.due.saturating_duration_since(now)) {
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    self.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_is_never_early_and_waits_do_not_disturb_each_other() {
        let waits = (0..40).rev().map(|n| {
            tokio::spawn(async move {
                let wait = Duration::from_micros(700 * n);
                let began = Instant::now();
                sleep(wait).await;
                assert!(began.elapsed() >= wait);
            })
        });
        for wait in waits.collect::<Vec<_>>() {
            wait.await.unwrap();
        }
    }

    #[tokio::test]
    async fn abandoned_waits_do_not_pile_up() {
        for _ in 0..10_000 {
            let wait = sleep(Duration::from_secs(3600));
            tokio::select! { biased; () = wait => {}, () = std::future::ready(()) => {} }
        }
        assert!(TIMER.queue().waits.len() < 1000);
    }
}
