//! The way to a console: its name, the connection, the certificate, the clock, the token, the version.
//!
//! One request is sent, GET /api/help/versions, and with a token one more without it: whether that is refused tells whether
//! the token was looked at.

use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::{Args, Check};
use crate::cli::day::moment;
use crate::cli::problem::Problem;
use crate::message::Response;
use crate::profile::Profile;
use crate::record::{AskError, Asking, DialError, Safe, Upstream};
use crate::serve::tls::seconds_now;

/// What is asked.
const TARGET: &str = "/api/help/versions";
/// The longest answer, in bytes.
const ANSWER_MAX: usize = 1024 * 1024;
/// How far clocks may be apart, in seconds: certificates and tokens are not that fine.
const APART_MAX: u64 = 300;
/// What is looked at, in order.
const STEPS: [&str; 6] = ["name", "connection", "certificate", "clock", "token", "version"];

const NAME_IT: &str = "name a console: --upstream https://HOST";
const GIVE_A_TOKEN: &str =
    "put a token of the console's into FAULTDECK_CONSOLE_SEC, or into a file of --sec-file";

pub(super) async fn checks(args: &Args) -> Result<Vec<Check>, Problem> {
    let Some(text) = &args.upstream else {
        let not_named = |step: &&'static str| Check::not_tried(step, "no console is named", Some(NAME_IT));
        return Ok(STEPS.iter().map(not_named).collect());
    };
    let upstream = Upstream::parse(text).map_err(Problem::input)?;
    let token = args.token.read()?;
    let wait = Duration::from_secs(args.console_timeout);
    let asking = Asking::new(upstream.clone(), &args.console.clone().trust()?, token, wait)
        .map_err(|error| Problem::input(error).help("see --ca-file, --pin and --insecure"))?;
    let mut checks = vec![name(&upstream, wait).await];
    if checks.iter().all(|check| check.fix.is_none()) {
        checks.extend(asked(&asking, &upstream).await);
    }
    let left = STEPS.iter().skip(checks.len());
    let after: Vec<Check> =
        left.map(|step| Check::not_tried(step, "it comes after what is in trouble", None)).collect();
    checks.extend(after);
    Ok(checks)
}

async fn name(upstream: &Upstream, wait: Duration) -> Check {
    let (host, port) = upstream.host_and_port();
    if host.parse::<IpAddr>().is_ok() {
        return Check::ok("name", format!("{host} is an address"));
    }
    let fix = "is the name right? ask the resolver: getent hosts HOST; a VPN may have to be up";
    match timeout(wait, lookup_host((host, port))).await {
        Ok(Ok(mut all)) => match all.next() {
            Some(first) => Check::ok("name", format!("{host} is {}", first.ip())),
            None => Check::trouble("name", format!("{host} has no address"), fix),
        },
        Ok(Err(error)) => Check::trouble("name", format!("{host} is not known: {error}"), fix),
        Err(_) => {
            Check::trouble("name", format!("nobody said within {} s what {host} is", wait.as_secs()), fix)
        }
    }
}

/// From the connection on, as far as it goes.
async fn asked(asking: &Asking, upstream: &Upstream) -> Vec<Check> {
    let headers = [("Accept", "application/json")];
    let answer = asking.ask(Safe::Get, TARGET, &headers, true, ANSWER_MAX).await;
    let reached =
        |of: Check| vec![Check::ok("connection", format!("{} takes connections", asking.base())), of];
    match answer {
        Err(AskError::Dial(error @ (DialError::Connect(_) | DialError::Slow(_)))) => {
            vec![Check::trouble(
                "connection",
                error.to_string(),
                "is --upstream right, is a firewall or VPN between, and does something listen there? no proxy is asked",
            )]
        }
        Err(AskError::Dial(error)) => reached(Check::trouble("certificate", error.to_string(), error.help())),
        Err(error) => {
            let mut checks = reached(certificate(upstream));
            checks.push(Check::not_tried("clock", "no answer names the time", None));
            checks.push(Check::trouble(
                "token",
                format!("GET {TARGET}: {error}"),
                "is that a console? `curl` it",
            ));
            checks
        }
        Ok(response) => {
            let mut checks = reached(certificate(upstream));
            checks.push(clock(&response));
            let refused = match asking.has_token() {
                true => {
                    asking.ask(Safe::Get, TARGET, &headers, false, ANSWER_MAX).await.ok().map(|it| it.status)
                }
                false => None,
            };
            checks.push(token(asking.has_token(), response.status, refused));
            checks.push(version(&response));
            checks
        }
    }
}

fn certificate(upstream: &Upstream) -> Check {
    match upstream.is_secure() {
        true => Check::ok("certificate", "it is believed"),
        false => Check::not_tried("certificate", "this is http: there is none", None),
    }
}

fn clock(response: &Response) -> Check {
    let Some(theirs) = response.headers.text("Date").and_then(|date| moment(date.trim())) else {
        return Check::not_tried("clock", "the answer names no time", None);
    };
    let ours = seconds_now();
    match ours.abs_diff(theirs) {
        apart if apart <= APART_MAX => Check::ok("clock", format!("{apart} s apart from the console's")),
        apart => {
            let side = if ours < theirs { "behind" } else { "before" };
            let found = format!("this machine's clock is {apart} s {side} the console's");
            Check::trouble("clock", found, "set the one that is wrong: certificates and tokens have a time")
        }
    }
}

/// With a token, `bare` is the status of the same request without one.
fn token(is_there: bool, status: u16, bare: Option<u16>) -> Check {
    match (is_there, status) {
        (false, 401 | 403) => {
            Check::not_tried("token", "none is given, and the console asks for one", Some(GIVE_A_TOKEN))
        }
        (false, _) => Check::not_tried("token", "none is given", Some(GIVE_A_TOKEN)),
        (true, 401) => Check::trouble(
            "token",
            "the console does not take it (401)",
            "is it of this console, and has it expired? make one under Admin, Authorized Services, and deploy",
        ),
        (true, 403) => Check::trouble(
            "token",
            "it has no right to ask that (403)",
            "give its role the capability, or take another token",
        ),
        (true, 200..=299) if bare == Some(401) => {
            Check::ok("token", format!("GET {TARGET} is answered with it, and refused without"))
        }
        (true, 200..=299) => {
            Check::ok("token", format!("GET {TARGET} is answered with it, and without: it was not looked at"))
        }
        (true, status) => Check::trouble(
            "token",
            format!("GET {TARGET} is answered {status}"),
            "is that a console, and up? `curl` it",
        ),
    }
}

/// The versions that the console has, and the one that the profiles describe.
fn version(response: &Response) -> Check {
    let known = Profile::builtin().versions.described.to_string();
    let Some(versions) = Some(response).filter(|it| it.status == 200).and_then(|it| versions(it.text()?))
    else {
        return Check::not_tried(
            "version",
            format!("GET {TARGET} is answered {}, and no list", response.status),
            None,
        );
    };
    let shown = versions.join(", ");
    if versions.contains(&known) {
        return Check::ok(
            "version",
            format!("the profiles describe {known}, and the console has it (of {shown})"),
        );
    }
    let found = format!("the profiles describe {known}, and the console has {shown}");
    Check::trouble("version", found, "take what it says of itself: faultdeck profile import --upstream URL")
}

/// The versions that are not gone, as `/api/help/versions` lists them.
fn versions(text: &str) -> Option<Vec<String>> {
    let list: Vec<Listed> = serde_json::from_str(text).ok()?;
    let all: Vec<String> = list.into_iter().filter(|one| !one.removed).map(|one| one.version).collect();
    (!all.is_empty()).then_some(all)
}

/// A version as the console lists it (documented).
#[derive(Deserialize)]
struct Listed {
    version: String,
    #[serde(default)]
    removed: bool,
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn what_a_status_says_of_a_token() {
        for (is_there, status, bare, state) in [
            (true, 200, Some(401), State::Ok),
            (true, 200, Some(200), State::Ok),
            (true, 401, Some(401), State::Trouble),
            (true, 403, Some(401), State::Trouble),
            (true, 503, None, State::Trouble),
            (false, 401, None, State::NotTried),
            (false, 200, None, State::NotTried),
        ] {
            assert_eq!(token(is_there, status, bare).state, state, "{is_there} {status} {bare:?}");
        }
        assert!(token(true, 200, Some(200)).found.contains("not looked at"));
    }

    #[test]
    fn versions_that_are_gone_do_not_count() {
        let text =
            r#"[{"version":"19.0","removed":true},{"version":"26.0","removed":false},{"version":"27.0"}]"#;
        assert_eq!(versions(text).unwrap(), ["26.0", "27.0"]);
        assert!(versions("{}").is_none() && versions("[]").is_none() && versions("<html>").is_none());
    }
}
