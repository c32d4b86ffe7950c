//! Runs the blocks of one page, in their order, in one shell and one folder.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::Lab;

use super::page::{Block, Kind, Page, root};

/// How long a page may take, all in all.
const LIMIT: Duration = Duration::from_secs(240);

/// Runs a page, and says what is not as the page says.
pub fn run(page: &Page) -> Result<(), String> {
    let blocks = page.blocks();
    let runs = |block: &&Block| matches!(block.kind, Kind::Run | Kind::Needs(_));
    if !blocks.iter().any(|block| runs(&block)) {
        return Ok(());
    }
    let lab = Lab::new();
    if blocks.iter().any(|block| runs(&block) && block.text.contains("examples/")) {
        // As in a clone; but what a suite leaves behind stays here.
        let copied =
            Command::new("cp").arg("-r").arg(root().join("examples")).arg(lab.path()).status().unwrap();
        assert!(copied.success());
    }
    let console = blocks.iter().any(|block| runs(&block) && block.text.contains("--upstream https://"));
    let console = console.then(|| lab.serve(&["emulate"]));
    let url = console.as_ref().map(|console| console.url.clone()).unwrap_or_default();
    let mut text = String::from("set -e\nexec </dev/null\n");
    let mut printed = None;
    let mut expected: Vec<(usize, &Block)> = Vec::new();
    for (at, block) in blocks.iter().enumerate() {
        match &block.kind {
            Kind::Run => {}
            Kind::Needs(program) if found(program) => {}
            Kind::Needs(program) => {
                println!("SKIPPED: {}:{} needs {program}", page.name, block.line);
                printed = None;
                continue;
            }
            Kind::Printed => {
                expected.extend(printed.map(|of| (of, block)));
                continue;
            }
            Kind::File(path) => {
                writeln!(text, "mkdir -p \"$(dirname '{path}')\"\ncp \"$BOOK/{at}\" '{path}'").unwrap();
                lab.write(&format!(".book/{at}"), &block.text);
                continue;
            }
            Kind::NotRun(_) | Kind::Shown => continue,
        }
        writeln!(text, "exec >\"$BOOK/out.{at}\" 2>&1\n{}", script(&block.text, &url)).unwrap();
        printed = Some(at);
    }
    lab.write(".book/script", &text);
    let code = shell(&lab);
    let ended = (0..blocks.len()).rev().find(|at| lab.file(&format!(".book/out.{at}")).exists());
    let output = |at: usize| {
        String::from_utf8_lossy(&std::fs::read(lab.file(&format!(".book/out.{at}"))).unwrap_or_default())
            .into_owned()
    };
    if code != Some(0) {
        let at = ended.unwrap_or(0);
        return Err(format!(
            "line {}: ends with {code:?}\n{}--- it printed:\n{}",
            blocks[at].line,
            blocks[at].text,
            output(at)
        ));
    }
    if let Some(console) = console {
        console.stop();
    }
    for (of, block) in expected {
        if let Some(line) = missing(&block.text, &output(of)) {
            return Err(format!(
                "line {}: it does not print, or not at this place: {line}\n--- it printed:\n{}",
                block.line,
                output(of)
            ));
        }
    }
    Ok(())
}

/// Whether a program is on the path, or among those that the tests have installed.
fn found(program: &str) -> bool {
    if program == "user namespaces" {
        return crate::isolated::can("the_book");
    }
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').any(|folder| Path::new(folder).join(program).is_file())
        || root().join("target/outside-tools/venv/bin").join(program).is_file()
}

/// Starts the shell, and gives its exit code: none if it takes too long.
fn shell(lab: &Lab) -> Option<i32> {
    let binary = Path::new(env!("CARGO_BIN_EXE_faultdeck")).parent().unwrap().display().to_string();
    let outside = root().join("target/outside-tools/venv/bin").display().to_string();
    let mut child = Command::new("bash")
        .arg(".book/script")
        .current_dir(lab.path())
        .env("PATH", format!("{binary}:{}:{outside}", std::env::var("PATH").unwrap_or_default()))
        .env("BOOK", lab.file(".book"))
        .env("FAULTDECK_HOME", lab.file("home"))
        .env("SEC_TOKEN", lab.canary())
        .env("QRADAR_TOKEN", lab.canary())
        .env_remove("CI")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(lab.file(".book/shell")).unwrap())
        .spawn()
        .unwrap();
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A block as a script: a console in memory in place of that of the page, and exit codes as its comments say.
fn script(block: &str, url: &str) -> String {
    let mut text = String::new();
    let joined = block.replace("\\\n", " ");
    for line in joined.lines() {
        // Our own tests, and a build from nothing: the demo is run by a test of its own.
        if line.starts_with("cargo ") || line.starts_with("scripts/") {
            continue;
        }
        let names = if line.contains("faultdeck record") { " --host qradar.example" } else { "" };
        let line = line.replace("--upstream https://qradar.example", &format!("--upstream {url}{names}"));
        match line.rsplit_once(" # ").and_then(|(line, note)| Some((line, note.rsplit_once("exit code ")?.1)))
        {
            Some((line, code)) => {
                writeln!(text, "code=0; {line} || code=$?; test $code = {}", code.trim()).unwrap();
            }
            None => writeln!(text, "{line}").unwrap(),
        }
    }
    text
}

/// The first line that should have been printed, in this order, and was not. What two programs print may stand in one line,
/// so a line of the page is looked for anywhere; `…` stands for anything in a line, and a line of it alone for any lines.
fn missing<'a>(wanted: &'a str, printed: &str) -> Option<&'a str> {
    let mut rest = printed;
    wanted.lines().map(str::trim_end).filter(|line| !line.is_empty() && *line != "…").find(|line| {
        let end = end_of(line, rest);
        rest = end.map_or(rest, |end| &rest[end..]);
        end.is_none()
    })
}

/// Where the first place ends that holds the parts of a line, in their order and in one line.
fn end_of(wanted: &str, printed: &str) -> Option<usize> {
    let (first, others) = wanted.split_once('…').unwrap_or((wanted, ""));
    let places = printed.match_indices(first).map(|(at, _)| at + first.len());
    places.take(10_000).find_map(|start| {
        let line_end = printed[start..].find('\n').map_or(printed.len(), |end| start + end);
        let mut at = start;
        for part in others.split('…').filter(|part| !part.is_empty()) {
            at += printed[at..line_end].find(part)? + part.len();
        }
        Some(at)
    })
}

#[test]
fn a_line_is_found_with_its_gaps_in_its_order_and_in_one_line() {
    let printed = "zero\none\na b c d{x}{y}\nthree\n";
    for wanted in ["one\nthree", "a … c …\nthree", "{x}\n{y}", "…\nzero\n…\nthree", "zero\n\none"] {
        assert_eq!(missing(wanted, printed), None, "{wanted}");
    }
    for (wanted, line) in [
        ("three\none", "one"),
        ("a … d … c", "a … d … c"),
        ("one … three", "one … three"),
        ("{y}\n{x}", "{x}"),
    ] {
        assert_eq!(missing(wanted, printed), Some(line), "{wanted}");
    }
}

#[test]
fn a_note_of_an_exit_code_is_held() {
    let text = script("faultdeck lint x.toml   # findings: exit code 1\nls\n", "");
    assert_eq!(text, "code=0; faultdeck lint x.toml   || code=$?; test $code = 1\nls\n");
    let text =
        script("faultdeck record --upstream https://qradar.example \\\n  --cassette x &\n", "http://h:1");
    assert_eq!(text, "faultdeck record --upstream http://h:1 --host qradar.example    --cassette x &\n");
}
