//! The writer of the journal: a thread of its own, the only one that writes, syncs and cleans what is written.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::desk::{Desk, Progress, Work};
use super::{Event, Syncing, Watch};
use crate::cassette::{Group, Journal};

/// From one look through the journal for what was learnt late to the next, and from one try to write to the next after
/// one that failed.
const CLEAN_EVERY: Duration = Duration::from_millis(200);
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// Names of users and hosts that come up later are put into a long journal less often: a pause is so many times as long as
/// the look before it.
const LATE_PAUSE: u32 = 10;

/// A journal that nobody writes to any more.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) journal: Journal,
    /// How many secrets were known when all of it was cleaned.
    pub(super) clean_at: usize,
}

/// Writes a journal until the recording ends.
pub(super) struct Writer {
    desk: Arc<Desk>,
    journal: Journal,
    /// What is written next; its memory is used again.
    group: Group,
    syncing: Syncing,
    /// Where a line goes after each sync: how many interactions are committed.
    committed_file: Option<Box<dyn Write + Send>>,
    watch: Option<Watch>,
    committed: u64,
    /// How many secrets, and how much customer data, were known when all that is written was cleaned.
    clean_at: usize,
    late_at: usize,
    next_look: Instant,
    next_late: Instant,
    not_before: Option<Instant>,
    is_unclean: bool,
}

impl Writer {
    /// For a journal that holds `committed` interactions already.
    pub(super) fn new(
        desk: Arc<Desk>,
        journal: Journal,
        syncing: Syncing,
        committed_file: Option<Box<dyn Write + Send>>,
        watch: Option<Watch>,
        committed: u64,
    ) -> Self {
        let now = Instant::now();
        Self {
            desk,
            journal,
            group: Group::default(),
            syncing,
            committed_file,
            watch,
            committed,
            clean_at: 0,
            late_at: 0,
            next_look: now,
            next_late: now,
            not_before: None,
            is_unclean: false,
        }
    }

    /// The work of the thread, until the recording has ended.
    pub(super) fn run(mut self) -> Written {
        if self.committed > 0 {
            self.count();
        }
        loop {
            let Work { mut batch, upto, is_ended } = self.desk.next(self.syncing, self.not_before);
            self.clean(&mut batch);
            if !batch.is_empty() {
                self.write(batch, upto);
            } else if upto > 0 && self.not_before.is_none() {
                // All of it was left out.
                self.desk.progress.send_replace(Progress { upto, is_failing: false });
            }
            self.look_through(is_ended);
            if is_ended {
                return Written { journal: self.journal, clean_at: self.clean_at };
            }
        }
    }

    fn write(&mut self, batch: Batch, upto: u64) {
        self.group.clear();
        for (place, text) in batch.iter() {
            self.group.push(place, text);
        }
        match self.journal.commit(&self.group) {
            Ok(()) => {
                self.desk.reuse(batch);
                self.committed += self.group.count();
                self.count();
                self.desk.progress.send_replace(Progress { upto, is_failing: false });
                if self.not_before.take().is_some() {
                    self.remark("the recording is saved again".to_owned());
                }
            }
            Err(error) => {
                let is_first = self.not_before.replace(Instant::now() + RETRY_EVERY).is_none();
                self.desk.give_back(batch);
                self.desk.progress.send_modify(|progress| progress.is_failing = true);
                if is_first {
                    let path = self.journal.path().display();
                    self.remark(format!(
                        "the recording cannot be saved: {path}: {error}; it goes on in memory, and saving is tried again: {}",
                        fix(&error)
                    ));
                }
            }
        }
    }

    /// Tells whoever asked how many interactions are committed.
    fn count(&mut self) {
        if let Some(file) = &mut self.committed_file
            && let Err(error) = writeln!(file, "{}", self.committed)
        {
            self.committed_file = None;
            self.remark(format!("the file of --committed-file cannot be written: {error}"));
        }
    }

    /// Looks in what is about to be written for what was learnt since it came.
    fn clean(&self, batch: &mut Batch) {
        let known = self.desk.redactor.wanted();
        let Some(oldest) = batch.cleaned_at(known) else { return };
        let (fresh, late) = (self.desk.redactor.since(oldest), self.desk.intake.late());
        batch.clean(known, |place, text| self.desk.cleaned(&fresh, &late, place, text));
    }

    /// Looks in what is written for what was learnt since.
    fn look_through(&mut self, is_last: bool) {
        let (known, late) = (self.desk.redactor.wanted(), self.desk.intake.known());
        let now = Instant::now();
        let is_due = (known > self.clean_at && (now >= self.next_look || self.desk.redactor.is_filling()))
            || (late > self.late_at && now >= self.next_late);
        let old_cookies = self.desk.old_cookies();
        // Customer data that is late at the end is put in when the cassette is made.
        if is_due || (is_last && known > self.clean_at) {
            let fresh = self.desk.redactor.since(self.clean_at);
            let customers = self.desk.intake.late();
            let desk = Arc::clone(&self.desk);
            let gone =
                self.journal.go_through(&mut |place, text| desk.cleaned(&fresh, &customers, place, text));
            let took = now.elapsed();
            self.next_look = Instant::now() + took.max(CLEAN_EVERY);
            self.next_late = Instant::now() + (took * LATE_PAUSE).max(CLEAN_EVERY);
            match gone {
                Ok(gone) => {
                    (self.clean_at, self.late_at, self.is_unclean) = (known, late, false);
                    self.desk.damaged(gone.damaged);
                    self.committed = self.committed.saturating_sub(gone.dropped + gone.damaged);
                    if gone.dropped + gone.damaged > 0 {
                        self.count();
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut self.is_unclean, true) {
                        let path = self.journal.path().display();
                        self.remark(format!(
                            "a secret that was learnt late cannot be taken out of {path}: {error}; it is tried again: {}",
                            fix(&error)
                        ));
                    }
                    return;
                }
            }
        }
        if !old_cookies.is_empty() && self.clean_at >= known {
            self.desk.redactor.forget(&old_cookies);
            self.desk.forgotten(&old_cookies);
        }
    }

    fn remark(&self, remark: String) {
        if let Some(watch) = &self.watch {
            watch(&Event::Remark(remark));
        }
    }
}

/// What to do about a disk that does not take what is written.
pub(super) fn fix(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on that disk",
        io::ErrorKind::FileTooLarge => "raise the limit on the length of files (ulimit -f)",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "make that folder writable, or choose another with --cassette"
        }
        _ => "look after that disk",
    }
}
