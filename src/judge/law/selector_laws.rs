//! `selector-laws`: the same question in another spelling has the same answer, and a wider one no lesser answer.

use super::{Needs, Property};
use crate::client::{JobKind, Outcome, Resting};
use crate::fields::{Field, FieldSelector};
use crate::json::Json;
use crate::judge::answers::{Heard, answers, heard};
use crate::judge::case::{Case, Run};
use crate::judge::difference::{Differs, differences};
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::Exchange;

pub(super) static PROPERTY: Property = Property {
    id: "selector-laws",
    summary: "Turning round, spacing or repeating a selector changes nothing, and a wider one yields no less.",
    long: "\
Each case is run as it is, then once more the same, with the names in the other order, with blanks behind the commas, and \
with one more name. The answers hold the same values each time, so the client has to report the same of them, and with \
one more name at least that.

Broken by: reading an answer by the order of the names; keeping something of one run for the next, such as the answer: a \
resource that is reported and was not asked for; losing a member because \
one more was asked for; an error for blanks or for another order, although the answer came.

Not broken by: refusing a selector without a request; what the console answered differently; what is reported beside what \
was asked for.",
    jobs: &[JobKind::Get, JobKind::Send],
    along: &[],
    report: Needs::Resource,
    generated: true,
    story: None,
    variants: Some(variants),
    everywhere: false,
    limits: &[],
    judge,
    in_a_suite: None,
};

/// The same question again, turned round, spaced, and widened. Needs a selector.
fn variants(case: &Case) -> Vec<Case> {
    let (Ok(Some(selector)), Some(own)) = (case.selector(), &case.fields) else { return Vec::new() };
    let spaced = if own.contains(", ") { own.replace(", ", ",") } else { own.replace(',', ", ") };
    let mut texts = vec![Some(own.clone())];
    let others = [turned(&selector).map(|turned| turned.to_string()), Some(spaced)];
    texts.extend(others.into_iter().flatten().filter(|text| text != own).map(Some));
    texts.push(wider(case, &selector).map(|wider| wider.to_string()));
    texts.into_iter().map(|fields| Case { fields, ..case.clone() }).collect()
}

/// The names in the other order, at each level.
fn turned(selector: &FieldSelector) -> Option<FieldSelector> {
    let below =
        |field: &Field| Field { subfields: field.subfields.as_ref().and_then(turned), ..field.clone() };
    FieldSelector::of(selector.fields().iter().rev().map(below).collect())
}

/// With the first member that is not all asked for; `None` is the whole resource.
fn wider(case: &Case, selector: &FieldSelector) -> Option<FieldSelector> {
    let full = case.about.shape(&case.dialect)?.full()?;
    let alone = |field: &Field| FieldSelector::of(vec![field.clone()]);
    let more = full.fields().iter().filter_map(alone).find(|field| !selector.covers(field))?;
    Some(selector.union(&more))
}

/// What a selector leaves of a resource, as text.
fn part(selector: &FieldSelector, resource: &str) -> Option<String> {
    Some(selector.project(&Json::parse(resource).ok()?))
}

fn read(text: Option<&str>) -> Option<Json<'_>> {
    Json::parse(text?).ok()
}

/// What was reported of an answer that surely came.
fn reported(run: &Run) -> Option<(Resting, &str)> {
    let Outcome::Task { standing, task } = &run.report.outcome else { return None };
    Some((*standing, task))
}

/// The plain run: its standing, and what the selector leaves of its answer and of its report, where they can be read.
struct Plain<'p> {
    standing: Resting,
    got: Option<Json<'p>>,
    report: Option<Json<'p>>,
}

/// The answer that a run ended with, if nothing else came before or beside it.
fn answer(run: &Run) -> Option<&str> {
    let asked: Vec<&Exchange> =
        run.exchanges.iter().filter(|exchange| run.case.about.is_asked(exchange)).collect();
    // Whoever reports a resource has the only answer there was, however long that took.
    let is_told = asked.len() == 1 && matches!(run.report.outcome, Outcome::Task { .. });
    let has = |exchange: &&Exchange| match heard(run, exchange) {
        Heard::Surely => true,
        Heard::Perhaps => is_told && wire::is_delivered(run, exchange) && wire::is_surely_heard(exchange),
        Heard::No => false,
    };
    if wire::had_unclear(run) || !asked.iter().all(has) {
        return None;
    }
    answers(run).pop().map(|(_, text)| text)
}

fn judge(runs: &[Run]) -> Verdict {
    let Some((base, others)) = runs.split_first() else { return Verdict::not_reached("no run") };
    // The client may have kept it from a case before this one: then it asks in none.
    if let Some(kept) = runs.iter().find(|run| is_kept(run)).filter(|_| !others.is_empty()) {
        let why = "it sends no request, and reports a resource: one that it has kept, or made up";
        return violated(base, kept, why);
    }
    if let Some(why) = base.vacuous() {
        return Verdict::not_reached(why);
    }
    if !base.given.fields {
        return Verdict::NotApplicable("its file hands no `{fields}` on".to_owned());
    }
    let Ok(Some(selector)) = base.case.selector() else {
        return Verdict::not_reached("there is no selector to spell otherwise");
    };
    let Some((got, (standing, task))) = answer(base).zip(reported(base)) else {
        return Verdict::not_reached("no resource was reported of an answer that surely came");
    };
    let (got, report) = (part(&selector, got), part(&selector, task));
    let plain = Plain { standing, got: read(got.as_deref()), report: read(report.as_deref()) };
    let mut is_reached = false;
    for run in others {
        if !answer(run).is_some_and(|got| is_alike(&selector, &plain, got)) {
            continue;
        }
        is_reached = true;
        let wrong = match reported(run) {
            Some(other) => unlike(&selector, &plain, run, other),
            None => Some(format!("it reports: {}", run.reported_line())),
        };
        if let Some(why) = wrong {
            return violated(base, run, &why);
        }
    }
    if is_reached { Verdict::held() } else { Verdict::not_reached("no other spelling was asked with") }
}

/// Whether a resource is reported in a run in which nothing was asked for, of anybody.
fn is_kept(run: &Run) -> bool {
    let is_silent =
        run.exchanges.is_empty() && run.strayed.is_empty() && run.greeted == 0 && !run.was_unheard;
    is_silent && matches!(run.report.outcome, Outcome::Task { .. })
}

/// Whether another answer holds the same of what was asked for.
fn is_alike(selector: &FieldSelector, plain: &Plain<'_>, other: &str) -> bool {
    let other = part(selector, other);
    plain.got.as_ref().zip(read(other.as_deref())).is_some_and(|(one, other)| one.same(&other))
}

/// What two reports do not agree on, of what both were asked for.
fn unlike(
    selector: &FieldSelector,
    plain: &Plain<'_>,
    run: &Run,
    (standing, task): (Resting, &str),
) -> Option<String> {
    let (Some(before), Some(after)) = (&plain.report, part(selector, task)) else {
        return Some("what it reports is not JSON".to_owned());
    };
    let means_the_same =
        run.case.selector().is_ok_and(|other| other.is_some_and(|other| other.same(selector)));
    if means_the_same && plain.standing != standing {
        return Some(format!("the task is {standing} in place of {}", plain.standing));
    }
    let after = Json::parse(&after).ok()?;
    let value = |json: &Json<'_>, at: &str| json.pointer(at).map_or("nothing", Json::text).to_owned();
    differences(before, &after).into_iter().find_map(|difference| {
        let at = difference.at.as_str();
        let name = at.trim_start_matches('/');
        let (was, is) = (value(before, at), value(&after, at));
        match difference.kind {
            Differs::Missing => Some(format!("`{name}` was {was} and is not reported any more")),
            Differs::Changed => Some(format!("`{name}` was {was} and is {is}")),
            // A wider question may well bring more.
            Differs::Extra { .. } => means_the_same.then(|| format!("`{name}` is {is} and was not reported")),
        }
    })
}

fn violated(base: &Run, run: &Run, why: &str) -> Verdict {
    let with = match &run.case.fields {
        Some(fields) if run.case.fields == base.case.fields => format!("again with fields `{fields}`"),
        Some(fields) => format!("with fields `{fields}`"),
        None => "without fields".to_owned(),
    };
    let mut evidence = wire::story(base);
    evidence.push(format!("then {with}:"));
    evidence.extend(wire::story(run).into_iter().skip(1));
    evidence.push(format!("wrong:    {why}"));
    Verdict::violated(format!("{with}, {why}"), evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Effect;
    use crate::judge::sample;

    const TASK: &str = r#"{"assigned_to":["a"],"case_id":7,"id":42,"name":"Case1","state":"COMPLETE"}"#;

    fn case(fields: &str) -> Case {
        Case { task: Some(TASK.to_owned()), ..sample::get(Some(fields)) }
    }

    fn texts(fields: &str) -> Vec<String> {
        variants(&case(fields)).into_iter().map(|case| case.fields.unwrap_or_default()).collect()
    }

    #[test]
    fn a_selector_is_repeated_turned_round_spaced_and_widened() {
        assert_eq!(texts("id,state"), ["id,state", "state,id", "id, state", "id,state,assigned_to"]);
        assert_eq!(texts("id, state")[2], "id,state");
        assert_eq!(texts("id"), ["id", "id,assigned_to"]);
        assert_eq!(texts("assigned_to,case_id,id,name,state").last().unwrap(), "", "the whole resource");
        assert!(variants(&Case { fields: None, ..case("id") }).is_empty());
    }

    /// A run with this selector that got what it asked for and reported this.
    fn run(fields: &str, reported: &str) -> Run {
        let got = FieldSelector::parse(fields).unwrap().unwrap().project(&Json::parse(TASK).unwrap());
        let mut run = sample::reporting(Some(fields), &got, reported);
        run.case.fields = Some(fields.to_owned());
        run
    }

    fn because(verdict: Verdict) -> String {
        match verdict {
            Verdict::Violated(violation) => violation.because,
            other => panic!("{other:?}"),
        }
    }

    const BOTH: &str = r#"{"case_id":7,"id":42}"#;

    #[test]
    fn the_same_of_the_same_holds_and_more_of_a_wider_question() {
        let base = || run("id,case_id", BOTH);
        let turned = run("case_id,id", r#"{"id":42,"case_id":7}"#);
        let wider = run("id,case_id,name", r#"{"id":42,"name":"Case1","case_id":7}"#);
        assert_eq!(judge(&[base(), base(), turned, wider]), Verdict::held());
    }

    #[test]
    fn values_that_change_places_and_members_that_are_lost_are_violations() {
        let base = || run("id,case_id", BOTH);
        let swapped = run("case_id,id", r#"{"id":7,"case_id":42}"#);
        let why = because(judge(&[base(), swapped]));
        assert!(why.contains("with fields `case_id,id`, `case_id` was 7 and is 42"), "{why}");
        let less = run("id,case_id,name", r#"{"id":42,"name":"Case1"}"#);
        let why = because(judge(&[base(), less]));
        assert!(why.contains("`case_id` was 7 and is not reported any more"), "{why}");
        let mut refused = run("id, case_id", BOTH);
        refused.report.outcome = Outcome::Error { text: "a blank".into() };
        assert!(because(judge(&[base(), refused])).contains("it reports: error: a blank"));
        let mut pending = run("case_id,id", BOTH);
        pending.report.outcome = Outcome::Task { standing: Resting::Pending, task: BOTH.into() };
        assert!(because(judge(&[base(), pending])).contains("pending in place of done"));
    }

    #[test]
    fn what_was_not_asked_or_not_answered_alike_is_not_compared() {
        let base = || run("id,case_id", BOTH);
        let is_open = |runs: &[Run]| matches!(judge(runs), Verdict::NotReached(_));
        // It refuses blanks by itself.
        let mut refused = run("id, case_id", BOTH);
        refused.exchanges.clear();
        refused.report.outcome = Outcome::Rejected { code: None };
        assert!(is_open(&[base(), refused]));
        // The task went on.
        let mut other = sample::reporting(Some("id,case_id"), r#"{"case_id":8,"id":42}"#, "{}");
        assert!(is_open(&[base(), other.clone()]));
        other = base();
        other.exchanges[0].faults.push(sample::fault(Effect::Lost));
        assert!(is_open(&[base(), other]));
        assert!(is_open(&[sample::reporting(None, TASK, TASK), base()]));
        let mut told_nothing = base();
        told_nothing.given.fields = false;
        assert!(matches!(judge(&[told_nothing]), Verdict::NotApplicable(_)));
    }

    #[test]
    fn a_resource_that_was_not_asked_for_was_kept_or_made_up() {
        let silent = || {
            let mut run = run("id,case_id", BOTH);
            run.exchanges.clear();
            run
        };
        let base = || run("id,case_id", BOTH);
        for runs in [[base(), silent()], [silent(), base()], [silent(), silent()]] {
            let why = because(judge(&runs));
            assert!(why.contains("it sends no request, and reports a resource"), "{why}");
        }
        // One run alone does not show that it is not made up for a test of the file.
        assert!(matches!(judge(&[silent()]), Verdict::NotReached(_)));
        let mut refuses = silent();
        refuses.report.outcome = Outcome::Rejected { code: None };
        let mut unheard = silent();
        unheard.was_unheard = true;
        for run in [refuses, unheard] {
            assert!(!judge(&[base(), run]).is_violated());
        }
    }

    #[test]
    fn names_are_turned_round_below_members_too() {
        assert_eq!(texts("name(b,c(d,e)),id")[1], "id,name(c(e,d),b)");
    }

    #[test]
    fn the_same_question_again_is_told_as_such() {
        let other = || run("id,case_id", r#"{"id":42,"case_id":8}"#);
        let why = because(judge(&[run("id,case_id", BOTH), other()]));
        assert!(why.starts_with("again with fields `id,case_id`, "), "{why}");
        let why = because(judge(&[run("case_id,id", BOTH), other()]));
        assert!(why.starts_with("with fields `id,case_id`, "), "{why}");
    }
}
