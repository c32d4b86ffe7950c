//! Reads `[[fault]]`: when it fires, and what.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::inject::read_inject;
use super::planned::{Nth, NthError, Of, PlannedFault};
use super::read::{Entry, Read, Table};
use super::write;
use crate::profile::{Endpoint, NameError, Profile};
use crate::seed::Ratio;

/// The keys of a `[[fault]]`.
pub(super) const FAULT_KEYS: [&str; 4] = ["name", "when", "inject", "optional"];
/// The most planned faults of one scenario.
pub(super) const FAULTS_MOST: usize = 1_000;

const WHEN_KEYS: [&str; 4] = ["endpoint", "nth", "of", "chance"];
const ENDPOINT_HELP: &str = "write a short name such as \"cases.post\", or method and path";
const WHEN_HELP: &str = "write when = { endpoint = \"case_create_tasks.get\", nth = \"2-4\" }";
const NTH_HELP: &str = "the forms are nth = \"3\", \"2-4\", \"3-\" (the third and all after it) and \"every 3\"; counting starts at 1";
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
    assign_keys(&mut faults);
    Ok(faults)
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
    let mut fault = PlannedFaultParts::default();
    if let Some(entry) = table.get("name") {
        fault.name = Some(read_name(&entry)?);
    }
    if let Some(entry) = table.get("when") {
        read_when(&entry.table("`when`", &WHEN_KEYS, WHEN_HELP)?, profile, &mut fault)?;
    }
    let optional = table.get("optional").map(|entry| entry.flag()).transpose()?.unwrap_or(false);
    let inject = table.required("inject", "say what happens, for example inject = { hang = {} }")?;
    Ok(PlannedFault {
        inject: read_inject(&inject, fault.endpoint, profile)?,
        name: fault.name,
        endpoint: fault.aim,
        nth: fault.nth.unwrap_or(Nth::ALL),
        of: fault.of,
        chance: fault.chance,
        optional,
        key: String::new(),
    })
}

/// What is known before `inject` is read.
#[derive(Default)]
struct PlannedFaultParts<'p> {
    name: Option<String>,
    endpoint: Option<&'p Endpoint>,
    /// Which requests are meant: the endpoint's id, or a pattern.
    aim: Option<String>,
    nth: Option<Nth>,
    of: Of,
    chance: Option<Ratio>,
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

fn read_when<'p>(when: &Table<'_>, profile: &'p Profile, fault: &mut PlannedFaultParts<'p>) -> Read<()> {
    if let Some(entry) = when.get("endpoint") {
        let aim = read_aim(&entry, profile)?;
        fault.endpoint = profile.by_name(&aim).ok();
        fault.aim = Some(aim);
    }
    if let Some(entry) = when.get("nth") {
        fault.nth = Some(read_nth(&entry)?);
    }
    if let Some(entry) = when.get("of") {
        fault.of = entry.word(&Of::WORDS)?;
    }
    if let Some(entry) = when.get("chance") {
        let ratio = entry.text(CHANCE_HELP)?.parse::<Ratio>();
        fault.chance = Some(ratio.map_err(|_| {
            entry.fail(
                "this is not a chance",
                "not hits out of tries",
                Some(format!("{CHANCE_HELP}, at least as many")),
            )
        })?);
    }
    Ok(())
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
        let help = format!("write nth = \"{number}\"; {NTH_HELP}");
        return Err(entry.fail("`nth` is a text in quotes", "a bare number", Some(help)));
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
