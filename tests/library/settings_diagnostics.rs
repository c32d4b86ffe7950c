//! Every mistake in a settings file is told with its place and the way out.
//!
//! To add a case, put NAME.toml into `tests/bad-settings/` and run the ignored test below: it writes NAME.expected,
//! which is then read with care and committed.

use std::fs;
use std::path::{Path, PathBuf};

use faultdeck::cli::settings_of;

fn bad_settings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad-settings");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    files.sort();
    files
}

/// The mistakes in a plain form: what a person reads, without drawing.
fn plain(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let mistakes = settings_of(name, &text).err().unwrap_or_else(|| panic!("{name} should be invalid"));
    let plain = mistakes.shown().iter().map(|mistake| {
        let marked = mistake
            .text
            .get(mistake.at.clone())
            .unwrap_or_else(|| panic!("{name}: the span lies in the text"));
        let (line, column) = mistake.line_column();
        let help = mistake.help.as_ref().map_or_else(String::new, |help| format!("help: {help}\n"));
        format!("{}\n{line}:{column}: {marked:?}: {}\n{help}", mistake.message, mistake.label)
    });
    plain.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_mistake_is_told_with_place_and_way_out() {
    let files = bad_settings();
    assert!(files.len() >= 18, "the folder of bad settings is there");
    let mut wrong = Vec::new();
    for path in files {
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap_or_default();
        let plain = plain(&path);
        // The flags that there are grow; which ones are offered is no matter of this test.
        let first = |text: &str| {
            text.lines().filter(|line| !line.starts_with("help: ")).collect::<Vec<_>>().join("\n")
        };
        if first(&plain) != first(&expected) {
            wrong.push(format!("== {}\n{plain}-- expected\n{expected}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_secret_that_stands_there_is_shown_nowhere() {
    for path in bad_settings() {
        let text = fs::read_to_string(&path).unwrap();
        let mistakes = settings_of("x", &text).unwrap_err();
        let shown = format!("{mistakes:?}");
        for secret in ["AKIA-not-to-be-shown", "hunter2hunter2"] {
            assert!(!shown.contains(secret), "{}: {shown}", path.display());
        }
    }
}

#[test]
#[ignore = "writes the expected files"]
fn write_the_expected_files() {
    for path in bad_settings() {
        fs::write(path.with_extension("expected"), plain(&path)).unwrap();
    }
}
