//! [`Diagnostic`]: a mistake in a text.

use std::ops::Range;

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
