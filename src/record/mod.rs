//! The recording proxy: what crosses the wire between a client and a console, kept.
//!
//! - `dial` is the only file of the project that connects outward; `trust` judges the console's certificate
//! - `answer` reads what the console says, byte for byte; `rewrite` changes addresses and nothing else
//! - `keep` holds the interactions, redacted on the way in, and saves them; `summary` is what a recording comes to
//!
//! It is somebody's production console: `GET` and `HEAD` pass, everything else is answered here with a 501 unless it
//! was allowed by name.

mod answer;
mod dial;
mod keep;
mod rewrite;
mod summary;
mod trust;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::time::timeout;

pub use self::dial::{DialError, NoUpstream, Upstream, dials};
pub use self::keep::{KeepError, Summary};
pub use self::trust::{Trust, TrustError, Untrusted};

use self::answer::{HEAD_WAIT, Part, Reader, Unheard};
use self::dial::{Line, dial};
use self::keep::Keeper;
use crate::cassette::{Console, base_for};
use crate::delivery::{Delivery, End};
use crate::json::quote;
use crate::message::{Headers, Request, Response};
use crate::profile::{NameError, Profile};
use crate::redact::Redactor;
use crate::serve::{Answer, Limits, Piece, Reply};

/// How often a changed recording is saved.
const SAVE_EVERY: Duration = Duration::from_secs(2);
/// Pieces of a body on their way to a slow client; the console waits beyond that.
const PIECES_AHEAD: usize = 8;

/// What happens to a cassette that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// It is refused.
    #[default]
    Refuse,
    /// It is replaced at the first save.
    Overwrite,
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
    /// What the API promises.
    pub profile: &'static Profile,
    /// What takes secrets out of everything that is written.
    pub redactor: Redactor,
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
            profile: Profile::builtin(),
            redactor: Redactor::new(),
        }
    }
}

/// Why a recording does not start, or does not end well.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The cassette exists.
    #[error("{} exists already: choose another name, or replace it with --overwrite", .0.display())]
    Exists(PathBuf),
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

/// Called once per request, when it is through.
pub type Watch = Arc<dyn Fn(&Passed) + Send + Sync>;

/// A running recording.
pub struct Recorder {
    settings: Settings,
    allowed: BTreeSet<String>,
    base: Mutex<String>,
    keeper: Arc<Keeper>,
    watch: Option<Watch>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Checks all that can be checked before the first byte: the file, its folder, the names, the trust settings.
    ///
    /// # Errors
    /// If any of them is unusable.
    pub fn new(settings: Settings, watch: Option<Watch>) -> Result<Self, RecordError> {
        if settings.existing == Existing::Refuse && settings.cassette.exists() {
            return Err(RecordError::Exists(settings.cassette));
        }
        settings.trust.config()?;
        let mut allowed = BTreeSet::new();
        for name in &settings.allow_writes {
            match settings.profile.by_name(name) {
                Ok(endpoint) => allowed.insert(endpoint.id.clone()),
                Err(_) if name.split_once(' ').is_some_and(|(_, path)| path.starts_with("/api/")) => {
                    allowed.insert(name.clone())
                }
                Err(error) => return Err(error.into()),
            };
        }
        let keeper = Arc::new(Keeper::new(&settings)?);
        Ok(Self { settings, allowed, base: Mutex::default(), keeper, watch })
    }

    /// The listener's own `scheme://host:port`, known once it listens.
    pub fn set_base(&self, url: &str) {
        url.clone_into(&mut self.base.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Saves what has changed every 2 s, until the future is dropped.
    pub async fn keep_saving(&self) {
        loop {
            tokio::time::sleep(SAVE_EVERY).await;
            let keeper = Arc::clone(&self.keeper);
            // A failed save is tried again; the last one reports.
            let _ = tokio::task::spawn_blocking(move || keeper.save()).await;
        }
    }

    /// Saves what there is, and accounts for it.
    ///
    /// # Errors
    /// If the file cannot be written, or a secret cannot be taken out.
    pub fn finish(&self) -> Result<Summary, RecordError> {
        self.keeper.save()?;
        Ok(self.keeper.summary())
    }

    fn base(&self) -> String {
        self.base.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The endpoint's id if a profile knows it, else method and path.
    fn endpoint(&self, request: &Request) -> String {
        match self.settings.profile.find(&request.method, request.path()) {
            Some(found) => found.endpoint.id.clone(),
            None => format!("{} {}", request.method, request.path()),
        }
    }

    fn tell(&self, request: &Request, status: u16, what: &str) {
        if let Some(watch) = &self.watch {
            watch(&self.passed(request, status, what));
        }
    }

    fn passed(&self, request: &Request, status: u16, what: &str) -> Passed {
        passed(&self.settings.redactor, request, status, what)
    }

    fn refuse_write(&self, request: &Request, endpoint: &str) -> Reply {
        self.keeper.refused_write();
        self.tell(request, 501, "not allowed");
        let endpoint = self.settings.redactor.target(endpoint);
        let help = format!("nothing was sent; allow it with: --allow-writes '{endpoint}'");
        say(501, "write not allowed", &help)
    }

    async fn pass_on(&self, request: Request, place: u64) -> Reply {
        let upstream = &self.settings.upstream;
        let asked = rewrite::to_console(&request, upstream);
        let line = match dial(upstream, &self.settings.trust).await {
            Ok(line) => line,
            Err(error) => return self.unreachable(&request, &error.to_string()),
        };
        let mut reader = Reader::new(line);
        let head = match ask(&mut reader, &asked, request.method == "HEAD").await {
            Ok(head) => head,
            Err(error) => return self.unreachable(&request, &error.to_string()),
        };
        self.settings.redactor.learn_response(&head);
        let mut live = head.clone();
        let base = base_for(&self.base(), &request);
        rewrite::to_client(&mut live, &upstream.console(), &base);
        let (pieces, body) = mpsc::channel(PIECES_AHEAD);
        let listening = Listening {
            keeper: Arc::clone(&self.keeper),
            watch: self.watch.clone(),
            redactor: self.settings.redactor.clone(),
            console: upstream.console(),
            base,
            place,
        };
        tokio::spawn(listening.through(request, head, reader, pieces));
        Reply::Streamed { head: live, body, ticket: place }
    }

    fn unreachable(&self, request: &Request, why: &str) -> Reply {
        self.keeper.unreachable(why);
        self.tell(request, 502, why);
        let help = if why.contains("--pin ") {
            "nothing was sent; compare the fingerprint with the console's own before you accept it"
        } else {
            "is --upstream right, and can this machine reach it?"
        };
        say(502, why, help)
    }
}

async fn ask(reader: &mut Reader<Line>, asked: &[u8], to_head: bool) -> Result<Response, Unheard> {
    let writing = async {
        reader.line().write_all(asked).await?;
        reader.line().flush().await
    };
    // A console may answer and close before it has read all; its answer counts, so a failed write does not.
    let _ = timeout(HEAD_WAIT, writing).await.map_err(|_| Unheard::Silent(HEAD_WAIT))?;
    reader.head(to_head).await
}

/// The line about a request, as it may be printed.
fn passed(redactor: &Redactor, request: &Request, status: u16, what: &str) -> Passed {
    let clean = redactor.request(request);
    Passed { method: clean.method, target: clean.target, status, what: redactor.text(what) }
}

/// An answer of ours, in the console's place.
fn say(status: u16, cause: &str, help: &str) -> Reply {
    let body = format!("{{\"faultdeck\":\"record\",\"cause\":{},\"help\":{}}}", quote(cause), quote(help));
    Reply::Planned { delivery: Delivery::of(Response::json(status, body)), ticket: 0 }
}

/// A body on its way from the console to the client and to the cassette.
struct Listening {
    keeper: Arc<Keeper>,
    watch: Option<Watch>,
    redactor: Redactor,
    console: Console,
    base: String,
    place: u64,
}

impl Listening {
    async fn through(
        self,
        request: Request,
        head: Response,
        mut reader: Reader<Line>,
        pieces: mpsc::Sender<Piece>,
    ) {
        let status = head.status;
        let chunked = head.headers.lists("Transfer-Encoding", "chunked") && request.method != "HEAD";
        let mut kept = Body { chunks: chunked.then(Vec::new), ..Body::default() };
        let what = loop {
            let part = tokio::select! {
                biased;
                () = pieces.closed() => break self.lost("the client left before the end of the answer"),
                part = reader.part() => part,
            };
            match part {
                Ok(Part::Body(bytes)) => {
                    kept.push(&bytes);
                    if pieces.send(Piece::Body(bytes)).await.is_err() {
                        break self.lost("the client left before the end of the answer");
                    }
                }
                Ok(Part::End(trailers)) => {
                    let what = self.store(&request, head, kept, &trailers, reader.notes);
                    let _ = pieces.send(Piece::End(trailers)).await;
                    break what;
                }
                Err(error) => {
                    // Counted before the client learns of it: whoever saw the break finds it in the account.
                    let what = self.lost(&error.to_string());
                    let end = if matches!(error, Unheard::Reset) { End::Rst } else { End::Fin };
                    let _ = pieces.send(Piece::Broken(end)).await;
                    break what;
                }
            }
        };
        // Only now: the body may have given a secret away that stands in the target.
        if let Some(watch) = &self.watch {
            watch(&passed(&self.redactor, &request, status, &what));
        }
    }

    fn lost(&self, why: &str) -> String {
        self.keeper.broken(why);
        format!("not recorded: {why}")
    }

    fn store(
        &self,
        request: &Request,
        head: Response,
        kept: Body,
        trailers: &Headers,
        notes: Vec<String>,
    ) -> String {
        let Some(bytes) = kept.bytes else {
            self.keeper.too_large();
            return "not recorded: the body is over 64 MiB".to_owned();
        };
        let mut response =
            Response { body: bytes.into(), chunks: kept.chunks, trailers: trailers.clone(), ..head };
        let mut request = request.clone();
        self.console.leave_request(&mut request, &self.base);
        self.console.leave_response(&mut response);
        match self.keeper.keep(self.place, request, response, notes) {
            Ok(()) => "recorded".to_owned(),
            Err(why) => format!("not recorded: {why}"),
        }
    }
}

/// A body being kept; `bytes` is `None` once it is too large.
struct Body {
    bytes: Option<Vec<u8>>,
    chunks: Option<Vec<usize>>,
}

impl Default for Body {
    fn default() -> Self {
        Self { bytes: Some(Vec::new()), chunks: None }
    }
}

impl Body {
    fn push(&mut self, part: &[u8]) {
        let max = Limits::default().body_bytes;
        let Some(bytes) = &mut self.bytes else { return };
        if bytes.len() + part.len() > max {
            self.bytes = None;
            return;
        }
        bytes.extend_from_slice(part);
        if let Some(chunks) = &mut self.chunks {
            chunks.push(part.len());
        }
    }
}

impl Answer for Recorder {
    fn keeps_strange_pages_out(&self) -> bool {
        true
    }

    async fn answer(&self, request: Request, _at: Duration) -> Reply {
        self.settings.redactor.learn_request(&request);
        let endpoint = self.endpoint(&request);
        let reads = matches!(request.method.as_str(), "GET" | "HEAD");
        if !reads && !self.allowed.contains(&endpoint) {
            return self.refuse_write(&request, &endpoint);
        }
        let place = self.keeper.next_place();
        self.pass_on(request, place).await
    }
}
