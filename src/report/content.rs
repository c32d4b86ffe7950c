//! [`Content`]: what a report is made from.

use crate::ledger::Line;

/// Lines of a ledger, each with how often it came: all of them, or a [`Digest`](super::Digest).
#[derive(Clone, Debug)]
pub struct Content<'a> {
    pub(super) lines: Vec<(&'a Line, usize)>,
    /// Misses, refusals and remarks that are counted alone.
    pub(super) passed_over: u64,
    /// Whether every exchange is there, and all of it.
    pub(super) is_whole: bool,
}

impl<'a> Content<'a> {
    /// What was run: the verb of the first session; empty if there is none.
    pub fn verb(&self) -> &'a str {
        let verb =
            |(line, _): &(&'a Line, usize)| if let Line::Run(run) = line { Some(&*run.verb) } else { None };
        self.lines.iter().find_map(verb).unwrap_or_default()
    }
}

impl<'a> From<&'a [Line]> for Content<'a> {
    fn from(lines: &'a [Line]) -> Self {
        Self { lines: lines.iter().map(|line| (line, 1)).collect(), passed_over: 0, is_whole: true }
    }
}

impl<'a> From<&'a Vec<Line>> for Content<'a> {
    fn from(lines: &'a Vec<Line>) -> Self {
        lines.as_slice().into()
    }
}

impl<'a, const N: usize> From<&'a [Line; N]> for Content<'a> {
    fn from(lines: &'a [Line; N]) -> Self {
        lines.as_slice().into()
    }
}
