//! A recording on its way into a cassette: a file beside it that only ever grows, so that nothing that was written once is
//! written again for the next interaction.
//!
//! - `entry` is one entry: length, checksums, text; `reader` reads them one by one and knows whole, damaged and unfinished
//! - `found` is what somebody else left: what is in it, and whether a cassette holds it already
//!
//! What is in it is redacted like the cassette itself. What is committed has been synced. The journal goes when the
//! cassette is there.

mod entry;
mod found;
mod reader;

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::beside::{self, Beside};
use super::{CassetteError, Interaction, RecordedFrom, format, write};
use crate::files;
use entry::Kind;
use reader::{Entry, Reader, Step};

pub(super) use found::digest;
pub use found::{Found, JournalError, Unfinished};

/// Bytes handed to the system, and taken from it, at one time.
const BUFFER: usize = 256 * 1024;
/// So much memory is kept from one group to the next.
const KEPT_BYTES: usize = 4 * 1024 * 1024;
/// The most copies of damaged journals that are kept beside one cassette.
const ASIDE_MAX: u32 = 100;

/// The journal of a cassette: `mine.journal` beside `mine.json`.
pub fn journal_of(cassette: &Path) -> PathBuf {
    if cassette.extension().is_some_and(|end| end == "json") {
        return cassette.with_extension("journal");
    }
    let mut name = cassette.as_os_str().to_owned();
    name.push(".journal");
    PathBuf::from(name)
}

/// Interactions as they are written, many at one time.
#[derive(Debug, Default)]
pub struct Group {
    bytes: Vec<u8>,
    count: u64,
}

impl Group {
    /// Puts one more in: its place in the recording, and its text.
    pub fn push(&mut self, place: u64, text: &str) {
        entry::write(&mut self.bytes, Kind::Interaction, place, text);
        self.count += 1;
    }

    /// Takes all out; the memory of an ordinary group is kept for the next.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.count = 0;
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// What becomes of an interaction when a journal is gone through.
#[derive(Debug)]
pub enum Edit {
    /// It stays as it is.
    Keep,
    /// This text takes its place.
    Replace(String),
    /// It goes.
    Drop,
}

/// What going through a journal came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// Interactions that have a new text.
    pub changed: u64,
    /// Interactions that are there no longer.
    pub dropped: u64,
    /// Entries that could not be read any more.
    pub damaged: u64,
}

/// A journal that this process writes. Whoever has it also has the cassette's [`Hold`](super::Hold).
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    from: RecordedFrom,
    file: File,
    /// What is committed ends here.
    length: u64,
    /// A sync failed: nobody knows what of the file is on the disk, so nothing is written behind it.
    is_spoilt: bool,
}

impl Journal {
    /// Begins one for a recording from there, with the interactions of `before`, if somebody left some. `see` is shown each
    /// of them.
    ///
    /// # Errors
    /// If it cannot be written; what was there is untouched then.
    pub fn begin(
        cassette: &Path,
        from: &RecordedFrom,
        before: Option<&Found>,
        see: &mut dyn FnMut(u64, &str),
    ) -> Result<Self, JournalError> {
        let path = journal_of(cassette);
        let failed = |source| JournalError::Io { path: path.clone(), source };
        let next = Beside::next(&path).map_err(failed)?;
        let begun = Self::fill(&next.file, from, before, see).and_then(|length| {
            // Only now: until the new one is whole, the old one is all there is.
            if let Some(found) = before.filter(|found| found.damaged > 0) {
                set_aside(&found.path)?;
            }
            Ok((next.file.try_clone()?, length))
        });
        let (file, length) = match begun {
            Ok(begun) => begun,
            Err(source) => {
                next.remove();
                return Err(failed(source));
            }
        };
        next.rename(&path).map_err(failed)?;
        files::sync_folder(beside::folder_of(&path)).map_err(failed)?;
        Ok(Self { path, from: from.clone(), file, length, is_spoilt: false })
    }

    fn fill(
        file: &File,
        from: &RecordedFrom,
        before: Option<&Found>,
        see: &mut dyn FnMut(u64, &str),
    ) -> io::Result<u64> {
        let mut out = BufWriter::with_capacity(BUFFER, file);
        let mut entry = Vec::new();
        entry::write(&mut entry, Kind::From, 0, &from_text(from));
        let mut length = entry.len() as u64;
        out.write_all(&entry)?;
        if let Some(found) = before {
            found.each(&mut |place, text| {
                see(place, &text);
                entry.clear();
                entry::write(&mut entry, Kind::Interaction, place, &text);
                length += entry.len() as u64;
                out.write_all(&entry)
            })?;
        }
        out.flush()?;
        drop(out);
        file.sync_all()?;
        Ok(length)
    }

    /// Writes and syncs a group: it is committed if this succeeds.
    ///
    /// # Errors
    /// If it cannot be written or synced; nothing of it is committed then, and it can be tried again.
    pub fn commit(&mut self, group: &Group) -> io::Result<()> {
        if self.is_spoilt {
            self.rewrite(true, &mut |_, _| Edit::Keep)?;
        }
        if let Err(error) = self.file.write_all_at(&group.bytes, self.length) {
            // A part of it may be there: away with it, or the file is no longer written to.
            self.is_spoilt = self.file.set_len(self.length).is_err();
            return Err(error);
        }
        if let Err(error) = self.file.sync_data() {
            self.is_spoilt = true;
            return Err(error);
        }
        self.length += group.bytes.len() as u64;
        Ok(())
    }

    /// Shows each committed interaction, and writes the journal anew if one is to change or go: a new file takes the place
    /// of the old one, so that nothing is left of what was there.
    ///
    /// # Errors
    /// If it cannot be read or written; it is as it was then.
    pub fn go_through(&mut self, edit: &mut dyn FnMut(u64, &str) -> Edit) -> io::Result<Gone> {
        self.rewrite(false, edit)
    }

    fn rewrite(&mut self, always: bool, edit: &mut dyn FnMut(u64, &str) -> Edit) -> io::Result<Gone> {
        let mut gone = Gone::default();
        let mut next: Option<Next> = if always { Some(self.next(0)?) } else { None };
        let mut reader = self.reader(self.length);
        while let Some(step) = reader.step()? {
            let (entry, at, end) = match step {
                Step::Entry { entry, at, end } => (entry, at, end),
                Step::Damaged { .. } => {
                    gone.damaged += 1;
                    continue;
                }
                Step::Torn { .. } => break,
            };
            let edit = match entry.kind {
                Kind::Interaction => edit(entry.place, &entry.text),
                Kind::From => Edit::Keep,
                Kind::Done => Edit::Drop,
            };
            match edit {
                Edit::Keep => {
                    if let Some(next) = &mut next {
                        next.copy(&self.file, at, end)?;
                    }
                    continue;
                }
                Edit::Replace(_) => gone.changed += 1,
                Edit::Drop => gone.dropped += u64::from(entry.kind == Kind::Interaction),
            }
            let into = match &mut next {
                Some(next) => next,
                None => next.insert(self.next(at)?),
            };
            if let Edit::Replace(text) = edit {
                into.put(entry.kind, entry.place, &text)?;
            }
        }
        if let Some(next) = next {
            (self.file, self.length) = next.finish(&self.path)?;
            self.is_spoilt = false;
        }
        Ok(gone)
    }

    /// A new file that begins as this one does, up to `same`.
    fn next(&self, same: u64) -> io::Result<Next> {
        let mut next = Next { beside: Some(Beside::next(&self.path)?), bytes: Vec::new(), length: 0 };
        next.copy(&self.file, 0, same)?;
        Ok(next)
    }

    fn reader(&self, length: u64) -> Reader<BufReader<Span<'_>>> {
        let span = Span { file: &self.file, at: 0, end: length };
        Reader::new(BufReader::with_capacity(BUFFER, span))
    }

    /// All committed interactions, in the order their requests began, and how many entries are damaged.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn interactions(&self) -> io::Result<(Vec<(u64, Interaction)>, u64)> {
        let (mut all, mut damaged) = (Vec::new(), 0);
        let mut reader = self.reader(self.length);
        while let Some(step) = reader.step()? {
            match step {
                Step::Entry { entry: Entry { kind: Kind::Interaction, place, text }, .. } => {
                    match format::parse_interaction(&text) {
                        Ok(interaction) => all.push((place, interaction)),
                        Err(_) => damaged += 1,
                    }
                }
                Step::Damaged { .. } => damaged += 1,
                Step::Entry { .. } | Step::Torn { .. } => {}
            }
        }
        all.sort_by_key(|(place, _)| *place);
        Ok((all, damaged))
    }

    /// Notes that a cassette with this digest is about to hold all of it: one that is left over is known by that.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn done(&mut self, digest: &str) -> io::Result<()> {
        let mut bytes = Vec::new();
        entry::write(&mut bytes, Kind::Done, 0, digest);
        self.commit(&Group { bytes, count: 0 })
    }

    /// Where it was recorded from.
    pub fn from(&self) -> &RecordedFrom {
        &self.from
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes it away: the cassette holds all of it, or there is nothing in it.
    ///
    /// # Errors
    /// If the system does not let us.
    pub fn remove(&self) -> io::Result<()> {
        if beside::is_still(&self.path, &self.file) {
            fs::remove_file(&self.path)?;
            files::sync_folder(beside::folder_of(&self.path))?;
        }
        Ok(())
    }
}

/// The next version of a journal. If it is dropped before it takes the old one's place, it goes.
struct Next {
    beside: Option<Beside>,
    bytes: Vec<u8>,
    length: u64,
}

impl Next {
    fn copy(&mut self, from: &File, at: u64, end: u64) -> io::Result<()> {
        let mut span = BufReader::with_capacity(BUFFER, Span { file: from, at, end });
        loop {
            let room = (&mut span).take(BUFFER as u64).read_to_end(&mut self.bytes)?;
            self.write(room > 0)?;
            if room == 0 {
                return Ok(());
            }
        }
    }

    fn put(&mut self, kind: Kind, place: u64, text: &str) -> io::Result<()> {
        entry::write(&mut self.bytes, kind, place, text);
        self.write(true)
    }

    /// Hands over what has come together; `only_if_long` leaves a little for the next time.
    fn write(&mut self, only_if_long: bool) -> io::Result<()> {
        if let Some(beside) = &self.beside
            && !self.bytes.is_empty()
            && (!only_if_long || self.bytes.len() >= BUFFER)
        {
            beside.file.write_all_at(&self.bytes, self.length)?;
            self.length += self.bytes.len() as u64;
            self.bytes.clear();
        }
        Ok(())
    }

    fn finish(mut self, path: &Path) -> io::Result<(File, u64)> {
        self.write(false)?;
        let length = self.length;
        let file = match &self.beside {
            Some(beside) => {
                beside.file.sync_all()?;
                beside.file.try_clone()?
            }
            None => return Err(io::ErrorKind::NotFound.into()),
        };
        if let Some(beside) = self.beside.take() {
            beside.rename(path)?;
        }
        files::sync_folder(beside::folder_of(path))?;
        Ok((file, length))
    }
}

impl Drop for Next {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            beside.remove();
        }
    }
}

/// A part of a file, read without moving anybody's place in it.
#[derive(Debug)]
struct Span<'f> {
    file: &'f File,
    at: u64,
    end: u64,
}

impl Read for Span<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let room = into.len().min(left);
        let read = self.file.read_at(into.get_mut(..room).unwrap_or_default(), self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

fn from_text(from: &RecordedFrom) -> String {
    let mut text = String::new();
    write::head(&mut text, from);
    text.push_str(write::END_EMPTY);
    text
}

/// Keeps a damaged journal as it is, under another name.
fn set_aside(journal: &Path) -> io::Result<PathBuf> {
    for number in 1..=ASIDE_MAX {
        let mut name = journal.as_os_str().to_owned();
        name.push(if number == 1 { ".damaged".to_owned() } else { format!(".damaged-{number}") });
        let aside = PathBuf::from(name);
        match fs::hard_link(journal, &aside) {
            Ok(()) => return Ok(aside),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // A file system without links.
            Err(_) => return fs::copy(journal, &aside).map(|_| aside),
        }
    }
    Err(io::Error::other("there are too many damaged journals beside it: take them away"))
}

impl From<JournalError> for CassetteError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Io { path, source } => Self::Io { path: path.display().to_string(), source },
            JournalError::Cassette(error) => error,
            other => Self::Io {
                path: other.path().display().to_string(),
                source: io::Error::other(other.to_string()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cassette::{Cassette, Intake};
    use crate::message::{Request, Response};
    use crate::profile::Profile;
    use crate::redact::Rules;

    fn group(n: u64) -> Group {
        let interaction = Interaction {
            id: String::new(),
            endpoint: "".into(),
            request: Request::new("GET", &format!("/api/x/{n}")),
            response: Response::json(200, "{}"),
            by_recorder: false,
            moment: 0,
            notes: Vec::new(),
        };
        let mut group = Group::default();
        let ready = Intake::new(Profile::builtin(), Rules::default()).ready(n, interaction).unwrap();
        group.push(n, ready.text());
        group
    }

    #[test]
    fn a_file_that_failed_once_is_not_written_to_again() {
        let folder = tempfile::tempdir().unwrap();
        let cassette = folder.path().join("c.json");
        let mut journal = Journal::begin(&cassette, &RecordedFrom::default(), None, &mut |_, _| {}).unwrap();
        journal.commit(&group(1)).unwrap();
        // What cannot be written to can neither be synced nor be cut back.
        let first =
            fs::metadata(&journal.path).map(|about| std::os::unix::fs::MetadataExt::ino(&about)).unwrap();
        journal.file = File::open(&journal.path).unwrap();
        journal.commit(&group(2)).unwrap_err();
        journal.commit(&group(2)).unwrap();
        journal.commit(&group(3)).unwrap();
        let second =
            fs::metadata(&journal.path).map(|about| std::os::unix::fs::MetadataExt::ino(&about)).unwrap();
        assert_ne!(first, second, "a new file");
        let found = Found::beside(&cassette).unwrap().unwrap();
        assert_eq!((found.interactions, found.damaged, found.is_torn), (3, 0, false));
    }

    #[test]
    fn a_journal_that_outlives_its_cassette_by_a_moment_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        let from = RecordedFrom { host: "host-1".to_owned(), ..RecordedFrom::default() };
        let mut journal = Journal::begin(&path, &from, None, &mut |_, _| {}).unwrap();
        journal.commit(&group(1)).unwrap();
        let cassette = Found::beside(&path).unwrap().unwrap().cassette().unwrap();
        // Killed before the rename, and after it.
        let elsewhere = folder.path().join("elsewhere.json");
        cassette.save_recording(&elsewhere, &Rules::default(), &mut journal).unwrap();
        let is_wanted = || Found::beside(&path).unwrap().unwrap().is_wanted(&path);
        assert!(is_wanted(), "no cassette has it yet");
        fs::rename(&elsewhere, &path).unwrap();
        assert!(!is_wanted());
        assert!(Cassette::load(&path).unwrap().unfinished.is_none());
        fs::write(&path, "{}").unwrap();
        assert!(is_wanted(), "another cassette does not have it");
    }
}
