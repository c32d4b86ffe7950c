//! Values that are another in each run: times and uuids that the client makes up itself.
//!
//! Where nothing recorded matches a request exactly, these are left out on both sides. What the console gave is no such
//! value: it comes back as it was given, and a client that sends another means another thing.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{Cassette, Interaction, MatchKey, key};
use crate::json::{Json, Kind, quote};

/// What stands for a value in a masked text. No request line and no header has this character.
const MASK: &str = "\u{1}";

/// How many values of the console's are remembered. A recording that holds more is matched exactly and not otherwise.
const GIVEN_MAX: usize = 100_000;

/// What may be seconds since 1970: 2015 to 2039. Ids of ten digits are rare, and outside it they are left alone.
const SECONDS: Range<u64> = 1_420_070_400..2_208_988_800;

/// A uuid; a date, with or without a time of day; a number that may be a time in seconds or milliseconds.
static VALUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)(?-u:\b)(?:
            (?<uuid>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})
          | (?<date>[12][0-9]{3}[-/][01][0-9][-/][0-3][0-9]
              (?:[T\ -][0-2][0-9]:[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]+)?)?(?:Z|\ ?[+-][0-9]{2}:?[0-9]{2})?)?)
          | (?<number>[0-9]{13}|[0-9]{10}(?:\.[0-9]+)?)
        )(?-u:\b)",
    )
    .expect("a pattern of ours, which a test uses")
});

/// The time window of an AQL text. What stands in quotes is stepped over; a window's own quotes are its value.
static WINDOW: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi)
            (?<last>(?-u:\b)LAST\s+)[0-9]+\s+(?:SECOND|MINUTE|HOUR|DAY|WEEK|MONTH)S?(?-u:\b)
          | (?<bound>(?-u:\b)(?:START|STOP)\s+)(?<time>'[^']*'|"[^"]*"|[0-9]+|[A-Z_]+\s*\([^()]*\))
          | '[^']*' | "[^"]*""#,
    )
    .expect("a pattern of ours, which a test uses")
});

/// An AQL text, as far as it matters here.
static AQL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?is)(?-u:\b)SELECT(?-u:\b).*(?-u:\b)FROM(?-u:\b)")
        .expect("a pattern of ours, which a test uses")
});

/// The times and uuids that a recorded console gave as values of their own.
#[derive(Debug, Default)]
pub(crate) struct Given {
    values: HashSet<String>,
    is_full: bool,
}

impl Given {
    /// Those of all answers. What only repeats its own request was the client's before.
    pub(super) fn of(cassette: &Cassette) -> Self {
        let mut given = Self::default();
        for interaction in &cassette.interactions {
            let mut found = Vec::new();
            if let Ok(body) = Json::parse_bytes(&interaction.response.body) {
                gather(&body, &mut found);
            }
            if let Some(location) = interaction.response.headers.text("Location") {
                found.extend(VALUE.find_iter(&location).map(|value| value.as_str().to_owned()));
            }
            if found.is_empty() {
                continue;
            }
            let asked = asked(interaction);
            given.values.extend(
                found
                    .into_iter()
                    .map(|value| value.to_ascii_lowercase())
                    .filter(|value| !asked.contains(value)),
            );
            if given.values.len() > GIVEN_MAX {
                return Self { values: HashSet::new(), is_full: true };
            }
        }
        given
    }

    fn has(&self, value: &str) -> bool {
        self.is_full || self.values.contains(&value.to_ascii_lowercase())
    }
}

/// All that a request says, decoded and in small letters.
fn asked(interaction: &Interaction) -> String {
    let key = MatchKey::of(&interaction.request);
    let query = key.query.into_iter().flat_map(|(name, value)| [name, value]);
    let parts: Vec<String> =
        query.chain([key.path, String::from_utf8_lossy(&interaction.request.body).into_owned()]).collect();
    parts.join("\n").to_ascii_lowercase()
}

/// The values in an answer that are a time or a uuid and nothing else.
fn gather(body: &Json<'_>, found: &mut Vec<String>) {
    match body.kind() {
        Kind::String(text) if VALUE.find(text).is_some_and(|value| value.as_str().len() == text.len()) => {
            found.push(text.as_ref().to_owned());
        }
        Kind::Number if is_time(body.text()) => found.push(body.text().to_owned()),
        _ => {}
    }
    body.elements().iter().for_each(|element| gather(element, found));
    body.members().iter().for_each(|(_, value)| gather(value, found));
}

/// Whether digits, with a fraction or none, may be a time.
fn is_time(number: &str) -> bool {
    let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
    let unit = match whole.len() {
        10 => 1,
        13 if whole.len() == number.len() => 1000,
        _ => return false,
    };
    whole.parse::<u64>().is_ok_and(|value| SECONDS.contains(&(value / unit)))
}

/// The key without its volatile values; `None` if it has none.
pub(super) fn masked(key: &MatchKey, given: &Given) -> Option<MatchKey> {
    let path: Vec<Cow<'_, str>> = key.path.split('/').map(|segment| segment_of(segment, given)).collect();
    let mut query: Vec<(String, String)> =
        key.query.iter().map(|(name, value)| (name.clone(), text_of(value, given).into_owned())).collect();
    query.sort();
    let masked = MatchKey { path: path.join("/"), query, body: body_of(&key.body, given), ..key.clone() };
    (masked != *key).then_some(masked)
}

/// In a path only uuids are the client's own; numbers there are ids.
fn segment_of<'t>(segment: &'t str, given: &Given) -> Cow<'t, str> {
    let is_uuid = VALUE
        .captures(segment)
        .and_then(|found| found.name("uuid"))
        .is_some_and(|uuid| uuid.as_str() == segment);
    if is_uuid && !given.has(segment) { format!("{MASK}uuid").into() } else { segment.into() }
}

/// A text without its volatile values.
pub(super) fn text_of<'t>(text: &'t str, given: &Given) -> Cow<'t, str> {
    let without_window = if AQL.is_match(text) {
        WINDOW.replace_all(text, |found: &Captures<'_>| window(found, given))
    } else {
        Cow::Borrowed(text)
    };
    match VALUE.replace_all(&without_window, |found: &Captures<'_>| value(found, given)) {
        Cow::Borrowed(_) => without_window,
        Cow::Owned(masked) => Cow::Owned(masked),
    }
}

fn window(found: &Captures<'_>, given: &Given) -> String {
    let part = |name| found.name(name).map(|part| part.as_str());
    let keyword = part("last").or_else(|| {
        part("bound").filter(|_| part("time").is_some_and(|time| !given.has(time.trim_matches(['\'', '"']))))
    });
    match keyword {
        Some(keyword) => format!("{keyword}{MASK}window"),
        None => found.get(0).map_or("", |whole| whole.as_str()).to_owned(),
    }
}

fn value(found: &Captures<'_>, given: &Given) -> String {
    let whole = found.get(0).map_or("", |whole| whole.as_str());
    let kind = if found.name("uuid").is_some() {
        "uuid"
    } else if found.name("date").is_some() {
        "time"
    } else if !is_time(whole) {
        return whole.to_owned();
    } else if whole.len() == 13 && !whole.contains('.') {
        "ms"
    } else {
        "s"
    };
    if given.has(whole) { whole.to_owned() } else { format!("{MASK}{kind}") }
}

/// The body of a key, which is canonical JSON, a form, or a text.
fn body_of(body: &str, given: &Given) -> String {
    if body.is_empty() || body.starts_with("base64:") {
        return body.to_owned();
    }
    if let Ok(json) = Json::parse(body) {
        let mut out = String::new();
        write(&mut out, &json, given);
        return out;
    }
    match key::form(body) {
        Some(pairs) => pairs
            .iter()
            .map(|(name, value)| format!("{}={}\n", quote(name), quote(&text_of(value, given))))
            .collect(),
        None => text_of(body, given).into_owned(),
    }
}

fn write(out: &mut String, value: &Json<'_>, given: &Given) {
    match value.kind() {
        Kind::String(text) => out.push_str(&quote(&text_of(text, given))),
        Kind::Number => out.push_str(&number_of(value.text(), given)),
        Kind::Null | Kind::Bool(_) => out.push_str(value.text()),
        Kind::Array(elements) => {
            out.push('[');
            for (place, element) in elements.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                write(out, element, given);
            }
            out.push(']');
        }
        Kind::Object(members) => {
            out.push('{');
            for (place, (name, member)) in members.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                out.push_str(&quote(name));
                out.push(':');
                write(out, member, given);
            }
            out.push('}');
        }
    }
}

/// A number of a key stands there as digits and a power of ten.
fn number_of(text: &str, given: &Given) -> String {
    let plain = || {
        let (digits, power) = text.split_once('e')?;
        let power: i32 = power.parse().ok()?;
        match usize::try_from(power) {
            Ok(zeros) => (digits.len() + zeros <= 13).then(|| format!("{digits}{}", "0".repeat(zeros))),
            Err(_) => {
                let point = digits.len().checked_sub(usize::try_from(power.unsigned_abs()).ok()?)?;
                Some(format!("{}.{}", digits.get(..point)?, digits.get(point..)?))
            }
        }
    };
    match plain().filter(|plain| is_time(plain) && !given.has(plain)) {
        Some(plain) if plain.len() == 13 && !plain.contains('.') => quote(&format!("{MASK}ms")),
        Some(_) => quote(&format!("{MASK}s")),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
