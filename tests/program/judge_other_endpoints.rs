//! The bundled clients on endpoints of the client file's choice: an offense with nested members, an Ariel search.

use crate::harness;

use std::collections::BTreeSet;

use faultdeck::ledger::{self, Line, Standing, VerdictLine};
use faultdeck::profile::Profile;
use harness::Lab;

/// A client file of this program, with these further arguments.
fn file(program: &str, further: &str) -> String {
    format!(
        r#"
summary = "asks an offense, and waits for a search"

[jobs.get]
endpoint = "GET /siem/offenses/{{offense_id}}"
[jobs.wait]
endpoint = "GET /ariel/searches/{{search_id}}"
[jobs.create]
endpoint = "POST /ariel/searches"

[exec]
argv = [
    "{{faultdeck}}", "client", "{program}", "{{job}}", "--base", "{{base_url}}", "--path", "{{path}}",
    ["--path", "{{path}}?query_expression={{name}}", "--polls", "/ariel/searches"],
    ["--fields", "{{fields}}"],
    "--id-member", "search_id", "--pace-ms", "{{pace_ms}}", "--deadline-ms", "{{deadline_ms}}"{further}
]
env = {{ SEC_TOKEN = "{{sec}}" }}

[claims]
sends_version = true
gives_up_after_ms = 3000
retries = {{ max = 3, on = [429, 500, 502, 503, 504] }}
"#
    )
}

fn judge(program: &str, further: &str) -> (Option<i32>, Vec<VerdictLine>, String) {
    let lab = Lab::new();
    lab.write("mine.toml", &file(program, further));
    let finished = lab.run(&["judge", "mine.toml", "--cases", "25", "--ledger", "l.jsonl"]);
    let lines =
        ledger::read(&lab.read("l.jsonl")).unwrap_or_else(|error| panic!("{error}: {}", finished.stderr));
    let verdicts = lines.into_iter().filter_map(|line| match line {
        Line::Verdict(verdict) => Some(verdict),
        _ => None,
    });
    (finished.code, verdicts.collect(), finished.stderr)
}

#[test]
fn the_careful_client_keeps_every_property_on_an_offense_and_a_search() {
    let (code, verdicts, stderr) = judge("careful", "");
    let open: Vec<_> = (verdicts.iter())
        .filter(|line| !matches!(line.verdict, Standing::Held | Standing::NotApplicable))
        .collect();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!(code, Some(0), "{stderr}");
    let held: BTreeSet<&str> = (verdicts.iter())
        .filter(|line| line.verdict == Standing::Held && line.scenario == "generated")
        .map(|line| line.property.as_str())
        .collect();
    assert!(held.contains("terminates") && held.contains("creates-once") && held.len() == 13, "{held:?}");
}

#[test]
fn each_defect_of_the_careless_client_is_caught_on_an_offense_and_a_search() {
    let profile = Profile::builtin();
    let members = |id: &str| profile.by_name(id).unwrap().shape.names().join(",");
    let members = members("GET /siem/offenses/{offense_id}");
    let mut violated = BTreeSet::new();
    // An offense has so many members that with all defects on hardly any answer with few of them comes through.
    for defects in ["all", "zero-fill"] {
        let further = format!(r#", "--members", "{members}", "--defect", "{defects}""#);
        let (code, verdicts, stderr) = judge("careless", &further);
        assert_eq!(code, Some(1), "{stderr}");
        let broken = verdicts.into_iter().filter(|line| line.verdict == Standing::Violated);
        violated.extend(broken.filter(|line| line.scenario == "generated").map(|line| line.property));
    }
    let expected = [
        "asks-for-what-it-was-told",
        "creates-once",
        "invents-nothing",
        "names-the-error",
        "reports-what-it-got",
        "right-address",
        "says-what-it-heard",
        "survives-the-unrequested",
        "terminates",
    ];
    assert_eq!(violated, BTreeSet::from(expected.map(str::to_owned)));
}

#[test]
fn a_counter_example_on_another_endpoint_is_repeated_from_its_file_alone() {
    let lab = Lab::new();
    lab.write("mine.toml", &file("careless", r#", "--defect", "through-floats""#));
    let first = lab.run(&["judge", "mine.toml", "--cases", "25"]);
    assert_eq!(first.code, Some(1), "{}", first.stderr);
    let mut all = first.stderr.lines().filter_map(|line| line.strip_prefix("saved "));
    let saved = all.find(|file| lab.read(file).contains("property = \"reports-what-it-got\"")).unwrap();
    let text = lab.read(saved);
    assert!(text.contains(r#"endpoint = "GET /siem/offenses/{offense_id}""#), "{text}");
    let again = lab.run(&["judge", "mine.toml", "--scenario", saved]);
    assert_eq!(again.code, Some(1), "{}\n{text}", again.stderr);
}
