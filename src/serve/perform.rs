//! From a [`Reply`] to bytes on a socket: the only place that misbehaves on purpose.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::Receiver;

use super::connection::{Phases, Site};
use super::io::Io;
use super::limits::Limits;
use super::pace::Schedule;
use super::patience::{allowance, while_placed, within};
use super::places::{Place, Standing};
use super::rendered::{Rendered, unchunk};
use super::{Answer, Performed, Piece, Reply, timer};
use crate::delivery::{Delivery, End, Framing, Image, Step};
use crate::message::{HttpVersion, Response};

/// What becomes of a connection after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// The next request may come.
    Keep,
    /// An orderly close.
    Close,
    /// A reset.
    Reset,
    /// The peer has left, or everything has been said: the socket is only dropped.
    Gone,
}

/// What the request has to say about its reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// When the request was whole, since the listener started.
    pub(super) at: Duration,
    /// Whether it was a HEAD: no body follows, whatever the reply holds.
    pub(super) head_only: bool,
    /// Whether the client wants the connection kept.
    pub(super) keep: bool,
    /// The version it speaks: a client of HTTP/1.0 does not know chunks.
    pub(super) version: HttpVersion,
}

/// Why a reply did not get through.
#[derive(Clone, Copy, Debug)]
enum CutShort {
    /// The peer went away.
    Left,
    /// The peer took nothing for too long, or the listener stopped.
    Stuck,
}

/// The pause between the last bytes and a reset, in which a client that waits for bytes wakes up and sees them alone.
pub(super) const SETTLE: Duration = Duration::from_millis(2);

/// Performs one reply and reports it, once, whatever happens.
pub(super) async fn reply<A: Answer>(
    io: &mut Io,
    site: &Site<A>,
    place: &Place,
    phases: &mut Phases,
    reply: Reply,
    asked: Asked,
) -> After {
    let mut report = Report { site, ticket: reply.ticket(), at: asked.at, sent: 0, cut_short: true };
    let mut wire =
        Wire { io, limits: &site.limits, place, phases, sent: &mut report.sent, stuck: Duration::ZERO };
    let through = match reply {
        Reply::Planned { delivery, .. } => wire.planned(delivery, asked).await,
        Reply::Rendered { rendered, .. } => wire.rendered(&rendered, asked).await.map(Through::at_once),
        Reply::Streamed { head, body, .. } => wire.streamed(head, body, asked).await.map(Through::at_once),
    };
    let Through { end, hold } = match through {
        Ok(through) => through,
        Err(CutShort::Left) => return After::Gone,
        Err(CutShort::Stuck) => return After::Reset,
    };
    if end == End::Hang {
        return wire.hang().await;
    }
    let settled = wire.settle(end).await;
    report.cut_short = settled.is_err();
    drop(report);
    let mut sent = 0;
    let mut wire = Wire { io, limits: &site.limits, place, phases, sent: &mut sent, stuck: Duration::ZERO };
    if !wire.hold(hold).await {
        return After::Gone;
    }
    match end {
        End::Keep => After::Keep,
        End::Fin => After::Close,
        End::Rst => After::Reset,
        // It has returned above.
        End::Hang => After::Gone,
        End::HalfClose => wire.half_close().await,
    }
}

/// What is left to do once all bytes are sent.
#[derive(Clone, Copy, Debug)]
struct Through {
    end: End,
    /// How long after a whole response its end comes. It holds nothing back: whoever leaves in it has all of it.
    hold: Duration,
}

impl Through {
    fn at_once(end: End) -> Self {
        Self { end, hold: Duration::ZERO }
    }
}

/// Calls `performed` exactly once: when dropped, so also if the connection is killed half-way.
struct Report<'a, A: Answer> {
    site: &'a Site<A>,
    ticket: u64,
    at: Duration,
    sent: u64,
    cut_short: bool,
}

impl<A: Answer> Drop for Report<'_, A> {
    fn drop(&mut self) {
        let took = self.site.began.elapsed().saturating_sub(self.at);
        let what = Performed { at: self.at, took, sent_bytes: self.sent, cut_short: self.cut_short };
        // A panic out of a drop that is itself part of a panic would end the process; it costs this report only.
        let _ = catch_unwind(AssertUnwindSafe(|| self.site.answer.performed(self.ticket, what)));
    }
}

/// One connection while it is being written to.
struct Wire<'a> {
    io: &'a mut Io,
    limits: &'a Limits,
    place: &'a Place,
    phases: &'a mut Phases,
    sent: &'a mut u64,
    /// How long the peer has let us wait.
    stuck: Duration,
}

impl Wire<'_> {
    async fn planned(&mut self, mut delivery: Delivery, asked: Asked) -> Result<Through, CutShort> {
        delivery.bodiless |= asked.head_only;
        if asked.version == HttpVersion::Http10 {
            unchunk(&mut delivery);
        }
        let image = delivery.image();
        let Steps { sending, after, end } = Steps::of(&delivery, image.size());
        let mut schedule = Schedule::begin(Instant::now());
        let mut whole = 0..0;
        let mut raw = false;
        for step in sending {
            match step {
                Step::Wait(wait) => schedule.later(self.wait(*wait).await?),
                Step::Beat(beat) => {
                    schedule.later(*beat);
                    self.until(schedule.due()).await?;
                }
                Step::Pace(pace) => schedule.pace(*pace),
                Step::Send(range) => {
                    let range = range.start.min(image.size())..range.end.min(image.size());
                    // Parts in order, without a gap or a repeat, add up to the whole response.
                    raw |= !range.is_empty() && range.start != whole.end;
                    whole.end = whole.end.max(range.end);
                    let (head, body) = parts(&image, &range);
                    self.paced(head.chain(body), &mut schedule).await?;
                }
                Step::Raw(bytes) => {
                    raw |= !bytes.is_empty();
                    self.paced(bytes.clone(), &mut schedule).await?;
                }
                Step::End(_) => {}
            }
        }
        let complete = !raw && whole.end == image.size();
        if !complete {
            self.wait(after).await?;
        }
        let keep = asked.keep && complete && delivery.is_delimited();
        let end = if end == End::Keep && !keep { End::Fin } else { end };
        Ok(Through { end, hold: if complete { after } else { Duration::ZERO } })
    }

    async fn rendered(&mut self, rendered: &Rendered, asked: Asked) -> Result<End, CutShort> {
        match rendered.body.is_empty() {
            true => self.send(&rendered.start[..]).await?,
            false => self.send((&rendered.start[..]).chain(&rendered.body[..])).await?,
        }
        Ok(if asked.keep && rendered.keeps { End::Keep } else { End::Fin })
    }

    async fn streamed(
        &mut self,
        head: Response,
        mut body: Receiver<Piece>,
        asked: Asked,
    ) -> Result<End, CutShort> {
        let bodiless = asked.head_only || matches!(head.status, 100..=199 | 204 | 304);
        let mut head = head;
        if asked.version == HttpVersion::Http10 {
            head.headers.remove("Transfer-Encoding");
        }
        let chunked = head.headers.lists("Transfer-Encoding", "chunked");
        let keep = asked.keep && head.allows_keeping();
        let mut left = head.declared_length();
        let head = Delivery { bodiless: true, ..Delivery::of(head) }.image().head;
        // A piece that is there already goes with the head: one write, and the peer wakes once.
        let mut next = body.try_recv().ok();
        let mut before = Some(head);
        if !matches!(&next, Some(Piece::Body(bytes)) if !bodiless && !bytes.is_empty())
            && let Some(head) = before.take()
        {
            self.send(head).await?;
        }
        loop {
            let piece = match next.take() {
                Some(piece) => Some(piece),
                None => tokio::select! {
                    biased;
                    piece = body.recv() => piece,
                    () = self.io.gone() => return Err(CutShort::Left),
                },
            };
            match piece {
                Some(Piece::Body(bytes)) if !bodiless && !bytes.is_empty() => {
                    left = left.map(|left| left.wrapping_sub(bytes.len() as u64));
                    let head = before.take().unwrap_or_default();
                    if chunked {
                        let size = Bytes::from(format!("{:x}\r\n", bytes.len()));
                        self.send(head.chain(size).chain(bytes).chain(&b"\r\n"[..])).await?;
                    } else {
                        self.send(head.chain(bytes)).await?;
                    }
                }
                Some(Piece::Body(_)) => {}
                Some(Piece::End(trailers)) => {
                    if chunked && !bodiless {
                        let mut last = Delivery::of(Response::new(200));
                        last.framing = Framing::Chunked(Vec::new());
                        last.response.trailers = trailers;
                        self.send(last.image().body).await?;
                    }
                    let delimited = bodiless || chunked || left == Some(0);
                    return Ok(if keep && delimited { End::Keep } else { End::Fin });
                }
                Some(Piece::Broken(end)) => return Ok(end),
                // Whoever sent the pieces is gone without an end: the client must not take it for one.
                None => return Ok(End::Rst),
            }
        }
    }

    async fn send(&mut self, mut bytes: impl Buf) -> Result<(), CutShort> {
        while bytes.has_remaining() {
            let (limits, began) = (self.limits, Instant::now());
            let wait = allowance(limits.write_idle, limits.least_rate, *self.sent, self.stuck);
            match while_placed(self.place, wait, self.io.write_buf(&mut bytes)).await {
                Some(Ok(0) | Err(_)) => return Err(CutShort::Left),
                Some(Ok(sent)) => *self.sent += sent as u64,
                None => return Err(CutShort::Stuck),
            }
            self.stuck += began.elapsed();
        }
        match while_placed(self.place, self.limits.write_idle, self.io.flush()).await {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(CutShort::Left),
            None => Err(CutShort::Stuck),
        }
    }

    /// Sends `bytes`, each when it is due.
    async fn paced(&mut self, mut bytes: impl Buf, schedule: &mut Schedule) -> Result<(), CutShort> {
        if !schedule.is_paced() {
            return self.send(bytes).await;
        }
        while bytes.has_remaining() {
            let slice = schedule.next(bytes.remaining(), Instant::now());
            self.until(schedule.due()).await?;
            self.send((&mut bytes).take(slice)).await?;
        }
        Ok(())
    }

    /// Sends nothing for `wait`, and says for how long it was.
    async fn wait(&mut self, wait: Duration) -> Result<Duration, CutShort> {
        if wait.is_zero() {
            return Ok(wait);
        }
        let began = Instant::now();
        match began.checked_add(wait) {
            Some(due) => self.until(due).await.map(|()| began.elapsed()),
            // No clock goes so far: only the peer can end it.
            None => {
                self.io.gone().await;
                Err(CutShort::Left)
            }
        }
    }

    /// Sends nothing before `due`. A client that closes its side meanwhile has given up, as far as anyone can tell.
    async fn until(&mut self, due: Instant) -> Result<(), CutShort> {
        self.place.now(Standing::Busy);
        tokio::select! {
            biased;
            () = timer::sleep_until(due) => Ok(()),
            () = self.io.gone() => Err(CutShort::Left),
        }
    }

    /// Keeps the connection as it is after a whole response; whether the peer is still there.
    async fn hold(&mut self, hold: Duration) -> bool {
        if hold.is_zero() {
            return true;
        }
        self.place.now(Standing::Busy);
        tokio::select! {
            biased;
            () = timer::sleep(hold) => true,
            () = self.phases.draining() => true,
            () = self.io.gone() => false,
        }
    }

    /// Lets what was sent arrive before a reset.
    async fn settle(&mut self, end: End) -> Result<(), CutShort> {
        if end != End::Rst || *self.sent == 0 {
            return Ok(());
        }
        match within(self.limits.write_idle, self.io.all_sent()).await {
            Some(Ok(())) => {}
            Some(Err(_)) => return Err(CutShort::Left),
            None => return Err(CutShort::Stuck),
        }
        timer::sleep(SETTLE).await;
        Ok(())
    }

    /// Closes the sending side, then holds the connection.
    async fn half_close(&mut self) -> After {
        if !matches!(within(self.limits.write_idle, self.io.shutdown()).await, Some(Ok(()))) {
            return After::Gone;
        }
        self.hang().await
    }

    /// Holds the connection in silence until the peer leaves or the listener stops.
    async fn hang(&mut self) -> After {
        self.place.now(Standing::Busy);
        tokio::select! {
            biased;
            () = self.io.discard() => After::Gone,
            () = self.phases.draining() => After::Reset,
            () = tokio::time::sleep(self.limits.hang) => After::Reset,
        }
    }
}

/// The steps of a delivery as far as its first end.
struct Steps<'a> {
    /// Up to the last one that sends a byte.
    sending: &'a [Step],
    /// The waits behind the last one that could send anything.
    after: Duration,
    end: End,
}

impl<'a> Steps<'a> {
    fn of(delivery: &'a Delivery, image_len: usize) -> Self {
        let is_end = |step: &Step| matches!(step, Step::End(_));
        let steps = delivery.steps.split(is_end).next().unwrap_or_default();
        let end = delivery.steps.iter().find_map(|step| match step {
            Step::End(end) => Some(*end),
            _ => None,
        });
        let could_send = |step: &Step| matches!(step, Step::Send(_) | Step::Raw(_));
        let until = |last: Option<usize>| last.map_or(0, |at| at + 1);
        let sending = steps.split_at(until(steps.iter().rposition(|step| step.sends(image_len) > 0))).0;
        let waits =
            steps.split_at(until(steps.iter().rposition(could_send))).1.iter().map(|step| match step {
                Step::Wait(wait) => *wait,
                _ => Duration::ZERO,
            });
        let after = waits.fold(Duration::ZERO, Duration::saturating_add);
        Self { sending, after, end: end.unwrap_or(End::Keep) }
    }
}

/// The part of the image in `range`, which lies within it, without the cost of sharing it.
fn parts<'a>(image: &'a Image, range: &Range<usize>) -> (&'a [u8], &'a [u8]) {
    let head = image.head.len();
    let (in_head, in_body) =
        (range.start.min(head)..range.end.min(head), range.start.max(head)..range.end.max(head));
    let body = image.body.get(in_body.start - head..in_body.end - head);
    (image.head.get(in_head).unwrap_or_default(), body.unwrap_or_default())
}
