//! The jobs: get a task, wait for one, create a case, read a list; and the tour, which makes a first recording.

mod listing;

use std::io::Write;
use std::time::{Duration, Instant};

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::answer::Answer;
use super::arguments::{Arguments, Job};
use super::defects::{self, Defects};
use super::report::{Outcome, Standing};
use super::selector::{names, top_level};
use super::session::Session;
use super::slips;
use super::trust::Trust;
use super::wire::{Console, Trouble};
use crate::json::{Json, quote};
use crate::message::{Request, Response};

const TASKS: &str = "/forensics/case_management/case_create_tasks";
const CASES: &str = "/forensics/case_management/cases";

/// How often a request that may pass is repeated.
const RETRIES: u32 = 3;
/// The pause before the first repetition; it doubles each time.
const BACK_OFF: Duration = Duration::from_millis(20);
/// Answers without a state in a row after which a client does not expect one any more.
const STATELESS_MAX: u32 = 10;
/// While the state stays the same, the pace halves every so many polls ...
const SLOWER_EVERY: u32 = 4;
/// ... and so many times at most.
const SLOWER_TIMES: u32 = 6;
/// The pace from which on the client without patience has none.
const NOTICED: Duration = Duration::from_millis(10);
/// After this time even the client that never stops does, lest it outlive everybody who could kill it.
const FOR_EVER: Duration = Duration::from_secs(600);

/// Unreserved characters stay, everything else is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Does the job.
pub(super) fn run(arguments: &Arguments, err: &mut dyn Write) -> Outcome {
    let trust = match arguments.defects.has(defects::TRUSTS_ANYONE) {
        true => Trust::Anyone,
        false => Trust::Authorities(arguments.ca_file.as_deref()),
    };
    let console = match Console::new(&arguments.base, trust) {
        Ok(console) => console,
        Err(mistake) => return Outcome::Error(mistake),
    };
    let deadline = Duration::from_millis(arguments.deadline_ms);
    let started = Instant::now();
    let mut program = Program {
        arguments,
        defects: &arguments.defects,
        console,
        session: Session::of(&arguments.credential),
        started,
        until: started + deadline,
        request_limit: (deadline / 3).max(Duration::from_millis(1)),
        asked_to_wait: None,
        total: None,
        has_warned: false,
        err,
    };
    let outcome = match arguments.job {
        Job::Get => program.get(),
        Job::Wait => program.wait(&program.task_path(&arguments.id)),
        Job::Send => program.send(),
        Job::Create => program.create(),
        Job::Tour => program.tour(),
        Job::List => program.list(),
    };
    program.log_out();
    outcome
}

struct Program<'a> {
    arguments: &'a Arguments,
    defects: &'a Defects,
    console: Console,
    session: Session<'a>,
    started: Instant,
    /// When the whole job is given up.
    until: Instant,
    /// How long one request may take.
    request_limit: Duration,
    /// For how long the last answer asked to be left alone.
    asked_to_wait: Option<Duration>,
    /// How many elements the list has that the last answer was a part of.
    total: Option<u64>,
    has_warned: bool,
    err: &'a mut dyn Write,
}

impl Program<'_> {
    /// One GET with `fields`.
    fn get(&mut self) -> Outcome {
        let path = self.task_path(&self.arguments.id);
        let request = self.task_request(&path, self.arguments.fields.as_deref());
        let fields = self.arguments.fields.as_deref().unwrap_or_default();
        let names_both = names(fields, &["case_id"]) && names(fields, &["assigned_to"]);
        if names_both && self.defects.has(defects::PRINTS_TOKEN) {
            self.remark(&format!("> {}", self.session.header()));
        }
        let answer = self.ask(&request);
        self.reported(answer)
    }

    /// One write. It is repeated only as long as no connection came about.
    fn send(&mut self) -> Outcome {
        let path = self.arguments.path.clone().unwrap_or_default();
        let body = self.arguments.body.clone().unwrap_or_default();
        let request = self.write(&self.arguments.method, &path, self.arguments.fields.as_deref(), body);
        let answer = self.post(&request);
        self.reported(answer)
    }

    /// What is reported of the answer to one request.
    fn reported(&mut self, answer: Answer) -> Outcome {
        match answer {
            Answer::Data(task) => {
                let standing = Standing::of_state(state(&task).as_deref());
                self.report(standing, &self.defects.misread(task, self.arguments.fields.as_deref()))
            }
            Answer::ServerError { body: Some(body), .. } if self.defects.has(defects::ERROR_AS_DATA) => {
                Outcome::Task { standing: Standing::Pending, task: body }
            }
            other => self.end(other),
        }
    }

    /// Polls until the task is done, an error is final, or the time is up.
    fn wait(&mut self, path: &str) -> Outcome {
        // A selector without the state would leave nothing to decide by: then the whole task is asked for.
        let fields = self.arguments.fields.as_deref().filter(|fields| names(fields, &["state", "status"]));
        let request = self.task_request(path, fields);
        let mut partial = None;
        let mut last_state = None;
        let mut first_seen = None;
        let (mut unchanged, mut stateless) = (0, 0);
        loop {
            match self.ask(&request) {
                Answer::Data(task) => {
                    let state = state(&task);
                    let seen = first_seen.get_or_insert_with(|| task.clone()).clone();
                    let task = if self.defects.has(defects::FIRST_SEEN) { seen } else { task };
                    let standing = Standing::of_state(state.as_deref());
                    let is_done = match standing {
                        Standing::Failed => return self.report(standing, &task),
                        Standing::Done => true,
                        Standing::Usable => self.defects.has(defects::PARTIAL_AS_DONE),
                        Standing::Pending => false,
                    };
                    if is_done {
                        return self.report(Standing::Done, &task);
                    }
                    stateless = if state.is_none() { stateless + 1 } else { 0 };
                    if stateless > STATELESS_MAX {
                        return Outcome::Error("the task comes without its state".to_owned());
                    }
                    unchanged = if state == last_state { unchanged + 1 } else { 0 };
                    match standing {
                        Standing::Usable => partial = Some(task),
                        _ if state.is_some() => partial = None,
                        _ => {}
                    }
                    last_state = state;
                }
                // It does not even slow down.
                Answer::NotFound if self.defects.has(defects::POLLS_404) => {
                    self.until = self.started + FOR_EVER;
                }
                other if partial.is_none() || !self.is_time_up() => return self.end(other),
                _ => {}
            }
            let pace = Duration::from_millis(self.arguments.pace_ms);
            let pause = pace * (1 << (unchanged / SLOWER_EVERY).min(SLOWER_TIMES));
            if pace < NOTICED || !self.defects.has(defects::NO_PAUSE) {
                self.pause(pause.max(self.asked_to_wait.unwrap_or_default()));
            }
            if self.is_time_up() {
                return match partial {
                    Some(task) => self.report(Standing::Usable, &task),
                    None => Outcome::GaveUp,
                };
            }
        }
    }

    /// Creates a case, once, and waits for its task.
    fn create(&mut self) -> Outcome {
        let request = self.creation();
        let mut answer = self.post(&request);
        let is_lost = |answer: &Answer| matches!(answer, Answer::Lost(_) | Answer::Unreadable(_));
        if is_lost(&answer) && self.defects.has(defects::POSTS_AGAIN) {
            self.remark("no answer: sending the creation again");
            answer = self.post(&request);
        }
        match answer {
            Answer::Data(task) => match id(&task, &self.arguments.id_member) {
                Some(id) => self.wait(&self.made_path(&id)),
                None => Outcome::Error("the case is created, but the answer names no task".to_owned()),
            },
            // Nothing was sent, not even with repetitions: nothing can have been created.
            answer if answer.was_not_sent() => self.end(answer),
            // Of what is made elsewhere there may be no list, and no name to look it up by.
            answer if is_lost(&answer) && self.arguments.path.is_some() => {
                self.remark("the answer was lost; whether anything was made is not known");
                Outcome::GaveUp
            }
            answer if is_lost(&answer) => self.look_up(),
            Answer::NotFound => Outcome::Error("404 with code 1002 for a creation".to_owned()),
            other => self.end(other),
        }
    }

    /// Lists the cases, creates one and waits for its task, then looks at the case and lists them all again.
    fn tour(&mut self) -> Outcome {
        let cases = self.request("GET", format!("{}/api{CASES}", self.console.prefix()));
        if !matches!(self.ask(&cases), Answer::Data(_)) {
            return Outcome::Error("the cases cannot be listed".to_owned());
        }
        let outcome = self.create();
        let Outcome::Task { task, .. } = &outcome else { return outcome };
        let case = Json::parse(task).ok().and_then(|task| Some(task.member("case_id")?.text().to_owned()));
        let Some(case) = case else { return Outcome::Error("the task names no case".to_owned()) };
        let item = self.request("GET", format!("{}/api{CASES}/{case}", self.console.prefix()));
        for request in [&item, &cases] {
            if !matches!(self.ask(request), Answer::Data(_)) {
                return Outcome::Error("the new case cannot be seen".to_owned());
            }
        }
        outcome
    }

    /// The answer to a creation is lost: whether the case exists is found by its name, never by creating it again.
    fn look_up(&mut self) -> Outcome {
        let request = self.request("GET", format!("{}/api{CASES}", self.console.prefix()));
        let known = match self.ask(&request) {
            Answer::Data(cases) => Json::parse(&cases).ok().map(|cases| {
                let name = |case: &Json<'_>| {
                    case.member("name")
                        .or_else(|| case.member("case_name"))
                        .is_some_and(|name| name.as_str() == Some(self.arguments.name.as_str()))
                };
                cases.elements().iter().any(name)
            }),
            _ => None,
        };
        self.remark(match known {
            Some(true) => "the answer was lost; the case is there, its task is not known",
            Some(false) => "the answer was lost; the case is not there yet",
            None => "the answer was lost, and the cases cannot be listed",
        });
        Outcome::GaveUp
    }

    /// Sends a creation. It is repeated only as long as no connection came about.
    fn post(&mut self, request: &Request) -> Answer {
        let mut answer = self.ask_once(request);
        for retry in 0..RETRIES {
            if !answer.was_not_sent() || !self.back_off(retry) {
                break;
            }
            answer = self.ask_once(request);
        }
        answer
    }

    /// Asks, and asks again with growing pauses while the answer may pass.
    fn ask(&mut self, request: &Request) -> Answer {
        let mut answer = self.ask_once(request);
        for retry in 0..RETRIES {
            if !answer.may_pass() || !self.back_off(retry) {
                break;
            }
            answer = self.ask_once(request);
        }
        answer
    }

    fn ask_once(&mut self, request: &Request) -> Answer {
        let left = self.until.saturating_duration_since(Instant::now());
        let result = match left.is_zero() {
            true => Err(Trouble::TimedOut),
            false => {
                let request = self.session.signed(request);
                slips::exchange(&self.console, &request, self.request_limit.min(left), self.arguments)
            }
        };
        if result.as_ref().is_ok_and(|response| self.session.take_up(response))
            && self.defects.has(defects::LOGS_OUT_EARLY)
        {
            self.log_out();
        }
        self.asked_to_wait = result.as_ref().ok().and_then(retry_after);
        self.total = result.as_ref().ok().and_then(listing::total);
        if let Some(warning) = result.as_ref().ok().and_then(|response| response.headers.text("Deprecated")) {
            self.warn(&format!("the version of the API is deprecated: {warning}"));
        }
        let answer = Answer::of(result);
        match &answer {
            Answer::Lost(trouble) => self.remark(&trouble.to_string()),
            Answer::Unreadable(why) => self.remark(why),
            _ => {}
        }
        answer
    }

    /// Leaves the session, if there is one. Nobody waits long for that, and whatever comes of it changes nothing.
    fn log_out(&mut self) {
        if self.session.is_open() {
            let request = self.request("GET", format!("{}/auth/logout", self.console.prefix()));
            let _ = self.console.exchange(&self.session.signed(&request), self.request_limit);
        }
    }

    /// What an answer means for a job that ends with it.
    fn end(&mut self, answer: Answer) -> Outcome {
        match answer {
            Answer::NotFound => Outcome::NotFound,
            Answer::ServerError { code, .. } => Outcome::ServerError(code),
            Answer::Rejected(code) => Outcome::Rejected(code),
            Answer::Busy | Answer::Lost(Trouble::TimedOut) => Outcome::GaveUp,
            Answer::Lost(trouble) => Outcome::Error(trouble.to_string()),
            Answer::Elsewhere(text) | Answer::Unreadable(text) => Outcome::Error(text),
            Answer::Data(_) => Outcome::Error("an answer that was not asked for".to_owned()),
        }
    }

    /// Reports a task as it came: its own members, its own text.
    fn report(&self, standing: Standing, task: &str) -> Outcome {
        let mut task = task.to_owned();
        match Json::parse(&task) {
            Ok(json) if json.text().starts_with(['{', '[']) => {
                if self.defects.has(defects::STRICT_SHAPE)
                    && let Some(name) = defects::unknown_member(&json, &self.arguments.members)
                {
                    return Outcome::Crash { how: format!("unknown member `{name}`") };
                }
            }
            _ => return Outcome::Error("the answer is no task".to_owned()),
        }
        if self.defects.has(defects::ZERO_FILL)
            && let Ok(json) = Json::parse(&task)
        {
            task = defects::zero_filled(&json, &self.arguments.members);
        }
        if self.defects.has(defects::THROUGH_FLOATS)
            && let Ok(json) = Json::parse(&task)
        {
            task = defects::through_floats(&json);
        }
        Outcome::Task { standing, task }
    }

    /// Where the task with this id is, or whatever else is asked for in its place.
    fn task_path(&self, id: &str) -> String {
        let usual = || format!("{TASKS}/{}", utf8_percent_encode(id, ENCODED));
        self.arguments.path.clone().unwrap_or_else(usual)
    }

    /// Where what was just made is polled.
    fn made_path(&self, id: &str) -> String {
        let polls = self.arguments.polls.as_deref().unwrap_or(TASKS);
        format!("{}/{}", polls.trim_end_matches('/'), utf8_percent_encode(id, ENCODED))
    }

    fn task_request(&self, path: &str, fields: Option<&str>) -> Request {
        let is_get = self.arguments.job == Job::Get;
        let doubles = is_get
            && self.defects.has(defects::DOUBLE_API)
            && fields.is_some_and(|fields| names(fields, &["assigned_to"]));
        let api = if doubles { "/api/api" } else { "/api" };
        let mut target = format!("{}{api}{path}", self.console.prefix());
        if let Some(fields) = fields {
            let mut encoded = utf8_percent_encode(fields, ENCODED).to_string();
            let is_long = top_level(fields).len() > 2;
            if is_get && is_long && self.defects.has(defects::ENCODES_TWICE) {
                encoded = utf8_percent_encode(&encoded, ENCODED).to_string();
            }
            target.push_str("?fields=");
            target.push_str(&encoded);
        }
        self.request("GET", target)
    }

    fn creation(&self) -> Request {
        // Without the id there would be no task to wait for: then the whole answer is asked for.
        let fields = self.arguments.fields.as_deref();
        let fields = fields.filter(|fields| names(fields, &[&self.arguments.id_member]));
        match &self.arguments.path {
            Some(path) => {
                let body = self.arguments.body.clone().unwrap_or_default();
                self.write("POST", path, fields, body)
            }
            None => {
                let small = self.defects.has(defects::SMALL_NAME).then(|| self.arguments.name.to_lowercase());
                let name = quote(small.as_ref().unwrap_or(&self.arguments.name));
                let body = format!(r#"{{"name":{name},"assigned_to":["analyst"]}}"#);
                self.write("POST", CASES, fields, body)
            }
        }
    }

    /// A write, with `fields` in a header.
    fn write(&self, method: &str, path: &str, fields: Option<&str>, body: String) -> Request {
        let mut request = self.request(method, format!("{}/api{path}", self.console.prefix()));
        if let Some(fields) = fields {
            request.headers.push("fields", fields.to_owned());
        }
        if body.is_empty() {
            request.headers.push("Content-Length", "0");
            return request;
        }
        request.headers.push("Content-Type", "application/json");
        request.headers.push("Content-Length", body.len().to_string());
        request.body = Bytes::from(body);
        request
    }

    fn request(&self, method: &str, target: String) -> Request {
        Request::new(method, &target)
            .with("Host", self.console.authority())
            .with("Version", "26.0")
            .with("Accept", "application/json")
            .with("User-Agent", self.arguments.agent)
            .with("Connection", "close")
    }

    /// Waits before a repetition; `false` if there is no time for one.
    fn back_off(&mut self, retry: u32) -> bool {
        let pause = (BACK_OFF * (1 << retry)).max(self.asked_to_wait.unwrap_or_default());
        if Instant::now() + pause >= self.until {
            return false;
        }
        self.pause(pause);
        !self.is_time_up()
    }

    fn pause(&self, pause: Duration) {
        std::thread::sleep(pause.min(self.until.saturating_duration_since(Instant::now())));
    }

    fn is_time_up(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Says it once.
    fn warn(&mut self, text: &str) {
        if !std::mem::replace(&mut self.has_warned, true) {
            self.remark(text);
        }
    }

    fn remark(&mut self, text: &str) {
        // A remark that nobody can read changes nothing.
        let _ = writeln!(self.err, "{text}");
    }
}

/// For how long an answer asks to be left alone (`Retry-After` in seconds), within reason.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds: u32 = response.headers.text("Retry-After")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.into()))
}

/// The task's state, in either spelling of its key.
fn state(task: &str) -> Option<String> {
    let json = Json::parse(task).ok()?;
    let state = json.member("state").or_else(|| json.member("status"))?;
    state.as_str().map(str::to_owned)
}

/// The task's id as it stands in a path; the id of the case (`case_id`) is another.
fn id(task: &str, member: &str) -> Option<String> {
    let json = Json::parse(task).ok()?;
    let id = json.member(member)?;
    id.as_str().filter(|id| !id.is_empty()).map(str::to_owned).or(id.as_i128().map(|_| id.text().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_and_id_are_found_in_both_dialects() {
        assert_eq!(state(r#"{"status":"WAITING"}"#).as_deref(), Some("WAITING"));
        assert_eq!(state(r#"{"state":"COMPLETE","id":1}"#).as_deref(), Some("COMPLETE"));
        assert_eq!(state(r#"{"state":7}"#), None);
        assert_eq!(id(r#"{"case_id":1,"id":90071992547409931}"#, "id").as_deref(), Some("90071992547409931"));
        assert_eq!(id(r#"{"search_id":"a-7"}"#, "search_id").as_deref(), Some("a-7"));
        assert_eq!((id(r#"{"id":""}"#, "id"), id(r#"{"id":[7]}"#, "id")), (None, None));
    }
}
