//! Reads `inject = { ... }`: which fault, with which parameters.

use serde::Deserialize;

use super::one_line::conditions_of;
use super::planned::Nth;
use super::read::{Entry, Noted, Read, every};
use super::when::When;
use crate::fault::{FRAMEWORK_ERRORS, Fault, Greets, Known, Parameter, Takes};
use crate::profile::{Endpoint, Profile};
use crate::spelling::nearest;

/// How a fault is written.
const FORM: &str = "write one fault as a table, for example inject = { latency = { ms = 1500 } }";

/// The fault of a `[[fault]]` that waits for `endpoint`, if it names one.
///
/// # Errors
/// If something is wrong with it; that is noted.
pub(super) fn read_inject(
    entry: &Entry<'_>,
    when: &When,
    endpoint: Option<&Endpoint>,
    profile: &Profile,
) -> Read<Fault> {
    let kind = the_only_kind(entry)?;
    let known = Fault::known(kind.key).ok_or_else(|| {
        kind.fail_at_key(format!("no fault is called `{}`", kind.key), "not a fault", near_kinds(kind.key))
    })?;
    let row = known.row;
    let parameters = checked_parameters(&kind, known)?;
    let table = toml::Table::from_iter([(row.name.to_owned(), toml::Value::Table(parameters))]);
    let fault = Fault::deserialize(table).map_err(|error| {
        kind.fail(format!("`{}` cannot be read: {}", row.name, error.message()), "this", None)
    })?;
    fault.check().map_err(|mistake| {
        let members = kind.members().unwrap_or_default();
        let place = members.iter().find(|member| member.key == mistake.parameter).unwrap_or(&kind);
        place.fail(format!("`{}` {}", mistake.parameter, mistake.why), "this value", None)
    })?;
    if let Some(greets) = fault.greets() {
        of_connections(&kind, row.name, when, greets)?;
    }
    let life =
        |endpoint: &Endpoint| profile.task_of(&endpoint.id).or_else(|| profile.created_by(&endpoint.id));
    if let Some(why) = endpoint.and_then(|endpoint| fault.never_at(endpoint, life(endpoint))) {
        let message = format!("`{}` can never happen here: {why}", row.name);
        let help = "aim it at another endpoint, or at none: then it meets whatever it can".to_owned();
        return Err(kind.fail_at_key(message, "would never fire", help));
    }
    if let Some(error) = fault.answers() {
        documented(error, &kind, endpoint, profile)?;
    }
    Ok(fault)
}

/// A fault of connections comes before any request: nothing of one can be waited for.
fn of_connections(kind: &Entry<'_>, name: &str, when: &When, greets: Greets) -> Read<()> {
    let is_absence = greets == Greets::Absence;
    if is_absence && when.since_start_ms.is_none() {
        return Err(kind.fail_at_key(
            format!("`{name}` lasts for a while, and nothing says when"),
            "needs `since_start_ms`",
            "write when = { since_start_ms = \"2000-5000\" }: milliseconds since the listener started"
                .to_owned(),
        ));
    }
    let legal = |condition: &str| match condition {
        "since_start_ms" | "chance" => true,
        "connection" => !is_absence,
        _ => false,
    };
    let set = [("endpoint", when.endpoint.is_some()), ("nth", when.nth != Nth::ALL)];
    let set = set.into_iter().filter(|(_, is_set)| *is_set).map(|(condition, _)| condition);
    let others = conditions_of(when).into_iter().map(|(condition, _)| condition);
    let Some(wrong) = set.chain(others).find(|condition| !legal(condition)) else { return Ok(()) };
    let help = match is_absence {
        true => "wait for a time: since_start_ms, and for a chance if you like",
        false => "wait for connections: connection = \"2-4\", since_start_ms, chance",
    };
    Err(kind.fail_at_key(
        format!("`{name}` happens before there is a request, and no `{wrong}` can be waited for"),
        "is a fault of connections",
        help.to_owned(),
    ))
}

/// The one member of the `inject` table.
fn the_only_kind<'t>(entry: &Entry<'t>) -> Read<Entry<'t>> {
    if let Some(name) = entry.value().as_str() {
        let (message, help) = match Fault::row(name) {
            Some(row) => (
                "a fault is written as a table, not as a bare name".to_owned(),
                format!("write {}", row.example_in_a_line()),
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
        (None, _) => Err(entry.fail_without(
            "`inject` names no fault",
            "an empty table",
            Some(format!("{FORM}; {ALL_KINDS}")),
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
        Some(near) => format!("did you mean `{near}`? {ALL_KINDS}"),
        None => ALL_KINDS.to_owned(),
    }
}

/// They are too many for a line.
const ALL_KINDS: &str = "`faultdeck explain faults` lists them all";

/// The parameters of a fault: known, all there, each within its range. What another tool calls them will do.
fn checked_parameters(kind: &Entry<'_>, Known { row, alias }: Known) -> Read<toml::Table> {
    let theirs: &[(&str, &str)] = alias.map(|alias| alias.parameters).unwrap_or_default();
    let sets: &[(&str, &str)] = alias.map(|alias| alias.sets).unwrap_or_default();
    let mut keys: Vec<&str> = row.parameters.iter().map(|parameter| parameter.name).collect();
    keys.extend(theirs.iter().map(|(name, _)| *name));
    let what = format!("`{}`", kind.key);
    let example = format!("write {}", row.example_in_a_line());
    let given = kind.table(&what, &keys, &example)?;
    let read = |parameter: &Parameter| {
        let theirs = theirs.iter().find(|(_, ours)| *ours == parameter.name).map(|(name, _)| *name);
        let other = theirs.and_then(|name| given.get(name));
        if let (Some(entry), Some(other)) = (given.get(parameter.name), &other) {
            let message = format!("`{}` and `{}` are the same", entry.key, other.key);
            return Err(other.fail_at_key(message, "the second of them", "take one out".to_owned()));
        }
        if let Some(entry) = given.get(parameter.name).or(other) {
            return Ok(Some((parameter.name.to_owned(), checked(&entry, parameter.takes)?)));
        }
        if let Some((_, value)) = sets.iter().find(|(name, _)| *name == parameter.name) {
            return Ok(value.parse().ok().map(|value| (parameter.name.to_owned(), value)));
        }
        if parameter.default.is_some() {
            return Ok(None);
        }
        let message = format!("`{}` lacks `{}`: {}", row.name, parameter.name, parameter.meaning);
        let label = format!("`{}` is needed here", parameter.name);
        // It may be there by its other name, misspelt.
        let name = theirs.filter(|name| given.has_misspelt(name)).unwrap_or(parameter.name);
        Err(given.lacks(name, kind.at(), message, label, &example))
    };
    Ok(every(row.parameters.iter().map(read))?.into_iter().flatten().collect())
}

/// A value that a parameter takes.
fn checked(entry: &Entry<'_>, takes: Takes) -> Read<toml::Value> {
    Ok(match takes {
        Takes::Number(least, most) => i64::from(entry.number32(least..=most)?).into(),
        Takes::Name => entry.name()?.into(),
        Takes::Text => bounded(entry)?.into(),
        Takes::Flag => entry.flag()?.into(),
        Takes::Word(words) => {
            let words: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
            entry.word(&words)?.into()
        }
    })
}

fn bounded<'t>(entry: &Entry<'t>) -> Read<&'t str> {
    let text = entry.text("")?;
    if text.len() > Takes::TEXT_MAX {
        let message = format!("`{}` must be {}", entry.key, Takes::Text.in_words());
        return Err(entry.fail(message, "too long", None));
    }
    Ok(text)
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

fn undocumented((status, code): (u16, u32), kind: &Entry<'_>, endpoint: Option<&Endpoint>) -> Noted {
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
