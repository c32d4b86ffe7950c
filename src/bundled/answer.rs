//! What an answer of the console means.

use super::wire::Trouble;
use crate::json::Json;
use crate::message::Response;

/// An answer, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// 2xx with JSON: its text on one line, every value as it came.
    Data(String),
    /// 404/1002: there is no such task.
    NotFound,
    /// 5xx: the console's own code, if it gave one, and the body as JSON text, if it was JSON.
    ServerError { status: u16, code: Option<i128>, body: Option<String> },
    /// 429: nobody has seen it on a console, but a proxy in front of one may say so.
    Busy,
    /// The console refuses what was asked: 401, 403, 409, 422.
    Rejected(Option<i128>),
    /// It is not the API that answered, or not this part of it: says nothing about the task.
    Elsewhere(String),
    /// 2xx with a body that is not JSON: perhaps broken on the way.
    Unreadable(String),
    /// No answer.
    Lost(Trouble),
}

impl Answer {
    pub(super) fn of(result: Result<Response, Trouble>) -> Self {
        let response = match result {
            Ok(response) => response,
            Err(trouble) => return Self::Lost(trouble),
        };
        let json = Json::parse_bytes(&response.body);
        let code = json.as_ref().ok().and_then(|json| json.member("code")).and_then(Json::as_i128);
        let is_page = response
            .headers
            .text("Content-Type")
            .is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
        match (response.status, json) {
            (200..=299, _) if is_page => {
                Self::Elsewhere("a web page came in place of JSON: is the base URL right?".to_owned())
            }
            (200..=299, Ok(json)) => Self::Data(json.compact()),
            (200..=299, Err(error)) => Self::Unreadable(format!("the answer is not JSON: {error}")),
            (404, _) if code == Some(1002) => Self::NotFound,
            (404, _) => Self::Elsewhere(match code {
                Some(code) => format!("404 with code {code}: not an address of the API"),
                None => "404 without a code: not an address of the API".to_owned(),
            }),
            (429, _) => Self::Busy,
            (400..=499, _) => Self::Rejected(code),
            (500.., json) => Self::ServerError {
                status: response.status,
                code,
                body: json.ok().map(|json| json.compact()),
            },
            (status, _) => {
                Self::Elsewhere(format!("an answer of status {status}, which the API does not give"))
            }
        }
    }

    /// Whether the same request may well get another answer soon. 501 says that it never will.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::ServerError { status, .. } => *status != 501,
            Self::Busy | Self::Unreadable(_) | Self::Lost(_) => true,
            Self::Data(_) | Self::NotFound | Self::Rejected(_) | Self::Elsewhere(_) => false,
        }
    }

    /// Whether the console cannot have seen the request, so that even a creation may be sent again.
    pub(super) fn was_not_sent(&self) -> bool {
        matches!(self, Self::Lost(Trouble::NotSent(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, code: i64) -> Answer {
        Answer::of(Ok(Response::json(
            status,
            format!(r#"{{"http_response":{{"code":{status}}},"code":{code}}}"#),
        )))
    }

    #[test]
    fn errors_are_told_apart() {
        assert_eq!(error(404, 1002), Answer::NotFound);
        assert!(matches!(error(404, 4), Answer::Elsewhere(_)));
        assert!(matches!(error(500, 1020), Answer::ServerError { code: Some(1020), .. }));
        assert_eq!(error(422, 30), Answer::Rejected(Some(30)));
        assert_eq!(error(401, 18), Answer::Rejected(Some(18)));
        let page = |status| Answer::of(Ok(Response::with_body(status, "text/html", "<html>")));
        assert!(matches!(page(200), Answer::Elsewhere(_)));
        assert!(matches!(page(404), Answer::Elsewhere(_)));
        assert!(matches!(page(503), Answer::ServerError { code: None, body: None, .. }));
        assert!(matches!(page(302), Answer::Elsewhere(_)));
    }

    #[test]
    fn data_keeps_the_text_of_every_value() {
        let response = Response::json(200, "{ \"id\" : 9007199254740993,\n \"w\": 1.00 }\n");
        assert_eq!(Answer::of(Ok(response)), Answer::Data(r#"{"id":9007199254740993,"w":1.00}"#.to_owned()));
        assert!(matches!(Answer::of(Ok(Response::json(200, "{\"id\":"))), Answer::Unreadable(_)));
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        assert!(error(500, 1020).may_pass() && Answer::Lost(Trouble::Reset).may_pass());
        assert!(!error(501, 0).may_pass() && !error(404, 1002).may_pass() && !error(422, 30).may_pass());
    }
}
