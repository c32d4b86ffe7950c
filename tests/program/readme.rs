//! The README is true: what it shows to type is understood, and what it shows to write loads.

use crate::harness;

use std::path::Path;

use faultdeck::profile::Profile;
use faultdeck::scenario::Scenario;
use harness::{CASES, Lab, TASKS};

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The fenced blocks of a language; the empty one has none.
fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let parts: Vec<&str> = text.split("```").collect();
    let inside = parts.iter().skip(1).step_by(2);
    inside.filter_map(|block| block.strip_prefix(&format!("{language}\n"))).map(str::to_owned).collect()
}

/// The `faultdeck ...` lines to type, as words, without comments and job control.
fn commands() -> Vec<Vec<String>> {
    let lines = blocks("");
    let lines = lines.iter().flat_map(|block| block.lines());
    lines
        .filter_map(|line| {
            let line = line.split(" # ").next()?.trim().trim_end_matches('&').trim();
            let words =
                line.strip_prefix("faultdeck ").or_else(|| line.strip_prefix("cargo run --release -- "))?;
            Some(words.split_whitespace().map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn every_scenario_in_it_loads_and_its_properties_exist() {
    let scenarios = blocks("toml");
    assert!(!scenarios.is_empty());
    for text in scenarios {
        let scenario = Scenario::parse("readme", "README.md", &text, Profile::builtin())
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        faultdeck::judge::resolve(&scenario).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
}

#[test]
fn every_verb_and_flag_in_it_exists() {
    let lab = Lab::new();
    let commands = commands();
    assert!(commands.len() >= 8, "{commands:?}");
    for words in commands {
        let own: Vec<&String> = words.iter().take_while(|word| *word != "--").collect();
        let help = lab.run(&[own[0].as_str(), "--help"]);
        assert_eq!(help.code, Some(0), "{words:?}");
        for flag in own.iter().filter(|word| word.starts_with("--")) {
            assert!(help.stdout.contains(flag.as_str()), "{words:?}: there is no {flag}");
        }
    }
}

#[test]
fn every_flag_it_speaks_of_exists() {
    let lab = Lab::new();
    let verbs = ["demo", "record", "replay", "run", "judge", "report", "lint", "emulate", "explain"];
    let help: String = verbs.iter().map(|verb| lab.run(&[verb, "--help"]).stdout).collect();
    let text = readme();
    let spoken = text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("--"));
    for flag in spoken.filter_map(|code| code.split_whitespace().next()) {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn every_name_it_explains_or_replays_is_known() {
    let lab = Lab::new();
    for words in commands() {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let ["explain", name] = words[..] {
            assert_eq!(lab.run(&["explain", name]).code, Some(0), "{name}");
        }
        if let Some(at) = words.iter().position(|word| *word == "--scenario") {
            let name = words[at + 1];
            let (asked, wanted) = if name.ends_with('/') { ("scenarios", name) } else { (name, "") };
            let explained = lab.run(&["explain", asked]);
            assert!(explained.code == Some(0) && explained.stdout.contains(wanted), "{words:?}");
        }
    }
}

#[test]
fn its_way_around_a_test_suite_works() {
    let lab = Lab::new();
    let poll = format!("curl -sf -H 'SEC: any' \"$FAULTDECK_URL{TASKS}/956\"");
    let ended = lab.run(&["run", "--scenario", "slow-host", "--", "sh", "-c", &poll]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("\"id\":956"), "{}", ended.stdout);
}

#[test]
fn its_first_judge_example_works() {
    let lab = Lab::new();
    let line =
        readme().lines().find(|line| line.starts_with("faultdeck judge --observe -- ")).unwrap().to_owned();
    // As a shell splits it: the words between quotes are one.
    let quoted = line.split('\'').enumerate().flat_map(|(place, part)| match place % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
        _ => vec![part.to_owned()],
    });
    let words: Vec<String> = quoted.skip(1).collect();
    let ended = lab.run(&words);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("no request breaks it"), "{}", ended.stdout);
}

#[test]
fn its_replay_and_a_session_of_its_own_work() {
    let lab = Lab::new();
    let running = lab.replay(&["--scenario", "partial-completion"]);
    for start in ["", "/@again"] {
        let states: Vec<String> =
            (0..2).map(|_| running.get(&format!("{start}{TASKS}/956?fields=state")).text()).collect();
        assert_eq!(states, [r#"{"state":"WAITING"}"#, r#"{"state":"PROCESSING"}"#]);
    }
    assert_eq!(running.get("/api/siem/offenses").status(), 501);
}

#[test]
fn its_ten_lines_with_a_console_work() {
    let lab = Lab::new();
    let console = lab.serve(&["emulate"]);
    let port = lab.file("port").display().to_string();
    let running = lab.serve(&[
        "record",
        "--upstream",
        &console.url,
        "--cassette",
        "forensics/mine",
        "--port-file",
        &port,
    ]);
    assert_eq!(lab.read("port"), format!("{}\n", running.addr.port()));
    assert_eq!(running.get(CASES).status(), 200);
    assert_eq!(running.get(&format!("{TASKS}/42")).status(), 404);
    assert_eq!(running.signal("TERM").code, Some(0));
    assert_eq!(lab.run(&["lint", "cassettes/"]).code, Some(0));
    let replay = lab.serve(&["replay", "forensics/mine", "--scenario", "server-error"]);
    assert_eq!(replay.get(&format!("{TASKS}/42")).status(), 500);
}

#[test]
fn its_ariel_search_works() {
    let block =
        readme().split("```").find(|block| block.contains("builtin:ariel/search")).unwrap().to_owned();
    let mut lines = block.trim().lines();
    let script = format!(
        "{}\nuntil [ -s port ]; do sleep 0.1; done\n{}\nkill -INT $!; wait $!",
        lines.next().unwrap(),
        lines.map(|line| format!("{line}\necho")).collect::<Vec<_>>().join("\n"),
    );
    let lab = Lab::new();
    let folder = Path::new(env!("CARGO_BIN_EXE_faultdeck")).parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let shell = std::process::Command::new("sh")
        .args(["-c", &script])
        .env("PATH", path)
        .current_dir(lab.path())
        .output()
        .unwrap();
    lab.show(&shell.stdout);
    lab.show(&shell.stderr);
    let (out, err) = (String::from_utf8_lossy(&shell.stdout), String::from_utf8_lossy(&shell.stderr));
    assert_eq!(shell.status.code(), Some(0), "{err}");
    assert!(out.contains(r#""search_id":"8e5f3c2a-6b1d-4f7e-9a40-51c2d3e4f506""#), "{out}");
    assert_eq!(out.matches(r#""status":"WAIT""#).count(), 2, "{out}");
}
