//! When each byte of a response is due.
//!
//! The plan is absolute: it begins with the response, and what was late is made up for, so that a second of many small
//! pieces is a second. Nothing is due before its time.

use std::time::{Duration, Instant};

/// How much time one write of a paced response stands for. Ten times more would be seen as a stutter; ten times less
/// would cost more wake-ups than bytes.
const SLICE: Duration = Duration::from_millis(5);

/// The plan of one response.
#[derive(Debug)]
pub(super) struct Schedule {
    /// When the last thing that was no byte was due, and what came after it.
    since: Instant,
    bytes: u64,
    /// Bytes a second; 0 is as fast as can be.
    pace: u64,
}

impl Schedule {
    pub(super) fn begin(now: Instant) -> Self {
        Self { since: now, bytes: 0, pace: 0 }
    }

    /// From here on no more than so many bytes a second.
    pub(super) fn pace(&mut self, bytes_a_second: u64) {
        if bytes_a_second > 0 && (self.pace == 0 || bytes_a_second < self.pace) {
            self.since = self.due();
            (self.bytes, self.pace) = (0, bytes_a_second);
        }
    }

    pub(super) fn is_paced(&self) -> bool {
        self.pace > 0
    }

    /// What follows is due so much later.
    pub(super) fn later(&mut self, by: Duration) {
        self.since = self.since.checked_add(by).unwrap_or(self.since);
    }

    /// When what has been planned so far is due.
    pub(super) fn due(&self) -> Instant {
        self.since.checked_add(time_of(self.bytes, self.pace)).unwrap_or(self.since)
    }

    /// How many of `left` bytes are written next, at least one; from now on they are planned.
    pub(super) fn next(&mut self, left: usize, now: Instant) -> usize {
        let behind = now.saturating_duration_since(self.due());
        let bytes = bytes_in(SLICE.max(behind), self.pace).clamp(1, left.max(1) as u64);
        self.bytes = self.bytes.saturating_add(bytes);
        usize::try_from(bytes).unwrap_or(left)
    }
}

/// How long so many bytes take, never rounded down.
fn time_of(bytes: u64, pace: u64) -> Duration {
    if pace == 0 {
        return Duration::ZERO;
    }
    let nanos = (u128::from(bytes) * 1_000_000_000).div_ceil(u128::from(pace));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn bytes_in(time: Duration, pace: u64) -> u64 {
    u64::try_from(time.as_nanos() * u128::from(pace) / 1_000_000_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each of the slices of `total` bytes is due, if every write happens `late` after that.
    fn slices(schedule: &mut Schedule, total: usize, late: Duration) -> Vec<(usize, Instant)> {
        let (mut left, mut now, mut all) = (total, schedule.due(), Vec::new());
        while left > 0 {
            let bytes = schedule.next(left, now);
            left -= bytes;
            all.push((total - left, schedule.due()));
            now = schedule.due() + late;
        }
        all
    }

    #[test]
    fn no_byte_is_due_before_its_time_and_the_last_one_is_not_late() {
        for pace in [1, 7, 1000, 100_000, 1_000_000, 99_999_999] {
            for late in [Duration::ZERO, Duration::from_micros(700), Duration::from_millis(40)] {
                let total = usize::try_from(pace).unwrap() / 4 + 3;
                let began = Instant::now();
                let mut schedule = Schedule::begin(began);
                schedule.pace(pace);
                for (sent, due) in slices(&mut schedule, total, late) {
                    let took = (due - began).as_nanos();
                    assert!(took * u128::from(pace) >= sent as u128 * 1_000_000_000);
                    assert!((took - 1) * u128::from(pace) < sent as u128 * 1_000_000_000);
                }
            }
        }
    }

    #[test]
    fn a_slice_is_some_milliseconds_and_at_least_a_byte() {
        let began = Instant::now();
        let mut slow = Schedule::begin(began);
        slow.pace(3);
        assert_eq!(slow.next(100, began), 1);
        let mut fast = Schedule::begin(began);
        fast.pace(1_000_000);
        assert_eq!(fast.next(100, began), 100);
        assert_eq!(fast.next(100_000, began), 5000);
        // What should have been written in the last second is written at once.
        assert!(fast.next(10_000_000, began + Duration::from_secs(1)) > 900_000);
    }

    #[test]
    fn of_several_paces_the_least_holds_and_beats_add_up() {
        let began = Instant::now();
        let mut schedule = Schedule::begin(began);
        schedule.later(Duration::from_millis(10));
        schedule.pace(1000);
        schedule.next(3, began);
        schedule.pace(0);
        schedule.pace(9000);
        schedule.next(2, began);
        assert_eq!(schedule.due() - began, Duration::from_millis(15));
        schedule.pace(100);
        schedule.next(1, began);
        schedule.later(Duration::from_millis(5));
        assert_eq!(schedule.due() - began, Duration::from_millis(30));
    }
}
