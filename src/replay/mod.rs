//! Replay: decide an answer from evidence.
//!
//! A [`Replay`] holds sessions; each decides under its own lock, in plain code, and hands a
//! [`Delivery`](crate::delivery::Delivery) to [`crate::serve`]. Nothing in here opens a connection, reads a clock or
//! draws a number that is not keyed by the seed.

mod account;
mod builder;
mod cancel;
mod computed;
mod conditional;
mod creation;
mod creators;
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
mod session;
mod stands;
mod variant;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::cassette::base_for;
use crate::ledger::{self, EndLine, Exchange, Exit, Line, Reasons, RefusedLine, RunLine, without_address};
use crate::message::{Request, Response};
use crate::profile::Profile;
use crate::redact::Redactor;
use crate::scenario::Scenario;
use crate::seed::Seed;
use crate::serve::{Answer, Performed, Refusal, Reply};

pub use builder::{BuildError, Builder, MAIN, Running, evidence_of, recorded};
pub use material::Material;

use kept::Kept;
use session::Session;

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
}

/// Called once per request, for the one line that a request prints.
pub type Watch = Arc<dyn Fn(Seen<'_>) + Send + Sync>;

/// What became of a request.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// It was served.
    Served(&'a Exchange),
    /// The listener turned it away.
    Refused(&'a RefusedLine),
}

/// A running replay.
pub struct Replay {
    setup: Arc<Setup>,
    watch: Option<Watch>,
    sessions: Mutex<Sessions>,
    kept: Mutex<Kept>,
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("setup", &self.setup).finish_non_exhaustive()
    }
}

/// The open sessions.
#[derive(Default)]
struct Sessions {
    open: BTreeMap<String, (u64, Arc<Mutex<Session>>)>,
    clock: u64,
    base: String,
    closed: u64,
    fired: BTreeMap<String, u64>,
}

impl Replay {
    /// A replay, said step by step and started in one call.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A replay with its first session open.
    pub fn new(setup: Setup) -> Self {
        let replay = Self {
            setup: Arc::new(setup),
            watch: None,
            sessions: Mutex::new(Sessions::default()),
            kept: Mutex::new(Kept::default()),
        };
        let _ = replay.session(&replay.setup.session);
        replay
    }

    /// The same replay, which tells `watch` of each request it has decided.
    #[must_use]
    pub fn watched(mut self, watch: Watch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// The listener's own `scheme://host:port`, known once it listens: `{base}` in answers becomes it.
    pub fn set_base(&self, url: &str) {
        let mut sessions = lock(&self.sessions);
        url.clone_into(&mut sessions.base);
        for (name, (_, session)) in &sessions.open {
            lock(session).set_base(&self.base_of(url, name));
        }
    }

    /// All lines so far: run lines, exchanges, timings.
    pub fn lines(&self) -> Vec<Line> {
        lock(&self.kept).lines().to_vec()
    }

    /// The account so far. `command`, `dials` and what it all comes to are the caller's to fill.
    pub fn account(&self) -> EndLine {
        let mut fired = BTreeMap::new();
        let sessions = lock(&self.sessions);
        fired.clone_from(&sessions.fired);
        for (_, session) in sessions.open.values() {
            for (key, times) in lock(session).fired() {
                *fired.entry(key.clone()).or_insert(0) += times;
            }
        }
        let mut end = lock(&self.kept).account();
        end.closed_sessions = sessions.closed;
        if let Some(scenario) = &self.setup.scenario {
            let silent = scenario
                .faults
                .iter()
                .filter(|planned| planned.must_fire() && !fired.contains_key(&planned.key));
            end.never_fired = silent.map(|planned| scenario.title_of(planned)).collect();
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

    /// Decides one request, and keeps its ledger line. Public for tests that need no port.
    pub fn decide(&self, mut request: Request, at: Duration) -> (crate::delivery::Delivery, u64) {
        let name = session_of(&mut request);
        self.setup.redactor.learn_request(&request);
        // Draws and ledger lines depend on a session's name: a token never is one.
        let name = name.map_or_else(|| self.setup.session.clone(), |name| self.setup.redactor.text(&name));
        let session = self.session(&name);
        let listener = lock(&self.sessions).base.clone();
        let base = base_for(&listener, &request);
        let decided = lock(&session).decide(request, at);
        let mut exchange = decided.exchange;
        exchange.leave_address(&listener);
        // A name without a port may be any word.
        if base.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
            exchange.leave_address(&base);
        }
        let ticket = lock(&self.kept).take(&exchange);
        // Told last: whoever ends a run because of it finds it in the ledger.
        if let Some(watch) = &self.watch {
            watch(Seen::Served(&exchange));
        }
        (decided.delivery, ticket)
    }

    fn session(&self, name: &str) -> Arc<Mutex<Session>> {
        let mut sessions = lock(&self.sessions);
        sessions.clock += 1;
        let now = sessions.clock;
        if let Some((used, session)) = sessions.open.get_mut(name) {
            *used = now;
            return Arc::clone(session);
        }
        if sessions.open.len() > SESSIONS_MAX {
            sessions.close_oldest(&self.setup.session);
        }
        let base = self.base_of(&sessions.base, name);
        let session = Arc::new(Mutex::new(Session::new(name, Arc::clone(&self.setup), base)));
        sessions.open.insert(name.to_owned(), (now, Arc::clone(&session)));
        lock(&self.kept).keep(Line::Run(self.run_line(name)));
        session
    }

    fn base_of(&self, url: &str, session: &str) -> String {
        if session == self.setup.session { url.to_owned() } else { format!("{url}/@{session}") }
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
            cassette_id: material.map(|material| material.id().to_owned()),
            seed: setup.seed.0,
            ..RunLine::default()
        }
    }
}

impl Sessions {
    fn close_oldest(&mut self, first: &str) {
        let idle = self.open.iter().filter(|(name, _)| name.as_str() != first);
        let Some(oldest) = idle.min_by_key(|(_, (used, _))| *used).map(|(name, _)| name.clone()) else {
            return;
        };
        if let Some((_, session)) = self.open.remove(&oldest) {
            for (key, times) in lock(&session).fired() {
                *self.fired.entry(key.clone()).or_insert(0) += times;
            }
        }
        self.closed += 1;
    }
}

impl Answer for Replay {
    async fn answer(&self, request: Request, at: Duration) -> Reply {
        let (delivery, ticket) = self.decide(request, at);
        Reply::Planned { delivery, ticket }
    }

    fn refused(&self, refusal: &Refusal) {
        let mut line = refusal.line(&self.setup.session, &self.setup.redactor);
        line.head = without_address(&line.head, &lock(&self.sessions).base);
        lock(&self.kept).refuse(&line);
        if let Some(watch) = &self.watch {
            watch(Seen::Refused(&line));
        }
    }

    fn performed(&self, ticket: u64, what: Performed) {
        lock(&self.kept).performed(ticket, what);
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
