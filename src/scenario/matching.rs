//! `[match]`: what counts in matching.

use std::fmt::Write as _;

use super::read::{Entry, Read};
use crate::cassette::{MatchRules, Normal};
use crate::json::quote;

pub(super) fn read_matching(entry: &Entry<'_>) -> Read<MatchRules> {
    MatchRules::read(&entry.table("`[match]`", &MatchRules::KEYS, MatchRules::HELP)?)
}

/// The table as TOML, nothing if it says nothing. JSON's texts are TOML's, but for one character.
pub(super) fn put_matching(out: &mut String, rules: &MatchRules) {
    if *rules == MatchRules::default() {
        return;
    }
    let text = |value: &str| quote(value).replace('\u{7f}', "\\u007f");
    let list = |names: &[String]| names.iter().map(|name| text(name)).collect::<Vec<_>>().join(", ");
    // Writing to a String never fails.
    out.push_str("\n[match]\n");
    for (key, names) in [("ignore", &rules.ignore), ("headers", &rules.headers)] {
        if !names.is_empty() {
            let _ = writeln!(out, "{key} = [{}]", list(names));
        }
    }
    if !rules.normalise.is_empty() {
        let word = |normal: Normal| {
            Normal::WORDS.iter().find(|(_, known)| *known == normal).map_or("", |(word, _)| word)
        };
        let pairs: Vec<String> = rules
            .normalise
            .iter()
            .map(|(name, normal)| format!("{} = \"{}\"", text(name), word(*normal)))
            .collect();
        let _ = writeln!(out, "normalise = {{ {} }}", pairs.join(", "));
    }
    if let Some(loose) = rules.loose {
        let _ = writeln!(out, "loose = {loose}");
    }
}
