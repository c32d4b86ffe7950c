//! What the book names exists, and what exists is named: verbs, flags, variables, keys, scenarios.

use std::collections::{BTreeMap, BTreeSet};

use faultdeck::client::ClientFile;
use faultdeck::profile::Profile;
use faultdeck::scenario::Scenario;

use crate::harness::Lab;

use super::page::{all, book, page, root};

/// The help of each verb.
fn helps(lab: &Lab) -> BTreeMap<String, String> {
    let all = lab.run(&["--help"]).stdout;
    let verbs = all.lines().filter_map(|line| line.strip_prefix("  ")?.split_once("  "));
    let verbs = verbs
        .map(|(verb, _)| verb)
        .filter(|verb| !verb.is_empty() && verb.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
    verbs
        .map(|verb| {
            let mut help = lab.run(&[verb, "--help"]).stdout;
            for part in ["merge", "import", "list", "show", "forget"] {
                if help.contains(&format!("  {part}  ")) {
                    help.push_str(&lab.run(&[verb, part, "--help"]).stdout);
                }
            }
            (verb.to_owned(), help)
        })
        .collect()
}

/// The flags that stand in a text.
fn flags(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| word.len() > 3 && word.starts_with("--") && !word.ends_with('-'))
        .filter(|word| word[2..].starts_with(|c: char| c.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_verb_and_flag_of_every_page_exists() {
    let lab = Lab::new();
    let helps = helps(&lab);
    assert!(helps.len() >= 10, "{:?}", helps.keys());
    let mut seen = 0;
    for page in all() {
        for block in page.blocks() {
            for words in block.commands() {
                let place = format!("{}:{}: {words:?}", page.name, block.line);
                let own: Vec<&String> = words.iter().take_while(|word| *word != "--").collect();
                let Some(verb) = own.iter().find(|word| !word.starts_with('-')) else { continue };
                let help = helps.get(*verb).unwrap_or_else(|| panic!("{place}: there is no such verb"));
                for flag in own.iter().filter(|word| word.starts_with("--")) {
                    let flag = flag.split('=').next().unwrap_or_default();
                    assert!(help.contains(flag), "{place}: there is no {flag}");
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn every_verb_and_every_flag_is_told_somewhere() {
    let lab = Lab::new();
    let text: String = book().into_iter().map(|page| page.text).collect();
    let told = flags(&text);
    for (verb, help) in helps(&lab) {
        assert!(text.contains(&format!("faultdeck {verb}")), "no page speaks of `faultdeck {verb}`");
        let options = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        let missing: Vec<String> =
            options.flat_map(flags).filter(|flag| !told.contains(flag) && flag != "--help").collect();
        assert!(missing.is_empty(), "no page in docs/ speaks of {missing:?} of `faultdeck {verb}`");
    }
}

#[test]
fn every_built_in_scenario_that_is_named_is_there() {
    let lab = Lab::new();
    let known = lab.run(&["explain", "scenarios"]).stdout;
    for page in all() {
        for block in page.blocks() {
            for words in block.commands() {
                for pair in words.windows(2).filter(|pair| pair[0] == "--scenario") {
                    let name = pair[1].trim_start_matches("builtin:");
                    let is_ours = name == "-" || name.ends_with(".toml") || name.contains('$');
                    let is_folder_of_ours = name.ends_with('/') && name.starts_with("scenarios");
                    let place = format!("{}:{}", page.name, block.line);
                    assert!(is_ours || is_folder_of_ours || known.contains(name), "{place}: {name}");
                }
            }
        }
    }
}

#[test]
fn every_flag_the_readme_speaks_of_exists_and_it_is_short() {
    let lab = Lab::new();
    let help: String = helps(&lab).into_values().collect();
    let text = page("README.md").text;
    let spoken = text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("--"));
    for flag in spoken.filter_map(|code| code.split_whitespace().next()) {
        assert!(help.contains(flag), "{flag}");
    }
    assert!(text.lines().count() <= 160, "what is told at length belongs into the book");
}

/// What a block in TOML is, by its keys: a scenario, a client file, or another file.
#[test]
fn every_file_that_is_shown_is_one_that_can_be_read() {
    let (mut scenarios, mut clients) = (0, 0);
    for page in all() {
        for block in page.blocks().iter().filter(|block| block.language == "toml") {
            let place = format!("{}:{}", page.name, block.line);
            let has = |key: &str| block.text.lines().any(|line| line.starts_with(key));
            if has("summary") && (has("jobs") || has("[jobs")) {
                ClientFile::parse("example", "example.toml", &block.text)
                    .unwrap_or_else(|error| panic!("{place}: {error}"));
                clients += 1;
            } else if has("summary") {
                let scenario = Scenario::parse("example", "example.toml", &block.text, Profile::builtin())
                    .unwrap_or_else(|error| panic!("{place}: {error}"));
                faultdeck::judge::resolve(&scenario).unwrap_or_else(|error| panic!("{place}: {error}"));
                scenarios += 1;
            } else {
                toml::from_str::<toml::Table>(&block.text).unwrap_or_else(|error| panic!("{place}: {error}"));
            }
        }
    }
    assert!(scenarios >= 4 && clients >= 6, "{scenarios} scenarios, {clients} client files");
}

/// A test that a page names is one that there is.
#[test]
fn every_test_that_a_page_names_is_there() {
    let mut seen = 0;
    for page in all() {
        for (line, text) in page.prose() {
            for code in text.split('`').skip(1).step_by(2) {
                let (folder, rest) = match code.split_once("::") {
                    Some((folder @ ("library" | "program"), rest)) => (folder, rest),
                    _ => continue,
                };
                let Some((file, test)) = rest.rsplit_once("::").filter(|(file, _)| *file != "FILE") else {
                    continue;
                };
                let path = root().join("tests").join(folder).join(file.replace("::", "/"));
                let text = std::fs::read_to_string(path.with_extension("rs"))
                    .or_else(|_| std::fs::read_to_string(path.join("mod.rs")))
                    .unwrap_or_else(|error| panic!("{}:{line}: {code}: {error}", page.name));
                assert!(text.contains(&format!("fn {test}(")), "{}:{line}: there is no {code}", page.name);
                seen += 1;
            }
        }
    }
    assert!(seen > 30, "{seen}");
}

/// Whoever clones the repository clones its pictures.
#[test]
fn no_picture_is_large() {
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "png") {
            let size = std::fs::metadata(&path).unwrap().len();
            assert!(size < 200_000, "{}: {size} bytes", path.display());
        }
    }
}
