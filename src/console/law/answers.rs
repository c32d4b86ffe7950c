//! What is looked at in every answer, whatever was asked.

use super::{Drawn, Ground};
use crate::console::check::{Check, Finding, obstacle};
use crate::console::question::{Answer, Question};
use crate::console::rule::{self, Rule};
use crate::console::whole::{Whole, elements};
use crate::fields::Shape;
use crate::json::{Json, Kind};
use crate::profile::Endpoint;
use crate::record::Safe;
use crate::seed::Stream;

/// What any answer of the API says of the rules about all answers. What stands before a console (429, 502), and whoever
/// asks for the token (401), has its own ways, and a recording's miss is none of the console's answers.
pub(in crate::console) fn along(
    endpoint: Option<&Endpoint>,
    question: &Question,
    answer: &Answer,
) -> Vec<(&'static Rule, Finding)> {
    if !question.path.starts_with("/api/") || question.method == Safe::Head {
        return Vec::new();
    }
    match answer.status {
        200..=299 => of_success(answer),
        400..=499 if !matches!(answer.status, 401 | 407 | 408 | 413 | 414 | 421 | 429 | 431) => {
            of_error(endpoint, answer)
        }
        _ => Vec::new(),
    }
}

fn of_success(answer: &Answer) -> Vec<(&'static Rule, Finding)> {
    let is_json = answer.json().is_some_and(|json| matches!(json.kind(), Kind::Array(_) | Kind::Object(_)));
    if !is_json {
        return Vec::new();
    }
    let finding = match answer.says_json() {
        true => Finding::Holds,
        false => Finding::departs(
            "its Content-Type is another one",
            format!("its Content-Type is `{}`", answer.content_type),
            "Content-Type: application/json",
        ),
    };
    vec![(&rule::CONTENT_TYPE, finding)]
}

fn of_error(endpoint: Option<&Endpoint>, answer: &Answer) -> Vec<(&'static Rule, Finding)> {
    let Some(json) = answer.json() else {
        let because = format!("the body of {} is no JSON", answer.status);
        return vec![(
            &rule::ERROR_TYPE,
            Finding::departs("the body of an error is no JSON", because, "an error in JSON"),
        )];
    };
    let kind = match answer.says_json() {
        true => Finding::Holds,
        false => Finding::departs(
            "its Content-Type is another one",
            format!("its Content-Type is `{}`", answer.content_type),
            "Content-Type: application/json",
        ),
    };
    let body = match misshapen(&json, answer.status) {
        None => Finding::Holds,
        Some(why) => Finding::departs(
            "the body of an error has another form",
            why,
            "http_response with code and message, code, description, details, message",
        ),
    };
    let mut found: Vec<(&'static Rule, Finding)> = vec![(&rule::ERROR_TYPE, kind), (&rule::ERROR_BODY, body)];
    found.extend(described(endpoint, &json, answer).map(|finding| (&rule::DESCRIPTION, finding)));
    found
}

/// What an error's body lacks.
fn misshapen(json: &Json<'_>, status: u16) -> Option<String> {
    let response = json.member("http_response");
    let code = response.and_then(|it| it.member("code")).and_then(Json::as_i128);
    let is_text = |value: Option<&Json<'_>>| value.is_some_and(|value| value.as_str().is_some());
    if !matches!(json.kind(), Kind::Object(_)) {
        return Some("the body is no object".to_owned());
    }
    if code != Some(i128::from(status)) {
        return Some(format!("http_response/code is not {status}"));
    }
    if !is_text(response.and_then(|it| it.member("message"))) {
        return Some("http_response/message is no text".to_owned());
    }
    if json.member("code").and_then(Json::as_i128).is_none() {
        return Some("code is no number".to_owned());
    }
    let unworded = ["description", "message"].into_iter().find(|name| !is_text(json.member(name)));
    if let Some(name) = unworded {
        return Some(format!("{name} is no text"));
    }
    match json.member("details").map(Json::kind) {
        Some(Kind::Object(_)) => None,
        _ => Some("details is no object".to_owned()),
    }
}

/// Whether an error of the page repeats the page's text, where we have it.
fn described(endpoint: Option<&Endpoint>, json: &Json<'_>, answer: &Answer) -> Option<Finding> {
    let code = u32::try_from(answer.code()?).ok()?;
    let row = endpoint?.error(answer.status, code).filter(|row| !row.description.is_empty())?;
    Some(match json.member("description").and_then(Json::as_str) {
        Some(text) if text.trim() == row.description.trim() => Finding::Holds,
        _ => Finding::departs(
            "its description is another one",
            "its description is another one",
            format!("description: {}", row.description),
        ),
    })
}

/// What the plain answer of a place says of its page.
pub(in crate::console) fn plain(endpoint: &Endpoint, answer: &Answer) -> Vec<(&'static Rule, Finding)> {
    if let Some(finding) = obstacle(answer) {
        return vec![(&rule::STATUS, finding)];
    }
    let page: Vec<String> = endpoint.success.iter().map(u16::to_string).collect();
    let status = match answer.status {
        status if endpoint.success.contains(&status) => Finding::Holds,
        // That a window may be answered with 206 is a rule of its own.
        206 if answer.content_range.is_some() => Finding::Holds,
        _ if answer.is_success() => Finding::answered(answer.status, page.join(" or ")),
        _ => Finding::NotReached(format!("it is answered with {}", answer.named())),
    };
    let mut found: Vec<(&'static Rule, Finding)> = vec![(&rule::STATUS, status)];
    if let Some(json) = answer.json().filter(|_| answer.is_success()) {
        found.extend(members(&endpoint.shape, &json).map(|finding| (&rule::MEMBERS, finding)));
    }
    found
}

/// Whether an answer has members that the page's sample does not show; `None` where there is nothing to compare.
fn members(shape: &Shape, json: &Json<'_>) -> Option<Finding> {
    if shape.element().names().is_empty() || elements(json).is_empty() {
        return None;
    }
    let extra = elements(json).iter().find_map(|element| unshown(shape.element(), element, ""));
    Some(match extra {
        None => Finding::Holds,
        Some(place) => {
            let shown = shape.element().names().join(", ");
            let kept = "there are members that the sample does not show";
            Finding::departs(kept, format!("the sample does not show {place}"), format!("members: {shown}"))
        }
    })
}

/// The first member that the sample does not show. What it says nothing about has any.
fn unshown(shape: &Shape, value: &Json<'_>, at: &str) -> Option<String> {
    match (shape, value.kind()) {
        (Shape::Object(known), Kind::Object(members)) => members.iter().find_map(|(name, below)| {
            let place = format!("{at}/{name}");
            match known.iter().find(|(it, _)| it == name) {
                None => Some(place),
                Some((_, shape)) => unshown(shape, below, &place),
            }
        }),
        (Shape::List(element), Kind::Array(elements)) => {
            elements.iter().find_map(|value| unshown(element, value, at))
        }
        _ => None,
    }
}

/// A HEAD of a place that is there.
pub(super) fn head(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    match ground.whole {
        Some(_) => Drawn::check(Head),
        None => Drawn::NotApplicable,
    }
}

#[derive(Debug)]
struct Head;

impl Check for Head {
    fn rule(&self) -> &'static Rule {
        &rule::HEAD
    }

    fn case(&self) -> String {
        "HEAD".to_owned()
    }

    fn questions(&self, base: &Question) -> Vec<Question> {
        vec![base.clone(), Question { method: Safe::Head, ..base.clone() }]
    }

    fn judge(&self, _whole: Option<&Whole>, answers: &[Answer]) -> Vec<(&'static Rule, Finding)> {
        let [get, head] = answers else { return Vec::new() };
        let finding = match obstacle(head) {
            Some(finding) => finding,
            None if get.status == head.status => Finding::Holds,
            None => {
                let kept = "the HEAD is answered with another status";
                Finding::departs(
                    kept,
                    format!("the HEAD is answered with {}", head.status),
                    get.status.to_string(),
                )
            }
        };
        vec![(&rule::HEAD, finding.at(1))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::whole::tests::answer;
    use crate::profile::Profile;

    #[test]
    fn an_error_of_the_api_has_its_form() {
        let whole = r#"{"http_response":{"code":404,"message":"m"},"code":1002,"description":"d","details":{},"message":"x"}"#;
        let broken = |from: &str, to: &str| {
            let found = along(None, &Question::get("/api/x"), &answer(404, &whole.replace(from, to)));
            found.into_iter().find(|(rule, _)| rule.id == "error-body").unwrap().1
        };
        assert_eq!(broken("", ""), Finding::Holds);
        for (from, to) in [
            ("404", "400"),
            ("\"m\"", "7"),
            ("1002", "\"1002\""),
            ("\"description\":\"d\",", ""),
            ("{}", "null"),
            ("\"message\":\"x\"", "\"message\":null"),
        ] {
            assert!(matches!(broken(from, to), Finding::Departs(_)), "{from} as {to}");
        }
        let page = Answer { content_type: "text/html".into(), ..answer(404, "<p>") };
        let found = along(None, &Question::get("/api/x"), &page);
        assert!(found.len() == 1 && found[0].0.id == "errors-are-json");
        assert!(along(None, &Question::get("/x"), &page).is_empty(), "outside the API");
        assert!(along(None, &Question::get("/api/x"), &answer(501, "{}")).is_empty(), "a recording's miss");
    }

    #[test]
    fn the_other_dialect_is_observed_as_members_that_the_sample_does_not_show() {
        let id = "GET /forensics/case_management/case_create_tasks/{id}";
        let endpoint = Profile::builtin().endpoint(id).unwrap();
        let of = |text: &str| {
            let found = plain(endpoint, &answer(200, text));
            found.into_iter().find(|(rule, _)| rule.id == "members-of-the-sample").unwrap().1
        };
        assert_eq!(of(r#"{"id":1,"name":"x","state":"COMPLETE"}"#), Finding::Holds);
        assert!(matches!(of(r#"{"id":1,"case_name":"x"}"#), Finding::Departs(_)));
    }
}
