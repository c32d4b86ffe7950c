//! The tasks of one life cycle, and the cases they make.

use super::Settings;
use crate::fields::Shape;
use crate::json::{Json, quote};
use crate::profile::{Lifecycle, Profile};
use crate::seed::Stream;
use crate::timeline::{Deployment, Phase};

/// Creations are refused beyond this many cases.
const CASES_MAX: usize = 10_000;

/// The user of the cases that are there from the start.
const FIRST_USER: &str = r#"["analyst"]"#;

/// One life cycle's tasks and cases.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) life: &'static Lifecycle,
    task_shape: Vec<(String, Shape)>,
    case_shape: Vec<(String, Shape)>,
    renames: &'static [(String, String)],
    ids: Stream,
    next_task: i64,
    next_case: i64,
    tasks: Vec<Task>,
    cases: Vec<Case>,
}

#[derive(Debug)]
struct Task {
    id: i64,
    /// The place of its case.
    case: usize,
    polls: u32,
}

#[derive(Debug)]
struct Case {
    id: i64,
    /// What its creation sent: member and JSON text.
    sent: Vec<(String, String)>,
}

impl Family {
    /// The family of a life cycle; `None` for one whose tasks repeat nothing of what started them: what is made is read
    /// from that, and its task has a number.
    pub(super) fn of(
        profile: &'static Profile,
        life: &'static Lifecycle,
        settings: &Settings,
    ) -> Option<Self> {
        if life.echoes.is_empty() || life.creators.is_empty() {
            return None;
        }
        let shape = |id: &str| profile.endpoint(id).map(|endpoint| members(&endpoint.shape));
        let mut ids = settings.seed.stream(&["emulate", "ids", &life.task]);
        let (case_from, task_from) = (10 + draw(&mut ids, 90), 100 + draw(&mut ids, 900));
        let mut family = Self {
            life,
            task_shape: shape(&life.task)?,
            case_shape: life.case_item.as_deref().and_then(shape).unwrap_or_default(),
            renames: life.renames(&settings.dialect).unwrap_or_default(),
            ids,
            next_task: settings.ids_from.map_or(task_from, |from| from.saturating_add(1000)),
            next_case: settings.ids_from.unwrap_or(case_from),
            tasks: Vec::new(),
            cases: Vec::new(),
        };
        for name in &settings.cases {
            let mut sent: Vec<_> =
                life.name_member.iter().map(|member| (member.clone(), quote(name))).collect();
            sent.extend(life.assignees_member.iter().map(|member| (member.clone(), FIRST_USER.to_owned())));
            family.add_case(sent);
        }
        Some(family)
    }

    /// Whether its tasks have this dialect.
    pub(super) fn speaks(&self, dialect: &str) -> bool {
        self.life.renames(dialect).is_some()
    }

    /// Whether this endpoint is about its tasks or cases.
    pub(super) fn has(&self, endpoint: &str) -> bool {
        let life = self.life;
        life.task == endpoint
            || life.creator(endpoint).is_some()
            || [&life.case_list, &life.case_item].into_iter().any(|id| id.as_deref() == Some(endpoint))
    }

    /// The shapes that the dialect changes, by endpoint.
    pub(super) fn shapes(&self) -> Vec<(String, Shape)> {
        let shape = Shape::Object(
            self.task_shape
                .iter()
                .map(|(name, shape)| (self.renamed(name).to_owned(), shape.clone()))
                .collect(),
        );
        let creators = self.life.creators.iter().map(|creator| &creator.endpoint);
        std::iter::once(&self.life.task).chain(creators).map(|id| (id.clone(), shape.clone())).collect()
    }

    fn renamed<'n>(&self, name: &'n str) -> &'n str
    where
        Self: 'n,
    {
        self.renames.iter().find(|(from, _)| from == name).map_or(name, |(_, to)| to)
    }

    /// Whether a case of this name is there.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        let (Some(member), name) = (self.life.name_member.as_ref(), quote(name)) else { return false };
        self.cases.iter().any(|case| case.sent.iter().any(|(sent, text)| sent == member && *text == name))
    }

    /// Makes a case and its task, and gives the task's id; `None` if there are too many.
    pub(super) fn create(&mut self, body: &Json<'_>) -> Option<i64> {
        if self.cases.len() >= CASES_MAX {
            return None;
        }
        let sent = |member: &String| Some((member.clone(), sent_text(body.member(member)?)));
        let sent = self.life.echoes.iter().filter_map(|(member, _)| sent(member)).collect();
        let case = self.cases.len();
        self.add_case(sent);
        let id = self.next_task;
        self.next_task = id.saturating_add(1 + draw(&mut self.ids, 9));
        self.tasks.push(Task { id, case, polls: 0 });
        Some(id)
    }

    fn add_case(&mut self, sent: Vec<(String, String)>) {
        let id = self.next_case;
        self.next_case = id.saturating_add(1 + draw(&mut self.ids, 9));
        self.cases.push(Case { id, sent });
    }

    /// The task as this poll finds it. `counts` says whether the poll advances it.
    pub(super) fn poll(&mut self, id: i64, deployment: &Deployment, counts: Counts) -> Option<String> {
        let task = self.tasks.iter_mut().find(|task| task.id == id)?;
        let tick = task.polls;
        if counts == Counts::Yes {
            task.polls = tick.saturating_add(1);
        }
        Some(self.task(id, deployment.phase_at(tick)))
    }

    /// The task as JSON text, members in the order of the sample (of their names, in another dialect).
    pub(super) fn task(&self, id: i64, phase: Phase) -> String {
        let case = self.tasks.iter().find(|task| task.id == id).and_then(|task| self.cases.get(task.case));
        let value = |name: &str, shape: &Shape| {
            if name == self.life.id {
                return id.to_string();
            }
            if self.life.case.as_deref() == Some(name) {
                return case.map_or("null".to_owned(), |case| case.id.to_string());
            }
            if self.life.state.iter().any(|member| member == name) {
                return self.life.spelling(phase).map_or("null".to_owned(), quote);
            }
            let echo = self.life.echoes.iter().find(|(_, to)| to.iter().any(|member| member == name));
            sent(case, echo.map_or(name, |(from, _)| from), shape)
        };
        let mut members: Vec<(&str, String)> =
            self.task_shape.iter().map(|(name, shape)| (self.renamed(name), value(name, shape))).collect();
        if !self.renames.is_empty() {
            members.sort();
        }
        object(&members)
    }

    /// All cases as JSON texts, the oldest first.
    pub(super) fn cases(&self) -> Vec<String> {
        self.cases.iter().map(|case| self.case_text(case)).collect()
    }

    /// One case as JSON text.
    pub(super) fn case(&self, id: i64) -> Option<String> {
        self.cases.iter().find(|case| case.id == id).map(|case| self.case_text(case))
    }

    fn case_text(&self, case: &Case) -> String {
        let value = |name: &str, shape: &Shape| {
            if name == self.life.id { case.id.to_string() } else { sent(Some(case), name, shape) }
        };
        let members: Vec<(&str, String)> =
            self.case_shape.iter().map(|(name, shape)| (name.as_str(), value(name, shape))).collect();
        object(&members)
    }
}

/// Whether a poll advances its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// A GET.
    Yes,
    /// A HEAD.
    No,
}

fn members(shape: &Shape) -> Vec<(String, Shape)> {
    match shape.element() {
        Shape::Object(members) => members.clone(),
        _ => Vec::new(),
    }
}

fn draw(ids: &mut Stream, bound: u64) -> i64 {
    i64::try_from(ids.below(bound)).unwrap_or_default()
}

/// What was sent, without white space; strings spelled in one way, so that equal names are equal texts.
fn sent_text(value: &Json<'_>) -> String {
    value.as_str().map_or_else(|| value.compact(), quote)
}

/// What the creation sent for this member, else an empty list or null.
fn sent(case: Option<&Case>, member: &str, shape: &Shape) -> String {
    let found = case.and_then(|case| case.sent.iter().find(|(name, text)| name == member && text != "null"));
    match (found, shape) {
        (Some((_, text)), _) => text.clone(),
        (None, Shape::List(_)) => "[]".to_owned(),
        (None, _) => "null".to_owned(),
    }
}

fn object(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, text)| format!("{}:{text}", quote(name))).collect();
    format!("{{{}}}", members.join(","))
}
