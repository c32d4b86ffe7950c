//! `--fault`: trouble in one line.

use super::problem::Problem;
use super::repeat::Repeat;
use crate::profile::Profile;
use crate::report::shell_word;
use crate::scenario::Scenario;

/// The flags that plan faults.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Faults {
    /// A fault, beside those of a scenario or without one: `KIND[:VALUES][@ENDPOINT][#NTH][?CONDITIONS]`, for example
    /// `hang`, `latency:300@case_create_tasks.get#2-4` or `api-error:500/1020@*?chance=1/10`. `faultdeck explain faults`
    /// lists the kinds. Can be given several times.
    #[arg(long = "fault", value_name = "FAULT")]
    lines: Vec<String>,
}

impl Faults {
    /// These.
    pub(super) fn of(lines: Vec<String>) -> Self {
        Self { lines }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The scenario with them; a story of their own if there is none.
    ///
    /// # Errors
    /// If one of them has a mistake.
    pub(super) fn put_into(&self, scenario: Option<Scenario>) -> Result<Option<Scenario>, Problem> {
        let profile = Profile::builtin();
        Ok(match scenario {
            scenario if self.is_empty() => scenario,
            Some(scenario) => Some(scenario.with_faults(&self.lines, profile)?),
            None => Some(Scenario::of_faults(&self.lines, profile)?),
        })
    }

    /// Adds them to a command line that does the same again.
    pub(super) fn repeat(&self, repeat: &mut Repeat) {
        self.lines.iter().for_each(|line| repeat.flag("--fault", line));
    }

    /// The same as a text, with a blank before each.
    pub(super) fn words(&self) -> String {
        self.lines.iter().map(|line| format!(" --fault {}", shell_word(line))).collect()
    }
}
