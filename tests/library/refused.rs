//! A request that never becomes an exchange is refused aloud, and what real clients send becomes one.

use crate::canary;
use crate::peer;

use faultdeck::message::octets;
use faultdeck::serve::{Limits, Options, Refusal, Server};
use peer::{Console, PATIENCE, Peer, sample, start, start_within};
use std::sync::Arc;
use std::time::Duration;

/// Sends bytes on a connection of its own, then nothing more, and reads the answer.
async fn sent(server: &Server, bytes: impl AsRef<[u8]>) -> String {
    let mut peer = Peer::connect(server).await;
    peer.send(bytes).await;
    let (answer, _) = peer.read_to_end().await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(target: &[u8]) -> Vec<u8> {
    let canary = canary::canary();
    let rest = format!(" HTTP/1.1\r\nHost: localhost\r\nSEC: {canary}\r\nConnection: close\r\n\r\n");
    [b"GET ", target, rest.as_bytes()].concat()
}

async fn refusals(console: &Console, count: usize) -> Vec<Refusal> {
    let enough = async {
        while console.refusals().len() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, enough).await.expect("refusals are reported");
    console.refusals()
}

#[tokio::test]
async fn every_byte_but_blanks_and_controls_is_taken_in_a_target_as_sent() {
    let (server, console) = start(Console::always(sample())).await;
    let fits = |byte: &u8| *byte != b' ' && !byte.is_ascii_control();
    for byte in 0..=255_u8 {
        let target = [b"/api/x?filter=a", &[byte][..], b"b&c=\xc3\xbc"].concat();
        let answer = sent(&server, request(&target)).await;
        let status = if fits(&byte) { "HTTP/1.1 200 " } else { "HTTP/1.1 400 " };
        // A line feed ends the line, so what is wrong then is another thing.
        assert!(answer.starts_with(status), "{byte:#x}: {answer}");
    }
    let taken: Vec<Vec<u8>> =
        console.requests().iter().map(|request| octets::bytes(&request.target)).collect();
    let wanted: Vec<Vec<u8>> = (0..=255_u8)
        .filter(fits)
        .map(|byte| [b"/api/x?filter=a", &[byte][..], b"b&c=\xc3\xbc"].concat())
        .collect();
    assert_eq!(taken, wanted);
    assert_eq!(refusals(&console, 256 - wanted.len()).await.len(), 256 - wanted.len());
}

#[tokio::test]
async fn what_never_becomes_an_exchange_is_reported_with_what_is_known_of_it() {
    let limits = Limits { head_bytes: 9000, body_bytes: 1000, ..Limits::default() };
    let long = "x".repeat(9000);
    let post = |lines: &str, body: &str| format!("POST /p HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n{body}");
    let refused: [(u16, &str, &str, String); 14] = [
        (400, "GET", "/a b", "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n".into()),
        (400, "GET", "/", "GET / HTTP/1.1\r\n\r\n".into()),
        (400, "GET", "/", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into()),
        (400, "GET", "/", "GET / HTTP/1.1\r\nHost: \r\n\r\n".into()),
        (400, "GET", "/", "GET / HTTP/1.1\nHost: a\n\n".into()),
        (400, "PRI", "*", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
        (400, "CONNECT", "a:443", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n".into()),
        (400, "", "", "\x16\x03\x01\x02".into()),
        (400, "POST", "/p", post("Transfer-Encoding: chunked\r\n", "zz\r\n")),
        (413, "POST", "/p", post("Content-Length: 1001\r\n", "")),
        (414, "GET", "/xx", format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n")),
        (417, "POST", "/p", post("Expect: tea\r\n", "")),
        (431, "GET", "/", format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n")),
        (501, "POST", "/p", post("Transfer-Encoding: gzip, chunked\r\n", "")),
    ];
    let (server, console) = start_within(Console::always(sample()), limits).await;
    for (place, (status, method, target, bytes)) in refused.iter().enumerate() {
        let answer = sent(&server, bytes).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{bytes:?}: {answer}");
        let refusal = refusals(&console, place + 1).await.remove(place);
        assert_eq!(refusal.status, *status, "{bytes:?}");
        assert_eq!(refusal.method.as_deref().unwrap_or(""), *method, "{bytes:?}");
        let known = refusal.target.as_deref().unwrap_or("");
        assert_eq!(known.get(..3).filter(|_| *status == 414).unwrap_or(known), *target, "{bytes:?}");
        assert!(bytes.as_bytes().starts_with(&refusal.first_line[..]) && refusal.first_line.len() <= 8192);
        let body: serde_json::Value =
            serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).expect("the answer is JSON");
        assert_eq!((&body["faultdeck"], &body["cause"]), (&"refused".into(), &refusal.why.as_ref().into()));
    }
    assert_eq!(console.requests(), []);
}

#[tokio::test]
async fn a_connection_that_never_sent_a_byte_is_no_refusal_and_one_that_breaks_off_is() {
    let (server, console) = start(Console::always(sample())).await;
    drop(Peer::connect(&server).await);
    let mut half = Peer::connect(&server).await;
    half.send("GET /half HTT").await;
    drop(half);
    let refusal = refusals(&console, 1).await.remove(0);
    assert_eq!((refusal.status, refusal.target.as_deref()), (400, Some("/half HTT")));
    server.stop().await;
    assert_eq!(console.refusals().len(), 1);
}

#[tokio::test]
async fn a_foreign_host_is_answered_with_a_421_that_names_the_flag() {
    let console = Arc::new(Console::always(sample()));
    let server = Server::start(Options::default(), Arc::clone(&console)).await.unwrap();
    let addr = server.addr();
    let get = |target: &str, host: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    };
    for own in ["localhost", "127.0.0.1", &addr.to_string(), "[::1]:1"] {
        assert!(sent(&server, get("/@me/api/x", own)).await.starts_with("HTTP/1.1 200 "), "{own}");
    }
    let whole_url = sent(&server, get(&format!("http://{addr}/api/x?y=\"z\""), "other.test")).await;
    assert!(whole_url.starts_with("HTTP/1.1 200 "), "{whole_url}");
    assert_eq!(console.requests().last().unwrap().target, "/api/x?y=\"z\"");
    let count = console.requests().len();
    for host in ["evil.test", "127.0.0.1.evil.test:80"] {
        let answer = sent(&server, get("/", host)).await;
        assert!(answer.starts_with("HTTP/1.1 421 Misdirected Request\r\n"), "{answer}");
        assert!(answer.contains("evil.test") && answer.contains("--host NAME"), "{answer}");
    }
    let proxied = sent(&server, get("http://evil.test/", "localhost")).await;
    assert!(proxied.starts_with("HTTP/1.1 400 ") && proxied.contains("not as its proxy"), "{proxied}");
    assert_eq!((console.requests().len(), refusals(&console, 3).await.len()), (count, 3));
}
