//! One request off the wire, within the limits.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;

use super::head::{self, BodyFraming, Head, Unfit};
use super::io::{Io, Window};
use super::limits::{HEADERS_MAX, Limits};
use super::patience::{Patience, Waited, from_now, within};
use crate::message::Request;

/// What became of the wait for a request.
pub(super) enum Received {
    /// A whole request, and whether its client wants the connection kept.
    Request(Request, bool),
    /// A request that gets this status and reason, and then the connection is closed.
    Refused(u16, &'static str),
    /// Nothing is left to say: the peer left, or hyper has answered, or the listener stops.
    Over,
    /// No byte came in time; the connection is closed without a word.
    Silent,
}

const TOO_LONG: Received = Received::Refused(413, "the request body is longer than this listener accepts");
const TOO_SLOW: Received = Received::Refused(408, "the request did not arrive in time");

/// Waits for the next request, at most `first` for its first byte.
pub(super) async fn receive(
    io: &mut Io,
    limits: &Limits,
    first: Duration,
    patience: &mut Patience,
) -> Received {
    let raw = match raw_head(io, limits, first, patience).await {
        Ok(raw) => raw,
        Err(received) => return received,
    };
    let head = match head::parse(&raw) {
        Ok(head) => head,
        Err(Unfit::Malformed) => return refused_by_hyper(io, limits).await,
        Err(Unfit::Refused(status, why)) => return Received::Refused(status, why),
    };
    let window = match head.body {
        BodyFraming::Chunked => usize::MAX,
        BodyFraming::Length(length) => match usize::try_from(length) {
            Ok(length) if length <= limits.body_bytes => raw.len() + length,
            _ => return TOO_LONG,
        },
    };
    let (collected, answered) = through_hyper(io, window, limits).await;
    match collected {
        Some(Collected::Whole(body)) if fits(&head, &body) => {
            let Head { mut request, keep_alive, .. } = head;
            request.body = body;
            Received::Request(request, keep_alive)
        }
        Some(Collected::TooLong) => TOO_LONG,
        Some(Collected::Stalled) => TOO_SLOW,
        None if answered => Received::Over,
        Some(Collected::Whole(_) | Collected::Broken) | None => {
            Received::Refused(400, "the request body is not framed as its head says")
        }
    }
}

fn fits(head: &Head, body: &Bytes) -> bool {
    match head.body {
        BodyFraming::Chunked => true,
        BodyFraming::Length(length) => length == body.len() as u64,
    }
}

/// Reads until a whole head stands at the front of `io.ahead`, and gives a copy of it.
async fn raw_head(
    io: &mut Io,
    limits: &Limits,
    first: Duration,
    patience: &mut Patience,
) -> Result<Bytes, Received> {
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
        if let Some(end) = head::end(&io.ahead, seen) {
            let raw = io.ahead.get(..end).map(Bytes::copy_from_slice).unwrap_or_default();
            return if end > limits.head_bytes { Err(head_too_long()) } else { Ok(raw) };
        }
        let began = seen > 0;
        seen = io.ahead.len();
        if seen > limits.head_bytes {
            return Err(head_too_long());
        }
        // What is not HTTP is answered at once; looking at doubled lengths only keeps a drip of bytes cheap.
        if seen >= look_again_at {
            look_again_at = 2 * seen;
            if head::is_hopeless(&io.ahead) {
                return Err(refused_by_hyper(io, limits).await);
            }
        }
        let begins = seen > 0 && !began;
        let until = match until {
            Some(until) if !begins => until,
            _ => *until.insert(from_now(if seen > 0 { limits.head } else { first })),
        };
        match patience.wait(until, io.fill()).await {
            Waited::Done(Ok(1..)) => {}
            Waited::Done(Ok(0) | Err(_)) | Waited::Stopping => return Err(Received::Over),
            Waited::Late if seen > 0 => return Err(TOO_SLOW),
            Waited::Late => return Err(Received::Silent),
        }
    }
}

fn head_too_long() -> Received {
    Received::Refused(431, "the request head is longer than this listener accepts")
}

/// Lets hyper find the words for what is wrong with the bytes that came in.
async fn refused_by_hyper(io: &mut Io, limits: &Limits) -> Received {
    let window = io.ahead.len();
    match within(limits.head, through_hyper(io, window, limits)).await {
        Some((_, true)) => Received::Over,
        Some((_, false)) | None => Received::Refused(400, "this is not an HTTP/1 request"),
    }
}

/// What the service saw of a body.
enum Collected {
    Whole(Bytes),
    TooLong,
    Stalled,
    Broken,
}

/// Runs one hyper connection over the next `window` bytes. The service keeps the body and then fails on purpose, which
/// makes hyper stop without answering. What it read beyond the request goes back to `io`. Also tells whether hyper
/// answered by itself.
async fn through_hyper(io: &mut Io, window: usize, limits: &Limits) -> (Option<Collected>, bool) {
    let slot = Mutex::new(None);
    let slot = &slot;
    let service = service_fn(move |request: hyper::Request<Incoming>| -> Collecting<'_> {
        Box::pin(async move {
            let collected = collect(request.into_body(), limits).await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(collected);
            Err(Stop)
        })
    });
    let window = Window { io, left: window, wrote: false };
    let mut connection = http1::Builder::new()
        .half_close(true)
        .max_headers(HEADERS_MAX)
        .max_buf_size(limits.head_bytes.max(8192))
        .serve_connection(window, service);
    // The outcome is in the slot; the error is the one the service made, or one hyper has answered.
    let _ = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    let parts = connection.into_parts();
    let Window { io, wrote, .. } = parts.io;
    if !parts.read_buf.is_empty() {
        let later = std::mem::replace(&mut io.ahead, BytesMut::from(parts.read_buf));
        io.ahead.extend_from_slice(&later);
    }
    (slot.lock().unwrap_or_else(PoisonError::into_inner).take(), wrote)
}

type Collecting<'a> = Pin<Box<dyn Future<Output = Result<hyper::Response<Empty<Bytes>>, Stop>> + Send + 'a>>;

async fn collect(mut body: Incoming, limits: &Limits) -> Collected {
    let mut whole = BytesMut::new();
    loop {
        let frame = match within(limits.body_idle, body.frame()).await {
            None => return Collected::Stalled,
            Some(None) => return Collected::Whole(whole.freeze()),
            Some(Some(Err(_))) => return Collected::Broken,
            Some(Some(Ok(frame))) => frame,
        };
        // Trailers are read and left out: merging them into the head is how requests are smuggled.
        if let Ok(data) = frame.into_data() {
            if whole.len() + data.len() > limits.body_bytes {
                return Collected::TooLong;
            }
            whole.extend_from_slice(&data);
        }
    }
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
