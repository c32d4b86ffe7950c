//! Reads a scenario from its text.

use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::matching::read_matching;
use super::read::{Entry, Read, Table, Text, every};
use super::see::read_see;
use super::trigger::{FAULT_KEYS, FAULTS_MOST, read_faults};
use super::{
    Case, Clock, CommandMust, Must, Named, PlannedFault, Repeats, Scenario, ScenarioError, Source, Writes,
};
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

/// The most names in `hold`: more than there are properties.
const HOLD_MOST: usize = 100;

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
    /// All mistakes, each with its place and the way out.
    pub fn parse(name: &str, file: &str, text: &str, profile: &Profile) -> Result<Self, ScenarioError> {
        let source = Text::new(file, text);
        let read = {
            let document = source.document();
            let top = Table::new(&source, "a scenario", document.span(), document.get_ref(), &KEYS);
            read_top(name, text, &top, profile)
        };
        Ok(source.finish(read)?)
    }
}

fn read_top(name: &str, text: &str, top: &Table<'_>, profile: &Profile) -> Read<Scenario> {
    let exclude = one_of(top, "cassette", "console", "a scenario is answered by one of them: take one out");
    let lives = [("deployment", "path"), ("deployment", "polls_per_phase"), ("path", "polls_per_phase")];
    let lives =
        lives.map(|(one, other)| one_of(top, one, other, "each says how the task lives: take one out"));
    let summary = top.read("summary", |entry| entry.text(""));
    let source = read_source(top);
    let deployment = top.read("deployment", read_deployment);
    let path = top.read("path", read_path);
    let polls_per_phase = top.read("polls_per_phase", |entry| entry.number32(1..=10_000));
    let clock = top.read("clock", read_clock);
    let repeats = top.read("repeats", |entry| entry.word(&Repeats::WORDS));
    let writes = top.read("writes", |entry| entry.word(&Writes::WORDS));
    let matching = top.read("match", read_matching);
    let unknown_id_misses = top.read("unknown_id", |entry| entry.word(&[("miss", true)]));
    let faults = top.read("fault", |entry| {
        let tables = entry.tables("`[[fault]]`", &FAULT_KEYS, FAULTS_MOST, FAULT_HELP)?;
        read_faults(&tables, profile)
    });
    let planned = faults.as_ref().ok().map(|faults| faults.as_deref().unwrap_or_default());
    let must = top.read("must", |entry| read_must(entry, planned, profile));
    let case = top.read("case", read_case);
    exclude?;
    every(lives)?;
    Ok(Scenario {
        name: name.to_owned(),
        summary: summary?.unwrap_or_default().to_owned(),
        text: text.to_owned(),
        source: source?,
        must: must?.unwrap_or_default(),
        deployment: deployment?,
        path: path?.unwrap_or_default(),
        polls_per_phase: polls_per_phase?,
        clock: clock?,
        repeats: repeats?.unwrap_or_default(),
        writes: writes?.unwrap_or_default(),
        matching: matching?.unwrap_or_default(),
        unknown_id_misses: unknown_id_misses?.unwrap_or(false),
        faults: faults?.unwrap_or_default(),
        case: case?,
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
    let cassette = top.read("cassette", Entry::name);
    match top.read("console", |entry| entry.word(&[("emulate", ())]))? {
        Some(()) => Ok(Source::Emulate),
        None => Ok(Source::Cassette(cassette?.map(str::to_owned))),
    }
}

fn read_must(entry: &Entry<'_>, faults: Option<&[PlannedFault]>, profile: &Profile) -> Read<Must> {
    let must =
        entry.table("`[must]`", &["hold", "command", "see"], "write [must] with hold = [\"terminates\"]")?;
    let hold = must.read("hold", read_hold);
    let see = must.read("see", |entry| read_see(entry, faults, profile));
    let command = must.read("command", |entry| entry.word(&CommandMust::WORDS));
    Ok(Must {
        hold: hold?.unwrap_or_default(),
        command: command?.unwrap_or_default(),
        see: see?.unwrap_or_default(),
    })
}

fn read_hold(entry: &Entry<'_>) -> Read<Vec<Named>> {
    let mut names: Vec<&str> = Vec::new();
    let items = entry.items(HOLD_HELP)?;
    if let Some(over) = items.get(HOLD_MOST) {
        return Err(over.fail(
            format!("more than {HOLD_MOST} names in `hold`"),
            "this one is too many",
            None,
        ));
    }
    every(items.iter().map(|item| {
        let name = item.name()?;
        if names.contains(&name) {
            let message = format!("`{name}` stands twice in `hold`");
            return Err(item.fail(message, "again", Some("take it out".to_owned())));
        }
        names.push(name);
        let named = Named { name: name.to_owned(), at: item.at() };
        item.keep(&named);
        Ok(named)
    }))
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
    let picked_up_at = deployment.read("picked_up_at", |entry| entry.number32(TICKS));
    let hosts = deployment.required("hosts", HOSTS_HELP).and_then(|list| read_hosts(&list));
    Ok(Deployment { picked_up_at: picked_up_at?.unwrap_or(1), hosts: hosts? })
}

fn read_hosts(list: &Entry<'_>) -> Read<Vec<ManagedHost>> {
    if list.items(HOSTS_HELP)?.is_empty() {
        let help = Some(HOSTS_HELP.to_owned());
        return Err(list.fail_without("a deployment has at least one host", "no host", help));
    }
    let mut names: Vec<&str> = Vec::new();
    let tables = list.tables("`[[deployment.hosts]]`", &["name", "changes"], HOSTS_MOST, HOSTS_HELP)?;
    every(tables.iter().map(|table| {
        let changes = table.read("changes", read_changes);
        let entry = table.required("name", HOSTS_HELP)?;
        let name = entry.name()?;
        if names.contains(&name) {
            let message = format!("two hosts are called `{name}`");
            return Err(entry.fail(message, "the second of them", Some("rename one".to_owned())));
        }
        names.push(name);
        Ok(ManagedHost { name: name.to_owned(), changes: changes?.unwrap_or_default() })
    }))
}

fn read_changes(entry: &Entry<'_>) -> Read<Vec<HostChange>> {
    let tables = entry.tables("`changes`", &["at", "becomes"], CHANGES_MOST, CHANGE_HELP)?;
    every(tables.iter().map(|table| {
        let at = table.required("at", CHANGE_HELP).and_then(|entry| entry.number32(TICKS));
        let becomes = table.required("becomes", CHANGE_HELP).and_then(|entry| entry.word(&HOST_STATES));
        Ok(HostChange { at: at?, becomes: becomes? })
    }))
}

fn read_path(entry: &Entry<'_>) -> Read<Vec<PathStep>> {
    if entry.items(PATH_HELP)?.is_empty() {
        let help = Some(PATH_HELP.to_owned());
        return Err(entry.fail_without("a path has at least one step", "no step", help));
    }
    let mut last: Option<u32> = None;
    every(entry.tables("`[[path]]`", &["at", "set"], STEPS_MOST, PATH_HELP)?.iter().map(|table| {
        let set = table.required("set", PATH_HELP).and_then(|entry| read_set(&entry));
        let entry = table.required("at", PATH_HELP)?;
        let at = entry.number32(TICKS)?;
        if let Some(last) = last.filter(|last| *last >= at) {
            let message = format!("the steps of a path ascend: {at} does not come after {last}");
            let help = Some("put the steps in order".to_owned());
            return Err(entry.fail(message, "not after the step before", help));
        }
        last = Some(at);
        Ok(PathStep { at, set: set? })
    }))
}

fn read_set(set: &Entry<'_>) -> Read<Vec<(String, String)>> {
    let message = "`set` must be a table of members and values";
    let help = Some(PATH_HELP.to_owned());
    match set.members() {
        None => Err(set.fail(message, "sets nothing", help)),
        Some(members) if members.is_empty() => Err(set.fail_without(message, "sets nothing", help)),
        Some(members) => every(members.iter().map(|member| Ok((member.key.to_owned(), json_of(member)?)))),
    }
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
            let items = every(entry.items("")?.iter().map(json_of))?;
            Ok(format!("[{}]", items.join(",")))
        }
        DeValue::Table(_) => {
            let members = entry.members().unwrap_or_default();
            let member = |member: &Entry<'_>| Ok(format!("{}:{}", quote(member.key), json_of(member)?));
            Ok(format!("{{{}}}", every(members.iter().map(member))?.join(",")))
        }
    }
}

fn read_case(entry: &Entry<'_>) -> Read<Case> {
    const KEYS: [&str; 9] =
        ["property", "client", "job", "endpoint", "path", "dialect", "fields", "task", "seed"];
    const HELP: &str =
        "faultdeck writes [case] itself, with property, client, job, dialect and seed; restore the file";
    let case = entry.table("`[case]`", &KEYS, HELP)?;
    let name = |key: &str| Ok(case.required(key, HELP)?.name()?.to_owned());
    let maybe = |key: &str| case.read(key, |entry| Ok(entry.text(HELP)?.to_owned()));
    let [property, client, job, dialect] = ["property", "client", "job", "dialect"].map(name);
    let [endpoint, path, fields] = ["endpoint", "path", "fields"].map(maybe);
    let task = case.read("task", |entry| {
        let text = entry.text(HELP)?;
        match Json::parse(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(error) => {
                let message = format!("`task` is not JSON: {error}");
                Err(entry.fail(message, "not JSON", Some(HELP.to_owned())))
            }
        }
    });
    let seed = case.required("seed", HELP).and_then(|entry| read_seed(&entry));
    Ok(Case {
        endpoint: endpoint?,
        path: path?,
        property: property?,
        client: client?,
        job: job?,
        dialect: dialect?,
        fields: fields?,
        task: task?,
        seed: seed?,
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
