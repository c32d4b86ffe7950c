//! Reads `[[fault]]`: when it fires, and what.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::inject::read_inject;
use super::planned::{Nth, NthError, Of, PlannedFault};
use super::read::{Entry, Read, Table};
use super::when::{PHASES, Span, SpanError, When};
use super::write;
use crate::profile::{NameError, Profile};
use crate::seed::Ratio;

/// The keys of a `[[fault]]`.
pub(super) const FAULT_KEYS: [&str; 4] = ["name", "when", "inject", "optional"];
/// The most planned faults of one scenario.
pub(super) const FAULTS_MOST: usize = 1_000;

/// What a condition takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// A text in quotes.
    Text,
    /// A list of texts.
    Texts,
    /// A number.
    Number,
}

/// The conditions of `when`.
pub(super) const CONDITIONS: [(&str, Condition); 14] = [
    ("endpoint", Condition::Text),
    ("nth", Condition::Text),
    ("of", Condition::Text),
    ("call", Condition::Text),
    ("session", Condition::Text),
    ("resource", Condition::Text),
    ("query", Condition::Texts),
    ("state", Condition::Text),
    ("tick", Condition::Text),
    ("since_start_ms", Condition::Text),
    ("after", Condition::Text),
    ("connection", Condition::Text),
    ("chance", Condition::Text),
    ("most", Condition::Number),
];
/// The most parameters of a query that one fault waits for.
const QUERY_MOST: usize = 20;
const ENDPOINT_HELP: &str = "write a short name such as \"cases.post\", or method and path";
const WHEN_HELP: &str = "write when = { endpoint = \"case_create_tasks.get\", nth = \"2-4\" }";
const NTH_HELP: &str = "the forms are nth = \"3\", \"2-4\", \"3-\" (the third and all after it) and \"every 3\"; counting starts at 1";
const QUERY_HELP: &str = "write query = [\"status=CLOSED\"], or [\"filter\"] for any value";
const SPAN_HELP: &str = "the forms are \"3\", \"2-4\" and \"3-\"; counting starts at 0";
const CHANCE_HELP: &str = "write chance = \"1/10\": so many times, a slash, out of how many";

/// All planned faults, with their keys.
pub(super) fn read_faults(tables: &[Table<'_>], profile: &Profile) -> Read<Vec<PlannedFault>> {
    let mut names = Vec::new();
    let mut faults = Vec::new();
    for table in tables {
        let fault = read_fault(table, profile)?;
        if let (Some(name), Some(entry)) = (&fault.name, table.get("name")) {
            if names.contains(name) {
                let help = "a fault's draws hang on its name, so each has its own".to_owned();
                return Err(entry.fail(
                    format!("two faults are called `{name}`"),
                    "the second of them",
                    Some(help),
                ));
            }
            names.push(name.clone());
        }
        faults.push(fault);
    }
    for (fault, table) in faults.iter().zip(tables) {
        check_after(fault, table, &names)?;
    }
    assign_keys(&mut faults);
    Ok(faults)
}

/// What a fault comes after has to be there, and another one.
fn check_after(fault: &PlannedFault, table: &Table<'_>, names: &[String]) -> Read<()> {
    let Some(after) = &fault.when.after else { return Ok(()) };
    if fault.name.as_ref() != Some(after) && names.contains(after) {
        return Ok(());
    }
    let members = table.get("when").and_then(|when| when.members()).unwrap_or_default();
    let Some(entry) = members.iter().find(|member| member.key == "after") else { return Ok(()) };
    if fault.name.as_ref() == Some(after) {
        return Err(entry.fail("a fault cannot come after itself", "its own name", None));
    }
    let help = match names.is_empty() {
        true => "give the other fault a name: name = \"outage\"".to_owned(),
        false => {
            format!("the named faults are {}", super::read::quoted(names.iter().map(String::as_str), "and"))
        }
    };
    Err(entry.fail(format!("no fault is called `{after}`"), "nothing to come after", Some(help)))
}

/// Sets the key of each fault: its name, else a hash of its canonical text with an ordinal among equals.
pub(super) fn assign_keys(faults: &mut [PlannedFault]) {
    let mut equals: BTreeMap<String, u32> = BTreeMap::new();
    for fault in faults {
        fault.key = match &fault.name {
            Some(name) => name.clone(),
            None => {
                let hash = Sha256::digest(write::canonical(fault).as_bytes());
                let hash: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
                let ordinal = equals.entry(hash.clone()).or_insert(0);
                *ordinal += 1;
                // No name contains `#`, so a key never equals one.
                format!("{hash}#{ordinal}")
            }
        };
    }
}

fn read_fault(table: &Table<'_>, profile: &Profile) -> Read<PlannedFault> {
    let name = table.get("name").map(|entry| read_name(&entry)).transpose()?;
    let when = match table.get("when") {
        None => When::default(),
        Some(entry) => {
            let keys = CONDITIONS.map(|(name, _)| name);
            read_when(&entry.table("`when`", &keys, WHEN_HELP)?, profile)?
        }
    };
    let optional = table.get("optional").map(|entry| entry.flag()).transpose()?.unwrap_or(false);
    let inject = table.required("inject", "say what happens, for example inject = { hang = {} }")?;
    let endpoint = when.endpoint.as_ref().and_then(|aim| profile.by_name(aim).ok());
    Ok(PlannedFault {
        inject: read_inject(&inject, &when, endpoint, profile)?,
        name,
        when,
        optional,
        key: String::new(),
    })
}

fn read_name(entry: &Entry<'_>) -> Read<String> {
    let name = entry.name()?;
    let is_legal =
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if !is_legal {
        let help = "use letters, digits, `-`, `_` and `.`".to_owned();
        return Err(entry.fail(format!("`{name}` cannot name a fault"), "has other characters", Some(help)));
    }
    Ok(name.to_owned())
}

fn read_when(table: &Table<'_>, profile: &Profile) -> Read<When> {
    let nth = |key: &str| table.get(key).map(|entry| read_nth(&entry)).transpose();
    let name = |key: &str| table.get(key).map(|entry| Ok(entry.name()?.to_owned())).transpose();
    let span = |key: &str| table.get(key).map(|entry| read_span(&entry)).transpose();
    Ok(When {
        endpoint: table.get("endpoint").map(|entry| read_aim(&entry, profile)).transpose()?,
        nth: nth("nth")?.unwrap_or(Nth::ALL),
        of: table.get("of").map(|entry| entry.word(&Of::WORDS)).transpose()?.unwrap_or_default(),
        call: nth("call")?,
        session: name("session")?,
        resource: table.get("resource").map(|entry| read_resource(&entry)).transpose()?,
        query: table.get("query").map(|entry| read_query(&entry)).transpose()?.unwrap_or_default(),
        state: table.get("state").map(|entry| read_state(&entry, profile)).transpose()?,
        tick: span("tick")?,
        since_start_ms: span("since_start_ms")?,
        after: name("after")?,
        connection: nth("connection")?,
        chance: table.get("chance").map(|entry| read_chance(&entry)).transpose()?,
        most: table.get("most").map(|entry| entry.number32(1..=1_000_000_000)).transpose()?,
    })
}

/// A path without `/api`, in which `*` is any part.
fn read_resource(entry: &Entry<'_>) -> Read<String> {
    let path = entry.name()?;
    let path = path.strip_prefix("/api").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    if !path.starts_with(['/', '*']) {
        let help =
            "write its path: resource = \"/siem/offenses/42\", or with `*` for any part of it".to_owned();
        return Err(entry.fail("a resource is a path", "no path", Some(help)));
    }
    Ok(path.to_owned())
}

fn read_query(entry: &Entry<'_>) -> Read<Vec<(String, Option<String>)>> {
    let items = entry.items(QUERY_HELP)?;
    if let Some(over) = items.get(QUERY_MOST) {
        return Err(over.fail(format!("more than {QUERY_MOST} parameters"), "too many", None));
    }
    let pair = |item: &Entry<'_>| {
        let text = item.name()?;
        Ok(match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (text.to_owned(), None),
        })
    };
    items.iter().map(pair).collect()
}

/// A phase, or a state as some endpoint spells it. Anything else would never come.
fn read_state(entry: &Entry<'_>, profile: &Profile) -> Read<String> {
    let state = entry.name()?;
    let is_phase = PHASES.iter().any(|(word, _)| *word == state);
    if is_phase || profile.lifecycles().any(|life| life.phase(state).is_some()) {
        return Ok(state.to_owned());
    }
    let words: Vec<&str> = PHASES.iter().map(|(word, _)| *word).collect();
    let help = format!("write a state as the API spells it, or one of {}", words.join(", "));
    Err(entry.fail(format!("no task has the state `{}`", state.escape_debug()), "not a state", Some(help)))
}

fn read_span(entry: &Entry<'_>) -> Read<Span> {
    let text = entry.text(SPAN_HELP)?;
    text.parse().map_err(|error: SpanError| {
        entry.fail(
            format!("`{}` cannot be `{}`: {error}", entry.key, text.escape_debug()),
            "not a range",
            Some(SPAN_HELP.to_owned()),
        )
    })
}

fn read_chance(entry: &Entry<'_>) -> Read<Ratio> {
    entry.text(CHANCE_HELP)?.parse().map_err(|_| {
        let help = Some(format!("{CHANCE_HELP}, at least as many"));
        entry.fail("this is not a chance", "not hits out of tries", help)
    })
}

fn read_aim(entry: &Entry<'_>, profile: &Profile) -> Read<String> {
    let name = entry.text(ENDPOINT_HELP)?;
    profile.aim(name).map_err(|error| match error {
        NameError::Ambiguous { name, full } => entry.fail(
            format!("`{name}` is the short name of several endpoints"),
            "could be any of them",
            Some(format!("write one in full: {}", full.join("; "))),
        ),
        NameError::Unknown { name, nearest } => {
            let in_full = |name: &String| match profile.by_name(name) {
                Ok(endpoint) if endpoint.id != *name => format!("`{name}` ({})", endpoint.id),
                _ => format!("`{name}`"),
            };
            let help = if nearest.is_empty() {
                "`faultdeck explain endpoints` lists them all".to_owned()
            } else {
                format!("did you mean {}?", nearest.iter().map(in_full).collect::<Vec<_>>().join(" or "))
            };
            entry.fail(
                format!("no endpoint is called `{}`", name.escape_debug()),
                "no profile knows it",
                Some(help),
            )
        }
    })
}

fn read_nth(entry: &Entry<'_>) -> Read<Nth> {
    if let Some(number) = entry.value().as_integer() {
        let help = format!("write {} = \"{number}\"; {NTH_HELP}", entry.key);
        return Err(entry.fail(format!("`{}` is a text in quotes", entry.key), "a bare number", Some(help)));
    }
    let text = entry.text(NTH_HELP)?;
    text.parse().map_err(|error: NthError| {
        let message = match error {
            NthError::Form => format!("`{}` does not say which occurrences", text.escape_debug()),
            NthError::Zero | NthError::Backwards => format!("`{text}` is not possible: {error}"),
        };
        entry.fail(message, "not an occurrence", Some(NTH_HELP.to_owned()))
    })
}
