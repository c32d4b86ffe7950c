//! Reads a client file from its text: all that is wrong in it is told at once.

use super::file::{ClientError, ClientFile};
use super::jobs;
use super::start;
use super::{Claims, OnPartial};
use crate::written::read::{Entry, Read, Table, Text, every};

const KEYS: [&str; 7] = ["summary", "jobs", "dialects", "exec", "worker", "http", "claims"];
const CLAIMS_KEYS: [&str; 5] =
    ["on_partial", "sends_version", "retries", "request_timeout_ms", "gives_up_after_ms"];

/// The dialects a client file may name.
const DIALECTS: [&str; 2] = ["sample", "prose"];

const SUMMARY_HELP: &str = "say in a line what the client is: summary = \"Our poller.\"";
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
    let start = start::read(top, asks.as_deref().ok());
    let (asks, start) = (asks?, start?);
    Ok(ClientFile {
        name: name.to_owned(),
        summary: summary?,
        jobs: asks.iter().map(|asks| asks.job).collect(),
        dialects: dialects?.unwrap_or_else(|| vec![DIALECTS[0].to_owned()]),
        timeout_ms: start.timeout_ms,
        stdout: start.stdout,
        exit: start.exit,
        claims: claims?.unwrap_or_default(),
        adapter: start.adapter,
        asks,
        argv: start.argv,
        env: start.env,
    })
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
