//! `clients/NAME.toml`: how to start and read a program under test.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{self, SeqAccess, Visitor};
use toml::Spanned;

use super::jobs::{self, Asks, RawJobs};
use super::placeholder::{Misplaced, Template};
use super::{Claims, JobKind, OnPartial, Outcome, Resting};
use crate::scenario::{Diagnostic, Mistakes};

/// The dialects a client file may name.
const DIALECTS: [&str; 2] = ["sample", "prose"];

/// The longest time a job may be given: ten minutes.
const TIMEOUT_MAX_MS: u64 = 600_000;

/// The time a job has if the file does not say: five seconds.
const TIMEOUT_MS: u64 = 5_000;

/// Why a client cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file is wrong.
    #[error(transparent)]
    Invalid(#[from] Mistakes),
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No file and no embedded client has that name.
    #[error("no client `{name}`")]
    NoSuch {
        /// The name asked for.
        name: String,
        /// Names there are.
        known: Vec<String>,
    },
}

/// A client file, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFile {
    /// The file's stem.
    pub name: String,
    /// One line about the client.
    pub summary: String,
    /// What it can do.
    pub jobs: Vec<JobKind>,
    /// The dialects it knows; `sample` if the file does not say.
    pub dialects: Vec<String>,
    /// Milliseconds it has for one job.
    pub timeout_ms: u64,
    /// What it writes on standard output.
    pub stdout: Stdout,
    /// What its exit codes mean.
    pub exit: ExitMap,
    /// What it says of itself.
    pub claims: Claims,
    pub(super) asks: Vec<Asks>,
    pub(super) argv: Vec<Argument>,
    pub(super) env: Vec<(String, Template)>,
}

/// What a program writes on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stdout {
    /// One line of JSON that says what came of the job.
    #[default]
    Outcome,
    /// The resource itself and nothing else; its exit code says how it stands.
    Resource,
}

/// What an exit code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExitWord {
    /// A task was reported, and stands so.
    Task(Resting),
    /// There is no such task.
    NotFound,
    /// The console failed.
    ServerError,
    /// The console refused.
    Rejected,
    /// Stopped on purpose.
    GaveUp,
    /// Anything else.
    Error,
}

impl ExitWord {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Task(Resting::Done), "done"),
        (Self::Task(Resting::Usable), "usable"),
        (Self::Task(Resting::Pending), "pending"),
        (Self::Task(Resting::Failed), "failed"),
        (Self::NotFound, "not_found"),
        (Self::ServerError, "server_error"),
        (Self::Rejected, "rejected"),
        (Self::GaveUp, "gave_up"),
        (Self::Error, "error"),
    ];

    /// As it is written in an exit map.
    pub(super) fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(word, _)| *word == self).map_or("error", |(_, text)| text)
    }

    /// The word an exact spelling names.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, each)| *each == text).map(|(word, _)| *word)
    }

    /// The word for an outcome; what is seen from outside is an error.
    pub(super) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Task { standing, .. } => Self::Task(*standing),
            Outcome::NotFound { .. } => Self::NotFound,
            Outcome::ServerError { .. } => Self::ServerError,
            Outcome::Rejected { .. } => Self::Rejected,
            Outcome::GaveUp => Self::GaveUp,
            _ => Self::Error,
        }
    }

    /// The outcome it stands for alone; none for a task, which needs one to report.
    pub(super) fn bare(self) -> Option<Outcome> {
        match self {
            Self::Task(_) => None,
            Self::NotFound => Some(Outcome::NotFound { code: None }),
            Self::ServerError => Some(Outcome::ServerError { code: None }),
            Self::Rejected => Some(Outcome::Rejected { code: None }),
            Self::GaveUp => Some(Outcome::GaveUp),
            Self::Error => Some(Outcome::Error { text: "its exit code says `error`".to_owned() }),
        }
    }
}

/// What exit codes mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExitMap(pub(super) BTreeMap<i32, ExitWord>);

impl ExitMap {
    /// What a code means, if anything.
    pub(super) fn get(&self, code: i32) -> Option<ExitWord> {
        self.0.get(&code).copied()
    }

    /// Whether it names no code.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One element of `argv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// Always given.
    Bare(Template),
    /// Given whole, or left out whole if one of its placeholders has no value.
    Together(Vec<Template>),
}

impl ClientFile {
    /// Reads a client file. `name` is its stem, `file` how messages call it.
    ///
    /// # Errors
    /// A diagnostic with the place of the first mistake and what to write instead.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Self, ClientError> {
        let source = Source { file, text };
        let raw: RawFile = toml::from_str(text).map_err(|error| source.of_toml(&error))?;
        let exec = raw.exec;
        let asks = jobs::checked(&raw.jobs)
            .map_err(|wrong| source.wrong(wrong.at, &wrong.message, "here", Some(wrong.help)))?;
        let (argv, env) = (source.argv(&exec.argv, &asks)?, source.env(&exec.env, &asks)?);
        let exit = source.exit(&exec.exit)?;
        let stdout = exec.stdout.as_ref().map_or_else(Stdout::default, |stdout| *stdout.get_ref());
        if let Some(at) = exec.stdout.as_ref().filter(|_| stdout == Stdout::Resource && exit.is_empty()) {
            return Err(source.wrong(
                at.span(),
                "a client that prints the resource needs an exit map",
                "its exit code has to say the rest",
                Some("add `exit = { 0 = \"done\", 4 = \"not_found\" }` below [exec]".to_owned()),
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            summary: raw.summary,
            jobs: asks.iter().map(|asks| asks.job).collect(),
            dialects: source.dialects(raw.dialects.as_ref())?,
            timeout_ms: source.timeout(exec.timeout_ms.as_ref())?,
            stdout,
            exit,
            claims: raw.claims.unwrap_or_default().claims(),
            asks,
            argv,
            env,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    summary: String,
    jobs: Spanned<RawJobs>,
    dialects: Option<Spanned<Vec<Spanned<String>>>>,
    exec: RawExec,
    claims: Option<RawClaims>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExec {
    argv: Spanned<Vec<Spanned<RawArgument>>>,
    #[serde(default)]
    env: BTreeMap<String, Spanned<String>>,
    timeout_ms: Option<Spanned<u64>>,
    stdout: Option<Spanned<Stdout>>,
    #[serde(default)]
    exit: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClaims {
    on_partial: Option<RawOnPartial>,
    #[serde(default)]
    sends_version: bool,
    retries: Option<RawRetries>,
    gives_up_after_ms: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawOnPartial {
    Waits,
    Leaves,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRetries {
    max: u32,
    #[serde(default)]
    on: Vec<u16>,
}

impl RawClaims {
    fn claims(self) -> Claims {
        let (retries_max, retries_on) =
            self.retries.map_or_else(Default::default, |each| (each.max, each.on));
        Claims {
            on_partial: match self.on_partial {
                Some(RawOnPartial::Leaves) => OnPartial::Leaves,
                Some(RawOnPartial::Waits) | None => OnPartial::Waits,
            },
            sends_version: self.sends_version,
            retries_max,
            retries_on,
            gives_up_after_ms: self.gives_up_after_ms,
        }
    }
}

/// A string, or an array of strings. Written by hand: an untagged enum would lose the place of a mistake.
enum RawArgument {
    Bare(String),
    Together(Vec<String>),
}

impl<'de> Deserialize<'de> for RawArgument {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = RawArgument;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or an array of strings that belong together")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawArgument, E> {
                Ok(RawArgument::Bare(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<RawArgument, A::Error> {
                let mut together = Vec::new();
                while let Some(part) = parts.next_element()? {
                    together.push(part);
                }
                Ok(RawArgument::Together(together))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The text being read, for diagnostics.
struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn wrong(&self, at: Range<usize>, message: &str, label: &str, help: Option<String>) -> ClientError {
        ClientError::Invalid(Mistakes::from(Diagnostic {
            file: self.file.to_owned(),
            text: self.text.to_owned(),
            message: message.to_owned(),
            at,
            label: label.to_owned(),
            help,
        }))
    }

    fn of_toml(&self, error: &toml::de::Error) -> ClientError {
        self.wrong(error.span().unwrap_or(0..0), error.message(), "here", None)
    }

    fn of_template(&self, at: Range<usize>, wrong: Misplaced) -> ClientError {
        self.wrong(at, &wrong.message, "in this text", Some(wrong.help))
    }

    fn argv(
        &self,
        raw: &Spanned<Vec<Spanned<RawArgument>>>,
        asks: &[Asks],
    ) -> Result<Vec<Argument>, ClientError> {
        let mut argv = Vec::new();
        for argument in raw.get_ref() {
            let at = argument.span();
            let template =
                |text: &str| Template::parse(text, asks).map_err(|wrong| self.of_template(at.clone(), wrong));
            match argument.get_ref() {
                RawArgument::Bare(text) => {
                    let template = template(text)?;
                    if let Some(hole) = template.may_lack() {
                        let message = format!("`{{{}}}` has no value in some jobs", hole.name());
                        let help = format!("put it in an array, which is then left out whole: [{text:?}]");
                        return Err(self.wrong(at, &message, "this argument is always given", Some(help)));
                    }
                    argv.push(Argument::Bare(template));
                }
                RawArgument::Together(texts) => {
                    argv.push(Argument::Together(
                        texts.iter().map(|text| template(text)).collect::<Result<_, _>>()?,
                    ));
                }
            }
        }
        if matches!(argv.first(), Some(Argument::Bare(_))) {
            return Ok(argv);
        }
        let help = "write the program first: argv = [\"./poller\", \"--url\", \"{base_url}\"]".to_owned();
        Err(self.wrong(raw.span(), "`argv` does not start with a program", "here", Some(help)))
    }

    fn env(
        &self,
        raw: &BTreeMap<String, Spanned<String>>,
        asks: &[Asks],
    ) -> Result<Vec<(String, Template)>, ClientError> {
        let mut env = Vec::new();
        for (name, text) in raw {
            if name.is_empty() || name.contains(['=', '\0']) {
                let message = format!("`{name}` cannot be the name of an environment variable");
                return Err(self.wrong(text.span(), &message, "the value of that name", None));
            }
            let template = Template::parse(text.get_ref(), asks)
                .map_err(|wrong| self.of_template(text.span(), wrong))?;
            env.push((name.clone(), template));
        }
        Ok(env)
    }

    fn exit(&self, raw: &BTreeMap<Spanned<String>, Spanned<String>>) -> Result<ExitMap, ClientError> {
        let mut exit = BTreeMap::new();
        for (code, word) in raw {
            let Ok(number) = code.get_ref().parse::<u8>() else {
                let message = format!("`{}` is not an exit code", code.get_ref());
                return Err(self.wrong(code.span(), &message, "use 0 to 255", None));
            };
            let Some(meaning) = ExitWord::parse(word.get_ref()) else {
                let message = format!("an exit code cannot mean `{}`", word.get_ref());
                let words: Vec<&str> = ExitWord::ALL.iter().map(|(_, text)| *text).collect();
                return Err(self.wrong(
                    word.span(),
                    &message,
                    "unknown",
                    Some(format!("use {}", words.join(", "))),
                ));
            };
            exit.insert(i32::from(number), meaning);
        }
        Ok(ExitMap(exit))
    }

    fn dialects(&self, raw: Option<&Spanned<Vec<Spanned<String>>>>) -> Result<Vec<String>, ClientError> {
        let Some(raw) = raw else { return Ok(vec![DIALECTS[0].to_owned()]) };
        let mut dialects: Vec<String> = Vec::new();
        for dialect in raw.get_ref() {
            let name = dialect.get_ref();
            if !DIALECTS.contains(&name.as_str()) {
                let message = format!("there is no dialect `{name}`");
                let help = format!("use {}", DIALECTS.join(" or "));
                return Err(self.wrong(dialect.span(), &message, "unknown", Some(help)));
            }
            if !dialects.contains(name) {
                dialects.push(name.clone());
            }
        }
        if dialects.is_empty() {
            let help = "leave the line out for `sample`".to_owned();
            return Err(self.wrong(raw.span(), "no dialect is named", "here", Some(help)));
        }
        Ok(dialects)
    }

    fn timeout(&self, raw: Option<&Spanned<u64>>) -> Result<u64, ClientError> {
        match raw {
            None => Ok(TIMEOUT_MS),
            Some(value) if (1..=TIMEOUT_MAX_MS).contains(value.get_ref()) => Ok(*value.get_ref()),
            Some(value) => {
                let message = format!("a job cannot be given {} ms", value.get_ref());
                let help = format!("use 1 to {TIMEOUT_MAX_MS}");
                Err(self.wrong(value.span(), &message, "out of range", Some(help)))
            }
        }
    }
}
