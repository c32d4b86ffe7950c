//! The values learnt so far, and the search for them in any text.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use percent_encoding::percent_decode_str;

use super::names::{is_ordinary, placeholder};
use super::tokens::{self, Kind};
use super::{EVERYWHERE_MIN_BYTES, SECRETS_MAX, spellings};

/// Secrets and their numbers, by first sight.
#[derive(Default)]
pub(super) struct Known {
    numbers: BTreeMap<Vec<u8>, usize>,
    next: usize,
    search: Option<Search>,
    is_stale: bool,
}

/// Every spelling of every secret, found in one pass.
struct Search {
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
        self.is_stale |= value.len() >= EVERYWHERE_MIN_BYTES && !is_ordinary(value);
    }

    fn search(&mut self) -> Option<&Search> {
        if self.is_stale {
            self.is_stale = false;
            let (mut patterns, mut numbers) = (Vec::new(), Vec::new());
            let wanted = |value: &[u8]| value.len() >= EVERYWHERE_MIN_BYTES && !is_ordinary(value);
            for (value, number) in self.numbers.iter().filter(|(value, _)| wanted(value)) {
                for spelling in spellings::of(value) {
                    patterns.push(spelling);
                    numbers.push(*number);
                }
            }
            // Secrets are few and short-lived: an automaton that is quick to build beats one that is quick to run.
            let kind = Some(AhoCorasickKind::ContiguousNFA);
            let built =
                AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).kind(kind).build(&patterns);
            // Building fails only past 2^31 states; 4,096 secrets of a head's size are far below.
            self.search = built.ok().map(|automaton| Search { automaton, numbers });
        }
        self.search.as_ref()
    }

    /// `bytes` with every known value replaced; `None` if there is none.
    pub(super) fn replace(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let search = self.search()?;
        if !search.automaton.is_match(bytes) {
            return None;
        }
        let mut out = Vec::with_capacity(bytes.len());
        search.automaton.replace_all_with_bytes(bytes, &mut out, |found, _, out| {
            out.extend_from_slice(search.placeholder(found.pattern().as_usize()).as_bytes());
            true
        });
        Some(out)
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

    /// A body: JSON strings are compared decoded, so that no escape hides a value; anything else as bytes.
    pub(super) fn replace_body(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let search = self.search()?;
        let spliced = std::str::from_utf8(body)
            .ok()
            .filter(|text| tokens::looks_like_json(text))
            .and_then(|text| search.replace_json(text));
        match spliced {
            Some(text) => Some(self.replace(text.as_bytes()).unwrap_or_else(|| text.into_bytes())),
            None => self.replace(body),
        }
    }
}

impl Search {
    fn placeholder(&self, pattern: usize) -> String {
        placeholder(self.numbers.get(pattern).copied().unwrap_or_default())
    }

    fn first(&self, bytes: &[u8]) -> Option<String> {
        self.automaton.find(bytes).map(|found| self.placeholder(found.pattern().as_usize()))
    }

    fn replace_str(&self, text: &str) -> Option<String> {
        if !self.automaton.is_match(text) {
            return None;
        }
        let mut out = Vec::with_capacity(text.len());
        self.automaton.replace_all_with_bytes(text.as_bytes(), &mut out, |found, _, out| {
            out.extend_from_slice(self.placeholder(found.pattern().as_usize()).as_bytes());
            true
        });
        Some(String::from_utf8_lossy(&out).into_owned())
    }

    fn hidden_in_percent(&self, part: &str) -> Option<String> {
        if !part.contains(['%', '+']) {
            return None;
        }
        let once: Vec<u8> = percent_decode_str(&part.replace('+', " ")).collect();
        let twice: Vec<u8> = percent_encoding::percent_decode(&once).collect();
        self.first(&once).or_else(|| self.first(&twice))
    }

    fn replace_json(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut done = 0;
        for token in tokens::tokens(text) {
            let source = text.get(token.at.clone()).unwrap_or_default();
            let new = match token.kind {
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
