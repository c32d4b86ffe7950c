//! The known failures of a settings file, for the scenarios that are run or judged.

use super::super::day;
use super::super::problem::Problem;
use super::{IN_FORCE, InForce};
use crate::judge::PROPERTIES;
use crate::ledger::{Known, Knowns};
use crate::profile::Profile;
use crate::scenario::Scenario;
use crate::settings::{KnownEntry, Settings, at_line};
use crate::spelling::nearest;
use crate::written::Diagnostic;

/// What stands for the generated cases of a judgement.
const GENERATED: &str = "generated";

/// Entries that name a property that there is not.
pub(super) fn unknown(file: &str, text: &str, settings: &Settings) -> Vec<Diagnostic> {
    let ids = || PROPERTIES.iter().map(|property| property.id);
    let mistake = |entry: &KnownEntry| {
        let name = entry.known.property.as_deref().filter(|name| ids().all(|id| id != *name))?;
        let near = nearest(name, ids()).first().map(|near| format!("did you mean `{near}`? "));
        let help = near.unwrap_or_default() + "`faultdeck explain properties` lists them";
        let label = "the entry that begins here names it".to_owned();
        let mistake = at_line(file, text, entry.line, format!("no property is called `{name}`"), label);
        Some(Diagnostic { help: Some(help), ..mistake })
    };
    settings.known.iter().filter_map(mistake).collect()
}

/// The known failures of these scenarios, by the names that they have here; and those of generated cases.
///
/// # Errors
/// If an entry names a scenario or an endpoint that there is not.
pub(in crate::cli) fn knowns<'s>(
    scenarios: impl IntoIterator<Item = &'s Scenario>,
) -> Result<Knowns, Problem> {
    let Some(InForce { file, known, .. }) = IN_FORCE.get().filter(|it| !it.known.is_empty()) else {
        return Ok(Knowns::default());
    };
    let here: Vec<(String, &str)> =
        scenarios.into_iter().map(|it| (it.identity(), it.name.as_str())).collect();
    let mut entries = Vec::new();
    for KnownEntry { known, line } in known {
        let place = |problem: Problem| {
            let why = problem.message();
            Problem::input(format!("{file}:{line}: a known failure: {why}"))
                .help("take the entry out, or name what there is: an entry that is about nothing hides what it was for")
        };
        let endpoint = known.endpoint.as_deref().map(|endpoint| Profile::builtin().aim(endpoint)).transpose();
        let endpoint = endpoint.map_err(|error| place(Problem::input(error)))?;
        let known = Known { endpoint, ..known.clone() };
        if known.scenario == GENERATED {
            entries.push(known);
            continue;
        }
        let named = Scenario::open(&known.scenario, Profile::builtin());
        let identity = named.map_err(|error| place(error.into()))?.identity();
        let names = here.iter().filter(|(other, _)| *other == identity);
        entries.extend(names.map(|(_, name)| Known { scenario: (*name).to_owned(), ..known.clone() }));
    }
    Ok(Knowns::new(entries, day::today()))
}
