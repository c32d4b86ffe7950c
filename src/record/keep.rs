//! What is kept: interactions redacted on the way in, written to a journal beside the cassette as they come, and put
//! together into the cassette at the end.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rustix::fs::OFlags;

use super::desk::{Desk, Taken, doubt};
use super::jar::Jar;
use super::trust::Trust;
use super::writer::{Writer, Written, fix};
use super::{Event, Existing, Settings, Summary, Syncing, Watch};
use crate::cassette::{
    Cassette, CassetteError, Found, Hold, HoldError, Intake, Interaction, Journal, JournalError,
    RecordedFrom, TlsTrust, Unkept,
};
use crate::message::{Request, Response};
use crate::profile::Profile;
use crate::redact::{Numbering, Redactor};

/// How a cassette says that plain bodies were asked for.
const IDENTITY: &str = "identity";
/// Of a recording that turns out too long for a cassette, the last interactions are left out: so many parts of all.
const LEFT_OUT_AT_ONCE: usize = 32;

/// So much memory is kept for the next text.
const TEXT_KEPT_BYTES: usize = 64 * 1024;

thread_local! {
    /// Where texts are written, one after the other.
    static TEXT: RefCell<String> = RefCell::default();
}

/// Why a recording cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The cassette is another recorder's, or its folder cannot be written to.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// The cassette exists.
    #[error("{} exists already: choose another name, or replace it with --overwrite", .0.display())]
    Exists(PathBuf),
    /// There is a journal beside it that cannot be gone on with, or none can be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file of `--committed-file` cannot be written.
    #[error("--committed-file {}: {source}", path.display())]
    CommittedFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The cassette cannot be saved. What is committed is in the journal.
    #[error("{source}; what is committed is safe in {} (interactions: {committed}): {help}, then record to the same cassette again, which goes on with them", journal.display())]
    Unsaved {
        /// Why.
        source: CassetteError,
        /// The journal.
        journal: PathBuf,
        /// How many interactions it holds.
        committed: u64,
        /// What to do first.
        help: &'static str,
    },
    /// The thread that writes could not be started, or is gone.
    #[error("a defect of faultdeck: the journal has no writer")]
    NoWriter,
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
    desk: Arc<Desk>,
    syncing: Syncing,
    watch: Shown,
    next: AtomicU64,
    jar: Mutex<Jar>,
    writer: Mutex<Option<JoinHandle<Written>>>,
    /// The journal, once nobody writes to it any more and until the cassette is there.
    ended: Mutex<Option<Written>>,
}

/// Called for each event.
struct Shown(Option<Watch>);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown")
    }
}

impl Keeper {
    pub(super) fn new(settings: &Settings, watch: Option<Watch>) -> Result<Self, KeepError> {
        // Held before it is looked at: a file that another recorder makes meanwhile is no file that "exists already".
        let hold = Hold::take(&settings.cassette)?;
        let path = hold.path().to_owned();
        let found = Found::beside(&path)?.filter(|found| found.is_wanted(&path));
        if settings.existing == Existing::Refuse && settings.cassette.exists() {
            return Err(match found {
                Some(found) => JournalError::Both {
                    cassette: settings.cassette.clone(),
                    path: found.path,
                    interactions: found.interactions,
                }
                .into(),
                None => KeepError::Exists(settings.cassette.clone()),
            });
        }
        let committed_file = settings.committed_file.as_ref().map(open_committed).transpose()?;
        let intake = Intake::new(settings.profile, settings.redactor.rules().clone());
        let summary = Summary { path: settings.cassette.clone(), ..Summary::default() };
        let desk = Arc::new(Desk::new(intake, settings.redactor.clone(), settings.most, summary));
        // Placeholders of a recording that is gone on with stay its own.
        let mut greatest = 0;
        let mut see = |_: u64, text: &str| {
            greatest = greatest.max(Numbering::greatest_secret(text.as_bytes()));
            desk.intake.was_before(text);
        };
        let from = recorded_from(settings, found.as_ref());
        let journal = Journal::begin(&path, &from, found.as_ref(), &mut see)?;
        desk.redactor.count_from(greatest);
        let (mut committed, mut last_place) = (0, 0);
        if let Some(found) = &found {
            (committed, last_place) = (found.interactions, found.last_place);
            desk.was_before(found.interactions, found.bytes, found.damaged);
            if let Some(watch) = &watch {
                recovered(found).iter().for_each(|event| watch(event));
            }
        }
        let syncing = settings.syncing;
        let writer =
            Writer::new(Arc::clone(&desk), journal, syncing, committed_file, watch.clone(), committed);
        let writer = thread::Builder::new()
            .name("faultdeck-journal".to_owned())
            .spawn(move || writer.run())
            .map_err(|_| KeepError::NoWriter)?;
        Ok(Self {
            hold,
            desk,
            syncing,
            watch: Shown(watch),
            next: AtomicU64::new(last_place + 1),
            jar: Mutex::default(),
            writer: Mutex::new(Some(writer)),
            ended: Mutex::default(),
        })
    }

    /// The place of a request in the recording: the order in which requests began.
    pub(super) fn next_place(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn redactor(&self) -> &Redactor {
        &self.desk.redactor
    }

    /// Takes an interaction in; its number among all that were taken in.
    ///
    /// # Errors
    /// Why it cannot be in the cassette; it is counted already.
    pub(super) fn keep(
        &self,
        place: u64,
        request: &Request,
        response: &Response,
        notes: &[String],
    ) -> Result<u64, String> {
        self.redactor().learn_response(response);
        self.forget_old_cookies(request, response);
        let kept =
            self.unsearchable(request, response).map_or(Ok(()), |why| Err(why.to_owned())).and_then(|()| {
                // Taken before cleaning: what is learnt meanwhile is looked for again.
                let known = self.redactor().wanted();
                let interaction = self.interaction(request, response, notes);
                self.take_in(place, known, interaction, (request, response))
            });
        match kept {
            Ok(taken) => {
                if let (Some(remark), Some(watch)) = (taken.remark, &self.watch.0) {
                    watch(&Event::Remark(remark));
                }
                Ok(taken.number)
            }
            Err(why) => {
                self.desk.lost(Lost::NotStored, request, &why);
                Err(why)
            }
        }
    }

    fn take_in(
        &self,
        place: u64,
        known: usize,
        interaction: Interaction,
        (request, response): (&Request, &Response),
    ) -> Result<Taken, String> {
        TEXT.with_borrow_mut(|text| {
            text.clear();
            text.shrink_to(TEXT_KEPT_BYTES);
            let ready = self.desk.intake.ready_from(place, interaction, (request, response), text);
            ready.map_err(|why| why.to_string())?;
            self.desk.take_in(place, known, text)
        })
    }

    /// Waits until an interaction is committed, if answers are to wait for that. Whether it is.
    pub(super) async fn committed(&self, number: u64) -> bool {
        if self.syncing == Syncing::Grouped {
            return true;
        }
        let mut progress = self.desk.progress.subscribe();
        let seen = progress.wait_for(|progress| progress.upto >= number || progress.is_failing).await;
        seen.is_ok_and(|progress| progress.upto >= number)
    }

    /// Cookies out of use are looked for once more in all that is written, and then no longer.
    fn forget_old_cookies(&self, request: &Request, response: &Response) {
        let gone = self.jar.lock().unwrap_or_else(PoisonError::into_inner).take(request, response);
        if !gone.is_empty() {
            self.desk.outdate(gone);
        }
    }

    fn interaction(&self, request: &Request, response: &Response, notes: &[String]) -> Interaction {
        Interaction {
            id: String::new(),
            endpoint: Arc::default(),
            request: self.redactor().request(request),
            response: self.redactor().response(response),
            by_recorder: false,
            moment: 0,
            notes: notes.iter().map(|note| self.redactor().text(note)).collect(),
        }
    }

    /// Why secrets could not all be found in this exchange, or not be taken out.
    fn unsearchable(&self, request: &Request, response: &Response) -> Option<&'static str> {
        let is_full =
            || self.redactor().is_full().then_some("more different secrets were seen than can be told apart");
        doubt(self.redactor(), request, response).or_else(is_full)
    }

    pub(super) fn refused_write(&self) {
        self.desk.refused_write();
    }

    /// Counts a request that the listener turned away.
    pub(super) fn refused(&self) {
        self.desk.refused();
    }

    /// Counts a request that is going to have no interaction.
    pub(super) fn lost(&self, how: Lost, request: &Request, why: &str) {
        self.desk.lost(how, request, why);
    }

    /// Nothing is taken in from here on; `running` answers are still being read, and are lost.
    pub(super) fn end(&self, running: usize) {
        self.desk.close(running);
    }

    pub(super) fn summary(&self) -> Summary {
        self.desk.summary()
    }

    /// The journal, with all that is to be in it; `None` if the cassette is there already.
    fn stop_writing(&self) -> Result<Option<Written>, KeepError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            self.desk.end();
            return writer.join().map(Some).map_err(|_| KeepError::NoWriter);
        }
        Ok(self.ended.lock().unwrap_or_else(PoisonError::into_inner).take())
    }

    /// Puts the journal together into the cassette, in its canonical form; then the journal goes.
    ///
    /// # Errors
    /// If the cassette cannot be written. The journal stays then, and this can be tried again.
    pub(super) fn compact(&self) -> Result<(), KeepError> {
        let Some(mut written) = self.stop_writing()? else { return Ok(()) };
        let compacted = self.compact_into_cassette(&mut written);
        if compacted.is_err() {
            *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(written);
        }
        compacted
    }

    fn compact_into_cassette(&self, written: &mut Written) -> Result<(), KeepError> {
        let Written { journal, clean_at } = written;
        let path = journal.path().to_owned();
        let read = journal.interactions();
        let (mut all, damaged) = read.map_err(|source| JournalError::Io { path: path.clone(), source })?;
        self.desk.damaged(damaged);
        let committed = all.len() as u64;
        // What the journal never took may still go into the cassette.
        let left = self.desk.left();
        for (place, text) in left.iter() {
            all.extend(Intake::read(text).map(|interaction| (place, interaction)));
        }
        if all.is_empty() {
            let _ = journal.remove();
            return Ok(());
        }
        self.clean_last(&mut all, *clean_at);
        all.sort_by_key(|(place, _)| *place);
        let (places, interactions): (Vec<u64>, _) = all.into_iter().unzip();
        let recorded_from = journal.from().clone();
        let mut cassette = Cassette { recorded_from, interactions, ..Cassette::default() };
        cassette.put_version();
        self.desk.intake.late().put_all(&mut cassette);
        let mut places = places;
        loop {
            match cassette.save_recording(self.hold.path(), self.desk.intake.rules(), journal) {
                Ok(()) => break,
                // What the last look finds is left out; each round leaves out one at least.
                Err(CassetteError::Secret { .. }) if self.leave_out_open(&mut cassette, &mut places) => {}
                // Canonical placeholders can be longer than the values they stand for.
                Err(CassetteError::TooLarge { .. }) if self.leave_out_last(&mut cassette, &mut places) => {}
                Err(source) => {
                    self.desk.give_back(left);
                    let help = match &source {
                        CassetteError::Io { source, .. } => fix(source),
                        _ => "see to that",
                    };
                    return Err(KeepError::Unsaved { source, journal: path, committed, help });
                }
            }
        }
        // One that cannot be removed says itself that a cassette holds all of it.
        let _ = journal.remove();
        Ok(())
    }

    /// Takes out what was learnt after the journal was cleaned for the last time: on a disk that took no more, for instance.
    fn clean_last(&self, all: &mut Vec<(u64, Interaction)>, clean_at: usize) {
        if self.redactor().wanted() <= clean_at {
            return;
        }
        let fresh = self.redactor().since(clean_at);
        all.retain_mut(|(place, interaction)| {
            if let Some(why) = doubt(&fresh, &interaction.request, &interaction.response) {
                self.desk.leave_out(*place, 0, &Unkept::Unsearchable(why));
                return false;
            }
            interaction.request = fresh.request(&interaction.request);
            interaction.response = fresh.response(&interaction.response);
            interaction.notes.iter_mut().for_each(|note| *note = fresh.text(note));
            true
        });
    }

    /// Takes out what holds a credential even in its canonical form; whether there is any.
    fn leave_out_open(&self, cassette: &mut Cassette, places: &mut Vec<u64>) -> bool {
        let open = |interaction: &Interaction| {
            let mut alone = Cassette { interactions: vec![interaction.clone()], ..Cassette::default() };
            alone.canonicalise(Profile::builtin());
            alone.unredacted_by(self.desk.intake.rules()).into_iter().next()
        };
        let before = places.len();
        let all = std::mem::take(&mut cassette.interactions).into_iter().zip(std::mem::take(places));
        (cassette.interactions, *places) = all
            .filter(|(interaction, place)| match open(interaction) {
                None => true,
                Some(open) => {
                    self.desk.leave_out(*place, 0, &Unkept::Secret(open.to_string()));
                    false
                }
            })
            .unzip();
        places.len() < before
    }

    /// Takes out the last ones; whether there are any.
    fn leave_out_last(&self, cassette: &mut Cassette, places: &mut Vec<u64>) -> bool {
        let kept = places.len() - places.len().div_ceil(LEFT_OUT_AT_ONCE);
        for place in places.get(kept..).unwrap_or_default() {
            self.desk.leave_out(*place, 0, &Unkept::Full);
        }
        let is_less = kept < places.len();
        places.truncate(kept);
        cassette.interactions.truncate(kept);
        is_less
    }
}

impl Drop for Keeper {
    /// A recording that was not finished leaves its journal, unless there is nothing in it.
    fn drop(&mut self) {
        if let Ok(Some(written)) = self.stop_writing()
            && self.desk.stored() == 0
        {
            let _ = written.journal.remove();
        }
    }
}

fn recorded_from(settings: &Settings, found: Option<&Found>) -> RecordedFrom {
    let tls = match (&settings.trust, settings.upstream.secure) {
        (_, false) => TlsTrust::None,
        (Trust::Native | Trust::CaFile(_), true) => TlsTrust::Verified,
        (Trust::Pin(_), true) => TlsTrust::Pinned,
        (Trust::Insecure, true) => TlsTrust::Insecure,
    };
    // The weakest check of both says how far the whole can be trusted.
    let before = found.and_then(|found| found.from.as_ref()).map(|from| from.tls);
    RecordedFrom {
        host: "host-1".to_owned(),
        tls: before.map_or(tls, |before| before.weaker(tls)),
        encoding: IDENTITY.to_owned(),
        redaction: settings.redactor.rules().policy_hash(),
        ..RecordedFrom::default()
    }
}

/// What there is to say of a recording that is gone on with.
fn recovered(found: &Found) -> Vec<Event> {
    let many = if found.interactions == 1 { "" } else { "s" };
    let name = found.path.display();
    let torn =
        if found.is_torn { "; one more was not written to its end, and had not been committed" } else { "" };
    let mut events =
        vec![Event::Note(format!("recovered {} interaction{many} from {name}{torn}", found.interactions))];
    if found.damaged > 0 {
        let (what, them) = if found.damaged == 1 { ("entry is", "it") } else { ("entries are", "them") };
        events.push(Event::Remark(format!(
            "{} {what} damaged in {name}, and the recording goes on without {them}; the file as it was is kept beside it as *.damaged",
            found.damaged
        )));
    }
    events
}

fn open_committed(path: &PathBuf) -> Result<Box<dyn Write + Send>, KeepError> {
    // A pipe that nobody reads is refused, not waited for.
    let mut options = OpenOptions::new();
    options.append(true).create(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let opened = options.open(path);
    opened
        .map(|file| Box::new(file) as Box<dyn Write + Send>)
        .map_err(|source| KeepError::CommittedFile { path: path.clone(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cassette::journal_of;
    use crate::record::Upstream;

    #[test]
    fn what_many_threads_record_at_one_time_is_all_there_and_the_journal_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let upstream = Upstream::parse("http://127.0.0.1:1").unwrap();
        let settings = Settings::new(upstream, folder.path().join("x.json"));
        let keeper = Keeper::new(&settings, None).unwrap();
        std::thread::scope(|scope| {
            for n in 0..16 {
                let keeper = &keeper;
                scope.spawn(move || {
                    let request = Request::new("GET", &format!("/api/x/{n}"));
                    let response = Response::json(200, vec![b'7'; 100_000 >> (n % 8)]);
                    keeper.keep(keeper.next_place(), &request, &response, &[]).unwrap();
                });
            }
        });
        keeper.compact().unwrap();
        assert_eq!(Cassette::load(&settings.cassette).unwrap().interactions.len(), 16);
        assert!(!journal_of(&settings.cassette).exists());
    }
}
