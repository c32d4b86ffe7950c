//! Reads `[[known]]`: failures that are let pass until a day.

use toml::de::DeValue;

use super::KnownEntry;
use super::read::line_of;
use crate::ledger::Known;
use crate::written::read::{Entry, Read, Table, every};

/// What an entry says.
const KEYS: [&str; 7] = ["scenario", "property", "seed", "endpoint", "reason", "until", "strict"];
/// The most entries.
const KNOWN_MOST: usize = 1_000;

const HELP: &str =
    "write each as [[known]] with scenario = \"slow-host\", reason = \"...\" and until = 2026-12-31";
const REASON_HELP: &str = "say why it is let pass: reason = \"issue 41: gives up too early\"";
const UNTIL_HELP: &str = "write the last day on which it is let pass, without quotes: until = 2026-12-31";

/// All entries.
pub(super) fn read_known(entry: &Entry<'_>, text: &str) -> Read<Vec<KnownEntry>> {
    let tables = entry.tables("`[[known]]`", &KEYS, KNOWN_MOST, HELP)?;
    every(tables.iter().map(|table| read_entry(table, text)))
}

fn read_entry(table: &Table<'_>, text: &str) -> Read<KnownEntry> {
    let scenario = table.required("scenario", HELP);
    let line = scenario.as_ref().map_or(0, |entry| line_of(text, entry.key_at.start));
    let scenario = scenario.and_then(|entry| entry.name());
    let reason = table.required("reason", REASON_HELP).and_then(|entry| entry.name());
    let until = table.required("until", UNTIL_HELP).and_then(|entry| day(&entry));
    let property = table.read("property", Entry::name);
    let endpoint = table.read("endpoint", Entry::name);
    let seed = table.read("seed", |entry| entry.number(0..=u64::MAX));
    let strict = table.read("strict", Entry::flag);
    let known = Known {
        scenario: scenario?.to_owned(),
        property: property?.map(str::to_owned),
        seed: seed?,
        endpoint: endpoint?.map(str::to_owned),
        reason: reason?.to_owned(),
        until: until?,
        strict: strict?.unwrap_or(false),
    };
    Ok(KnownEntry { known, line })
}

/// A day, as `2026-12-31`.
fn day(entry: &Entry<'_>) -> Read<String> {
    let wrong = || entry.wrong_kind("a day", Some(UNTIL_HELP.to_owned()));
    let DeValue::Datetime(moment) = entry.value() else { return Err(wrong()) };
    match (moment.date, moment.time) {
        (Some(date), None) => Ok(date.to_string()),
        _ => Err(entry.fail(
            "`until` must be a day, not a moment",
            "this has a time",
            Some(UNTIL_HELP.to_owned()),
        )),
    }
}
