//! Slips in what is asked for, and how.

use super::super::arguments::Job;
use super::{Does, Slip, is_poll, slip, token};
use crate::json::{Json, quote};
use crate::message::Request;

const ADDRESS: &str = "right-address";
const ASKS: &str = "asks-for-what-it-was-told";
const SECRETS: &str = "keeps-secrets";
const CREATES: &str = "creates-what-it-was-told";
const ENDS: &str = "terminates";

pub(super) const SLIPS: &[Slip] = &[
    slip(
        "no-api",
        "it leaves `/api` out of the path",
        ADDRESS,
        Does::Sent(|request, _| {
            request.target = request.target.replacen("/api/", "/", 1);
        }),
    ),
    slip(
        "trailing-slash",
        "it ends the path with a slash",
        ADDRESS,
        Does::Sent(|request, _| {
            let (path, query) = split(&request.target);
            request.target = format!("{path}/{query}");
        }),
    ),
    slip(
        "double-slash",
        "it glues the path with one slash too many",
        ADDRESS,
        Does::Sent(|request, _| {
            request.target = request.target.replacen("/api/", "/api//", 1);
        }),
    ),
    slip(
        "singular-path",
        "it asks `case_create_task`, in the singular",
        ADDRESS,
        Does::Sent(|request, _| {
            request.target = request.target.replace("case_create_tasks", "case_create_task");
        }),
    ),
    slip(
        "path-with-a-hyphen",
        "it asks below `case-management`",
        ADDRESS,
        Does::Sent(|request, _| {
            request.target = request.target.replace("case_management", "case-management");
        }),
    ),
    slip(
        "encoded-slash",
        "it encodes the slash before the id",
        ADDRESS,
        Does::Sent(|request, _| {
            request.target = request.target.replace("case_create_tasks/", "case_create_tasks%2F");
        }),
    ),
    slip(
        "id-in-the-query-too",
        "it sends the id in the query, too",
        ADDRESS,
        Does::Sent(|request, _| {
            if is_poll(request) {
                let id = split(&request.target).0.rsplit('/').next().unwrap_or_default().to_owned();
                add_parameter(request, "id", &id);
            }
        }),
    ),
    slip(
        "id-in-the-query-alone",
        "it sends the id in the query, and not in the path",
        ADDRESS,
        Does::Sent(|request, _| {
            if is_poll(request) {
                let (path, query) = split(&request.target);
                let (path, id) = path.rsplit_once('/').unwrap_or((path, ""));
                let more = query.trim_start_matches('?');
                request.target = format!("{path}?id={id}&{more}").trim_end_matches('&').to_owned();
            }
        }),
    ),
    slip(
        "puts",
        "it looks at a task with PUT",
        ADDRESS,
        Does::Sent(|request, _| {
            if is_poll(request) {
                "PUT".clone_into(&mut request.method);
                request.headers.set("Content-Length", "0");
            }
        }),
    ),
    slip(
        "no-credential",
        "it sends no credential",
        ADDRESS,
        Does::Sent(|request, _| {
            request.headers.remove("SEC");
        }),
    ),
    slip(
        "bearer-token",
        "it sends the token as a bearer token",
        ADDRESS,
        Does::Sent(|request, arguments| {
            request.headers.remove("SEC");
            request.headers.push("Authorization", format!("Bearer {}", token(arguments)));
        }),
    ),
    slip(
        "dead-version",
        "it asks in a version that was removed",
        ADDRESS,
        Does::Sent(|request, _| {
            request.headers.set("Version", "3.0");
        }),
    ),
    slip(
        "unheard-of-version",
        "it asks in a version that never was",
        ADDRESS,
        Does::Sent(|request, _| {
            request.headers.set("Version", "322.0123");
        }),
    ),
    slip(
        "no-version",
        "it says that it sends a version, and sends none",
        ADDRESS,
        Does::Sent(|request, _| {
            request.headers.remove("Version");
        }),
    ),
    slip(
        "id-through-a-float",
        "it sends the id through a 64-bit float",
        ADDRESS,
        Does::Told(|arguments| {
            if let Ok(id) = arguments.id.parse::<f64>() {
                arguments.id = format!("{id:.0}");
            }
        }),
    ),
    slip(
        "id-in-32-bits",
        "it sends the id in 32 bits",
        ADDRESS,
        Does::Told(|arguments| {
            if let Ok(id) = arguments.id.parse::<i64>() {
                arguments.id = (id & 0xffff_ffff).to_string();
            }
        }),
    ),
    slip(
        "wait-without-fields",
        "`wait` asks for the whole task, whatever it was told",
        ASKS,
        Does::Told(|arguments| {
            if arguments.job == Job::Wait {
                arguments.fields = None;
            }
        }),
    ),
    slip(
        "first-field-alone",
        "`get` asks for the first name of a selector alone",
        ASKS,
        Does::Told(|arguments| {
            if arguments.job == Job::Get {
                arguments.fields =
                    arguments.fields.take().and_then(|all| Some(all.split(',').next()?.to_owned()));
            }
        }),
    ),
    slip(
        "fields-in-capitals",
        "`get` asks for names in capitals",
        ASKS,
        Does::Told(|arguments| {
            if arguments.job == Job::Get {
                arguments.fields = arguments.fields.take().map(|all| all.to_uppercase());
            }
        }),
    ),
    slip(
        "one-field-more",
        "`get` asks for the id, too, where it was not told to",
        ASKS,
        Does::Told(|arguments| {
            let has_id = |all: &str| all.split(',').any(|name| name.trim() == "id");
            if arguments.job == Job::Get {
                arguments.fields =
                    arguments.fields.take().map(|all| if has_id(&all) { all } else { format!("{all},id") });
            }
        }),
    ),
    slip(
        "fields-as-a-header",
        "it sends the selector of a GET as a header",
        ASKS,
        Does::Sent(|request, arguments| {
            if let Some(fields) = arguments.fields.clone().filter(|_| is_poll(request)) {
                request.target = split(&request.target).0.to_owned();
                request.headers.push("fields", fields);
            }
        }),
    ),
    slip(
        "fields-twice",
        "it sends the selector of a GET twice",
        ASKS,
        Does::Sent(|request, _| {
            let query = split(&request.target).1.trim_start_matches('?').to_owned();
            if is_poll(request) && !query.is_empty() {
                request.target.push('&');
                request.target.push_str(&query);
            }
        }),
    ),
    slip(
        "token-in-the-url",
        "it sends the token in the URL, too",
        SECRETS,
        Does::Sent(|request, arguments| {
            add_parameter(request, "token", token(arguments));
        }),
    ),
    slip(
        "token-in-the-body",
        "`create` sends the token in the body, too",
        SECRETS,
        Does::Sent(|request, arguments| {
            if let Some(rest) = text(request).strip_prefix('{').map(str::to_owned) {
                set_body(request, format!("{{\"sec\":{},{rest}", quote(token(arguments))));
            }
        }),
    ),
    slip(
        "token-in-another-header",
        "it sends the token in a second header",
        SECRETS,
        Does::Sent(|request, arguments| request.headers.push("X-Request-Tag", token(arguments).to_owned())),
    ),
    slip(
        "another-name",
        "`create` makes the case under another name",
        CREATES,
        Does::Told(|arguments| {
            arguments.name.push('1');
        }),
    ),
    slip(
        "name-under-the-prose-key",
        "`create` sends the name as `case_name`",
        CREATES,
        Does::Sent(|request, _| {
            let body = text(request).replace("\"name\":", "\"case_name\":");
            set_body(request, body);
        }),
    ),
    slip(
        "assigned-to-a-text",
        "`create` sends `assigned_to` as a text",
        CREATES,
        Does::Sent(|request, _| {
            let body = text(request).replace("[\"analyst\"]", "\"analyst\"");
            set_body(request, body);
        }),
    ),
    slip(
        "body-of-single-quotes",
        "`create` sends a body that is no JSON",
        CREATES,
        Does::Sent(|request, _| {
            let body = text(request).replace('"', "'");
            set_body(request, body);
        }),
    ),
    slip(
        "body-as-a-form",
        "`create` sends its body as a form",
        CREATES,
        Does::Sent(|request, arguments| {
            if !request.body.is_empty() {
                request.headers.set("Content-Type", "application/x-www-form-urlencoded");
                set_body(request, format!("name={}&assigned_to=analyst", arguments.name));
            }
        }),
    ),
    slip(
        "gives-up-early",
        "it gives up after a tenth of the time it says",
        ENDS,
        Does::Told(|arguments| {
            if arguments.job == Job::Wait {
                arguments.deadline_ms /= 10;
            }
        }),
    ),
    slip(
        "no-limit",
        "it has no limit of its own",
        ENDS,
        Does::Told(|arguments| {
            arguments.deadline_ms = 600_000;
        }),
    ),
];

/// Path and query, the question mark with it.
fn split(target: &str) -> (&str, &str) {
    target.split_at(target.find('?').unwrap_or(target.len()))
}

fn add_parameter(request: &mut Request, name: &str, value: &str) {
    let mark = if request.target.contains('?') { '&' } else { '?' };
    request.target.push_str(&format!("{mark}{name}={value}"));
}

/// The body of a creation; empty if it is none.
fn text(request: &Request) -> String {
    let text = String::from_utf8_lossy(&request.body).into_owned();
    if Json::parse(&text).is_ok() { text } else { String::new() }
}

fn set_body(request: &mut Request, body: String) {
    if !request.body.is_empty() {
        request.headers.set("Content-Length", body.len().to_string());
        request.body = body.into();
    }
}
