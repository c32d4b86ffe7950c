//! `[match]`: what counts in matching.

use std::fmt::Write as _;

use super::read::{Entry, Read};
use crate::cassette::{MatchRules, Normal};
use crate::json::quote;

const KEYS: [&str; 4] = ["ignore", "normalise", "headers", "loose"];
const HELP: &str = "write ignore = [\"_\", \"/run/id\"], normalise = { filter = \"blanks\" }, headers = [\"X-Tenant\"] or loose = false";

pub(super) fn read_matching(entry: &Entry<'_>) -> Read<MatchRules> {
    let table = entry.table("`[match]`", &KEYS, HELP)?;
    let names = |key: &str| -> Read<Vec<String>> {
        let Some(entry) = table.get(key) else { return Ok(Vec::new()) };
        entry.items(HELP)?.iter().map(|item| item.name().map(str::to_owned)).collect()
    };
    let mut rules =
        MatchRules { ignore: names("ignore")?, headers: names("headers")?, ..MatchRules::default() };
    if let Some(entry) = table.get("normalise") {
        let members = entry.members().ok_or_else(|| {
            entry.fail("`normalise` must be a table of names", "no such table", Some(HELP.to_owned()))
        })?;
        for member in members {
            rules.normalise.insert(member.key.to_owned(), member.word(&Normal::WORDS)?);
        }
    }
    rules.loose = table.get("loose").map(|entry| entry.flag()).transpose()?;
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
