//! No false alarm: right clients in several languages and styles keep every law.

use crate::harness;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use faultdeck::client::Program;
use faultdeck::judge::{Plan, Progress, judge};
use faultdeck::ledger::{Exit, Standing};
use faultdeck::seed::Seed;
use harness::{Finished, Lab};

use crate::mutants::{evidence, opened};

/// A right client: its language, its file, its program, and how that is started as a worker.
struct Right {
    language: &'static str,
    file: &'static str,
    program: &'static str,
    worker: &'static str,
}

const PYTHON: Right = Right {
    language: "python",
    file: "clients/python.toml",
    program: "clients/python/client.py",
    worker: r#"["python3", "clients/python/client.py", "work"]"#,
};
const NODE: Right = Right {
    language: "node",
    file: "clients/node.toml",
    program: "clients/node/client.mjs",
    worker: r#"["node", "clients/node/client.mjs", "work"]"#,
};

/// The file of the client that stays, in the lab.
const WORKER: &str = "clients/worker.toml";

fn text_of(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

impl Right {
    /// Puts it into the lab, and beside its file another that starts it once for many cases.
    fn put(&self, lab: &Lab, file: &str, program: &str) {
        lab.write(self.file, file);
        lab.write(self.program, program);
        let (head, rest) = file.split_once("[exec]").unwrap();
        let (_, claims) = rest.split_once("[claims]").unwrap();
        let worker = format!("[worker]\nargv = {}\ntimeout_ms = 5000\n\n[claims]", self.worker);
        lab.write(WORKER, &format!("{head}{worker}{claims}"));
    }

    /// Puts it to the whole default judgement, as a worker: that spares a thousand starts. Started for each case, it is put
    /// to some stories, and to those about handshakes.
    fn is_green(&self) {
        let lab = Lab::new();
        self.put(&lab, &text_of(self.file), &text_of(self.program));
        let some: Vec<&str> = STORIES.iter().flat_map(|story| ["--scenario", story]).collect();
        for (file, more) in [
            (WORKER, &["--cases", "25"][..]),
            (self.file, &[&["--cases", "4"], &some[..]].concat()),
            (self.file, &["--tls", "--scenario", "tls/"]),
        ] {
            let finished = lab.run(&[&["judge", file, "--jobs", "8"][..], more].concat());
            assert_eq!(finished.code, Some(0), "{file}: {}{}", finished.stdout, finished.stderr);
        }
    }
}

#[test]
fn the_right_client_in_python_keeps_every_law() {
    PYTHON.is_green();
}

#[test]
fn the_right_client_in_node_keeps_every_law() {
    NODE.is_green();
}

/// Right clients of other styles, as changes of the right one in Python.
fn styles() -> Vec<toml::Value> {
    let table: toml::Table = text_of("tests/mutants/styles.toml").parse().unwrap();
    table["style"].as_array().unwrap().clone()
}

/// Puts a client of this style into the lab; its file, which is that of a worker where its style allows.
fn put(lab: &Lab, style: &toml::Value) -> &'static str {
    let [file, program] = [("file", PYTHON.file), ("program", PYTHON.program)].map(|(key, name)| {
        let mut text = text_of(name);
        let edits = style.get(key).and_then(toml::Value::as_array).into_iter().flatten();
        for edit in edits {
            let [Some(replace), Some(with)] = [0, 1].map(|n| edit.get(n).and_then(toml::Value::as_str))
            else {
                panic!("{edit} is no pair of texts")
            };
            assert_eq!(text.matches(replace).count(), 1, "{}: {replace}", style["name"]);
            text = text.replacen(replace, with, 1);
        }
        text
    });
    PYTHON.put(lab, &file, &program);
    let is_of_one_job = style.get("one_job").and_then(toml::Value::as_bool).unwrap_or(false);
    if is_of_one_job { PYTHON.file } else { WORKER }
}

/// The stories of the test suite: those in which styles differ most. `scripts/mutants --styles` tells all of them.
const STORIES: [&str; 7] = [
    "task/slow-host",
    "task/partial-for-ever",
    "task/lost-answer",
    "task/fails-then-heals",
    "network/hang",
    "outage/rate-limit",
    "auth/no-token",
];

fn judged(style: &toml::Value, more: &[&str]) -> Finished {
    let lab = Lab::new();
    let file = put(&lab, style);
    lab.run(&[&["judge", file, "--jobs", "8"][..], more].concat())
}

#[test]
fn right_clients_of_other_styles_keep_every_law() {
    let styles = styles();
    assert!(styles.len() >= 12);
    let stories: Vec<&str> = STORIES.iter().flat_map(|story| ["--scenario", story]).collect();
    let flags = [&["--cases", "4"][..], &stories].concat();
    // Most of the time of a judgement is spent waiting.
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(style) = styles.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let finished = judged(style, &flags);
                    assert_eq!(
                        finished.code,
                        Some(0),
                        "{}: {}{}",
                        style["name"],
                        finished.stdout,
                        finished.stderr
                    );
                }
            });
        }
    });
}

/// Styles that are judged at a time.
const AT_A_TIME: usize = 3;

/// What `scripts/mutants --styles` runs: every style through the whole default judgement.
#[test]
fn right_clients_of_other_styles_keep_every_law_in_all_stories_when_asked_for() {
    if std::env::var_os("STYLES").is_none() {
        return;
    }
    let mut red = Vec::new();
    for style in &styles() {
        let began = Instant::now();
        let finished = judged(style, &["--cases", "50"]);
        let took = began.elapsed().as_secs_f32();
        println!("{}: exit {:?} ({took:.1} s)", style["name"], finished.code);
        if finished.code != Some(0) {
            println!("{}{}", finished.stdout, finished.stderr);
            red.push(style["name"].to_string());
        }
    }
    assert!(red.is_empty(), "{}", red.join(", "));
}

/// Cases of a round: what is kept of them stays a size to hold.
const ROUND: usize = 2_500;

/// What `scripts/mutants --right N` runs: the right clients, as workers, through N `get` cases, N / 20 lives of tasks, and
/// N / 100 cases of all kinds in which things go wrong and take their time. Each round has a seed of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_clients_keep_every_law_in_many_cases_when_asked_for() {
    let Ok(count) = std::env::var("RIGHT") else { return };
    let count: usize = count.parse().unwrap();
    for right in [PYTHON, NODE] {
        let lab = Lab::new();
        right.put(&lab, &text_of(right.file), &text_of(right.program));
        let all_jobs = opened(&lab, WORKER, None);
        let others = "[jobs.wait]\n[jobs.create]\n[jobs.list]\nendpoint = \"GET /siem/offenses\"\n";
        let only_get = lab.read(WORKER).replacen(others, "", 1);
        assert!(!only_get.contains("jobs.wait"));
        lab.write("clients/get.toml", &only_get);
        let only_get = opened(&lab, "clients/get.toml", None);
        for (what, client, faults, most) in [
            ("`get` cases", &only_get, false, count),
            ("cases of which two in seven are lives of tasks", &all_jobs, false, count * 7 / 2 / 20),
            ("cases in which things go wrong", &all_jobs, true, count / 100),
        ] {
            let began = Instant::now();
            let (mut cases, mut seed) = (0, 0);
            while cases < most {
                seed += 1;
                let mut plan = Plan::new(evidence());
                // Both dialects count.
                plan.cases = u32::try_from((most - cases).min(ROUND).div_ceil(2)).unwrap();
                (plan.jobs, plan.faults, plan.seed) = (4, faults, Seed(seed));
                plan.scenarios.clear();
                cases += cases_without_alarm(&plan, client).await;
            }
            let took = began.elapsed().as_secs_f32();
            println!("{}: {cases} {what}, {seed} seeds, 0 false alarms ({took:.0} s)", right.language);
        }
    }
}

/// Puts a client to a plan, in which it must keep every law; how many cases there were.
async fn cases_without_alarm(plan: &Plan, client: &Program) -> usize {
    let count = AtomicUsize::new(0);
    let tell = |progress: Progress| {
        if let Progress::Plans { cases } = progress {
            count.store(cases, Ordering::Relaxed);
        }
    };
    let judged = judge(plan, client, &tell).await.unwrap();
    let alarms = judged.verdicts.iter().filter(|line| line.verdict == Standing::Violated);
    let alarms: Vec<String> = alarms.map(|line| format!("{line:#?}")).collect();
    assert!(alarms.is_empty(), "{:?}: {}", plan.seed, alarms.join("\n"));
    assert_eq!(judged.account.exit, Exit::Passed, "{:?}: {}", plan.seed, judged.account.because);
    count.into_inner()
}
