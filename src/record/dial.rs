//! The only file that connects outward. Every connection is counted; reports print the counter, and for a replay it
//! is 0 because nothing there can reach this.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::cassette::Console;

use super::trust::{Trust, TrustError, Untrusted};

/// How long a connection may take to stand.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long a TLS handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

static DIALS: AtomicU64 = AtomicU64::new(0);

/// How many connections to other hosts this process has dialled.
pub fn dials() -> u64 {
    DIALS.load(Ordering::Relaxed)
}

/// Where the console is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
}

/// Why a text is not the address of a console.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the address of a console: write https://HOST or https://HOST:PORT, without a path")]
pub struct NoUpstream {
    text: String,
}

impl Upstream {
    /// `http://HOST[:PORT]` or `https://HOST[:PORT]`, a final slash allowed, a path or user not.
    ///
    /// # Errors
    /// If the text has another form.
    pub fn parse(text: &str) -> Result<Self, NoUpstream> {
        let wrong = || NoUpstream { text: shown(text) };
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(wrong()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.is_empty() || authority.contains(['/', '@', '?', '#', ' ']) {
            return Err(wrong());
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !port.contains(']') => {
                (host, port.parse().map_err(|_| wrong())?)
            }
            _ => (authority, if secure { 443 } else { 80 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Self { secure, host: host.to_owned(), port })
    }

    /// The console's address, as it is taken out of what is stored.
    pub(super) fn console(&self) -> Console {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        Console::new(if self.secure { "https" } else { "http" }, &host, self.port)
    }

    /// As it stands in a `Host` header: the port only where it is not the scheme's own.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

/// An address as it may be printed: without user, password and query, which may hold a secret.
fn shown(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let (rest, cut) = rest.find(['?', '#']).map_or((rest, ""), |at| (&rest[..at], "?..."));
    let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(_, rest)| ("...@", rest));
    let slashes = if text.contains("://") { "://" } else { "" };
    let all = format!("{scheme}{slashes}{user}{rest}{cut}");
    all.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Why the console could not be reached.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Refused, unknown, unroutable.
    #[error("cannot connect to the console: {0}")]
    Connect(#[source] io::Error),
    /// Nobody answered in time.
    #[error("the console did not take the connection within {} s", CONNECT_MAX.as_secs())]
    Slow,
    /// The handshake failed.
    #[error("the TLS handshake with the console failed: {0}")]
    Handshake(#[source] io::Error),
    /// The certificate is not trusted.
    #[error(transparent)]
    Untrusted(Box<Untrusted>),
    /// The trust settings are unusable.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// A connection to the console, plain or TLS.
#[derive(Debug)]
pub(super) enum Line {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Dials the console.
pub(super) async fn dial(upstream: &Upstream, trust: &Trust) -> Result<Line, DialError> {
    DIALS.fetch_add(1, Ordering::Relaxed);
    let connecting = TcpStream::connect((upstream.host.as_str(), upstream.port));
    let socket =
        timeout(CONNECT_MAX, connecting).await.map_err(|_| DialError::Slow)?.map_err(DialError::Connect)?;
    socket.set_nodelay(true).map_err(DialError::Connect)?;
    if !upstream.secure {
        return Ok(Line::Plain(socket));
    }
    let (config, seen) = trust.config()?;
    let name = ServerName::try_from(upstream.host.clone())
        .map_err(|_| DialError::Handshake(io::Error::other("the host is neither a name nor an address")))?;
    let shaking = TlsConnector::from(Arc::new(config)).connect(name, socket);
    match timeout(HANDSHAKE_MAX, shaking).await {
        Ok(Ok(stream)) => Ok(Line::Tls(Box::new(stream))),
        Ok(Err(source)) => match seen.refused(&source) {
            Some(untrusted) => Err(DialError::Untrusted(Box::new(untrusted))),
            None => Err(DialError::Handshake(source)),
        },
        Err(_) => Err(DialError::Handshake(io::ErrorKind::TimedOut.into())),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_consoles() {
        let parsed = |text| Upstream::parse(text).map(|it| (it.secure, it.authority()));
        assert_eq!(parsed("https://qradar.example").unwrap(), (true, "qradar.example".into()));
        assert_eq!(parsed("https://qradar.example:8443/").unwrap(), (true, "qradar.example:8443".into()));
        assert_eq!(parsed("http://127.0.0.1:80").unwrap(), (false, "127.0.0.1".into()));
        assert_eq!(parsed("https://[::1]:8443").unwrap(), (true, "[::1]:8443".into()));
        for wrong in
            ["qradar.example", "ftp://x", "https://", "https://x/api", "https://u:p@x", "https://x:y"]
        {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
