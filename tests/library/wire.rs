//! What crosses the wire is exactly what was planned, and what is read is exactly what was sent.

use crate::peer;

use std::time::{Duration, Instant};

use bytes::Bytes;
use faultdeck::delivery::{Delivery, End, Framing, Step};
use faultdeck::fault::{Context, Fault, Garbage, HalfClose, MalformedChunk};
use faultdeck::message::{Headers, Request, Response};
use faultdeck::seed::Seed;
use faultdeck::serve::{Limits, Piece, Reply};
use peer::{Console, Peer, bytes_of, get, sample, send_then, start, start_within, stepped};

fn planned(delivery: Delivery) -> Reply {
    Reply::Planned { delivery, ticket: 1 }
}

#[tokio::test]
async fn a_plain_answer_is_sent_byte_for_byte_and_the_connection_kept() {
    let mut response = Response::with_body(200, "text/plain", "hello");
    response.reason = Bytes::from_static(b"Fine \xe9 Indeed");
    response.headers.push("x-ODD", "1");
    response.headers.push("Set-Cookie", "a=1");
    response.headers.push("X-odd", "2");
    response.headers.push("set-cookie", "b=2");
    let whole = bytes_of(&Delivery::of(response.clone()));
    assert!(whole.starts_with(
        b"HTTP/1.1 200 Fine \xe9 Indeed\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nx-ODD: 1\r\n"
    ));
    let (server, console) = start(Console::always(Delivery::of(response))).await;
    let mut peer = Peer::connect(&server).await;
    for _ in 0..3 {
        peer.send(get("/")).await;
        assert_eq!(peer.read(whole.len()).await, whole);
    }
    for (ticket, performed) in console.performed(3).await {
        assert_eq!((ticket, performed.sent_bytes, performed.cut_short), (1, whole.len() as u64, false));
    }
    assert!(peer.is_silent_for(Duration::from_millis(5)).await);
    assert_eq!(server.stop().await, 0);
    assert_eq!(peer.read_to_fin().await, "");
}

#[tokio::test]
async fn a_request_head_is_kept_in_case_order_and_repeats() {
    let (server, console) = start(Console::always(sample())).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(
        "\r\nPoST /api/x%2F?fields=id,%20state&a=%c3%a9 HTTP/1.1\r\nhOst: a\r\nX-One: 1\r\nSEC: t\r\nx-one:  2\t\r\n\
         content-LENGTH: 4\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nbody",
    )
    .await;
    peer.read(12).await;
    let request = console.requests().remove(0);
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("PoST", "/api/x%2F?fields=id,%20state&a=%c3%a9")
    );
    let lines = request.headers.iter().map(|line| format!("{}={}", line.name, line.text()));
    let wanted =
        ["hOst=a", "X-One=1", "SEC=t", "x-one=2", "content-LENGTH=4", "Upgrade=h2c", "Connection=Upgrade"];
    assert_eq!(lines.collect::<Vec<_>>(), wanted);
    assert_eq!(&request.body[..], b"body");
}

#[tokio::test]
async fn a_chunked_request_body_is_decoded_and_the_next_request_follows() {
    let echo = |request: &Request| planned(Delivery::of(Response::json(200, request.body.clone())));
    let (server, console) = start(Console::new(echo)).await;
    let mut peer = Peer::connect(&server).await;
    let chunked = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nContent-Length: 9\r\n\r\n";
    peer.send(format!("{chunked}{}{chunked}", get("/b"))).await;
    peer.send("GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let answers = peer.read_to_fin().await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 4);
    let seen = console.requests();
    let seen = seen.iter().map(|request| (request.target.as_str(), &request.body[..]));
    assert_eq!(seen.collect::<Vec<_>>(), [("/a", &b"abcde"[..]), ("/b", b""), ("/a", b"abcde"), ("/c", b"")]);
    assert!(!console.requests()[0].headers.has("Content-Length"));
}

#[tokio::test]
async fn a_response_cut_after_n_bytes_shows_n_bytes_and_then_a_reset_or_an_end() {
    let whole = bytes_of(&sample());
    for bytes in [0, 1, 12, 40, whole.len() - 1, whole.len()] {
        for end in [End::Rst, End::Fin] {
            let mut delivery = sample();
            delivery.cut(bytes, end);
            let (server, console) = start(Console::always(delivery)).await;
            let mut peer = Peer::connect(&server).await;
            peer.send(get("/")).await;
            let got = match end {
                End::Rst => peer.read_to_reset().await,
                _ => peer.read_to_fin().await.into_bytes(),
            };
            assert_eq!(got, whole[..bytes], "{bytes} {end:?}");
            let performed = console.performed(1).await[0].1;
            assert_eq!((performed.sent_bytes, performed.cut_short), (bytes as u64, false));
        }
    }
}

#[tokio::test]
async fn a_reset_comes_after_a_long_body_that_the_client_reads_slowly() {
    let long = Delivery::of(Response::with_body(200, "text/plain", vec![b'x'; 500_000]));
    let whole = bytes_of(&long);
    let (server, _console) = start(Console::always(stepped(long, send_then(0..usize::MAX, End::Rst)))).await;
    // With so small a buffer at this end, most of the answer waits in the listener's queue.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8192).unwrap();
    let mut peer = Peer(socket.connect(server.addr()).await.unwrap());
    peer.send(get("/")).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(peer.read_to_reset().await.len(), whole.len());
}

#[tokio::test]
async fn a_reset_reaches_a_client_that_has_pipelined_more() {
    let (server, _console) = start(Console::always(stepped(sample(), [Step::End(End::Rst)]))).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/").repeat(20)).await;
    assert_eq!(peer.read_to_reset().await, b"");
}

#[tokio::test]
async fn a_hang_is_silent_until_the_client_gives_up() {
    let (server, console) = start(Console::always(stepped(sample(), send_then(0..9, End::Hang)))).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    assert_eq!(peer.read(9).await, b"HTTP/1.1 ");
    assert!(peer.is_silent_for(Duration::from_millis(30)).await);
    drop(peer);
    let performed = console.performed(1).await[0].1;
    assert_eq!((performed.sent_bytes, performed.cut_short), (9, true));
    assert_eq!(server.stop().await, 0);
}

#[tokio::test]
async fn a_half_close_ends_one_side_only() {
    let (server, _console) = start(Console::always(stepped(sample(), send_then(0..9, End::HalfClose)))).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    assert_eq!(peer.read_to_fin().await, "HTTP/1.1 ");
    // A closed peer would answer with a reset, and a later write would fail.
    for _ in 0..3 {
        peer.send("more").await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_wait_is_never_early_and_a_client_that_leaves_ends_it() {
    let wait = Duration::from_millis(50);
    let mut delivery = sample();
    delivery.delay(wait);
    let (server, _console) = start(Console::always(delivery)).await;
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let mut peer = Peer::connect(&server).await;
        runs.spawn(async move {
            for _ in 0..10 {
                let began = Instant::now();
                peer.send(get("/")).await;
                peer.read(1).await;
                let took = began.elapsed();
                peer.read(bytes_of(&sample()).len() - 1).await;
                println!("a wait of {wait:?} took {took:?}");
                assert!(took >= wait && took < Duration::from_secs(1), "{took:?}");
            }
        });
    }
    runs.join_all().await;

    let mut delivery = sample();
    delivery.delay(Duration::from_secs(600));
    let (server, console) = start(Console::always(delivery)).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    assert!(peer.is_silent_for(Duration::from_millis(5)).await);
    drop(peer);
    let performed = console.performed(1).await[0].1;
    assert_eq!((performed.sent_bytes, performed.cut_short), (0, true));
    assert!(performed.took < Duration::from_secs(10));
}

#[tokio::test]
async fn parts_with_waits_between_them_still_make_one_kept_response() {
    let whole = bytes_of(&sample());
    let wait = Step::Wait(Duration::from_millis(1));
    let parts = [Step::Send(0..5), wait.clone(), Step::Send(5..60), wait, Step::Send(60..usize::MAX)];
    let (server, _console) = start(Console::always(stepped(sample(), parts))).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/").repeat(2)).await;
    assert_eq!(peer.read(2 * whole.len()).await, whole.repeat(2));
}

#[tokio::test]
async fn raw_bytes_go_out_as_they_are_and_the_connection_ends() {
    let steps = [Step::Raw(Bytes::from_static(b"HTTP/9 what\n")), Step::End(End::Keep)];
    let (server, _console) = start(Console::always(stepped(sample(), steps))).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/").repeat(2)).await;
    assert_eq!(peer.read_to_fin().await, "HTTP/9 what\n");
}

#[tokio::test]
async fn chunk_sizes_and_trailers_are_kept() {
    let mut response = Response::new(200);
    response.headers.push("transfer-encoding", "chunked");
    response.body = Bytes::from_static(b"hello world");
    response.chunks = Some(vec![1, 4, 6]);
    response.trailers.push("X-Sum", "9");
    let (server, _console) = start(Console::always(Delivery::of(response))).await;
    let mut peer = Peer::connect(&server).await;
    let wanted = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                  1\r\nh\r\n4\r\nello\r\n6\r\n world\r\n0\r\nX-Sum: 9\r\n\r\n";
    peer.send(get("/").repeat(2)).await;
    assert_eq!(peer.read(2 * wanted.len()).await, wanted.repeat(2).as_bytes());
}

#[tokio::test]
async fn a_connection_is_kept_only_if_the_client_can_see_the_end_of_the_response() {
    let unframed = Response { body: Bytes::from_static(b"until the end"), ..Response::new(200) };
    let mut closing = Response::json(200, "{}");
    closing.headers.push("Connection", "Close");
    let mut short = Delivery::of(Response::json(200, "{}"));
    short.framing = Framing::Length(99);
    for delivery in [Delivery::of(unframed), Delivery::of(closing), short] {
        let whole = bytes_of(&delivery);
        let (server, _console) = start(Console::always(delivery)).await;
        let mut peer = Peer::connect(&server).await;
        peer.send(get("/").repeat(2)).await;
        assert_eq!(peer.read_to_fin().await.into_bytes(), whole);
    }
}

#[tokio::test]
async fn a_client_that_wants_to_close_or_speaks_http_1_0_gets_one_answer() {
    for request in
        ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n"]
    {
        let (server, _console) = start(Console::always(sample())).await;
        let mut peer = Peer::connect(&server).await;
        peer.send(request).await;
        assert_eq!(peer.read_to_fin().await.into_bytes(), bytes_of(&sample()));
    }
}

#[tokio::test]
async fn a_thousand_pipelined_requests_are_answered_in_order() {
    let echo = |request: &Request| planned(Delivery::of(Response::json(200, request.target.clone())));
    let (server, console) = start(Console::new(echo)).await;
    let mut peer = Peer::connect(&server).await;
    let requests = (0..1000).map(|n| get(&format!("/{n}"))).collect::<String>();
    peer.send(requests).await;
    let wanted = (0..1000)
        .map(|n| bytes_of(&Delivery::of(Response::json(200, format!("/{n}")))))
        .collect::<Vec<_>>()
        .concat();
    assert!(peer.read(wanted.len()).await == wanted);
    assert_eq!(console.performed(1000).await.len(), 1000);
}

#[tokio::test]
async fn requests_that_come_byte_by_byte_are_understood() {
    let (server, console) = start(Console::always(sample())).await;
    let mut peer = Peer::connect(&server).await;
    peer.0.set_nodelay(true).unwrap();
    let request = "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    for byte in request.bytes() {
        peer.send([byte]).await;
        tokio::task::yield_now().await;
    }
    peer.read(bytes_of(&sample()).len()).await;
    assert_eq!(&console.requests()[0].body[..], b"abc");
}

#[tokio::test]
async fn a_head_request_gets_no_body() {
    let (server, _console) = start(Console::always(sample())).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(format!("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n{}", get("/"))).await;
    let whole = bytes_of(&sample());
    let wanted = [&whole[..whole.len() - 8], &whole].concat();
    assert_eq!(peer.read(wanted.len()).await, wanted);
}

#[tokio::test]
async fn a_client_that_expects_a_continue_gets_one() {
    let (server, console) = start(Console::always(sample())).await;
    let mut peer = Peer::connect(&server).await;
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n").await;
    assert_eq!(peer.read(25).await, b"HTTP/1.1 100 Continue\r\n\r\n");
    peer.send("body").await;
    assert_eq!(peer.read(bytes_of(&sample()).len()).await, bytes_of(&sample()));
    assert_eq!(&console.requests()[0].body[..], b"body");
}

#[tokio::test]
async fn a_client_that_closes_its_side_after_the_request_still_gets_a_prompt_answer() {
    let (server, _console) = start(Console::always(sample())).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    tokio::io::AsyncWriteExt::shutdown(&mut peer.0).await.unwrap();
    assert_eq!(peer.read_to_fin().await.into_bytes(), bytes_of(&sample()));
}

#[tokio::test]
async fn requests_that_can_be_understood_in_two_ways_are_refused() {
    let (server, console) = start(Console::always(sample())).await;
    let post = |lines: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    let refused = [
        (400, post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")),
        (400, post("Content-Length: 1\r\nContent-Length: 1\r\n")),
        (400, post("Content-Length: +1\r\n")),
        (400, post("Host: b\r\n")),
        (400, post("Content-Length: 1, 1\r\n")),
        (400, post("Content-Length: 0x1\r\n")),
        (400, post("Content-Length: 18446744073709551616\r\n")),
        (400, post("Content-Length : 1\r\n")),
        (400, post("Content-Length\r\n")),
        (400, post("Transfer-Encoding: xchunked\r\n")),
        (400, post("Transfer-Encoding: chunked, identity\r\n")),
        (400, post("Transfer-Encoding: identity\r\n")),
        (400, post("Transfer-Encoding: \u{b}chunked\r\n")),
        (400, post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
        (400, post("Transfer-Encoding : chunked\r\n")),
        (400, post("Transfer-Encoding: chunked\r\n").replace("1.1", "1.0") + "0\r\n\r\n"),
        (400, post("X: a\0b\r\n")),
        (400, post("X: a\rb\r\n")),
        (400, post("X: a\nContent-Length: 5\r\n")),
        (400, post(" X: a\r\n")),
        (400, "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        (400, "GET /\rX: a HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        (400, "GET / HTTP/1.2\r\nHost: a\r\n\r\n".to_owned()),
        (400, "GET /\r\n\r\n".to_owned()),
        (400, post("Transfer-Encoding: chunked\r\n") + "0x1\r\na\r\n0\r\n\r\n"),
        (400, post("Transfer-Encoding: chunked\r\n") + "1\na\n0\n\n"),
        (400, post("Transfer-Encoding: chunked\r\n") + "fffffffffffffffff\r\n"),
        (400, post("Transfer-Encoding: chunked\r\n") + "1\r\nab\r\n0\r\n\r\n"),
        (400, post("Transfer-Encoding: chunked\r\n") + "1;a\nb\r\na\r\n0\r\n\r\n"),
        (400, post("Transfer-Encoding: chunked\r\n") + "zz\r\n"),
        (400, "GET / HTTP/1.1\r\n\r\n".to_owned()),
        (400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        (400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        (400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        (400, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        (400, "GET / HTTP/1.1\nHost: a\n\n".to_owned()),
        (400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n".to_owned()),
        (400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        (400, "\x16\x03\x01".to_owned()),
        (417, post("Expect: tea\r\n")),
        (431, post(&"X: y\r\n".repeat(150))),
        (501, post("Transfer-Encoding: gzip, chunked\r\n")),
    ];
    for (status, request) in refused {
        let mut peer = Peer::connect(&server).await;
        peer.send(&request).await;
        let answer = peer.read_to_fin().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer}");
    }
    assert_eq!(console.requests(), []);
}

/// What `kind` makes of the sample answer under a fixed seed.
fn faulted(fault: &Fault) -> Delivery {
    let mut delivery = sample();
    let mut stream = Seed(7).stream(&["wire"]);
    let mut cx = Context {
        endpoint: None,
        lifecycle: None,
        request: &Request::new("GET", "/"),
        nth: 1,
        heard: false,
        at: Duration::ZERO,
        stream: &mut stream,
    };
    assert!(fault.inject(&mut delivery, &mut cx).is_some());
    delivery
}

#[tokio::test]
async fn half_close_sends_the_whole_answer_and_takes_what_follows_in_silence() {
    let (server, console) = start(Console::always(faulted(&Fault::HalfClose(HalfClose {})))).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    assert_eq!(peer.read_to_fin().await.as_bytes(), bytes_of(&sample()));
    for _ in 0..3 {
        peer.send(get("/again")).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(console.requests().len(), 1);
}

#[test]
fn a_half_closed_answer_can_be_spoilt_as_well_whichever_comes_first() {
    let json = faultdeck::fault::MalformedJson::default();
    let faults = [Fault::HalfClose(HalfClose {}), Fault::MalformedJson(json)];
    for order in [[0, 1], [1, 0]] {
        let mut delivery = Delivery::of(Response::json(200, "{}"));
        for fault in order {
            let mut stream = Seed(7).stream(&["wire"]);
            let mut cx = Context {
                endpoint: None,
                lifecycle: None,
                request: &Request::new("GET", "/"),
                nth: 1,
                heard: false,
                at: Duration::ZERO,
                stream: &mut stream,
            };
            assert!(faults[fault].inject(&mut delivery, &mut cx).is_some(), "{order:?}");
        }
        assert_eq!(delivery.response.text(), Some("{"));
        assert_eq!(delivery.steps.last(), Some(&Step::End(End::HalfClose)));
    }
}

#[tokio::test]
async fn garbage_is_the_same_under_the_same_seed_and_no_status_line() {
    let fault = Fault::Garbage(Garbage {});
    let steps = faulted(&fault).steps;
    let [Step::Raw(wanted), Step::End(End::Fin)] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!(wanted.len(), 64);
    for _ in 0..3 {
        let (server, _console) = start(Console::always(faulted(&fault))).await;
        let mut peer = Peer::connect(&server).await;
        peer.send(get("/")).await;
        let came = peer.read(64).await;
        assert_eq!(came, &wanted[..]);
        assert!(!came[0].is_ascii());
        assert_eq!(peer.read_to_fin().await, "");
    }
}

#[tokio::test]
async fn a_malformed_chunk_follows_a_good_head() {
    let (server, _console) = start(Console::always(faulted(&Fault::MalformedChunk(MalformedChunk {})))).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    let came = peer.read_to_fin().await;
    let (head, body) = came.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\nTransfer-Encoding: chunked"));
    assert!(!head.contains("Content-Length"));
    let whole = String::from_utf8(sample().response.body.to_vec()).unwrap();
    assert_eq!(body, format!("no-number\r\n{whole}\r\n0\r\n\r\n"));
}

/// Streams these pieces for each request.
fn streaming(head: Response, pieces: impl Fn() -> Vec<Piece> + Send + Sync + 'static) -> Console {
    Console::new(move |_| {
        let (sender, body) = tokio::sync::mpsc::channel(8);
        for piece in pieces() {
            sender.try_send(piece).unwrap();
        }
        Reply::Streamed { head: head.clone(), body, ticket: 5 }
    })
}

#[tokio::test]
async fn a_streamed_body_keeps_its_pieces_as_chunks() {
    let mut head = Response::new(200);
    head.headers.push("Transfer-Encoding", "chunked");
    let trailers = [("X-Sum", "1")].into_iter().collect::<Headers>();
    let console = streaming(head, move || {
        vec![
            Piece::Body(Bytes::from_static(b"ab")),
            Piece::Body(Bytes::new()),
            Piece::Body(Bytes::from_static(b"cde")),
            Piece::End(trailers.clone()),
        ]
    });
    let (server, console) = start(console).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/").repeat(2)).await;
    let wanted = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                  2\r\nab\r\n3\r\ncde\r\n0\r\nX-Sum: 1\r\n\r\n";
    assert_eq!(peer.read(2 * wanted.len()).await, wanted.repeat(2).as_bytes());
    assert_eq!(console.performed(2).await[1].1.sent_bytes, wanted.len() as u64);
}

#[tokio::test]
async fn a_streamed_body_that_breaks_off_ends_the_connection_as_told() {
    let body = || Piece::Body(Bytes::from_static(b"abc"));
    let mut head = Response::new(200);
    head.headers.push("Content-Length", "5");
    let sent = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc";
    for end in [Some(End::Rst), Some(End::Fin), None] {
        let console =
            streaming(head.clone(), move || std::iter::once(body()).chain(end.map(Piece::Broken)).collect());
        let (server, _console) = start(console).await;
        let mut peer = Peer::connect(&server).await;
        peer.send(get("/")).await;
        let got = match end {
            Some(End::Fin) => peer.read_to_fin().await.into_bytes(),
            _ => peer.read_to_reset().await,
        };
        assert_eq!(got, sent.as_bytes(), "{end:?}");
    }
}

#[tokio::test]
async fn whoever_streams_learns_that_the_client_has_left() {
    let (left, mut seen) = tokio::sync::mpsc::channel(1);
    let console = Console::new(move |_| {
        let (sender, body) = tokio::sync::mpsc::channel(1);
        let left = left.clone();
        tokio::spawn(async move {
            while sender.send(Piece::Body(Bytes::from_static(b"tick"))).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            left.send(()).await
        });
        Reply::Streamed { head: Response::new(200), body, ticket: 1 }
    });
    let (server, console) = start_within(console, Limits::default()).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    peer.read(30).await;
    drop(peer);
    tokio::time::timeout(peer::PATIENCE, seen.recv()).await.unwrap();
    assert!(console.performed(1).await[0].1.cut_short);
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_no_chunks() {
    let mut response = Response::new(200);
    response.headers.push("Transfer-Encoding", "chunked");
    response.body = Bytes::from_static(b"hello world");
    response.chunks = Some(vec![5, 6]);
    let (server, _console) = start(Console::always(Delivery::of(response))).await;
    let mut peer = Peer::connect(&server).await;
    peer.send("GET / HTTP/1.0\r\n\r\n").await;
    assert_eq!(peer.read_to_fin().await, "HTTP/1.1 200 OK\r\n\r\nhello world");
}
