//! A task's life cycle: which endpoints make, poll and show one task, and how it spells its states.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::facts::Code;
use crate::json::{Json, Kind};
use crate::timeline::Phase;

/// A row of `lifecycles.toml`. Endpoints are full ids, members are top-level names.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// The endpoint that polls the task.
    pub task: String,
    /// The endpoint whose answer is the new task; `None` where no creation answers with it.
    pub created_by: Option<String>,
    /// The list of the things that these tasks make, if there is one.
    pub case_list: Option<String>,
    /// The endpoint that gets one of them.
    pub case_item: Option<String>,
    /// The member with the task's id; empty where there is only one such task, and it has none.
    pub id: String,
    /// The members of a creation (in its query, form or body) that say what is asked for: no creation is answered with
    /// what another asked for. Empty where any two have the same answer but for what they name.
    pub key: Vec<String>,
    /// Endpoints that have nothing before the task has come to its end.
    pub results: Vec<Results>,
    /// The members that may hold the state, one a dialect.
    pub state: Vec<String>,
    /// The member with the id of the thing that is made.
    pub case: Option<String>,
    /// Request member and the response members that repeat it: `("name", ["name", "case_name"])`.
    pub echoes: Vec<(String, Vec<String>)>,
    /// How the API spells the states, in the file's order, and what kind of state each is.
    pub phases: Vec<(String, Phase)>,
    /// Other spellings of the members: name of the dialect, and its renames of the sample's members.
    pub dialects: Vec<(String, Vec<(String, String)>)>,
    /// Members without which a creation is refused.
    pub required: Vec<String>,
    /// The request member that names the new thing; unique.
    pub name_member: Option<String>,
    /// The longest name, in characters.
    pub name_max: usize,
    /// The request member that lists users.
    pub assignees_member: Option<String>,
    /// How many users a creation may list.
    pub assignees_max: usize,
}

/// What hangs on a task's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results {
    /// The endpoint, by full id.
    pub endpoint: String,
    /// The documented status of a request that comes too early.
    pub status: u16,
    /// Its code.
    pub code: u32,
}

impl Lifecycle {
    /// The endpoints it names.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = &str> {
        [Some(&self.task), self.created_by.as_ref(), self.case_list.as_ref(), self.case_item.as_ref()]
            .into_iter()
            .flatten()
            .chain(self.results.iter().map(|results| &results.endpoint))
            .map(String::as_str)
    }

    /// The kind of a state as the API spells it.
    pub(crate) fn phase(&self, state: &str) -> Option<Phase> {
        self.phases.iter().find(|(spelling, _)| spelling == state).map(|(_, phase)| *phase)
    }

    /// How the API spells this kind of state; the first in the file if there are several.
    pub(crate) fn spelling(&self, phase: Phase) -> Option<&str> {
        self.phases.iter().find(|(_, kind)| *kind == phase).map(|(spelling, _)| spelling.as_str())
    }

    /// The member of `task` that holds its state, and the state.
    pub(crate) fn state_of<'t>(&self, task: &'t Json<'_>) -> Option<(&str, &'t str)> {
        self.state.iter().find_map(|member| Some((member.as_str(), task.member(member)?.as_str()?)))
    }

    /// The renames of a dialect; none for `sample`, `None` for one that this task does not have.
    pub(crate) fn renames(&self, dialect: &str) -> Option<&[(String, String)]> {
        match self.dialects.iter().find(|(name, _)| name == dialect) {
            Some((_, renames)) => Some(renames),
            None => (dialect == "sample").then_some(&[]),
        }
    }

    /// The name a creation asks for.
    pub(crate) fn name_in<'b>(&self, body: &'b Json<'_>) -> Option<&'b str> {
        body.member(self.name_member.as_deref()?)?.as_str()
    }

    /// Why a creation with this body is refused (422/1005), as the message of the answer; `None` if it is not. The
    /// rules are documented, the wording is ours. Whether the name is taken is for the caller to know.
    pub(crate) fn refuses(&self, body: &Json<'_>) -> Option<String> {
        for name in &self.required {
            if body.member(name).is_none_or(Json::is_null) {
                return Some(format!("The {name} is required."));
            }
        }
        self.refuses_name(body).or_else(|| self.refuses_assignees(body))
    }

    fn refuses_name(&self, body: &Json<'_>) -> Option<String> {
        let member = self.name_member.as_deref()?;
        let value = body.member(member).filter(|value| !value.is_null())?;
        let legal = value.as_str().is_some_and(|name| {
            !name.is_empty()
                && name.chars().count() <= self.name_max
                && name.chars().all(|char| char.is_ascii_alphanumeric())
        });
        (!legal).then(|| {
            format!(
                "The {member} must have 1 to {} characters, all of them letters or digits.",
                self.name_max
            )
        })
    }

    fn refuses_assignees(&self, body: &Json<'_>) -> Option<String> {
        let member = self.assignees_member.as_deref()?;
        let value = body.member(member).filter(|value| !value.is_null())?;
        let Kind::Array(users) = value.kind() else {
            return Some(format!("The {member} must be a list of user names."));
        };
        if users.iter().any(|user| user.as_str().is_none()) {
            return Some(format!("The {member} must be a list of user names."));
        }
        (users.len() > self.assignees_max)
            .then(|| format!("The {member} can contain at most {} user name(s).", self.assignees_max))
    }

    /// The message of the 422/1005 for a name that is taken (wording of another endpoint's capture).
    pub(crate) fn name_taken(&self, name: &str) -> String {
        format!("The name {name} is already in use")
    }
}

/// `lifecycles.toml` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) complete: Vec<String>,
    #[serde(default)]
    pub(super) outside: Vec<String>,
    pub(super) versions: super::version::Versions,
    #[serde(default)]
    pub(super) vocabulary: Vocabularies,
    #[serde(default)]
    pub(super) lifecycle: Vec<Row>,
}

/// `[vocabulary.NAME]`: what many tasks have in common.
pub(super) type Vocabularies = BTreeMap<String, Vocabulary>;

/// Where tasks of one kind keep their id and state, and how they spell their states.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vocabulary {
    id: Pointer,
    state: Vec<Pointer>,
    phases: BTreeMap<Spanned<String>, Phase>,
}

/// What a file of endpoints says beside them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rows {
    #[serde(default)]
    pub(super) lifecycle: Vec<Row>,
}

/// One `[[lifecycle]]` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    task: String,
    created_by: Option<String>,
    case_list: Option<String>,
    case_item: Option<String>,
    /// The vocabulary it speaks; what it says itself goes before that.
    vocabulary: Option<String>,
    id: Option<Pointer>,
    /// There is only one such task at a time, and it has no id.
    #[serde(default)]
    single: bool,
    #[serde(default)]
    key: Vec<String>,
    #[serde(default)]
    state: Vec<Pointer>,
    #[serde(default)]
    echoes: BTreeMap<String, Vec<Pointer>>,
    case: Option<Pointer>,
    #[serde(default)]
    results: Vec<WrittenResults>,
    #[serde(default)]
    phases: BTreeMap<Spanned<String>, Phase>,
    #[serde(default)]
    dialects: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    creation: Creation,
}

/// `{ endpoint = "GET /ariel/searches/{search_id}/results", before = "404/1003" }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenResults {
    endpoint: String,
    before: Code,
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
    pub(super) fn into_lifecycle(mut self, vocabularies: &Vocabularies) -> Result<Lifecycle, String> {
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
        Ok(Lifecycle {
            task: self.task,
            created_by: self.created_by,
            case_list: self.case_list,
            case_item: self.case_item,
            id,
            key: self.key,
            results: self.results.into_iter().map(WrittenResults::into_results).collect(),
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

impl WrittenResults {
    fn into_results(self) -> Results {
        let Code(status, code) = self.before;
        Results { endpoint: self.endpoint, status, code }
    }
}

#[cfg(test)]
mod tests {
    use crate::json::Json;
    use crate::profile::Profile;
    use crate::timeline::Phase;

    const TASK: &str = "GET /forensics/case_management/case_create_tasks/{id}";

    #[test]
    fn a_creation_is_refused_for_each_rule_it_breaks() {
        let life = Profile::builtin().task_of(TASK).unwrap();
        for (body, refused) in [
            (r#"{"name":"abc","assigned_to":["ann"]}"#, false),
            (r#"{"name":"123456789012345"}"#, false),
            (r#"{"name":"abc","assigned_to":null}"#, false),
            (r#"{"assigned_to":["ann"]}"#, true),
            (r#"{"name":null}"#, true),
            (r#"{"name":""}"#, true),
            (r#"{"name":"with space"}"#, true),
            (r#"{"name":"1234567890123456"}"#, true),
            (r#"{"name":7}"#, true),
            (r#"{"name":"abc","assigned_to":["ann","bob"]}"#, true),
            (r#"{"name":"abc","assigned_to":"ann"}"#, true),
            (r#"{"name":"abc","assigned_to":[7]}"#, true),
        ] {
            assert_eq!(life.refuses(&Json::parse(body).unwrap()).is_some(), refused, "{body}");
        }
    }

    #[test]
    fn states_are_spelled_as_the_file_has_them() {
        let profile = Profile::builtin();
        let life = profile.task_of(TASK).unwrap();
        assert_eq!(life.spelling(Phase::Partial), Some("PARTIALLY_COMPLETE"));
        assert_eq!(life.phase("COMPLETE"), Some(Phase::Done));
        assert_eq!(life.phase("COMPLETED"), None);
        let recovery = profile.task_of("GET /forensics/capture/recovery_tasks/{id}").unwrap();
        assert_eq!(recovery.spelling(Phase::Working), Some("IN_PROGRESS"));
        assert_eq!(recovery.created_by, None);
    }

    #[test]
    fn both_dialects_are_known() {
        let life = Profile::builtin().task_of(TASK).unwrap();
        assert_eq!(life.renames("sample"), Some(&[][..]));
        let prose = life.renames("prose").unwrap();
        assert!(prose.contains(&("name".to_owned(), "case_name".to_owned())));
        assert!(prose.contains(&("state".to_owned(), "status".to_owned())));
        assert_eq!(life.renames("klingon"), None);
        let task = Json::parse(r#"{"id":1,"status":"WAITING"}"#).unwrap();
        assert_eq!(life.state_of(&task), Some(("status", "WAITING")));
    }
}
