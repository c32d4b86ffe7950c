//! Small programs, each with one mistake or one way of its own, and the one verdict that is right for it.

use crate::harness::{Finished, Lab, TASKS, token};
use crate::raw::raw_console;

/// A client file for `client.py`, which is asked to do these jobs, with these lines below it.
fn file(jobs: &str, more: &str) -> String {
    format!(
        "summary = \"A small client.\"\njobs = [{jobs}]\n\n[exec]\nargv = [\"python3\", \"client.py\", \"{{job}}\", \
         \"{{base_url}}\", \"{{id}}\"]\nenv = {{ SEC_TOKEN = \"{{sec}}\" }}\n{more}"
    )
    .replace("\"{id}\"]", "[\"{id}\"]]")
}

/// Asks once, and reports what came.
const ASK: &str = r#"
import json, os, socket, sys, time
from urllib import error, request
job, base, ident = sys.argv[1:4]
def ask():
    headers = {"SEC": os.environ["SEC_TOKEN"], "Version": "26.0"}
    url = base + "/api/forensics/case_management/case_create_tasks/" + ident
    try:
        answer = request.urlopen(request.Request(url, headers=headers), timeout=LIMIT)
        return answer.status, answer.read().decode()
    except error.HTTPError as refusal:
        return refusal.status, refusal.read().decode()
    except (OSError, Exception) as problem:
        return 0, str(problem)
def told(status, text):
    if status == 200:
        try:
            state = json.loads(text).get("state")
        except ValueError:
            return {"outcome": "error", "text": "no JSON"}
        if state is None:
            return {"outcome": "error", "text": "no state"}
        standing = {"COMPLETE": "done", "PARTIALLY_COMPLETE": "usable"}.get(state, "pending")
        return '{"outcome":"task","standing":"%s","task":%s}' % (standing, text.replace("\n", " "))
    try:
        code = json.loads(text)["code"]
    except Exception:
        return {"outcome": "server_error"} if status >= 500 else {"outcome": "error", "text": text}
    word = "server_error" if status >= 500 else "not_found" if code == 1002 else "rejected"
    return {"outcome": word, "code": code}
def say(outcome):
    print(outcome if isinstance(outcome, str) else json.dumps(outcome))
"#;

fn client(limit_s: &str, rest: &str) -> String {
    format!("{}\n{rest}\n", ASK.replace("LIMIT", limit_s))
}

fn judged(lab: &Lab, flags: &[&str]) -> Finished {
    lab.run(&[&["judge", "client.toml"][..], flags].concat())
}

#[test]
fn a_look_that_is_repeated_for_ever_is_found_under_errors_and_lost_answers() {
    let lab = Lab::new();
    // It would go on for an hour; its claim of a limit is no excuse.
    let endless = "until = time.monotonic() + 3600\nwhile True:\n    answer = ask()\n    if answer[0] == 200 or \
                   0 < answer[0] < 500: break\n    time.sleep(0.2)\nsay(told(*answer))";
    lab.write("client.py", &client("1", endless));
    lab.write("client.toml", &file("\"get\"", "timeout_ms = 4000\n\n[claims]\ngives_up_after_ms = 600000\n"));
    for story in ["task/server-error", "outage/everything", "network/every-connection-breaks"] {
        let finished = judged(&lab, &["--scenario", story, "--jobs", "4"]);
        assert_eq!(finished.code, Some(1), "{story}: {}{}", finished.stdout, finished.stderr);
        assert!(finished.stdout.contains("VIOLATED: terminates"), "{story}: {}", finished.stdout);
        assert!(finished.stdout.contains(", and did not stop"), "{story}: {}", finished.stdout);
    }
    // One that asks three times and says what it heard keeps the law.
    let ends = "for _ in range(3):\n    answer = ask()\n    if answer[0] == 200: break\nsay(told(*answer))";
    lab.write("client.py", &client("1", ends));
    for story in ["task/server-error", "outage/everything"] {
        let finished = judged(&lab, &["--scenario", story, "--jobs", "4"]);
        assert_eq!(finished.code, Some(0), "{story}: {}{}", finished.stdout, finished.stderr);
    }
}

#[test]
fn whoever_leaves_before_anybody_turns_to_it_has_met_the_slow_accept() {
    let lab = Lab::new();
    lab.write("client.py", &client("0.1", "say(told(*ask()))"));
    lab.write("client.toml", &file("\"wait\"", "\n[claims]\nrequest_timeout_ms = 100\n"));
    let finished = judged(&lab, &["--scenario", "network/slow-accept"]);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    assert!(!finished.stdout.contains("never fired"), "{}", finished.stdout);
}

/// Polls until it knows the state, or for ever: under the key that it reads it never comes.
const WAITS: &str = "while True:\n    answer = ask()\n    if answer[0] != 200: break\n    \
                     state = json.loads(answer[1]).get(\"state\")\n    if state == \"COMPLETE\": break\n    \
                     time.sleep(0.01)\nsay(told(*answer))";

#[test]
fn a_client_of_one_spelling_is_not_put_to_the_other_one() {
    let lab = Lab::new();
    lab.write("client.py", &client("1", WAITS));
    let with = |dialects: &str| {
        let text = file("\"wait\"", "timeout_ms = 1500\n");
        text.replacen("\n\n", &format!("\n{dialects}\n"), 1)
    };
    let stories = ["--scenario", "task/all-is-well", "--scenario", "task/renamed-keys"];
    for one in ["", "dialects = [\"sample\"]"] {
        lab.write("client.toml", &with(one));
        let finished = judged(&lab, &stories);
        assert_eq!(finished.code, Some(0), "{one}: {}{}", finished.stdout, finished.stderr);
        assert!(finished.stdout.contains("reads one spelling"), "{one}: {}", finished.stdout);
    }
    // Whose file says that it knows both is asked for both.
    lab.write("client.toml", &with("dialects = [\"sample\", \"prose\"]"));
    let finished = judged(&lab, &stories);
    assert_ne!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
}

#[test]
fn without_tls_the_law_about_certificates_is_told_as_not_applicable() {
    let lab = Lab::new();
    let finished =
        lab.run(&["judge", "builtin:careful", "--cases", "25", "--report", "json=r.json", "--jobs", "8"]);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    let line = finished.stdout.lines().find(|line| line.contains("verifies-tls")).unwrap_or_default();
    assert!(line.contains("not applicable") && line.contains("judged with `--tls`"), "{}", finished.stdout);
    assert!(lab.read("r.json").contains("verifies-tls"));
}

#[test]
fn a_fault_of_the_command_line_makes_a_run_count_what_breaks_a_law() {
    let lab = Lab::new();
    let run = |flags: &[&str], header: &str| {
        let script = format!("curl -s {header} \"$FAULTDECK_URL{TASKS}/956\" > /dev/null; true");
        lab.run(&[&["run"][..], flags, &["--", "sh", "-c", &script]].concat())
    };
    let token = "-H \"SEC: $FAULTDECK_SEC\"";
    let fault = ["--fault", "latency:5@case_create_tasks.get", "--cassette", "forensics/create-case"];
    for flags in [&fault[..], &["--scenario", "task/not-found"]] {
        let finished = run(flags, "");
        assert_eq!(finished.code, Some(1), "{flags:?}: {}{}", finished.stdout, finished.stderr);
        assert!(finished.stderr.contains("right-address is violated"), "{flags:?}: {}", finished.stderr);
        let finished = run(flags, token);
        assert_eq!(finished.code, Some(0), "{flags:?}: {}{}", finished.stdout, finished.stderr);
    }
}

/// A worker that logs in with its user's password, and waits in the session it is given, unless it `forgets` it.
fn worker(forgets: bool) -> String {
    let cookie = if forgets { "None" } else { "answer.headers.get(\"Set-Cookie\")" };
    format!(
        r#"
import base64, json, sys, time
from urllib import request
print('{{"faultdeck":1,"jobs":["wait"]}}', flush=True)
for case in map(json.loads, sys.stdin):
    pair = base64.b64encode((case["user"] + ":" + case["password"]).encode()).decode()
    headers, outcome = {{"Version": "26.0", "Authorization": "Basic " + pair}}, {{"outcome": "gave_up"}}
    for _ in range(20):
        try:
            answer = request.urlopen(request.Request(case["base_url"] + "/api" + case["path"], headers=headers), timeout=1)
        except Exception as problem:
            outcome = {{"outcome": "error", "text": str(problem)}}
            break
        task, cookie = answer.read().decode(), {cookie}
        if "Authorization" in headers:
            headers = {{"Version": "26.0"}}
            if cookie:
                headers["Cookie"] = cookie.split(";")[0]
        if json.loads(task)["state"] == "COMPLETE":
            outcome = '{{"outcome":"task","standing":"done","task":%s}}' % task.replace("\n", " ")
            break
        time.sleep(0.005)
    text = outcome if isinstance(outcome, str) else json.dumps(outcome)
    print('{{"case":%d,"outcome":%s}}' % (case["case"], text), flush=True)
"#
    )
}

#[test]
fn a_worker_is_handed_a_user_and_a_password_and_judged_by_its_session() {
    let lab = Lab::new();
    lab.write(
        "client.toml",
        "summary = \"Logs in.\"\njobs = [\"wait\"]\n\n[worker]\nargv = [\"python3\", \"worker.py\"]\n",
    );
    for (forgets, code, word) in [(false, 0, "held"), (true, 1, "violated")] {
        lab.write("worker.py", &worker(forgets));
        let finished = judged(&lab, &["--scenario", "auth/basic-login", "--report", "json=r.json"]);
        assert_eq!(finished.code, Some(code), "{}{}", finished.stdout, finished.stderr);
        let report: serde_json::Value = serde_json::from_str(&lab.read("r.json")).unwrap();
        let verdicts = report["verdicts"].as_array().unwrap();
        let session = verdicts.iter().find(|verdict| verdict["property"] == "keeps-the-session").unwrap();
        assert_eq!(session["verdict"], word, "{session}");
    }
}

#[test]
fn nothing_that_a_console_holds_stands_in_what_is_kept_of_it() {
    const SECRETS: [&str; 4] = ["acme-secret-host", "acme_secret_member", "77310042", "acme secret name"];
    let lab = Lab::new();
    // It passes over `fields`, `filter`, `sort` and `Range`, and tells of its own data in errors and headers.
    let url = raw_console(|request| {
        let path = request.split([' ', '?']).nth(1).unwrap_or_default();
        let element = |nth: u32| {
            format!(
                r#"{{"id":{},"name":"acme secret name {nth}","assigned_to":["acme-secret-host"],"acme_secret_member":{{"acme-secret-host":{nth}}}}}"#,
                77_310_042 + nth
            )
        };
        let (status, body) = match path {
            "/api/forensics/case_management/cases" => {
                (200, format!("[{},{},{}]", element(2), element(0), element(1)))
            }
            other if other.ends_with("/77310042") => (200, element(0)),
            _ => (404, r#"{"message":"no acme-secret-host 77310042"}"#.to_owned()),
        };
        format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json; of=acme-secret-host\r\nContent-Range: items 0-2/77310042\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    });
    let words = [
        "judge",
        "--upstream",
        &url,
        "--rate",
        "1000",
        "--endpoint",
        "/forensics/*",
        "--profile-out",
        "seen.toml",
    ];
    let done = lab.run_with(&words, &[("FAULTDECK_CONSOLE_SEC", token())]);
    assert_eq!(done.code, Some(1), "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("acme"), "the report shows what came: {}", done.stdout);
    let kept = lab.read("seen.toml");
    for secret in SECRETS {
        assert!(!kept.contains(secret), "{secret} in {kept}");
    }
    assert!(!kept.to_lowercase().contains("acme") && !kept.contains("7731"), "{kept}");
    // The rules, how they depart, and the shape of the case are there.
    for words in [
        "rule = \"fields-of-each-element\"",
        "holds = false",
        "a member is there and should not be",
        "case = \"fields=",
    ] {
        assert!(kept.contains(words), "{words}: {kept}");
    }
    let shown = lab.run(&["profile", "show", "cases.list", "--profile", "seen.toml"]);
    assert!(
        shown.code == Some(0) && shown.stdout.contains("Seen of a console:"),
        "{}{}",
        shown.stdout,
        shown.stderr
    );
}

#[test]
fn whoever_gives_up_when_the_answer_to_a_creation_is_lost_need_not_look_for_the_case() {
    let lab = Lab::new();
    lab.write(
        "client.sh",
        "curl -s -m 1 -o answer -H \"SEC: $SEC_TOKEN\" -H 'Content-Type: application/json' -d \"{\\\"name\\\":\\\"$2\\\"}\" \
         \"$1/api/forensics/case_management/cases\"\necho '{\"outcome\":\"gave_up\"}'\n",
    );
    lab.write(
        "client.toml",
        "summary = \"It asks once.\"\njobs = [\"create\"]\n\n[exec]\nargv = [\"sh\", \"client.sh\", \"{base_url}\", \
         [\"{name}\"]]\nenv = { SEC_TOKEN = \"{sec}\" }\n",
    );
    for story in ["task/lost-answer", "task/lost-answer-and-no-list"] {
        let finished = judged(&lab, &["--scenario", story]);
        assert_eq!(finished.code, Some(0), "{story}: {}{}", finished.stdout, finished.stderr);
    }
}
