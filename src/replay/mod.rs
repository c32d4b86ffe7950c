//! Replay: decide an answer from evidence.
//!
//! A [`Replay`] holds sessions; each decides under its own lock, in plain code, and hands a
//! [`Delivery`] to [`crate::serve`]. Nothing in here opens a connection, reads a clock or
//! draws a number that is not keyed by the seed.

mod account;
mod again;
mod arrivals;
mod asked;
mod builder;
mod cancel;
mod clock;
mod computed;
mod conditional;
mod counts;
mod creation;
mod creators;
mod door;
mod epoch;
mod fresh;
mod kept;
mod keys;
mod ladder;
mod lookup;
mod material;
mod miss;
mod poll;
mod results;
mod served;
mod session;
mod spoil;
mod stream;
mod turn;
mod variant;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::delivery::Delivery;
use crate::greeting::{Arrival, Greeting, Part, Reception};
use crate::ledger::{self, EndLine, Exit, GreetedLine, Late, Line, Reasons, RunLine, Sum, without_address};
use crate::message::{Request, Response};
use crate::profile::Profile;
use crate::redact::Redactor;
use crate::scenario::{PlannedFault, Scenario};
use crate::seed::Seed;
use crate::serve::{Answer, Came, Performed, Refusal, Reply};

pub use asked::Asked;
pub use builder::{BuildError, Builder, MAIN, Running, evidence_of, recorded};
pub use clock::Clock;
pub use door::{Door, Lost};
pub use material::Material;
pub use served::{Alike, Served, Times};
pub use stream::{Event, Scribe, Watch, timing};

use arrivals::Arrivals;
use kept::Kept;
use session::{Decided, Planned, Session};

/// Sessions opened by path that are open at one time, beside the first; for one more, the one that was asked longest ago
/// is closed.
const SESSIONS_MAX: usize = 1000;

/// A console that is asked in a cassette's place.
pub type Console = Box<dyn FnMut(&Request) -> Response + Send>;

/// Makes a console (`console = "emulate"`) anew for each session.
pub type ConsoleMaker = Arc<dyn Fn() -> Console + Send + Sync>;

/// What answers are made from.
#[derive(Clone)]
pub enum Evidence {
    /// A recording.
    Cassette(Arc<Material>),
    /// A model.
    Console(ConsoleMaker),
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cassette(material) => write!(f, "Cassette({})", material.cassette().name),
            Self::Console(_) => f.write_str("Console"),
        }
    }
}

/// Whether credentials are asked for (rung 2 of the answer ladder).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// A request without any gets 401/18.
    #[default]
    Required,
    /// The same; and whoever logs in with Basic is given this session, as a cookie `SEC` (documented).
    GivesSession(&'static str),
    /// Nobody asks.
    Off,
}

/// What becomes of a request outside `/api/` that was not recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// Nothing is known of it: a miss.
    #[default]
    Miss,
    /// A console's page: where a client is judged, that is what it would see.
    Page,
}

/// All that a replay is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What answers are made from.
    pub evidence: Evidence,
    /// What goes wrong.
    pub scenario: Option<Arc<Scenario>>,
    /// What the API promises.
    pub profile: &'static Profile,
    /// What fixes every draw.
    pub seed: Seed,
    /// Whether credentials are asked for.
    pub auth: Auth,
    /// What becomes of requests outside `/api/` that were not recorded.
    pub outside: Outside,
    /// Every text of the ledger goes through it.
    pub redactor: Redactor,
    /// `replay`, `judge`, `run`, `demo`: goes to the run line.
    pub verb: String,
    /// The name of the first session. Seeds use it.
    pub session: String,
    /// How time passes.
    pub clock: Clock,
}

/// A running replay.
pub struct Replay {
    setup: Arc<Setup>,
    /// What goes to the run lines as the command under test.
    command: Vec<String>,
    watches: Vec<Watch>,
    /// Those who want to know of what is out of the ordinary alone.
    noters: Vec<Watch>,
    kept: Option<Arc<Kept>>,
    /// The session of every request that names no other.
    first: Arc<Mutex<Session>>,
    sessions: Mutex<Sessions>,
    /// The listener's own `scheme://host:port`, once it listens.
    listener: OnceLock<Arc<str>>,
    refused: AtomicU64,
    arrivals: Arrivals,
    tickets: AtomicU64,
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("setup", &self.setup).finish_non_exhaustive()
    }
}

/// The open sessions beside the first.
#[derive(Default)]
struct Sessions {
    open: BTreeMap<String, (u64, Arc<Mutex<Session>>)>,
    clock: u64,
    closed: u64,
    /// What the closed ones came to.
    fired: BTreeMap<String, u64>,
    sum: Sum,
}

impl Replay {
    /// A replay, said step by step and started in one call.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A replay with its first session open. It keeps nothing of what it serves but a sum.
    pub fn new(setup: Setup) -> Self {
        let setup = Arc::new(setup);
        let first = Session::new(&setup.session, Arc::clone(&setup), String::new());
        Self {
            setup,
            command: Vec::new(),
            watches: Vec::new(),
            noters: Vec::new(),
            kept: None,
            first: Arc::new(Mutex::new(first)),
            sessions: Mutex::default(),
            listener: OnceLock::new(),
            refused: AtomicU64::new(0),
            arrivals: Arrivals::default(),
            tickets: AtomicU64::new(0),
        }
    }

    /// The same replay, made for this command: its run lines say so. Goes before those who read them.
    #[must_use]
    pub fn of_command(mut self, words: &[String]) -> Self {
        self.command = words.to_vec();
        self
    }

    /// The same replay, which tells `watch` of everything that happens, the opening of its first session to begin with.
    #[must_use]
    pub fn watched(mut self, watch: Watch) -> Self {
        watch(&Event::Opened(Arc::new(self.run_line(&self.setup.session))));
        self.watches.push(watch);
        self
    }

    /// The same, for what happens from now on: that its first session was opened is no news.
    #[must_use]
    pub(crate) fn seen_by(mut self, watch: Watch) -> Self {
        self.watches.push(watch);
        self
    }

    /// The same, for what a report names: sessions, refusals, and of the requests those that are
    /// [remarkable](Served::is_remarkable) or met a fault; no timings.
    #[must_use]
    pub fn noted(mut self, watch: Watch) -> Self {
        watch(&Event::Opened(Arc::new(self.run_line(&self.setup.session))));
        self.noters.push(watch);
        self
    }

    /// The same replay, which keeps its [`lines`](Self::lines) in memory, up to a bound.
    #[must_use]
    pub fn keeping(mut self) -> Self {
        let kept = Arc::new(Kept::default());
        let of_watch = Arc::clone(&kept);
        self.kept = Some(kept);
        self.watched(Arc::new(move |event| of_watch.take(event)))
    }

    /// The listener's own `scheme://host:port`, known once it listens: `{base}` in answers becomes it.
    pub fn set_base(&self, url: &str) {
        let _ = self.listener.set(url.into());
        lock(&self.first).set_base(url);
        for (name, (_, session)) in &lock(&self.sessions).open {
            lock(session).set_base(&base_of(url, name));
        }
    }

    fn listener(&self) -> Arc<str> {
        self.listener.get().map_or_else(|| "".into(), Arc::clone)
    }

    /// All lines so far, if they are [kept](Self::keeping): run lines, exchanges, timings.
    pub fn lines(&self) -> Vec<Line> {
        self.kept.as_ref().map_or_else(Vec::new, |kept| kept.lines())
    }

    /// The same, handed over: they are kept here no longer.
    pub(crate) fn take_lines(&self) -> Vec<Line> {
        self.kept.as_ref().map_or_else(Vec::new, |kept| kept.take_lines())
    }

    /// The account so far. `command`, `dials` and what it all comes to are the caller's to fill.
    pub fn account(&self) -> EndLine {
        let sessions = lock(&self.sessions);
        let (mut fired, mut sum) = (sessions.fired.clone(), sessions.sum);
        let others = sessions.open.values().map(|(_, session)| session);
        for session in std::iter::once(&self.first).chain(others) {
            lock(session).add_to(&mut fired, &mut sum);
        }
        sum.refused = self.refused.load(Ordering::Relaxed);
        self.arrivals.add_to(&mut fired, &mut sum);
        let lost_lines = self.kept.as_ref().map_or(0, |kept| kept.lost());
        let mut end = EndLine { sum, lost_lines, closed_sessions: sessions.closed, ..EndLine::default() };
        if let Some(scenario) = &self.setup.scenario {
            let (in_force, others): (Vec<_>, Vec<_>) =
                scenario.faults.iter().partition(|planned| self.arrivals.has_been_in_force(planned));
            let silent =
                others.into_iter().filter(|planned| planned.must_fire() && !fired.contains_key(&planned.key));
            end.never_fired = silent.map(|planned| scenario.title_of(planned)).collect();
            let in_words = |planned: &PlannedFault| {
                format!("{}, {}", scenario.title_of(planned), arrivals::time_of(planned))
            };
            end.in_force = in_force.into_iter().map(in_words).collect();
        }
        end
    }

    /// The account as it is when nobody will ask any more, closed with what it comes to.
    pub fn closed(&self) -> EndLine {
        let end = self.account();
        let mut reasons = Reasons::default();
        end.weigh("nothing was asked", &mut reasons);
        reasons.push(Exit::Passed, "every request was answered");
        end.closed(reasons)
    }

    /// Decides one request, and tells whoever watches. Public for tests that need no port: as there is no connection, what
    /// waits for one does not fire, and [`Self::account`] lists it among what never did.
    pub fn decide(&self, request: Request, at: Duration) -> (Delivery, u64) {
        self.decide_as(request, Came::at(at))
    }

    /// The same, for a request that came on a connection of this number.
    pub fn decide_as(&self, request: Request, came: Came) -> (Delivery, u64) {
        let asked = self.asked(request);
        let decided = lock(&self.session_for(&asked)).anew(&asked.request, came);
        self.served(decided)
    }

    /// The same, as it was decided before if nothing has changed since.
    fn decide_or_repeat(&self, asked: &Asked, came: Came) -> (Planned, u64) {
        let decided = lock(&self.session_for(asked)).decide(asked, came);
        self.served(decided)
    }

    fn session_for(&self, asked: &Asked) -> Arc<Mutex<Session>> {
        match &asked.session {
            None => Arc::clone(&self.first),
            // Draws and ledger lines depend on a session's name: a token never is one.
            Some(name) => self.session(&self.setup.redactor.text(name)),
        }
    }

    /// Tells whoever watches of a request that was decided: what is sent, and under which ticket.
    fn served<P>(&self, decided: Decided<P>) -> (P, u64) {
        let Decided { planned, record, time, is_again, is_noted } = decided;
        if self.watches.is_empty() && (self.noters.is_empty() || !is_noted) {
            return (planned, 0);
        }
        let ticket = 1 + self.tickets.fetch_add(1, Ordering::Relaxed);
        let served = Arc::new(Served::new(&self.setup, self.listener(), (record, time), is_again));
        let event = Event::Served { ticket, served };
        if is_noted {
            self.noters.iter().for_each(|watch| watch(&event));
        }
        self.watches.iter().for_each(|watch| watch(&event));
        (planned, ticket)
    }

    /// Tells everybody of what is no request that was served.
    fn tell(&self, event: impl FnOnce() -> Event) {
        if !self.watches.is_empty() || !self.noters.is_empty() {
            let event = event();
            self.noters.iter().chain(&self.watches).for_each(|watch| watch(&event));
        }
    }

    fn tell_of(&self, greeted: Vec<GreetedLine>) {
        greeted.into_iter().for_each(|line| self.tell(|| Event::Greeted(Arc::new(line))));
    }

    fn session(&self, name: &str) -> Arc<Mutex<Session>> {
        if name == self.setup.session {
            return Arc::clone(&self.first);
        }
        let mut sessions = lock(&self.sessions);
        sessions.clock += 1;
        let now = sessions.clock;
        if let Some((used, session)) = sessions.open.get_mut(name) {
            *used = now;
            return Arc::clone(session);
        }
        if sessions.open.len() >= SESSIONS_MAX {
            sessions.close_oldest();
        }
        let base = base_of(&self.listener(), name);
        let session = Arc::new(Mutex::new(Session::new(name, Arc::clone(&self.setup), base)));
        sessions.open.insert(name.to_owned(), (now, Arc::clone(&session)));
        drop(sessions);
        self.tell(|| Event::Opened(Arc::new(self.run_line(name))));
        session
    }

    fn run_line(&self, session: &str) -> RunLine {
        let setup = &self.setup;
        let material = match &setup.evidence {
            Evidence::Cassette(material) => Some(material),
            Evidence::Console(_) => None,
        };
        RunLine {
            format: ledger::FORMAT,
            faultdeck: env!("CARGO_PKG_VERSION").to_owned(),
            session: session.to_owned(),
            verb: setup.verb.clone(),
            scenario: setup.scenario.as_ref().map(|scenario| scenario.name.clone()),
            scenario_text: setup.scenario.as_ref().map(|scenario| setup.redactor.text(&scenario.text)),
            cassette: material.map(|material| material.cassette().name.clone()),
            cassette_id: material.map(|_| {
                let setup = Arc::clone(setup);
                Late::new(move || match &setup.evidence {
                    Evidence::Cassette(material) => material.id().to_owned(),
                    Evidence::Console(_) => String::new(),
                })
            }),
            seed: setup.seed.0,
            command: self.command.clone(),
            ..RunLine::default()
        }
    }
}

impl Sessions {
    fn close_oldest(&mut self) {
        let oldest = self.open.iter().min_by_key(|(_, (used, _))| *used).map(|(name, _)| name.clone());
        let Some((_, session)) = oldest.and_then(|name| self.open.remove(&name)) else { return };
        lock(&session).add_to(&mut self.fired, &mut self.sum);
        self.closed += 1;
    }
}

fn base_of(url: &str, session: &str) -> String {
    format!("{url}/@{session}")
}

impl Answer for Replay {
    type Asked = Asked;

    fn asked(&self, mut request: Request) -> Asked {
        let session = session_of(&mut request);
        self.setup.redactor.learn_request(&request);
        Asked::new(request, session)
    }

    async fn answer(&self, asked: Arc<Asked>, came: Came) -> Reply {
        let came = Came { at: self.setup.clock.of_scenario(came.at), ..came };
        match self.decide_or_repeat(&asked, came) {
            (Planned::Anew(mut delivery), ticket) => {
                self.setup.clock.hasten(&mut delivery);
                Reply::Planned { delivery: *delivery, ticket }
            }
            (Planned::Again(rendered), ticket) => Reply::Rendered { rendered, ticket },
        }
    }

    fn refused(&self, refusal: &Refusal) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.tell(|| {
            let mut line = refusal.line(&self.setup.session, &self.setup.redactor);
            line.head = without_address(&line.head, &self.listener());
            Event::Refused(Arc::new(line))
        });
    }

    fn reception(&self) -> Reception {
        arrivals::reception(&self.setup)
    }

    fn greet(&self, arrival: &Arrival) -> Greeting {
        arrivals::greeting(&self.setup, arrival)
    }

    fn greeted(&self, arrival: &Arrival, part: Part) {
        self.tell_of(self.arrivals.greeted(&self.setup, arrival, part));
    }

    fn absent(&self, away: &Range<Duration>) {
        self.tell_of(self.arrivals.absent(&self.setup, away));
    }

    fn performed(&self, ticket: u64, what: Performed) {
        let what = self.setup.clock.in_scenario_time(what);
        let event = Event::Performed { ticket, what };
        self.watches.iter().for_each(|watch| watch(&event));
    }
}

/// Takes `/@NAME` off the front of the target: the session it names. Legal names are 1 to 64 letters, digits, `.`,
/// `_` and `-`; anything else is left in place, and misses as a path outside `/api/`.
fn session_of(request: &mut Request) -> Option<String> {
    let rest = request.target.strip_prefix("/@")?;
    let end = rest.find('/')?;
    let name = &rest[..end];
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > 64 || !name.chars().all(legal) {
        return None;
    }
    let (name, target) = (name.to_owned(), rest[end..].to_owned());
    request.target = target;
    Some(name)
}

/// A poisoned lock means that a panic was caught elsewhere; the state behind it is whole, since no decision is
/// half applied across an unwind point.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
