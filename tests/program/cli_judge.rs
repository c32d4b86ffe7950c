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

/// A client file around a shell script that is given the careful client's command line.
fn wrapped(lab: &Lab, name: &str, script: &str, jobs: &str, more: &str) -> String {
    lab.write(&format!("{name}.sh"), script);
    let file = format!(
        "summary = \"s\"\njobs = {jobs}\ndialects = [\"sample\", \"prose\"]\n[exec]\nargv = [\"/bin/sh\",          \"{name}.sh\", \"{{faultdeck}}\", \"client\", \"careful\", \"{{job}}\", \"--base\", \"{{base_url}}\",          [\"--id\", \"{{id}}\"], [\"--fields\", \"{{fields}}\"], [\"--name\", \"{{name}}\"], \"--pace-ms\",          \"{{pace_ms}}\", \"--deadline-ms\", \"{{deadline_ms}}\"]\nenv = {{ SEC_TOKEN = \"{{sec}}\" }}\n{more}\n"
    );
    lab.write(&format!("clients/{name}.toml"), &file);
    name.to_owned()
}

const ALL_JOBS: &str = "[\"get\", \"wait\", \"create\"]";
const AS_A_RESOURCE: &str = "stdout = \"resource\"\nexit = { 0 = \"done\" }";

#[test]
fn a_client_that_cannot_be_read_where_nothing_goes_wrong_is_told_what_to_write() {
    let lab = Lab::new();
    for (name, script, more, expected, came) in [
        (
            "plain",
            "echo '{\"id\":42,\"state\":\"COMPLETE\"}'",
            "",
            "\"outcome\":\"task\"",
            "it wrote: {\"id\":42",
        ),
        ("quiet", "exit 0", "", "\"outcome\":\"task\"", "it wrote nothing"),
        ("chatty", "echo \"done with $SEC_TOKEN\"", "", "\"outcome\":\"task\"", "it wrote: done with"),
        (
            "line",
            "echo '{\"outcome\":\"gave_up\"}'",
            AS_A_RESOURCE,
            "as one JSON object",
            "it wrote: {\"outcome\"",
        ),
        ("table", "echo 'id  state'", AS_A_RESOURCE, "as one JSON object", "it wrote: id  state"),
    ] {
        for jobs in ["[\"get\"]", "[\"wait\"]", "[\"create\"]", ALL_JOBS] {
            let client = wrapped(&lab, name, script, jobs, more);
            let judged = lab.run(&["judge", &client, "--cases", "2", "--report", "junit=r.xml"]);
            assert!(lab.read("r.xml").contains("exit 2 (wrong input)"), "{}", lab.read("r.xml"));
            let shown = judged.stdout + &judged.stderr;
            assert_eq!(judged.code, Some(2), "{name} {jobs}: {shown}");
            assert!(shown.contains(expected) && shown.contains(came), "{name} {jobs}: {shown}");
            assert!(!shown.contains("VIOLATED") && !shown.contains("judge-token"), "{name} {jobs}: {shown}");
        }
    }
}

#[test]
fn a_byte_order_mark_and_line_breaks_in_the_outcome_are_read() {
    let lab = Lab::new();
    let script =
        "out=$(\"$@\"); code=$?\nprintf '\\357\\273\\277{\\r\\n%s\\r\\n' \"${out#\\{}\"\nexit $code\n";
    let client = wrapped(&lab, "marked", script, ALL_JOBS, "");
    let judged = lab.run(&["judge", &client, "--cases", "4", "--scenario", "lost-answer"]);
    assert_eq!(judged.code, Some(0), "{}{}", judged.stdout, judged.stderr);
}

#[test]
fn a_crash_is_judged_although_the_exit_map_calls_it_an_error() {
    let lab = Lab::new();
    // Readable as long as there is a task; then it goes down, as a script with an exception that nobody catches.
    let script = "out=$(\"$@\") || exit 1\nprintf '%s\\n' \"$out\"\n";
    let client = wrapped(&lab, "fragile", script, "[\"get\"]", "exit = { 0 = \"done\", 1 = \"error\" }");
    let judged = lab.run(&["judge", &client, "--scenario", "not-found", "--ledger", "l.jsonl"]);
    assert_eq!(judged.code, Some(1), "{}{}", judged.stdout, judged.stderr);
    assert!(lab.read("l.jsonl").contains("crashed: exit code 1, and no outcome"), "{}", lab.read("l.jsonl"));
    // What could be read before and cannot be read any more is the client's doing, too.
    let script = "out=$(\"$@\") || { echo oops; exit 0; }\nprintf '%s\\n' \"$out\"\n";
    let client = wrapped(&lab, "babbling", script, "[\"get\"]", "");
    let judged = lab.run(&["judge", &client, "--scenario", "not-found"]);
    assert_eq!(judged.code, Some(1), "{}{}", judged.stdout, judged.stderr);
}

#[test]
fn a_property_whose_jobs_the_client_lacks_is_not_applicable_and_asks_for_no_exit_code() {
    let lab = Lab::new();
    for (jobs, lacking) in [
        ("[\"get\"]", "terminates (the client does not do the job `wait` or `create` or `list`)"),
        ("[\"get\", \"wait\"]", "creates-once (the client does not do the job `create`)"),
    ] {
        let client = wrapped(&lab, "few", "exec \"$@\"", jobs, "");
        let flags = ["--cases", "2", "--report", "junit=r.xml", "--report", "json=r.json"];
        let stories =
            ["--scenario", "not-found", "--scenario", "lost-answer", "--scenario", "partial-completion"];
        let judged = lab.run(&[&["judge", &client][..], &flags[..], &stories[..]].concat());
        let shown = judged.stdout + &judged.stderr;
        assert_eq!(judged.code, Some(0), "{jobs}: {shown}");
        assert!(shown.contains(&format!("not applicable: {lacking}")), "{jobs}: {shown}");
        assert!(lab.read("r.xml").contains("<skipped message=\"not applicable: the client does not do"));
        assert!(lab.read("r.json").contains("\"verdict\": \"not_applicable\""));
    }
    let only = lab.run(&[
        "judge",
        &wrapped(&lab, "few", "exec \"$@\"", "[\"get\"]", ""),
        "--scenario",
        "lost-answer",
    ]);
    assert_eq!(only.code, Some(3), "nothing is left to test, and that is never green: {}", only.stderr);
}

#[test]
fn explain_says_the_limits_of_termination() {
    let lab = Lab::new();
    let law = lab.run(&["explain", "terminates"]);
    let limits = faultdeck::judge::property("terminates").unwrap().limits;
    assert!(!limits.is_empty());
    for limit in limits {
        assert!(law.stdout.contains(&format!("{:>3} {}", limit.most, limit.of)), "{}", law.stdout);
    }
}

#[test]
fn explain_names_the_properties_that_a_command_is_judged_by() {
    let lab = Lab::new();
    let listed = lab.run(&["explain", "properties"]).stdout;
    let named = listed.lines().find(|line| line.contains("From the wire alone")).unwrap();
    for property in faultdeck::judge::PROPERTIES {
        assert_eq!(named.contains(property.id), property.in_a_suite.is_some(), "{}: {named}", property.id);
    }
}

#[test]
fn a_folder_is_every_scenario_in_it_and_one_that_is_not_there_is_named_with_those_that_are() {
    let lab = Lab::new();
    let story = |lab: &Lab, name: &str| {
        lab.write(
            name,
            "summary = \"x\"\ncassette = \"builtin:forensics/create-case\"\n[must]\nhold = [\"right-address\"]\n",
        );
    };
    story(&lab, "scenarios/mine/one.toml");
    story(&lab, "scenarios/mine/deep/two.toml");
    story(&lab, "elsewhere/three.toml");
    story(&lab, "scenarios/tls/own.toml");
    let judged = |folders: &[&str]| {
        let flags: Vec<&str> = folders.iter().flat_map(|folder| ["--scenario", folder]).collect();
        let finished =
            lab.run(&[&["judge", "builtin:careful", "--report", "json=r.json"][..], &flags].concat());
        assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
        let report: serde_json::Value = serde_json::from_str(&lab.read("r.json")).unwrap();
        let names =
            report["scenarios"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(judged(&["mine/"]), ["mine/deep/two", "mine/one"]);
    assert_eq!(
        judged(&["mine/", "mine/one", "elsewhere/"]),
        ["elsewhere/three", "mine/deep/two", "mine/one"]
    );
    assert_eq!(judged(&["./scenarios/mine/"]), ["mine/deep/two", "mine/one"]);

    std::fs::create_dir_all(lab.file("scenarios/empty")).unwrap();
    let refused = |arguments: &[&str], words: &[&str]| {
        let finished = lab.run(arguments);
        assert_eq!(finished.code, Some(2), "{arguments:?}: {}", finished.stderr);
        for word in words {
            assert!(finished.stderr.contains(word), "{arguments:?}: {word}: {}", finished.stderr);
        }
    };
    let judge = |folder| ["judge", "builtin:careful", "--scenario", folder];
    refused(&judge("empty/"), &["holds no scenario"]);
    refused(&judge("tsak/"), &["there is no folder of scenarios `tsak/`", "did you mean `task/`?"]);
    refused(&judge("builtin:mine/"), &["there is no folder of scenarios `builtin:mine/`"]);
    // Its own scenario is there, and those of the binary: they are about handshakes.
    refused(&judge("tls/"), &["scenario tls/tls-alert", "`--tls`"]);
    let one = "names a folder of scenarios, and one scenario is needed";
    refused(
        &["replay", "--scenario", "mine/"],
        &[one, "`mine/one`", "`faultdeck judge` and `faultdeck run` take folders"],
    );
    let runs = lab.run(&["run", "--scenario", "mine/", "--", "true"]);
    assert!(runs.code == Some(3) && runs.stderr.contains("mine/deep/two, mine/one"), "{}", runs.stderr);
}
