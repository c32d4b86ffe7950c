//! Reads `[[fault]]`: when it fires, and what.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::inject::read_inject;
use super::planned::{Nth, NthError, Of, PlannedFault};
use super::read::{Entry, Read, Table, every};
use super::when::{PHASES, Span, SpanError, When};
use super::write;
use crate::fault::{At, Fault};
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
    let named: Vec<Read<Option<String>>> = tables
        .iter()
        .map(|table| {
            let is_of_connections = befalls_connections(table);
            table.read("name", |entry| read_new_name(entry, is_of_connections, &mut names))
        })
        .collect();
    // A name that cannot be read may be the one that is meant elsewhere.
    let names = named.iter().all(Result::is_ok).then_some(names.as_slice());
    let faults = tables.iter().zip(named).map(|(table, name)| read_fault(table, name, names, profile));
    let mut faults = every(faults)?;
    assign_keys(&mut faults);
    Ok(faults)
}

/// The name of a planned fault.
struct Named {
    name: String,
    /// Whether it befalls connections, before anything is asked: no session counts it.
    is_of_connections: bool,
}

/// Whether the fault of a `[[fault]]` befalls connections, as far as its kind can be read.
fn befalls_connections(table: &Table<'_>) -> bool {
    let kinds = table.get("inject").and_then(|entry| entry.members()).unwrap_or_default();
    let mut known = kinds.iter().filter_map(|kind| Fault::known(kind.key));
    known.any(|known| known.row.at == At::Connection)
}

/// A name that no fault before has.
fn read_new_name(entry: &Entry<'_>, is_of_connections: bool, names: &mut Vec<Named>) -> Read<String> {
    let name = read_name(entry)?;
    if names.iter().any(|other| other.name == name) {
        let help = "a fault's draws hang on its name, so each has its own".to_owned();
        return Err(entry.fail(format!("two faults are called `{name}`"), "the second of them", Some(help)));
    }
    names.push(Named { name: name.clone(), is_of_connections });
    Ok(name)
}

/// What a fault comes after has to be there, and another one; `names` are all there are, if that is known.
fn read_after(entry: &Entry<'_>, own: Option<&str>, names: Option<&[Named]>) -> Read<String> {
    let after = entry.name()?;
    if own == Some(after) {
        return Err(entry.fail("a fault cannot come after itself", "its own name", None));
    }
    let Some(names) = names else { return Ok(after.to_owned()) };
    if let Some(other) = names.iter().find(|other| other.name == after) {
        if other.is_of_connections {
            let help = "a connection is met before it belongs to a session; wait for its number: connection = \"2-\"";
            let message = format!("`{after}` befalls connections, and nothing can wait for that");
            return Err(entry.fail(message, "never fires in a session", Some(help.to_owned())));
        }
        return Ok(after.to_owned());
    }
    let help = match names.is_empty() {
        true => "give the other fault a name: name = \"outage\"".to_owned(),
        false => {
            format!(
                "the named faults are {}",
                super::read::quoted(names.iter().map(|other| other.name.as_str()), "and")
            )
        }
    };
    Err(entry.fail_without(format!("no fault is called `{after}`"), "nothing to come after", Some(help)))
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

fn read_fault(
    table: &Table<'_>,
    name: Read<Option<String>>,
    names: Option<&[Named]>,
    profile: &Profile,
) -> Read<PlannedFault> {
    let own = name.as_ref().ok().and_then(Option::as_deref);
    let when = table.read("when", |entry| {
        let keys = CONDITIONS.map(|(name, _)| name);
        read_when(&entry.table("`when`", &keys, WHEN_HELP)?, own, names, profile)
    });
    let optional = table.read("optional", Entry::flag);
    let inject = table.required("inject", "say what happens, for example inject = { hang = {} }");
    // What cannot be read of `when` holds nothing against the fault.
    let known = when.clone().ok().flatten().unwrap_or_default();
    let endpoint = known.endpoint.as_ref().and_then(|aim| profile.by_name(aim).ok());
    let inject = inject.and_then(|entry| read_inject(&entry, &known, endpoint, profile));
    Ok(PlannedFault {
        inject: inject?,
        name: name?,
        when: when?.unwrap_or_default(),
        optional: optional?.unwrap_or(false),
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

fn read_when(table: &Table<'_>, own: Option<&str>, names: Option<&[Named]>, profile: &Profile) -> Read<When> {
    let nth = |key: &str| table.read(key, read_nth);
    let span = |key: &str| table.read(key, read_span);
    let endpoint = table.read("endpoint", |entry| read_aim(entry, profile));
    let [first, call, connection] = ["nth", "call", "connection"].map(nth);
    let of = table.read("of", |entry| entry.word(&Of::WORDS));
    let session = table.read("session", |entry| Ok(entry.name()?.to_owned()));
    let resource = table.read("resource", read_resource);
    let query = table.read("query", read_query);
    let state = table.read("state", |entry| read_state(entry, profile));
    let [tick, since_start_ms] = ["tick", "since_start_ms"].map(span);
    let after = table.read("after", |entry| read_after(entry, own, names));
    let chance = table.read("chance", read_chance);
    let most = table.read("most", |entry| entry.number32(1..=1_000_000_000));
    Ok(When {
        endpoint: endpoint?,
        nth: first?.unwrap_or(Nth::ALL),
        of: of?.unwrap_or_default(),
        call: call?,
        session: session?,
        resource: resource?,
        query: query?.unwrap_or_default(),
        state: state?,
        tick: tick?,
        since_start_ms: since_start_ms?,
        after: after?,
        connection: connection?,
        chance: chance?,
        most: most?,
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
    every(items.iter().map(pair))
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

pub(super) fn read_aim(entry: &Entry<'_>, profile: &Profile) -> Read<String> {
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
