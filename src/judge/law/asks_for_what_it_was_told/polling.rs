//! The selector of a client that waits: what it was told, and what it needs to know the end.

use super::{otherwise, sent};
use crate::client::{JobKind, Outcome};
use crate::fields::{Field, FieldSelector};
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;
use crate::ledger::Exchange;

/// What a wait comes to; an error is a request, and what is wrong with its selector.
pub(super) fn wrong<'r>(
    run: &'r Run,
    meant: Option<&FieldSelector>,
) -> Result<Verdict, (&'r Exchange, String)> {
    let about = run.case.about;
    let Some(carrier) = about.shows.fields_in else {
        return Ok(Verdict::NotApplicable(format!("{} takes no `fields`", about.shows.id)));
    };
    let Some(meant) = meant else {
        return Ok(match run.case.job {
            JobKind::Create => Verdict::NotApplicable("a creation was told no `fields`".to_owned()),
            _ => Verdict::not_reached("it was told no `fields`, and may ask as it likes"),
        });
    };
    let deciding = deciding(run);
    let allowed = deciding.as_ref().map_or_else(|| meant.clone(), |deciding| meant.union(deciding));
    let states = about.life.map_or(&[][..], |life| &life.state);
    let may_widen = !states.iter().any(|state| meant.selects(state));
    let full = about.shape(&run.case.dialect).and_then(|shape| shape.full());
    let is_fine = |sent: Option<&FieldSelector>| {
        let sent = sent.or(full.as_ref());
        may_widen_to(may_widen, meant, sent) || sent.is_some_and(|sent| allowed.covers(sent))
    };
    let mut polls = Vec::new();
    for poll in run.exchanges.iter().filter(|exchange| about.is_asked(exchange)) {
        let sent = sent(poll, Some(carrier)).map_err(|why| (poll, why))?;
        if !is_fine(sent.as_ref()) {
            return Err((poll, otherwise(Some(meant), sent.as_ref())));
        }
        polls.push((poll, sent));
    }
    of_creation(run, meant, &allowed)?;
    // Until the end it may ask for less; what it reports in the end is what it was told to ask for.
    let has_all = |sent: &Option<FieldSelector>| sent.as_ref().is_none_or(|sent| sent.covers(meant));
    let reports = matches!(run.report.outcome, Outcome::Task { .. });
    match polls.last() {
        None => Ok(Verdict::not_reached("it never asked for what it was told to")),
        Some((last, sent)) if reports && !polls.iter().any(|(_, sent)| has_all(sent)) => {
            Err((*last, otherwise(Some(meant), sent.as_ref())))
        }
        Some(_) => Ok(Verdict::held()),
    }
}

/// Who was not told the state may ask for more, up to the whole.
fn may_widen_to(may_widen: bool, meant: &FieldSelector, sent: Option<&FieldSelector>) -> bool {
    may_widen && sent.is_none_or(|sent| sent.covers(meant))
}

/// A creation may be sent with the selector, where it takes one, or without.
fn of_creation<'r>(
    run: &'r Run,
    meant: &FieldSelector,
    allowed: &FieldSelector,
) -> Result<(), (&'r Exchange, String)> {
    if run.case.job != JobKind::Create {
        return Ok(());
    }
    for creation in run.exchanges.iter().filter(|exchange| wire::is_creation(exchange)) {
        let sent = sent(creation, run.case.about.asks.fields_in).map_err(|why| (creation, why))?;
        let is_fine = |sent: &FieldSelector| sent.covers(meant) || allowed.covers(sent);
        if sent.as_ref().is_some_and(|sent| !is_fine(sent)) {
            return Err((creation, otherwise(Some(meant), sent.as_ref())));
        }
    }
    Ok(())
}

/// The id and the state, in every spelling.
fn deciding(run: &Run) -> Option<FieldSelector> {
    let id = run.case.about.id_member().map(str::to_owned);
    let creator = run.case.about.life.and_then(|life| life.creator(&run.case.about.asks.id));
    let made = creator.map(|creator| creator.id.clone());
    let states = run.case.about.life.iter().flat_map(|life| life.state.iter().cloned());
    let mut names: Vec<String> = Vec::new();
    for name in id.into_iter().chain(made).chain(states) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    FieldSelector::of(names.into_iter().map(|name| Field { name, subfields: None }).collect())
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::*;
    use crate::client::Resting;
    use crate::judge::sample;

    fn waited(told: Option<&str>, queries: &[&str]) -> Run {
        let mut run = sample::run(sample::wait(told));
        run.exchanges = queries
            .iter()
            .map(|query| sample::poll(&format!("{}{query}", sample::PATH), 200, r#"{"id":42}"#))
            .collect();
        run.report.outcome = Outcome::Task { standing: Resting::Done, task: r#"{"id":42}"#.into() };
        run
    }

    fn judged(told: Option<&str>, queries: &[&str]) -> Verdict {
        judge(&[waited(told, queries)])
    }

    #[test]
    fn what_it_was_told_with_what_decides_beside_it_holds() {
        for queries in [
            &["?fields=id,name,state", "?fields=state,name,id"][..],
            &["?fields=id,name,state,status"],
            // Until the end the state alone will do.
            &["?fields=state", "?fields=id,state", "?fields=id,name,state"],
        ] {
            assert_eq!(judged(Some("id,name,state"), queries), Verdict::held(), "{queries:?}");
        }
        assert_eq!(judged(Some("name,state"), &["?fields=id,name,state"]), Verdict::held());
    }

    #[test]
    fn dropping_changing_and_adding_are_violations() {
        for queries in [
            &[""][..],
            &["?fields=id,state"],
            &["?fields=id,name,state,case_id"],
            &["?fields=id,case_id,state"],
            &["?fields=id%252Cname%252Cstate"],
            &["?fields=id,name,state", ""],
        ] {
            assert!(judged(Some("id,name,state"), queries).is_violated(), "{queries:?}");
        }
    }

    #[test]
    fn a_selector_without_the_state_may_be_widened_and_not_dropped() {
        for query in ["", "?fields=id,name,state", "?fields=id,name,state,case_id,assigned_to"] {
            assert_eq!(judged(Some("id,name"), &[query]), Verdict::held(), "{query}");
        }
        assert!(judged(Some("id,name"), &["?fields=id,state"]).is_violated());
    }

    #[test]
    fn who_ended_before_the_end_had_no_last_look() {
        let mut run = waited(Some("id,name,state"), &["?fields=state"]);
        run.report.outcome = Outcome::GaveUp;
        assert_eq!(judge(&[run]), Verdict::held());
    }

    #[test]
    fn who_was_told_nothing_may_ask_as_it_likes() {
        assert!(matches!(judged(None, &["?fields=id,state"]), Verdict::NotReached(_)));
        let mut never = waited(Some("id,name,state"), &[""]);
        never.given.fields = false;
        assert!(matches!(judge(&[never]), Verdict::NotApplicable(_)));
        let created = sample::run(sample::create("Case1"));
        let mut created = Run { exchanges: vec![sample::creation("Case1", 201, "{}")], ..created };
        assert!(matches!(judge(&[created.clone()]), Verdict::NotApplicable(_)));
        // Where it is told, both the header and the polls count.
        created.case.fields = Some("id,name,state".into());
        created.exchanges.push(sample::poll(&format!("{}?fields=id,state,name", sample::PATH), 200, "{}"));
        assert_eq!(judge(&[created.clone()]), Verdict::held());
        created.exchanges[0].request_headers.push(("fields".into(), "id,assigned_to".into()));
        assert!(judge(&[created]).is_violated());
    }

    #[test]
    fn a_creation_may_be_sent_with_what_decides_alone_or_with_more_than_it_was_told() {
        for (fields, holds) in [
            ("id,state", true),
            ("id,name,state,case_id", true),
            ("id,name,state", true),
            ("assigned_to", false),
        ] {
            let mut created = sample::run(sample::create("Case1"));
            created.case.fields = Some("id,name,state".into());
            let poll = sample::poll(&format!("{}?fields=id,state,name", sample::PATH), 200, "{}");
            created.exchanges = vec![sample::creation("Case1", 201, "{}"), poll];
            created.exchanges[0].request_headers.push(("fields".into(), fields.into()));
            assert_eq!(judge(&[created]) == Verdict::held(), holds, "{fields}");
        }
    }
}
