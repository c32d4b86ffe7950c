//! An endpoint as a console describes it in `GET /api/help/endpoints`: read from such an answer, and written as one.

use serde::{Deserialize, Serialize};

use super::Version;
use super::endpoint::{ApiError, Endpoint, Parameter, ParameterKind};
use super::error::status_message;
use crate::fields::Shape;
use crate::json::{Json, JsonError};
use crate::message::usual_reason;

const JSON: &str = "application/json";

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
        let sample = self.response_mime_types.iter().find_map(|mime| mime.sample.as_deref());
        let answer = sample.map_or(Ok(Shape::Any), shape_of_sample)?;
        let parameters: Result<Vec<Parameter>, JsonError> =
            self.parameters.iter().map(ParameterDescription::to_parameter).collect();
        let success: Vec<u16> = self.success_responses.iter().map(|row| row.response_code).collect();
        let bare = Endpoint::bare(&self.http_method, &self.path);
        Ok(Endpoint {
            success: if success.is_empty() { vec![200] } else { success },
            errors: self.error_responses.iter().map(ErrorDescription::to_error).collect(),
            deprecated: self.deprecated,
            summary: self.summary.clone(),
            ..bare.with_parameters(parameters?).with_answer(answer)
        })
    }

    /// How a console would describe an endpoint of which we have the facts alone: texts are empty.
    pub(super) fn of(endpoint: &Endpoint, version: Version) -> Self {
        let sample = match endpoint.is_list {
            true => Shape::List(Box::new(endpoint.shape.clone())).sample(),
            false => endpoint.shape.sample(),
        };
        Self {
            id: 0,
            http_method: endpoint.method.clone(),
            path: endpoint.template.clone(),
            version: version.to_string(),
            last_modified_version: None,
            deprecated: endpoint.deprecated,
            summary: endpoint.summary.clone(),
            description: None,
            caller_has_access: true,
            resource_id: 0,
            parameters: endpoint.parameters.iter().map(ParameterDescription::of).collect(),
            success_responses: endpoint
                .success
                .iter()
                .map(|status| SuccessDescription::of(*status))
                .collect(),
            error_responses: endpoint.errors.iter().map(ErrorDescription::of).collect(),
            response_mime_types: vec![ResponseMimeType {
                mime_type: JSON.to_owned(),
                media_type: None,
                sample: Some(sample),
            }],
            response_description: None,
        }
    }
}

fn shape_of_sample(text: &str) -> Result<Shape, JsonError> {
    Ok(Shape::of_sample(&Json::parse(text)?))
}

impl ParameterDescription {
    /// The description says in its first word whether the parameter may be left out; path and body have to be there
    /// unless it says so.
    fn to_parameter(&self) -> Result<Parameter, JsonError> {
        let mime = self.mime_types.first();
        let is_json = |mime: &&ParameterMimeType| self.kind == ParameterKind::Body && mime.mime_type == JSON;
        let sample = mime.filter(is_json).and_then(|mime| mime.sample.as_deref());
        let word = self.description.as_deref().and_then(|text| text.split_whitespace().next()).unwrap_or("");
        Ok(Parameter {
            name: self.parameter_name.clone(),
            kind: self.kind,
            required: match self.kind {
                ParameterKind::Path => true,
                ParameterKind::Body => word != "Optional",
                ParameterKind::Query | ParameterKind::Header => word == "Required",
            },
            data_type: mime.map(|mime| mime.data_type.clone()).unwrap_or_default(),
            mime: mime.map(|mime| mime.mime_type.clone()).unwrap_or_default(),
            shape: sample.map(shape_of_sample).transpose()?,
        })
    }

    /// As [`to_parameter`](Self::to_parameter) reads it: the first word says whether it may be left out.
    fn of(parameter: &Parameter) -> Self {
        let text = if parameter.required { "Required" } else { "Optional" };
        Self {
            parameter_name: parameter.name.clone(),
            kind: parameter.kind,
            default_value: None,
            description: Some(text.to_owned()),
            mime_types: vec![ParameterMimeType {
                mime_type: parameter.mime.clone(),
                data_type: parameter.data_type.clone(),
                sample: parameter.shape.as_ref().map(Shape::sample),
            }],
        }
    }
}

impl SuccessDescription {
    fn of(status: u16) -> Self {
        Self {
            response_code: status,
            response_code_description: Some(usual_reason(status).to_owned()),
            description: None,
        }
    }
}

impl ErrorDescription {
    fn of(error: &ApiError) -> Self {
        Self {
            response_code: error.status,
            unique_code: error.code,
            description: Some(error.description.clone()).filter(|text| !text.is_empty()),
            response_code_description: Some(status_message(error.status).to_owned()),
        }
    }

    fn to_error(&self) -> ApiError {
        ApiError {
            status: self.response_code,
            code: self.unique_code,
            description: self.description.clone().unwrap_or_default(),
        }
    }
}
