//! `keeps-secrets`: what the client logs in with goes to the console, in the place for it, and nowhere else.

use super::{Needs, Property};
use crate::client::{JobKind, Outcome};
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::Exchange;

pub(super) static PROPERTY: Property = Property {
    id: "keeps-secrets",
    summary: "The token stands in the header for it and nowhere else: in no URL, no body, no output, on no other host.",
    long: "\
Whoever has the token is the client, for as long as nobody withdraws it. URLs are kept by proxies and histories, output by \
logs and build servers, and another host is somebody else. The token is looked for as it is, and encoded: in percents, in \
base64 (alone or behind a user's name), in hexadecimal digits.

Broken by: the token in the path or the query; in a request's body; in a header that is not for credentials; on standard \
output or standard error, in a message of the client's own or in a dump of its requests; a credential that is carried \
along to another host to which the console redirects. Where a story redirects to another host, that host is a second \
listener under another name, and what arrives there is seen.

Not broken by: `SEC`, `Authorization`, a cookie or `QRadarCSRF` sent to the console; following a redirect to another host \
without a credential; not following it.",
    jobs: &JobKind::ALL,
    along: &[],
    report: Needs::Nothing,
    generated: true,
    story: None,
    variants: None,
    everywhere: true,
    limits: &[],
    judge,
    in_a_suite: None,
};

/// The headers in which a console looks for credentials.
const CARRIERS: [&str; 4] = ["SEC", "Authorization", "Cookie", "QRadarCSRF"];

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if let Outcome::NotStarted { why } = &run.report.outcome {
        return Verdict::not_reached(format!("the client could not be started: {why}"));
    }
    if let Some((why, shown)) = sent(run).or_else(|| carried_along(run)).or_else(|| printed(run)) {
        let task = format!("told:     {}", run.case.task_line());
        return Verdict::violated(why, vec![task, shown, format!("reported: {}", run.reported_line())]);
    }
    match run.vacuous() {
        Some(why) => Verdict::not_reached(why),
        None => Verdict::held(),
    }
}

/// Whether a secret stands in a part of an exchange that was redacted. A placeholder is no other one that begins alike.
fn holds_secret(run: &Run, text: &str) -> bool {
    run.given.placeholders.iter().any(|placeholder| {
        let is_whole = |at: usize| {
            let rest = text.get(at + placeholder.len()..).unwrap_or_default();
            !rest.starts_with(|next: char| next.is_ascii_digit())
        };
        !placeholder.is_empty() && text.match_indices(placeholder.as_str()).any(|(at, _)| is_whole(at))
    })
}

/// A secret in the wrong place of a request to the console.
fn sent(run: &Run) -> Option<(String, String)> {
    run.exchanges.iter().find_map(|exchange| {
        let where_it_stands = misplaced(run, exchange)?;
        let shown = format!("sent:     {}", wire::sent_line(exchange));
        Some((format!("a credential stands in {where_it_stands}"), shown))
    })
}

fn misplaced(run: &Run, exchange: &Exchange) -> Option<String> {
    if holds_secret(run, &exchange.target) || holds_secret(run, &wire::decode(&exchange.target)) {
        return Some("a URL".to_owned());
    }
    if exchange.request_body.text().is_some_and(|body| holds_secret(run, body)) {
        return Some("the body of a request".to_owned());
    }
    let wrong =
        exchange.request_headers.iter().find(|(name, value)| !is_carrier(name) && holds_secret(run, value));
    wrong.map(|(name, _)| format!("the header `{name}`"))
}

fn is_carrier(name: &str) -> bool {
    CARRIERS.iter().any(|carrier| carrier.eq_ignore_ascii_case(name))
}

/// A secret that arrived at another host.
fn carried_along(run: &Run) -> Option<(String, String)> {
    run.strayed.iter().find_map(|exchange| {
        // Whatever stands where a console looks for a credential is one: that host has given the client none.
        let gives_away = |(name, value): &&(String, String)| {
            holds_secret(run, value) || (is_carrier(name) && wire::holds_placeholder(value))
        };
        let header = exchange.request_headers.iter().find(gives_away);
        let place = match header {
            Some((name, _)) => format!("in the header `{name}`"),
            None => format!("in {}", misplaced(run, exchange)?),
        };
        let shown = format!("sent to another host: {}", wire::sent_line(exchange));
        Some((format!("a credential is carried along to another host, {place}"), shown))
    })
}

/// A secret in what the client wrote.
fn printed(run: &Run) -> Option<(String, String)> {
    let streams = [("standard output", &run.report.stdout), ("standard error", &run.report.stderr)];
    streams.into_iter().find_map(|(name, text)| {
        let kept = run.given.secrets.text(text);
        if kept == *text {
            return None;
        }
        let was = text.lines().zip(kept.lines()).find(|(was, is)| was != is);
        let shown = was.map_or(kept.as_str(), |(_, line)| line);
        let shown: String = shown.chars().take(SHOWN).collect();
        Some((format!("a credential stands on {name}"), format!("wrote:    {shown}")))
    })
}

/// How much of a line that the client wrote is shown, in characters.
const SHOWN: usize = 300;

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::judge::sample::{self, TOKEN};

    fn run() -> Run {
        sample::reporting(Some("id"), r#"{"id":42}"#, r#"{"id":42}"#)
    }

    fn because(run: Run) -> String {
        match judge(&[run]) {
            Verdict::Violated(violation) => {
                let all = violation.evidence.join("\n");
                assert!(!all.contains(TOKEN), "{all}");
                violation.because
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_token_in_its_header_holds() {
        assert_eq!(judge(&[run()]), Verdict::held());
        let mut run = run();
        run.exchanges[0].request_headers = vec![
            ("cookie".into(), "SEC=fd-secret-1".into()),
            ("authorization".into(), "Basic fd-secret-1".into()),
        ];
        assert_eq!(judge(&[run]), Verdict::held());
    }

    #[test]
    fn the_token_in_any_other_place_of_a_request_is_named() {
        for (place, edit) in [
            (
                "a URL",
                (|exchange: &mut Exchange| exchange.target.push_str("?SEC=fd-secret-1")) as fn(&mut Exchange),
            ),
            ("a URL", |exchange| exchange.target.push_str("?SEC=fd%2Dsecret-1")),
            ("the body", |exchange| {
                exchange.request_body = crate::ledger::BodyText::Text("{\"t\":\"fd-secret-1\"}".into())
            }),
            ("header `X-Debug`", |exchange| {
                exchange.request_headers.push(("X-Debug".into(), "fd-secret-1".into()))
            }),
        ] {
            let mut run = run();
            edit(&mut run.exchanges[0]);
            assert!(because(run).contains(place), "{place}");
        }
        // Another secret of the client's own is not the token.
        let mut run = run();
        run.exchanges[0].request_headers.push(("X-Api-Key".into(), "fd-secret-12".into()));
        assert_eq!(judge(&[run]), Verdict::held());
    }

    #[test]
    fn the_token_on_an_output_is_named_however_it_is_spelt() {
        let pair = STANDARD.encode(format!("analyst:{TOKEN}"));
        for text in
            [TOKEN.to_owned(), format!("> SEC: {TOKEN}"), STANDARD.encode(TOKEN), format!("Basic {pair}")]
        {
            let mut run = run();
            run.report.stderr = format!("asking\n{text}\n");
            assert!(because(run.clone()).contains("standard error"), "{text}");
            (run.report.stdout, run.report.stderr) = (text.clone(), String::new());
            assert!(because(run).contains("standard output"), "{text}");
        }
        let mut run = run();
        run.report.stderr = "the token begins with `sample`".into();
        assert_eq!(judge(&[run]), Verdict::held());
    }

    #[test]
    fn what_is_printed_by_a_client_that_asks_nothing_is_named_too() {
        let mut run = run();
        run.exchanges.clear();
        assert!(matches!(judge(&[run.clone()]), Verdict::NotReached(_)));
        run.report.stderr = format!("no connection with {TOKEN}");
        assert!(because(run).contains("standard error"));
    }

    #[test]
    fn another_host_may_be_asked_but_not_given_the_token() {
        let mut run = run();
        let mut there = sample::poll(sample::PATH, 200, "{}");
        there.request_headers = vec![("Accept".into(), "*/*".into())];
        run.strayed = vec![there.clone()];
        assert_eq!(judge(&[run.clone()]), Verdict::held());
        there.request_headers.push(("sec".into(), "fd-secret-1".into()));
        run.strayed.push(there.clone());
        assert!(because(run.clone()).contains("another host"));
        // A password that is encoded behind a name has a placeholder of its own, and so has a session.
        for (name, value) in [("Authorization", "Basic fd-secret-7"), ("cookie", "SEC=fd-secret-8")] {
            there.request_headers = vec![(name.into(), value.into())];
            run.strayed = vec![there.clone()];
            assert!(because(run.clone()).contains(name), "{name}");
        }
    }

    #[test]
    fn the_line_that_gives_it_away_is_shown_without_it() {
        let mut run = run();
        run.report.stderr = format!("asking\n> SEC: {TOKEN}\ndone\n");
        let Verdict::Violated(violation) = judge(&[run]) else { panic!() };
        assert!(violation.evidence.iter().any(|line| line.starts_with("wrote:    > SEC: ")), "{violation:?}");
    }

    #[test]
    fn a_header_for_credentials_without_one_may_reach_another_host() {
        let mut run = run();
        let mut there = sample::poll(sample::PATH, 200, "{}");
        there.request_headers =
            vec![("Cookie".into(), "lang=en".into()), ("X-Trace".into(), "fd-secret-12".into())];
        run.strayed = vec![there];
        assert_eq!(judge(&[run]), Verdict::held());
    }
}
