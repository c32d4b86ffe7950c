//! The branching client: three things at once, as an integration does them, and never twice in the same words.
//!
//! One branch runs an Ariel search whose text has a fresh uuid and the times of now in it, polls it, follows its
//! `Location` and reads its results in windows; one reads the open offenses page by page; one reads a reference set,
//! loads it and reads it again. It is what a replay must be able to follow from a single recording.

use std::ffi::OsString;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::trust::Trust;
use super::wire::Console;
use crate::json::Json;
use crate::message::{Request, Response};

/// How the program is called.
const USAGE: &str =
    "usage: faultdeck client branching --base URL [--polls N]\nThe token is read from SEC_TOKEN.\n";

/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(20);
/// A search that is not done after so many polls never will be.
const POLLS_MAX: u32 = 200;
/// How many elements a window has.
const WINDOW: u64 = 2;

/// Exit codes: all went well; something did not; a wrong call.
const FINE: u8 = 0;
const WRONG: u8 = 1;
const WRONG_CALL: u8 = 2;

/// Runs the program; `arguments` are those after its name.
pub(super) fn run(
    arguments: &[OsString],
    environment: &dyn Fn(&str) -> Option<OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let client = match Client::of(arguments, environment) {
        Ok(client) => client,
        Err(mistake) => {
            let _ = write!(err, "{mistake}\n{USAGE}");
            return WRONG_CALL;
        }
    };
    let branches: [(&str, Branch); 3] =
        [("search", Client::search), ("offenses", Client::offenses), ("set", Client::set)];
    let told: Vec<(&str, Result<String, String>)> = std::thread::scope(|scope| {
        let client = &client;
        let running = branches.map(|(name, branch)| (name, scope.spawn(move || branch(client))));
        running
            .map(|(name, running)| (name, running.join().unwrap_or_else(|_| Err("it crashed".to_owned()))))
            .into()
    });
    let mut code = FINE;
    for (name, result) in told {
        let line = match result {
            Ok(text) => format!("{name}: {text}"),
            Err(why) => {
                code = WRONG;
                format!("{name} failed: {why}")
            }
        };
        if writeln!(out, "{line}").is_err() {
            code = WRONG;
        }
    }
    code
}

/// What came of it, or what went wrong.
type Branch = fn(&Client) -> Result<String, String>;

struct Client {
    console: Console,
    sec: String,
    /// How often it looks at the search at least.
    polls: u32,
    random: RandomState,
}

impl Client {
    fn of(arguments: &[OsString], environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, String> {
        let (mut base, mut polls) = (None, 1);
        let words: Vec<&str> = arguments.iter().map(|word| word.to_str().unwrap_or_default()).collect();
        for pair in words.chunks(2) {
            match pair {
                ["--base", url] => base = Some(*url),
                ["--polls", number] => {
                    polls = number.parse().map_err(|_| format!("`{number}` is no number"))?;
                }
                other => return Err(format!("`{}` is no option with a value", other.join(" "))),
            }
        }
        let base = base.ok_or("where is the console? --base says it")?;
        let sec = environment("SEC_TOKEN").and_then(|token| token.into_string().ok());
        let console = Console::new(base, Trust::Authorities(None))?;
        Ok(Self { console, sec: sec.ok_or("SEC_TOKEN is not set")?, polls, random: RandomState::new() })
    }

    /// A number that no two runs share.
    fn drawn(&self, what: u64) -> u64 {
        let mut hasher = self.random.build_hasher();
        hasher.write_u64(what);
        hasher.finish()
    }

    fn uuid(&self) -> String {
        let (one, two) = (self.drawn(1), self.drawn(2));
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            one >> 32,
            (one >> 16) & 0xffff,
            one & 0xfff,
            two >> 52,
            two & 0xffff_ffff_ffff
        )
    }

    fn send(&self, request: Request) -> Result<Response, String> {
        // Branches of one client never keep the same time twice.
        std::thread::sleep(Duration::from_micros(self.drawn(now()) % 3000));
        let mut request = request.with("Host", self.console.authority()).with("SEC", &self.sec);
        request =
            request.with("Accept", "application/json").with("Version", "20.0").with("Connection", "close");
        if !request.body.is_empty() {
            let length = request.body.len().to_string();
            request = request.with("Content-Type", "application/json").with("Content-Length", &length);
        }
        let asked = format!("{} {}", request.method, request.target);
        let response =
            self.console.exchange(&request, LIMIT).map_err(|trouble| format!("{asked}: {trouble}"))?;
        match response.status {
            200..=299 => Ok(response),
            status => Err(format!("{asked}: {status} {}", response.text().unwrap_or_default())),
        }
    }

    fn ask(&self, method: &str, path: &str) -> Result<Response, String> {
        self.send(Request::new(method, &format!("{}{path}", self.console.prefix())))
    }

    fn search(&self) -> Result<String, String> {
        let until = now() / 1000;
        let text = format!(
            "SELECT sourceip FROM events WHERE tag = '{}' START {} STOP {}",
            self.uuid(),
            until.saturating_sub(300_000),
            until
        );
        let text = utf8_percent_encode(&text, NON_ALPHANUMERIC);
        let created = self.ask("POST", &format!("/api/ariel/searches?query_expression={text}"))?;
        let id = member(&created, "search_id")?;
        let location = created.headers.text("Location").ok_or("a search has no Location")?.into_owned();
        let path = location.split_once("/api/").map(|(_, path)| format!("/api/{path}"));
        let path = path.filter(|path| path.ends_with(&format!("/{id}")));
        let path = path.ok_or_else(|| format!("{location} is not where the search {id} is"))?;
        let polls = self.polled(&path)?;
        let events = self.windows(&format!("{path}/results"), |body| {
            body.member("events").map_or(0, |events| events.elements().len())
        })?;
        self.ask("DELETE", &path)?;
        Ok(format!("{polls} polls, {events} events"))
    }

    /// Polls until it is done, and as often as it was told to.
    fn polled(&self, path: &str) -> Result<u32, String> {
        const STATES: [&str; 3] = ["WAIT", "EXECUTE", "COMPLETED"];
        let mut last = 0;
        for polls in 1..=POLLS_MAX {
            let state = member(&self.ask("GET", path)?, "status")?;
            let place = STATES.iter().position(|known| *known == state);
            let place = place.ok_or_else(|| format!("a search is {state}"))?;
            if place < last {
                return Err(format!("a search went back to {state}"));
            }
            last = place;
            if state == "COMPLETED" && polls >= self.polls {
                return Ok(polls);
            }
        }
        Err(format!("a search is not done after {POLLS_MAX} polls"))
    }

    /// Reads a list window by window, until as many have come as `Content-Range` says there are.
    fn windows(&self, path: &str, count: impl Fn(&Json<'_>) -> usize) -> Result<usize, String> {
        let mut seen = 0;
        loop {
            let from = seen as u64;
            let range = format!("items={from}-{}", from + WINDOW - 1);
            let target = format!("{}{path}", self.console.prefix());
            let response = self.send(Request::new("GET", &target).with("Range", &range))?;
            let text = response.text().unwrap_or_default();
            let body = Json::parse(text).map_err(|error| format!("{path}: {error}"))?;
            let shown = response.headers.text("Content-Range").unwrap_or_default().into_owned();
            let total = shown.rsplit_once('/').and_then(|(_, total)| total.parse::<usize>().ok());
            let total = total.ok_or_else(|| format!("{path}: Content-Range is `{shown}`"))?;
            let here = count(&body);
            seen += here;
            if seen >= total {
                return Ok(seen);
            }
            if here == 0 {
                return Err(format!("{path}: {seen} of {total} came"));
            }
        }
    }

    fn offenses(&self) -> Result<String, String> {
        let path = "/api/siem/offenses?filter=status%3D%22OPEN%22&fields=id%2Cstatus";
        let offenses = self.windows(path, |body| body.elements().len())?;
        Ok(format!("{offenses} open"))
    }

    fn set(&self) -> Result<String, String> {
        let set = "/api/reference_data/sets/branching";
        let size = |response: &Response| member(response, "number_of_elements");
        let before = size(&self.ask("GET", set)?)?;
        let target = format!("{}/api/reference_data/sets/bulk_load/branching", self.console.prefix());
        let mut load = Request::new("POST", &target);
        load.body = r#"["10.0.0.8","10.0.0.9"]"#.into();
        self.send(load)?;
        let after = size(&self.ask("GET", set)?)?;
        match (before.as_str(), after.as_str()) {
            ("0", "2") => Ok(format!("{before}, then {after}")),
            _ => Err(format!("the set had {before} elements and has {after} after two were loaded")),
        }
    }
}

/// Microseconds since 1970, for the texts of searches.
#[allow(clippy::disallowed_methods)]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default()
}

/// A member as text: a string's own, a number's digits.
fn member(response: &Response, name: &str) -> Result<String, String> {
    let text = response.text().unwrap_or_default();
    let body = Json::parse(text).map_err(|error| error.to_string())?;
    let value = body.member(name).ok_or_else(|| format!("there is no {name} in {text}"))?;
    Ok(value.as_str().unwrap_or(value.text()).to_owned())
}
