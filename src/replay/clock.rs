//! [`Clock`]: how time passes for a scenario. It may run faster than the machine's, and tasks may go on by hand.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::delivery::{Delivery, Step};
use crate::serve::Performed;

/// How time passes for a scenario: its latencies, its ticks, its windows, and what a ledger says of them.
#[derive(Clone, Debug)]
pub struct Clock {
    scale: NonZeroU32,
    steps: Arc<AtomicU32>,
}

impl Default for Clock {
    /// As the machine's.
    fn default() -> Self {
        Self::scaled(NonZeroU32::MIN)
    }
}

impl Clock {
    /// The greatest scale: an hour of a scenario in a second.
    pub const SCALE_MAX: u32 = 3_600;

    /// So many seconds of the scenario pass in one of the machine's.
    pub fn scaled(scale: NonZeroU32) -> Self {
        Self { scale, steps: Arc::default() }
    }

    /// So many seconds of the scenario pass in one of the machine's.
    pub fn scale(&self) -> u32 {
        self.scale.get()
    }

    /// Every task of a scenario with `clock = { by = "hand" }` goes on by one tick.
    pub fn step(&self) {
        let next = |steps: u32| Some(steps.saturating_add(1));
        let _ = self.steps.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// How often it was stepped.
    pub fn steps(&self) -> u32 {
        self.steps.load(Ordering::Relaxed)
    }

    /// The scenario's time when the machine's is `at`.
    pub(super) fn of_scenario(&self, at: Duration) -> Duration {
        at.saturating_mul(self.scale.get())
    }

    /// How long that is for the machine. Never less: it is rounded up.
    pub(super) fn of_machine(&self, time: Duration) -> Duration {
        if self.scale.get() == 1 {
            return time;
        }
        let nanos = time.as_nanos().div_ceil(u128::from(self.scale.get()));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// What is planned in the scenario's time, in the machine's. Never less: a wait is rounded up.
    pub(super) fn hasten(&self, delivery: &mut Delivery) {
        if self.scale.get() == 1 {
            return;
        }
        for step in &mut delivery.steps {
            match step {
                Step::Wait(wait) | Step::Beat(wait) => {
                    *wait = self.of_machine(*wait);
                }
                Step::Pace(bytes_a_second) => {
                    *bytes_a_second = bytes_a_second.saturating_mul(self.scale.get().into());
                }
                Step::Send(_) | Step::Raw(_) | Step::End(_) => {}
            }
        }
    }

    /// What happened in the machine's time, in the scenario's.
    pub(super) fn in_scenario_time(&self, what: Performed) -> Performed {
        Performed { at: self.of_scenario(what.at), took: self.of_scenario(what.took), ..what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Response;

    #[test]
    fn a_scaled_clock_runs_faster_and_waits_less() {
        let clock = Clock::scaled(NonZeroU32::new(60).unwrap());
        assert_eq!(clock.of_scenario(Duration::from_secs(2)), Duration::from_mins(2));
        let mut delivery = Delivery::of(Response::json(200, "{}"));
        delivery.delay(Duration::from_millis(3_000));
        clock.hasten(&mut delivery);
        assert_eq!(delivery.steps.first(), Some(&Step::Wait(Duration::from_millis(50))));
        let mut paced = Delivery::of(Response::json(200, "{}"));
        paced.put_before([9], &Step::Beat(Duration::from_millis(120)));
        paced.pace(1_000);
        clock.hasten(&mut paced);
        assert_eq!(paced.steps.first(), Some(&Step::Pace(60_000)));
        assert_eq!(paced.steps.get(2), Some(&Step::Beat(Duration::from_millis(2))));
        let mut least = Delivery::of(Response::json(200, "{}"));
        least.delay(Duration::from_nanos(1));
        clock.hasten(&mut least);
        assert_eq!(least.steps.first(), Some(&Step::Wait(Duration::from_nanos(1))), "never none");
    }

    #[test]
    fn it_is_stepped_by_whoever_holds_it() {
        let clock = Clock::default();
        let other = clock.clone();
        other.step();
        assert_eq!((clock.steps(), clock.scale()), (1, 1));
    }
}
