//! `docs/faults.md` is written from the table of faults, so that it says what the program does.

use std::fs;
use std::path::Path;

use faultdeck::fault::{Alias, At, Fault, Row, Work};
use faultdeck::profile::Profile;
use faultdeck::scenario::Scenario;

const OPENING: &str = "\
# Faults

Everything that can go wrong on purpose, mildest first. This page is written from the table in `src/fault/mod.rs`; \
`faultdeck explain NAME` says the same. A fault stands in a scenario as `inject = { NAME = { ... } }`, in a `[[fault]]` \
whose `when` says where and how often it fires; or on the command line as `--fault LINE`, which takes an aim as well: \
`NAME:VALUES@ENDPOINT#NTH?CONDITIONS`.

";

/// The fault of a row's example in one line, as `--fault` takes it.
fn one_line(row: &Row) -> String {
    let text = format!("[[fault]]\n{}\n", row.example);
    let scenario = Scenario::parse("x", row.name, &text, Profile::builtin());
    scenario.unwrap_or_else(|error| panic!("{error}")).faults[0].to_string()
}

fn alias(alias: &Alias) -> String {
    let pairs = |pairs: &[(&str, &str)], link: &str| {
        let pairs: Vec<String> = pairs.iter().map(|(one, other)| format!("`{one}`{link}`{other}`")).collect();
        pairs.join(", ")
    };
    let mut text = format!("`{}` of {}", alias.name, alias.of);
    if !alias.parameters.is_empty() {
        text.push_str(&format!(" ({})", pairs(alias.parameters, " is ")));
    }
    if !alias.sets.is_empty() {
        text.push_str(&format!(" (sets {})", pairs(alias.sets, " to ")));
    }
    text
}

fn section(row: &Row) -> String {
    let mut text = format!("## `{}`\n\n{}\n\n{}\n\n", row.name, row.summary, row.docs);
    text.push_str(&format!("```toml\n{}\n```\n\n", row.example));
    text.push_str(&format!("In one line: `--fault '{}'`\n\n", one_line(row)));
    if !row.parameters.is_empty() {
        text.push_str("| parameter | takes | if left out | meaning |\n|---|---|---|---|\n");
    }
    for parameter in row.parameters {
        let default =
            parameter.default.map_or("it must be given".to_owned(), |default| format!("`{default}`"));
        text.push_str(&format!(
            "| `{}` | {} | {default} | {} |\n",
            parameter.name,
            parameter.takes.in_words(),
            parameter.meaning
        ));
    }
    if !row.parameters.is_empty() {
        text.push('\n');
    }
    text.push_str(row.effect.in_words());
    text.push_str(match row.work {
        Work::Done => " The console did its work.",
        Work::NotDone => " The console did not do its work.",
    });
    if row.meets_refused {
        text.push_str(" A request that is refused at the door can meet it, too.");
    }
    if row.at == At::Connection {
        text.push_str(" It befalls connections, before any request.");
    }
    text.push('\n');
    if !row.aliases.is_empty() {
        let aliases: Vec<String> = row.aliases.iter().map(alias).collect();
        text.push_str(&format!("\nOther tools call it {}.\n", aliases.join("; ")));
    }
    text
}

fn page() -> String {
    let sections: Vec<String> = Fault::CATALOGUE.iter().map(section).collect();
    let rows: String = (Fault::CATALOGUE.iter())
        .map(|row| format!("| [`{0}`](#{0}) | {1} |\n", row.name, row.summary))
        .collect();
    format!("{OPENING}| fault | what happens |\n|---|---|\n{rows}\n{}", sections.join("\n"))
}

#[test]
fn the_page_of_faults_is_written_from_the_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        fs::write(&file, page()).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    let differs =
        page().lines().zip(written.lines()).find(|(new, old)| new != old).map(|(new, _)| new.to_owned());
    assert!(
        written == page(),
        "docs/faults.md is stale, from {differs:?}: renew it with \
         `SNAPSHOTS=overwrite cargo test --test library the_page_of_faults`, and read the difference"
    );
}

#[test]
fn each_line_of_the_page_is_read_as_its_example() {
    for row in Fault::CATALOGUE {
        let line = one_line(row);
        let read = Scenario::of_faults(std::slice::from_ref(&line), Profile::builtin())
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read.faults[0].to_string(), line);
        assert_eq!(read.faults[0].inject.kind(), row.name);
    }
}

#[test]
fn every_name_of_another_tool_leads_to_the_fault_that_has_it() {
    for row in Fault::CATALOGUE {
        for alias in row.aliases {
            let known = Fault::known(alias.name).unwrap();
            // Where a kind of ours has the name itself, that is the one that is meant.
            assert!(known.row.name == row.name || known.row.name == alias.name, "{}", alias.name);
            let names = alias
                .parameters
                .iter()
                .map(|(_, ours)| *ours)
                .chain(alias.sets.iter().map(|(ours, _)| *ours));
            for name in names {
                assert!(row.parameters.iter().any(|known| known.name == name), "{}: {name}", alias.name);
            }
        }
    }
}
