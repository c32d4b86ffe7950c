//! How what was reported differs from what was got: by member for the judge, by line for a person.

use similar::{ChangeTag, TextDiff};

use crate::json::{Json, Kind};

/// One place where two JSON values differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// RFC 6901 pointer.
    pub(super) at: String,
    /// How.
    pub(super) kind: Differs,
}

/// How a place differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Differs {
    /// It was expected and is not there.
    Missing,
    /// It is there with another value.
    Changed,
    /// It is there and was not expected; whether it is null.
    Extra {
        /// A null may be a typed language's way to say absent; any other value is made up.
        null: bool,
    },
}

/// Every difference; members in the order of `expected`, extra ones last. Members in another order, and numbers
/// spelt otherwise, are no difference.
pub(super) fn differences(expected: &Json<'_>, found: &Json<'_>) -> Vec<Difference> {
    let mut out = Vec::new();
    collect(expected, found, "", &mut out);
    out
}

fn collect(expected: &Json<'_>, found: &Json<'_>, at: &str, out: &mut Vec<Difference>) {
    match (expected.kind(), found.kind()) {
        (Kind::Object(members), Kind::Object(others)) => {
            for (name, value) in first_of_each(members) {
                let place = || format!("{at}/{}", escaped(name));
                match found.member(name) {
                    // Most are the same, and nobody asks where.
                    Some(other) if value.same(other) => {}
                    Some(other) => collect(value, other, &place(), out),
                    None => out.push(Difference { at: place(), kind: Differs::Missing }),
                }
            }
            for (name, value) in first_of_each(others) {
                if expected.member(name).is_none() {
                    let kind = Differs::Extra { null: value.is_null() };
                    out.push(Difference { at: format!("{at}/{}", escaped(name)), kind });
                }
            }
        }
        (Kind::Array(elements), Kind::Array(others)) if elements.len() == others.len() => {
            for (index, (element, other)) in elements.iter().zip(others).enumerate() {
                collect(element, other, &format!("{at}/{index}"), out);
            }
        }
        _ if expected.same(found) => {}
        _ => out.push(Difference { at: at.to_owned(), kind: Differs::Changed }),
    }
}

fn first_of_each<'j, 'a>(
    members: &'j [(std::borrow::Cow<'a, str>, Json<'a>)],
) -> impl Iterator<Item = (&'j str, &'j Json<'a>)> {
    members.iter().enumerate().filter_map(|(index, (name, value))| {
        let repeats = members.iter().take(index).any(|(earlier, _)| earlier == name);
        (!repeats).then_some((name.as_ref(), value))
    })
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The value with a member a line, every scalar in its own source text, members sorted by name.
pub(super) fn pretty(json: &Json<'_>) -> String {
    let mut out = String::new();
    put(json, 0, &mut out);
    out
}

fn put(json: &Json<'_>, depth: usize, out: &mut String) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    match json.kind() {
        Kind::Object(members) if !members.is_empty() => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            out.push('{');
            for (index, (name, value)) in sorted.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                line(out, depth + 1);
                out.push_str(&crate::json::quote(name));
                out.push_str(": ");
                put(value, depth + 1, out);
            }
            line(out, depth);
            out.push('}');
        }
        Kind::Array(elements) if !elements.is_empty() => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                line(out, depth + 1);
                put(element, depth + 1, out);
            }
            line(out, depth);
            out.push(']');
        }
        _ => out.push_str(json.text()),
    }
}

/// A line diff of two values: `-` is what was expected, `+` is what was reported.
pub(super) fn diff_lines(expected: &Json<'_>, found: &Json<'_>) -> Vec<String> {
    let (expected, found) = (pretty(expected) + "\n", pretty(found) + "\n");
    TextDiff::from_lines(&expected, &found)
        .iter_all_changes()
        .map(|change| {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            format!("{sign} {}", change.value().trim_end_matches('\n'))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(expected: &str, other: &str) -> Vec<(String, Differs)> {
        let (expected, other) = (Json::parse(expected).unwrap(), Json::parse(other).unwrap());
        differences(&expected, &other).into_iter().map(|one| (one.at, one.kind)).collect()
    }

    #[test]
    fn order_and_spelling_of_numbers_are_no_difference() {
        assert_eq!(found(r#"{"a":1.0,"b":[1,{"c":null}]}"#, r#"{ "b":[1,{"c":null}], "a":1.00 }"#), []);
    }

    #[test]
    fn a_rounded_integer_a_lost_null_and_a_made_up_value_are_told_apart() {
        let got = r#"{"id":9007199254740993,"n":null,"l":[]}"#;
        let reported = r#"{"id":9007199254740992,"l":null,"state":"","x":null}"#;
        assert_eq!(
            found(got, reported),
            [
                ("/id".to_owned(), Differs::Changed),
                ("/n".to_owned(), Differs::Missing),
                ("/l".to_owned(), Differs::Changed),
                ("/state".to_owned(), Differs::Extra { null: false }),
                ("/x".to_owned(), Differs::Extra { null: true }),
            ]
        );
    }

    #[test]
    fn a_person_sees_the_lines_that_differ() {
        let (a, b) = (Json::parse(r#"{"id":1,"b":2}"#).unwrap(), Json::parse(r#"{"b":3,"id":1}"#).unwrap());
        assert_eq!(diff_lines(&a, &b), ["  {", "-   \"b\": 2,", "+   \"b\": 3,", "    \"id\": 1", "  }"]);
    }
}
