//! The bundled clients prove each property useful: the careful one keeps them all, the careless one breaks each. What
//! they come to in every scenario of the binary is written down in `tests/verdicts.txt`.
//!
//! `VERDICTS=overwrite cargo test --test program every_property` writes it anew; read the difference before you commit.

use crate::harness;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use faultdeck::client::{ClientError, ClientFile};
use faultdeck::judge::PROPERTIES;
use faultdeck::ledger::{self, Line, Standing, VerdictLine};
use faultdeck::profile::Profile;
use faultdeck::report::{self, Paint};
use faultdeck::scenario::Scenario;
use harness::Lab;
use unicode_width::UnicodeWidthStr;

/// How long all scenarios may take with one client: each wait in them is short.
const LONGEST: Duration = Duration::from_secs(180);
/// How many cases run at a time. They spend their time waiting, so there are more than cores.
const JOBS: &str = "8";

struct Judged {
    /// Of the cases over plain http, and of those that need TLS.
    codes: [Option<i32>; 2],
    verdicts: Vec<VerdictLine>,
    /// Both ledgers.
    lines: Vec<Line>,
}

/// Judges a built-in client with few generated cases and all scenarios, those about handshakes over TLS.
fn judge(client: &str) -> Judged {
    let (lab, began) = (Lab::new(), Instant::now());
    lab.write("search.toml", &elsewhere(SEARCH));
    lab.write("list.toml", &elsewhere(LIST));
    let (mut verdicts, mut all) = (Vec::new(), Vec::new());
    let codes =
        [&["--cases", "25"][..], &["--tls", "--scenario", "tls/"]].map(|more| {
            let flags = ["judge", client, "--jobs", JOBS, "--ledger", "ledger.jsonl"];
            let finished = lab.run(&[&flags[..], more].concat());
            let lines = ledger::read(&lab.read("ledger.jsonl"))
                .unwrap_or_else(|error| panic!("{error}: {}", finished.stderr));
            verdicts.extend(lines.iter().filter_map(|line| {
                if let Line::Verdict(verdict) = line { Some(verdict.clone()) } else { None }
            }));
            all.extend(lines);
            finished.code
        });
    assert!(began.elapsed() < LONGEST, "{client}: {:?}", began.elapsed());
    Judged { codes, verdicts, lines: all }
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
    ["--ca-file", "{ca_file}"],
"#;

const LIST: &str = r#"
[jobs.get]
endpoint = "GET /siem/offenses"
[jobs.wait]
endpoint = "GET /reference_data_collections/set_delete_tasks/{task_status_id}"

[exec]
argv = [
    "{faultdeck}", "client", "careful", "{job}", "--base", "{base_url}", "--path", "{path}",
    ["--fields", "{fields}"], ["--ca-file", "{ca_file}"],
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

/// The bundled clients where their files have them log in with a password, in the stories about that.
fn logging_in(client: &str) -> &'static Judged {
    static JUDGED: OnceLock<[Judged; 2]> = OnceLock::new();
    let [careful, careless] = JUDGED.get_or_init(|| {
        ["careful", "careless"].map(|client| {
            let lab = Lab::new();
            lab.write("login.toml", &elsewhere(&LOGIN.replace("CLIENT", client)).replace(TOKEN, PASSWORD));
            let flags =
                ["judge", "login.toml", "--jobs", JOBS, "--scenario", "auth/", "--ledger", "ledger.jsonl"];
            let finished = lab.run(&flags);
            let lines = ledger::read(&lab.read("ledger.jsonl"))
                .unwrap_or_else(|error| panic!("{error}: {}", finished.stderr));
            let verdict =
                |line: &Line| if let Line::Verdict(verdict) = line { Some(verdict.clone()) } else { None };
            let verdicts = lines.iter().filter_map(verdict).collect();
            Judged { codes: [finished.code; 2], verdicts, lines }
        })
    });
    if client == "careful" { careful } else { careless }
}

const LOGIN: &str = r#"jobs = ["get", "wait", "create"]

[exec]
argv = [
    "{faultdeck}", "client", "CLIENT", "{job}", "--base", "{base_url}", "--user", "{user}",
    ["--id", "{id}"], ["--fields", "{fields}"], ["--name", "{name}"],
"#;
/// What a client file hands on for a token, and for a password.
const TOKEN: &str = r#"SEC_TOKEN = "{sec}""#;
const PASSWORD: &str = r#"PASSWORD = "{password}""#;

/// The verdicts of clients that log in on a property that others are not asked for.
fn of_logins(client: &str, standing: Standing) -> BTreeSet<String> {
    let is_it = |verdict: &&VerdictLine| verdict.verdict == standing && verdict.scenario == STORY_OF_LOGINS;
    let verdicts = logging_in(client).verdicts.iter().filter(is_it);
    verdicts.filter(|verdict| verdict.required).map(|verdict| verdict.property.clone()).collect()
}

/// The story that needs a client which logs in.
const STORY_OF_LOGINS: &str = "auth/basic-login";

/// What gives advice alone: nothing breaks it.
const ADVISORY: [&str; 1] = ["heeds-deprecation"];

fn all() -> BTreeSet<String> {
    PROPERTIES.iter().map(|property| property.id.to_owned()).collect()
}

#[test]
fn the_careful_client_violates_nothing_and_reaches_everything() {
    let Judged { codes, verdicts, .. } = careful();
    let violated: Vec<_> = verdicts.iter().filter(|verdict| verdict.verdict == Standing::Violated).collect();
    assert!(violated.is_empty(), "{violated:#?}");
    let open: Vec<_> = (verdicts.iter().filter(|verdict| verdict.required))
        .filter(|verdict| !matches!(verdict.verdict, Standing::Held | Standing::NotApplicable))
        .collect();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!(*codes, [Some(0); 2]);

    let standing: BTreeMap<(&str, &str), Standing> = verdicts
        .iter()
        .map(|verdict| ((verdict.scenario.as_str(), verdict.property.as_str()), verdict.verdict))
        .collect();
    let mut asked = BTreeSet::new();
    for (name, text) in Scenario::builtins() {
        let scenario = Scenario::builtin(name, Profile::builtin()).unwrap();
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
    assert_eq!(logging_in("careful").codes[0], Some(0), "{:#?}", logging_in("careful").verdicts);
    asked.extend(of_logins("careful", Standing::Held));
    assert_eq!(asked, all(), "each property is held in at least one scenario");
}

#[test]
fn the_careless_client_violates_each_property() {
    let Judged { codes, verdicts, .. } = careless();
    assert_eq!(codes[0], Some(1));
    let violated: Vec<&VerdictLine> =
        verdicts.iter().filter(|verdict| verdict.verdict == Standing::Violated && verdict.required).collect();
    let breakable: BTreeSet<String> =
        all().into_iter().filter(|id| !ADVISORY.contains(&id.as_str())).collect();
    let mut broken: BTreeSet<String> = violated.iter().map(|verdict| verdict.property.clone()).collect();
    broken.extend(of_logins("careless", Standing::Violated));
    assert_eq!(broken, breakable);
    for verdict in violated {
        assert!(!verdict.evidence.is_empty() && verdict.repeat.is_some(), "{verdict:?}");
    }
}

/// What a terminal shows at a time.
const SCREEN: (usize, usize) = (24, 120);

/// The lines of one session, and the verdict that they show.
fn alone(judged: &Judged, verdict: &VerdictLine) -> Vec<Line> {
    let is_its = |line: &&Line| match line {
        Line::Exchange(exchange) => Some(&exchange.key.session) == verdict.session.as_ref(),
        Line::Outcome(outcome) => Some(&outcome.session) == verdict.session.as_ref(),
        _ => false,
    };
    let mut lines: Vec<Line> = judged.lines.iter().filter(is_its).cloned().collect();
    lines.push(Line::Verdict(verdict.clone()));
    lines
}

#[test]
fn each_finding_on_the_careless_client_fits_one_screen() {
    let judged = careless();
    let violated = judged.verdicts.iter().filter(|verdict| verdict.verdict == Standing::Violated);
    let mut longest = 0;
    for verdict in violated {
        let text = report::human(&alone(judged, verdict), Paint::Plain);
        let from = text.lines().skip_while(|line| !line.starts_with("VIOLATED: "));
        let shown: Vec<&str> = from.take_while(|line| !line.is_empty()).collect();
        longest = longest.max(shown.len());
        assert!((6..=SCREEN.0).contains(&shown.len()), "{} lines:\n{}", shown.len(), shown.join("\n"));
        for line in &shown {
            assert!(line.width() <= SCREEN.1, "{} columns: {line}", line.width());
        }
        for part in
            ["    told:", "    reported:", "  repeat it: faultdeck judge", "  the law:   faultdeck explain"]
        {
            assert!(shown.iter().any(|line| line.starts_with(part)), "no `{part}` in\n{}", shown.join("\n"));
        }
    }
    println!("the longest of the careless client's findings has {longest} lines");
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
         # careful and the careless client with cases, then on the careful one with searches and with lists. Those in\n\
         # `tls/` are judged over TLS. At the end: what none of them meets, and why.\n\
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
    let unmet: BTreeSet<&str> = rows.keys().map(|(scenario, _)| *scenario).collect();
    let is_met = |scenario: &&str| {
        let is_his = |((name, _), words): (&(&str, &str), &[&str; 4])| {
            name == scenario && words.iter().any(|word| !["n/a", "-"].contains(word))
        };
        rows.iter().any(is_his)
    };
    for scenario in unmet.iter().filter(|scenario| !is_met(scenario)) {
        let why = match *scenario {
            STORY_OF_LOGINS => "it asks for a client that logs in with a password".to_owned(),
            other => why_unmet(other),
        };
        came.push_str(&format!("# {scenario}: {why}\n"));
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

/// Why no client file can send a job to what goes wrong in this scenario.
fn why_unmet(scenario: &str) -> String {
    let scenario = Scenario::builtin(scenario, Profile::builtin()).unwrap();
    let why = |endpoint: &str| {
        let job = if endpoint.starts_with("GET ") { "get" } else { "send" };
        let text =
            format!("summary = \"x\"\n[jobs.{job}]\nendpoint = \"{endpoint}\"\n[exec]\nargv = [\"x\"]\n");
        match ClientFile::parse("x", "x", &text) {
            Err(ClientError::Invalid(mistakes)) => mistakes.shown()[0].message.clone(),
            _ => panic!("a client file can name `{endpoint}`: let one of the clients meet {}", scenario.name),
        }
    };
    let endpoints = scenario.faults.iter().filter_map(|planned| planned.when.endpoint.as_deref());
    let whys: BTreeSet<String> = endpoints.map(why).collect();
    assert!(!whys.is_empty(), "{} waits for no endpoint", scenario.name);
    whys.into_iter().collect::<Vec<_>>().join("; ")
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
