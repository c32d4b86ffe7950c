//! The JSON Schema of settings files, from the table of flags.

use serde_json::{Map, Value, json};

use super::table;
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
        "description": "The settings of a project, `faultdeck.toml`: folders, and defaults of flags.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
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
