//! Connections to the console that wait for the next request: one request at a time each, and only where nothing of one
//! answer can become part of the next.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::dial::Line;

/// Connections that wait at one time.
const LINES_MAX: usize = 64;
/// How long one waits at most: consoles end idle ones after five seconds and more, and nobody is to run into that.
const IDLE_MAX: Duration = Duration::from_secs(2);

/// One that waits: with memory for its next answer, and since when.
type Waiting = (Line, BytesMut, Instant);

/// Longer memory is not kept with a connection.
const BUFFER_MAX: usize = 64 * 1024;

/// The connections that wait.
#[derive(Debug, Default)]
pub(super) struct Idle {
    lines: Mutex<Vec<Waiting>>,
    is_over: AtomicBool,
}

impl Idle {
    fn lines(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that is open still, and on which the console has said nothing since its last answer.
    pub(super) fn take(&self) -> Option<(Line, BytesMut)> {
        loop {
            let (line, buffer, since) = self.lines().pop()?;
            if since.elapsed() < IDLE_MAX && line.is_silent() {
                return Some((line, buffer));
            }
        }
    }

    /// Keeps one after a whole answer.
    pub(super) fn put(&self, line: Line, buffer: BytesMut) {
        // Whether anything comes that nobody asked for is seen when it is taken.
        if self.is_over.load(Ordering::Relaxed) {
            return;
        }
        let mut lines = self.lines();
        lines.retain(|(_, _, since)| since.elapsed() < IDLE_MAX);
        if lines.len() < LINES_MAX {
            let buffer = if buffer.capacity() > BUFFER_MAX { BytesMut::new() } else { buffer };
            lines.push((line, buffer, Instant::now()));
        }
    }

    /// The answers of this console run into each other: each request has a connection of its own from here on.
    pub(super) fn distrust(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.lines().clear();
    }
}
