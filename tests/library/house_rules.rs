//! The house rules are a test: what keeps the walls where they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use faultdeck::cassette::Cassette;
use faultdeck::fault::Fault;
use faultdeck::profile::Profile;
use faultdeck::scenario::Scenario;

/// Imports go strictly down this list; modules of one row do not know each other.
const ROWS: &[&[&str]] = &[
    &["message", "json", "seed", "spelling", "files"],
    &["fields", "timeline", "delivery", "greeting", "redact", "schemas", "written"],
    &["lists"],
    &["profile"],
    &["cassette", "fault", "ledger"],
    &["scenario", "settings"],
    &["serve"],
    &["record", "replay", "emulate"],
    &["client", "console"],
    &["judge"],
    &["run"],
    &["cli"],
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                walk(&entry.path(), found);
            } else if entry.path().extension().is_some_and(|ending| ending == "rs") {
                found.push(entry.path());
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("src"), &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(root().join("src")).unwrap().display().to_string();
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// A file without its comments and its tests, which may look sideways. Each item under `#[cfg(test)]` is left out, wherever it stands, and
/// what comes after it is kept.
fn code(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            let indent = &line[..line.len() - line.trim_start().len()];
            let ends = format!("{indent}}}");
            // An item ends with its closing brace at its own indent, or with a semicolon on its first line.
            let first = lines.by_ref().find(|line| !line.trim_start().starts_with("#[")).unwrap_or_default();
            if !first.ends_with(';') && !first.ends_with('}') {
                lines.by_ref().find(|line| *line == ends);
            }
            continue;
        }
        if !line.trim_start().starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[test]
fn only_comments_and_tests_of_a_file_are_left_out() {
    let text = "a\n// x\n#[cfg(test)]\nmod sample;\nb\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    fn f() {\n    }\n}\nc\n";
    assert_eq!(code(text), "a\nb\nc\n");
}

fn module_of(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The modules named after `crate::` in a file.
fn imports(text: &str) -> Vec<String> {
    let code = code(text);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + 7..];
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        if let Some(rest) = rest.strip_prefix('{') {
            found.extend(
                rest.split(['}'])
                    .next()
                    .unwrap()
                    .split(',')
                    .map(|part| part.trim().split("::").next().unwrap().to_owned()),
            );
        } else {
            found.push(name);
        }
    }
    found
}

#[test]
fn imports_go_down() {
    let row = |module: &str| ROWS.iter().position(|row| row.contains(&module));
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let module = module_of(&file);
        for import in imports(&text) {
            let allowed = match module {
                "main" | "lib" => true,
                _ if import == module => true,
                "report" => import == "ledger",
                "bundled" => matches!(import.as_str(), "message" | "json"),
                "cli" => true,
                _ => matches!((row(module), row(&import)), (Some(here), Some(there)) if there < here),
            };
            if !allowed {
                wrong.push(format!("{file} imports {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_law_knows_neither_the_engine_nor_the_replay() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        if !file.starts_with("judge/") || file.starts_with("judge/engine/") || file == "judge/mod.rs" {
            continue;
        }
        let starts_things = imports(&text).into_iter().filter(|module| {
            matches!(module.as_str(), "serve" | "record" | "replay" | "emulate" | "run" | "cli" | "bundled")
        });
        wrong.extend(starts_things.map(|module| format!("{file} imports {module}")));
        let code = code(&text);
        for word in ["engine::", "tokio::", "std::process", "std::fs", "std::net", "std::env"] {
            if code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word)) {
                wrong.push(format!("{file} uses {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_property_has_the_file_that_is_called_by_its_id() {
    let mut files: Vec<String> = sources()
        .into_iter()
        .filter_map(|(file, _)| Some(file.strip_prefix("judge/law/")?.strip_suffix(".rs")?.to_owned()))
        // What a law is made of, where that is more than one file, stands in the folder of its name.
        .map(|name| name.split('/').next().unwrap_or_default().to_owned())
        .filter(|name| name != "mod")
        .collect();
    let mut ids: Vec<String> =
        faultdeck::judge::PROPERTIES.iter().map(|property| property.id.replace('-', "_")).collect();
    files.sort();
    files.dedup();
    ids.sort();
    assert_eq!(files, ids);
    for id in ids {
        assert!(root().join(format!("src/judge/law/{id}.rs")).is_file(), "{id}");
    }
}

/// The texts in quotes of a line of code.
fn literals(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

#[test]
fn only_the_fault_table_knows_a_fault_by_name() {
    let names: Vec<&str> = Fault::CATALOGUE.iter().map(|row| row.name).collect();
    let mut wrong = Vec::new();
    for (file, text) in sources().into_iter().filter(|(file, _)| !file.starts_with("fault/")) {
        for line in code(&text).lines().filter(|line| !line.trim_start().starts_with("//")) {
            // `Connection: close` is a word of HTTP.
            let named = literals(line).find(|text| {
                let is_toml =
                    |name: &&str| text.strip_prefix(*name).is_some_and(|rest| rest.starts_with(" ="));
                names.contains(text) && !line.contains("\"Connection\"") || names.iter().any(is_toml)
            });
            wrong.extend(named.map(|name| format!("{file} knows the fault `{name}`")));
            let kind = line.split("Fault::").skip(1).find(|rest| {
                // A variant is one word in mixed case; `CATALOGUE` and functions are the table itself.
                let word: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
                word.starts_with(char::is_uppercase) && word.contains(char::is_lowercase)
            });
            wrong.extend(kind.map(|rest| format!("{file} knows the fault Fault::{rest}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_its_own_file_knows_a_property_by_name() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        for property in faultdeck::judge::PROPERTIES {
            let own = format!("judge/law/{}.rs", property.id.replace('-', "_"));
            // Each defect of the careless client says which property it breaks.
            let is_home = file == own || file == "bundled/defects.rs" || file.starts_with("bundled/slips/");
            let code = code(&text);
            let mut lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            if !is_home && lines.any(|line| literals(line).any(|text| text == property.id)) {
                wrong.push(format!("{file} knows {}", property.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hyper_stays_in_its_rooms_and_only_one_file_dials() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let module = module_of(&file).to_owned();
        let code = code(&text);
        let speaks_hyper = ["hyper::", "hyper_util::", "http::"].iter().any(|word| {
            code.lines().any(|line| {
                line.trim_start().starts_with(&format!("use {word}")) || line.contains(&format!(" {word}"))
            })
        });
        if speaks_hyper && !matches!(module.as_str(), "serve" | "record" | "bundled") {
            wrong.push(format!("{file} speaks hyper"));
        }
        if code.contains("TcpStream::connect") && file != "record/dial.rs" && module != "bundled" {
            wrong.push(format!("{file} opens a connection"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_file_reads_what_a_user_names() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        // The bundled clients are programs of their own.
        if file == "files.rs" || module_of(&file) == "bundled" {
            continue;
        }
        for word in ["File::open", "fs::read(", "fs::read_to_string", "pem_file", "fs::File"] {
            // At a place in a file that is open already.
            let is_open = |line: &str| line.contains("unix::fs::FileExt");
            let reads = |line: &&str| line.contains(word) && !line.contains("\"/proc/") && !is_open(line);
            wrong.extend(code(&text).lines().filter(reads).map(|line| format!("{file}: {}", line.trim())));
        }
    }
    assert!(wrong.is_empty(), "what is no file would be waited for:\n{}", wrong.join("\n"));
}

/// A clock that is set back or forth moves no wait and no decision: those go by a clock that only ever goes on. The
/// branching client, a program of its own, writes the time of day into its searches as integrations do.
#[test]
fn only_certificates_ask_for_the_date() {
    let files = sources();
    let asks = |text: &str| ["SystemTime", "UNIX_EPOCH"].iter().any(|word| code(text).contains(word));
    let found: Vec<&str> =
        files.iter().filter(|(_, text)| asks(text)).map(|(file, _)| file.as_str()).collect();
    assert_eq!(found, ["bundled/branching.rs", "serve/ca.rs"]);
}

#[test]
fn the_library_never_prints_nor_exits() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let module = module_of(&file);
        if matches!(module, "cli" | "main") {
            continue;
        }
        for word in ["println!", "eprintln!", "print!(", "process::exit", "todo!", "unimplemented!", "dbg!"] {
            if code(&text).contains(word) {
                wrong.push(format!("{file}: {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_over_500_lines_and_none_is_a_drawer() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        if text.lines().count() > 500 {
            wrong.push(format!("{file} has {} lines", text.lines().count()));
        }
        let stem = Path::new(&file).file_stem().unwrap().to_string_lossy().into_owned();
        if matches!(stem.as_str(), "util" | "utils" | "common" | "helpers" | "types" | "imp" | "prelude")
            || file == "errors.rs"
        {
            wrong.push(format!("{file} says nothing by its name"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn who_decides_the_exit_code_is_listed_in_one_place() {
    let sources = sources();
    let (_, collector) = sources.iter().find(|(file, _)| file == "ledger/exit.rs").unwrap();
    let list: String = collector.lines().take_while(|line| line.starts_with("//!")).collect();
    for (file, text) in &sources {
        let code = code(text);
        let decides = ["Exit::Failed", "Exit::Inconclusive", "Exit::BadInput", "push_refused("];
        let shows_it = file.starts_with("ledger/") || file.starts_with("report/");
        if !shows_it && decides.iter().any(|word| code.contains(word)) {
            assert!(
                list.contains(&format!("`{file}`")),
                "{file} decides and is not in the list of ledger/exit.rs"
            );
        }
    }
    for file in list.split('`').skip(1).step_by(2).filter(|word| word.ends_with(".rs")) {
        let (_, text) = sources.iter().find(|(name, _)| name == file).unwrap_or_else(|| panic!("no {file}"));
        assert!(text.contains("Reasons") || text.contains("Exit::"), "{file} decides nothing");
    }
}

#[test]
fn every_fault_stands_in_a_scenario() {
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    for (name, _) in Scenario::builtins() {
        let scenario = Scenario::builtin(name, Profile::builtin()).unwrap();
        for planned in &scenario.faults {
            *used.entry(planned.inject.kind().to_owned()).or_default() += 1;
        }
    }
    for row in Fault::CATALOGUE {
        assert!(used.contains_key(row.name), "no scenario uses `{}`", row.name);
    }
}

#[test]
fn every_scenario_file_is_embedded_and_loads() {
    let mut folders = vec![root().join("scenarios")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|ending| ending == "toml") {
                files.push(entry.path());
            }
        }
    }
    assert!(files.len() >= 6);
    for file in files {
        let scenario = Scenario::load(&file, Profile::builtin()).unwrap_or_else(|error| panic!("{error}"));
        assert!(!scenario.summary.is_empty(), "{} has no summary", file.display());
        for named in &scenario.must.hold {
            assert!(
                faultdeck::judge::PROPERTIES.iter().any(|property| property.id == named.name),
                "{}: no property `{}`",
                file.display(),
                named.name
            );
        }
    }
}

#[test]
fn every_client_file_loads() {
    for entry in fs::read_dir(root().join("clients")).unwrap().flatten() {
        let path = entry.path();
        // The programs themselves lie in folders of their own.
        if path.is_dir() {
            continue;
        }
        faultdeck::client::ClientFile::load(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

#[test]
fn every_cassette_loads_comes_back_byte_for_byte_and_is_clean() {
    let mut folders = vec![root().join("cassettes")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let cassette = Cassette::load(&path).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(cassette.to_text(), text, "{} is not as faultdeck writes it", path.display());
            let places = cassette.unredacted();
            assert!(places.is_empty(), "{}: {places:?}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    let (mut section, mut before, mut silent) = ("", "", Vec::new());
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]")
            && let Some((name, _)) = line.split_once(" = ")
            && !before.starts_with("# ")
        {
            silent.push(name);
        }
        before = line;
    }
    assert!(silent.is_empty(), "no reason above: {}", silent.join(", "));
}

/// What faultdeck costs is said as a ratio to a floor: that of an older hyper would be another one.
#[test]
fn the_floors_are_of_the_same_libraries() {
    let versions = |file: &str| -> BTreeMap<String, Vec<String>> {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let value = |line: Option<&str>| line.and_then(|line| line.split('"').nth(1)).unwrap().to_owned();
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for package in text.split("[[package]]").skip(1) {
            let mut lines = package.lines().skip(1);
            found.entry(value(lines.next())).or_default().push(value(lines.next()));
        }
        found
    };
    let (ours, floors) = (versions("Cargo.lock"), versions("benches/rig/Cargo.lock"));
    for name in ["hyper", "hyper-util", "http", "http-body-util", "httparse", "tokio", "mio", "bytes"] {
        assert_eq!(
            floors[name], ours[name],
            "{name}: cargo update --manifest-path benches/rig/Cargo.toml -p {name} --precise VERSION"
        );
    }
}

#[test]
fn data_is_called_what_it_is() {
    let vague = ["told", "said", "say"];
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let code = code(&text);
        for word in vague {
            for form in ["let {} ", "let mut {} ", "fn {}(", "({}: &", ", {}: &", "|{}|"]
                .map(|form| form.replace("{}", word))
            {
                let named = |line: &str| line.split('"').step_by(2).any(|part| part.contains(&form));
                wrong.extend(
                    code.lines().filter(|line| named(line)).map(|line| format!("{file}: {}", line.trim())),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "an answer, a response, a report, a hash:\n{}", wrong.join("\n"));
}

#[test]
fn the_map_stays_a_size_to_read() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let lines = architecture.lines().count();
    assert!(lines <= 150, "ARCHITECTURE.md has {lines} lines");
}

/// Every file below `tests/` that is Rust, but for this one.
fn tests() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join("tests")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs")
                && !path.ends_with("house_rules.rs")
            {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

#[test]
fn whatever_a_test_writes_or_starts_is_searched_for_the_canary() {
    for (path, text) in tests() {
        let is_canary = path.ends_with("harness/canary.rs");
        assert!(
            is_canary || !text.contains("tempfile::"),
            "{}: a folder is a canary::Folder",
            path.display()
        );
        let starts = text.contains("CARGO_BIN_EXE");
        let is_searched = path.ends_with("harness/mod.rs")
            || text.contains("use crate::harness")
            || text.contains("canary::assert_clean");
        assert!(!starts || is_searched, "{}: what it prints is not searched", path.display());
    }
}

#[test]
fn every_test_file_is_part_of_a_program() {
    for (path, _) in tests() {
        let folder = path.parent().unwrap();
        if ["library", "program"].iter().any(|name| folder.ends_with(name)) && !path.ends_with("main.rs") {
            let main = fs::read_to_string(folder.join("main.rs")).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(main.contains(&format!("mod {name};")), "{} is never compiled", path.display());
        }
    }
}

/// How many promises each group of `tests/reliability.md` has.
const PROMISES: [(char, usize); 9] =
    [('A', 16), ('B', 16), ('C', 14), ('D', 13), ('E', 13), ('F', 12), ('G', 14), ('H', 12), ('I', 15)];

/// The rows of `tests/reliability.md`: id, promise, and what holds it.
fn promises(text: &str) -> Vec<[&str; 3]> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| {
            let cells: Vec<&str> = row.split(" | ").collect();
            <[&str; 3]>::try_from(cells).unwrap_or_else(|_| panic!("a row has three cells: {row}"))
        })
        .filter(|[id, _, _]| *id != "id")
        .collect()
}

/// The text in which a test stands that the table calls `name`.
fn file_of(name: &str) -> Option<(String, &str)> {
    let (path, test) = name.rsplit_once("::").unwrap_or(("", name));
    let files = match path.strip_prefix("unit: ") {
        Some(module) => {
            let file = format!("src/{}", module.replace("::", "/"));
            vec![format!("{file}.rs"), format!("{file}/mod.rs"), format!("{file}/tests.rs")]
        }
        None => vec![format!("tests/{}.rs", path.replace("::", "/"))],
    };
    let text: String = files.iter().filter_map(|file| fs::read_to_string(root().join(file)).ok()).collect();
    (!text.is_empty()).then_some((text, test))
}

/// Whether a text has a test of this name that runs.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let head = format!("fn {name}(");
    (0..lines.len()).any(|at| {
        let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        let attributes: Vec<&&str> = attributes.collect();
        lines[at].trim_start_matches("async ").starts_with(&head)
            && attributes.iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
            && !attributes.iter().any(|line| line.starts_with("#[ignore"))
    })
}

#[test]
fn a_test_is_told_from_other_functions() {
    let text = "#[test]\nfn a() {\n#[tokio::test(x)]\n#[cfg(y)]\nasync fn b() {\nfn c() {\n#[test]\n#[ignore = \"z\"]\nfn d() {\n";
    let found: Vec<bool> = ["a", "b", "c", "d", "e"].iter().map(|name| has_test(text, name)).collect();
    assert_eq!(found, [true, true, false, false, false]);
}

#[test]
fn every_promise_of_reliability_has_its_tests_or_says_what_it_waits_for() {
    let text = fs::read_to_string(root().join("tests/reliability.md")).unwrap();
    let rows = promises(&text);
    let ids: Vec<String> = rows.iter().map(|[id, _, _]| (*id).to_owned()).collect();
    let wanted: Vec<String> = PROMISES
        .iter()
        .flat_map(|(group, most)| (1..=*most).map(move |number| format!("{group}{number}")))
        .collect();
    assert_eq!(ids, wanted, "every id stands once, in its order");
    let mut wrong = Vec::new();
    for [id, _, held] in rows {
        let (tests, rest): (Vec<_>, Vec<_>) =
            held.split('`').enumerate().partition(|(place, _)| place % 2 == 1);
        for (_, name) in &tests {
            if !file_of(name).is_some_and(|(text, test)| has_test(&text, test)) {
                wrong.push(format!("{id}: there is no test {name}"));
            }
        }
        let rest: String = rest.iter().map(|(_, text)| *text).collect();
        let rest = rest.trim().trim_start_matches("; ");
        let reason = ["not yet: ", "never: "].iter().find_map(|word| rest.strip_prefix(word));
        let is_plain =
            if rest.is_empty() { !tests.is_empty() } else { reason.is_some_and(|why| why.len() > 3) };
        if !is_plain {
            wrong.push(format!("{id}: neither a test nor what it waits for: {held}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
