//! `faultdeck doctor`: what stands in the way on this machine, and on the way to a console.
//!
//! - `machine` looks at this machine, and contacts nobody
//! - `way` goes to the console that was named, by GET alone

mod machine;
mod way;

use std::path::Path;

use serde::Serialize;

use super::console::{Console, Token};
use super::output;
use super::problem::Problem;
use super::settings::BY_HAND;
use crate::ledger::Exit;
use crate::report::visible;

/// Looks for what stands in the way: of listening, of a proxy, of the way to a console.
///
/// Each line is ok, trouble or not tried, with the fix. Nobody is contacted but the console that --upstream names, by GET; the
/// token is never shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck doctor                                      # this machine alone
  FAULTDECK_CONSOLE_SEC=... faultdeck doctor --upstream https://console.example
  faultdeck doctor --format json

Exit codes: 0 no trouble; 1 trouble; 2 an argument is wrong.")]
pub(super) struct Args {
    /// Goes to this console, too: https://HOST or https://HOST:PORT (or http).
    #[arg(long, value_name = "URL", group = BY_HAND)]
    upstream: Option<String>,
    /// For people, or JSON.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// How many seconds the console may take for each step.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    console_timeout: u64,
    #[command(flatten)]
    token: Token,
    #[command(flatten)]
    console: Console,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Json,
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Trouble,
    NotTried,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
    check: &'static str,
    state: State,
    /// What was found.
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Check {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Ok, found: found.into(), fix: None }
    }

    fn trouble(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, state: State::Trouble, found: found.into(), fix: Some(fix.into()) }
    }

    fn not_tried(check: &'static str, found: impl Into<String>, fix: Option<&str>) -> Self {
        Self { check, state: State::NotTried, found: found.into(), fix: fix.map(str::to_owned) }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    exit: u8,
    checks: &'a [Check],
}

pub(super) async fn run(args: Args, settings: Option<&Path>) -> Result<Exit, Problem> {
    let mut checks = machine::checks(settings);
    checks.extend(way::checks(&args).await?);
    let is_well = checks.iter().all(|check| check.state != State::Trouble);
    let exit = if is_well { Exit::Passed } else { Exit::Failed };
    output::data(&match args.format {
        Format::Human => human(&checks),
        Format::Json => json(&Report { exit: exit.code(), checks: &checks })?,
    })?;
    Ok(exit)
}

fn json(report: &Report<'_>) -> Result<String, Problem> {
    let text = serde_json::to_string_pretty(report);
    text.map(|text| text + "\n").map_err(|error| Problem::failed(format!("cannot write JSON: {error}")))
}

/// A line for each, and its fix on the next.
fn human(checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { check, state, found, fix } in checks {
        let word = match state {
            State::Ok => "ok",
            State::Trouble => "TROUBLE",
            State::NotTried => "not tried",
        };
        let mut lines = found.lines().map(visible);
        text.push_str(&format!("{word:<10} {check:<12} {}\n", lines.next().unwrap_or_default()));
        lines.for_each(|line| text.push_str(&format!("{:<23} {line}\n", "")));
        if let Some(fix) = fix {
            text.push_str(&format!("{:<23} fix: {}\n", "", visible(fix)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_is_a_line_with_its_fix_on_the_next() {
        let checks = [
            Check::ok("ports", "free"),
            Check::trouble("proxy", "one line\nand another", "export X=1"),
            Check::not_tried("token", "no console is named", None),
        ];
        assert_eq!(
            human(&checks),
            "ok         ports        free\n\
             TROUBLE    proxy        one line\n                        and another\n                        fix: export X=1\n\
             not tried  token        no console is named\n"
        );
    }
}
