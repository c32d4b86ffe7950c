//! `faultdeck run`: your own command under a scenario.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::listen::Tls;
use super::output;
use super::problem::Problem;
use super::report::{Outputs, ReportTo, opened};
use super::setup::{Story, evidence_name, opening};
use super::signals::Signals;
use crate::ledger::{EndLine, Exit, Line};
use crate::redact::is_credential_name;
use crate::replay::{Replay, Setup};
use crate::report::{request_line, shell_word, visible};
use crate::run::{Command, Group, combine, verdicts};
use crate::scenario::Must;
use crate::serve::{Options, Server};

/// A token for the command to send. Any would do: only its presence is looked at.
const SEC: &str = "7a1f0c5e-0000-4000-8000-fa017dec0001";

/// How long a command may take if `--timeout` does not say, in seconds.
const TIMEOUT_S: u64 = 3600;

/// Runs a command of yours against a replay, and says whether it did what the scenario asks for.
///
/// The command gets FAULTDECK_URL (scheme, host and port; no path) and FAULTDECK_SEC (a token to send as `SEC`); in
/// its arguments `{base_url}` stands for the same URL. With --tls it also gets FAULTDECK_CA_FILE, SSL_CERT_FILE,
/// REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and NODE_EXTRA_CA_CERTS. It keeps the terminal, its input and its output.
///
/// Three properties are judged from the wire alone: right-address, terminates and creates-once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck run --scenario builtin:slow-host -- pytest -q
  faultdeck run --scenario scenarios/mine.toml --report junit=report.xml -- npm test
  faultdeck run --cassette forensics/create-case -- ./poller --url {base_url}

Exit codes: 0 passed, 1 the command or a property failed, 3 nothing was tested (nothing served, a planned fault
never fired, a request missed, the command could not be started).")]
pub(super) struct Args {
    #[command(flatten)]
    story: Story,
    /// The cassette: a name below `cassettes/`, a `.json` file, or `builtin:NAME`. Wins over the scenario's.
    #[arg(long, value_name = "NAME|FILE")]
    cassette: Option<String>,
    /// Writes all that was served to this file, as JSON lines.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Writes a report: `junit=FILE`, `json=FILE` or `human=FILE`. Can be given several times.
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<ReportTo>,
    /// Ends the command, as failed, after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT_S, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// Prints one line for each request, on standard error.
    #[arg(long)]
    trace: bool,
    #[command(flatten)]
    tls: Tls,
    /// The command and its arguments, after `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) async fn run(args: Args) -> Result<Exit, Problem> {
    let mut signals = Signals::listen()?;
    let outputs = Outputs::new(args.ledger.clone(), args.report.clone())?;
    let setup = args.story.setup("run", args.cassette.as_deref())?;
    let scenario = setup.scenario.clone();
    let tls = args.tls.identity()?;
    let ca_file = tls.as_ref().map(|identity| identity.ca_file.clone());
    output::note(&visible(&format!("running under {}, seed {}", of_what(&setup), setup.seed)));

    let mut replay = Replay::new(setup.clone());
    if args.trace {
        replay = replay.watched(Arc::new(|exchange: &_| output::note(&request_line(exchange))));
    }
    let replay = Arc::new(replay);
    let server = Server::start(Options { tls, ..Options::default() }, Arc::clone(&replay)).await;
    let server = server.map_err(Problem::input)?;
    let url = server.url();
    replay.set_base(&url);
    let command = Command {
        argv: args.command.iter().map(|argument| with_url(argument, &url)).collect(),
        env: environment(&url, ca_file.as_deref()),
        limit: Duration::from_secs(args.timeout),
        group: if io::stdin().is_terminal() { Group::Shared } else { Group::Own },
    };
    let ended = command.run(signals.first()).await;
    server.stop().await;

    let must = scenario.as_ref().map_or_else(Must::default, |scenario| scenario.must.clone());
    let mut lines = opened(replay.lines(), opening(&setup));
    credentials(&args.command).iter().for_each(|secret| setup.redactor.learn(secret));
    let told: Vec<String> = args.command.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    for line in &mut lines {
        if let Line::Run(run) = line {
            run.command.clone_from(&told);
        }
    }
    let end = EndLine { dials: crate::record::dials(), command: Some(ended.to_string()), ..replay.account() };
    let repeat = repeat(&args, &told);
    let mut verdicts = verdicts(scenario.as_deref(), &lines);
    verdicts.iter_mut().for_each(|verdict| verdict.repeat = Some(repeat.clone()));
    let end = end.clone().closed(combine(&must, &ended, &end, &verdicts));
    lines.extend(verdicts.into_iter().map(Line::Verdict));
    setup.redactor.learn_arguments(&told);
    let exit = outputs.finish(lines, end, &setup.redactor)?;
    if exit != Exit::Passed {
        output::note(&format!("repeat it: {}", visible(&setup.redactor.text(&repeat))));
    }
    Ok(exit)
}

fn of_what(setup: &Setup) -> String {
    let evidence = evidence_name(&setup.evidence);
    match &setup.scenario {
        Some(scenario) => format!("scenario {}, with {evidence}", scenario.name),
        None => format!("no scenario, with {evidence}"),
    }
}

/// `argument` with the URL in place of `{base_url}`.
fn with_url(argument: &OsString, url: &str) -> OsString {
    match argument.to_str() {
        Some(text) => text.replace("{base_url}", url).into(),
        None => argument.clone(),
    }
}

/// What the command gets beside its inherited environment.
fn environment(url: &str, ca_file: Option<&Path>) -> Vec<(String, OsString)> {
    let mut all: Vec<(&str, OsString)> = vec![("FAULTDECK_URL", url.into()), ("FAULTDECK_SEC", SEC.into())];
    // A proxy of the machine's must not come between the command and this one.
    for name in ["NO_PROXY", "no_proxy"] {
        let mut list = env::var_os(name).filter(|list| !list.is_empty()).unwrap_or_default();
        if !list.is_empty() {
            list.push(",");
        }
        list.push("127.0.0.1,localhost");
        all.push((name, list));
    }
    if let Some(file) = ca_file {
        let names = [
            "FAULTDECK_CA_FILE",
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
            "NODE_EXTRA_CA_CERTS",
        ];
        all.extend(names.map(|name| (name, file.into())));
    }
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What stands in a command like a credential: after `--token`, in `--token=...`, `SEC=...` or `SEC: ...`.
fn credentials(command: &[OsString]) -> Vec<String> {
    let words: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let named = |word: &str| is_credential_name(word.trim_start_matches('-'));
    let mut found: Vec<String> = Vec::new();
    for pair in words.windows(2) {
        if let [name, value] = pair
            && name.starts_with('-')
            && named(name)
        {
            found.push(value.clone());
        }
    }
    for word in &words {
        let (name, value) = word.split_once(['=', ':']).unwrap_or_default();
        if named(name.rsplit(' ').next().unwrap_or(name)) {
            found.push(value.trim().to_owned());
        }
    }
    found.retain(|value| !value.is_empty());
    found
}

/// The command line that does the same again.
fn repeat(args: &Args, told: &[String]) -> String {
    let mut words = vec!["faultdeck".to_owned(), "run".to_owned()];
    let mut flag = |name: &str, value: &str| words.extend([name.to_owned(), shell_word(value)]);
    if let Some(scenario) = &args.story.scenario {
        flag("--scenario", scenario);
    }
    if let Some(cassette) = &args.cassette {
        flag("--cassette", cassette);
    }
    flag("--seed", &args.story.seed.to_string());
    if args.timeout != TIMEOUT_S {
        flag("--timeout", &args.timeout.to_string());
    }
    if args.story.no_auth {
        words.push("--no-auth".to_owned());
    }
    words.extend(args.tls.words().iter().map(|word| shell_word(word)));
    words.push("--".to_owned());
    words.extend(told.iter().map(|word| shell_word(word)));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_stands_where_the_command_wants_it() {
        assert_eq!(with_url(&"--url={base_url}/x".into(), "http://h:1"), "--url=http://h:1/x");
    }

    #[test]
    fn what_looks_like_a_credential_in_a_command_is_one() {
        let words =
            ["./poller", "--token", "abc-1", "--sec=abc-2", "-H", "SEC: abc-3", "--url", "http://h:1"];
        assert_eq!(credentials(&words.map(OsString::from)), ["abc-1", "abc-2", "abc-3"]);
    }

    #[test]
    fn with_tls_the_command_is_told_whom_to_trust() {
        let env = environment("https://h:1", Some(Path::new("ca.pem")));
        assert!(env.contains(&("SSL_CERT_FILE".to_owned(), "ca.pem".into())));
        assert!(env.contains(&("FAULTDECK_URL".to_owned(), "https://h:1".into())));
    }
}
