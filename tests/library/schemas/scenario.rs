//! A scenario, as its reader takes it. What the reader knows by tables (faults, properties) is taken from them.

use std::collections::BTreeMap;

use faultdeck::fault::{Alias, At, Fault, Parameter, Row, Takes};
use faultdeck::judge::PROPERTIES;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::generate::{NAME, Name, leaf};

/// A scenario of faultdeck: what goes wrong, when, and what must still hold.
#[derive(JsonSchema)]
#[schemars(title = "faultdeck scenario", deny_unknown_fields)]
#[schemars(extend("dependencies" = json!({
    "cassette": { "not": { "required": ["console"] } },
    "deployment": { "not": { "anyOf": [{ "required": ["path"] }, { "required": ["polls_per_phase"] }] } },
    "path": { "not": { "required": ["polls_per_phase"] } }
})))]
#[expect(dead_code, reason = "read by their schema alone; so are all types of these files")]
pub struct Scenario {
    /// The story in a sentence.
    #[schemars(extend("examples" = ["A managed host lags, and the task stays partly complete for a while."]))]
    summary: Option<String>,
    /// The cassette that answers: a name, `builtin:NAME`, or a path that ends in `.json`, from this file's folder. If
    /// it is left out, the command line names one. Excludes `console`.
    #[schemars(extend("examples" = ["forensics/create-case", "builtin:ariel/search"]))]
    cassette: Option<Name>,
    /// `emulate`: the small console that is built in answers, in place of a cassette.
    console: Option<Emulate>,
    /// What a read past its last recording gets.
    #[schemars(extend("default" = "last"))]
    repeats: Option<Repeats>,
    /// What a write past its last recording gets. Creations of tasks are no matter of this: they repeat by themselves.
    #[schemars(extend("default" = "once"))]
    writes: Option<Writes>,
    /// What counts when a request is matched to a recording, beside the file `NAME.match.toml` of the cassette.
    r#match: Option<Match>,
    /// `miss`: an id that the cassette does not hold is a miss (501), not the console's 404.
    unknown_id: Option<UnknownId>,
    /// How many polls each recorded phase of the task lasts. Excludes `deployment` and `path`.
    #[schemars(range(min = 1, max = 10_000))]
    polls_per_phase: Option<u32>,
    /// What drives a task in place of polls: time, or whoever runs it. Such a run cannot be repeated exactly.
    clock: Option<Clock>,
    /// What must hold.
    must: Option<Must>,
    /// The managed hosts behind the task, and what becomes of each; the task's state follows. Excludes `path` and
    /// `polls_per_phase`.
    deployment: Option<Deployment>,
    /// The task's life step by step, by ascending ticks: what its members are from a tick on. Excludes `deployment` and
    /// `polls_per_phase`.
    #[schemars(length(min = 1, max = 1_000))]
    path: Option<Vec<Step>>,
    /// What goes wrong, in this order.
    #[schemars(length(max = 1_000))]
    fault: Option<Vec<PlannedFault>>,
    /// What a counter-example carries that `judge` found; written by faultdeck itself.
    case: Option<Case>,
}

leaf! { Emulate = json!({ "type": "string", "enum": ["emulate"] }) }
leaf! { UnknownId = json!({ "type": "string", "enum": ["miss"] }) }

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code)]
enum Repeats {
    /// the last recording again.
    Last,
    /// a miss.
    Error,
    /// the recordings from the first again.
    Cycle,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code)]
enum Writes {
    /// a miss: what the console does with it a second time was not recorded.
    Once,
    /// the recordings from the first again.
    Repeat,
    /// the last recording again.
    Last,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
pub struct Match {
    /// What does not count: parameters of a query or form, and JSON pointers (with a slash) into a JSON body.
    #[schemars(length(max = 100), extend("examples" = [["_", "/run/id"]]))]
    ignore: Option<Vec<Name>>,
    /// What counts but for how it is written: a parameter, or a JSON pointer into a JSON body.
    #[schemars(extend(
        "maxProperties" = 100,
        "propertyNames" = json!({ "pattern": r"^[^\x00-\x1f\x7f-\x9f]+$" }),
        "examples" = [{ "filter": "blanks" }]
    ))]
    normalise: Option<BTreeMap<String, Normal>>,
    /// Headers that count beside what counts anyway. No credentials: those are in no cassette.
    #[schemars(length(max = 100), extend("examples" = [["X-Tenant"]]))]
    headers: Option<Vec<Name>>,
    /// Whether times and uuids that the client made up may be passed over.
    #[schemars(extend("default" = true))]
    loose: Option<bool>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code)]
enum Normal {
    /// capitals and small letters are the same.
    Case,
    /// any white space is one blank, and none at the ends.
    Blanks,
    /// a list with commas, in any order.
    List,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("minProperties" = 1, "maxProperties" = 1))]
#[expect(dead_code)]
struct Clock {
    /// So many milliseconds since the first poll make one tick.
    #[schemars(range(min = 1, max = 86_400_000))]
    tick_ms: Option<u32>,
    /// `hand`: each SIGUSR1, or each line on the standard input of `replay`, makes one tick.
    by: Option<Hand>,
}

leaf! { Hand = json!({ "type": "string", "enum": ["hand"] }) }

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Must {
    /// Properties that must hold, each once.
    #[schemars(length(max = 100), extend("uniqueItems" = true))]
    hold: Option<Vec<Property>>,
    /// What a command that `run` runs under this scenario should do.
    #[schemars(extend("default" = "passes"))]
    command: Option<Command>,
    /// What must be seen on the wire.
    see: Option<See>,
}

leaf! {
    Property = {
        let row = |property: &faultdeck::judge::Property| format!("`{}`: {}", property.id, property.summary);
        let rows: Vec<String> = PROPERTIES.iter().map(|property| row(property)).collect();
        let ids: Vec<&str> = PROPERTIES.iter().map(|property| property.id).collect();
        json!({ "type": "string", "description": rows.join("\n\n"), "enum": ids })
    }
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code)]
enum Command {
    /// it ends with 0.
    Passes,
    /// it does not end with 0.
    Fails,
    /// either.
    Any,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct See {
    /// At least so many requests in all.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    requests_min: Option<u32>,
    /// At most so many requests in all.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    requests_max: Option<u32>,
    /// How many requests of a kind.
    #[schemars(length(max = 100))]
    requests: Option<Vec<Seen>>,
    /// Each interaction of the recording must have been used.
    #[schemars(extend("default" = false))]
    every_interaction: Option<bool>,
    /// A request that no recording answers is a failure (exit code 1), not only inconclusive (3).
    #[schemars(extend("default" = false))]
    nothing_missed: Option<bool>,
}

/// So many requests of a kind: all that it says must hold for one that counts.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("anyOf" = [
    { "required": ["endpoint"] }, { "required": ["status"] }, { "required": ["fault"] }
]))]
#[expect(dead_code)]
struct Seen {
    /// To which endpoint: its name, or method and path with `*` and `**`.
    endpoint: Option<Name>,
    /// How they were answered: a status, or a class of them.
    status: Option<Status>,
    /// Which planned fault they met: by its name, or its kind.
    fault: Option<Name>,
    /// At least so many. With neither this nor `max` it is 1.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    min: Option<u32>,
    /// At most so many.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    max: Option<u32>,
}

leaf! {
    Status = json!({ "anyOf": [
        { "type": "integer", "minimum": 100, "maximum": 999 },
        { "type": "string", "pattern": "^[1-9]xx$" },
    ] })
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Deployment {
    /// The tick at which the task is picked up; it waits before. The first poll is tick 0.
    #[schemars(range(min = 0, max = 1_000_000), extend("default" = 1))]
    picked_up_at: Option<u32>,
    /// The managed hosts, each with a name of its own.
    #[schemars(length(min = 1, max = 100))]
    hosts: Vec<Host>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Host {
    /// What it is called.
    name: Name,
    /// What becomes of it. It works until the first of them.
    #[schemars(length(max = 1_000), extend("examples" = [[{ "at": 2, "becomes": "done" }]]))]
    changes: Option<Vec<Change>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Change {
    /// The tick.
    #[schemars(range(min = 0, max = 1_000_000))]
    at: u32,
    /// What it is from then on.
    becomes: HostState,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code)]
enum HostState {
    /// it has not finished its part.
    Working,
    /// it has finished its part.
    Done,
    /// it does not answer.
    Down,
    /// it is no part of the deployment any more.
    Removed,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Step {
    /// The tick from which on this is so; greater than that of the step before.
    #[schemars(range(min = 0, max = 1_000_000))]
    at: u32,
    /// Members of the task and their values: anything that JSON has.
    #[schemars(extend("minProperties" = 1, "examples" = [{ "state": "PROCESSING" }]))]
    set: BTreeMap<String, Value>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct PlannedFault {
    /// A name of its own: ledgers call it so, other faults can come after it, and its draws hang on it.
    #[schemars(length(min = 1, max = 200), regex(pattern = "^[A-Za-z0-9._-]+$"))]
    name: Option<String>,
    /// On which requests, or connections, it happens: all conditions must hold. Without any, on each.
    when: Option<When>,
    /// What happens: one fault, by its name, with its parameters in a table.
    inject: Inject,
    /// Whether a run in which it never fires is fine.
    #[schemars(extend("default" = false))]
    optional: Option<bool>,
}

/// What an endpoint may be aimed at by.
const AIMS: [&str; 3] = ["case_create_tasks.get", "POST /forensics/case_management/cases", "GET /siem/**"];

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct When {
    /// Which endpoint: a short name (`faultdeck explain endpoints` lists them), an id, or `METHOD /path` in which `*` is
    /// any segment and `**` any number of them.
    #[schemars(length(min = 1), extend("examples" = AIMS))]
    endpoint: Option<String>,
    /// On which occurrences, counted from 1: "3", "2-4", "3-" (the third and all after it), "every 3".
    #[schemars(extend("default" = "1-"))]
    nth: Option<Nth>,
    /// Over what occurrences are counted.
    #[schemars(extend("default" = "resource"))]
    of: Option<Of>,
    /// On which calls of a resource; the same request repeated at once is one call. Forms as those of `nth`.
    call: Option<Nth>,
    /// In which session; `*` is any part of its name.
    session: Option<Name>,
    /// About which resource: its path without `/api`; `*` is any part of it.
    resource: Option<Resource>,
    /// Parameters that the query must carry: "status=CLOSED", or "filter" for any value.
    #[schemars(length(max = 20), extend("examples" = [["status=CLOSED"]]))]
    query: Option<Vec<Name>>,
    /// The state that the answer would show: as the API spells it, or one of the phases.
    state: Option<State>,
    /// At which ticks of the task, counted from 0: "3", "2-4" or "3-".
    tick: Option<Span>,
    /// How many milliseconds after the start: "2000-5000" or "3000-".
    since_start_ms: Option<Span>,
    /// Only after the planned fault of this name has fired in the session.
    after: Option<Name>,
    /// On which connections of the listener, counted from 1: those that befall a connection meet it, the others the
    /// requests that come on it. Forms as those of `nth`.
    connection: Option<Nth>,
    /// How likely it is each time: so many times, a slash, out of how many. What is drawn depends on the seed alone.
    chance: Option<Chance>,
    /// At most so many times in a session.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    most: Option<u32>,
}

/// A number from 1 on, of at most 32 bits as far as its length says.
const FROM_ONE: &str = "0*[1-9][0-9]{0,9}";

leaf! {
    Nth = {
        let pattern = format!(r"^({FROM_ONE}(-({FROM_ONE})?)?|every \s*{FROM_ONE})$");
        json!({ "type": "string", "pattern": pattern, "examples": ["3", "2-4", "3-", "every 3"] })
    }
}
leaf! { Span = json!({ "type": "string", "pattern": "^[0-9]+(-[0-9]*)?$", "examples": ["3", "2-4", "3-"] }) }
leaf! { Chance = json!({ "type": "string", "pattern": r"^\s*\+?[0-9]+\s*/\s*\+?[0-9]+\s*$", "examples": ["1/10"] }) }
leaf! {
    Resource = json!({
        "type": "string", "maxLength": 200, "pattern": r"^[/*][^\x00-\x1f\x7f-\x9f]*$", "examples": ["/siem/offenses/42"]
    })
}
leaf! {
    State = json!({ "anyOf": [
        { "type": "string", "enum": ["waiting", "working", "partial", "done", "failed", "cancelled"] },
        { "type": "string", "minLength": 1, "maxLength": 200, "pattern": NAME }
    ] })
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code)]
enum Of {
    /// each resource by itself: the same at any concurrency.
    Resource,
    /// all resources of the endpoint together: depends on the order of arrival.
    Endpoint,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Case {
    /// The property that was broken.
    #[schemars(extend("examples" = ["terminates"]))]
    property: Name,
    /// The client that broke it.
    client: Name,
    /// The job it was given.
    job: Name,
    /// The endpoint that was asked, if it is not the usual one.
    endpoint: Option<String>,
    /// The path that was asked, without `/api`.
    path: Option<String>,
    /// The dialect that the task was spelt in.
    dialect: Name,
    /// The `fields` that the client was told to ask with.
    fields: Option<String>,
    /// The task, as JSON text.
    task: Option<String>,
    /// The seed of the run.
    seed: Seed,
}

leaf! {
    /// Where other readers of TOML end, a seed is a text.
    Seed = json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": r"^\+?[0-9]+$" }] })
}

leaf! { Inject = inject() }

/// One fault: its names, and those of other tools.
fn inject() -> Value {
    let mut faults = Map::new();
    for row in Fault::CATALOGUE {
        // A name of its own that another tool has, too: that tool's parameters will do.
        let own = row.aliases.iter().find(|alias| alias.name == row.name);
        faults.insert(row.name.to_owned(), fault(row, own, &docs(row)));
    }
    for (row, alias) in
        Fault::CATALOGUE.iter().flat_map(|row| row.aliases.iter().map(move |alias| (row, alias)))
    {
        let called = format!("What {} calls `{}`. {}", alias.of, row.name, row.summary);
        faults.entry(alias.name).or_insert_with(|| fault(row, Some(alias), &called));
    }
    json!({
        "type": "object",
        "properties": faults,
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    })
}

fn docs(row: &Row) -> String {
    let place = match row.at {
        At::Connection => "\n\nIt befalls connections, before any request.",
        At::Response => "",
    };
    format!("{}\n\n{}{place}\n\n```toml\n{}\n```", row.summary, row.docs, row.example)
}

fn fault(row: &Row, alias: Option<&Alias>, description: &str) -> Value {
    let theirs = alias.map(|alias| alias.parameters).unwrap_or_default();
    let sets = alias.map(|alias| alias.sets).unwrap_or_default();
    let mut parameters = Map::new();
    let (mut required, mut either) = (Vec::new(), Vec::new());
    for known in row.parameters {
        parameters.insert(known.name.to_owned(), parameter(known, known.meaning));
        let other = theirs.iter().find(|(_, ours)| *ours == known.name).map(|(name, _)| *name);
        if let Some(other) = other {
            let meaning = format!("the same as `{}`: {}", known.name, known.meaning);
            parameters.insert(other.to_owned(), parameter(known, &meaning));
        }
        let is_set = sets.iter().any(|(name, _)| *name == known.name);
        match other {
            None if known.default.is_none() && !is_set => required.push(known.name),
            None => {}
            Some(other) if known.default.is_none() && !is_set => either.push((known.name, other)),
            Some(other) => either.push((other, "")),
        }
    }
    let mut schema = json!({
        "description": description,
        "type": "object",
        "properties": parameters,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    // Both names of one parameter are a mistake; so is none of them, where there has to be a value.
    for (name, other) in either {
        if other.is_empty() {
            let ours = theirs.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours);
            schema["dependencies"][name] = json!({ "not": { "required": [ours] } });
        } else {
            assert!(schema.get("oneOf").is_none(), "{}: two parameters with two names each", row.name);
            schema["oneOf"] = json!([{ "required": [name] }, { "required": [other] }]);
        }
    }
    schema
}

fn parameter(parameter: &Parameter, meaning: &str) -> Value {
    let mut schema = json!({ "description": meaning });
    let object = schema.as_object_mut().unwrap();
    let takes = match parameter.takes {
        Takes::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Takes::Name => json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": NAME }),
        Takes::Text => json!({ "type": "string", "maxLength": Takes::TEXT_MAX }),
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::Word(words) => json!({ "type": "string", "enum": words }),
    };
    object.extend(takes.as_object().unwrap().clone());
    // A default that is no value is in words: it says what is done without one.
    if let Some(value) = parameter.default.and_then(|default| default.parse::<toml::Value>().ok()) {
        object.insert("default".to_owned(), serde_json::to_value(value).unwrap());
    } else if let Some(words) = parameter.default {
        let meaning = format!("{meaning}; if left out: {words}");
        object.insert("description".to_owned(), meaning.into());
    }
    schema
}
