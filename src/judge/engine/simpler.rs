//! Simpler ones of a scenario and of a selector, the simplest first: what shrinking tries where nothing was drawn that
//! shrinks by itself.

use std::sync::Arc;

use crate::fault::Fault;
use crate::fields::{Field, FieldSelector};
use crate::profile::Profile;
use crate::scenario::{Nth, Of, PlannedFault, Scenario, When};

/// Numbers up to this one are tried one by one; of larger ones the halves and quarters.
const ONE_BY_ONE: i64 = 8;

/// The same story with less in it: without any fault, without one of them, without the life it tells of.
pub(super) fn fewer(scenario: &Scenario) -> Vec<Arc<Scenario>> {
    let mut simpler = Vec::new();
    let faults = &scenario.faults;
    if faults.len() > 1 {
        simpler.push(Scenario { faults: Vec::new(), ..scenario.clone() });
    }
    for left_out in 0..faults.len() {
        let kept = (0..).zip(faults).filter(|(place, _)| *place != left_out).map(|(_, fault)| fault.clone());
        let without = Scenario { faults: kept.collect(), ..scenario.clone() };
        // A client that is answered in its place asks no further: those that come later then have to come earlier.
        let earlier = faults.get(left_out).and_then(|left_out| pulled_forward(&without, left_out));
        simpler.push(without);
        simpler.extend(earlier);
    }
    let tells =
        scenario.polls_per_phase.is_some() || scenario.deployment.is_some() || !scenario.path.is_empty();
    if tells {
        simpler.push(Scenario {
            polls_per_phase: None,
            deployment: None,
            path: Vec::new(),
            ..scenario.clone()
        });
    }
    simpler.into_iter().filter_map(read_again).collect()
}

/// The same with whatever befalls later requests of the endpoint one request earlier, in the place of what was left out.
fn pulled_forward(without: &Scenario, left_out: &PlannedFault) -> Option<Scenario> {
    let from = first_of(left_out.when.nth);
    let mut earlier = without.clone();
    for fault in earlier.faults.iter_mut().filter(|fault| fault.when.endpoint == left_out.when.endpoint) {
        fault.when.nth = match fault.when.nth {
            Nth::Between(first, last) if first > from => {
                Nth::Between(first - 1, last.map(|last| last.saturating_sub(1)))
            }
            other => other,
        };
    }
    (earlier != *without).then_some(earlier)
}

fn first_of(nth: Nth) -> u32 {
    match nth {
        Nth::Between(first, _) | Nth::Every(first) => first,
    }
}

/// The same faults, one of them simpler: on fewer occasions, without a condition, with a smaller number.
pub(crate) fn milder(scenario: &Scenario) -> Vec<Arc<Scenario>> {
    let mut simpler = Vec::new();
    for (place, fault) in scenario.faults.iter().enumerate() {
        simpler.extend(simpler_ones(fault).into_iter().map(|other| {
            let mut changed = scenario.clone();
            if let Some(fault) = changed.faults.get_mut(place) {
                *fault = other;
            }
            changed
        }));
    }
    if let Some(polls) = scenario.polls_per_phase {
        let fewer = numbers(i64::from(polls)).into_iter().filter_map(|polls| u32::try_from(polls).ok());
        simpler.extend(fewer.map(|polls| Scenario { polls_per_phase: Some(polls), ..scenario.clone() }));
    }
    simpler.into_iter().filter_map(read_again).collect()
}

/// What comes of a changed scenario by writing and reading it: keys of faults are given anew, and what no scenario may
/// say is `None`.
pub(super) fn read_again(changed: Scenario) -> Option<Arc<Scenario>> {
    let text = Scenario { case: None, ..changed.clone() }.to_toml();
    let read = Scenario::parse(&changed.name, "a simpler scenario", &text, Profile::builtin()).ok()?;
    Some(Arc::new(Scenario { case: changed.case, file: changed.file, ..read }))
}

fn simpler_ones(fault: &PlannedFault) -> Vec<PlannedFault> {
    let when = &fault.when;
    let mut whens: Vec<When> =
        occasions(when.nth).into_iter().map(|nth| When { nth, ..when.clone() }).collect();
    let blank = When { endpoint: when.endpoint.clone(), nth: when.nth, ..When::default() };
    if *when != blank {
        whens.insert(0, blank);
        whens.extend([
            When { chance: None, ..when.clone() },
            When { most: None, ..when.clone() },
            When { after: None, ..when.clone() },
            When { state: None, ..when.clone() },
            When { tick: None, ..when.clone() },
            When { of: Of::default(), ..when.clone() },
        ]);
    }
    let whens = whens.into_iter().filter(|other| other != when);
    let whens = whens.map(|when| PlannedFault { when, ..fault.clone() });
    let injects = milder_faults(&fault.inject).into_iter();
    whens.chain(injects.map(|inject| PlannedFault { inject, ..fault.clone() })).collect()
}

/// Simpler occasions: once is simpler than several times, early than late, and a few times than always.
fn occasions(nth: Nth) -> Vec<Nth> {
    let once = |n| Nth::Between(n, Some(n));
    let all = match nth {
        Nth::Between(1, Some(1)) => Vec::new(),
        Nth::Between(first, Some(last)) if first == last => {
            vec![once(1), once(first.div_ceil(2)), once(first - 1)]
        }
        Nth::Between(first, Some(last)) => vec![
            once(1),
            once(first),
            once(last),
            Nth::Between(first, Some(first + (last - first) / 2)),
            Nth::Between(first, Some(last - 1)),
            Nth::Between(1, Some(last)),
        ],
        Nth::Between(first, None) => vec![
            once(1),
            once(first),
            Nth::Between(first, Some(first.saturating_add(1))),
            Nth::Between(first, Some(first.saturating_add(3))),
            Nth::ALL,
        ],
        Nth::Every(step) => vec![once(1), once(step), Nth::Between(step, Some(step.saturating_mul(2)))],
    };
    all.into_iter().filter(|other| *other != nth).collect()
}

/// The same fault with one of its numbers smaller. One of no strength does nothing, and is not tried.
fn milder_faults(fault: &Fault) -> Vec<Fault> {
    let Ok(toml::Value::Table(kinds)) = toml::Value::try_from(fault) else { return Vec::new() };
    let Some((kind, toml::Value::Table(parameters))) = kinds.iter().next() else { return Vec::new() };
    let mut milder = Vec::new();
    for (name, value) in parameters {
        for smaller in value.as_integer().map(numbers).unwrap_or_default() {
            let mut changed = parameters.clone();
            changed.insert(name.clone(), toml::Value::Integer(smaller));
            let table = toml::Table::from_iter([(kind.clone(), toml::Value::Table(changed))]);
            milder.extend(toml::Value::Table(table).try_into::<Fault>().ok());
        }
    }
    milder.retain(|other| other != fault && !other.is_identity() && other.check().is_ok());
    milder
}

/// Smaller numbers, the smallest first.
fn numbers(number: i64) -> Vec<i64> {
    let mut smaller = match number {
        ..=0 => Vec::new(),
        1..=ONE_BY_ONE => (0..number).collect(),
        _ => vec![0, 1, number / 2, number - number / 4],
    };
    smaller.dedup();
    smaller
}

/// Selectors of less than these names; `None` is the whole resource. A text that is no selector has none.
pub(super) fn selectors(fields: &str) -> Vec<Option<String>> {
    let Ok(Some(selector)) = FieldSelector::parse(fields) else { return Vec::new() };
    let mut simpler = vec![None];
    let all = selector.fields();
    if all.len() > 1 {
        simpler.extend(all.iter().map(|field| written(vec![field.clone()])));
        simpler.extend((0..all.len()).map(|left_out| {
            let kept = (0..).zip(all).filter(|(place, _)| *place != left_out);
            written(kept.map(|(_, field)| field.clone()).collect())
        }));
    }
    simpler.extend(
        (0..all.len()).filter(|place| all.get(*place).is_some_and(|it| it.subfields.is_some())).map(|flat| {
            let flattened = (0..).zip(all).map(|(place, field)| {
                let subfields = if place == flat { None } else { field.subfields.clone() };
                Field { subfields, ..field.clone() }
            });
            written(flattened.collect())
        }),
    );
    simpler
}

fn written(fields: Vec<Field>) -> Option<String> {
    FieldSelector::of(fields).map(|selector| selector.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"
        summary = "x"
        polls_per_phase = 3
        [[fault]]
        when   = { endpoint = "case_create_tasks.get", nth = "2-", chance = "1/2" }
        inject = { latency = { ms = 40 } }
        [[fault]]
        when   = { endpoint = "case_create_tasks.get", nth = "3" }
        inject = { reset = { after_bytes = 9 } }
    "#;

    fn plan() -> Scenario {
        Scenario::parse("x", "x", PLAN, Profile::builtin()).unwrap()
    }

    #[test]
    fn fewer_faults_come_first_and_then_the_life_goes() {
        let fewer: Vec<(usize, bool)> =
            (fewer(&plan()).iter()).map(|it| (it.faults.len(), it.polls_per_phase.is_some())).collect();
        assert_eq!(fewer, [(0, true), (1, true), (1, true), (1, true), (2, false)]);
    }

    #[test]
    fn each_milder_one_can_be_read_and_differs() {
        let plan = plan();
        let milder = milder(&plan);
        let lines: Vec<String> = milder.iter().map(|it| it.to_toml()).collect();
        assert!(lines.iter().all(|text| *text != plan.to_toml()), "{lines:#?}");
        let any = |part: &str| lines.iter().any(|text| text.contains(part));
        assert!(
            any("ms = 20") && any("ms = 1 }") && any("after_bytes = 4") && any("nth = \"1\""),
            "{lines:#?}"
        );
        assert!(
            any("polls_per_phase = 1") && lines.iter().any(|text| !text.contains("chance")),
            "{lines:#?}"
        );
    }

    #[test]
    fn occasions_and_numbers_come_to_an_end() {
        for first in [Nth::ALL, Nth::Between(7, None), Nth::Every(5), Nth::Between(3, Some(9))] {
            let mut nth = first;
            for _ in 0..20 {
                // The last one offered is the one nearest to what it was.
                nth = occasions(nth).pop().unwrap_or(nth);
            }
            assert!(occasions(nth).is_empty() || nth == Nth::ALL, "{first} ends at {nth}");
        }
        assert_eq!((numbers(0), numbers(2), numbers(400)), (vec![], vec![0, 1], vec![0, 1, 200, 300]));
    }

    #[test]
    fn a_selector_gets_narrower_and_flatter() {
        let written = |fields: &str| -> Vec<String> {
            selectors(fields).into_iter().map(Option::unwrap_or_default).collect()
        };
        assert_eq!(written("a(b),c"), ["", "a(b)", "c", "c", "a(b)", "a,c"]);
        assert_eq!(written("id"), [""]);
        assert!(written("id,,state").is_empty());
    }
}
