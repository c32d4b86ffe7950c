//! The schemas of files that people write: checked in as they are generated, and of one mind with the readers.

mod client;
mod generate;
mod keys;
mod others;
mod profile;
mod report;
mod scenario;
mod texts;
mod walk;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use faultdeck::cassette::{CassetteError, MatchRules};
use faultdeck::client::{ClientError, ClientFile};
use faultdeck::fault::Fault;
use faultdeck::judge;
use faultdeck::profile::Profile;
use faultdeck::redact::Rules;
use faultdeck::scenario::{Mistakes, Scenario, ScenarioError};
use faultdeck::schemas;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::{canary, reports_from_a_ledger};
use walk::{places, sample};

/// What each schema has to be.
fn generated() -> [(&'static str, Value); 7] {
    [
        ("scenario", generate::schema_of::<scenario::Scenario>()),
        ("client", generate::schema_of::<client::Client>()),
        ("match", generate::schema_of::<others::MatchRules>()),
        ("redact", generate::schema_of::<others::Redact>()),
        ("profile", generate::schema_of::<profile::Profile>()),
        ("settings", faultdeck::cli::settings_schema()),
        ("report", generate::json_schema_of::<report::Report>()),
    ]
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The schema that is checked in.
fn schema(name: &str) -> Value {
    let file = root().join(format!("docs/schemas/{name}.schema.json"));
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn validator(name: &str) -> Validator {
    jsonschema::draft7::new(&schema(name)).unwrap()
}

/// Rules of matching, as the file beside a cassette.
fn match_rules(text: &str) -> Result<MatchRules, Mistakes> {
    let folder = canary::Folder::new();
    let file = folder.path().join("x.match.toml");
    fs::write(&file, text).unwrap();
    MatchRules::load(&file).map_err(|error| match error {
        CassetteError::Rules(mistakes) => mistakes,
        error => panic!("{error}"),
    })
}

/// What a reader says of a text: its messages, none if it takes it.
fn mistakes(name: &str, text: &str) -> Vec<String> {
    let all = |mistakes: &Mistakes| -> Vec<String> {
        mistakes.shown().iter().map(|mistake| mistake.message.clone()).collect()
    };
    match name {
        "scenario" => match Scenario::parse("x", "x", text, Profile::builtin()) {
            Ok(scenario) => {
                judge::unknown_names(&scenario).into_iter().map(|mistake| mistake.message).collect()
            }
            Err(ScenarioError::Invalid(mistakes)) => all(&judge::with_names(mistakes)),
            Err(error) => panic!("{error}"),
        },
        "client" => match ClientFile::parse("x", "x", text) {
            Ok(_) => Vec::new(),
            Err(ClientError::Invalid(mistakes)) => all(&mistakes),
            Err(error) => panic!("{error}"),
        },
        "settings" => match faultdeck::cli::settings_of("x", text) {
            Ok(_) => Vec::new(),
            Err(mistakes) => all(&mistakes),
        },
        "match" => match match_rules(text) {
            Ok(_) => Vec::new(),
            Err(mistakes) => all(&mistakes),
        },
        "redact" => Rules::default().add_file(text).err().iter().map(ToString::to_string).collect(),
        _ => Profile::with_files(&[("x.toml", text)]).err().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_schemas_are_written_from_types_and_tables() {
    for (name, schema) in generated() {
        let file = root().join(format!("docs/schemas/{name}.schema.json"));
        let text = generate::text_of(&schema);
        if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &text).unwrap();
        }
        let written = fs::read_to_string(&file).unwrap_or_default();
        let differs = text.lines().zip(written.lines()).find(|(new, old)| new != old).map(|(new, _)| new);
        assert!(
            written == text,
            "docs/schemas/{name}.schema.json is stale, from {differs:?}: renew it with \
             `SNAPSHOTS=overwrite cargo test --test library the_schemas_are_written`, and read the difference"
        );
    }
}

#[test]
fn each_schema_is_one_by_the_rules_of_schemas() {
    for schema in schemas::ALL {
        assert!(jsonschema::draft7::meta::is_valid(&self::schema(schema.name)), "{}", schema.name);
    }
}

/// Every file below a folder that ends so.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut folders = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What a schema holds against a text, in words.
fn held_against(validator: &Validator, text: &str) -> Vec<String> {
    let document = texts::as_json(text).unwrap_or_else(|| panic!("no TOML: {text}"));
    validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn whatever_this_project_has_passes() {
    let scenarios = validator("scenario");
    let mut seen = 0;
    let mut passes = |validator: &Validator, name: &str, text: &str| {
        let held = held_against(validator, text);
        assert!(held.is_empty(), "{name}: {}", held.join("\n"));
        seen += 1;
    };
    for path in files("scenarios", ".toml") {
        passes(&scenarios, &path.display().to_string(), &fs::read_to_string(&path).unwrap());
    }
    for row in Fault::CATALOGUE {
        passes(&scenarios, row.name, &format!("[[fault]]\n{}\n", row.example));
    }
    for path in files("docs", ".md").into_iter().chain([root().join("README.md")]) {
        let page = fs::read_to_string(&path).unwrap();
        for example in page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            let is_bare = ["inject", "when"].iter().any(|key| example.starts_with(key));
            let text = if is_bare { format!("[[fault]]\n{example}") } else { example.to_owned() };
            let is_client = ["[exec]", "[worker]", "[http]"].iter().any(|table| text.contains(table));
            let begins = |keys: &[&str]| keys.iter().any(|key| example.starts_with(key));
            let kind = match () {
                () if path.ends_with("docs/settings.md") => "settings",
                () if is_client => "client",
                () if begins(&["ignore", "normalise", "headers"]) => "match",
                () if begins(&["redact", "keep"]) => "redact",
                () => "scenario",
            };
            passes(&validator(kind), &path.display().to_string(), &text);
        }
    }
    for path in files("clients", ".toml") {
        passes(&validator("client"), &path.display().to_string(), &fs::read_to_string(&path).unwrap());
    }
    let profiles = validator("profile");
    // That file says what a user's own cannot.
    for path in files("profiles", ".toml").into_iter().filter(|path| !path.ends_with("lifecycles.toml")) {
        passes(&profiles, &path.display().to_string(), &fs::read_to_string(&path).unwrap());
    }
    assert!(seen > 250, "{seen}");
}

/// Bad files that pass, and what a schema cannot know.
const PASS: &[(&str, &[&str])] = &[
    (
        "what endpoints, states, errors and life cycles there are: profiles say it, a user's own too",
        &[
            "endpoint-unknown",
            "endpoint-without-a-life",
            "endpoint-without-fields",
            "list-of-one-thing",
            "failed-task-that-cannot-fail",
            "late-result-id-of-nothing",
            "no-jobs-known-no-parameter-unknown",
            "see-endpoint-unknown",
            "short-page-of-no-list",
            "stalled-in-a-phase-that-is-none",
            "undocumented-error",
            "undocumented-error-anywhere",
            "unknown-endpoint",
            "unknown-endpoint-far-from-any",
            "vanished-task-at-its-creation",
            "when-state-unknown",
        ],
    ),
    (
        "what stands elsewhere in the file: each of the two is well by itself",
        &[
            "connection-fault-nth",
            "connection-fault-on-an-endpoint",
            "error-without-a-code",
            "path-backwards",
            "refuse-a-connection",
            "refuse-without-a-time",
            "see-fault-unknown",
            "see-min-above-max",
            "slicer-varies-too-much",
            "slow-accept-of-a-session",
            "spread-lognormal-with-jitter",
            "spread-lognormal-without-sigma",
            "spread-normal-with-sigma",
            "tls-fault-of-a-tick",
            "two-faults-of-one-name",
            "two-hosts-of-one-name",
            "when-after-a-connection",
            "when-after-itself",
            "when-after-nobody",
        ],
    ),
    (
        "what a text means: a language of its own, or numbers in it",
        &[
            "bare-optional",
            "case-task-is-no-json",
            "chance-above-one",
            "content-type-of-two-lines",
            "extra-field-that-is-no-json",
            "nth-backwards",
            "open-brace",
            "service-elsewhere",
            "service-over-tls",
            "unknown-placeholder",
            "unknown-placeholder-in-env",
            "unknown-placeholder-in-group",
            "worker-of-one-job",
        ],
    ),
    (
        "that a date is no text, and infinity no null: JSON has neither",
        &["path-sets-a-date", "path-sets-infinity"],
    ),
    (
        "which credentials there are, and in which statuses nothing can be sent",
        &["match-by-a-credential", "page-without-a-body", "redirect-to-nowhere"],
    ),
];

#[test]
fn whatever_is_wrong_with_the_form_of_a_file_is_refused() {
    let mut passed = BTreeSet::new();
    for (folder, kind) in [("tests/bad-scenarios", "scenario"), ("tests/bad-clients", "client")] {
        let validator = validator(kind);
        for path in files(folder, ".toml") {
            let text = fs::read_to_string(&path).unwrap();
            let document = texts::as_json(&text);
            if document.is_some_and(|document| validator.is_valid(&document)) {
                passed.insert(path.file_stem().unwrap().to_string_lossy().into_owned());
            }
        }
    }
    let passed: BTreeSet<&str> = passed.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = PASS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    assert_eq!(passed, known);
}

/// The names in back quotes after `takes`, or after serde's `expected`.
fn names_in(message: &str) -> BTreeSet<String> {
    let list =
        message.rsplit_once(" takes ").or_else(|| message.rsplit_once("expected ")).map(|(_, list)| list);
    let list = list.unwrap_or_else(|| panic!("{message}"));
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// All that a reader says of a text, help included.
fn helps(name: &str, text: &str) -> Vec<(String, String)> {
    let all = |mistakes: &Mistakes| -> Vec<(String, String)> {
        let each = mistakes.shown().iter();
        each.map(|mistake| (mistake.message.clone(), mistake.help.clone().unwrap_or_default())).collect()
    };
    match name {
        "scenario" => match Scenario::parse("x", "x", text, Profile::builtin()) {
            Err(ScenarioError::Invalid(mistakes)) => all(&mistakes),
            other => panic!("{other:?}"),
        },
        "client" => match ClientFile::parse("x", "x", text) {
            Err(ClientError::Invalid(mistakes)) => all(&mistakes),
            other => panic!("{other:?}"),
        },
        "settings" => all(&faultdeck::cli::settings_of("x", text).unwrap_err()),
        "match" => all(&match_rules(text).unwrap_err()),
        _ => mistakes(name, text).into_iter().map(|message| (message.clone(), message)).collect(),
    }
}

/// A key that no table takes.
const NO_KEY: &str = "zzzzzz";

#[test]
fn schema_and_reader_know_the_same_keys_of_every_table() {
    for schema in schemas::ALL {
        let text = self::schema(schema.name);
        let tables = places(&text).into_iter().filter(|place| place.schema["additionalProperties"] == false);
        let mut seen = 0;
        for place in tables {
            let takes_one = place.schema["maxProperties"] == 1;
            let mut table = if takes_one { json!({}) } else { sample(place.schema) };
            table[NO_KEY] = json!(1);
            let document = texts::text_of(&place.with(table));
            let at = format!("{}{}\n{document}", schema.name, place.path);
            let all = helps(schema.name, &document);
            let known =
                |name: &str| place.schema["properties"].as_object().is_some_and(|it| it.contains_key(name));
            let keys: BTreeSet<String> = place.schema["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(key, _)| key.clone())
                .collect();
            let Some((_, help)) = all.iter().find(|(message, _)| message.contains(NO_KEY)) else {
                panic!("{at}: {all:?}");
            };
            seen += 1;
            if place.path.ends_with(".inject") {
                // Faults are too many for a line.
                assert!(known("hang") && help.contains("explain faults"), "{at}: {help}");
                continue;
            }
            let mut takes = if help.ends_with("takes no keys") { BTreeSet::new() } else { names_in(help) };
            // The reader has words of its own for a body where there is none.
            if schema.name == "client" && place.path.starts_with(".jobs.") && !place.path.ends_with(".send") {
                assert!(takes.remove("body"));
            }
            assert_eq!(takes, keys, "{at}");
        }
        assert!(seen > 0, "{}", schema.name);
    }
}

/// Values of every kind, and those around a schema's own limits and words.
fn probes(schema: &Value) -> Vec<Value> {
    let long = "x".repeat(201);
    let mut probes = vec![
        json!(0),
        json!(1),
        json!(-1),
        json!(7),
        json!(1.5),
        json!(true),
        json!([]),
        json!(["x"]),
        json!([7]),
        json!([[]]),
        json!({}),
        json!({ "x": "x" }),
        sample(schema),
    ];
    let texts = [
        "",
        " ",
        "x",
        "x y",
        "\u{1}",
        "\u{85}",
        "0",
        "3",
        "00",
        "3-",
        "2-4",
        "0-0",
        "every 3",
        "every 0",
        "every",
        "1/10",
        "1/",
        "-",
        "/x",
        "x/",
        "//",
        "*",
        "404/1002",
        "99/1",
        "get",
        "{",
        "{}",
        "[1]",
        "a: integer, required",
        "a: int",
        "a, maybe",
        "Ä",
        "1.5",
        long.as_str(),
    ];
    probes.extend(texts.map(Value::from));
    for limit in ["minimum", "maximum"] {
        if let Some(number) = schema[limit].as_i64() {
            probes.extend([number - 1, number, number + 1].map(Value::from));
        }
    }
    for word in schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        probes.extend([word.to_owned(), word.to_uppercase(), format!("{word}x")].map(Value::from));
    }
    if let Some(length) = schema["maxLength"].as_u64().and_then(|length| usize::try_from(length).ok()) {
        probes.extend([length, length + 1].map(|length| Value::from("x".repeat(length))));
    }
    for (least, most) in [("minItems", "maxItems")] {
        let items = &schema["items"];
        let is_plain = schema["uniqueItems"] != true;
        for limit in [least, most] {
            let Some(length) = schema[limit].as_u64().and_then(|length| usize::try_from(length).ok()) else {
                continue;
            };
            let around = [length.saturating_sub(1), length, length + 1];
            let lists = around.map(|length| Value::from(vec![sample(items); length]));
            probes.extend(lists.into_iter().filter(|list| is_plain || list.as_array().unwrap().len() < 2));
        }
    }
    probes
}

/// What readers say of documents that are of the right form.
const BEYOND: &[&str] = &[
    // A look at another place of the document: each alone is well.
    "two hosts are called",
    "the steps of a path ascend",
    "nothing says when",
    "must be given in a lognormal spread",
    "is that of a lognormal spread",
    "must be less than `bytes`",
    "is needed beside the status",
    "cannot come after itself",
    "no fault is called",
    // Names of what a profile or a cassette has.
    "no endpoint is called",
    "no endpoint can be told by",
    "no endpoint documents the error",
    "no task has the state",
    "takes no `fields` in a header",
    "which no file describes",
    "no property is called",
    // What a number is worth in a text, and what a text means in a language of its own.
    "this is not a chance",
    "must be JSON, and is not",
    "is not JSON",
    "this is no JSON",
    "is no type",
    "is no name to redact",
    "must be what a header can hold",
    "must be an address as a header line holds it",
    "only 301, 302, 303, 307 and 308 redirect",
    "a placeholder is not closed",
    "there is no placeholder",
    "and the program is started once for all",
    "is no address of a service",
    "is on another machine",
];

/// Values that the smallest document cannot have: they need another one beside them.
const NEVER: &[&str] = &[
    // An endpoint, a status or a fault beside it, and a fault that there is.
    "scenario.must.see.requests[]",
    "scenario.must.see.requests[].fault",
    "scenario.must.see.requests[].min",
    "scenario.must.see.requests[].max",
    // A fault of that name.
    "scenario.fault[].when.after",
    // A code, or `undocumented = true`.
    "scenario.fault[].inject.api-error",
    "scenario.fault[].inject.api-error.status",
    "scenario.fault[].inject.api-error.code",
    "scenario.fault[].inject.api-error.retry_after_s",
    // A time.
    "scenario.fault[].inject.refuse",
];

#[test]
fn no_schema_is_stricter_than_its_reader_or_laxer_but_where_it_cannot_know() {
    let (mut seen, mut stricter, mut laxer, mut never) = (0, Vec::new(), Vec::new(), Vec::new());
    // What a flag takes is said by the table of flags alone, in words of its own.
    for schema in schemas::ALL.into_iter().filter(|schema| schema.name != "settings") {
        let text = self::schema(schema.name);
        let validator = validator(schema.name);
        for place in places(&text) {
            let mut is_taken = false;
            for probe in probes(place.schema) {
                let document = place.with(probe);
                if !document.is_object() {
                    continue;
                }
                let written = texts::text_of(&document);
                let held = held_against(&validator, &written);
                let found = mistakes(schema.name, &written);
                seen += 1;
                is_taken |= found.is_empty() && held.is_empty();
                if found.is_empty() && !held.is_empty() {
                    stricter.push(format!("{}{}: {written}{}\n", schema.name, place.path, held.join("\n")));
                }
                let unexplained =
                    found.iter().find(|message| !BEYOND.iter().any(|known| message.contains(known)));
                if let (true, Some(message)) = (held.is_empty(), unexplained) {
                    laxer.push(format!("{}{}: {written}{message}\n", schema.name, place.path));
                }
            }
            if !is_taken {
                never.push(format!("{}{}", schema.name, place.path));
            }
        }
    }
    assert!(seen > 5_000, "{seen}");
    // Where nothing is taken, nothing shows that a schema is not too strict.
    assert_eq!(never, NEVER);
    assert!(stricter.is_empty(), "stricter than the reader, {}:\n{}", stricter.len(), stricter.join("\n"));
    assert!(laxer.is_empty(), "laxer than the reader, {}:\n{}", laxer.len(), laxer.join("\n"));
}

/// The schema with every member that it does not name forbidden.
fn closed(mut schema: Value) -> Value {
    fn close(value: &mut Value) {
        match value {
            Value::Object(members) => {
                if members.contains_key("properties") {
                    members.entry("additionalProperties").or_insert(json!(false));
                }
                members.values_mut().for_each(close);
            }
            Value::Array(items) => items.iter_mut().for_each(close),
            _ => {}
        }
    }
    close(&mut schema);
    schema
}

#[test]
fn a_report_in_json_is_what_its_schema_says_and_says_nothing_that_it_does_not_name() {
    let validator = jsonschema::draft7::new(&closed(schema("report"))).unwrap();
    let hostile = reports_from_a_ledger::hostile();
    let cut: Vec<_> = hostile.iter().take(3).cloned().collect();
    for lines in [reports_from_a_ledger::judged(), hostile, cut, Vec::new()] {
        let report: Value = serde_json::from_str(&faultdeck::report::json(&lines).unwrap()).unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(&report).map(|it| format!("{}: {it}", it.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
    assert!(!validator.is_valid(&json!({ "format": 1 })));
}
