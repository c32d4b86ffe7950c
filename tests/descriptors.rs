//! Many connections at one time, and fewer descriptors than connections: a listener without any lets idle connections go,
//! and goes on when there are some again. Alone in its process, because the limit is the whole process's.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)] // Also in what is shared between tests.

#[path = "harness/canary.rs"]
mod canary;
#[path = "library/peer/mod.rs"]
mod peer;

use std::time::{Duration, Instant};

use faultdeck::serve::{Limits, Server};
use peer::{Console, PATIENCE, Peer, bytes_of, get, sample, start, start_within};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn open_descriptors() -> u64 {
    std::fs::read_dir("/proc/self/fd").unwrap().count() as u64
}

/// One test at a time: what each does to the limit is done to all.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// As many connections as an ordinary machine lets this one process hold both ends of, up to `most`.
fn many(most: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let allowed = limit.maximum.map_or(most, |maximum| usize::try_from(maximum).unwrap_or(usize::MAX) / 3);
    assert!(allowed > 1000, "`ulimit -Hn` is too low for this test: 3,000 at least");
    most.min(allowed)
}

/// A new connection that was answered once.
async fn answered(server: &Server) -> Peer {
    let mut peer = Peer::connect(server).await;
    ask_again(&mut peer).await;
    peer
}

async fn ask_again(peer: &mut Peer) {
    let expected = bytes_of(&sample());
    peer.send(get("/")).await;
    let answer = peer.read(expected.len()).await;
    assert_eq!(answer, expected, "{}", String::from_utf8_lossy(&answer));
}

/// `scripts/bench` does the same with 10,000, and the real binary.
#[tokio::test]
async fn thousands_of_open_connections_are_all_held_and_a_hundred_requests_a_second_answered_beside_them() {
    let _alone = ALONE.lock().await;
    let many = many(2_000);
    let (server, console) = start(Console::always(sample())).await;
    let mut held = Vec::new();
    for _ in 0..many {
        held.push(answered(&server).await);
    }
    let mut busy = answered(&server).await;
    let mut clock = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..100 {
        clock.tick().await;
        ask_again(&mut busy).await;
    }
    for peer in &mut held {
        ask_again(peer).await;
    }
    assert_eq!(console.requests().len(), 2 * many + 101);
}

#[tokio::test]
async fn a_crowd_that_comes_at_once_finds_places_where_a_crowd_only_waits() {
    let _alone = ALONE.lock().await;
    let connections = many(500);
    let limits = Limits { connections, ..Limits::default() };
    let (server, console) = start_within(Console::always(sample()), limits).await;
    let mut idle = Vec::new();
    for _ in 0..connections {
        idle.push(answered(&server).await);
    }
    // Blocking connects: the listener, on this same thread, finds all of them at once.
    let crowd: Vec<_> =
        (0..connections).map(|_| std::net::TcpStream::connect(server.addr()).unwrap()).collect();
    let mut crowd: Vec<Peer> = crowd
        .into_iter()
        .map(|socket| {
            socket.set_nonblocking(true).unwrap();
            Peer(tokio::net::TcpStream::from_std(socket).unwrap())
        })
        .collect();
    for peer in &mut crowd {
        ask_again(peer).await;
    }
    assert_eq!(console.refusals(), []);
    assert_eq!(console.requests().len(), 2 * connections);
}

#[tokio::test]
async fn a_listener_that_runs_out_of_descriptors_recovers() {
    let _alone = ALONE.lock().await;
    let (server, console) = start(Console::always(sample())).await;
    // Blocking connects: the listener, on this same thread, can accept none of them yet.
    let clients = (0..20).map(|_| std::net::TcpStream::connect(server.addr()).unwrap()).collect::<Vec<_>>();
    let last = std::net::TcpStream::connect(server.addr()).unwrap();
    last.set_nonblocking(true).unwrap();
    let before = getrlimit(Resource::Nofile);
    let few = Rlimit { current: Some(open_descriptors() + 5), maximum: before.maximum };
    setrlimit(Resource::Nofile, few).unwrap();
    // Idle connections make room, one after the other, until the last client gets its turn.
    let mut last = Peer(tokio::net::TcpStream::from_std(last).unwrap());
    last.send(get("/")).await;
    assert_eq!(last.read(bytes_of(&sample()).len()).await, bytes_of(&sample()));

    drop(last);
    drop(clients);
    let began = Instant::now();
    let served = async {
        let mut peer = Peer::connect(&server).await;
        peer.send(get("/")).await;
        assert_eq!(peer.read(bytes_of(&sample()).len()).await, bytes_of(&sample()));
    };
    tokio::time::timeout(PATIENCE, served).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(console.requests().len(), 2);
    setrlimit(Resource::Nofile, before).unwrap();
    assert_eq!(server.stop().await, 0);
}
