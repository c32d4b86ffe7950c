//! [`Asked`]: a request before it is decided, and the decision that it settled at.
//!
//! A client that polls asks the same thing again and again, and from some time on gets the same answer: the last recorded
//! one. Then everything but the counting has been done before. So a decision that changed nothing its answer could depend
//! on is kept with the bytes of its answer, and given again for as long as the session stands as it stood.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::delivery::Delivery;
use crate::ledger::OriginKind;
use crate::message::Request;
use crate::serve::Rendered;

use super::account::Answer;
use super::counts::CountedAt;
use super::served::Record;
use super::session::Noted;
use super::turn::Turn;

/// A request, and the session it is for.
pub struct Asked {
    pub(super) request: Arc<Request>,
    /// The session's name, as its client wrote it; `None` for the first.
    pub(super) session: Option<String>,
    memory: Mutex<Memory>,
}

impl fmt::Debug for Asked {
    /// Without a word of the client's: none of it has been cleaned.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}

/// What became of it so far.
#[derive(Default)]
pub(super) struct Memory {
    /// Whether it was decided before.
    pub(super) came: bool,
    pub(super) settled: Option<Settled>,
}

/// A decision that is the same each time.
pub(super) struct Settled {
    /// How its session stood.
    pub(super) standing: Standing,
    /// As [`Answer::stands_alone`].
    pub(super) stands_alone: bool,
    pub(super) counted_at: CountedAt,
    /// A hash of the call.
    pub(super) call: u64,
    pub(super) is_poll: bool,
    /// What comes of it when nothing goes wrong, once that has been seen.
    pub(super) plain: Option<Plain>,
    /// What faults are put to, where a scenario plans any.
    pub(super) base: Option<Box<Base>>,
}

/// A decision with nothing amiss.
pub(super) struct Plain {
    /// What it counts as.
    pub(super) kind: OriginKind,
    pub(super) is_computed: bool,
    pub(super) is_noted: bool,
    pub(super) record: Arc<Record>,
    pub(super) rendered: Arc<Rendered>,
}

/// A decision before its faults.
pub(super) struct Base {
    pub(super) turn: Turn,
    pub(super) answer: Answer,
    pub(super) noted: Noted,
    /// What became of it the last time.
    pub(super) last: Option<(Delivery, Arc<Record>)>,
}

/// All that an answer may depend on beside its request, as numbers that move on with each change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// What every answer may depend on.
    pub(super) ground: Ground,
    /// What was read, and how often each task was polled: most answers depend on none but their own.
    pub(super) reads: u64,
}

/// The part of a session that a mere read leaves as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ground {
    /// The session's own number: another one of the same name has another.
    pub(super) session: u64,
    /// Of the session.
    pub(super) changes: u64,
    /// Writes that were served.
    pub(super) writes: u64,
    /// Things it has made.
    pub(super) created: usize,
}

impl Settled {
    /// Whether it is still so where the session stands now.
    pub(super) fn holds(&self, standing: &Standing) -> bool {
        self.standing.ground == standing.ground && (self.stands_alone || self.standing == *standing)
    }
}

impl Asked {
    pub(super) fn new(request: Request, session: Option<String>) -> Self {
        Self { request: Arc::new(request), session, memory: Mutex::default() }
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
