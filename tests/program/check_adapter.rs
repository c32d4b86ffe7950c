//! `faultdeck judge --check-adapter`: three known answers a job, and what was made of each.

use crate::harness;

use harness::{Finished, Lab};

fn checked(lab: &Lab, client: &str) -> Finished {
    lab.run(&["judge", client, "--check-adapter"])
}

#[test]
fn the_bundled_client_is_read_as_it_has_to_be_and_its_token_is_hidden() {
    let lab = Lab::new();
    let finished = checked(&lab, "builtin:careful");
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    for words in [
        "get: 200 with the resource",
        "get: 404/1002: there is no such task",
        "get: 200 with a task that is PARTIALLY_COMPLETE",
        "wait: 500/1020, each time",
        "list: 200 with the list",
        "create: 201, then a task on its way to its end",
        "client careful get --base http://127.0.0.1:",
        "read as:  done, as it has to be",
        "read as:  usable, as it has to be",
        "read as:  not_found 1002, as it has to be",
        "all 11 answers were read as they have to be",
    ] {
        assert!(finished.stdout.contains(words), "{words}: {}", finished.stdout);
    }
    assert!(
        !finished.stdout.contains("judge-token") && !finished.stdout.contains("odd:"),
        "{}",
        finished.stdout
    );
}

/// A client that asks as it should, and writes `out`; its file has `more` below `[exec]`.
fn client(lab: &Lab, out: &str, more: &str) {
    let ask = "text=$(curl -s -H \"SEC: $2\" \"$1/api$3\")";
    lab.write("client.sh", &format!("{ask}\n{out}\n"));
    lab.write(
        "clients/mine.toml",
        &format!(
            "summary = \"s\"\njobs = [\"get\"]\n[exec]\nargv = [\"sh\", \"client.sh\", \"{{base_url}}\", \"{{sec}}\", \
             \"{{path}}\"]\n{more}\n"
        ),
    );
}

#[test]
fn what_is_wrong_is_shown_with_its_fix() {
    let lab = Lab::new();
    let outcome = "case $text in *1002*) echo '{\"outcome\":\"not_found\",\"code\":1002}';; *PARTIALLY*) echo \
                   \"{\\\"outcome\\\":\\\"task\\\",\\\"standing\\\":\\\"usable\\\",\\\"task\\\":$text}\";; *) echo \
                   \"{\\\"outcome\\\":\\\"task\\\",\\\"standing\\\":\\\"done\\\",\\\"task\\\":$text}\";; esac";
    client(&lab, outcome, "");
    let right = checked(&lab, "mine");
    assert_eq!(right.code, Some(0), "{}{}", right.stdout, right.stderr);
    assert!(right.stdout.contains("odd:      the token stands in an argument"), "{}", right.stdout);
    for (out, more, words) in [
        ("echo \"$text\"", "", &["it has to write, as the last line", "read as:  unreadable", "0 of 3"][..]),
        (
            "echo \"$text\"",
            "stdout = \"resource\"\nexit = { 0 = \"pending\", 4 = \"not_found\" }",
            &["read as:  pending, and it has to be a task that is `done`", "the exit map says it"],
        ),
        ("exit 0", "", &["read as:  silent, and it has to be", "it has to write, as the last line"]),
        ("sleep 600", "timeout_ms = 300", &["read as:  timed out", "`timeout_ms` is how long it has"]),
    ] {
        client(&lab, out, more);
        let finished = checked(&lab, "mine");
        assert_eq!(finished.code, Some(2), "{out} {more}: {}{}", finished.stdout, finished.stderr);
        for word in words.iter().filter(|word| **word != "0 of 3") {
            assert!(finished.stdout.contains(word), "{out} {more}: {word}: {}", finished.stdout);
        }
        assert!(finished.stdout.contains("answers were not read as they have to be"), "{}", finished.stdout);
        assert!(!finished.stdout.contains("judge-token"), "{}", finished.stdout);
    }
}

#[test]
fn a_script_whose_exit_code_says_that_the_look_went_well_is_read_as_it_has_to_be() {
    let lab = Lab::new();
    let out = "printf %s \"$text\"; case $text in *1002*) exit 4;; esac";
    client(&lab, out, "stdout = \"resource\"\nexit = { 0 = \"done\", 4 = \"not_found\" }");
    let finished = checked(&lab, "mine");
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    assert!(finished.stdout.contains("all 3 answers"), "{}", finished.stdout);
}

#[test]
fn leaving_a_session_is_not_odd() {
    let lab = Lab::new();
    let out = "curl -s -H \"SEC: $2\" \"$1/auth/logout\" >/dev/null; case $text in *1002*) echo \
               '{\"outcome\":\"not_found\"}';; *) echo '{\"outcome\":\"gave_up\"}';; esac";
    client(&lab, out, "");
    let finished = checked(&lab, "mine");
    assert!(!finished.stdout.contains("does not begin with /api"), "{}", finished.stdout);
}

#[test]
fn a_client_that_gets_no_address_or_no_token_or_cannot_be_started_is_told_so() {
    let lab = Lab::new();
    let file = |argv: &str| {
        lab.write(
            "clients/mine.toml",
            &format!("summary = \"s\"\njobs = [\"get\"]\n[exec]\nargv = {argv}\n"),
        );
        let finished = checked(&lab, "mine");
        assert_eq!(finished.code, Some(2), "{}{}", finished.stdout, finished.stderr);
        finished.stdout
    };
    let silent = file("[\"true\"]");
    assert!(silent.contains("the client sent no request: does it get the address"), "{silent}");
    let anonymous = file("[\"curl\", \"-s\", \"{base_url}/api{path}\"]");
    assert!(
        anonymous.contains("a request came without the token") && anonymous.contains("-> 401"),
        "{anonymous}"
    );
    let outside = file("[\"curl\", \"-s\", \"{base_url}{path}\"]");
    assert!(outside.contains("does not begin with /api"), "{outside}");
    let missing = file("[\"/no/such/program\"]");
    assert!(
        missing.contains("fix:      the client could not be started: `/no/such/program` was not found"),
        "{missing}"
    );
}

#[test]
fn a_worker_is_shown_with_the_line_it_is_given() {
    let lab = Lab::new();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/worker.md")).unwrap();
    let worker = page.split_once("```python\n").unwrap().1.split_once("```").unwrap().0;
    lab.write("worker.py", worker);
    lab.write(
        "clients/mine.toml",
        "summary = \"s\"\njobs = [\"get\", \"wait\"]\n[worker]\nargv = [\"python3\", \"worker.py\"]\n",
    );
    let finished = checked(&lab, "mine");
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    for words in [
        "started:  python3 worker.py",
        "given:    {\"case\":1,\"id\":42,",
        "(on its standard input)",
        "all 6",
    ] {
        assert!(finished.stdout.contains(words), "{words}: {}", finished.stdout);
    }
    assert!(!finished.stdout.contains("judge-token"), "{}", finished.stdout);
}
