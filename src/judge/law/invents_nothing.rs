//! `invents-nothing`: what was not asked for is not reported with a made-up value.

use super::{Needs, Property};
use crate::client::{JobKind, Outcome};
use crate::json::Json;
use crate::judge::answers::{answers, expected};
use crate::judge::case::Run;
use crate::judge::difference::{Differs, diff_lines, differences};
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::{BodyText, Exchange};

pub(super) static PROPERTY: Property = Property {
    id: "invents-nothing",
    summary: "A field that did not come is not reported with a made-up value such as 0, \"\" or false.",
    long: "\
A member that was not requested is absent from the answer, and so it is absent from the report. Languages whose types \
have no \"absent\" fill such a member with their zero value without a word, and whoever reads the report takes 0 or an \
empty text for the truth.

Broken by: any value other than null for a member that is not in any answer.

Not broken by: null for such a member, which is judged by reports-what-it-got; passing on a member that came without \
having been asked for.",
    jobs: &[JobKind::Get, JobKind::Send],
    along: &[],
    report: Needs::Resource,
    generated: true,
    story: None,
    variants: None,
    everywhere: false,
    limits: &[],
    judge,
    in_a_suite: None,
};

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    let got = answers(run);
    let Some((_, text)) = got.last() else { return of_nothing(run) };
    let Outcome::Task { task, .. } = &run.report.outcome else {
        return Verdict::not_reached("it reports no task");
    };
    let (Ok(reported), Ok(last)) = (Json::parse(task), Json::parse(text)) else {
        return Verdict::not_reached("what it reports is not JSON");
    };
    let came =
        |at: &str| got.iter().any(|(_, text)| Json::parse(text).is_ok_and(|json| json.pointer(at).is_some()));
    let invented: Vec<String> = differences(&last, &reported)
        .into_iter()
        .filter(|difference| difference.kind == Differs::Extra { null: false } && !came(&difference.at))
        .map(|difference| {
            let value = reported.pointer(&difference.at).map_or("", Json::text);
            format!("`{}` did not come and is reported as {value}", difference.at.trim_start_matches('/'))
        })
        .collect();
    if !invented.is_empty() && wire::had_unclear(run) {
        return Verdict::not_reached(
            "what it reports may be from an answer that can be read in several ways, or in none",
        );
    }
    if !invented.is_empty() {
        let mut evidence = wire::story(run);
        evidence.push("expected (-) and reported (+):".to_owned());
        let shown = expected(run, text).unwrap_or_default();
        if let Ok(shown) = Json::parse(&shown) {
            evidence.extend(diff_lines(&shown, &reported));
        }
        return Verdict::violated(invented.join("; "), evidence);
    }
    match run.case.selector() {
        Ok(Some(_)) => Verdict::held(),
        Ok(None) | Err(_) => {
            Verdict::not_reached("the whole resource was asked for: there is nothing to make up")
        }
    }
}

/// No task came. Where nothing at all came, good statuses apart, a task that is reported is made up.
fn of_nothing(run: &Run) -> Verdict {
    let mut asked = run.exchanges.iter().filter(|exchange| run.case.about.is_asked(exchange)).peekable();
    let came_empty = |exchange: &Exchange| {
        wire::is_unclear(exchange) && !wire::is_broken(exchange) && exchange.response_body == BodyText::Empty
    };
    let is_nothing = asked.peek().is_some() && asked.all(came_empty);
    match &run.report.outcome {
        Outcome::Task { task, .. } if is_nothing => Verdict::violated(
            format!("every answer was empty, and it reports a task: {task}"),
            wire::story(run),
        ),
        _ => Verdict::not_reached("no whole task came"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample;

    fn judged(fields: Option<&str>, got: &str, reported: &str) -> Verdict {
        judge(&[sample::reporting(fields, got, reported)])
    }

    #[test]
    fn what_was_not_asked_for_and_not_reported_holds() {
        assert_eq!(judged(Some("id"), r#"{"id":1}"#, r#"{"id":1}"#), Verdict::held());
    }

    #[test]
    fn each_kind_of_zero_is_a_violation() {
        for zero in ["0", "\"\"", "false", "[]", "{}"] {
            let reported = format!(r#"{{"id":1,"name":{zero}}}"#);
            let Verdict::Violated(violation) = judged(Some("id"), r#"{"id":1}"#, &reported) else {
                panic!("{zero}")
            };
            assert!(violation.because.contains("`name`"), "{}", violation.because);
        }
    }

    #[test]
    fn the_whole_resource_and_an_error_are_not_reached() {
        assert!(matches!(judged(None, r#"{"id":1}"#, r#"{"id":1}"#), Verdict::NotReached(_)));
        let mut run = sample::reporting(Some("id"), r#"{"id":1}"#, "{}");
        run.report.outcome = Outcome::GaveUp;
        assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
    }

    #[test]
    fn a_zero_that_came_is_not_made_up_and_null_is_no_value() {
        let got = r#"{"id":0,"name":"","assigned_to":[]}"#;
        assert_eq!(judged(Some("id,name,assigned_to"), got, got), Verdict::held());
        assert_eq!(judged(Some("id"), got, got), Verdict::held());
        assert_eq!(judged(Some("id"), r#"{"id":1}"#, r#"{"id":1,"name":null}"#), Verdict::held());
    }

    #[test]
    fn a_task_in_the_place_of_nothing_is_made_up_and_of_what_cannot_be_read_nothing_is_said() {
        let judged = |body: BodyText, outcome: Outcome| {
            let mut run = sample::reporting(Some("id"), "", r#"{"id":0}"#);
            run.exchanges[0].response_body = body;
            run.exchanges[0].faults.push(sample::fault(crate::fault::Effect::Unreadable));
            if outcome != Outcome::Silent {
                run.report.outcome = outcome;
            }
            judge(&[run])
        };
        assert!(judged(BodyText::Empty, Outcome::Silent).is_violated());
        assert!(matches!(judged(BodyText::Empty, Outcome::GaveUp), Verdict::NotReached(_)));
        let marked = BodyText::Text("\u{feff}{\"id\":0}".into());
        assert!(matches!(judged(marked, Outcome::Silent), Verdict::NotReached(_)));
    }

    #[test]
    fn what_may_have_been_read_out_of_an_unclear_answer_is_not_called_made_up() {
        let mut run = sample::reporting(Some("id"), r#"{"id":1}"#, r#"{"id":1,"name":""}"#);
        let mut unclear = sample::poll(sample::PATH, 200, r#"{"id":1,"id":2,"name":""}"#);
        unclear.faults.push(sample::fault(crate::fault::Effect::Ambiguous));
        run.exchanges.insert(0, unclear);
        assert!(matches!(judge(&[run.clone()]), Verdict::NotReached(_)));
        run.report.outcome =
            Outcome::Task { standing: crate::client::Resting::Done, task: r#"{"id":1}"#.into() };
        assert_eq!(judge(&[run]), Verdict::held());
    }
}
