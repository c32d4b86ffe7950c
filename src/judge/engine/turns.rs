//! Whose turn it is with the client.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

/// So many runs may keep the client busy at a time, each in the order in which it asked for its turn: with one at a time
/// the client meets its cases in the same order each time, whatever is made ready or judged meanwhile.
#[derive(Debug)]
pub(super) struct Turns {
    places: Semaphore,
}

type Coming<'t> = Pin<Box<dyn Future<Output = Result<SemaphorePermit<'t>, AcquireError>> + Send + 't>>;

/// A place in the row, given up when it is dropped.
pub(super) enum Turn<'t> {
    Here(Place<'t>),
    Later(Coming<'t>),
}

/// A turn that has come; the next one comes when it is dropped.
pub(super) struct Place<'t> {
    /// None only if nobody minds the row any more.
    _permit: Option<SemaphorePermit<'t>>,
}

impl Turns {
    /// For so many at a time.
    pub(super) fn of(places: usize) -> Self {
        Self { places: Semaphore::new(places) }
    }

    /// Stands in the row from this call on, although nobody waits yet.
    pub(super) fn ask(&self) -> Turn<'_> {
        let mut coming: Coming<'_> = Box::pin(self.places.acquire());
        // A semaphore is fair, and a future stands in its row once it has been polled.
        match coming.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(permit) => Turn::Here(Place { _permit: permit.ok() }),
            Poll::Pending => Turn::Later(coming),
        }
    }
}

impl<'t> Turn<'t> {
    /// Waits for it.
    pub(super) async fn come(self) -> Place<'t> {
        match self {
            Self::Here(place) => place,
            Self::Later(coming) => Place { _permit: coming.await.ok() },
        }
    }
}

impl Place<'_> {
    /// Ends the turn, and lets whoever is next begin before anything else is done here.
    pub(super) async fn hand_on(self) {
        drop(self);
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::together::together;
    use super::*;

    #[tokio::test]
    async fn turns_come_in_the_order_in_which_they_were_asked_for_whoever_waits_first() {
        let (turns, began) = (Turns::of(1), Mutex::new(Vec::new()));
        let began = &began;
        let mut runs = Vec::new();
        for number in 0..4_u64 {
            let turn = turns.ask();
            runs.push(async move {
                // The later it asked, the sooner it waits.
                tokio::time::sleep(std::time::Duration::from_millis(20 - number * 5)).await;
                let place = turn.come().await;
                began.lock().unwrap().push(number);
                place.hand_on().await;
            });
        }
        together(runs).await;
        assert_eq!(*began.lock().unwrap(), [0, 1, 2, 3]);
    }

    #[tokio::test]
    async fn no_more_than_its_places_are_busy_and_a_turn_given_up_is_passed_over() {
        let turns = Turns::of(2);
        let (first, second, third, fourth) = (turns.ask(), turns.ask(), turns.ask(), turns.ask());
        let (first, _second) = (first.come().await, second.come().await);
        let mut fourth = std::pin::pin!(fourth.come());
        assert!(fourth.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(third);
        assert!(fourth.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(first);
        assert!(fourth.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
}
