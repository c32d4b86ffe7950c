//! A task's life cycle: which endpoints make, poll and show one task, and how it spells its states.

mod written;

pub(super) use written::{File, Rows, Vocabularies};

use serde::Deserialize;

use crate::json::{Json, Kind};
use crate::timeline::Phase;

/// A row of `lifecycles.toml`. Endpoints are full ids, members are top-level names.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// The endpoint that polls the task.
    pub task: String,
    /// The endpoints whose answers name a new task; none where nothing answers with it.
    pub creators: Vec<Creator>,
    /// The list of the things that these tasks make, if there is one.
    pub case_list: Option<String>,
    /// The endpoint that gets one of them.
    pub case_item: Option<String>,
    /// The member with the task's id; empty where there is only one such task, and it has none.
    pub id: String,
    /// What says what a creation asks for: no creation is answered with what another asked for.
    pub key: Key,
    /// Endpoints that have nothing before the task has come to its end.
    pub results: Vec<Results>,
    /// What calls it off.
    pub cancel: Option<Cancel>,
    /// How far it is.
    pub progress: Option<Progress>,
    /// The managed hosts that it shows one by one.
    pub hosts: Option<Hosts>,
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

/// An endpoint that starts a task: by a POST, by a DELETE that takes its time, by a GET that looks for dependents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creator {
    /// The endpoint, by full id.
    pub endpoint: String,
    /// The member of its answer with the task's id.
    pub id: String,
}

/// What of a creation has to be equal, its path apart, which always has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// All of it.
    Whole,
    /// These members, in its query, its form or its body. None: any two have the same answer but for what they name.
    Members(Vec<String>),
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

/// What calls a task off: a write that puts a state called `CANCEL...` in the place of its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// The endpoint, by full id. It has the path of the task.
    pub endpoint: String,
    /// The documented status and code once the task has come to an end; `None` where the page has none.
    pub over: Option<(u16, u32)>,
}

/// How far a task is: a member that counts up to a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The member.
    pub member: String,
    /// Its value at the end.
    pub of: Total,
}

/// The whole that a progress counts up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Total {
    /// Always this.
    Number(u64),
    /// What this member of the task holds.
    Member(String),
}

/// A task's own list of managed hosts, with a state for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// The member that holds the list.
    pub list: String,
    /// The members of its elements that hold the host's state.
    pub state: Vec<String>,
    /// How the API spells each.
    pub spelling: HostSpelling,
}

/// How an API spells the states of a managed host.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSpelling {
    /// Nothing is being done yet.
    pub waiting: String,
    /// It has not finished its part.
    pub working: String,
    /// It has finished its part.
    pub done: String,
    /// It does not answer.
    pub down: String,
}

impl Lifecycle {
    /// The endpoints it names.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = &str> {
        [Some(&self.task), self.case_list.as_ref(), self.case_item.as_ref()]
            .into_iter()
            .flatten()
            .chain(self.creators.iter().map(|creator| &creator.endpoint))
            .chain(self.results.iter().map(|results| &results.endpoint))
            .chain(self.cancel.iter().map(|cancel| &cancel.endpoint))
            .map(String::as_str)
    }

    /// How this endpoint starts such a task, if it does.
    pub(crate) fn creator(&self, endpoint_id: &str) -> Option<&Creator> {
        self.creators.iter().find(|creator| creator.endpoint == endpoint_id)
    }

    /// The kind of a state as the API spells it.
    pub(crate) fn phase(&self, state: &str) -> Option<Phase> {
        self.phases.iter().find(|(spelling, _)| spelling == state).map(|(_, phase)| *phase)
    }

    /// How the API spells this kind of state; the first in the file if there are several.
    pub(crate) fn spelling(&self, phase: Phase) -> Option<&str> {
        self.phases.iter().find(|(_, kind)| *kind == phase).map(|(spelling, _)| spelling.as_str())
    }

    /// The phase of this task where it would be in `phase`: one without partial answers works on, one that never waits
    /// works at once.
    pub(crate) fn nearest(&self, phase: Phase) -> Phase {
        let has = |phase| self.spelling(phase).is_some();
        match phase {
            Phase::Partial | Phase::Waiting if !has(phase) && has(Phase::Working) => Phase::Working,
            other => other,
        }
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
        assert!(recovery.creators.is_empty());
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
