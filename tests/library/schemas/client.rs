//! A client file, as its reader takes it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::json;

use super::generate::leaf;

/// A client of faultdeck: how `judge` starts a program of yours, and how it reads what the program reports.
#[derive(JsonSchema)]
#[schemars(title = "faultdeck client", deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    { "required": ["exec"] },
    { "required": ["worker"] },
    { "required": ["http"] },
])))]
#[expect(dead_code, reason = "read by their schema alone; so are all types of these files")]
pub struct Client {
    /// What the client is, in a line.
    summary: String,
    /// What it can be asked to do: a list of jobs that ask the usual endpoints, or a table for each that names its own.
    jobs: Jobs,
    /// Which spellings of a case-creation task it can read.
    #[schemars(length(min = 1), extend("default" = ["sample"]))]
    dialects: Option<Vec<Dialect>>,
    /// A program that is started anew for each job, and what its ends mean.
    exec: Option<Exec>,
    /// A program that is started once and is given one job after the other (docs/worker.md).
    worker: Option<Worker>,
    /// A service that is posted each job.
    http: Option<Http>,
    /// What it says of itself: what it claims excuses it, and is not held against it.
    claims: Option<Claims>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code)]
enum Jobs {
    #[schemars(
        description = "Jobs that ask the usual endpoints; a `send` and a `list` have none and need a table."
    )]
    Words(#[schemars(length(min = 1))] Vec<Word>),
    Tables(Tables),
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code)]
enum Word {
    /// one GET of a task, with `fields`.
    Get,
    /// poll a task until there is nothing more to wait for.
    Wait,
    /// create a case, then wait for its task.
    Create,
}

/// A table for each job, which may name the endpoint it asks.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("minProperties" = 1))]
#[expect(dead_code)]
struct Tables {
    /// One GET, with `fields`.
    get: Option<Read>,
    /// Poll a task until there is nothing more to wait for.
    wait: Option<Wait>,
    /// Create a task, then wait for it.
    create: Option<Create>,
    /// One write, with `fields`.
    send: Option<Send>,
    /// Read a whole list to its end.
    list: Option<List>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Read {
    /// The endpoint it asks, by id or short name (`faultdeck explain endpoints`); without it, the usual one.
    #[schemars(extend("examples" = ["GET /siem/offenses/{offense_id}"]))]
    endpoint: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Wait {
    /// The endpoint that polls the task, by id or short name (`faultdeck explain endpoints`); without it, the usual one.
    #[schemars(extend("examples" = ["GET /ariel/searches/{search_id}"]))]
    endpoint: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Create {
    /// The endpoint that makes the task, by id or short name (`faultdeck explain endpoints`); without it, the usual one.
    #[schemars(extend("examples" = ["POST /forensics/case_management/cases"]))]
    endpoint: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Send {
    /// The write it sends, by id or short name: one that takes `fields` in a header.
    #[schemars(extend("examples" = ["POST /analytics/rules/{id}"]))]
    endpoint: String,
    /// What it sends, as JSON text.
    #[schemars(extend("examples" = ["{}"]))]
    body: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct List {
    /// The list it reads, by id or short name: one that takes `Range`.
    #[schemars(extend("examples" = ["GET /siem/offenses"]))]
    endpoint: String,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code)]
enum Dialect {
    /// the members of the API's sample.
    Sample,
    /// the members of the API's prose.
    Prose,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend(
    "if" = json!({ "properties": { "stdout": { "const": "resource" } }, "required": ["stdout"] }),
    "then" = json!({ "properties": { "exit": { "type": "object", "minProperties": 1 } }, "required": ["exit"] })
))]
#[expect(dead_code)]
struct Exec {
    /// The program, then its arguments. An array within it is left out whole if one of its placeholders has no value in a
    /// job. Placeholders: {faultdeck} {job} {base_url} {id} {fields} {name} {sec} {user} {password} {ca_file} {pace_ms} {deadline_ms}
    /// {method} {path} {body}, and each parameter of the paths that its jobs ask.
    argv: Argv,
    /// Variables of its environment. One whose placeholder has no value is left out. The token belongs here: arguments
    /// can be read by every user of a machine.
    #[schemars(extend("propertyNames" = json!({ "pattern": r"^[^=\x00]+$" }), "examples" = [{ "SEC_TOKEN": "{sec}" }]))]
    env: Option<BTreeMap<String, String>>,
    /// How long it has for one job, in milliseconds.
    #[schemars(range(min = 1, max = 600_000), extend("default" = 5_000))]
    timeout_ms: Option<u32>,
    /// What it writes on standard output.
    #[schemars(extend("default" = "outcome"))]
    stdout: Option<Stdout>,
    /// What its exit codes mean, 0 to 255.
    #[schemars(extend("propertyNames" = json!({ "pattern": CODE }), "examples" = [{ "0": "done", "4": "not_found" }]))]
    exit: Option<BTreeMap<String, ExitWord>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Worker {
    /// The program, then its arguments; {faultdeck} stands for the binary.
    #[schemars(length(min = 1), extend("examples" = [["python3", "worker.py"]]))]
    argv: Vec<String>,
    /// Variables of its environment. The token comes with each job.
    #[schemars(extend("propertyNames" = json!({ "pattern": r"^[^=\x00]+$" }), "examples" = [{ "LOG_LEVEL": "debug" }]))]
    env: Option<BTreeMap<String, String>>,
    /// How long it has for one job, in milliseconds.
    #[schemars(range(min = 1, max = 600_000), extend("default" = 5_000))]
    timeout_ms: Option<u32>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Http {
    /// Where it is posted each job, in plain http. On this machine, unless `remote` says otherwise.
    #[schemars(extend("examples" = ["http://127.0.0.1:8000/case"]))]
    url: String,
    /// Whether it may be on another machine: it is handed every token and address.
    #[schemars(extend("default" = false))]
    remote: Option<bool>,
    /// The program that starts it, then its arguments; without it, it is there already.
    #[schemars(length(min = 1), extend("examples" = [["python3", "service.py"]]))]
    argv: Option<Vec<String>>,
    /// Variables of its environment.
    #[schemars(extend("propertyNames" = json!({ "pattern": r"^[^=\x00]+$" }), "examples" = [{ "LOG_LEVEL": "debug" }]))]
    env: Option<BTreeMap<String, String>>,
    /// How long it has for one job, in milliseconds.
    #[schemars(range(min = 1, max = 600_000), extend("default" = 5_000))]
    timeout_ms: Option<u32>,
}

/// An exit code: 0 to 255.
const CODE: &str = r"^\+?0*(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$";

leaf! {
    Argv = {
        let text = json!({ "type": "string" });
        let group = json!({
            "description": "Arguments that belong together: left out whole if a placeholder has no value in a job.",
            "type": "array",
            "items": text,
        });
        json!({
            "type": "array",
            "minItems": 1,
            "items": [text],
            "additionalItems": { "anyOf": [text, group] },
            "examples": [["./poller", "--url", "{base_url}", ["--id", "{id}"]]],
        })
    }
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code)]
enum Stdout {
    /// one line of JSON that says what came of the job.
    Outcome,
    /// the resource itself and nothing else; the exit code says how it stands, so `exit` is needed.
    Resource,
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code)]
enum ExitWord {
    /// a task was reported that is done.
    Done,
    /// a task was reported that is partly complete, and can be used.
    Usable,
    /// a task was reported that is not done yet.
    Pending,
    /// a task was reported that has failed.
    Failed,
    /// there is no such task.
    NotFound,
    /// the console failed.
    ServerError,
    /// the console refused.
    Rejected,
    /// the client stopped on purpose.
    GaveUp,
    /// anything else.
    Error,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Claims {
    /// What it does with a task that is partly complete.
    #[schemars(extend("default" = "waits"))]
    on_partial: Option<OnPartial>,
    /// Whether it sends the `Version` header.
    #[schemars(extend("default" = false))]
    sends_version: Option<bool>,
    /// How often it repeats a request after an error, and after which.
    #[schemars(extend("examples" = [{ "max": 3, "on": [429, 503] }]))]
    retries: Option<Retries>,
    /// After how many milliseconds it ends a request by itself whose answer has not come.
    #[schemars(range(min = 1))]
    request_timeout_ms: Option<u64>,
    /// After how many milliseconds it stops by itself.
    gives_up_after_ms: Option<u64>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code)]
enum OnPartial {
    /// it polls on.
    Waits,
    /// it reports the task as it stands.
    Leaves,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Retries {
    /// How many times at most.
    max: u32,
    /// After which statuses.
    on: Option<Vec<u16>>,
}
