//! An endpoint, as the console describes it in `GET /api/help/endpoints`.

use serde::{Deserialize, Serialize};

use super::error::error_response;
use crate::fields::Shape;
use crate::json::{Json, JsonError};
use crate::message::Response;

/// What the API promises about one endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Method and template: `GET /forensics/case_management/cases/{id}`.
    pub id: String,
    /// The last fixed segment and what is done to it: `cases.get`, `cases.list`, `cases.post`.
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
    /// The shape of one resource (a list's element), from the sample.
    pub shape: Shape,
    /// Whether the answer is an array.
    pub is_list: bool,
    /// Where this endpoint takes `fields`, if it does.
    pub fields_in: Option<Carrier>,
    /// One sentence.
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
}

impl Parameter {
    /// Whether only an integer will do.
    pub(super) fn is_integer(&self) -> bool {
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

/// An endpoint in the shape of the console's own answer; a console's answer can be put in `profiles/` as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    /// Given anew at load: a console's own ids are not permanent.
    #[serde(default)]
    pub(super) id: u64,
    http_method: String,
    pub(super) path: String,
    pub(super) version: String,
    last_modified_version: Option<String>,
    deprecated: bool,
    summary: String,
    description: Option<String>,
    caller_has_access: bool,
    /// Given anew at load.
    #[serde(default)]
    pub(super) resource_id: u64,
    parameters: Vec<ParameterDescription>,
    success_responses: Vec<SuccessDescription>,
    error_responses: Vec<ErrorDescription>,
    response_mime_types: Vec<ResponseMimeType>,
    response_description: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterDescription {
    parameter_name: String,
    #[serde(rename = "type")]
    kind: ParameterKind,
    default_value: Option<String>,
    description: Option<String>,
    mime_types: Vec<ParameterMimeType>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterMimeType {
    mime_type: String,
    data_type: String,
    sample: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuccessDescription {
    response_code: u16,
    response_code_description: Option<String>,
    description: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorDescription {
    response_code: u16,
    unique_code: u32,
    description: Option<String>,
    response_code_description: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseMimeType {
    mime_type: String,
    media_type: Option<String>,
    sample: Option<String>,
}

impl Description {
    /// Method and template.
    pub(super) fn endpoint_id(&self) -> String {
        format!("{} {}", self.http_method, self.path)
    }

    /// What the rest of the program works with.
    pub(super) fn to_endpoint(&self) -> Result<Endpoint, JsonError> {
        let sample = self.response_mime_types.iter().find_map(|mime| mime.sample.as_deref()).unwrap_or("{}");
        let shape = Shape::of_sample(&Json::parse(sample)?);
        let parameters: Vec<Parameter> =
            self.parameters.iter().map(ParameterDescription::to_parameter).collect();
        let success: Vec<u16> = self.success_responses.iter().map(|row| row.response_code).collect();
        Ok(Endpoint {
            id: self.endpoint_id(),
            short: short_name(&self.http_method, &self.path),
            method: self.http_method.clone(),
            template: self.path.clone(),
            fields_in: parameters.iter().find_map(|parameter| {
                match (parameter.name.as_str(), parameter.kind) {
                    ("fields", ParameterKind::Query) => Some(Carrier::Query),
                    ("fields", ParameterKind::Header) => Some(Carrier::Header),
                    _ => None,
                }
            }),
            parameters,
            success: if success.is_empty() { vec![200] } else { success },
            errors: self.error_responses.iter().map(ErrorDescription::to_error).collect(),
            is_list: matches!(shape, Shape::List(_)),
            shape: shape.element().clone(),
            summary: self.summary.clone(),
        })
    }
}

impl ParameterDescription {
    /// The description says in its first word whether the parameter may be left out; path and body have to be there
    /// unless it says so.
    fn to_parameter(&self) -> Parameter {
        let word = self.description.as_deref().and_then(|text| text.split_whitespace().next()).unwrap_or("");
        Parameter {
            name: self.parameter_name.clone(),
            kind: self.kind,
            required: match self.kind {
                ParameterKind::Path => true,
                ParameterKind::Body => word != "Optional",
                ParameterKind::Query | ParameterKind::Header => word == "Required",
            },
            data_type: self.mime_types.first().map(|mime| mime.data_type.clone()).unwrap_or_default(),
        }
    }
}

impl ErrorDescription {
    fn to_error(&self) -> ApiError {
        ApiError {
            status: self.response_code,
            code: self.unique_code,
            description: self.description.clone().unwrap_or_default(),
        }
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
