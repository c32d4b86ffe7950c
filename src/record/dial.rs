//! The only file that connects outward. Every connection is counted; reports print the counter, and for a replay it
//! is 0 because nothing there can reach this.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::{Uncheckable, Untrusted};
use super::trust::{Age, Believer, TrustError};
use super::upstream::Upstream;

static DIALS: AtomicU64 = AtomicU64::new(0);

/// How many connections to other hosts this process has dialled.
pub fn dials() -> u64 {
    DIALS.load(Ordering::Relaxed)
}

/// Why the console could not be reached. Nothing of a request was sent.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Refused, unknown, unroutable.
    #[error("cannot connect to the console: {0}")]
    Connect(#[source] io::Error),
    /// Nobody answered in time.
    #[error("the console did not take the connection within {} s", .0.as_secs_f32())]
    Slow(Duration),
    /// The handshake failed.
    #[error("the TLS handshake with the console failed: {0}")]
    Handshake(#[source] io::Error),
    /// The certificate is not trusted.
    #[error(transparent)]
    Untrusted(Box<Untrusted>),
    /// The certificate is the pinned one, and what its owner signs cannot be checked.
    #[error(transparent)]
    Uncheckable(Box<Uncheckable>),
    /// The trust settings are unusable.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl DialError {
    /// In one line, for output that has one line a request.
    pub(crate) fn brief(&self) -> String {
        match self {
            Self::Untrusted(untrusted) => untrusted.brief(),
            other => other.to_string(),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Connect(_) | Self::Slow(_) => "is --upstream right, and can this machine reach it?",
            Self::Handshake(_) => {
                "is it https there? TLS 1.2 or 1.3 is needed; --upstream http://... is for a console without TLS"
            }
            Self::Untrusted(_) => "compare the fingerprint with the console's own before you accept it",
            Self::Uncheckable(_) => "give the console a key of today, or accept any with --insecure",
            Self::Trust(_) => "see --ca-file, --pin and --insecure",
        }
    }
}

/// A connection to the console, plain or TLS.
#[derive(Debug)]
pub(super) enum Line {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Line {
    /// The address that the console's name led to.
    pub(super) fn peer(&self) -> Option<IpAddr> {
        let socket = match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref().0,
        };
        socket.peer_addr().ok().map(|address| address.ip())
    }

    /// Whether it is open, and nothing has come that was not read.
    pub(super) fn is_silent(&self) -> bool {
        let socket = match self {
            Self::Plain(socket) => socket,
            // What is decrypted already is read with the answer before it.
            Self::Tls(stream) if stream.get_ref().1.wants_read() => stream.get_ref().0,
            Self::Tls(_) => return false,
        };
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        matches!(recv(socket, &mut [0_u8; 1][..], flags), Err(Errno::AGAIN))
    }
}

/// Dials the console; all of it, the handshake included, within `wait`.
pub(super) async fn dial(
    upstream: &Upstream,
    believer: &Believer,
    wait: Duration,
) -> Result<Line, DialError> {
    timeout(wait, open(upstream, believer)).await.map_err(|_| DialError::Slow(wait))?
}

async fn open(upstream: &Upstream, believer: &Believer) -> Result<Line, DialError> {
    if !upstream.secure {
        return connect(upstream).await.map(Line::Plain);
    }
    let age = believer.age();
    match shake(upstream, believer, age).await {
        // A key too short for TLS 1.3 may do in TLS 1.2.
        Err(DialError::Uncheckable(uncheckable)) if age == Age::Modern && uncheckable.may_do_in_tls12 => {
            let line = shake(upstream, believer, Age::Old).await?;
            believer.grow_old();
            Ok(line)
        }
        other => other,
    }
}

async fn connect(upstream: &Upstream) -> Result<TcpStream, DialError> {
    DIALS.fetch_add(1, Ordering::Relaxed);
    let socket =
        TcpStream::connect((upstream.host.as_str(), upstream.port)).await.map_err(DialError::Connect)?;
    socket.set_nodelay(true).map_err(DialError::Connect)?;
    Ok(socket)
}

/// Dials a program under test that is a service. It is no console; on this machine it does not count.
pub(super) async fn to_service(service: &Upstream) -> Result<TcpStream, DialError> {
    if !service.is_loopback() {
        return connect(service).await;
    }
    let address = (service.host.as_str(), service.port);
    let socket = TcpStream::connect(address).await.map_err(DialError::Connect)?;
    socket.set_nodelay(true).map_err(DialError::Connect)?;
    Ok(socket)
}

async fn shake(upstream: &Upstream, believer: &Believer, age: Age) -> Result<Line, DialError> {
    let (config, seen) = believer.config(age)?;
    let name = ServerName::try_from(upstream.host.clone())
        .map_err(|_| DialError::Handshake(io::Error::other("the host is neither a name nor an address")))?;
    let socket = connect(upstream).await?;
    match TlsConnector::from(Arc::new(config)).connect(name, socket).await {
        Ok(stream) => Ok(Line::Tls(Box::new(stream))),
        Err(source) => Err(seen.verdict(source)),
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
