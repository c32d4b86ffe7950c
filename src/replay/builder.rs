//! The one-call start of a replay, for tests and programs that embed it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::{Auth, Clock, ConsoleMaker, Evidence, Material, Outside, Replay, Setup};
use crate::cassette::find::{Asker, FindError, find, find_within};
use crate::cassette::{Cassette, FILE_MAX_BYTES};
use crate::ledger::{EndLine, Line};
use crate::profile::Profile;
use crate::redact::Redactor;
use crate::scenario::{Scenario, ScenarioError, Source};
use crate::seed::Seed;
use crate::serve::tls::Identity;
use crate::serve::{Options, ServerThread, StartError};

/// The name of a listener's first session: the one that a request names no other for.
pub const MAIN: &str = "main";

/// What a replay is made of, said step by step; [`Replay::builder`] makes one.
///
/// ```
/// use std::io::{Read, Write};
///
/// use faultdeck::replay::Replay;
///
/// let replay = Replay::builder().cassette("builtin:forensics/create-case").scenario("server-error").start()?;
///
/// // Any client will do; this one is a socket.
/// let mut socket = std::net::TcpStream::connect(replay.addr())?;
/// let target = "/api/forensics/case_management/case_create_tasks/956";
/// write!(socket, "GET {target} HTTP/1.1\r\nHost: localhost\r\nSEC: any\r\nConnection: close\r\n\r\n")?;
/// let mut answer = String::new();
/// socket.read_to_string(&mut answer)?;
///
/// assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
/// assert_eq!(replay.account().sum.served, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It has a thread and a runtime of its own, so that the same works in an asynchronous test of whatever runtime (`#[tokio::test]`
/// of either flavour, for example); dropping it there ends it at once.
///
/// ```
/// use faultdeck::replay::Replay;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let replay = Replay::builder().cassette("builtin:forensics/create-case").start()?;
/// let mut socket = tokio::net::TcpStream::connect(replay.addr()).await?;
/// let head = "GET /api/forensics/case_management/cases HTTP/1.1\r\nHost: localhost\r\nSEC: any\r\nConnection: close\r\n\r\n";
/// socket.write_all(head.as_bytes()).await?;
/// let mut answer = String::new();
/// socket.read_to_string(&mut answer).await?;
///
/// assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
/// let ledger = replay.stop();
/// assert!(!ledger.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing listens before `start`"]
pub struct Builder {
    cassette: Option<Named<Cassette>>,
    scenario: Option<Named<Scenario>>,
    console: Option<Console>,
    seed: Seed,
    auth: Auth,
    verb: String,
    listen: Option<SocketAddr>,
    tls: Option<Identity>,
}

/// A thing, or the name or path it is found by.
#[derive(Clone, Debug)]
enum Named<T> {
    By(String),
    Itself(Box<T>),
}

/// How to make a console, printable.
#[derive(Clone)]
struct Console(ConsoleMaker);

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Console")
    }
}

/// Why a replay cannot be made or started.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Nothing says what answers are made from.
    #[error("no cassette is named, neither by itself nor by a scenario")]
    NoCassette,
    /// The scenario asks for a console in the cassette's place, and nothing makes one ([`Builder::console`]).
    #[error("the scenario is answered by a console in memory, and none was given")]
    NoConsole,
    /// There is no such cassette, or it cannot be read.
    #[error(transparent)]
    Cassette(#[from] FindError),
    /// There is no such scenario, or it has a mistake.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// It cannot listen.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            cassette: None,
            scenario: None,
            console: None,
            seed: Seed(1),
            auth: Auth::Required,
            verb: "replay".to_owned(),
            listen: None,
            tls: None,
        }
    }
}

impl Builder {
    /// The cassette: a name below `cassettes/`, a path that ends in `.json`, or `builtin:NAME`. It wins over the one
    /// that the scenario names.
    pub fn cassette(mut self, name: impl Into<String>) -> Self {
        self.cassette = Some(Named::By(name.into()));
        self
    }

    /// This cassette.
    pub fn recorded(mut self, cassette: Cassette) -> Self {
        self.cassette = Some(Named::Itself(Box::new(cassette)));
        self
    }

    /// What goes wrong: a name below `scenarios/`, a path that ends in `.toml`, or `builtin:NAME`.
    pub fn scenario(mut self, name: impl Into<String>) -> Self {
        self.scenario = Some(Named::By(name.into()));
        self
    }

    /// This scenario.
    pub fn under(mut self, scenario: Scenario) -> Self {
        self.scenario = Some(Named::Itself(Box::new(scenario)));
        self
    }

    /// What answers in a cassette's place, if the scenario says `console = "emulate"`.
    pub fn console(mut self, make: ConsoleMaker) -> Self {
        self.console = Some(Console(make));
        self
    }

    /// What fixes every draw; 1 unless given.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Seed(seed);
        self
    }

    /// Whether requests need credentials; they do unless this says otherwise.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// What the ledger's run lines call this: `replay` unless given.
    pub fn verb(mut self, verb: impl Into<String>) -> Self {
        self.verb = verb.into();
        self
    }

    /// The address to listen on; `127.0.0.1` and any free port unless given.
    pub fn listen(mut self, addr: SocketAddr) -> Self {
        self.listen = Some(addr);
        self
    }

    /// With it the replay speaks TLS only.
    pub fn tls(mut self, identity: Identity) -> Self {
        self.tls = Some(identity);
        self
    }

    /// All that a replay is made of, found and read.
    ///
    /// # Errors
    /// If cassette or scenario cannot be had.
    pub fn setup(self) -> Result<Setup, BuildError> {
        let profile = Profile::builtin();
        let scenario = match self.scenario {
            None => None,
            Some(Named::By(name)) => Some(Scenario::open(&name, profile)?),
            Some(Named::Itself(scenario)) => Some(*scenario),
        };
        let evidence = match self.cassette {
            Some(Named::Itself(cassette)) => recorded(*cassette),
            Some(Named::By(name)) => recorded(find(&name, Asker::CommandLine)?),
            None => evidence_of(scenario.as_ref(), self.console.map(|Console(make)| make), FILE_MAX_BYTES)?,
        };
        Ok(Setup {
            evidence,
            scenario: scenario.map(Arc::new),
            profile,
            seed: self.seed,
            auth: self.auth,
            outside: Outside::Miss,
            redactor: Redactor::new(),
            verb: self.verb,
            session: MAIN.to_owned(),
            clock: Clock::default(),
        })
    }

    /// Starts it on a thread of its own: no runtime is needed, and none is in the way.
    ///
    /// # Errors
    /// If cassette or scenario cannot be had, or the address cannot be listened on.
    pub fn start(self) -> Result<Running, BuildError> {
        let options = Options { listen: self.listen, tls: self.tls.clone(), ..Options::default() };
        let replay = Arc::new(Replay::new(self.setup()?).keeping());
        let listener = ServerThread::start(options, Arc::clone(&replay))?;
        replay.set_base(listener.url());
        Ok(Running { replay, listener })
    }
}

/// What a scenario says its answers are made from; of a cassette a file of at most `most` bytes.
///
/// # Errors
/// If it names nothing, asks for a console where there is none to `make`, or its cassette cannot be had.
pub fn evidence_of(
    scenario: Option<&Scenario>,
    make: Option<ConsoleMaker>,
    most: u64,
) -> Result<Evidence, BuildError> {
    let scenario = scenario.ok_or(BuildError::NoCassette)?;
    match &scenario.source {
        Source::Emulate => make.map(Evidence::Console).ok_or(BuildError::NoConsole),
        Source::Cassette(None) => Err(BuildError::NoCassette),
        Source::Cassette(Some(name)) => {
            let file: Option<&Path> = scenario.file.as_deref();
            Ok(recorded(find_within(name, Asker::Scenario(file), most)?))
        }
    }
}

/// A cassette, made ready to answer from.
pub fn recorded(cassette: Cassette) -> Evidence {
    Evidence::Cassette(Arc::new(Material::new(cassette, Profile::builtin())))
}

/// A replay that listens, on a thread of its own. Dropping it ends it at once, within a runtime or without one; nothing of it is left
/// then. [`stop`](Self::stop) lets running answers finish.
#[must_use = "dropping a Running replay stops it"]
#[derive(Debug)]
pub struct Running {
    replay: Arc<Replay>,
    listener: ServerThread,
}

impl Running {
    /// `http://127.0.0.1:PORT` or `https://...`: no path, no final slash.
    pub fn url(&self) -> &str {
        self.listener.url()
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.listener.addr()
    }

    /// The ledger so far, but for its closing line: run lines, exchanges, timings.
    pub fn ledger(&self) -> Vec<Line> {
        self.replay.lines()
    }

    /// The account so far: what was served, missed, and which planned faults never fired.
    pub fn account(&self) -> EndLine {
        self.replay.account()
    }

    /// Lets running answers finish, stops, and gives the ledger.
    pub fn stop(mut self) -> Vec<Line> {
        self.listener.stop();
        self.replay.lines()
    }
}
