//! Every mistake in a scenario is told with its place and the way out.
//!
//! To add a case, put NAME.toml into `tests/bad-scenarios/` and run the ignored test below: it writes NAME.expected,
//! which is then read with care and committed.

use std::fs;
use std::path::{Path, PathBuf};

use faultdeck::profile::Profile;
use faultdeck::scenario::{Diagnostic, Mistakes, Scenario, ScenarioError};

fn bad_scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad-scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    files.sort();
    files
}

/// The mistakes of a text.
fn mistakes(name: &str, text: &str) -> Mistakes {
    match Scenario::parse("bad", name, text, Profile::builtin()) {
        Err(ScenarioError::Invalid(mistakes)) => mistakes,
        other => panic!("{name} should be invalid, but is {other:?}"),
    }
}

/// The mistakes in a plain form: what a person reads, without drawing.
fn plain(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let mistakes = mistakes(name, &text);
    let plain: Vec<String> =
        mistakes.shown().iter().map(|mistake| plain_mistake(name, &text, mistake)).collect();
    let more = if mistakes.more() == 0 { String::new() } else { format!("\nand {} more\n", mistakes.more()) };
    let cut = if mistakes.is_cut() { "\nthe rest is not read\n" } else { "" };
    // A single mistake has always been shown by itself.
    if mistakes.count() == 1 { plain.join("") } else { plain.join("\n") + &more + cut }
}

fn plain_mistake(name: &str, text: &str, diagnostic: &Diagnostic) -> String {
    assert_eq!(diagnostic.text, text, "{name}: the diagnostic carries the text");
    let marked =
        text.get(diagnostic.at.clone()).unwrap_or_else(|| panic!("{name}: the span lies in the text"));
    let (line, column) = diagnostic.line_column();
    let help = diagnostic.help.as_ref().map_or_else(String::new, |help| format!("help: {help}\n"));
    format!("{}\n{line}:{column}: {marked:?}: {}\n{help}", diagnostic.message, diagnostic.label)
}

#[test]
fn every_mistake_is_told_with_place_and_way_out() {
    let files = bad_scenarios();
    assert!(files.len() >= 160, "the folder of bad scenarios is there");
    let mut wrong = Vec::new();
    for path in files {
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap_or_default();
        let plain = plain(&path);
        if plain != expected {
            wrong.push(format!("== {}\n{plain}-- expected\n{expected}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_message_is_a_sentence_without_its_full_stop() {
    for path in bad_scenarios() {
        let plain = plain(&path);
        for message in plain.split("\n\n").filter_map(|mistake| mistake.lines().next()) {
            assert!(!message.is_empty() && !message.ends_with('.'), "{}: {message}", path.display());
        }
    }
}

#[test]
fn a_mistake_hides_no_other_wherever_it_stands() {
    let pieces = [
        "unknown_id = \"mis\"\n",
        "repeats = \"never\"\n",
        "summry = \"x\"\n",
        "clock = { tick_ms = 0 }\n",
        "writes = \"always\"\n",
        "[must]\nhold = [\"a\", \"a\"]\n",
        "[[fault]]\nwhen = { nth = 3 }\ninject = { hang = {} }\n",
        "[[fault]]\ninject = { hnag = {} }\n",
        "[[deployment.hosts]]\nchanges = []\n",
    ];
    for one in 0..pieces.len() {
        for other in one + 1..pieces.len() {
            let text = format!("summary = \"x\"\n{}{}", pieces[one], pieces[other]);
            let alone = |piece: usize| mistakes("alone", &format!("summary = \"x\"\n{}", pieces[piece]));
            let both = mistakes("both", &text);
            let wanted: Vec<String> =
                [one, other].iter().map(|piece| alone(*piece).shown()[0].message.clone()).collect();
            let found: Vec<String> = both.shown().iter().map(|mistake| mistake.message.clone()).collect();
            assert_eq!(found, wanted, "{text}");
        }
    }
}

#[test]
#[ignore = "writes the expected files"]
fn write_the_expected_files() {
    for path in bad_scenarios() {
        fs::write(path.with_extension("expected"), plain(&path)).unwrap();
    }
}
