//! Sockets: the listener, its limits, its end, TLS, and how an answer becomes bytes.
//!
//! A request comes in through `receive` (its head kept byte for byte, its body through hyper), an [`Answer`] says what to
//! do, and `perform` does it; before the first one `greet` does what is planned for the connection. Nothing here knows who
//! answers, and nothing outside these two misbehaves on purpose.
//!
//! - `listener` accepts connections up to a cap, unless it is away; `places` says who leaves when there is none; `connection` runs one;
//!   `io` is its socket, plain or TLS
//! - [`Hosts`] are the names a listener answers for
//! - `request_line`, `head` and `receive` read requests, with `patience`; `met` knows heads that came before; what they turn away is a [`Refusal`]
//! - `greet` greets connections; `perform` and `timer` send replies
//! - [`Proxy`] is a listener that is asked for other hosts, and answers in their place; `tunnel` is what follows a CONNECT
//! - [`tls`] and `ca` make and keep the certificates
//! - [`Ground`] is another network that a listener can stand in
//!
//! Stricter than hyper, so that no two programs can understand a request differently: both `Content-Length` and
//! `Transfer-Encoding`, or two of either, are a 400; so are no `Host` or two, a bare line feed in the head, a blank in the
//! target, and a target that is neither a path nor a whole URL. A URL of one of our own hosts is taken as its path, one of
//! another host is a 400, unless this is a [`Proxy`]; a `Host` that is not ours is a 421. Connections over HTTP/1.0 are closed after one response; `Upgrade` is
//! ignored.

mod ca;
mod connection;
mod greet;
mod ground;
mod head;
mod hosts;
mod io;
mod limits;
mod listener;
mod met;
mod origins;
mod pace;
mod patience;
mod perform;
mod places;
mod proxy;
mod receive;
mod refusal;
mod refused_line;
mod rendered;
mod request_line;
mod thread;
mod timer;
pub mod tls;
mod tunnel;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::connection::{Phase, Phases, Site};
pub use self::ground::{Ground, give};
pub use self::hosts::{Hosts, NoHost};
pub use self::limits::Limits;
use self::listener::{Ear, Hours};
use self::met::Met;
use self::places::Places;
use self::proxy::Tunnels;
pub use self::proxy::{Proxy, Reach, TheOne};
pub use self::refusal::Refusal;
pub use self::rendered::Rendered;
pub use self::thread::ServerThread;
use self::tls::Tls;
use crate::delivery::{Delivery, End};
use crate::greeting::{Arrival, Greeting, Part, Reception};
use crate::message::{Headers, Request, Response};

/// Who answers. `serve` does not know whether it is a replay, an emulator or a recorder.
///
/// A panic in any of these ends the connection it was called for, and nothing else.
pub trait Answer: Send + Sync + 'static {
    /// Whether requests that a browser sends for a page of another site are refused: a recorder has a real console
    /// behind it, and such a page must not reach it.
    fn keeps_strange_pages_out(&self) -> bool {
        false
    }

    /// A request with whatever can be made of it before it is answered.
    type Asked: Send + Sync + 'static;

    /// Makes that of a request. A head without a body that comes again byte for byte is the same `Asked`, for as long as
    /// the listener remembers it.
    fn asked(&self, request: Request) -> Self::Asked;

    /// What is sent for a request. Requests of one connection are answered one after the other, in their order.
    fn answer(&self, asked: Arc<Self::Asked>, came: Came) -> impl Future<Output = Reply> + Send;

    /// What is planned for connections as such. Asked once, before anybody is listened to.
    fn reception(&self) -> Reception {
        Reception::default()
    }

    /// How a connection is greeted. Asked once for each, and only if the [`reception`](Self::reception) says so.
    fn greet(&self, arrival: &Arrival) -> Greeting {
        let _ = arrival;
        Greeting::default()
    }

    /// Called once for each part of a greeting that has come to pass, before the peer learns of it. A peer that leaves first,
    /// or never says hello, does not meet what was planned for it.
    fn greeted(&self, arrival: &Arrival, part: Part) {
        let _ = (arrival, part);
    }

    /// Called at the beginning of each time in which nobody is listened to.
    fn absent(&self, away: &Range<Duration>) {
        let _ = away;
    }

    /// Called once for each request that the listener turned away in its own name (a bad head, a body that is too long
    /// or too slow, one connection too many): it never reached [`Answer::answer`].
    fn refused(&self, refusal: &Refusal) {
        let _ = refusal;
    }

    /// Called exactly once for each reply, when it has been performed or has come to nothing.
    fn performed(&self, ticket: u64, what: Performed) {
        let _ = (ticket, what);
    }
}

/// When and how a request came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// The time since the server started.
    pub at: Duration,
    /// On which connection of the listener, from 1: the number that its [`Arrival`] had. None where nobody listens.
    pub connection: Option<u64>,
}

impl Came {
    /// At this time, from somebody who needs no connection.
    pub fn at(at: Duration) -> Self {
        Self { at, connection: None }
    }
}

/// What is sent for a request.
#[derive(Debug)]
pub enum Reply {
    /// Plain data, performed as it says; after a HEAD no body is sent, whatever it says.
    Planned {
        /// What is sent.
        delivery: Delivery,
        /// Comes back in [`Answer::performed`].
        ticket: u64,
    },
    /// Bytes that were made before for the same request.
    Rendered {
        /// What is sent, whole and at once.
        rendered: Arc<Rendered>,
        /// Comes back in [`Answer::performed`].
        ticket: u64,
    },
    /// A head now and a body as it arrives (recording).
    Streamed {
        /// Status line and header lines, sent as they are; its body, chunks and trailers are not looked at.
        head: Response,
        /// The body. The sender waits while the client does not read; it fails once the client has left.
        body: mpsc::Receiver<Piece>,
        /// Comes back in [`Answer::performed`].
        ticket: u64,
    },
}

impl Reply {
    /// What comes back in [`Answer::performed`].
    pub(crate) fn ticket(&self) -> u64 {
        match self {
            Self::Planned { ticket, .. } | Self::Rendered { ticket, .. } | Self::Streamed { ticket, .. } => {
                *ticket
            }
        }
    }

    /// The same reply under another ticket.
    #[must_use]
    pub(crate) fn with_ticket(mut self, number: u64) -> Self {
        match &mut self {
            Self::Planned { ticket, .. } | Self::Rendered { ticket, .. } | Self::Streamed { ticket, .. } => {
                *ticket = number;
            }
        }
        self
    }
}

/// A piece of a streamed body.
#[derive(Debug)]
pub enum Piece {
    /// Body bytes; one chunk if the head says chunked.
    Body(Bytes),
    /// The end of the body, with its trailers.
    End(Headers),
    /// The console broke off: the connection ends like this. (So does one whose sender is dropped, with a reset.)
    Broken(End),
}

/// What really happened to a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Performed {
    /// When the request was whole, since the server started.
    pub at: Duration,
    /// From then until the last byte was handed over, or the connection was given up.
    pub took: Duration,
    /// How many bytes of the reply were handed over to the peer.
    pub sent_bytes: u64,
    /// Whether the client left, or the server stopped, before everything planned was done. A hang always ends so.
    pub cut_short: bool,
}

/// Where and how a server listens.
#[derive(Debug, Default)]
pub struct Options {
    /// The address; `127.0.0.1:0`, any free port, if none is given.
    pub listen: Option<SocketAddr>,
    /// With it the server speaks TLS only, without it none.
    pub tls: Option<tls::Identity>,
    /// With it the listener is a forward proxy as well. It has no identity then: TLS is spoken in the tunnels.
    pub proxy: Option<Proxy>,
    /// The names it answers for, beside those of its certificate.
    pub hosts: Hosts,
    /// The origins whose pages may send requests where others are kept out: `http://app.example`, or `*`.
    pub origins: Vec<String>,
    /// The bounds; [`Limits::default`] if none are given.
    pub limits: Option<Limits>,
    /// With it the listener stands in another network than this process's.
    pub ground: Option<Ground>,
}

/// A listener that has its address and answers nobody yet: connections wait until it serves.
pub struct Bound<A: Answer> {
    answer: Arc<A>,
    ear: Ear,
    addr: SocketAddr,
    away: VecDeque<Range<Duration>>,
    greets: bool,
    tls: Option<Tls>,
    tunnels: Option<Tunnels>,
    options: Options,
}

/// A running listener.
#[must_use = "dropping a Server stops it"]
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    url: String,
    drain: Duration,
    places: Arc<Places>,
    phase: watch::Sender<Phase>,
    accepting: JoinHandle<()>,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is in use, not this machine's, or not allowed.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A proxy with an identity of its own: its clients would have to speak TLS in TLS.
    #[error("a proxy listens in plain http, and speaks TLS in its tunnels")]
    TlsProxy,
    /// What is planned happens in a TLS handshake, and there is going to be none.
    #[error("`{planned}` happens in a TLS handshake, and this listener speaks plain http")]
    NoTls {
        /// What plans it.
        planned: String,
    },
    /// What is planned happens in a TLS handshake, and cannot be made.
    #[error("`{planned}` is not possible: {source}")]
    Tls {
        /// What plans it.
        planned: String,
        /// Why not.
        source: tls::TlsError,
    },
    /// There is no place for the certificates that a client is to trust.
    #[error("cannot write the certificates to trust: {0}")]
    Bundle(std::io::Error),
    /// The system gives no thread to listen on ([`ServerThread`]).
    #[error("cannot start a thread to listen on: {0}")]
    Thread(std::io::Error),
}

impl<A: Answer> Bound<A> {
    /// Listens, unless nobody is to be listened to at first.
    ///
    /// # Errors
    /// If the address cannot be had, or what is planned for connections is not possible.
    pub async fn new(mut options: Options, answer: Arc<A>) -> Result<Self, StartError> {
        let reception = answer.reception();
        let proxy = options.proxy.take();
        if proxy.is_some() && options.tls.is_some() {
            return Err(StartError::TlsProxy);
        }
        let tls = tls::ready(options.tls.as_ref(), proxy.is_some(), &reception)?;
        let tunnels = proxy.map(|proxy| Tunnels::new(proxy, &reception));
        let away = VecDeque::from(reception.away());
        let is_open = away.front().is_none_or(|away| !away.start.is_zero());
        let wanted = options.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
        let failed = |source| StartError::Listen { addr: wanted, source };
        let (ear, addr) = Ear::new(wanted, is_open, options.ground.as_ref()).map_err(failed)?;
        Ok(Self { answer, ear, addr, away, greets: reception.greets, tls, tunnels, options })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// As [`Server::url`].
    pub fn url(&self) -> String {
        connection::url(self.addr, self.scheme(), self.options.ground.as_ref())
    }

    fn scheme(&self) -> &'static str {
        if self.options.tls.is_some() { "https" } else { "http" }
    }

    /// Answers on the current tokio runtime until it is stopped or dropped.
    pub fn serve(self) -> Server {
        let url = self.url();
        let Self { answer, ear, addr, away, greets, tls, tunnels, options } = self;
        let limits = options.limits.unwrap_or_default();
        let mut hosts = options.hosts;
        for name in options.tls.iter().flat_map(|identity| &identity.names) {
            // A certificate can be for names that are no host's; nobody asks for those.
            let _ = hosts.add(name);
        }
        let drain = limits.drain;
        let room = limits.bodies_bytes.max(limits.body_bytes).div_ceil(limits::ROOM_UNIT);
        let bodies = Arc::new(Semaphore::new(room.min(Semaphore::MAX_PERMITS)));
        let places = Places::new(limits.connections.min(limits::connections_affordable()));
        let phase = watch::Sender::new(Phase::Running);
        let began = Instant::now();
        let site = Arc::new(Site {
            answer,
            met: Met::default(),
            limits,
            hosts,
            origins: options.origins,
            bodies,
            places: Arc::clone(&places),
            tls,
            tunnels,
            greets,
            began,
            ground: options.ground,
        });
        let hours = Hours { began, away };
        let accepting = tokio::spawn(Box::pin(listener::run(ear, addr, hours, site, Phases::of(&phase))));
        Server { addr, url, drain, places, phase, accepting }
    }
}

impl<A: Answer> fmt::Debug for Bound<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Server {
    /// Listens, and answers on the current tokio runtime until it is stopped or dropped.
    ///
    /// # Errors
    /// If the address cannot be had, or what is planned for connections is not possible.
    pub async fn start<A: Answer>(options: Options, answer: Arc<A>) -> Result<Self, StartError> {
        Ok(Bound::new(options, answer).await?.serve())
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:PORT` or `https://...`: no path, no final slash.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Stops accepting, closes idle connections, lets running answers finish until the drain limit, then resets what is
    /// left. Returns how many connections were reset; never takes half a second more than the drain limit.
    pub async fn stop(mut self) -> usize {
        self.phase.send_replace(Phase::Draining);
        // The listening socket is closed when this ends, so the port is free when `stop` returns.
        let _ = timeout(limits::RESET_GRACE, &mut self.accepting).await;
        if timeout(self.drain, self.places.all_left()).await.is_ok() {
            return 0;
        }
        let cut = self.places.count();
        self.phase.send_replace(Phase::Killed);
        // An answer that blocks its thread is not waited for any longer.
        let _ = timeout(limits::RESET_GRACE, self.places.all_left()).await;
        cut
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Killed);
        self.accepting.abort();
    }
}
