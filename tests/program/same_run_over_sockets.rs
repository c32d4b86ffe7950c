//! The same scenario, seed and requests give the same ledger, timings apart, over real sockets: twice, with eight
//! clients at once, and whatever the environment says. A judgement is the same twice and with any number of jobs.

use crate::harness;

use faultdeck::ledger;
use harness::{CASES, Lab, Running, TASKS};

const TROUBLE: &str = r#"
summary = "x"
cassette = "builtin:forensics/create-case"
[deployment]
[[deployment.hosts]]
name = "mh-1"
changes = [{ at = 4, becomes = "done" }]
[[fault]]
when = { endpoint = "case_create_tasks.get", chance = "1/3" }
inject = { latency = { ms = 1, jitter_ms = 5 } }
[[fault]]
when = { endpoint = "case_create_tasks.get", chance = "1/4" }
inject = { api-error = { status = 500, code = 1020 } }
[[fault]]
when = { nth = "every 3", chance = "1/2" }
inject = { truncate = { body_bytes = 5 } }
[[fault]]
when = { endpoint = "cases.list", nth = "2" }
inject = { reset = { after_bytes = 20 } }
"#;

/// The task and the case that the shipped cassette holds.
fn ids() -> (String, String) {
    let text = include_str!("../../cassettes/forensics/create-case.json");
    let after = |what: &str| {
        let rest = text.split(what).nth(1).unwrap();
        rest.chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    (
        after("\"/api/forensics/case_management/case_create_tasks/"),
        after("\"/api/forensics/case_management/cases/"),
    )
}

/// What eight clients ask, each its own resource or session, and one that all of them ask for.
fn ask(server: &Running, client: usize) {
    let (task, case) = ids();
    for turn in 0..6 {
        let own = format!("/@client-{client}{TASKS}/{task}?fields=state");
        for target in [
            own,
            format!("{TASKS}/{task}"),
            format!("{CASES}/{case}"),
            format!("{TASKS}/{}", 900_000 + client),
            format!("/api/nowhere/{client}/{turn}"),
            CASES.to_owned(),
        ] {
            let _ = server.try_request("GET", &target, &[], b"");
        }
    }
}

fn ledger_of(threads: bool, seed: &str, env: &[(&str, &str)]) -> Vec<String> {
    let lab = Lab::new();
    lab.write("trouble.toml", TROUBLE);
    let args = ["replay", "--scenario", "trouble.toml", "--seed", seed, "--ledger", "l.jsonl"];
    let server = lab.serve_with(&args, env);
    if threads {
        std::thread::scope(|scope| {
            (0..8).for_each(|client| {
                let server = &server;
                scope.spawn(move || ask(server, client));
            });
        });
    } else {
        (0..8).for_each(|client| ask(&server, client));
    }
    let port = server.addr.port().to_string();
    server.stop();
    let lines = ledger::stable(&ledger::read(&lab.read("l.jsonl")).unwrap());
    assert!(lines.len() > 8 * 36, "{}", lines.len());
    for line in &lines {
        assert!(!line.contains(&format!(":{port}")), "the listener's own port: {line}");
        assert!(!line.contains(&*lab.path().to_string_lossy()), "a temporary path: {line}");
    }
    lines
}

fn same(one: &[String], other: &[String]) {
    for (one, other) in one.iter().zip(other) {
        assert_eq!(one, other);
    }
    assert_eq!(one.len(), other.len());
}

#[test]
fn a_replay_is_the_same_twice_and_with_eight_clients_at_once() {
    let serial = ledger_of(false, "7", &[]);
    let odd = [
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "de_DE"),
        ("TZ", "Pacific/Chatham"),
        ("PROPTEST_CASES", "3"),
        ("PROPTEST_RNG_SEED", "9"),
    ];
    same(&serial, &ledger_of(false, "7", &odd));
    // What stands at the end of a ledger counts the faults, so it differs if any does.
    same(&serial, &ledger_of(true, "7", &[]));
    assert_ne!(serial, ledger_of(false, "8", &[]), "a seed that changes nothing is no seed");
}

/// The built-in scenarios of these folders but those that go by the time: how far a client comes in it is the machine's,
/// and so is whether it was patient for sure.
fn without_a_time(folders: &[&str]) -> Vec<String> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let mut names = Vec::new();
    for folder in folders {
        for file in std::fs::read_dir(format!("{root}/{folder}")).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let by_the_time = ["since_start_ms", "clock", "latency", "\"patient-not-greedy\""];
            if !by_the_time.iter().any(|word| text.contains(word)) {
                names.push(format!("builtin:{folder}/{}", path.file_stem().unwrap().to_str().unwrap()));
            }
        }
    }
    names.sort();
    names
}

/// The exit code, the verdicts with their evidence, and what was found.
fn judgement(folders: &[&str], jobs: &str, env: &[(&str, &str)]) -> (Option<i32>, Vec<String>, Vec<String>) {
    let lab = Lab::new();
    let mut args = vec![
        "judge",
        "builtin:careless",
        "--cases",
        "12",
        "--jobs",
        jobs,
        "--seed",
        "5",
        "--ledger",
        "l.jsonl",
    ];
    let all = without_a_time(folders);
    args.extend(all.iter().flat_map(|name| ["--scenario", name.as_str()]));
    let finished = lab.run_with(&args, env);
    let lines = ledger::read(&lab.read("l.jsonl")).unwrap();
    let verdicts = lines.iter().filter(|line| matches!(line, ledger::Line::Verdict(_)));
    let verdicts: Vec<String> = verdicts.map(|line| line.to_json().unwrap()).collect();
    assert!(verdicts.iter().any(|line| line.contains("\"violated\"")), "{}", finished.stderr);
    let found = harness::canary::files(&lab.file("scenarios/found"));
    let found = found.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    (finished.code, verdicts, found)
}

fn is_the_same_with_one_job_and_with_four(folders: &[&str]) {
    let one = judgement(folders, "1", &[]);
    let odd = [("PROPTEST_CASES", "1"), ("PROPTEST_MAX_SHRINK_ITERS", "0"), ("LANG", "C"), ("TZ", "UTC")];
    let four = judgement(folders, "4", &odd);
    same(&one.1, &four.1);
    same(&one.2, &four.2);
    assert_eq!(one.0, four.0);
}

#[test]
fn a_judgement_is_the_same_with_one_job_and_with_four_where_a_task_is_in_trouble() {
    is_the_same_with_one_job_and_with_four(&["task"]);
}

#[test]
fn a_judgement_is_the_same_with_one_job_and_with_four_in_all_other_trouble() {
    is_the_same_with_one_job_and_with_four(&["lists", "ariel", "network", "auth", "outage"]);
}
