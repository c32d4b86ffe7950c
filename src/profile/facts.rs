//! An endpoint as our own files write it: facts, a section each.
//!
//! ```toml
//! ["GET /siem/offenses/{offense_id}/notes/{note_id}"]
//! path       = ["offense_id: integer", "note_id: integer"]
//! query      = ["fields"]
//! success    = [200]
//! errors     = ["404/1002", "422/1005", "500/1020"]
//! answer     = '{"id": "integer", "note_text": "string", "username": "string"}'
//! ```
//!
//! A parameter is its name, its type unless it is text, and whether it is required. A shape is a JSON text whose
//! values are types: `integer`, `string: OPEN | CLOSED`; `{}` is an object whose members are not published.

use serde::Deserialize;

use super::endpoint::{ApiError, Endpoint, Parameter, ParameterKind};
use crate::fields::Shape;
use crate::json::Json;

/// A section as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Facts {
    #[serde(default)]
    deprecated: bool,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    path: Vec<Written>,
    #[serde(default)]
    query: Vec<Written>,
    #[serde(default)]
    header: Vec<Written>,
    #[serde(default)]
    success: Vec<u16>,
    #[serde(default)]
    errors: Vec<Code>,
    body: Option<Written>,
    body_type: Option<String>,
    body_shape: Option<Types>,
    answer: Option<Types>,
}

/// `offense_id: integer, required`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Written {
    name: String,
    data_type: String,
    required: bool,
}

/// Types as our files have them, and as the API's pages spell them.
const TYPES: [(&str, &str); 10] = [
    ("string", "String"),
    ("integer", "Number (Integer)"),
    ("long", "Long"),
    ("boolean", "Boolean"),
    ("object", "Object"),
    ("array", "Array"),
    ("array of objects", "Array<Object>"),
    ("json", "JSON"),
    ("file", "File"),
    ("zip", "zip"),
];

impl TryFrom<String> for Written {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (rest, required) = match text.rsplit_once(',').map(|(rest, word)| (rest, word.trim())) {
            None => (text.as_str(), false),
            Some((rest, "required")) => (rest, true),
            Some((rest, "optional")) => (rest, false),
            Some((_, other)) => return Err(format!("`{other}` is neither `required` nor `optional`")),
        };
        let (name, kind) = rest.split_once(':').unwrap_or((rest, "string"));
        let known = TYPES.iter().find(|(ours, _)| *ours == kind.trim());
        let Some((_, data_type)) = known else {
            let all: Vec<&str> = TYPES.iter().map(|(ours, _)| *ours).collect();
            return Err(format!("`{}` is no type: there are {}", kind.trim(), all.join(", ")));
        };
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(format!("`{text}` does not begin with the name of a parameter"));
        }
        Ok(Self { name: name.to_owned(), data_type: (*data_type).to_owned(), required })
    }
}

/// `404/1002`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Code(pub(super) u16, pub(super) u32);

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let pair =
            text.split_once('/').and_then(|(status, code)| Some((status.parse().ok()?, code.parse().ok()?)));
        match pair {
            Some((status @ 100..=599, code)) => Ok(Self(status, code)),
            _ => Err(format!("`{text}` is no status and code: write them like 404/1002")),
        }
    }
}

/// The JSON text of a shape.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Types(Shape);

impl TryFrom<String> for Types {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let json = Json::parse(text.trim()).map_err(|error| format!("this is no JSON: {error}"))?;
        Shape::of_types(&json).map(Self)
    }
}

impl Facts {
    /// What the rest of the program works with.
    pub(super) fn into_endpoint(self, method: &str, template: &str) -> Endpoint {
        let placed = [
            (ParameterKind::Path, self.path),
            (ParameterKind::Query, self.query),
            (ParameterKind::Header, self.header),
        ];
        let mut parameters: Vec<Parameter> = Vec::new();
        for (kind, written) in placed {
            parameters
                .extend(written.into_iter().map(|written| written.into_parameter(kind, "text/plain", None)));
        }
        let mime = self.body_type.as_deref().unwrap_or("application/json");
        let shape = self.body_shape.map(|types| types.0);
        parameters.extend(self.body.map(|written| written.into_parameter(ParameterKind::Body, mime, shape)));
        let error = |Code(status, code)| ApiError { status, code, description: String::new() };
        let bare = Endpoint::bare(method, template);
        Endpoint {
            // Where a page lists none, 200 is inferred.
            success: if self.success.is_empty() { vec![200] } else { self.success },
            errors: self.errors.into_iter().map(error).collect(),
            deprecated: self.deprecated,
            summary: self.summary,
            ..bare.with_parameters(parameters).with_answer(self.answer.map_or(Shape::Any, |types| types.0))
        }
    }
}

impl Written {
    fn into_parameter(self, kind: ParameterKind, mime: &str, shape: Option<Shape>) -> Parameter {
        Parameter {
            required: self.required || kind == ParameterKind::Path,
            name: self.name,
            kind,
            data_type: self.data_type,
            mime: mime.to_owned(),
            shape,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_read_and_a_mistake_says_what_is_expected() {
        let facts: Facts = toml::from_str(
            "path = [\"id: integer\"]\nquery = [\"status, required\"]\nsuccess = [201]\nerrors = [\"404/1002\"]\n\
             body = \"data: object, required\"\nanswer = '[{\"id\": \"integer\", \"state\": \"string: A | B\", \"x\": {}}]'\n",
        )
        .unwrap();
        let endpoint = facts.into_endpoint("POST", "/a/{id}");
        assert_eq!((endpoint.short.as_str(), endpoint.is_list), ("a.post", true));
        assert!(endpoint.parameter(ParameterKind::Path, "id").unwrap().required);
        assert_eq!(endpoint.parameter(ParameterKind::Body, "data").unwrap().data_type, "Object");
        assert_eq!((endpoint.success[0], endpoint.errors[0].code), (201, 1002));
        assert_eq!(endpoint.shape.sample(), r#"{"id":42,"state":"String <one of: A, B>","x":{}}"#);
        for (text, expected) in [
            ("query = [\"a: int\"]", "`int` is no type"),
            ("query = [\"a, maybe\"]", "`maybe` is neither"),
            ("query = [\"\"]", "does not begin with the name"),
            ("errors = [\"404\"]", "write them like 404/1002"),
            ("errors = [\"9/1\"]", "write them like 404/1002"),
            ("answer = '{'", "this is no JSON"),
            ("answer = '{\"a\": \"int\"}'", "`int` is no type"),
            ("answers = 1", "unknown field `answers`"),
        ] {
            let error = toml::from_str::<Facts>(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
