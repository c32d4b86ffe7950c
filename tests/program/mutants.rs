//! Proof of worth: right clients are green, and each small defect of theirs is caught by the law it was written for.
//!
//! A mutant is a copy of a right client with one text replaced (`tests/mutants/*.toml`), or the careless client with one
//! defect. Here a few of them are judged; `scripts/mutants` judges them all and writes `docs/mutants.md`.

use crate::harness;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use faultdeck::bundled::{DEFECTS, Defect, slips};
use faultdeck::cassette::FILE_MAX_BYTES;
use faultdeck::client::child::Environment;
use faultdeck::client::{Program, Settings, open};
use faultdeck::emulate;
use faultdeck::judge::{Budget, EvidenceOf, Plan, Progress, judge, property};
use faultdeck::ledger::{self, Line, Standing, VerdictLine};
use faultdeck::replay::{Evidence, evidence_of};
use faultdeck::scenario::Scenario;
use harness::Lab;
use tokio::task::JoinSet;

/// Generated cases a dialect: a mutant has to be caught within 200.
const CASES: u32 = 20;
/// How many stories are told before it is looked whether a mutant is caught.
const AT_A_TIME: usize = 2;
/// Cases at a time: most spend their time waiting.
const JOBS: usize = 6;
/// Mutants at a time, where all are judged: most of them wait, too.
const MUTANTS_AT_A_TIME: usize = 4;
/// In how many cases each mutant has to be caught.
const MOST: usize = 200;

/// A client in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Python,
    Node,
    Rust,
}

impl Language {
    const ALL: [Self; 3] = [Self::Python, Self::Node, Self::Rust];

    fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Rust => "rust",
        }
    }

    /// The client file, the program, and the table of its mutants.
    fn files(self) -> Option<(&'static str, &'static str, &'static str)> {
        match self {
            Self::Python => {
                Some(("clients/python.toml", "clients/python/client.py", "tests/mutants/python.toml"))
            }
            Self::Node => Some(("clients/node.toml", "clients/node/client.mjs", "tests/mutants/node.toml")),
            Self::Rust => None,
        }
    }

    fn mutants(self) -> Vec<Mutant> {
        let Some((_, _, table)) = self.files() else {
            let of = |defect: &Defect| Mutant {
                language: self,
                name: defect.name.to_owned(),
                wrong: defect.summary.to_owned(),
                law: defect.property.to_owned(),
                edit: None,
            };
            // Its file hands it a token: what shows after a log-in alone is for the tests of manners.
            return DEFECTS.iter().chain(slips()).filter(|defect| !defect.needs_login).map(of).collect();
        };
        let table: toml::Table = text_of(table).parse().unwrap();
        let text = |mutant: &toml::Value, key: &str| {
            mutant
                .get(key)
                .and_then(toml::Value::as_str)
                .unwrap_or_else(|| panic!("{key}: {mutant}"))
                .to_owned()
        };
        let read = |mutant: &toml::Value| Mutant {
            language: self,
            name: text(mutant, "name"),
            wrong: text(mutant, "wrong"),
            law: text(mutant, "law"),
            edit: Some((text(mutant, "replace"), text(mutant, "with"))),
        };
        table["mutant"].as_array().unwrap().iter().map(read).collect()
    }
}

/// A client with one defect.
struct Mutant {
    language: Language,
    name: String,
    wrong: String,
    /// The law that must catch it.
    law: String,
    /// What is replaced by what; a defect of the careless client needs no edit.
    edit: Option<(String, String)>,
}

/// What a mutant came to.
struct Row {
    mutant: Mutant,
    /// Where the law caught it; `None` if it did not.
    caught: Option<String>,
    /// How many cases it was put to until then: whole parts of the judgement.
    cases: usize,
    /// The other laws that spoke on the way.
    others: BTreeSet<String>,
}

fn text_of(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

impl Mutant {
    /// The program with the defect.
    fn program(&self, text: &str) -> String {
        let (replace, with) = self.edit.as_ref().unwrap();
        let times = text.matches(replace.as_str()).count();
        assert_eq!(
            times,
            1,
            "{}/{}: what it replaces stands there {times} times",
            self.language.name(),
            self.name
        );
        text.replacen(replace.as_str(), with, 1)
    }

    /// Writes it to the lab, and says how it is called there.
    fn put(&self, lab: &Lab) -> String {
        let Some((file, program, _)) = self.language.files() else { return "builtin:careless".to_owned() };
        lab.write(file, &text_of(file));
        lab.write(program, &self.program(&text_of(program)));
        file.to_owned()
    }

    /// Judges it, part by part, until its law catches it or all is told. Whatever a part of the judgement finds, the
    /// whole of it finds, too: cases and their seeds are the same.
    async fn judged(self) -> Row {
        let lab = Lab::new();
        let file = self.put(&lab);
        let mut row = Row { mutant: self, caught: None, cases: 0, others: BTreeSet::new() };
        if property(&row.mutant.law).is_none() {
            return row;
        }
        if row.mutant.law == "verifies-tls" {
            row.take(over_tls(&lab, &file));
            return row;
        }
        let client = opened(&lab, &file, row.mutant.edit.is_none().then_some(row.mutant.name.as_str()));
        for (cases, scenarios) in parts(&row.mutant.law) {
            let mut plan = Plan::new(evidence());
            plan.cases = cases;
            plan.scenarios = scenarios;
            plan.jobs = std::env::var("JOBS").map_or(JOBS, |jobs| jobs.parse().unwrap());
            plan.budget = Budget { tries: 0, wall: Duration::ZERO };
            let count = AtomicUsize::new(0);
            let tell = |progress: Progress| {
                if let Progress::Plans { cases } = progress {
                    count.store(cases, Ordering::Relaxed);
                }
            };
            let judged = judge(&plan, &client, &tell).await;
            row.cases += count.into_inner();
            let judged = judged.unwrap_or_else(|error| panic!("{}: {error}", row.mutant.name));
            row.take(judged.verdicts);
            if row.caught.is_some() {
                break;
            }
        }
        row
    }
}

impl Row {
    fn take(&mut self, verdicts: Vec<VerdictLine>) {
        let broken = verdicts.into_iter().filter(|line| line.verdict == Standing::Violated && line.required);
        for line in broken {
            if line.property != self.mutant.law {
                self.others.insert(line.property);
            } else if self.caught.is_none() {
                self.caught = Some(line.scenario);
            }
        }
    }
}

pub fn opened(lab: &Lab, file: &str, defect: Option<&str>) -> Program {
    let settings = Settings {
        faultdeck: env!("CARGO_BIN_EXE_faultdeck").into(),
        environment: Environment::clean(std::env::vars_os()),
        folder: lab.path().to_owned(),
    };
    let client = open(file, settings).unwrap();
    client.with_arguments(defect.iter().flat_map(|defect| ["--defect", *defect]))
}

pub fn evidence() -> Arc<EvidenceOf> {
    Arc::new(|scenario: &Scenario| {
        let console = || {
            let mut console = emulate::Console::new(emulate::Settings::default()).unwrap();
            Box::new(move |request: &_| console.answer(request)) as Box<_>
        };
        let found: Result<Evidence, _> = evidence_of(Some(scenario), Some(Arc::new(console)), FILE_MAX_BYTES);
        found.map_err(|error| error.to_string())
    })
}

/// The parts of the default judgement, those first that put this law to the test.
fn parts(law: &str) -> Vec<(u32, Vec<Arc<Scenario>>)> {
    let all = Plan::new(evidence()).scenarios;
    let asks = |scenario: &&Arc<Scenario>| scenario.must.hold.iter().any(|named| named.name == law);
    let (own, others): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|scenario| asks(&scenario));
    let stories = |some: Vec<Arc<Scenario>>| {
        let some = by_turns(&some);
        let chunks = some.chunks(AT_A_TIME).map(|some| (0, some.iter().copied().map(Arc::clone).collect()));
        chunks.collect::<Vec<(u32, Vec<Arc<Scenario>>)>>()
    };
    let mut parts = stories(own);
    parts.insert(
        if property(law).is_some_and(|law| law.generated) { 0 } else { parts.len() },
        (CASES, Vec::new()),
    );
    parts.extend(stories(others));
    parts
}

/// By turns: the next two as they stand, what finds most first; and the next of those that ask for the fewest laws, for they
/// are aimed at them: one of each folder, then the next of each, because what lies side by side is much alike.
fn by_turns(some: &[Arc<Scenario>]) -> Vec<&Arc<Scenario>> {
    let mut told = BTreeSet::new();
    let both = some.chunks(2).zip(aimed(some)).flat_map(|(two, aimed)| two.iter().chain([aimed]));
    both.filter(|scenario| told.insert(&scenario.name)).collect()
}

fn aimed(some: &[Arc<Scenario>]) -> Vec<&Arc<Scenario>> {
    type Place<'s> = (usize, usize, &'s str);
    let mut seen: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    let mut turns: Vec<(Place<'_>, &Arc<Scenario>)> = (some.iter())
        .map(|scenario| {
            let folder = scenario.name.split('/').next().unwrap_or_default();
            let laws = scenario.must.hold.len();
            let turn = seen.entry((laws, folder)).or_default();
            *turn += 1;
            ((laws, *turn, folder), scenario)
        })
        .collect();
    turns.sort_by_key(|(place, _)| *place);
    turns.into_iter().map(|(_, scenario)| scenario).collect()
}

/// What only a handshake shows.
fn over_tls(lab: &Lab, client: &str) -> Vec<VerdictLine> {
    let flags = ["judge", client, "--tls", "--scenario", "tls/", "--jobs", "6", "--ledger", "ledger.jsonl"];
    let finished = lab.run(&flags);
    let lines = ledger::read(&lab.read("ledger.jsonl"))
        .unwrap_or_else(|error| panic!("{error}: {}", finished.stderr));
    let verdicts = lines.into_iter().filter_map(|line| match line {
        Line::Verdict(verdict) => Some(verdict),
        _ => None,
    });
    verdicts.collect()
}

fn all_mutants() -> Vec<Mutant> {
    Language::ALL.into_iter().flat_map(Language::mutants).collect()
}

#[test]
fn each_mutant_is_the_right_client_with_one_change() {
    let mut names = BTreeSet::new();
    for mutant in all_mutants() {
        assert!(names.insert((mutant.language.name(), mutant.name.clone())), "{} twice", mutant.name);
        if let Some((_, program, _)) = mutant.language.files() {
            let text = text_of(program);
            assert_ne!(mutant.program(&text), text, "{}", mutant.name);
        }
    }
    for language in [Language::Python, Language::Node] {
        assert!(language.mutants().len() >= 20, "{language:?}");
    }
}

/// Those of the test suite: one for most laws, some of each language, that is soon caught.
const SOME: [(Language, &str); 13] = [
    (Language::Python, "encodes-twice"),
    (Language::Python, "numbers-through-floats"),
    (Language::Python, "error-body-as-task"),
    (Language::Python, "creates-again"),
    (Language::Python, "no-credential"),
    (Language::Node, "strict-shape"),
    (Language::Node, "partial-is-done"),
    (Language::Node, "id-through-a-number"),
    (Language::Node, "not-found-is-not-yet"),
    (Language::Node, "absent-is-zero"),
    (Language::Rust, "dead-version"),
    (Language::Rust, "done-as-failed"),
    (Language::Rust, "gives-up-early"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn some_mutants_of_each_language_are_caught_by_the_law_they_were_written_for() {
    for (language, name) in SOME {
        let mutant = language.mutants().into_iter().find(|mutant| mutant.name == name).unwrap();
        let law = mutant.law.clone();
        let row = mutant.judged().await;
        assert!(row.caught.is_some(), "{language:?}/{name} is not caught by {law}, but by {:?}", row.others);
        assert!(row.cases <= MOST, "{language:?}/{name}: {} cases", row.cases);
    }
}

/// What `scripts/mutants` runs. `MUTANTS` is `all`, or a word: those whose name, language or law holds it. Their rows of
/// the page are written anew, one by one; the others stay as they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mutant_is_put_to_the_judge_when_asked_for() {
    let Ok(word) = std::env::var("MUTANTS") else { return };
    let is_meant = |mutant: &Mutant| {
        let texts = [mutant.language.name(), mutant.name.as_str(), mutant.law.as_str()];
        word == "all" || texts.iter().any(|text| text.contains(word.as_str()))
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/mutants.md");
    let mut known = judged_before(&std::fs::read_to_string(&file).unwrap_or_default());
    let (mut caught, mut judged, mut most) = (0, 0, 0);
    let mut waiting = all_mutants().into_iter().filter(is_meant);
    let mut running = JoinSet::new();
    loop {
        while running.len() < MUTANTS_AT_A_TIME
            && let Some(mutant) = waiting.next()
        {
            running.spawn(async move {
                let began = Instant::now();
                (mutant.judged().await, began.elapsed())
            });
        }
        let Some(ended) = running.join_next().await else { break };
        let (row, took) = ended.unwrap();
        println!("{} ({:.1} s)", line(&row), took.as_secs_f32());
        judged += 1;
        caught += usize::from(row.caught.is_some());
        most = most.max(row.cases);
        known.insert((row.mutant.language.name(), row.mutant.name.clone()), came_to(&row));
        std::fs::write(&file, page(&known)).unwrap();
    }
    println!("{caught} of {judged} mutants caught by the law they were written for, within {most} cases");
    assert_eq!(caught, judged, "not each of them is caught");
    assert!(most <= MOST, "one is caught in {most} cases only, and {MOST} have to be enough");
}

/// What is written of a mutant that was judged: where it was caught, and who else spoke.
fn came_to(row: &Row) -> [String; 3] {
    let others: Vec<String> = row.others.iter().map(|law| format!("`{law}`")).collect();
    [row.caught.clone().unwrap_or_else(|| MISSED.to_owned()), row.cases.to_string(), others.join(", ")]
}

/// A row for a person: what, by which law, where, and who else spoke.
fn line(row: &Row) -> String {
    let (mutant, [caught, cases, others]) = (&row.mutant, came_to(row));
    format!(
        "{:<7} {:<32} {:<28} {caught}; {cases} cases; {others}",
        mutant.language.name(),
        mutant.name,
        mutant.law
    )
}

const MISSED: &str = "**missed**";
const NOT_JUDGED: &str = "not judged yet";

/// The rows of a page: language and name, where it was caught, and who else spoke.
fn judged_before(page: &str) -> BTreeMap<(&'static str, String), [String; 3]> {
    let mut language = None;
    let mut rows = BTreeMap::new();
    for text in page.lines() {
        if let Some(title) = text.strip_prefix("## ") {
            language = Language::ALL.into_iter().find(|one| one.name() == title);
        }
        let cells: Vec<&str> = text.trim_matches('|').split(" | ").map(str::trim).collect();
        if let (Some(language), [name, _, law, caught, cases, others]) = (language, cells.as_slice())
            && law.starts_with('`')
            && *caught != NOT_JUDGED
        {
            rows.insert((language.name(), (*name).to_owned()), [*caught, *cases, *others].map(str::to_owned));
        }
    }
    rows
}

fn page(known: &BTreeMap<(&'static str, String), [String; 3]>) -> String {
    let of = |mutant: &Mutant| known.get(&(mutant.language.name(), mutant.name.clone()));
    let score = |language: Language| {
        let judged: Vec<_> =
            language.mutants().iter().filter_map(of).map(|[caught, ..]| caught.clone()).collect();
        let caught = judged.iter().filter(|caught| *caught != MISSED).count();
        (caught, judged.len(), language.mutants().len())
    };
    let scores = Language::ALL.map(score);
    let sum = |part: fn(&(usize, usize, usize)) -> usize| scores.iter().map(part).sum::<usize>();
    let mut page = format!(
        "# Mutants\n\nWhat the judge makes of small realistic defects. A mutant is a right client with one of them: it has to be\n\
         caught by the law it was written for, in the default judgement with {CASES} generated cases a dialect (those about\n\
         certificates with `--tls`). What puts that law to the test is told first, by turns what finds most and what is aimed at\n\
         it, and no more is told once it has spoken; so other laws may speak that are not listed. Cases are counted by\n\
         whole parts of the judgement. The right clients themselves keep every law: the test suite judges them.\n\
         Written by `scripts/mutants`.\n\n\
         **{} of {} caught**",
        sum(|score| score.0),
        sum(|score| score.1)
    );
    for (language, (caught, judged, all)) in Language::ALL.into_iter().zip(scores) {
        let _ = write!(page, "; {} {caught} of {judged}", language.name());
        if judged < all {
            let _ = write!(page, " ({} more are not judged yet)", all - judged);
        }
    }
    page.push_str(".\n");
    for language in Language::ALL {
        let head = "| mutant | what it does wrong | law | caught in | cases | other laws that spoke |\n|---|---|---|---|---|---|";
        let _ = writeln!(page, "\n## {}\n\n{head}", language.name());
        for mutant in language.mutants() {
            let none = [NOT_JUDGED.to_owned(), String::new(), String::new()];
            let [caught, cases, others] = of(&mutant).unwrap_or(&none);
            let _ = writeln!(
                page,
                "| {} | {} | `{}` | {caught} | {cases} | {others} |",
                mutant.name, mutant.wrong, mutant.law
            );
        }
    }
    page
}
