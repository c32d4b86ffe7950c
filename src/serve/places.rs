//! [`Places`]: how many connections there are at one time, and who has to leave when there is no place.
//!
//! A connection that waits for its peer costs nobody anything while there is room. When there is none, the longest idle
//! one leaves in favour of a new one; then one whose request or answer has been stuck at its peer for a while. One that
//! is being answered never leaves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, watch};

use super::limits::{LEAVING_MAX, STUCK_AFTER};

/// What a connection is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Between two requests, or before the first.
    Idle,
    /// In the middle of a request that comes in, or of an answer that the peer does not take.
    Waiting,
    /// A request is being answered.
    Busy,
    /// It was asked to leave.
    Leaving,
}

/// The places of a listener.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    taken: Mutex<BTreeMap<u64, Taken>>,
    freed: Notify,
}

#[derive(Debug)]
struct Taken {
    standing: Standing,
    since: Instant,
    leave: watch::Sender<bool>,
}

/// One connection's place, for as long as this lives.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    leave: watch::Receiver<bool>,
}

impl Places {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default(), freed: Notify::new() })
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<u64, Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for connection `number`. If there is none, another one is asked to leave; if none can, there is none.
    pub(super) fn take(self: &Arc<Self>, number: u64) -> Option<Place> {
        let mut taken = self.taken();
        let leaving = taken.values().filter(|other| other.standing == Standing::Leaving).count();
        if taken.len() - leaving >= self.most {
            if leaving >= LEAVING_MAX {
                return None;
            }
            ask_to_leave(&mut taken)?;
        }
        let (sender, leave) = watch::channel(false);
        taken.insert(number, Taken { standing: Standing::Idle, since: Instant::now(), leave: sender });
        Some(Place { places: Arc::clone(self), number, leave })
    }

    /// Asks one connection to leave that would have to if there were no place: the machine has no more descriptors or
    /// memory for a new one.
    pub(super) fn free_one(&self) {
        let _ = ask_to_leave(&mut self.taken());
    }

    /// How many connections there are.
    pub(super) fn count(&self) -> usize {
        self.taken().len()
    }

    /// Returns once there is no connection left.
    pub(super) async fn all_left(&self) {
        loop {
            let freed = self.freed.notified();
            if self.count() == 0 {
                return;
            }
            freed.await;
        }
    }
}

fn ask_to_leave(taken: &mut BTreeMap<u64, Taken>) -> Option<()> {
    let leaver = next_to_leave(taken).and_then(|leaver| taken.get_mut(&leaver))?;
    leaver.standing = Standing::Leaving;
    leaver.leave.send_replace(true);
    Some(())
}

fn next_to_leave(taken: &BTreeMap<u64, Taken>) -> Option<u64> {
    let oldest = |standing: Standing| {
        taken.iter().filter(move |(_, one)| one.standing == standing).min_by_key(|(_, one)| one.since)
    };
    let stuck = || oldest(Standing::Waiting).filter(|(_, one)| one.since.elapsed() >= STUCK_AFTER);
    oldest(Standing::Idle).or_else(stuck).map(|(number, _)| *number)
}

impl Place {
    /// Says what the connection is about now. One that was asked to leave stays so.
    pub(super) fn now(&self, standing: Standing) {
        if let Some(mine) = self.places.taken().get_mut(&self.number)
            && mine.standing != Standing::Leaving
            && mine.standing != standing
        {
            mine.standing = standing;
            mine.since = Instant::now();
        }
    }

    /// Whether it was asked to leave.
    pub(super) fn is_leaving(&self) -> bool {
        *self.leave.borrow()
    }

    /// Returns once it is asked to leave.
    pub(super) async fn asked_to_leave(&self) {
        // It fails only without a place, and this is one.
        let _ = self.leave.clone().wait_for(|leaves| *leaves).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().remove(&self.number);
        self.places.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> (Arc<Places>, Vec<Place>) {
        let places = Places::new(3);
        let held = (1..=3).map(|number| places.take(number).unwrap()).collect();
        (places, held)
    }

    #[test]
    fn the_longest_idle_one_leaves_and_one_that_is_answered_never() {
        let (places, held) = full();
        held[0].now(Standing::Busy);
        let fourth = places.take(4).unwrap();
        assert_eq!(held.iter().map(Place::is_leaving).collect::<Vec<_>>(), [false, true, false]);
        fourth.now(Standing::Busy);
        held[2].now(Standing::Busy);
        assert!(places.take(5).is_none());
        assert_eq!(places.count(), 4);
    }

    #[test]
    fn one_that_is_stuck_at_its_peer_leaves_after_a_while() {
        let (places, held) = full();
        held.iter().for_each(|place| place.now(Standing::Waiting));
        assert!(places.take(4).is_none());
        std::thread::sleep(STUCK_AFTER);
        assert!(places.take(4).is_some() && held[0].is_leaving());
    }

    #[test]
    fn no_more_than_a_few_are_on_their_way_out_at_one_time() {
        let places = Places::new(1);
        let held: Vec<Place> = (0..1000).map_while(|number| places.take(number)).collect();
        assert_eq!(held.len(), 1 + LEAVING_MAX);
        drop(held);
        assert_eq!(places.count(), 0);
    }

    #[tokio::test]
    async fn whoever_waits_for_the_end_is_told_of_it() {
        let (places, held) = full();
        let all = tokio::join!(places.all_left(), async { drop(held) });
        assert_eq!(all, ((), ()));
    }
}
