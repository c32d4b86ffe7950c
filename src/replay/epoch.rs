//! A task before and after a write: what a cancel does to its polls.
//!
//! A write that a console accepted cuts the recorded polls of its task, as it cuts the reads of any resource. A session
//! that has not made it is told what was polled before, however long it polls; one that has is told what was polled
//! after, from the first on.

use crate::profile::Lifecycle;
use crate::timeline::Phase;

use super::Setup;
use super::material::{Material, Poll};
use super::poll::phase_at;
use super::session::Session;
use super::turn::Turn;

impl Session {
    /// The recorded polls of the epoch that this session is in; none if the recording has none after the write.
    pub(super) fn polls_now<'m>(&self, material: &Material, path: &'m [Poll], turn: &Turn) -> &'m [Poll] {
        let of = |poll: &Poll| material.deck().epoch_of(poll.index);
        let epoch = self.epoch(turn).or_else(|| path.first().map(of)).unwrap_or_default();
        // The polls of a task stand in the order of its epochs.
        let from = path.partition_point(|poll| of(poll) < epoch);
        let to = path.partition_point(|poll| of(poll) <= epoch);
        path.get(from..to).unwrap_or_default()
    }

    /// The tick within the epoch. A HEAD, which has none, looks at the poll that is due without moving on.
    pub(super) fn tick_of_epoch(&mut self, turn: &Turn, tick: Option<u32>) -> u32 {
        let now = tick.unwrap_or_else(|| self.ticks(turn));
        if let Some(epoch) = self.epoch(turn) {
            let known = self.began.get(&turn.resource).is_some_and(|(of, _)| *of == epoch);
            if tick.is_some() && !known {
                self.began.insert(turn.resource.clone(), (epoch, now));
                self.changes += 1;
            }
        }
        now.saturating_sub(self.epoch_began(turn).unwrap_or(now))
    }

    /// The phase of a task with the polls `path` as this session last saw it; `None` if it did not poll it in this epoch.
    pub(super) fn last_seen(
        &self,
        path: &[Poll],
        turn: &Turn,
        life: &Lifecycle,
        setup: &Setup,
    ) -> Option<Phase> {
        let since = self.epoch_began(turn)?;
        let last = self.polls_of(&life.task, &turn.resource).checked_sub(since)?.checked_sub(1)?;
        phase_at(path, self.plan(turn, setup), life, last)
    }

    /// The tick of the epoch's first poll; `None` if there was none since the write.
    pub(super) fn epoch_began(&self, turn: &Turn) -> Option<u32> {
        match self.epoch(turn) {
            None => Some(0),
            Some(epoch) => {
                self.began.get(&turn.resource).filter(|(of, _)| *of == epoch).map(|(_, tick)| *tick)
            }
        }
    }

    /// The epoch that a write of this session has begun.
    fn epoch(&self, turn: &Turn) -> Option<usize> {
        if !self.cursors.have_written() {
            return None;
        }
        self.cursors.epoch(&turn.resource, &self.as_recorded(&turn.request).1)
    }
}
