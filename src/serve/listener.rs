//! The accept loop: connections up to the cap, a word to those beyond it, a pause when the machine has no more.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::Answer;
use super::connection::{self, Phases, Site};
use super::io::Io;
use super::limits::{REFUSAL, REFUSALS_MAX};
use super::patience::within;

/// Accepts until the listener stops; ending closes the listening socket.
pub(super) async fn accept<A: Answer>(
    listener: TcpListener,
    site: Arc<Site<A>>,
    slots: Arc<Semaphore>,
    phases: Phases,
) {
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    let mut stopping = phases.clone();
    let mut number = 0;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopping.draining() => return,
            accepted = listener.accept() => accepted,
        };
        let socket = match accepted {
            Ok((socket, _)) => socket,
            Err(error) => {
                tokio::time::sleep(pause_after(error.kind(), site.limits.accept_pause)).await;
                continue;
            }
        };
        number += 1;
        if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
            let run = connection::run(socket, number, Arc::clone(&site), phases.clone());
            // A panic in an answer ends this task, and so this connection, and nothing else.
            tokio::spawn(async move {
                run.await;
                drop(slot);
            });
        } else if let (None, Ok(refusal)) = (&site.tls, Arc::clone(&refusals).try_acquire_owned()) {
            tokio::spawn(async move {
                // Told or not, the connection is over.
                let _ = within(REFUSAL, turn_away(socket)).await;
                drop(refusal);
            });
        }
    }
}

/// A peer that left before it was accepted costs nothing; anything else is a lack (of file descriptors, of memory) that
/// a tight loop would only make worse.
fn pause_after(error: ErrorKind, pause: Duration) -> Duration {
    match error {
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted => Duration::ZERO,
        _ => pause,
    }
}

async fn turn_away(mut socket: TcpStream) {
    let mut delivery = connection::refusal(503, "too many connections at one time; try again in a second");
    delivery.response.headers.push("Retry-After", "1");
    let image = delivery.image();
    let said = async {
        socket.write_all(&image.head).await?;
        socket.write_all(&image.body).await?;
        socket.shutdown().await
    };
    if said.await.is_ok() {
        Io::plain(socket).discard().await;
    }
}
