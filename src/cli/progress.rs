//! What is said while a client is judged: on a terminal one line that changes, elsewhere a line now and then.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::output;
use crate::judge::Progress;
use crate::report::visible;

/// How often the line on a terminal changes, at most.
const CHANGES_EVERY: Duration = Duration::from_millis(100);
/// How often a line is written where nobody watches: a run that is over before has none.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often it is looked whether a line is due, although no case came to its end.
const LOOKS_EVERY: Duration = Duration::from_millis(500);
/// For how long there is no telling how fast it goes.
const GUESSED_FROM: Duration = Duration::from_secs(1);

/// Says what a judgement of `client` is at, and where a counter-example was saved; also while one case takes long.
pub(super) fn teller(client: &str) -> impl Fn(Progress) + Send + Sync + use<> {
    teller_of(client, "cases")
}

/// The same of any work that comes in pieces, called `pieces`.
pub(super) fn teller_of(name: &str, pieces: &'static str) -> impl Fn(Progress) + Send + Sync + use<> {
    let judging = Judging::of(name, output::is_watched(), Instant::now());
    let judging = Arc::new(Mutex::new(Judging { pieces, ..judging }));
    keep_telling(Arc::downgrade(&judging));
    move |progress| {
        put_out(judging.lock().unwrap_or_else(PoisonError::into_inner).after(progress, Instant::now()));
    }
}

/// Looks from time to time whether a line is due, until nobody tells anything any more. Without a thread there is a line
/// when a case comes to its end.
fn keep_telling(judging: Weak<Mutex<Judging>>) {
    let look = move || {
        loop {
            thread::sleep(LOOKS_EVERY);
            let Some(judging) = judging.upgrade() else { break };
            // Said while it is held: nothing follows the last line of the teller.
            let mut judging = judging.lock().unwrap_or_else(PoisonError::into_inner);
            put_out(judging.meanwhile(Instant::now()));
        }
    };
    let _ = thread::Builder::new().name("progress".to_owned()).spawn(look);
}

fn put_out(words: Option<Said>) {
    match words {
        Some(Said::Line(line)) => output::note(&line),
        Some(Said::Status(line)) => output::status(&line),
        None => {}
    }
}

/// The same, without a line for each file that is saved: the report names them all.
pub(super) fn quiet_teller(client: &str) -> impl Fn(Progress) + Send + Sync + use<> {
    let tell = teller(client);
    move |progress| {
        if output::is_watched() || !matches!(progress, Progress::Saved { .. }) {
            tell(progress);
        }
    }
}

/// One step of a longer piece of work.
pub(super) fn step(text: &str) {
    if output::is_watched() {
        output::note(text);
    }
}

/// What is to be said.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// A line that stays.
    Line(String),
    /// A line that the next one takes the place of.
    Status(String),
}

/// How far a judgement is.
#[derive(Debug)]
struct Judging {
    client: String,
    pieces: &'static str,
    is_watched: bool,
    began: Instant,
    said: Instant,
    /// How many cases there are in all, and how many are through.
    all: usize,
    done: usize,
    /// The scenario that is on.
    name: String,
    /// The property whose smallest case is looked for, and how many were tried.
    shrinks: Option<(String, u32)>,
}

impl Judging {
    fn of(client: &str, is_watched: bool, now: Instant) -> Self {
        let client = visible(client).into_owned();
        Self {
            client,
            pieces: "cases",
            is_watched,
            began: now,
            said: now,
            all: 0,
            done: 0,
            name: String::new(),
            shrinks: None,
        }
    }

    /// What is to be said where nothing came to its end.
    fn meanwhile(&mut self, now: Instant) -> Option<Said> {
        self.due(now, |judging| judging.line(now))
    }

    /// What is to be said after this.
    fn after(&mut self, progress: Progress, now: Instant) -> Option<Said> {
        match progress {
            Progress::Plans { cases } => {
                (self.all, self.began) = (cases, now);
                None
            }
            Progress::Begins { name, .. } => {
                self.name = visible(&name).into_owned();
                self.shrinks = None;
                self.due(now, |judging| judging.line(now))
            }
            Progress::Ran { .. } => {
                self.done += 1;
                self.due(now, |judging| judging.line(now))
            }
            Progress::Shrinks { property, tries } => {
                self.shrinks = Some((visible(&property).into_owned(), tries));
                self.due(now, |judging| judging.line(now))
            }
            Progress::Saved { path } => {
                Some(Said::Line(format!("saved {}", visible(&path.display().to_string()))))
            }
        }
    }

    /// The line, if it is time for one.
    fn due(&mut self, now: Instant, line: impl FnOnce(&Self) -> String) -> Option<Said> {
        let every = if self.is_watched { CHANGES_EVERY } else { LINE_EVERY };
        if now.duration_since(self.said) < every {
            return None;
        }
        self.said = now;
        let line = line(self);
        Some(if self.is_watched { Said::Status(line) } else { Said::Line(line) })
    }

    /// Cases done, rate, time left, and what is on.
    fn line(&self, now: Instant) -> String {
        if let Some((property, tries)) = &self.shrinks {
            let client = &self.client;
            return format!("{client}: {property} is broken, looking for the smallest case, try {tries}");
        }
        if self.all == 0 {
            return format!("{}: looking at what it writes where nothing goes wrong", self.client);
        }
        let mut line = format!("{}: {} of {} {}", self.client, self.done, self.all, self.pieces);
        let took = now.duration_since(self.began);
        if took >= GUESSED_FROM && self.done > 0 {
            // Numbers of cases are far below 2^52.
            let rate = self.done as f64 / took.as_secs_f64();
            let left = self.all.saturating_sub(self.done) as f64 / rate;
            let digits = if rate < 10.0 { 1 } else { 0 };
            line.push_str(&format!(", {rate:.digits$} a second, {} left", duration(left)));
        }
        if !self.name.is_empty() {
            line.push_str(&format!(": {}", self.name));
        }
        line
    }
}

/// A time in words, about.
fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 100.0 => format!("about {seconds:.0} s"),
        seconds if seconds < 6_000.0 => format!("about {:.0} min", seconds / 60.0),
        seconds => format!("about {:.1} h", seconds / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of 400 cases, one every 100 ms.
    fn words(is_watched: bool) -> Vec<(u64, Said)> {
        let begin = Instant::now();
        let mut judging = Judging::of("mine", is_watched, begin);
        judging.after(Progress::Plans { cases: 400 }, begin);
        judging.after(Progress::Begins { name: "task/slow-host".into(), cases: 400 }, begin);
        let ran = |n: u64| {
            let now = begin + Duration::from_millis(100 * n);
            Some((n, judging.after(Progress::Ran { done: 1, of: 400 }, now)?))
        };
        (1..=400).filter_map(ran).collect()
    }

    #[test]
    fn a_terminal_has_one_line_with_cases_rate_and_time_left() {
        let said = words(true);
        assert_eq!(said.len(), 400);
        let (_, last) = &said[99];
        let expected = "mine: 100 of 400 cases, 10 a second, about 30 s left: task/slow-host";
        assert_eq!(*last, Said::Status(expected.to_owned()));
        let (_, first) = &said[0];
        assert_eq!(*first, Said::Status("mine: 1 of 400 cases: task/slow-host".to_owned()));
    }

    #[test]
    fn elsewhere_there_is_a_line_every_ten_seconds_and_none_of_a_short_run() {
        let said = words(false);
        let at: Vec<u64> = said.iter().map(|(n, _)| *n).collect();
        assert_eq!(at, [100, 200, 300, 400]);
        assert!(said.iter().all(|(_, said)| matches!(said, Said::Line(_))), "{said:?}");
    }

    #[test]
    fn a_case_that_takes_long_is_told_of_at_the_same_pace() {
        let begin = Instant::now();
        let mut judging = Judging::of("mine", false, begin);
        let mut said = Vec::new();
        for second in 1..=70_u64 {
            let now = begin + Duration::from_secs(second);
            match second {
                12 => drop(judging.after(Progress::Plans { cases: 2 }, now)),
                13 => said.extend(judging.after(Progress::Begins { name: "slow".into(), cases: 2 }, now)),
                32 => said.extend(judging.after(Progress::Ran { done: 1, of: 2 }, now)),
                _ => said.extend(judging.meanwhile(now)),
            }
        }
        let line = |text: &str| Said::Line(format!("mine: {text}"));
        assert_eq!(
            said,
            [
                line("looking at what it writes where nothing goes wrong"),
                line("0 of 2 cases: slow"),
                line("0 of 2 cases: slow"),
                line("1 of 2 cases, 0.0 a second, about 28 s left: slow"),
                line("1 of 2 cases, 0.0 a second, about 38 s left: slow"),
                line("1 of 2 cases, 0.0 a second, about 48 s left: slow"),
                line("1 of 2 cases, 0.0 a second, about 58 s left: slow"),
            ]
        );
    }

    #[test]
    fn a_file_that_is_saved_is_told_to_anybody_at_once() {
        let now = Instant::now();
        for is_watched in [true, false] {
            let mut judging = Judging::of("mine", is_watched, now);
            let said = judging.after(Progress::Saved { path: "x.toml".into() }, now);
            assert_eq!(said, Some(Said::Line("saved x.toml".to_owned())));
        }
    }

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        assert_eq!(duration(12.4), "about 12 s");
        assert_eq!(duration(200.0), "about 3 min");
        assert_eq!(duration(9_000.0), "about 2.5 h");
    }
}
