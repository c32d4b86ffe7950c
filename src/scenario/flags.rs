//! Planned faults that stand on a command line, one a flag, beside a scenario's own or in place of one.

use super::one_line::as_toml;
use super::trigger::assign_keys;
use super::{PlannedFault, Scenario, ScenarioError};
use crate::profile::Profile;

/// What a scenario is called that is made of flags alone.
const NAME: &str = "--fault";
/// The most of them.
const MOST: usize = 1_000;

impl Scenario {
    /// A story of nothing but these faults, each written in one line: `api-error:500/1020@case_create_tasks.get#3`.
    ///
    /// # Errors
    /// The first mistake, shown in the words of a scenario.
    pub fn of_faults(lines: &[String], profile: &Profile) -> Result<Self, ScenarioError> {
        let empty = Self::parse(NAME, NAME, "summary = \"The faults of the command line.\"\n", profile)?;
        empty.with_faults(lines, profile)
    }

    /// Whether it is made of faults of a command line alone.
    pub(crate) fn is_of_faults(&self) -> bool {
        self.name == NAME && self.file.is_none()
    }

    /// The same story with these faults after its own. What they do anyway, they do: no draw of another changes.
    ///
    /// # Errors
    /// The first mistake, shown in the words of a scenario; a name that another fault has.
    pub fn with_faults(mut self, lines: &[String], profile: &Profile) -> Result<Self, ScenarioError> {
        for line in lines.iter().take(MOST) {
            let toml = as_toml(line);
            // One that comes after another of this story has to find it.
            let story = format!("{}\n{toml}", self.named_faults());
            let mut read = Self::parse(NAME, &format!("{NAME} {line}"), &story, profile)?;
            let Some(fault) = read.faults.pop() else { continue };
            self.text.push_str(&format!("\n# {NAME} {}\n{toml}", line.escape_debug()));
            self.faults.push(fault);
        }
        assign_keys(&mut self.faults);
        Ok(self)
    }

    /// The faults that have names, as another text has to repeat them to speak of them.
    fn named_faults(&self) -> String {
        let named = |fault: &&PlannedFault| fault.name.is_some();
        let only = Self { faults: self.faults.iter().filter(named).cloned().collect(), ..self.bare() };
        only.to_toml()
    }

    /// A story in which nothing happens.
    fn bare(&self) -> Self {
        Self {
            name: self.name.clone(),
            summary: String::new(),
            text: String::new(),
            source: super::Source::Cassette(None),
            must: super::Must::default(),
            deployment: None,
            path: Vec::new(),
            polls_per_phase: None,
            clock: None,
            repeats: super::Repeats::default(),
            writes: super::Writes::default(),
            matching: crate::cassette::MatchRules::default(),
            unknown_id_misses: false,
            faults: Vec::new(),
            case: None,
            file: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Result<Scenario, ScenarioError> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        Scenario::of_faults(&lines, Profile::builtin())
    }

    #[test]
    fn a_line_is_the_fault_it_says_and_is_written_alike() {
        for line in [
            "hang",
            "api-error:500/1020@GET /forensics/case_management/case_create_tasks/{id}#3",
            "latency:300/20@* /console/**#2-4?session=ci-*&chance=1/10",
            "drop-field:state?query=filter=a<b&state=done&tick=0-3&since_start_ms=10-&most=2&optional",
            "drop-field:\"a,b/c\"?name=first",
            "close:40?of=endpoint&call=2&resource=/x/*",
        ] {
            let scenario = of(&[line]).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(scenario.faults[0].to_string(), line);
            // The ledger holds the text, so it has to be one.
            let again = Scenario::parse("x", "x", &scenario.text, Profile::builtin()).unwrap();
            assert_eq!(again.faults, scenario.faults, "{line}");
        }
    }

    #[test]
    fn short_names_and_parameters_by_name_will_do() {
        let long = of(&["api-error:status=404,code=1002@case_create_tasks.get"]).unwrap();
        let short = of(&["api-error:404/1002@case_create_tasks.get"]).unwrap();
        assert_eq!(long.faults, short.faults);
    }

    #[test]
    fn a_mistake_is_shown_in_the_words_of_a_scenario() {
        for (line, message) in [
            ("hng", "no fault is called `hng`"),
            ("latency", "`latency` lacks `ms`"),
            ("hang:1/2", "unknown key `value-2`"),
            ("api-error:500/1020@case_create_task.get", "no endpoint is called"),
            ("hang#0", "not possible"),
            ("hang?when=now", "unknown key `when`"),
            ("", "no fault is called ``"),
            ("hang?after=outage", "no fault is called `outage`"),
        ] {
            let error = of(&[line]).unwrap_err().to_string();
            assert!(error.contains(message), "{line}: {error}");
        }
        assert!(of(&["hang?name=a", "reset:5?name=a"]).unwrap_err().to_string().contains("two faults"));
        assert!(of(&["hang?name=a", "reset:5?after=a"]).is_ok());
    }
}
