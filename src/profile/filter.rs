//! The part of the API's `filter` language that clients of the self-description use: `name = value`, joined by `and`.

use crate::json::{Json, Kind};

/// A parsed `filter`: every clause has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Vec<Clause>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Clause {
    name: String,
    value: String,
}

/// Why a text is not a [`Filter`]. The API's language has more than this one knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the filter from `{rest}` on: only name=\"value\", joined by `and`, is understood here")]
pub struct FilterError {
    /// From where on the text makes no sense.
    pub rest: String,
}

impl Filter {
    /// Parses the decoded text of a `filter` parameter. A blank one holds for everything.
    ///
    /// # Errors
    /// If the text has anything but clauses `name = value` and `and`.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut clauses = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            if !clauses.is_empty() {
                rest = after_and(rest)?;
            }
            let (clause, after) = clause(rest)?;
            clauses.push(clause);
            rest = after.trim_start();
        }
        Ok(Self(clauses))
    }

    /// Whether this object has the contents asked for. Scalars are compared as text; a member that is not there, or
    /// is no scalar, never fits.
    pub(super) fn accepts(&self, element: &Json<'_>) -> bool {
        self.0.iter().all(|clause| {
            element.member(&clause.name).is_some_and(|found| match found.kind() {
                Kind::String(text) => *text == clause.value,
                Kind::Number | Kind::Bool(_) => found.text() == clause.value,
                Kind::Null | Kind::Array(_) | Kind::Object(_) => false,
            })
        })
    }
}

fn error(rest: &str) -> FilterError {
    FilterError { rest: rest.to_owned() }
}

fn after_and(rest: &str) -> Result<&str, FilterError> {
    let word = rest.get(..3).filter(|word| word.eq_ignore_ascii_case("and"));
    let after = word.and_then(|_| rest.get(3..)).filter(|after| after.starts_with([' ', '\t']));
    after.map(str::trim_start).ok_or_else(|| error(rest))
}

fn clause(text: &str) -> Result<(Clause, &str), FilterError> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_start().strip_prefix('=').ok_or_else(|| error(text))?.trim_start();
    let (value, rest) = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            rest.get(1..).and_then(|inner| inner.split_once(quote)).ok_or_else(|| error(rest))?
        }
        _ => rest.split_at(rest.find([' ', '\t', '"', '\'', '(', ')', ',']).unwrap_or(rest.len())),
    };
    let bare_and_empty = value.is_empty() && !text.contains(['"', '\'']);
    if name.is_empty() || bare_and_empty {
        return Err(error(text));
    }
    Ok((Clause { name: name.to_owned(), value: value.to_owned() }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_joined_by_and_all_have_to_hold() {
        let element =
            Json::parse(r#"{"version":"26.0","path":"/a/{id}","id":7,"deprecated":false,"none":null}"#)
                .unwrap();
        for (text, holds) in [
            ("", true),
            (r#"version="26.0""#, true),
            (r#"path="/a/{id}" and version="26.0""#, true),
            (r#" path = '/a/{id}'  AND id=7 "#, true),
            ("id=\"7\"", true),
            ("deprecated=false", true),
            (r#"version="25.0""#, false),
            (r#"version="26.0" and id=8"#, false),
            ("none=null", false),
            ("missing=1", false),
        ] {
            assert_eq!(Filter::parse(text).unwrap().accepts(&element), holds, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error_not_a_wrong_answer() {
        for text in [
            "version",
            "=1",
            "a=1 or b=2",
            "a>1",
            "a=1 andb=2",
            "a=\"x",
            "a=",
            "a=1 and",
            "a in (1,2)",
            "not a=1",
            "é=1",
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
