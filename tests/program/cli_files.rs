//! `lint`, `explain`, and what `record` refuses: verbs about files and names.

use crate::harness;

use harness::Lab;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cassettes/forensics/create-case.json");

#[test]
fn the_files_of_this_project_are_well() {
    let lab = Lab::new();
    let lint = lab.run(&["lint", env!("CARGO_MANIFEST_DIR")]);
    assert_eq!((lint.code, lint.stdout.as_str()), (Some(0), ""), "{}", lint.stderr);
    assert!(lint.stderr.contains("nothing to remark"), "{}", lint.stderr);
}

#[test]
fn findings_are_1_and_what_cannot_be_read_is_2() {
    let lab = Lab::new();
    let text = std::fs::read_to_string(SHIPPED).unwrap();
    lab.write("cassettes/edited.json", &text.replacen("\"format\": 1,", "\"format\":1,", 1));
    let edited = lab.run(&["lint"]);
    assert_eq!(edited.code, Some(1), "{}", edited.stderr);
    assert!(edited.stdout.contains("cassettes/edited.json:2: layout: "), "{}", edited.stdout);

    lab.write("cassettes/edited.json", &text.replacen("fd-secret-1", "a-real-looking-token", 1));
    let secret = lab.run(&["lint"]);
    assert_eq!(secret.code, Some(1), "{}", secret.stdout);
    assert!(!secret.stdout.contains("a-real-looking-token"), "{}", secret.stdout);

    lab.write("scenarios/typo.toml", "[must]\nhold = [\"terminate\"]\n");
    let typo = lab.run(&["lint", "scenarios"]);
    assert_eq!(typo.code, Some(1), "{}", typo.stdout);
    assert!(typo.stdout.contains("did you mean `terminates`?"), "{}", typo.stdout);

    lab.write("scenarios/wrong.toml", "[[fault]]\ninject = { latncy = {} }\n");
    let wrong = lab.run(&["lint"]);
    assert_eq!(wrong.code, Some(2), "unreadable outranks findings: {}", wrong.stdout);
    assert!(wrong.stdout.contains("wrong.toml:2") && wrong.stdout.contains('^'), "{}", wrong.stdout);
    assert_eq!(lab.run(&["lint", "no-such-file.toml"]).code, Some(2));
}

#[test]
fn a_cassette_is_as_large_as_the_one_who_replays_it_takes() {
    let lab = Lab::new();
    let text = std::fs::read_to_string(SHIPPED).unwrap();
    lab.write("cassettes/long.json", &format!("{text}{}", " ".repeat(1024 * 1024)));
    let refused = lab.run(&["run", "--cassette", "long", "--max-cassette", "1MiB", "--", "true"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("larger than 1 MiB"), "{}", refused.stderr);
    // Nothing is asked, so nothing was tested: but the cassette was taken.
    let taken = lab.run(&["run", "--cassette", "long", "--max-cassette", "2MiB", "--", "true"]);
    assert_eq!(taken.code, Some(3), "{}", taken.stderr);
    assert_eq!(lab.run(&["replay", "long", "--max-cassette", "2GB"]).code, Some(2));
}

#[test]
fn an_empty_folder_has_nothing_to_lint() {
    let lab = Lab::new();
    let lint = lab.run(&["lint"]);
    assert_eq!(lint.code, Some(2));
    assert!(lint.stderr.contains("help: "), "{}", lint.stderr);
}

#[test]
fn everything_with_a_name_is_explained() {
    let lab = Lab::new();
    let all = lab.run(&["explain"]);
    assert_eq!(all.code, Some(0));
    let names: Vec<&str> = all
        .stdout
        .lines()
        .filter(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 40, "{}", all.stdout);
    for name in ["creates-once", "lost-answer", "latency", "ariel", "double-api", "hang"] {
        assert!(names.contains(&name), "{name} is not listed");
        let one = lab.run(&["explain", name]);
        assert_eq!(one.code, Some(0), "{name}");
        assert!(one.stdout.contains(name), "{}", one.stdout);
    }
    let endpoints = lab.run(&["explain", "endpoints"]).stdout;
    assert!(endpoints.contains("cases.post") && endpoints.lines().count() > 700, "{endpoints}");
    assert!(lab.run(&["explain", "cases.post"]).stdout.contains("POST /forensics/case_management/cases"));
    let unknown = lab.run(&["explain", "latncy"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(2), ""));
    assert!(unknown.stderr.contains("did you mean `latency`"), "{}", unknown.stderr);
    lab.write("scenarios/team/mine.toml", "summary = \"Of my own.\"\n");
    for mine in ["mine", "team/mine", "scenarios/team/mine.toml"] {
        assert!(lab.run(&["explain", mine]).stdout.contains("Of my own."), "{mine}");
    }
}

#[test]
fn each_verb_has_a_manual_page_of_what_its_help_says() {
    let lab = Lab::new();
    let printed = lab.run(&["man"]);
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    assert!(printed.stdout.contains(".TH faultdeck 1") && printed.stdout.contains("faultdeck\\-run(1)"));
    let written = lab.run(&["man", "--out", "share/man1"]);
    assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""), "{}", written.stderr);
    assert_eq!(lab.read("share/man1/faultdeck.1"), printed.stdout);
    let page = lab.read("share/man1/faultdeck-run.1");
    assert!(page.contains("\\-\\-shard") && page.contains("Exit codes: 0 passed"), "{page}");
    assert!(lab.file("share/man1/faultdeck-report-merge.1").exists());
    assert!(!lab.file("share/man1/faultdeck-guard.1").exists());
    lab.write("taken", "");
    let refused = lab.run(&["man", "--out", "taken"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
}

#[test]
fn every_schema_is_listed_and_printed_as_it_is_checked_in() {
    let lab = Lab::new();
    let listed = lab.run(&["explain", "schema"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    assert_eq!(lab.run(&["explain", "schemas"]).stdout, listed.stdout);
    for name in ["scenario", "client", "match", "redact", "profile", "settings"] {
        assert!(listed.stdout.lines().any(|line| line.trim_start().starts_with(name)), "{}", listed.stdout);
        let file = format!("{}/docs/schemas/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        let printed = lab.run(&["explain", "schema", name]);
        assert_eq!((printed.code, printed.stdout), (Some(0), std::fs::read_to_string(file).unwrap()));
    }
    for (name, help) in [("scenarios", "did you mean `scenario`?"), ("ledgers", "there are scenario, client")]
    {
        let wrong = lab.run(&["explain", "schema", name]);
        assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(2), ""), "{name}");
        assert!(wrong.stderr.contains(help), "{}", wrong.stderr);
    }
    let script = lab.run(&["completions", "bash"]).stdout;
    assert!(script.contains("schemas") && script.contains("redact"), "the words are offered");
}

#[test]
fn a_schema_beside_the_files_is_none_of_them() {
    let lab = Lab::new();
    let schema = lab.run(&["explain", "schema", "scenario"]).stdout;
    for folder in ["scenarios", "cassettes", "clients", "profiles"] {
        lab.write(&format!("{folder}/scenario.schema.json"), &schema);
    }
    lab.write("scenarios/mine.toml", "#:schema ./scenario.schema.json\nsummary = \"Of my own.\"\n");
    let lint = lab.run(&["lint"]);
    assert_eq!((lint.code, lint.stdout.as_str()), (Some(0), ""), "{}", lint.stderr);
    assert!(lab.run(&["explain", "mine"]).stdout.contains("Of my own."));
}

#[test]
fn a_scenario_is_drawn_and_a_client_told_what_it_would_hide() {
    let lab = Lab::new();
    let story = lab.run(&["explain", "scenario", "partial-completion"]);
    assert_eq!(story.code, Some(0), "{}", story.stderr);
    for part in [
        "  poll     0        1           2-6                 7-\n",
        "  mh-2     -        down        down                removed\n",
        "It ends with COMPLETE at poll 7.\n",
    ] {
        assert!(story.stdout.contains(part), "{part}: {}", story.stdout);
    }
    let hidden = |scenario: &str| {
        let ended = lab.run(&["explain", scenario, "--client", "builtin:careful"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout.split("would hide:\n").nth(1).unwrap().split("\n\n").next().unwrap().to_owned()
    };
    let slow = hidden("slow-host");
    assert!(slow.contains("[1] 300 ms late, and the client waits 1000 ms: it will not notice"), "{slow}");
    assert!(hidden("fails-then-heals").contains("[1] hidden by retries: it answers 500 2 times in a row"));
    assert_eq!(hidden("server-error"), "  nothing that its file tells of");
    for (wrong, help) in [
        (&["explain", "fault", "hang"][..], "only the word `scenario` or `schema`"),
        (&["explain", "scenario", "hagn"], "did you mean `hang`?"),
        (&["explain", "latency", "--client", "builtin:careful"], "--fault latency"),
    ] {
        let ended = lab.run(wrong);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{wrong:?}");
        assert!(ended.stderr.contains(help), "{wrong:?}: {}", ended.stderr);
    }
}

#[test]
fn a_recording_never_starts_by_accident() {
    let lab = Lab::new();
    let base = ["record", "--upstream", "http://127.0.0.1:9", "--cassette", "mine"];
    let ci = lab.run_with(&base, &[("CI", "true")]);
    assert_eq!(ci.code, Some(2));
    assert!(ci.stderr.contains("help: add `--overwrite`"), "{}", ci.stderr);

    lab.write("cassettes/mine.json", "{}");
    let there = lab.run(&base);
    assert_eq!(there.code, Some(2));
    assert!(there.stderr.contains("--overwrite"), "{}", there.stderr);

    let writes = lab.run(&[&base[..], &["--overwrite", "--allow-writes", "case.post"]].concat());
    assert_eq!(writes.code, Some(2));
    assert!(writes.stderr.contains("cases.post"), "{}", writes.stderr);
    assert_eq!(lab.run(&["record", "--upstream", "console", "--cassette", "x"]).code, Some(2));
    assert_eq!(lab.run(&["record", "--upstream", "http://h", "--cassette", "../x"]).code, Some(2));
    assert_eq!(lab.read("cassettes/mine.json"), "{}", "what is there is not touched");
}

#[test]
fn a_recording_of_nothing_is_inconclusive() {
    let lab = Lab::new();
    // Nothing listens there, so the one request that the lab sends does not reach a console.
    let recorder = lab.serve(&["record", "--upstream", "http://127.0.0.1:9", "--cassette", "mine"]);
    let finished = recorder.stop();
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
}

/// Every argument that names a file to read, with `FILE` in the file's place.
const READS: [&[&str]; 12] = [
    &["replay", "FILE.json"],
    &["replay", "--scenario", "FILE.toml"],
    &["run", "--scenario", "FILE.toml", "--", "true"],
    &["run", "--cassette", "FILE.json", "--", "true"],
    &["judge", "FILE.toml"],
    &["judge", "builtin:careful", "--scenario", "FILE.toml"],
    &["judge", "builtin:careful", "--cassette", "FILE.json"],
    &["report", "FILE.jsonl"],
    &["lint", "FILE.json"],
    &["lint", "FILE.toml"],
    &["emulate", "--tls", "--tls-cert", "FILE.pem", "--tls-key", "FILE.pem"],
    &["record", "--upstream", "https://127.0.0.1:1", "--cassette", "new.json", "--ca-file", "FILE.pem"],
];

#[test]
fn what_is_no_file_is_refused_at_once_wherever_a_file_is_read() {
    let lab = Lab::new();
    for (kind, words) in [("pipe", "a pipe"), ("device", "a device"), ("folder", "a folder")] {
        for ending in ["json", "toml", "jsonl", "pem"] {
            let file = lab.file(&format!("{kind}.{ending}"));
            match kind {
                "pipe" => {
                    let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
                    assert!(made.success());
                }
                "device" => std::os::unix::fs::symlink("/dev/zero", &file).unwrap(),
                _ => std::fs::create_dir(&file).unwrap(),
            }
        }
        for arguments in READS {
            // A folder is a thing to lint.
            if kind == "folder" && arguments[0] == "lint" {
                continue;
            }
            let arguments: Vec<String> = arguments.iter().map(|word| word.replace("FILE", kind)).collect();
            let began = std::time::Instant::now();
            let ended = lab.run(&arguments);
            // Most of the time is the start of the program.
            assert!(began.elapsed() < std::time::Duration::from_secs(5), "{arguments:?}");
            assert_eq!(ended.code, Some(2), "{arguments:?}: {}{}", ended.stdout, ended.stderr);
            let shown = format!("{}{}", ended.stdout, ended.stderr);
            assert!(shown.contains(words), "{arguments:?}: {shown}");
        }
    }
}
