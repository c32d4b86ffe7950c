//! The values beside names in a filter, an AQL statement or another text with comparisons: `assigned_to = "ann"`.

use std::ops::Range;

use super::names::{Holds, holds};

/// A text is read so far; a longer filter is none.
const WORDS_MAX: usize = 20_000;
/// So many brackets deep names are remembered.
const DEPTH_MAX: usize = 16;

/// Between a name and its values.
const BETWEEN: [&str; 9] = ["not", "in", "between", "like", "ilike", "contains", "imatches", "matches", "is"];
/// After these a new comparison begins.
const ENDS: [&str; 14] = [
    "or", "where", "having", "last", "start", "stop", "group", "order", "limit", "from", "select", "into",
    "as", "by",
];
/// Bare words that are no names of anybody.
const PLAIN: [&str; 3] = ["null", "true", "false"];

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Word,
    Quoted,
    Operator,
    Open,
    Close,
    Comma,
    Other,
}

/// Where values stand beside a name that holds customer data, and what that is. Quotes and the `%` of a pattern are
/// left out.
pub(super) fn terms(text: &str) -> Vec<(Range<usize>, Holds)> {
    let mut found = Vec::new();
    // The names that brackets were opened after; the name of the comparison that is being read.
    let mut around: Vec<String> = Vec::new();
    let mut name = String::new();
    let mut is_compared = false;
    let mut between = false;
    let mut inner = String::new();
    let words = split(text);
    for (place, (kind, at)) in words.iter().enumerate() {
        let word = text.get(at.clone()).unwrap_or_default();
        let lower = word.to_ascii_lowercase();
        let next = words.get(place + 1).map(|(kind, _)| *kind);
        let next_word = words
            .get(place + 1)
            .filter(|(kind, _)| *kind == Kind::Word)
            .and_then(|(_, at)| text.get(at.clone()))
            .map(str::to_ascii_lowercase)
            .unwrap_or_default();
        let is_name_here = next == Some(Kind::Operator)
            || BETWEEN.contains(&next_word.as_str())
            || (next == Some(Kind::Open) && !is_compared);
        if *kind == Kind::Word && next == Some(Kind::Close) {
            word.clone_into(&mut inner);
        }
        match kind {
            Kind::Word if lower == "and" && between => between = false,
            Kind::Word if lower == "and" || ENDS.contains(&lower.as_str()) => is_compared = false,
            Kind::Word if BETWEEN.contains(&lower.as_str()) => {
                is_compared = !name.is_empty();
                between = lower == "between";
            }
            Kind::Word | Kind::Quoted if !is_compared && is_name_here => word.clone_into(&mut name),
            Kind::Operator => is_compared = !name.is_empty(),
            Kind::Word if is_compared && PLAIN.contains(&lower.as_str()) => {}
            Kind::Word | Kind::Quoted if is_compared => {
                let mut under: Vec<&str> = around.iter().map(String::as_str).collect();
                under.push(&name);
                let trimmed = word.trim_matches('%');
                let start = at.start + (word.len() - word.trim_start_matches('%').len());
                if let Some(held) = holds(&under).filter(|_| !trimmed.is_empty()) {
                    found.push((start..start + trimmed.len(), held));
                }
            }
            Kind::Open if around.len() < DEPTH_MAX => {
                around.push(if is_compared { String::new() } else { std::mem::take(&mut name) });
            }
            Kind::Close => {
                let outer = around.pop().unwrap_or_default();
                // `LOWER(username) = 'ann'` compares what stands in the brackets.
                name = if !is_compared && holds(&[&inner]).is_some() { inner.clone() } else { outer };
                is_compared = false;
            }
            _ => {}
        }
    }
    found
}

/// The words of a text; of quoted ones what is within the quotes.
fn split(text: &str) -> Vec<(Kind, Range<usize>)> {
    let mut words = Vec::new();
    let mut from = 0;
    while let Some(first) = text.get(from..).and_then(|rest| rest.chars().next()) {
        if words.len() >= WORDS_MAX {
            break;
        }
        let rest = text.get(from..).unwrap_or_default();
        let is_word = |c: char| !c.is_whitespace() && !"\"'()=<>!^,;".contains(c);
        let is_operator = |c: char| "=<>!^".contains(c);
        let (kind, within, end) = match first {
            '"' | '\'' => {
                let inner = rest.get(1..).unwrap_or_default();
                let length = inner.find(first).unwrap_or(inner.len());
                (Kind::Quoted, from + 1..from + 1 + length, from + (length + 2).min(rest.len()))
            }
            '(' => (Kind::Open, from..from + 1, from + 1),
            ')' => (Kind::Close, from..from + 1, from + 1),
            ',' => (Kind::Comma, from..from + 1, from + 1),
            c if is_operator(c) => {
                let end = from + rest.find(|c| !is_operator(c)).unwrap_or(rest.len());
                (Kind::Operator, from..end, end)
            }
            c if is_word(c) => {
                let end = from + rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                (Kind::Word, from..end, end)
            }
            c => (Kind::Other, from..from, from + c.len_utf8()),
        };
        if kind != Kind::Other {
            words.push((kind, within));
        }
        from = end;
    }
    words
}
