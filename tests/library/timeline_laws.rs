//! The laws of a task's life: what any deployment, and any recorded path, leads to.

use crate::laws;

use faultdeck::timeline::{Deployment, HostChange, HostState, ManagedHost, Phase, stretched};
use laws::holds;
use proptest::collection::vec;
use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, prop_assert_ne};
use proptest::sample::select;

const CASES: u32 = 20_000;
/// Past every change that is generated.
const LATE: u32 = 30;

fn deployments() -> impl Strategy<Value = Deployment> {
    use HostState::{Done, Down, Removed, Working};
    let change = (0..12u32, select(&[Done, Down, Removed, Working][..]));
    let host = vec(change.prop_map(|(at, becomes)| HostChange { at, becomes }), 0..5);
    (0..5u32, vec(host, 0..5)).prop_map(|(picked_up_at, hosts)| {
        let named = |(n, changes)| ManagedHost { name: format!("mh-{n}"), changes };
        Deployment { picked_up_at, hosts: hosts.into_iter().enumerate().map(named).collect() }
    })
}

/// A host's state before poll `tick`: its changes one by one, a finished host staying finished until it is removed.
fn state_at(host: &ManagedHost, tick: u32) -> HostState {
    let mut state = HostState::Working;
    for now in 0..=tick {
        for change in host.changes.iter().filter(|change| change.at == now) {
            if state != HostState::Done || change.becomes == HostState::Removed {
                state = change.becomes;
            }
        }
    }
    state
}

fn hosts_at(deployment: &Deployment, tick: u32, state: HostState) -> usize {
    deployment.hosts.iter().filter(|host| state_at(host, tick) == state).count()
}

/// The rule again, tick by tick and without a thought for speed.
fn naive_phase(deployment: &Deployment, tick: u32) -> Phase {
    if tick < deployment.picked_up_at {
        return Phase::Waiting;
    }
    let was_done = |now: u32| {
        let done = hosts_at(deployment, now, HostState::Done);
        done > 0 && done + hosts_at(deployment, now, HostState::Removed) == deployment.hosts.len()
    };
    if (deployment.picked_up_at..=tick).any(was_done) {
        Phase::Done
    } else if hosts_at(deployment, tick, HostState::Done) == 0 {
        Phase::Working
    } else {
        Phase::Partial
    }
}

#[test]
fn the_phase_is_what_the_rule_says_tick_by_tick() {
    holds(CASES, deployments(), |deployment| {
        for tick in 0..LATE {
            prop_assert_eq!(deployment.phase_at(tick), naive_phase(&deployment, tick), "tick {}", tick);
        }
        Ok(())
    });
}

#[test]
fn a_task_waits_exactly_until_it_is_picked_up() {
    holds(CASES, deployments(), |deployment| {
        for tick in 0..LATE {
            prop_assert_eq!(deployment.phase_at(tick) == Phase::Waiting, tick < deployment.picked_up_at);
        }
        Ok(())
    });
}

#[test]
fn once_done_a_task_stays_done() {
    holds(CASES, deployments(), |deployment| {
        let first = (0..LATE).find(|tick| deployment.phase_at(*tick) == Phase::Done);
        for tick in first.unwrap_or(LATE)..LATE {
            prop_assert_eq!(deployment.phase_at(tick), Phase::Done);
        }
        Ok(())
    });
}

#[test]
fn a_partial_task_never_goes_back_while_a_done_host_remains() {
    holds(CASES, deployments(), |deployment| {
        for tick in 1..LATE {
            let (before, now) = (deployment.phase_at(tick - 1), deployment.phase_at(tick));
            if before == Phase::Partial && hosts_at(&deployment, tick, HostState::Done) > 0 {
                prop_assert!(matches!(now, Phase::Partial | Phase::Done));
            }
            prop_assert!(before == Phase::Waiting || now != Phase::Waiting);
            prop_assert!(!matches!(now, Phase::Failed | Phase::Cancelled));
        }
        Ok(())
    });
}

#[test]
fn it_settles_at_the_first_tick_from_which_nothing_changes() {
    holds(CASES, deployments(), |deployment| {
        let settles = deployment.settles();
        for tick in settles..LATE {
            prop_assert_eq!(deployment.phase_at(tick), deployment.phase_at(settles));
        }
        prop_assert_eq!(deployment.phase_at(u32::MAX), deployment.phase_at(settles));
        if let Some(before) = settles.checked_sub(1) {
            prop_assert_ne!(deployment.phase_at(before), deployment.phase_at(settles));
        }
        Ok(())
    });
}

#[test]
fn the_phases_are_the_ticks_in_short() {
    holds(CASES, deployments(), |deployment| {
        let phases = deployment.phases();
        prop_assert_eq!(phases.first().map(|(from, _)| *from), Some(0));
        prop_assert!(phases.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1));
        prop_assert!(phases.iter().all(|(from, phase)| deployment.phase_at(*from) == *phase));
        Ok(())
    });
}

#[test]
fn stretching_keeps_the_order_of_phases_and_gives_each_its_polls() {
    let recorded = vec(0..3u8, 1..12);
    holds(CASES, (recorded, 1..6u32), |(recorded, polls)| {
        let runs: Vec<&[u8]> = recorded.chunk_by(|one, next| one == next).collect();
        let ticks = polls * runs.len() as u32;
        let places: Vec<usize> = (0..ticks).map(|tick| stretched(&recorded, polls, tick)).collect();
        prop_assert!(places.windows(2).all(|pair| pair[0] <= pair[1]), "{:?}", places);
        let seen: Vec<u8> = places.iter().map(|place| recorded[*place]).collect();
        let expected: Vec<u8> = runs.iter().flat_map(|run| vec![run[0]; polls as usize]).collect();
        prop_assert_eq!(seen, expected);
        for later in [ticks, ticks + 7, u32::MAX] {
            prop_assert_eq!(stretched(&recorded, polls, later), *places.last().unwrap());
        }
        Ok(())
    });
}
