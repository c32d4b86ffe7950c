//! Files that were made to do harm, given to the real binary under a limit of memory: too large, too deep, too many,
//! not what they seem. Each is refused with a line that a person can read, and nothing is waited for.

use crate::harness;

use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{Finished, Lab};

/// A cassette with one interaction, whose answer has this body.
fn cassette(body: &str) -> String {
    format!(
        r#"{{"format":1,"recorded_from":{{"host":"host-1","encoding":"identity","redaction":"x"}},"interactions":[
{{"id":"x-00000000","request":{{"method":"GET","target":"/api/x"}},
"response":{{"status":200,"reason":"OK","body":{body}}}}}]}}"#
    )
}

/// Longer than anything here may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// Takes a large file away when the test is done with it, whichever way: searching it for secrets would take minutes.
struct Taken(PathBuf);

impl Drop for Taken {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The binary with so much address space and no more. It is ended when it takes longer than anything here may.
fn within(lab: &Lab, mebibytes: u64, args: &[&str]) -> Finished {
    let began = Instant::now();
    let limit = format!("--as={}", mebibytes * 1024 * 1024);
    let patience = PATIENCE.as_secs().to_string();
    let mut command = Command::new("timeout");
    let program = env!("CARGO_BIN_EXE_faultdeck");
    command
        .args(["--signal=KILL", &patience, "prlimit", &limit, "--core=0", program])
        .args(args)
        .current_dir(lab.path());
    let output = command.env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap();
    assert!(began.elapsed() < PATIENCE, "{args:?} hangs");
    lab.show(&output.stdout);
    lab.show(&output.stderr);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Finished { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// What it printed is short enough to read, and names no panic.
fn assert_readable(name: &str, ended: &Finished) {
    let printed = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!printed.is_empty() && printed.len() < 4_000, "{name}: {} bytes printed", printed.len());
    assert!(!printed.contains("panicked"), "{name}: {printed}");
    let obeyed = printed.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(obeyed, None, "{name}: {printed:?}");
}

#[test]
fn a_file_beyond_the_limit_is_refused_before_it_is_read() {
    let lab = Lab::new();
    let huge = |name| {
        let path = Taken(lab.write(name, "{"));
        File::options().write(true).open(&path.0).unwrap().set_len(2 << 30).unwrap();
        path
    };
    let _huge = ["huge.json", "huge.toml", "clients/huge.toml", "huge.jsonl"].map(huge);
    let cases: [&[&str]; 8] = [
        &["lint", "huge.json"],
        &["lint", "huge.toml"],
        &["lint", "clients/huge.toml"],
        &["replay", "huge.json"],
        &["replay", "builtin:forensics/create-case", "--scenario", "huge.toml"],
        &["judge", "clients/huge.toml"],
        &["report", "huge.jsonl"],
        &["run", "--scenario", "huge.toml", "--", "true"],
    ];
    for args in cases {
        let ended = within(&lab, 100, args);
        assert_eq!(ended.code, Some(2), "{args:?}: {}{}", ended.stdout, ended.stderr);
        assert!(format!("{}{}", ended.stdout, ended.stderr).contains("larger than"), "{args:?}: {ended:?}");
        assert_readable(&args.join(" "), &ended);
    }
}

#[test]
fn a_cassette_that_is_deep_or_full_is_a_line_with_its_place_and_no_crash() {
    let lab = Lab::new();
    let many = |one: &dyn Fn(usize) -> String| (0..1_000_000).map(one).collect::<Vec<_>>().join(",");
    let cases = [
        ("deep", "[".repeat(1_000_000)),
        ("deep-object", r#"{"a":"#.repeat(300_000)),
        ("deep-in-format", format!("{{\"format\":{}", "[".repeat(1_000_000))),
        ("keys", format!("{{\"format\":1,{}}}", many(&|n| format!("\"k{n}\":{n}")))),
        ("long-key", format!("{{\"format\":1,\"{}\":1}}", "k".repeat(10_000_000))),
        ("long-number", format!("{{\"format\":{}}}", "9".repeat(10_000_000))),
        ("long-method", cassette("null").replace("\"GET\"", &format!("\"{}\"", " ".repeat(10_000_000)))),
        ("escape", cassette("null").replace("\"GET\"", "\"\\u001b]0;x\\u0007\"")),
        ("no-text", String::from("{\"format\":1,\u{202e}\u{1b}[2J")),
    ];
    for (name, text) in cases {
        let file = format!("{name}.json");
        let _taken = Taken(lab.write(&file, &text));
        let ended = within(&lab, 512, &["lint", &file]);
        assert_eq!(ended.code, Some(2), "{name}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.starts_with(&format!("{file}:")), "{name}: {}", ended.stdout);
        assert_readable(name, &ended);
    }
}

#[test]
fn a_scenario_or_client_file_that_is_deep_or_full_is_a_mistake_with_its_place() {
    let lab = Lab::new();
    let cases = [
        ("deep", format!("a = {}", "[".repeat(900_000))),
        ("deep-table", format!("a = {}", "{a=".repeat(300_000))),
        ("dots", format!("{}a = 1", "a.".repeat(400_000))),
        ("keys", (0..60_000).map(|n| format!("k{n}=1\n")).collect()),
        ("tables", "[[fault]]\n".repeat(90_000)),
        ("long-key", format!("{} = 1", "k".repeat(900_000))),
        ("long-number", format!("polls_per_phase = {}", "9".repeat(900_000))),
        ("long-float", format!("timeout_ms = 1e{}", "9".repeat(900_000))),
        (
            "long-word",
            format!("command = \"{}\"\n[must]\ncommand = \"{}\"", "x".repeat(300_000), "x".repeat(300_000)),
        ),
        ("escape", "\"\\u001b]0;x\\u0007\" = 1\n\"\u{202e}\" = 2".to_owned()),
        ("control", "a = \"\u{1b}[2J\"".to_owned()),
    ];
    for (name, text) in cases {
        for file in [format!("{name}.toml"), format!("clients/{name}.toml")] {
            let _taken = Taken(lab.write(&file, &text));
            let ended = within(&lab, 512, &["lint", &file]);
            assert_eq!(ended.code, Some(2), "{file}: {}{}", ended.stdout, ended.stderr);
            assert_readable(&file, &ended);
        }
    }
}

#[test]
fn bytes_that_are_no_text_and_half_a_surrogate_pair_are_told_with_their_place() {
    let lab = Lab::new();
    for name in ["a.json", "a.toml", "clients/a.toml", "a.jsonl"] {
        let path = lab.write(name, "");
        std::fs::write(path, b"{\n \"a\": \xff\x1b[2J}").unwrap();
        let verb = if name.ends_with("jsonl") { "report" } else { "lint" };
        let ended = lab.run(&[verb, name]);
        let printed = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, Some(2), "{name}: {printed}");
        assert!(printed.contains("UTF-8"), "{name}: {printed}");
        assert_readable(name, &ended);
    }
    lab.write("half.json", &cassette("null").replace("\"OK\"", "\"\\ud800\""));
    let half = lab.run(&["lint", "half.json"]);
    assert_eq!(half.code, Some(2), "{}", half.stdout);
    assert!(half.stdout.starts_with("half.json:3:"), "{}", half.stdout);
    // A byte order mark in front is what some editors write, and no mistake.
    lab.write("mark.json", &format!("\u{feff}{}", cassette("null")));
    assert_ne!(lab.run(&["lint", "mark.json"]).code, Some(2));
}

#[test]
fn the_name_of_a_file_is_shown_and_not_obeyed() {
    let lab = Lab::new();
    let name = std::ffi::OsStr::from_bytes(b"a\x1b[2J\xff\n.json");
    std::fs::write(lab.path().join(Path::new(name)), "{").unwrap();
    for args in [["lint"], ["replay"]] {
        let args: Vec<&std::ffi::OsStr> = args.iter().map(std::ffi::OsStr::new).chain([name]).collect();
        let ended = lab.run(&args);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_readable("a name", &ended);
    }
}
