//! What is about time and pieces, at a client that reads every byte as it comes.

use crate::peer;

use std::time::{Duration, Instant};

use faultdeck::delivery::{Delivery, End, Step};
use faultdeck::fault::{
    Bandwidth, Chunk, Context, Dribble, DropIdle, Fault, Hang, How, LongerLength, Reset, ShorterLength,
    Slicer, SlowClose, Stall,
};
use faultdeck::message::{Request, Response};
use faultdeck::seed::Seed;
use faultdeck::serve::{Limits, Server};
use peer::{Console, Peer, bytes_of, get, sample, start, start_within, stepped};

/// How much had come after how long, until so many bytes were there.
async fn as_it_comes(peer: &mut Peer, count: usize) -> Vec<(usize, Duration)> {
    let began = Instant::now();
    peer.send(get("/")).await;
    let (mut all, mut buffer) = (0, vec![0; 256 * 1024]);
    let mut seen = Vec::new();
    while all < count {
        let came = tokio::io::AsyncReadExt::read(&mut peer.0, &mut buffer);
        all += tokio::time::timeout(peer::PATIENCE, came).await.expect("in time").unwrap();
        seen.push((all, began.elapsed()));
    }
    seen
}

#[tokio::test]
async fn a_paced_answer_is_never_ahead_of_its_pace_and_ends_on_time() {
    for (pace, body) in [(20_000, 5_000), (1_000_000, 250_000), (20_000_000, 5_000_000)] {
        let mut delivery = Delivery::of(Response::with_body(200, "text/plain", vec![b'x'; body]));
        delivery.pace(pace);
        // Of two the least holds.
        delivery.pace(2 * pace);
        let whole = bytes_of(&delivery);
        let (server, console) = start(Console::always(delivery)).await;
        let mut peer = Peer::connect(&server).await;
        for round in 1..=2 {
            let seen = as_it_comes(&mut peer, whole.len()).await;
            for (bytes, took) in &seen {
                let due = Duration::from_secs_f64(*bytes as f64 / pace as f64);
                assert!(*took >= due, "{bytes} bytes at {pace}: {took:?}");
            }
            let (bytes, took) = *seen.last().unwrap();
            assert_eq!(bytes, whole.len());
            // A quarter of a second of bytes; other tests run beside this one.
            assert!(took < Duration::from_secs(2), "{took:?}");
            let performed = console.performed(round).await[round - 1].1;
            assert_eq!((performed.sent_bytes, performed.cut_short), (whole.len() as u64, false));
        }
    }
}

#[tokio::test]
async fn many_beats_take_as_long_as_they_say_and_no_piece_is_early() {
    let mut delivery = Delivery::of(Response::with_body(200, "text/plain", vec![b'x'; 400]));
    let head = delivery.image().head.len();
    delivery.put_before((0..400).map(|at| head + at), &Step::Beat(Duration::from_millis(1)));
    delivery.delay(Duration::from_millis(20));
    let whole = bytes_of(&delivery).len();
    let (server, _console) = start(Console::always(delivery)).await;
    let mut peer = Peer::connect(&server).await;
    let seen = as_it_comes(&mut peer, whole).await;
    for (bytes, took) in &seen {
        let due = Duration::from_millis(20 + bytes.saturating_sub(head) as u64);
        assert!(*took >= due, "{bytes} after {took:?}");
    }
    // 400 waits that are each half a millisecond late would add up to a fifth of a second.
    println!("400 ms took {:?}", seen.last().unwrap().1);
    assert!(peer.is_silent_for(Duration::from_millis(5)).await);
}

#[tokio::test]
async fn a_client_that_leaves_a_paced_answer_ends_it_and_so_does_a_listener_that_stops() {
    let mut delivery = Delivery::of(Response::with_body(200, "text/plain", vec![b'x'; 1_000_000]));
    delivery.pace(1000);
    let limits = Limits { drain: Duration::from_millis(50), ..Limits::default() };
    let (server, console) = start_within(Console::always(delivery), limits).await;
    let mut left = Peer::connect(&server).await;
    left.send(get("/")).await;
    left.read(20).await;
    drop(left);
    let performed = console.performed(1).await[0].1;
    assert!(performed.cut_short && performed.sent_bytes < 100_000);
    let mut stopped = Peer::connect(&server).await;
    stopped.send(get("/")).await;
    stopped.read(20).await;
    assert_eq!(server.stop().await, 1);
    stopped.read_to_reset().await;
    assert!(console.performed(2).await[1].1.cut_short);
}

#[tokio::test]
async fn a_wait_behind_a_whole_answer_holds_only_its_end_back() {
    let wait = Step::Wait(Duration::from_secs(600));
    let steps = [Step::Send(0..usize::MAX), wait.clone(), Step::End(End::Fin)];
    let (server, console) = start(Console::always(stepped(sample(), steps))).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    peer.read(bytes_of(&sample()).len()).await;
    let performed = console.performed(1).await[0].1;
    assert_eq!((performed.sent_bytes, performed.cut_short), (bytes_of(&sample()).len() as u64, false));
    assert!(performed.took < Duration::from_secs(10));
    assert!(peer.is_silent_for(Duration::from_millis(20)).await);
    // It ends with the listener, in order and at once.
    let began = Instant::now();
    assert_eq!(server.stop().await, 0);
    assert_eq!(peer.read_to_fin().await, "");
    assert!(began.elapsed() < Duration::from_secs(3));
    // Nothing of the kind after an answer that is not whole.
    let steps = [Step::Send(0..9), wait, Step::End(End::Fin)];
    let (server, console) = start(Console::always(stepped(sample(), steps))).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    peer.read(9).await;
    drop(peer);
    assert!(console.performed(1).await[0].1.cut_short);
    assert_eq!(server.stop().await, 0);
}

#[tokio::test]
async fn a_head_request_does_not_wait_for_pieces_of_a_body_that_never_comes() {
    let mut delivery = sample();
    let head = delivery.image().head.len();
    delivery.put_before([head, head + 4], &Step::Wait(Duration::from_secs(600)));
    let (server, _console) = start(Console::always(delivery)).await;
    let mut peer = Peer::connect(&server).await;
    for _ in 0..2 {
        peer.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(peer.read(head).await, &bytes_of(&sample())[..head]);
    }
}

/// The answer of the tests below: `{"id":7}`, with `fault` in it.
fn faulted(fault: &Fault) -> Delivery {
    let mut delivery = sample();
    let mut stream = Seed(7).stream(&["wire"]);
    let request = &Request::new("GET", "/");
    let mut cx = Context {
        endpoint: None,
        lifecycle: None,
        request,
        nth: 1,
        heard: false,
        at: Duration::ZERO,
        stream: &mut stream,
    };
    assert!(fault.inject(&mut delivery, &mut cx).is_some());
    delivery
}

/// A client whose request such an answer meets.
async fn met(fault: Fault) -> (Server, std::sync::Arc<Console>, Peer) {
    let (server, console) = start(Console::always(faulted(&fault))).await;
    let peer = Peer::connect(&server).await;
    (server, console, peer)
}

fn head() -> usize {
    sample().image().head.len()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test]
async fn bandwidth_brings_every_byte_when_it_is_due() {
    let whole = bytes_of(&sample()).len();
    let (_server, _console, mut peer) = met(Fault::Bandwidth(Bandwidth { kb_per_s: 1 })).await;
    for _ in 0..2 {
        for (bytes, took) in as_it_comes(&mut peer, whole).await {
            assert!(took >= ms(bytes as u64), "{bytes} bytes after {took:?}");
        }
    }
}

#[tokio::test]
async fn a_stall_comes_after_the_head_and_so_many_bytes_and_ends() {
    for body_bytes in [0, 3] {
        let (_server, _console, mut peer) = met(Fault::Stall(Stall { body_bytes, ms: 120 })).await;
        for _ in 0..2 {
            peer.send(get("/")).await;
            peer.read(head() + body_bytes as usize).await;
            let began = Instant::now();
            assert!(peer.is_silent_for(ms(60)).await);
            assert_eq!(peer.read(8 - body_bytes as usize).await, &br#"{"id":7}"#[body_bytes as usize..]);
            // The first part had been on its way for a moment when it was read.
            assert!(began.elapsed() >= ms(100), "{:?}", began.elapsed());
        }
    }
}

#[tokio::test]
async fn a_dribble_brings_the_head_at_once_and_the_body_piece_by_piece() {
    let (_server, _console, mut peer) = met(Fault::Dribble(Dribble { pieces: 4, over_ms: 200 })).await;
    for _ in 0..2 {
        let seen = as_it_comes(&mut peer, head() + 8).await;
        for (bytes, took) in &seen {
            // Two bytes every 50 ms.
            let pieces = bytes.saturating_sub(head()).div_ceil(2) as u64;
            assert!(*took >= ms(50 * pieces), "{bytes} bytes after {took:?}");
        }
        assert!(seen[0].0 == head(), "{seen:?}");
    }
}

#[tokio::test]
async fn a_slicer_sends_small_pieces_with_a_pause_between_them() {
    let slicer = Slicer { bytes: 10, vary_bytes: 4, pause_us: 5000 };
    let (_server, _console, mut peer) = met(Fault::Slicer(slicer)).await;
    let whole = bytes_of(&sample());
    peer.send(get("/")).await;
    let began = Instant::now();
    let mut all = Vec::new();
    let mut pieces = 0;
    while all.len() < whole.len() {
        let mut piece = [0; 1000];
        let length = tokio::io::AsyncReadExt::read(&mut peer.0, &mut piece).await.unwrap();
        all.extend_from_slice(&piece[..length]);
        pieces += 1;
    }
    assert_eq!(all, whole);
    // At least so many pauses, whatever came together.
    assert!(began.elapsed() >= ms(5) * (whole.len() as u32 / 14 - 1));
    assert!(pieces > 1);
    assert!(peer.is_silent_for(ms(5)).await);
}

#[tokio::test]
async fn chunks_have_the_size_that_was_asked_for_and_the_connection_is_kept() {
    let (_server, _console, mut peer) = met(Fault::Chunk(Chunk { bytes: 3 })).await;
    let wanted = "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nTransfer-Encoding: chunked\r\n\r\n\
                  3\r\n{\"i\r\n3\r\nd\":\r\n2\r\n7}\r\n0\r\n\r\n";
    peer.send(get("/").repeat(2)).await;
    assert_eq!(String::from_utf8(peer.read(2 * wanted.len()).await).unwrap(), wanted.repeat(2));
    peer.send("GET / HTTP/1.0\r\n\r\n").await;
    assert_eq!(peer.read_to_fin().await.into_bytes(), bytes_of(&sample()));
}

#[tokio::test]
async fn a_slow_close_follows_a_whole_answer_that_announced_it() {
    let (_server, console, mut peer) = met(Fault::SlowClose(SlowClose { ms: 150 })).await;
    peer.send(get("/").repeat(2)).await;
    let whole = bytes_of(&sample()).len() + "Connection: close\r\n".len();
    let answer = String::from_utf8(peer.read(whole).await).unwrap();
    assert!(
        answer.contains("\r\nConnection: close\r\n") && answer.ends_with("\r\n\r\n{\"id\":7}"),
        "{answer}"
    );
    let performed = console.performed(1).await[0].1;
    assert_eq!((performed.sent_bytes, performed.cut_short), (whole as u64, false));
    assert!(performed.took < ms(140), "{performed:?}");
    assert!(peer.is_silent_for(ms(60)).await);
    assert_eq!(peer.read_to_fin().await, "");
    assert_eq!(console.requests().len(), 1);
}

#[tokio::test]
async fn a_kept_connection_is_dropped_in_order_or_by_a_reset() {
    for (how, ms) in [(How::Close, 0), (How::Reset, 0), (How::Close, 80), (How::Reset, 80)] {
        let (_server, console, mut peer) = met(Fault::DropIdle(DropIdle { how, ms })).await;
        peer.send(get("/")).await;
        let whole = bytes_of(&sample());
        assert_eq!(peer.read(whole.len()).await, whole);
        let began = Instant::now();
        if ms > 0 {
            // It is never answered.
            peer.send(get("/next")).await;
        }
        match how {
            How::Close => assert_eq!(peer.read_to_fin().await, ""),
            How::Reset => assert_eq!(peer.read_to_reset().await, b""),
        }
        assert!(ms == 0 || began.elapsed() >= Duration::from_millis(60), "{:?}", began.elapsed());
        assert!(!console.performed(1).await[0].1.cut_short);
        assert_eq!(console.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_longer_length_is_waited_for_and_a_shorter_one_leaves_bytes_over() {
    let (_server, _console, mut peer) = met(Fault::LongerLength(LongerLength { by: 5, ms: 120 })).await;
    peer.send(get("/").repeat(2)).await;
    let answer = String::from_utf8(peer.read(head() + 1 + 8).await).unwrap();
    assert!(
        answer.contains("\r\nContent-Length: 13\r\n") && answer.ends_with("\r\n\r\n{\"id\":7}"),
        "{answer}"
    );
    assert!(peer.is_silent_for(ms(60)).await);
    assert_eq!(peer.read_to_fin().await, "");
    let (_server, console, mut peer) = met(Fault::ShorterLength(ShorterLength { by: 5 })).await;
    peer.send(get("/").repeat(2)).await;
    let answer = peer.read_to_fin().await;
    assert!(
        answer.contains("\r\nContent-Length: 3\r\n") && answer.ends_with("\r\n\r\n{\"id\":7}"),
        "{answer}"
    );
    assert_eq!(console.requests().len(), 1);
}

#[tokio::test]
async fn a_hang_may_end_with_a_close_and_a_reset_may_wait() {
    let (_server, _console, mut peer) = met(Fault::Hang(Hang { ms: 120 })).await;
    let began = Instant::now();
    peer.send(get("/")).await;
    assert!(peer.is_silent_for(ms(60)).await);
    assert_eq!(peer.read_to_fin().await, "");
    assert!(began.elapsed() >= ms(120));
    let (_server, console, mut peer) = met(Fault::Reset(Reset { after_bytes: 9, ms: 120 })).await;
    let began = Instant::now();
    peer.send(get("/")).await;
    assert_eq!(peer.read(9).await, b"HTTP/1.1 ");
    assert!(peer.is_silent_for(ms(60)).await);
    assert_eq!(peer.read_to_reset().await, b"");
    assert!(began.elapsed() >= ms(120));
    assert!(!console.performed(1).await[0].1.cut_short);
}
