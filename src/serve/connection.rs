//! One connection, from its first byte to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::greet::greet;
use super::hosts::Hosts;
use super::io::Io;
use super::limits::Limits;
use super::met::{Met, Whole};
use super::patience::{Patience, from_now, within};
use super::perform::{self, After};
use super::places::{Place, Places, Standing};
use super::receive::{Arrived, Received, receive};
use super::refusal::{Refusal, Unfit};
use super::tls::Tls;
use super::{Answer, Came};
use crate::greeting::Arrival;

/// What all connections of a listener share.
pub(super) struct Site<A: Answer> {
    pub(super) answer: Arc<A>,
    pub(super) met: Met<A::Asked>,
    pub(super) limits: Limits,
    pub(super) hosts: Hosts,
    pub(super) origins: Vec<String>,
    /// Room for request bodies, in units.
    pub(super) bodies: Arc<Semaphore>,
    pub(super) places: Arc<Places>,
    pub(super) tls: Option<Tls>,
    /// Whether the answer has a say in how connections are greeted.
    pub(super) greets: bool,
    pub(super) began: Instant,
}

/// How far a listener is with stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(super) enum Phase {
    /// It accepts.
    Running,
    /// Idle connections close, running answers finish.
    Draining,
    /// Every connection is reset.
    Killed,
}

/// Where a connection learns that its listener stops.
#[derive(Clone)]
pub(super) struct Phases(watch::Receiver<Phase>);

impl Phases {
    pub(super) fn of(sender: &watch::Sender<Phase>) -> Self {
        Self(sender.subscribe())
    }

    /// Returns once the listener is stopping. A listener that is gone counts as stopped.
    pub(super) async fn draining(&mut self) {
        let _ = self.0.wait_for(|phase| *phase >= Phase::Draining).await;
    }

    pub(super) fn is_draining(&self) -> bool {
        *self.0.borrow() >= Phase::Draining || self.0.has_changed().is_err()
    }

    async fn killed(&mut self) {
        let _ = self.0.wait_for(|phase| *phase >= Phase::Killed).await;
    }
}

/// Runs one accepted connection, the listener's `number`th, to its end.
pub(super) async fn run<A: Answer>(
    socket: TcpStream,
    number: u64,
    place: Place,
    site: Arc<Site<A>>,
    mut phases: Phases,
) {
    let place = Arc::new(place);
    // Without it, a body in a second segment waits for the peer's acknowledgement. It fails only on a dead socket.
    let _ = socket.set_nodelay(true);
    let io = match site.greets {
        false => open(socket, site.tls.as_ref().map(Tls::usual), &site, &place, &mut phases).await,
        true => {
            let arrival = Arrival { connection: number, open: place.among, at: site.began.elapsed() };
            greet(socket, &arrival, &site, &place, &mut phases).await
        }
    };
    let Some(mut io) = io else { return };
    let mut drain = phases.clone();
    let after = tokio::select! {
        biased;
        after = drive(&mut io, number, &site, &place, &mut drain) => after,
        () = phases.killed() => After::Reset,
    };
    match after {
        After::Reset => io.reset_on_close(),
        After::Gone => {}
        After::Keep | After::Close => {
            tokio::select! {
                biased;
                () = close(&mut io, &site.limits) => {}
                () = phases.draining() => {}
            }
        }
    }
}

/// The handshake, if there is one.
pub(super) async fn open<A: Answer>(
    socket: TcpStream,
    tls: Option<&TlsAcceptor>,
    site: &Site<A>,
    place: &Place,
    phases: &mut Phases,
) -> Option<Io> {
    let Some(tls) = tls else { return Some(Io::plain(socket)) };
    let handshake = async {
        let socket = speaks_tls(socket, site, place).await?;
        within(site.limits.head, tls.accept(socket)).await?.ok().map(Io::tls)
    };
    tokio::select! {
        biased;
        io = handshake => io,
        () = phases.draining() => None,
        () = place.asked_to_leave() => None,
    }
}

/// The socket again, once a first byte has come that may begin a handshake. Whoever speaks plain http is turned away.
pub(super) async fn speaks_tls<A: Answer>(
    socket: TcpStream,
    site: &Site<A>,
    place: &Place,
) -> Option<TcpStream> {
    let mut first = [0];
    within(site.limits.first_byte, socket.peek(&mut first)).await?.ok()?;
    place.now(Standing::Waiting);
    if !first[0].is_ascii_alphabetic() {
        return Some(socket);
    }
    let mut io = Io::plain(socket);
    within(site.limits.first_byte, io.fill()).await?.ok()?;
    let head = io.ahead.split();
    refuse(&mut io, site, &not_tls(), &head).await;
    close(&mut io, &site.limits).await;
    None
}

fn not_tls() -> Unfit {
    let why = "this listener speaks https, and the request came in plain http";
    Unfit::new(400, why).help("use https:// in the client's address")
}

async fn drive<A: Answer>(
    io: &mut Io,
    number: u64,
    site: &Site<A>,
    place: &Arc<Place>,
    phases: &mut Phases,
) -> After {
    let mut first = site.limits.first_byte;
    let mut patience = Patience::new(phases, place, from_now(first));
    loop {
        place.now(Standing::Idle);
        let arrived = match receive(io, site, place, first, &mut patience).await {
            Received::Request(arrived) => arrived,
            Received::Refused(unfit, head) => return refuse(io, site, &unfit, &head).await,
            // Whoever left a place has nothing more to say.
            Received::Over if place.is_leaving() => return After::Gone,
            Received::Over => return After::Close,
            Received::Silent => return After::Gone,
        };
        place.now(Standing::Busy);
        let Arrived { whole: Whole { asked, head_only, version, keep_alive }, room } = arrived;
        let at = site.began.elapsed();
        let reply = site.answer.answer(asked, Came { at, connection: Some(number) }).await;
        drop(room);
        let asked = perform::Asked { at, head_only, keep: keep_alive, version };
        match perform::reply(io, site, place, phases, reply, asked).await {
            After::Keep if !phases.is_draining() => first = site.limits.keep_alive,
            after => return after,
        }
    }
}

/// Turns a request away that never reached an answer. It is counted before its client learns of it.
async fn refuse<A: Answer>(io: &mut Io, site: &Site<A>, unfit: &Unfit, head: &[u8]) -> After {
    site.answer.refused(&Refusal::new(unfit, head, site.began.elapsed()));
    let image = unfit.delivery().image();
    let sent = async {
        io.write_all(&image.head).await?;
        io.write_all(&image.body).await?;
        io.flush().await
    };
    match within(site.limits.write_idle, sent).await {
        Some(Ok(())) => After::Close,
        Some(Err(_)) | None => After::Gone,
    }
}

/// An orderly close. What still comes in is read for a while: closing with unread bytes would send a reset, and the
/// peer could lose the answer.
pub(super) async fn close(io: &mut Io, limits: &Limits) {
    let farewell = async {
        if io.shutdown().await.is_ok() {
            io.discard().await;
        }
    };
    // A peer that never closes has had its time.
    let _ = within(limits.linger, farewell).await;
}

/// `http://127.0.0.1:PORT`, or the like.
pub(super) fn url(addr: SocketAddr, scheme: &str) -> String {
    let mut addr = addr;
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("{scheme}://{addr}")
}
