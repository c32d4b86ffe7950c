//! An endpoint as a console describes it in `GET /api/help/endpoints`: read from such an answer, and written as one.

use std::borrow::Cow;
use std::collections::BTreeMap;

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
pub(super) struct Description {
    /// Given anew at load: a console's own ids are not permanent.
    #[serde(default)]
    pub(super) id: u64,
    http_method: String,
    pub(super) path: String,
    pub(super) version: String,
    #[serde(default)]
    last_modified_version: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    deprecated: bool,
    #[serde(default, deserialize_with = "or_default")]
    summary: String,
    description: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    caller_has_access: bool,
    /// Given anew at load.
    #[serde(default)]
    pub(super) resource_id: u64,
    #[serde(default, deserialize_with = "or_default")]
    parameters: Vec<ParameterDescription>,
    #[serde(default, deserialize_with = "or_default")]
    success_responses: Vec<SuccessDescription>,
    #[serde(default, deserialize_with = "or_default")]
    error_responses: Vec<ErrorDescription>,
    #[serde(default, deserialize_with = "or_default")]
    response_mime_types: Vec<ResponseMimeType>,
    response_description: Option<String>,
}

/// What a description is found by.
#[derive(Deserialize)]
pub(super) struct Name<'t> {
    #[serde(borrow)]
    http_method: Cow<'t, str>,
    #[serde(borrow)]
    path: Cow<'t, str>,
}

impl Name<'_> {
    /// Method and template.
    pub(super) fn endpoint_id(&self) -> String {
        format!("{} {}", self.http_method, self.path)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ParameterDescription {
    parameter_name: String,
    #[serde(rename = "type")]
    kind: ParameterKind,
    default_value: Option<String>,
    description: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    mime_types: Vec<ParameterMimeType>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ParameterMimeType {
    #[serde(default, deserialize_with = "or_default")]
    mime_type: String,
    #[serde(default, deserialize_with = "or_default")]
    data_type: String,
    sample: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SuccessDescription {
    response_code: u16,
    response_code_description: Option<String>,
    description: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ErrorDescription {
    response_code: u16,
    #[serde(default, deserialize_with = "or_default")]
    unique_code: u32,
    description: Option<String>,
    response_code_description: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ResponseMimeType {
    #[serde(default, deserialize_with = "or_default")]
    mime_type: String,
    media_type: Option<String>,
    sample: Option<String>,
}

/// `null` is what is not said.
fn or_default<'de, D: serde::Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// A console's own answer as it is kept: of an endpoint that it describes in several versions the newest, without
/// samples that are no JSON, and without members that say nothing to us; and how many samples were left out.
pub(super) fn tidied(text: &str) -> Result<(String, usize), serde_json::Error> {
    let all: Vec<Description> = serde_json::from_str(text)?;
    let mut newest: BTreeMap<String, Description> = BTreeMap::new();
    for description in all {
        let id = description.endpoint_id();
        let is_newer =
            newest.get(&id).is_none_or(|held| version(&held.version) <= version(&description.version));
        if is_newer {
            newest.insert(id, description);
        }
    }
    let mut left_out = 0;
    for description in newest.values_mut() {
        left_out += description.leave_out_samples();
    }
    let kept: Vec<&Description> = newest.values().collect();
    Ok((serde_json::to_string_pretty(&kept)? + "\n", left_out))
}

fn version(text: &str) -> Option<Version> {
    Version::try_from(text.to_owned()).ok()
}

impl Description {
    /// Leaves out the samples that are read and are no JSON; how many those are.
    fn leave_out_samples(&mut self) -> usize {
        let bodies = self.parameters.iter_mut().filter(|parameter| parameter.kind == ParameterKind::Body);
        let of_bodies = bodies.flat_map(|parameter| &mut parameter.mime_types);
        let of_bodies = of_bodies.filter(|mime| mime.mime_type == JSON).map(|mime| &mut mime.sample);
        let of_answers = self.response_mime_types.iter_mut().map(|mime| &mut mime.sample);
        let mut count = 0;
        for sample in of_bodies.chain(of_answers) {
            if sample.as_deref().is_some_and(|text| Json::parse(text).is_err()) {
                *sample = None;
                count += 1;
            }
        }
        count
    }

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
