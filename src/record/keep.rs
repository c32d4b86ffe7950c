//! What is kept: interactions in the order their requests came, redacted on the way in, saved whole each time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cassette::{Cassette, CassetteError, Interaction, RecordedFrom, TlsTrust};
use crate::message::{Request, Response};
use crate::profile::Profile;
use crate::redact::{self, Doubt, Redactor};

use super::Settings;
use super::trust::Trust;

/// Interactions in one recording; a console has some 700 endpoints.
const INTERACTIONS_MAX: usize = 100_000;
/// Reasons told one by one; the rest is counted.
const REASONS_MAX: usize = 20;

/// How a cassette says that plain bodies were asked for.
const IDENTITY: &str = "identity";

/// Why a recording cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The folder cannot be written to.
    #[error("cannot write to {}: {source}", folder.display())]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The cassette cannot be saved.
    #[error(transparent)]
    Cassette(#[from] CassetteError),
}

/// What a recording came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The cassette's file.
    pub path: PathBuf,
    /// Interactions in it.
    pub stored: usize,
    /// Requests answered here because writing was not allowed.
    pub refused_writes: u64,
    /// Answers that could not be kept: broken off, too large, too many.
    pub not_stored: u64,
    /// Requests that did not reach the console.
    pub unreachable: u64,
    /// Why, the first few.
    pub reasons: Vec<String>,
}

/// The interactions of a recording.
#[derive(Debug)]
pub(super) struct Keeper {
    path: PathBuf,
    name: String,
    from: RecordedFrom,
    profile: &'static Profile,
    redactor: Redactor,
    next: AtomicU64,
    state: Mutex<State>,
    /// Held while a file is written: an older state must never replace a newer one.
    saving: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    held: BTreeMap<u64, Interaction>,
    changes: u64,
    saved: (u64, usize),
    summary: Summary,
}

impl Keeper {
    pub(super) fn new(settings: &Settings) -> Result<Self, KeepError> {
        let folder = folder_of(&settings.cassette);
        let failed = |source| KeepError::Folder { folder: folder.clone(), source };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        // The file system is asked now, not after an hour of recording.
        tempfile::NamedTempFile::new_in(&folder).map_err(failed)?;
        let tls = match (&settings.trust, settings.upstream.secure) {
            (_, false) => TlsTrust::None,
            (Trust::Native | Trust::CaFile(_), true) => TlsTrust::Verified,
            (Trust::Pin(_), true) => TlsTrust::Pinned,
            (Trust::Insecure, true) => TlsTrust::Insecure,
        };
        let from = RecordedFrom {
            host: "host-1".to_owned(),
            tls,
            encoding: IDENTITY.to_owned(),
            redaction: settings.redactor.rules().policy_hash(),
            ..RecordedFrom::default()
        };
        Ok(Self {
            path: settings.cassette.clone(),
            name: settings.name.clone(),
            from,
            profile: settings.profile,
            redactor: settings.redactor.clone(),
            next: AtomicU64::new(1),
            state: Mutex::default(),
            saving: Mutex::default(),
        })
    }

    /// The place of a request in the recording: the order in which requests began.
    pub(super) fn next_place(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn keep(
        &self,
        place: u64,
        request: Request,
        response: Response,
        notes: Vec<String>,
    ) -> Result<(), &'static str> {
        self.redactor.learn_response(&response);
        if let Some(why) = self.unsearchable(&request, &response) {
            self.broken(&format!("{}: {why}", self.line(&request)));
            return Err(why);
        }
        let endpoint = self.profile.find(&request.method, request.path());
        let interaction = Interaction {
            id: String::new(),
            endpoint: endpoint.map(|found| found.endpoint.id.clone()).unwrap_or_default(),
            request: self.redactor.request(&request),
            response: self.redactor.response(&response),
            by_recorder: false,
            notes,
        };
        let mut state = self.state();
        if state.held.len() >= INTERACTIONS_MAX {
            state.summary.not_stored += 1;
            return Err("the recording holds 100000 interactions already");
        }
        state.held.insert(place, interaction);
        state.changes += 1;
        Ok(())
    }

    /// Why secrets could not all be found in this exchange, or not be taken out.
    fn unsearchable(&self, request: &Request, response: &Response) -> Option<&'static str> {
        let doubt = self.redactor.doubt_request(request).or_else(|| self.redactor.doubt_response(response));
        let is_full =
            || self.redactor.is_full().then_some("more different secrets were seen than can be told apart");
        doubt.map(Doubt::why).or_else(is_full)
    }

    /// A request as a reason names it.
    fn line(&self, request: &Request) -> String {
        format!("{} {}", self.redactor.text(&request.method), self.redactor.target(&request.target))
    }

    pub(super) fn refused_write(&self) {
        self.state().summary.refused_writes += 1;
    }

    pub(super) fn unreachable(&self, why: &str) {
        let mut state = self.state();
        state.summary.unreachable += 1;
        state.because(why);
    }

    pub(super) fn broken(&self, why: &str) {
        let mut state = self.state();
        state.summary.not_stored += 1;
        state.because(why);
    }

    pub(super) fn too_large(&self) {
        self.broken("a body is over 64 MiB");
    }

    pub(super) fn summary(&self) -> Summary {
        let state = self.state();
        let reasons = state.summary.reasons.iter().map(|why| self.redactor.text(why)).collect();
        Summary { path: self.path.clone(), stored: state.held.len(), reasons, ..state.summary.clone() }
    }

    /// Saves if something changed. What was kept before a secret was known is cleaned again here; what cannot be cleaned
    /// is left out, and named.
    pub(super) fn save(&self) -> Result<(), KeepError> {
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let (cassette, changes) = {
            let mut state = self.state();
            // A secret learnt since may stand in what was saved.
            let now = (state.changes, self.redactor.generation());
            if now == state.saved || state.changes == 0 {
                return Ok(());
            }
            self.leave_out(&mut state, |it| self.doubt(it));
            (self.cassette(&state), now)
        };
        match cassette.save(&self.path) {
            Err(CassetteError::Secret { .. }) => {
                let cassette = {
                    let mut state = self.state();
                    self.leave_out(&mut state, |it| self.open(it));
                    self.cassette(&state)
                };
                cassette.save(&self.path)?;
            }
            saved => saved?,
        }
        self.state().saved = changes;
        Ok(())
    }

    /// Takes out what must not be written, by all that is known now, and notes why.
    fn leave_out(&self, state: &mut State, why: impl Fn(&Interaction) -> Option<&'static str>) {
        let found: Vec<(u64, String)> = (state.held.iter())
            .filter_map(|(place, it)| Some((*place, format!("{}: {}", self.line(&it.request), why(it)?))))
            .collect();
        for (place, why) in found {
            state.held.remove(&place);
            state.summary.not_stored += 1;
            state.because(&why);
        }
    }

    /// Whether a body cannot be searched, or holds what cannot be taken out.
    fn doubt(&self, it: &Interaction) -> Option<&'static str> {
        let request = self.redactor.doubt_request(&it.request);
        request.or_else(|| self.redactor.doubt_response(&it.response)).map(Doubt::why)
    }

    /// Whether a credential is left after redaction.
    fn open(&self, it: &Interaction) -> Option<&'static str> {
        let (request, response) = (self.redactor.request(&it.request), self.redactor.response(&it.response));
        let rules = self.redactor.rules();
        let is_clean = redact::open_in_request(&request, rules).is_empty()
            && redact::open_in_response(&response, rules).is_empty();
        (!is_clean).then_some("a credential could not be taken out")
    }

    fn cassette(&self, state: &State) -> Cassette {
        let clean = |it: &Interaction| Interaction {
            request: self.redactor.request(&it.request),
            response: self.redactor.response(&it.response),
            notes: it.notes.iter().map(|note| self.redactor.text(note)).collect(),
            ..it.clone()
        };
        let interactions: Vec<Interaction> = state.held.values().map(clean).collect();
        let version =
            interactions.iter().find_map(|it| it.request.headers.text("Version").map(|it| it.into_owned()));
        let mut cassette = Cassette {
            name: self.name.clone(),
            recorded_from: RecordedFrom { api_version: version, ..self.from.clone() },
            interactions,
        };
        cassette.canonicalise(self.profile);
        cassette
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn because(&mut self, why: &str) {
        if self.summary.reasons.len() < REASONS_MAX && !self.summary.reasons.iter().any(|held| held == why) {
            self.summary.reasons.push(why.to_owned());
        }
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Existing, Upstream};

    #[test]
    fn saves_at_one_time_never_put_an_older_state_over_a_newer_one() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            upstream: Upstream::parse("http://127.0.0.1:1").unwrap(),
            cassette: folder.path().join("x.json"),
            name: "x".to_owned(),
            existing: Existing::Refuse,
            allow_writes: Vec::new(),
            trust: Trust::Native,
            profile: Profile::builtin(),
            redactor: Redactor::new(),
        };
        let keeper = Keeper::new(&settings).unwrap();
        std::thread::scope(|scope| {
            for n in 0..16 {
                let keeper = &keeper;
                scope.spawn(move || {
                    let request = Request::new("GET", &format!("/api/x/{n}"));
                    let response = Response::json(200, vec![b'7'; 100_000 >> (n % 8)]);
                    keeper.keep(keeper.next_place(), request, response, Vec::new()).unwrap();
                    keeper.save().unwrap();
                });
            }
        });
        assert_eq!(Cassette::load(&settings.cassette).unwrap().interactions.len(), 16);
    }
}
