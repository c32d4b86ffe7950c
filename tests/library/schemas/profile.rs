//! A file of profiles: endpoints and task families of somebody's own, as serde reads them.

use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::json;

use super::generate::leaf;

/// Endpoints and task families of your own, in a file below `profiles/` or after `--profile`. An endpoint is a table that
/// is called by its method and path, its heading on a line of its own: `["GET /lab/jobs/{id}"]`.
#[derive(JsonSchema)]
#[schemars(title = "faultdeck profile", deny_unknown_fields, transform = endpoints)]
#[expect(dead_code, reason = "read by their schema alone; so are all types of this file")]
pub struct Profile {
    /// Tasks that an endpoint polls: which member says what, and what its states mean.
    lifecycle: Option<Vec<Lifecycle>>,
    /// What a console was seen to do: `judge --upstream` writes it.
    observed: Option<Vec<Observed>>,
}

/// What was seen of one rule.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Observed {
    /// The rule (`faultdeck explain rules`).
    rule: String,
    /// The endpoint's full id; left out for the console as a whole.
    endpoint: Option<String>,
    /// What the rule rested on before: `documented`, `seen`, `one source`, `inferred`, `ours`.
    rests_on: String,
    /// Whether the console keeps it.
    holds: bool,
    /// How many cases show it.
    cases: u32,
    /// How a wrong request was answered: `422/31`.
    answered: Option<String>,
    /// What the console does instead.
    instead: Option<String>,
    /// The smallest case that shows it.
    case: Option<String>,
}

/// Whatever is called like an endpoint is one.
fn endpoints(schema: &mut schemars::Schema) {
    let facts = SchemaGenerator::from(
        schemars::generate::SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true),
    )
    .into_root_schema_for::<Endpoint>();
    let mut facts = facts.to_value();
    for key in ["$schema", "title"] {
        facts.as_object_mut().unwrap().remove(key);
    }
    schema.insert("patternProperties".to_owned(), json!({ "^[A-Z]+ /": facts }));
}

/// An endpoint: what is known of it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Endpoint {
    /// Whether the API calls it deprecated.
    #[schemars(extend("default" = false))]
    deprecated: Option<bool>,
    /// What it does, in a sentence.
    summary: Option<String>,
    /// The parameters of its path.
    path: Option<Vec<Parameter>>,
    /// The parameters of its query.
    #[schemars(extend("examples" = [["fields", "filter", "status: integer, required"]]))]
    query: Option<Vec<Parameter>>,
    /// The headers it takes.
    #[schemars(extend("examples" = [["Range", "fields"]]))]
    header: Option<Vec<Parameter>>,
    /// The statuses of success.
    #[schemars(extend("default" = [200]))]
    success: Option<Vec<u16>>,
    /// The errors it documents, as status and code.
    #[schemars(extend("examples" = [["404/1002", "500/1020"]]))]
    errors: Option<Vec<Code>>,
    /// The body of its requests.
    body: Option<Parameter>,
    /// The media type of that body.
    #[schemars(extend("default" = "application/json"))]
    body_type: Option<String>,
    /// The shape of that body, as `answer`.
    body_shape: Option<Types>,
    /// The shape of its answer.
    answer: Option<Types>,
}

/// The types of parameters.
pub const TYPES: [&str; 10] =
    ["string", "integer", "long", "boolean", "object", "array", "array of objects", "json", "file", "zip"];

leaf! {
    Parameter = {
        let types = TYPES.join("|");
        json!({
            "description": format!(
                "A name; a type, if it is not `string`; and whether it is required: `id: integer, required`. The types are \
                 {}.",
                TYPES.join(", ")
            ),
            "type": "string",
            "pattern": format!(r"^\s*[^\s\x85:,]+\s*(:\s*({types})\s*)?(,\s*(required|optional)\s*)?$"),
        })
    }
}
leaf! { Code = json!({ "type": "string", "pattern": "^[1-5][0-9][0-9]/[0-9]{1,10}$", "examples": ["404/1002"] }) }
leaf! {
    Types = json!({
        "description": "A JSON text whose values are types: `{\"id\": \"integer\", \"status\": \"string: OPEN | CLOSED\"}`; a \
                        list has one element; `{}` is an object whose members are not known.",
        "type": "string",
        "minLength": 1,
        "examples": ["{\"id\": \"integer\"}"],
    })
}
leaf! {
    Pointer = json!({
        "description": "A member of the task: a slash and its name.",
        "type": "string",
        "pattern": "^/[^/~]+$",
        "examples": ["/id"],
    })
}
leaf! {
    /// Those of `profiles/lifecycles.toml`: a file of one's own has none.
    Vocabulary = {
        let file = include_str!("../../../profiles/lifecycles.toml");
        let file: toml::Table = file.parse().unwrap();
        let names: Vec<&String> = file["vocabulary"].as_table().unwrap().keys().collect();
        json!({ "type": "string", "enum": names })
    }
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend(
    "if" = json!({ "not": { "required": ["vocabulary"] } }),
    "then" = json!({
        "required": ["state", "phases"],
        "properties": {
            "state": { "type": "array", "minItems": 1 },
            "phases": { "type": "object", "minProperties": 1 },
        },
        "anyOf": [{ "required": ["id"] }, { "required": ["single"] }],
    })
))]
#[expect(dead_code)]
struct Lifecycle {
    /// The endpoint that polls the task.
    #[schemars(extend("examples" = ["GET /ariel/searches/{search_id}"]))]
    task: String,
    /// The endpoint whose answer is a new task, or several; with `id` where the answer has the id under another name.
    created_by: Option<Creators>,
    /// The endpoint that lists the cases.
    #[schemars(extend("examples" = ["GET /forensics/case_management/cases"]))]
    case_list: Option<String>,
    /// The endpoint that shows a case.
    #[schemars(extend("examples" = ["GET /forensics/case_management/cases/{id}"]))]
    case_item: Option<String>,
    /// A vocabulary that the task speaks: `id`, `state`, `phases` and `progress` are known then.
    vocabulary: Option<Vocabulary>,
    /// The member with the task's id.
    id: Option<Pointer>,
    /// Whether there is only one such task at a time, which has no id.
    #[schemars(extend("default" = false))]
    single: Option<bool>,
    /// What is equal in equal creations; all of it, if this is left out.
    key: Option<Vec<String>>,
    /// The members that may hold the state.
    #[schemars(extend("examples" = [["/status"]]))]
    state: Option<Vec<Pointer>>,
    /// Members of a creation, and where the task repeats them.
    echoes: Option<BTreeMap<String, Vec<Pointer>>>,
    /// The member with the id of the case.
    case: Option<Pointer>,
    /// Endpoints that give out results, and the error they answer before there are any.
    results: Option<Vec<Results>>,
    /// The endpoint that calls the task off, and the error it answers when the task is over.
    cancel: Option<Cancel>,
    /// The member that grows, and the number it grows to or the member that holds that.
    progress: Option<Progress>,
    /// The list of managed hosts in the task, and how the state of each is spelt.
    hosts: Option<Hosts>,
    /// The states of the task, as the API spells them, and what kind each is. The first of a kind is its usual spelling.
    #[schemars(extend("examples" = [{ "QUEUED": "waiting", "COMPLETED": "done" }]))]
    phases: Option<BTreeMap<String, Phase>>,
    /// Other names of members, by dialect.
    dialects: Option<BTreeMap<String, BTreeMap<String, String>>>,
    /// What a creation must have.
    creation: Option<Creation>,
}

leaf! {
    Creators = {
        let named = json!({
            "type": "object",
            "properties": {
                "endpoint": {
                    "description": "The endpoint.",
                    "type": "string",
                    "examples": ["POST /ariel/searches"]
                },
                "id": {
                    "description": "The member of its answer with the task's id.",
                    "type": "string",
                    "pattern": "^/[^/~]+$",
                    "examples": ["/search_id"]
                }
            },
            "required": ["endpoint", "id"]
        });
        let one = json!({ "type": "string", "examples": ["POST /ariel/searches"] });
        let items = json!({ "anyOf": [one, named] });
        json!({ "anyOf": [one, named, { "type": "array", "items": items }] })
    }
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Results {
    /// The endpoint.
    #[schemars(extend("examples" = ["GET /ariel/searches/{search_id}/results"]))]
    endpoint: String,
    /// The error before there are results, as status and code.
    before: Code,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Cancel {
    /// The endpoint.
    #[schemars(extend("examples" = ["DELETE /ariel/searches/{search_id}"]))]
    endpoint: String,
    /// The error when the task is over, as status and code.
    over: Option<Code>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Progress {
    /// The member that grows.
    member: Pointer,
    /// What it grows to: a number, or the member that holds it.
    of: Total,
}

leaf! {
    Total = json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "^/[^/~]+$", "examples": ["/maximum"] }] })
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Hosts {
    /// The member with the list.
    list: Pointer,
    /// The members of its elements that hold the host's state.
    state: Vec<Pointer>,
    /// How the API spells each state.
    spelling: Spelling,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Spelling {
    /// Nothing is being done yet.
    waiting: String,
    /// It has not finished its part.
    working: String,
    /// It has finished its part.
    done: String,
    /// It does not answer.
    down: String,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code)]
enum Phase {
    /// nothing is being done yet.
    Waiting,
    /// picked up, and nothing is done.
    Working,
    /// usable, neither done nor failed.
    Partial,
    /// done.
    Done,
    /// it ended without success.
    Failed,
    /// it was called off.
    Cancelled,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code)]
struct Creation {
    /// Members that must be there.
    required: Option<Vec<String>>,
    /// The member with the name.
    name: Option<String>,
    /// The longest name, in characters.
    name_max: Option<u32>,
    /// The member with the users.
    assignees: Option<String>,
    /// The most users.
    assignees_max: Option<u32>,
}
