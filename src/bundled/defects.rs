//! The careless client's defects: one table, a switch each.

use std::collections::BTreeSet;

use super::selector::top_level;
use super::slips::slips;
use crate::json::{Json, Kind, quote};

/// A defect that can be switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defect {
    /// The switch, as in `--defect double-api`.
    pub name: &'static str,
    /// What the client does wrong, and when.
    pub summary: &'static str,
    /// The id of the one property it breaks.
    pub property: &'static str,
    /// Whether it shows only in a client that logs in with a user and a password.
    pub needs_login: bool,
}

/// The defects that are on unless single ones are named, each meant for one property. Most have a condition, so that
/// with all of them on each is still seen.
pub const DEFECTS: [Defect; 17] = [
    Defect {
        name: ENCODES_TWICE,
        summary: "`get` percent-encodes `fields` twice when it names more than two fields",
        property: "asks-for-what-it-was-told",
        needs_login: false,
    },
    Defect {
        name: DOUBLE_API,
        summary: "`get` asks `/api/api/...` when `fields` names `assigned_to`",
        property: "right-address",
        needs_login: false,
    },
    Defect {
        name: THROUGH_FLOATS,
        summary: "numbers go through a 64-bit float: integers beyond 2^53 are rounded",
        property: "reports-what-it-got",
        needs_login: false,
    },
    Defect {
        name: ZERO_FILL,
        summary: "members that did not come are reported as 0, \"\" or []",
        property: "invents-nothing",
        needs_login: false,
    },
    Defect {
        name: STRICT_SHAPE,
        summary: "it crashes on a member it does not know",
        property: "survives-the-unrequested",
        needs_login: false,
    },
    Defect {
        name: BY_POSITION,
        summary: "`get` reads values by their place when the names stand from z to a",
        property: "selector-laws",
        needs_login: false,
    },
    Defect {
        name: ERROR_AS_DATA,
        summary: "`get` takes the body of a 5xx answer for the task",
        property: "names-the-error",
        needs_login: false,
    },
    Defect {
        name: POLLS_404,
        summary: "`wait` takes 404 for \"not yet\" and polls until it is killed",
        property: "terminates",
        needs_login: false,
    },
    Defect {
        name: PARTIAL_AS_DONE,
        summary: "`wait` and `create` report PARTIALLY_COMPLETE as done",
        property: "partial-is-usable-not-done",
        needs_login: false,
    },
    Defect {
        name: FIRST_SEEN,
        summary: "`wait` and `create` report the task as the first poll showed it",
        property: "says-what-it-heard",
        needs_login: false,
    },
    Defect {
        name: FIRST_PAGE,
        summary: "`list` stops after the first page",
        property: "pages-through",
        needs_login: false,
    },
    Defect {
        name: SMALL_NAME,
        summary: "`create` sends the name in small letters",
        property: "creates-what-it-was-told",
        needs_login: false,
    },
    Defect {
        name: POSTS_AGAIN,
        summary: "`create` sends the creation again when its answer was lost",
        property: "creates-once",
        needs_login: false,
    },
    Defect {
        name: NO_PAUSE,
        summary: "`wait` and `create` leave no pause between polls where they are told to leave 10 ms and more",
        property: "patient-not-greedy",
        needs_login: false,
    },
    Defect {
        name: PRINTS_TOKEN,
        summary: "`get` writes the head of its request to standard error when `fields` names `case_id` and `assigned_to`",
        property: "keeps-secrets",
        needs_login: false,
    },
    Defect {
        name: TRUSTS_ANYONE,
        summary: "it takes any certificate of a console",
        property: "verifies-tls",
        needs_login: false,
    },
    Defect {
        name: LOGS_OUT_EARLY,
        summary: "with a user and a password it logs out as soon as it has its session, and asks on in it",
        property: "keeps-the-session",
        needs_login: true,
    },
];

pub(super) const ENCODES_TWICE: &str = "encodes-twice";
pub(super) const DOUBLE_API: &str = "double-api";
pub(super) const THROUGH_FLOATS: &str = "through-floats";
pub(super) const ZERO_FILL: &str = "zero-fill";
pub(super) const STRICT_SHAPE: &str = "strict-shape";
pub(super) const BY_POSITION: &str = "by-position";
pub(super) const ERROR_AS_DATA: &str = "error-as-data";
pub(super) const POLLS_404: &str = "polls-404";
pub(super) const PARTIAL_AS_DONE: &str = "partial-as-done";
pub(super) const FIRST_SEEN: &str = "first-seen";
pub(super) const FIRST_PAGE: &str = "first-page";
pub(super) const SMALL_NAME: &str = "small-name";
pub(super) const POSTS_AGAIN: &str = "posts-again";
pub(super) const NO_PAUSE: &str = "no-pause";
pub(super) const PRINTS_TOKEN: &str = "prints-token";
pub(super) const LOGS_OUT_EARLY: &str = "logs-out-early";
pub(super) const TRUSTS_ANYONE: &str = "trusts-anyone";

/// Whether `list` is what `--defect` takes: names of [`DEFECTS`] with commas between, `all`, or `none`.
///
/// # Errors
/// One sentence that names the unknown defect and lists those there are.
pub(crate) fn check_defects(list: &str) -> Result<(), String> {
    Defects::parse(list).map(drop)
}

/// The defects that are on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Defects(BTreeSet<&'static str>);

impl Defects {
    pub(super) fn all() -> Self {
        Self(DEFECTS.iter().map(|defect| defect.name).collect())
    }

    pub(super) fn parse(list: &str) -> Result<Self, String> {
        match list.trim() {
            "all" => return Ok(Self::all()),
            "none" => return Ok(Self::default()),
            _ => {}
        }
        let mut on = BTreeSet::new();
        for name in list.split(',').map(str::trim) {
            let Some(defect) = DEFECTS.iter().chain(slips()).find(|defect| defect.name == name) else {
                let names: Vec<&str> = DEFECTS.iter().map(|defect| defect.name).collect();
                return Err(format!(
                    "there is no defect `{name}`: use all, none, {}, or one of docs/mutants.md",
                    names.join(", ")
                ));
            };
            on.insert(defect.name);
        }
        Ok(Self(on))
    }

    /// The task, perhaps as one reads it who goes by the place of its values.
    pub(super) fn misread(&self, task: String, fields: Option<&str>) -> String {
        let asked = top_level(fields.filter(|_| self.has(BY_POSITION)).unwrap_or_default());
        Json::parse(&task).ok().and_then(|json| by_position(&json, &asked)).unwrap_or(task)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// Members of a task, in the two spellings of the API, with the zero of their type.
const SAMPLE: [(&str, &str); 5] =
    [("assigned_to", "[]"), ("case_id", "0"), ("id", "0"), ("name", "\"\""), ("state", "\"\"")];
const PROSE: [(&str, &str); 5] =
    [("assigned_to", "[]"), ("case_id", "0"), ("case_name", "\"\""), ("id", "0"), ("status", "\"\"")];

/// The resources of an answer: the elements of a list, else itself.
fn resources<'j, 'a>(answer: &'j Json<'a>) -> &'j [Json<'a>] {
    if answer.text().starts_with('[') { answer.elements() } else { std::slice::from_ref(answer) }
}

/// The first member that none of these is, or that no task of the API has.
pub(super) fn unknown_member(answer: &Json<'_>, members: &[String]) -> Option<String> {
    let of_a_task = |name: &str| SAMPLE.iter().chain(&PROSE).any(|(each, _)| *each == name);
    let known = |name: &str| match members {
        [] => of_a_task(name),
        members => members.iter().any(|each| each == name),
    };
    let mut all = resources(answer).iter().flat_map(|each| each.members());
    all.find(|(name, _)| !known(name)).map(|(name, _)| name.to_string())
}

/// The answer with every missing member at the zero of its type: of a task, or 0 for each of these.
pub(super) fn zero_filled(answer: &Json<'_>, members: &[String]) -> String {
    let fill = |each: &Json<'_>| if members.is_empty() { filled_task(each) } else { filled(each, members) };
    let all: Vec<String> = resources(answer).iter().map(fill).collect();
    if answer.text().starts_with('[') { format!("[{}]", all.join(",")) } else { all.concat() }
}

/// The values of one resource under the names that were asked for, as they stand; `None` unless the names stand from z to a.
fn by_position(answer: &Json<'_>, asked: &[&str]) -> Option<String> {
    let is_turned = asked.len() > 1 && asked.windows(2).all(|pair| matches!(pair, [one, next] if one > next));
    let values = answer.members();
    (is_turned && values.len() == asked.len()).then(|| {
        let all =
            asked.iter().zip(values).map(|(name, (_, value))| format!("{}:{}", quote(name), value.compact()));
        format!("{{{}}}", all.collect::<Vec<_>>().join(","))
    })
}

fn filled(resource: &Json<'_>, members: &[String]) -> String {
    let missing = members.iter().filter(|name| resource.member(name).is_none());
    let missing = missing.map(|name| format!("{}:0", quote(name)));
    let there = resource.members().iter().map(|(name, value)| format!("{}:{}", quote(name), value.compact()));
    format!("{{{}}}", there.chain(missing).collect::<Vec<_>>().join(","))
}

fn filled_task(task: &Json<'_>) -> String {
    let is_prose = task.member("case_name").is_some() || task.member("status").is_some();
    let mut members: Vec<String> =
        task.members().iter().map(|(name, value)| format!("{}:{}", quote(name), value.compact())).collect();
    for (name, zero) in if is_prose { PROSE } else { SAMPLE } {
        if task.member(name).is_none() {
            members.push(format!("{}:{zero}", quote(name)));
        }
    }
    format!("{{{}}}", members.join(","))
}

/// The value with every number as a 64-bit float would print it.
pub(super) fn through_floats(value: &Json<'_>) -> String {
    match value.kind() {
        Kind::Number => match value.text().parse::<f64>() {
            Ok(number) if number.is_finite() && number.fract() == 0.0 && number.abs() < 1e21 => {
                format!("{number:.0}")
            }
            Ok(number) if number.is_finite() => format!("{number:?}"),
            _ => value.text().to_owned(),
        },
        Kind::Array(elements) => {
            format!("[{}]", elements.iter().map(through_floats).collect::<Vec<_>>().join(","))
        }
        Kind::Object(members) => {
            let members =
                members.iter().map(|(name, each)| format!("{}:{}", quote(name), through_floats(each)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Kind::Null | Kind::Bool(_) | Kind::String(_) => value.text().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_defects_is_read_or_refused_by_name() {
        assert_eq!(Defects::parse("all"), Ok(Defects::all()));
        assert_eq!(Defects::parse("none"), Ok(Defects::default()));
        let some = Defects::parse("zero-fill, double-api").unwrap();
        assert!(some.has(ZERO_FILL) && some.has(DOUBLE_API) && !some.has(POLLS_404));
        let error = check_defects("zero-fill,nope").unwrap_err();
        assert!(error.contains("`nope`") && error.contains("posts-again"), "{error}");
        assert!(check_defects("").is_err());
    }

    #[test]
    fn only_big_integers_suffer_from_floats() {
        let text = r#"{"a":42,"b":9007199254740993,"c":[1.5,null,"9007199254740993"]}"#;
        let json = Json::parse(text).unwrap();
        assert_eq!(
            through_floats(&json),
            r#"{"a":42,"b":9007199254740992,"c":[1.5,null,"9007199254740993"]}"#
        );
    }

    #[test]
    fn zeros_follow_the_dialect() {
        let sample = Json::parse(r#"{"id":1}"#).unwrap();
        assert_eq!(
            zero_filled(&sample, &[]),
            r#"{"id":1,"assigned_to":[],"case_id":0,"name":"","state":""}"#
        );
        let prose = Json::parse(r#"{"status":"WAITING","id":1}"#).unwrap();
        assert_eq!(
            zero_filled(&prose, &[]),
            r#"{"status":"WAITING","id":1,"assigned_to":[],"case_id":0,"case_name":""}"#
        );
        assert_eq!(unknown_member(&prose, &[]), None);
        assert_eq!(unknown_member(&Json::parse(r#"{"id":1,"x":2}"#).unwrap(), &[]), Some("x".to_owned()));
    }
}
