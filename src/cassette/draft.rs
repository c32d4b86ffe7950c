//! A cassette while it is being recorded.
//!
//! Each interaction is made ready once, when it comes in: users become placeholders, its text is written, and the text
//! is read back and compared. So the one that could not be read again is found there and then, and a save in the middle
//! of a recording costs no more than handing out texts. Order, numbers and ids become canonical at the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::customer::Customers;
use super::{
    Cassette, CassetteError, FILE_MAX_BYTES, Interaction, RecordedFrom, canonical, format, store, write,
};
use crate::profile::Profile;
use crate::redact::{self, Rules};

/// What a draft may grow to. The canonical text is about as long; the rest of [`FILE_MAX_BYTES`] is for the difference.
const BYTES_MAX: u64 = FILE_MAX_BYTES / 16 * 15;

/// A draft that is no longer than this is saved in its canonical form each time.
const SHORT_BYTES_MAX: u64 = 1024 * 1024;

/// Why an interaction cannot be in a cassette.
#[derive(Debug, thiserror::Error)]
pub enum Unkept {
    /// Its text could not be read again.
    #[error("a cassette cannot hold it: {0}")]
    Unreadable(String),
    /// Its text reads as something else.
    #[error("a cassette cannot hold it: it reads back as something else")]
    Changed,
    /// A credential is left that could not be taken out.
    #[error("a credential could not be taken out of its {0}")]
    Secret(String),
    /// A secret that was learnt later could stand in it, or not be taken out.
    #[error("{0}")]
    Unsearchable(&'static str),
    /// The cassette is as long as one may be.
    #[error("the cassette is full: one over 256 MiB could not be loaded")]
    Full,
}

/// An interaction that is certain to be readable, with its text.
#[derive(Debug)]
pub struct Ready {
    interaction: Arc<Interaction>,
    text: Arc<str>,
}

/// What makes interactions ready.
#[derive(Debug)]
pub struct Intake {
    profile: &'static Profile,
    rules: Rules,
    /// A value has the same placeholder in all interactions of a recording.
    customers: Mutex<Customers>,
}

impl Intake {
    /// For one recording, redacted by these rules beside the built-in ones.
    pub fn new(profile: &'static Profile, rules: Rules) -> Self {
        let customers = Mutex::new(Customers::new(&rules));
        Self { profile, rules, customers }
    }

    /// Makes a redacted interaction ready. `place` is its number in the recording.
    ///
    /// # Errors
    /// If no cassette can hold it, or if it is not redacted after all.
    pub fn ready(&self, place: u64, mut interaction: Interaction) -> Result<Ready, Unkept> {
        {
            let mut customers = self.customers.lock().unwrap_or_else(PoisonError::into_inner);
            customers.learn(&interaction, self.profile);
            customers.number();
            customers.put(&mut interaction, self.profile);
        }
        self.again(place, interaction)
    }

    /// Puts placeholders in the place of what was learnt after an interaction came in; nothing that is one already is
    /// touched.
    pub(crate) fn late(&self, cassette: &mut Cassette) {
        let customers = self.customers.lock().unwrap_or_else(PoisonError::into_inner).without_placeholders();
        for interaction in &mut cassette.interactions {
            customers.put(interaction, self.profile);
        }
    }

    /// The rules of the recording.
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Makes an interaction ready that was so before, and was redacted further since.
    ///
    /// # Errors
    /// Those of [`Intake::ready`].
    pub(crate) fn again(&self, place: u64, mut interaction: Interaction) -> Result<Ready, Unkept> {
        let found = self.profile.find(&interaction.request.method, interaction.request.path());
        interaction.endpoint = found.map(|found| found.endpoint.id.clone()).unwrap_or_default();
        interaction.id = format!("{}-{place}", canonical::id_stem(&interaction, self.profile));
        let mut open = redact::open_in_request(&interaction.request, &self.rules);
        open.extend(redact::open_in_response(&interaction.response, &self.rules));
        if let Some(open) = open.into_iter().next() {
            return Err(Unkept::Secret(open.place));
        }
        let text = write::interaction(&interaction);
        match format::parse_interaction(&text) {
            Err(message) => Err(Unkept::Unreadable(message)),
            Ok(back) if back != interaction => Err(Unkept::Changed),
            Ok(_) => Ok(Ready { interaction: Arc::new(interaction), text: text.into() }),
        }
    }
}

/// Interactions by the order in which their requests began.
#[derive(Debug)]
pub struct Draft {
    name: String,
    from: RecordedFrom,
    held: BTreeMap<u64, Ready>,
    bytes: u64,
    /// The first that has a `Version` header.
    version: Option<(u64, String)>,
}

impl Draft {
    /// An empty one.
    pub fn new(name: &str, from: RecordedFrom) -> Self {
        Self { name: name.to_owned(), from, held: BTreeMap::new(), bytes: 0, version: None }
    }

    /// How many interactions it holds.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether its canonical form is made in no time.
    pub(crate) fn is_short(&self) -> bool {
        self.bytes <= SHORT_BYTES_MAX
    }

    /// Takes an interaction in, or puts a new form of it in the place of the old one.
    ///
    /// # Errors
    /// [`Unkept::Full`]; the one that was in its place, if any, is gone then.
    pub fn put(&mut self, place: u64, ready: Ready) -> Result<(), Unkept> {
        self.take_out(place);
        let bytes = self.bytes.saturating_add(ready.text.len() as u64);
        if bytes > BYTES_MAX {
            return Err(Unkept::Full);
        }
        self.bytes = bytes;
        if self.version.as_ref().is_none_or(|(first, _)| place <= *first)
            && let Some(version) = ready.interaction.request.headers.text("Version")
        {
            self.version = Some((place, version.into_owned()));
        }
        self.held.insert(place, ready);
        Ok(())
    }

    /// Leaves an interaction out.
    pub(crate) fn take_out(&mut self, place: u64) {
        if let Some(old) = self.held.remove(&place) {
            self.bytes = self.bytes.saturating_sub(old.text.len() as u64);
        }
    }

    /// The interactions as they are now, with their places.
    pub(crate) fn interactions(&self) -> Vec<(u64, Arc<Interaction>)> {
        self.held.iter().map(|(place, ready)| (*place, Arc::clone(&ready.interaction))).collect()
    }

    /// The texts as they are now.
    pub fn snapshot(&self) -> Snapshot {
        let mut head = String::new();
        write::head(&mut head, &self.from());
        Snapshot { head, texts: self.held.values().map(|ready| Arc::clone(&ready.text)).collect() }
    }

    /// The whole cassette, not yet canonical.
    pub fn cassette(&self) -> Cassette {
        let interactions = self.held.values().map(|ready| Interaction::clone(&ready.interaction)).collect();
        Cassette { name: self.name.clone(), recorded_from: self.from(), interactions, ..Cassette::default() }
    }

    fn from(&self) -> RecordedFrom {
        let version = self.version.as_ref().map(|(_, version)| version.clone());
        RecordedFrom { api_version: version, ..self.from.clone() }
    }
}

/// The texts of a draft at one moment.
#[derive(Debug)]
pub struct Snapshot {
    head: String,
    texts: Vec<Arc<str>>,
}

impl Snapshot {
    /// Puts the draft in the place of a file: a cassette that loads, its numbers not yet canonical.
    ///
    /// # Errors
    /// If the file cannot be written; the old one, if there is one, is untouched then.
    pub fn save(&self, path: &Path) -> Result<(), CassetteError> {
        store::write(path, self.parts())
    }

    fn parts(&self) -> impl Iterator<Item = &str> {
        let between = self
            .texts
            .iter()
            .enumerate()
            .flat_map(|(place, text)| [if place == 0 { write::FIRST } else { write::NEXT }, text]);
        let end = if self.texts.is_empty() { write::END_EMPTY } else { write::END };
        std::iter::once(self.head.as_str()).chain(between).chain([end])
    }
}
