//! A journal that is there already: of a recording that was cut short, or of one that is under way.

use std::fmt::{self, Write as _};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::reader::{Reader, Step};
use super::{BUFFER, Journal, Kind, journal_of};
use crate::cassette::{Cassette, CassetteError, FILE_MAX_BYTES, RecordedFrom, format};
use crate::files::{self, Unreadable};
use crate::profile::Profile;
use crate::redact::Rules;

/// The longest journal that is read: a full recording, with its heads.
const JOURNAL_MAX_BYTES: u64 = 2 * FILE_MAX_BYTES;

/// Why a journal is of no use.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system does not let us.
    #[error("{}: {source}", path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something else has its name.
    #[error("{} is no journal of a recording: move it away, or choose another name", .0.display())]
    NotOurs(PathBuf),
    /// A newer faultdeck wrote it.
    #[error(transparent)]
    Cassette(CassetteError),
    /// A cassette is there, and a recording that was to replace it was cut short.
    #[error(
        "{} exists already, and {} beside it holds {interactions} interaction{} of a recording that was cut short: --overwrite goes on with that one and replaces the cassette, or choose another name",
        cassette.display(), path.display(), if *interactions == 1 { "" } else { "s" }
    )]
    Both {
        /// The cassette.
        cassette: PathBuf,
        /// The journal.
        path: PathBuf,
        /// What is in the journal.
        interactions: u64,
    },
}

impl JournalError {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. } | Self::NotOurs(path) | Self::Both { path, .. } => path,
            Self::Cassette(_) => Path::new(""),
        }
    }
}

/// What is in a journal that somebody left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The journal.
    pub path: PathBuf,
    /// Where it was recorded from, if that can be read.
    pub from: Option<RecordedFrom>,
    /// Interactions that can be read.
    pub interactions: u64,
    /// Their length in a cassette.
    pub bytes: u64,
    /// Entries that were whole once and cannot be read.
    pub damaged: u64,
    /// Whether the last entry was never written to its end.
    pub is_torn: bool,
    /// The greatest place of an interaction in it.
    pub last_place: u64,
    /// The digest of the cassette that holds all of it.
    done: Option<String>,
}

impl Found {
    /// What is beside a cassette; `None` if there is no journal.
    ///
    /// # Errors
    /// If it cannot be read, or is none.
    pub fn beside(cassette: &Path) -> Result<Option<Self>, JournalError> {
        let path = journal_of(cassette);
        if std::fs::symlink_metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(None);
        }
        let mut found = Self {
            path,
            from: None,
            interactions: 0,
            bytes: 0,
            damaged: 0,
            is_torn: false,
            last_place: 0,
            done: None,
        };
        let mut reader = Reader::new(BufReader::with_capacity(BUFFER, found.open()?));
        let failed = |path: &Path, source| JournalError::Io { path: path.to_owned(), source };
        while let Some(step) = reader.step().map_err(|error| failed(&found.path, error))? {
            match step {
                Step::Damaged { .. } => found.damaged += 1,
                Step::Torn { .. } => found.is_torn = true,
                Step::Entry { entry, .. } => match entry.kind {
                    Kind::From => {
                        let name = found.path.display().to_string();
                        let empty = format::parse(&name, &entry.text).map_err(JournalError::Cassette)?;
                        found.from = Some(empty.recorded_from);
                    }
                    Kind::Done => found.done = Some(entry.text),
                    Kind::Interaction if format::parse_interaction(&entry.text).is_err() => {
                        found.damaged += 1;
                    }
                    Kind::Interaction => {
                        found.interactions += 1;
                        found.bytes += entry.text.len() as u64;
                        found.last_place = found.last_place.max(entry.place);
                    }
                },
            }
        }
        if found.from.is_none() && found.interactions == 0 && found.damaged > 0 {
            return Err(JournalError::NotOurs(found.path));
        }
        Ok(Some(found))
    }

    fn open(&self) -> Result<impl Read + use<>, JournalError> {
        files::open_file(&self.path, JOURNAL_MAX_BYTES).map_err(|error| match error {
            Unreadable::NoFile(_) => JournalError::NotOurs(self.path.clone()),
            other => JournalError::Io { path: self.path.clone(), source: other.into() },
        })
    }

    /// Whether there is something in it that no cassette holds.
    pub fn is_wanted(&self, cassette: &Path) -> bool {
        self.interactions + self.damaged > 0
            && self.done.as_ref().is_none_or(|done| digest_of(cassette).as_ref() != Some(done))
    }

    /// What to say of it to somebody who asks for the cassette.
    pub(crate) fn unfinished(&self, cassette: &Path) -> Unfinished {
        Unfinished {
            cassette: cassette.to_owned(),
            journal: self.path.clone(),
            interactions: self.interactions,
            is_source: cassette.symlink_metadata().is_err(),
        }
    }

    /// Shows each interaction that can be read: its place and its text.
    pub(super) fn each(&self, see: &mut dyn FnMut(u64, String) -> io::Result<()>) -> io::Result<()> {
        let file = files::open_file(&self.path, JOURNAL_MAX_BYTES)?;
        let mut reader = Reader::new(BufReader::with_capacity(BUFFER, file));
        while let Some(step) = reader.step()? {
            if let Step::Entry { entry, .. } = step
                && entry.kind == Kind::Interaction
                && format::parse_interaction(&entry.text).is_ok()
            {
                see(entry.place, entry.text)?;
            }
        }
        Ok(())
    }

    /// Makes the cassette of it; then it goes. Whoever calls this has the cassette's [`Hold`](crate::cassette::Hold).
    ///
    /// # Errors
    /// If the cassette cannot be written, or cannot hold it; the journal is still there then.
    pub fn compact(&self, path: &Path, rules: &Rules) -> Result<(), CassetteError> {
        let from = self.from.clone().unwrap_or_default();
        let mut journal = Journal::begin(path, &from, Some(self), &mut |_, _| {})?;
        self.cassette()?.save_recording(path, rules, &mut journal)?;
        let failed = |source| JournalError::Io { path: self.path.clone(), source };
        Ok(journal.remove().map_err(failed)?)
    }

    /// What a cassette of it would hold, in memory; the journal stays as it is.
    ///
    /// # Errors
    /// If it cannot be read any more.
    pub fn cassette(&self) -> Result<Cassette, JournalError> {
        let mut all = Vec::new();
        let read = self.each(&mut |place, text| {
            all.extend(format::parse_interaction(&text).map(|interaction| (place, interaction)));
            Ok(())
        });
        read.map_err(|source| JournalError::Io { path: self.path.clone(), source })?;
        all.sort_by_key(|(place, _)| *place);
        let mut cassette = Cassette {
            recorded_from: self.from.clone().unwrap_or_default(),
            interactions: all.into_iter().map(|(_, interaction)| interaction).collect(),
            ..Cassette::default()
        };
        cassette.put_version();
        cassette.canonicalise(Profile::builtin());
        Ok(cassette)
    }
}

/// A journal beside a cassette that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    cassette: PathBuf,
    journal: PathBuf,
    interactions: u64,
    is_source: bool,
}

impl Unfinished {
    /// If there is one whose interactions the cassette does not have. What cannot be read, or is no journal, is none.
    pub(in crate::cassette) fn beside(cassette: &Path) -> Option<Self> {
        let found = Found::beside(cassette).ok().flatten().filter(|found| found.is_wanted(cassette))?;
        Some(found.unfinished(cassette))
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cassette, journal) = (self.cassette.display(), self.journal.display());
        let many = if self.interactions == 1 { "" } else { "s" };
        write!(
            f,
            "{journal} holds {} interaction{many} of a recording that is under way or was cut short",
            self.interactions
        )?;
        if self.is_source {
            write!(
                f,
                ", and {cassette} is not there yet: `faultdeck lint --fix {cassette}` makes it of them, `faultdeck record` goes on with them"
            )
        } else {
            write!(
                f,
                ", and {cassette} does not have them: `faultdeck record --overwrite` goes on with them and replaces it; to keep both, give the journal and the cassette different names"
            )
        }
    }
}

/// Names the content of a cassette's file; `None` if there is none.
fn digest_of(cassette: &Path) -> Option<String> {
    files::read(cassette, FILE_MAX_BYTES).ok().map(|bytes| digest(&bytes))
}

/// Names a text.
pub(in crate::cassette) fn digest(text: &[u8]) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
