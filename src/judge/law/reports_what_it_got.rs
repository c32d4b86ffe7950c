//! `reports-what-it-got`: what the client reports is what the console answered.

use super::{Needs, Property};
use crate::client::{JobKind, Outcome};
use crate::json::Json;
use crate::judge::answers::{answers, expected};
use crate::judge::case::Run;
use crate::judge::difference::{Differs, diff_lines, differences};
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::Exchange;

pub(super) static PROPERTY: Property = Property {
    id: "reports-what-it-got",
    summary: "What the client reports equals what it got: same keys, same values, null and [] kept apart from absent.",
    long: "\
Every member the client was told to ask for and got is reported, with its value: integers beyond 2^53 to the last \
digit, text to the last character, `null` as null, `[]` as an empty list, and what did not come as nothing at all.

Broken by: a number that went through a float; an empty list or a null left out, or the one reported as the other; \
a member reported as null that was not in the answer; a member lost; an error reported although the task came.

Not broken by: another order of members; another spelling of the same number; leaving out what came without having \
been asked for.",
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
    let got: Vec<(&Exchange, &str)> = answers(run);
    let Some((last, text)) = got.last() else {
        return match left_on_purpose(run) {
            true => {
                Verdict::NotApplicable("it gave up on an answer that is late, as its file says".to_owned())
            }
            false => Verdict::not_reached("no whole task came"),
        };
    };
    let Outcome::Task { task, .. } = &run.report.outcome else {
        if wire::may_have_left(run, last) {
            return Verdict::NotApplicable("it may have given up before it had read the answer".to_owned());
        }
        // Then a clear error is as good as the task.
        if wire::had_unclear(run) || run.exchanges.iter().any(wire::is_disturbed) {
            return Verdict::not_reached("the answer was disturbed, and the client reports no task");
        }
        let mut evidence = wire::story(run);
        evidence.push("wrong:    the task came whole, and is not reported".to_owned());
        return Verdict::violated(
            format!("the task came, and it reports: {}", run.reported_line()),
            evidence,
        );
    };
    let Ok(reported) = Json::parse(task) else {
        return Verdict::violated("what it reports as the task is not JSON", wire::story(run));
    };
    if got.iter().any(|(_, text)| wrong(run, text, &reported).is_empty()) {
        return Verdict::held();
    }
    if wire::had_unclear(run) {
        return Verdict::not_reached(
            "what it reports may be from an answer that can be read in several ways, or in none",
        );
    }
    let wrong = wrong(run, text, &reported);
    let mut evidence = wire::story(run);
    evidence.push("expected (-) and reported (+):".to_owned());
    if let Some(expected) = expected(run, text)
        && let Ok(expected) = Json::parse(&expected)
    {
        evidence.extend(diff_lines(&expected, &reported));
    }
    Verdict::violated(wrong.join("; "), evidence)
}

/// Whether something went wrong with an answer, and the client gave up at a limit that its file claims.
fn left_on_purpose(run: &Run) -> bool {
    let claims_limit = run.claims.request_timeout_ms.or(run.claims.gives_up_after_ms).is_some();
    let met_a_fault = run.exchanges.iter().any(|exchange| !exchange.faults.is_empty());
    let has_left = matches!(run.report.outcome, Outcome::GaveUp | Outcome::Error { .. });
    has_left && claims_limit && met_a_fault
}

/// What is wrong with the report, a phrase each.
fn wrong(run: &Run, text: &str, reported: &Json<'_>) -> Vec<String> {
    let expected = expected(run, text).unwrap_or_default();
    let Ok(expected) = Json::parse(&expected) else { return Vec::new() };
    let found = differences(&expected, reported);
    if found.is_empty() {
        return Vec::new();
    }
    let Ok(got) = Json::parse(text) else { return Vec::new() };
    let value = |json: &Json<'_>, at: &str| json.pointer(at).map_or("nothing", Json::text).to_owned();
    found
        .into_iter()
        .filter_map(|difference| {
            let at = difference.at.as_str();
            let name = at.trim_start_matches('/');
            let (was, is) = (value(&got, at), value(reported, at));
            match difference.kind {
                Differs::Missing => Some(format!("`{name}` came as {was} and is not reported")),
                Differs::Changed if at.is_empty() => Some("what it reports is no such resource".to_owned()),
                Differs::Changed => Some(format!("`{name}` came as {was} and is reported as {is}")),
                // What came without being asked for may be passed on, but not altered.
                Differs::Extra { .. } if got.pointer(at).is_some() => {
                    let unchanged = got.pointer(at).zip(reported.pointer(at)).is_some_and(|(a, b)| a.same(b));
                    (!unchanged).then(|| format!("`{name}` came as {was} and is reported as {is}"))
                }
                Differs::Extra { null: true } => {
                    Some(format!("`{name}` did not come and is reported as null"))
                }
                Differs::Extra { null: false } => None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Effect;
    use crate::judge::sample;

    const GOT: &str = r#"{"assigned_to":[],"case_id":null,"id":9007199254740993}"#;

    fn judged(fields: Option<&str>, got: &str, reported: &str) -> Verdict {
        judge(&[sample::reporting(fields, got, reported)])
    }

    #[test]
    fn what_came_reported_as_it_came_holds() {
        assert_eq!(judged(Some("id,case_id,assigned_to"), GOT, GOT), Verdict::held());
        let turned = r#"{ "id": 9007199254740993, "case_id": null, "assigned_to": [] }"#;
        assert_eq!(judged(None, GOT, turned), Verdict::held());
    }

    #[test]
    fn a_rounded_id_a_lost_null_and_a_lost_list_are_violations() {
        for (reported, word) in [
            (r#"{"assigned_to":[],"case_id":null,"id":9007199254740992}"#, "9007199254740992"),
            (r#"{"assigned_to":[],"id":9007199254740993}"#, "`case_id` came as null and is not reported"),
            (r#"{"case_id":null,"id":9007199254740993}"#, "`assigned_to` came as []"),
            (r#"{"assigned_to":null,"case_id":null,"id":9007199254740993}"#, "reported as null"),
            (r#"{"assigned_to":[],"case_id":null,"id":9007199254740993,"name":null}"#, "did not come"),
        ] {
            let Verdict::Violated(violation) = judged(None, GOT, reported) else { panic!("{reported}") };
            assert!(violation.because.contains(word), "{}", violation.because);
            assert!(violation.evidence.iter().any(|line| line.starts_with("reported:")));
        }
    }

    #[test]
    fn who_gives_up_at_a_limit_that_its_file_claims_is_not_asked_what_it_got() {
        let mut left = sample::reporting(None, GOT, GOT);
        left.report.outcome = Outcome::GaveUp;
        let exchange = left.exchanges.first_mut().unwrap();
        exchange.faults = vec![sample::fault(Effect::Lost)];
        assert!(matches!(judge(std::slice::from_ref(&left)), Verdict::NotReached(_)), "nothing is claimed");
        left.claims.request_timeout_ms = Some(100);
        assert!(matches!(judge(std::slice::from_ref(&left)), Verdict::NotApplicable(_)));
        left.report.outcome = Outcome::Error { text: "the answer took too long".to_owned() };
        assert!(matches!(judge(std::slice::from_ref(&left)), Verdict::NotApplicable(_)));
        left.report.outcome = Outcome::TimedOut;
        assert!(matches!(judge(&[left]), Verdict::NotReached(_)), "it did not give up by itself");
    }

    #[test]
    fn who_ran_until_its_limit_may_not_have_seen_the_last_answer() {
        let mut slow = sample::reporting(None, GOT, GOT);
        slow.report.outcome = Outcome::GaveUp;
        assert!(judge(std::slice::from_ref(&slow)).is_violated());
        slow.claims.gives_up_after_ms = Some(1_000);
        assert!(matches!(judge(&[slow]), Verdict::NotApplicable(_)));
    }

    #[test]
    fn an_error_in_place_of_a_task_that_came_is_a_violation() {
        let mut run = sample::reporting(None, GOT, GOT);
        run.report.outcome = Outcome::Crashed { how: "signal 11".into() };
        assert!(judge(&[run]).is_violated());
    }

    #[test]
    fn a_lost_or_refused_answer_is_not_reached() {
        let mut run = sample::reporting(None, GOT, GOT);
        run.report.outcome = Outcome::GaveUp;
        run.exchanges[0].faults.push(sample::fault(Effect::Lost));
        assert!(matches!(judge(&[run.clone()]), Verdict::NotReached(_)));
        run.exchanges = vec![sample::poll(sample::PATH, 404, r#"{"code":1002}"#)];
        assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
    }

    #[test]
    fn a_made_up_value_is_another_propertys_business_and_passing_on_is_allowed() {
        let filled = r#"{"assigned_to":[],"case_id":null,"id":9007199254740993,"state":""}"#;
        assert_eq!(judged(Some("id,case_id,assigned_to"), GOT, filled), Verdict::held());
        // The client asked too widely: that is not this property's business either.
        assert_eq!(judged(Some("id"), GOT, GOT), Verdict::held());
        assert_eq!(judged(Some("id"), GOT, r#"{"id":9007199254740993}"#), Verdict::held());
    }

    #[test]
    fn nothing_is_said_of_what_a_client_makes_of_an_answer_that_cannot_be_read_for_sure() {
        for effect in [Effect::Unreadable, Effect::Ambiguous] {
            for outcome in [
                Outcome::Error { text: "no JSON".into() },
                Outcome::GaveUp,
                Outcome::Task { standing: crate::client::Resting::Done, task: r#"{"id":2}"#.into() },
            ] {
                let mut run = sample::reporting(None, r#"{"id":1,"id":2}"#, "{}");
                run.exchanges[0].faults.push(sample::fault(effect));
                // A good answer may follow.
                run.exchanges.push(sample::poll(sample::PATH, 200, r#"{"id":1}"#));
                run.report.outcome = outcome;
                assert!(matches!(judge(&[run]), Verdict::NotReached(_)), "{effect:?}");
            }
        }
    }

    #[test]
    fn an_altered_answer_is_reported_as_it_came_or_complained_about() {
        let altered = |reported: Option<&str>| {
            let mut run = sample::reporting(None, r#"{"id":"42"}"#, reported.unwrap_or("{}"));
            if reported.is_none() {
                run.report.outcome = Outcome::Error { text: "the id is no number".into() };
            }
            run.exchanges[0].faults.push(sample::fault(Effect::Altered));
            judge(&[run])
        };
        assert_eq!(altered(Some(r#"{"id":"42"}"#)), Verdict::held());
        assert!(matches!(altered(None), Verdict::NotReached(_)));
        assert!(altered(Some(r#"{"id":0}"#)).is_violated());
        // The order of members is no excuse.
        let mut run = sample::reporting(None, GOT, GOT);
        run.exchanges[0].faults.push(sample::fault(Effect::Rewritten));
        run.report.outcome = Outcome::Error { text: "the id is not first".into() };
        assert!(judge(&[run]).is_violated());
    }

    #[test]
    fn something_that_is_no_resource_is_told_in_words() {
        for reported in ["7", "[]", "\"done\"", "null"] {
            let Verdict::Violated(violation) = judged(None, GOT, reported) else { panic!("{reported}") };
            assert_eq!(violation.because, "what it reports is no such resource", "{reported}");
        }
    }
}
