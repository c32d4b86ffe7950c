//! An area: the endpoints of one file, read when somebody asks for them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde_json::value::RawValue;

use super::description::{Description, Name};
use super::endpoint::{self, Endpoint};
use super::facts::Facts;
use super::lifecycle::Vocabularies;
use super::sections::Sections;
use super::{Lifecycle, Observation, ProfileError, lifecycle, load};

/// A file of endpoints, in one of two forms.
#[derive(Debug)]
pub(super) struct Area {
    /// The first segment of its paths; `None` for a file that may hold any.
    root: Option<&'static str>,
    /// What it is called in errors.
    file: Cow<'static, str>,
    text: Cow<'static, str>,
    vocabularies: Arc<Vocabularies>,
    read: OnceLock<Contents>,
}

/// What stands in a file.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) entries: Vec<Entry>,
    /// The places of the entries whose templates have so many segments.
    by_length: Vec<Vec<usize>>,
    pub(super) lifecycles: Vec<Lifecycle>,
    /// What a console was seen to do.
    pub(super) observed: Vec<Observation>,
}

/// An endpoint in a file.
#[derive(Debug)]
pub(super) struct Entry {
    /// Method and template.
    pub(super) id: String,
    /// The segments of the template.
    segments: Box<[Segment]>,
    /// Where the method ends.
    method_end: usize,
    form: Form,
    read: OnceLock<Endpoint>,
}

/// A segment of a template.
#[derive(Debug)]
pub(super) struct Segment {
    /// Where it stands in the id.
    at: Range<usize>,
    /// Whether any text that is not empty stands in its place.
    pub(super) is_parameter: bool,
}

#[derive(Debug)]
enum Form {
    /// A section of facts.
    Facts(Range<usize>),
    /// A console's own description.
    Description(Range<usize>),
}

impl Area {
    pub(super) fn of_root(
        root: &'static str,
        file: &'static str,
        text: &'static str,
        vocabularies: &Arc<Vocabularies>,
    ) -> Self {
        let vocabularies = Arc::clone(vocabularies);
        Self { root: Some(root), file: file.into(), text: text.into(), vocabularies, read: OnceLock::new() }
    }

    /// A file of somebody's own: it may hold any path, and is read at once.
    pub(super) fn of_file(
        file: &str,
        text: &str,
        vocabularies: &Arc<Vocabularies>,
    ) -> Result<Self, ProfileError> {
        let area = Self {
            root: None,
            file: Cow::Owned(file.to_owned()),
            text: Cow::Owned(text.to_owned()),
            vocabularies: Arc::clone(vocabularies),
            read: OnceLock::new(),
        };
        area.check()?;
        Ok(area)
    }

    pub(super) fn may_hold(&self, root: &str) -> bool {
        self.root.is_none_or(|own| own == root)
    }

    /// Whether it is no file in the binary.
    pub(super) fn is_of_ones_own(&self) -> bool {
        self.root.is_none()
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// What stands in it, its endpoints still unread.
    pub(super) fn contents(&self) -> &Contents {
        self.read.get_or_init(|| self.index().expect("a file of profiles is checked before it is used"))
    }

    pub(super) fn endpoint<'a>(&'a self, entry: &'a Entry) -> &'a Endpoint {
        entry
            .read
            .get_or_init(|| self.parsed(entry).expect("a file of profiles is checked before it is used"))
    }

    /// How a console would describe the endpoint of this entry.
    pub(super) fn description(&self, entry: &Entry, version: super::Version) -> Description {
        match &entry.form {
            Form::Description(range) => {
                self.described(range).expect("a file of profiles is checked before it is used")
            }
            Form::Facts(_) => Description::of(self.endpoint(entry), version),
        }
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// The first thing that is wrong with the file.
    pub(super) fn check(&self) -> Result<(), ProfileError> {
        let contents = match self.read.get() {
            Some(contents) => contents,
            None => {
                let contents = self.index()?;
                self.read.get_or_init(|| contents)
            }
        };
        let mut seen = std::collections::BTreeSet::new();
        for entry in &contents.entries {
            let endpoint = self.parsed(entry)?;
            if !seen.insert(entry.id.as_str()) {
                return Err(ProfileError::Twice { file: self.file.to_string(), endpoint: endpoint.id });
            }
            entry.read.get_or_init(|| endpoint);
        }
        Ok(())
    }

    fn index(&self) -> Result<Contents, ProfileError> {
        if self.file.ends_with(".json") { self.index_of_json() } else { self.index_of_toml() }
    }

    fn index_of_json(&self) -> Result<Contents, ProfileError> {
        let parts: Vec<&RawValue> =
            serde_json::from_str(&self.text).map_err(|error| self.not_described(error))?;
        let begin = self.text.as_ptr().addr();
        let entry = |part: &RawValue| {
            let name: Name<'_> = serde_json::from_str(part.get())?;
            let from = part.get().as_ptr().addr() - begin;
            Ok(Entry::new(name.endpoint_id(), Form::Description(from..from + part.get().len())))
        };
        let entries: Result<_, serde_json::Error> = parts.into_iter().map(entry).collect();
        Ok(Contents::of(entries.map_err(|error| self.not_described(error))?))
    }

    fn described(&self, range: &Range<usize>) -> Result<Description, ProfileError> {
        let part = self.text.get(range.clone()).unwrap_or_default();
        serde_json::from_str(part).map_err(|error| self.not_described(error))
    }

    /// What is wrong with the whole file, by its lines, where a part of it is wrong.
    fn not_described(&self, part: serde_json::Error) -> ProfileError {
        let source = serde_json::from_str::<Vec<Description>>(&self.text).err().unwrap_or(part);
        ProfileError::Endpoints { file: self.file.to_string(), source }
    }

    fn index_of_toml(&self) -> Result<Contents, ProfileError> {
        let sections = Sections::of(&self.text);
        let part = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        let entry = |section: super::sections::Section| {
            Entry::new(part(&section.id).to_owned(), Form::Facts(section.text))
        };
        let others: String = sections.others.iter().map(part).collect();
        let rows: lifecycle::Rows = toml::from_str(&others).map_err(|source| {
            // Once more with the lines of the file.
            let all = sections.others_in_place(&self.text);
            let source = toml::from_str::<lifecycle::Rows>(&all).err().unwrap_or(source);
            ProfileError::lifecycles(&self.file, &all, source)
        })?;
        let lifecycles: Result<Vec<Lifecycle>, String> =
            rows.lifecycle.into_iter().map(|row| row.into_lifecycle(&self.vocabularies)).collect();
        Ok(Contents {
            observed: rows.observed,
            lifecycles: lifecycles
                .map_err(|why| ProfileError::Lifecycle { file: self.file.to_string(), why })?,
            ..Contents::of(sections.endpoints.into_iter().map(entry).collect())
        })
    }

    fn parsed(&self, entry: &Entry) -> Result<Endpoint, ProfileError> {
        match &entry.form {
            Form::Description(range) => self.described(range)?.to_endpoint().map_err(|source| {
                ProfileError::Sample { file: self.file.to_string(), endpoint: entry.id.clone(), source }
            }),
            Form::Facts(range) => {
                let text = self.text.get(range.clone()).unwrap_or_default();
                let above = self.text.get(..range.start).unwrap_or_default().matches('\n').count();
                let facts: Facts = toml::from_str(text).map_err(|source| ProfileError::Facts {
                    file: self.file.to_string(),
                    line: above + load::line_of(text, &source),
                    endpoint: entry.id.clone(),
                    source: Box::new(source),
                })?;
                let (method, template) = entry.id.split_once(' ').unwrap_or(("", &entry.id));
                Ok(facts.into_endpoint(method, template))
            }
        }
    }
}

impl Contents {
    fn of(entries: Vec<Entry>) -> Self {
        let mut by_length: Vec<Vec<usize>> = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            let length = entry.segments.len();
            by_length.resize_with(by_length.len().max(length + 1), Vec::new);
            by_length.iter_mut().skip(length).take(1).for_each(|places| places.push(place));
        }
        Self { entries, by_length, ..Self::default() }
    }

    /// The entries whose templates have so many segments, in order.
    pub(super) fn of_length(&self, length: usize) -> impl Iterator<Item = &Entry> {
        let places = self.by_length.get(length).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|place| self.entries.get(*place))
    }
}

impl Entry {
    fn new(id: String, form: Form) -> Self {
        let method_end = id.find(' ').unwrap_or_default();
        let mut segments = Vec::new();
        let mut from = id.find('/').map_or(id.len(), |slash| slash + 1);
        for segment in id.split('/').skip(1) {
            let at = from..from + segment.len();
            from = at.end + 1;
            segments.push(Segment { at, is_parameter: endpoint::is_parameter(segment) });
        }
        Self { id, segments: segments.into(), method_end, form, read: OnceLock::new() }
    }

    pub(super) fn method(&self) -> &str {
        self.id.get(..self.method_end).unwrap_or_default()
    }

    /// The segments of the template, each with its text.
    pub(super) fn segments(&self) -> impl DoubleEndedIterator<Item = (&Segment, &str)> {
        self.segments.iter().map(|segment| (segment, self.id.get(segment.at.clone()).unwrap_or_default()))
    }
}
