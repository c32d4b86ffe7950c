//! [`Places`]: how many connections there are at one time, and who has to leave when there is no place.
//!
//! A connection that waits for its peer costs nobody anything while there is room. When there is none, the longest idle
//! one leaves in favour of a new one; then one whose request or answer has been stuck at its peer for a while. One that
//! is being answered never leaves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
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

impl Standing {
    const ALL: [Self; 4] = [Self::Idle, Self::Waiting, Self::Busy, Self::Leaving];
}

/// The places of a listener.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    began: Instant,
    taken: Mutex<Taken>,
    freed: Notify,
}

/// The connections there are, and how many of them were asked to leave.
#[derive(Debug, Default)]
struct Taken {
    all: BTreeMap<u64, Arc<Seat>>,
    leaving: usize,
}

/// What one connection is about and since when. It changes several times a request, so nobody waits for a lock to say so.
#[derive(Debug)]
struct Seat {
    /// Nanoseconds since the listener began, times four, and the standing.
    state: AtomicU64,
    leave: watch::Sender<bool>,
}

/// One connection's place, for as long as this lives.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    /// How many connections stayed when it was taken, itself included.
    pub(super) among: usize,
    seat: Arc<Seat>,
    leave: watch::Receiver<bool>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// So many are on their way out that there will be one at once.
    Soon,
    /// Nobody can be asked to leave.
    Full,
}

impl Places {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, began: Instant::now(), taken: Mutex::default(), freed: Notify::new() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self, standing: Standing) -> u64 {
        let since = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        since.saturating_mul(4) & !3 | standing as u64
    }

    /// A place for connection `number`. If there is none, another one is asked to leave; if none can, there is none.
    pub(super) fn take(self: &Arc<Self>, number: u64) -> Result<Place, NoPlace> {
        let mut taken = self.taken();
        if taken.all.len() - taken.leaving >= self.most {
            if taken.leaving >= LEAVING_MAX {
                return Err(NoPlace::Soon);
            }
            self.ask_to_leave(&mut taken).ok_or(NoPlace::Full)?;
        }
        let (sender, leave) = watch::channel(false);
        let seat = Arc::new(Seat { state: AtomicU64::new(self.now(Standing::Idle)), leave: sender });
        taken.all.insert(number, Arc::clone(&seat));
        let among = taken.all.len() - taken.leaving;
        Ok(Place { places: Arc::clone(self), number, among, seat, leave })
    }

    /// Asks one connection to leave that would have to if there were no place: the machine has no more descriptors or
    /// memory for a new one.
    pub(super) fn free_one(&self) {
        let _ = self.ask_to_leave(&mut self.taken());
    }

    /// How many connections there are.
    pub(super) fn count(&self) -> usize {
        self.taken().all.len()
    }

    /// Returns once a connection has left.
    pub(super) async fn one_left(&self) {
        let freed = self.freed.notified();
        if self.taken().leaving >= LEAVING_MAX {
            freed.await;
        }
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

    fn ask_to_leave(&self, taken: &mut Taken) -> Option<()> {
        // One that gets a request at this very moment stays, and the next one is asked.
        for _ in 0..=taken.all.len() {
            let (seat, state) = self.next_to_leave(taken)?;
            let leaving = state & !3 | Standing::Leaving as u64;
            if seat.state.compare_exchange(state, leaving, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                seat.leave.send_replace(true);
                taken.leaving += 1;
                return Some(());
            }
        }
        None
    }

    fn next_to_leave<'a>(&self, taken: &'a Taken) -> Option<(&'a Arc<Seat>, u64)> {
        let oldest = |standing: Standing| {
            let states = taken.all.values().map(|seat| (seat, seat.state.load(Ordering::Relaxed)));
            states.filter(|(_, state)| standing_of(*state) == standing).min_by_key(|(_, state)| *state)
        };
        let long_ago = self.began.elapsed().saturating_sub(STUCK_AFTER).as_nanos();
        let stuck = || oldest(Standing::Waiting).filter(|(_, state)| u128::from(state / 4) <= long_ago);
        oldest(Standing::Idle).or_else(stuck)
    }
}

fn standing_of(state: u64) -> Standing {
    Standing::ALL.into_iter().find(|standing| *standing as u64 == state & 3).unwrap_or(Standing::Leaving)
}

impl Place {
    /// Says what the connection is about now. One that was asked to leave stays so.
    pub(super) fn now(&self, standing: Standing) {
        let mut state = self.seat.state.load(Ordering::Relaxed);
        while !matches!(standing_of(state), same if same == standing || same == Standing::Leaving) {
            let new = self.places.now(standing);
            match self.seat.state.compare_exchange(state, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                // It has just been asked to leave.
                Err(other) => state = other,
            }
        }
    }

    /// It leaves of itself, and no longer stands in anybody's way.
    pub(super) fn leave(&self) {
        let mut taken = self.places.taken();
        if standing_of(self.seat.state.load(Ordering::Relaxed)) != Standing::Leaving {
            self.seat.state.store(self.places.now(Standing::Leaving), Ordering::Relaxed);
            taken.leaving += 1;
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
        let mut taken = self.places.taken();
        taken.all.remove(&self.number);
        // Nobody is asked to leave without this lock.
        if standing_of(self.seat.state.load(Ordering::Relaxed)) == Standing::Leaving {
            taken.leaving -= 1;
        }
        drop(taken);
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
        assert_eq!(places.take(5).unwrap_err(), NoPlace::Full);
        assert_eq!(places.count(), 4);
    }

    #[test]
    fn one_that_is_stuck_at_its_peer_leaves_after_a_while() {
        let (places, held) = full();
        held.iter().for_each(|place| place.now(Standing::Waiting));
        assert_eq!(places.take(4).unwrap_err(), NoPlace::Full);
        std::thread::sleep(STUCK_AFTER);
        assert!(places.take(4).is_ok() && held[0].is_leaving());
    }

    #[test]
    fn no_more_than_a_few_are_on_their_way_out_at_one_time() {
        let places = Places::new(1);
        let held: Vec<Place> = (0..1000).map_while(|number| places.take(number).ok()).collect();
        assert_eq!(held.len(), 1 + LEAVING_MAX);
        assert_eq!(places.take(1000).unwrap_err(), NoPlace::Soon);
        drop(held);
        assert_eq!(places.count(), 0);
    }

    #[test]
    fn one_that_leaves_of_itself_is_no_longer_counted() {
        let (places, held) = full();
        assert_eq!(held.iter().map(|place| place.among).collect::<Vec<_>>(), [1, 2, 3]);
        held[1].leave();
        held[1].leave();
        let fourth = places.take(4).unwrap();
        assert_eq!((fourth.among, held[0].is_leaving()), (3, false));
        drop(held);
        assert_eq!((places.count(), places.take(5).unwrap().among), (1, 2));
    }

    #[tokio::test]
    async fn whoever_waits_for_the_end_is_told_of_it() {
        let (places, held) = full();
        let all = tokio::join!(places.all_left(), async { drop(held) });
        assert_eq!(all, ((), ()));
    }
}
