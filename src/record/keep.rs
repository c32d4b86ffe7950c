//! What is kept: interactions in the order their requests came, redacted on the way in, saved again and again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cassette::{
    Cassette, CassetteError, Draft, Hold, HoldError, Intake, Interaction, RecordedFrom, Snapshot, TlsTrust,
    Unkept,
};
use crate::message::{Request, Response};
use crate::profile::Profile;
use crate::redact::{Doubt, Redactor};

use super::jar::Jar;
use super::trust::Trust;
use super::{Settings, Summary};

/// Interactions in one recording; a console has some 700 endpoints.
const INTERACTIONS_MAX: usize = 200_000;
/// Reasons told one by one; the rest is counted.
const REASONS_MAX: usize = 20;

/// How a cassette says that plain bodies were asked for.
const IDENTITY: &str = "identity";

/// Why a recording cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The cassette is another recorder's, or its folder cannot be written to.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// The cassette cannot be saved.
    #[error(transparent)]
    Cassette(#[from] CassetteError),
}

/// What became of a request that has no interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// Nothing was sent.
    Unreached,
    /// It was sent, and no whole answer came.
    Unanswered,
    /// The answer came and could not be kept.
    NotStored,
}

/// The interactions of a recording.
#[derive(Debug)]
pub(super) struct Keeper {
    hold: Hold,
    intake: Intake,
    redactor: Redactor,
    next: AtomicU64,
    jar: Mutex<Jar>,
    state: Mutex<State>,
    /// Held while old interactions are cleaned: one cleaned earlier must never replace one cleaned later.
    cleaning: Mutex<()>,
    /// Held while a file is written: an older state must never replace a newer one.
    saving: Mutex<Saved>,
}

#[derive(Debug)]
struct State {
    draft: Draft,
    /// How many secrets were known when an interaction was cleaned, by place.
    cleaned_at: BTreeMap<u64, usize>,
    changes: u64,
    is_over: bool,
    summary: Summary,
}

/// What is in the file.
#[derive(Debug, Default)]
struct Saved {
    changes: u64,
    /// Whether the last save failed.
    has_failed: bool,
}

/// What is saved in the middle of a recording: a long one as it is, so that nothing has to wait.
enum Save {
    Canonical(Cassette),
    Draft(Snapshot),
}

/// How a save in the middle of a recording went, if there is something to say.
#[derive(Debug)]
pub(super) enum SaveNews {
    /// It works no longer.
    Failed(KeepError),
    /// It works again.
    Works,
}

impl Keeper {
    pub(super) fn new(settings: &Settings) -> Result<Self, KeepError> {
        let hold = Hold::take(&settings.cassette)?;
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
        let state = State {
            draft: Draft::new(&settings.name, from),
            cleaned_at: BTreeMap::new(),
            changes: 0,
            is_over: false,
            summary: Summary { path: settings.cassette.clone(), ..Summary::default() },
        };
        Ok(Self {
            hold,
            intake: Intake::new(settings.profile, settings.redactor.rules().clone()),
            redactor: settings.redactor.clone(),
            next: AtomicU64::new(1),
            jar: Mutex::default(),
            state: Mutex::new(state),
            cleaning: Mutex::default(),
            saving: Mutex::default(),
        })
    }

    /// The place of a request in the recording: the order in which requests began.
    pub(super) fn next_place(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes an interaction in.
    ///
    /// # Errors
    /// Why it cannot be in the cassette; it is counted already.
    pub(super) fn keep(
        &self,
        place: u64,
        request: &Request,
        response: &Response,
        notes: &[String],
    ) -> Result<(), String> {
        self.redactor.learn_response(response);
        self.forget_old_cookies(request, response);
        let kept =
            self.unsearchable(request, response).map_or(Ok(()), |why| Err(why.to_owned())).and_then(|()| {
                // Taken before cleaning: what is learnt meanwhile is looked for again.
                let known = self.redactor.wanted();
                let interaction = self.interaction(request, response, notes);
                let ready = self.intake.ready(place, interaction).map_err(|why| why.to_string())?;
                let mut state = self.state();
                if state.is_over {
                    return Err("the recording was over".to_owned());
                }
                if state.draft.len() >= INTERACTIONS_MAX {
                    return Err(format!("the recording holds {INTERACTIONS_MAX} interactions already"));
                }
                state.draft.put(place, ready).map_err(|why| why.to_string())?;
                state.cleaned_at.insert(place, known);
                state.changes += 1;
                Ok(())
            });
        kept.inspect_err(|why| self.lost(Lost::NotStored, request, why))
    }

    /// Cookies out of use are looked for once more in all that is held, and then no longer.
    fn forget_old_cookies(&self, request: &Request, response: &Response) {
        let gone = self.jar.lock().unwrap_or_else(PoisonError::into_inner).take(request, response);
        if !gone.is_empty() {
            self.clean_again();
            self.redactor.forget(&gone);
        }
    }

    fn interaction(&self, request: &Request, response: &Response, notes: &[String]) -> Interaction {
        Interaction {
            id: String::new(),
            endpoint: String::new(),
            request: self.redactor.request(request),
            response: self.redactor.response(response),
            by_recorder: false,
            moment: 0,
            notes: notes.iter().map(|note| self.redactor.text(note)).collect(),
        }
    }

    /// Why secrets could not all be found in this exchange, or not be taken out.
    fn unsearchable(&self, request: &Request, response: &Response) -> Option<&'static str> {
        let is_full =
            || self.redactor.is_full().then_some("more different secrets were seen than can be told apart");
        doubt(&self.redactor, request, response).or_else(is_full)
    }

    pub(super) fn refused_write(&self) {
        self.state().summary.refused_writes += 1;
    }

    /// Counts a request that the listener turned away.
    pub(super) fn refused(&self) {
        self.state().summary.refused += 1;
    }

    /// Counts a request that is going to have no interaction.
    pub(super) fn lost(&self, how: Lost, request: &Request, why: &str) {
        let mut state = self.state();
        if state.is_over {
            // It was counted when the recording ended.
            return;
        }
        let summary = &mut state.summary;
        match how {
            Lost::Unreached => summary.unreachable += 1,
            Lost::Unanswered => summary.unanswered += 1,
            Lost::NotStored => summary.not_stored += 1,
        }
        if summary.reasons.len() < REASONS_MAX {
            // A target may hold a secret that is learnt later: the summary is cleaned again when it is read.
            let reason = format!("{} {}: {why}", request.method, self.redactor.target(&request.target));
            let is_new = match how {
                // It is the console that is away, whatever was asked.
                Lost::Unreached => !summary.reasons.iter().any(|held| held.ends_with(why)),
                Lost::Unanswered | Lost::NotStored => !summary.reasons.contains(&reason),
            };
            if is_new {
                summary.reasons.push(reason);
            }
        }
    }

    /// Nothing is taken in from here on; `running` answers are still being read, and are lost.
    pub(super) fn end(&self, running: usize) {
        let mut state = self.state();
        state.is_over = true;
        state.summary.unanswered += running as u64;
        if running > 0 {
            let many = if running == 1 { "answer was" } else { "answers were" };
            state.summary.reasons.push(format!("{running} {many} still being read when the recording ended"));
        }
    }

    pub(super) fn summary(&self) -> Summary {
        let state = self.state();
        let reasons = state.summary.reasons.iter().map(|why| self.redactor.text(why)).collect();
        Summary { stored: state.draft.len(), reasons, ..state.summary.clone() }
    }

    /// Saves what there is, if something changed. Requests wait only while texts are handed out, not while they are
    /// written.
    pub(super) fn save(&self) -> Option<SaveNews> {
        let mut saved = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        self.clean_again();
        let (save, changes) = {
            let state = self.state();
            if state.changes == saved.changes || state.draft.is_empty() {
                return None;
            }
            let whole = state.draft.is_short();
            let save =
                if whole { Save::Canonical(self.whole(&state)) } else { Save::Draft(state.draft.snapshot()) };
            (save, state.changes)
        };
        let had_failed = std::mem::take(&mut saved.has_failed);
        let result = match save {
            Save::Canonical(cassette) => cassette.save_by(self.hold.path(), self.intake.rules()),
            Save::Draft(snapshot) => snapshot.save(self.hold.path()),
        };
        match result {
            Ok(()) => {
                saved.changes = changes;
                had_failed.then_some(SaveNews::Works)
            }
            Err(error) => {
                saved.has_failed = true;
                (!had_failed).then(|| SaveNews::Failed(error.into()))
            }
        }
    }

    /// Saves the whole recording in its canonical form.
    ///
    /// # Errors
    /// If it cannot be written, or could not be read back.
    pub(super) fn save_canonical(&self) -> Result<(), KeepError> {
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        self.clean_again();
        loop {
            let cassette = {
                let state = self.state();
                if state.draft.is_empty() {
                    return Ok(());
                }
                self.whole(&state)
            };
            match cassette.save_by(self.hold.path(), self.intake.rules()) {
                // What the last look finds is left out; each round leaves out one at least.
                Err(CassetteError::Secret { .. }) if self.leave_out_open() > 0 => {}
                saved => return Ok(saved?),
            }
        }
    }

    /// All that is held, without what was learnt late.
    fn whole(&self, state: &State) -> Cassette {
        let mut cassette = state.draft.cassette();
        self.intake.late(&mut cassette);
        cassette
    }

    /// Takes out what holds a credential even in its canonical form; how many those are.
    fn leave_out_open(&self) -> usize {
        let held = self.state().draft.interactions();
        let mut count = 0;
        for (place, interaction) in held {
            let mut alone =
                Cassette { interactions: vec![Interaction::clone(&interaction)], ..Cassette::default() };
            alone.canonicalise(Profile::builtin());
            if let Some(open) = alone.unredacted().into_iter().next() {
                self.state().leave_out(place, &Unkept::Secret(open.to_string()));
                count += 1;
            }
        }
        count
    }

    /// Looks for the secrets learnt since in what was taken in before them, and for those alone.
    fn clean_again(&self) {
        let _cleaning = self.cleaning.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.redactor.wanted();
        let (oldest, held) = {
            let state = self.state();
            let oldest = state.cleaned_at.values().min().copied().unwrap_or(known);
            if oldest >= known {
                return;
            }
            (oldest, state.draft.interactions())
        };
        let fresh = self.redactor.since(oldest);
        let mut changed = Vec::new();
        for (place, interaction) in &held {
            let clean = Interaction {
                request: fresh.request(&interaction.request),
                response: fresh.response(&interaction.response),
                notes: interaction.notes.iter().map(|note| fresh.text(note)).collect(),
                ..Interaction::clone(interaction)
            };
            if let Some(why) = doubt(&fresh, &interaction.request, &interaction.response) {
                changed.push((*place, Err(Unkept::Unsearchable(why))));
            } else if clean != **interaction {
                changed.push((*place, self.intake.again(*place, clean)));
            }
        }
        let mut state = self.state();
        for (place, _) in &held {
            state.cleaned_at.entry(*place).and_modify(|at| *at = known.max(*at));
        }
        for (place, ready) in changed {
            state.changes += 1;
            let put = ready.and_then(|ready| state.draft.put(place, ready));
            if let Err(why) = put {
                state.leave_out(place, &why);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why secrets in an exchange cannot be found, or not be taken out.
fn doubt(redactor: &Redactor, request: &Request, response: &Response) -> Option<&'static str> {
    let doubt = redactor.doubt_request(request).or_else(|| redactor.doubt_response(response));
    doubt.map(Doubt::why)
}

impl State {
    /// An interaction that was kept and can no longer be.
    fn leave_out(&mut self, place: u64, why: &Unkept) {
        self.draft.take_out(place);
        self.cleaned_at.remove(&place);
        self.summary.not_stored += 1;
        if self.summary.reasons.len() < REASONS_MAX {
            self.summary.reasons.push(format!("request {place} of the recording: {why}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Upstream;

    #[test]
    fn saves_at_one_time_never_put_an_older_state_over_a_newer_one() {
        let folder = tempfile::tempdir().unwrap();
        let upstream = Upstream::parse("http://127.0.0.1:1").unwrap();
        let settings = Settings::new(upstream, folder.path().join("x.json"));
        let keeper = Keeper::new(&settings).unwrap();
        std::thread::scope(|scope| {
            for n in 0..16 {
                let keeper = &keeper;
                scope.spawn(move || {
                    let request = Request::new("GET", &format!("/api/x/{n}"));
                    let response = Response::json(200, vec![b'7'; 100_000 >> (n % 8)]);
                    keeper.keep(keeper.next_place(), &request, &response, &[]).unwrap();
                    assert!(keeper.save().is_none());
                });
            }
        });
        assert_eq!(Cassette::load(&settings.cassette).unwrap().interactions.len(), 16);
    }
}
