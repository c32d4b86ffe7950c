//! The values learnt so far, and the search for them in any text.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use percent_encoding::percent_decode_str;

use super::names::{is_ordinary, placeholder};
use super::tokens::{self, Kind};
use super::views::{self, View};
use super::{EVERYWHERE_MIN_BYTES, SECRETS_MAX, spellings};

/// New secrets are searched for apart until there are so many: a client with a new token for each request must not
/// make all that is known be built anew each time.
const FRESH_MAX: usize = 64;

/// Secrets and their numbers, by first sight.
#[derive(Default)]
pub(super) struct Known {
    numbers: BTreeMap<Vec<u8>, usize>,
    next: usize,
    /// Worth searching for, by first sight; the first `settled` of them are in the first part of the search.
    wanted: Vec<(Vec<u8>, usize)>,
    settled: usize,
    search: Search,
    is_stale: bool,
}

/// Every spelling of every secret: those of long ago, and the fresh ones.
#[derive(Default)]
struct Search {
    parts: [Option<Part>; 2],
}

/// Every spelling of some secrets, found in one pass.
struct Part {
    automaton: AhoCorasick,
    /// The secret's number of each pattern.
    numbers: Vec<usize>,
}

impl Known {
    pub(super) fn counting_from(number: usize) -> Self {
        Self { next: number, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The number of a secret, new or old. Once full, new ones share number 0: still hidden, no longer told apart.
    pub(super) fn number(&mut self, value: &[u8]) -> usize {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        if self.numbers.len() >= SECRETS_MAX {
            return 0;
        }
        self.next += 1;
        self.insert(value, self.next);
        self.next
    }

    /// Another form of a secret that is already numbered, worth finding by itself.
    pub(super) fn also(&mut self, value: &[u8], number: usize) {
        let worth = value.len() >= EVERYWHERE_MIN_BYTES && self.numbers.len() < SECRETS_MAX;
        if worth && !self.numbers.contains_key(value) {
            self.insert(value, number);
        }
    }

    fn insert(&mut self, value: &[u8], number: usize) {
        self.numbers.insert(value.to_vec(), number);
        if value.len() >= EVERYWHERE_MIN_BYTES && !is_ordinary(value) {
            self.wanted.push((value.to_vec(), number));
            self.is_stale = true;
        }
    }

    fn search(&mut self) -> Option<&Search> {
        if self.is_stale {
            self.is_stale = false;
            if self.wanted.len() - self.settled > FRESH_MAX {
                self.settled = self.wanted.len();
                self.search.parts = [Part::of(&self.wanted), None];
            } else {
                self.search.parts[1] = Part::of(self.wanted.get(self.settled..).unwrap_or_default());
            }
        }
        (!self.wanted.is_empty()).then_some(&self.search)
    }

    /// `bytes` with every known value replaced; `None` if there is none.
    pub(super) fn replace(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.search()?.replace(bytes)
    }

    pub(super) fn replace_str(&mut self, text: &str) -> String {
        // A known value may end within a character of the text; the rest of it is then lost, which is safe.
        self.replace(text.as_bytes())
            .map_or_else(|| text.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A target or URL: also finds values whose percent-encoding is unusual, or doubled, part by part.
    pub(super) fn replace_target(&mut self, target: &str) -> String {
        let replaced = self.replace_str(target);
        let Some(search) = self.search() else { return replaced };
        if !replaced.contains('+') {
            return replaced;
        }
        let mut out = String::with_capacity(replaced.len());
        for part in replaced.split_inclusive(['/', '?', '&', '=', ';', ',']) {
            let (text, end) = match part.char_indices().last() {
                Some((at, '/' | '?' | '&' | '=' | ';' | ',')) => part.split_at(at),
                _ => (part, ""),
            };
            out.push_str(&search.hidden_in_percent(text).unwrap_or_else(|| text.to_owned()));
            out.push_str(end);
        }
        out
    }

    /// JSON text with known values replaced in its strings, and nowhere else: its form stays.
    pub(super) fn replace_strings(&mut self, text: &str) -> String {
        self.search()
            .and_then(|search| search.replace_json(text, Bare::Kept))
            .unwrap_or_else(|| text.to_owned())
    }

    /// A body: JSON strings are compared decoded, so that no escape hides a value; anything else as bytes.
    pub(super) fn replace_body(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let search = self.search()?;
        let spliced = std::str::from_utf8(body)
            .ok()
            .filter(|text| tokens::looks_like_json(text))
            .and_then(|text| search.replace_json(text, Bare::Replaced));
        match spliced {
            Some(text) => Some(self.replace(text.as_bytes()).unwrap_or_else(|| text.into_bytes())),
            None => self.replace(body),
        }
    }
}

/// What becomes of a number that is a secret.
#[derive(Clone, Copy, PartialEq)]
enum Bare {
    Replaced,
    Kept,
}

impl Part {
    fn of(secrets: &[(Vec<u8>, usize)]) -> Option<Self> {
        let (mut patterns, mut numbers) = (Vec::new(), Vec::new());
        for (value, number) in secrets {
            for spelling in spellings::of(value) {
                patterns.push(spelling);
                numbers.push(*number);
            }
        }
        // Secrets are few and short-lived: an automaton that is quick to build beats one that is quick to run.
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).kind(kind).build(&patterns);
        // Building fails only past 2^31 states; 4,096 secrets of a head's size are far below.
        built.ok().map(|automaton| Self { automaton, numbers })
    }

    fn found(&self, bytes: &[u8]) -> impl Iterator<Item = (Range<usize>, usize)> {
        let number = |pattern: usize| self.numbers.get(pattern).copied().unwrap_or_default();
        self.automaton.find_iter(bytes).map(move |found| (found.range(), number(found.pattern().as_usize())))
    }
}

impl Search {
    /// Where known values stand as they are or in a listed spelling, in order and apart from each other.
    fn plain(&self, bytes: &[u8]) -> Vec<(Range<usize>, usize)> {
        apart(self.parts.iter().flatten().flat_map(|part| part.found(bytes)).collect())
    }

    /// The same under layers of escapes as well.
    fn found(&self, bytes: &[u8]) -> Vec<(Range<usize>, usize)> {
        let mut all = self.plain(bytes);
        let mut view: Option<View> = None;
        for _ in 0..views::DEPTH {
            let inner = View::of(view.as_ref().map_or(bytes, |view| &view.bytes));
            let Some(inner) = inner.map(|inner| inner.within(view.as_ref())) else { break };
            let found = self.plain(&inner.bytes);
            all.extend(found.into_iter().map(|(at, n)| (inner.place(at.start)..inner.place(at.end), n)));
            view = Some(inner);
        }
        apart(all)
    }

    fn replace(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let found = self.found(bytes);
        if found.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(bytes.len());
        let mut done = 0;
        for (at, number) in found {
            out.extend_from_slice(bytes.get(done..at.start).unwrap_or_default());
            out.extend_from_slice(placeholder(number).as_bytes());
            done = at.end;
        }
        out.extend_from_slice(bytes.get(done..).unwrap_or_default());
        Some(out)
    }

    fn first(&self, bytes: &[u8]) -> Option<String> {
        self.found(bytes).first().map(|(_, number)| placeholder(*number))
    }

    fn replace_str(&self, text: &str) -> Option<String> {
        self.replace(text.as_bytes()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A `+` may stand for a blank in what is left.
    fn hidden_in_percent(&self, part: &str) -> Option<String> {
        if !part.contains('+') {
            return None;
        }
        let once: Vec<u8> = percent_decode_str(&part.replace('+', " ")).collect();
        let twice: Vec<u8> = percent_encoding::percent_decode(&once).collect();
        self.first(&once).or_else(|| self.first(&twice))
    }

    fn replace_json(&self, text: &str, bare: Bare) -> Option<String> {
        let mut out = String::new();
        let mut done = 0;
        for token in tokens::tokens(text) {
            let source = text.get(token.at.clone()).unwrap_or_default();
            let new = match token.kind {
                Kind::Bare if bare == Bare::Kept => None,
                Kind::Bare => self.first(source.as_bytes()).map(|placeholder| tokens::quoted(&placeholder)),
                Kind::Name | Kind::Text => {
                    self.replace_str(&tokens::decoded(source)).map(|new| tokens::quoted(&new))
                }
            };
            if let Some(new) = new {
                out.push_str(text.get(done..token.at.start).unwrap_or_default());
                out.push_str(&new);
                done = token.at.end;
            }
        }
        (done > 0).then(|| {
            out.push_str(text.get(done..).unwrap_or_default());
            out
        })
    }
}

/// Ranges in order; those that overlap become one, under the number of the longest.
fn apart(mut found: Vec<(Range<usize>, usize)>) -> Vec<(Range<usize>, usize)> {
    found.sort_by_key(|(at, _)| (at.start, std::cmp::Reverse(at.end)));
    let mut all: Vec<(Range<usize>, usize)> = Vec::with_capacity(found.len());
    let mut longest = 0;
    for (at, number) in found {
        match all.last_mut() {
            Some((last, held)) if at.start < last.end => {
                if at.len() > longest {
                    (longest, *held) = (at.len(), number);
                }
                last.end = last.end.max(at.end);
            }
            _ => {
                longest = at.len();
                all.push((at, number));
            }
        }
    }
    all
}
