//! One session: its own ticks, cursors, creations and planned faults.
//!
//! Everything here is decided under the session's lock and without a clock, a socket or an await: time is handed in.
//! What a session remembers of its client grows with what the client asks for, up to [`HELD_MAX`]: a full session
//! goes on with what it knows, and misses anything new.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::cassette::{Index, MatchKey, MatchRules};
use crate::delivery::Delivery;
use crate::fault::{Context, Work};
use crate::fields::FieldSelector;
use crate::ledger::{FaultLine, Origin, Sum};
use crate::message::Request;
use crate::profile::{Admitted, GateOptions, Gated, Ground, OwnShapes, Taken, gate_at};
use crate::scenario::{Of, PlannedFault};
use crate::serve::Rendered;

use super::account::Answer;
use super::asked::{Asked, Settled, Standing};
use super::counts::Counts;
use super::creation::Creation;
use super::lookup::Cursors;
use super::material::{Material, carried_fields, same_request, same_version};
use super::served::{Record, Time};
use super::turn::{Turn, call_of};
use super::{Auth, Evidence, Outside, Setup, conditional};

/// Bytes of a client's own words that one session remembers: paths, queries, selectors, creations.
pub(super) const HELD_MAX: usize = 16 * 1024 * 1024;
/// What an entry costs beside its text.
pub(super) const ENTRY: usize = 200;

/// The state of one session.
pub(super) struct Session {
    pub(super) name: Arc<str>,
    pub(super) setup: Arc<Setup>,
    pub(super) console: Option<super::Console>,
    pub(super) counts: Counts,
    /// No other session has it.
    number: u64,
    /// Moves on with whatever an answer may depend on and nothing else in [`Standing`] counts.
    pub(super) changes: u64,
    /// Recordings that were served as they are: what they give away is known.
    learnt: BTreeSet<Index>,
    /// Requests that a full session did not know.
    pub(super) unknown: u32,
    pub(super) held: usize,
    first_poll: Option<Duration>,
    /// By resource of a task: the epoch of the last polls, and the tick of its first one.
    pub(super) began: BTreeMap<String, (usize, u32)>,
    /// The tasks that this session has called off, by resource.
    pub(super) called_off: BTreeSet<String>,
    pub(super) cursors: Cursors,
    /// What the cassette and the scenario say of matching.
    pub(super) rules: MatchRules,
    pub(super) created: Vec<Creation>,
    fired: BTreeMap<String, u64>,
    /// What was served so far.
    sum: Sum,
    pub(super) base: String,
}

/// What was decided for a request.
pub(super) struct Decided<P> {
    /// What is sent.
    pub(super) planned: P,
    pub(super) record: Arc<Record>,
    pub(super) time: Time,
}

/// What is sent where it may have been decided before.
pub(super) enum Planned {
    Anew(Box<Delivery>),
    /// As it was sent before.
    Again(Arc<Rendered>),
}

/// What else a ledger line says.
#[derive(Default)]
struct Noted {
    tick: Option<u32>,
    work_done: bool,
    /// The rules that the recording speaks against.
    taken: Vec<Ground>,
}

impl Session {
    pub(super) fn new(name: &str, setup: Arc<Setup>, base: String) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let console = match &setup.evidence {
            Evidence::Console(make) => Some(make()),
            Evidence::Cassette(_) => None,
        };
        let beside = match &setup.evidence {
            Evidence::Cassette(material) => material.cassette().matching.clone(),
            Evidence::Console(_) => MatchRules::default(),
        };
        let rules = setup.scenario.as_ref().map_or(beside.clone(), |scenario| beside.and(&scenario.matching));
        Self {
            name: name.into(),
            rules,
            setup,
            console,
            counts: Counts::default(),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            changes: 0,
            learnt: BTreeSet::new(),
            unknown: 0,
            held: 0,
            first_poll: None,
            began: BTreeMap::new(),
            called_off: BTreeSet::new(),
            cursors: Cursors::default(),
            created: Vec::new(),
            fired: BTreeMap::new(),
            sum: Sum::default(),
            base,
        }
    }

    /// Adds what was served so far, and how often each planned fault fired, by key.
    pub(super) fn add_to(&self, fired: &mut BTreeMap<String, u64>, sum: &mut Sum) {
        for (key, times) in &self.fired {
            *fired.entry(key.clone()).or_insert(0) += times;
        }
        *sum += self.sum;
    }

    pub(super) fn set_base(&mut self, base: &str) {
        base.clone_into(&mut self.base);
        self.changes += 1;
    }

    /// Decides a request: as the last time, if nothing has changed that its answer could depend on.
    pub(super) fn decide(&mut self, asked: &Asked, at: Duration) -> Decided<Planned> {
        let mut memory = asked.memory();
        let standing = self.standing();
        if let Some(settled) = memory.settled.as_ref().filter(|settled| settled.standing == standing) {
            return self.again(settled);
        }
        let decided = self.anew(&asked.request, at);
        // What comes for the first time may never come again.
        let settles = memory.came && self.standing() == standing;
        memory.settled = settles.then(|| self.settled(asked, &decided)).flatten();
        memory.came = true;
        let Decided { planned, record, time } = decided;
        Decided { planned: Planned::Anew(Box::new(planned)), record, time }
    }

    fn standing(&self) -> Standing {
        Standing {
            session: self.number,
            changes: self.changes,
            cursors: self.cursors.changes(),
            created: self.created.len(),
        }
    }

    /// A decision to be given again. A scenario's faults and timelines look at the count and the clock, a console at
    /// whatever it likes, and a miss quotes what has been cleaned of what is known by now.
    fn settled(&self, asked: &Asked, decided: &Decided<Delivery>) -> Option<Settled> {
        let is_recorded =
            matches!(self.setup.evidence, Evidence::Cassette(_)) && self.setup.scenario.is_none();
        if !is_recorded || matches!(decided.record.origin, Origin::Miss { .. }) {
            return None;
        }
        let mut sum = Sum::default();
        sum.count(&decided.record.origin, 0, !decided.record.computed.is_empty());
        Some(Settled {
            standing: self.standing(),
            counted_at: decided.time.counted_at?,
            call: call_of(&asked.request),
            is_poll: decided.time.tick.is_some(),
            sum,
            record: Arc::clone(&decided.record),
            rendered: Arc::new(Rendered::of(&decided.planned, &asked.request)?),
        })
    }

    /// The same decision once more.
    fn again(&mut self, settled: &Settled) -> Decided<Planned> {
        let at = settled.counted_at;
        let nth = self.counts.count(at, settled.call);
        let tick = settled.is_poll.then(|| self.counts.tick(at));
        self.sum += settled.sum;
        let record = Arc::clone(&settled.record);
        let time = Time { nth: nth.of_resource, call: nth.call, tick, counted_at: Some(at) };
        Decided { planned: Planned::Again(Arc::clone(&settled.rendered)), record, time }
    }

    /// Decides a request, in the order: occurrence, gate, tick, faults, answer.
    pub(super) fn anew(&mut self, request: &Arc<Request>, at: Duration) -> Decided<Delivery> {
        let setup = Arc::clone(&self.setup);
        let turn = self.turn(&setup, Arc::clone(request));
        if turn.counted_at.is_none() {
            let answer = self.full(&setup, &turn);
            return self.finish(
                &setup,
                turn,
                answer,
                Vec::new(),
                Noted { work_done: true, ..Noted::default() },
            );
        }
        let (gated, taken) = self.gated(&setup, &turn);
        let tick = if gated.is_refused() { None } else { self.tick(&setup, &turn, at) };
        let firing = self.firing(&setup, &turn, gated.is_refused());

        let not_done = firing.iter().any(|planned| planned.inject.work() == Work::NotDone);
        let answer = if not_done { Answer::nothing() } else { self.answer(&setup, &turn, gated, tick) };
        if tick.is_some() && !answer.rests {
            self.changes += 1;
        }
        self.finish(&setup, turn, answer, firing, Noted { tick, work_done: !not_done, taken })
    }

    /// Whether this session may remember nothing more.
    pub(super) fn is_full(&self) -> bool {
        self.held + self.cursors.held() >= HELD_MAX
    }

    /// Rungs 0 to 6: what the gate says, unless this very request was recorded; and what the recording says against it.
    fn gated<'p>(&mut self, setup: &'p Setup, turn: &Turn<'p>) -> (Passed<'p>, Vec<Ground>) {
        let Evidence::Cassette(material) = &setup.evidence else {
            return (self.gated_console(setup, turn), Vec::new());
        };
        // No rule of the API is about it: whoever asks leave for a page has no credentials yet.
        if turn.request.method == "OPTIONS" {
            return (Passed::Opaque(None), Vec::new());
        }
        let request = match turn.request.method.as_str() {
            "HEAD" => &Request { method: "GET".to_owned(), ..Request::clone(&turn.request) },
            _ => &turn.request,
        };
        let shown = material.deck().shown();
        let options = GateOptions {
            no_auth: setup.auth == Auth::Off,
            shape_of: shown,
            taken: shown.taken(),
            closed: false,
            has_pages: setup.outside == Outside::Page && !shown.has_outside(request),
        };
        let path = turn.matched.is_none().then(|| shown.path_of(request, setup.profile)).flatten();
        let (passed, waived) = match gate_at(setup.profile, request, turn.matched.clone(), &options) {
            Gated::Admitted(mut admitted) => {
                let waived = std::mem::take(&mut admitted.waived);
                let passed = match admitted.unread {
                    true => self.unread(material, turn, request),
                    false => Passed::Admitted(admitted),
                };
                (passed, waived)
            }
            // What no console could read as a selector has no other meaning than the recording's.
            Gated::Opaque { waived } => match opaque_fields(request) {
                Ok(asked) => (Passed::Opaque(asked), waived),
                Err(()) => (self.unread(material, turn, request), waived),
            },
            Gated::Answered { response, rule, source, refused, findings, .. } => {
                let answer = match self.very_same(material, turn, request, rule) {
                    Some(index) => Answer::recorded(material, index),
                    None => {
                        let origin =
                            Origin::Synthesised { rule: rule.to_owned(), source: source.as_str().to_owned() };
                        Answer { findings, ..Answer::made(response, origin) }
                    }
                };
                (Passed::Answered { answer, refused }, Vec::new())
            }
        };
        (passed, waived.into_iter().chain(path).collect())
    }

    /// A request that was taken, or may have been, and that nobody can read here: its own recording answers it, or none.
    fn unread<'p>(&mut self, material: &Material, turn: &Turn<'_>, request: &Request) -> Passed<'p> {
        match self.very_same(material, turn, request, "") {
            Some(index) => Passed::Answered { answer: Answer::recorded(material, index), refused: false },
            None => Passed::Unread,
        }
    }

    /// The recording of a request that a rule of the gate answers, if there is one.
    fn very_same(
        &mut self,
        material: &Material,
        turn: &Turn<'_>,
        request: &Request,
        rule: &str,
    ) -> Option<Index> {
        let key = MatchKey::of(request);
        let endpoint = turn.matched.as_ref().map(|found| found.endpoint);
        let slots = material.deck().under_bound(&key, &self.cursors.bindings).iter().map(|slot| slot.index);
        let same = |index: &Index| {
            let recorded = &material.cassette().interactions[*index];
            same_request(endpoint, request, &recorded.request)
                && (rule != "version" || same_version(request, &recorded.request))
                && conditional::can_answer(&recorded.response, request)
        };
        let recorded: Vec<_> = slots.filter(same).collect();
        let first = *recorded.first()?;
        let fields = carried_fields(endpoint, request).unwrap_or_default();
        let index = self.cursors.refused(&key, &fields, request.has_credentials(), &recorded);
        Some(index.unwrap_or(first))
    }

    /// A console has a gate of its own; what it is going to refuse counts as refused.
    fn gated_console<'p>(&self, setup: &'p Setup, turn: &Turn<'p>) -> Passed<'p> {
        let options = GateOptions {
            no_auth: setup.auth == Auth::Off,
            shape_of: &OwnShapes,
            taken: Taken::nothing(),
            closed: true,
            has_pages: true,
        };
        let gated = gate_at(setup.profile, &turn.request, turn.matched.clone(), &options);
        Passed::Console { refused: matches!(gated, Gated::Answered { refused: true, .. }) }
    }

    /// A tick passes with each poll that is not refused, whether or not its answer arrives.
    fn tick(&mut self, setup: &Setup, turn: &Turn<'_>, at: Duration) -> Option<u32> {
        let is_poll = turn.polls.is_some() && turn.request.method != "HEAD";
        if !is_poll {
            return None;
        }
        let first = *self.first_poll.get_or_insert(at);
        if let Some(clock) = setup.scenario.as_ref().and_then(|scenario| scenario.clock) {
            let passed = at.saturating_sub(first).as_millis() / u128::from(clock.tick_ms.max(1));
            return Some(u32::try_from(passed).unwrap_or(u32::MAX));
        }
        turn.counted_at.map(|at| self.counts.tick(at))
    }

    /// The planned faults that fire on this occurrence, in file order.
    fn firing(&self, setup: &Setup, turn: &Turn<'_>, refused: bool) -> Vec<PlannedFault> {
        let Some(scenario) = &setup.scenario else { return Vec::new() };
        if scenario.faults.is_empty() {
            return Vec::new();
        }
        let place = if turn.endpoint.is_empty() { turn.counted.as_str() } else { turn.endpoint };
        let method = if turn.request.method == "HEAD" { "GET" } else { &turn.request.method };
        let asked = format!("{method} {}", turn.request.path());
        let fires = |planned: &&PlannedFault| {
            let nth = if planned.of == Of::Endpoint { turn.nth_of_endpoint } else { turn.nth };
            (!refused || planned.inject.meets_refused())
                && planned.is_aimed_at(place, &asked)
                && planned.is_due(setup.seed, &self.name, place, &turn.counted, nth)
        };
        scenario.faults.iter().filter(fires).cloned().collect()
    }

    fn finish(
        &mut self,
        setup: &Setup,
        turn: Turn<'_>,
        answer: Answer,
        firing: Vec<PlannedFault>,
        noted: Noted,
    ) -> Decided<Delivery> {
        let missed = matches!(answer.origin, Origin::Miss { .. });
        let body = answer.response.body.clone();
        let mut delivery = Delivery::of(match missed {
            // A miss quotes the request, and clients print what they are told.
            true => setup.redactor.response(&answer.response),
            false => answer.response,
        });
        delivery.bodiless |= turn.request.method == "HEAD";
        let mut faults = Vec::new();
        let mut replaced = None;
        // What the console answers comes before what becomes of it on the way; each of these in file order.
        let is_not_done = |planned: &&PlannedFault| planned.inject.work() == Work::NotDone;
        let (at_the_console, on_the_way): (Vec<_>, Vec<_>) = firing.iter().partition(is_not_done);
        for planned in at_the_console.into_iter().chain(on_the_way).filter(|_| !missed) {
            let not_done = is_not_done(&planned);
            // The console can be out of the way only once.
            if not_done && replaced.is_some() {
                continue;
            }
            let nth = turn.nth.to_string();
            let key = [&*self.name, planned.key.as_str(), turn.endpoint, &turn.counted, &nth, "effect"];
            let lifecycle = turn.polls.or(turn.creates);
            let mut cx = Context {
                endpoint: turn.matched.as_ref().map(|matched| matched.endpoint),
                lifecycle,
                selector: None,
                stream: &mut setup.seed.stream(&key),
            };
            let Some(did) = planned.inject.inject(&mut delivery, &mut cx) else { continue };
            if not_done {
                replaced = Some(planned.inject.kind());
            }
            *self.fired.entry(planned.key.clone()).or_default() += 1;
            let name = planned.title();
            faults.push(FaultLine {
                kind: planned.inject.kind().to_owned(),
                planned: name,
                did: did.words,
                members: did.members,
            });
        }
        let is_own =
            matches!(answer.origin, Origin::Recorded(_)) && !answer.projected && answer.computed.is_empty();
        let unchanged = is_own && replaced.is_none() && body == delivery.response.body;
        let whole = answer.index.filter(|_| unchanged && faults.is_empty());
        if whole.is_none_or(|index| self.learnt.insert(index)) {
            // What the answer gives away may stand in the request as well.
            setup.redactor.learn_response(&delivery.response);
        }
        let origin = replaced.map_or(answer.origin, |kind| Origin::Fault(kind.to_owned()));
        self.sum.count(&origin, faults.len(), !answer.computed.is_empty());
        let time = Time { nth: turn.nth, call: turn.call, tick: noted.tick, counted_at: turn.counted_at };
        let record = Record {
            session: Arc::clone(&self.name),
            endpoint: turn.endpoint,
            counted: turn.counted,
            response: delivery.response.clone(),
            planned_bytes: delivery.planned_bytes(),
            state: answer.state,
            request: turn.request,
            origin,
            whole_body_of: answer.index.filter(|_| unchanged),
            projected: answer.projected,
            computed: answer.computed,
            faults,
            work_done: noted.work_done,
            findings: answer.findings,
            taken: noted.taken,
        };
        Decided { planned: delivery, record: Arc::new(record), time }
    }
}

/// What is asked of an endpoint that no profile knows: nearly all take `fields` in the query.
///
/// # Errors
/// If it is no selector.
fn opaque_fields(request: &Request) -> Result<Option<FieldSelector>, ()> {
    request.param("fields").map_or(Ok(None), |text| FieldSelector::parse(&text).map_err(|_| ()))
}

/// What became of a request at the gate.
pub(super) enum Passed<'p> {
    Answered {
        answer: Answer,
        refused: bool,
    },
    Admitted(Admitted<'p>),
    /// No profile knows the path; what it asks for.
    Opaque(Option<FieldSelector>),
    /// Nobody can say what it asks for, and it was not recorded.
    Unread,
    Console {
        refused: bool,
    },
}

impl Passed<'_> {
    fn is_refused(&self) -> bool {
        matches!(self, Self::Answered { refused: true, .. } | Self::Console { refused: true })
    }
}
