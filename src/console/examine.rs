//! Puts a console to a plan: looks at every place, tests it round by round, confirms and shrinks what departs.
//!
//! Data may change between two requests. What is compared with the whole is asked between two plain requests that gave
//! the same; if they did not, it is asked again, up to a limit, and then says nothing.

use super::check::{Check, Departure, Finding};
use super::law::{self, Drawn, Ground, ROWS, Row, answers};
use super::place::{Filled, Lists, Place, fill, parameters};
use super::plan::{Plan, Progress, Tell};
use super::question::{Answer, Question};
use super::rule::{self, Rule};
use super::talk::{Came, Stop, Talk};
use super::tally::{Departed, Examined, Tally};
use super::whole::{WINDOW, Whole};
use crate::json::Json;
use crate::profile::{Endpoint, Profile};
use crate::record::Asking;

/// How often something is asked between two plain requests until those are the same.
const STEADY_TRIES: u32 = 6;
/// How often a departure is seen again before it counts.
const CONFIRMED: u32 = 2;
/// Tests that one departure may cost while it is made smaller.
const SHRINK_TESTS_MAX: u32 = 24;
/// Lists read for the ids of one path.
const LISTS_MAX: u32 = 8;

/// An examination while it goes on. What was found so far stands, however it ends.
#[derive(Debug)]
pub struct Examination<'p> {
    plan: &'p Plan,
    talk: Talk,
    tally: Tally,
    lists: Lists,
    version: Option<String>,
    stopped: Option<Stop>,
}

/// What a test showed.
type Found = Vec<(&'static Rule, Finding)>;

/// A test's questions and what came of them.
struct Shown {
    questions: Vec<Question>,
    answers: Vec<Answer>,
    found: Found,
}

impl<'p> Examination<'p> {
    /// Puts the console that `asking` asks to `plan`.
    pub fn new(plan: &'p Plan, asking: Asking) -> Self {
        let talk = Talk::new(asking, plan);
        let (tally, lists) = (Tally::default(), Lists::new());
        Self { plan, talk, tally, lists, version: None, stopped: Some(Stop::Interrupted) }
    }

    /// Asks all there is to ask, or until a limit is reached.
    pub async fn run(&mut self, tell: Tell<'_>) {
        self.stopped = self.all(tell).await.err();
    }

    /// What was found so far. An examination that was not run to its end says so.
    pub fn finish(&self) -> Examined {
        let examined = self.tally.examined(self.plan, self.stopped.as_ref());
        Examined { sent: self.talk.sent, version: self.version.clone(), ..examined }
    }

    async fn all(&mut self, tell: Tell<'_>) -> Result<(), Stop> {
        self.find_version(tell).await?;
        for check in law::once() {
            self.put("", &mut None, &law::anywhere(), &check, tell).await?;
        }
        let mut places = self.look(tell).await?;
        let rounds = rounds(self.plan.cases);
        for (done, (row, case)) in rounds.iter().enumerate() {
            for place in &mut places {
                self.round(place, row, *case, tell).await?;
            }
            tell(Progress::Round { done: done + 1, of: rounds.len() });
        }
        Ok(())
    }

    /// The version to send: the one that the profiles describe, if the console says that it has it.
    async fn find_version(&mut self, tell: Tell<'_>) -> Result<(), Stop> {
        let Came::Answer(answer) = self.talk.ask(&law::anywhere(), tell).await? else { return Ok(()) };
        let described = Profile::builtin().versions.described.to_string();
        let json = answer.json().filter(|_| answer.is_success());
        let is_there = |version: &Json<'_>| {
            let is_removed = version.member("removed").is_some_and(|removed| removed.text() == "true");
            version.member("version").and_then(Json::as_str) == Some(&described) && !is_removed
        };
        let found = json.is_some_and(|json| json.elements().iter().any(is_there));
        self.version = found.then_some(described);
        tell(Progress::Version(self.version.clone()));
        Ok(())
    }

    /// The plain request for an endpoint at a path.
    fn base(&self, endpoint: &Endpoint, path: &str) -> Question {
        let mut base = Question::get(path).header("Accept", "application/json");
        if let Some(version) = &self.version {
            base = base.header("Version", version);
        }
        match endpoint.is_list && endpoint.takes_range() {
            true => base.header("Range", &format!("items=0-{}", WINDOW - 1)),
            false => base,
        }
    }

    /// Asks every endpoint plainly: those without parameters first, whose lists have the ids of the others.
    async fn look(&mut self, tell: Tell<'_>) -> Result<Vec<Place>, Stop> {
        let mut paths: Vec<(&'static Endpoint, Option<String>)> = Vec::new();
        for resource in &self.plan.resources {
            if let Some(matched) = Profile::builtin().find("GET", resource) {
                paths.push((matched.endpoint, Some(resource.clone())));
            }
        }
        let named = |endpoint: &Endpoint| paths.iter().any(|(it, _)| it.id == endpoint.id);
        let rest: Vec<_> =
            self.plan.endpoints.iter().filter(|it| !named(it)).map(|endpoint| (*endpoint, None)).collect();
        paths.extend(rest);
        paths.sort_by_key(|(endpoint, _)| parameters(&endpoint.template));
        let (of, mut there) = (paths.len(), 0);
        let mut places = Vec::new();
        for (asked, (endpoint, path)) in paths.into_iter().enumerate() {
            let place = self.place(endpoint, path, tell).await?;
            there += usize::from(place.whole.is_some());
            places.push(place);
            tell(Progress::Looked { asked: asked + 1, of, there });
        }
        Ok(places)
    }

    async fn place(
        &mut self,
        endpoint: &'static Endpoint,
        path: Option<String>,
        tell: Tell<'_>,
    ) -> Result<Place, Stop> {
        let mut unknown = None;
        let path = match path {
            Some(path) => path,
            None => match self.filled(&endpoint.template, tell).await? {
                Ok(path) => path,
                Err((path, why)) => {
                    unknown = Some(why);
                    path
                }
            },
        };
        let base = self.base(endpoint, &path);
        let needed = law::needed(endpoint)
            .map(|parameter| format!("it needs `{}`, which nobody named", parameter.name));
        if let Some(why) = unknown.or(needed) {
            self.tally.take(&endpoint.id, &rule::STATUS, Finding::NotReached(why), None);
            return Ok(Place { endpoint, base, whole: None });
        }
        let whole = match self.lists.get(&path) {
            Some(whole) => whole.clone(),
            None => self.read(endpoint, &base, tell).await?,
        };
        if endpoint.is_list {
            self.lists.insert(path, whole.clone());
        }
        Ok(Place { endpoint, base, whole })
    }

    /// The path of a template, with ids out of lists that are read where need be; else one with made-up ids, and why.
    async fn filled(
        &mut self,
        template: &str,
        tell: Tell<'_>,
    ) -> Result<Result<String, (String, String)>, Stop> {
        for _ in 0..LISTS_MAX {
            match fill(Profile::builtin(), template, &self.lists) {
                Filled::Path(path) => return Ok(Ok(path)),
                Filled::Unknown(path, why) => return Ok(Err((path, why))),
                Filled::Needs(list, path) => {
                    let base = self.base(list, &path);
                    let whole = match law::needed(list) {
                        Some(_) => None,
                        None => self.plainly(list, &base, tell).await?.0,
                    };
                    self.lists.insert(path, whole);
                }
            }
        }
        Ok(Err((format!("/api{template}"), "too many lists stand before it".to_owned())))
    }

    /// The plain answer of a place, and what it says of its page.
    async fn read(
        &mut self,
        endpoint: &'static Endpoint,
        base: &Question,
        tell: Tell<'_>,
    ) -> Result<Option<Whole>, Stop> {
        let (whole, came) = self.plainly(endpoint, base, tell).await?;
        match came {
            Came::Answer(answer) => {
                let shown = Shown {
                    questions: vec![base.clone()],
                    found: answers::plain(endpoint, &answer),
                    answers: vec![answer],
                };
                self.take_along(&endpoint.id, "the plain request", shown, tell);
            }
            Came::Nothing(why) => {
                self.tally.take(&endpoint.id, &rule::STATUS, Finding::Unclear(why), None);
            }
        }
        Ok(whole)
    }

    async fn plainly(
        &mut self,
        endpoint: &'static Endpoint,
        base: &Question,
        tell: Tell<'_>,
    ) -> Result<(Option<Whole>, Came), Stop> {
        let came = self.talk.ask(base, tell).await?;
        let is_window = base.headers.iter().any(|(name, _)| name == "Range");
        let whole = match &came {
            Came::Answer(answer) => Whole::of(answer, is_window).filter(|it| it.is_list == endpoint.is_list),
            Came::Nothing(_) => None,
        };
        if let Came::Answer(answer) = &came {
            self.along(Some(endpoint), base, answer, tell);
        }
        Ok((whole, came))
    }

    /// One kind of test at one place.
    async fn round(&mut self, place: &mut Place, row: &Row, case: u32, tell: Tell<'_>) -> Result<(), Stop> {
        let id = place.endpoint.id.as_str();
        if row.rules.iter().all(|rule| self.tally.departs(id, rule)) {
            return Ok(());
        }
        let first = row.rules.first().map_or("", |rule| rule.id);
        let mut stream = self.plan.seed.stream(&["console", id, &place.base.path, first, &case.to_string()]);
        let ground = Ground { endpoint: place.endpoint, whole: place.whole.as_ref(), base: &place.base };
        match (row.draw)(&ground, &mut stream) {
            Drawn::Check(check) => {
                let base = place.base.clone();
                self.put(id, &mut Some(place), &base, check.as_ref(), tell).await
            }
            // A place that is not there has said why already.
            Drawn::NotReached(why) if place.whole.is_some() => {
                for rule in row.rules.iter().take(1) {
                    self.tally.take(id, rule, Finding::NotReached(why.to_owned()), None);
                }
                Ok(())
            }
            Drawn::NotReached(_) | Drawn::NotApplicable => Ok(()),
        }
    }

    /// Puts a test to a place, and makes what departs smaller and sure.
    async fn put(
        &mut self,
        endpoint: &str,
        place: &mut Option<&mut Place>,
        base: &Question,
        check: &dyn Check,
        tell: Tell<'_>,
    ) -> Result<(), Stop> {
        let Shown { questions, answers, found } = self.test(place, base, check, tell).await?;
        for (question, answer) in questions.iter().zip(&answers) {
            self.along(place.as_ref().map(|place| place.endpoint), question, answer, tell);
        }
        for (rule, finding) in found {
            let answer = answers.last();
            let departs = matches!(finding, Finding::Departs(_));
            self.tally.take(endpoint, rule, finding, answer);
            if departs && !self.tally.departs(endpoint, rule) {
                tell(Progress::Departs { rule: rule.id, endpoint: endpoint.to_owned() });
                match self.smallest(place, base, check, rule, tell).await? {
                    Some(departed) => self.tally.depart(endpoint, rule, departed),
                    None => {
                        let why = "what departed once did not when it was asked again".to_owned();
                        self.tally.take(endpoint, rule, Finding::Unclear(why), None);
                    }
                }
            }
        }
        Ok(())
    }

    /// The smallest test that departs from this rule, seen again as often as is needed; `None` if it is not.
    async fn smallest(
        &mut self,
        place: &mut Option<&mut Place>,
        base: &Question,
        check: &dyn Check,
        rule: &'static Rule,
        tell: Tell<'_>,
    ) -> Result<Option<Departed>, Stop> {
        let mut smallest: Option<Box<dyn Check>> = None;
        let mut open = check.smaller();
        let mut left = SHRINK_TESTS_MAX;
        while !open.is_empty() && left > 0 {
            let candidate = open.remove(0);
            left -= 1;
            let shown = self.test(place, base, candidate.as_ref(), tell).await?;
            if shown.departure(rule).is_some() {
                open = candidate.smaller();
                smallest = Some(candidate);
            }
        }
        let check = smallest.as_deref().unwrap_or(check);
        let mut last = None;
        for _ in 0..CONFIRMED {
            let shown = self.test(place, base, check, tell).await?;
            let Some(departure) = shown.departure(rule) else { return Ok(None) };
            let answer = shown.answers.get(departure.at).cloned();
            last = Some(Departed { case: check.case(), departure, questions: shown.questions, answer });
        }
        Ok(last)
    }

    /// Asks a test's questions; between two plain requests that gave the same, if it compares with those.
    async fn test(
        &mut self,
        place: &mut Option<&mut Place>,
        base: &Question,
        check: &dyn Check,
        tell: Tell<'_>,
    ) -> Result<Shown, Stop> {
        let questions = check.questions(base);
        for _ in 0..STEADY_TRIES {
            let answers = match self.answers(&questions, tell).await? {
                Ok(answers) => answers,
                Err(why) => return Ok(unclear(check, questions, why)),
            };
            let Some(place) = place.as_mut().filter(|_| check.compares()) else {
                let found = check.judge(None, &answers);
                return Ok(Shown { questions, answers, found });
            };
            let before = place.whole.take();
            let (after, _) = self.plainly(place.endpoint, base, tell).await?;
            place.whole = after;
            if let (Some(before), Some(after)) = (before, &place.whole)
                && before.same(after)
            {
                let found = check.judge(Some(after), &answers);
                return Ok(Shown { questions, answers, found });
            }
        }
        let why = "the data changed with every request".to_owned();
        Ok(unclear(check, questions, why))
    }

    async fn answers(
        &mut self,
        questions: &[Question],
        tell: Tell<'_>,
    ) -> Result<Result<Vec<Answer>, String>, Stop> {
        let mut answers = Vec::new();
        for question in questions {
            match self.talk.ask(question, tell).await? {
                Came::Answer(answer) => answers.push(answer),
                Came::Nothing(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(answers))
    }

    /// What any answer says of the rules about all answers. A departure here needs no confirming: it stands in the answer.
    fn along(
        &mut self,
        endpoint: Option<&'static Endpoint>,
        question: &Question,
        answer: &Answer,
        tell: Tell<'_>,
    ) {
        let found = answers::along(endpoint, question, answer);
        let id = endpoint.map_or("", |endpoint| endpoint.id.as_str());
        let shown = Shown { questions: vec![question.clone()], answers: vec![answer.clone()], found };
        self.take_along(id, &question.target(), shown, tell);
    }

    fn take_along(&mut self, id: &str, case: &str, shown: Shown, tell: Tell<'_>) {
        for (rule, finding) in shown.found {
            if let Finding::Departs(departure) = &finding
                && !self.tally.departs(id, rule)
            {
                tell(Progress::Departs { rule: rule.id, endpoint: id.to_owned() });
                let departed = Departed {
                    case: case.to_owned(),
                    departure: departure.clone(),
                    questions: shown.questions.clone(),
                    answer: shown.answers.first().cloned(),
                };
                self.tally.depart(id, rule, departed);
            }
            self.tally.take(id, rule, finding, shown.answers.first());
        }
    }
}

impl Shown {
    fn departure(&self, rule: &Rule) -> Option<Departure> {
        self.found.iter().find_map(|(found, finding)| match finding {
            Finding::Departs(departure) if found.id == rule.id => Some(departure.clone()),
            _ => None,
        })
    }
}

/// Nothing is known of the rule that this was a test of.
fn unclear(check: &dyn Check, questions: Vec<Question>, why: String) -> Shown {
    let found = vec![(check.rule(), Finding::Unclear(why))];
    Shown { questions, answers: Vec::new(), found }
}

/// The rounds in their order: first each kind of test once, then those that are drawn anew.
fn rounds(cases: u32) -> Vec<(&'static Row, u32)> {
    let mut rounds = Vec::new();
    for case in 0..cases.max(1) {
        rounds.extend(ROWS.iter().filter(|row| row.generated || case == 0).map(|row| (row, case)));
    }
    rounds
}
