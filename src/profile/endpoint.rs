//! An endpoint: what the API promises about it.

use serde::{Deserialize, Serialize};

use super::error::error_response;
use crate::fields::Shape;
use crate::message::Response;

/// What the API promises about one endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Method and template: `GET /forensics/case_management/cases/{id}`.
    pub id: String,
    /// The last fixed segment and what is done to it: `cases.get`, `cases.list`, `cases.post`. Several endpoints may
    /// share it; [`Profile::short_name`](super::Profile::short_name) is a name that none shares.
    pub short: String,
    /// The method, in capitals.
    pub method: String,
    /// The path without `/api`, parameters in braces.
    pub template: String,
    /// What a request may or must carry.
    pub parameters: Vec<Parameter>,
    /// The documented success statuses; 200 (inferred) where the page lists none.
    pub success: Vec<u16>,
    /// The documented errors, in the order of the page.
    pub errors: Vec<ApiError>,
    /// The shape of one resource (a list's element), from the sample; [`Shape::Any`] where the page has none.
    pub shape: Shape,
    /// Whether the answer is an array.
    pub is_list: bool,
    /// Where this endpoint takes `fields`, if it does.
    pub fields_in: Option<Carrier>,
    /// Whether the page says that it is going to be removed.
    pub deprecated: bool,
    /// One sentence; empty where we have none.
    pub summary: String,
}

/// Where `fields` travels. Documented for each endpoint: query on GET and DELETE, header on a POST with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// `?fields=...`
    Query,
    /// `fields: ...`
    Header,
}

/// Something a request carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub kind: ParameterKind,
    /// Whether a request without it is refused.
    pub required: bool,
    /// The documented type: `String`, `Number (Integer)`, `Object`.
    pub data_type: String,
    /// The documented content type; empty where nothing is said.
    pub mime: String,
    /// Of a body, what it looks like, where the page shows it.
    pub shape: Option<Shape>,
}

impl Parameter {
    /// Whether only an integer will do.
    pub(crate) fn is_integer(&self) -> bool {
        self.data_type.contains("Integer") || self.data_type.contains("Long")
    }
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ParameterKind {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// A header line.
    Header,
    /// The body itself.
    Body,
}

/// A row of an endpoint's error table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The API's own code; unique only within the endpoint.
    pub code: u32,
    /// The text of the table, which the body repeats; may be empty.
    pub description: String,
}

impl Endpoint {
    /// An endpoint of which nothing is known but its method and template.
    pub(super) fn bare(method: &str, template: &str) -> Self {
        Self {
            id: format!("{method} {template}"),
            short: short_name(method, template),
            method: method.to_owned(),
            template: template.to_owned(),
            parameters: Vec::new(),
            success: vec![200],
            errors: Vec::new(),
            shape: Shape::Any,
            is_list: false,
            fields_in: None,
            deprecated: false,
            summary: String::new(),
        }
    }

    /// The same with these parameters; where `fields` travels is read from them.
    pub(super) fn with_parameters(self, parameters: Vec<Parameter>) -> Self {
        let carrier = |parameter: &Parameter| match (parameter.name.as_str(), parameter.kind) {
            ("fields", ParameterKind::Query) => Some(Carrier::Query),
            ("fields", ParameterKind::Header) => Some(Carrier::Header),
            _ => None,
        };
        Self { fields_in: parameters.iter().find_map(carrier), parameters, ..self }
    }

    /// The same with this answer, a list or one resource.
    pub(super) fn with_answer(self, shape: Shape) -> Self {
        Self { is_list: matches!(shape, Shape::List(_)), shape: shape.element().clone(), ..self }
    }

    /// The documented error with this status and code.
    pub(crate) fn error(&self, status: u16, code: u32) -> Option<&ApiError> {
        self.errors.iter().find(|error| error.status == status && error.code == code)
    }

    /// The documented answer for an element that is not there, if this endpoint documents one (404/1002). The
    /// description is documented; the message is ours.
    pub(crate) fn not_found(&self, id: &str) -> Option<Response> {
        let error = self.error(404, 1002)?;
        let message = format!("Nothing found with id: {id}");
        Some(error_response(404, 1002, &error.description, &message))
    }

    /// The parameter that is the request's body.
    pub fn body(&self) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.kind == ParameterKind::Body)
    }

    /// Whether it takes a `Range`.
    pub(crate) fn takes_range(&self) -> bool {
        self.parameter(ParameterKind::Header, "Range").is_some()
    }

    /// The parameter of this name and kind. Header names are compared without regard to case.
    pub(super) fn parameter(&self, kind: ParameterKind, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| {
            parameter.kind == kind
                && match kind {
                    ParameterKind::Header => parameter.name.eq_ignore_ascii_case(name),
                    _ => parameter.name == name,
                }
        })
    }
}

/// The last fixed segment of a template.
fn noun(template: &str) -> &str {
    template.rsplit('/').find(|segment| !is_parameter(segment)).unwrap_or("")
}

/// `cases.list` for a GET whose path does not end in a parameter, `cases.get` for one that does, else the method.
fn short_name(method: &str, template: &str) -> String {
    let ends_in_parameter = template.rsplit('/').next().is_some_and(is_parameter);
    let verb = if method == "GET" && !ends_in_parameter { "list".to_owned() } else { method.to_lowercase() };
    format!("{}.{verb}", noun(template))
}

/// Whether a template's segment stands for a value.
pub(super) fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_say_the_last_fixed_segment_and_the_verb() {
        for (method, template, short) in [
            ("GET", "/forensics/case_management/cases", "cases.list"),
            ("GET", "/forensics/case_management/cases/{id}", "cases.get"),
            ("POST", "/forensics/case_management/cases", "cases.post"),
            ("DELETE", "/reference_data/sets/{name}", "sets.delete"),
            ("GET", "/ariel/searches/{search_id}/results", "results.list"),
        ] {
            assert_eq!(short_name(method, template), short);
        }
    }
}
