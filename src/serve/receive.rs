//! One request off the wire, within the limits.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Answer;
use super::connection::Site;
use super::head::{self, BodyFraming, Head};
use super::hosts;
use super::io::{Io, Window};
use super::limits::{FIRST_LINE_MAX, HEADERS_MAX, Limits, ROOM_UNIT};
use super::met::Whole;
use super::origins;
use super::patience::{Patience, Waited, allowance, from_now, while_placed, within};
use super::places::{Place, Standing};
use super::proxy::{self, Destination, Tunnels};
use super::refusal::Unfit;
use super::tunnel;

/// What became of the wait for a request.
pub(super) enum Received<T> {
    /// A whole request.
    Request(Arrived<T>),
    /// A whole CONNECT: from here on the connection is a tunnel.
    Tunnel(Destination),
    /// What came in is answered by the listener itself, for this reason; then the connection is closed. The bytes are
    /// what is known of the head.
    Refused(Unfit, Bytes),
    /// Nothing is left to say: the peer left, or the listener stops.
    Over,
    /// No byte came in time; the connection is closed without a word.
    Silent,
}

/// A whole request.
pub(super) struct Arrived<T> {
    pub(super) whole: Whole<T>,
    /// The room its body takes, for as long as this is held.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

fn too_long() -> Unfit {
    Unfit::new(413, "the request body is longer than this listener accepts")
}

fn too_slow(place: &Place) -> Unfit {
    if place.is_leaving() {
        return Unfit::new(408, "the request came slowly, and another connection needed its place").later();
    }
    Unfit::new(408, "the request did not arrive in time")
}

/// Waits for the next request, at most `first` for its first byte.
pub(super) async fn receive<A: Answer>(
    io: &mut Io,
    site: &Site<A>,
    place: &Place,
    first: Duration,
    patience: &mut Patience,
) -> Received<A::Asked> {
    let length = match raw_head(io, &site.limits, place, first, patience).await {
        Ok(length) => length,
        Err(Unread::Refused(unfit, start)) => return Received::Refused(unfit, start),
        Err(Unread::Over) => return Received::Over,
        Err(Unread::Silent) => return Received::Silent,
    };
    let head = io.ahead.get(..length).unwrap_or_default();
    if let Some(tunnels) = site.tunnels.as_ref().filter(|_| !io.is_tunnel() && tunnel::is_asked_for(head)) {
        let raw = Bytes::copy_from_slice(head);
        return match destination(io, tunnels, &raw) {
            Ok(to) => Received::Tunnel(to),
            Err(unfit) => Received::Refused(unfit, raw),
        };
    }
    if let Some(whole) = site.met.get(head, io.entrance()) {
        io.ahead.advance(length);
        return Received::Request(Arrived { whole, room: None });
    }
    let raw = Bytes::copy_from_slice(head);
    match whole(io, site, place, &raw).await {
        Ok(arrived) => Received::Request(arrived),
        Err(unfit) => Received::Refused(unfit, raw),
    }
}

/// Where the CONNECT leads whose head is `raw`. A client waits for its tunnel: what came behind the head was meant for
/// nobody.
fn destination(io: &mut Io, tunnels: &Tunnels, raw: &Bytes) -> Result<Destination, Unfit> {
    let to = proxy::destination(raw, &tunnels.reach)?;
    io.ahead.advance(raw.len());
    match io.ahead.is_empty() {
        true => Ok(to),
        false => Err(Unfit::new(400, "bytes came behind a CONNECT before its tunnel was open")),
    }
}

/// The request whose head is `raw`, which stands at the front of `io.ahead`.
async fn whole<A: Answer>(
    io: &mut Io,
    site: &Site<A>,
    place: &Place,
    raw: &Bytes,
) -> Result<Arrived<A::Asked>, Unfit> {
    let limits = &site.limits;
    let Head { mut request, body, keep_alive, stand_in } = head::parse(raw)?;
    let entrance = io.entrance();
    let reach = site.tunnels.as_ref().map(|tunnels| &tunnels.reach);
    hosts::admit(&mut request, &site.hosts, reach, entrance)?;
    if site.answer.keeps_strange_pages_out() {
        origins::check(&request, &site.hosts, &site.origins, entrance.at)?;
    }
    let window = match body {
        BodyFraming::Chunked => usize::MAX,
        BodyFraming::Length(length) => match usize::try_from(length) {
            Ok(length) if length <= limits.body_bytes => stand_in.len() + length,
            _ => return Err(too_long()),
        },
    };
    let after = io.ahead.split_off(raw.len().min(io.ahead.len()));
    io.ahead = stand_in;
    io.ahead.unsplit(after);
    match through_hyper(io, window, site, place).await {
        (Some(Collected::Whole(whole, room)), _) if fits(body, &whole) => {
            request.body = whole;
            let (head_only, version) = (request.method == "HEAD", request.version);
            let is_all = body == BodyFraming::Length(0) && !request.headers.has("Expect");
            let asked = Arc::new(site.answer.asked(request));
            let whole = Whole { asked, head_only, version, keep_alive };
            if is_all {
                site.met.put(raw.clone(), entrance, whole.clone());
            }
            Ok(Arrived { whole, room })
        }
        (Some(Collected::TooLong), _) => Err(too_long()),
        (Some(Collected::Stalled), _) => Err(too_slow(place)),
        (Some(Collected::NoRoom), _) => {
            Err(Unfit::new(503, "too many request bodies at one time; try again in a second").later())
        }
        (Some(Collected::Whole(..) | Collected::Broken) | None, verdict) => {
            Err(Unfit::new(verdict.unwrap_or(400), "the request is not framed as its head says"))
        }
    }
}

fn fits(framing: BodyFraming, body: &Bytes) -> bool {
    match framing {
        BodyFraming::Chunked => true,
        BodyFraming::Length(length) => length == body.len() as u64,
    }
}

/// Why no whole head came.
enum Unread {
    /// As [`Received::Refused`].
    Refused(Unfit, Bytes),
    /// As [`Received::Over`].
    Over,
    /// As [`Received::Silent`].
    Silent,
}

/// Reads until a whole head stands at the front of `io.ahead`, and gives its length.
async fn raw_head(
    io: &mut Io,
    limits: &Limits,
    place: &Place,
    first: Duration,
    patience: &mut Patience,
) -> Result<usize, Unread> {
    let mut seen = 0;
    let mut look_again_at = 1;
    let mut until = None;
    loop {
        if seen == 0 {
            let blank = head::leading_blank(&io.ahead);
            if blank > 0 {
                let _ = io.ahead.split_to(blank);
            }
        }
        let end = head::end(&io.ahead, seen);
        if end.unwrap_or(io.ahead.len()) > limits.head_bytes {
            return Err(refused(head_too_long(io, limits), io));
        }
        if let Some(end) = end {
            return Ok(end);
        }
        let began = seen > 0;
        seen = io.ahead.len();
        // What is not HTTP is answered at once; looking at doubled lengths only keeps a drip of bytes cheap.
        if seen >= look_again_at {
            look_again_at = 2 * seen;
            head::begun(&io.ahead).map_err(|unfit| refused(unfit, io))?;
        }
        let begins = seen > 0 && !began;
        if begins {
            place.now(Standing::Waiting);
        }
        let until = match until {
            Some(until) if !begins => until,
            _ => *until.insert(from_now(if seen > 0 { limits.head } else { first })),
        };
        // What came at the last moment counts if it ends the head; a drip earns no more time.
        if seen > 0 && tokio::time::Instant::now() >= until {
            return Err(refused(too_slow(place), io));
        }
        match patience.wait(until, io.fill()).await {
            Waited::Done(Ok(1..)) => {}
            Waited::Done(Ok(0) | Err(_)) if seen > 0 => {
                return Err(refused(Unfit::new(400, "the connection ended within the request head"), io));
            }
            Waited::Stopping if seen > 0 && place.is_leaving() => return Err(refused(too_slow(place), io)),
            Waited::Done(Ok(0) | Err(_)) | Waited::Stopping => return Err(Unread::Over),
            Waited::Late if seen > 0 => return Err(refused(too_slow(place), io)),
            Waited::Late => return Err(Unread::Silent),
        }
    }
}

fn refused(unfit: Unfit, io: &Io) -> Unread {
    let start = io.ahead.get(..FIRST_LINE_MAX).unwrap_or(&io.ahead);
    Unread::Refused(unfit, Bytes::copy_from_slice(start))
}

fn head_too_long(io: &Io, limits: &Limits) -> Unfit {
    let start = io.ahead.get(..limits.head_bytes).unwrap_or(&io.ahead);
    match start.contains(&b'\n') {
        true => Unfit::new(431, "the request head is longer than this listener accepts"),
        false => Unfit::new(414, "the request target is longer than this listener accepts"),
    }
}

/// What the service saw of a body.
enum Collected {
    Whole(Bytes, Option<OwnedSemaphorePermit>),
    TooLong,
    Stalled,
    NoRoom,
    Broken,
}

/// Runs one hyper connection over the next `window` bytes. The service keeps the body and then fails on purpose, which
/// makes hyper stop without answering. What it read beyond the request goes back to `io`. Also gives the status of an
/// answer that hyper made by itself.
async fn through_hyper<A: Answer>(
    io: &mut Io,
    window: usize,
    site: &Site<A>,
    place: &Place,
) -> (Option<Collected>, Option<u16>) {
    let (limits, bodies) = (&site.limits, &site.bodies);
    let slot = Mutex::new(None);
    let slot = &slot;
    let service = service_fn(move |request: hyper::Request<Incoming>| -> Collecting<'_> {
        Box::pin(async move {
            let collected = collect(request.into_body(), limits, bodies, place).await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(collected);
            Err(Stop)
        })
    });
    let window = Window { io, left: window, verdict: None };
    let mut connection = http1::Builder::new()
        .half_close(true)
        .max_headers(HEADERS_MAX)
        .max_buf_size(limits.head_bytes.max(8192))
        .serve_connection(window, service);
    // The outcome is in the slot; the error is the one the service made, or one hyper has answered.
    let _ = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    let parts = connection.into_parts();
    let Window { io, verdict, .. } = parts.io;
    if !parts.read_buf.is_empty() {
        let later = std::mem::replace(&mut io.ahead, BytesMut::from(parts.read_buf));
        io.ahead.extend_from_slice(&later);
    }
    (slot.lock().unwrap_or_else(PoisonError::into_inner).take(), verdict)
}

type Collecting<'a> = Pin<Box<dyn Future<Output = Result<hyper::Response<Empty<Bytes>>, Stop>> + Send + 'a>>;

async fn collect(mut body: Incoming, limits: &Limits, bodies: &Arc<Semaphore>, place: &Place) -> Collected {
    let began = Instant::now();
    let mut whole = BytesMut::new();
    let mut room = None;
    loop {
        let waited = began.elapsed();
        let wait = allowance(limits.body_idle, limits.least_rate, whole.len() as u64, waited);
        let frame = match while_placed(place, wait, body.frame()).await {
            None => return Collected::Stalled,
            Some(None) => return Collected::Whole(whole.freeze(), room),
            Some(Some(Err(_))) => return Collected::Broken,
            Some(Some(Ok(frame))) => frame,
        };
        // Trailers are read and left out: merging them into the head is how requests are smuggled.
        if let Ok(data) = frame.into_data() {
            let length = whole.len() + data.len();
            if length > limits.body_bytes {
                return Collected::TooLong;
            }
            if !make_room(&mut room, length, limits, bodies).await {
                return Collected::NoRoom;
            }
            whole.extend_from_slice(&data);
        }
    }
}

/// Takes as much of the room that all bodies share as one of `length` bytes needs.
async fn make_room(
    room: &mut Option<OwnedSemaphorePermit>,
    length: usize,
    limits: &Limits,
    bodies: &Arc<Semaphore>,
) -> bool {
    let held = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    let more = length.div_ceil(ROOM_UNIT).saturating_sub(held);
    let Ok(more @ 1..) = u32::try_from(more) else { return more == 0 };
    match within(limits.room, Arc::clone(bodies).acquire_many_owned(more)).await {
        Some(Ok(more)) => match room {
            Some(room) => room.merge(more),
            None => *room = Some(more),
        },
        Some(Err(_)) | None => return false,
    }
    true
}

/// Makes hyper give the connection back.
#[derive(Debug)]
struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request is complete")
    }
}

impl std::error::Error for Stop {}
