//! Reads `inject = { ... }`: which fault, with which parameters.

use serde::Deserialize;

use super::ScenarioError;
use super::read::{Entry, Read, quoted};
use crate::fault::{FRAMEWORK_ERRORS, Fault, Row, Takes};
use crate::profile::{Endpoint, Profile};
use crate::spelling::nearest;

/// How a fault is written.
const FORM: &str = "write one fault as a table, for example inject = { latency = { ms = 1500 } }";

/// The fault of a `[[fault]]` that waits for `endpoint`, if it names one.
pub(super) fn read_inject(entry: &Entry<'_>, endpoint: Option<&Endpoint>, profile: &Profile) -> Read<Fault> {
    let kind = the_only_kind(entry)?;
    let row = Fault::row(kind.key).ok_or_else(|| {
        kind.fail_at_key(format!("no fault is called `{}`", kind.key), "not a fault", near_kinds(kind.key))
    })?;
    let parameters = checked_parameters(&kind, row)?;
    let table = toml::Table::from_iter([(row.name.to_owned(), toml::Value::Table(parameters))]);
    let fault = Fault::deserialize(table).map_err(|error| {
        kind.fail(format!("`{}` cannot be read: {}", row.name, error.message()), "this", None)
    })?;
    fault.check().map_err(|mistake| {
        let members = kind.members().unwrap_or_default();
        let place = members.iter().find(|member| member.key == mistake.parameter).unwrap_or(&kind);
        place.fail(format!("`{}` {}", mistake.parameter, mistake.why), "this value", None)
    })?;
    if let Some(error) = fault.answers() {
        documented(error, &kind, endpoint, profile)?;
    }
    Ok(fault)
}

/// The one member of the `inject` table.
fn the_only_kind<'t>(entry: &Entry<'t>) -> Read<Entry<'t>> {
    if let Some(name) = entry.value().as_str() {
        let (message, help) = match Fault::row(name) {
            Some(row) => (
                "a fault is written as a table, not as a bare name".to_owned(),
                format!("write {}", row.example),
            ),
            None => (format!("no fault is called `{}`", name.escape_debug()), near_kinds(name)),
        };
        return Err(entry.fail(message, "a bare name", Some(help)));
    }
    let Some(members) = entry.members() else {
        return Err(entry.fail(
            "`inject` must be a table that names one fault",
            "not a table",
            Some(FORM.to_owned()),
        ));
    };
    let mut members = members.into_iter();
    match (members.next(), members.next()) {
        (Some(kind), None) => Ok(kind),
        (None, _) => Err(entry.fail(
            "`inject` names no fault",
            "an empty table",
            Some(format!("{FORM}; {}", all_kinds())),
        )),
        (Some(first), Some(second)) => Err(second.fail_at_key(
            format!("`inject` names two faults, `{}` and `{}`", first.key, second.key),
            "the second",
            "give each fault a [[fault]] of its own; they apply in file order, those that take the answer's place first".to_owned(),
        )),
    }
}

fn near_kinds(name: &str) -> String {
    match nearest(name, Fault::CATALOGUE.iter().map(|row| row.name)).first() {
        Some(near) => format!("did you mean `{near}`? {}", all_kinds()),
        None => all_kinds(),
    }
}

fn all_kinds() -> String {
    format!("the faults are {}", quoted(Fault::CATALOGUE.iter().map(|row| row.name), "and"))
}

/// The parameters of a fault: known, all there, each within its range.
fn checked_parameters(kind: &Entry<'_>, row: &Row) -> Read<toml::Table> {
    let keys: Vec<&str> = row.parameters.iter().map(|parameter| parameter.name).collect();
    let what = format!("`{}`", row.name);
    let example = format!("write {}", row.example);
    let given = kind.table(&what, &keys, &example)?;
    let mut parameters = toml::Table::new();
    for parameter in row.parameters {
        let Some(entry) = given.get(parameter.name) else {
            if parameter.default.is_none() {
                let message = format!("`{}` lacks `{}`: {}", row.name, parameter.name, parameter.meaning);
                return Err(kind.fail(
                    message,
                    format!("`{}` is needed here", parameter.name),
                    Some(example),
                ));
            }
            continue;
        };
        let value = match parameter.takes {
            Takes::Number(least, most) => i64::from(entry.number32(least..=most)?).into(),
            Takes::Name => entry.name()?.into(),
        };
        parameters.insert(parameter.name.to_owned(), value);
    }
    Ok(parameters)
}

/// Whether the endpoint (any, if none is named) documents this error, or the framework answers it everywhere.
fn documented(
    error: (u16, u32),
    kind: &Entry<'_>,
    endpoint: Option<&Endpoint>,
    profile: &Profile,
) -> Read<()> {
    let (status, code) = error;
    let is_known = match endpoint {
        Some(endpoint) => endpoint.error(status, code).is_some(),
        None => profile.endpoints().any(|endpoint| endpoint.error(status, code).is_some()),
    };
    if is_known || FRAMEWORK_ERRORS.contains(&error) {
        return Ok(());
    }
    Err(undocumented(error, kind, endpoint))
}

fn undocumented((status, code): (u16, u32), kind: &Entry<'_>, endpoint: Option<&Endpoint>) -> ScenarioError {
    let pairs = |pairs: &[(u16, u32)]| {
        let pairs: Vec<String> = pairs.iter().map(|(status, code)| format!("{status}/{code}")).collect();
        pairs.join(", ")
    };
    let anywhere = format!("any endpoint may answer {}", pairs(&FRAMEWORK_ERRORS));
    let (who, help) = match endpoint {
        None => ("no endpoint documents".to_owned(), anywhere),
        Some(endpoint) => {
            let own: Vec<(u16, u32)> =
                endpoint.errors.iter().map(|error| (error.status, error.code)).collect();
            (
                format!("`{}` does not document", endpoint.id),
                format!("it documents {}; {anywhere}", pairs(&own)),
            )
        }
    };
    let message = format!("{who} the error {status}/{code}");
    kind.fail(message, "not an error this request can meet", Some(help))
}
