//! Decisions that are given again.

use std::sync::Arc;

use bytes::Bytes;

use crate::cassette::Index;
use crate::delivery::Delivery;
use crate::fault::Work;
use crate::ledger::Origin;
use crate::scenario::{PlannedFault, Repeats, Scenario};
use crate::serve::{Came, Rendered};

use super::account::Answer;
use super::asked::{Asked, Base, Ground, Plain, Settled, Standing};
use super::counts::Nth;
use super::served::{Record, Time};
use super::session::{Considered, Decided, Noted, Planned, Session};
use super::spoil::Now;
use super::turn::call_of;
use super::{Evidence, Setup};

/// A body that is the answer's own, and no recording's, is kept up to so many bytes: there may be as many of them as there
/// are requests to think of.
const OWN_MAX: usize = 4096;

impl Session {
    /// Decides a request: as the last time, if nothing has changed that its answer could depend on.
    pub(super) fn decide(&mut self, asked: &Asked, came: Came) -> Decided<Planned> {
        let mut memory = asked.memory();
        let standing = self.standing();
        if let Some(settled) = memory.settled.as_mut().filter(|settled| settled.holds(&standing))
            && let Some(decided) = self.again(settled, came)
        {
            return decided;
        }
        let setup = Arc::clone(&self.setup);
        let considered = self.consider(&setup, &asked.request, came);
        // What comes for the first time may never come again.
        let settles = memory.came && self.standing() == standing && rests(&setup, &considered);
        let base = settles.then(|| base_of(&setup, &considered)).flatten();
        let stands_alone = considered.answer.stands_alone;
        let decided = self.finish(&setup, considered);
        memory.came = true;
        memory.settled = settles.then(|| self.settled(asked, (base, stands_alone), &decided)).flatten();
        let Decided { planned, record, time, is_again, is_noted } = decided;
        Decided { planned: Planned::Anew(Box::new(planned)), record, time, is_again, is_noted }
    }

    fn standing(&self) -> Standing {
        let ground = Ground {
            session: self.number,
            changes: self.changes,
            writes: self.cursors.writes(),
            created: self.created.len(),
        };
        Standing { ground, reads: self.cursors.moves() + self.ticked }
    }

    fn settled(
        &self,
        asked: &Asked,
        (base, stands_alone): (Option<Box<Base>>, bool),
        decided: &Decided<Delivery>,
    ) -> Option<Settled> {
        let rendered = Rendered::of(&decided.planned, &asked.request);
        let plain = rendered.filter(|_| decided.record.faults.is_empty()).map(|rendered| Plain {
            kind: decided.record.origin.kind(),
            is_computed: !decided.record.computed.is_empty(),
            is_noted: decided.is_noted,
            record: Arc::clone(&decided.record),
            rendered: Arc::new(rendered),
        });
        (base.is_some() || plain.is_some()).then_some(())?;
        Some(Settled {
            standing: self.standing(),
            stands_alone,
            counted_at: decided.time.counted_at?,
            call: call_of(&asked.request),
            is_poll: decided.time.tick.is_some(),
            plain,
            base,
        })
    }

    /// The same decision once more, with whatever goes wrong this time; `None` if it has to be made anew.
    fn again(&mut self, settled: &mut Settled, came: Came) -> Option<Decided<Planned>> {
        let counted_at = settled.counted_at;
        let nth = self.counts.next(counted_at, settled.call);
        let setup = Arc::clone(&self.setup);
        let mut firing = Vec::new();
        if let Some(base) = &mut settled.base {
            base.turn.is_nth(nth);
            let tick = settled.is_poll.then(|| self.counts.ticks(counted_at));
            let now = Now { tick, state: base.answer.state.as_deref(), came };
            firing = self.firing(&setup, &base.turn, base.noted.is_refused, now);
            let request = &base.turn.request;
            let endpoint = base.turn.matched.as_ref().map(|matched| matched.endpoint);
            let is_another = |planned: &&PlannedFault| {
                planned.inject.work() == Work::NotDone || planned.inject.hears(request, endpoint).is_some()
            };
            if firing.iter().any(is_another) {
                return None;
            }
        }
        if !firing.is_empty() {
            return self.spoilt_again(&setup, settled, (nth, came), firing);
        }
        let plain = settled.plain.as_ref()?;
        self.sum.count(plain.kind, 0, plain.is_computed);
        let time = self.time_of(settled, nth);
        let record = Arc::clone(&plain.record);
        let (planned, is_noted) = (Planned::Again(Arc::clone(&plain.rendered)), plain.is_noted);
        Some(Decided { planned, record, time, is_again: true, is_noted })
    }

    /// Counts one more request that is answered as before.
    fn time_of(&mut self, settled: &Settled, nth: Nth) -> Time {
        let at = settled.counted_at;
        self.counts.count(at, settled.call);
        let tick = settled.is_poll.then(|| self.counts.tick(at));
        Time { nth: nth.of_resource, call: nth.call, tick, counted_at: Some(at) }
    }

    /// The same answer, with these faults put to it.
    fn spoilt_again(
        &mut self,
        setup: &Setup,
        settled: &mut Settled,
        (nth, came): (Nth, Came),
        firing: Vec<&PlannedFault>,
    ) -> Option<Decided<Planned>> {
        let time = self.time_of(settled, nth);
        let base = settled.base.as_mut()?;
        let noted = Noted { tick: time.tick, came, ..base.noted.clone() };
        let (turn, answer) = (base.turn.clone(), base.answer.clone());
        let Decided { planned, mut record, time, is_noted, .. } =
            self.finish(setup, Considered { turn, answer, firing, noted });
        let same = |(delivery, last): &&(Delivery, Arc<Record>)| {
            last.faults == record.faults && last.origin == record.origin && *delivery == planned
        };
        let last = base.last.as_ref().filter(same).map(|(_, last)| Arc::clone(last));
        let is_again = last.is_some();
        match last {
            Some(last) => record = last,
            None if is_light(setup, base.answer.index, &planned.response.body) => {
                base.last = Some((planned.clone(), Arc::clone(&record)));
            }
            None => base.last = None,
        }
        Some(Decided { planned: Planned::Anew(Box::new(planned)), record, time, is_again, is_noted })
    }
}

/// Whether an answer is the same for as long as the session stands as it stands. A timeline goes on with the polls, a clock
/// with the time, a console does as it likes, and a miss quotes what has been cleaned of what is known by now.
fn rests(setup: &Setup, considered: &Considered<'_>) -> bool {
    let noted = &considered.noted;
    let is_done = noted.work_done && noted.heard.is_none() && considered.turn.counted_at.is_some();
    let is_recorded = matches!(setup.evidence, Evidence::Cassette(_));
    let stays = |scenario: &Scenario| {
        let moves = scenario.deployment.is_some() || !scenario.path.is_empty() || scenario.clock.is_some();
        // A quota counts what is answered.
        let counts = scenario.faults.iter().any(|planned| planned.inject.quota().is_some());
        !moves && !counts && scenario.polls_per_phase.is_none() && scenario.repeats == Repeats::Last
    };
    let stays = setup.scenario.as_deref().is_none_or(stays);
    let Answer { index, response, origin, .. } = &considered.answer;
    let is_missed = matches!(origin, Origin::Miss { .. });
    is_done && is_recorded && stays && !is_missed && is_light(setup, *index, &response.body)
}

/// Whether keeping this body takes little memory: it is short, or the very memory of the recording.
fn is_light(setup: &Setup, index: Option<Index>, body: &Bytes) -> bool {
    let recorded = || match &setup.evidence {
        Evidence::Cassette(material) => material.cassette().interactions.get(index?),
        Evidence::Console(_) => None,
    };
    body.len() <= OWN_MAX || recorded().is_some_and(|it| it.response.body.as_ptr() == body.as_ptr())
}

/// What faults are put to, if any are planned.
fn base_of(setup: &Setup, considered: &Considered<'_>) -> Option<Box<Base>> {
    let changes = |planned: &PlannedFault| !planned.inject.is_identity();
    let plans = setup.scenario.as_ref().is_some_and(|scenario| scenario.faults.iter().any(changes));
    plans.then(|| {
        let Considered { turn, answer, noted, firing: _ } = considered;
        Box::new(Base { turn: turn.clone(), answer: answer.clone(), noted: noted.clone(), last: None })
    })
}
