//! `faultdeck run`: a command of the user's, and what its run comes to.

use crate::harness;

use std::os::unix::fs::PermissionsExt;

use harness::{Finished, Lab};

const FAULTDECK: &str = env!("CARGO_BIN_EXE_faultdeck");

/// A scenario of one's own over the shipped cassette.
fn scenario(lab: &Lab, must: &str, rest: &str) -> String {
    let text =
        format!("summary = \"s\"\ncassette = \"builtin:forensics/create-case\"\n[must]\n{must}\n{rest}\n");
    lab.write("mine.toml", &text).display().to_string()
}

fn run(lab: &Lab, flags: &[&str], command: &[&str]) -> Finished {
    let mut args = vec!["run"];
    args.extend_from_slice(flags);
    args.push("--");
    args.extend_from_slice(command);
    lab.run(&args)
}

/// Polls the recorded task to its end.
const WAIT: [&str; 10] =
    [FAULTDECK, "client", "careful", "wait", "--base", "{base_url}", "--id", "956", "--pace-ms", "1"];

#[test]
fn the_command_decides_by_what_the_scenario_says_it_must_do() {
    let lab = Lab::new();
    let asks = format!("{} client careful get --base $FAULTDECK_URL --id 956 >&2", FAULTDECK);
    for (must, code, exit) in
        [("passes", 0, 0), ("passes", 5, 1), ("fails", 5, 0), ("fails", 0, 1), ("any", 0, 0), ("any", 5, 0)]
    {
        let mine = scenario(&lab, &format!("command = \"{must}\""), "");
        let script = format!("{asks}; exit {code}");
        let run = run(&lab, &["--scenario", &mine], &["sh", "-c", &script]);
        assert_eq!(run.code, Some(exit), "{must} {code}: {}", run.stderr);
        assert!(run.stderr.contains("1 request served"), "{}", run.stderr);
    }
}

#[test]
fn a_built_in_scenario_asks_the_command_to_pass_and_a_call_can_relax_that() {
    let lab = Lab::new();
    let asks = format!("{FAULTDECK} client careful get --base $FAULTDECK_URL --id 956 >&2; exit 5");
    let command = ["sh", "-c", &asks];
    for (flags, exit) in [
        (&[][..], 1),
        (&["--command", "any"], 0),
        (&["--command", "fails"], 0),
        (&["--command", "passes"], 1),
        (&["--command", "server-error=any"], 0),
        (&["--command", "builtin:server-error=fails"], 0),
        (&["--command", "any", "--command", "server-error=passes"], 1),
        (&["--command", "not-found=any"], 2),
        (&["--command", "maybe"], 2),
    ] {
        let run = run(&lab, &[&["--scenario", "builtin:server-error"], flags].concat(), &command);
        assert_eq!(run.code, Some(exit), "{flags:?}: {}", run.stderr);
    }
    let other = run(&lab, &["--scenario", "server-error", "--command", "not-found=any"], &command);
    for part in ["`not-found`", "`server-error` is run here", "help: leave the name out: `--command any`"] {
        assert!(other.stderr.contains(part), "{}", other.stderr);
    }
}

#[test]
fn a_run_that_asked_nothing_is_inconclusive() {
    let lab = Lab::new();
    let mine = scenario(&lab, "", "");
    let idle = run(&lab, &["--scenario", &mine], &["true"]);
    assert_eq!(idle.code, Some(3));
    assert!(idle.stderr.contains("FAULTDECK_URL"), "{}", idle.stderr);
    assert_eq!(run(&lab, &["--scenario", &mine], &["false"]).code, Some(1), "its own failure outranks it");
}

#[test]
fn a_command_that_did_not_live_is_never_green_whatever_the_scenario_says() {
    let lab = Lab::new();
    lab.write("not-executable", "hello");
    let asks = format!("{FAULTDECK} client careful get --base $FAULTDECK_URL --id 956 >&2");
    for must in ["passes", "fails", "any"] {
        let mine = scenario(&lab, &format!("command = \"{must}\""), "");
        for (end, why) in [
            ("kill -SEGV $$", "was ended by signal 11"),
            ("kill -KILL $$", "was ended by signal 9"),
            ("no-such-program", "was not found (exit code 127)"),
            ("./not-executable", "could not be executed (exit code 126)"),
        ] {
            let run = run(&lab, &["--scenario", &mine], &["sh", "-c", &format!("{asks}; {end}")]);
            assert_eq!(run.code, Some(1), "{must}, {end}: {}", run.stderr);
            assert!(run.stderr.contains(why), "{must}, {end}: {}", run.stderr);
        }
        for (program, why) in
            [("/no/such/program", "was not found"), ("./not-executable", "may not be executed")]
        {
            let run = run(&lab, &["--scenario", &mine], &[program]);
            assert_eq!(run.code, Some(1), "{must}, {program}: {}", run.stderr);
            assert!(run.stderr.contains(why), "{must}, {program}: {}", run.stderr);
        }
    }
}

#[test]
fn a_planned_fault_that_never_fires_is_inconclusive() {
    let lab = Lab::new();
    let fault = "[[fault]]\nname = \"late\"\nwhen = { endpoint = \"case_create_tasks.get\", nth = \"9\" }\ninject = { hang = {} }";
    let mine = scenario(&lab, "", fault);
    let run = run(&lab, &["--scenario", &mine], &WAIT);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("never fired: mine: late"), "{}", run.stderr);
}

#[test]
fn a_violation_on_the_wire_fails_a_command_that_is_content() {
    let lab = Lab::new();
    let mine = scenario(&lab, "hold = [\"right-address\", \"reports-what-it-got\"]\ncommand = \"any\"", "");
    let twice = [
        &[FAULTDECK, "client", "careless", "get", "--base", "{base_url}", "--id", "956"][..],
        &["--fields", "assigned_to", "--defect", "double-api"][..],
    ]
    .concat();
    let run = run(&lab, &["--scenario", &mine, "--report", "json=report.json"], &twice);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("VIOLATED: right-address"), "{}", run.stderr);
    assert!(
        run.stderr.contains("\n  not judged: creates-once, reports-what-it-got, terminates\n"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("repeat it: faultdeck run --scenario "), "{}", run.stderr);
    assert!(lab.read("report.json").contains("\"exit\": 1"));
}

#[test]
fn more_requests_than_allowed_break_see() {
    let lab = Lab::new();
    let mine = scenario(&lab, "see = { requests_max = 6 }", "");
    assert_eq!(run(&lab, &["--scenario", &mine], &WAIT).code, Some(0));
    let mine = scenario(&lab, "see = { requests_max = 5 }", "");
    let run = run(&lab, &["--scenario", &mine], &WAIT);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("6 requests were made, at most 5 are allowed"), "{}", run.stderr);
}

#[test]
fn what_must_be_seen_is_counted_by_endpoint_status_and_fault() {
    let lab = Lab::new();
    let fault = "[[fault]]\nname = \"gone\"\nwhen = { endpoint = \"case_create_tasks.get\", nth = \"2\" }\n\
                 inject = { api-error = { status = 503, undocumented = true } }";
    let table = [
        ("requests_min = 2", None),
        ("requests_min = 99", Some("requests were made, at least 99 must be")),
        ("requests = [{ endpoint = \"case_create_tasks.get\" }]", None),
        ("requests = [{ endpoint = \"cases.post\" }]", Some("0 requests were seen to POST")),
        ("requests = [{ endpoint = \"GET /api/**\", status = 503, min = 1, max = 1 }]", None),
        (
            "requests = [{ status = \"5xx\", max = 0 }]",
            Some("1 request was seen answered with 5xx; at most 0 may be"),
        ),
        ("requests = [{ fault = \"gone\", min = 1 }, { fault = \"api-error\", min = 1 }]", None),
        ("requests = [{ fault = \"latency\" }]", Some("that met the fault latency; at least 1 must be")),
        ("every_interaction = true", Some("interactions were not used: ")),
        ("nothing_missed = true", None),
    ];
    for (see, wrong) in table {
        let mine = scenario(&lab, &format!("see = {{ {see} }}"), fault);
        let run = run(&lab, &["--scenario", &mine], &WAIT);
        assert_eq!(run.code, Some(i32::from(wrong.is_some())), "{see}: {}", run.stderr);
        assert!(run.stderr.contains(wrong.unwrap_or_default()), "{see}: {}", run.stderr);
    }
}

#[test]
fn a_miss_leaves_a_run_open_and_fails_it_where_nothing_may_miss() {
    let lab = Lab::new();
    let asks = ["curl", "-s", "-H", "SEC: x", "{base_url}/api/siem/offenses"];
    for (see, code) in [("", 3), ("see = { nothing_missed = true }", 1)] {
        let mine = scenario(&lab, see, "");
        let run = run(&lab, &["--scenario", &mine, "--command", "any"], &asks);
        assert_eq!(run.code, Some(code), "{}", run.stderr);
    }
}

#[test]
fn a_command_that_was_seen_to_do_too_little_is_not_green_where_coverage_is_asked_for() {
    let lab = Lab::new();
    let mine = scenario(&lab, "", "");
    let with = |floor: &str| run(&lab, &["--scenario", &mine, "--require-coverage", floor], &WAIT);
    let enough = with("states=all,interactions=10%");
    assert_eq!(enough.code, Some(0), "{}", enough.stderr);
    for part in ["Coverage\n", " of 4 states of tasks", " recorded interactions; not "] {
        assert!(enough.stderr.contains(part), "{}", enough.stderr);
    }
    // A fault without a name is known by all of it in a line.
    let fault =
        "[[fault]]\nwhen = { endpoint = \"case_create_tasks.get\", nth = \"2\" }\ninject = { reset = {} }";
    let named = scenario(&lab, "command = \"any\"", fault);
    let fired = run(&lab, &["--scenario", &named, "--require-coverage", "faults=all"], &WAIT);
    assert_eq!(fired.code, Some(0), "{}", fired.stderr);
    scenario(&lab, "", "");
    let little = with("interactions=all");
    assert_eq!(little.code, Some(3), "{}", little.stderr);
    assert!(
        little.stderr.contains("interactions were reached, and 100 % have to be; not: "),
        "{}",
        little.stderr
    );
    assert!(little.stderr.contains("--require-coverage interactions=100%"), "{}", little.stderr);
    let wrong = with("interactions=200%");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("`interactions=200%` is none of them"), "{}", wrong.stderr);
}

#[test]
fn coverage_of_a_recording_that_is_not_there_is_no_pass_and_costs_no_ledger() {
    let lab = Lab::new();
    let model = lab.write("model.toml", "summary = \"s\"\nconsole = \"emulate\"\n").display().to_string();
    let asks = ["curl", "-s", "-H", "SEC: x", "{base_url}/api/forensics/case_management/cases"];
    let flags = ["--scenario", &model, "--require-coverage", "interactions=all", "--ledger", "l.jsonl"];
    for more in [&[][..], &["--seeds", "2"]] {
        let ran = run(&lab, &[&flags[..], more].concat(), &asks);
        assert_eq!(ran.code, Some(3), "{}", ran.stderr);
        assert!(ran.stderr.contains("and there is none here"), "{}", ran.stderr);
        assert!(lab.read("l.jsonl").contains("\"end\""), "the ledger is whole");
    }
}

#[test]
fn a_fault_that_was_only_in_force_counts_neither_as_met_nor_as_missed() {
    let lab = Lab::new();
    let fault =
        "[[fault]]\nwhen = { since_start_ms = \"600000-\" }\noptional = true\ninject = { refuse = {} }";
    let away = "[[fault]]\nwhen = { since_start_ms = \"0-1\" }\noptional = true\ninject = { refuse = {} }";
    for (fault, share) in [(fault, "0 of 1 planned faults"), (away, "")] {
        let mine = scenario(&lab, "", fault);
        let ran = run(&lab, &["--scenario", &mine], &WAIT);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stderr.contains(share), "{}", ran.stderr);
        assert!(!share.is_empty() || !ran.stderr.contains("planned faults\n"), "{}", ran.stderr);
    }
}

#[test]
fn with_tls_the_command_finds_the_authority_in_its_environment() {
    let lab = Lab::new();
    let mine = scenario(&lab, "", "");
    let run = run(&lab, &["--scenario", &mine, "--tls"], &WAIT);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("\"outcome\":\"task\""), "the command keeps its output: {}", run.stdout);
}

#[test]
fn a_command_that_takes_too_long_is_ended_and_has_failed() {
    let lab = Lab::new();
    let mine = scenario(&lab, "command = \"any\"", "");
    let run = run(&lab, &["--scenario", &mine, "--timeout", "1"], &["sleep", "600"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("took longer than 1 s"), "{}", run.stderr);
}

#[test]
fn a_name_that_is_no_property_is_wrong_input_with_a_caret() {
    let lab = Lab::new();
    let mine = scenario(&lab, "hold = [\"terminate\"]", "");
    let run = run(&lab, &["--scenario", &mine], &["true"]);
    assert_eq!(run.code, Some(2));
    for part in ["mine.toml:4", "^^^^", "did you mean `terminates`?"] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
}

#[test]
fn a_violation_is_one_failure_in_a_ci_system() {
    let lab = Lab::new();
    let mine = scenario(&lab, "hold = [\"right-address\"]", "");
    let twice = [
        &[FAULTDECK, "client", "careless", "get", "--base", "{base_url}", "--id", "956"][..],
        &["--fields", "assigned_to", "--defect", "double-api"][..],
    ]
    .concat();
    let any = ["--scenario", &mine, "--command", "any", "--report", "junit=run.xml"];
    assert_eq!(run(&lab, &any, &twice).code, Some(1));
    let report = lab.read("run.xml");
    assert!(report.contains("failures=\"1\""), "{report}");
}

#[test]
fn the_line_that_repeats_a_run_repeats_it_with_the_secret_in_a_variable() {
    let lab = Lab::new();
    let secret = format!("it's \"{}\" $HOME", lab.canary());
    lab.write("show.sh", "printf '%s\\n' \"$@\" > words; exit 4");
    let header = format!("SEC: {secret}");
    let words = ["sh", "show.sh", "-H", &header, "two words", "a\nb", "$HOME", "--id=5"];
    let first = run(&lab, &["--cassette", "builtin:forensics/create-case"], &words);
    assert_eq!(first.code, Some(1), "{}", first.stderr);
    let typed = lab.read("words");
    assert!(typed.contains(&secret));
    std::fs::remove_file(lab.file("words")).unwrap();

    let line = first.stderr.lines().find_map(|line| line.strip_prefix("repeat it: ")).unwrap();
    assert!(first.stderr.contains("  set FAULTDECK_SECRET first"), "{}", first.stderr);
    let folder = std::path::Path::new(FAULTDECK).parent().unwrap().display().to_string();
    let again = std::process::Command::new("sh")
        .args(["-c", line])
        .current_dir(lab.path())
        .env("FAULTDECK_SECRET", &secret)
        .env("PATH", format!("{folder}:{}", std::env::var("PATH").unwrap()))
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(1), "{line}");
    assert_eq!(lab.read("words"), typed, "{line}");
    std::fs::remove_file(lab.file("words")).unwrap();
}

#[test]
fn the_ledger_and_every_report_are_written() {
    let lab = Lab::new();
    let flags = ["--cassette", "builtin:forensics/create-case", "--ledger", "run.jsonl"];
    let reports = ["--report", "junit=run.xml", "--report", "human=run.txt"];
    let run = run(&lab, &[&flags[..], &reports[..]].concat(), &WAIT);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(lab.read("run.xml").contains("<testcase name=\"exit code\""));
    let again = lab.run(&["report", "run.jsonl"]);
    assert_eq!(again.stdout, lab.read("run.txt"));
    for name in ["run.jsonl", "run.xml", "run.txt"] {
        let mode = std::fs::metadata(lab.file(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name} is its owner's alone");
    }
    let wrong = lab.run(&[
        "run",
        "--cassette",
        "builtin:forensics/create-case",
        "--ledger",
        "no/such/x",
        "--",
        "true",
    ]);
    assert_eq!(wrong.code, Some(2), "a path that cannot be written is found before anything runs");
}

#[test]
fn polling_on_after_an_end_is_told_with_its_number() {
    let lab = Lab::new();
    let ask = |times: u32| {
        let get = format!("{FAULTDECK} client careful get --base $FAULTDECK_URL --id 956 >&2 || true");
        format!("for n in $(seq {times}); do {get}; done")
    };
    let held = |rest: &str| scenario(&lab, "hold = [\"terminates\"]\ncommand = \"any\"", rest);
    let error = |code: &str| {
        format!(
            "[[fault]]\nwhen = {{ endpoint = \"case_create_tasks.get\", nth = \"1-\" }}\ninject = {{ api-error = {code} }}"
        )
    };
    let refused = error("{ status = 401, code = 18 }");
    for (rest, what) in [("", "the state COMPLETE"), (refused.as_str(), "the answer 401/18")] {
        let mine = held(rest);
        let often = run(&lab, &["--scenario", &mine], &["sh", "-c", &ask(40)]);
        let shown = format!("{}{}", often.stdout, often.stderr);
        assert_eq!(often.code, Some(1), "{shown}");
        assert!(
            shown.contains(&format!("after {what} it asked ")) && shown.contains(" times more"),
            "{shown}"
        );
        let few = run(&lab, &["--scenario", &mine], &["sh", "-c", &ask(12)]);
        assert_eq!(few.code, Some(0), "{}", few.stderr);
    }
}

#[test]
fn a_slow_pace_hides_no_endless_poll() {
    let lab = Lab::new();
    // The recorded life with one poll a phase, then the same state for ever.
    let text = "summary = \"s\"\ncassette = \"builtin:forensics/create-case\"\npolls_per_phase = 1\n\n[must]\n\
                hold = [\"terminates\"]\ncommand = \"any\"\n";
    let mine = lab.write("slow.toml", text).display().to_string();
    let get = format!("{FAULTDECK} client careful get --base $FAULTDECK_URL --id 956 >&2 || true");
    let script = format!("while :; do {get}; sleep 0.4; done");
    let slow = run(&lab, &["--scenario", &mine, "--timeout", "4"], &["sh", "-c", &script]);
    let shown = format!("{}{}", slow.stdout, slow.stderr);
    assert_eq!(slow.code, Some(1), "{shown}");
    assert!(
        shown.contains("after the state COMPLETE it asked") && shown.contains("and did not stop"),
        "{shown}"
    );
}
