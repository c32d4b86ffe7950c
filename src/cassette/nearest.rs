//! What a miss says: the recorded requests that come nearest, and in what they differ.

use std::collections::BTreeMap;

use super::{Index, MatchKey};
use crate::json::{Json, Kind};

/// How many are named.
const NAMED: usize = 3;

/// How many differing parts of one request are told.
const PARTS_MAX: usize = 8;

/// How many differing parameters weigh in a comparison; more make no odds.
const WEIGHED_MAX: usize = 100;

/// A value in a message is cut after this many characters.
const SHOWN_MAX: usize = 80;

pub(super) fn nearest(keys: &[(MatchKey, Index)], received: &MatchKey) -> Vec<(Index, String)> {
    let segments: Vec<&str> = received.path.split('/').collect();
    let distances = keys.iter().map(|(key, _)| distance(key, received, &segments));
    let mut ranked: Vec<(usize, usize)> =
        distances.enumerate().map(|(place, distance)| (distance, place)).collect();
    ranked.sort_unstable();
    let named = ranked.iter().take(NAMED).filter_map(|(_, place)| keys.get(*place));
    named.map(|(key, index)| (*index, difference(key, received))).collect()
}

/// The path weighs most, then the method, the query, the range, the body.
///
/// This is done for every key of a cassette, so it costs no more than the recorded key is long, whatever was received.
fn distance(recorded: &MatchKey, received: &MatchKey, segments: &[&str]) -> usize {
    let (mut length, mut same) = (0, 0);
    for (place, segment) in recorded.path.split('/').enumerate() {
        length += 1;
        same += usize::from(segments.get(place) == Some(&segment));
    }
    let path = segments.len().max(length) - same;
    path * 1000
        + usize::from(recorded.method != received.method) * 500
        + differing_names(&recorded.query, &received.query) * 4
        + usize::from(recorded.range != received.range) * 2
        + usize::from(recorded.body != received.body)
}

/// How many names have other values, up to [`WEIGHED_MAX`]; both lists are sorted.
fn differing_names(mut one: &[(String, String)], mut two: &[(String, String)]) -> usize {
    let mut count = 0;
    while count < WEIGHED_MAX {
        let name = match (one.first(), two.first()) {
            (None, None) => break,
            (Some((name, _)), None) | (None, Some((name, _))) => name,
            (Some((left, _)), Some((right, _))) => left.min(right),
        };
        let (left, after_left) = one.split_at(one.partition_point(|(other, _)| other <= name));
        let (right, after_right) = two.split_at(two.partition_point(|(other, _)| other <= name));
        count += usize::from(left != right);
        (one, two) = (after_left, after_right);
    }
    count
}

/// In what two requests differ, recorded against received.
pub(crate) fn difference(recorded: &MatchKey, received: &MatchKey) -> String {
    let mut parts = Vec::new();
    if recorded.method != received.method {
        parts.push(against("method", &recorded.method, &received.method));
    }
    if recorded.path != received.path {
        parts.push(against("path", &recorded.path, &received.path));
    }
    parts.extend(query_differences(recorded, received));
    if recorded.range != received.range {
        let shown = |range: &Option<String>| range.clone().unwrap_or_else(|| "none".to_owned());
        parts.push(against("Range", &shown(&recorded.range), &shown(&received.range)));
    }
    if recorded.body != received.body {
        parts.push(body_difference(&recorded.body, &received.body));
    }
    if parts.len() > PARTS_MAX {
        let more = parts.len() - PARTS_MAX;
        parts.truncate(PARTS_MAX);
        parts.push(format!("and {more} more"));
    }
    if parts.is_empty() { "nothing: the same request was recorded".to_owned() } else { parts.join("; ") }
}

fn against(part: &str, recorded: &str, received: &str) -> String {
    let is_long = |text: &str| text.chars().nth(SHOWN_MAX).is_some();
    if is_long(recorded) || is_long(received) {
        let (recorded, received) = contrast(recorded, received);
        return format!("{part}: recorded {}, received {}", shown(&recorded), shown(&received));
    }
    format!("{part}: recorded {}, received {}", shown(recorded), shown(received))
}

/// Two long texts without what they share at both ends, but with whole words.
fn contrast(one: &str, two: &str) -> (String, String) {
    let pairs = || one.chars().zip(two.chars()).take_while(|(one, two)| one == two);
    let shared: usize = pairs().map(|(char, _)| char.len_utf8()).sum();
    let start =
        one.get(..shared).and_then(|shared| shared.rfind(char::is_whitespace)).map_or(0, |blank| blank + 1);
    let rest = |text: &str| text.get(start..).unwrap_or_default().to_owned();
    let (one, two) = (rest(one), rest(two));
    let tail: usize = one
        .chars()
        .rev()
        .zip(two.chars().rev())
        .take_while(|(one, two)| one == two)
        .map(|(char, _)| char.len_utf8())
        .sum();
    let tail = one
        .get(one.len() - tail..)
        .and_then(|shared| shared.find(char::is_whitespace).map(|blank| shared.len() - blank));
    let cut = |text: &str| {
        let end = text.len().saturating_sub(tail.unwrap_or_default());
        let lead = if start > 0 { "..." } else { "" };
        format!("{lead}{}{}", text.get(..end).unwrap_or_default(), if tail.is_some() { "..." } else { "" })
    };
    (cut(&one), cut(&two))
}

fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(SHOWN_MAX) {
        // Quotes stay as they are: they stand in JSON all the time, and are read by a person.
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push_str("...");
    }
    if shown.is_empty() { "nothing".to_owned() } else { shown }
}

fn query_differences(recorded: &MatchKey, received: &MatchKey) -> Vec<String> {
    let gather = |key: &MatchKey| {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &key.query {
            values.entry(name.clone()).or_default().push(value.clone());
        }
        values
    };
    let (recorded, mut received) = (gather(recorded), gather(received));
    let mut parts = Vec::new();
    for (name, values) in &recorded {
        let other = received.remove(name).unwrap_or_default();
        if *values != other {
            parts.push(against(
                &format!("query parameter {}", shown(name)),
                &values.join(", "),
                &other.join(", "),
            ));
        }
    }
    parts.extend(
        received.iter().map(|(name, values)| {
            against(&format!("query parameter {}", shown(name)), "", &values.join(", "))
        }),
    );
    parts
}

/// The first member that differs, if both bodies are objects.
fn body_difference(recorded: &str, received: &str) -> String {
    let (Ok(one), Ok(two)) = (Json::parse(recorded), Json::parse(received)) else {
        return against("body", recorded, received);
    };
    if !matches!((one.kind(), two.kind()), (Kind::Object(_), Kind::Object(_))) {
        return against("body", recorded, received);
    }
    let names = one.members().iter().chain(two.members()).map(|(name, _)| name.as_ref());
    for name in names {
        let text =
            |body: &Json<'_>| body.member(name).map(|value| value.text().to_owned()).unwrap_or_default();
        let (before, now) = (text(&one), text(&two));
        if before != now {
            return against(&format!("body member {}", shown(name)), &before, &now);
        }
    }
    against("body", recorded, received)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Request;

    fn key(method: &str, target: &str, body: &'static str) -> MatchKey {
        let mut request = Request::new(method, target);
        request.body = body.into();
        MatchKey::of(&request)
    }

    #[test]
    fn the_differing_part_is_named_with_both_values() {
        let keys: Vec<(MatchKey, Index)> = [
            (key("GET", "/api/cases?a=1", ""), 1),
            (key("POST", "/api/cases", r#"{"name":"x","n":1}"#), 2),
            (key("GET", "/api/other/7", ""), 3),
            (key("GET", "/api/cases/7", ""), 4),
        ]
        .into();
        let found = nearest(&keys, &key("GET", "/api/cases?a=2&b=3", ""));
        assert_eq!(found[0].0, 1);
        assert_eq!(
            found[0].1,
            "query parameter a: recorded 1, received 2; query parameter b: recorded nothing, received 3"
        );
        assert_eq!(found.len(), 3);
        let found = nearest(&keys, &key("POST", "/api/cases", r#"{"n":1,"name":"y"}"#));
        assert_eq!(found[0].1, r#"body member name: recorded "x", received "y""#);
        let found = nearest(&keys, &key("GET", "/api/cases/8", ""));
        assert_eq!(found[0], (4, "path: recorded /api/cases/7, received /api/cases/8".to_owned()));
    }

    #[test]
    fn of_long_texts_the_part_that_differs_is_shown() {
        let text =
            |window: &str| format!("{} START {window} LIMIT 5", "SELECT a FROM events WHERE b".repeat(9));
        assert_eq!(
            against("query_expression", &text("1699999990000"), &text("1764123000123")),
            "query_expression: recorded ...1699999990000..., received ...1764123000123..."
        );
        let long = "x".repeat(100);
        assert_eq!(contrast(&long, &long[1..]), (long.clone(), long[1..].to_owned()));
        assert_eq!(contrast(&long, ""), (long.clone(), String::new()));
    }

    #[test]
    fn a_request_with_very_many_parameters_costs_little_and_is_told_briefly() {
        let keys: Vec<(MatchKey, Index)> =
            (0..10_000).map(|n| (key("GET", &format!("/api/x/{n}?a=1&b=2"), ""), n)).collect();
        let query: Vec<String> = (0..10_000).map(|n| format!("p{n}={n}")).collect();
        let began = std::time::Instant::now();
        let found = nearest(&keys, &key("GET", &format!("/api/x/77?{}", query.join("&")), ""));
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
        assert_eq!(found[0].0, 77);
        assert!(found[0].1.len() < 2000 && found[0].1.ends_with("and 9994 more"), "{}", found[0].1);
    }
}
