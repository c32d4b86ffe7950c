//! What is known of the API is the user's to add to: a console's own answer, and files in `profiles/`.

use std::os::unix::fs::PermissionsExt;

use crate::harness;

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
    lab.write("profiles/lab.toml", "[\"GET /a\"]\nquery = 7\n");
    let wrong = lab.run(&["explain", "latency"]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("profiles/lab.toml"), "{}", wrong.stderr);
}
