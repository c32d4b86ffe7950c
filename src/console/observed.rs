//! What a console was seen to do, as a file to keep: so an inferred rule becomes an observed one. Below `profiles/` it is
//! read again.

use serde::Serialize;

use crate::profile::Observation;

#[derive(Serialize)]
struct File<'a> {
    observed: &'a [Observation],
}

/// The text of a file of observations.
///
/// # Errors
/// Only if a text cannot be written as TOML, which no text of ours is.
pub fn written(version: Option<&str>, observed: &[Observation]) -> Result<String, toml::ser::Error> {
    let version = version.map_or("without a Version header".to_owned(), |it| format!("with `Version: {it}`"));
    let head = format!(
        "# What a console was seen to do, asked {version}: written by `faultdeck judge --upstream`.\n\
         # Below `profiles/`, `faultdeck profile show` tells it. `rests_on` is what the rule rested on before;\n\
         # `faultdeck explain RULE` says more of it.\n\n"
    );
    Ok(head + &toml::to_string(&File { observed })?)
}
