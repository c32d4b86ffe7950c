//! No false alarm: right clients in several languages and styles keep every law.

use crate::harness;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use faultdeck::ledger::{self, Line};
use harness::Lab;

/// Language, client file, program.
const PYTHON: (&str, &str, &str) = ("python", "clients/python.toml", "clients/python/client.py");
const NODE: (&str, &str, &str) = ("node", "clients/node.toml", "clients/node/client.mjs");

fn text_of(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// Puts a right client to the whole default judgement, and to the stories about handshakes.
fn green((_, file, program): (&str, &str, &str)) {
    let lab = Lab::new();
    for file in [file, program] {
        lab.write(file, &text_of(file));
    }
    for more in [&["--cases", "25"][..], &["--tls", "--scenario", "tls/"]] {
        let finished = lab.run(&[&["judge", file, "--jobs", "8"][..], more].concat());
        assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    }
}

#[test]
fn the_right_client_in_python_keeps_every_law() {
    green(PYTHON);
}

#[test]
fn the_right_client_in_node_keeps_every_law() {
    green(NODE);
}

/// Right clients of other styles, as changes of the right one in Python.
fn style(lab: &Lab, style: &toml::Value) {
    let (_, file, program) = PYTHON;
    for (key, name) in [("program", program), ("file", file)] {
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
        lab.write(name, &text);
    }
}

/// The stories of the test suite: those in which styles differ most. All of them were told by hand.
const STORIES: [&str; 9] = [
    "task/slow-host",
    "task/partial-for-ever",
    "task/lost-answer",
    "task/deprecated-version",
    "task/fails-then-heals",
    "network/hang",
    "outage/rate-limit",
    "auth/no-token",
    "auth/token-expires",
];

#[test]
fn right_clients_of_other_styles_keep_every_law() {
    let table: toml::Table = text_of("tests/mutants/styles.toml").parse().unwrap();
    let styles = table["style"].as_array().unwrap();
    assert!(styles.len() >= 8);
    for one in styles {
        let lab = Lab::new();
        style(&lab, one);
        let mut flags = vec!["judge", "clients/python.toml", "--cases", "4", "--jobs", "8"];
        flags.extend(STORIES.iter().flat_map(|story| ["--scenario", story]));
        let finished = lab.run(&flags);
        assert_eq!(finished.code, Some(0), "{}: {}{}", one["name"], finished.stdout, finished.stderr);
    }
}

/// What `scripts/mutants --right N` runs: the right clients through so many `get` cases, and the life of a task in as
/// many rounds of every story about tasks as make so many cases, each with a seed of its own.
#[test]
fn the_right_clients_keep_every_law_in_many_cases_when_asked_for() {
    let Ok(count) = std::env::var("RIGHT") else { return };
    let count: u32 = count.parse().unwrap();
    for (language, file, program) in [PYTHON, NODE] {
        let lab = Lab::new();
        for name in [file, program] {
            lab.write(name, &text_of(name));
        }
        let began = Instant::now();
        // Both dialects count.
        let cases = count.div_ceil(2).to_string();
        let mut flags = vec!["judge".to_owned(), file.to_owned(), "--jobs".to_owned(), "8".to_owned()];
        flags.extend(["--ledger", "ledger.jsonl"].map(str::to_owned));
        let get = lab.run(
            &[
                &flags[..],
                &["--cases".to_owned(), cases, "--scenario".to_owned(), "task/not-found".to_owned()],
            ]
            .concat(),
        );
        println!(
            "{}: {count} get cases, exit {:?} ({:.1} s)",
            language,
            get.code,
            began.elapsed().as_secs_f32()
        );
        assert_eq!(get.code, Some(0), "{}{}", get.stdout, get.stderr);
        let (mut lives, mut seed) = (0, 1);
        while lives < count {
            let finished = lab.run(
                &[&flags[..], &["--seed", &seed.to_string(), "--scenario", "task/"].map(str::to_owned)]
                    .concat(),
            );
            assert_eq!(finished.code, Some(0), "seed {seed}: {}{}", finished.stdout, finished.stderr);
            let lines = ledger::read(&lab.read("ledger.jsonl")).unwrap();
            let most = |lines: &[Line], scenario: &str| {
                let of = lines.iter().filter_map(|line| match line {
                    Line::Verdict(verdict) if verdict.scenario == scenario => Some(verdict.cases),
                    _ => None,
                });
                of.max().unwrap_or(0)
            };
            let stories: BTreeSet<&str> = (lines.iter())
                .filter_map(|line| match line {
                    Line::Verdict(verdict) => Some(verdict.scenario.as_str()),
                    _ => None,
                })
                .collect();
            let told = stories.iter().map(|story| most(&lines, story)).sum::<u32>();
            assert!(told > 0);
            (lives, seed) = (lives + told, seed + 1);
        }
        println!(
            "{}: {lives} life-cycle cases, 0 false alarms ({:.1} s)",
            language,
            began.elapsed().as_secs_f32()
        );
    }
}
