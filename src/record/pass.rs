//! One request on its way to the console, and the answer on its way back: to the client as it comes, and to the cassette.
//!
//! A client that leaves takes its connection with it, not the answer: what the console was asked is read to the end, within
//! limits, and kept.

use std::pin::pin;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use super::Site;
use super::answer::{AnswerError, Part, Reader};
use super::bodies::Body;
use super::dial::{DialError, Line, dial};
use super::keep::Lost;
use super::outlet::Outlet;
use super::{own_answer, rewrite};
use crate::delivery::End;
use crate::message::{Headers, HttpVersion, Request, Response};
use crate::serve::Reply;

/// Bodies from this length on are searched for secrets on a thread of their own: others must not wait for it.
const LONG_BODY: usize = 256 * 1024;

/// Why a request has no answer that could be kept.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Nothing was sent.
    #[error(transparent)]
    Unreached(#[from] DialError),
    /// It was sent, and this is what the console did.
    #[error(transparent)]
    Unanswered(#[from] AnswerError),
}

impl Failure {
    fn status(&self) -> u16 {
        match self {
            Self::Unreached(DialError::Slow(_)) | Self::Unanswered(AnswerError::Slow { .. }) => 504,
            Self::Unreached(_) | Self::Unanswered(_) => 502,
        }
    }

    fn lost(&self) -> Lost {
        match self {
            Self::Unreached(_) => Lost::Unreached,
            Self::Unanswered(_) => Lost::Unanswered,
        }
    }

    fn brief(&self) -> String {
        match self {
            Self::Unreached(error) => error.brief(),
            Self::Unanswered(error) => error.to_string(),
        }
    }

    fn help(&self) -> String {
        match self {
            Self::Unreached(error) => format!("nothing was sent; {}", error.help()),
            Self::Unanswered(AnswerError::Slow { .. }) => {
                "the request was sent, and the console may have done what it asks; a slow one gets more time with --console-timeout SECONDS".to_owned()
            }
            Self::Unanswered(_) => {
                "the request was sent, and the console may have done what it asks; its answer is not recorded".to_owned()
            }
        }
    }
}

/// A request under way.
pub(super) struct Passing {
    site: Arc<Site>,
    request: Arc<Request>,
    /// The listener's address as this client knows it.
    base: String,
    place: u64,
    is_over: bool,
    /// Given back when all is over.
    _slot: OwnedSemaphorePermit,
}

/// An answer that is being read, and the other half of its connection.
struct Answering {
    reader: Reader<ReadHalf<Line>>,
    to: WriteHalf<Line>,
    /// Whether the connection can carry another request after the answer.
    goes_on: bool,
}

impl Answering {
    /// The connection, once the answer is over and if it can be used again.
    fn into_line(self) -> Option<(Line, BytesMut)> {
        let (from, buffer) = self.goes_on.then(|| self.reader.into_rest()).flatten()?;
        Some((from.unsplit(self.to), buffer))
    }
}

impl Drop for Passing {
    /// Whatever ends this task early (the end of its runtime, a panic), the request is accounted for.
    fn drop(&mut self) {
        if !self.is_over {
            let why = "the recording ended before the answer did";
            self.site.keeper.lost(Lost::Unanswered, &self.request, why);
        }
    }
}

impl Passing {
    pub(super) fn new(
        site: Arc<Site>,
        request: Arc<Request>,
        base: String,
        place: u64,
        slot: OwnedSemaphorePermit,
    ) -> Self {
        Self { site, request, base, place, is_over: false, _slot: slot }
    }

    /// Asks the console; `reply` gets what the client is sent. If the client is gone, the answer is read all the same.
    pub(super) async fn run(mut self, reply: oneshot::Sender<Reply>) {
        match self.ask().await {
            Ok((head, answering)) => self.through(head, answering, reply).await,
            Err(failure) => {
                let (status, brief) = (failure.status(), failure.brief());
                self.site.keeper.lost(failure.lost(), &self.request, &brief);
                self.site.pass(&self.request, status, &brief);
                let _ = reply.send(own_answer(status, &failure.to_string(), &failure.help()));
            }
        }
        self.is_over = true;
    }

    async fn ask(&self) -> Result<(Response, Answering), Failure> {
        let settings = &self.site.settings;
        let (asked, remark) = rewrite::to_console(&self.request, &settings.upstream);
        // What may not be done twice has a connection of its own: nobody knows what became of it on one that has gone.
        let kept = if self.request.is_read() { self.site.idle.take() } else { None };
        if let Some((line, buffer)) = kept {
            match self.ask_over((line, buffer), &asked, remark.as_ref()).await {
                (Ok(asked), _) => return Ok(asked),
                (Err(AnswerError::Malformed(_)), _) => self.site.idle.distrust(),
                (Err(AnswerError::Closed(_) | AnswerError::Reset | AnswerError::Io(_)), true) => {}
                (Err(error), _) => return Err(error.into()),
            }
        }
        let line = dial(&settings.upstream, &self.site.believer, settings.console_timeout).await?;
        if let Some(address) = line.peer() {
            // A name that leads to several addresses is left with the first of them.
            let _ = self.site.address.set(address);
        }
        Ok(self.ask_over((line, BytesMut::new()), &asked, remark.as_ref()).await.0?)
    }

    /// Asks over this connection; also whether not a byte came back.
    async fn ask_over(
        &self,
        (line, buffer): (Line, BytesMut),
        asked: &[u8],
        remark: Option<&String>,
    ) -> (Result<(Response, Answering), AnswerError>, bool) {
        let wait = self.site.settings.console_timeout;
        let (from, mut to) = split(line);
        let mut reader = Reader::new(from, buffer, wait);
        let mut is_written = false;
        let head = {
            let mut heading = pin!(reader.head(self.request.method == "HEAD"));
            let writing = async {
                to.write_all(asked).await?;
                to.flush().await
            };
            // A console may answer and close before it has read all; its answer counts, so a failed write does not.
            tokio::select! {
                biased;
                head = &mut heading => head,
                written = timeout(wait, writing) => match written {
                    Ok(written) => {
                        is_written = written.is_ok();
                        timeout(wait, heading)
                            .await
                            .unwrap_or(Err(AnswerError::Slow { did: "did not send the head of its answer", within: wait }))
                    }
                    Err(_) => Err(AnswerError::Slow { did: "did not take the request", within: wait }),
                },
            }
        };
        let is_untouched = reader.is_untouched();
        reader.notes.extend(remark.cloned());
        let asked = head.map(|head| {
            let is_kept = head.version == HttpVersion::Http11 && !head.headers.lists("Connection", "close");
            let goes_on = is_written && is_kept;
            (head, Answering { reader, to, goes_on })
        });
        (asked, is_untouched)
    }

    /// The answer's head to the client, then its body as it comes.
    async fn through(&self, head: Response, mut answering: Answering, reply: oneshot::Sender<Reply>) {
        let site = &self.site;
        site.settings.redactor.learn_response(&head);
        let moved = site.console.moved_to(&head);
        let mut live = head.clone();
        rewrite::to_client(&mut live, &site.console, &self.base);
        let outlet = Outlet::new(site.settings.syncing, live, self.place, reply);
        let chunked = head.headers.lists("Transfer-Encoding", "chunked") && self.request.method != "HEAD";
        let kept = Body::new(&site.budget, chunked);
        let status = head.status;
        let what = self.stream(head, kept, &mut answering.reader, outlet).await;
        if let Some((line, buffer)) = answering.into_line() {
            site.idle.put(line, buffer);
        }
        // Only now: the body may have given a secret away that stands in the target.
        site.pass(&self.request, status, &what);
        if let Some(to) = moved {
            site.remark_move(&to);
        }
    }

    async fn stream(
        &self,
        head: Response,
        mut kept: Body,
        reader: &mut Reader<ReadHalf<Line>>,
        mut outlet: Outlet,
    ) -> String {
        let mut left_by = None;
        loop {
            if !reader.is_ready() {
                outlet.waits();
            }
            let part = match left_by {
                None => tokio::select! {
                    biased;
                    () = outlet.left() => {
                        // Nobody waits for the rest but the cassette.
                        left_by = Some(Instant::now() + self.site.settings.console_timeout);
                        continue;
                    }
                    part = reader.part() => part,
                },
                Some(until) => match (kept.overflow(), timeout_at(until, reader.part()).await) {
                    (None, Ok(part)) => part,
                    (Some(why), _) => break self.lost(Lost::NotStored, why),
                    (None, Err(_)) => break self.lost(Lost::Unanswered, LEFT_AND_SLOW),
                },
            };
            match part {
                Ok(Part::Body(bytes)) => {
                    kept.push(&bytes);
                    outlet.body(bytes).await;
                }
                Ok(Part::End(trailers)) => {
                    if left_by.is_some() {
                        reader.notes.push("the client left before the end of the answer".to_owned());
                    }
                    let notes = std::mem::take(&mut reader.notes);
                    outlet.early_end(&trailers).await;
                    let what = match self.store(head, kept, &trailers, notes).await {
                        Ok(number) if self.site.keeper.committed(number).await => "recorded".to_owned(),
                        Ok(_) => {
                            outlet.uncommitted().await;
                            break UNCOMMITTED.to_owned();
                        }
                        Err(why) => why,
                    };
                    outlet.end(trailers).await;
                    break if left_by.is_some() {
                        format!("{what}, though the client had left")
                    } else {
                        what
                    };
                }
                Err(error) => {
                    // Counted before the client learns of it: whoever saw the break finds it in the account.
                    let what = self.lost(Lost::Unanswered, &error.to_string());
                    let end = if matches!(error, AnswerError::Reset) { End::Rst } else { End::Fin };
                    outlet.broken(end).await;
                    break what;
                }
            }
        }
    }

    fn lost(&self, how: Lost, why: &str) -> String {
        self.site.keeper.lost(how, &self.request, why);
        not_recorded(why)
    }

    /// Hands an interaction in; its number, or what to say instead.
    async fn store(
        &self,
        head: Response,
        mut kept: Body,
        trailers: &Headers,
        notes: Vec<String>,
    ) -> Result<u64, String> {
        if let Some(why) = kept.overflow() {
            return Err(self.lost(Lost::NotStored, why));
        }
        let (bytes, chunks) = kept.take();
        let is_long = bytes.len() >= LONG_BODY;
        let mut response = Response { body: bytes.into(), chunks, trailers: trailers.clone(), ..head };
        let mut request = Request::clone(&self.request);
        let (site, base, place) = (Arc::clone(&self.site), self.base.clone(), self.place);
        let mut keep = move || {
            let console = site.stored_console();
            console.leave_request(&mut request, &base);
            console.leave_response(&mut response);
            site.keeper.keep(place, &request, &response, &notes)
        };
        let kept = if is_long {
            // It fails only if keeping panics, which has been told already.
            let kept = tokio::task::spawn_blocking(keep).await;
            kept.unwrap_or_else(|_| Err("it could not be kept".to_owned()))
        } else {
            keep()
        };
        kept.map_err(|why| not_recorded(&why))
    }
}

const UNCOMMITTED: &str = "recorded, but not on the disk yet: the answer was broken off";
const LEFT_AND_SLOW: &str = "the client left, and the rest of the answer did not come in time";

fn not_recorded(why: &str) -> String {
    format!("not recorded: {why}")
}
