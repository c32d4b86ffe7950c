//! Several futures at once on one task, all to their ends.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// A future until it is through, its output from then on.
type Running<F> = (Option<Pin<Box<F>>>, Option<<F as Future>::Output>);

/// Runs all futures to their ends; the outputs stand in the order of the futures.
pub(super) async fn together<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<Running<F>> =
        futures.into_iter().map(|future| (Some(Box::pin(future)), None)).collect();
    poll_fn(|cx| {
        let mut pending = false;
        for (future, output) in &mut running {
            let Some(unfinished) = future else { continue };
            match unfinished.as_mut().poll(cx) {
                Poll::Ready(done) => {
                    *output = Some(done);
                    *future = None;
                }
                Poll::Pending => pending = true,
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn outputs_keep_their_order() {
        let futures = [3_u64, 1, 2].map(|n| async move {
            tokio::time::sleep(std::time::Duration::from_millis(n)).await;
            n
        });
        assert_eq!(together(futures.into()).await, [3, 1, 2]);
    }
}
