//! The recording proxy: what crosses the wire between a client and a console, kept.
//!
//! - `upstream` says where the console is; `dial` is the only file of the project that connects outward; `idle` has the connections
//!   that wait for the next request
//! - `trust` says whose certificate is believed, `handshake` checks it, `certificate` describes one that is not
//! - `pass` brings one request there and its answer back, `aside` goes on with that when nobody waits for it, `outlet` hands the client what it gets; `answer` and `trailers` read what the console sends, byte for
//!   byte; `rewrite` changes addresses and nothing else
//! - `asking` sends a GET or a HEAD of our own, `inquiry` asks with it for what a console says of itself
//! - `keep` redacts interactions on the way in and lays them on the `desk`, from where `writer` writes them to the journal;
//!   at the end `keep` makes the cassette of it
//! - `jar` knows which cookies are in use, `bodies` bounds the bodies on their way, `most` the recording; `summary` is what
//!   it comes to
//! - `service` posts a case to a program under test that is a service
//!
//! It is somebody's production console: `GET`, `HEAD` and `OPTIONS` pass, everything else is answered here with a 501 unless it
//! was allowed by name.

mod answer;
mod aside;
mod asking;
mod batch;
mod bodies;
mod certificate;
mod desk;
mod dial;
mod handshake;
mod idle;
mod inquiry;
mod jar;
mod keep;
mod most;
mod outlet;
mod pass;
mod rewrite;
mod service;
mod summary;
mod trailers;
mod trust;
mod upstream;
mod writer;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

pub use self::asking::{AskError, Asking, Safe};
pub use self::certificate::{Uncheckable, Untrusted};
pub use self::dial::{DialError, dials};
pub use self::inquiry::{Inquiry, InquiryError};
pub use self::keep::KeepError;
pub use self::most::Most;
pub(crate) use self::service::{ServiceError, is_there, post};
pub use self::summary::Summary;
pub use self::trust::{Trust, TrustError};
pub use self::upstream::{NoUpstream, Upstream};

use self::aside::Aside;
use self::bodies::Budget;
use self::dial::dial;
use self::idle::Idle;
use self::keep::{Keeper, Lost};
use self::pass::Passing;
use self::trust::Believer;
use crate::cassette::{Console, base_for};
use crate::delivery::Delivery;
use crate::json::quote;
use crate::message::{Request, Response};
use crate::profile::{NameError, Profile, hits};
use crate::redact::Redactor;
use crate::serve::{Answer, Came, Refusal, Reply};

/// How long the console may take for each step, unless the settings say otherwise: case work on a busy console takes
/// seconds.
pub(crate) const CONSOLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a console may take for the handshake before the recording begins.
const PROBE_MAX: Duration = Duration::from_secs(10);
/// Answers that are being read at one time, those included whose client has left.
const RUNNING_MAX: usize = 512;
/// How long answers that are still being read get once the recording ends.
const SETTLE_MAX: Duration = Duration::from_secs(2);

/// What happens to a cassette that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// It is refused.
    #[default]
    Refuse,
    /// It is replaced at the end.
    Overwrite,
}

/// When an answer is called recorded: what is committed is on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Syncing {
    /// Interactions are synced in groups, at most 50 ms apart; nobody waits for that.
    #[default]
    Grouped,
    /// The end of each answer waits until its interaction is synced; one that cannot be is broken off.
    Always,
}

/// What a recording is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The console.
    pub upstream: Upstream,
    /// The cassette's file.
    pub cassette: PathBuf,
    /// The cassette's name.
    pub name: String,
    /// What happens to an existing file.
    pub existing: Existing,
    /// Endpoints that may write: a full id, a short name, or `METHOD /path` for a path that no profile knows.
    pub allow_writes: Vec<String>,
    /// Whose certificate is believed.
    pub trust: Trust,
    /// How long the console may take for each step: to take the connection (the TLS handshake included), to take the
    /// request, to send the whole head of its answer, and between two pieces of its body. An answer whose client has
    /// left is read on for as long, in all.
    pub console_timeout: Duration,
    /// What the API promises.
    pub profile: &'static Profile,
    /// What takes secrets out of everything that is written.
    pub redactor: Redactor,
    /// When an answer is called recorded.
    pub syncing: Syncing,
    /// A file that gets a line after each sync: how many interactions are committed.
    pub committed_file: Option<PathBuf>,
    /// What the recording may grow to.
    pub most: Most,
}

impl Settings {
    /// What `upstream` answers, kept in `cassette`, a file that is not there yet: nothing may write, and certificates
    /// are judged by the machine's own roots.
    pub fn new(upstream: Upstream, cassette: impl Into<PathBuf>) -> Self {
        let cassette = cassette.into();
        Self {
            upstream,
            name: cassette.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            cassette,
            existing: Existing::Refuse,
            allow_writes: Vec::new(),
            trust: Trust::Native,
            console_timeout: CONSOLE_TIMEOUT,
            profile: Profile::builtin(),
            redactor: Redactor::new(),
            syncing: Syncing::Grouped,
            committed_file: None,
            most: Most::default(),
        }
    }
}

/// Why a recording does not start, or does not end well.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// No endpoint has this name.
    #[error("--allow-writes: {0}")]
    Endpoint(#[from] NameError),
    /// The cassette cannot be written.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The trust settings are unusable.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// One line's worth of a request that went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The method.
    pub method: String,
    /// The target, redacted.
    pub target: String,
    /// The status the client got.
    pub status: u16,
    /// What became of it: `recorded`, `not allowed`, or why it could not be.
    pub what: String,
}

/// What there is to say while a recording runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request is through.
    Passed(Passed),
    /// What to look after: the journal cannot be written, or can be again; the console sends its clients elsewhere.
    Remark(String),
    /// What is good to know: a recording that was cut short is gone on with.
    Note(String),
}

/// Called for each event.
pub type Watch = Arc<dyn Fn(&Event) + Send + Sync>;

/// What all requests of a recording share.
struct Site {
    settings: Settings,
    believer: Believer,
    console: Console,
    /// Where the console's name led to, once it was dialled.
    address: OnceLock<IpAddr>,
    /// The console by its name and that address.
    found_console: OnceLock<Console>,
    keeper: Keeper,
    idle: Idle,
    budget: Arc<Budget>,
    watch: Option<Watch>,
    has_moved: AtomicBool,
}

impl Site {
    /// The console as it is taken out of what is stored: by name and by address.
    fn stored_console(&self) -> &Console {
        match self.address.get() {
            Some(address) => self.found_console.get_or_init(|| self.console.clone().at(*address)),
            None => &self.console,
        }
    }

    fn tell(&self, event: &Event) {
        if let Some(watch) = &self.watch {
            watch(event);
        }
    }

    /// The line about a request, as it may be printed.
    fn pass(&self, request: &Request, status: u16, what: &str) {
        if self.watch.is_some() {
            let redactor = &self.settings.redactor;
            let (method, target) = redactor.start_of(request);
            let what = redactor.text(what);
            self.tell(&Event::Passed(Passed { method, target, status, what }));
        }
    }

    /// Once: a client that follows would come back for ever.
    fn remark_move(&self, to: &str) {
        if !self.has_moved.swap(true, Ordering::Relaxed) {
            self.tell(&Event::Remark(format!(
                "the console sends its clients to {to}; if they come back in circles, record that address: --upstream {to}"
            )));
        }
    }
}

/// A running recording.
pub struct Recorder {
    site: Arc<Site>,
    allowed: BTreeSet<String>,
    base: Mutex<String>,
    slots: Arc<Semaphore>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("settings", &self.site.settings).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Checks all that can be checked before the first byte: the file, its folder, the names, the trust settings. From
    /// here on nobody else records to the same cassette.
    ///
    /// # Errors
    /// If any of them is unusable.
    pub fn new(settings: Settings, watch: Option<Watch>) -> Result<Self, RecordError> {
        let believer = Believer::new(&settings.trust)?;
        let mut allowed = BTreeSet::new();
        for name in &settings.allow_writes {
            allowed.insert(settings.profile.aim(name)?);
        }
        let keeper = Keeper::new(&settings, watch.clone())?;
        let site = Site {
            believer,
            console: settings.upstream.console(),
            address: OnceLock::new(),
            found_console: OnceLock::new(),
            keeper,
            idle: Idle::default(),
            budget: Arc::default(),
            watch,
            has_moved: AtomicBool::new(false),
            settings,
        };
        let slots = Arc::new(Semaphore::new(RUNNING_MAX));
        Ok(Self { site: Arc::new(site), allowed, base: Mutex::default(), slots })
    }

    /// Whether the console can be reached: a connection and, with https, a handshake. No request is sent.
    ///
    /// # Errors
    /// Why not.
    pub async fn probe(&self) -> Result<(), DialError> {
        let settings = &self.site.settings;
        let wait = settings.console_timeout.min(PROBE_MAX);
        dial(&settings.upstream, &self.site.believer, wait).await.map(drop)
    }

    /// The listener's own `scheme://host:port`, known once it listens.
    pub fn set_base(&self, url: &str) {
        url.clone_into(&mut self.base.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits a little for answers that are still being read although their client has left.
    pub async fn settle(&self) {
        let all = u32::try_from(RUNNING_MAX).unwrap_or(u32::MAX);
        // Whatever is still running after that is lost, and counted; a closed semaphore is one that nobody closes.
        let _ = timeout(SETTLE_MAX, self.slots.acquire_many(all)).await;
    }

    /// Ends the recording: makes the cassette of the journal, and accounts for it.
    ///
    /// # Errors
    /// If the cassette cannot be written; what is committed stays in the journal, and this can be tried again.
    pub fn finish(&self) -> Result<Summary, RecordError> {
        self.site.keeper.end(RUNNING_MAX.saturating_sub(self.slots.available_permits()));
        self.site.keeper.compact()?;
        Ok(self.site.keeper.summary())
    }

    /// What the recording came to so far.
    pub fn summary(&self) -> Summary {
        self.site.keeper.summary()
    }

    fn base(&self) -> String {
        self.base.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The endpoint's id if a profile knows it, else method and path.
    fn endpoint(&self, request: &Request) -> String {
        match self.site.settings.profile.find(&request.method, request.path()) {
            Some(found) => found.endpoint.id.clone(),
            None => format!("{} {}", request.method, request.path()),
        }
    }

    fn allows(&self, request: &Request, endpoint: &str) -> bool {
        let asked = format!("{} {}", request.method, request.path());
        self.allowed.iter().any(|aim| hits(aim, endpoint, &asked))
    }

    fn refuse_write(&self, request: &Request, endpoint: &str) -> Reply {
        self.site.keeper.refused_write();
        self.site.pass(request, 501, "not allowed");
        let endpoint = self.site.settings.redactor.target(endpoint);
        let help = format!("nothing was sent; allow it with: --allow-writes '{endpoint}'");
        own_answer(501, "write not allowed", &help)
    }
}

/// A request, and the listener's address as its client knows it.
#[derive(Debug)]
pub struct Asked {
    request: Arc<Request>,
    base: String,
}

/// An answer of ours, in the console's place.
fn own_answer(status: u16, cause: &str, help: &str) -> Reply {
    let body = format!("{{\"faultdeck\":\"record\",\"cause\":{},\"help\":{}}}", quote(cause), quote(help));
    Reply::Planned { delivery: Delivery::of(Response::json(status, body)), ticket: 0 }
}

impl Answer for Recorder {
    fn keeps_strange_pages_out(&self) -> bool {
        true
    }

    type Asked = Asked;

    fn asked(&self, mut request: Request) -> Asked {
        // It is copied for redaction and for the journal: most lines are the same in all.
        request.headers.share();
        let base = base_for(&self.base(), &request);
        // By which way it came is not a part of what is recorded.
        request.scheme = None;
        Asked { request: Arc::new(request), base }
    }

    async fn answer(&self, asked: Arc<Asked>, _came: Came) -> Reply {
        let (site, request) = (&self.site, Arc::clone(&asked.request));
        site.settings.redactor.learn_request(&request);
        if !request.is_read() {
            let endpoint = self.endpoint(&request);
            if !self.allows(&request, &endpoint) {
                return self.refuse_write(&request, &endpoint);
            }
        }
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            let why = "too many answers are being read at one time";
            site.keeper.lost(Lost::Unreached, &request, why);
            site.pass(&request, 503, why);
            return own_answer(503, why, "nothing was sent; send fewer requests at one time");
        };
        let base = asked.base.clone();
        let place = site.keeper.next_place();
        let passing = Passing::new(Arc::clone(site), request, base, place, slot);
        let (reply, mut replied) = oneshot::channel();
        let mut work = Aside::new(passing.run(reply));
        let defect = || own_answer(500, "a defect of faultdeck", "please report it");
        tokio::select! {
            biased;
            // Without a word only if it panicked; the panic has been told.
            reply = &mut replied => reply.unwrap_or_else(|_| defect()),
            () = &mut work => replied.try_recv().unwrap_or_else(|_| defect()),
        }
    }

    fn refused(&self, refusal: &Refusal) {
        self.site.keeper.refused();
        let request = Request::new(
            refusal.method.as_deref().unwrap_or("?"),
            refusal.target.as_deref().unwrap_or("(no target)"),
        );
        self.site.pass(&request, refusal.status, &format!("refused: {}", refusal.why));
    }
}
