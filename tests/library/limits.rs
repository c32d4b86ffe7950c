//! Whatever a peer does or leaves undone, the listener stays within its limits, and it always stops.

use crate::peer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use faultdeck::delivery::{Delivery, End, Step};
use faultdeck::message::{Request, Response};
use faultdeck::serve::{Answer, Came, Hosts, Limits, Options, Performed, Reply, Server, StartError};
use peer::{Console, PATIENCE, Peer, bytes_of, get, sample, send_then, start, start_within, stepped};

const SHORT: Duration = Duration::from_millis(60);

/// All limits long but the ones a test sets.
fn limits() -> Limits {
    let long = Duration::from_secs(600);
    Limits {
        first_byte: long,
        head: long,
        body_idle: long,
        write_idle: long,
        keep_alive: long,
        ..Limits::default()
    }
}

#[tokio::test]
async fn a_connection_that_sends_nothing_is_closed() {
    let limits = Limits { first_byte: SHORT, ..limits() };
    let (server, _console) = start_within(Console::always(sample()), limits).await;
    let began = Instant::now();
    assert_eq!(Peer::connect(&server).await.read_to_fin().await, "");
    assert!(began.elapsed() >= SHORT);
}

#[tokio::test]
async fn a_head_that_drips_is_closed_with_a_408() {
    let (server, console) = start_within(Console::always(sample()), Limits { head: SHORT, ..limits() }).await;
    let mut peer = Peer::connect(&server).await;
    let drip = async {
        for byte in std::iter::once(b'G').chain(std::iter::repeat(b'E')) {
            let sent = tokio::io::AsyncWriteExt::write_all(&mut peer.0, &[byte]).await;
            if sent.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            let mut byte = [0];
            if peer.0.try_read(&mut byte).is_ok() {
                return byte;
            }
        }
        [0]
    };
    assert_eq!(tokio::time::timeout(PATIENCE, drip).await.unwrap(), *b"H");
    assert!(peer.read_to_fin().await.starts_with("TTP/1.1 408 "));
    assert_eq!(console.requests(), []);
}

#[tokio::test]
async fn a_body_that_stalls_is_closed_with_a_408() {
    let (server, _console) =
        start_within(Console::always(sample()), Limits { body_idle: SHORT, ..limits() }).await;
    for body in ["Content-Length: 10\r\n\r\n1", "Transfer-Encoding: chunked\r\n\r\na\r\n1"] {
        let mut peer = Peer::connect(&server).await;
        peer.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{body}")).await;
        assert!(peer.read_to_fin().await.starts_with("HTTP/1.1 408 "));
    }
}

#[tokio::test]
async fn a_kept_connection_without_a_next_request_is_closed() {
    let (server, _console) =
        start_within(Console::always(sample()), Limits { keep_alive: SHORT, ..limits() }).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    assert_eq!(peer.read_to_fin().await.into_bytes(), bytes_of(&sample()));
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_reset() {
    let long = Delivery::of(Response::with_body(200, "text/plain", vec![b'x'; 60_000_000]));
    let (server, console) =
        start_within(Console::always(long), Limits { write_idle: SHORT, ..limits() }).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    let performed = console.performed(1).await[0].1;
    assert!(performed.cut_short && performed.sent_bytes < 60_000_000);
    peer.read_to_reset().await;
}

#[tokio::test]
async fn heads_and_bodies_have_a_longest_length() {
    let limits = Limits { head_bytes: 9000, body_bytes: 1000, ..limits() };
    let (server, console) = start_within(Console::always(sample()), limits).await;
    let post = |lines: &str, body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n{body}");
    let chunk = "64\r\n".to_owned() + &"x".repeat(100) + "\r\n";
    let refused = [
        (414, format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(9000))),
        (431, format!("GET / HTTP/1.1\r\nHost: {}", "x".repeat(9000))),
        (413, post("Content-Length: 1001\r\n", "")),
        (413, post("Content-Length: 1001\r\nExpect: 100-continue\r\n", "")),
        (413, post("Content-Length: 18446744073709551615\r\n", "")),
        (413, post("Transfer-Encoding: chunked\r\n", &chunk.repeat(11))),
    ];
    for (status, request) in refused {
        let mut peer = Peer::connect(&server).await;
        peer.send(&request).await;
        let answer = peer.read_to_fin().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    assert_eq!(console.requests(), []);
    let mut peer = Peer::connect(&server).await;
    peer.send(post("Content-Length: 1000\r\n", &"x".repeat(1000))).await;
    peer.send(post("Transfer-Encoding: chunked\r\n", &(chunk.repeat(10) + "0\r\n\r\n"))).await;
    peer.send(format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(8900))).await;
    assert_eq!(peer.read(3 * bytes_of(&sample()).len()).await, bytes_of(&sample()).repeat(3));
}

/// Serves this one and then no more, whatever else is connected.
async fn is_served(server: &Server) {
    let served = async {
        loop {
            let mut peer = Peer::connect(server).await;
            // The peer may have been turned away already.
            let sent = tokio::io::AsyncWriteExt::write_all(&mut peer.0, get("/").as_bytes()).await;
            if sent.is_ok() && peer.read_to(12).await == b"HTTP/1.1 200" {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, served).await.unwrap();
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_back_and_the_next_is_served() {
    let limits = Limits { connections: 3, ..limits() };
    let (server, console) = start_within(Console::new(stalling), limits).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut peer = Peer::connect(&server).await;
        peer.send(get("/wait")).await;
        held.push(peer);
    }
    while console.requests().len() < 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for _ in 0..20 {
        let mut peer = Peer::connect(&server).await;
        peer.send(get("/")).await;
        let answer = peer.read_to_fin().await;
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
        assert!(answer.contains("\r\nRetry-After: 1\r\n") && answer.contains("\r\nConnection: close\r\n"));
    }
    let refusals = console.refusals();
    assert!(refusals.iter().all(|refusal| (refusal.status, refusal.target.as_deref()) == (503, Some("/"))));
    held.pop();
    is_served(&server).await;
    assert_eq!(console.refusals().len(), 20);
}

#[tokio::test]
async fn idle_connections_lock_nobody_out() {
    let limits = Limits { connections: 8, ..limits() };
    let (server, _console) = start_within(Console::always(sample()), limits).await;
    let mut idle = Vec::new();
    for number in 0..100 {
        let mut peer = Peer::connect(&server).await;
        if number % 2 == 0 {
            peer.send(get("/")).await;
        }
        idle.push(peer);
    }
    for _ in 0..20 {
        let mut peer = Peer::connect(&server).await;
        peer.send(get("/")).await;
        assert_eq!(peer.read(12).await, b"HTTP/1.1 200");
        idle.push(peer);
    }
}

#[tokio::test]
async fn connections_that_drip_lock_nobody_out() {
    let long = Delivery::of(Response::with_body(200, "text/plain", vec![b'x'; 60_000_000]));
    let unread = move |request: &Request| match request.path() {
        "/unread" => Reply::Planned { delivery: long.clone(), ticket: 1 },
        _ => stalling(request),
    };
    let limits = Limits { connections: 6, ..limits() };
    let (server, console) = start_within(Console::new(unread), limits).await;
    let mut stuck = Vec::new();
    for start in [
        "GET /head HTTP/1.1\r\nHo",
        "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1",
        &get("/unread"),
    ] {
        for _ in 0..2 {
            let mut peer = Peer::connect(&server).await;
            peer.send(start).await;
            stuck.push(peer);
        }
    }
    // As many as there are places get in, and stay.
    let stay = console.requests().len() + 6;
    let mut held = Vec::new();
    let all_in = async {
        while console.requests().len() < stay {
            let mut peer = Peer::connect(&server).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut peer.0, get("/wait").as_bytes()).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            held.push(peer);
        }
    };
    tokio::time::timeout(PATIENCE, all_in).await.unwrap();
    let slow = console.refusals().iter().filter(|refusal| refusal.status == 408).count();
    assert_eq!(slow, 4);
    for peer in &mut stuck[..4] {
        assert!(peer.read_to_fin().await.starts_with("HTTP/1.1 408 "));
    }
}

#[tokio::test]
async fn a_body_that_drips_on_is_closed_with_a_408() {
    let limits = Limits { body_idle: Duration::from_millis(200), least_rate: 1000, ..limits() };
    let (server, _console) = start_within(Console::always(sample()), limits).await;
    let mut peer = Peer::connect(&server).await;
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n").await;
    let began = Instant::now();
    let drip = async {
        while tokio::io::AsyncWriteExt::write_all(&mut peer.0, b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if peer.0.try_read(&mut [0]).is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, drip).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(200));
    assert!(peer.read_to_fin().await.starts_with("TTP/1.1 408 "));
}

#[tokio::test]
async fn a_client_that_reads_in_drips_is_reset() {
    let long = Delivery::of(Response::with_body(200, "text/plain", vec![b'x'; 60_000_000]));
    let limits = Limits { write_idle: Duration::from_millis(200), least_rate: 1_000_000_000, ..limits() };
    let (server, console) = start_within(Console::always(long), limits).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    let drip = async {
        while tokio::io::AsyncReadExt::read_exact(&mut peer.0, &mut [0; 10_000]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, drip).await.unwrap();
    let performed = console.performed(1).await[0].1;
    assert!(performed.cut_short && performed.sent_bytes < 60_000_000);
}

#[tokio::test]
async fn all_bodies_together_have_a_largest_size_and_what_has_no_room_comes_back_later() {
    let limits = Limits { body_bytes: 10_000, bodies_bytes: 25_000, room: SHORT, ..limits() };
    let (server, console) = start_within(Console::always(sample()), limits).await;
    let post = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut peer = Peer::connect(&server).await;
        peer.send(post).await;
        peer.send(vec![b'x'; 9999]).await;
        held.push(peer);
    }
    // Until both bodies have arrived, there is still room.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut third = Peer::connect(&server).await;
    third.send(post).await;
    third.send(vec![b'x'; 9999]).await;
    let answer = third.read_to_fin().await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 1\r\n"), "{answer}");
    assert_eq!(console.refusals()[0].status, 503);
    for peer in &mut held {
        peer.send("x").await;
        assert_eq!(peer.read(12).await, b"HTTP/1.1 200");
    }
    let mut fourth = Peer::connect(&server).await;
    fourth.send(post).await;
    fourth.send(vec![b'x'; 10_000]).await;
    assert_eq!(fourth.read(12).await, b"HTTP/1.1 200");
    assert_eq!(console.requests().len(), 3);
}

#[tokio::test]
async fn a_peer_that_leaves_at_any_point_leaves_nothing_behind() {
    let mut delivery = sample();
    delivery.delay(Duration::from_millis(1));
    let (server, _console) = start_within(Console::always(delivery), limits()).await;
    let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    for length in 0..=request.len() {
        let mut peer = Peer::connect(&server).await;
        peer.send(&request[..length]).await;
    }
    let began = Instant::now();
    assert_eq!(server.stop().await, 0);
    assert!(began.elapsed() < Duration::from_secs(3));
}

/// Holds one connection in each state that a stopping listener may meet.
async fn one_in_each_state(server: &Server) -> Vec<Peer> {
    let states = [
        "",
        "GET /keep HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /partial-head HTTP/1.1\r\nHo",
        "POST /stalled-body HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1",
        "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hang HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /half-close HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /unread HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    let mut peers = Vec::new();
    for state in states {
        let mut peer = Peer::connect(server).await;
        peer.send(state).await;
        peers.push(peer);
    }
    peers
}

fn stalling(request: &Request) -> Reply {
    let delivery = match request.path() {
        "/wait" => stepped(sample(), [Step::Wait(Duration::from_secs(600)), Step::End(End::Keep)]),
        "/hang" => stepped(sample(), send_then(0..9, End::Hang)),
        "/half-close" => stepped(sample(), send_then(0..9, End::HalfClose)),
        "/unread" => Delivery::of(Response::with_body(200, "text/plain", vec![b'x'; 60_000_000])),
        _ => sample(),
    };
    Reply::Planned { delivery, ticket: 1 }
}

#[tokio::test]
async fn stopping_takes_no_longer_than_the_drain_limit_whatever_the_connections_do() {
    let drain = Duration::from_millis(150);
    let (server, console) = start_within(Console::new(stalling), Limits { drain, ..limits() }).await;
    let mut peers = one_in_each_state(&server).await;
    let ready = async {
        while console.requests().len() < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ready).await.unwrap();
    let began = Instant::now();
    let cut = server.stop().await;
    let took = began.elapsed();
    assert!(took >= drain && took < drain + Duration::from_millis(500), "{took:?}");
    // The stalled body, the wait and the unread answer had until the limit; the rest was idle and closed at once.
    assert_eq!(cut, 3);
    assert_eq!(console.performed(5).await.len(), 5);
    for stalled in [7, 4, 3] {
        peers.remove(stalled).read_to_reset().await;
    }
}

#[tokio::test]
async fn stopping_closes_idle_connections_at_once() {
    let (server, _console) = start_within(Console::always(sample()), limits()).await;
    let mut idle = Peer::connect(&server).await;
    idle.send(get("/")).await;
    idle.read(bytes_of(&sample()).len()).await;
    let mut fresh = Peer::connect(&server).await;
    let mut partial = Peer::connect(&server).await;
    partial.send("GET / HT").await;
    // Until the third is seen to be accepted, it could be refused by the closing listener instead.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let began = Instant::now();
    assert_eq!(server.stop().await, 0);
    assert!(began.elapsed() < Duration::from_secs(2));
    for peer in [&mut idle, &mut fresh, &mut partial] {
        assert_eq!(peer.read_to_fin().await, "");
    }
}

#[tokio::test]
async fn an_answer_that_is_running_when_the_listener_stops_is_finished() {
    let mut delivery = sample();
    delivery.delay(Duration::from_millis(80));
    let (server, console) = start_within(Console::always(delivery), limits()).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/").repeat(2)).await;
    while console.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let addr = server.addr();
    let (cut, answer) = tokio::join!(server.stop(), peer.read_to_fin());
    assert_eq!(cut, 0);
    assert_eq!(answer.into_bytes(), bytes_of(&sample()));
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn dropping_the_server_ends_everything() {
    let (server, console) = start_within(Console::new(stalling), limits()).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/wait")).await;
    while console.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(server);
    peer.read_to_reset().await;
    assert!(console.performed(1).await[0].1.cut_short);
}

/// Panics on demand, at each place where it can.
struct Panicking(AtomicU32);

impl Answer for Panicking {
    type Asked = Request;

    fn asked(&self, request: Request) -> Request {
        request
    }

    async fn answer(&self, request: Arc<Request>, _came: Came) -> Reply {
        assert_ne!(request.path(), "/answer", "a panic on purpose");
        let ticket = u64::from(request.path() == "/performed");
        Reply::Planned { delivery: sample(), ticket }
    }

    fn performed(&self, ticket: u64, _what: Performed) {
        self.0.fetch_add(1, Ordering::Relaxed);
        assert_eq!(ticket, 0, "a panic on purpose");
    }
}

#[tokio::test]
async fn a_panic_in_an_answer_costs_its_connection_only() {
    let answer = Arc::new(Panicking(AtomicU32::new(0)));
    let options = Options { hosts: Hosts::any(), ..Options::default() };
    let server = Server::start(options, Arc::clone(&answer)).await.unwrap();
    let whole = bytes_of(&sample());
    let mut healthy = Peer::connect(&server).await;
    for _ in 0..3 {
        let mut peer = Peer::connect(&server).await;
        peer.send(get("/answer")).await;
        peer.read_to_end().await.1.ok();
        let mut peer = Peer::connect(&server).await;
        peer.send(get("/performed")).await;
        assert_eq!(peer.read(whole.len()).await, whole);
        healthy.send(get("/")).await;
        assert_eq!(healthy.read(whole.len()).await, whole);
    }
    assert_eq!(server.stop().await, 0);
    assert_eq!(answer.0.load(Ordering::Relaxed), 6);
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_it() {
    let (server, _console) = start(Console::always(sample())).await;
    let options = Options { listen: Some(server.addr()), ..Options::default() };
    let error = Server::start(options, Arc::new(Console::always(sample()))).await.unwrap_err();
    let StartError::Listen { addr, source } = error else { panic!("{error}") };
    assert_eq!((addr, source.kind()), (server.addr(), std::io::ErrorKind::AddrInUse));
    assert_eq!(server.url(), format!("http://127.0.0.1:{}", addr.port()));
}
