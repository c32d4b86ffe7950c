//! A server's lines on their way to the terminal.
//!
//! Whoever starts a server may never read what it prints; a write to a full pipe then waits for ever, and with it the
//! thread that answers requests. So a server's lines go through a bounded queue, and one thread of its own writes them.
//! When the queue is full, lines are left out and counted; the count is printed when there is room again, and at the
//! end. The ledger has them all.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Lines about requests that wait at one time.
const LINES_MAX: usize = 4096;
/// Their bytes.
const BYTES_MAX: usize = 1024 * 1024;

/// How many times longer than for one that takes nothing a reader is waited for that takes something.
const FLUSH_MAX: u32 = 10;

/// Where a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// What is left out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// A line about one request of many.
    Passing,
    /// What is said once: it has as much room again for itself.
    Lasting,
}

/// What waits to be written, in order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    texts: VecDeque<(Stream, String)>,
    bytes: usize,
    left_out: u64,
    /// Whether the writer holds a text that is not written yet.
    is_writing: bool,
    /// What became of standard output, if it failed for another reason than a reader that went away.
    failed: Option<io::Error>,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a text at the end, or counts it as left out. Never waits.
    pub(super) fn push(&self, stream: Stream, weight: Weight, text: String) {
        let mut state = self.state();
        let room = match weight {
            Weight::Passing => 1,
            Weight::Lasting => 2,
        };
        if state.texts.len() >= room * LINES_MAX || state.bytes + text.len() > room * BYTES_MAX {
            state.left_out += 1;
            return;
        }
        state.own_up();
        state.put(stream, text);
        self.changed.notify_all();
    }

    /// Waits until all is written, but no longer than `limit` for a reader that takes nothing, and [`FLUSH_MAX`] times
    /// that for one that is slow. Whether it was.
    pub(super) fn flush(&self, limit: Duration) -> bool {
        let mut state = self.state();
        state.own_up();
        self.changed.notify_all();
        let (began, mut moved, mut left) = (Instant::now(), Instant::now(), state.texts.len());
        while state.is_writing || !state.texts.is_empty() {
            if state.texts.len() < left {
                (moved, left) = (Instant::now(), state.texts.len());
            }
            let wait = limit.saturating_sub(moved.elapsed());
            if wait.is_zero() || began.elapsed() > limit.saturating_mul(FLUSH_MAX) {
                return false;
            }
            state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Why standard output could not be written, once.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.state().failed.take()
    }

    /// Writes what comes, for ever: the work of a thread of its own.
    pub(super) fn write_to(&self, mut write: impl FnMut(Stream, &str) -> io::Result<()>) {
        loop {
            let mut state = self.state();
            while state.texts.is_empty() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let Some((stream, text)) = state.texts.pop_front() else { continue };
            state.is_writing = true;
            drop(state);
            let written = write(stream, &text);
            let mut state = self.state();
            state.is_writing = false;
            state.bytes -= text.len();
            if let (Stream::Out, Err(error)) = (stream, written)
                && error.kind() != ErrorKind::BrokenPipe
            {
                state.failed = Some(error);
            }
            self.changed.notify_all();
        }
    }
}

impl State {
    fn put(&mut self, stream: Stream, text: String) {
        self.bytes += text.len();
        self.texts.push_back((stream, text));
    }

    /// Says what was left out, in the place where it was.
    fn own_up(&mut self) {
        if self.left_out > 0 {
            let many = if self.left_out == 1 { "line was" } else { "lines were" };
            let text = format!("{} {many} left out here, because nobody read them in time\n", self.left_out);
            self.left_out = 0;
            self.put(Stream::Err, text);
        }
    }
}

/// Writes a text whole and sends it off.
pub(super) fn write_now(stream: Stream, text: &str) -> io::Result<()> {
    match stream {
        Stream::Out => {
            let mut out = anstream::stdout();
            out.write_all(text.as_bytes())?;
            out.flush()
        }
        Stream::Err => anstream::stderr().write_all(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, mpsc};

    const SHORT: Duration = Duration::from_millis(30);
    const LONG: Duration = Duration::from_secs(20);

    /// A queue whose writer takes a text each time the sender says so, and hands it on.
    fn written_on_demand() -> (Arc<Queue>, mpsc::Sender<()>, mpsc::Receiver<String>) {
        let queue = Arc::new(Queue::default());
        let (go, waits) = mpsc::channel();
        let (hand_on, texts) = mpsc::channel();
        let of_writer = Arc::clone(&queue);
        std::thread::spawn(move || {
            of_writer.write_to(|_, text| {
                waits.recv().map_err(io::Error::other)?;
                hand_on.send(text.to_owned()).map_err(io::Error::other)
            })
        });
        (queue, go, texts)
    }

    #[test]
    fn a_reader_that_reads_nothing_stops_nobody_and_learns_later_what_it_missed() {
        let (queue, go, texts) = written_on_demand();
        let many = LINES_MAX + 100;
        for number in 0..many {
            queue.push(Stream::Err, Weight::Passing, format!("{number}\n"));
        }
        assert!(!queue.flush(SHORT));
        // From here on it reads.
        (0..2 * many).for_each(|_| go.send(()).unwrap());
        assert!(queue.flush(LONG));
        queue.push(Stream::Err, Weight::Passing, "after\n".to_owned());
        assert!(queue.flush(LONG));
        let all: Vec<String> = texts.try_iter().collect();
        let numbers: Vec<usize> = all.iter().filter_map(|text| text.trim().parse().ok()).collect();
        assert_eq!(numbers, (0..numbers.len()).collect::<Vec<_>>());
        let left_out: usize = all
            .iter()
            .filter_map(|text| text.split_once(" lines were left out")?.0.parse::<usize>().ok())
            .sum();
        assert_eq!(numbers.len() + left_out, many);
        assert_eq!(all.last().unwrap(), "after\n");
    }

    #[test]
    fn long_lines_are_bounded_too() {
        let (queue, _go, _texts) = written_on_demand();
        for _ in 0..100 {
            queue.push(Stream::Err, Weight::Passing, "x".repeat(100_000));
        }
        assert!(queue.state().bytes <= BYTES_MAX);
        assert!(queue.state().left_out >= 89);
        queue.push(Stream::Err, Weight::Lasting, "what it came to\n".to_owned());
        assert!(queue.state().texts.back().is_some_and(|(_, text)| text == "what it came to\n"));
    }

    #[test]
    fn a_stream_that_fails_is_told_once_and_a_reader_that_went_away_is_no_failure() {
        for (kind, fails) in [(ErrorKind::StorageFull, true), (ErrorKind::BrokenPipe, false)] {
            let queue = Arc::new(Queue::default());
            let of_writer = Arc::clone(&queue);
            std::thread::spawn(move || of_writer.write_to(|_, _| Err(kind.into())));
            queue.push(Stream::Out, Weight::Lasting, "http://x\n".to_owned());
            assert!(queue.flush(LONG));
            assert_eq!(queue.failure().is_some(), fails, "{kind:?}");
            assert!(queue.failure().is_none());
        }
    }
}
