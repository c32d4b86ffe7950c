//! Reads a client file from its text: all that is wrong in it is told at once.

use super::file::{Argument, ClientError, ClientFile, ExitMap, ExitWord, Stdout};
use super::jobs::{self, Asks};
use super::placeholder::{Misplaced, Template};
use super::{Claims, OnPartial};
use crate::written::read::{Entry, Noted, Read, Table, Text, every};

const KEYS: [&str; 5] = ["summary", "jobs", "dialects", "exec", "claims"];
const EXEC_KEYS: [&str; 5] = ["argv", "env", "timeout_ms", "stdout", "exit"];
const CLAIMS_KEYS: [&str; 5] =
    ["on_partial", "sends_version", "retries", "request_timeout_ms", "gives_up_after_ms"];

/// The dialects a client file may name.
const DIALECTS: [&str; 2] = ["sample", "prose"];

/// The longest time a job may be given: ten minutes.
const TIMEOUT_MAX_MS: u64 = 600_000;

/// The time a job has if the file does not say: five seconds.
const TIMEOUT_MS: u64 = 5_000;

const SUMMARY_HELP: &str = "say in a line what the client is: summary = \"Our poller.\"";
const EXEC_HELP: &str = "write [exec] and below it argv = [\"./poller\", \"--url\", \"{base_url}\"]";
const ARGV_HELP: &str = "write the program first: argv = [\"./poller\", \"--url\", \"{base_url}\"]";
const CLAIMS_HELP: &str =
    "write [claims] and below it what the client says of itself, as sends_version = true";
const RETRIES_HELP: &str = "write retries = { max = 3, on = [429, 503] }";

impl ClientFile {
    /// Reads a client file. `name` is its stem, `file` how messages call it.
    ///
    /// # Errors
    /// All mistakes, each with its place and what to write instead.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Self, ClientError> {
        let source = Text::new(file, text);
        let read = {
            let document = source.document();
            read_top(name, &Table::new(&source, "a client file", 0..0, document.get_ref(), &KEYS))
        };
        Ok(source.finish(read)?)
    }
}

fn read_top(name: &str, top: &Table<'_>) -> Read<ClientFile> {
    let summary = top.required("summary", SUMMARY_HELP).and_then(|entry| Ok(entry.text("")?.to_owned()));
    let asks = top.required("jobs", jobs::HELP).and_then(|entry| jobs::read(&entry));
    let dialects = top.read("dialects", read_dialects);
    let claims = top.read("claims", read_claims);
    // Which parameters there are is known by the jobs alone.
    let exec = top.required("exec", EXEC_HELP);
    let exec = exec.and_then(|entry| read_exec(&entry, asks.as_deref().ok()));
    let (asks, exec) = (asks?, exec?);
    Ok(ClientFile {
        name: name.to_owned(),
        summary: summary?,
        jobs: asks.iter().map(|asks| asks.job).collect(),
        dialects: dialects?.unwrap_or_else(|| vec![DIALECTS[0].to_owned()]),
        timeout_ms: exec.timeout_ms,
        stdout: exec.stdout,
        exit: exec.exit,
        claims: claims?.unwrap_or_default(),
        asks,
        argv: exec.argv,
        env: exec.env,
    })
}

/// What stands below `[exec]`.
struct ExecTable {
    argv: Vec<Argument>,
    env: Vec<(String, Template)>,
    timeout_ms: u64,
    stdout: Stdout,
    exit: ExitMap,
}

fn read_exec(entry: &Entry<'_>, asks: Option<&[Asks]>) -> Read<ExecTable> {
    let exec = entry.table("`[exec]`", &EXEC_KEYS, EXEC_HELP)?;
    let argv = exec.required("argv", ARGV_HELP).and_then(|entry| read_argv(&entry, asks));
    let env = exec.read("env", |entry| read_env(entry, asks));
    let timeout_ms = exec.read("timeout_ms", read_timeout);
    let exit = exec.read("exit", read_exit);
    let stdout = exec.read("stdout", |entry| {
        let stdout = entry.word(&Stdout::WORDS)?;
        let lacks_map = matches!(&exit, Ok(map) if map.as_ref().is_none_or(ExitMap::is_empty));
        if stdout == Stdout::Resource && lacks_map {
            return Err(entry.fail_without(
                "a client that prints the resource needs an exit map",
                "its exit code has to say the rest",
                Some("add `exit = { 0 = \"done\", 4 = \"not_found\" }` below [exec]".to_owned()),
            ));
        }
        Ok(stdout)
    });
    Ok(ExecTable {
        argv: argv?,
        env: env?.unwrap_or_default(),
        timeout_ms: timeout_ms?.unwrap_or(TIMEOUT_MS),
        stdout: stdout?.unwrap_or_default(),
        exit: exit?.unwrap_or_default(),
    })
}

fn of_template(entry: &Entry<'_>, wrong: Misplaced) -> Noted {
    entry.fail(wrong.message, "in this text", Some(wrong.help))
}

fn read_argv(entry: &Entry<'_>, asks: Option<&[Asks]>) -> Read<Vec<Argument>> {
    let items = entry.items(ARGV_HELP)?;
    let argv = every(items.iter().map(|item| read_argument(item, asks)));
    let is_program = items.first().is_some_and(|first| first.value().is_str());
    if is_program {
        return argv;
    }
    Err(entry.fail("`argv` does not start with a program", "here", Some(ARGV_HELP.to_owned())))
}

fn read_argument(item: &Entry<'_>, asks: Option<&[Asks]>) -> Read<Argument> {
    let template = |entry: &Entry<'_>, text: &str| {
        Template::parse(text, asks).map_err(|wrong| of_template(entry, wrong))
    };
    let Some(text) = item.value().as_str() else {
        if !item.value().is_array() {
            return Err(item.wrong_kind("a text in quotes, or a list of texts that belong together", None));
        }
        let texts = item.items("")?;
        return Ok(Argument::Together(every(texts.iter().map(|each| template(item, each.text("")?)))?));
    };
    let template = template(item, text)?;
    if let Some(hole) = template.may_lack() {
        let message = format!("`{{{}}}` has no value in some jobs", hole.name());
        let help = format!("put it in an array, which is then left out whole: [{text:?}]");
        return Err(item.fail(message, "this argument is always given", Some(help)));
    }
    Ok(Argument::Bare(template))
}

fn read_env(entry: &Entry<'_>, asks: Option<&[Asks]>) -> Read<Vec<(String, Template)>> {
    let help = Some("write env = { SEC_TOKEN = \"{sec}\" }".to_owned());
    let mut members = entry.members().ok_or_else(|| entry.wrong_kind("a table of texts", help))?;
    members.sort_by_key(|member| member.key);
    every(members.iter().map(|member| {
        let name = member.key;
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = format!("`{}` cannot be the name of an environment variable", name.escape_debug());
            return Err(member.fail(message, "the value of that name", None));
        }
        let template = Template::parse(member.text("")?, asks).map_err(|wrong| of_template(member, wrong))?;
        Ok((name.to_owned(), template))
    }))
}

fn read_exit(entry: &Entry<'_>) -> Read<ExitMap> {
    const HELP: &str = "write exit = { 0 = \"done\", 4 = \"not_found\" }";
    let members = entry.members();
    let members = members.ok_or_else(|| entry.wrong_kind("a table of exit codes", Some(HELP.to_owned())))?;
    let meanings = every(members.iter().map(|member| {
        let Ok(code) = member.key.parse::<u8>() else {
            let message = format!("`{}` is not an exit code", member.key.escape_debug());
            return Err(member.fail_at_key(message, "use 0 to 255", HELP.to_owned()));
        };
        let word = member.text(HELP)?;
        let Some(meaning) = ExitWord::parse(word) else {
            let message = format!("an exit code cannot mean `{}`", word.escape_debug());
            let help = format!("use {}", ExitWord::words().join(", "));
            return Err(member.fail(message, "unknown", Some(help)));
        };
        Ok((i32::from(code), meaning))
    }))?;
    Ok(ExitMap(meanings.into_iter().collect()))
}

fn read_dialects(entry: &Entry<'_>) -> Read<Vec<String>> {
    let items = entry.items("write dialects = [\"sample\"]")?;
    if items.is_empty() {
        let help = "leave the line out for `sample`".to_owned();
        return Err(entry.fail_without("no dialect is named", "here", Some(help)));
    }
    let mut dialects = every(items.iter().map(|item| {
        let name = item.text("")?;
        if DIALECTS.contains(&name) {
            return Ok(name.to_owned());
        }
        let message = format!("there is no dialect `{}`", name.escape_debug());
        Err(item.fail(message, "unknown", Some(format!("use {}", DIALECTS.join(" or ")))))
    }))?;
    let mut seen = Vec::new();
    dialects.retain(|name| {
        let is_new = !seen.contains(name);
        seen.push(name.clone());
        is_new
    });
    Ok(dialects)
}

fn read_timeout(entry: &Entry<'_>) -> Read<u64> {
    let Some(number) = entry.value().as_integer() else { return entry.number(1..=TIMEOUT_MAX_MS) };
    let value = u64::from_str_radix(number.as_str(), number.radix()).ok();
    value.filter(|value| (1..=TIMEOUT_MAX_MS).contains(value)).ok_or_else(|| {
        let message = format!("a job cannot be given {number} ms");
        entry.fail(message, "out of range", Some(format!("use 1 to {TIMEOUT_MAX_MS}")))
    })
}

fn read_claims(entry: &Entry<'_>) -> Read<Claims> {
    let claims = entry.table("`[claims]`", &CLAIMS_KEYS, CLAIMS_HELP)?;
    let on_partial = claims.read("on_partial", |entry| {
        entry.word(&[("waits", OnPartial::Waits), ("leaves", OnPartial::Leaves)])
    });
    let sends_version = claims.read("sends_version", Entry::flag);
    let retries = claims.read("retries", read_retries);
    // No request ends before it has begun.
    let request_timeout_ms = claims.read("request_timeout_ms", |entry| entry.number(1..=u64::MAX));
    let gives_up_after_ms = claims.read("gives_up_after_ms", |entry| entry.number(0..=u64::MAX));
    let (retries_max, retries_on) = retries?.unwrap_or_default();
    Ok(Claims {
        on_partial: on_partial?.unwrap_or(OnPartial::Waits),
        sends_version: sends_version?.unwrap_or(false),
        retries_max,
        retries_on,
        request_timeout_ms: request_timeout_ms?,
        gives_up_after_ms: gives_up_after_ms?,
    })
}

fn read_retries(entry: &Entry<'_>) -> Read<(u32, Vec<u16>)> {
    let retries = entry.table("`retries`", &["max", "on"], RETRIES_HELP)?;
    let max = retries.required("max", RETRIES_HELP).and_then(|entry| entry.number32(0..=u32::MAX));
    let on = retries.read("on", |entry| {
        every(entry.items(RETRIES_HELP)?.iter().map(|item| {
            let status = item.number32(0..=u32::from(u16::MAX))?;
            Ok(u16::try_from(status).unwrap_or(u16::MAX))
        }))
    });
    Ok((max?, on?.unwrap_or_default()))
}
