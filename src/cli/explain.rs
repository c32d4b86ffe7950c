//! `faultdeck explain`: a fault, a scenario, an endpoint or a property, in words; and the schemas of files.

use std::collections::BTreeMap;

use super::hidden;
use super::judge_console::explained;
use super::lesson;
use super::offered::Offered;
use super::output;
use super::problem::{Problem, nearest_or};
use super::story;
use crate::bundled::{DEFECTS, Defect, slips};
use crate::client::{Client as _, Program};
use crate::console;
use crate::fault::{At, Fault, Row, Work};
use crate::judge::{self, Needs};
use crate::ledger::Exit;
use crate::profile::{Endpoint, NameError, Profile};
use crate::report::shell_word;
use crate::scenario::{CommandMust, Scenario, ScenarioError, Source, in_a_line};
use crate::schemas;

/// Explains a property, a scenario, a fault or an endpoint; without a name, lists them all.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck explain                  # everything there is, a line each
  faultdeck explain creates-once     # a property: the law, what breaks it, and the fix in Python, Go and Node
  faultdeck explain lost-answer      # a scenario: the story and what must hold
  faultdeck explain mine.toml        # the same of a file
  faultdeck explain scenario hang    # the scenario alone, where a fault is called so too
  faultdeck explain slow-host --client builtin:careful   # and what this client would not notice of it
  faultdeck explain latency          # a fault: what it does, how it is written
  faultdeck explain cases.post       # an endpoint: what it promises
  faultdeck explain ariel            # the endpoints below /ariel
  faultdeck explain schema scenario > scenario.schema.json   # what an editor has to know of scenario files")]
pub(super) struct Args {
    /// A name; or `properties`, `scenarios`, `faults`, `endpoints`, `defects`, `rules` or `schemas`, to list one kind.
    #[arg(value_parser = Offered(kinds), hide_possible_values = true)]
    name: Option<String>,
    /// After the word `scenario`: which one. After the word `schema`: of which files (settings, scenario, client, match, redact,
    /// profile).
    #[arg(value_name = "NAME|FILE", value_parser = Offered(schema_names), hide_possible_values = true)]
    of: Option<String>,
    /// A client, by its file: warns where its own repetitions or time limits would hide a fault of the scenario.
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
}

/// A kind, and the list of all that it has.
type List = (&'static str, fn() -> String);

/// What can be listed, and how.
const LISTS: [List; 7] = [
    ("properties", properties),
    ("scenarios", scenarios),
    ("faults", faults),
    ("endpoints", endpoints),
    ("defects", defects),
    ("rules", rules),
    ("schemas", all_schemas),
];

/// The words that a name may be.
fn kinds() -> Vec<&'static str> {
    LISTS.iter().map(|(kind, _)| *kind).chain(["scenario", "schema"]).collect()
}

fn schema_names() -> Vec<&'static str> {
    schemas::ALL.iter().map(|schema| schema.name).collect()
}

pub(super) fn run(args: Args) -> Result<Exit, Problem> {
    let client = args.client.as_deref().map(super::judge::open).transpose()?;
    let text = match (args.name.as_deref(), args.of.as_deref()) {
        (Some("scenario"), Some(name)) => story(&super::setup::open(name)?, client.as_ref()),
        (Some("schema" | "schemas"), Some(name)) => schema(name)?,
        (Some("schema"), None) => all_schemas(),
        (_, Some(_)) => {
            return Err(Problem::input("`explain` takes one name").help(
                "only the word `scenario` or `schema` may stand before it: `faultdeck explain scenario hang`",
            ));
        }
        (None, None) => {
            LISTS.map(|(kind, list)| if kind == "endpoints" { roots() } else { list() }).join("\n")
        }
        (Some(name), None) => match LISTS.iter().find(|(kind, _)| *kind == name) {
            Some((_, list)) => list(),
            None => one(name, client.as_ref())?,
        },
    };
    output::data(&text)?;
    Ok(Exit::Passed)
}

/// Everything that goes by this name: a scenario may be called like the fault it shows.
fn one(name: &str, client: Option<&Program>) -> Result<String, Problem> {
    let scenario = match Scenario::open(name, Profile::builtin()) {
        Ok(scenario) => Some(story(&scenario, client)),
        Err(ScenarioError::NoSuch { .. }) if !name.starts_with("builtin:") && client.is_none() => None,
        Err(error) => return Err(error.into()),
    };
    let fault = Fault::known(name).map(|known| fault(known.row));
    let law = judge::property(name).map(law);
    let defect = DEFECTS.iter().chain(slips()).find(|defect| defect.name == name).map(defect);
    let rule = console::rule(name).map(explained);
    let mut texts: Vec<String> = [law, scenario, fault, defect, rule].into_iter().flatten().collect();
    let below = endpoints_of(|id| root_of(id) == name);
    if !below.is_empty() {
        texts.push(format!("Endpoints below /{name}\n{below}"));
    }
    if texts.is_empty() {
        match Profile::builtin().by_name(name) {
            Ok(found) => texts.push(endpoint(found)),
            Err(NameError::Ambiguous { full, .. }) => {
                return Err(Problem::input(format!("several endpoints are called `{name}`"))
                    .help(format!("write one of `{}`", full.join("`, `"))));
            }
            Err(NameError::Unknown { nearest, .. }) => {
                let nearest = if nearest.is_empty() { like(name) } else { nearest };
                return Err(Problem::input(format!("nothing is called `{name}`"))
                    .help(nearest_or(&nearest, "`faultdeck explain` lists every name")));
            }
        }
    }
    Ok(texts.join("\n"))
}

/// Properties, scenarios and faults whose names look like `name`.
fn like(name: &str) -> Vec<String> {
    let mut known: Vec<&str> = judge::PROPERTIES.iter().map(|property| property.id).collect();
    known.extend(Scenario::builtins().iter().map(|(name, _)| name.rsplit('/').next().unwrap_or(name)));
    known.extend(Fault::CATALOGUE.iter().map(|row| row.name));
    known.extend(Fault::CATALOGUE.iter().flat_map(|row| row.aliases).map(|alias| alias.name));
    known.extend(DEFECTS.iter().map(|defect| defect.name));
    known.extend(console::RULES.iter().map(|rule| rule.id));
    crate::spelling::nearest(name, known).into_iter().map(str::to_owned).collect()
}

fn properties() -> String {
    let rows: String = judge::PROPERTIES.iter().map(|property| row(property.id, property.summary)).collect();
    let on_the_wire = judge::PROPERTIES.iter().filter(|property| property.in_a_suite.is_some());
    let on_the_wire: Vec<&str> = on_the_wire.map(|property| property.id).collect();
    format!(
        "Properties: a scenario's `must.hold` names them, `judge` puts them to the test\n{rows}  From the wire alone, \
         `run` judges {}.\n",
        on_the_wire.join(", ")
    )
}

fn law(property: &'static judge::Property) -> String {
    let mut text =
        format!("{}: a property\n\n{}\n\n{}\n", property.id, property.summary, wrapped(property.long));
    let holds = |name: &&str| {
        Scenario::builtin(name, Profile::builtin())
            .is_some_and(|scenario| scenario.must.hold.iter().any(|named| named.name == property.id))
    };
    let held: Vec<&str> = Scenario::builtins().iter().map(|(name, _)| *name).filter(holds).collect();
    if !property.limits.is_empty() {
        text.push_str("\nNo violation yet, at most:\n");
    }
    for limit in property.limits {
        text.push_str(&format!("  {:>3} {}\n", limit.most, limit.of));
    }
    let jobs: Vec<String> = property.jobs.iter().map(|job| format!("`{job}`")).collect();
    text.push_str(&format!("\nIt takes the job {}.\n", jobs.join(" or ")));
    text.push_str(match property.report {
        Needs::Nothing => "The wire shows it: nothing that the client reports is needed.\n",
        Needs::Outcome => "It is judged by the outcome that the client reports.\n",
        Needs::Resource => "It is judged by the task that the client reports.\n",
    });
    if property.in_a_suite.is_some() {
        text.push_str("`run` judges a command by it, too.\n");
    }
    if !held.is_empty() {
        text.push_str(&format!("{}\n", wrapped(&format!("Scenarios that hold it: {}.", held.join(", ")))));
    }
    if let Ok(Some(lesson)) = property.lesson() {
        text.push_str(&lesson::text(&lesson));
    }
    text
}

/// By folder, in the order of the binary.
fn scenarios() -> String {
    let mut text =
        String::from("Scenarios: use them with `--scenario NAME`; the last part of a name is enough\n");
    let mut last = "";
    for (name, _) in Scenario::builtins() {
        let folder = name.split_once('/').map_or("", |(folder, _)| folder);
        if folder != last {
            text.push_str(&format!("  {folder}/\n"));
            last = folder;
        }
        if let Some(scenario) = Scenario::builtin(name, Profile::builtin()) {
            let last = name.rsplit('/').next().unwrap_or(name);
            text.push_str(&format!("    {last:<24} {}\n", scenario.summary));
        }
    }
    text
}

fn rules() -> String {
    let rows: String = console::RULES.iter().map(|rule| row(rule.id, rule.law)).collect();
    format!("Rules of the API: `judge --upstream` puts a console to them\n{rows}")
}

fn faults() -> String {
    let rows: String = Fault::CATALOGUE.iter().map(|fault| row(fault.name, fault.summary)).collect();
    format!("Faults: write them in a scenario\n{rows}")
}

fn defects() -> String {
    let rows: String = DEFECTS.iter().map(|defect| row(defect.name, defect.summary)).collect();
    format!("Defects of the bundled careless client: `demo --defect NAME` switches single ones on\n{rows}")
}

fn defect(defect: &Defect) -> String {
    format!(
        "{}: a defect of the bundled careless client\n\n{}\n\nIt breaks {}.\nTry it:    faultdeck {}\n",
        defect.name,
        wrapped(defect.summary),
        defect.property,
        shown_by(defect)
    )
}

/// The command that shows a defect: the demo, or the first story about what only stories put to the test.
fn shown_by(defect: &Defect) -> String {
    if defect.needs_login {
        return format!("client careless wait --base URL --id ID --user NAME --defect {}", defect.name);
    }
    let of_stories = judge::property(defect.property).filter(|property| property.story.is_some());
    let scenarios =
        Scenario::builtins().iter().filter_map(|(name, _)| Scenario::builtin(name, Profile::builtin()));
    let holds = |scenario: &Scenario| scenario.must.hold.iter().any(|named| named.name == defect.property);
    match of_stories.and_then(|_| scenarios.into_iter().find(holds)) {
        None => format!("demo --defect {}", defect.name),
        Some(story) => {
            let tls = if story.needs_tls() { " --tls" } else { "" };
            format!("judge builtin:careless --scenario {}{tls}", story.name)
        }
    }
}

fn all_schemas() -> String {
    let rows: String = schemas::ALL.iter().map(|schema| row(schema.name, schema.of)).collect();
    let file = schemas::SCENARIO.file();
    format!(
        "Schemas: `explain schema NAME` prints one for your editor, which completes and checks files by it\n{rows}  Put it \
         beside your files as NAME.schema.json; their first line is then, for a scenario, `#:schema ./{file}`.\n"
    )
}

/// The schema of one kind of file, and nothing else: it is meant for a file.
fn schema(name: &str) -> Result<String, Problem> {
    if let Some(schema) = schemas::ALL.iter().find(|schema| schema.name == name) {
        return Ok(schema.text.to_owned());
    }
    let near = crate::spelling::nearest(name, schema_names());
    let near: Vec<String> = near.into_iter().map(str::to_owned).collect();
    Err(Problem::input(format!("there is no schema `{name}`"))
        .help(nearest_or(&near, &format!("there are {}", schema_names().join(", ")))))
}

fn endpoints() -> String {
    format!("Endpoints: name them in a scenario\n{}", endpoints_of(|_| true))
}

fn endpoints_of(is_meant: impl Fn(&str) -> bool) -> String {
    let profile = Profile::builtin();
    profile.ids().filter(|id| is_meant(id)).map(|id| row(&profile.short_name(id), id)).collect()
}

/// The roots of the API, with the number of endpoints below each.
fn roots() -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for id in Profile::builtin().ids() {
        *counts.entry(root_of(id)).or_default() += 1;
    }
    let rows: String = counts.iter().map(|(root, count)| row(root, &count.to_string())).collect();
    let all: usize = counts.values().sum();
    format!(
        "Endpoints: {all}, by root; `explain ROOT` lists those below one, `explain endpoints` all\n{rows}"
    )
}

fn root_of(id: &str) -> &str {
    id.split('/').nth(1).unwrap_or_default()
}

fn row(name: &str, summary: &str) -> String {
    format!("  {name:<26} {summary}\n")
}

fn fault(row: &Row) -> String {
    let mut text = format!("{}: a fault\n\n{}\n\n{}\n", row.name, row.summary, wrapped(row.docs));
    text.push_str(&format!("\nWrite it:\n  {}\n", row.example.replace('\n', "\n  ")));
    if let Some(line) = in_a_line(row) {
        text.push_str(&format!("  --fault {}\n", shell_word(&line)));
    }
    if row.at == At::Connection {
        text.push_str("It befalls connections, before any request.\n");
    }
    if !row.parameters.is_empty() {
        text.push_str("\nParameters:\n");
    }
    for parameter in row.parameters {
        let default =
            parameter.default.map_or("required".to_owned(), |default| format!("{default} if left out"));
        let takes = parameter.takes.in_words();
        text.push_str(&format!("  {:<14} {}: {takes}, {default}\n", parameter.name, parameter.meaning));
    }
    text.push_str(&format!("\n{}\n", row.effect.in_words()));
    text.push_str(match row.work {
        Work::Done => "The console did its work: a creation counts, although the answer suffers.\n",
        Work::NotDone => "The console did not do its work: a creation does not count.\n",
    });
    if row.meets_refused {
        text.push_str("A request that is refused at the door (no token, a bad `fields`) can meet it, too.\n");
    }
    if !row.aliases.is_empty() {
        text.push_str("\nOther tools call it:\n");
    }
    for alias in row.aliases {
        let renamed = alias.parameters.iter().map(|(theirs, ours)| format!("`{theirs}` is `{ours}`"));
        let set = alias.sets.iter().map(|(name, value)| format!("`{name}` is {value}"));
        let notes: Vec<String> = renamed.chain(set).collect();
        let notes = if notes.is_empty() { String::new() } else { format!("; {}", notes.join(", ")) };
        text.push_str(&format!("  {:<26} {}{notes}\n", alias.name, alias.of));
    }
    text
}

fn story(scenario: &Scenario, client: Option<&Program>) -> String {
    let mut text = format!("{}: a scenario\n\n{}\n\n", scenario.name, wrapped(&scenario.summary));
    match &scenario.source {
        Source::Cassette(Some(name)) => text.push_str(&format!("Answers from the cassette {name}.\n")),
        Source::Cassette(None) => {}
        Source::Emulate => text.push_str("Answers from the built-in console.\n"),
    }
    let hold: Vec<&str> = scenario.must.hold.iter().map(|named| named.name.as_str()).collect();
    if !hold.is_empty() {
        text.push_str(&format!("Must hold: {}.\n", hold.join(", ")));
    }
    text.push_str(match scenario.must.command {
        CommandMust::Passes => "A command run under it must pass (`run --command any` lets it fail).\n",
        CommandMust::Fails => "A command run under it must fail.\n",
        CommandMust::Any => "A command run under it may pass or fail.\n",
    });
    let file = scenario.file.as_ref().map(|file| shell_word(&file.display().to_string()));
    let named = file.unwrap_or_else(|| format!("builtin:{}", scenario.name));
    text.push_str(&format!("Try it:    faultdeck run --scenario {named} -- COMMAND\n"));
    let drawn = story::drawn(scenario);
    if !drawn.is_empty() {
        text.push_str(&format!("\n{drawn}"));
    }
    if let Some(client) = client {
        text.push_str(&format!("\nWhat {} would hide:\n", client.name()));
        let warnings = hidden::warnings(scenario, client);
        for warning in &warnings {
            text.push_str(&format!("  {warning}\n"));
        }
        if warnings.is_empty() {
            text.push_str("  nothing that its file tells of\n");
        }
    }
    text.push_str(&format!("\nIts file:\n\n{}", scenario.text));
    text
}

fn endpoint(endpoint: &Endpoint) -> String {
    let mut text = format!("{}: an endpoint, {}\n", Profile::builtin().short_name(&endpoint.id), endpoint.id);
    if !endpoint.summary.is_empty() {
        text.push_str(&format!("\n{}\n", wrapped(&endpoint.summary)));
    }
    let fields = endpoint.shape.names();
    if !fields.is_empty() {
        let of = if endpoint.is_list { "a list of objects with " } else { "an object with " };
        text.push_str(&format!("\n{}\n", wrapped(&format!("Answers {of}{}.", fields.join(", ")))));
    }
    if !endpoint.errors.is_empty() {
        text.push_str("\nDocumented errors:\n");
    }
    for error in &endpoint.errors {
        text.push_str(&format!("  {}/{:<6} {}\n", error.status, error.code, error.description));
    }
    text
}

/// Paragraphs broken into lines of at most 96 characters.
pub(super) fn wrapped(text: &str) -> String {
    const WIDTH: usize = 96;
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_paragraphs_are_broken_between_words() {
        let text = format!("{}\n\nshort", "word ".repeat(40));
        assert!(wrapped(&text).lines().all(|line| line.len() <= 96) && wrapped(&text).ends_with("\n\nshort"));
    }

    #[test]
    fn every_fault_and_endpoint_is_explained() {
        for row in Fault::CATALOGUE {
            let text = one(row.name, None).unwrap();
            assert!(text.contains(row.summary) && text.contains("  --fault "), "{text}");
            for alias in row.aliases {
                let text = one(alias.name, None).unwrap();
                assert!(text.contains(alias.name), "{text}");
            }
        }
        for id in Profile::builtin().ids() {
            assert!(one(id, None).unwrap().contains(id));
        }
    }
}
