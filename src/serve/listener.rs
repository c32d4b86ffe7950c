//! The accept loop: connections up to the cap, a word to those beyond it, a pause when the machine has no more.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;

use super::Answer;
use super::connection::{self, Phases, Site};
use super::ground::Ground;
use super::io::Io;
use super::limits::{LEAVING, REFUSAL, REFUSALS_MAX, UNACCEPTED_MAX};
use super::patience::within;
use super::places::{NoPlace, Place};
use super::refusal::{Refusal, Unfit};

/// A port that is ours: either somebody listens, or every connection to it is refused.
#[derive(Debug)]
pub(super) enum Ear {
    Open(TcpListener),
    Shut(TcpSocket),
}

impl Ear {
    /// Must be called on a runtime.
    pub(super) fn new(
        addr: SocketAddr,
        is_open: bool,
        ground: Option<&Ground>,
    ) -> io::Result<(Self, SocketAddr)> {
        let socket = bind(addr, ground)?;
        let addr = socket.local_addr()?;
        Ok((if is_open { Self::Open(socket.listen(UNACCEPTED_MAX)?) } else { Self::Shut(socket) }, addr))
    }
}

/// When a listener is away.
#[derive(Debug)]
pub(super) struct Hours {
    pub(super) began: Instant,
    /// In order, without overlaps.
    pub(super) away: VecDeque<Range<Duration>>,
}

impl Hours {
    /// Returns when it goes away next.
    async fn closing(&self) {
        match self.away.front() {
            Some(next) => sleep_until(self.began, next.start).await,
            None => std::future::pending().await,
        }
    }
}

/// Returns `after` that long since `began`.
async fn sleep_until(began: Instant, after: Duration) {
    match began.checked_add(after) {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// A socket with this address, which nobody else can have now, and which listens with room for a crowd that comes at once.
fn bind(addr: SocketAddr, ground: Option<&Ground>) -> io::Result<TcpSocket> {
    let socket = match ground {
        Some(ground) => ground.tcp(addr)?,
        None if addr.is_ipv4() => TcpSocket::new_v4()?,
        None => TcpSocket::new_v6()?,
    };
    // A listener that follows another on its port need not wait for that one's last connections.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket)
}

/// Accepts until the listener stops, but for the hours in which it is away; ending closes the socket.
pub(super) async fn run<A: Answer>(
    mut ear: Ear,
    addr: SocketAddr,
    mut hours: Hours,
    site: Arc<Site<A>>,
    phases: Phases,
) {
    let mut door = Door { number: 0, refusals: Arc::new(Semaphore::new(REFUSALS_MAX)) };
    let mut stopping = phases.clone();
    loop {
        let next = async {
            match ear {
                Ear::Open(listener) => {
                    door.accept(&listener, hours.closing(), &site, &phases).await?;
                    drop(listener);
                    Some(Ear::Shut(rebound(addr, &site).await))
                }
                Ear::Shut(socket) => {
                    let away = hours.away.pop_front().unwrap_or_default();
                    site.answer.absent(&away);
                    sleep_until(hours.began, away.end).await;
                    Some(Ear::Open(listen_again(socket, addr, &site).await))
                }
            }
        };
        let next = tokio::select! {
            biased;
            next = next => next,
            () = stopping.draining() => None,
        };
        match next {
            Some(next) => ear = next,
            None => return,
        }
    }
}

/// Takes the port again that the listener has just left, and keeps everybody else from it without listening.
async fn rebound<A: Answer>(addr: SocketAddr, site: &Site<A>) -> TcpSocket {
    loop {
        // Two that may share a port could both have it as long as nobody listens.
        match bind(addr, site.ground.as_ref()).and_then(|socket| share(&socket, false).map(|()| socket)) {
            Ok(socket) => return socket,
            // Somebody was faster, and may leave again; the machine may have lacked something.
            Err(_) => tokio::time::sleep(site.limits.accept_pause).await,
        }
    }
}

/// Listens on a port that was kept, however often it takes.
async fn listen_again<A: Answer>(mut socket: TcpSocket, addr: SocketAddr, site: &Site<A>) -> TcpListener {
    loop {
        // Connections that are still there share the port.
        if let Ok(listener) = share(&socket, true).and_then(|()| socket.listen(UNACCEPTED_MAX)) {
            return listener;
        }
        tokio::time::sleep(site.limits.accept_pause).await;
        socket = rebound(addr, site).await;
    }
}

fn share(socket: &TcpSocket, may: bool) -> io::Result<()> {
    #[cfg(unix)]
    socket.set_reuseaddr(may)?;
    let _ = (socket, may);
    Ok(())
}

/// What goes on from one time of listening to the next.
struct Door {
    /// Of the last connection.
    number: u64,
    refusals: Arc<Semaphore>,
}

impl Door {
    /// Accepts until `closing`; `None` once the listener stops.
    async fn accept<A: Answer>(
        &mut self,
        listener: &TcpListener,
        closing: impl Future<Output = ()>,
        site: &Arc<Site<A>>,
        phases: &Phases,
    ) -> Option<()> {
        let mut stopping = phases.clone();
        let mut closing = std::pin::pin!(closing);
        loop {
            let accepted = tokio::select! {
                biased;
                () = stopping.draining() => return None,
                () = &mut closing => return Some(()),
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
            self.number += 1;
            let number = self.number;
            let place = tokio::select! {
                biased;
                () = stopping.draining() => return None,
                place = place(site, number) => place,
            };
            if let Some(place) = place {
                // A panic in an answer ends this task, and so this connection, and nothing else. It is some kilobytes,
                // which a runtime moves about until they have a place: they are given one here.
                tokio::spawn(Box::pin(connection::run(
                    socket,
                    number,
                    place,
                    Arc::clone(site),
                    phases.clone(),
                )));
            } else if site.tls.is_none() {
                match Arc::clone(&self.refusals).try_acquire_owned() {
                    Ok(refusal) => {
                        let site = Arc::clone(site);
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
