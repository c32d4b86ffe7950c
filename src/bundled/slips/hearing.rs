//! Slips in what is made of an answer.

use super::super::trust::Trust;
use super::super::wire::{Console, Trouble};
use super::{Call, Does, Heard, Slip, is_poll, slip};
use crate::json::{Json, replace};
use crate::message::{Request, Response};

const ERROR: &str = "names-the-error";
const SAYS: &str = "says-what-it-heard";
const ENDS: &str = "terminates";
const PATIENT: &str = "patient-not-greedy";
const ONCE: &str = "creates-once";

/// How often the client that storms asks again.
const STORM: u32 = 30;

pub(super) const SLIPS: &[Slip] = &[
    slip(
        "every-404-is-no-task",
        "it takes every 404 for \"no such task\"",
        ERROR,
        Does::Heard(|_, heard| changed(heard, |answer| (answer.status == 404).then(|| error(404, 1002)))),
    ),
    slip(
        "page-is-no-task",
        "it takes a page of HTML for \"no such task\"",
        ERROR,
        Does::Heard(|_, heard| {
            let is_page = |answer: &Response| {
                let kind = answer.headers.text("Content-Type").unwrap_or_default().into_owned();
                answer.status == 200 && kind.contains("html")
            };
            changed(heard, |answer| is_page(answer).then(|| error(404, 1002)))
        }),
    ),
    slip(
        "blames-itself",
        "it calls an error of the server its own mistake",
        ERROR,
        Does::Heard(|_, heard| {
            changed(heard, |answer| {
                (answer.status == 500).then(|| Response { status: 422, ..answer.clone() })
            })
        }),
    ),
    slip(
        "blames-the-server",
        "it calls its own mistake an error of the server",
        ERROR,
        Does::Heard(|_, heard| {
            changed(heard, |answer| {
                (answer.status == 422).then(|| Response { status: 500, ..answer.clone() })
            })
        }),
    ),
    slip(
        "no-task-is-a-failure",
        "it calls a task that is not there an error of the server",
        ERROR,
        Does::Heard(|_, heard| {
            changed(heard, |answer| {
                (answer.status == 404).then(|| Response { status: 500, ..answer.clone() })
            })
        }),
    ),
    slip(
        "another-code",
        "it reports the status in place of the console's code",
        ERROR,
        Does::Heard(|_, heard| {
            changed(heard, |answer| {
                let is_error = matches!(answer.status, 422 | 500);
                is_error.then(|| error(answer.status, answer.status.into()))
            })
        }),
    ),
    slip(
        "broken-is-empty",
        "it takes an answer that is broken for an empty task",
        SAYS,
        Does::Heard(|request, heard| match heard {
            Err(Trouble::Truncated | Trouble::Closed | Trouble::Reset) if is_poll(request) => {
                Ok(Response::json(200, "{}"))
            }
            Ok(answer)
                if is_poll(request) && answer.status == 200 && Json::parse_bytes(&answer.body).is_err() =>
            {
                Ok(Response::json(200, "{}"))
            }
            other => other,
        }),
    ),
    slip(
        "refused-is-not-yet",
        "it takes a refusal for \"not yet\" when it waits",
        ENDS,
        Does::Heard(|request, heard| not_yet(request, heard, 401..=403)),
    ),
    slip(
        "mistake-is-not-yet",
        "it takes a 422 for \"not yet\" when it waits",
        ENDS,
        Does::Heard(|request, heard| not_yet(request, heard, 422..=422)),
    ),
    slip(
        "server-error-is-not-yet",
        "it takes an error of the server for \"not yet\" when it waits",
        ENDS,
        Does::Heard(|request, heard| not_yet(request, heard, 500..=599)),
    ),
    slip(
        "word-of-another-api",
        "it waits for a last state that is spelt otherwise",
        ENDS,
        Does::Heard(|request, heard| {
            edited(request, heard, |text| text.replace("\"COMPLETE\"", "\"COMPLETION\""))
        }),
    ),
    slip(
        "polls-the-case",
        "`create` polls the id of the case in place of the task's",
        "right-address",
        Does::Heard(|request, heard| {
            changed(heard, |answer| {
                let text = answer.text().filter(|_| request.method == "POST")?;
                let case = Json::parse(text).ok()?.member("case_id")?.text().to_owned();
                Some(Response { body: replace(text, &[("/id", &case)]).into(), ..answer.clone() })
            })
        }),
    ),
    slip(
        "waiting-as-done",
        "it takes a task that waits for one that is done",
        SAYS,
        Does::Heard(|request, heard| {
            edited(request, heard, |text| text.replace("\"WAITING\"", "\"COMPLETE\""))
        }),
    ),
    slip(
        "reads-one-line",
        "it reads the first line of a body alone",
        "survives-the-unrequested",
        Does::Heard(|request, heard| {
            edited(request, heard, |text| text.lines().next().unwrap_or_default().to_owned())
        }),
    ),
    slip(
        "wants-no-blanks",
        "it finds members with a pattern that has no blanks",
        "survives-the-unrequested",
        Does::Heard(|request, heard| {
            edited(
                request,
                heard,
                |text| if text.contains("\" :") { "[]".to_owned() } else { text.to_owned() },
            )
        }),
    ),
    slip(
        "wants-every-member",
        "it takes an answer without `assigned_to` for an error",
        "reports-what-it-got",
        Does::Heard(|request, heard| {
            edited(request, heard, |text| {
                if text.contains("assigned_to") { text.to_owned() } else { "[]".to_owned() }
            })
        }),
    ),
    slip(
        "storms",
        "it repeats a request that failed thirty times, at once",
        PATIENT,
        Does::Asks(|call, heard| {
            let fails = |heard: &Heard| heard.as_ref().is_ok_and(|answer| answer.status >= 500);
            let mut heard = heard;
            for _ in 0..STORM {
                if !fails(&heard) || call.request.method != "GET" {
                    break;
                }
                heard = call.console.exchange(call.request, call.limit);
            }
            heard
        }),
    ),
    slip(
        "passes-over-retry-after",
        "it comes back before the time it was asked to wait",
        PATIENT,
        Does::Heard(|_, heard| {
            heard.map(|mut answer| {
                answer.headers.remove("Retry-After");
                answer
            })
        }),
    ),
    slip(
        "posts-after-silence",
        "`create` sends the creation again when its answer is late",
        ONCE,
        Does::Asks(|call, heard| match heard {
            Err(Trouble::TimedOut) if call.request.method == "POST" => {
                call.console.exchange(call.request, call.limit)
            }
            other => other,
        }),
    ),
    slip(
        "posts-under-another-name",
        "`create` makes another case when the answer is lost",
        ONCE,
        Does::Asks(|call, heard| match heard {
            Err(Trouble::Reset | Trouble::Closed | Trouble::Truncated) if call.request.method == "POST" => {
                let mut again = call.request.clone();
                let body = String::from_utf8_lossy(&again.body).replace("\",", "2\",");
                again.headers.set("Content-Length", body.len().to_string());
                again.body = body.into();
                call.console.exchange(&again, call.limit)
            }
            other => other,
        }),
    ),
    slip(
        "follows-anywhere",
        "it follows a redirect to another host, the token in its hand",
        "keeps-secrets",
        Does::Asks(follow),
    ),
];

fn error(status: u16, code: u32) -> Response {
    Response::json(status, format!("{{\"http_response\":{{\"code\":{status}}},\"code\":{code}}}"))
}

/// An answer that did come, with something else made of it.
fn changed(heard: Heard, change: impl Fn(&Response) -> Option<Response>) -> Heard {
    heard.map(|answer| change(&answer).unwrap_or(answer))
}

/// A task that did come, with another text.
fn edited(request: &Request, heard: Heard, edit: impl Fn(&str) -> String) -> Heard {
    changed(heard, |answer| {
        let text = answer.text().filter(|_| is_poll(request) && answer.status == 200)?;
        Some(Response { body: edit(text).into(), ..answer.clone() })
    })
}

/// A task at work in place of an answer with such a status.
fn not_yet(request: &Request, heard: Heard, statuses: std::ops::RangeInclusive<u16>) -> Heard {
    changed(heard, |answer| {
        let is_meant = is_poll(request) && statuses.contains(&answer.status);
        is_meant.then(|| Response::json(200, "{\"state\":\"PROCESSING\"}"))
    })
}

fn follow(call: &Call<'_>, heard: Heard) -> Heard {
    let answer = heard?;
    let location = answer.headers.text("Location").unwrap_or_default().into_owned();
    let Some((base, path)) = location.split_once("/api/").filter(|_| (300..400).contains(&answer.status))
    else {
        return Ok(answer);
    };
    let Ok(elsewhere) = Console::new(base, Trust::Anyone) else { return Ok(answer) };
    let mut further = call.request.clone();
    further.target = format!("/api/{path}");
    further.headers.set("Host", elsewhere.authority().to_owned());
    elsewhere.exchange(&further, call.limit)
}
