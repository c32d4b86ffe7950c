//! Whatever bytes a client sends, the console behind the recorder gets whole requests that can be read in one way only,
//! or nothing.

use crate::canary;
use crate::recorder::{proxy, settings};

use std::sync::{Arc, Mutex};
use std::time::Duration;

use faultdeck::record::Settings;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Lines and pieces that programs have been led astray with.
const PIECES: [&str; 30] = [
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: +5\r\n",
    "Content-Length: 5, 5\r\n",
    "Content-Length : 5\r\n",
    "content-length:5\r\n",
    "Content-Length: 0x5\r\n",
    "Content-Length: 5\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding:\u{b}chunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding\r\n : chunked\r\n",
    "TE: trailers\r\n",
    "Expect: 100-continue\r\n",
    "Connection: Content-Length\r\n",
    "Connection: keep-alive\r\n",
    "Upgrade: h2c\r\n",
    "X: a\rb\r\n",
    "X: a\0b\r\n",
    "X: %0d%0aContent-Length: 9\r\n",
    " X: folded\r\n",
    "Host: b\r\n",
    "\r\n",
    "\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "5;x=\"\n\"\r\nhello\r\n0\r\n\r\n",
    "0\r\n\r\nGET /api/planted HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "hello",
    "GET /api/planted HTTP/1.1\r\nHost: localhost\r\n\r\n",
];

/// What a reader that takes nothing doubtful makes of bytes: how long the first request is, `None` if it goes on.
fn strict(bytes: &[u8]) -> Result<Option<usize>, String> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|error| error.to_string())?;
    if head.replace("\r\n", "").contains(|c: char| c.is_control()) {
        return Err(format!("a control character: {head:?}"));
    }
    let mut lines = head.split("\r\n");
    let first: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    if first.len() != 3 || !first[1].starts_with('/') || first[2] != "HTTP/1.1" {
        return Err(format!("the first line: {head:?}"));
    }
    let (mut length, mut chunked, mut hosts) = (None, false, 0);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("no colon: {line:?}"))?;
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_%".contains(&byte);
        if name.is_empty() || !name.bytes().all(legal) {
            return Err(format!("the name: {line:?}"));
        }
        match (name.to_ascii_lowercase().as_str(), value.trim_matches(' ')) {
            ("content-length", digits)
                if length.is_none() && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                length = Some(digits.parse::<usize>().map_err(|error| error.to_string())?);
            }
            ("transfer-encoding", "chunked") if !chunked => chunked = true,
            ("content-length" | "transfer-encoding", _) => return Err(format!("framing: {head:?}")),
            ("host", _) => hosts += 1,
            _ => {}
        }
    }
    if hosts != 1 || (chunked && length.is_some()) {
        return Err(format!("hosts or framing: {head:?}"));
    }
    let body = &bytes[end + 4..];
    let whole = match (length, chunked) {
        (_, true) => body.windows(5).position(|five| five == b"0\r\n\r\n").map(|at| at + 5),
        (length, _) => Some(length.unwrap_or(0)).filter(|length| body.len() >= *length),
    };
    Ok(whole.map(|whole| end + 4 + whole))
}

/// A console that notes for each connection what was wrong with what came, or the request's first line.
async fn console() -> (String, Arc<Mutex<Vec<Result<String, String>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let noted: Arc<Mutex<Vec<_>>> = Arc::default();
    let notes = Arc::clone(&noted);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let notes = Arc::clone(&notes);
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                let note = loop {
                    match strict(&bytes) {
                        Err(why) => break Err(why),
                        Ok(Some(whole)) if whole < bytes.len() => {
                            break Err(format!("more than one: {bytes:?}"));
                        }
                        Ok(Some(_)) => {
                            // What belongs to no request would come with it or right after it.
                            let more =
                                tokio::time::timeout(Duration::from_millis(2), stream.read_buf(&mut bytes));
                            match more.await {
                                Ok(Ok(read)) if read > 0 => continue,
                                _ => {
                                    break Ok(String::from_utf8_lossy(&bytes)
                                        .lines()
                                        .next()
                                        .unwrap_or("")
                                        .to_owned());
                                }
                            }
                        }
                        Ok(None) => {}
                    }
                    // One that is cut short is no request; nothing is done with it.
                    if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                        return;
                    }
                };
                notes.lock().unwrap().push(note);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            });
        }
    });
    (url, noted)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_client_sends_the_console_gets_whole_requests_or_nothing() {
    let folder = canary::Folder::new();
    let (url, noted) = console().await;
    let allow_writes = vec!["POST /api/x".to_owned()];
    let proxy = proxy(Settings { allow_writes, ..settings(&url, &folder.path().join("c.json")) }).await;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"one request is one, whoever read");
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let pieces = proptest::collection::vec(0..PIECES.len(), 0..6);
    for case in 0..4_000 {
        let pieces = pieces.new_tree(&mut runner).unwrap().current();
        let mut text: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        // Every other one has an end, and something that may be its body.
        text.push_str(["", "\r\nhello"][case % 2]);
        let request =
            format!("POST /api/x HTTP/1.1\r\nHost: localhost\r\nSEC: {}\r\n{text}", canary::canary());
        let mut client = TcpStream::connect(&proxy.addr).await.unwrap();
        // It may be turned away while it still sends.
        let _ = client.write_all(request.as_bytes()).await;
        let _ = client.shutdown().await;
        let mut answers = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), client.read_to_end(&mut answers)).await;
    }
    proxy.stop().await;
    let noted = noted.lock().unwrap();
    let wrong: Vec<_> = noted.iter().filter_map(|note| note.as_ref().err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(noted.len() > 100, "too few came through for this to mean anything: {}", noted.len());
}

#[test]
fn the_strict_reader_takes_what_is_plain_and_nothing_else() {
    let plain = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(strict(plain), Ok(Some(plain.len())));
    assert_eq!(strict(&plain[..20]), Ok(None));
    for wrong in
        ["Content-Length: 1\r\nTransfer-Encoding: chunked", "Content-Length: +1", "Host: b", "X: a\rb", "X"]
    {
        let text = format!("GET /a HTTP/1.1\r\nHost: a\r\n{wrong}\r\n\r\n");
        assert!(strict(text.as_bytes()).is_err(), "{wrong}");
    }
}
