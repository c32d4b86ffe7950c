//! The load: keep-alive connections on one thread, each with one request on its way at a time.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::epoll;

/// How long an answer is waited for before the connection counts as broken.
const PATIENCE: Duration = Duration::from_secs(10);
/// Events that are taken at one time.
const EVENTS: usize = 256;

/// When a load ends.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Time(Duration),
    Requests(u64),
}

/// What became of a load.
#[derive(Default)]
pub(crate) struct Loaded {
    /// Answers that came whole.
    pub(crate) answers: u64,
    /// Those among them whose status is not 200.
    pub(crate) others: u64,
    /// Connections that broke, or whose answer never came.
    pub(crate) broken: u64,
    /// Microseconds from the request's last byte to the answer's last.
    pub(crate) latencies: Vec<u32>,
}

impl Loaded {
    /// The latency that `share` (0 to 1) of all answers do not exceed.
    pub(crate) fn latency(&mut self, share: f64) -> Duration {
        self.latencies.sort_unstable();
        let at = (self.latencies.len() as f64 * share) as usize;
        let found = self.latencies.get(at.min(self.latencies.len().saturating_sub(1)));
        Duration::from_micros(found.copied().unwrap_or_default().into())
    }
}

/// A request as a client of the API sends it.
pub(crate) fn request(target: &str) -> Vec<u8> {
    request_with(target, "")
}

/// The same with further header lines.
pub(crate) fn request_with(target: &str, lines: &str) -> Vec<u8> {
    format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nSEC: 01234567-89ab-cdef-0123-456789abcdef\r\nVersion: 26.0\r\n\
         Accept: application/json\r\n{lines}\r\n"
    )
    .into_bytes()
}

/// One keep-alive connection.
pub(crate) struct Connection {
    socket: TcpStream,
    received: Vec<u8>,
    filled: usize,
    sent_at: Instant,
    waits: bool,
}

enum Step {
    Waiting,
    Answered { status: u16, length: usize },
    Broken,
}

impl Connection {
    pub(crate) fn open(addr: SocketAddr) -> std::io::Result<Self> {
        let socket = TcpStream::connect(addr)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, received: Vec::new(), filled: 0, sent_at: Instant::now(), waits: false })
    }

    /// Sends a request; it fits a socket's buffer, which is empty.
    fn send(&mut self, request: &[u8]) -> bool {
        self.sent_at = Instant::now();
        self.waits = true;
        matches!(self.socket.write(request), Ok(length) if length == request.len())
    }

    fn receive(&mut self) -> Step {
        if self.received.len() - self.filled < 4096 {
            self.received.resize(self.filled + 16 * 1024, 0);
        }
        match self.socket.read(&mut self.received[self.filled..]) {
            Ok(0) => Step::Broken,
            Ok(length) => {
                self.filled += length;
                match whole(&self.received[..self.filled]) {
                    Some((status, length)) if length == self.filled => {
                        self.filled = 0;
                        self.waits = false;
                        Step::Answered { status, length }
                    }
                    Some((_, length)) if length < self.filled => Step::Broken,
                    _ => Step::Waiting,
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Step::Waiting,
            Err(_) => Step::Broken,
        }
    }

    /// Sends a request and waits for its answer; gives the status.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Option<u16> {
        self.answer(request).map(|(status, _)| status)
    }

    /// Sends a request and waits for its answer; gives the body.
    pub(crate) fn ask_for_body(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        let (_, length) = self.answer(request)?;
        let answer = self.received.get(..length)?;
        answer.windows(4).position(|four| four == b"\r\n\r\n").map(|end| answer[end + 4..].to_vec())
    }

    /// The status and the length of the answer to a request.
    fn answer(&mut self, request: &[u8]) -> Option<(u16, usize)> {
        if !self.send(request) || self.socket.set_nonblocking(false).is_err() {
            return None;
        }
        let _ = self.socket.set_read_timeout(Some(PATIENCE));
        let answered = loop {
            match self.receive() {
                Step::Answered { status, length } => break Some((status, length)),
                Step::Waiting if self.sent_at.elapsed() < PATIENCE => {}
                Step::Waiting | Step::Broken => break None,
            }
        };
        self.socket.set_nonblocking(true).ok()?;
        answered
    }
}

/// The status and the length of an answer, once its head is there.
pub(crate) fn whole(bytes: &[u8]) -> Option<(u16, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Some((status, end + length.unwrap_or_default()))
}

/// Numbers in an order that no cache is made for, the same each time.
struct Scattered(u64);

impl Scattered {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }
}

/// Sends requests out of `requests` over `many` connections, as fast as they are answered.
pub(crate) fn run(
    addr: SocketAddr,
    requests: &[Vec<u8>],
    many: usize,
    until: Until,
) -> std::io::Result<Loaded> {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut connections = Vec::with_capacity(many);
    for at in 0..many {
        let connection = Connection::open(addr)?;
        epoll::add(&poll, &connection.socket, epoll::EventData::new_u64(at as u64), epoll::EventFlags::IN)?;
        connections.push(connection);
    }
    drive(&poll, &mut connections, requests, until)
}

fn drive(
    poll: &OwnedFd,
    connections: &mut [Connection],
    requests: &[Vec<u8>],
    until: Until,
) -> std::io::Result<Loaded> {
    let mut loaded = Loaded::default();
    let mut next = Scattered(0x9e37_79b9_7f4a_7c15);
    let began = Instant::now();
    let mut sent = 0;
    let mut on_their_way = 0_u64;
    let goes_on = |sent: u64, now: Instant| match until {
        Until::Time(time) => now - began < time,
        Until::Requests(most) => sent < most,
    };
    for connection in connections.iter_mut() {
        if goes_on(sent, began) && connection.send(&requests[next.below(requests.len())]) {
            (sent, on_their_way) = (sent + 1, on_their_way + 1);
        }
    }
    let mut events = Vec::with_capacity(EVENTS);
    while on_their_way > 0 {
        events.clear();
        let tick = rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 };
        epoll::wait(poll, rustix::buffer::spare_capacity(&mut events), Some(&tick))?;
        let now = Instant::now();
        for event in &events {
            let at = event.data.u64() as usize;
            let Some(connection) = connections.get_mut(at) else { continue };
            if !connection.waits {
                // The server leaves a connection on which nothing is asked.
                let _ = epoll::delete(poll, &connection.socket);
                continue;
            }
            match connection.receive() {
                Step::Waiting => {}
                Step::Broken => {
                    (loaded.broken, on_their_way) = (loaded.broken + 1, on_their_way - 1);
                    let _ = epoll::delete(poll, &connection.socket);
                }
                Step::Answered { status, .. } => {
                    loaded.answers += 1;
                    loaded.others += u64::from(status != 200);
                    loaded
                        .latencies
                        .push((now - connection.sent_at).as_micros().try_into().unwrap_or(u32::MAX));
                    on_their_way -= 1;
                    if goes_on(sent, now) && connection.send(&requests[next.below(requests.len())]) {
                        (sent, on_their_way) = (sent + 1, on_their_way + 1);
                    }
                }
            }
        }
        let patient = |one: &Connection| one.waits && now - one.sent_at < PATIENCE;
        if events.is_empty() && !connections.iter().any(patient) {
            loaded.broken += on_their_way;
            break;
        }
    }
    Ok(loaded)
}
