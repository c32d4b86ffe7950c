//! A raw client, and an answerer that does as it is told: what the tests of the listener are made of.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)] // Each test file uses its part.

use crate::canary;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use faultdeck::delivery::{Delivery, End, Step};
use faultdeck::message::{Request, Response};
use faultdeck::serve::{Answer, Came, Hosts, Limits, Options, Performed, Refusal, Reply, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here takes, so that a fault in the code fails a test instead of hanging it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A small request for `target`, with the canary as token and in another header.
pub fn get(target: &str) -> String {
    let canary = canary::canary();
    format!("GET {target} HTTP/1.1\r\nHost: a\r\nSEC: {canary}\r\nX-Carried-Along: {canary}\r\n\r\n")
}

/// A JSON answer of 8 body bytes.
pub fn sample() -> Delivery {
    Delivery::of(Response::json(200, r#"{"id":7}"#))
}

/// The bytes of a whole delivery.
pub fn bytes_of(delivery: &Delivery) -> Vec<u8> {
    let image = delivery.image();
    [&image.head[..], &image.body[..]].concat()
}

/// `delivery` with these steps.
pub fn stepped(mut delivery: Delivery, steps: impl Into<Vec<Step>>) -> Delivery {
    delivery.steps = steps.into();
    delivery
}

type Script = dyn Fn(&Request) -> Reply + Send + Sync;

/// Answers as a closure says, and keeps what it saw.
pub struct Console {
    script: Box<Script>,
    requests: Mutex<Vec<Request>>,
    performed: Mutex<Vec<(u64, Performed)>>,
    refusals: Mutex<Vec<Refusal>>,
}

impl Console {
    pub fn new(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            script: Box::new(script),
            requests: Mutex::default(),
            performed: Mutex::default(),
            refusals: Mutex::default(),
        }
    }

    /// The same delivery for each request.
    pub fn always(delivery: Delivery) -> Self {
        Self::new(move |_| Reply::Planned { delivery: delivery.clone(), ticket: 1 })
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub fn refusals(&self) -> Vec<Refusal> {
        self.refusals.lock().unwrap().clone()
    }

    /// What was reported, once `count` replies have been performed.
    pub async fn performed(&self, count: usize) -> Vec<(u64, Performed)> {
        let enough = async {
            loop {
                let performed = self.performed.lock().unwrap().clone();
                if performed.len() >= count {
                    return performed;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, enough).await.expect("replies are reported")
    }
}

impl Answer for Console {
    type Asked = Request;

    fn asked(&self, request: Request) -> Request {
        request
    }

    async fn answer(&self, request: Arc<Request>, _came: Came) -> Reply {
        let reply = (self.script)(&request);
        self.requests.lock().unwrap().push(Request::clone(&request));
        reply
    }

    fn refused(&self, refusal: &Refusal) {
        self.refusals.lock().unwrap().push(refusal.clone());
    }

    fn performed(&self, ticket: u64, what: Performed) {
        self.performed.lock().unwrap().push((ticket, what));
    }
}

/// Starts a plain server.
pub async fn start(console: Console) -> (Server, Arc<Console>) {
    start_within(console, Limits::default()).await
}

/// Starts a plain server with these limits.
pub async fn start_within(console: Console, limits: Limits) -> (Server, Arc<Console>) {
    let console = Arc::new(console);
    let options = Options { hosts: Hosts::any(), limits: Some(limits), ..Options::default() };
    (Server::start(options, Arc::clone(&console)).await.unwrap(), console)
}

/// A connection that sends and reads bytes as they are.
pub struct Peer(pub TcpStream);

impl Peer {
    pub async fn connect(server: &Server) -> Self {
        Self(TcpStream::connect(server.addr()).await.unwrap())
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Exactly `count` bytes.
    pub async fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let read = tokio::time::timeout(PATIENCE, self.0.read_exact(&mut bytes));
        read.await.expect("the bytes come in time").unwrap();
        bytes
    }

    /// At most `count` bytes: fewer if the connection ends.
    pub async fn read_to(&mut self, count: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut part = (&mut self.0).take(count);
        let read = tokio::time::timeout(PATIENCE, part.read_to_end(&mut bytes));
        let _ = read.await.expect("the bytes come in time");
        bytes
    }

    /// What comes until the connection ends, and how it ends.
    pub async fn read_to_end(&mut self) -> (Vec<u8>, io::Result<()>) {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut bytes));
        let end = read.await.expect("the connection ends in time");
        (bytes, end.map(|_| ()))
    }

    /// What comes until an orderly end.
    pub async fn read_to_fin(&mut self) -> String {
        let (bytes, end) = self.read_to_end().await;
        end.expect("an orderly close");
        String::from_utf8(bytes).unwrap()
    }

    /// What comes until a reset.
    pub async fn read_to_reset(&mut self) -> Vec<u8> {
        let (bytes, end) = self.read_to_end().await;
        assert_eq!(end.expect_err("a reset").kind(), io::ErrorKind::ConnectionReset);
        bytes
    }

    /// Whether nothing comes and the connection stays open for `wait`.
    pub async fn is_silent_for(&mut self, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.0.read_u8()).await.is_err()
    }
}

/// Steps that send `range` of the image and end so.
pub fn send_then(range: std::ops::Range<usize>, end: End) -> [Step; 2] {
    [Step::Send(range), Step::End(end)]
}
