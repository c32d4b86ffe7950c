//! What breaks a property ends as small as it can be: the fewest faults, the simplest of each, the narrowest selector.
//! What breaks it at times only is told apart, with its rate, and is never shrunk.
use crate::canary;

use crate::judging;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use faultdeck::client::{InProcess, Job, JobKind, Outcome, Resting};
use faultdeck::judge::{Judged, Plan, judge};
use faultdeck::ledger::{Exit, Standing, VerdictLine};
use faultdeck::profile::Profile;
use faultdeck::scenario::Scenario;
use judging::{Defect, client, recording, seen};

/// Four polls, each of which meets another fault; the fifth is answered.
const FOUR: &str = r#"
summary = "Four things go wrong one after the other."
[must]
hold = ["reports-what-it-got"]
[[fault]]
when   = { endpoint = "case_create_tasks.get", nth = "1" }
inject = { api-error = { status = 500, code = 1020 } }
[[fault]]
when   = { endpoint = "case_create_tasks.get", nth = "2" }
inject = { api-error = { status = 503, code = 1010, undocumented = true } }
[[fault]]
when   = { endpoint = "case_create_tasks.get", nth = "3" }
inject = { api-error = { status = 429, code = 7, undocumented = true } }
[[fault]]
when   = { endpoint = "case_create_tasks.get", nth = "4" }
inject = { api-error = { status = 408, code = 8, undocumented = true } }
"#;

fn scenario(text: &str) -> Arc<Scenario> {
    Arc::new(Scenario::parse("story", "story.toml", text, Profile::builtin()).unwrap())
}

fn plan(found: &Path) -> Plan {
    let plan = Plan::new(Arc::new(|_| Ok(recording())));
    Plan { cases: 0, scenarios: Vec::new(), found: Some(found.to_owned()), ..plan }
}

/// A client that asks until it is answered, and reports a wrong id if it met all of these statuses on the way.
fn breaks_after(
    wanted: &'static [u16],
) -> InProcess<impl Fn(Job) -> std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync> {
    InProcess::new("sensitive", move |job: Job| {
        Box::pin(async move {
            let mut met = Vec::new();
            for _ in 0..8 {
                match seen(&job).await {
                    Some((200, text)) => {
                        let breaks = wanted.iter().all(|status| met.contains(status));
                        let task = if breaks { r#"{"id":0}"#.to_owned() } else { text };
                        return Outcome::Task { standing: Resting::Pending, task };
                    }
                    Some((status, _)) => met.push(status),
                    None => {}
                }
            }
            Outcome::GaveUp
        }) as std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>>
    })
    .with_jobs(&[JobKind::Get])
}

fn violation(judged: &Judged) -> &VerdictLine {
    judged.verdicts.iter().find(|line| line.verdict == Standing::Violated).unwrap()
}

fn found(line: &VerdictLine) -> Scenario {
    Scenario::load(line.found.as_deref().unwrap().as_ref(), Profile::builtin()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_defect_that_needs_so_many_faults_ends_with_so_many() {
    for wanted in [&[503][..], &[500, 429], &[503, 429, 408]] {
        let folder = canary::Folder::new();
        let plan = plan(folder.path()).only(scenario(FOUR));
        let judged = judge(&plan, &breaks_after(wanted), &|_| {}).await.unwrap();
        let line = violation(&judged);
        let small = found(line);
        assert_eq!(small.faults.len(), wanted.len(), "{wanted:?}: {}", small.to_toml());
        assert_eq!(small.case.as_ref().unwrap().fields, None, "{}", small.to_toml());
        let planned = line.evidence.iter().filter(|line| line.starts_with("planned:")).count();
        assert_eq!(planned, wanted.len(), "{:#?}", line.evidence);
        let again = judge(&plan.only(Arc::new(small)), &breaks_after(wanted), &|_| {}).await.unwrap();
        assert_eq!(again.account.exit, Exit::Failed, "{}", again.account.because);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faults_that_are_left_are_the_simplest_of_their_kind() {
    let folder = canary::Folder::new();
    let story = r#"
summary = "x"
[must]
hold = ["reports-what-it-got"]
[[fault]]
when   = { endpoint = "case_create_tasks.get", nth = "1-6", chance = "99/100" }
inject = { api-error = { status = 503, code = 1010, undocumented = true, retry_after_s = 4 } }
[[fault]]
when   = { endpoint = "case_create_tasks.get", nth = "1-" }
inject = { latency = { ms = 9 } }
"#;
    let judged =
        judge(&plan(folder.path()).only(scenario(story)), &breaks_after(&[503]), &|_| {}).await.unwrap();
    let small = found(violation(&judged)).to_toml();
    assert!(small.contains("nth = \"1\" }") && !small.contains("latency"), "{small}");
    assert!(small.contains("retry_after_s = 0") || !small.contains("retry_after_s"), "{small}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_case_of_all_shrinks_too() {
    let folder = canary::Folder::new();
    let plan = Plan { cases: 1, ..plan(folder.path()) };
    let client = InProcess::new("zero", |job: Job| async move {
        match seen(&job).await {
            Some((200, _)) => Outcome::Task { standing: Resting::Pending, task: r#"{"id":0}"#.to_owned() },
            _ => Outcome::Rejected { code: None },
        }
    })
    .with_jobs(&[JobKind::Get]);
    let judged = judge(&plan, &client, &|_| {}).await.unwrap();
    let line = judged.verdicts.iter().find(|line| line.property == "reports-what-it-got").unwrap();
    let case = found(line).case.unwrap();
    let task = case.task.unwrap();
    assert!(case.fields.is_none() && task.len() < 120 && task.contains("\"id\":42"), "not small: {task}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_fails_three_times_in_ten_is_told_apart_with_its_rate() {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let folder = canary::Folder::new();
    let plan = Plan { cases: 40, jobs: 1, ..plan(folder.path()) };
    let client = InProcess::new("moody", |job: Job| async move {
        let careful = client(Defect::None);
        let report = faultdeck::client::Client::run(&careful, &job).await.outcome;
        // As good as chance, and the same in each run of this test.
        let mut call = CALLS.fetch_add(1, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
        for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
            call = (call ^ (call >> 29)).wrapping_mul(factor);
        }
        let call = call >> 32;
        match report {
            Outcome::Task { standing, .. } if call % 10 < 3 => {
                Outcome::Task { standing, task: r#"{"id":0}"#.to_owned() }
            }
            other => other,
        }
    })
    .with_jobs(&[JobKind::Get]);
    let judged = judge(&plan, &client, &|_| {}).await.unwrap();
    let line = judged.verdicts.iter().find(|line| line.property == "reports-what-it-got").unwrap();
    assert_eq!(line.verdict, Standing::Inconclusive, "{line:#?}");
    let times = line.because.strip_prefix("flaky: broken ").and_then(|rest| rest.split(' ').next()).unwrap();
    assert!((1..=6).contains(&times.parse::<u32>().unwrap()), "{}", line.because);
    assert!(line.because.contains("of 10 times"), "{}", line.because);
    // And what it was, once, can be read.
    assert!(line.because.contains("; the first time: "), "{}", line.because);
    assert!(line.evidence.iter().any(|line| line.starts_with("reported: ")), "{:?}", line.evidence);
    assert_eq!(files(folder.path()), Vec::<String>::new(), "what breaks at times is no counter-example");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finding_is_on_disk_before_the_next_case_runs() {
    let folder = canary::Folder::new();
    let at = folder.path().to_owned();
    let plan = Plan { cases: 30, jobs: 1, ..plan(folder.path()) };
    let late = std::sync::Mutex::new(None);
    let tell = |progress| {
        if let faultdeck::judge::Progress::Ran { done, .. } = progress {
            let is_there = !files(&at).is_empty();
            late.lock().unwrap().get_or_insert((done, is_there));
        }
    };
    // The very first case is broken already.
    let broken = InProcess::new("zero", |job: Job| async move {
        match seen(&job).await {
            Some(_) => Outcome::Task { standing: Resting::Done, task: r#"{"id":0}"#.to_owned() },
            None => Outcome::GaveUp,
        }
    })
    .with_jobs(&[JobKind::Get]);
    judge(&plan, &broken, &tell).await.unwrap();
    assert_eq!(late.into_inner().unwrap(), Some((1, true)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_found_and_holds_now_is_told_as_fixed() {
    let folder = canary::Folder::new();
    let plan = Plan { cases: 20, ..plan(folder.path()) };
    let broken = judge(&plan, &client(Defect::Rounds), &|_| {}).await.unwrap();
    let file = violation(&broken).found.clone().unwrap();
    let cured = judge(&plan, &client(Defect::None), &|_| {}).await.unwrap();
    assert_eq!(cured.account.exit, Exit::Passed, "{}", cured.account.because);
    let first = &cured.verdicts[0];
    assert_eq!((first.verdict, first.found.as_deref()), (Standing::Held, Some(file.as_str())));
    let human = faultdeck::report::human(cured.lines.as_slice(), faultdeck::report::Paint::Plain);
    assert!(human.contains(&format!("reports-what-it-got holds now: {file}")), "{human}");
    let json: serde_json::Value =
        serde_json::from_str(&faultdeck::report::json(cured.lines.as_slice()).unwrap()).unwrap();
    assert_eq!(json["fixed"], serde_json::json!([file]));
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".toml")).collect()
}
