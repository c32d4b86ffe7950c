//! How long a command that never ends by itself is left to run: until its task is done, until it is idle, for a time.

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::judge::phase_shown;
use crate::replay::{Event, Watch};

/// How many polls after the end of a task can be asked for, and are counted.
const ENDS_MAX: usize = 1_000;

/// How long a command has for the answer that was waited for, before it is asked to end.
const TO_READ: Duration = Duration::from_millis(100);

/// After what a command is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// It has been shown that its task is over, done or not, and has polled so many times more.
    TaskDone {
        /// How many times.
        polls: u32,
    },
    /// It has asked for nothing for so long.
    Idle(Duration),
    /// So long after it was started.
    For(Duration),
}

/// `task-done`, `task-done+2polls`, `idle=10s`, `for=5m`.
const FORM: &str = "write `task-done`, `task-done+2polls`, `idle=10s` or `for=5m`";

impl FromStr for Until {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(rest) = text.strip_prefix("task-done") {
            let polls = match rest {
                "" => 0,
                rest => {
                    let number = rest.strip_prefix('+').ok_or(FORM)?;
                    let number = number.strip_suffix("polls").or_else(|| number.strip_suffix("poll"));
                    let number = number.and_then(|number| number.parse::<u32>().ok()).ok_or(FORM)?;
                    if number as usize >= ENDS_MAX {
                        return Err("after the end of a task there are 999 polls at most");
                    }
                    number
                }
            };
            return Ok(Self::TaskDone { polls });
        }
        match text.split_once('=') {
            Some(("idle", time)) => duration(time).map(Self::Idle),
            Some(("for", time)) => duration(time).map(Self::For),
            _ => None,
        }
        .ok_or(FORM)
    }
}

/// `500ms`, `10s`, `5m`, `2h`.
fn duration(text: &str) -> Option<Duration> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let (digits, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))?;
    let time = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    (time > 0).then(|| Duration::from_millis(time))
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: &Duration| match time.as_millis() {
            ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
            ms => format!("{ms}ms"),
        };
        match self {
            Self::TaskDone { polls: 0 } => f.write_str("task-done"),
            Self::TaskDone { polls } => write!(f, "task-done+{polls}polls"),
            Self::Idle(limit) => write!(f, "idle={}", time(limit)),
            Self::For(limit) => write!(f, "for={}", time(limit)),
        }
    }
}

/// What is seen of a command that is to be ended.
pub(super) struct Lookout {
    all: Vec<Until>,
    began: Instant,
    seen: Mutex<Seen>,
    changed: Notify,
}

struct Seen {
    /// When something was asked for last.
    last: Instant,
    /// When each poll that has shown the end of a task was answered; its ticket, while its answer is on its way.
    ends: Vec<Result<Instant, u64>>,
}

impl Lookout {
    /// From now on.
    pub(super) fn of(all: &[Until]) -> Arc<Self> {
        let now = Instant::now();
        let seen = Seen { last: now, ends: Vec::new() };
        Arc::new(Self { all: all.to_vec(), began: now, seen: Mutex::new(seen), changed: Notify::new() })
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What tells it of each request; none if it need not know.
    pub(super) fn watch(self: &Arc<Self>) -> Option<Watch> {
        let minds = self.all.iter().any(|until| !matches!(until, Until::For(_)));
        let lookout = Arc::clone(self);
        minds.then(|| Arc::new(move |event: &Event| lookout.see(event)) as Watch)
    }

    fn see(&self, event: &Event) {
        let now = Instant::now();
        let mut seen = self.seen();
        match event {
            Event::Served { ticket, served } => {
                seen.last = now;
                if seen.ends.len() < ENDS_MAX
                    && phase_shown(served.exchange()).is_some_and(|phase| phase.is_last())
                {
                    seen.ends.push(Err(*ticket));
                }
            }
            Event::Performed { ticket, .. } => {
                seen.last = now;
                if let Some(end) = seen.ends.iter_mut().find(|end| **end == Err(*ticket)) {
                    *end = Ok(now);
                }
            }
            Event::Refused(_) | Event::Greeted(_) => seen.last = now,
            Event::Opened(_) => return,
        }
        drop(seen);
        self.changed.notify_one();
    }

    /// Comes to its end when one of the conditions is met: which.
    pub(super) async fn reached(&self) -> Until {
        loop {
            let now = Instant::now();
            let due = self.all.iter().filter_map(|until| Some((self.due(*until)?, *until)));
            match due.min_by_key(|(due, _)| *due) {
                Some((due, until)) if due <= now => return until,
                Some((due, _)) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(due) => {}
                        () = self.changed.notified() => {}
                    }
                }
                None => self.changed.notified().await,
            }
        }
    }

    /// When a condition is met if nothing else happens; `None` if that takes more.
    fn due(&self, until: Until) -> Option<Instant> {
        let seen = self.seen();
        match until {
            Until::For(limit) => self.began.checked_add(limit),
            Until::Idle(limit) => seen.last.checked_add(limit),
            Until::TaskDone { polls } => {
                let answered = seen.ends.get(polls as usize)?.ok()?;
                answered.checked_add(TO_READ)
            }
        }
    }
}

/// `stop`, or the first condition that is met: which, if it was one.
pub(super) async fn either(stop: impl Future, lookout: &Lookout) -> Option<Until> {
    tokio::select! {
        biased;
        _ = stop => None,
        until = lookout.reached() => Some(until),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_read_as_it_is_written() {
        for text in ["task-done", "task-done+2polls", "idle=10s", "for=1500ms"] {
            assert_eq!(text.parse::<Until>().unwrap().to_string(), text);
        }
        assert_eq!("for=2m".parse(), Ok(Until::For(Duration::from_secs(120))));
        for text in
            ["", "task-done+", "task-done+x", "task-done2", "idle", "idle=", "idle=0s", "for=10", "done"]
        {
            assert_eq!(text.parse::<Until>(), Err(FORM), "{text}");
        }
        assert!(
            "task-done+1000polls".parse::<Until>().is_err() && "task-done+999polls".parse::<Until>().is_ok()
        );
    }

    #[tokio::test]
    async fn the_first_condition_that_is_met_ends_it() {
        let ms = Duration::from_millis;
        let lookout = Lookout::of(&[Until::For(ms(60_000)), Until::Idle(ms(20))]);
        assert_eq!(lookout.reached().await, Until::Idle(ms(20)));
        let lookout = Lookout::of(&[Until::TaskDone { polls: 0 }, Until::For(ms(20))]);
        assert_eq!(lookout.reached().await, Until::For(ms(20)));
    }
}
