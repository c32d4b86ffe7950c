//! `survives-the-unrequested`: the same answer in another guise is the same answer.

use super::{Needs, Property};
use crate::client::{JobKind, Outcome, Resting};
use crate::fault::Effect;
use crate::json::{Json, quote, remove_member};
use crate::judge::about::About;
use crate::judge::answers::{answers, expected};
use crate::judge::case::{Alteration, Answer, Case, Run};
use crate::judge::verdict::Verdict;
use crate::judge::wire;

pub(super) static PROPERTY: Property = Property {
    id: "survives-the-unrequested",
    summary: "A field left out, an extra field, another key order, other white space: no crash, and the same answer.",
    long: "\
Each case is run once plainly, and once with each of: the keys turned round, members that nobody asked for, line breaks \
and indentation, one member left out (never the id or the state). The client must report the same standing and the \
same values each time, for all that both answers hold.

Broken by: reading JSON with a pattern or by position; refusing unknown members; a crash or an error because a member \
that decides nothing is missing; a crash without a word because an answer cannot be read.

Not broken by: passing an unknown member on; what is reported for the member that was left out, which is judged by \
invents-nothing and reports-what-it-got.",
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

/// Members that nobody asks for: a plain one, one named like a part of others, and a nested one.
const EXTRA: &str = r#""unrequested":"state","id_note":7,"unrequested_list":[{"id":0,"state":"NONE"}]"#;

/// The same case with each alteration of its answer. Needs a generated task.
fn variants(case: &Case) -> Vec<Case> {
    let Some(plain) = plain_answer(case) else { return Vec::new() };
    let Ok(plain) = Json::parse(&plain) else { return Vec::new() };
    let altered = [key_order(&plain), extra(&plain), blanks(&plain), left_out(case.about, &plain)];
    (altered.into_iter().flatten()).map(|answer| Case { answer: Some(answer), ..case.clone() }).collect()
}

/// What the case's selector leaves of its task.
fn plain_answer(case: &Case) -> Option<String> {
    let json = Json::parse(case.task.as_deref()?).ok()?;
    Some(match case.selector().ok()? {
        Some(selector) => selector.project(&json),
        None => json.compact(),
    })
}

/// The resources of an answer: the elements of a list, else itself.
fn resources<'j, 'a>(json: &'j Json<'a>) -> &'j [Json<'a>] {
    if json.text().starts_with('[') { json.elements() } else { std::slice::from_ref(json) }
}

/// An answer with each of its resources altered; `None` if one cannot be.
fn each(plain: &Json<'_>, alter: impl Fn(&Json<'_>) -> Option<String>) -> Option<String> {
    let altered: Vec<String> = resources(plain).iter().map(alter).collect::<Option<_>>()?;
    match plain.text().starts_with('[') {
        true if altered.is_empty() => None,
        true => Some(format!("[{}]", altered.join(","))),
        false => altered.into_iter().next(),
    }
}

fn object(members: impl Iterator<Item = String>) -> String {
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn key_order(plain: &Json<'_>) -> Option<Answer> {
    let turned = |json: &Json<'_>| {
        let members = json.members();
        let turned = members.iter().rev().map(|(name, value)| format!("{}:{}", quote(name), value.text()));
        (members.len() > 1).then(|| object(turned))
    };
    Some(Answer { alteration: Alteration::KeyOrder, text: each(plain, turned)? })
}

fn extra(plain: &Json<'_>) -> Option<Answer> {
    let more = |json: &Json<'_>| {
        let inner = json.text().trim().strip_prefix('{')?;
        let comma = if inner.trim() == "}" { "" } else { "," };
        Some(format!("{{{EXTRA}{comma}{inner}"))
    };
    Some(Answer { alteration: Alteration::ExtraMembers, text: each(plain, more)? })
}

fn blanks(plain: &Json<'_>) -> Option<Answer> {
    Some(Answer { alteration: Alteration::Blanks, text: each(plain, with_blanks)? })
}

fn with_blanks(json: &Json<'_>) -> Option<String> {
    let lines: Vec<String> = json
        .members()
        .iter()
        .map(|(name, value)| format!("\r\n\t{} : {}", quote(name), value.text()))
        .collect();
    (!lines.is_empty()).then(|| format!("\n{{{}\n}}\n", lines.join(" ,")))
}

/// Leaves out the first member that decides nothing.
fn left_out(about: About, plain: &Json<'_>) -> Option<Answer> {
    let first = resources(plain).first()?;
    let (name, _) = first.members().iter().find(|(name, _)| !about.decides(name))?;
    let text = each(plain, |json| Some(remove_member(json.text(), name)))?;
    Some(Answer { alteration: Alteration::LeftOut(name.to_string()), text })
}

fn judge(runs: &[Run]) -> Verdict {
    let Some((base, altered)) = runs.split_first() else { return Verdict::not_reached("no run") };
    if let Some(why) = base.vacuous() {
        return Verdict::not_reached(why);
    }
    // A fault may do by itself what the variants do.
    let disturbed = base.exchanges.iter().any(wire::is_disturbed);
    if disturbed && let Some(verdict) = disturbed_by_a_fault(base) {
        return verdict;
    }
    if let Some(verdict) = unclear_by_a_fault(base) {
        return verdict;
    }
    let Some((standing, task, plain)) = reported(base) else {
        return Verdict::not_reached("the plain case reports no task");
    };
    let wanted = expected(base, plain);
    let wanted = wanted.as_deref().and_then(|text| Json::parse(text).ok());
    let report = Json::parse(task).ok();
    let mut reached = disturbed;
    for run in altered {
        let Some(answer) = &run.case.answer else { continue };
        let Some(text) = answers(run).into_iter().map(|(_, text)| text).rfind(|text| shows(text, answer))
        else {
            continue;
        };
        reached = true;
        let Some((other_standing, other, _)) = reported(run) else {
            return violated(base, run, answer, format!("it reports: {}", run.reported_line()));
        };
        if other_standing != standing {
            return violated(
                base,
                run,
                answer,
                format!("the task is {other_standing} in place of {standing}"),
            );
        }
        if let Some(wanted) = &wanted
            && let Some(why) = first_difference(answer, wanted, text, report.as_ref(), other)
        {
            return violated(base, run, answer, why);
        }
    }
    if reached { Verdict::held() } else { Verdict::not_reached("no altered answer reached the client") }
}

/// A scenario may leave a member out, rename members, or alter the answer otherwise, by itself. Then a crash is a violation without any variant,
/// and saying clearly that the answer is not what was expected is as good as the task, if the member decides something.
fn disturbed_by_a_fault(run: &Run) -> Option<Verdict> {
    let about = run.case.about;
    let decides = run.exchanges.iter().any(|exchange| {
        let members = exchange.faults.iter().flat_map(|fault| &fault.members);
        let is_another = |effect| matches!(effect, Effect::Respelt | Effect::Altered);
        wire::effects(exchange).any(is_another) || members.into_iter().any(|name| about.decides(name))
    });
    match &run.report.outcome {
        Outcome::Task { .. } | Outcome::TimedOut => None,
        outcome if outcome.says_nothing() => Some(Verdict::violated(
            format!(
                "with an answer that is not as it should be, the client says nothing: {}",
                run.reported_line()
            ),
            wire::story(run),
        )),
        _ if decides => {
            Some(Verdict::Held(vec![format!("it reports no task, and says so: {}", run.reported_line())]))
        }
        _ => Some(Verdict::violated(
            format!("a member that decides nothing is missing, and it reports: {}", run.reported_line()),
            wire::story(run),
        )),
    }
}

/// Nobody can say what is in an answer that is no JSON, or says two things. So no report of a task is judged, and any clear
/// word that there is none is right; a crash is not.
fn unclear_by_a_fault(run: &Run) -> Option<Verdict> {
    if !wire::had_unclear(run) {
        return None;
    }
    match &run.report.outcome {
        Outcome::Task { .. } => {
            Some(Verdict::not_reached("the answer can be read in several ways, or in none"))
        }
        Outcome::TimedOut => None,
        outcome if outcome.says_nothing() => Some(Verdict::violated(
            format!(
                "with an answer that cannot be read for sure, the client says nothing: {}",
                run.reported_line()
            ),
            wire::story(run),
        )),
        _ => Some(Verdict::Held(vec![format!("it reports no task, and says so: {}", run.reported_line())])),
    }
}

/// The standing and the task that were reported, and the answer they came from.
fn reported(run: &Run) -> Option<(Resting, &str, &str)> {
    let Outcome::Task { standing, task } = &run.report.outcome else { return None };
    let (_, text) = answers(run).pop()?;
    Some((*standing, task, text))
}

/// Whether an answer that was served is altered as planned: a client that asks for something else gets another.
fn shows(text: &str, answer: &Answer) -> bool {
    let Ok(served) = Json::parse(text) else { return false };
    let Some(served) = resources(&served).first() else { return false };
    match &answer.alteration {
        Alteration::KeyOrder => {
            let planned = Json::parse(&answer.text).ok();
            planned.as_ref().and_then(|planned| resources(planned).first()).is_some_and(|planned| {
                let names = served.members().iter().map(|(name, _)| name);
                let order = planned.members().iter().map(|(name, _)| name);
                let kept = order.filter(|name| served.member(name).is_some());
                kept.clone().count() > 1 && kept.eq(names)
            })
        }
        Alteration::ExtraMembers => served.member("unrequested").is_some(),
        Alteration::LeftOut(name) => served.member(name).is_none() && !served.members().is_empty(),
        Alteration::Blanks => text.contains("\r\n\t"),
    }
}

/// The first member that both answers hold, the one that was `wanted` and the altered one, and the two reports do not agree
/// on: the `report` of the one, if it can be read, and that of the other.
fn first_difference(
    answer: &Answer,
    wanted: &Json<'_>,
    altered: &str,
    report: Option<&Json<'_>>,
    other: &str,
) -> Option<String> {
    let altered = Json::parse(altered).ok()?;
    let (Some(plain), Ok(other)) = (report, Json::parse(other)) else {
        return Some("what it reports is not JSON".to_owned());
    };
    let of_each = resources(wanted).iter().zip(resources(&altered));
    let mut pairs = of_each.zip(resources(plain).iter().zip(resources(&other)));
    if resources(plain).len() != resources(&other).len() {
        return Some(format!(
            "it reports {} in place of {}",
            resources(&other).len(),
            resources(plain).len()
        ));
    }
    pairs.find_map(|((wanted, altered), (plain, other))| unlike(answer, [wanted, altered], [plain, other]))
}

/// The first member of one resource that the two reports do not agree on.
fn unlike(
    answer: &Answer,
    [wanted, altered]: [&Json<'_>; 2],
    [plain, other]: [&Json<'_>; 2],
) -> Option<String> {
    wanted.members().iter().find_map(|(name, _)| {
        let left_out = answer.alteration == Alteration::LeftOut(name.to_string());
        // A fault may have given the two answers different values: then they are reported differently.
        let is_served_alike =
            altered.member(name).is_some_and(|value| wanted.member(name).is_some_and(|was| was.same(value)));
        if left_out || !is_served_alike {
            return None;
        }
        match (plain.member(name), other.member(name)) {
            (None, _) => None,
            (Some(was), None) => Some(format!("`{name}` was {} and is not reported any more", was.text())),
            (Some(was), Some(is)) if was.same(is) => None,
            (Some(was), Some(is)) => Some(format!("`{name}` was {} and is {}", was.text(), is.text())),
        }
    })
}

fn violated(base: &Run, run: &Run, answer: &Answer, why: String) -> Verdict {
    let mut evidence = wire::story(base);
    evidence.push(format!("then the same answer with {}:", answer.alteration.words()));
    evidence.extend(wire::story(run).into_iter().skip(1));
    evidence.push(format!("wrong:    {why}"));
    Verdict::violated(format!("with {}, {why}", answer.alteration.words()), evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample;

    const TASK: &str = r#"{"id":42,"name":"Case1","state":"COMPLETE"}"#;

    fn case() -> Case {
        Case { task: Some(TASK.into()), ..sample::get(Some("id,name,state")) }
    }

    /// The plain run and all variants, with a client that reports by `report`.
    fn runs(report: impl Fn(&str) -> Outcome) -> Vec<Run> {
        let cases = std::iter::once(case()).chain(variants(&case()));
        cases
            .map(|case| {
                let text = case.answer.as_ref().map_or(TASK.to_owned(), |answer| answer.text.clone());
                let mut run = sample::run(case);
                run.report.outcome = report(&text);
                run.exchanges = vec![sample::poll(sample::PATH, 200, &text)];
                run
            })
            .collect()
    }

    fn task(text: &str) -> Outcome {
        Outcome::Task { standing: Resting::Done, task: text.to_owned() }
    }

    #[test]
    fn there_is_a_variant_of_each_kind() {
        let kinds: Vec<Alteration> = variants(&case())
            .into_iter()
            .filter_map(|case| case.answer)
            .map(|answer| answer.alteration)
            .collect();
        let expected = [
            Alteration::KeyOrder,
            Alteration::ExtraMembers,
            Alteration::Blanks,
            Alteration::LeftOut("name".into()),
        ];
        assert_eq!(kinds, expected);
        for case in variants(&case()) {
            assert!(Json::parse(&case.answer.unwrap().text).is_ok());
        }
        // The id and the state are never left out.
        assert_eq!(variants(&Case { fields: Some("id,state".into()), ..case() }).len(), 3);
    }

    #[test]
    fn passing_everything_on_holds() {
        assert_eq!(judge(&runs(task)), Verdict::held());
    }

    #[test]
    fn a_client_that_reads_by_position_or_refuses_is_caught() {
        let by_position = |text: &str| {
            let json = Json::parse(text).unwrap();
            task(&format!(r#"{{"id":{}}}"#, json.members()[0].1.text()))
        };
        assert!(judge(&runs(by_position)).is_violated());
        let strict = |text: &str| {
            if text.contains("unrequested") {
                Outcome::Error { text: "unknown member".into() }
            } else {
                task(text)
            }
        };
        let Verdict::Violated(violation) = judge(&runs(strict)) else { panic!() };
        assert!(violation.because.contains("members nobody asked for"), "{}", violation.because);
    }

    #[test]
    fn filling_in_the_member_that_was_left_out_is_not_judged_here() {
        let fills = |text: &str| {
            let json = Json::parse(text).unwrap();
            let name = json.member("name").map_or("\"\"", Json::text).to_owned();
            task(&format!(r#"{{"id":42,"name":{name},"state":"COMPLETE"}}"#))
        };
        assert_eq!(judge(&runs(fills)), Verdict::held());
    }

    #[test]
    fn a_fault_that_leaves_a_member_out_is_a_test_by_itself() {
        let judged = |name: &str, outcome: Outcome| {
            let mut run = sample::run(case());
            let mut exchange = sample::poll(sample::PATH, 200, r#"{"id":42,"state":"COMPLETE"}"#);
            let left_out =
                crate::ledger::FaultLine { members: vec![name.into()], ..sample::fault(Effect::Thinner) };
            exchange.faults.push(left_out);
            run.exchanges = vec![exchange];
            run.report.outcome = outcome;
            judge(&[run])
        };
        let error = || Outcome::Error { text: "no state".into() };
        assert!(matches!(judged("state", error()), Verdict::Held(_)));
        assert!(judged("name", error()).is_violated());
        assert!(judged("state", Outcome::Crashed { how: "signal 6".into() }).is_violated());
        assert_eq!(judged("name", task(r#"{"id":42,"state":"COMPLETE"}"#)), Verdict::held());
    }

    #[test]
    fn without_a_plain_report_or_an_altered_answer_nothing_is_reached() {
        assert!(matches!(judge(&runs(|_| Outcome::GaveUp)), Verdict::NotReached(_)));
        let mut projected = runs(task);
        for run in &mut projected {
            run.exchanges = vec![sample::poll(sample::PATH, 200, TASK)];
            run.report.outcome = task(TASK);
        }
        assert!(matches!(judge(&projected[..1]), Verdict::NotReached(_)));
    }

    #[test]
    fn an_answer_that_cannot_be_read_for_sure_may_be_refused_and_must_not_crash() {
        for effect in [Effect::Unreadable, Effect::Ambiguous] {
            let judged = |outcome: Outcome| {
                let mut run = sample::run(case());
                let mut exchange = sample::poll(sample::PATH, 200, "{\"id\":1,\"id\":2}");
                exchange.faults.push(sample::fault(effect));
                run.exchanges = vec![exchange];
                run.report.outcome = outcome;
                judge(&[run])
            };
            assert!(judged(Outcome::Crashed { how: "signal 6".into() }).is_violated());
            assert!(judged(Outcome::Silent).is_violated());
            assert!(matches!(judged(Outcome::Error { text: "twice".into() }), Verdict::Held(_)));
            assert!(matches!(judged(Outcome::GaveUp), Verdict::Held(_)));
            assert!(matches!(judged(task("{\"id\":2}")), Verdict::NotReached(_)));
        }
    }

    #[test]
    fn a_member_that_a_fault_added_may_have_another_value_than_the_one_nobody_asked_for() {
        let mut both = runs(task);
        let added = TASK.replacen('{', r#"{"unrequested":true,"#, 1);
        both[0].exchanges = vec![sample::poll(sample::PATH, 200, &added)];
        both[0].exchanges[0].faults.push(sample::fault(Effect::Altered));
        both[0].report.outcome = task(&added);
        assert_eq!(judge(&both), Verdict::held());
    }

    #[test]
    fn what_has_one_member_has_no_other_order_and_an_empty_list_no_variant_at_all() {
        let kinds = |plain: &str| {
            let (about, plain) = (case().about, &Json::parse(plain).unwrap());
            [key_order(plain), extra(plain), blanks(plain), left_out(about, plain)]
                .map(|answer| answer.is_some())
        };
        assert_eq!(kinds(r#"{"id":42}"#), [false, true, true, false]);
        assert_eq!(kinds(r#"[{"id":42,"name":"a"}]"#), [true; 4]);
        assert_eq!(kinds("[]"), [false; 4]);
        let list = Json::parse(r#"[{"id":42,"name":"a"},{"id":43,"name":"b"}]"#).unwrap();
        let turned = key_order(&list).unwrap();
        assert_eq!(turned.text, r#"[{"name":"a","id":42},{"name":"b","id":43}]"#);
    }

    #[test]
    fn an_answer_is_altered_as_planned_or_puts_nothing_to_the_test() {
        let turned = key_order(&Json::parse(r#"{"a":1,"b":2,"c":3}"#).unwrap()).unwrap();
        for (served, shown) in [
            (r#"{"c":3,"b":2,"a":1}"#, true),
            (r#"{"c":3,"a":1}"#, true),
            (r#"{"a":1,"b":2,"c":3}"#, false),
            (r#"{"c":3}"#, false),
            (r#"{"c":3,"b":2,"d":4}"#, false),
        ] {
            assert_eq!(shows(served, &turned), shown, "{served}");
        }
        let one = Json::parse(r#"{"id":42}"#).unwrap();
        let more = extra(&one).unwrap();
        assert!(shows(&more.text, &more) && !shows(r#"{"id":42}"#, &more));
        let spread = blanks(&one).unwrap();
        assert!(shows(&spread.text, &spread) && !shows(r#"{"id":42}"#, &spread));
        let less = left_out(case().about, &Json::parse(TASK).unwrap()).unwrap();
        assert!(shows(r#"{"id":42}"#, &less) && !shows(TASK, &less) && !shows("{}", &less));
    }

    #[test]
    fn an_unclear_answer_to_a_client_that_does_not_end_says_nothing_here() {
        let mut run = sample::run(case());
        run.exchanges = vec![sample::poll(sample::PATH, 200, r#"{"id":1,"id":2}"#)];
        run.exchanges[0].faults.push(sample::fault(Effect::Ambiguous));
        run.report.outcome = Outcome::TimedOut;
        assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
    }

    #[test]
    fn a_value_that_a_fault_made_another_may_be_reported_so() {
        let mut both = runs(task);
        let renamed = both[1].exchanges[0].response_body.text().unwrap().replace("Case1", "Case2");
        both[1].exchanges = vec![sample::poll(sample::PATH, 200, &renamed)];
        both[1].report.outcome = task(&renamed);
        assert_eq!(judge(&both), Verdict::held());
    }
}
