//! A profile file cut into its sections, without reading what stands in them.
//!
//! A file is TOML. A line that begins with `["GET /a/b"]` begins an endpoint; any other `[` at the start of a line
//! begins something about the whole file, a `[[lifecycle]]` for instance. Only the sections that a run needs are read.

use std::ops::Range;

/// An endpoint's section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// Method and template, where they stand in the file.
    pub(super) id: Range<usize>,
    /// What stands below the heading.
    pub(super) text: Range<usize>,
}

/// A file's sections: of endpoints, and of everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sections {
    pub(super) endpoints: Vec<Section>,
    pub(super) others: Vec<Range<usize>>,
}

impl Sections {
    pub(super) fn of(file: &str) -> Self {
        let mut sections = Self::default();
        let mut begun = Begun { heading: None, from: 0 };
        let mut quotes = Quotes::None;
        let mut at = 0;
        for line in file.split_inclusive('\n') {
            if quotes == Quotes::None && line.starts_with('[') {
                sections.end(begun, at);
                let heading = heading(line).map(|id| at + id.start..at + id.end);
                // What is no endpoint keeps its heading, as TOML needs it.
                let from = if heading.is_some() { at + line.len() } else { at };
                begun = Begun { heading, from };
            } else {
                quotes = quotes.after(line);
            }
            at += line.len();
        }
        sections.end(begun, at);
        sections
    }

    /// What is beside the endpoints, at the lines where it stands in `file`.
    pub(super) fn others_in_place(&self, file: &str) -> String {
        let mut text = String::new();
        let mut at = 0;
        for part in &self.others {
            let between = file.get(at..part.start).unwrap_or_default().matches('\n').count();
            text.extend(std::iter::repeat_n('\n', between));
            text.push_str(file.get(part.clone()).unwrap_or_default());
            at = part.end;
        }
        text
    }

    fn end(&mut self, begun: Begun, at: usize) {
        match begun.heading {
            Some(id) => self.endpoints.push(Section { id, text: begun.from..at }),
            None => self.others.push(begun.from..at),
        }
    }
}

struct Begun {
    heading: Option<Range<usize>>,
    from: usize,
}

/// Where the id stands in `["GET /a/b"]`; `None` for any other line.
fn heading(line: &str) -> Option<Range<usize>> {
    let inner = line.trim_end().strip_prefix("[\"")?.strip_suffix("\"]")?;
    let (method, path) = inner.split_once(' ')?;
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_method && path.starts_with('/')).then_some(2..2 + inner.len())
}

/// The text of several lines that a line may be part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

impl Quotes {
    fn after(self, line: &str) -> Self {
        let mut quotes = self;
        let mut rest = line;
        if quotes == Self::None && rest.trim_start().starts_with('#') {
            return quotes;
        }
        while let Some((mark, after)) = quotes.next_mark(rest) {
            quotes = match quotes {
                Self::None => mark,
                _ => Self::None,
            };
            rest = after;
        }
        quotes
    }

    /// The next mark that opens, or closes what is open, and what follows it.
    fn next_mark(self, text: &str) -> Option<(Self, &str)> {
        let after =
            |mark: &str| text.find(mark).map(|at| (at, text.get(at + mark.len()..).unwrap_or_default()));
        let single = after("'''").filter(|_| self != Self::Double).map(|found| (found, Self::Single));
        let double = after("\"\"\"").filter(|_| self != Self::Single).map(|found| (found, Self::Double));
        let ((_, rest), mark) = [single, double].into_iter().flatten().min_by_key(|((at, _), _)| *at)?;
        Some((mark, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_begin_sections_and_texts_of_several_lines_do_not() {
        let file = "# head\nversion = 1\n[\"GET /a\"]\nanswer = '''\n[\"GET /b\"]\n'''\n[\"POST /c/{d}\"]\n\
                    x = \"\"\"\n[\"GET /e\"]\n'''\n\"\"\"\n[[lifecycle]]\ntask = 1\n[\"not one\"]\n";
        let sections = Sections::of(file);
        let ids: Vec<&str> = sections.endpoints.iter().map(|section| &file[section.id.clone()]).collect();
        assert_eq!(ids, ["GET /a", "POST /c/{d}"]);
        assert_eq!(&file[sections.endpoints[0].text.clone()], "answer = '''\n[\"GET /b\"]\n'''\n");
        let others: Vec<&str> = sections.others.iter().map(|range| &file[range.clone()]).collect();
        assert_eq!(others, ["# head\nversion = 1\n", "[[lifecycle]]\ntask = 1\n", "[\"not one\"]\n"]);
    }
}
