//! The JSON Schema of settings files, from the table of flags.

use serde_json::{Map, Value, json};

use super::table;
use crate::judge::PROPERTIES;
use crate::settings::{Flag, Takes};

/// The schema, draft 7.
pub(in crate::cli) fn schema() -> Value {
    let mut command = super::super::command();
    command.build();
    let mut properties = Map::new();
    let folder = json!({ "type": "string", "minLength": 1, "examples": ["tests/folder"] });
    for (kind, what) in [
        (
            "cassettes",
            "Where cassettes are looked for by name, below the folder of this file; `record` writes to the first.",
        ),
        ("scenarios", "Where scenarios are looked for by name, below the folder of this file."),
        ("profiles", "Folders whose profiles are taken, below the folder of this file."),
    ] {
        let any_of = [folder.clone(), json!({ "type": "array", "items": folder.clone() })];
        properties.insert(kind.to_owned(), json!({ "description": what, "anyOf": any_of }));
    }
    properties.insert("known".to_owned(), known());
    for verb in table::verbs(&command).into_iter().filter(|verb| verb.refused.is_none()) {
        let flags: Map<String, Value> = verb
            .flags
            .iter()
            .filter(|flag| flag.refused.is_none())
            .map(|flag| (flag.key.clone(), of_flag(flag)))
            .collect();
        let about = format!("Defaults of the flags of `faultdeck {}`.", verb.name);
        properties.insert(
            verb.name,
            json!({ "description": about, "type": "object", "properties": flags, "additionalProperties": false }),
        );
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "faultdeck settings",
        "description": "The settings of a project, `faultdeck.toml`: folders, defaults of flags, known failures.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// `[[known]]`.
fn known() -> Value {
    let law = PROPERTIES.first().map_or("", |property| property.id);
    let text = |what: &str, example: &str| json!({ "description": what, "type": "string", "minLength": 1, "examples": [example] });
    json!({
        "description": "Failures that are known: told, and let pass until a day.",
        "type": "array",
        "items": {
            "type": "object",
            "required": ["scenario", "reason", "until"],
            "properties": {
                "scenario": text("The scenario, as it is asked for; `generated` for the generated cases of `judge`.", "slow-host"),
                "property": text("The property that is violated; without it, the command fails.", law),
                "seed": { "description": "The only seed it is about.", "type": "integer", "minimum": 0 },
                "endpoint": text("The endpoint that has to have been asked for: without that, the failure is another one.", "GET /siem/offenses"),
                "reason": text("Why it is let pass.", "issue 41: gives up too early"),
                "until": text("The last day on which it is: a date without quotes.", "2026-12-31"),
                "strict": { "description": "Whether it is a failure if it does not happen.", "type": "boolean" },
            },
            "additionalProperties": false,
        },
    })
}

fn of_flag(flag: &Flag) -> Value {
    let one = [json!({ "type": "string" }), json!({ "type": "integer", "minimum": 0 })];
    let about = &flag.about;
    match flag.takes {
        Takes::Nothing => json!({ "description": about, "type": "boolean" }),
        Takes::One => json!({ "description": about, "anyOf": one }),
        Takes::Many => {
            let [text, number] = one.clone();
            let list = json!({ "type": "array", "items": { "anyOf": one } });
            json!({ "description": about, "anyOf": [text, number, list] })
        }
    }
}
