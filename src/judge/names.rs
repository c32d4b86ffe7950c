//! The names of properties in a scenario's `must.hold`, resolved one layer above the scenario that wrote them.

use super::law::{PROPERTIES, Property, property};
use crate::scenario::{Diagnostic, Mistakes, Named, Scenario};
use crate::spelling::nearest;

/// The properties a scenario says must hold, in its order.
///
/// # Errors
/// The names that are no property's, each with its place in the text and the nearest name there is.
pub fn resolve(scenario: &Scenario) -> Result<Vec<&'static Property>, Mistakes> {
    let hold = &scenario.must.hold;
    let known: Vec<&'static Property> = hold.iter().filter_map(|named| property(&named.name)).collect();
    let shown = shown(scenario);
    let mut unknown = unknown_in(hold, &shown, &scenario.text);
    match unknown.next() {
        None => Ok(known),
        Some(first) => Err(Mistakes::from(first).and(unknown)),
    }
}

/// The mistakes of a scenario that could not be read, and with them the names in it that are no property's.
pub fn with_names(mistakes: Mistakes) -> Mistakes {
    let Some(first) = mistakes.shown().first() else { return mistakes };
    let unknown: Vec<Diagnostic> = unknown_in(mistakes.names(), &first.file, &first.text).collect();
    mistakes.and(unknown)
}

/// Every name in `must.hold` that is no property's, and a found case's if it is none.
pub fn unknown_names(scenario: &Scenario) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> =
        unknown_in(&scenario.must.hold, &shown(scenario), &scenario.text).collect();
    if let Some(case) = &scenario.case
        && property(&case.property).is_none()
    {
        let at = scenario.text.find(&case.property).unwrap_or(0);
        let named = Named { name: case.property.clone(), at: at..at + case.property.len() };
        found.push(unknown(&named, &shown(scenario), &scenario.text));
    }
    found
}

/// What messages call a scenario.
fn shown(scenario: &Scenario) -> String {
    scenario.file.as_ref().map_or_else(|| scenario.name.clone(), |file| file.display().to_string())
}

fn unknown_in(names: &[Named], file: &str, text: &str) -> impl Iterator<Item = Diagnostic> {
    names.iter().filter(|named| property(&named.name).is_none()).map(|named| unknown(named, file, text))
}

fn unknown(named: &Named, file: &str, text: &str) -> Diagnostic {
    let ids: Vec<&str> = PROPERTIES.iter().map(|property| property.id).collect();
    let nearest = nearest(&named.name, ids.iter().copied()).into_iter().next();
    let help = match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("the properties are: {}", ids.join(", ")),
    };
    Diagnostic {
        file: file.to_owned(),
        text: text.to_owned(),
        message: format!("no property is called `{}`", named.name),
        at: named.at.clone(),
        label: "no such property".to_owned(),
        help: Some(help),
    }
}
