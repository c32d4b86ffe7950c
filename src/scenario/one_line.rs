//! A planned fault in one line, as `--fault` takes it and ledgers print it:
//!
//! ```text
//! KIND[:VALUE/VALUE,NAME=VALUE][@AIM][#NTH][?CONDITION&CONDITION]
//! api-error:500/1020@case_create_tasks.get#3
//! latency:300@GET /siem/**?chance=1/10&session=ci-*
//! ```
//!
//! A line is put into the words of a scenario and read as one, so both say the same, and a mistake in it is shown in them.

use super::trigger::{CONDITIONS, Condition};
use super::when::When;
use super::{Of, PlannedFault};
use crate::fault::{Fault, Row, Takes};
use crate::json::quote;

/// A text that is written without quotes.
fn is_plain(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.bytes().all(legal)
}

fn toml_text(text: &str) -> String {
    quote(text).replace('\u{7f}', "\\u007f")
}

/// The fault as one line; [`as_toml`] of it means the same fault.
pub(super) fn written(planned: &PlannedFault) -> String {
    let mut line = planned.inject.kind().to_owned();
    line.push_str(&values(&planned.inject));
    let When { endpoint, nth, .. } = &planned.when;
    if let Some(endpoint) = endpoint {
        line.push_str(&format!("@{endpoint}"));
    }
    if *nth != super::Nth::ALL {
        line.push_str(&format!("#{nth}"));
    }
    let mut conditions = Vec::new();
    if let Some(name) = &planned.name {
        conditions.push(format!("name={name}"));
    }
    for (name, value) in conditions_of(&planned.when) {
        let value =
            if value.contains(['&', '"']) || value.trim() != value { toml_text(&value) } else { value };
        conditions.push(format!("{name}={value}"));
    }
    if planned.optional {
        conditions.push("optional".to_owned());
    }
    if !conditions.is_empty() {
        line.push_str(&format!("?{}", conditions.join("&")));
    }
    line
}

/// Every condition beside endpoint and occurrence that says something, as name and value.
pub(super) fn conditions_of(when: &When) -> Vec<(&'static str, String)> {
    let When { endpoint: _, nth: _, of, call, session, resource, query, state, tick, .. } = when;
    let When { since_start_ms, after, connection, chance, most, .. } = when;
    let text = |value: &dyn ToString| value.to_string();
    let mut all: Vec<(&'static str, Option<String>)> = vec![
        ("of", (*of == Of::Endpoint).then(|| "endpoint".to_owned())),
        ("call", call.as_ref().map(|value| text(value))),
        ("session", session.clone()),
        ("resource", resource.clone()),
    ];
    all.extend(query.iter().map(|(name, value)| {
        ("query", Some(value.as_ref().map_or_else(|| name.clone(), |value| format!("{name}={value}"))))
    }));
    all.extend([
        ("state", state.clone()),
        ("tick", tick.as_ref().map(|value| text(value))),
        ("since_start_ms", since_start_ms.as_ref().map(|value| text(value))),
        ("after", after.clone()),
        ("connection", connection.as_ref().map(|value| text(value))),
        ("chance", chance.as_ref().map(|value| text(value))),
        ("most", most.as_ref().map(|value| text(value))),
    ]);
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The parameters that are not as they are anyway: those at the front by place, the others by name.
fn values(fault: &Fault) -> String {
    let Some(row) = Fault::row(fault.kind()) else { return String::new() };
    let table = toml::Value::try_from(fault).ok();
    let table = table.as_ref().and_then(|value| value.get(fault.kind())).and_then(toml::Value::as_table);
    let value = |name: &str| table.and_then(|table| table.get(name)).map(spelt);
    let differs = |parameter: &crate::fault::Parameter| {
        value(parameter.name)
            .filter(|value| parameter.default.is_none_or(|default| default.trim_matches('"') != value))
    };
    let places = row.parameters.iter().take_while(|parameter| differs(parameter).is_some()).count();
    let (front, rest) = row.parameters.split_at(places);
    let mut parts = Vec::new();
    let front: Vec<String> = front.iter().filter_map(differs).collect();
    if !front.is_empty() {
        parts.push(front.join("/"));
    }
    let named = |it: &crate::fault::Parameter| Some(format!("{}={}", it.name, differs(it)?));
    parts.extend(rest.iter().filter_map(named));
    if parts.is_empty() { String::new() } else { format!(":{}", parts.join(",")) }
}

fn spelt(value: &toml::Value) -> String {
    match value.as_str() {
        Some(text) if is_plain(text) => text.to_owned(),
        Some(text) => toml_text(text),
        None => value.to_string(),
    }
}

/// What is left of a line, taken piece by piece. Nothing within double quotes ends a piece.
struct Rest<'l>(&'l str);

impl<'l> Rest<'l> {
    /// Up to the first of `ends`.
    fn until(&mut self, ends: &[char]) -> &'l str {
        let (mut quoted, mut escaped) = (false, false);
        let end = self.0.char_indices().find(|(_, c)| {
            let ends_here = !quoted && ends.contains(c);
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ => {}
            }
            ends_here
        });
        let (piece, rest) = self.0.split_at(end.map_or(self.0.len(), |(at, _)| at));
        self.0 = rest;
        piece
    }

    /// What follows `mark`, if it comes next, up to the first of `ends`.
    fn after(&mut self, mark: char, ends: &[char]) -> Option<&'l str> {
        self.0 = self.0.strip_prefix(mark)?;
        Some(self.until(ends))
    }

    /// The pieces between `mark`s.
    fn parts(mut self, mark: char) -> Vec<&'l str> {
        let mut parts = vec![self.until(&[mark])];
        while let Some(part) = self.after(mark, &[mark]) {
            parts.push(part);
        }
        parts
    }
}

/// The line as a `[[fault]]` of a scenario. What is wrong with it, reading that shows.
pub(super) fn as_toml(line: &str) -> String {
    let mut rest = Rest(line.trim());
    let kind = rest.until(&[':', '@', '#', '?']).trim();
    let values = rest.after(':', &['@', '#', '?']);
    // An aim may hold any of the marks but these two.
    let aim = rest.after('@', &['#', '?']);
    let nth = rest.after('#', &['?']);
    let conditions = rest.after('?', &[]).map(|text| Rest(text).parts('&')).unwrap_or_default();

    let mut top = Vec::new();
    let mut when = Vec::new();
    if let Some(aim) = aim.filter(|aim| *aim != "*") {
        when.push(format!("endpoint = {}", toml_text(aim)));
    }
    if let Some(nth) = nth {
        when.push(format!("nth = {}", toml_text(nth)));
    }
    let mut query = Vec::new();
    for condition in conditions {
        let (name, value) = condition.split_once('=').unwrap_or((condition, ""));
        let value = unquoted(value);
        match (name, CONDITIONS.iter().find(|(known, _)| *known == name).map(|(_, takes)| takes)) {
            ("query", _) => query.push(toml_text(&value)),
            ("name", _) => top.push(format!("name = {}", toml_text(&value))),
            ("optional", _) => {
                top.push(format!("optional = {}", if value.is_empty() { "true" } else { &value }));
            }
            (_, Some(Condition::Number)) if value.parse::<u64>().is_ok() => {
                when.push(format!("{name} = {value}"));
            }
            _ => when.push(format!("{} = {}", key(name), toml_text(&value))),
        }
    }
    if !query.is_empty() {
        when.push(format!("query = [{}]", query.join(", ")));
    }
    let mut toml = String::from("[[fault]]\n");
    top.iter().for_each(|entry| toml.push_str(&format!("{entry}\n")));
    if !when.is_empty() {
        toml.push_str(&format!("when   = {{ {} }}\n", when.join(", ")));
    }
    let parameters = parameters(kind, values.unwrap_or_default());
    let parameters =
        if parameters.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parameters.join(", ")) };
    toml.push_str(&format!("inject = {{ {} = {parameters} }}\n", key(kind)));
    toml
}

fn key(name: &str) -> String {
    if is_plain(name) && !name.contains('.') { name.to_owned() } else { toml_text(name) }
}

/// A text without the quotes that it may stand in.
fn unquoted(text: &str) -> String {
    let is_quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    let read = || text.parse::<toml::Value>().ok()?.as_str().map(str::to_owned);
    if is_quoted { read().unwrap_or_else(|| text.to_owned()) } else { text.to_owned() }
}

/// `500/1020` and `ms=5` as the entries of a table.
fn parameters(kind: &str, values: &str) -> Vec<String> {
    if values.is_empty() {
        return Vec::new();
    }
    let row = Fault::known(kind).map(|known| known.row);
    let mut by_place = row.map(|row| row.parameters).unwrap_or_default().iter();
    let mut entries = Vec::new();
    for (index, part) in Rest(values).parts(',').into_iter().enumerate() {
        let named = part.split_once('=').filter(|(name, _)| is_plain(name.trim()));
        match named {
            Some((name, value)) => {
                entries.push(format!("{} = {}", key(name.trim()), value_of(row, name.trim(), value)));
            }
            // What comes first is by place, and what stands alone wherever it stands.
            None => {
                for (place, value) in Rest(part).parts('/').into_iter().enumerate() {
                    let name = by_place.next().map(|parameter| parameter.name);
                    let unknown = format!("value-{}", index + place + 1);
                    let name = name.unwrap_or(&unknown);
                    entries.push(format!("{name} = {}", value_of(row, name, value)));
                }
            }
        }
    }
    entries
}

/// A value in TOML: in quotes where the parameter is a text, or is not what a number or a flag looks like.
fn value_of(row: Option<&Row>, name: &str, value: &str) -> String {
    let takes = row.and_then(|row| row.parameters.iter().find(|known| known.name == name));
    let is_text = matches!(takes.map(|known| known.takes), Some(Takes::Name | Takes::Text | Takes::Word(_)));
    let is_bare = value.parse::<i64>().is_ok() || matches!(value, "true" | "false");
    if is_bare && !is_text { value.to_owned() } else { toml_text(&unquoted(value)) }
}
