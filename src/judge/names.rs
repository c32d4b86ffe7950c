//! The names of properties in a scenario's `must.hold`, resolved one layer above the scenario that wrote them.

use super::law::{PROPERTIES, Property, property};
use crate::scenario::{Diagnostic, Named, Scenario};
use crate::spelling::nearest;

/// The properties a scenario says must hold, in its order.
///
/// # Errors
/// The first name that is no property's, with its place in the text and the nearest name there is.
pub fn resolve(scenario: &Scenario) -> Result<Vec<&'static Property>, Box<Diagnostic>> {
    let known = scenario
        .must
        .hold
        .iter()
        .map(|named| property(&named.name).ok_or_else(|| Box::new(unknown(scenario, named))));
    known.collect()
}

/// Every name in `must.hold` that is no property's, and a found case's if it is none.
pub fn unknown_names(scenario: &Scenario) -> Vec<Diagnostic> {
    let wrong = scenario.must.hold.iter().filter(|named| property(&named.name).is_none());
    let mut found: Vec<Diagnostic> = wrong.map(|named| unknown(scenario, named)).collect();
    if let Some(case) = &scenario.case
        && property(&case.property).is_none()
    {
        let at = scenario.text.find(&case.property).unwrap_or(0);
        let named = Named { name: case.property.clone(), at: at..at + case.property.len() };
        found.push(unknown(scenario, &named));
    }
    found
}

fn unknown(scenario: &Scenario, named: &Named) -> Diagnostic {
    let ids: Vec<&str> = PROPERTIES.iter().map(|property| property.id).collect();
    let nearest = nearest(&named.name, ids.iter().copied()).into_iter().next();
    let help = match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("the properties are: {}", ids.join(", ")),
    };
    let file =
        scenario.file.as_ref().map_or_else(|| scenario.name.clone(), |file| file.display().to_string());
    Diagnostic {
        file,
        text: scenario.text.clone(),
        message: format!("no property is called `{}`", named.name),
        at: named.at.clone(),
        label: "no such property".to_owned(),
        help: Some(help),
    }
}
