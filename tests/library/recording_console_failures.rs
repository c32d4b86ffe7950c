//! A console that fails: what it did is told as exactly that, to the client and in the account, and is never green.

use crate::canary;
use crate::recorder::{Ending, Proxy, proxy, raw_console, settings, whole};

use std::time::{Duration, Instant};

use faultdeck::cassette::Cassette;
use faultdeck::ledger::Exit;
use faultdeck::record::{Settings, Summary};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

const SHORT: Duration = Duration::from_millis(300);

async fn before(folder: &canary::Folder, answers: Vec<(Vec<u8>, Ending)>) -> Proxy {
    let console = raw_console(answers).await;
    let path = folder.path().join("c.json");
    proxy(Settings { console_timeout: SHORT, ..settings(&console.url, &path) }).await
}

fn counts(summary: &Summary) -> (usize, u64, u64, u64) {
    (summary.stored, summary.unreachable, summary.unanswered, summary.not_stored)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_cannot_be_read_is_told_as_what_it_is_and_the_address_is_not_doubted() {
    let folder = canary::Folder::new();
    let table: [(&[u8], Ending, &str); 8] = [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Ending::Close,
            "both Content-Length and Transfer-Encoding",
        ),
        (b"HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n", Ending::Close, "status is below 100"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Ending::Close, "its head cannot be read"),
        (b"", Ending::Close, "closed the connection without an answer"),
        (b"", Ending::Reset, "reset the connection"),
        (b"HTTP/1.1 200 OK\r\nX: ", Ending::Close, "closed the connection within the head"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", Ending::Close, "it switches protocols"),
        (&[b'x'; 70_000], Ending::Close, "its head"),
    ];
    let answers = table.iter().map(|(answer, ending, _)| (answer.to_vec(), *ending)).collect();
    let proxy = before(&folder, answers).await;
    for (_, _, cause) in table {
        let answer = proxy.get("/api/x").await;
        assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains(cause), "{cause}: {answer}");
        assert!(answer.contains("the request was sent") && !answer.contains("--upstream"), "{answer}");
    }
    let summary = proxy.stop().await;
    assert_eq!(counts(&summary), (0, 0, 8, 0), "{:?}", summary.reasons);
    assert!(summary.reasons.iter().any(|why| why.contains("GET /api/x: ")), "{:?}", summary.reasons);
    assert_eq!(summary.weigh().exit(), Exit::Failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_that_is_too_slow_is_a_504_and_a_slow_body_a_broken_one() {
    let folder = canary::Folder::new();
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec();
    let answers = vec![
        (Vec::new(), Ending::Hang),
        (b"HTTP/1.1 200 OK\r\n".to_vec(), Ending::Hang),
        (half.clone(), Ending::Hang),
    ];
    let proxy = before(&folder, answers).await;
    for _ in 0..2 {
        let answer = proxy.get("/api/x").await;
        assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
        assert!(answer.contains("did not send the head of its answer within 0.3 s"), "{answer}");
        assert!(answer.contains("--console-timeout"), "{answer}");
    }
    let answer = proxy.get("/api/x").await;
    assert_eq!(answer.as_bytes(), half, "it is cut where the console stopped");
    let summary = proxy.stop().await;
    assert_eq!(counts(&summary), (0, 0, 3, 0), "{:?}", summary.reasons);
    assert!(summary.reasons.iter().any(|why| why.contains("sent nothing more of its body")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_that_does_not_take_a_request_is_too_slow_and_one_that_answers_early_is_heard() {
    let folder = canary::Folder::new();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(8).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (_deaf, _) = listener.accept().await.unwrap();
        let (mut early, _) = listener.accept().await.unwrap();
        early.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
    });
    let allow_writes = vec!["POST /api/odd".to_owned()];
    let path = folder.path().join("c.json");
    let proxy = proxy(Settings { console_timeout: SHORT, allow_writes, ..settings(&url, &path) }).await;
    // More than the buffers of this machine take.
    let length = 8 * 1024 * 1024;
    let request = format!(
        "POST /api/odd HTTP/1.1\r\nHost: {}\r\nSEC: {}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{}",
        proxy.addr,
        canary::canary(),
        " ".repeat(length)
    );
    let answer = String::from_utf8(proxy.send(&request).await.unwrap()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 504 ") && answer.contains("did not take the request"), "{answer}");
    let answer = String::from_utf8(proxy.send(&request).await.unwrap()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let summary = proxy.stop().await;
    assert_eq!(counts(&summary), (1, 0, 1, 0), "{:?}", summary.reasons);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trailers_reach_the_client_and_the_cassette_only_if_they_may_stand_there() {
    let folder = canary::Folder::new();
    let chunked = |trailers: &str| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        (format!("{head}3\r\nabc\r\n0\r\n{trailers}\r\n").into_bytes(), Ending::Close)
    };
    let many = "X: a\r\n".repeat(129);
    let answers = vec![
        chunked("X-Sum: 1\r\nSet-Cookie: SEC=b\r\nContent-Length: 9\r\nsec: c\r\n"),
        chunked("X Y: a\r\n"),
        chunked(": a\r\n"),
        chunked("X: a\nSet-Cookie: b=1\r\n"),
        chunked("X: a\0\r\n"),
        chunked(&many),
    ];
    let refused = answers.len() - 1;
    let proxy = before(&folder, answers).await;
    let answer = proxy.get("/api/x").await;
    assert!(answer.ends_with("3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"), "{answer}");
    for _ in 0..refused {
        let answer = proxy.get("/api/x").await;
        assert!(answer.ends_with("3\r\nabc\r\n"), "the end of the body does not come: {answer}");
    }
    let summary = proxy.stop().await;
    assert_eq!(counts(&summary), (1, 0, refused as u64, 0), "{:?}", summary.reasons);
    let cassette = Cassette::load(&folder.path().join("c.json")).unwrap();
    let kept = &cassette.interactions[0];
    assert_eq!(kept.response.trailers, [("X-Sum", "1")].into_iter().collect());
    assert!(kept.notes[0].ends_with("Set-Cookie, Content-Length, sec"), "{:?}", kept.notes);
}

/// Sends a request, reads until `enough` has come, and leaves.
async fn leave_after(proxy: &Proxy, target: &str, enough: &str) {
    let mut stream = TcpStream::connect(&proxy.addr).await.unwrap();
    let request =
        format!("GET {target} HTTP/1.1\r\nHost: {}\r\nSEC: {}\r\n\r\n", proxy.addr, canary::canary());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    while !text.contains(enough) {
        let mut part = [0; 1024];
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&part[..read]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_client_has_left_is_read_to_its_end_and_kept() {
    let folder = canary::Folder::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                crate::recorder::read_request(&mut stream).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf").await.unwrap();
                tokio::time::sleep(Duration::from_millis(400)).await;
                stream.write_all(b"half").await.unwrap();
            });
        }
    });
    let path = folder.path().join("c.json");
    let proxy = proxy(settings(&url, &path)).await;
    leave_after(&proxy, "/api/within-the-body", "half").await;
    leave_after(&proxy, "/api/before-the-answer", "").await;
    // The request has to reach the console before the listener stops.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let summary = proxy.stop().await;
    assert_eq!(counts(&summary), (2, 0, 0, 0), "{:?}", summary.reasons);
    let cassette = Cassette::load(&path).unwrap();
    for interaction in &cassette.interactions {
        assert_eq!(interaction.response.body, "halfhalf");
        assert_eq!(interaction.notes, ["the client left before the end of the answer"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_client_has_left_is_not_read_for_ever() {
    let folder = canary::Folder::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        crate::recorder::read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        // An answer without an end, a byte at a time.
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let path = folder.path().join("c.json");
    let proxy = proxy(Settings { console_timeout: SHORT, ..settings(&url, &path) }).await;
    leave_after(&proxy, "/api/endless", "x").await;
    let began = Instant::now();
    let summary = proxy.stop().await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(counts(&summary), (0, 0, 1, 0), "{:?}", summary.reasons);
    assert!(summary.reasons[0].contains("the client left"), "{:?}", summary.reasons);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_passed_on_and_never_followed() {
    let folder = canary::Folder::new();
    let metadata = "http://169.254.169.254/latest/meta-data/";
    let proxy = before(&folder, vec![whole(&format!("302 Found\r\nLocation: {metadata}"), "")]).await;
    let answer = proxy.get("/api/x").await;
    assert!(answer.contains(&format!("Location: {metadata}\r\n")), "{answer}");
    assert_eq!(counts(&proxy.stop().await), (1, 0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_after_an_answer_never_become_part_of_the_next_one() {
    let folder = canary::Folder::new();
    let (mut first, ending) = whole("200 OK", "one");
    first.extend(whole("200 OK", "planted").0);
    let proxy = before(&folder, vec![(first, ending), whole("200 OK", "two")]).await;
    let head = |target: &str, more: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: {}\r\nSEC: {}\r\n{more}\r\n", proxy.addr, canary::canary())
    };
    let both = head("/api/a", "") + &head("/api/b", "Connection: close\r\n");
    let answers = String::from_utf8(proxy.send(&both).await.unwrap()).unwrap();
    assert!(answers.contains("\r\n\r\none") && answers.ends_with("\r\n\r\ntwo"), "{answers}");
    assert!(!answers.contains("planted"), "{answers}");
    assert_eq!(counts(&proxy.stop().await), (2, 0, 0, 0));
    let cassette = Cassette::load(&folder.path().join("c.json")).unwrap();
    let notes: Vec<&String> = cassette.interactions.iter().flat_map(|one| &one.notes).collect();
    assert!(notes.len() == 1 && notes[0].contains("bytes came after the end"), "{notes:?}");
}
