//! A recorder before a console that is a bare socket.

use crate::canary;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use faultdeck::record::{Recorder, Settings, Summary, Upstream};
use faultdeck::serve::{Options, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How the console ends a connection after what it sent.
#[derive(Clone, Copy)]
pub enum Ending {
    Close,
    Reset,
    /// It stays open, in silence.
    Hang,
}

/// A console that reads a head (and a body with a length) and then sends given bytes.
pub struct RawConsole {
    pub url: String,
    pub heads: Arc<Mutex<Vec<String>>>,
}

pub async fn raw_console(answers: Vec<(Vec<u8>, Ending)>) -> RawConsole {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        let mut answers: VecDeque<_> = answers.into();
        let mut hanging = Vec::new();
        while let Some((answer, ending)) = answers.pop_front() {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = read_request(&mut stream).await;
            seen.lock().unwrap().push(request);
            stream.write_all(&answer).await.unwrap();
            stream.flush().await.unwrap();
            if matches!(ending, Ending::Reset) {
                // What was sent must arrive before the reset overtakes it.
                tokio::time::sleep(Duration::from_millis(50)).await;
                #[allow(deprecated, reason = "a linger of zero never blocks")]
                stream.set_linger(Some(Duration::ZERO)).unwrap();
            }
            if matches!(ending, Ending::Hang) {
                hanging.push(stream);
            }
        }
        if !hanging.is_empty() {
            std::future::pending().await
        }
    });
    RawConsole { url, heads }
}

pub async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.unwrap();
        bytes.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        assert!(read > 0, "the request was cut short: {text}");
    }
}

pub struct Proxy {
    pub recorder: Arc<Recorder>,
    pub server: Server,
    pub addr: String,
}

pub async fn proxy(settings: Settings) -> Proxy {
    let recorder = Arc::new(Recorder::new(settings, None).unwrap());
    let server = Server::start(Options::default(), Arc::clone(&recorder)).await.unwrap();
    recorder.set_base(&server.url());
    let addr = server.addr().to_string();
    Proxy { recorder, server, addr }
}

impl Proxy {
    /// Sends bytes and reads to the end of the connection.
    pub async fn send(&self, request: &str) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.map(|_| bytes)
    }

    pub async fn get(&self, target: &str) -> String {
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nSEC: {}\r\nX-Other: {}\r\nConnection: close\r\n\r\n",
            self.addr,
            canary::canary(),
            canary::canary()
        );
        String::from_utf8_lossy(&self.send(&request).await.unwrap()).into_owned()
    }

    /// Puts another recorder in the place of this one.
    pub async fn replace(&mut self, recorder: Recorder) {
        let recorder = Arc::new(recorder);
        self.server = Server::start(Options::default(), Arc::clone(&recorder)).await.unwrap();
        recorder.set_base(&self.server.url());
        self.addr = self.server.addr().to_string();
        self.recorder = recorder;
    }

    /// So many requests over one connection, each answered with two bytes.
    pub async fn get_many(&self, count: usize) {
        let mut stream = TcpStream::connect(&self.addr).await.unwrap();
        for n in 0..count {
            let request = format!("GET /api/many/{n} HTTP/1.1\r\nHost: {}\r\n\r\n", self.addr);
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            loop {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).await.unwrap();
                assert!(read > 0, "the connection was closed");
                answer.extend_from_slice(&part[..read]);
                let end = answer.windows(4).position(|end| end == b"\r\n\r\n");
                if end.is_some_and(|end| answer.len() >= end + 6) {
                    break;
                }
            }
        }
    }

    pub async fn stop(self) -> Summary {
        self.server.stop().await;
        self.recorder.settle().await;
        self.recorder.finish().unwrap()
    }
}

pub fn settings(url: &str, path: &Path) -> Settings {
    Settings { name: "test".to_owned(), ..Settings::new(Upstream::parse(url).unwrap(), path) }
}

/// A whole answer with a body.
pub fn whole(head: &str, body: &str) -> (Vec<u8>, Ending) {
    (format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes(), Ending::Close)
}

/// A console that answers any number of requests, each on a connection of its own; returns its URL.
pub async fn many(answer: impl Fn(usize) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut n = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            stream.write_all(answer(n).as_bytes()).await.unwrap();
            n += 1;
        }
    });
    url
}
