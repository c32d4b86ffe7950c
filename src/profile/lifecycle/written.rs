//! A life cycle as a file has it, and what it lacks.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Cancel, Creator, HostSpelling, Hosts, Key, Lifecycle, Progress, Results, Total};
use crate::profile::Observation;
use crate::profile::facts::Code;
use crate::profile::version::Versions;
use crate::timeline::Phase;

/// `lifecycles.toml` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct File {
    pub(in crate::profile) complete: Vec<String>,
    #[serde(default)]
    pub(in crate::profile) outside: Vec<String>,
    pub(in crate::profile) versions: Versions,
    #[serde(default)]
    pub(in crate::profile) vocabulary: Vocabularies,
    #[serde(default)]
    pub(in crate::profile) lifecycle: Vec<Row>,
}

/// `[vocabulary.NAME]`: what many tasks have in common.
pub(in crate::profile) type Vocabularies = BTreeMap<String, Vocabulary>;

/// Where tasks of one kind keep their id and state, and how they spell their states.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct Vocabulary {
    id: Pointer,
    state: Vec<Pointer>,
    phases: BTreeMap<Spanned<String>, Phase>,
    progress: Option<WrittenProgress>,
}

/// What a file of endpoints says beside them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct Rows {
    #[serde(default)]
    pub(in crate::profile) lifecycle: Vec<Row>,
    #[serde(default)]
    pub(in crate::profile) observed: Vec<Observation>,
}

/// One `[[lifecycle]]` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct Row {
    task: String,
    #[serde(default)]
    created_by: Creators,
    case_list: Option<String>,
    case_item: Option<String>,
    /// The vocabulary it speaks; what it says itself goes before that.
    vocabulary: Option<String>,
    id: Option<Pointer>,
    /// There is only one such task at a time, and it has no id.
    #[serde(default)]
    single: bool,
    key: Option<Vec<String>>,
    #[serde(default)]
    state: Vec<Pointer>,
    #[serde(default)]
    echoes: BTreeMap<String, Vec<Pointer>>,
    case: Option<Pointer>,
    #[serde(default)]
    results: Vec<WrittenResults>,
    cancel: Option<WrittenCancel>,
    progress: Option<WrittenProgress>,
    hosts: Option<WrittenHosts>,
    #[serde(default)]
    phases: BTreeMap<Spanned<String>, Phase>,
    #[serde(default)]
    dialects: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    creation: Creation,
}

/// One creator, or a list of them.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected an endpoint, or a list of them: \"POST /a\" or { endpoint = \"POST /a\", id = \"/task_id\" }"
)]
enum Creators {
    One(WrittenCreator),
    Several(Vec<WrittenCreator>),
}

impl Default for Creators {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

/// An endpoint whose answer is the task, or one whose answer has its id under another name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum WrittenCreator {
    Task(String),
    Names { endpoint: String, id: Pointer },
}

/// `{ endpoint = "GET /ariel/searches/{search_id}/results", before = "404/1003" }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenResults {
    endpoint: String,
    before: Code,
}

/// `{ endpoint = "POST /ariel/saved_search_dependent_tasks/{task_id}", over = "409/1004" }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCancel {
    endpoint: String,
    over: Option<Code>,
}

/// `{ member = "/progress", of = 100 }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenProgress {
    member: Pointer,
    of: WrittenTotal,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a number, or the member that holds it: 100 or \"/maximum\"")]
enum WrittenTotal {
    Number(u64),
    Member(Pointer),
}

/// `{ list = "/hosts", state = ["/status"], spelling = { waiting = "INITIATING", ... } }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHosts {
    list: Pointer,
    state: Vec<Pointer>,
    spelling: HostSpelling,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Creation {
    #[serde(default)]
    required: Vec<String>,
    name: Option<String>,
    name_max: Option<usize>,
    assignees: Option<String>,
    assignees_max: Option<usize>,
}

/// `"/name"`: a JSON pointer to a top-level member. Deeper ones are refused at load.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Pointer(String);

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix('/') {
            Some(name) if !name.is_empty() && !name.contains(['/', '~']) => Ok(Self(name.to_owned())),
            _ => Err(format!("`{text}` does not point at a top-level member: write a slash and its name")),
        }
    }
}

impl Row {
    /// What the rest of the program works with.
    ///
    /// # Errors
    /// What it lacks.
    pub(in crate::profile) fn into_lifecycle(
        mut self,
        vocabularies: &Vocabularies,
    ) -> Result<Lifecycle, String> {
        if let Some(name) = &self.vocabulary {
            let Some(common) = vocabularies.get(name) else {
                let known: Vec<&str> = vocabularies.keys().map(String::as_str).collect();
                return Err(format!("there is no vocabulary `{name}`, only {}", known.join(", ")));
            };
            self.id.get_or_insert_with(|| common.id.clone());
            if self.state.is_empty() {
                self.state.clone_from(&common.state);
            }
            if self.phases.is_empty() {
                self.phases.clone_from(&common.phases);
            }
            self.progress = self.progress.or_else(|| common.progress.clone());
        }
        let task = &self.task;
        let lacks = |what: &str| format!("the life cycle of `{task}` lacks {what}");
        let id = match self.id.take() {
            Some(id) => id.0,
            None if self.single => String::new(),
            None => return Err(lacks("`id`, the member with the task's id")),
        };
        if self.state.is_empty() {
            return Err(lacks("`state`, the members that may hold the state"));
        }
        if self.phases.is_empty() {
            return Err(lacks("`phases`, its states and what kind each is"));
        }
        let names =
            |pointers: Vec<Pointer>| pointers.into_iter().map(|pointer| pointer.0).collect::<Vec<_>>();
        let mut phases: Vec<(Spanned<String>, Phase)> = self.phases.into_iter().collect();
        // A map forgets the order of the file, which says the usual spelling of a phase.
        phases.sort_by_key(|(spelling, _)| spelling.span().start);
        let key = match self.key {
            None => Key::Whole,
            Some(members) => Key::Members(members),
        };
        Ok(Lifecycle {
            task: self.task,
            creators: self.created_by.into_creators(&id),
            case_list: self.case_list,
            case_item: self.case_item,
            id,
            key,
            results: self.results.into_iter().map(WrittenResults::into_results).collect(),
            cancel: self.cancel.map(WrittenCancel::into_cancel),
            progress: self.progress.map(WrittenProgress::into_progress),
            hosts: self.hosts.map(WrittenHosts::into_hosts),
            state: names(self.state),
            case: self.case.map(|pointer| pointer.0),
            echoes: self.echoes.into_iter().map(|(member, pointers)| (member, names(pointers))).collect(),
            phases: phases.into_iter().map(|(spelling, phase)| (spelling.into_inner(), phase)).collect(),
            dialects: self
                .dialects
                .into_iter()
                .map(|(name, renames)| (name, renames.into_iter().collect()))
                .collect(),
            required: self.creation.required,
            name_member: self.creation.name,
            name_max: self.creation.name_max.unwrap_or(usize::MAX),
            assignees_member: self.creation.assignees,
            assignees_max: self.creation.assignees_max.unwrap_or(usize::MAX),
        })
    }
}

impl Creators {
    fn into_creators(self, id: &str) -> Vec<Creator> {
        let written = match self {
            Self::One(one) => vec![one],
            Self::Several(several) => several,
        };
        let creator = |one| match one {
            WrittenCreator::Task(endpoint) => Creator { endpoint, id: id.to_owned() },
            WrittenCreator::Names { endpoint, id } => Creator { endpoint, id: id.0 },
        };
        written.into_iter().map(creator).collect()
    }
}

impl WrittenResults {
    fn into_results(self) -> Results {
        let Code(status, code) = self.before;
        Results { endpoint: self.endpoint, status, code }
    }
}

impl WrittenCancel {
    fn into_cancel(self) -> Cancel {
        Cancel { endpoint: self.endpoint, over: self.over.map(|Code(status, code)| (status, code)) }
    }
}

impl WrittenProgress {
    fn into_progress(self) -> Progress {
        let of = match self.of {
            WrittenTotal::Number(number) => Total::Number(number),
            WrittenTotal::Member(member) => Total::Member(member.0),
        };
        Progress { member: self.member.0, of }
    }
}

impl WrittenHosts {
    fn into_hosts(self) -> Hosts {
        let state = self.state.into_iter().map(|pointer| pointer.0).collect();
        Hosts { list: self.list.0, state, spelling: self.spelling }
    }
}
