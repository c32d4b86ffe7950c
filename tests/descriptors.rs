//! A listener without file descriptors lets idle connections go, and goes on when there are some again. Alone in its process, because the
//! limit is the whole process's.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)] // Also in what is shared between tests.

#[path = "harness/canary.rs"]
mod canary;
#[path = "library/peer/mod.rs"]
mod peer;

use std::time::{Duration, Instant};

use peer::{Console, PATIENCE, Peer, bytes_of, get, sample, start};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn open_descriptors() -> u64 {
    std::fs::read_dir("/proc/self/fd").unwrap().count() as u64
}

#[tokio::test]
async fn a_listener_that_runs_out_of_descriptors_recovers() {
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
