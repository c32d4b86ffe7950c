//! `keeps-the-session`: who logs in takes up the session that is given for it, and leaves it when all is done.

use super::{Needs, Property, Story, USUAL_PACE_MS};
use crate::client::JobKind;
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::Exchange;

pub(super) static PROPERTY: Property = Property {
    id: "keeps-the-session",
    summary: "A client that logs in with a password goes on with the session it is given, until it logs out.",
    long: "\
Whoever sends `Authorization: Basic` is logged in, and given a session as a cookie `SEC` (documented). The next requests carry \
the cookie, or log in again: both are answered. At the end a client logs out (`/auth/logout`, seen); what is asked in a session \
after that is asked in none.

Broken by: a request, after the session was given, with neither the session nor the password; a session that no answer gave; a \
request in the session after the log-out, so also a log-out before the last request.

Not broken by: the password with each request, which is advice (each opens a session of its own); the session as a header \
`SEC`; a request without credentials that is repeated with them after the 401; no log-out at the end, which is advice. A client \
whose file hands it no `{password}` sends a token, and keeps no session: it is not applicable.",
    jobs: &[JobKind::Wait, JobKind::Create, JobKind::Get, JobKind::Send],
    along: &[],
    report: Needs::Nothing,
    generated: false,
    story: Some(Story { pace_ms: USUAL_PACE_MS }),
    variants: None,
    everywhere: false,
    limits: &[],
    judge,
    in_a_suite: None,
};

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if !run.given.login {
        let why = "the client sends a token and keeps no session: its file hands it no `{password}`";
        return Verdict::NotApplicable(why.to_owned());
    }
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    let mut visit = Visit::default();
    for (index, exchange) in run.exchanges.iter().enumerate() {
        let later = run.exchanges.get(index + 1..).unwrap_or(&[]);
        if let Some(why) = visit.wrong(run, exchange, later) {
            let mut evidence = wire::story(run);
            evidence.push(format!("wrong:    {}", wire::sent_line(exchange)));
            return Verdict::violated(why, evidence);
        }
    }
    match (visit.logins, visit.offered.is_empty(), visit.asked) {
        (0, ..) => {
            Verdict::NotApplicable("it never sent the password: there is no session to keep".to_owned())
        }
        (_, true, _) => Verdict::not_reached("no answer gave it a session"),
        (.., 1) => Verdict::NotApplicable("it asks once, and needs no session for more".to_owned()),
        _ => Verdict::Held(visit.advice()),
    }
}

/// What was seen of a client that logs in.
#[derive(Default)]
struct Visit {
    /// Sessions that an answer gave, whether it came or not.
    offered: Vec<String>,
    /// Whether the client surely has one.
    has_one: bool,
    has_left: bool,
    /// How often it logged in, and how often although it had a session.
    logins: u32,
    again: u32,
    /// How often it asked the API.
    asked: u32,
}

impl Visit {
    /// Takes the next request: why it is wrong, if it is.
    fn wrong(&mut self, run: &Run, exchange: &Exchange, later: &[Exchange]) -> Option<String> {
        let path = wire::path(exchange);
        if !path.starts_with("/api/") {
            self.has_left |= wire::is_logout(exchange);
            return None;
        }
        self.asked += 1;
        let logs_in = wire::headers(exchange, "Authorization").any(is_basic);
        let session = session_of(exchange);
        if logs_in {
            self.logins += 1;
            self.again += u32::from(self.has_one && !self.has_left);
            self.has_left = false;
        } else if self.has_left {
            return Some("it asks on in its session after it has logged out".to_owned());
        } else if let Some(session) = &session
            && !self.offered.is_empty()
            && !self.offered.contains(session)
        {
            return Some("it asks in a session that no answer has given it".to_owned());
        } else if session.is_none() && self.has_one && !is_challenged(exchange, later) {
            return Some("it has logged in, and asks with neither its session nor its password".to_owned());
        }
        for given in
            exchange.response_headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Set-Cookie"))
        {
            if let Some(value) = sec_in(&given.1) {
                self.offered.push(value.to_owned());
                self.has_one |= wire::is_delivered(run, exchange);
            }
        }
        None
    }

    fn advice(&self) -> Vec<String> {
        let again = (self.again > 0).then(|| {
            "it sends its password again although it was given a session: each time opens a session of its own".to_owned()
        });
        let stays = (!self.has_left).then(|| {
            "it does not log out at the end: its session stays open until the console ends it".to_owned()
        });
        again.into_iter().chain(stays).collect()
    }
}

fn is_basic(value: &str) -> bool {
    value.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("basic "))
}

/// The session that a request is asked in: the cookie `SEC`, or the header.
fn session_of(exchange: &Exchange) -> Option<String> {
    let header = wire::headers(exchange, "SEC").next();
    let cookie = wire::headers(exchange, "Cookie").find_map(|line| line.split(';').find_map(sec_in));
    header.or(cookie).map(|value| value.trim().to_owned())
}

/// The value of `SEC=...`, up to what follows it.
fn sec_in(pair: &str) -> Option<&str> {
    let value = pair.trim_start().strip_prefix("SEC=")?;
    Some(value.split(';').next().unwrap_or(value).trim().trim_matches('"'))
}

/// Whether it was asked for credentials, and sent them then.
fn is_challenged(exchange: &Exchange, later: &[Exchange]) -> bool {
    let is_same = |next: &Exchange| next.method == exchange.method && next.target == exchange.target;
    exchange.status == 401 && later.iter().any(|next| is_same(next) && wire::has_credentials(next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample;

    /// A request with these headers, and whether its answer gives a session.
    fn asks(headers: &[(&str, &str)], gives: bool) -> Exchange {
        let mut exchange = sample::state("PROCESSING");
        exchange.request_headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if gives {
            exchange.response_headers.push(("set-cookie".into(), "SEC=fd-secret-9; Path=/; HttpOnly".into()));
        }
        exchange
    }

    fn login() -> Exchange {
        asks(&[("Authorization", "Basic fd-secret-2")], true)
    }

    fn in_session() -> Exchange {
        asks(&[("Cookie", "lang=en; SEC=fd-secret-9")], false)
    }

    fn logout() -> Exchange {
        let mut exchange = in_session();
        exchange.target = "/auth/logout".into();
        exchange.key.endpoint.clear();
        exchange
    }

    fn judged(exchanges: Vec<Exchange>) -> Verdict {
        let mut run = sample::run(sample::wait(None));
        (run.given.login, run.exchanges) = (true, exchanges);
        judge(&[run])
    }

    fn because(verdict: Verdict) -> String {
        match verdict {
            Verdict::Violated(violation) => violation.because,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_session_that_is_taken_up_and_left_holds() {
        assert_eq!(judged(vec![login(), in_session(), in_session(), logout()]), Verdict::held());
        // As a header, too; and after a log-out it may log in again.
        let header = asks(&[("sec", "fd-secret-9")], false);
        let again = vec![login(), header, logout(), login(), in_session(), logout()];
        assert_eq!(judged(again), Verdict::held());
    }

    #[test]
    fn the_password_each_time_and_no_log_out_are_advice() {
        let Verdict::Held(notes) = judged(vec![login(), login(), login()]) else { panic!() };
        assert_eq!(notes.len(), 2, "{notes:?}");
        let Verdict::Held(notes) = judged(vec![login(), in_session()]) else { panic!() };
        assert!(notes[0].contains("log out"), "{notes:?}");
    }

    #[test]
    fn what_a_session_is_not_kept_in_is_named() {
        assert!(because(judged(vec![login(), asks(&[], false)])).contains("neither"));
        assert!(because(judged(vec![login(), logout(), in_session()])).contains("logged out"));
        let other = asks(&[("Cookie", "SEC=fd-secret-5")], false);
        assert!(because(judged(vec![login(), other])).contains("no answer has given"));
    }

    #[test]
    fn answering_a_challenge_each_time_is_no_violation() {
        let mut challenged = asks(&[], false);
        challenged.status = 401;
        let Verdict::Held(_) = judged(vec![challenged.clone(), login(), challenged, login()]) else {
            panic!()
        };
    }

    #[test]
    fn a_session_whose_answer_was_lost_need_not_be_taken_up_and_may_be() {
        let mut lost = login();
        lost.faults.push(sample::fault(crate::fault::Effect::Lost));
        assert!(matches!(judged(vec![lost.clone(), in_session(), logout()]), Verdict::Held(_)));
        assert!(matches!(judged(vec![lost, login(), in_session(), logout()]), Verdict::Held(_)));
    }

    #[test]
    fn a_token_or_a_single_request_asks_for_no_session() {
        let mut run = sample::run(sample::wait(None));
        run.exchanges = vec![sample::state("COMPLETE")];
        assert!(matches!(judge(&[run]), Verdict::NotApplicable(_)));
        assert!(matches!(judged(vec![login(), logout()]), Verdict::NotApplicable(_)));
        assert!(matches!(judged(vec![in_session(), in_session()]), Verdict::NotApplicable(_)));
    }

    #[test]
    fn a_login_that_no_answer_gave_a_session_for_is_not_reached() {
        let without = || asks(&[("Authorization", "Basic fd-secret-2")], false);
        assert!(matches!(judged(vec![without(), without()]), Verdict::NotReached(_)));
    }

    #[test]
    fn a_page_that_is_no_log_out_leaves_the_session_open_and_another_scheme_is_no_login() {
        let mut page = in_session();
        page.target = "/console/qradar/jsp/QRadar.jsp".into();
        assert!(matches!(judged(vec![login(), page, in_session()]), Verdict::Held(_)));
        let bearer = || asks(&[("Authorization", "Bearer fd-secret-2")], false);
        assert!(matches!(judged(vec![bearer(), bearer()]), Verdict::NotApplicable(_)));
    }

    #[test]
    fn a_request_without_credentials_is_excused_by_the_same_one_with_them_after_a_401_alone() {
        let bare = |status: u16, target: &str| {
            let mut bare = asks(&[], false);
            (bare.status, bare.target) = (status, target.to_owned());
            bare
        };
        let path = in_session().target;
        let judged = |bare: Exchange, next: Exchange| judged(vec![login(), bare, next]);
        assert!(matches!(judged(bare(401, &path), in_session()), Verdict::Held(_)));
        assert!(
            because(judged(bare(200, &path), in_session())).contains("neither"),
            "nobody asked it for them"
        );
        assert!(
            because(judged(bare(401, "/api/siem/offenses"), in_session())).contains("neither"),
            "another path"
        );
        assert!(
            because(judged(bare(401, &path), bare(401, &path))).contains("neither"),
            "it never sent them"
        );
        let mut other = in_session();
        other.method = "DELETE".into();
        assert!(because(judged(bare(401, &path), other)).contains("neither"), "another method");
    }
}
