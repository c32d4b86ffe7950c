//! A bounded queue on the way to a slow reader, and a thread of its own that empties it.
//!
//! Whoever starts a server may never read what it prints, and a write to a full pipe then waits for ever. So nothing that
//! serves writes by itself: it puts things in a queue, and one thread for each destination takes them out in batches,
//! makes text of them and writes it. When the queue is full, things are left out, counted, and the count stands in the
//! place where they were; or whoever brings them waits, where the destination is sure to go on (a regular file).

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Things that wait at one time.
const COUNT_MAX: usize = 4096;
/// Their bytes, about.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// What is written together: with more, the first would have left the processor's caches by then.
const BATCH: usize = 512;
/// How long a busy writer lets things gather before the next batch. An idle one begins at once.
const GATHER: Duration = Duration::from_millis(20);
/// A writer that has got nothing away for so long is stuck.
const STUCK: Duration = Duration::from_millis(250);
/// How many times longer than for one that takes nothing a reader is waited for that takes something.
const FLUSH_MAX: u32 = 10;

/// What becomes of a thing that finds no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// It is left out.
    LeaveOut,
    /// It is waited for, but not for a writer that is [`STUCK`]: then it is left out.
    WaitWhileMoving,
    /// It is waited for.
    Wait,
}

/// What is left out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// One of many.
    Passing,
    /// What comes once: it has as much room again for itself, and is written at once.
    Lasting,
}

/// What a writer takes out.
#[derive(Debug)]
pub(super) enum Entry<T> {
    /// A thing, and about how many bytes it is.
    Thing(T, usize),
    /// So many things were left out here.
    Gap(u64),
}

/// What waits to be written, in order.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// Wakes the writer.
    work: Condvar,
    /// Wakes those who wait for it.
    moved: Condvar,
}

#[derive(Debug)]
struct State<T> {
    entries: VecDeque<Entry<T>>,
    /// Bytes that wait, those in the writer's hands included.
    bytes: usize,
    /// Things in the writer's hands.
    in_hand: usize,
    /// Left out since the last thing that found room.
    gap: u64,
    /// Left out in all.
    left_out: u64,
    /// Whether the writer waits for the first thing to come.
    is_idle: bool,
    /// Whether somebody waits for what is in here.
    is_urgent: bool,
    /// Whether the writer's thread has come to an end.
    is_deserted: bool,
    /// When the writer last got something away, or had nothing to do.
    went_on: Instant,
    /// When the last batch was taken.
    taken: Option<Instant>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let state = State {
            entries: VecDeque::new(),
            bytes: 0,
            in_hand: 0,
            gap: 0,
            left_out: 0,
            is_idle: false,
            is_urgent: false,
            is_deserted: false,
            went_on: Instant::now(),
            taken: None,
        };
        Self { state: Mutex::new(state), work: Condvar::new(), moved: Condvar::new() }
    }
}

impl<T> Queue<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a thing at the end; what becomes of it when there is no room, `full` says.
    pub(super) fn push(&self, thing: T, bytes: usize, weight: Weight, full: Full) {
        let mut state = self.state();
        while !state.has_room(bytes, weight) {
            let is_stuck = full == Full::WaitWhileMoving && state.went_on.elapsed() >= STUCK;
            if full == Full::LeaveOut || is_stuck || state.is_deserted {
                state.gap += 1;
                state.left_out += 1;
                return;
            }
            self.work.notify_one();
            state = self.moved.wait_timeout(state, STUCK).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.own_up();
        if state.is_empty() {
            state.went_on = Instant::now();
        }
        state.bytes += bytes;
        state.entries.push_back(Entry::Thing(thing, bytes));
        state.is_urgent |= weight == Weight::Lasting;
        if state.is_idle || state.is_urgent || state.is_batch() {
            state.is_idle = false;
            self.work.notify_one();
        }
    }

    /// Held by the writer's thread. When it is dropped, as by a panic, nobody waits for that thread any more.
    pub(super) fn served(&self) -> Served<'_, T> {
        Served(self)
    }

    /// How many things were left out so far.
    pub(super) fn left_out(&self) -> u64 {
        self.state().left_out
    }

    /// Waits until all is written, but no longer than `limit` for a reader that takes nothing, and [`FLUSH_MAX`] times
    /// that for one that is slow. Whether it was.
    pub(super) fn flush(&self, limit: Duration) -> bool {
        let mut state = self.state();
        state.own_up();
        let began = Instant::now();
        while !state.is_empty() {
            state.is_urgent = true;
            self.work.notify_one();
            let wait = limit.saturating_sub(state.went_on.max(began).elapsed());
            if wait.is_zero() || state.is_deserted || began.elapsed() > limit.saturating_mul(FLUSH_MAX) {
                return false;
            }
            state = self.moved.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Takes all there is; waits for something to come, at most `patience`. What is taken is in the writer's hands until it
    /// is [`done`](Self::done).
    pub(super) fn take(&self, patience: Option<Duration>) -> Vec<Entry<T>> {
        let until = patience.map(|patience| Instant::now() + patience);
        let mut state = self.state();
        loop {
            let gathered = state.taken.map_or(GATHER, |taken| taken.elapsed());
            let is_due = gathered >= GATHER || state.is_urgent || state.is_batch();
            if !state.entries.is_empty() && is_due {
                break;
            }
            state.is_idle = state.entries.is_empty();
            let rest = until.map(|until| until.saturating_duration_since(Instant::now()));
            if rest.is_some_and(|rest| rest.is_zero()) {
                return Vec::new();
            }
            let gather = (!state.is_idle).then(|| GATHER.saturating_sub(gathered));
            let wait = rest.into_iter().chain(gather).min().unwrap_or(Duration::from_secs(3600));
            state = self.work.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.is_idle = false;
        state.is_urgent = false;
        state.taken = Some(Instant::now());
        state.in_hand = state.entries.len();
        state.entries.drain(..).collect()
    }

    /// So many entries that were taken, of so many bytes, are out of the writer's hands.
    pub(super) fn done(&self, count: usize, bytes: usize) {
        let mut state = self.state();
        state.in_hand = state.in_hand.saturating_sub(count);
        state.bytes = state.bytes.saturating_sub(bytes);
        state.went_on = Instant::now();
        self.moved.notify_all();
    }
}

/// A queue that somebody empties.
#[derive(Debug)]
pub(super) struct Served<'q, T>(&'q Queue<T>);

impl<T> Drop for Served<'_, T> {
    fn drop(&mut self) {
        self.0.state().is_deserted = true;
        self.0.moved.notify_all();
    }
}

impl<T> State<T> {
    fn has_room(&self, bytes: usize, weight: Weight) -> bool {
        let room = match weight {
            Weight::Passing => 1,
            Weight::Lasting => 2,
        };
        // One of any size finds room in an empty queue.
        let fits = self.bytes + bytes <= room * BYTES_MAX || (self.is_empty() && weight == Weight::Passing);
        self.entries.len() + self.in_hand < room * COUNT_MAX && fits
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.in_hand == 0
    }

    fn is_batch(&self) -> bool {
        self.entries.len() >= BATCH || self.bytes >= BYTES_MAX / 2
    }

    /// Says what was left out, in the place where it was.
    fn own_up(&mut self) {
        if self.gap > 0 {
            self.entries.push_back(Entry::Gap(std::mem::take(&mut self.gap)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, mpsc};
    use std::thread::spawn;

    const SHORT: Duration = Duration::from_millis(30);
    const LONG: Duration = Duration::from_secs(20);

    /// A queue of numbers whose writer gets one away each time the sender says so, and hands it on; a gap as a negative
    /// number.
    fn written_on_demand() -> (Arc<Queue<i64>>, mpsc::Sender<()>, mpsc::Receiver<i64>) {
        let queue = Arc::new(Queue::default());
        let (go, waits) = mpsc::channel();
        let (hand_on, numbers) = mpsc::channel();
        let of_writer = Arc::clone(&queue);
        spawn(move || {
            loop {
                for entry in of_writer.take(None) {
                    let Ok(()) = waits.recv() else { return };
                    let (number, bytes) = match entry {
                        Entry::Thing(number, bytes) => (number, bytes),
                        Entry::Gap(count) => (-i64::try_from(count).unwrap(), 0),
                    };
                    let _ = hand_on.send(number);
                    of_writer.done(1, bytes);
                }
            }
        });
        (queue, go, numbers)
    }

    #[test]
    fn a_reader_that_reads_nothing_stops_nobody_and_learns_later_what_it_missed() {
        for full in [Full::LeaveOut, Full::WaitWhileMoving] {
            let (queue, go, numbers) = written_on_demand();
            let many = i64::try_from(COUNT_MAX + 100).unwrap();
            let began = Instant::now();
            (0..many).for_each(|number| queue.push(number, 10, Weight::Passing, full));
            assert!(began.elapsed() < 4 * STUCK, "it is waited for once");
            assert!(!queue.flush(SHORT));
            // From here on it reads.
            (0..2 * many).for_each(|_| go.send(()).unwrap());
            assert!(queue.flush(LONG));
            queue.push(many, 10, Weight::Passing, full);
            assert!(queue.flush(LONG));
            let all: Vec<i64> = numbers.try_iter().collect();
            let shown = all.iter().filter(|number| **number >= 0).count();
            let missed: i64 = -all.iter().filter(|number| **number < 0).sum::<i64>();
            assert_eq!(i64::try_from(shown).unwrap() + missed, many + 1);
            assert_eq!((u64::try_from(missed).unwrap(), all.last()), (queue.left_out(), Some(&many)));
            let gap = all.iter().position(|number| *number < 0).unwrap();
            assert!(all[..gap].is_sorted() && missed > 0);
        }
    }

    #[test]
    fn where_the_writer_is_sure_to_go_on_nothing_is_left_out() {
        let (queue, go, numbers) = written_on_demand();
        let many = i64::try_from(3 * COUNT_MAX).unwrap();
        let of_bringer = Arc::clone(&queue);
        let brings =
            spawn(move || (0..many).for_each(|n| of_bringer.push(n, 10, Weight::Passing, Full::Wait)));
        std::thread::sleep(2 * STUCK);
        assert!(!brings.is_finished(), "it has to wait");
        (0..many).for_each(|_| go.send(()).unwrap());
        brings.join().unwrap();
        assert!(queue.flush(LONG));
        assert!(numbers.try_iter().eq(0..many) && queue.left_out() == 0);
    }

    #[test]
    fn nobody_waits_for_a_writer_that_is_no_more() {
        let queue = Arc::new(Queue::<i64>::default());
        let of_writer = Arc::clone(&queue);
        let writer = spawn(move || {
            let _served = of_writer.served();
            of_writer.take(None).len()
        });
        queue.push(0, 10, Weight::Passing, Full::Wait);
        assert_eq!(writer.join().unwrap(), 1);
        let many = i64::try_from(2 * COUNT_MAX).unwrap();
        (0..many).for_each(|number| queue.push(number, 10, Weight::Passing, Full::Wait));
        assert!(!queue.flush(LONG) && queue.left_out() > 0);
    }

    #[test]
    fn bytes_are_bounded_too_and_what_comes_once_has_room_of_its_own() {
        let (queue, _go, _numbers) = written_on_demand();
        (0..100).for_each(|n| queue.push(n, 100_000, Weight::Passing, Full::LeaveOut));
        assert!(queue.state().bytes <= BYTES_MAX && queue.left_out() >= 50);
        let before = queue.left_out();
        queue.push(100, 100_000, Weight::Lasting, Full::LeaveOut);
        assert_eq!(queue.left_out(), before);
    }
}
