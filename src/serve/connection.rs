//! One connection, from its first byte to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::greet::{Greeted, greet};
use super::ground::Ground;
use super::hosts::Hosts;
use super::io::Io;
use super::limits::Limits;
use super::met::{Met, Whole};
use super::patience::{Patience, from_now, within};
use super::perform::{self, After};
use super::places::{Place, Places, Standing};
use super::proxy::{Destination, Tunnels};
use super::receive::{Arrived, Received, receive};
use super::refusal::{Refusal, Unfit};
use super::tls::Tls;
use super::tunnel;
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
    /// What makes it a proxy, if it is one.
    pub(super) tunnels: Option<Tunnels>,
    /// Whether the answer has a say in how connections are greeted.
    pub(super) greets: bool,
    pub(super) began: Instant,
    /// The network it stands in, if that is not this process's.
    pub(super) ground: Option<Ground>,
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
    let greeted = site.greets.then(|| {
        let arrival = Arrival { connection: number, open: place.among, at: site.began.elapsed() };
        Greeted { greeting: site.answer.greet(&arrival), arrival }
    });
    let Some((mut io, mut greeted)) = begin(Io::plain(socket), greeted, &site, &place, &mut phases).await
    else {
        return;
    };
    let after = loop {
        let mut drain = phases.clone();
        let driven = tokio::select! {
            biased;
            driven = drive(&mut io, number, &site, &place, &mut drain) => driven,
            () = phases.killed() => Driven::Over(After::Reset),
        };
        match driven {
            Driven::Over(after) => break after,
            // There is no second one within it.
            Driven::Tunnel(to) => {
                match tunnel::open(io, &to, greeted.take(), &site, &place, &mut phases).await {
                    Some(inner) => io = inner,
                    None => return,
                }
            }
        }
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

/// A connection that may send requests, and how its tunnel is going to be greeted if it asks for one first.
async fn begin<A: Answer>(
    mut io: Io,
    greeted: Option<Greeted>,
    site: &Site<A>,
    place: &Place,
    phases: &mut Phases,
) -> Option<(Io, Option<Greeted>)> {
    let tls = site.tls.as_ref();
    let Some(greeted) = greeted else {
        return Some((open(io, tls.map(Tls::usual), site, place, phases).await?, None));
    };
    let is_for_later = site.tunnels.is_some()
        && !greeted.greeting.is_plain()
        && tunnel::comes_first(&mut io, site, place, phases).await?;
    if is_for_later {
        return Some((io, Some(greeted)));
    }
    Some((greet(io, &greeted, tls, site, place, phases).await?, None))
}

/// The handshake, if there is one.
pub(super) async fn open<A: Answer>(
    io: Io,
    tls: Option<&TlsAcceptor>,
    site: &Site<A>,
    place: &Place,
    phases: &mut Phases,
) -> Option<Io> {
    let Some(tls) = tls else { return Some(io) };
    let handshake = async {
        match spoken(io, site, place).await? {
            Spoken::Plain(io) => Some(io),
            Spoken::Tls { socket, in_tunnel } => {
                within(site.limits.head, tls.accept(socket)).await?.ok().map(|tls| Io::tls(tls, in_tunnel))
            }
        }
    };
    tokio::select! {
        biased;
        io = handshake => io,
        () = phases.draining() => None,
        () = place.asked_to_leave() => None,
    }
}

/// What a client begins to speak.
pub(super) enum Spoken {
    /// What may be a handshake.
    Tls { socket: TcpStream, in_tunnel: bool },
    /// Plain http, in a tunnel.
    Plain(Io),
}

/// The connection again, once a first byte has come. Whoever speaks plain http is turned away, but for a tunnel: it is for
/// whatever its client likes to speak.
pub(super) async fn spoken<A: Answer>(mut io: Io, site: &Site<A>, place: &Place) -> Option<Spoken> {
    let first = within(site.limits.first_byte, io.peek()).await?.ok()?;
    place.now(Standing::Waiting);
    let in_tunnel = io.is_tunnel();
    match first.is_ascii_alphabetic() {
        false => return io.into_socket().map(|socket| Spoken::Tls { socket, in_tunnel }),
        true if in_tunnel => return Some(Spoken::Plain(io)),
        true => {}
    }
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

/// What became of a connection that sends requests.
enum Driven {
    Over(After),
    Tunnel(Destination),
}

async fn drive<A: Answer>(
    io: &mut Io,
    number: u64,
    site: &Site<A>,
    place: &Arc<Place>,
    phases: &mut Phases,
) -> Driven {
    let mut first = site.limits.first_byte;
    let mut patience = Patience::new(phases, place, from_now(first));
    loop {
        place.now(Standing::Idle);
        let arrived = match receive(io, site, place, first, &mut patience).await {
            Received::Request(arrived) => arrived,
            Received::Tunnel(to) => return Driven::Tunnel(to),
            Received::Refused(unfit, head) => return Driven::Over(refuse(io, site, &unfit, &head).await),
            // Whoever left a place has nothing more to say.
            Received::Over if place.is_leaving() => return Driven::Over(After::Gone),
            Received::Over => return Driven::Over(After::Close),
            Received::Silent => return Driven::Over(After::Gone),
        };
        place.now(Standing::Busy);
        let Arrived { whole: Whole { asked, head_only, version, keep_alive }, room } = arrived;
        let at = site.began.elapsed();
        let reply = site.answer.answer(asked, Came { at, connection: Some(number) }).await;
        drop(room);
        let asked = perform::Asked { at, head_only, keep: keep_alive, version };
        match perform::reply(io, site, place, phases, reply, asked).await {
            After::Keep if !phases.is_draining() => first = site.limits.keep_alive,
            after => return Driven::Over(after),
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
pub(super) fn url(addr: SocketAddr, scheme: &str, ground: Option<&Ground>) -> String {
    if let Some(ground) = ground {
        return format!("{scheme}://{}", ground.authority());
    }
    let mut addr = addr;
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("{scheme}://{addr}")
}
