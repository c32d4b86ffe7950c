//! `creates-once`: a creation whose answer was lost is not blindly repeated.

use super::{Needs, Property};
use crate::client::JobKind;
use crate::fault::Effect;
use crate::json::Json;
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire::{self, Suite};
use crate::ledger::Exchange;
use crate::profile::{Key, Lifecycle};

pub(super) static PROPERTY: Property = Property {
    id: "creates-once",
    summary: "A case creation whose answer was lost is not blindly repeated.",
    long: "\
When the connection breaks after a creation was sent, or no answer comes in the time the client gives it, the client \
cannot know whether the case exists. Sending the creation again makes a second case, or is refused because of the first. \
The client looks the case up by its name first, and creates only what is not there.

Broken by: repeating the creation, as it was or under another name, without having looked, or although the list shows \
the case; creating again after the first creation was answered.

Not broken by: repeating after a complete answer that says nothing was created (4xx, 5xx); creating after the list \
showed that the case is not there; giving up; waiting for an answer that is late.",
    jobs: &[JobKind::Create],
    along: &[],
    report: Needs::Nothing,
    generated: false,
    story: None,
    variants: None,
    everywhere: false,
    limits: &[],
    judge,
    in_a_suite: Some(repeated_in_a_suite),
};

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    let is_heard = |exchange: &Exchange| wire::is_delivered(run, exchange);
    // Whoever waited for an answer that was late has been put to the test as well.
    let was_late = |exchange: &Exchange| wire::effects(exchange).any(|effect| effect == Effect::Whole);
    let is_test = |exchange: &&Exchange| !is_heard(exchange) || was_late(exchange);
    let lost = run.exchanges.iter().filter(|exchange| wire::is_creation(exchange)).any(|one| is_test(&one));
    if let Some((index, why)) = repeated(&run.exchanges.iter().collect::<Vec<_>>(), &is_heard, Scope::OneJob)
    {
        let mut evidence = wire::story(run);
        if let Some(exchange) = run.exchanges.get(index) {
            evidence.push(format!("again:    {}", wire::sent_line(exchange)));
        }
        return Verdict::violated(why, evidence);
    }
    if lost {
        Verdict::held()
    } else if run.exchanges.iter().any(wire::is_creation) {
        Verdict::not_reached("no creation's answer was lost")
    } else {
        Verdict::not_reached("it never asked for a creation")
    }
}

/// Whose requests are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// One job: it has one case to create, and any second creation is one too many.
    OneJob,
    /// A whole test suite: only the same name again after an answer that was lost is known to be wrong.
    Suite,
}

fn repeated_in_a_suite(suite: &Suite<'_>) -> Option<(usize, String)> {
    repeated(&suite.exchanges, &|exchange| suite.is_delivered(exchange), Scope::Suite)
}

/// Whether the client had all of an answer.
type IsHeard<'f> = dyn Fn(&Exchange) -> bool + 'f;

/// The first creation that repeats another blindly: its place, and why it is one.
fn repeated(exchanges: &[&Exchange], is_heard: &IsHeard<'_>, scope: Scope) -> Option<(usize, String)> {
    let creations: Vec<usize> = (0..exchanges.len())
        .filter(|index| exchanges.get(*index).is_some_and(|one| wire::is_creation(one)))
        .collect();
    creations.iter().enumerate().find_map(|(nth, &second)| {
        let again = exchanges.get(second)?;
        let first = creations.iter().take(nth).rev().find(|first| {
            exchanges
                .get(**first)
                .is_some_and(|first| may_exist(first, is_heard, scope) && concerns(first, again, scope))
        })?;
        let (first_exchange, between) = (exchanges.get(*first)?, exchanges.get(first + 1..second)?);
        let why = blind(first_exchange, is_lost(first_exchange, is_heard), between)?;
        Some((second, why))
    })
}

/// Whether after this creation a case may exist.
fn may_exist(first: &Exchange, is_heard: &IsHeard<'_>, scope: Scope) -> bool {
    let created = first.work_done && (200..300).contains(&first.status);
    let lost = is_lost(first, is_heard);
    match scope {
        Scope::OneJob => created || lost,
        Scope::Suite => lost,
    }
}

/// Whether nobody can know from its answer what became of a creation: it was cut or never came, or the client had left
/// before it did.
fn is_lost(creation: &Exchange, is_heard: &IsHeard<'_>) -> bool {
    wire::is_broken(creation) || !(wire::is_miss(creation) || is_heard(creation))
}

fn concerns(first: &Exchange, again: &Exchange, scope: Scope) -> bool {
    scope == Scope::OneJob || (name(first).is_some() && name(first) == name(again))
}

/// The name a creation asks for; where its life cycle names no name, all that tells it from others.
fn name(creation: &Exchange) -> Option<String> {
    let life = wire::life_made(creation)?;
    let json = creation.request_body.text().and_then(|body| Json::parse(body).ok());
    let in_body = |name: &str| json.as_ref()?.member(name)?.as_str().map(str::to_owned);
    if let Some(member) = &life.name_member {
        return in_body(member);
    }
    let params = wire::params(creation);
    let in_query =
        |name: &str| params.iter().find(|param| param.name == name).map(|param| param.value.clone());
    match &life.key {
        Key::Whole => {
            Some(format!("{} {}", creation.target, creation.request_body.text().unwrap_or_default()))
        }
        Key::Members(names) => {
            let key: Option<Vec<String>> =
                names.iter().map(|name| in_query(name).or_else(|| in_body(name))).collect();
            key.filter(|key| !key.is_empty()).map(|key| key.join(" "))
        }
    }
}

/// Why a creation after `first`, with these requests between, is a blind one; `None` if the client looked and the
/// case was not there.
fn blind(first: &Exchange, lost: bool, between: &[&Exchange]) -> Option<String> {
    let life = wire::life_made(first)?;
    let list = life.case_list.as_deref();
    let name = name(first);
    let looked = between.iter().rev().find(|exchange| {
        Some(exchange.key.endpoint.as_str()) == list && exchange.status == 200 && !wire::is_broken(exchange)
    });
    let lost = match lost {
        true if wire::is_broken(first) => "its answer was lost",
        true => "the client left before its answer came",
        false => "it was created",
    };
    let what = name.as_deref().map_or("the case".to_owned(), |name| format!("the case `{name}`"));
    let Some(looked) = looked else {
        return Some(format!("{what} is created again after {lost}, without looking whether it exists"));
    };
    let shows =
        looked.response_body.text().zip(name.as_deref()).is_some_and(|(text, name)| names(life, text, name));
    shows.then(|| format!("{what} is created again although the list of cases shows it"))
}

/// Whether a list of cases names this one.
fn names(life: &Lifecycle, list: &str, name: &str) -> bool {
    let Ok(json) = Json::parse(list) else { return false };
    let members = life.echoes.iter().flat_map(|(_, members)| members.iter()).chain(&life.name_member);
    let members: Vec<&str> = members.map(|member| member.trim_start_matches('/')).collect();
    json.elements()
        .iter()
        .any(|case| members.iter().any(|member| case.member(member).and_then(Json::as_str) == Some(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Outcome;
    use crate::judge::sample;
    use crate::ledger::Timing;

    const CREATED: &str = r#"{"id":42,"case_id":7,"name":"Case1","state":"WAITING"}"#;

    fn lost() -> Exchange {
        let mut exchange = sample::creation("Case1", 201, CREATED);
        exchange.faults.push(sample::fault(Effect::Lost));
        exchange
    }

    fn list(body: &str) -> Exchange {
        let mut exchange = sample::poll("/api/forensics/case_management/cases", 200, body);
        exchange.key.endpoint = "GET /forensics/case_management/cases".into();
        exchange
    }

    fn judged(exchanges: Vec<Exchange>) -> Verdict {
        let mut run = sample::run(sample::create("Case1"));
        run.exchanges = exchanges;
        run.report.outcome = Outcome::GaveUp;
        judge(&[run])
    }

    #[test]
    fn looking_and_giving_up_holds() {
        assert_eq!(judged(vec![lost(), list(r#"[{"id":7,"name":"Case1"}]"#)]), Verdict::held());
        assert_eq!(judged(vec![lost()]), Verdict::held());
    }

    #[test]
    fn a_blind_repeat_is_a_violation() {
        let again = sample::creation("Case1", 422, "{}");
        assert!(judged(vec![lost(), again.clone()]).is_violated());
        assert!(judged(vec![lost(), list(r#"[{"id":7,"name":"Case1"}]"#), again.clone()]).is_violated());
        assert!(judged(vec![lost(), sample::creation("Case2", 201, CREATED)]).is_violated());
        assert!(judged(vec![sample::creation("Case1", 201, CREATED), again]).is_violated());
    }

    #[test]
    fn without_a_lost_answer_nothing_is_reached() {
        assert!(matches!(judged(vec![sample::creation("Case1", 201, CREATED)]), Verdict::NotReached(_)));
        assert!(matches!(judged(vec![list("[]")]), Verdict::NotReached(_)));
    }

    #[test]
    fn repeating_what_failed_or_is_not_there_is_no_violation() {
        let mut failed = sample::creation("Case1", 500, "{}");
        failed.work_done = false;
        let created = sample::creation("Case1", 201, CREATED);
        assert!(!judged(vec![failed, created.clone()]).is_violated());
        assert_eq!(judged(vec![lost(), list(r#"[{"id":6,"name":"Other"}]"#), created]), Verdict::held());
    }

    #[test]
    fn a_suite_may_create_as_often_as_it_likes_but_not_blindly_after_a_loss() {
        let made = || sample::creation("Case1", 201, CREATED);
        let heard = |_: &Exchange| true;
        assert_eq!(repeated(&[&made(), &made(), &made()], &heard, Scope::Suite), None);
        assert_eq!(
            repeated(&[&lost(), &sample::creation("Case2", 201, CREATED)], &heard, Scope::Suite),
            None
        );
        assert!(repeated(&[&lost(), &made()], &heard, Scope::Suite).is_some());
        // The client left before the answer came.
        let left = |exchange: &Exchange| exchange.key.nth != 7;
        let mut first = made();
        first.key.nth = 7;
        assert!(repeated(&[&first, &made()], &left, Scope::Suite).is_some());
    }

    #[test]
    fn a_creation_that_the_client_itself_did_not_wait_for_is_not_repeated_either() {
        let late = |cut_short: bool, again: bool| {
            let mut run = sample::run(sample::create("Case1"));
            let mut first = sample::creation("Case1", 201, CREATED);
            first.faults.push(sample::fault(Effect::Whole));
            run.timings = vec![Timing { key: first.key.clone(), cut_short, ..Timing::default() }];
            run.exchanges = vec![first];
            if again {
                let mut again = sample::creation("Case1", 201, CREATED);
                again.key.nth = 2;
                run.timings.push(Timing { key: again.key.clone(), ..Timing::default() });
                run.exchanges.push(again);
            }
            judge(&[run])
        };
        assert_eq!(late(false, false), Verdict::held(), "it waited");
        assert_eq!(late(true, false), Verdict::held(), "it left, and looked no further");
        let Verdict::Violated(violation) = late(true, true) else { panic!() };
        assert!(violation.because.contains("left before"), "{}", violation.because);
    }

    #[test]
    fn a_complete_answer_that_says_nothing_was_created_is_believed() {
        // A fault may answer so after the console has done the work: the client cannot know.
        let mut failed = sample::creation("Case1", 500, "{}");
        failed.work_done = true;
        let created = sample::creation("Case1", 201, CREATED);
        assert!(!judged(vec![failed, created]).is_violated());
    }

    #[test]
    fn only_the_list_that_came_is_a_look() {
        let mut failed = list("[]");
        failed.status = 500;
        let mut cut = list("[]");
        cut.faults.push(sample::fault(Effect::Lost));
        for between in [failed, cut, sample::poll("/api/help/versions", 200, "[]")] {
            let verdict = judged(vec![lost(), between.clone(), sample::creation("Case1", 201, CREATED)]);
            let Verdict::Violated(violation) = verdict else { panic!("{between:?}") };
            assert!(
                violation.because.contains("after its answer was lost, without looking"),
                "{violation:?}"
            );
        }
    }

    #[test]
    fn what_has_no_name_is_told_from_others_by_what_it_asks_for() {
        let lookup = |ip: &str| {
            let mut exchange = lost();
            exchange.key.endpoint = "POST /services/dns_lookups".into();
            exchange.target = format!("/api/services/dns_lookups?IP={ip}");
            exchange
        };
        let heard = |_: &Exchange| true;
        assert!(repeated(&[&lookup("1.1.1.1"), &lookup("1.1.1.1")], &heard, Scope::Suite).is_some());
        assert_eq!(repeated(&[&lookup("1.1.1.1"), &lookup("2.2.2.2")], &heard, Scope::Suite), None);
    }

    #[test]
    fn a_suite_is_judged_by_what_its_ledger_says_of_delivery() {
        let line = |exchange: Exchange| crate::ledger::Line::Exchange(Box::new(exchange));
        let in_a_suite = PROPERTY.in_a_suite.unwrap();
        let lines = [lost(), sample::creation("Case1", 201, CREATED)].map(line);
        let (index, why) = in_a_suite(&Suite::of(&lines, false)).unwrap();
        assert!(index == 1 && why.contains("`Case1` is created again after its answer was lost"), "{why}");
        let lines = [(); 2].map(|()| line(sample::creation("Case1", 201, CREATED)));
        assert_eq!(in_a_suite(&Suite::of(&lines, false)), None);
    }
}
