//! What hangs on a task that is not done: results that are not there yet, and a wait that has run out.

use crate::ledger::Origin;
use crate::message::{Request, Response};
use crate::profile::{Lifecycle, error_response};
use crate::timeline::Phase;

use super::Setup;
use super::account::Answer;
use super::material::Material;
use super::poll::Choice;
use super::session::Session;
use super::turn::Turn;

impl Session {
    /// The documented answer to a request for results, if this session last saw the task on its way. A task that was
    /// never polled, or was not recorded to its end, says nothing; and where the recording has an early request of its
    /// own, that answers.
    pub(super) fn too_early(
        &self,
        material: &Material,
        turn: &Turn,
        resource: &str,
        setup: &Setup,
    ) -> Option<Answer> {
        let (lifecycle, results) = setup.profile.results_of(turn.endpoint)?;
        let path = self.polls_now(material, material.path(resource)?, turn);
        let is_recorded_to_its_end = path.iter().any(|poll| poll.is_task && poll.phase == Phase::Done);
        if !is_recorded_to_its_end || material.refuses(&results.endpoint, resource) {
            return None;
        }
        if !is_on_its_way(self.last_seen(path, turn, lifecycle, setup)?) {
            return None;
        }
        let documented = turn.matched.as_ref()?.endpoint.error(results.status, results.code);
        let description = documented.map_or("", |error| error.description.as_str());
        let message = "The task has not come to its end.";
        let response = error_response(results.status, results.code, description, message);
        let origin = Origin::Synthesised {
            rule: "results of a task on its way".to_owned(),
            source: "documented".to_owned(),
        };
        Some(Answer::made(response, origin))
    }
}

fn is_on_its_way(phase: Phase) -> bool {
    matches!(phase, Phase::Waiting | Phase::Working)
}

/// `Prefer: wait=N` on an endpoint that documents 206: a task that is still on its way when N is over is answered with
/// that, and with 200 if nobody waited. `None` where the recorded request waited as this one does.
pub(super) fn waited(
    material: &Material,
    turn: &Turn,
    choice: &Choice<'_>,
    lifecycle: &Lifecycle,
    response: &Response,
) -> Option<Response> {
    const RAN_OUT: u16 = 206;
    let endpoint = turn.matched.as_ref()?.endpoint;
    let recorded = &material.cassette().interactions[choice.poll.index];
    let waits = asks_to_wait(&turn.request);
    if !endpoint.success.contains(&RAN_OUT) || waits == asks_to_wait(&recorded.request) {
        return None;
    }
    let scripted = choice.set.iter().find(|(name, _)| lifecycle.state.contains(name));
    let phase = scripted.and_then(|(_, state)| lifecycle.phase(state.trim_matches('"')));
    let status = match waits && is_on_its_way(phase.unwrap_or(choice.poll.phase)) {
        true => RAN_OUT,
        false => 200,
    };
    (response.is_success() && response.status != status).then(|| Response {
        status,
        reason: Response::new(status).reason,
        ..response.clone()
    })
}

/// `Prefer: wait=10`, alone or in a list.
fn asks_to_wait(request: &Request) -> bool {
    let preferences = request.headers.text("Prefer").unwrap_or_default().to_ascii_lowercase();
    preferences.split(',').filter_map(|one| one.split_once('=')).any(|(name, _)| name.trim() == "wait")
}
