//! All mistakes of one text: collected while it is read, told in its order.

use std::fmt;

use super::{Diagnostic, Named};

/// So many mistakes of a text are kept; of the others only the number is.
pub(crate) const SHOWN_MOST: usize = 20;

/// The mistakes of a text, in its order: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    shown: Vec<Diagnostic>,
    more: usize,
    names: Vec<Named>,
    is_cut: bool,
}

impl Mistakes {
    /// The first ones, at most twenty.
    pub fn shown(&self) -> &[Diagnostic] {
        &self.shown
    }

    /// How many there are beside [`Self::shown`].
    pub fn more(&self) -> usize {
        self.more
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.shown.len() + self.more
    }

    /// The names in the text that a higher layer resolves: those of properties. They are read although the rest is wrong,
    /// so that a wrong one among them is told with the rest.
    pub fn names(&self) -> &[Named] {
        &self.names
    }

    /// Whether the text is not TOML in such a way that what comes after the mistakes was not read.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// These and others of the same text.
    #[must_use]
    pub fn and(mut self, others: impl IntoIterator<Item = Diagnostic>) -> Self {
        let mut found = Found { kept: std::mem::take(&mut self.shown), more: self.more, names: Vec::new() };
        others.into_iter().for_each(|other| found.add(other));
        Self { shown: found.kept, more: found.more, ..self }
    }
}

impl From<Diagnostic> for Mistakes {
    fn from(only: Diagnostic) -> Self {
        Self { shown: vec![only], more: 0, names: Vec::new(), is_cut: false }
    }
}

impl fmt::Display for Mistakes {
    /// The first in words, and how many more there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first) = self.shown.first() {
            write!(f, "{first}")?;
        }
        match self.count() {
            0 | 1 => Ok(()),
            2 => f.write_str("; and 1 more mistake"),
            count => write!(f, "; and {} more mistakes", count - 1),
        }
    }
}

impl std::error::Error for Mistakes {}

/// What is found while a text is read.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order of the text, whatever order it is read in.
    kept: Vec<Diagnostic>,
    more: usize,
    names: Vec<Named>,
}

impl Found {
    pub(super) fn add(&mut self, mistake: Diagnostic) {
        if self.kept.contains(&mistake) {
            return;
        }
        let place = self.kept.partition_point(|known| known.at.start <= mistake.at.start);
        self.kept.insert(place, mistake);
        if self.kept.len() > SHOWN_MOST {
            self.kept.pop();
            self.more += 1;
        }
    }

    /// So many others, none of which would be among those that are shown.
    pub(super) fn more(&mut self, others: usize) {
        self.more += others;
    }

    pub(super) fn name(&mut self, name: Named) {
        self.names.push(name);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// With the text they were found in, which is not kept for each while it is read.
    pub(super) fn into_mistakes(self, file: &str, text: &str, is_cut: bool) -> Mistakes {
        let with_text = |mistake| Diagnostic { file: file.to_owned(), text: text.to_owned(), ..mistake };
        let shown = self.kept.into_iter().map(with_text).collect();
        Mistakes { shown, more: self.more, names: self.names, is_cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(start: usize) -> Diagnostic {
        Diagnostic {
            file: String::new(),
            text: String::new(),
            message: format!("mistake {start}"),
            at: start..start + 1,
            label: String::new(),
            help: None,
        }
    }

    #[test]
    fn the_first_twenty_in_the_order_of_the_text_are_kept_and_the_others_counted() {
        let mut found = Found::default();
        [5, 5].into_iter().chain((0..50).rev()).for_each(|start| found.add(mistake(start)));
        let mistakes = found.into_mistakes("a.toml", "text", false);
        assert_eq!((mistakes.more(), mistakes.count()), (30, 50));
        let starts: Vec<usize> = mistakes.shown().iter().map(|mistake| mistake.at.start).collect();
        assert_eq!(starts, (0..20).collect::<Vec<_>>());
        assert!(mistakes.shown().iter().all(|mistake| mistake.file == "a.toml" && mistake.text == "text"));
    }

    #[test]
    fn several_are_one_sentence() {
        let one = Mistakes::from(mistake(7));
        assert_eq!(one.to_string(), ": mistake 7");
        assert_eq!(one.clone().and([mistake(3)]).to_string(), ": mistake 3; and 1 more mistake");
        assert_eq!(one.and([mistake(3), mistake(9)]).to_string(), ": mistake 3; and 2 more mistakes");
    }
}
