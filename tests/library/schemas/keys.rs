//! `docs/keys.md` is written from the schemas, so that no key is missing from it and none is there that is not read.

use std::fmt::Write as _;

use serde_json::Value;

use super::{generated, root};

/// The page: a table for each kind of file.
fn page() -> String {
    let mut text = String::from(
        "# All keys\n\nEvery key of every file that you write by hand, and of the report in JSON. This page is written from the schemas in \
         `docs/schemas`, which the readers of these files are held to; an editor shows the same while you type \
         ([Your editor](editors.md)). A key in **bold** is needed. `[]` is a list of tables (`[[...]]` in TOML), `*` a name \
         of your own.\n",
    );
    for (name, schema) in generated() {
        let about = one_line(schema["description"].as_str().unwrap_or_default());
        write!(text, "\n## {}{}\n\n{about}\n\n", name[..1].to_uppercase(), &name[1..]).unwrap();
        text.push_str("| key | what it is | values |\n|---|---|---|\n");
        rows(&schema, "", &mut text);
    }
    text
}

/// The rows of a table, and below each those of the tables in it.
fn rows(table: &Value, above: &str, text: &mut String) {
    let needed: Vec<&str> =
        table["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let named = table["properties"].as_object().into_iter().flatten();
    let patterns =
        table["patternProperties"].as_object().into_iter().flatten().map(|(_, inner)| ("*", inner));
    let free = table["additionalProperties"].is_object().then(|| ("*", &table["additionalProperties"]));
    let all = named.map(|(key, inner)| (key.as_str(), inner)).chain(patterns).chain(free);
    for (key, inner) in all {
        let list = if inner["items"].to_string().contains("\"properties\"") { "[]" } else { "" };
        let path = format!("{above}{key}{list}");
        let shown = if needed.contains(&key) { format!("**`{path}`**") } else { format!("`{path}`") };
        // What has a page of its own is not repeated here.
        let elsewhere = match path.as_str() {
            "fault[].inject" => Some("One of the faults, with its values. | [Faults](faults.md)"),
            "must.hold" => Some("Properties that must hold, each once. | [Laws](laws.md)"),
            _ => None,
        };
        if let Some(elsewhere) = elsewhere {
            writeln!(text, "| {shown} | {elsewhere} |").unwrap();
            continue;
        }
        let about = one_line(inner["description"].as_str().unwrap_or_default());
        writeln!(text, "| {shown} | {about} | {} |", values(inner)).unwrap();
        below(inner, &format!("{path}."), text);
    }
}

/// The tables that stand in a value: its own, those of its elements, those it may be instead.
fn below(value: &Value, path: &str, text: &mut String) {
    rows(value, path, text);
    if value["items"].is_object() {
        below(&value["items"], path, text);
    }
    for form in ["anyOf", "oneOf"].iter().filter_map(|word| value[*word].as_array()) {
        // Forms of one thing repeat each other's keys: the fullest stands for them.
        let fullest = form.iter().max_by_key(|form| form.to_string().matches("\"description\"").count());
        if let Some(fullest) = fullest {
            below(fullest, path, text);
        }
    }
}

/// What a value can be: its words, its type, and what it is without the key.
fn values(value: &Value) -> String {
    let words = |value: &Value| -> Option<String> {
        let words = value["enum"].as_array().or_else(|| value["items"]["enum"].as_array())?;
        // Long lists have a page of their own.
        let shown = words.iter().map(|word| format!("`{}`", word.to_string().trim_matches('"')));
        (words.len() <= 12).then(|| shown.collect::<Vec<_>>().join(", "))
    };
    let mut parts: Vec<String> = Vec::new();
    match (words(value), value["type"].as_str()) {
        (Some(words), _) => parts.push(words),
        (None, Some("object") | None) => {}
        (None, Some("array")) => {
            let of = value["items"]["type"].as_str().filter(|word| *word != "object");
            parts.extend(of.map(|of| format!("a list of {}", plural(of))));
        }
        (None, Some(word)) => parts.push(singular(word).to_owned()),
    }
    if let Some(example) = value["examples"].as_array().and_then(|all| all.first()) {
        parts.push(format!("`{}`", cell(&toml_like(example))));
    }
    if !value["default"].is_null() {
        parts.push(format!("without it `{}`", toml_like(&value["default"]).trim_matches('"')));
    }
    parts.join("; ")
}

fn toml_like(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("{key} = {}", toml_like(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}

fn singular(word: &str) -> &'static str {
    match word {
        "integer" | "number" => "a number",
        "boolean" => "`true`, `false`",
        _ => "a text",
    }
}

fn plural(word: &str) -> &'static str {
    if word == "integer" { "numbers" } else { "texts" }
}

/// A description as a cell: its paragraphs in a row, and of a list of names that has its own page the first word alone.
fn one_line(text: &str) -> String {
    let parts: Vec<String> = text.split("\n\n").map(|part| part.replace('\n', " ")).collect();
    let shown = if parts.len() > 12 { &parts[..1] } else { &parts[..] };
    cell(&shown.join(" "))
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn the_schemas_are_written_as_a_page_of_keys() {
    let file = root().join("docs/keys.md");
    let page = page();
    if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = page.lines().zip(written.lines()).find(|(new, old)| new != old).map(|(new, _)| new);
    assert!(
        written == page,
        "docs/keys.md is stale, from {differs:?}: renew it with \
         `SNAPSHOTS=overwrite cargo test --test library the_schemas_are_written`, and read the difference"
    );
}
