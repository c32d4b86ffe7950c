//! `verifies-tls`: whoever shows a wrong certificate is told nothing.

use super::{Needs, Property, Story, USUAL_PACE_MS};
use crate::client::{JobKind, Outcome};
use crate::fault::Greets;
use crate::greeting::{Flaw, Trouble};
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::scenario::{Nth, PlannedFault, When};

pub(super) static PROPERTY: Property = Property {
    id: "verifies-tls",
    summary: "A client that is shown a wrong certificate ends the handshake, and sends no request.",
    long: "\
A certificate that has expired, is for another host, or is signed by nobody the client was told to trust proves nothing: \
whoever shows it may be anybody. A request that is sent all the same gives the token away. Where a console has a \
certificate of its own, its authority is what the client is told to trust (`{ca_file}`); verification stays on. That \
consoles come with a certificate for no host name is documented, and the reason why so many clients turn it off.

Broken by: a request after a handshake with a wrong certificate, whatever its answer is taken for.

Not broken by: giving up, trying again, complaining in any words. It is put to the test by `judge --tls`; over plain http \
it is not applicable.",
    jobs: &JobKind::ALL,
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
    if !run.given.over_tls {
        return Verdict::NotApplicable(
            "it is spoken to over plain http; `--tls` puts it to the test".to_owned(),
        );
    }
    if let Outcome::NotStarted { why } = &run.report.outcome {
        return Verdict::not_reached(format!("the client could not be started: {why}"));
    }
    let planned = run.case.scenario.iter().flat_map(|scenario| scenario.of_handshakes());
    let Some((flaw, planned)) = planned.filter_map(|planned| Some((flaw(planned)?, planned))).next() else {
        return Verdict::not_reached("no certificate was wrong");
    };
    match (run.exchanges.first(), run.greeted) {
        (Some(_), _) if !is_always(planned) => Verdict::not_reached(
            "other connections were as they should be, and its requests may have come on these",
        ),
        (Some(first), _) => {
            let why = format!("the certificate {}, and it sent a request all the same", in_words(flaw));
            let evidence = vec![
                format!("told:     {}", run.case.task_line()),
                format!("shown:    a certificate that {}", in_words(flaw)),
                format!("sent:     {}", wire::sent_line(first)),
                format!("reported: {}", run.reported_line()),
            ];
            Verdict::violated(why, evidence)
        }
        (None, 0) => Verdict::not_reached("it never began a handshake"),
        (None, _) => Verdict::held(),
    }
}

/// What is wrong with the certificate that this shows, if it shows one.
fn flaw(planned: &PlannedFault) -> Option<Flaw> {
    match planned.inject.greets().and_then(Greets::trouble)? {
        Trouble::Certificate(flaw) => Some(flaw),
        Trouble::Alert(_) | Trouble::OldVersion(_) | Trouble::Broken(_) => None,
    }
}

/// Whether every connection meets it.
fn is_always(planned: &PlannedFault) -> bool {
    planned.when == When { connection: Some(Nth::ALL), ..When::default() }
}

fn in_words(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Expired => "has expired",
        Flaw::WrongName => "is for another host",
        Flaw::UnknownCa => "is signed by nobody whom it was told to trust",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::judge::sample;
    use crate::profile::Profile;
    use crate::scenario::Scenario;

    fn under(connection: &str, fault: &str) -> Run {
        let text = format!(
            "summary = \"x\"\n[[fault]]\nwhen = {{ connection = \"{connection}\" }}\ninject = {{ {fault} = {{}} }}\n"
        );
        let mut run = sample::run(sample::get(None));
        run.case.scenario = Some(Arc::new(Scenario::parse("x", "x", &text, Profile::builtin()).unwrap()));
        run.given.over_tls = true;
        run.greeted = 1;
        run
    }

    #[test]
    fn a_request_after_a_wrong_certificate_is_a_violation() {
        for (fault, word) in [
            ("tls-expired", "expired"),
            ("tls-wrong-name", "another host"),
            ("tls-unknown-ca", "told to trust"),
        ] {
            let mut run = under("1-", fault);
            assert_eq!(judge(std::slice::from_ref(&run)), Verdict::held(), "{fault}");
            run.exchanges = vec![sample::poll(sample::PATH, 200, r#"{"id":42}"#)];
            let Verdict::Violated(violation) = judge(&[run]) else { panic!("{fault}") };
            assert!(violation.because.contains(word), "{}", violation.because);
        }
    }

    #[test]
    fn nothing_is_said_without_tls_a_handshake_or_a_certificate() {
        let mut run = under("1-", "tls-expired");
        run.greeted = 0;
        assert!(matches!(judge(&[run.clone()]), Verdict::NotReached(_)));
        run.given.over_tls = false;
        assert!(matches!(judge(&[run]), Verdict::NotApplicable(_)));
        let mut run = under("1-", "tls-alert");
        run.exchanges = vec![sample::poll(sample::PATH, 200, "{}")];
        assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
    }

    #[test]
    fn a_request_on_a_later_connection_that_is_right_is_no_violation() {
        let mut run = under("1", "tls-expired");
        assert_eq!(judge(std::slice::from_ref(&run)), Verdict::held());
        run.exchanges = vec![sample::poll(sample::PATH, 200, "{}")];
        assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
    }
}
