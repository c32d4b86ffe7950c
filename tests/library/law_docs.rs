//! `docs/laws.md` is written from the table of properties and their lessons, so that it says what the program does.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::canary::Folder;
use faultdeck::judge::{Example, Lesson, Needs, PROPERTIES, Property};

const OPENING: &str = "\
# Laws

What a client of the API is judged by. This page is written from the table in `src/judge/law/mod.rs` and the lessons \
in `src/judge/lesson`; `faultdeck explain NAME` says the same. Each fact says how sure it is: **documented** (the published pages, or an RFC), \
**seen** (captured answers, or several independent programs), **one source**, **inferred** (it follows from what is known), \
or **ours** (a decision; a recording may overturn it).

";

fn lesson(property: &Property) -> Lesson {
    let lesson = property.lesson().unwrap_or_else(|error| panic!("{}: {error}", property.id));
    lesson.unwrap_or_else(|| panic!("{} has no lesson: add `src/judge/lesson/{0}.toml`", property.id))
}

fn example(title: &str, example: &Example) -> String {
    format!("### {title}\n\n```text\n{}```\n\n{}\n\n", example.example, example.because)
}

fn section(property: &Property) -> String {
    let lesson = lesson(property);
    let mut text = format!("## `{}`\n\n{}\n\n{}\n\n", property.id, property.summary, property.long);
    text.push_str(&format!("### Why it matters\n\n{}\n\n### What it rests on\n\n", lesson.why));
    for fact in &lesson.facts {
        text.push_str(&format!("- {} (**{}**)\n", fact.says, fact.source));
    }
    text.push('\n');
    text.push_str(&example("What breaks it", &lesson.fails));
    text.push_str(&example("What keeps it", &lesson.holds));
    text.push_str(&format!("### Limits\n\n{}\n\n", lesson.beyond));
    for limit in property.limits {
        text.push_str(&format!("- no violation yet, at most: {} {}\n", limit.most, limit.of));
    }
    let jobs: Vec<String> = property.jobs.iter().map(|job| format!("`{job}`")).collect();
    let needs = match property.report {
        Needs::Nothing => "the wire shows it",
        Needs::Outcome => "the client's outcome shows it",
        Needs::Resource => "the task that the client reports shows it",
    };
    text.push_str(&format!("- it takes the job {}; {needs}\n\n", jobs.join(" or ")));
    text.push_str(&format!("### The fix\n\n{}\n", lesson.fix.says));
    for (language, code) in lesson.fix.languages() {
        let tag = if language == "Node" { "js".to_owned() } else { language.to_lowercase() };
        text.push_str(&format!("\n{language}:\n\n```{tag}\n{}\n```\n", code.trim_end()));
    }
    text
}

fn page() -> String {
    let sections: Vec<String> = PROPERTIES.iter().map(|property| section(property)).collect();
    let rows: String = (PROPERTIES.iter())
        .map(|property| format!("| [`{0}`](#{0}) | {1} |\n", property.id, property.summary))
        .collect();
    format!("{OPENING}| law | in one sentence |\n|---|---|\n{rows}\n{}", sections.join("\n"))
}

#[test]
fn the_page_of_laws_is_written_from_the_lessons() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/laws.md");
    if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        fs::write(&file, page()).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    let differs =
        page().lines().zip(written.lines()).find(|(new, old)| new != old).map(|(new, _)| new.to_owned());
    assert!(
        written == page(),
        "docs/laws.md is stale, from {differs:?}: renew it with \
         `SNAPSHOTS=overwrite cargo test --test library the_page_of_laws`, and read the difference"
    );
}

/// Whether this program is installed.
fn has(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    command.status().is_ok()
}

/// Writes the fix of each law to a file and lets `check` read it, where it is installed.
fn each_is_read(language: &str, ending: &str, program: &str, arguments: &[&str]) {
    let folder = Folder::new();
    for property in PROPERTIES {
        let lesson = lesson(property);
        let (_, code) = lesson.fix.languages().into_iter().find(|(name, _)| *name == language).unwrap();
        let file = folder.path().join(format!("{}.{ending}", property.id.replace('-', "_")));
        // A file of Go begins with its package; the fixes are parts of one.
        let before = if language == "Go" { "package client\n\n" } else { "" };
        fs::write(&file, format!("{before}{code}")).unwrap();
        let read = Command::new(program).args(arguments).arg(&file).output().unwrap();
        let complaint = String::from_utf8_lossy(&[read.stdout, read.stderr].concat()).into_owned();
        assert!(read.status.success() && complaint.is_empty(), "{}: {complaint}", property.id);
    }
}

#[test]
fn the_fixes_in_python_are_python() {
    if has("python3") {
        each_is_read("Python", "py", "python3", &["-m", "py_compile"]);
    }
}

#[test]
fn the_fixes_in_node_are_javascript() {
    if has("node") {
        each_is_read("Node", "mjs", "node", &["--check"]);
    }
}

/// gofmt names the files that it would write otherwise.
#[test]
fn the_fixes_in_go_are_formatted_go() {
    if has("gofmt") {
        each_is_read("Go", "go", "gofmt", &["-l"]);
    }
}
