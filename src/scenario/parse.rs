//! Reads a scenario from its text.

use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::matching::read_matching;
use super::read::{Entry, Read, Table, Text};
use super::trigger::{FAULT_KEYS, FAULTS_MOST, read_faults};
use super::{Case, Clock, CommandMust, Must, Named, Repeats, Scenario, ScenarioError, See, Source, Writes};
use crate::json::{Json, quote};
use crate::profile::Profile;
use crate::seed::Seed;
use crate::timeline::{Deployment, HostChange, HostState, ManagedHost, PathStep};

const KEYS: [&str; 14] = [
    "summary",
    "cassette",
    "console",
    "repeats",
    "writes",
    "match",
    "unknown_id",
    "polls_per_phase",
    "clock",
    "must",
    "deployment",
    "path",
    "fault",
    "case",
];
/// The ticks a scenario may name.
const TICKS: RangeInclusive<u32> = 0..=1_000_000;
/// The most managed hosts, changes of one host, and steps of a path.
const HOSTS_MOST: usize = 100;
const CHANGES_MOST: usize = 1_000;
const STEPS_MOST: usize = 1_000;

const HOSTS_HELP: &str = "write each host as [[deployment.hosts]] with a name and changes";
const CHANGE_HELP: &str = "write changes = [{ at = 2, becomes = \"done\" }]";
const PATH_HELP: &str = "write each step as [[path]] with at = 3 and set = { state = \"PROCESSING\" }";
const FAULT_HELP: &str = "write each fault as [[fault]] with when = { ... } and inject = { ... }";
const HOLD_HELP: &str = "write hold = [\"terminates\", \"names-the-error\"]";

const HOST_STATES: [(&str, HostState); 4] = [
    ("working", HostState::Working),
    ("done", HostState::Done),
    ("down", HostState::Down),
    ("removed", HostState::Removed),
];

impl Scenario {
    /// The scenario `text` describes. `name` is what it is called, `file` what messages call the text.
    ///
    /// # Errors
    /// The first mistake, with its place and the way out.
    pub fn parse(name: &str, file: &str, text: &str, profile: &Profile) -> Result<Self, ScenarioError> {
        let source = Text { file, text };
        let document = source.parse()?;
        let top = Table::new(&source, "a scenario", document.span(), document.get_ref(), &KEYS)?;
        read_top(name, text, &top, profile)
    }
}

fn read_top(name: &str, text: &str, top: &Table<'_>, profile: &Profile) -> Read<Scenario> {
    one_of(top, "cassette", "console", "a scenario is answered by one of them: take one out")?;
    for (one, other) in
        [("deployment", "path"), ("deployment", "polls_per_phase"), ("path", "polls_per_phase")]
    {
        one_of(top, one, other, "each says how the task lives: take one out")?;
    }
    let faults = match top.get("fault") {
        None => Vec::new(),
        Some(entry) => {
            let tables = entry.tables("`[[fault]]`", &FAULT_KEYS, FAULTS_MOST, FAULT_HELP)?;
            read_faults(&tables, profile)?
        }
    };
    Ok(Scenario {
        name: name.to_owned(),
        summary: top.get("summary").map(|entry| entry.text("")).transpose()?.unwrap_or_default().to_owned(),
        text: text.to_owned(),
        source: read_source(top)?,
        must: top.get("must").map(|entry| read_must(&entry)).transpose()?.unwrap_or_default(),
        deployment: top.get("deployment").map(|entry| read_deployment(&entry)).transpose()?,
        path: top.get("path").map(|entry| read_path(&entry)).transpose()?.unwrap_or_default(),
        polls_per_phase: top.get("polls_per_phase").map(|entry| entry.number32(1..=10_000)).transpose()?,
        clock: top.get("clock").map(|entry| read_clock(&entry)).transpose()?,
        repeats: top.get("repeats").map(|entry| entry.word(&Repeats::WORDS)).transpose()?.unwrap_or_default(),
        writes: top.get("writes").map(|entry| entry.word(&Writes::WORDS)).transpose()?.unwrap_or_default(),
        matching: top.get("match").map(|entry| read_matching(&entry)).transpose()?.unwrap_or_default(),
        unknown_id_misses: top
            .get("unknown_id")
            .map(|entry| entry.word(&[("miss", true)]))
            .transpose()?
            .unwrap_or(false),
        faults,
        case: top.get("case").map(|entry| read_case(&entry)).transpose()?,
        file: None,
    })
}

/// Refuses two keys that exclude each other, at the later one.
fn one_of(top: &Table<'_>, one: &str, other: &str, help: &str) -> Read<()> {
    let (Some(one), Some(other)) = (top.get(one), top.get(other)) else { return Ok(()) };
    let (first, second) = if one.key_at.start < other.key_at.start { (one, other) } else { (other, one) };
    let message = format!("`{}` and `{}` exclude each other", first.key, second.key);
    Err(second.fail_at_key(message, "the second of them", help.to_owned()))
}

fn read_source(top: &Table<'_>) -> Read<Source> {
    if let Some(entry) = top.get("console") {
        return entry.word(&[("emulate", ())]).map(|()| Source::Emulate);
    }
    Ok(Source::Cassette(top.get("cassette").map(|entry| entry.name()).transpose()?.map(str::to_owned)))
}

fn read_must(entry: &Entry<'_>) -> Read<Must> {
    let must =
        entry.table("`[must]`", &["hold", "command", "see"], "write [must] with hold = [\"terminates\"]")?;
    let mut hold: Vec<Named> = Vec::new();
    if let Some(entry) = must.get("hold") {
        for item in entry.items(HOLD_HELP)? {
            let name = item.name()?;
            if hold.iter().any(|named| named.name == name) {
                return Err(item.fail(
                    format!("`{name}` stands twice in `hold`"),
                    "again",
                    Some("take it out".to_owned()),
                ));
            }
            hold.push(Named { name: name.to_owned(), at: item.at() });
        }
    }
    let see = match must.get("see") {
        None => See::default(),
        Some(entry) => {
            let see = entry.table("`see`", &["requests_max"], "write see = { requests_max = 40 }")?;
            See {
                requests_max: see
                    .get("requests_max")
                    .map(|entry| entry.number(1..=1_000_000_000))
                    .transpose()?,
            }
        }
    };
    let command =
        must.get("command").map(|entry| entry.word(&CommandMust::WORDS)).transpose()?.unwrap_or_default();
    Ok(Must { hold, command, see })
}

fn read_clock(entry: &Entry<'_>) -> Read<Clock> {
    let help = "write clock = { tick_ms = 250 }, or { by = \"hand\" }";
    let clock = entry.table("`clock`", &["tick_ms", "by"], help)?;
    one_of(&clock, "tick_ms", "by", "a tick has one cause: take one out")?;
    match clock.get("by") {
        Some(entry) => entry.word(&[("hand", Clock::ByHand)]),
        None => Ok(Clock::Every(clock.required("tick_ms", help)?.number(1..=86_400_000)?)),
    }
}

fn read_deployment(entry: &Entry<'_>) -> Read<Deployment> {
    let deployment = entry.table("`[deployment]`", &["picked_up_at", "hosts"], HOSTS_HELP)?;
    let picked_up_at =
        deployment.get("picked_up_at").map(|entry| entry.number32(TICKS)).transpose()?.unwrap_or(1);
    let list = deployment.required("hosts", HOSTS_HELP)?;
    let mut hosts: Vec<ManagedHost> = Vec::new();
    for table in list.tables("`[[deployment.hosts]]`", &["name", "changes"], HOSTS_MOST, HOSTS_HELP)? {
        let entry = table.required("name", HOSTS_HELP)?;
        let name = entry.name()?.to_owned();
        if hosts.iter().any(|host| host.name == name) {
            return Err(entry.fail(
                format!("two hosts are called `{name}`"),
                "the second of them",
                Some("rename one".to_owned()),
            ));
        }
        let changes = table.get("changes").map(|entry| read_changes(&entry)).transpose()?.unwrap_or_default();
        hosts.push(ManagedHost { name, changes });
    }
    if hosts.is_empty() {
        return Err(list.fail("a deployment has at least one host", "no host", Some(HOSTS_HELP.to_owned())));
    }
    Ok(Deployment { picked_up_at, hosts })
}

fn read_changes(entry: &Entry<'_>) -> Read<Vec<HostChange>> {
    let tables = entry.tables("`changes`", &["at", "becomes"], CHANGES_MOST, CHANGE_HELP)?;
    let change = |table: &Table<'_>| {
        Ok(HostChange {
            at: table.required("at", CHANGE_HELP)?.number32(TICKS)?,
            becomes: table.required("becomes", CHANGE_HELP)?.word(&HOST_STATES)?,
        })
    };
    tables.iter().map(change).collect()
}

fn read_path(entry: &Entry<'_>) -> Read<Vec<PathStep>> {
    let mut steps: Vec<PathStep> = Vec::new();
    for table in entry.tables("`[[path]]`", &["at", "set"], STEPS_MOST, PATH_HELP)? {
        let at_entry = table.required("at", PATH_HELP)?;
        let at = at_entry.number32(TICKS)?;
        if let Some(last) = steps.last().filter(|last| last.at >= at) {
            let message = format!("the steps of a path ascend: {at} does not come after {}", last.at);
            return Err(at_entry.fail(
                message,
                "not after the step before",
                Some("put the steps in order".to_owned()),
            ));
        }
        let set = table.required("set", PATH_HELP)?;
        let members = set.members().filter(|members| !members.is_empty());
        let members = members.ok_or_else(|| {
            set.fail(
                "`set` must be a table of members and values",
                "sets nothing",
                Some(PATH_HELP.to_owned()),
            )
        })?;
        let set = members.iter().map(|member| Ok((member.key.to_owned(), json_of(member)?)));
        steps.push(PathStep { at, set: set.collect::<Read<_>>()? });
    }
    if steps.is_empty() {
        return Err(entry.fail("a path has at least one step", "no step", Some(PATH_HELP.to_owned())));
    }
    Ok(steps)
}

/// A value as JSON text; numbers keep their digits.
fn json_of(entry: &Entry<'_>) -> Read<String> {
    let no_json = |what: &str| {
        let help = "JSON has texts, numbers, true, false, lists and tables".to_owned();
        entry.fail(
            format!("`{}` is {what}, which JSON does not have", entry.key),
            "no JSON value",
            Some(help),
        )
    };
    match entry.value() {
        DeValue::String(text) => Ok(quote(text)),
        DeValue::Boolean(flag) => Ok(flag.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => {
            Ok(number.as_str().trim_start_matches('+').to_owned())
        }
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Ok(number.to_string()),
            Err(_) => Err(no_json("a number beyond 128 bits")),
        },
        DeValue::Float(number) if number.as_str().contains(['i', 'n']) => Err(no_json("not a finite number")),
        DeValue::Float(number) => Ok(number.as_str().trim_start_matches('+').to_owned()),
        DeValue::Datetime(_) => Err(no_json("a date")),
        DeValue::Array(_) => {
            let items = entry.items("")?.iter().map(json_of).collect::<Read<Vec<_>>>()?;
            Ok(format!("[{}]", items.join(",")))
        }
        DeValue::Table(_) => {
            let members = entry.members().unwrap_or_default();
            let member = |member: &Entry<'_>| Ok(format!("{}:{}", quote(member.key), json_of(member)?));
            Ok(format!("{{{}}}", members.iter().map(member).collect::<Read<Vec<_>>>()?.join(",")))
        }
    }
}

fn read_case(entry: &Entry<'_>) -> Read<Case> {
    const KEYS: [&str; 9] =
        ["property", "client", "job", "endpoint", "path", "dialect", "fields", "task", "seed"];
    const HELP: &str =
        "faultdeck writes [case] itself, with property, client, job, dialect and seed; restore the file";
    let case = entry.table("`[case]`", &KEYS, HELP)?;
    let name = |key: &str| Ok::<_, ScenarioError>(case.required(key, HELP)?.name()?.to_owned());
    let task = match case.get("task") {
        None => None,
        Some(entry) => {
            let text = entry.text(HELP)?;
            Json::parse(text).map_err(|error| {
                entry.fail(format!("`task` is not JSON: {error}"), "not JSON", Some(HELP.to_owned()))
            })?;
            Some(text.to_owned())
        }
    };
    let maybe = |key: &str| {
        case.get(key).map(|entry| entry.text(HELP)).transpose().map(|text| text.map(str::to_owned))
    };
    Ok(Case {
        endpoint: maybe("endpoint")?,
        path: maybe("path")?,
        property: name("property")?,
        client: name("client")?,
        job: name("job")?,
        dialect: name("dialect")?,
        fields: maybe("fields")?,
        task,
        seed: read_seed(&case.required("seed", HELP)?)?,
    })
}

/// A seed: a number, or a text of digits where TOML's own numbers end.
fn read_seed(entry: &Entry<'_>) -> Read<Seed> {
    match entry.value().as_str() {
        None => entry.number(0..=u64::MAX).map(Seed),
        Some(text) => text.parse().map_err(|_| {
            entry.fail("a seed is a whole number from 0 to 18446744073709551615", "not such a number", None)
        }),
    }
}
