//! [`Door`]: a replay as a client in the same process asks it, without a socket.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::Replay;
use crate::delivery::{Delivery, End, Framing, Step};
use crate::message::{Request, Response};
use crate::serve::{Answer, Came, Performed};

/// A replay that is asked in memory: a whole answer, in its time, or none. What only a connection shows, its handshake, its
/// pieces, its bytes after an end, is not seen through a door.
#[derive(Clone, Debug)]
pub struct Door {
    replay: Arc<Replay>,
    /// Time begins with the first request.
    began: Arc<OnceLock<Instant>>,
}

/// No whole answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection ended before the answer was whole")]
pub struct Lost;

impl Door {
    /// A door to this replay.
    pub fn to(replay: Arc<Replay>) -> Self {
        Self { replay, began: Arc::default() }
    }

    /// Sends a request and waits for its answer; for ever, where the console says nothing.
    ///
    /// # Errors
    /// If the answer is cut short, or is not the one that its head speaks of.
    pub async fn ask(&self, request: Request) -> Result<Response, Lost> {
        let began = *self.began.get_or_init(Instant::now);
        let at = began.elapsed();
        let (is_head, clock) = (request.method == "HEAD", &self.replay.setup.clock);
        let (mut delivery, ticket) = self.replay.decide_as(request, Came::at(clock.of_scenario(at)));
        clock.hasten(&mut delivery);
        delivery.bodiless |= is_head;
        let mut report = Report { replay: &self.replay, ticket, began, at, sent: 0, cut_short: true };
        let is_whole = perform(&delivery, &mut report.sent).await;
        report.cut_short = false;
        if delivery.bodiless {
            delivery.response.body.clear();
        }
        if is_whole { Ok(delivery.response) } else { Err(Lost) }
    }
}

/// Lets the time of a delivery pass, and counts its bytes; whether a client has all of an answer then.
async fn perform(delivery: &Delivery, sent: &mut u64) -> bool {
    let size = delivery.image().size();
    let mut is_as_it_was = matches!(delivery.framing, Framing::AsRecorded | Framing::Chunked(_));
    let (mut next, mut rate) = (0, 0);
    for step in &delivery.steps {
        match step {
            Step::Wait(time) | Step::Beat(time) => tokio::time::sleep(*time).await,
            Step::Pace(bytes_a_second) => rate = *bytes_a_second,
            Step::Send(_) | Step::Raw(_) => {
                let bytes = step.sends(size);
                if rate > 0 {
                    tokio::time::sleep(Duration::from_secs_f64(bytes as f64 / rate as f64)).await;
                }
                *sent += bytes as u64;
                is_as_it_was &= matches!(step, Step::Send(range) if range.start == next);
                next += bytes;
            }
            Step::End(End::Hang) => std::future::pending().await,
            Step::End(end) => return is_as_it_was && next == size && *end != End::Rst,
        }
    }
    false
}

/// Calls `performed` when dropped, so also where the client no longer waits.
struct Report<'a> {
    replay: &'a Replay,
    ticket: u64,
    began: Instant,
    at: Duration,
    sent: u64,
    cut_short: bool,
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        let took = self.began.elapsed().saturating_sub(self.at);
        let what = Performed { at: self.at, took, sent_bytes: self.sent, cut_short: self.cut_short };
        self.replay.performed(self.ticket, what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cassette::{Cassette, Interaction};
    use crate::profile::Profile;
    use crate::scenario::Scenario;

    const TARGET: &str = "/api/forensics/case_management/case_create_tasks/7";

    fn request() -> Request {
        Request::new("GET", TARGET).with("Host", "localhost").with("SEC", "any")
    }

    /// What comes of asking where the first answer meets this fault.
    async fn asked(inject: &str) -> Result<Response, Lost> {
        let interactions = vec![Interaction {
            id: "one".to_owned(),
            endpoint: "".into(),
            request: request(),
            response: Response::json(200, r#"{"id":7,"state":"COMPLETE"}"#),
            by_recorder: false,
            moment: 0,
            notes: Vec::new(),
        }];
        let mut cassette = Cassette { interactions, ..Cassette::default() };
        cassette.canonicalise(Profile::builtin());
        let text =
            format!("[[fault]]\nwhen = {{ endpoint = \"case_create_tasks.get\" }}\ninject = {inject}\n");
        let scenario = Scenario::parse("one", "one.toml", &text, Profile::builtin()).unwrap();
        let setup = Replay::builder().recorded(cassette).under(scenario).setup().unwrap();
        let replay = Arc::new(Replay::new(setup));
        let answer = Door::to(Arc::clone(&replay)).ask(request()).await;
        assert_eq!(replay.account().sum.faults, 1, "{inject}");
        answer
    }

    #[tokio::test]
    async fn an_answer_comes_whole_and_late_or_not_at_all() {
        let began = Instant::now();
        let late = asked("{ latency = { ms = 30 } }").await.unwrap();
        assert!(began.elapsed() >= Duration::from_millis(30) && late.status == 200);
        assert_eq!(asked("{ api-error = { status = 500, code = 1020 } }").await.unwrap().status, 500);
        for cut in ["{ reset = { after_bytes = 0 } }", "{ truncate = { body_bytes = 5 } }", "{ close = {} }"]
        {
            assert_eq!(asked(cut).await, Err(Lost), "{cut}");
        }
        let silent = tokio::time::timeout(Duration::from_millis(50), asked("{ hang = {} }")).await;
        assert!(silent.is_err(), "{silent:?}");
    }
}
