//! What can still be read of a text that is not TOML.
//!
//! A line that is a statement of its own and wrong in itself is taken out, and the rest is read: so a forgotten quote hides
//! no other mistake. Nothing is guessed: where a line may have been meant to open or close something, reading ends before
//! it.

use std::borrow::Cow;
use std::ops::Range;

use toml::de::{DeTable, Error};

use super::mistakes::SHOWN_MOST;

/// So many lines before a mistake are searched for the start of what it is in.
const LINES_BACK: usize = 50;

/// A text that is TOML, each byte of it where it stands in the text as written.
#[derive(Debug)]
pub(super) struct Mended<'t> {
    pub(super) toml: Cow<'t, str>,
    /// Why the text as written is not TOML, in its order.
    pub(super) errors: Vec<Error>,
    /// Whether some of the text is not read, apart from lines with errors.
    pub(super) is_cut: bool,
}

/// Takes out of `text` what is not TOML.
pub(super) fn mend(text: &str) -> Mended<'_> {
    let mut toml = Cow::Borrowed(text);
    let mut errors = Vec::new();
    for _ in 0..SHOWN_MOST {
        let Err(error) = DeTable::parse(&toml) else { return Mended { toml, errors, is_cut: false } };
        let line = line_of(text, error.span().unwrap_or(0..0).start);
        errors.push(error);
        match without(&toml, line.clone()) {
            Some(mended) => toml = Cow::Owned(mended),
            None => {
                let before = before(&toml, line.start).to_owned();
                let is_cut = before.len() < line.start || line.end < text.len();
                return Mended { toml: Cow::Owned(before), errors, is_cut };
            }
        }
    }
    Mended { toml: Cow::Borrowed(""), errors, is_cut: true }
}

/// The lines before `end` that are TOML by themselves. What was left open may have begun some lines earlier; nothing, if it
/// was many.
fn before(text: &str, end: usize) -> &str {
    let mut before = text.get(..end).unwrap_or_default();
    for _ in 0..LINES_BACK {
        if DeTable::parse(before).is_ok() {
            return before;
        }
        let earlier = before.trim_end_matches('\n').rfind('\n').map_or(0, |end| end + 1);
        before = before.get(..earlier).unwrap_or_default();
    }
    ""
}

/// The line around a place, without its end.
fn line_of(text: &str, at: usize) -> Range<usize> {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    start..at + after.find('\n').unwrap_or(after.len())
}

/// The text with blanks in place of a line, if that line is a whole statement: the text before it is TOML, it is no header
/// of a table, and it leaves nothing open.
fn without(text: &str, line: Range<usize>) -> Option<String> {
    let (before, rest) = text.split_at_checked(line.start)?;
    let (wrong, after) = rest.split_at_checked(line.len())?;
    let count = |of: [char; 2]| wrong.matches(of).count();
    let is_header = wrong.trim_start().starts_with(['[', ']']);
    let is_whole =
        count(['[', '{']) == count([']', '}']) && !wrong.contains("\"\"\"") && !wrong.contains("'''");
    let is_statement = !is_header && is_whole && !wrong.trim().is_empty() && DeTable::parse(before).is_ok();
    is_statement.then(|| format!("{before}{}{after}", " ".repeat(wrong.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str) -> (usize, String, bool) {
        let mended = mend(text);
        assert!(DeTable::parse(&mended.toml).is_ok(), "{text}");
        (mended.errors.len(), mended.toml.split_whitespace().collect::<Vec<_>>().join(" "), mended.is_cut)
    }

    #[test]
    fn a_line_that_is_wrong_in_itself_is_taken_out() {
        assert_eq!(mended("a = \"x\nb = tru\nc = 1\nc = 2\nd = 3\n"), (3, "c = 1 d = 3".into(), false));
        assert_eq!(mended("a = 1\n"), (0, "a = 1".into(), false));
    }

    #[test]
    fn what_may_open_or_close_something_ends_the_reading() {
        assert_eq!(mended("a = 1\n[[fault]\nwhen = 2\n"), (1, "a = 1".into(), true));
        assert_eq!(mended("a = 1\nb = [1, 2\n[must]\nx = 1\n"), (1, "a = 1".into(), true));
        assert_eq!(mended("z = 1\na = [\n1,\nb = 3\n"), (1, "z = 1".into(), true));
        assert_eq!(mended("a = \"\"\"x\nb = 3\n"), (1, String::new(), true));
    }

    #[test]
    fn every_byte_stays_where_it_is() {
        let mended = mend("a = \u{e9}\nb = 1\n");
        assert_eq!(mended.toml, "      \nb = 1\n");
    }
}
