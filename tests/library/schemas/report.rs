//! The report in JSON, as programs read it: what stands in it keeps its name and meaning within one format.

use std::collections::BTreeMap;

use schemars::JsonSchema;

/// What a run came to. Members may be added; those here keep their name and meaning within one format. Equal runs give equal
/// reports.
#[derive(JsonSchema)]
#[schemars(title = "faultdeck report")]
#[expect(dead_code, reason = "read by its schema alone")]
pub struct Report {
    /// The format: 1.
    #[schemars(range(min = 1))]
    format: u32,
    /// The version of faultdeck that was run; `null` where the ledger does not say.
    faultdeck: Option<String>,
    /// What was run: `run`, `judge`, `replay`, `demo`.
    verb: Option<String>,
    /// The exit code; `null` if the run was cut short.
    exit: Option<ExitCode>,
    /// The same in a word or two: `passed`, `failed`, `inconclusive`, `cut short`.
    result: String,
    /// Why, in one sentence, the weightiest reason first.
    because: Option<String>,
    /// The same, one by one, in the order it was found.
    reasons: Vec<Reason>,
    /// The seed of the first run.
    seed: Option<u64>,
    /// Of all runs, where they are several.
    #[serde(default)]
    seeds: Vec<u64>,
    /// The names of the cassettes.
    cassettes: Vec<String>,
    /// The names of the scenarios.
    scenarios: Vec<String>,
    /// The names of the clients that were judged.
    clients: Vec<String>,
    /// How the command under test ended, in words.
    command: Option<String>,
    counts: Counts,
    /// What each property came to.
    verdicts: Vec<Verdict>,
    /// The runs of a matrix.
    #[serde(default)]
    runs: Vec<Ran>,
    /// What each judgement put to the test.
    coverage: Vec<Coverage>,
    /// What a command was seen to do.
    #[serde(default)]
    seen: Option<Seen>,
    /// Files of counter-examples found before whose property holds now.
    fixed: Vec<String>,
    /// Requests that no recording answers, equal ones together.
    misses: Vec<Miss>,
    /// Requests that were turned away before anybody was asked, equal ones together.
    refused: Vec<Refused>,
    /// What became of connections before a request.
    connections: Vec<Connection>,
    /// Remarks on requests, equal ones together.
    findings: Vec<Finding>,
    /// The planned faults that fired.
    faults: Vec<Fault>,
    /// Planned faults that had to fire and never did, by scenario and name.
    never_fired: Vec<String>,
    /// Planned faults of which nobody can know whether a client met them.
    in_force: Vec<String>,
    /// Whom a command wanted to reach that could reach its replay alone, by name.
    #[serde(default)]
    elsewhere: Vec<String>,
}

/// An exit code: 0 passed, 1 failed, 2 wrong input, 3 inconclusive, 70 a defect of faultdeck.
pub struct ExitCode;

impl JsonSchema for ExitCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ExitCode".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "enum": [0, 1, 2, 3, 70] })
    }
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Reason {
    /// The exit code that it asks for; the weightiest of all decides (70, 2, 1, 3, 0).
    exit: ExitCode,
    /// What it is.
    why: String,
    /// The property, if a verdict tells the same.
    #[serde(default)]
    property: Option<String>,
    /// The known failure that it is about.
    #[serde(default)]
    known: Option<KnownMark>,
}

/// A known failure, and what became of it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct KnownMark {
    entry: Known,
    came: Came,
}

/// A `[[known]]` entry of `faultdeck.toml`.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Known {
    /// The scenario, or `generated`.
    scenario: String,
    /// The property that is violated; without it, the command fails.
    #[serde(default)]
    property: Option<String>,
    /// The only seed it is about.
    #[serde(default)]
    seed: Option<u64>,
    /// The endpoint that has to have been asked for.
    #[serde(default)]
    endpoint: Option<String>,
    /// Why it is let pass.
    reason: String,
    /// The last day on which it is.
    until: String,
    /// Whether it is a failure if it does not happen.
    strict: bool,
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "read by its schema alone")]
enum Came {
    /// it did not happen, although it was put to the test.
    Passed,
    /// nothing can be told.
    Open,
    /// it happened, and is let pass.
    Failed,
    /// it happened, and its day is over.
    Expired,
}

/// How many requests came, and what they were answered from. Each one served stands in exactly one of `recorded`,
/// `modelled`, `synthesised`, `by_fault`, `misses`.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Counts {
    /// Requests served.
    served: u64,
    /// Answered from a recording, a timeline or a creation.
    recorded: u64,
    /// Of the recorded ones those whose filter, order or window was computed.
    computed: u64,
    /// Answered by a console that is a model.
    modelled: u64,
    /// Answered by a rule of the API.
    synthesised: u64,
    /// Answered by a fault in the console's place.
    by_fault: u64,
    /// Answered by nothing.
    misses: u64,
    /// Faults that fired.
    faults: u64,
    /// Turned away before anybody was asked.
    refused: u64,
    /// How often a connection met a planned fault before its first request.
    #[serde(default)]
    greeted: u64,
    /// Connections dialled to another host: 0 but for `record`.
    dials: u64,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Verdict {
    /// The property.
    property: String,
    /// The scenario, or `generated`.
    scenario: String,
    /// The client.
    client: String,
    verdict: Standing,
    /// Whether it was asked for; if not, it informs only.
    required: bool,
    /// Why.
    because: String,
    /// What shows it, line by line.
    evidence: Vec<String>,
    /// How many cases it was put to.
    cases: u32,
    /// The session whose exchanges show it.
    session: Option<String>,
    /// The file the counter-example was saved to, or of one found before that is fixed.
    found: Option<String>,
    /// The command line that shows it again.
    repeat: Option<String>,
    /// What a rule rests on that a console was put to.
    #[serde(default)]
    rests_on: Option<String>,
    /// The known failure that a violation is.
    #[serde(default)]
    known: Option<KnownMark>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "read by its schema alone")]
enum Standing {
    /// the client does not do the job.
    NotApplicable,
    /// it was put to the test and holds.
    Held,
    /// nothing put it to the test.
    NotReached,
    /// it was put to the test, and what came out says nothing.
    Inconclusive,
    /// it is broken.
    Violated,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Ran {
    /// Its session: scenario and seed.
    session: String,
    /// The scenario; empty if there was none.
    scenario: String,
    /// The seed.
    seed: u64,
    standing: RunStanding,
    /// Why.
    because: String,
    /// How often it was run again under the same seed, and how often it passed then.
    #[serde(default)]
    again: Option<(u32, u32)>,
    /// Planned faults with a chance that did not fire here.
    #[serde(default)]
    silent: Vec<String>,
    /// The command line that does this run again.
    repeat: String,
    /// Which part of the matrix was run, of how many.
    #[serde(default)]
    part: Option<(u32, u32)>,
    /// The known failures that are about this run.
    #[serde(default)]
    known: Vec<KnownMark>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "read by its schema alone")]
enum RunStanding {
    /// everything that was asked for holds.
    Passed,
    /// it failed as it is known to.
    Known,
    /// the command never came near what the scenario is about.
    Skipped,
    /// it never began, or was interrupted.
    NotRun,
    /// nothing was put to the test, or not all.
    Inconclusive,
    /// it failed, and passed when it was run again under the same seed.
    Flaky,
    /// the command, or a property, failed.
    Failed,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Coverage {
    /// The client.
    client: String,
    /// Law by law and job by job.
    laws: Vec<Law>,
    /// Laws that the client could be judged by, and that nothing put to the test.
    laws_not_reached: Vec<String>,
    /// States of tasks.
    states: Reached,
    /// Kinds of faults.
    faults: Reached,
    drawn: Drawn,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Reached {
    reached: Vec<String>,
    missing: Vec<String>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Law {
    property: String,
    /// `get`, `wait`, `create`, `list`.
    job: String,
    /// How many cases were looked at.
    judged: u64,
    /// How many put it to the test.
    cases: u64,
    /// How many broke it.
    broken: u64,
    /// Cases by the kind of fault in them.
    faults: BTreeMap<String, u64>,
    /// Cases by the states in them.
    states: BTreeMap<String, u64>,
}

/// What the drawn cases were like.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Drawn {
    cases: u64,
    /// With faults.
    disturbed: u64,
    /// Without `fields`.
    whole: u64,
    /// With brackets.
    deep: u64,
    /// Beyond ASCII.
    unicode: u64,
    /// With something empty.
    empty: u64,
    /// With an error among the answers.
    errors: u64,
    /// The most names at one level.
    widest: u64,
    /// The most levels.
    deepest: u64,
}

/// What one run saw, or all runs of a matrix together.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Seen {
    /// By endpoint; what no profile knows stands under an empty name.
    endpoints: BTreeMap<String, EndpointSeen>,
    /// The endpoints of the recordings.
    recorded: Reached,
    /// The states of the tasks that were asked for.
    states: Reached,
    /// The planned faults, by scenario and name.
    faults: Reached,
    /// By the name of each recording.
    recordings: BTreeMap<String, Used>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct EndpointSeen {
    requests: u64,
    /// How often each status was answered.
    statuses: BTreeMap<String, u64>,
    /// How often a task was shown in each state.
    states: BTreeMap<String, u64>,
    /// How often each kind of fault fired.
    faults: BTreeMap<String, u64>,
    /// The most names that a selector had at one level.
    widest: u64,
    /// The most levels that one had.
    deepest: u64,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Used {
    /// How many interactions the recording has.
    interactions: u64,
    /// The ids of those that answered no request.
    unused: Vec<String>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Miss {
    method: String,
    target: String,
    /// Why nothing fits.
    cause: String,
    /// What would have come nearest.
    nearest: Vec<String>,
    times: u64,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Refused {
    /// The first line of the request, as far as it can be shown.
    head: String,
    status: u16,
    why: String,
    times: u64,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Connection {
    /// The kind of fault.
    kind: String,
    /// What it did, in words.
    did: String,
    times: u64,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Finding {
    /// The endpoint, or the path.
    at: String,
    finding: String,
    times: u64,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "read by its schema alone")]
struct Fault {
    kind: String,
    /// The planned fault's name, or all of it in a line.
    planned: String,
    times: u64,
}
