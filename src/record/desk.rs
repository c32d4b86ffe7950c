//! Where requests leave what they recorded, and the writer of the journal takes it up: neither waits for the other.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::batch::Batch;
use super::{Lost, Most, Summary, Syncing};
use crate::cassette::{Edit, Intake, Late, Unkept};
use crate::message::{Request, Response};
use crate::redact::{Doubt, Redactor};

/// Reasons shown one by one; the rest is counted.
const REASONS_MAX: usize = 20;
/// From the first interaction of a group to its sync; a sync takes some milliseconds itself, and groups are to be at most
/// 50 ms apart.
const GROUP_FOR: Duration = Duration::from_millis(25);
/// A group that is as long as this waits for no more.
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// How often the writer looks whether something was learnt, if nothing else wakes it.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a request waits at most for old cookies to be forgotten, when there is hardly room for new ones.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(2);
/// A remark is made when this much of a limit is used, in hundredths.
const WARN_AT: u64 = 90;

/// How far the journal is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// All that was taken in up to this number is committed.
    pub(super) upto: u64,
    /// The last try to write failed.
    pub(super) is_failing: bool,
}

/// What the writer does next.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) batch: Batch,
    /// The number of the last one taken in.
    pub(super) upto: u64,
    pub(super) is_ended: bool,
}

/// What requests and the writer share.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) intake: Intake,
    pub(super) redactor: Redactor,
    pub(super) progress: watch::Sender<Progress>,
    most: Most,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Batch,
    /// Memory for the next ones.
    spare: Batch,
    waiting_bytes: usize,
    /// When the first of them came.
    since: Option<Instant>,
    /// How many were ever taken in.
    taken: u64,
    /// Interactions, and their length: those before this recording, in the journal, and waiting.
    stored: u64,
    bytes: u64,
    has_warned: bool,
    /// Cookies out of use that are to be forgotten.
    old_cookies: BTreeSet<Vec<u8>>,
    is_over: bool,
    is_ended: bool,
    summary: Summary,
}

/// What there is to say about limits when an interaction was taken in.
pub(super) struct Taken {
    pub(super) number: u64,
    pub(super) remark: Option<String>,
}

impl Desk {
    pub(super) fn new(intake: Intake, redactor: Redactor, most: Most, summary: Summary) -> Self {
        let state = Mutex::new(State { summary, ..State::default() });
        let progress = watch::Sender::new(Progress::default());
        Self { intake, redactor, progress, most, state, changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what was there before this recording.
    pub(super) fn was_before(&self, interactions: u64, bytes: u64, damaged: u64) {
        let mut state = self.state();
        (state.stored, state.bytes) = (interactions, bytes);
        state.summary.recovered = interactions;
        state.summary.damaged = damaged;
    }

    /// Takes an interaction in: its place in the recording, how many secrets were known when it was cleaned, and its text.
    ///
    /// # Errors
    /// Why there is no room for it.
    pub(super) fn take_in(&self, place: u64, known: usize, text: &str) -> Result<Taken, String> {
        let mut state = self.state();
        if state.is_over {
            return Err("the recording was over".to_owned());
        }
        let length = text.len();
        let (stored, bytes) = (state.stored + 1, state.bytes + length as u64);
        if stored > self.most.interactions {
            return Err(format!("the recording holds {} interactions already", self.most.interactions));
        }
        if bytes > self.most.bytes {
            return Err(self.most.full());
        }
        (state.stored, state.bytes) = (stored, bytes);
        let is_near = |used: u64, most: u64| used.saturating_mul(100) >= most.saturating_mul(WARN_AT);
        let is_near = is_near(stored, self.most.interactions) || is_near(bytes, self.most.bytes);
        let remark = (is_near && !std::mem::replace(&mut state.has_warned, true)).then(|| {
            format!(
                "the recording is nearly full: {stored} interactions of {}, {} of {}; what comes after that is not recorded, so stop it and go on in another cassette",
                self.most.interactions,
                mib(bytes),
                mib(self.most.bytes)
            )
        });
        state.taken += 1;
        let number = state.taken;
        state.waiting.push(place, known, text);
        state.waiting_bytes += length;
        // The writer sleeps until there is something, or until there is much.
        let is_news = state.since.is_none() || state.waiting_bytes >= GROUP_BYTES;
        state.since.get_or_insert_with(Instant::now);
        drop(state);
        if is_news {
            self.changed.notify_all();
        }
        Ok(Taken { number, remark })
    }

    /// Waits for something to write, for a short time; `not_before` is when the next try is due after one that failed.
    pub(super) fn next(&self, syncing: Syncing, not_before: Option<Instant>) -> Work {
        let look_at = Instant::now() + LOOK_EVERY;
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let wait = match syncing {
                Syncing::Grouped if state.waiting_bytes < GROUP_BYTES => GROUP_FOR,
                Syncing::Grouped | Syncing::Always => Duration::ZERO,
            };
            let due = state.since.map(|since| (since + wait).max(not_before.unwrap_or(since)));
            if state.is_ended || due.is_some_and(|due| due <= now) {
                (state.since, state.waiting_bytes) = (None, 0);
                let spare = std::mem::take(&mut state.spare);
                let batch = std::mem::replace(&mut state.waiting, spare);
                return Work { batch, upto: state.taken, is_ended: state.is_ended };
            }
            if now >= look_at || (!state.old_cookies.is_empty() && self.redactor.is_filling()) {
                return Work::default();
            }
            let until = due.unwrap_or(look_at).min(look_at);
            let wait = until.saturating_duration_since(now);
            state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes the memory of what is written.
    pub(super) fn reuse(&self, mut batch: Batch) {
        batch.clear();
        self.state().spare = batch;
    }

    /// Puts those back that could not be written.
    pub(super) fn give_back(&self, batch: Batch) {
        let mut state = self.state();
        if batch.is_empty() {
            return;
        }
        state.waiting_bytes += batch.bytes();
        let later = std::mem::replace(&mut state.waiting, batch);
        state.waiting.append(later);
        state.since.get_or_insert_with(Instant::now);
    }

    /// What could never be written to the journal, once all is over.
    pub(super) fn left(&self) -> Batch {
        std::mem::take(&mut self.state().waiting)
    }

    /// Looks in an interaction for what was learnt since; also what is to be said of one that must go.
    pub(super) fn cleaned(&self, fresh: &Redactor, late: &Late, place: u64, text: &str) -> Edit {
        let Some(interaction) = Intake::read(text) else { return Edit::Keep };
        let mut clean = interaction.clone();
        clean.request = fresh.request(&interaction.request);
        clean.response = fresh.response(&interaction.response);
        clean.notes = interaction.notes.iter().map(|note| fresh.text(note)).collect();
        late.put(&mut clean);
        let ready = match doubt(fresh, &interaction.request, &interaction.response) {
            Some(why) => Err(Unkept::Unsearchable(why)),
            None if clean == interaction => return Edit::Keep,
            None => self.intake.again(place, clean),
        };
        match ready {
            Ok(ready) => Edit::Replace(ready.into_text()),
            Err(why) => {
                self.leave_out(place, text.len(), &why);
                Edit::Drop
            }
        }
    }

    /// An interaction that was kept and can no longer be.
    pub(super) fn leave_out(&self, place: u64, length: usize, why: &Unkept) {
        let mut state = self.state();
        state.stored = state.stored.saturating_sub(1);
        state.bytes = state.bytes.saturating_sub(length as u64);
        state.summary.not_stored += 1;
        if state.summary.reasons.len() < REASONS_MAX {
            state.summary.reasons.push(format!("request {place} of the recording: {why}"));
        }
    }

    /// Cookies out of use: the writer looks for them once more in all that is written, and then they are forgotten.
    pub(super) fn outdate(&self, cookies: BTreeSet<Vec<u8>>) {
        let mut state = self.state();
        state.old_cookies.extend(cookies);
        let until = Instant::now() + ROOM_WAIT_MAX;
        while self.redactor.is_filling() && !state.old_cookies.is_empty() && !state.is_ended {
            self.changed.notify_all();
            let wait = until.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(super) fn old_cookies(&self) -> BTreeSet<Vec<u8>> {
        self.state().old_cookies.clone()
    }

    /// These are forgotten.
    pub(super) fn forgotten(&self, cookies: &BTreeSet<Vec<u8>>) {
        self.state().old_cookies.retain(|cookie| !cookies.contains(cookie));
        self.changed.notify_all();
    }

    /// Nothing is taken in from here on; `running` answers are still being read, and are lost.
    pub(super) fn close(&self, running: usize) {
        let mut state = self.state();
        if std::mem::replace(&mut state.is_over, true) {
            return;
        }
        state.summary.unanswered += running as u64;
        if running > 0 {
            let many = if running == 1 { "answer was" } else { "answers were" };
            state.summary.reasons.push(format!("{running} {many} still being read when the recording ended"));
        }
    }

    /// The writer writes what there is, and is done.
    pub(super) fn end(&self) {
        self.state().is_ended = true;
        self.changed.notify_all();
    }

    pub(super) fn stored(&self) -> u64 {
        self.state().stored
    }

    pub(super) fn refused_write(&self) {
        self.state().summary.refused_writes += 1;
    }

    pub(super) fn refused(&self) {
        self.state().summary.refused += 1;
    }

    pub(super) fn damaged(&self, entries: u64) {
        self.state().summary.damaged += entries;
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

    pub(super) fn summary(&self) -> Summary {
        let state = self.state();
        let reasons = state.summary.reasons.iter().map(|why| self.redactor.text(why)).collect();
        let stored = usize::try_from(state.stored).unwrap_or(usize::MAX);
        Summary { stored, reasons, ..state.summary.clone() }
    }
}

/// Why secrets in an exchange cannot be found, or not be taken out.
pub(super) fn doubt(redactor: &Redactor, request: &Request, response: &Response) -> Option<&'static str> {
    let doubt = redactor.doubt_request(request).or_else(|| redactor.doubt_response(response));
    doubt.map(Doubt::why)
}

/// A length for people.
pub(super) fn mib(bytes: u64) -> String {
    match bytes.div_ceil(1024) {
        kib if kib < 10 * 1024 => format!("{kib} KiB"),
        kib => format!("{} MiB", kib / 1024),
    }
}
