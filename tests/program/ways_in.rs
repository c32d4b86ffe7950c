//! How a client that nobody changes comes to a replay: its own variables, a proxy, the authorities to trust.

use crate::harness;

use harness::{Finished, Lab};

const FAULTDECK: &str = env!("CARGO_BIN_EXE_faultdeck");
const CASSETTE: [&str; 2] = ["--cassette", "builtin:forensics/create-case"];

fn run(lab: &Lab, flags: &[&str], command: &[&str]) -> Finished {
    lab.run(&[&["run"], &CASSETTE[..], flags, &["--"], command].concat())
}

#[test]
fn a_suite_finds_the_replay_under_the_names_it_reads_already() {
    let lab = Lab::new();
    let shows = "printf '%s\\n' \"$QRADAR_URL\" \"$QRADAR_HOST:$QRADAR_PORT\" \"$QRADAR_SEC\" \"$FAULTDECK_URL\" > told";
    let asks = format!(
        "{shows}; {FAULTDECK} client careful wait --base \"${{QRADAR_URL%/api}}\" --id 956 --pace-ms 1"
    );
    let flags = [
        "--env",
        "QRADAR_URL={url}/api",
        "--env",
        "QRADAR_HOST={host}",
        "--env",
        "QRADAR_PORT={port}",
        "--env",
        "QRADAR_SEC={sec}",
    ];
    let run = run(&lab, &flags, &["sh", "-c", &asks]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let told = lab.read("told");
    let told: Vec<&str> = told.lines().collect();
    let [url, authority, sec, own] = told[..] else { panic!("{told:?}") };
    assert_eq!(url, format!("{own}/api"));
    assert_eq!(format!("http://{authority}"), own);
    assert!(sec.len() > 8, "{sec}");
}

#[test]
fn with_tls_a_suite_finds_the_authority_under_its_own_name() {
    let lab = Lab::new();
    let asks =
        "curl -sf -H 'SEC: any' --cacert \"$MY_CA\" \"$MY_URL/forensics/case_management/cases\" > /dev/null";
    let flags = ["--tls", "--env", "MY_CA={ca_file}", "--env", "MY_URL={url}/api"];
    let with = run(&lab, &flags, &["sh", "-c", asks]);
    assert_eq!(with.code, Some(0), "{}", with.stderr);
    let without = run(&lab, &["--env", "MY_CA={ca_file}"], &["sh", "-c", asks]);
    assert_eq!(without.code, Some(2), "{}", without.stderr);
    assert!(without.stderr.contains("`MY_CA`") && without.stderr.contains("--tls"), "{}", without.stderr);
}

#[test]
fn a_placeholder_that_there_is_not_is_wrong_input_that_names_those_there_are() {
    let lab = Lab::new();
    let text = format!("QRADAR_TOKEN={}{{base}}", lab.canary());
    let run = run(&lab, &["--env", &text], &["true"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("{url} {host} {port} {sec} {ca_file}"), "{}", run.stderr);
}

#[test]
fn a_secret_in_a_variable_reaches_the_command_and_no_report() {
    let lab = Lab::new();
    let secret = lab.canary().to_owned();
    let text = format!("QRADAR_TOKEN={secret}");
    let asks = format!(
        "printf %s \"$QRADAR_TOKEN\" > token; curl -s -H \"SEC: $QRADAR_TOKEN\" \"$FAULTDECK_URL/api/x?a=$QRADAR_TOKEN\" > /dev/null; {FAULTDECK} client careful get --base $FAULTDECK_URL --id 956; exit 4"
    );
    let flags = ["--env", &text, "--env", "URL={url}", "--ledger", "run.jsonl", "--report", "human=run.txt"];
    let run = run(&lab, &flags, &["sh", "-c", &asks]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(lab.read("token"), secret);
    std::fs::remove_file(lab.file("token")).unwrap();
    let line = run.stderr.lines().find_map(|line| line.strip_prefix("repeat it: ")).unwrap();
    assert!(line.contains("--env \"QRADAR_TOKEN=$SEC_TOKEN\""), "{line}");
    assert!(line.contains("--env 'URL={url}'"), "{line}");
    for file in ["run.jsonl", "run.txt"] {
        assert!(!lab.read(file).contains(&secret), "{file}");
    }
}
