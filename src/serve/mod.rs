//! Sockets. (split: mod.rs, connection.rs, limits.rs, perform.rs, timer.rs, tls.rs, ca.rs, head.rs).
//! hyper parses every request; heads are read through a byte tee with httparse so that case, order and repeats stay;
//! responses are written by perform.rs: service error trick, poll_without_shutdown, into_parts).
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use bytes::Bytes;
use crate::delivery::{Delivery, Welcome};
use crate::message::{Request, Response};

/// Who answers. `serve` does not know whether it is a replay, an emulator or a recorder.
pub trait Answer: Send + Sync + 'static {
    /// How connection number `n` (from 1) is greeted.
    fn welcome(&self, _n: u64) -> Welcome { Welcome::Accept }
    /// `at` is the time since the server started.
    fn answer(&self, request: Request, at: Duration) -> impl Future<Output = Reply> + Send;
    /// Called once when the reply has been performed.
    fn performed(&self, _ticket: u64, _what: Performed) {}
}
#[derive(Debug)]
pub enum Reply {
    /// Plain data, performed as it says; `ticket` comes back in `performed`.
    Planned { delivery: Delivery, ticket: u64 },
    /// A head now and a body as it arrives (recording). Pieces are body bytes; each piece is one chunk if the head says chunked.
    Streamed { head: Response, body: tokio::sync::mpsc::Receiver<Piece>, ticket: u64 },
}
#[derive(Debug)]
pub enum Piece { Body(Bytes), /// End of body, with trailers.
 End(crate::message::Headers), /// The console broke off: end the connection like this.
 Broken(crate::delivery::End) }
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Performed { pub at: Duration, pub took: Duration, pub sent_bytes: u64, pub cut_short: bool }
/// Every bound of a listener, named in one place.
#[derive(Clone, Debug)]
pub struct Limits { pub first_byte: Duration, pub head: Duration, pub body_idle: Duration, pub write_idle: Duration, pub keep_alive: Duration, pub head_bytes: usize, pub body_bytes: usize, pub connections: usize, pub drain: Duration }
#[derive(Debug, Default)]
pub struct Options { pub listen: Option<SocketAddr>, pub tls: Option<tls::Identity>, pub limits: Option<Limits> }
pub mod tls {
    /// Certificate and key a listener shows, and where its CA certificate is.
    #[derive(Clone, Debug)]
    pub struct Identity { /* rustls ServerConfig */ pub ca_file: std::path::PathBuf }
    impl Identity {
        /// The CA for these names, made on first use below `folder` (0700, key 0600), and a leaf of it..
        pub fn for_names(_folder: &std::path::Path, _names: &[String]) -> Result<Self, TlsError> { todo!() }
    }
    #[derive(Debug, thiserror::Error)] #[error("tls")] pub struct TlsError;
}
/// A running listener.
#[must_use = "dropping a Server stops it"]
#[derive(Debug)]
pub struct Server { addr: SocketAddr }
#[derive(Debug, thiserror::Error)]
pub enum StartError { #[error("cannot listen on {addr}: {source}")] Listen { addr: SocketAddr, source: std::io::Error } }
impl Server {
    pub async fn start<A: Answer>(_options: Options, _answer: std::sync::Arc<A>) -> Result<Self, StartError> { todo!() }
    pub fn addr(&self) -> SocketAddr { self.addr }
    /// `http://127.0.0.1:PORT` or `https://...`: no path, no final slash.
    pub fn url(&self) -> String { todo!() }
    /// Stops accepting, lets running answers finish until the drain limit, then resets what is left. Returns how many were cut.
    pub async fn stop(self) -> usize { todo!() }
}
