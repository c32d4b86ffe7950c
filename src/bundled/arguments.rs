//! The programs' arguments, read by hand: they are programs of their own, apart from faultdeck's command line.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::defects::Defects;
use super::session::Credential;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    Get,
    Wait,
    Create,
    /// One write.
    Send,
    /// A list, to its end.
    List,
    /// `create` between two looks at the cases: what a first recording should hold.
    Tour,
}

/// The arguments, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    /// What the program calls itself to the console; without a version, so that a recording stays as it is.
    pub(super) agent: &'static str,
    pub(super) job: Job,
    pub(super) base: String,
    /// The task's id, for `get` and `wait` without a path; else empty.
    pub(super) id: String,
    /// The path to ask first, without `/api`, in place of the one for the usual task.
    pub(super) path: Option<String>,
    /// The method of `send`.
    pub(super) method: String,
    /// The body of `send`, and of `create` with a path of its own.
    pub(super) body: Option<String>,
    /// Where what `create` makes is polled: a path without its last segment, the id.
    pub(super) polls: Option<String>,
    /// The member that holds the id of what `create` makes.
    pub(super) id_member: String,
    /// The members that the careless client's types have.
    pub(super) members: Vec<String>,
    /// The case's name, for `create`; else empty.
    pub(super) name: String,
    pub(super) fields: Option<String>,
    pub(super) credential: Credential,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) pace_ms: u64,
    pub(super) deadline_ms: u64,
    pub(super) defects: Defects,
}

const OPTIONS: [&str; 16] = [
    "--base",
    "--id",
    "--path",
    "--method",
    "--body",
    "--polls",
    "--id-member",
    "--members",
    "--name",
    "--fields",
    "--sec",
    "--user",
    "--ca-file",
    "--pace-ms",
    "--deadline-ms",
    "--defect",
];

impl Arguments {
    pub(super) fn parse(
        arguments: &[OsString],
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, String> {
        let mut words = arguments.iter();
        let is_careless = match words.next().and_then(|word| word.to_str()) {
            Some("careful") => false,
            Some("careless") => true,
            _ => return Err("name the client: careful or careless".to_owned()),
        };
        let job = match words.next().and_then(|word| word.to_str()) {
            Some("get") => Job::Get,
            Some("wait") => Job::Wait,
            Some("create") => Job::Create,
            Some("send") => Job::Send,
            Some("list") => Job::List,
            Some("tour") => Job::Tour,
            _ => return Err("name the job: get, wait, create, send, list or tour".to_owned()),
        };
        let given = Given::read(words)?;
        let id = given.text("--id")?.unwrap_or_default();
        let name = given.text("--name")?.unwrap_or_default();
        let path = given.text("--path")?;
        if path.as_deref().is_some_and(|path| !path.starts_with('/')) {
            return Err("`--path` starts with a slash, and without /api".to_owned());
        }
        match job {
            Job::Get | Job::Wait if id.is_empty() && path.is_none() => {
                return Err("`--id` is missing, or `--path`".to_owned());
            }
            Job::Send if path.is_none() => return Err("`--path` is missing".to_owned()),
            Job::Create if path.is_some() => {}
            Job::Create | Job::Tour if name.is_empty() => return Err("`--name` is missing".to_owned()),
            _ => {}
        }
        let credential = credential(&given, environment)?;
        let defects = match given.text("--defect")? {
            Some(_) if !is_careless => return Err("`--defect` is for the careless client alone".to_owned()),
            Some(list) => Defects::parse(&list)?,
            None if is_careless => Defects::all(),
            None => Defects::default(),
        };
        Ok(Self {
            agent: if is_careless { "faultdeck-careless" } else { "faultdeck-careful" },
            job,
            base: given.text("--base")?.ok_or("`--base` is missing")?,
            id,
            path,
            method: given.text("--method")?.unwrap_or_else(|| "POST".to_owned()),
            body: given.text("--body")?,
            polls: given.text("--polls")?,
            id_member: given.text("--id-member")?.unwrap_or_else(|| "id".to_owned()),
            members: given
                .text("--members")?
                .map(|list| list.split(',').map(|name| name.trim().to_owned()).collect())
                .unwrap_or_default(),
            name,
            fields: given.text("--fields")?.filter(|fields| !fields.trim().is_empty()),
            credential,
            ca_file: given
                .value("--ca-file")
                .map(OsStr::to_owned)
                .or_else(|| environment("SSL_CERT_FILE"))
                .map(PathBuf::from),
            pace_ms: given.number("--pace-ms")?.unwrap_or(1_000),
            deadline_ms: given.number("--deadline-ms")?.unwrap_or(3_000),
            defects,
        })
    }
}

/// The password of the user who is named, else the token.
fn credential(
    given: &Given<'_>,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Credential, String> {
    let from = |name: &str| environment(name).and_then(|value| value.into_string().ok());
    let sure = |value: Option<String>, missing: &str| {
        let value = value.filter(|value| !value.is_empty()).ok_or(missing)?;
        let is_odd = value.contains(char::is_control);
        if is_odd { Err("the credential holds a control character".to_owned()) } else { Ok(value) }
    };
    Ok(match given.text("--user")? {
        Some(user) => {
            let password = sure(from("PASSWORD"), "no password: set PASSWORD")?;
            Credential::Login { user, password }
        }
        None => {
            let token = given.text("--sec")?.or_else(|| from("SEC_TOKEN"));
            Credential::Token(sure(token, "no token: give --sec, or set SEC_TOKEN")?)
        }
    })
}

/// Options with their values, the last of equal ones counting.
struct Given<'a>(Vec<(&'static str, &'a OsStr)>);

impl<'a> Given<'a> {
    fn read(mut words: impl Iterator<Item = &'a OsString>) -> Result<Self, String> {
        let mut given = Vec::new();
        while let Some(word) = words.next() {
            let Some(option) = OPTIONS.iter().find(|option| word == **option) else {
                return Err(format!("unknown argument `{}`", word.to_string_lossy()));
            };
            let value = words.next().ok_or_else(|| format!("`{option}` needs a value"))?;
            given.push((*option, value.as_os_str()));
        }
        Ok(Self(given))
    }

    fn value(&self, option: &str) -> Option<&'a OsStr> {
        self.0.iter().rfind(|(each, _)| *each == option).map(|(_, value)| *value)
    }

    /// A value that goes into a request: no control character may stand in it.
    fn text(&self, option: &str) -> Result<Option<String>, String> {
        let Some(value) = self.value(option) else { return Ok(None) };
        match value.to_str() {
            Some(text) if !text.contains(char::is_control) => Ok(Some(text.to_owned())),
            _ => Err(format!("`{option}` is not a line of text")),
        }
    }

    fn number(&self, option: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.text(option)? else { return Ok(None) };
        match text.parse() {
            Ok(number) if number <= 3_600_000 => Ok(Some(number)),
            _ => Err(format!("`{option}` takes milliseconds, at most an hour")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Arguments, String> {
        let words: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
        Arguments::parse(&words, &|name| (name == "SEC_TOKEN").then(|| "canary".into()))
    }

    #[test]
    fn a_whole_call_is_read() {
        let read = parse("careless get --base http://h:1 --id 42 --fields id --defect zero-fill").unwrap();
        assert_eq!((read.job, read.id.as_str()), (Job::Get, "42"));
        assert_eq!(read.credential, Credential::Token("canary".to_owned()));
        assert!(read.defects.has("zero-fill") && !read.defects.has("double-api"));
        assert_eq!(parse("careful get --base http://h:1 --id 42").unwrap().defects, Defects::default());
        assert_eq!(parse("careless wait --base http://h:1 --id 42").unwrap().defects, Defects::all());
    }

    #[test]
    fn each_mistake_is_named() {
        for (words, word) in [
            ("", "careful or careless"),
            ("careful poll", "get, wait, create, send, list or tour"),
            ("careful get --base http://h:1", "--id"),
            ("careful create --base http://h:1", "--name"),
            ("careful get --id 1", "--base"),
            ("careful get --id 1 --base", "needs a value"),
            ("careful get --url x", "--url"),
            ("careful get --id 1 --base b --defect none", "careless client alone"),
            ("careless get --id 1 --base b --defect x", "there is no defect"),
            ("careful get --id 1 --base b --pace-ms soon", "milliseconds"),
            ("careful get --id 1 --base b --user u", "no password"),
        ] {
            let mistake = parse(words).unwrap_err();
            assert!(mistake.contains(word), "{words}: {mistake}");
        }
    }
}
