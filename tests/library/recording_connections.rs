//! Connections to the console are used again, one request at a time, and never so that it shows in what is recorded.

use crate::canary;
use crate::recorder::{proxy, settings};

use std::sync::{Arc, Mutex};
use std::time::Duration;

use faultdeck::cassette::Cassette;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Which connection each request came over.
type Seen = Arc<Mutex<Vec<(usize, String)>>>;

/// A console that answers with what was asked, and goes on with a connection unless the target asks for something else.
async fn console() -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let all = Arc::clone(&seen);
    tokio::spawn(async move {
        for number in 1.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, number, Arc::clone(&all)));
        }
    });
    (url, seen)
}

async fn serve(mut stream: TcpStream, number: usize, seen: Seen) {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let Ok(read @ 1..) = stream.read(&mut part).await else { return };
        bytes.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        bytes.clear();
        let target = head.split(' ').nth(1).unwrap().to_owned();
        // One that is asked for the second time over a connection is not answered there.
        let is_dropped =
            target == "/api/drop" && seen.lock().unwrap().iter().any(|(held, _)| *held == number);
        seen.lock().unwrap().push((number, target.clone()));
        if is_dropped {
            return;
        }
        let close = if target == "/api/said" { "Connection: close\r\n" } else { "" };
        let answer = format!("HTTP/1.1 200 OK\r\n{close}Content-Length: {}\r\n\r\n{target}", target.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        match target.as_str() {
            "/api/unsaid" => return,
            "/api/more" => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmore").await.unwrap();
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_goes_on_where_nothing_of_one_answer_can_become_part_of_the_next() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let (url, seen) = console().await;
    let proxy = proxy(settings(&url, &path)).await;
    let targets = [
        "/api/1",
        "/api/2",
        "/api/said",
        "/api/3",
        "/api/unsaid",
        "/api/4",
        "/api/more",
        "/api/5",
        "/api/drop",
        "/api/6",
    ];
    for target in targets {
        let answer = proxy.get(target).await;
        assert!(answer.ends_with(&format!("\r\n\r\n{target}")), "{target}: {answer}");
        // Whatever the console does behind an answer has happened.
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(proxy.stop().await.stored, targets.len());
    let seen = seen.lock().unwrap().clone();
    let over = |target: &str| -> Vec<usize> {
        seen.iter().filter(|(_, asked)| asked == target).map(|(number, _)| *number).collect()
    };
    let connections: Vec<Vec<usize>> = targets.map(over).into();
    // The one that went without an answer was asked again over a new one.
    let expected: [&[usize]; 10] = [&[1], &[1], &[1], &[2], &[2], &[3], &[3], &[4], &[4, 5], &[5]];
    assert_eq!(connections, expected);
    for interaction in Cassette::load(&path).unwrap().interactions {
        assert_eq!(interaction.response.body, interaction.request.target.as_bytes());
        assert!(interaction.notes.is_empty(), "{:?}", interaction.notes);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_never_goes_over_a_connection_that_may_have_gone() {
    let folder = canary::Folder::new();
    let (url, seen) = console().await;
    let mut settings = settings(&url, &folder.path().join("c.json"));
    settings.allow_writes = vec!["POST /api/**".to_owned()];
    let proxy = proxy(settings).await;
    proxy.get("/api/1").await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    let post = format!(
        "POST /api/2 HTTP/1.1\r\nHost: {}\r\nSEC: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        proxy.addr,
        canary::canary()
    );
    proxy.send(&post).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [(1, "/api/1".to_owned()), (2, "/api/2".to_owned())]);
    proxy.stop().await;
}
