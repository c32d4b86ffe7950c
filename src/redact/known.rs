//! The values learnt so far, and the search for them in any text.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use percent_encoding::percent_decode_str;

use super::memory::Memory;
use super::names::placeholder;
use super::packed::{self, Charset, Kind as Bytes};
use super::places::spliced;
use super::readings::Readings;
use super::tokens::{self, Kind};
use super::{SECRETS_MAX, bodies, layers, spellings};

/// New secrets are searched for apart until there are so many: a client with a new token for each request must not
/// make all that is known be built anew each time.
const FRESH_MAX: usize = 64;

/// Secrets and their numbers, by first sight.
#[derive(Default)]
pub(super) struct Known {
    numbers: BTreeMap<Vec<u8>, Secret>,
    next: usize,
    /// Worth searching for, by first sight; the first `settled` of them are in the first part of the search.
    wanted: Vec<(Vec<u8>, usize)>,
    settled: usize,
    /// How many values had been wanted when each of these was, itself counted.
    learnt: Vec<usize>,
    ever_wanted: usize,
    search: Search,
    is_stale: bool,
    changes: usize,
    pub(super) memory: Memory,
}

#[derive(Clone, Copy)]
struct Secret {
    number: usize,
    is_wanted: bool,
}

/// Every spelling of every secret: those of long ago, and the fresh ones.
#[derive(Clone, Default)]
pub(super) struct Search {
    parts: [Option<Arc<Part>>; 2],
}

/// Every spelling of some secrets, found in one pass.
struct Part {
    automaton: AhoCorasick,
    /// The secret's number of each pattern.
    numbers: Vec<usize>,
}

/// Whether a value is replaced in its own place only, or wherever it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Here,
    Everywhere,
}

impl Known {
    pub(super) fn counting_from(number: usize) -> Self {
        Self { next: number, ..Self::default() }
    }

    pub(super) fn count_from(&mut self, number: usize) {
        self.next = self.next.max(number);
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// How many values were ever worth searching for.
    pub(super) fn wanted(&self) -> usize {
        self.ever_wanted
    }

    /// Knows those alone that came after the first `wanted`, under the same numbers.
    pub(super) fn since(&self, wanted: usize) -> Self {
        let later = |(_, learnt): &(&(Vec<u8>, usize), &usize)| **learnt > wanted;
        let (values, learnt) =
            self.wanted.iter().zip(&self.learnt).filter(later).map(|(v, l)| (v.clone(), *l)).unzip();
        Self { wanted: values, learnt, next: self.next, is_stale: true, ..Self::default() }
    }

    /// Knows these values no longer: their numbers stay used.
    pub(super) fn forget(&mut self, values: &BTreeSet<Vec<u8>>) {
        self.changes += 1;
        self.numbers.retain(|value, _| !values.contains(value));
        let held = std::mem::take(&mut self.wanted).into_iter().zip(std::mem::take(&mut self.learnt));
        (self.wanted, self.learnt) = held.filter(|((value, _), _)| !values.contains(value)).unzip();
        // All that is left is built anew, in one part.
        self.settled = self.wanted.len();
        self.search.parts = [Part::of(&self.wanted), None];
        self.is_stale = false;
    }

    /// The number of a secret, new or old. Once full, new ones share number 0: still hidden, no longer told apart.
    pub(super) fn number(&mut self, value: &[u8], reach: Reach) -> usize {
        let held = self.numbers.get(value).copied();
        let number = match held {
            Some(secret) => secret.number,
            None if self.numbers.len() >= SECRETS_MAX => return 0,
            None => {
                self.next += 1;
                self.next
            }
        };
        let is_wanted = held.is_some_and(|secret| secret.is_wanted);
        if held.is_none() || (reach == Reach::Everywhere && !is_wanted) {
            self.insert(value, number, reach);
        }
        number
    }

    /// Another form of a secret that is already numbered, worth finding by itself.
    pub(super) fn also(&mut self, value: &[u8], number: usize) {
        if self.numbers.len() < SECRETS_MAX && !self.numbers.contains_key(value) {
            self.insert(value, number, Reach::Everywhere);
        }
    }

    fn insert(&mut self, value: &[u8], number: usize, reach: Reach) {
        let is_wanted = reach == Reach::Everywhere;
        self.changes += 1;
        self.numbers.insert(value.to_vec(), Secret { number, is_wanted });
        if is_wanted {
            self.wanted.push((value.to_vec(), number));
            self.ever_wanted += 1;
            self.learnt.push(self.ever_wanted);
            self.is_stale = true;
        }
    }

    /// How often anything was learnt or forgotten.
    pub(super) fn changes(&self) -> usize {
        self.changes
    }

    /// Grows with each value that is learnt, and with each that is searched for from then on.
    pub(super) fn generation(&self) -> usize {
        self.numbers.len() + self.wanted.len()
    }

    /// What finds all that is known now; `None` if that is nothing. It is used without a lock: nobody waits for another's
    /// search.
    pub(super) fn search(&mut self) -> Option<Search> {
        if self.is_stale {
            self.is_stale = false;
            if self.wanted.len() - self.settled > FRESH_MAX {
                self.settled = self.wanted.len();
                self.search.parts = [Part::of(&self.wanted), None];
            } else {
                self.search.parts[1] = Part::of(self.wanted.get(self.settled..).unwrap_or_default());
            }
        }
        (!self.wanted.is_empty()).then(|| self.search.clone())
    }
}

/// What becomes of a number that is a secret.
#[derive(Clone, Copy, PartialEq)]
enum Bare {
    Replaced,
    Kept,
}

impl Part {
    fn of(secrets: &[(Vec<u8>, usize)]) -> Option<Arc<Self>> {
        let (mut patterns, mut numbers) = (Vec::new(), Vec::new());
        for (value, number) in secrets {
            for spelling in spellings::of(value) {
                patterns.push(spelling);
                numbers.push(*number);
            }
        }
        // Secrets are few and short-lived: an automaton that is quick to build beats one that is quick to run.
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostLongest).kind(Some(AhoCorasickKind::ContiguousNFA));
        // Digits in capitals or not, a token shown in capitals: the case of letters hides nothing.
        builder.ascii_case_insensitive(true);
        // Building fails only past 2^31 states; 4,096 secrets of a head's size are far below.
        builder.build(&patterns).ok().map(|automaton| Arc::new(Self { automaton, numbers }))
    }

    /// Where in a text each stands.
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

    /// The same under every layer of encoding as well.
    fn found(&self, bytes: &[u8]) -> Vec<(Range<usize>, usize)> {
        let mut all = Vec::new();
        layers::each(bytes, layers::Depth::All, &mut |layer| {
            all.extend(self.plain(layer.bytes).into_iter().map(|(at, number)| (layer.place(at), number)));
        });
        apart(all)
    }

    /// Whether a known value stands in these bytes as they are.
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        self.parts.iter().flatten().any(|part| part.automaton.is_match(bytes))
    }

    /// Whether no known value stands in these bytes under any layer of encoding, for certain.
    fn holds_nothing(&self, bytes: &[u8]) -> bool {
        let mut is_clean = true;
        let is_all = layers::each(bytes, layers::Depth::All, &mut |layer| {
            is_clean = is_clean && !self.is_in(layer.bytes);
        });
        is_clean && is_all
    }

    /// `bytes` with every known value replaced; `None` if there is none.
    pub(super) fn replace(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let found = self.found(bytes);
        if found.is_empty() {
            return None;
        }
        let edits: Vec<_> = found.into_iter().map(|(at, number)| (at, placeholder(number))).collect();
        spliced(bytes, &edits)
    }

    /// A target or URL: also finds values whose percent-encoding is unusual, or doubled, part by part. `None` if there
    /// are none.
    pub(super) fn replace_url(&self, url: &[u8]) -> Option<Vec<u8>> {
        let new = self.replace(url);
        let Ok(text) = std::str::from_utf8(url) else { return new };
        if !text.contains('+') {
            return new;
        }
        // A known value may end within a character of the text; the rest of it is then lost, which is safe.
        let replaced = new.as_deref().map_or(Cow::Borrowed(text), String::from_utf8_lossy);
        let mut out = String::with_capacity(replaced.len());
        for part in replaced.split_inclusive(['/', '?', '&', '=', ';', ',']) {
            let (text, end) = match part.char_indices().last() {
                Some((at, '/' | '?' | '&' | '=' | ';' | ',')) => part.split_at(at),
                _ => (part, ""),
            };
            out.push_str(&self.hidden_in_percent(text).unwrap_or_else(|| text.to_owned()));
            out.push_str(end);
        }
        (out != text).then(|| out.into_bytes())
    }

    /// JSON text with known values replaced in its strings, and nowhere else: its form stays. `None` if there are none.
    pub(super) fn replace_strings(&self, text: &str) -> Option<String> {
        self.replace_json(text, Bare::Kept)
    }

    /// A body: JSON strings are compared decoded, so that no escape hides a value; anything else as bytes. Of a packed
    /// body with a known value in it nothing is left but the placeholder.
    pub(super) fn replace_body(&self, body: &[u8]) -> Option<Vec<u8>> {
        match packed::kind(body) {
            Bytes::Packed => {
                let inner = packed::unpacked(body)?;
                let charset = match packed::kind(&inner) {
                    Bytes::Text(charset) => charset,
                    Bytes::Packed | Bytes::Opaque => Charset::OneByte,
                };
                self.in_body(&inner, charset)
                    .is_some()
                    .then(|| self.first(&inner).unwrap_or_else(|| placeholder(0)).into_bytes())
            }
            Bytes::Text(charset) => self.in_body(body, charset),
            Bytes::Opaque => self.in_body(body, Charset::OneByte),
        }
    }

    /// A body that is not packed.
    fn in_body(&self, body: &[u8], charset: Charset) -> Option<Vec<u8>> {
        // Each part of such a text stands in it as it is: where the whole holds nothing, no part does.
        let readings = Readings::of(body);
        if charset == Charset::Utf8 && readings.is_one() && !self.is_in(body) {
            return None;
        }
        if charset == Charset::Utf8 && self.is_clean_json(body, readings) {
            return None;
        }
        self.in_any_body(body, charset)
    }

    /// Whether a text of JSON holds no known value, for certain. A token without escapes has no form that the whole text has
    /// not: it is enough to look at the others by themselves.
    fn is_clean_json(&self, body: &[u8], readings: Readings) -> bool {
        let Some(text) = bodies::apart(body, readings) else { return false };
        let holds_nothing = |at: Range<usize>| {
            let source = text.get(at).unwrap_or_default();
            let has_escapes = memchr::memchr3(b'\\', b'%', b'&', source.as_bytes()).is_some();
            !has_escapes || self.holds_nothing(tokens::decoded(source).as_bytes())
        };
        self.holds_nothing(body)
            && tokens::strings_and_values(text).into_iter().all(|(at, _)| holds_nothing(at))
    }

    /// The same without a quick look before.
    pub(super) fn in_any_body(&self, body: &[u8], charset: Charset) -> Option<Vec<u8>> {
        let text = charset.decode(body);
        let spliced = Some(&text).filter(|text| tokens::looks_like_json(text));
        let spliced = spliced.and_then(|text| self.replace_json(text, Bare::Replaced));
        let now = spliced.as_deref().unwrap_or(&text);
        let new =
            self.replace(now.as_bytes()).map(|new| String::from_utf8_lossy(&new).into_owned()).or(spliced);
        let new = new.map(|new| charset.encode(&new));
        if charset == Charset::Utf8 && new.is_none() {
            return None;
        }
        // A value of other bytes than ASCII may stand in another encoding than the text around it.
        let plain = self.replace(new.as_deref().unwrap_or(body));
        plain.or(new)
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
        let mut edits = Vec::new();
        for (at, kind) in tokens::strings_and_values(text) {
            let source = text.get(at.clone()).unwrap_or_default();
            let new = match kind {
                Kind::Bare if bare == Bare::Kept => None,
                Kind::Bare => self.first(source.as_bytes()).map(|placeholder| tokens::quoted(&placeholder)),
                Kind::Name | Kind::Text => {
                    self.replace_str(&tokens::decoded(source)).map(|new| tokens::quoted(&new))
                }
            };
            edits.extend(new.map(|new| (at, new)));
        }
        let new = spliced(text.as_bytes(), &edits)?;
        Some(String::from_utf8_lossy(&new).into_owned())
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
