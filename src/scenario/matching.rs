//! `[match]`: what counts in matching.

use std::fmt::Write as _;

use super::read::{Entry, Read, every};
use crate::cassette::{MatchRules, Normal};
use crate::json::quote;

const KEYS: [&str; 4] = ["ignore", "normalise", "headers", "loose"];
const HELP: &str = "write ignore = [\"_\", \"/run/id\"], normalise = { filter = \"blanks\" }, headers = [\"X-Tenant\"] or loose = false";

pub(super) fn read_matching(entry: &Entry<'_>) -> Read<MatchRules> {
    let table = entry.table("`[match]`", &KEYS, HELP)?;
    let names = |key: &str| {
        let names =
            |entry: &Entry<'_>| every(entry.items(HELP)?.iter().map(|item| item.name().map(str::to_owned)));
        table.read(key, names)
    };
    let [ignore, headers] = ["ignore", "headers"].map(names);
    let normalise = table.read("normalise", |entry| {
        let members = entry.members().ok_or_else(|| {
            entry.fail("`normalise` must be a table of names", "no such table", Some(HELP.to_owned()))
        })?;
        every(members.iter().map(|member| Ok((member.key.to_owned(), member.word(&Normal::WORDS)?))))
    });
    let loose = table.read("loose", Entry::flag);
    let rules = MatchRules {
        ignore: ignore?.unwrap_or_default(),
        headers: headers?.unwrap_or_default(),
        normalise: normalise?.unwrap_or_default().into_iter().collect(),
        loose: loose?,
    };
    rules.check().map_err(|why| entry.fail(why, "in this table", Some(HELP.to_owned())))?;
    Ok(rules)
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
