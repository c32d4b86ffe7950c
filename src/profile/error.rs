//! The API's error bodies.
//!
//! The key order is that of captured answers; the texts for a status are those of captures or of the published
//! overview. An endpoint's own codes (1000 and up) repeat the description of its error table; the framework's codes
//! (below 1000) have none.

use crate::json::quote;
use crate::message::{Response, usual_reason};

/// An error as the API answers it: compact JSON, with a JSON content type even where the endpoint answers something
/// else. `description` is the text of the endpoint's table, empty for a framework code.
pub(crate) fn error_response(status: u16, code: u32, description: &str, message: &str) -> Response {
    let body = format!(
        r#"{{"http_response":{{"code":{status},"message":{}}},"code":{code},"description":{},"details":{{}},"message":{}}}"#,
        quote(status_message(status)),
        quote(description),
        quote(message),
    );
    Response::json(status, body)
}

/// An error in the same form without a code, as nobody documents one (ours).
pub(crate) fn uncoded_error(status: u16, message: &str) -> Response {
    let body = format!(
        r#"{{"http_response":{{"code":{status},"message":{}}},"description":"","details":{{}},"message":{}}}"#,
        quote(status_message(status)),
        quote(message),
    );
    Response::json(status, body)
}

/// The `http_response.message` of a status. Seen in captures: 401, 403, 404, 409, 422, 500 (the full stop of 401 and
/// 404 too). Documented: 400, 405, 406. For any other, the usual reason phrase (ours).
pub(super) fn status_message(status: u16) -> &'static str {
    match status {
        400 => "Invalid syntax for this request was provided.",
        401 => "You are unauthorized to access the requested resource.",
        403 => "Your account is not authorized to access the requested resource",
        404 => "We could not find the resource you requested.",
        405 => "This method type is not currently supported.",
        406 => "Acceptance header is invalid for this endpoint resource.",
        409 => "The request could not be completed due to a conflict with the current state of the resource",
        422 => "The request was well-formed but was unable to be followed due to semantic errors",
        500 => "Unexpected internal server error",
        other => usual_reason(other),
    }
}

/// The page that answers a path outside `/api`: status 200, HTML (one source; the exact bytes are ours).
pub(super) fn outside_page() -> Response {
    const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Application error</title></head>\n\
        <body><h1>Application error</h1><p>The page you asked for could not be shown.</p></body></html>\n";
    Response::with_body(200, "text/html;charset=UTF-8", PAGE)
}

/// A framework code with its usual message, the parts that name something filled in with examples; `None` for a pair
/// of status and code that the framework does not use.
pub fn framework_error(status: u16, code: u32) -> Option<Response> {
    let message = match (status, code) {
        (401, 18) => NO_CREDENTIALS.to_owned(),
        (403, 26) => "User has insufficient capabilities to access this endpoint resource".to_owned(),
        (404, 4) => unknown_path("/x/y"),
        (422, 8) => missing_parameter("name", "query"),
        (422, 10) => missing_body("data"),
        (422, 11) => untransformed("query", "status", "TEXT_PLAIN"),
        (422, 30) => unknown_field("x"),
        (422, 31) => repeated_field("id,x,id", "id"),
        (422, 36) => RANGE_SYNTAX.to_owned(),
        _ => return None,
    };
    Some(error_response(status, code, "", &message))
}

/// 401/18 (seen).
pub(super) const NO_CREDENTIALS: &str = "No SEC header present in request. Please provide it via \"SEC: token\". You may also use BASIC \
    authentication parameters if this host supports it. e.g. \"Authorization: Basic base64Encoding\"";

/// 422/36 (seen).
pub(super) const RANGE_SYNTAX: &str =
    "Failed to parse Range header. The syntax of the Range header must follow this pattern: items=x-y";

/// 422/36 (seen).
pub(super) const RANGE_NEGATIVE: &str =
    "Range of pages specified in \"Range\" header is negative. Non-negative page range must be specified.";

/// 404/4 (one source). `path` without `/api`.
pub(super) fn unknown_path(path: &str) -> String {
    format!(
        "Relative path ({path}) is not a known endpoint resource. Please refer to documentation for list of endpoint resources."
    )
}

/// 422/8 (seen for `query`).
pub(super) fn missing_parameter(name: &str, place: &str) -> String {
    format!("Missing required parameter \"{name}\" from {place} parameters")
}

/// 422/10 (seen).
pub(super) fn missing_body(name: &str) -> String {
    format!("Request body must be populated for body parameter \"{name}\"")
}

/// 422/11 (seen for `query`; the wording for a path or a body is ours).
pub(super) fn untransformed(place: &str, name: &str, content_type: &str) -> String {
    format!("Failed to transform user {place} parameter \"{name}\" with a content type of \"{content_type}\"")
}

/// 422/30 (one source).
pub(super) fn unknown_field(name: &str) -> String {
    format!(
        "Specified field \"{name}\" is not recognized by this endpoint for media type \"application/json\""
    )
}

/// 422/31 (one source).
pub(super) fn repeated_field(raw: &str, name: &str) -> String {
    let why = format!("Specified field \"{name}\" was used more than once at the same level");
    invalid_fields(raw, &why)
}

/// 422/31 for a text that does not parse (ours).
pub(super) fn invalid_fields(raw: &str, why: &str) -> String {
    format!("fields parameter value \"{raw}\" was invalid. {why}")
}

/// 422 for a version that was taken out (text seen, code unknown).
pub(crate) fn removed_version(version: &str) -> String {
    format!(
        "Version ({version}) from header parameter (Version) has been removed and is no longer valid. Please refer to documentation for list of valid versions."
    )
}

/// 422 for what is no version (text seen, code unknown).
pub(super) fn invalid_version(version: &str) -> String {
    format!(
        "Version ({version}) from header parameter (Version) is not a valid version. Please refer to documentation for list of valid versions."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_body_has_the_captured_key_order_and_texts() {
        let response =
            error_response(404, 1002, "The rule does not exist.", "No Custom Rule found with id: 1");
        assert_eq!(
            response.text(),
            Some(
                r#"{"http_response":{"code":404,"message":"We could not find the resource you requested."},"code":1002,"description":"The rule does not exist.","details":{},"message":"No Custom Rule found with id: 1"}"#
            )
        );
        assert_eq!(response.headers.text("Content-Type").as_deref(), Some("application/json;charset=UTF-8"));
    }

    #[test]
    fn the_framework_knows_its_own_codes_only() {
        for (status, code) in
            [(401, 18), (403, 26), (404, 4), (422, 8), (422, 10), (422, 11), (422, 30), (422, 31), (422, 36)]
        {
            assert_eq!(framework_error(status, code).map(|response| response.status), Some(status));
        }
        assert!(framework_error(404, 1002).is_none() && framework_error(500, 4).is_none());
    }
}
