//! One request, one connection, one answer: a small HTTP client that tells every way to fail apart.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;

use super::address::Address;
use super::reading;
use super::trust::Trust;
use crate::message::{Request, Response};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// The console cannot have seen the request.
    #[error("no connection: {0}")]
    NotSent(String),
    /// RST: the other side dropped the connection.
    #[error("the connection was reset")]
    Reset,
    /// An orderly end before a whole head had come.
    #[error("the connection was closed before the answer")]
    Closed,
    /// An orderly end in the midst of the body.
    #[error("the answer stopped in its midst")]
    Truncated,
    /// Nothing, or not all, came in the time there was.
    #[error("no answer in time")]
    TimedOut,
    /// What came is no HTTP.
    #[error("the answer is not HTTP: {0}")]
    NotHttp(String),
    /// More came than anybody should read.
    #[error("the answer is too long")]
    TooLong,
}

/// A console that can be asked.
pub(super) struct Console {
    address: Address,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Console {
    /// Reads the base URL and, for https, whom to trust.
    pub(super) fn new(base: &str, trust: Trust<'_>) -> Result<Self, String> {
        let address = Address::parse(base)?;
        let tls = if address.is_tls {
            let name = ServerName::try_from(address.host.clone())
                .map_err(|_| format!("`{}` is no name a certificate can have", address.host))?;
            Some((Arc::new(trust.config()?), name))
        } else {
            None
        };
        Ok(Self { address, tls })
    }

    /// The `Host` header.
    pub(super) fn authority(&self) -> &str {
        &self.address.authority
    }

    /// What stands before `/api` in each target.
    pub(super) fn prefix(&self) -> &str {
        &self.address.prefix
    }

    /// Sends `request` over a connection of its own and reads the answer, all within `limit`.
    pub(super) fn exchange(&self, request: &Request, limit: Duration) -> Result<Response, Trouble> {
        let until = Instant::now() + limit;
        let socket = self.connect(until)?;
        let timer = socket.try_clone().map_err(|error| Trouble::NotSent(error.to_string()))?;
        let mut stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(socket),
            Some((config, name)) => Box::new(shake_hands(socket, config, name, until)?),
        };
        timer.set_write_timeout(Some(left(until)?)).map_err(of_io)?;
        stream.write_all(&head_and_body(request)).and_then(|()| stream.flush()).map_err(of_io)?;
        reading::response(&mut Timed { stream, timer, until }, &request.method)
    }

    fn connect(&self, until: Instant) -> Result<TcpStream, Trouble> {
        let not_sent = |error: io::Error| Trouble::NotSent(error.to_string());
        let found = (self.address.host.as_str(), self.address.port).to_socket_addrs().map_err(not_sent)?;
        let mut last = Trouble::NotSent("the host has no address".to_owned());
        for address in found {
            match TcpStream::connect_timeout(&address, left(until)?) {
                Ok(socket) => {
                    socket.set_nodelay(true).map_err(not_sent)?;
                    return Ok(socket);
                }
                Err(error) => last = not_sent(error),
            }
        }
        Err(last)
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A stream that is read until a moment and no longer.
struct Timed {
    stream: Box<dyn Stream>,
    /// The same socket: a timeout has to be set anew before each read.
    timer: TcpStream,
    until: Instant,
}

impl reading::Source for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Trouble> {
        loop {
            self.timer.set_read_timeout(Some(left(self.until)?)).map_err(of_io)?;
            match self.stream.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // TLS without its farewell: the framing says whether anything is missing.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                other => return other.map_err(of_io),
            }
        }
    }
}

/// The time left; an error if there is none, because a zero timeout would mean "for ever".
fn left(until: Instant) -> Result<Duration, Trouble> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Trouble::TimedOut) } else { Ok(left) }
}

fn of_io(error: io::Error) -> Trouble {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Trouble::TimedOut,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Trouble::Reset,
        _ => Trouble::NotHttp(error.to_string()),
    }
}

fn head_and_body(request: &Request) -> Vec<u8> {
    let mut bytes = format!("{} {} {}\r\n", request.method, request.target, request.version).into_bytes();
    for line in request.headers.iter() {
        bytes.extend_from_slice(line.name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(&line.value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    bytes
}

/// The handshake alone, so that its failure is known to be one: nothing of the request has left then.
fn shake_hands(
    mut socket: TcpStream,
    config: &Arc<ClientConfig>,
    name: &ServerName<'static>,
    until: Instant,
) -> Result<StreamOwned<ClientConnection, TcpStream>, Trouble> {
    let not_sent = |error: &dyn std::fmt::Display| Trouble::NotSent(format!("TLS: {error}"));
    let mut connection =
        ClientConnection::new(Arc::clone(config), name.clone()).map_err(|error| not_sent(&error))?;
    while connection.is_handshaking() {
        socket.set_read_timeout(Some(left(until)?)).map_err(|error| not_sent(&error))?;
        socket.set_write_timeout(Some(left(until)?)).map_err(|error| not_sent(&error))?;
        connection.complete_io(&mut socket).map_err(|error| not_sent(&error))?;
    }
    Ok(StreamOwned::new(connection, socket))
}
