//! Rungs 7 to 9 of the answer ladder: the state path, the matcher, a creation, an unknown id, a miss.

use std::sync::Arc;

use crate::cassette::{Index, MatchKey, Slot, base_for, bind, difference, put_base};
use crate::fields::FieldSelector;
use crate::json::Json;
use crate::ledger::Origin;
use crate::message::Request;
use crate::profile::{Admitted, Endpoint, error_response, fields_text};
use crate::scenario::{Repeats, Writes};

use super::account::Answer;
use super::computed::Computed;
use super::creation::Creation;
use super::creators::{self, Asked, Made};
use super::lookup::{Candidates, Cause, Found, Step};
use super::material::{Material, state_of};
use super::session::{ENTRY, Passed, Session};
use super::turn::Turn;
use super::{Evidence, Setup, miss, poll, results};

/// Tasks that one session may create.
const CREATED_MAX: usize = 1000;

impl Session {
    pub(super) fn answer(
        &mut self,
        setup: &Setup,
        turn: &Turn,
        passed: Passed<'_>,
        tick: Option<u32>,
    ) -> Answer {
        let material = match &setup.evidence {
            Evidence::Cassette(material) => Arc::clone(material),
            Evidence::Console(_) => return self.ask_console(&turn.request),
        };
        match passed {
            Passed::Answered { answer, .. } => match answer.index {
                // It was recorded, so it is told as everything recorded is.
                Some(index) => {
                    self.learn_placeholders(&material, index, &turn.request, false);
                    self.complete(turn, answer, None)
                }
                None => answer,
            },
            Passed::Opaque(asked) => {
                let (request, scope) = self.as_recorded(&turn.request);
                self.look_up(&material, turn, asked.as_ref(), (&request, &scope), setup)
            }
            Passed::Console { .. } => self.look_up(&material, turn, None, (&*turn.request, ""), setup),
            Passed::Unread => Answer::missed(miss::answer(&material, &turn.request, Cause::Unread)),
            Passed::Admitted(admitted) => self.admitted(&material, turn, admitted, tick, setup),
        }
    }

    /// The answer to anything new once the session is full.
    pub(super) fn full(&self, setup: &Setup, turn: &Turn) -> Answer {
        match &setup.evidence {
            Evidence::Cassette(material) => {
                Answer::missed(miss::answer(material, &turn.request, Cause::Full))
            }
            Evidence::Console(_) => Answer::missed(miss::full(&turn.request)),
        }
    }

    fn ask_console(&mut self, request: &Request) -> Answer {
        match &mut self.console {
            Some(console) => Answer::made(console(request), Origin::Model),
            None => Answer::nothing(),
        }
    }

    /// Rungs 7 to 9 for a request that the gate let through.
    fn admitted(
        &mut self,
        material: &Material,
        turn: &Turn,
        admitted: Admitted<'_>,
        tick: Option<u32>,
        setup: &Setup,
    ) -> Answer {
        let mut answer = if self.creates(turn) {
            self.create(material, turn, &admitted, setup)
        } else {
            self.existing(material, turn, &admitted, tick, setup)
        };
        answer.findings.extend(admitted.findings);
        answer
    }

    /// Whether a request makes a thing of its own each time it is sent. What is deleted is gone: a second DELETE is
    /// answered as any write.
    fn creates(&self, turn: &Turn) -> bool {
        let again = !matches!(turn.request.method.as_str(), "DELETE" | "HEAD");
        again && turn.creates.is_some()
    }

    fn existing(
        &mut self,
        material: &Material,
        turn: &Turn,
        admitted: &Admitted<'_>,
        tick: Option<u32>,
        setup: &Setup,
    ) -> Answer {
        let asked = admitted.selector.as_ref();
        let recorded = self.created.iter().find_map(|creation| creation.recorded_path(&turn.resource));
        let resource = recorded.as_deref().unwrap_or(&turn.resource);
        if let Some(lifecycle) = turn.polls
            && let Some(path) = material.path(resource)
        {
            let whole = path.len();
            let path = self.polls_now(material, path, turn);
            if path.is_empty() {
                return Answer::missed(miss::answer(material, &turn.request, Cause::WrongEpoch));
            }
            let tick = self.tick_of_epoch(turn, tick);
            let plan = self.plan(turn, setup);
            return match poll::choose(path, plan, lifecycle, asked, tick) {
                Ok(choice) => {
                    let mut answer = Answer::recorded(material, choice.poll.index);
                    answer.state.clone_from(&choice.poll.state);
                    // Past the end of all that was recorded of it, in this epoch and in others.
                    answer.rests = tick as usize >= whole;
                    answer.stands_alone = answer.rests;
                    if choice.rewrites(lifecycle) {
                        answer = answer.rewritten(poll::rewritten(material, &choice, lifecycle));
                    }
                    if let Some(waited) =
                        results::waited(material, turn, &choice, lifecycle, &answer.response)
                    {
                        answer = answer.rewritten(waited);
                    }
                    let project = choice.poll.is_task && !poll::equals(choice.poll, asked);
                    self.complete(turn, answer, asked.filter(|_| project))
                }
                Err(poll::TooNarrow) => {
                    Answer::missed(miss::answer(material, &turn.request, Cause::TooNarrow))
                }
            };
        }
        let hangs_on_the_end = self.too_early(material, turn, resource, setup);
        if let Some(answer) = hangs_on_the_end.or_else(|| self.over(material, turn, resource, setup)) {
            return answer;
        }
        let (request, scope) = self.as_recorded(&turn.request);
        let mut answer = self.look_up(material, turn, asked, (&request, &scope), setup);
        // Of a task without recorded polls nobody looks at how often it was polled.
        answer.rests = true;
        answer
    }

    /// The request as it was recorded, and the fresh id that it is about, if it is about one.
    pub(super) fn as_recorded(&self, request: &Request) -> (Request, String) {
        let mut recorded = request.clone();
        let mut scope = String::new();
        for creation in self.created.iter().rev() {
            if let Some(older) = creation.recorded_request(&recorded) {
                recorded = older;
                creation.scope().unwrap_or_default().clone_into(&mut scope);
            }
        }
        (recorded, scope)
    }

    /// The matcher, then rung 8, then a miss.
    fn look_up(
        &mut self,
        material: &Material,
        turn: &Turn,
        asked: Option<&FieldSelector>,
        (request, scope): (&Request, &str),
        setup: &Setup,
    ) -> Answer {
        let mut key = MatchKey::of(request);
        if request.method == "HEAD" && material.deck().under_bound(&key, &self.cursors.bindings).is_empty() {
            key.method = "GET".into();
        }
        let mut remark = None;
        let exact = Candidates {
            key: &key,
            slots: material.deck().under_bound(&key, &self.cursors.bindings),
            is_loose: false,
            scope,
            computes: None,
        };
        let mut found = self.candidate(material, turn, asked, request, exact, setup);
        let mut lacking = None;
        if found.as_ref().is_err_and(|cause| !matches!(cause, Cause::Exhausted | Cause::Full)) {
            match self.computed(material, turn, asked, (request, scope), setup) {
                Computed::Answer(answer) => return *answer,
                Computed::Lacking(why) => lacking = Some(why),
                Computed::NoList => {}
            }
        }
        if matches!(found, Err(Cause::NotRecorded)) {
            let loose = material.deck().loose(&self.rules);
            let mut alike = loose.by_rules(&key, &self.cursors.bindings);
            if alike.is_none() {
                alike = loose.by_mask(&key, &self.cursors.bindings);
                // An id that the profile calls one is no volatile value.
                if alike.as_ref().is_some_and(|(masked, _)| masked.path != key.path)
                    && let Some(answer) = self.unknown_id(material, turn, setup)
                {
                    return answer;
                }
            }
            if let Some((shared, slots)) = alike {
                let alike = Candidates { key: &shared, slots, is_loose: true, scope, computes: None };
                found = self.candidate(material, turn, asked, request, alike, setup);
                remark = found.as_ref().ok().map(|found| passed_over(material, found.index, &key));
            }
        }
        let is_hindered = |found: Found| {
            let cause = if found.project { hindrance(material, found.index, turn, asked) } else { None };
            cause.map_or(Ok(found), Err)
        };
        match found.and_then(is_hindered) {
            Ok(Found { index, project }) => {
                self.learn_placeholders(material, index, request, remark.is_some());
                let mut answer = Answer::recorded(material, index);
                // What resembles it depends on what has answered before, a HEAD on its GET, results on their task.
                let is_result = setup.profile.results_of(turn.endpoint).is_some();
                answer.stands_alone = remark.is_none() && request.method == "GET" && !is_result;
                answer.findings.extend(remark);
                self.note_cancel(turn, &answer, setup);
                self.complete(turn, answer, asked.filter(|_| project))
            }
            Err(Cause::NotRecorded) if !request.path().starts_with("/api/") => {
                Answer::missed(miss::answer(material, &turn.request, Cause::Outside))
            }
            Err(cause) => self.unknown_id(material, turn, setup).unwrap_or_else(|| match lacking {
                Some(why) => Answer::missed(miss::uncomputed(material, &turn.request, &why)),
                None => Answer::missed(miss::answer(material, &turn.request, cause)),
            }),
        }
    }

    /// One step of the matcher.
    fn candidate(
        &mut self,
        material: &Material,
        turn: &Turn,
        asked: Option<&FieldSelector>,
        request: &Request,
        candidates: Candidates<'_>,
        setup: &Setup,
    ) -> Result<Found, Cause> {
        let counting: Vec<Slot>;
        let mut candidates = candidates;
        if !self.rules.headers.is_empty() && !candidates.slots.is_empty() {
            let recorded = |slot: &Slot| &material.cassette().interactions[slot.index].request;
            let same = |slot: &&Slot| self.rules.same_headers(recorded(slot), request);
            counting = candidates.slots.iter().filter(same).cloned().collect();
            if counting.is_empty() {
                return Err(Cause::OtherHeaders);
            }
            candidates.slots = &counting;
        }
        if !request.is_read() {
            let writes = setup.scenario.as_ref().map_or(Writes::Once, |scenario| scenario.writes);
            return self.cursors.write(material, candidates, &turn.resource, writes);
        }
        let repeats = setup.scenario.as_ref().map_or(Repeats::Last, |scenario| scenario.repeats);
        let step = if request.method == "HEAD" && !candidates.key.method.starts_with("HEAD") {
            Step::Stay
        } else {
            Step::On
        };
        self.cursors.read(material, (request, candidates), &turn.resource, asked, (repeats, step))
    }

    /// Rung 8: an endpoint documented with 404/1002, of which the cassette holds another id but not this one.
    fn unknown_id(&self, material: &Material, turn: &Turn, setup: &Setup) -> Option<Answer> {
        let endpoint = turn.matched.as_ref()?.endpoint;
        let documented = endpoint.error(404, 1002)?;
        let misses = setup.scenario.as_ref().is_some_and(|scenario| scenario.unknown_id_misses);
        let has_id = turn.matched.as_ref().is_some_and(|matched| !matched.path_params.is_empty());
        if misses || !has_id || !material.knows_others_only(&endpoint.id, &turn.resource) {
            return None;
        }
        let response = error_response(404, 1002, &documented.description, &documented.description);
        let origin = Origin::Synthesised { rule: "unknown id".to_owned(), source: "documented".to_owned() };
        Some(Answer::made(response, origin))
    }

    fn create(&mut self, material: &Material, turn: &Turn, admitted: &Admitted<'_>, setup: &Setup) -> Answer {
        let Some(endpoint) = turn.matched.as_ref().map(|matched| matched.endpoint) else {
            return Answer::nothing();
        };
        let Some(lifecycle) = setup.profile.created_by(&endpoint.id) else { return Answer::nothing() };
        // Every creation is looked at with every list, so there is an end to them before memory runs out.
        if self.created.len() >= CREATED_MAX || self.is_full() {
            return Answer::missed(miss::answer(material, &turn.request, Cause::Full));
        }
        let number = self.created.len().to_string();
        let (as_recorded, _) = self.as_recorded(&turn.request);
        let (made, is_loose) = creators::make(
            material,
            &self.cursors,
            Asked {
                endpoint,
                lifecycle,
                request: &turn.request,
                as_recorded: &as_recorded,
                selector: admitted.selector.as_ref(),
                made: &self.created,
                rules: &self.rules,
                stream: setup.seed.stream(&[&self.name, "fresh id", &endpoint.id, &number]),
            },
        );
        let mut answer = self.made(material, turn, admitted, (endpoint, made, is_loose), setup);
        if let Some(index) = answer.index.filter(|_| is_loose) {
            answer.findings.push(passed_over(material, index, &MatchKey::of(&turn.request)));
        }
        answer
    }

    fn made(
        &mut self,
        material: &Material,
        turn: &Turn,
        admitted: &Admitted<'_>,
        (endpoint, made, is_loose): (&Endpoint, Made, bool),
        setup: &Setup,
    ) -> Answer {
        let asked = admitted.selector.as_ref();
        if let Made::Recorded { creation: Some(creation), .. } | Made::Fresh { creation, .. } = &made {
            self.held += ENTRY + creation.weight();
        }
        match made {
            Made::Recorded { index, creation } => {
                let recorded = &material.cassette().interactions[index];
                let epoch = material.deck().epoch_of(index);
                self.cursors.wrote(material, (index, ""), (&turn.resource, epoch));
                self.learn_placeholders(material, index, &turn.request, is_loose);
                self.created.extend(creation.map(|creation| *creation));
                let held = fields_text(endpoint, &recorded.request);
                let held = held.and_then(|text| FieldSelector::parse(&text).ok()).flatten();
                let project = recorded.response.is_success()
                    && !matches!((&held, asked), (None, None))
                    && !held.zip(asked).is_some_and(|(held, asked)| held.same(asked));
                self.complete(turn, Answer::recorded(material, index), asked.filter(|_| project))
            }
            Made::Fresh { index, creation } => {
                self.created.push(*creation);
                let answer = Answer::recorded(material, index).fresh();
                self.complete(turn, answer, asked)
            }
            Made::Refused(message) => {
                let description = endpoint.error(422, 1005).map_or("", |error| error.description.as_str());
                let response = error_response(422, 1005, description, &message);
                let origin = Origin::Synthesised {
                    rule: "creation rules".to_owned(),
                    source: "documented".to_owned(),
                };
                Answer::made(response, origin)
            }
            Made::TooNarrow => Answer::missed(miss::answer(material, &turn.request, Cause::TooNarrow)),
            Made::OtherKey(key) => self
                .unknown_id(material, turn, setup)
                .unwrap_or_else(|| Answer::missed(miss::other_key(material, &turn.request, &key))),
            Made::Miss => self
                .unknown_id(material, turn, setup)
                .unwrap_or_else(|| Answer::missed(miss::no_creation(material, &turn.request))),
        }
    }

    /// A placeholder in a recorded request stands for what this client sent, for the rest of the session.
    pub(super) fn learn_placeholders(
        &mut self,
        material: &Material,
        index: Index,
        live: &Request,
        is_loose: bool,
    ) {
        let recorded = &material.cassette().interactions[index].request;
        let newer = match is_loose {
            true => material.deck().loose(&self.rules).bind(recorded, live),
            false => bind(recorded, live),
        };
        if let Some(newer) = newer {
            self.changes += u64::from(self.cursors.bindings.merge(newer));
        }
    }

    /// A recorded answer with this session's creations in it, then projected.
    pub(super) fn complete(
        &self,
        turn: &Turn,
        mut answer: Answer,
        project: Option<&FieldSelector>,
    ) -> Answer {
        let created_by = turn.creates.filter(|_| self.creates(turn)).map(|_| turn.endpoint);
        let lifecycle = turn.polls.or(turn.creates);
        let recorded = answer.response.body.clone();
        self.cursors.bindings.apply(&mut answer.response);
        if answer.response.is_success() {
            let ours = |creation: &&Creation| self.concerns(creation, turn);
            for creation in self.created.iter().filter(ours) {
                creation.put_into(turn.endpoint, created_by, &mut answer.response);
                if created_by.is_some() || is_about(creation, turn) {
                    creation.rename(&mut answer.response);
                }
            }
        }
        // The state of a recording that is told as it is was read when it was loaded.
        let is_read = answer.state.is_some() && answer.response.body == recorded;
        let projects = project.is_some() && answer.response.is_success();
        if projects || (lifecycle.is_some() && !is_read) {
            let body = answer.response.text().and_then(|text| Json::parse(text).ok());
            answer.state =
                lifecycle.zip(body.as_ref()).and_then(|(lifecycle, body)| state_of(lifecycle, body));
            if let (Some(selector), Some(body), true) = (project, body.as_ref(), projects) {
                let projected = selector.project(body);
                answer.response.set_body(projected);
                answer.projected = true;
            }
        }
        put_base(&mut answer.response, &base_for(&self.base, &turn.request));
        answer
    }

    /// Which creations an answer may show: for one task or case the one it is about, for a creation the last one made,
    /// for a list all of them.
    fn concerns(&self, creation: &Creation, turn: &Turn) -> bool {
        if self.creates(turn) {
            let life = turn.creates;
            let is_last = self.created.last().is_some_and(|last| std::ptr::eq(last, creation));
            return is_last && life.is_some_and(|life| creation.task_endpoint == life.task);
        }
        let has_id = turn.matched.as_ref().is_some_and(|matched| !matched.path_params.is_empty());
        let is_list = turn.matched.is_some() && !has_id;
        is_list || is_about(creation, turn)
    }
}

/// Whether a request names this creation.
fn is_about(creation: &Creation, turn: &Turn) -> bool {
    creation.recorded_path(turn.request.path()).is_some()
        || creation.recorded_request(&turn.request).is_some()
}

/// What a request that was matched loosely differs in from the recorded one.
pub(super) fn passed_over(material: &Material, index: Index, received: &MatchKey) -> String {
    let recorded = MatchKey::of(&material.cassette().interactions[index].request);
    format!("nothing recorded matches exactly; passed over: {}", difference(&recorded, received))
}

/// Why a recorded answer cannot be filtered. An error, or nothing at all, has nothing to leave out.
pub(super) fn hindrance(
    material: &Material,
    index: Index,
    turn: &Turn,
    asked: Option<&FieldSelector>,
) -> Option<Cause> {
    let response = &material.cassette().interactions[index].response;
    if !response.is_success() || response.body.is_empty() {
        return None;
    }
    if Json::parse_bytes(&response.body).is_err() {
        return Some(Cause::NoJson);
    }
    // Where a profile knows the endpoint, the gate has looked. Elsewhere a name that no recording has is absent beside one
    // that has; alone it is more likely a slip, which a console would refuse and an empty object would hide.
    let is_slip = turn.matched.is_none() && !material.deck().shown().has_any(&turn.request, asked?);
    is_slip.then_some(Cause::UnknownField)
}
