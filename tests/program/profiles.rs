//! What is known of the API is the user's to add to: a console's own answer, and files in `profiles/`.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::harness;
use crate::raw::raw_console;

use harness::Lab;

const SEC: &str = "FAULTDECK_CONSOLE_SEC";

/// As a console answers, whose members are more than ours: two versions of one endpoint, samples that are no JSON, nulls.
const ANSWER: &str = r#"[
 {"id":11,"http_method":"GET","path":"/siem/offenses","version":"9.0","resource_id":3,"summary":"Old words.","description":null,
  "deprecated":false,"last_modified_version":null,"caller_has_access":true,"callback_uri":null,"response_description":null,
  "parameters":[],"success_responses":[{"response_code":200,"response_code_description":"OK","description":null}],
  "error_responses":[],"response_mime_types":[{"mime_type":"application/json","media_type":null,"sample":"[{\"id\": 42}]"}]},
 {"id":12,"http_method":"GET","path":"/siem/offenses","version":"19.0","resource_id":3,"summary":"New words.","description":"Longer.",
  "deprecated":false,"last_modified_version":"19.0","caller_has_access":true,"unheard_of":{"x":[1]},"response_description":null,
  "parameters":[{"parameter_name":"fields","type":"QUERY","default_value":null,"description":"Optional - what to return.",
    "mime_types":[{"mime_type":"text/plain","data_type":"STRING","sample":"field_one, field_two"}]}],
  "success_responses":null,
  "error_responses":[{"response_code":422,"unique_code":1005,"description":"A bad parameter.","response_code_description":null}],
  "response_mime_types":[{"mime_type":"application/json","media_type":null,"sample":"[{\"id\": 42, \"status\": \"String <one of: OPEN, CLOSED>\"}]"}]},
 {"id":13,"http_method":"POST","path":"/lab/things","version":"19.0","deprecated":true,
  "parameters":[],"response_mime_types":[{"mime_type":"application/json","sample":"{ not JSON"}]}
]"#;

#[test]
fn a_console_describes_itself_page_by_page_and_its_token_is_on_no_command_line() {
    let lab = Lab::new();
    let console = lab.serve(&["emulate", "--listen", "127.0.0.1:0"]);
    let import = ["profile", "import", "--upstream", &console.url];
    let refused = lab.run(&import);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("401") && refused.stderr.contains(SEC), "{}", refused.stderr);
    assert!(!lab.file("profiles/console.json").exists(), "a part is never taken for the whole");
    let done = lab.run_with(&import, &[(SEC, lab.canary())]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stderr.contains("729 endpoints in profiles/console.json"), "{}", done.stderr);
    let mode = std::fs::metadata(lab.file("profiles/console.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = lab.run_with(&import, &[(SEC, lab.canary())]);
    assert!(again.code == Some(2) && again.stderr.contains("--overwrite"), "{}", again.stderr);
    console.stop();
    let listed = lab.run(&["profile", "list", "GET /siem/offenses"]);
    assert!(listed.stdout.lines().count() > 5, "{}", listed.stdout);
    assert!(listed.stdout.lines().all(|line| line.contains("a console's own answer")), "{}", listed.stdout);
}

#[test]
fn a_token_in_a_file_is_for_its_owners_eyes_only() {
    let lab = Lab::new();
    let console = lab.serve(&["emulate", "--listen", "127.0.0.1:0"]);
    let file = lab.write("home/sec", &format!("{}\n", lab.canary()));
    let import =
        ["profile", "import", "--upstream", &console.url, "--output", "mine.json", "--sec-file", "home/sec"];
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = lab.run(&import);
    assert!(open.code == Some(2) && open.stderr.contains("chmod 600"), "{}", open.stderr);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let done = lab.run(&import);
    assert!(done.code == Some(0) && done.stderr.contains("--profile mine.json"), "{}", done.stderr);
    console.stop();
    std::fs::remove_file(file).unwrap();
}

#[test]
fn a_file_with_a_consoles_answer_is_imported_as_it_comes() {
    let lab = Lab::new();
    lab.write("endpoints.json", ANSWER);
    let done = lab.run(&["profile", "import", "--upstream", "endpoints.json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stderr.contains("2 endpoints in profiles/console.json"), "{}", done.stderr);
    assert!(done.stderr.contains("1 sample"), "{}", done.stderr);
    let shown = lab.run(&["profile", "show", "GET /siem/offenses"]).stdout;
    for part in ["a console's own answer", "New words.", "fields", "422/1005", "status: OPEN | CLOSED"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let json = lab.run(&["profile", "show", "POST /lab/things", "--format", "json"]).stdout;
    assert!(json.contains("\"deprecated\": true") && json.contains("\"success\": [\n    200\n  ]"), "{json}");
    let published = lab.run(&["profile", "list", "/siem/offenses/{offense_id}"]).stdout;
    assert!(published.contains("the published page"), "what the console does not say stays: {published}");
    for wrong in ["{}", "[1]", "[{\"http_method\":\"GET\"}]", "<html>"] {
        lab.write("wrong.json", wrong);
        let refused = lab.run(&["profile", "import", "--upstream", "wrong.json", "--output", "x.json"]);
        assert!(refused.code == Some(2) && refused.stderr.contains("line 1"), "{wrong}: {}", refused.stderr);
    }
}

#[test]
fn a_file_of_ones_own_adds_endpoints_and_a_task_family_to_every_verb() {
    let lab = Lab::new();
    let family = "[\"POST /lab/jobs\"]\n\n[\"GET /lab/jobs/{id}\"]\n\n[[lifecycle]]\ntask = \"GET /lab/jobs/{id}\"\n\
         created_by = \"POST /lab/jobs\"\nid = \"/id\"\nstate = [\"/status\"]\n\
         phases = { NEW = \"waiting\", BUSY = \"working\", READY = \"done\" }\n";
    let scenario = "summary = \"A slow job.\"\n\n[[fault]]\nname   = \"slow\"\n\
         when   = { endpoint = \"lab/jobs.get\", nth = \"1\" }\ninject = { latency = { ms = 1 } }\n";
    lab.write("scenarios/slow.toml", scenario);
    assert_ne!(lab.run(&["lint", "scenarios/slow.toml"]).code, Some(0), "nobody knows this endpoint");
    lab.write("lab.toml", family);
    let shown = lab.run(&["profile", "show", "GET /lab/jobs/{id}", "--profile", "lab.toml"]).stdout;
    assert!(shown.contains("from lab.toml") && shown.contains("READY (done)"), "{shown}");
    lab.write("profiles/lab.toml", family);
    let listed = lab.run(&["profile", "list", "lab.toml"]).stdout;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let linted = lab.run(&["lint", "scenarios/slow.toml"]);
    assert_eq!(linted.code, Some(0), "{}{}", linted.stdout, linted.stderr);
    for (text, line) in [
        ("[\"GET /a\"]\n# nothing\nquery = 7\n", "line 3: `GET /a`: "),
        (
            "[\"GET /a\"]\n\n[\"GET /b\"]\n\n[[lifecycle]]\ntask = \"GET /a\"\ncreated_by = 7\n",
            "line 7: expected an endpoint",
        ),
    ] {
        lab.write("profiles/lab.toml", text);
        let wrong = lab.run(&["explain", "latency"]);
        let place = format!("profiles/lab.toml, {line}");
        assert!(wrong.code == Some(2) && wrong.stderr.contains(&place), "{}", wrong.stderr);
        assert!(!wrong.stderr.contains("\\n"), "{}", wrong.stderr);
    }
}

/// A laboratory's own tasks: nobody here wrote a line of Rust for them.
const JOBS: &str = r#"
["POST /lab/{site}/jobs"]
success = [202]
["GET /lab/jobs/{id}"]
errors = ["404/1002"]
answer = '''
{ "id": "string", "phase": "string: NEW | BUSY | READY | CANCELLED", "percent": "integer" }
'''
["POST /lab/jobs/{id}"]
errors = ["409/77"]
["GET /lab/jobs/{id}/report"]
errors = ["404/78"]

[[lifecycle]]
task       = "GET /lab/jobs/{id}"
created_by = { endpoint = "POST /lab/{site}/jobs", id = "/job" }
key        = ["sample"]
results    = [{ endpoint = "GET /lab/jobs/{id}/report", before = "404/78" }]
cancel     = { endpoint = "POST /lab/jobs/{id}", over = "409/77" }
progress   = { member = "/percent", of = 100 }
id         = "/id"
state      = ["/phase"]
phases     = { NEW = "waiting", BUSY = "working", READY = "done", CANCELLED = "cancelled" }
"#;

/// A console with one such task, which is done at its third poll.
fn laboratory() -> String {
    let polls = AtomicU32::new(0);
    raw_console(move |request| {
        let first = request.lines().next().unwrap_or_default().to_owned();
        let (status, body) = match first.rsplit_once(' ').unwrap_or_default().0 {
            "POST /api/lab/north/jobs" => ("202 Accepted", "{\"job\":\"job-00000041\"}".to_owned()),
            "GET /api/lab/jobs/job-00000041" => {
                let (phase, percent) = [("NEW", 0), ("BUSY", 30), ("READY", 100)]
                    [polls.fetch_add(1, Ordering::SeqCst).min(2) as usize];
                let body = format!("{{\"id\":\"job-00000041\",\"phase\":\"{phase}\",\"percent\":{percent}}}");
                ("200 OK", body)
            }
            _ => ("200 OK", "{\"report\":\"of job-00000041\"}".to_owned()),
        };
        let length = body.len();
        let head = "Content-Type: application/json\r\nConnection: close\r\n";
        format!("HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\n\r\n{body}").into_bytes()
    })
}

#[test]
fn a_task_family_of_ones_own_lives_as_those_of_the_api_do() {
    let lab = Lab::new();
    lab.write("profiles/lab.toml", JOBS);
    let url = laboratory();
    let sample = r#"{"sample":"blood"}"#;
    let args = ["record", "--upstream", &url, "--cassette", "c.json", "--overwrite"];
    let recorder = lab.serve(&[&args[..], &["--allow-writes", "POST /lab/{site}/jobs"]].concat());
    assert_eq!(recorder.post("/api/lab/north/jobs", sample).status(), 202);
    (0..3).for_each(|_| drop(recorder.get("/api/lab/jobs/job-00000041")));
    recorder.get("/api/lab/jobs/job-00000041/report");
    assert_eq!(recorder.stop().code, Some(0));

    lab.write("slow.toml", "summary = \"Seven polls a phase.\"\npolls_per_phase = 7\n");
    let replay = lab.serve(&["replay", "c.json", "--scenario", "slow.toml"]);
    for round in 0..2 {
        let started = replay.post("/api/lab/north/jobs", sample).text();
        let job = started.split('"').nth(3).unwrap().to_owned();
        assert_eq!(job == "job-00000041", round == 0, "{started}");
        let (task, report) = (format!("/api/lab/jobs/{job}"), format!("/api/lab/jobs/{job}/report"));
        for (phase, percent) in [("NEW", 0), ("BUSY", 30), ("READY", 100)] {
            for _ in 0..7 {
                let body = replay.get(&task).text();
                let expected = format!("{{\"id\":\"{job}\",\"phase\":\"{phase}\",\"percent\":{percent}}}");
                assert_eq!(body, expected);
                let early = replay.get(&report);
                assert_eq!((early.status() == 404, phase == "READY"), (phase != "READY", phase == "READY"));
                assert!(early.text().contains(if phase == "READY" { &job } else { "\"code\":78" }));
            }
        }
        let late = replay.post(&task, r#"{"phase":"CANCELLED"}"#);
        assert!(late.status() == 409 && late.text().contains("\"code\":77"), "{}", late.text());
    }
    let other = replay.post("/api/lab/north/jobs", r#"{"sample":"hair"}"#);
    assert!(other.status() == 501 && other.text().contains("`sample`"), "{}", other.text());
    let elsewhere = replay.post("/api/lab/south/jobs", sample);
    assert_eq!(elsewhere.status(), 501, "{}", elsewhere.text());
    replay.stop();
}

#[test]
fn the_command_that_shows_a_verdict_again_names_the_profiles_it_needs() {
    let lab = Lab::new();
    lab.write("own/lab profile.toml", JOBS);
    let client = r#"
summary = "waits for a job of the laboratory"

[jobs.wait]
endpoint = "GET /lab/jobs/{id}"

[exec]
argv = ["{faultdeck}", "client", "careless", "{job}", "--base", "{base_url}", "--path", "{path}", "--defect", "polls-404",
        "--pace-ms", "{pace_ms}", "--deadline-ms", "{deadline_ms}"]
env = { SEC_TOKEN = "{sec}" }
"#;
    lab.write("mine.toml", client);
    let judged = lab.run(&["judge", "mine.toml", "--cases", "40", "--profile", "own/lab profile.toml"]);
    assert_eq!(judged.code, Some(1), "{}{}", judged.stdout, judged.stderr);
    let both = judged.stdout + &judged.stderr;
    assert!(both.contains("faultdeck judge mine.toml --profile 'own/lab profile.toml' --scenario"), "{both}");
}

#[test]
fn the_file_that_the_help_shows_is_a_profile() {
    let lab = Lab::new();
    let help = lab.run(&["profile", "--help"]).stdout;
    let from = help.find("  [\"POST /lab/jobs\"]").unwrap();
    let text: String = help[from..]
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("  "))
        .map(|line| format!("{}\n", line.trim()))
        .collect();
    lab.write("profiles/lab.toml", &text);
    let shown = lab.run(&["profile", "show", "GET /lab/jobs/{id}"]);
    for part in
        ["created by POST /lab/jobs", "called off by POST /lab/jobs/{id}", "BUSY (working)", "done: integer"]
    {
        assert!(shown.stdout.contains(part), "{part}: {}{}", shown.stdout, shown.stderr);
    }
    assert_eq!(lab.run(&["profile", "list", "lab.toml"]).stdout.lines().count(), 4);
}
