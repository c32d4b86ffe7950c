//! Asking a console, gently and within limits.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::plan::{Plan, Progress, Tell};
use super::question::{Answer, Question};
use crate::message::Response;
use crate::record::{AskError, Asking};

/// The longest answer, in bytes.
const ANSWER_MAX: usize = 8 * 1024 * 1024;
/// All answers together, in bytes.
const ALL_MAX: usize = 512 * 1024 * 1024;
/// How long one answer may take in all: a console may trickle within every step.
const ANSWER_WAIT: Duration = Duration::from_secs(120);
/// How often a console may ask for patience (429), in all.
const PATIENCE_MAX: u32 = 5;
/// How long it is given where it does not say.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest time it is given.
const PATIENCE_LONGEST: Duration = Duration::from_secs(60);
/// So many answers in a row without one that counts, and the console is left alone.
const TROUBLES_MAX: u32 = 5;
/// So many refusals for want of rights in a row, with nothing granted yet, and the token is of no use.
const FORBIDDEN_MAX: u32 = 20;

/// Why nothing more is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stop {
    #[error("as many requests were sent as were allowed")]
    Requests,
    #[error("the time that was allowed is over")]
    Time,
    #[error("512 MiB of answers came")]
    Bytes,
    #[error("the console does not take the token (401)")]
    Unauthorised,
    #[error("this token may not see anything (403)")]
    Forbidden,
    #[error("the console asks for fewer requests (429)")]
    Crowded,
    #[error("the console is in trouble or away: {0}")]
    Trouble(String),
    #[error("the console was not reached: {0}")]
    Unreached(String),
    #[error("interrupted")]
    Interrupted,
}

impl Stop {
    /// Whether it is a limit of the plan's: then what was found stands.
    pub(super) fn is_planned(&self) -> bool {
        matches!(self, Self::Requests | Self::Time | Self::Bytes)
    }
}

/// What came of a question.
#[derive(Clone, Debug)]
pub(super) enum Came {
    Answer(Answer),
    /// No answer that can be read, and why.
    Nothing(String),
}

/// A conversation with one console.
#[derive(Debug)]
pub(super) struct Talk {
    asking: Asking,
    gap: Duration,
    next: Instant,
    until: Instant,
    left: u32,
    bytes: usize,
    patience: u32,
    troubles: u32,
    forbidden: u32,
    unauthorised: u32,
    granted: bool,
    /// Requests sent, for the report.
    pub(super) sent: u64,
}

impl Talk {
    pub(super) fn new(asking: Asking, plan: &Plan) -> Self {
        let now = Instant::now();
        Self {
            asking,
            gap: Duration::from_secs(1) / plan.rate.max(1),
            next: now,
            until: now + plan.time,
            left: plan.requests,
            bytes: 0,
            patience: 0,
            troubles: 0,
            forbidden: 0,
            unauthorised: 0,
            granted: false,
            sent: 0,
        }
    }

    /// Asks, as soon as the pace allows it. A console that asks for patience is given it.
    pub(super) async fn ask(&mut self, question: &Question, tell: Tell<'_>) -> Result<Came, Stop> {
        for _ in 0..=PATIENCE_MAX {
            let response = match self.once(question).await? {
                Ok(response) => response,
                Err(why) => return self.nothing(why),
            };
            if response.status != 429 {
                return self.came(question, &response).map(Came::Answer);
            }
            self.patience += 1;
            if self.patience > PATIENCE_MAX {
                return Err(Stop::Crowded);
            }
            // From here on it goes slower, too.
            self.gap = (self.gap * 2).min(PATIENCE_LONGEST);
            let wait = patience(&response);
            tell(Progress::Waits(wait));
            sleep(wait).await;
        }
        Err(Stop::Crowded)
    }

    /// One request; within, why no answer came of it.
    async fn once(&mut self, question: &Question) -> Result<Result<Response, String>, Stop> {
        if self.left == 0 {
            return Err(Stop::Requests);
        }
        if self.bytes > ALL_MAX {
            return Err(Stop::Bytes);
        }
        if Instant::now() + self.gap >= self.until {
            return Err(Stop::Time);
        }
        sleep_until(self.next).await;
        self.next = Instant::now() + self.gap;
        self.left -= 1;
        self.sent += 1;
        let headers: Vec<(&str, &str)> =
            question.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let target = question.target();
        let asked = self.asking.ask(question.method, &target, &headers, question.credited, ANSWER_MAX);
        let within = (Instant::now() + ANSWER_WAIT).min(self.until);
        match timeout_at(within, asked).await {
            Err(_) if within == self.until => Err(Stop::Time),
            Err(_) => Ok(Err(format!("the answer was not over within {} s", ANSWER_WAIT.as_secs()))),
            Ok(Ok(response)) => Ok(Ok(response)),
            // It will not be otherwise the next time.
            Ok(Err(AskError::Dial(error))) if !self.granted && self.troubles == 0 => {
                Err(Stop::Unreached(format!("{} ({})", error.brief(), error.help())))
            }
            Ok(Err(error)) => Ok(Err(error.to_string())),
        }
    }

    fn nothing(&mut self, why: String) -> Result<Came, Stop> {
        self.troubles += 1;
        if self.troubles >= TROUBLES_MAX { Err(Stop::Trouble(why)) } else { Ok(Came::Nothing(why)) }
    }

    fn came(&mut self, question: &Question, response: &Response) -> Result<Answer, Stop> {
        let answer = Answer::of(response);
        self.bytes += response.body.len();
        match answer.status {
            502..=504 => self.troubles += 1,
            _ => self.troubles = 0,
        }
        if self.troubles >= TROUBLES_MAX {
            return Err(Stop::Trouble(format!("it answers {}", answer.status)));
        }
        if !question.credited {
            return Ok(answer);
        }
        match answer.status {
            // An account may be locked by many wrong tokens: one is enough.
            401 if !self.granted || self.unauthorised > 0 => return Err(Stop::Unauthorised),
            401 => self.unauthorised += 1,
            403 => self.forbidden += 1,
            200..=299 => {
                (self.granted, self.forbidden, self.unauthorised) = (true, 0, 0);
            }
            _ => {}
        }
        match self.forbidden >= FORBIDDEN_MAX && !self.granted {
            true => Err(Stop::Forbidden),
            false => Ok(answer),
        }
    }
}

/// How long a console wants to be left alone.
fn patience(response: &Response) -> Duration {
    let wanted = response.headers.text("Retry-After").and_then(|text| text.trim().parse().ok());
    wanted.map_or(PATIENCE, Duration::from_secs).min(PATIENCE_LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_is_given_the_time_it_asks_for_within_reason() {
        let asks = |text: Option<&str>| {
            let mut response = Response::new(429);
            text.into_iter().for_each(|text| response.headers.push("Retry-After", text.to_owned()));
            patience(&response).as_secs()
        };
        assert_eq!((asks(Some("7")), asks(None), asks(Some("soon")), asks(Some("9999"))), (7, 5, 5, 60));
    }
}
