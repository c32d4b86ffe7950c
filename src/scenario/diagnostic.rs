//! Mistakes in a text, and why a scenario cannot be had.

use std::ops::Range;

use super::Mistakes;

/// A mistake in a text: what, where, and the fix. `cli` renders it with a caret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {message}")]
pub struct Diagnostic {
    /// The file as the user named it.
    pub file: String,
    /// The whole text.
    pub text: String,
    /// What is wrong, in a sentence without its full stop.
    pub message: String,
    /// Which bytes of the text.
    pub at: Range<usize>,
    /// What to write beside them.
    pub label: String,
    /// The way out.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Line and column of the first byte, both from 1; columns count characters.
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.text.get(..self.at.start).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (line, before.get(start..).unwrap_or("").chars().count() + 1)
    }
}

/// Why a scenario cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The text has mistakes.
    #[error(transparent)]
    Invalid(#[from] Mistakes),
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No scenario is called so.
    #[error("no scenario is called `{name}`")]
    NoSuch {
        /// The name.
        name: String,
        /// Names that look like it, the nearest first.
        nearest: Vec<String>,
        /// The fault that is called so, in one line, if there is one.
        fault: Option<String>,
    },
    /// Several scenarios are called so.
    #[error("`{name}` means several scenarios: {full}", full = full.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// Their full names.
        full: Vec<String>,
    },
}
