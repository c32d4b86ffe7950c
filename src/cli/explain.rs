//! `faultdeck explain`: a fault, a scenario or a property, in words.

use super::output;
use super::problem::Problem;
use crate::fault::{At, Fault, Row, Work};
use crate::profile::Profile;
use crate::run::Exit;
use crate::scenario::{CommandMust, Scenario, Source};

/// Explains a fault, a built-in scenario or a property; without a name, lists them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck explain                  # everything there is, a line each
  faultdeck explain latency          # a fault: what it does, how it is written
  faultdeck explain lost-answer      # a scenario: the story and what must hold
  faultdeck explain creates-once     # a property: the law, and what breaks it")]
pub(super) struct Args {
    /// The name of a fault, a scenario or a property.
    name: Option<String>,
}

pub(super) fn run(args: Args) -> Result<Exit, Problem> {
    let text = match args.name.as_deref() {
        None => everything(),
        Some("faults") => faults(),
        Some("scenarios") => scenarios(),
        Some(name) => {
            let name = name.strip_prefix("builtin:").unwrap_or(name);
            one(name).ok_or_else(|| unknown(name))?
        }
    };
    output::data(&text)?;
    Ok(Exit::Passed)
}

fn unknown(name: &str) -> Problem {
    Problem::input(format!("nothing is called `{name}`")).help("`faultdeck explain` lists every name")
}

fn one(name: &str) -> Option<String> {
    let fault = Fault::CATALOGUE.iter().find(|row| row.name == name).map(fault);
    let scenario = Scenario::builtin(name, Profile::builtin()).map(|scenario| story(&scenario));
    let texts: Vec<String> = [fault, scenario].into_iter().flatten().collect();
    if texts.is_empty() { None } else { Some(texts.join("\n")) }
}

fn everything() -> String {
    format!("{}\n{}", scenarios(), faults())
}

fn faults() -> String {
    let mut text = String::from("Faults (write them in a scenario, `inject = { NAME = { ... } }`)\n");
    for row in Fault::CATALOGUE {
        text.push_str(&format!("  {:<18} {}\n", row.name, row.summary));
    }
    text
}

fn scenarios() -> String {
    let mut text = String::from("Scenarios (use them with `--scenario builtin:NAME`)\n");
    for (name, _) in Scenario::builtins() {
        if let Some(scenario) = Scenario::builtin(name, Profile::builtin()) {
            text.push_str(&format!("  {name:<22} {}\n", scenario.summary));
        }
    }
    text
}

fn fault(row: &Row) -> String {
    let at = match row.at {
        At::Connection => "a connection, before any request",
        At::Response => "a response",
    };
    let work = match row.work {
        Work::Done => "the console did the work: a creation counts, although the answer is disturbed",
        Work::NotDone => "the console did not do the work: a creation does not count",
    };
    format!(
        "{}: a fault\n\n{}\n\nAt:    {at}\nWork:  {work}\nWrite: {}\n",
        row.name, row.summary, row.example
    )
}

fn story(scenario: &Scenario) -> String {
    let mut text = format!("{}: a scenario\n\n{}\n\n", scenario.name, scenario.summary);
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
        CommandMust::Passes => "A command run under it must pass.\n",
        CommandMust::Fails => "A command run under it must fail.\n",
        CommandMust::Any => "A command run under it may pass or fail.\n",
    });
    text.push_str(&format!("Try it:    faultdeck run --scenario builtin:{} -- COMMAND\n", scenario.name));
    text.push_str(&format!("\n{}", scenario.text));
    text
}
