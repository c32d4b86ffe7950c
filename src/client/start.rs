//! Reads how a client is started and asked: `[exec]`, `[worker]` or `[http]` of its file, one of them.

use super::file::{Adapter, Argument, ExitMap, ExitWord, Service, Stdout};
use super::jobs::Asks;
use super::placeholder::{Misplaced, Template};
use crate::record::Upstream;
use crate::written::read::{Entry, Noted, Read, Table, every};

const EXEC_KEYS: [&str; 5] = ["argv", "env", "timeout_ms", "stdout", "exit"];
const WORKER_KEYS: [&str; 3] = ["argv", "env", "timeout_ms"];
const HTTP_KEYS: [&str; 5] = ["url", "remote", "argv", "env", "timeout_ms"];

/// The longest time a job may be given: ten minutes.
const TIMEOUT_MAX_MS: u64 = 600_000;

/// The time a job has if the file does not say: five seconds.
const TIMEOUT_MS: u64 = 5_000;

const START_HELP: &str = "write [exec] and below it argv = [\"./poller\", \"--url\", \"{base_url}\"]; docs/clients.md \
                          tells of [worker] and [http], too";
const EXEC_HELP: &str = "write [exec] and below it argv = [\"./poller\", \"--url\", \"{base_url}\"]";
const WORKER_HELP: &str = "write [worker] and below it argv = [\"python3\", \"worker.py\"]";
const HTTP_HELP: &str = "write [http] and below it url = \"http://127.0.0.1:8000/case\"";
const ARGV_HELP: &str = "write the program first: argv = [\"./poller\", \"--url\", \"{base_url}\"]";
const ONCE_HELP: &str = "write the program first: argv = [\"python3\", \"worker.py\"]";

/// What stands below `[exec]`, `[worker]` or `[http]`.
pub(super) struct Start {
    pub(super) adapter: Adapter,
    pub(super) argv: Vec<Argument>,
    pub(super) env: Vec<(String, Template)>,
    pub(super) timeout_ms: u64,
    pub(super) stdout: Stdout,
    pub(super) exit: ExitMap,
}

/// Reads the one of the three tables that is there; `asks` is what its jobs ask, if that could be read.
pub(super) fn read(top: &Table<'_>, asks: Option<&[Asks]>) -> Read<Start> {
    const ALL: [&str; 3] = ["exec", "worker", "http"];
    let mut there = ALL.iter().filter_map(|key| top.get(key));
    let Some(first) = there.next() else {
        let message = "a client file lacks `exec`, `worker` or `http`".to_owned();
        let key = ALL.into_iter().find(|key| top.has_misspelt(key)).unwrap_or("exec");
        return Err(top.lacks(key, 0..0, message, "one of them is needed here".to_owned(), START_HELP));
    };
    let start = match first.key {
        "worker" => read_worker(&first),
        "http" => read_http(&first),
        _ => read_exec(&first, asks),
    };
    match there.next() {
        None => start,
        Some(second) => {
            let message = format!("`{}` stands beside `{}`", second.key, first.key);
            let help = "a client is asked in one way: leave one of them out".to_owned();
            Err(second.fail_at_key(message, "one too many", help))
        }
    }
}

fn read_worker(entry: &Entry<'_>) -> Read<Start> {
    let worker = entry.table("`[worker]`", &WORKER_KEYS, WORKER_HELP)?;
    let argv = worker.required("argv", WORKER_HELP).and_then(|entry| read_argv_once(&entry));
    let env = worker.read("env", read_env_once);
    let timeout_ms = worker.read("timeout_ms", read_timeout);
    Ok(Start {
        adapter: Adapter::Worker,
        argv: argv?,
        env: env?.unwrap_or_default(),
        timeout_ms: timeout_ms?.unwrap_or(TIMEOUT_MS),
        stdout: Stdout::default(),
        exit: ExitMap::default(),
    })
}

fn read_http(entry: &Entry<'_>) -> Read<Start> {
    let http = entry.table("`[http]`", &HTTP_KEYS, HTTP_HELP)?;
    let remote = http.read("remote", Entry::flag);
    let is_remote = matches!(remote, Ok(Some(true)) | Err(_));
    let service = http.required("url", HTTP_HELP).and_then(|entry| read_url(&entry, is_remote));
    let argv = http.read("argv", read_argv_once);
    let env = http.read("env", read_env_once);
    let timeout_ms = http.read("timeout_ms", read_timeout);
    remote?;
    Ok(Start {
        adapter: Adapter::Http(service?),
        argv: argv?.unwrap_or_default(),
        env: env?.unwrap_or_default(),
        timeout_ms: timeout_ms?.unwrap_or(TIMEOUT_MS),
        stdout: Stdout::default(),
        exit: ExitMap::default(),
    })
}

/// The address of a service; on this machine, unless `is_remote`: it is handed the token.
fn read_url(entry: &Entry<'_>, is_remote: bool) -> Read<Service> {
    let text = entry.text(HTTP_HELP)?;
    let wrong = || {
        let message = format!("`{}` is no address of a service", text.escape_debug());
        entry.fail(message, "here", Some("write it as http://127.0.0.1:8000/case, in plain http".to_owned()))
    };
    let rest = text.strip_prefix("http://").ok_or_else(wrong)?;
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#' || !c.is_ascii()) {
        return Err(wrong());
    }
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(at).ok_or_else(wrong)?;
    let host = Upstream::parse(&format!("http://{authority}")).map_err(|_| wrong())?;
    if !is_remote && !host.is_loopback() {
        let message = format!("the service `{}` is on another machine", authority.escape_debug());
        let help = "it is handed every token and address of a case: add `remote = true` if you mean it";
        return Err(entry.fail(message, "not loopback", Some(help.to_owned())));
    }
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    Ok(Service { url: text.to_owned(), host, target })
}

/// The program of a client that is started once for many jobs, and its arguments.
fn read_argv_once(entry: &Entry<'_>) -> Read<Vec<Argument>> {
    let items = entry.items(ONCE_HELP)?;
    let argv = every(items.iter().map(|item| Ok(Argument::Bare(once(item, item.text(ONCE_HELP)?)?))));
    match items.is_empty() {
        true => Err(entry.fail("`argv` does not start with a program", "here", Some(ONCE_HELP.to_owned()))),
        false => argv,
    }
}

fn read_env_once(entry: &Entry<'_>) -> Read<Vec<(String, Template)>> {
    variables(entry, once)
}

/// A text of a program that is started once: no job has a say in it.
fn once(entry: &Entry<'_>, text: &str) -> Read<Template> {
    let template = Template::parse(text, None).map_err(|wrong| of_template(entry, wrong))?;
    match template.of_a_job() {
        None => Ok(template),
        Some(hole) => {
            let message =
                format!("`{{{}}}` is of one job, and the program is started once for all", hole.name());
            let help = "it is told in each job; only {faultdeck} can stand here".to_owned();
            Err(entry.fail(message, "in this text", Some(help)))
        }
    }
}

fn read_exec(entry: &Entry<'_>, asks: Option<&[Asks]>) -> Read<Start> {
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
    Ok(Start {
        adapter: Adapter::Exec,
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
    variables(entry, |member, text| Template::parse(text, asks).map_err(|wrong| of_template(member, wrong)))
}

/// The variables of a program's environment, each text read by `template`.
fn variables(
    entry: &Entry<'_>,
    template: impl Fn(&Entry<'_>, &str) -> Read<Template>,
) -> Read<Vec<(String, Template)>> {
    let help = Some("write env = { SEC_TOKEN = \"{sec}\" }".to_owned());
    let mut members = entry.members().ok_or_else(|| entry.wrong_kind("a table of texts", help))?;
    members.sort_by_key(|member| member.key);
    every(members.iter().map(|member| {
        let name = member.key;
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = format!("`{}` cannot be the name of an environment variable", name.escape_debug());
            return Err(member.fail(message, "the value of that name", None));
        }
        Ok((name.to_owned(), template(member, member.text("")?)?))
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

fn read_timeout(entry: &Entry<'_>) -> Read<u64> {
    let Some(number) = entry.value().as_integer() else { return entry.number(1..=TIMEOUT_MAX_MS) };
    let value = u64::from_str_radix(number.as_str(), number.radix()).ok();
    value.filter(|value| (1..=TIMEOUT_MAX_MS).contains(value)).ok_or_else(|| {
        let message = format!("a job cannot be given {number} ms");
        entry.fail(message, "out of range", Some(format!("use 1 to {TIMEOUT_MAX_MS}")))
    })
}
