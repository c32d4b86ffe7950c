//! The accept loop: connections up to the cap, a word to those beyond it, a pause when the machine has no more.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;

use super::Answer;
use super::connection::{self, Phases, Site};
use super::io::Io;
use super::limits::{LEAVING, REFUSAL, REFUSALS_MAX, UNACCEPTED_MAX};
use super::patience::within;
use super::places::{NoPlace, Place};
use super::refusal::{Refusal, Unfit};

/// Listens, with room for a crowd that comes at once. Must be called on a runtime.
pub(super) fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A listener that follows another on its port need not wait for that one's last connections.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(UNACCEPTED_MAX)
}

/// Accepts until the listener stops; ending closes the listening socket.
pub(super) async fn accept<A: Answer>(listener: TcpListener, site: Arc<Site<A>>, phases: Phases) {
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
                let pause = pause_after(error.kind(), site.limits.accept_pause);
                if !pause.is_zero() {
                    // Whoever only waits must not keep others out.
                    site.places.free_one();
                }
                tokio::time::sleep(pause).await;
                continue;
            }
        };
        number += 1;
        let place = tokio::select! {
            biased;
            () = stopping.draining() => return,
            place = place(&site, number) => place,
        };
        if let Some(place) = place {
            // A panic in an answer ends this task, and so this connection, and nothing else.
            tokio::spawn(connection::run(socket, place, Arc::clone(&site), phases.clone()));
        } else if site.tls.is_none() {
            match Arc::clone(&refusals).try_acquire_owned() {
                Ok(refusal) => {
                    let site = Arc::clone(&site);
                    tokio::spawn(async move {
                        // Told or not, the connection is over.
                        let _ = within(REFUSAL, turn_away(socket, &site)).await;
                        drop(refusal);
                    });
                }
                Err(_) => answer_busy(socket),
            }
        }
    }
}

/// A place for connection `number`, if there is one or will be in a moment: many that come at once find places where many
/// only wait.
async fn place<A: Answer>(site: &Site<A>, number: u64) -> Option<Place> {
    let taken = async {
        loop {
            match site.places.take(number) {
                Ok(place) => return Some(place),
                Err(NoPlace::Full) => return None,
                Err(NoPlace::Soon) => site.places.one_left().await,
            }
        }
    };
    within(LEAVING, taken).await.flatten()
}

/// A peer that left before it was accepted costs nothing; anything else is a lack (of file descriptors, of memory) that
/// a tight loop would only make worse.
fn pause_after(error: ErrorKind, pause: Duration) -> Duration {
    match error {
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted => Duration::ZERO,
        _ => pause,
    }
}

fn too_many() -> Unfit {
    Unfit::new(503, "too many connections at one time; try again in a second").later()
}

/// Tells a peer to come back, without waiting for it to read that.
fn answer_busy(socket: TcpStream) {
    let image = too_many().delivery().image();
    if let Ok(mut socket) = socket.into_std() {
        // The buffer of a fresh socket has room for it; if not, the peer learns nothing.
        let _ = socket.write_all(&[&image.head[..], &image.body[..]].concat());
    }
}

/// Tells a peer to come back. If it has asked for something, that request is refused.
async fn turn_away<A: Answer>(socket: TcpStream, site: &Site<A>) {
    let unfit = too_many();
    let image = unfit.delivery().image();
    let mut io = Io::plain(socket);
    let sent = async {
        io.write_all(&image.head).await?;
        io.write_all(&image.body).await?;
        io.shutdown().await?;
        io.fill().await
    };
    if let Ok(1..) = sent.await {
        site.answer.refused(&Refusal::new(&unfit, &io.ahead, site.began.elapsed()));
        io.discard().await;
    }
}
