//! A page of the book as the tests read it: its blocks, and what each of them is for.
//!
//! A block of no language, of `sh` or of `bash` is run. A line right above it can say otherwise, and a reader sees it:
//! `*Not run by a test: REASON.*`, or `*Needs PROGRAM.*`, which runs it where that program is found. A `text` block right
//! after one that is run is what it prints. A block of another language below a line that ends with a path in backticks and
//! a colon is written to that file first.

use std::path::{Path, PathBuf};

/// A file of the repository that people read.
pub struct Page {
    /// Its path from the top of the repository.
    pub name: String,
    pub text: String,
}

/// A fenced block.
#[derive(Debug, Clone)]
pub struct Block {
    /// The line of its text in the page.
    pub line: usize,
    pub language: String,
    pub text: String,
    pub kind: Kind,
}

/// What a block is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It is run.
    Run,
    /// It is run where this program is found.
    Needs(String),
    /// It is not run, for this reason.
    NotRun(String),
    /// What the block before it prints.
    Printed,
    /// It is written to this file.
    File(String),
    /// It is shown, and checked elsewhere or not at all.
    Shown,
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All pages below `docs/`, in the order of their names.
pub fn book() -> Vec<Page> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .map(|name| format!("docs/{name}"))
        .collect();
    names.sort();
    names.iter().map(|name| page(name)).collect()
}

/// The book, and the README.
pub fn all() -> Vec<Page> {
    let mut pages = vec![page("README.md")];
    pages.extend(book());
    pages
}

pub fn page(name: &str) -> Page {
    let text = std::fs::read_to_string(root().join(name)).unwrap();
    Page { name: name.to_owned(), text }
}

impl Page {
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut above = "";
        let mut lines = self.text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let Some(info) = line.trim_start().strip_prefix("```") else {
                if !line.trim().is_empty() {
                    above = line.trim();
                }
                continue;
            };
            let indent = line.len() - line.trim_start().len();
            let mut text = String::new();
            for (_, line) in lines.by_ref().take_while(|(_, line)| line.trim() != "```") {
                text.push_str(line.get(indent..).unwrap_or(""));
                text.push('\n');
            }
            let language = info.trim().to_owned();
            let kind = kind(&language, above, blocks.last());
            blocks.push(Block { line: at + 2, language, text, kind });
            above = "";
        }
        blocks
    }

    /// The folder that its links start from.
    pub fn folder(&self) -> PathBuf {
        Path::new(&self.name).parent().unwrap_or(Path::new("")).to_owned()
    }

    /// Its lines outside of blocks, each with its number.
    pub fn prose(&self) -> Vec<(usize, &str)> {
        let mut inside = false;
        let mut prose = Vec::new();
        for (at, line) in self.text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                inside = !inside;
            } else if !inside {
                prose.push((at + 1, line));
            }
        }
        prose
    }
}

fn kind(language: &str, above: &str, before: Option<&Block>) -> Kind {
    let note = |start: &str| above.strip_prefix(start)?.strip_suffix(".*").map(str::to_owned);
    match language {
        "" | "sh" | "bash" => match (note("*Not run by a test: "), note("*Needs ")) {
            (Some(reason), _) => Kind::NotRun(reason),
            (_, Some(program)) => Kind::Needs(program.trim_matches('`').to_owned()),
            _ => Kind::Run,
        },
        "text" => match before.map(|block| &block.kind) {
            Some(Kind::Run | Kind::Needs(_)) if above.is_empty() => Kind::Printed,
            _ => Kind::Shown,
        },
        _ => match above.strip_suffix("`:").and_then(|line| line.rsplit_once('`')) {
            Some((_, path)) if path.contains('.') && !path.contains(' ') => Kind::File(path.to_owned()),
            _ => Kind::Shown,
        },
    }
}

impl Block {
    /// Its `faultdeck ...` lines, as words, without comments and job control.
    pub fn commands(&self) -> Vec<Vec<String>> {
        let joined = self.text.replace("\\\n", " ");
        let of_line = |line: &str| {
            let line = line.split(" # ").next().unwrap_or_default();
            let at = line.find("faultdeck ").filter(|at| starts_a_command(&line[..*at]))?;
            // In `$(...)` it ends with the bracket.
            let end = if line[..at].ends_with("$(") {
                line[at..].find(')').map_or(line.len(), |end| at + end)
            } else {
                line.len()
            };
            let words = line[at..end].trim_end_matches('&').split_whitespace().skip(1);
            Some(words.map(str::to_owned).collect::<Vec<_>>())
        };
        joined.replace("cargo run --release -- ", "faultdeck ").lines().filter_map(of_line).collect()
    }
}

/// Whether a command can stand behind this: variables, a prompt, `$(`, the key of a file for a CI system.
fn starts_a_command(before: &str) -> bool {
    let before = before.trim();
    before.is_empty()
        || ["- ", "run:", "$", "$(", "\"$(", "- run:", "- script:", "-", "&&", ";", "|"]
            .iter()
            .any(|end| before.ends_with(end))
        || before.split_whitespace().all(|word| word.contains('=') && !word.starts_with('-'))
}
