//! Calling a task off.
//!
//! What becomes of the task is what was recorded after the cancel; a scenario's timeline ends with it. A cancel that
//! comes when this session has seen the end is refused as documented, unless the recording shows that a console took it.

use crate::ledger::Origin;
use crate::message::Request;
use crate::profile::{Lifecycle, error_response};
use crate::timeline::Phase;

use super::Setup;
use super::account::Answer;
use super::keys::key_of;
use super::material::{Material, Poll};
use super::poll::Plan;
use super::session::{ENTRY, Session};
use super::turn::Turn;

impl Session {
    /// What a scenario plans for the task of this turn.
    pub(super) fn plan<'s>(&self, turn: &Turn, setup: &'s Setup) -> Plan<'s> {
        Plan { scenario: setup.scenario.as_deref(), is_called_off: self.called_off.contains(&turn.resource) }
    }

    /// A recorded write was served: if it called its task off, that is remembered.
    pub(super) fn note_cancel(&mut self, turn: &Turn, answer: &Answer, setup: &Setup) {
        let life = setup.profile.cancelled_by(turn.endpoint).map(|(life, _)| life);
        let calls_off = life.is_some_and(|life| calls_off(life, &turn.request));
        if calls_off && answer.response.is_success() && self.called_off.insert(turn.resource.clone()) {
            self.held += ENTRY + turn.resource.len();
            self.changes += 1;
        }
    }

    /// The documented answer to a cancel that comes too late.
    pub(super) fn over(
        &self,
        material: &Material,
        turn: &Turn,
        resource: &str,
        setup: &Setup,
    ) -> Option<Answer> {
        let (life, cancel) = setup.profile.cancelled_by(turn.endpoint)?;
        let (status, code) = cancel.over.filter(|_| calls_off(life, &turn.request))?;
        let whole = material.path(resource)?;
        if material.refuses(&cancel.endpoint, resource) || was_taken(material, life, whole, resource) {
            return None;
        }
        let path = self.polls_now(material, whole, turn);
        if !is_over(self.last_seen(path, turn, life, setup)?) {
            return None;
        }
        let documented = turn.matched.as_ref()?.endpoint.error(status, code);
        let description = documented.map_or("", |error| error.description.as_str());
        let message = "The task has come to its end, and cannot be cancelled.";
        let origin = Origin::Synthesised {
            rule: "cancel of a task that is over".to_owned(),
            source: "documented".to_owned(),
        };
        Some(Answer::made(error_response(status, code, description, message), origin))
    }
}

/// Whether a write asks for the task's end. One endpoint may do more than that: a search is saved by the same POST.
fn calls_off(life: &Lifecycle, request: &Request) -> bool {
    let states = key_of(request, &life.state).into_iter().skip(1).flatten();
    states.into_iter().any(|state| state.to_ascii_uppercase().starts_with("CANCEL"))
}

/// Whether a console took a cancel of this task after its end.
fn was_taken(material: &Material, life: &Lifecycle, path: &[Poll], resource: &str) -> bool {
    let cancels = material.accepted(life.cancel.as_ref().map_or("", |cancel| &cancel.endpoint), resource);
    cancels.filter(|(_, request)| calls_off(life, request)).any(|(index, _)| {
        let epoch = material.deck().epoch_of(index);
        let before = path.iter().rev().find(|poll| material.deck().epoch_of(poll.index) <= epoch);
        before.is_some_and(|poll| is_over(poll.phase))
    })
}

fn is_over(phase: Phase) -> bool {
    matches!(phase, Phase::Done | Phase::Failed | Phase::Cancelled)
}
