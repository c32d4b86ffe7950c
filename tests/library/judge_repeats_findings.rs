//! A finding is small, saved as a scenario, run first the next time, and repeats from its file alone.
use crate::canary;

use crate::judging;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use faultdeck::judge::{Again, Budget, Judged, Plan, Progress, Repeat, judge, resolve, unknown_names};
use faultdeck::ledger::{Exit, Standing, stable};
use faultdeck::profile::Profile;
use faultdeck::scenario::Scenario;
use judging::{Defect, client, recording};

fn plan(found: Option<&std::path::Path>) -> Plan {
    let plan = Plan::new(Arc::new(|_| Ok(recording())));
    let repeat: Arc<Repeat> = Arc::new(|again| match again {
        Again::Found(file) => format!("judge again: {}", file.display()),
        other => format!("{other:?}"),
    });
    let plan = Plan { repeat: Some(repeat), ..plan };
    Plan { cases: 30, scenarios: Vec::new(), found: found.map(Into::into), ..plan }
}

async fn judged(plan: &Plan, defect: Defect) -> Judged {
    judge(plan, &client(defect), &|_| {}).await.unwrap()
}

fn violations(judged: &Judged) -> Vec<&faultdeck::ledger::VerdictLine> {
    judged.verdicts.iter().filter(|line| line.verdict == Standing::Violated).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finding_is_shrunk_saved_and_repeats_from_its_file() {
    let folder = canary::Folder::new();
    let first = judged(&plan(Some(folder.path())), Defect::Rounds).await;
    let violation = violations(&first)[0];
    let path = violation.found.clone().unwrap();
    assert_eq!(violation.repeat.clone().unwrap(), format!("judge again: {path}"));
    assert!(violation.evidence.iter().any(|line| line.starts_with("told:")), "{:#?}", violation.evidence);
    // The finding, and the schema by which editors know its keys.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    let text = std::fs::read_to_string(&path).unwrap();
    let schema = text.lines().next().unwrap().strip_prefix("#:schema ./").unwrap();
    let schema = std::fs::read_to_string(folder.path().join(schema)).unwrap();
    assert_eq!(schema, faultdeck::schemas::SCENARIO.text);

    let scenario = Arc::new(Scenario::load(path.as_ref(), Profile::builtin()).unwrap());
    let case = scenario.case.clone().unwrap();
    let fields = case.fields.unwrap_or_default();
    assert!(!fields.contains(','), "not minimal: {fields} of {:?}", case.task);

    let alone = judged(&plan(None).only(Arc::clone(&scenario)), Defect::Rounds).await;
    assert_eq!((violations(&alone).len(), alone.account.exit), (1, Exit::Failed), "{:#?}", alone.verdicts);
    let cured = judged(&plan(None).only(scenario), Defect::None).await;
    assert_eq!(cured.account.exit, Exit::Passed, "{}", cured.account.because);

    let again = judged(&plan(Some(folder.path())), Defect::Rounds).await;
    assert_eq!(again.verdicts[0].verdict, Standing::Violated, "findings run first");
    assert!(path.contains(&again.verdicts[0].scenario));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "the same finding is the same file");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_and_client_give_the_same_ledger() {
    let mut ledgers = Vec::new();
    for jobs in [1, 2, 3] {
        let judged = judged(&Plan { jobs, ..plan(None) }, Defect::ZeroFills).await;
        assert!(!violations(&judged).is_empty());
        ledgers.push(stable(&judged.lines));
    }
    assert_eq!(ledgers[0], ledgers[1]);
    assert_eq!(ledgers[0], ledgers[2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_is_in_no_line() {
    let judged = judged(&plan(None), Defect::Rounds).await;
    for line in &judged.lines {
        let text = line.to_json().unwrap();
        assert!(!text.contains("judge-token"), "{text}");
    }
}

#[test]
fn a_name_that_is_no_property_is_shown_where_it_stands() {
    let text = "summary = \"x\"\n\n[must]\nhold = [\"terminate\", \"creates-once\"]\n";
    let scenario = Scenario::parse("x", "x.toml", text, Profile::builtin()).unwrap();
    let wrong = resolve(&scenario).unwrap_err();
    assert_eq!(text.get(wrong.shown()[0].at.clone()), Some("\"terminate\""));
    assert_eq!(wrong.shown()[0].help.as_deref(), Some("did you mean `terminates`?"));
    assert_eq!(unknown_names(&scenario).len(), 1);
}

#[test]
fn every_built_in_scenario_names_properties_that_exist() {
    for (name, _) in Scenario::builtins() {
        let scenario = Scenario::builtin(name, Profile::builtin()).unwrap();
        assert!(resolve(&scenario).is_ok(), "{name}");
    }
}

/// Not a test by itself: the next one runs it with other environments.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints a ledger for another test"]
async fn prints_a_ledger() {
    let judged = judged(&plan(None), Defect::ZeroFills).await;
    println!("LEDGER {:?}", stable(&judged.lines));
}

#[test]
fn no_variable_of_proptest_has_a_say() {
    let ledger = |variables: &[(&str, &str)]| {
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "judge_repeats_findings::prints_a_ledger", "--nocapture"])
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let text = String::from_utf8(run.stdout).unwrap();
        text.lines().find_map(|line| line.split_once("LEDGER ").map(|(_, ledger)| ledger.to_owned())).unwrap()
    };
    let variables = [
        ("PROPTEST_CASES", "1"),
        ("PROPTEST_RNG_SEED", "5"),
        ("PROPTEST_MAX_SHRINK_ITERS", "1"),
        ("PROPTEST_MAX_DEFAULT_SIZE_RANGE", "1"),
        ("PROPTEST_MAX_LOCAL_REJECTS", "1"),
    ];
    assert_eq!(ledger(&[]), ledger(&variables));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shrinking_ends_within_its_budget_with_the_best_so_far() {
    let budget = |tries, wall| Budget { tries, wall: Duration::from_millis(wall) };
    for (budget, most) in [(budget(3, 60_000), 3), (budget(0, 60_000), 0), (budget(200, 0), 0)] {
        let folder = canary::Folder::new();
        let plan = Plan { budget, ..plan(Some(folder.path())) };
        let (tries, saved) = (AtomicU32::new(0), AtomicU32::new(0));
        let tell = |progress| match progress {
            Progress::Shrinks { tries: so_far, .. } => drop(tries.fetch_max(so_far, Ordering::Relaxed)),
            Progress::Saved { .. } => drop(saved.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        };
        let judged = judge(&plan, &client(Defect::Rounds), &tell).await.unwrap();
        assert_eq!((violations(&judged).len(), judged.account.exit), (1, Exit::Failed));
        assert_eq!((tries.into_inner(), saved.into_inner()), (most, 1), "{budget:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "a finding and its schema");
    }
}
