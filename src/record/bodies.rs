//! Bodies on their way into the cassette: each bounded, and all of them together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One body.
const BODY_MAX: usize = 64 * 1024 * 1024;
/// All bodies that are being read at one time.
const ALL_MAX: usize = 256 * 1024 * 1024;

/// What is left for bodies that are being read.
#[derive(Debug, Default)]
pub(super) struct Budget {
    held: AtomicUsize,
}

impl Budget {
    fn take(&self, bytes: usize) -> bool {
        let take = |held: usize| held.checked_add(bytes).filter(|held| *held <= ALL_MAX);
        self.held.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::AcqRel);
    }
}

/// A body being kept.
#[derive(Debug)]
pub(super) struct Body {
    budget: Arc<Budget>,
    bytes: Vec<u8>,
    chunks: Option<Vec<usize>>,
    /// Why it is no longer kept.
    overflow: Option<&'static str>,
}

impl Body {
    pub(super) fn new(budget: &Arc<Budget>, chunked: bool) -> Self {
        let chunks = chunked.then(Vec::new);
        Self { budget: Arc::clone(budget), bytes: Vec::new(), chunks, overflow: None }
    }

    pub(super) fn push(&mut self, part: &[u8]) {
        if self.overflow.is_some() {
            return;
        }
        if self.bytes.len() + part.len() > BODY_MAX {
            self.give_up("its body is over 64 MiB");
        } else if !self.budget.take(part.len()) {
            self.give_up("the bodies that were being read held 256 MiB already");
        } else {
            self.bytes.extend_from_slice(part);
            if let Some(chunks) = &mut self.chunks {
                chunks.push(part.len());
            }
        }
    }

    fn give_up(&mut self, why: &'static str) {
        self.overflow = Some(why);
        self.budget.give_back(self.bytes.len());
        self.bytes = Vec::new();
        self.chunks = None;
    }

    /// Why it cannot be kept.
    pub(super) fn overflow(&self) -> Option<&'static str> {
        self.overflow
    }

    /// The body, and the sizes of its chunks.
    pub(super) fn take(&mut self) -> (Vec<u8>, Option<Vec<usize>>) {
        self.budget.give_back(self.bytes.len());
        (std::mem::take(&mut self.bytes), self.chunks.take())
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_bounded_and_so_are_all_together() {
        let budget = Arc::new(Budget::default());
        let part = vec![0; BODY_MAX / 2];
        let mut bodies: Vec<Body> = (0..5).map(|_| Body::new(&budget, true)).collect();
        for body in &mut bodies {
            body.push(&part);
            body.push(&part);
        }
        let full = bodies.iter().filter(|body| body.overflow().is_some()).count();
        assert_eq!(full, 1, "four of 64 MiB are 256 MiB");
        let mut first = bodies.remove(0);
        assert_eq!(first.take().0.len(), BODY_MAX);
        first.push(&part);
        first.push(&part);
        first.push(b"x");
        assert_eq!(first.overflow(), Some("its body is over 64 MiB"));
        drop((first, bodies));
        assert_eq!(budget.held.load(Ordering::Acquire), 0);
    }
}
