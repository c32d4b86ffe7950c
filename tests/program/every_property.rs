//! The bundled clients prove each property useful: the careful one keeps them all, the careless one breaks each. What
//! they come to in every scenario of the binary is written down in `tests/verdicts.txt`.
//!
//! `VERDICTS=overwrite cargo test --test program every_property` writes it anew; read the difference before you commit.

use crate::harness;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use faultdeck::judge::PROPERTIES;
use faultdeck::ledger::{self, Line, Standing, VerdictLine};
use faultdeck::profile::Profile;
use faultdeck::scenario::Scenario;
use harness::Lab;

/// How long all scenarios may take with one client: each wait in them is short.
const LONGEST: Duration = Duration::from_secs(180);
/// How many cases run at a time. They spend their time waiting, so there are more than cores.
const JOBS: &str = "8";

struct Judged {
    code: Option<i32>,
    verdicts: Vec<VerdictLine>,
}

/// Judges a built-in client with few generated cases and all scenarios.
fn judge(client: &str) -> Judged {
    let (lab, began) = (Lab::new(), Instant::now());
    lab.write("search.toml", &elsewhere(SEARCH));
    lab.write("list.toml", &elsewhere(LIST));
    let finished = lab.run(&["judge", client, "--cases", "25", "--jobs", JOBS, "--ledger", "ledger.jsonl"]);
    assert!(began.elapsed() < LONGEST, "{client}: {:?}", began.elapsed());
    let lines = ledger::read(&lab.read("ledger.jsonl"))
        .unwrap_or_else(|error| panic!("{error}: {}", finished.stderr));
    let verdicts = lines
        .into_iter()
        .filter_map(|line| if let Line::Verdict(verdict) = line { Some(verdict) } else { None });
    Judged { code: finished.code, verdicts: verdicts.collect() }
}

/// Each client is judged once, however many tests look at it; both at a time.
fn careful() -> &'static Judged {
    static JUDGED: OnceLock<Judged> = OnceLock::new();
    JUDGED.get_or_init(|| judge("builtin:careful"))
}

fn careless() -> &'static Judged {
    static JUDGED: OnceLock<Judged> = OnceLock::new();
    JUDGED.get_or_init(|| judge("builtin:careless"))
}

/// The careful client where its file sends it to searches, and to lists and the deletion of reference data.
fn searching() -> &'static Judged {
    static JUDGED: OnceLock<Judged> = OnceLock::new();
    JUDGED.get_or_init(|| judge("search.toml"))
}

fn listing() -> &'static Judged {
    static JUDGED: OnceLock<Judged> = OnceLock::new();
    JUDGED.get_or_init(|| judge("list.toml"))
}

const SEARCH: &str = r#"
[jobs.wait]
endpoint = "GET /ariel/searches/{search_id}"
[jobs.create]
endpoint = "POST /ariel/searches"

[exec]
argv = [
    "{faultdeck}", "client", "careful", "{job}", "--base", "{base_url}", "--path", "{path}",
    ["--path", "{path}?query_expression={name}", "--polls", "/ariel/searches"], "--id-member", "search_id",
"#;

const LIST: &str = r#"
[jobs.get]
endpoint = "GET /siem/offenses"
[jobs.wait]
endpoint = "GET /reference_data_collections/set_delete_tasks/{task_status_id}"

[exec]
argv = [
    "{faultdeck}", "client", "careful", "{job}", "--base", "{base_url}", "--path", "{path}",
    ["--fields", "{fields}"],
"#;

/// A client file with these jobs and arguments.
fn elsewhere(jobs: &str) -> String {
    format!(
        r#"summary = "The careful client elsewhere."
{jobs}    "--pace-ms", "{{pace_ms}}", "--deadline-ms", "{{deadline_ms}}"
]
env = {{ SEC_TOKEN = "{{sec}}" }}

[claims]
sends_version = true
gives_up_after_ms = 3000
retries = {{ max = 3, on = [429, 500, 502, 503, 504] }}
"#
    )
}

fn all() -> BTreeSet<String> {
    PROPERTIES.iter().map(|property| property.id.to_owned()).collect()
}

#[test]
fn the_careful_client_violates_nothing_and_reaches_everything() {
    let Judged { code, verdicts } = careful();
    let violated: Vec<_> = verdicts.iter().filter(|verdict| verdict.verdict == Standing::Violated).collect();
    assert!(violated.is_empty(), "{violated:#?}");
    let open: Vec<_> = (verdicts.iter().filter(|verdict| verdict.required))
        .filter(|verdict| !matches!(verdict.verdict, Standing::Held | Standing::NotApplicable))
        .collect();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!(*code, Some(0));

    let standing: BTreeMap<(&str, &str), Standing> = verdicts
        .iter()
        .map(|verdict| ((verdict.scenario.as_str(), verdict.property.as_str()), verdict.verdict))
        .collect();
    let mut asked = BTreeSet::new();
    for (name, text) in Scenario::builtins() {
        let scenario = Scenario::builtin(name, Profile::builtin()).unwrap();
        // A judge's clients are spoken to in plain http.
        if scenario.needs_tls() {
            continue;
        }
        for named in &scenario.must.hold {
            match standing.get(&(*name, named.name.as_str())) {
                Some(Standing::Held) => drop(asked.insert(named.name.clone())),
                Some(Standing::NotApplicable) => assert!(
                    text.replace("\n# ", " ").contains("not applicable"),
                    "{name} does not say why `{}` is not applicable",
                    named.name
                ),
                other => panic!("`{}` is {other:?} under {name}", named.name),
            }
        }
    }
    assert_eq!(asked, all(), "each property is held in at least one scenario");
}

#[test]
fn the_careless_client_violates_each_property() {
    let Judged { code, verdicts } = careless();
    assert_eq!(*code, Some(1));
    let violated: Vec<&VerdictLine> =
        verdicts.iter().filter(|verdict| verdict.verdict == Standing::Violated && verdict.required).collect();
    assert_eq!(violated.iter().map(|verdict| verdict.property.clone()).collect::<BTreeSet<_>>(), all());
    for verdict in violated {
        assert!(!verdict.evidence.is_empty() && verdict.repeat.is_some(), "{verdict:?}");
    }
}

#[test]
fn nobody_breaks_anything_in_the_stories_about_searches_and_lists() {
    for judged in [searching(), listing()] {
        let of_stories = judged.verdicts.iter().filter(|verdict| verdict.scenario != "generated");
        let open: Vec<_> = of_stories
            .filter(|verdict| verdict.required)
            .filter(|verdict| !matches!(verdict.verdict, Standing::Held | Standing::NotApplicable))
            .collect();
        assert!(open.is_empty(), "{open:#?}");
    }
}

#[test]
fn the_bundled_clients_come_to_the_verdicts_that_are_written_down() {
    let mut rows: BTreeMap<(&str, &str), [&'static str; 4]> = BTreeMap::new();
    for (column, judged) in [careful(), careless(), searching(), listing()].into_iter().enumerate() {
        for verdict in judged.verdicts.iter().filter(|verdict| verdict.required) {
            let row = rows.entry((&verdict.scenario, &verdict.property)).or_insert(["-"; 4]);
            row[column] = word(verdict.verdict);
        }
    }
    let mut came = String::from(
        "# What the bundled clients come to in each scenario: the properties that must hold there, and the verdicts on the\n\
         # careful and the careless client with cases, then on the careful one with searches and with lists.\n\
         # Written by `VERDICTS=overwrite cargo test --test program every_property`. n/a: not applicable.\n",
    );
    for ((scenario, property), words) in
        std::iter::once((&("scenario", "property"), &["careful", "careless", "searches", "lists"]))
            .chain(&rows)
    {
        let [careful, careless, searches, lists] = words;
        came.push_str(&format!(
            "{scenario:<34} {property:<28} {careful:<12} {careless:<12} {searches:<12} {lists}\n"
        ));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verdicts.txt");
    if std::env::var("VERDICTS").is_ok_and(|what| what == "overwrite") {
        std::fs::write(&file, &came).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap();
    let wrong: Vec<&str> =
        came.lines().filter(|line| !expected.lines().any(|known| known == *line)).collect();
    assert!(wrong.is_empty(), "not as written down:\n{}", wrong.join("\n"));
    assert_eq!(came, expected, "a scenario is gone, or stands elsewhere");
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Held => "held",
        Standing::Violated => "violated",
        Standing::NotReached => "not reached",
        Standing::Inconclusive => "inconclusive",
        Standing::NotApplicable => "n/a",
    }
}
