//! `[must] see`: what must be seen on the wire while a command runs.

use std::fmt;

use super::PlannedFault;
use super::read::{Entry, Read, Table, every, quoted};
use super::trigger::read_aim;
use crate::fault::Fault;
use crate::profile::Profile;
use crate::spelling::nearest;

/// The largest count that may be asked for.
const MOST: u64 = 1_000_000_000;
/// The most rows of `requests`.
const ROWS_MOST: usize = 100;

const KEYS: [&str; 5] = ["requests_min", "requests_max", "requests", "every_interaction", "nothing_missed"];
const ROW_KEYS: [&str; 5] = ["endpoint", "status", "fault", "min", "max"];

const HELP: &str = "write see = { requests_max = 40 }";
const ROWS_HELP: &str = "write requests = [{ endpoint = \"case_create_tasks.get\", status = 404, max = 1 }]";
const STATUS_HELP: &str = "write a status, status = 404, or a class of them, status = \"4xx\"";

/// What must be seen on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct See {
    /// At least so many requests in all, 1 to 1,000,000,000.
    pub requests_min: Option<u64>,
    /// At most so many, 1 to 1,000,000,000.
    pub requests_max: Option<u64>,
    /// How many requests of a kind.
    pub requests: Vec<Seen>,
    /// Whether each interaction of the recording must have been used.
    pub every_interaction: bool,
    /// Whether a request that no recording answers is a failure. Without this it only leaves the run inconclusive.
    pub nothing_missed: bool,
}

/// So many requests of a kind: all that it says must hold for one that counts, and it says one thing at least.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// To which endpoint, as [`super::When::endpoint`].
    pub endpoint: Option<String>,
    /// How they were answered.
    pub status: Option<Statuses>,
    /// Which planned fault they met: by its name, or by its kind.
    pub fault: Option<String>,
    /// At least so many. With neither this nor `max` it is 1.
    pub min: u64,
    /// At most so many.
    pub max: Option<u64>,
}

/// A status, or a class of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statuses {
    /// This one, 100 to 999.
    One(u16),
    /// All with this first digit, 1 to 9: `4xx`.
    Class(u16),
}

impl Statuses {
    /// Whether it is one of them.
    pub fn has(self, status: u16) -> bool {
        match self {
            Self::One(one) => one == status,
            Self::Class(class) => status / 100 == class,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let class = text.strip_suffix("xx")?;
        let digit = class.parse().ok().filter(|digit| (1..=9).contains(digit))?;
        (class.len() == 1).then_some(Self::Class(digit))
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(status) => write!(f, "{status}"),
            Self::Class(class) => write!(f, "{class}xx"),
        }
    }
}

/// `faults` are those of the scenario, unless they could not be read: then any name is taken.
pub(super) fn read_see(entry: &Entry<'_>, faults: Option<&[PlannedFault]>, profile: &Profile) -> Read<See> {
    let see = entry.table("`see`", &KEYS, HELP)?;
    let [requests_min, requests_max] = ["requests_min", "requests_max"].map(|key| see.read(key, count));
    let requests = see.read("requests", |entry| {
        let rows = entry.tables("a row of `requests`", &ROW_KEYS, ROWS_MOST, ROWS_HELP)?;
        every(rows.iter().map(|row| read_seen(row, faults, profile)))
    });
    let [every_interaction, nothing_missed] =
        ["every_interaction", "nothing_missed"].map(|key| see.read(key, Entry::flag));
    let of = |read: &Read<Option<u64>>| read.as_ref().ok().copied().flatten();
    let in_order = ordered(&see, "requests_min", of(&requests_min), of(&requests_max));
    let must_be_seen = See {
        requests_min: requests_min?,
        requests_max: requests_max?,
        requests: requests?.unwrap_or_default(),
        every_interaction: every_interaction?.unwrap_or_default(),
        nothing_missed: nothing_missed?.unwrap_or_default(),
    };
    in_order?;
    Ok(must_be_seen)
}

fn count(entry: &Entry<'_>) -> Read<u64> {
    entry.number(1..=MOST)
}

fn read_seen(row: &Table<'_>, faults: Option<&[PlannedFault]>, profile: &Profile) -> Read<Seen> {
    let endpoint = row.read("endpoint", |entry| read_aim(entry, profile));
    let status = row.read("status", read_status);
    let fault = row.read("fault", |entry| read_fault(entry, faults));
    let [min, max] = ["min", "max"].map(|key| row.read(key, |entry| entry.number(0..=MOST)));
    let (min, max) = (min?, max?);
    ordered(row, "min", min, max)?;
    let least = min.unwrap_or(u64::from(max.is_none()));
    let seen = Seen { endpoint: endpoint?, status: status?, fault: fault?, min: least, max };
    if seen.endpoint.is_none() && seen.status.is_none() && seen.fault.is_none() {
        let help = "name an `endpoint`, a `status` or a `fault`; of all requests there are `requests_min` and `requests_max`";
        let message = "a row of `requests` must say which requests it counts".to_owned();
        return Err(row.lacks("endpoint", row.at(), message, "counts anything".to_owned(), help));
    }
    Ok(seen)
}

/// Refuses a least count above the most, at the least.
fn ordered(table: &Table<'_>, key: &str, min: Option<u64>, max: Option<u64>) -> Read<()> {
    let (Some(entry), Some(min), Some(max)) = (table.get(key), min, max) else { return Ok(()) };
    if min <= max {
        return Ok(());
    }
    Err(entry.fail(format!("at least {min} and at most {max} cannot both be"), "more than the most", None))
}

fn read_status(entry: &Entry<'_>) -> Read<Statuses> {
    if entry.value().is_integer() {
        let status = entry.number(100..=999)?;
        return Ok(Statuses::One(u16::try_from(status).unwrap_or_default()));
    }
    let text = entry.text(STATUS_HELP)?;
    Statuses::parse(text).ok_or_else(|| {
        let message = format!("`status` cannot be `{}`", text.escape_debug());
        entry.fail(message, "no status", Some(STATUS_HELP.to_owned()))
    })
}

/// The name of one of the scenario's faults, or a kind of them.
fn read_fault(entry: &Entry<'_>, faults: Option<&[PlannedFault]>) -> Read<String> {
    let name = entry.name()?;
    let Some(faults) = faults else { return Ok(name.to_owned()) };
    if faults.iter().any(|fault| fault.name.as_deref() == Some(name)) {
        return Ok(name.to_owned());
    }
    if let Some(known) = Fault::known(name) {
        return Ok(known.row.name.to_owned());
    }
    let names: Vec<&str> = faults.iter().filter_map(|fault| fault.name.as_deref()).collect();
    let kinds = Fault::CATALOGUE.iter().map(|row| row.name);
    let near = nearest(name, names.iter().copied().chain(kinds));
    let help = match near.first() {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "write the name of a `[[fault]]`, or a kind of fault".to_owned(),
        None => format!("write a kind of fault, or the name of one: {}", quoted(names.into_iter(), "or")),
    };
    let message = format!("no fault is called `{}`", name.escape_debug());
    Err(entry.fail(message, "neither a name nor a kind", Some(help)))
}

impl See {
    /// As a scenario says it, in one line; nothing if nothing is asked for.
    pub(super) fn in_toml(&self, text: impl Fn(&str) -> String) -> Option<String> {
        let mut parts = Vec::new();
        parts.extend(self.requests_min.map(|min| format!("requests_min = {min}")));
        parts.extend(self.requests_max.map(|max| format!("requests_max = {max}")));
        if !self.requests.is_empty() {
            let rows: Vec<String> = self.requests.iter().map(|row| row.in_toml(&text)).collect();
            parts.push(format!("requests = [{}]", rows.join(", ")));
        }
        parts.extend(self.every_interaction.then(|| "every_interaction = true".to_owned()));
        parts.extend(self.nothing_missed.then(|| "nothing_missed = true".to_owned()));
        (!parts.is_empty()).then(|| format!("{{ {} }}", parts.join(", ")))
    }
}

impl Seen {
    fn in_toml(&self, text: impl Fn(&str) -> String) -> String {
        let mut parts = Vec::new();
        parts.extend(self.endpoint.as_deref().map(|endpoint| format!("endpoint = {}", text(endpoint))));
        parts.extend(self.status.map(|status| match status {
            Statuses::One(status) => format!("status = {status}"),
            Statuses::Class(_) => format!("status = \"{status}\""),
        }));
        parts.extend(self.fault.as_deref().map(|fault| format!("fault = {}", text(fault))));
        parts.push(format!("min = {}", self.min));
        parts.extend(self.max.map(|max| format!("max = {max}")));
        format!("{{ {} }}", parts.join(", "))
    }
}
