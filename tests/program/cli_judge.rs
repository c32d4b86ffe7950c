//! `faultdeck judge`: exit codes, findings, and what a wrong argument is told.

use crate::harness;

use harness::Lab;

#[test]
fn the_careful_client_passes_and_the_careless_one_fails_with_a_saved_counter_example() {
    let lab = Lab::new();
    let careful = lab.run(&["judge", "builtin:careful", "--scenario", "lost-answer"]);
    assert_eq!(careful.code, Some(0), "{}", careful.stderr);
    assert!(!lab.file("scenarios").exists(), "nothing was found, so nothing is saved");

    let flags = ["--scenario", "lost-answer", "--ledger", "l.jsonl", "--report", "junit=r.xml"];
    let careless = lab.run(&[&["judge", "builtin:careless"][..], &flags[..]].concat());
    assert_eq!(careless.code, Some(1), "{}", careless.stderr);
    assert!(
        careless.stdout.contains("VIOLATED: creates-once"),
        "the report is what it is run for: {}",
        careless.stdout
    );
    assert!(!careless.stderr.contains("VIOLATED"), "progress alone goes to stderr: {}", careless.stderr);
    let saved = careless.stderr.lines().find_map(|line| line.strip_prefix("saved ")).unwrap();
    assert!(saved.starts_with("scenarios/found/creates-once"), "{saved}");
    assert!(lab.read("r.xml").contains("<failure message=\"VIOLATED: "));

    let again = lab.run(&["judge", "builtin:careless", "--scenario", saved]);
    assert_eq!(again.code, Some(1), "{}", again.stderr);
    let lint = lab.run(&["lint", saved]);
    assert_eq!(lint.code, Some(0), "{}", lint.stdout);
}

#[test]
fn generated_cases_hold_for_the_careful_client() {
    let lab = Lab::new();
    lab.write(
        "empty.toml",
        "summary = \"nothing goes wrong\"\ncassette = \"builtin:forensics/create-case\"\n",
    );
    let judged = lab.run(&["judge", "builtin:careful", "--cases", "8", "--scenario", "empty.toml"]);
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    assert!(judged.stdout.contains("generated"), "{}", judged.stdout);
}

#[test]
fn a_client_that_cannot_be_started_is_inconclusive() {
    let lab = Lab::new();
    lab.write(
        "clients/gone.toml",
        "summary = \"s\"\njobs = [\"get\"]\ndialects = [\"sample\"]\n[exec]\nargv = [\"/no/such/program\"]\n",
    );
    let judged = lab.run(&["judge", "gone", "--cases", "3"]);
    assert_eq!(judged.code, Some(3), "{}", judged.stderr);
    assert!(judged.stdout.contains("could not be started"), "{}", judged.stdout);
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let lab = Lab::new();
    let client = lab.run(&["judge", "builtin:carefull"]);
    assert_eq!(client.code, Some(2));
    assert!(client.stderr.contains("builtin:careful"), "{}", client.stderr);
    let scenario = lab.run(&["judge", "builtin:careful", "--scenario", "lost-anser"]);
    assert_eq!(scenario.code, Some(2));
    assert!(scenario.stderr.contains("help: did you mean `"), "{}", scenario.stderr);
    lab.write(
        "clients/odd.toml",
        "summary = \"s\"\njobs = [\"get\"]\ndialects = [\"sample\"]\n[exec]\nargv = [\"{nope}\"]\n",
    );
    let odd = lab.run(&["judge", "clients/odd.toml"]);
    assert_eq!(odd.code, Some(2));
    assert!(odd.stderr.contains("odd.toml:5") && odd.stderr.contains('^'), "{}", odd.stderr);
}
