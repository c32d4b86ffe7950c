//! What a person is taught of a law: why it matters, what it rests on, one example that breaks it and one that keeps it,
//! its limits, and the fix. One file a law, `lesson/<id>.toml`; the tests put both examples of each to the law itself.

use serde::Deserialize;

use super::law::Property;
use crate::profile::Source;

/// The lessons. The first line of each is the id of its property.
static LESSONS: &[&str] = &[
    include_str!("lesson/asks-for-what-it-was-told.toml"),
    include_str!("lesson/right-address.toml"),
    include_str!("lesson/reports-what-it-got.toml"),
    include_str!("lesson/invents-nothing.toml"),
    include_str!("lesson/survives-the-unrequested.toml"),
    include_str!("lesson/selector-laws.toml"),
    include_str!("lesson/names-the-error.toml"),
    include_str!("lesson/terminates.toml"),
    include_str!("lesson/partial-is-usable-not-done.toml"),
    include_str!("lesson/creates-once.toml"),
    include_str!("lesson/says-what-it-heard.toml"),
    include_str!("lesson/pages-through.toml"),
    include_str!("lesson/creates-what-it-was-told.toml"),
    include_str!("lesson/patient-not-greedy.toml"),
    include_str!("lesson/keeps-secrets.toml"),
    include_str!("lesson/verifies-tls.toml"),
    include_str!("lesson/keeps-the-session.toml"),
    include_str!("lesson/heeds-deprecation.toml"),
];

/// What a person is taught of a law.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// The property's id.
    pub id: String,
    /// Whether the law gives advice alone: what does not heed it is told so, and holds.
    #[serde(default)]
    pub advice: bool,
    /// Whether its examples are told in words alone, because what they show is no line of an exchange: a handshake, say.
    #[serde(default)]
    pub told_only: bool,
    /// Why the law matters: what becomes of whoever relies on a client that breaks it.
    pub why: String,
    /// What the law does not judge.
    pub beyond: String,
    /// The facts about the API that it rests on.
    #[serde(rename = "fact")]
    pub facts: Vec<Fact>,
    /// An example that breaks it.
    pub fails: Example,
    /// An example that keeps it.
    pub holds: Example,
    /// How a client is mended.
    pub fix: Fix,
}

/// A fact about the API.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The fact.
    pub says: String,
    /// How sure it is: a word of [`Source`].
    pub source: String,
}

/// What one client was told, sent, got and reported.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Why the law says what it says here.
    pub because: String,
    /// A line each, as evidence has them: `told:`, `sent:`, `got:`, `reported:`.
    pub example: String,
}

/// How a client is mended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// What to do.
    pub says: String,
    /// In Python.
    pub python: String,
    /// In Go.
    pub go: String,
    /// In JavaScript, for Node.
    pub node: String,
}

impl Fact {
    /// How sure it is, if the file uses a word that there is.
    pub fn source(&self) -> Option<Source> {
        let all = [Source::Documented, Source::Seen, Source::OneSource, Source::Inferred, Source::Ours];
        all.into_iter().find(|source| source.as_str() == self.source)
    }
}

impl Fix {
    /// The fix in each language, by its name.
    pub fn languages(&self) -> [(&'static str, &str); 3] {
        [("Python", &self.python), ("Go", &self.go), ("Node", &self.node)]
    }
}

impl Property {
    /// What is taught of it.
    ///
    /// # Errors
    /// If its file cannot be read, which no file of the binary does; a law without a file has no lesson.
    pub fn lesson(&self) -> Result<Option<Lesson>, toml::de::Error> {
        let first = format!("id = \"{}\"", self.id);
        let text = LESSONS.iter().find(|text| text.lines().next() == Some(&*first));
        text.map(|text| toml::from_str(text)).transpose()
    }
}

#[cfg(test)]
mod tests;
