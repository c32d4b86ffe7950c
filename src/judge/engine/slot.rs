//! A listener that stays while the cases it serves come and go.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::ports::Ports;
use crate::delivery::{Delivery, End, Step};
use crate::greeting::{Arrival, Greeting, Part, Reception};
use crate::message::{Request, Response};
use crate::replay::Replay;
use crate::serve::tls::Identity;
use crate::serve::{Answer, Came, Options, Performed, Refusal, Reply, Server, StartError};

/// How long after its client ended a case may still be performing an answer.
const SETTLING: Duration = Duration::from_millis(200);

/// How many ports are tried for a listener of its own before the system chooses one.
const TRIES: usize = 16;

/// When a case's time begins. How long a program takes to start is not the console's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    Now,
    WithItsFirstRequest,
}

/// A listener and what it serves now.
#[derive(Debug)]
pub(super) struct Slot {
    stage: Arc<Stage>,
    server: Server,
    url: String,
}

/// Hands requests to the case on stage. Between cases there is none: a request of a case that is over, sent by a
/// process that outlived it, is answered by closing the connection.
#[derive(Debug)]
struct Stage {
    playing: Mutex<Playing>,
    settled: Notify,
}

#[derive(Debug, Default)]
struct Playing {
    /// And when its time began; with its first request, if it is not said.
    replay: Option<(Arc<Replay>, Option<Duration>)>,
    /// Whose connections are greeted: one that is left waiting may hear of its end when its case is over.
    greets: Option<Arc<Replay>>,
    /// Answers being performed: whose they are, and their tickets there.
    tickets: BTreeMap<u64, (Arc<Replay>, u64)>,
    next: u64,
}

impl Stage {
    fn playing(&self) -> MutexGuard<'_, Playing> {
        self.playing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replay(&self) -> Option<Arc<Replay>> {
        self.playing().replay.as_ref().map(|(replay, _)| Arc::clone(replay))
    }
}

impl Answer for Stage {
    type Asked = Request;

    /// The next case may make something else of it.
    fn asked(&self, request: Request) -> Request {
        request
    }

    fn reception(&self) -> Reception {
        self.replay().map_or_else(Reception::default, |replay| replay.reception())
    }

    fn greet(&self, arrival: &Arrival) -> Greeting {
        let Some(replay) = self.replay() else { return Greeting::default() };
        self.playing().greets = Some(Arc::clone(&replay));
        replay.greet(arrival)
    }

    fn greeted(&self, arrival: &Arrival, part: Part) {
        let replay = self.playing().greets.clone();
        replay.iter().for_each(|replay| replay.greeted(arrival, part));
    }

    fn absent(&self, away: &Range<Duration>) {
        self.replay().iter().for_each(|replay| replay.absent(away));
    }

    async fn answer(&self, request: Arc<Request>, came: Came) -> Reply {
        let begun = |(replay, since): &mut (Arc<Replay>, Option<Duration>)| {
            (Arc::clone(replay), *since.get_or_insert(came.at))
        };
        let playing = self.playing().replay.as_mut().map(begun);
        let Some((replay, since)) = playing else { return nobody() };
        let asked = Arc::new(replay.asked(Arc::unwrap_or_clone(request)));
        let came = Came { at: came.at.saturating_sub(since), ..came };
        let reply = replay.answer(asked, came).await;
        let mut playing = self.playing();
        playing.next += 1;
        let own = playing.next;
        playing.tickets.insert(own, (replay, reply.ticket()));
        drop(playing);
        reply.with_ticket(own)
    }

    fn refused(&self, refusal: &Refusal) {
        self.replay().iter().for_each(|replay| replay.refused(refusal));
    }

    fn performed(&self, ticket: u64, what: Performed) {
        let mut playing = self.playing();
        let whose = playing.tickets.remove(&ticket);
        let is_settled = playing.tickets.is_empty();
        drop(playing);
        if let Some((replay, ticket)) = whose {
            replay.performed(ticket, what);
        }
        if is_settled {
            self.settled.notify_waiters();
        }
    }
}

/// The answer to a request that no case waits for.
fn nobody() -> Reply {
    let mut delivery = Delivery::of(Response::new(503));
    delivery.steps = vec![Step::End(End::Fin)];
    Reply::Planned { delivery, ticket: 0 }
}

impl Slot {
    /// A listener on a free loopback port.
    ///
    /// # Errors
    /// If the system gives none.
    pub(super) async fn start(tls: Option<&Identity>) -> Result<Self, StartError> {
        Self::with(Playing::default(), tls, 0).await
    }

    /// A listener for this replay alone: the first connection is the first.
    ///
    /// # Errors
    /// If the system gives none, or what is planned for connections is not possible.
    pub(super) async fn alone(
        replay: Arc<Replay>,
        begins: Begins,
        tls: Option<&Identity>,
        ports: &Ports,
    ) -> Result<Self, StartError> {
        let since = match begins {
            Begins::Now => Some(Duration::ZERO),
            Begins::WithItsFirstRequest => None,
        };
        let mut tries = TRIES;
        let slot = loop {
            let replay = Some((Arc::clone(&replay), since));
            let port = if tries == 0 { 0 } else { ports.next() };
            match Self::with(Playing { replay, ..Playing::default() }, tls, port).await {
                Err(StartError::Listen { .. }) if tries > 0 => tries -= 1,
                started => break started?,
            }
        };
        replay.set_base(&slot.url);
        Ok(slot)
    }

    /// On this port; on any free one where it is 0.
    async fn with(playing: Playing, tls: Option<&Identity>, port: u16) -> Result<Self, StartError> {
        let stage = Arc::new(Stage { playing: Mutex::new(playing), settled: Notify::new() });
        let listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let server =
            Server::start(Options { listen, tls: tls.cloned(), ..Options::default() }, Arc::clone(&stage))
                .await?;
        let url = server.url();
        Ok(Self { stage, server, url })
    }

    /// `http://127.0.0.1:PORT` or `https://...`.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn port(&self) -> u16 {
        self.server.addr().port()
    }

    /// From now on requests go to this replay.
    pub(super) fn play(&self, replay: Arc<Replay>) {
        replay.set_base(&self.url);
        self.stage.playing().replay = Some((replay, None));
    }

    /// From now on requests go nowhere.
    pub(super) fn leave(&self) {
        self.stage.playing().replay = None;
    }

    /// Waits a moment for answers that are still being performed.
    pub(super) async fn settle(&self) {
        let settled = async {
            loop {
                let mut notified = std::pin::pin!(self.stage.settled.notified());
                notified.as_mut().enable();
                if self.stage.playing().tickets.is_empty() {
                    return;
                }
                notified.await;
            }
        };
        let _ = tokio::time::timeout(SETTLING, settled).await;
        // What hangs on longer belongs to a client that is gone.
        self.stage.playing().tickets.clear();
    }

    /// Closes the listener.
    pub(super) async fn stop(self) {
        self.server.stop().await;
    }
}
