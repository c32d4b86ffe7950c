//! `heeds-deprecation`: the warning that a version is going to go reaches somebody. Advice; nothing breaks it.

use super::{Needs, Property, Story, USUAL_PACE_MS};
use crate::client::{JobKind, Outcome};
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;

pub(super) static PROPERTY: Property = Property {
    id: "heeds-deprecation",
    summary: "A header `Deprecated` is passed on to whoever can pin a newer version (advice alone).",
    long: "\
A console that is asked in a version which is going to be removed answers as ever, with a header `Deprecated` beside the \
answer (documented; its text is not known). It is the only warning before 422. A client that says so, on standard error or \
in what it reports, leaves somebody the time to pin a newer `Version`.

Broken by: nothing. A client that keeps the warning to itself is given it as advice.",
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

/// The header of the warning.
const HEADER: &str = "Deprecated";
/// How every word for it begins.
const WORD: &str = "deprecat";

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    let warned =
        run.exchanges.iter().filter(|exchange| wire::is_delivered(run, exchange)).any(|exchange| {
            exchange.response_headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(HEADER))
        });
    if !warned {
        return Verdict::not_reached("no answer carried a header `Deprecated`");
    }
    let complaint = match &run.report.outcome {
        Outcome::Error { text } => text.as_str(),
        _ => "",
    };
    let texts = [&run.report.stderr, &run.report.stdout, complaint];
    if texts.iter().any(|text| text.to_ascii_lowercase().contains(WORD)) {
        return Verdict::held();
    }
    Verdict::Held(vec![
        "it passes the header `Deprecated` on to nobody: the version it asks in will be refused one day, without another \
         warning"
            .to_owned(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Effect;
    use crate::judge::sample;

    fn warned(stderr: &str) -> Run {
        let mut run = sample::reporting(None, r#"{"id":42}"#, r#"{"id":42}"#);
        run.exchanges[0].response_headers.push(("deprecated".into(), "Version 26.0 will be removed".into()));
        run.report.stderr = stderr.into();
        run
    }

    #[test]
    fn a_warning_that_is_passed_on_is_heeded_and_one_that_is_not_is_advice() {
        assert_eq!(judge(&[warned("warning: API version 26.0 is DEPRECATED\n")]), Verdict::held());
        let Verdict::Held(notes) = judge(&[warned("")]) else { panic!() };
        assert!(notes[0].contains("to nobody"), "{notes:?}");
        let mut run = warned("");
        run.report.outcome = Outcome::Error { text: "deprecation: pin a newer version".into() };
        assert_eq!(judge(&[run]), Verdict::held());
    }

    #[test]
    fn without_the_header_or_if_it_never_came_nothing_is_reached() {
        let run = sample::reporting(None, r#"{"id":42}"#, r#"{"id":42}"#);
        assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
        let mut run = warned("");
        run.exchanges[0].faults.push(sample::fault(Effect::Lost));
        assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
    }
}
