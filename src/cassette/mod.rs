//! A cassette: a file of interactions, and the index a replay finds them by.
//!
//! - `format` and `write` read and write the file, `body` the three forms of a body in it; `pool` keeps once what many
//!   interactions share, `parts` cuts a file, `laid_out` reads what looks as `write` writes in one pass over its `tokens`,
//!   a file through a `window`
//! - `canonical` puts ids, order and placeholders right at each save
//! - `placeholders` is the way of users and hosts into a file and back out of it, `base` that of the console's address
//! - `store` reads and writes files, `beside` has the files that stand beside one for a while; [`Hold`] is a cassette that
//!   one process records to, [`Journal`] what is recorded until it is a cassette, [`Intake`] makes interactions ready for it
//! - [`find`] says which cassette a name means
//! - `key` says what two requests must share to be the same, `deck` finds interactions by it, `nearest` explains a miss
//! - `facts` is what is found out once of each interaction when a cassette is loaded, `structures` what of each kind of body
//! - `rules` is what a user says of matching
//! - `moments` keeps the order of writes and reads of different paths; `loose` is the second step of matching, which
//!   leaves out what `volatile` finds
//!
//! A file is redacted whenever it is written, whoever writes it; see [`crate::redact`].

mod base;
mod beside;
mod body;
mod canonical;
mod check;
mod customer;
mod deck;
mod digest;
mod facts;
pub mod find;
mod format;
mod hold;
mod host;
mod intake;
mod journal;
mod key;
mod laid_out;
mod loose;
mod moments;
mod nearest;
mod parts;
mod placeholders;
mod pool;
mod resources;
mod rules;
mod shown;
mod store;
mod structures;
mod volatile;
mod window;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::message::{Request, Response};
use crate::profile::Profile;
use crate::redact::{self, Open, Rules};
use crate::written::Mistakes;

pub(crate) use base::{base_for, put_base};
pub use check::{Remark, Weight};
pub use deck::{Deck, Index, Slot};
pub(crate) use facts::Fact;
pub use hold::{Hold, HoldError};
pub(crate) use intake::Late;
pub use intake::{Intake, RECORDING_MAX_BYTES, Ready, Unkept};
pub use journal::{Edit, Found, Gone, Group, Journal, JournalError, Unfinished, journal_of};
pub use key::MatchKey;
pub use moments::Related;
pub(crate) use nearest::difference;
pub(crate) use placeholders::{Bindings, Console, bind, bind_texts, same_but_for_placeholders};
pub(crate) use resources::Resources;
pub use rules::{MatchRules, NAMES_MAX, Normal};
pub use shown::Shown;
pub use store::FILE_MAX_BYTES;

/// Interactions, and where they are from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cassette {
    /// How people call it: `forensics/create-case`, or the file's name without `.json`.
    pub name: String,
    /// What is known of the console that was recorded.
    pub recorded_from: RecordedFrom,
    /// The interactions; in a file in canonical order, within one resource in the order their requests began.
    pub interactions: Vec<Interaction>,
    /// What `NAME.match.toml` beside the file says of matching; no part of the file itself.
    pub matching: MatchRules,
    /// A journal beside the file that it does not have the interactions of, or was read from.
    pub unfinished: Option<Unfinished>,
}

/// Where a cassette is from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedFrom {
    /// A placeholder for the console's host name: `host-1`.
    pub host: String,
    /// The `Version` header of the first recorded request that has one.
    pub api_version: Option<String>,
    /// How the console's certificate was checked.
    pub tls: TlsTrust,
    /// The content encoding asked of the console: `identity`, or `any` if the client's wish was passed on.
    pub encoding: String,
    /// Names the redaction policy that was in force ([`crate::redact::Rules::policy_hash`]).
    pub redaction: String,
}

/// How far the console's identity was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsTrust {
    /// Plain HTTP.
    #[default]
    None,
    /// Against trusted roots.
    Verified,
    /// Against one fingerprint.
    Pinned,
    /// Not at all.
    Insecure,
}

impl TlsTrust {
    /// What can be said of two recordings together.
    pub(crate) fn weaker(self, other: Self) -> Self {
        let rank = |trust| match trust {
            Self::None => 0,
            Self::Insecure => 1,
            Self::Pinned => 2,
            Self::Verified => 3,
        };
        if rank(other) < rank(self) { other } else { self }
    }
}

/// One recorded request with its response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// Short endpoint name, eight hex digits of the match key's hash, and the ordinal among equals: a new answer to
    /// the same request keeps its id.
    pub id: String,
    /// Full endpoint id, which many share; empty if no profile knows the path.
    pub endpoint: Arc<str>,
    /// The request as the client sent it, redacted.
    pub request: Request,
    /// The response as the console sent it, redacted.
    pub response: Response,
    /// Whether the recorder fetched it by itself: it lends its body and is no step of the client's.
    pub by_recorder: bool,
    /// Which write of another path it came after, where a recording tells; of such a write its own number, from 1.
    pub moment: u32,
    /// Remarks of the recorder: bytes after the end of an answer, chunk extensions that were dropped.
    pub notes: Vec<String>,
}

/// Why a cassette was not read or not written.
#[derive(Debug, thiserror::Error)]
pub enum CassetteError {
    /// Not JSON, an unknown key, or a value that could not have crossed a wire.
    #[error("{path}:{line}:{column}: {message}")]
    Invalid {
        /// The file, or the cassette's name.
        path: String,
        /// What is wrong.
        message: String,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1; the end of what is wrong.
        column: usize,
    },
    /// A format that this version does not know.
    #[error(
        "{path}:{line}:{column}: this is format {found}; this faultdeck reads formats up to {supported}: use a newer faultdeck"
    )]
    Format {
        /// The file, or the cassette's name.
        path: String,
        /// Line of the `format` key, from 1.
        line: usize,
        /// Column of the `format` key, from 1.
        column: usize,
        /// The format of the file.
        found: u32,
        /// The newest format that can be read.
        supported: u32,
    },
    /// The file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The rules for matching beside it have mistakes.
    #[error("{}", rules::in_a_line(.0))]
    Rules(Mistakes),
    /// A folder, a pipe or a device.
    #[error("{path} is {kind}, not a file")]
    NotAFile {
        /// The path.
        path: String,
        /// What it is.
        kind: crate::files::Kind,
    },
    /// Longer than what is read.
    #[error("{path} is larger than {mebibytes} MiB, the most that is read")]
    TooLarge {
        /// The file.
        path: String,
        /// The most that is read.
        mebibytes: u64,
    },
    /// The text that was about to be written reads as something else; nothing was written.
    #[error("{path} was not written: it would read back as something else")]
    Unlike {
        /// The file.
        path: String,
    },
    /// Something that looks like a credential is left after redaction; nothing was written.
    #[error("{path} was not written: it would still hold a credential at {}", places.join(", "))]
    Secret {
        /// The file.
        path: String,
        /// Where: interaction and place, never the value.
        places: Vec<String>,
    },
}

impl Cassette {
    /// Reads a file. Its name becomes the file's, without `.json`. If there is none, and a recording to it is under way or
    /// was cut short, what its journal holds is read, and nothing is changed.
    ///
    /// # Errors
    /// If it is not a regular file of at most [`FILE_MAX_BYTES`], or not a valid cassette.
    pub fn load(path: &Path) -> Result<Self, CassetteError> {
        Self::load_within(path, FILE_MAX_BYTES)
    }

    /// The same for a file of at most `most` bytes.
    ///
    /// # Errors
    /// Those of [`Cassette::load`].
    pub(crate) fn load_within(path: &Path, most: u64) -> Result<Self, CassetteError> {
        let name = path.display().to_string();
        // Most files are read in one pass; of the others the whole text says what is wrong, and where.
        let at_once =
            store::open(path, most).and_then(|(file, length)| format::read(&name, file, length, most));
        let found = match at_once {
            Some(cassette) => Ok(Ok(cassette)),
            None => store::read(path, most).map(|text| Self::parse(&name, &text)),
        };
        let mut cassette = match found {
            Ok(read) => Self { unfinished: Unfinished::beside(path), ..read? },
            Err(error) => Self::of_journal(path)?.ok_or(error)?,
        };
        cassette.matching = MatchRules::beside(path)?;
        cassette.name = PathBuf::from(path.file_name().unwrap_or_default())
            .with_extension("")
            .to_string_lossy()
            .into_owned();
        Ok(cassette)
    }

    /// What a recording to a cassette that is not there yet has come to.
    fn of_journal(path: &Path) -> Result<Option<Self>, CassetteError> {
        if path.symlink_metadata().is_ok() {
            return Ok(None);
        }
        let Some(found) = Found::beside(path)?.filter(|found| found.interactions > 0) else {
            return Ok(None);
        };
        Ok(Some(Self { unfinished: Some(found.unfinished(path)), ..found.cassette()? }))
    }

    /// Reads the text of a cassette; `name` stands in its errors.
    ///
    /// # Errors
    /// [`CassetteError::Invalid`] or [`CassetteError::Format`], with line and column.
    pub fn parse(name: &str, text: &str) -> Result<Self, CassetteError> {
        format::parse(name, text)
    }

    /// The canonical text: redacted, ids, order and placeholders right, by the built-in profile. For the text of a
    /// file that faultdeck wrote, `to_text(parse(text)) == text`.
    pub fn to_text(&self) -> String {
        let mut canonical = self.clone();
        canonical.canonicalise(Profile::builtin());
        write::text(&canonical)
    }

    /// Writes the canonical text, once it has been read back and compared: to a file beside it, synced, then renamed;
    /// mode 0600. Missing folders are made.
    ///
    /// # Errors
    /// If it cannot be written, could not be loaded again, or holds a credential that could not be redacted; the old
    /// file, if there is one, is untouched then.
    pub fn save(&self, path: &Path) -> Result<(), CassetteError> {
        self.save_by(path, &Rules::default())
    }

    /// The same, redacted by rules of the user's own beside the built-in ones.
    ///
    /// # Errors
    /// Those of [`Cassette::save`].
    pub(crate) fn save_by(&self, path: &Path, rules: &Rules) -> Result<(), CassetteError> {
        let text = self.checked(path, rules)?;
        store::write(path, std::iter::once(text.as_str()))
    }

    /// The same for a recording: its journal knows the file that is going to hold all of it.
    ///
    /// # Errors
    /// Those of [`Cassette::save`].
    pub(crate) fn save_recording(
        &self,
        path: &Path,
        rules: &Rules,
        journal: &mut Journal,
    ) -> Result<(), CassetteError> {
        let text = self.checked(path, rules)?;
        // Without the note a kill before the journal goes leaves both; that they are the same is then not known.
        let _ = journal.done(&journal::digest(text.as_bytes()));
        store::write(path, std::iter::once(text.as_str()))
    }

    /// The canonical text, certain to be clean and to be read again.
    fn checked(&self, path: &Path, rules: &Rules) -> Result<String, CassetteError> {
        let mut canonical = self.clone();
        canonical::canonicalise_by(&mut canonical, Profile::builtin(), rules);
        let places = canonical.unredacted_by(rules);
        if !places.is_empty() {
            let places = places.iter().map(ToString::to_string).collect();
            return Err(CassetteError::Secret { path: path.display().to_string(), places });
        }
        let text = write::text(&canonical);
        canonical.check_back(path, &text)?;
        Ok(text)
    }

    /// Takes the API version from the first interaction that has one.
    pub(crate) fn put_version(&mut self) {
        let mut versions = self.interactions.iter().filter_map(|it| it.request.headers.text("Version"));
        self.recorded_from.api_version = versions.next().map(std::borrow::Cow::into_owned);
    }

    /// Whether `text`, which is going to be the file at `path`, reads as this cassette.
    fn check_back(&self, path: &Path, text: &str) -> Result<(), CassetteError> {
        let path = path.display().to_string();
        if text.len() as u64 > FILE_MAX_BYTES {
            return Err(CassetteError::TooLarge { path, mebibytes: FILE_MAX_BYTES / (1024 * 1024) });
        }
        let back = Self::parse(&path, text)?;
        let same = back.recorded_from == self.recorded_from && back.interactions == self.interactions;
        if same { Ok(()) } else { Err(CassetteError::Unlike { path }) }
    }

    /// Redacts, and puts order, placeholders, endpoints and ids right, in place.
    pub fn canonicalise(&mut self, profile: &Profile) {
        canonical::canonicalise(self, profile);
    }

    /// Places of what looks like a credential and is not redacted. Never a value. Empty for every file that faultdeck
    /// wrote.
    pub fn unredacted(&self) -> Vec<Unredacted> {
        self.unredacted_by(&Rules::default())
    }

    /// The same, by rules of the user's own beside the built-in ones.
    pub(crate) fn unredacted_by(&self, rules: &Rules) -> Vec<Unredacted> {
        let mut found = Vec::new();
        for (index, interaction) in self.interactions.iter().enumerate() {
            let id = &interaction.id;
            let mut note = |side: Side, all: Vec<Open>| {
                found.extend(all.into_iter().map(|open| Unredacted { index, id: id.clone(), side, open }));
            };
            note(Side::Request, redact::open_in_request(&interaction.request, rules));
            note(Side::Response, redact::open_in_response(&interaction.response, rules));
        }
        found
    }
}

/// A side of an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What the client sent.
    Request,
    /// What the console answered.
    Response,
}

/// A credential in a cassette that is not redacted. In words: `cases.list-... request header SEC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unredacted {
    /// The interaction's place in the cassette.
    pub index: usize,
    /// The interaction's id.
    pub id: String,
    /// The side it stands on.
    pub side: Side,
    /// The part of it, and the place in that.
    pub open: Open,
}

impl std::fmt::Display for Unredacted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = match self.side {
            Side::Request => "request",
            Side::Response => "response",
        };
        write!(f, "{} {side} {}", self.id, self.open.place)
    }
}
