//! [`Io`]: one connection, plain or TLS, with the bytes that were read ahead of their turn.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
#[cfg(target_os = "linux")]
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::limits::AHEAD_MAX;

/// How a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entrance {
    /// The address that its connection came in at.
    pub(super) at: IpAddr,
    /// And the port.
    pub(super) port: u16,
    pub(super) way: Way,
}

/// By which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// On a connection of its own, with TLS or without.
    Direct,
    /// Through a tunnel that a client opened, without TLS.
    Tunnel,
    /// With it.
    SecureTunnel,
}

/// A connection. Reading serves what was read ahead first.
pub(super) struct Io {
    stream: Stream,
    /// The address it came in at: asked once, for it does not change.
    local: SocketAddr,
    in_tunnel: bool,
    /// Bytes that came in and have not been consumed.
    pub(super) ahead: BytesMut,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Io {
    pub(super) fn plain(stream: TcpStream) -> Self {
        let local = local(&stream);
        Self { stream: Stream::Plain(stream), local, in_tunnel: false, ahead: BytesMut::new() }
    }

    pub(super) fn tls(stream: TlsStream<TcpStream>, in_tunnel: bool) -> Self {
        let local = local(stream.get_ref().0);
        Self { stream: Stream::Tls(Box::new(stream)), local, in_tunnel, ahead: BytesMut::new() }
    }

    /// The same connection, from now on a tunnel.
    pub(super) fn into_tunnel(mut self) -> Self {
        self.in_tunnel = true;
        self
    }

    pub(super) fn is_tunnel(&self) -> bool {
        self.in_tunnel
    }

    /// The socket under a plain connection of which nothing was read ahead.
    pub(super) fn into_socket(self) -> Option<TcpStream> {
        match self.stream {
            Stream::Plain(stream) if self.ahead.is_empty() => Some(stream),
            Stream::Plain(_) | Stream::Tls(_) => None,
        }
    }

    /// The first byte that comes, which stays where it is.
    pub(super) async fn peek(&self) -> io::Result<u8> {
        let mut first = [0];
        self.socket().peek(&mut first).await?;
        Ok(first[0])
    }

    fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.get_ref().0,
        }
    }

    /// How its requests come in.
    pub(super) fn entrance(&self) -> Entrance {
        let way = match (self.in_tunnel, &self.stream) {
            (false, _) => Way::Direct,
            (true, Stream::Plain(_)) => Way::Tunnel,
            (true, Stream::Tls(_)) => Way::SecureTunnel,
        };
        Entrance { at: self.local.ip().to_canonical(), port: self.local.port(), way }
    }

    /// Makes the close that follows a reset at the level of TCP, without a word of TLS.
    pub(super) fn reset_on_close(&self) {
        // It fails only for a socket that the peer has reset already.
        let _ = self.socket().set_zero_linger();
    }

    /// Returns once no sent byte waits in this machine's queue any more. A reset throws that queue away, and a client that
    /// reads slowly would lose the end of what it was promised. Where the system cannot tell, it returns at once.
    pub(super) async fn all_sent(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        {
            let socket = self.socket();
            // From now on the socket is writable only while nothing unsent is queued. A second descriptor is watched
            // for that, because the first one's readiness is remembered from before.
            socket2::SockRef::from(socket).set_tcp_notsent_lowat(1)?;
            let second = socket.as_fd().try_clone_to_owned()?;
            TcpStream::from_std(second.into())?.writable().await?;
        }
        Ok(())
    }

    /// Reads what there is into `ahead`; 0 is the peer's end.
    pub(super) async fn fill(&mut self) -> io::Result<usize> {
        self.ahead.reserve(4096);
        match &mut self.stream {
            Stream::Plain(stream) => stream.read_buf(&mut self.ahead).await,
            Stream::Tls(stream) => stream.read_buf(&mut self.ahead).await,
        }
    }

    /// Returns when the peer has closed or reset the connection. What it sends until then is kept for later, up to a
    /// bound; beyond it the peer has to wait, and its leaving is not seen.
    pub(super) async fn gone(&mut self) {
        while self.ahead.len() < AHEAD_MAX {
            match self.fill().await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        std::future::pending().await
    }

    /// Throws away what the peer sends until it closes the connection.
    pub(super) async fn discard(&mut self) {
        loop {
            self.ahead.clear();
            match self.fill().await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}

fn local(socket: &TcpStream) -> SocketAddr {
    // Unknown only of a dead socket, whose request is answered to nobody.
    socket.local_addr().unwrap_or((Ipv4Addr::LOCALHOST, 0).into())
}

/// Hands each call on to whichever stream there is.
macro_rules! forward {
    ($self:ident.$call:ident($($argument:expr),*)) => {
        match &mut $self.stream {
            Stream::Plain(stream) => Pin::new(stream).$call($($argument),*),
            Stream::Tls(stream) => Pin::new(stream).$call($($argument),*),
        }
    };
}

impl AsyncWrite for Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        forward!(self.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        forward!(self.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self.poll_shutdown(cx))
    }
}

/// The next `left` bytes of a connection, as far as hyper may look; behind them it sees the end.
pub(super) struct Window<'a> {
    pub(super) io: &'a mut Io,
    pub(super) left: usize,
    /// The status of an answer that hyper made by itself. It is not sent: the listener says it in its own words.
    pub(super) verdict: Option<u16>,
}

impl hyper::rt::Read for Window<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Ok(()));
        }
        if self.io.ahead.is_empty() {
            // The future keeps no state between polls, so a fresh one each time loses nothing.
            ready!(pin!(self.io.fill()).poll(cx))?;
        }
        let take = self.io.ahead.len().min(self.left).min(buf.remaining());
        buf.put_slice(&self.io.ahead.split_to(take));
        self.left -= take;
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for Window<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        // Only `100 Continue` goes through.
        if let Some(code) = buf.strip_prefix(b"HTTP/1.1 ").filter(|code| !code.starts_with(b"1")) {
            let code = code.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
            self.verdict = Some(code.and_then(|digits| digits.parse().ok()).unwrap_or(400));
        }
        if self.verdict.is_some() {
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut *self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.io).poll_shutdown(cx)
    }
}
