//! Reading requests and answers out of the exchanges of a ledger.
//!
//! A ledger holds no credential: where one stood it holds a placeholder, so presence can be judged and the value can
//! not. Targets and headers are otherwise as they were sent.

use std::collections::BTreeMap;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::case::Run;
use crate::client::Outcome;
use crate::fault::{Effect, Fault};
use crate::ledger::{Exchange, ExchangeKey, Line, Origin, Timing};
use crate::profile::{Lifecycle, Profile};
use crate::timeline::Phase;

/// How a credential reads in a ledger.
const PLACEHOLDER: &str = "fd-secret";

/// The life cycle of the task that a request polls.
pub(super) fn life_of(exchange: &Exchange) -> Option<&'static Lifecycle> {
    let is_get = exchange.method == "GET";
    Profile::builtin().task_of(&exchange.key.endpoint).filter(|_| is_get)
}

/// The life cycle of the task that a request asks to make.
pub(super) fn life_made(exchange: &Exchange) -> Option<&'static Lifecycle> {
    // Who looks for dependents twice, or deletes twice, makes nothing twice.
    Profile::builtin().created_by(&exchange.key.endpoint).filter(|_| exchange.method == "POST")
}

/// One query parameter, raw and decoded once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) raw: String,
    pub(super) value: String,
}

/// The path of a target, raw.
pub(super) fn path(exchange: &Exchange) -> &str {
    exchange.target.split_once('?').map_or(exchange.target.as_str(), |(path, _)| path)
}

/// The query parameters, in order.
pub(super) fn params(exchange: &Exchange) -> Vec<Param> {
    let query = exchange.target.split_once('?').map_or("", |(_, query)| query);
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, raw) = pair.split_once('=').unwrap_or((pair, ""));
            Param { name: decode_form(name), raw: raw.to_owned(), value: decode_form(raw) }
        })
        .collect()
}

fn decode_form(text: &str) -> String {
    if !text.contains(['+', '%']) {
        return text.to_owned();
    }
    decode(&text.replace('+', " "))
}

/// Percent-decoded once.
pub(super) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The values of a request's header lines called `name`, in any case.
pub(super) fn headers<'a>(exchange: &'a Exchange, name: &'a str) -> impl Iterator<Item = &'a str> {
    exchange
        .request_headers
        .iter()
        .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Whether the request carries a credential where the console looks for one.
pub(super) fn has_credentials(exchange: &Exchange) -> bool {
    let cookie = |value: &str| value.split(';').any(|pair| pair.trim_start().starts_with("SEC="));
    headers(exchange, "SEC").any(|value| !value.trim().is_empty())
        || headers(exchange, "Authorization").any(is_basic)
        || headers(exchange, "Cookie").any(cookie)
}

/// A redacted `Authorization` may keep its scheme or be a bare placeholder.
fn is_basic(value: &str) -> bool {
    let start: String = value.chars().take(6).collect();
    start.eq_ignore_ascii_case("basic ") || value.starts_with(PLACEHOLDER)
}

/// Whether a credential stands in the target.
pub(super) fn leaks(exchange: &Exchange) -> bool {
    exchange.target.contains(PLACEHOLDER) || decode(&exchange.target).contains(PLACEHOLDER)
}

/// Whether a credential stood in a text that was redacted.
pub(super) fn holds_placeholder(text: &str) -> bool {
    text.contains(PLACEHOLDER)
}

/// Whether nothing in the evidence fits the request: no ground to judge on.
pub(super) fn is_miss(exchange: &Exchange) -> bool {
    matches!(exchange.origin, Origin::Miss { .. })
}

/// Whether a recording shows the console to have taken what this rule would refuse.
pub(super) fn is_taken(exchange: &Exchange, rule: &str) -> bool {
    exchange.taken.iter().any(|taken| taken.split_once(' ').is_some_and(|(name, _)| name == rule))
}

/// What the faults that fired made of the answer, one after the other.
pub(super) fn effects(exchange: &Exchange) -> impl Iterator<Item = Effect> {
    exchange.faults.iter().filter_map(|fault| Some(Fault::row(&fault.kind)?.effect))
}

/// Whether a planned fault took the answer, or a part of it, away.
pub(super) fn is_broken(exchange: &Exchange) -> bool {
    effects(exchange).any(|effect| effect == Effect::Lost)
}

/// Whether a planned fault made another answer of it that can be read.
pub(super) fn is_disturbed(exchange: &Exchange) -> bool {
    effects(exchange).any(Effect::changes_content)
}

/// Whether a planned fault left an answer of which nobody can say what a client makes: it is no JSON, or says two things.
pub(super) fn is_unclear(exchange: &Exchange) -> bool {
    effects(exchange).any(Effect::is_unclear)
}

/// Whether any answer of a run was such that nobody can say what a client makes of it.
pub(super) fn had_unclear(run: &Run) -> bool {
    run.exchanges.iter().any(is_unclear)
}

/// Whether the answer surely came, and can be read: an answer that is late may come after the client has left.
pub(super) fn is_surely_heard(exchange: &Exchange) -> bool {
    let is_prompt =
        |effect: Effect| matches!(effect, Effect::Replaced | Effect::Rewritten) || effect.changes_content();
    !is_miss(exchange) && effects(exchange).all(is_prompt)
}

/// Whether it polls a task.
pub(super) fn is_poll(exchange: &Exchange) -> bool {
    life_of(exchange).is_some()
}

/// Whether it asks for a creation.
pub(super) fn is_creation(exchange: &Exchange) -> bool {
    life_made(exchange).is_some()
}

/// Whether a person reading along would say that the client has this answer, all of it, and can read it.
pub(super) fn is_delivered(run: &Run, exchange: &Exchange) -> bool {
    let timing = run.timings.iter().find(|timing| timing.key == exchange.key);
    came_whole(exchange, timing, !run.timings.is_empty())
}

/// Whether it leaves the session: said at the end, and about nothing that was asked.
pub(super) fn is_logout(exchange: &Exchange) -> bool {
    let path = path(exchange);
    Profile::builtin().is_outside(path) && path.ends_with("/logout")
}

/// The last request that is about something, and its answer: what a client says of its end it has from there.
pub(super) fn last_word(run: &Run) -> Option<&Exchange> {
    run.exchanges.iter().rev().find(|exchange| !is_logout(exchange))
}

/// Whether the client may have given up before it had read this answer, its last one: it ran for as long as it waits at
/// most for anything, by its file or by what it was told. What is sent in the moment in which a client leaves, it need
/// not have seen, and on a busy machine that moment is long.
pub(super) fn may_have_left(run: &Run, exchange: &Exchange) -> bool {
    let is_last = last_word(run).is_some_and(|last| last.key == exchange.key);
    let gave_up = matches!(run.report.outcome, Outcome::GaveUp | Outcome::Error { .. });
    // Who reports what an answer said did not end with a request that took too long.
    let for_one = run.claims.request_timeout_ms.filter(|_| gave_up);
    let mut limits = [for_one, run.claims.gives_up_after_ms, run.given.deadline_ms].into_iter().flatten();
    is_last && limits.any(|limit| run.lasted >= Duration::from_millis(limit))
}

/// The same, by its timing, and whether timings are known at all.
pub(super) fn came_whole(exchange: &Exchange, timing: Option<&Timing>, is_timed: bool) -> bool {
    let was_cut = timing.map_or(is_timed && !exchange.faults.is_empty(), |timing| timing.cut_short);
    !is_miss(exchange) && !is_broken(exchange) && !is_unclear(exchange) && !was_cut
}

/// The requests of a whole test suite, as a ledger holds them: nobody knows what each was meant for.
#[derive(Debug)]
pub struct Suite<'a> {
    /// In the order they were decided.
    pub(super) exchanges: Vec<&'a Exchange>,
    /// Whether it was ended because its time was up.
    pub(super) was_stopped: bool,
    timings: BTreeMap<&'a ExchangeKey, &'a Timing>,
}

impl<'a> Suite<'a> {
    pub(super) fn of(lines: &'a [Line], was_stopped: bool) -> Self {
        let (mut exchanges, mut timings) = (Vec::new(), BTreeMap::new());
        for line in lines {
            match line {
                Line::Exchange(exchange) => exchanges.push(&**exchange),
                Line::Timing(timing) => {
                    timings.insert(&timing.key, timing);
                }
                _ => {}
            }
        }
        Self { exchanges, was_stopped, timings }
    }

    /// Whether a person reading along would say that the client has this answer, all of it.
    pub(super) fn is_delivered(&self, exchange: &Exchange) -> bool {
        let timing = self.timings.get(&exchange.key).copied();
        came_whole(exchange, timing, !self.timings.is_empty())
    }
}

/// The body of a successful answer.
pub(super) fn data(exchange: &Exchange) -> Option<&str> {
    let text = exchange.response_body.text()?;
    ((200..300).contains(&exchange.status) && text.trim_start().starts_with(['{', '['])).then_some(text)
}

/// The state a poll's answer shows, as the answer spells it. `None` if the answer does not say.
pub(super) fn state_shown(exchange: &Exchange) -> Option<String> {
    let json = crate::json::Json::parse(data(exchange)?).ok()?;
    life_of(exchange)?.state_of(&json).map(|(_, state)| state.to_owned())
}

/// The phase that is.
pub(crate) fn phase_shown(exchange: &Exchange) -> Option<Phase> {
    life_of(exchange)?.phase(&state_shown(exchange)?)
}

/// The `code` of an API error body, if it is one.
pub(super) fn error_code(exchange: &Exchange) -> Option<i128> {
    let json = crate::json::Json::parse(exchange.response_body.text()?).ok()?;
    json.member("http_response")?;
    json.member("code")?.as_i128()
}

/// One request in a line for a person, with the headers that matter to the judge.
pub(super) fn sent_line(exchange: &Exchange) -> String {
    let mut line = format!("{} {}", exchange.method, exchange.target);
    if let Some(fields) = headers(exchange, "fields").next() {
        line.push_str(&format!(" (header fields: {fields})"));
    }
    if let Some(range) = headers(exchange, "Range").next() {
        line.push_str(&format!(" (Range: {range})"));
    }
    if let Some(body) = exchange.request_body.text().filter(|body| !body.is_empty()) {
        line.push_str(&format!(" {}", clipped(body)));
    }
    line
}

/// One answer in a line for a person.
pub(super) fn got_line(exchange: &Exchange) -> String {
    let mut line = format!("{} {}", exchange.status, exchange.reason);
    let is_range = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("Content-Range");
    if let Some((_, says)) = exchange.response_headers.iter().find(is_range) {
        line.push_str(&format!(" (Content-Range: {says})"));
    }
    if let Some(body) = exchange.response_body.text().filter(|body| !body.is_empty()) {
        line.push_str(&format!(" {}", clipped(body)));
    }
    for fault in &exchange.faults {
        line.push_str(&format!(" [{}: {}]", fault.kind, fault.did));
    }
    line.trim_end().to_owned()
}

/// How much of a body a line of evidence shows, in characters.
const SHOWN: usize = 1_000;

fn clipped(body: &str) -> String {
    let text = body.replace(['\n', '\r'], " ");
    if text.chars().count() <= SHOWN {
        return text;
    }
    let start: String = text.chars().take(SHOWN).collect();
    format!("{start}... ({} bytes in all)", body.len())
}

/// How many requests a piece of evidence shows at each end of a long run; equal ones in a row are one.
const ENDS: usize = 4;

/// What the client was told, what it sent and got, and what it reported: the frame of every piece of evidence.
pub(super) fn story(run: &Run) -> Vec<String> {
    let mut lines = vec![format!("told:     {}", run.case.task_line())];
    let groups = alike(run);
    // How many a client sends until its time is up differs from run to run.
    let was_ended = run.report.outcome == Outcome::TimedOut;
    let left_out = ENDS..groups.len().saturating_sub(ENDS);
    for (index, (request, times)) in groups.iter().enumerate() {
        if left_out.len() > 1 && left_out.contains(&index) {
            if index == ENDS {
                let of_them = groups.get(left_out.clone()).unwrap_or_default();
                let count: usize = of_them.iter().map(|(_, times)| times).sum();
                lines.push(match was_ended {
                    true => "          ... and more, until the last ones ...".to_owned(),
                    false => format!("          ... {count} requests more ..."),
                });
            }
            continue;
        }
        lines.extend(request.clone());
        let is_last = index + 1 == groups.len();
        match times {
            1 => {}
            _ if was_ended && is_last => {
                lines.push("          ... the same again and again, until its time was up ...".to_owned());
            }
            times => lines.push(format!("          ... {} times more the same ...", times - 1)),
        }
    }
    lines.push(format!("reported: {}", run.reported_line()));
    lines
}

/// Each request and its answer, a line each, and how often they came in a row.
fn alike(run: &Run) -> Vec<([String; 2], usize)> {
    let mut groups: Vec<([String; 2], usize)> = Vec::new();
    for exchange in &run.exchanges {
        let request =
            [format!("sent:     {}", sent_line(exchange)), format!("got:      {}", got_line(exchange))];
        match groups.last_mut() {
            Some((last, times)) if *last == request => *times += 1,
            _ => groups.push((request, 1)),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample;

    #[test]
    fn a_target_is_read_once_decoded() {
        let exchange = sample::poll("/api/x?fields=id%2cstate+&a&b=%2525", 200, "{}");
        let read: Vec<(String, String)> =
            params(&exchange).into_iter().map(|param| (param.name, param.value)).collect();
        let expected = [("fields", "id,state "), ("a", ""), ("b", "%25")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn credentials_are_judged_by_place_and_never_by_value() {
        let mut exchange = sample::poll("/api/x", 200, "{}");
        assert!(has_credentials(&exchange) && !leaks(&exchange));
        exchange.request_headers = vec![("authorization".into(), "Bearer abc".into())];
        assert!(!has_credentials(&exchange));
        exchange.request_headers = vec![("cookie".into(), "a=b; SEC=fd-secret-1".into())];
        assert!(has_credentials(&exchange));
        exchange.target = "/api/x?token=fd%2Dsecret-1".into();
        assert!(leaks(&exchange));
    }

    #[test]
    fn the_last_answer_to_a_client_that_ran_as_long_as_it_ever_waits_may_not_have_been_read() {
        let mut run = sample::run(sample::wait(None));
        run.exchanges = vec![sample::state("WAITING"), sample::state("PROCESSING")];
        run.exchanges[1].key.nth = 2;
        run.report.outcome = Outcome::GaveUp;
        run.given.deadline_ms = None;
        let left = |run: &Run| run.exchanges.iter().map(|one| may_have_left(run, one)).collect::<Vec<_>>();
        run.lasted = Duration::from_millis(400);
        assert_eq!(left(&run), [false, false], "it says nothing of a limit");
        run.claims.gives_up_after_ms = Some(401);
        assert_eq!(left(&run), [false, false], "it cannot have come to its limit");
        run.claims.gives_up_after_ms = Some(400);
        assert_eq!(left(&run), [false, true]);
        run.claims.gives_up_after_ms = None;
        run.claims.request_timeout_ms = Some(300);
        assert_eq!(left(&run), [false, true]);
        run.report.outcome = Outcome::Task { standing: crate::client::Resting::Done, task: "{}".to_owned() };
        assert_eq!(left(&run), [false, false], "it had all that it asked for");
        run.given.deadline_ms = Some(350);
        assert_eq!(left(&run), [false, true]);
    }

    #[test]
    fn a_long_story_shows_both_ends() {
        let mut run = sample::run(sample::get(Some("id")));
        run.exchanges = (0..30).map(|n| sample::poll(&format!("/api/x/{n}"), 200, "{}")).collect();
        let text = story(&run).join("\n");
        assert!(
            text.contains("/api/x/0") && text.contains("/api/x/29") && !text.contains("/api/x/15"),
            "{text}"
        );
        assert!(text.contains("... 22 requests more ..."), "{text}");
        run.report.outcome = Outcome::TimedOut;
        let text = story(&run).join("\n");
        assert!(text.contains("... and more, until the last ones ..."), "{text}");
    }

    #[test]
    fn what_came_again_and_again_is_told_once_with_its_number() {
        let mut run = sample::run(sample::wait(None));
        run.exchanges = (0..12).map(|_| sample::state("WAITING")).collect();
        run.exchanges.extend((0..3).map(|_| sample::state("COMPLETE")));
        let text = story(&run).join("\n");
        assert_eq!(text.matches("sent:").count(), 2, "{text}");
        assert!(
            text.contains("... 11 times more the same ...") && text.contains("... 2 times more"),
            "{text}"
        );
        // How often the last one came before the end is chance.
        run.report.outcome = Outcome::TimedOut;
        let text = story(&run).join("\n");
        assert!(
            text.contains("... 11 times more the same ...") && text.contains("again and again"),
            "{text}"
        );
    }
}
