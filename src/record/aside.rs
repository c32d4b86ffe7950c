//! Work that is done beside a request as long as somebody waits for it, and by itself once nobody does.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// Runs where it is waited for; dropped before its end, it goes on as a task of its own. A panic in it is its end.
pub(super) struct Aside {
    work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Aside {
    pub(super) fn new(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { work: Some(Box::pin(work)) }
    }
}

impl Future for Aside {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(work) = &mut self.work else { return Poll::Ready(()) };
        // It is not polled again after a panic.
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        if matches!(polled, Ok(Poll::Pending)) {
            return Poll::Pending;
        }
        self.work = None;
        Poll::Ready(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // Without a runtime, or with one that ends, the work is dropped, and accounts for itself.
        if let (Some(work), Ok(runtime)) = (self.work.take(), Handle::try_current()) {
            drop(runtime.spawn(work));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn what_nobody_waits_for_any_longer_is_done_all_the_same() {
        let (go, done) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let over = Arc::new(Notify::new());
        let (its_go, its_done, its_over) = (Arc::clone(&go), Arc::clone(&done), Arc::clone(&over));
        let mut work = Aside::new(async move {
            its_go.notified().await;
            its_done.store(true, Ordering::Relaxed);
            its_over.notify_one();
        });
        let is_pending = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut work).poll(cx).is_pending()));
        assert!(is_pending.await);
        drop(work);
        go.notify_one();
        over.notified().await;
        assert!(done.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_panic_is_the_end_of_the_work_and_of_nothing_else() {
        Aside::new(async { panic!("a defect") }).await;
    }
}
