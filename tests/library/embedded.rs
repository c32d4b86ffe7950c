//! A replay in a test of somebody's own: whatever runtime that has, or none.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use faultdeck::ledger::Line;
use faultdeck::replay::{Replay, Running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const HEAD: &str = "GET /api/forensics/case_management/cases HTTP/1.1\r\nHost: localhost\r\nSEC: any\r\n\r\n";

fn started() -> Running {
    Replay::builder().cassette("builtin:forensics/create-case").start().unwrap()
}

/// One that never answers.
fn silent() -> Running {
    let text = "summary = \"x\"\ncassette = \"builtin:forensics/create-case\"\n\n[[fault]]\ninject = { hang = {} }\n";
    let scenario =
        faultdeck::scenario::Scenario::parse("x", "x", text, faultdeck::profile::Profile::builtin());
    Replay::builder().under(scenario.unwrap()).start().unwrap()
}

fn blocking(addr: SocketAddr) -> String {
    let mut socket = TcpStream::connect(addr).unwrap();
    socket.write_all(HEAD.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// Asks, reads something of the answer, and leaves the connection open.
async fn asked(addr: SocketAddr) -> (tokio::net::TcpStream, String) {
    let mut socket = tokio::net::TcpStream::connect(addr).await.unwrap();
    socket.write_all(HEAD.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let count = socket.read(&mut answer).await.unwrap();
    (socket, String::from_utf8_lossy(&answer[..count]).into_owned())
}

fn served(lines: &[Line]) -> usize {
    lines.iter().filter(|line| matches!(line, Line::Exchange(_))).count()
}

fn is_closed(addr: SocketAddr) -> bool {
    TcpStream::connect(addr).is_err()
}

#[test]
fn a_plain_test_starts_asks_and_drops() {
    let replay = started();
    let addr = replay.addr();
    assert!(blocking(addr).starts_with("HTTP/1.1 200 "));
    assert_eq!(served(&replay.ledger()), 1);
    drop(replay);
    assert!(is_closed(addr));
}

#[tokio::test]
async fn a_test_of_one_thread_starts_asks_and_drops_within_its_runtime() {
    let replay = started();
    let addr = replay.addr();
    let (_open, answer) = asked(addr).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // The connection is still open, and its client cannot read while this thread is busy.
    let began = Instant::now();
    drop(replay);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(is_closed(addr));
    let again = started();
    assert_eq!(served(&again.stop()), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_of_several_threads_shares_one_and_gets_its_ledger() {
    let replay = std::sync::Arc::new(started());
    let addr = replay.addr();
    let asks: Vec<_> = (0..8).map(|_| tokio::spawn(async move { asked(addr).await.1 })).collect();
    for ask in asks {
        assert!(ask.await.unwrap().starts_with("HTTP/1.1 200 "));
    }
    assert!(tokio::task::spawn_blocking(move || blocking(addr)).await.unwrap().starts_with("HTTP/1.1 200 "));
    let replay = std::sync::Arc::into_inner(replay).unwrap();
    assert_eq!(served(&replay.stop()), 9);
    assert!(is_closed(addr));
}

#[tokio::test]
async fn an_answer_that_never_comes_holds_nobody_up_who_drops_it() {
    let replay = silent();
    let waits = tokio::spawn(asked(replay.addr()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waits.is_finished());
    let began = Instant::now();
    drop(replay);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let _ = tokio::time::timeout(Duration::from_secs(5), waits).await.expect("the connection is over");
}

#[test]
fn it_outlives_a_runtime_in_which_it_was_started_and_is_dropped_in_another() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let replay = runtime().block_on(async { started() });
    assert!(blocking(replay.addr()).starts_with("HTTP/1.1 200 "));
    let addr = replay.addr();
    runtime().block_on(async move { drop(replay) });
    assert!(is_closed(addr));
}

#[test]
fn a_test_that_panics_leaves_no_listener_behind() {
    let (sender, addr) = std::sync::mpsc::channel();
    let panics = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let replay = started();
            sender.send(replay.addr()).unwrap();
            std::panic::resume_unwind(Box::new("as a failed assertion does"));
        });
    });
    assert!(panics.join().is_err());
    assert!(is_closed(addr.recv().unwrap()));
}
