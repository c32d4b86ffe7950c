//! What is to be judged, what came of it, and what is said on the way.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::floor::CoverageFloor;
use crate::client::JobKind;
use crate::ledger::{EndLine, Line, VerdictLine};
use crate::profile::Profile;
use crate::redact::Redactor;
use crate::replay::Evidence;
use crate::scenario::{Mistakes, Scenario};
use crate::seed::Seed;
use crate::serve::StartError;
use crate::serve::tls::Identity;

/// Finds what a scenario is answered from; an error is a sentence for a person.
pub type EvidenceOf = dyn Fn(&Scenario) -> Result<Evidence, String> + Send + Sync;

/// What a client is put to.
#[derive(Clone)]
pub struct Plan {
    /// How many generated `get` cases a dialect, and a fifth as many lives of tasks for each job that waits; 0 is none.
    pub cases: u32,
    /// Whether something goes wrong in some of the generated cases.
    pub faults: bool,
    /// The scenarios, in order.
    pub scenarios: Vec<Arc<Scenario>>,
    /// Scenarios that belong to the whole judgement and cannot be told here: without TLS there are no handshakes. What
    /// they alone put to the test is said to be not applicable.
    pub left_out: Vec<Arc<Scenario>>,
    /// Where counter-examples are saved; with generated cases, those already there run first (those that need TLS only
    /// with it).
    pub found: Option<PathBuf>,
    /// The seed of all that is drawn.
    pub seed: Seed,
    /// How many cases run at a time, at least 1.
    pub jobs: usize,
    /// How far a counter-example is shrunk.
    pub budget: Budget,
    /// What has to be put to the test, for the judgement to be complete.
    pub coverage: CoverageFloor,
    /// Where a scenario's answers come from.
    pub evidence: Arc<EvidenceOf>,
    /// Every text that is kept goes through it.
    pub redactor: Redactor,
    /// `judge` or `demo`: goes to the run lines.
    pub verb: String,
    /// With it the client is spoken to over TLS: its base URL begins with `https`, and it is given the file of the
    /// certificate authority.
    pub tls: Option<Identity>,
    /// Says how a verdict is shown again: it stands in [`VerdictLine::repeat`].
    pub repeat: Option<Arc<Repeat>>,
}

/// Says how a verdict is shown again, as whoever asked for it does that: on a command line, in a test.
pub type Repeat = dyn Fn(&Again<'_>) -> String + Send + Sync;

/// What shows a verdict again, with the same client.
#[derive(Clone, Copy, Debug)]
pub enum Again<'a> {
    /// This counter-example. It holds its own seed.
    Found(&'a Path),
    /// All cases of this scenario, drawn from this seed.
    Scenario(&'a Scenario, Seed),
    /// So many generated cases, drawn from this seed, with or without what goes wrong in some of them.
    Generated {
        /// How many.
        cases: u32,
        /// Their seed.
        seed: Seed,
        /// Whether something goes wrong.
        faults: bool,
    },
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scenarios: Vec<&str> = self.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
        f.debug_struct("Plan")
            .field("cases", &self.cases)
            .field("scenarios", &scenarios)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// How far a counter-example is shrunk; the best so far counts when it is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Tries, each with its variants, and once more if the smaller case breaks the property, too.
    pub tries: u32,
    /// An emergency stop. The result would depend on it, so it is far beyond what the tries take, and a finding says so
    /// where it was reached.
    pub wall: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { tries: 200, wall: Duration::from_secs(900) }
    }
}

impl Plan {
    /// A hundred generated cases, then every built-in scenario that needs no TLS; two cases at a time, nothing saved.
    pub fn new(evidence: Arc<EvidenceOf>) -> Self {
        let builtin = |(name, _): &(&str, &str)| {
            let scenario = Scenario::builtin(name, Profile::builtin())?;
            (!scenario.needs_tls()).then(|| Arc::new(scenario))
        };
        Self {
            cases: 100,
            faults: true,
            scenarios: Scenario::builtins().iter().filter_map(builtin).collect(),
            left_out: Vec::new(),
            found: None,
            seed: Seed(1),
            jobs: 2,
            budget: Budget::default(),
            coverage: CoverageFloor::default(),
            evidence,
            redactor: Redactor::new(),
            verb: "judge".to_owned(),
            tls: None,
            repeat: None,
        }
    }

    /// The same plan over TLS, with the built-in scenarios that need it.
    #[must_use]
    pub fn over_tls(mut self, identity: Identity) -> Self {
        let needs_it = |(name, _): &(&str, &str)| {
            Scenario::builtin(name, Profile::builtin()).filter(Scenario::needs_tls).map(Arc::new)
        };
        self.scenarios.extend(Scenario::builtins().iter().filter_map(needs_it));
        self.tls = Some(identity);
        self
    }

    /// The same plan over plain http, which says what it cannot judge so.
    #[must_use]
    pub fn over_http(mut self) -> Self {
        let needs_it = |(name, _): &(&str, &str)| {
            Scenario::builtin(name, Profile::builtin()).filter(Scenario::needs_tls).map(Arc::new)
        };
        self.left_out = Scenario::builtins().iter().filter_map(needs_it).collect();
        self
    }

    /// The same plan for this scenario alone.
    #[must_use]
    pub fn only(self, scenario: Arc<Scenario>) -> Self {
        Self { cases: 0, scenarios: vec![scenario], left_out: Vec::new(), ..self }
    }
}

/// What came of a plan.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The ledger but for its last line: the sessions kept as evidence, and all verdicts.
    pub lines: Vec<Line>,
    /// The verdicts, in the order they stand in the ledger.
    pub verdicts: Vec<VerdictLine>,
    /// The account of all cases, closed with what they come to: the ledger's last line.
    pub account: EndLine,
}

/// Why nothing was judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A scenario names a property that there is not.
    #[error(transparent)]
    Name(#[from] Mistakes),
    /// No listener.
    #[error(transparent)]
    Start(#[from] StartError),
    /// What a scenario is answered from cannot be had.
    #[error("scenario {scenario}: {why}")]
    Evidence {
        /// Which.
        scenario: String,
        /// Why.
        why: String,
    },
    /// A scenario plans something for TLS handshakes, and the client is spoken to in plain http.
    #[error("scenario {scenario}: `{planned}` happens in a TLS handshake, and this judges over plain http")]
    Handshakes {
        /// Which.
        scenario: String,
        /// The fault.
        planned: String,
    },
    /// The folder of counter-examples cannot be read.
    #[error("cannot read {folder}: {source}", folder = folder.display())]
    Found {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What the client writes in a clean case cannot be read, although it ends well: what starts and reads it is wrong,
    /// and no property can be judged.
    #[error("the client ends well where nothing goes wrong, and its answer to `{job}` cannot be read: {why}")]
    Unreadable {
        /// The job it was given.
        job: JobKind,
        /// Why.
        why: String,
        /// What it has to write.
        expected: String,
        /// What it wrote, redacted, its end cut off if it is long.
        came: String,
    },
    /// A counter-example cannot be read.
    #[error(transparent)]
    Scenario(#[from] crate::scenario::ScenarioError),
}

/// What is said while a plan runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All that will be run is known.
    Plans {
        /// How many cases there are in all.
        cases: usize,
    },
    /// A scenario, a counter-example or the generated cases begin.
    Begins {
        /// Its name.
        name: String,
        /// How many cases there are.
        cases: usize,
    },
    /// A case is through.
    Ran {
        /// How many are.
        done: usize,
        /// Of how many.
        of: usize,
    },
    /// A property is broken, and its case is being shrunk.
    Shrinks {
        /// Its id.
        property: String,
        /// Tries so far.
        tries: u32,
    },
    /// A counter-example was saved.
    Saved {
        /// Where.
        path: PathBuf,
    },
}
