//! What a person meets in their first hour: hints that name the next step, and messages that say what happened.

use crate::harness;

use harness::{CASES, Lab, TASKS};

#[test]
fn a_replay_says_what_to_ask_it_for() {
    let lab = Lab::new();
    let running = lab.replay(&[]);
    let url = running.url.clone();
    running.get(CASES);
    let ended = running.stop();
    let hint = format!("try: curl -H 'SEC: any' {url}{TASKS}/");
    assert!(ended.stderr.contains(&hint), "{}", ended.stderr);
}

#[test]
fn a_verb_that_cannot_listen_says_only_that() {
    let lab = Lab::new();
    let running = lab.replay(&[]);
    let taken = running.addr.to_string();
    for verb in [&["replay", "builtin:forensics/create-case"][..], &["emulate"]] {
        let ended = lab.run(&[verb, &["--listen", &taken]].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
        assert!(ended.stderr.starts_with("error: cannot listen on "), "{}", ended.stderr);
    }
}

#[test]
fn a_session_of_its_own_is_named_in_its_lines() {
    let lab = Lab::new();
    let running = lab.replay(&[]);
    running.get(&format!("/@ana{CASES}"));
    running.get(CASES);
    let ended = running.stop();
    assert!(ended.stderr.contains(&format!("\n@ana GET {CASES} -> 200 ")), "{}", ended.stderr);
    assert!(ended.stderr.contains(&format!("\nGET {CASES} -> 200 ")), "{}", ended.stderr);
}

#[test]
fn an_answer_that_never_came_is_not_shown_with_a_status() {
    let lab = Lab::new();
    let running = lab.replay(&["--scenario", "lost-answer"]);
    let body = r#"{"name":"CASE7","assigned_to":["ana"]}"#;
    let _ = running.try_request("POST", CASES, &[("Content-Type", "application/json")], body.as_bytes());
    let ended = running.stop();
    assert!(ended.stderr.contains(&format!("POST {CASES} -> no answer, ")), "{}", ended.stderr);
}

#[test]
fn a_miss_shows_a_recorded_body_as_it_is() {
    let lab = Lab::new();
    let running = lab.replay(&[]);
    running.get("/api/siem/offenses");
    let ended = running.stop();
    assert!(ended.stderr.contains(r#"recorded {"assigned_to":["user-1"]"#), "{}", ended.stderr);
}

#[test]
fn what_there_is_instead_is_named() {
    let lab = Lab::new();
    for (arguments, help) in [
        (&["replay", "nope"][..], "there is builtin:forensics/create-case"),
        (&["replay", "builtin:nope"], "there is builtin:forensics/create-case"),
        (&["replay"], "or a scenario with --scenario"),
        (&["replay", "--scenario", "quite-another"], "there are `not-found`, `server-error`"),
        (&["replay", "--scenario", "slow-hots"], "did you mean `slow-host`?"),
        (&["emulate", "--listen", "8080"], "write it as 127.0.0.1:8080"),
    ] {
        let ended = lab.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains(help), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn a_port_file_that_cannot_be_written_is_named_and_no_other_file() {
    let lab = Lab::new();
    let file = lab.file("no/such/port").display().to_string();
    let ended = lab.run(&["emulate", "--port-file", &file]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains(&file) && !ended.stderr.contains("at path"), "{}", ended.stderr);
}

#[test]
fn the_command_that_repeats_a_run_has_every_flag_that_changed_it() {
    let lab = Lab::new();
    let flags = ["--tls", "--tls-name", "qradar.test", "--no-auth", "--timeout", "9"];
    let ended = lab.run(&[&["run", "--scenario", "slow-host"][..], &flags, &["--", "false"]].concat());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let repeat = ended.stderr.lines().find(|line| line.starts_with("repeat it: ")).unwrap_or_default();
    for flag in ["--tls --tls-name qradar.test", "--no-auth", "--timeout 9", "-- false"] {
        assert!(repeat.contains(flag), "{flag}: {repeat}");
    }
}

#[test]
fn a_recording_says_how_to_replay_it_and_a_refused_one_only_why() {
    let lab = Lab::new();
    let console = lab.serve(&["emulate"]);
    let record = ["record", "--upstream", &console.url, "--cassette", "mine"];
    let running = lab.serve(&record);
    running.get(CASES);
    let ended = running.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("\nreplay it: faultdeck replay mine\n"), "{}", ended.stderr);
    let again = lab.run(&record);
    assert_eq!((again.code, again.stdout.as_str()), (Some(2), ""));
    assert!(again.stderr.starts_with("error: ") && again.stderr.contains("--overwrite"), "{}", again.stderr);
    let linted = lab.run(&["lint", "cassettes"]);
    assert_eq!((linted.code, linted.stderr.as_str()), (Some(0), "1 file, nothing to remark\n"));
}
