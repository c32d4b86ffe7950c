//! What a replay answers from: the cassette the command line names, else the one its scenario names.

use crate::cassette::Cassette;
use crate::cassette::find::{Asker, find};
use crate::scenario::{Scenario, Source};

use super::problem::Problem;

/// What the arguments come to.
#[derive(Debug)]
pub(super) enum Chosen {
    /// A recording.
    Cassette(Box<Cassette>),
    /// The small console in memory (`console = "emulate"`).
    Emulate,
}

/// The command line wins; then the scenario says.
///
/// # Errors
/// If neither names one, or there is no such cassette.
pub(super) fn choose(argument: Option<&str>, scenario: Option<&Scenario>) -> Result<Chosen, Problem> {
    if let Some(argument) = argument {
        return Ok(Chosen::Cassette(Box::new(find(argument, Asker::CommandLine)?)));
    }
    let none = || {
        Problem::input("no cassette is named, neither by an argument nor by a scenario")
            .help("name one, as `forensics/create-case` or `path/to/file.json`")
    };
    let scenario = scenario.ok_or_else(none)?;
    match &scenario.source {
        Source::Emulate => Ok(Chosen::Emulate),
        Source::Cassette(None) => Err(none()),
        Source::Cassette(Some(name)) => {
            let asker = Asker::Scenario(scenario.file.as_deref());
            Ok(Chosen::Cassette(Box::new(find(name, asker)?)))
        }
    }
}
