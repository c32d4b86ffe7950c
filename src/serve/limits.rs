//! [`Limits`]: every bound of a listener, named in one place.

use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// Every bound of a listener. Nothing a peer does, or leaves undone, holds a connection longer than these allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the accepted connection to its first byte; then it is closed without a word. 5 s.
    pub first_byte: Duration,
    /// From the first byte of a request head to its last, and for a whole TLS handshake. 10 s.
    pub head: Duration,
    /// Between two pieces of a request body. 30 s.
    pub body_idle: Duration,
    /// What a request body must bring, in bytes a second, once the time of `body_idle` is over; and what a peer must take
    /// of a response, once that of `write_idle` is. A drip of bytes holds no connection for ever. 1 KiB.
    pub least_rate: u64,
    /// Between two moments at which the peer takes any byte of a response. 30 s.
    pub write_idle: Duration,
    /// Between two requests on one connection. 60 s.
    pub keep_alive: Duration,
    /// After an orderly close: how long what still comes in is read and thrown away, so that the peer gets to read
    /// the answer instead of a reset. 1 s.
    pub linger: Duration,
    /// How long [`crate::delivery::End::Hang`] and [`crate::delivery::End::HalfClose`] hold a connection whose peer
    /// never leaves. 1 h.
    pub hang: Duration,
    /// The longest request head, in bytes; at least 8,192 count. 64 KiB.
    pub head_bytes: usize,
    /// The longest request body, in bytes, transfer coding removed. 64 MiB.
    pub body_bytes: usize,
    /// The bytes of all request bodies that are on their way or being answered; what has no room for longer than
    /// `room` gets a 503 with `Retry-After`. One of the longest always has room. 128 MiB.
    pub bodies_bytes: usize,
    /// How long a request body waits for room. 1 s.
    pub room: Duration,
    /// Connections at one time, and at most one for every two file descriptors that this process may have. For one
    /// more, the longest idle one is closed; if none is idle, it gets a 503 with `Retry-After`. 16,384.
    pub connections: usize,
    /// How long running answers get to finish once the listener stops. 5 s.
    pub drain: Duration,
    /// The pause after an `accept` that failed for want of file descriptors or memory. 50 ms.
    pub accept_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(5),
            head: Duration::from_secs(10),
            body_idle: Duration::from_secs(30),
            least_rate: 1024,
            write_idle: Duration::from_secs(30),
            keep_alive: Duration::from_secs(60),
            linger: Duration::from_secs(1),
            hang: Duration::from_secs(3600),
            head_bytes: 64 * 1024,
            body_bytes: 64 * 1024 * 1024,
            bodies_bytes: 128 * 1024 * 1024,
            room: Duration::from_secs(1),
            connections: 16_384,
            drain: Duration::from_secs(5),
            accept_pause: Duration::from_millis(50),
        }
    }
}

/// How many connections this process has file descriptors for. Each may need a second one: towards the console, or to
/// know when the last byte has left.
pub(super) fn connections_affordable() -> usize {
    let most = getrlimit(Resource::Nofile).current.and_then(|most| usize::try_from(most).ok());
    (most.unwrap_or(usize::MAX) / 2).max(1)
}

/// Header lines in one request head; one more gets 431.
pub(super) const HEADERS_MAX: usize = 100;

/// Request heads that are kept to be known again, with what was made of them; and about the memory they take.
pub(super) const MET_MAX: usize = 32 * 1024;
pub(super) const MET_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Hosts that a proxy keeps a certificate for; those that were not asked for longest are forgotten.
pub(super) const LEAVES_MAX: usize = 256;

/// Bytes of the first line that a refusal keeps.
pub(super) const FIRST_LINE_MAX: usize = 8 * 1024;

/// Bytes read ahead of a request that is still being answered; beyond it the peer has to wait.
pub(super) const AHEAD_MAX: usize = 64 * 1024;

/// How long a peer may be in the middle of a request, or of an answer it does not take, before its connection is closed
/// in favour of a new one that would find no place.
pub(super) const STUCK_AFTER: Duration = Duration::from_secs(1);

/// Connections that the system holds until they are accepted, as far as it allows so many; one beyond them is slow to
/// connect.
pub(super) const UNACCEPTED_MAX: u32 = 4096;

/// Connections that were asked to leave and have not left yet; beyond it a new one waits for one that has.
pub(super) const LEAVING_MAX: usize = 64;

/// How long it waits for that.
pub(super) const LEAVING: Duration = Duration::from_millis(500);

/// The unit in which room for bodies is given out, in bytes.
pub(super) const ROOM_UNIT: usize = 1024;

/// Connections over the cap that are being told so at one time and get to read it; beyond it they are told and closed.
pub(super) const REFUSALS_MAX: usize = 256;

/// How long a connection over the cap gets to read its 503.
pub(super) const REFUSAL: Duration = Duration::from_millis(500);

/// What `stop` waits for connections that were just reset to be gone.
pub(super) const RESET_GRACE: Duration = Duration::from_millis(400);

/// How long a peer is looked at once more when its time is over. A process that was stopped for a while hears of the
/// time that has passed before it hears of the bytes that came meanwhile.
pub(super) const LAST_LOOK: Duration = Duration::from_millis(20);
