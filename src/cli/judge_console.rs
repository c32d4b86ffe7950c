//! `faultdeck judge --upstream`: a console against the rules of the API.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::console::{Console, SEC_VARIABLE, Token};
use super::output;
use super::private;
use super::problem::{Problem, nearest_or};
use super::report::{Outputs, opened};
use super::settings::BY_HAND;
use super::signals::Signals;
use crate::console::{self, Chosen, Examination, Plan, Progress, Question, Rule};
use crate::ledger::{self, Exit, RunLine};
use crate::profile::{NameError, Profile};
use crate::record::{Asking, CONSOLE_TIMEOUT, Safe, Trust, Upstream};
use crate::redact::Redactor;
use crate::report::{shell_word, visible};
use crate::seed::Seed;

/// Cases that are drawn for each kind of test and place.
const CASES: u32 = 2;
/// Requests a second: what a person with a browser might cause.
const RATE: u32 = 10;
/// Requests in all.
const REQUESTS: u32 = 2000;
/// How long in all.
const TIME: Duration = Duration::from_secs(900);

/// The console that is judged in place of a client.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "A console in a client's place")]
pub(super) struct Against {
    /// Judges this console in place of a client: https://HOST or https://HOST:PORT (or http). Nothing but GET and HEAD is
    /// sent, to this host alone; redirects are not followed. The token stands in the variable FAULTDECK_CONSOLE_SEC or
    /// in --sec-file. `faultdeck emulate` and `replay` are consoles, too.
    #[arg(long, value_name = "URL", conflicts_with_all = ["client", "observe", "check_adapter"], group = BY_HAND)]
    upstream: Option<String>,
    /// Only this endpoint: `offenses.list`, `GET /siem/offenses`, or a pattern like `/siem/*`; without it, all that are
    /// read by GET. Can be given several times.
    #[arg(long, value_name = "NAME|GLOB", group = BY_HAND)]
    endpoint: Vec<String>,
    /// The path of something that is there, where no list says so:
    /// `/api/forensics/case_management/case_create_tasks/42`. Can be given several times.
    #[arg(long, value_name = "PATH", group = BY_HAND)]
    resource: Vec<String>,
    /// How many requests a second, at most; 10 if nothing is said.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), group = BY_HAND)]
    rate: Option<u32>,
    /// How many requests in all, at most; 2000 if nothing is said.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), group = BY_HAND)]
    requests: Option<u32>,
    /// How long in all, at most; 900 if nothing is said.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400), group = BY_HAND)]
    seconds: Option<u64>,
    /// Writes what the console was seen to do to this file, as TOML: what was inferred before is observed then.
    #[arg(long, value_name = "FILE", group = BY_HAND)]
    profile_out: Option<PathBuf>,
    /// How long the console may take for each step; 60 if nothing is said.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600), group = BY_HAND)]
    console_timeout: Option<u64>,
    #[command(flatten)]
    token: Token,
    #[command(flatten)]
    console: Console,
}

impl Against {
    /// Whether a console is judged.
    pub(super) fn is_given(&self) -> bool {
        self.upstream.is_some()
    }

    /// Whether nothing is said of a console that is not named.
    ///
    /// # Errors
    /// If something is: it would be passed over.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let strays = [
            ("--endpoint", !self.endpoint.is_empty()),
            ("--resource", !self.resource.is_empty()),
            ("--rate", self.rate.is_some()),
            ("--requests", self.requests.is_some()),
            ("--seconds", self.seconds.is_some()),
            ("--profile-out", self.profile_out.is_some()),
            ("--console-timeout", self.console_timeout.is_some()),
            ("--sec-file", self.token.is_given()),
            ("--ca-file, --pin or --insecure", self.console.is_given()),
        ];
        match strays.into_iter().find(|(_, is_given)| *is_given && self.upstream.is_none()) {
            Some((flag, _)) => Err(Problem::input(format!("{flag} is about a console, and none is named"))
                .help("name it: --upstream https://HOST")),
            None => Ok(()),
        }
    }

    pub(super) async fn run(self, cases: Option<u32>, seed: Seed, outputs: Outputs) -> Result<Exit, Problem> {
        let mut signals = Signals::listen()?;
        let upstream =
            Upstream::parse(self.upstream.as_deref().unwrap_or_default()).map_err(Problem::input)?;
        if let Some(file) = &self.profile_out {
            private::claim(file).map_err(|error| Problem::file("write", file, error))?;
        }
        let redactor = Redactor::new();
        let token = self.token.read()?;
        if let Some(token) = &token {
            redactor.learn(token);
        }
        let trust = self.console.clone().trust()?;
        if matches!(trust, Trust::Insecure) {
            output::note("warning: any certificate is believed");
        }
        let wait = self.console_timeout.map_or(CONSOLE_TIMEOUT, Duration::from_secs);
        let asking = Asking::new(upstream, &trust, token, wait).map_err(Problem::input)?;
        let base = asking.base();
        let plan = self.plan(cases, seed, &redactor, ask(&base, asking.has_token(), &trust))?;
        output::note(&format!(
            "asking {}: at most {} requests, {} a second, GET and HEAD alone",
            visible(&base),
            plan.requests,
            plan.rate
        ));
        if !asking.has_token() {
            output::note(&format!("warning: there is no token: set {SEC_VARIABLE}, or give --sec-file"));
        }
        let mut examination = Examination::new(&plan, asking);
        tokio::select! {
            biased;
            _ = signals.first() => {}
            () = examination.run(&tell) => {}
        }
        let examined = examination.finish();
        if let Some(file) = &self.profile_out {
            let text = console::written(examined.version.as_deref(), &examined.observed)
                .map_err(|error| Problem::file("write", file, error))?;
            private::write(file, output::clean(&redactor.text(&text)).as_bytes())
                .map_err(|error| Problem::file("write", file, error))?;
        }
        let version = examined.version.map_or("no Version".to_owned(), |it| format!("Version: {it}"));
        let opening = RunLine {
            format: ledger::FORMAT,
            faultdeck: env!("CARGO_PKG_VERSION").to_owned(),
            verb: "judge".to_owned(),
            seed: seed.0,
            console: Some(format!("{base}, {version}")),
            ..RunLine::default()
        };
        outputs.finish(opened(examined.lines, opening), examined.account, &redactor)
    }

    fn plan(
        &self,
        cases: Option<u32>,
        seed: Seed,
        redactor: &Redactor,
        ask: Arc<console::Ask>,
    ) -> Result<Plan, Problem> {
        let profile = Profile::builtin();
        for resource in &self.resource {
            if profile.find("GET", resource).is_none() {
                return Err(Problem::input(format!("no endpoint answers GET {}", visible(resource)))
                    .help("write the whole path: `/api/siem/offenses/42`"));
            }
        }
        let named = &self.endpoint;
        let endpoints = match named.is_empty() && !self.resource.is_empty() {
            true => Vec::new(),
            false => console::chosen(profile, named).map_err(|error| match error {
                Chosen::Name(NameError::Unknown { ref nearest, .. }) => {
                    let help = nearest_or(nearest, "`faultdeck profile list` lists them all");
                    Problem::input(&error).help(help)
                }
                other => Problem::input(other),
            })?,
        };
        Ok(Plan {
            endpoints,
            resources: self.resource.clone(),
            cases: cases.unwrap_or(CASES),
            seed,
            rate: self.rate.unwrap_or(RATE),
            requests: self.requests.unwrap_or(REQUESTS),
            time: self.seconds.map_or(TIME, Duration::from_secs),
            redactor: redactor.clone(),
            ask,
        })
    }
}

/// The command that asks a question again; the token stays in its variable.
fn ask(base: &str, has_token: bool, trust: &Trust) -> Arc<console::Ask> {
    let trust = match trust {
        Trust::Native => String::new(),
        Trust::CaFile(file) => format!(" --cacert {}", shell_word(&file.display().to_string())),
        // curl pins keys and no certificates.
        Trust::Pin(_) | Trust::Insecure => " -k".to_owned(),
    };
    let base = base.to_owned();
    Arc::new(move |question: &Question| {
        let mut command = format!("curl -isg{trust}");
        if question.method == Safe::Head {
            command.push_str(" -I");
        }
        if question.credited && has_token {
            command.push_str(&format!(" -H \"SEC: ${SEC_VARIABLE}\""));
        }
        for (name, value) in &question.headers {
            command.push_str(&format!(" -H {}", shell_word(&format!("{name}: {value}"))));
        }
        format!("{command} {}", shell_word(&format!("{base}{}", question.target())))
    })
}

/// A rule in words.
pub(super) fn explained(rule: &Rule) -> String {
    let kind = match rule.is_published() {
        true => "a rule of the API that `judge --upstream` puts a console to; a departure is a violation",
        false => {
            "a rule of the API that `judge --upstream` puts a console to; no page states it, so a departure is an \
             observation"
        }
    };
    format!(
        "{}: {kind}\n\n{}\n\nIt rests on: {} ({}).\n",
        rule.id,
        rule.law,
        rule.source.as_str(),
        rule.because
    )
}

/// Says what it is at, to a person alone; what the console asks for is told to anybody.
fn tell(progress: Progress) {
    match progress {
        Progress::Waits(wait) => {
            output::note(&format!("the console asks for patience (429): {} s", wait.as_secs()));
        }
        _ if !output::is_watched() => {}
        Progress::Version(Some(version)) => output::note(&format!("asking with Version: {version}")),
        Progress::Version(None) => output::note("asking without a Version: it does not name 26.0"),
        Progress::Looked { asked, of, there } if asked == of || asked % 20 == 0 => {
            output::note(&format!("{asked} of {of} endpoints asked, {there} can be tested"));
        }
        Progress::Looked { .. } => {}
        Progress::Round { done, of } => output::note(&format!("round {done} of {of}")),
        Progress::Departs { rule, endpoint } => {
            output::note(&format!("{rule} is broken at {}, looking closer", visible(&endpoint)));
        }
    }
}
