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
use crate::fault::Work;
use crate::fields::FieldSelector;
use crate::ledger::{Origin, Sum};
use crate::message::{Request, Response};
use crate::profile::{Admitted, GateOptions, Gated, Ground, OwnShapes, Taken, gate_at};
use crate::scenario::{Clock, PlannedFault};
use crate::serve::{Came, Rendered};

use super::account::Answer;
use super::counts::Counts;
use super::creation::Creation;
use super::lookup::Cursors;
use super::material::{Material, carried_fields, same_request, same_version};
use super::served::{Record, Time};
use super::spoil::{Now, Spoilt};
use super::turn::Turn;
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
    pub(super) number: u64,
    /// Moves on with whatever any answer may depend on and nothing else counts.
    pub(super) changes: u64,
    /// Moves on with each poll of a task that has not come to the end of its recording.
    pub(super) ticked: u64,
    /// Recordings that were served as they are: what they give away is known.
    learnt: BTreeSet<Index>,
    /// Requests that a full session did not know.
    pub(super) unknown: u32,
    pub(super) held: usize,
    /// When the first poll came, and how often the clock had been stepped by then.
    first_poll: Option<(Duration, u32)>,
    /// By resource of a task: the epoch of the last polls, and the tick of its first one.
    pub(super) began: BTreeMap<String, (usize, u32)>,
    /// The tasks that this session has called off, by resource.
    pub(super) called_off: BTreeSet<String>,
    pub(super) cursors: Cursors,
    /// What the cassette and the scenario say of matching.
    pub(super) rules: MatchRules,
    pub(super) created: Vec<Creation>,
    pub(super) fired: BTreeMap<String, u64>,
    /// By planned fault: the last window of its quota, and how many were answered in it.
    pub(super) quotas: BTreeMap<String, (u128, u32)>,
    /// What was served so far.
    pub(super) sum: Sum,
    pub(super) base: String,
}

/// What was decided for a request.
pub(super) struct Decided<P> {
    /// What is sent.
    pub(super) planned: P,
    pub(super) record: Arc<Record>,
    pub(super) time: Time,
    /// Whether the record is that of an earlier one.
    pub(super) is_again: bool,
    /// Whether a report names it: it is remarkable, or faults fired.
    pub(super) is_noted: bool,
}

/// What is sent where it may have been decided before.
pub(super) enum Planned {
    Anew(Box<Delivery>),
    /// As it was sent before.
    Again(Arc<Rendered>),
}

/// A request, its answer before faults, and what is about to become of it.
pub(super) struct Considered<'s> {
    pub(super) turn: Turn,
    pub(super) answer: Answer,
    pub(super) firing: Vec<&'s PlannedFault>,
    pub(super) noted: Noted,
}

/// What else is known of a decision.
#[derive(Clone, Default)]
pub(super) struct Noted {
    pub(super) tick: Option<u32>,
    pub(super) work_done: bool,
    /// Whether the gate turned it away.
    pub(super) is_refused: bool,
    /// The rules that the recording speaks against.
    pub(super) taken: Vec<Ground>,
    /// The key of the fault that had the console understand something else than was asked.
    pub(super) heard: Option<String>,
    /// When it was asked, and on which connection.
    pub(super) came: Came,
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
            ticked: 0,
            learnt: BTreeSet::new(),
            unknown: 0,
            held: 0,
            first_poll: None,
            began: BTreeMap::new(),
            called_off: BTreeSet::new(),
            cursors: Cursors::default(),
            created: Vec::new(),
            fired: BTreeMap::new(),
            quotas: BTreeMap::new(),
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

    /// Decides a request, in the order: occurrence, gate, tick, faults, answer.
    pub(super) fn anew(&mut self, request: &Arc<Request>, came: Came) -> Decided<Delivery> {
        let setup = Arc::clone(&self.setup);
        let considered = self.consider(&setup, request, came);
        self.finish(&setup, considered)
    }

    /// The decision up to what becomes of the answer.
    pub(super) fn consider<'s>(
        &mut self,
        setup: &'s Setup,
        request: &Arc<Request>,
        came: Came,
    ) -> Considered<'s> {
        let turn = self.turn(setup, Arc::clone(request));
        if turn.counted_at.is_none() {
            let answer = self.full(setup, &turn);
            let noted = Noted { work_done: true, ..Noted::default() };
            return Considered { turn, answer, firing: Vec::new(), noted };
        }
        let (gated, taken) = self.gated(setup, &turn);
        let is_refused = gated.is_refused();
        let tick = if is_refused { None } else { self.tick(setup, &turn, came.at) };
        let now = Now { tick, state: None, came };
        let firing = self.firing(setup, &turn, is_refused, now);
        let mut firing = self.beyond_quotas(firing, &[], now);

        let is_not_done = |planned: &&PlannedFault| planned.inject.work() == Work::NotDone;
        let mut heard = None;
        let mut answer = if firing.iter().any(is_not_done) {
            Answer::nothing()
        } else if let Some((key, request)) = another_request(&turn, &firing) {
            heard = Some(key.to_owned());
            let turn = Turn { request: Arc::new(request), ..turn.clone() };
            let (gated, _) = self.gated(setup, &turn);
            self.answer(setup, &turn, gated, tick)
        } else {
            self.answer(setup, &turn, gated, tick)
        };
        if answer.state.is_some() {
            let known = Now { state: answer.state.as_deref(), ..now };
            let all = self.firing(setup, &turn, is_refused, known);
            firing = self.beyond_quotas(all, &firing, known);
        }
        if let Auth::GivesSession(session) = setup.auth
            && logs_in(&turn.request)
        {
            answer.response.headers.push("Set-Cookie", format!("SEC={session}; Path=/; HttpOnly"));
        }
        let not_done = firing.iter().any(is_not_done);
        if tick.is_some() && !answer.rests {
            self.ticked += 1;
        }
        let noted = Noted { tick, work_done: !not_done, is_refused, taken, heard, came };
        Considered { turn, answer, firing, noted }
    }

    /// Whether this session may remember nothing more.
    pub(super) fn is_full(&self) -> bool {
        self.held + self.cursors.held() >= HELD_MAX
    }

    /// Rungs 0 to 6: what the gate says, unless this very request was recorded; and what the recording says against it.
    fn gated<'p>(&mut self, setup: &'p Setup, turn: &Turn) -> (Passed<'p>, Vec<Ground>) {
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
    fn unread<'p>(&mut self, material: &Material, turn: &Turn, request: &Request) -> Passed<'p> {
        match self.very_same(material, turn, request, "") {
            Some(index) => Passed::Answered { answer: Answer::recorded(material, index), refused: false },
            None => Passed::Unread,
        }
    }

    /// The recording of a request that a rule of the gate answers, if there is one.
    fn very_same(
        &mut self,
        material: &Material,
        turn: &Turn,
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
    fn gated_console<'p>(&self, setup: &'p Setup, turn: &Turn) -> Passed<'p> {
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
    fn tick(&mut self, setup: &Setup, turn: &Turn, at: Duration) -> Option<u32> {
        let is_poll = turn.polls.is_some() && turn.request.method != "HEAD";
        if !is_poll {
            return None;
        }
        let steps = setup.clock.steps();
        let (first, first_step) = *self.first_poll.get_or_insert((at, steps));
        match setup.scenario.as_ref().and_then(|scenario| scenario.clock) {
            None => {}
            Some(Clock::Every(tick_ms)) => {
                let passed = at.saturating_sub(first).as_millis() / u128::from(tick_ms.max(1));
                return Some(u32::try_from(passed).unwrap_or(u32::MAX));
            }
            Some(Clock::ByHand) => return Some(steps.saturating_sub(first_step)),
        }
        turn.counted_at.map(|at| self.counts.tick(at))
    }

    /// What becomes of the answer, and the record of it.
    pub(super) fn finish(&mut self, setup: &Setup, considered: Considered<'_>) -> Decided<Delivery> {
        let Considered { turn, answer, firing, noted } = considered;
        let missed = matches!(answer.origin, Origin::Miss { .. });
        let own = match missed {
            // A miss quotes the request, and clients print what they are told.
            true => setup.redactor.response(&answer.response),
            false => answer.response,
        };
        let firing = if missed { Vec::new() } else { firing };
        // Without a fault it stays as it is.
        let before = (!firing.is_empty()).then(|| own.clone());
        let mut delivery = Delivery::of(own);
        delivery.bodiless |= turn.request.method == "HEAD";
        let Spoilt { faults, replaced } =
            self.spoil(setup, &turn, &firing, noted.heard.as_deref(), noted.came, &mut delivery);
        let is_own =
            matches!(answer.origin, Origin::Recorded(_)) && !answer.projected && answer.computed.is_empty();
        let stands = |own: &Response| own.stands_in(&delivery.response);
        let (head_stands, body_stands) = before.as_ref().map_or((true, true), stands);
        let unchanged = is_own && replaced.is_none() && body_stands;
        let whole = answer.index.filter(|_| unchanged && head_stands);
        if whole.is_none_or(|index| self.learnt.insert(index)) {
            // What the answer gives away may stand in the request as well.
            setup.redactor.learn_response(&delivery.response);
        }
        let origin = replaced.map_or(answer.origin, |kind| Origin::Fault(kind.to_owned()));
        self.sum.count(origin.kind(), faults.len(), !answer.computed.is_empty());
        let time = Time { nth: turn.nth, call: turn.call, tick: noted.tick, counted_at: turn.counted_at };
        let record = Record {
            session: Arc::clone(&self.name),
            endpoint: turn.endpoint,
            counted: turn.counted.clone(),
            response: delivery.response.clone(),
            planned_bytes: delivery.planned_bytes(),
            state: answer.state,
            request: Arc::clone(&turn.request),
            origin,
            whole_body_of: answer.index.filter(|_| unchanged),
            projected: answer.projected,
            computed: answer.computed,
            faults,
            work_done: noted.work_done,
            findings: answer.findings,
            taken: noted.taken,
        };
        let is_noted = record.is_remarkable() || !record.faults.is_empty();
        Decided { planned: delivery, record: Arc::new(record), time, is_again: false, is_noted }
    }
}

/// Whether a request carries a user's name and password.
fn logs_in(request: &Request) -> bool {
    let is_basic = |value: &[u8]| value.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"basic "));
    request.headers.all("Authorization").any(|value| is_basic(value))
}

/// What the console understands in place of the request, and the key of the fault that has it do so.
fn another_request<'f>(turn: &Turn, firing: &[&'f PlannedFault]) -> Option<(&'f str, Request)> {
    let endpoint = turn.matched.as_ref().map(|matched| matched.endpoint);
    let hears = |planned: &&'f PlannedFault| {
        Some((planned.key.as_str(), planned.inject.hears(&turn.request, endpoint)?))
    };
    firing.iter().find_map(hears)
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
