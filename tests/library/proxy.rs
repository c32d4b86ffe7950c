//! A listener that is asked as a forward proxy: what it takes, and that nothing is looser in a tunnel than outside.

use crate::{canary, peer};

use std::sync::Arc;
use std::time::Duration;

use faultdeck::serve::tls::Identity;
use faultdeck::serve::{Hosts, Limits, Options, Proxy, Server, StartError, TheOne};
use peer::{Console, Peer, bytes_of, sample};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const SHORT: Duration = Duration::from_millis(150);
const OPEN: &str = "HTTP/1.1 200 Connection established\r\n\r\n";
const CONNECT: &str = "CONNECT console.example:443 HTTP/1.1\r\nHost: console.example:443\r\n\r\n";
const GET: &str = "GET /x HTTP/1.1\r\nHost: console.example\r\n\r\n";

async fn start(proxy: Proxy, limits: Limits) -> (Server, Arc<Console>) {
    let console = Arc::new(Console::always(sample()));
    let options = Options { proxy: Some(proxy), limits: Some(limits), ..Options::default() };
    (Server::start(options, Arc::clone(&console)).await.unwrap(), console)
}

async fn started() -> (Server, Arc<Console>, Proxy) {
    let proxy = Proxy::for_now().unwrap();
    let (server, console) = start(proxy.clone(), Limits::default()).await;
    (server, console, proxy)
}

/// A peer for whom a tunnel is open.
async fn tunnel(server: &Server) -> Peer {
    let mut peer = Peer::connect(server).await;
    peer.send(CONNECT).await;
    assert_eq!(peer.read(OPEN.len()).await, OPEN.as_bytes());
    peer
}

async fn shake(peer: Peer, proxy: &Proxy, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(proxy.ca_pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, peer.0).await
}

/// What comes of these bytes until the connection ends.
async fn said(server: &Server, bytes: impl AsRef<[u8]>) -> String {
    let mut peer = Peer::connect(server).await;
    peer.send(bytes).await;
    peer.read_to_fin().await
}

#[tokio::test]
async fn a_tunnel_has_a_certificate_for_whoever_was_named_and_serves_request_after_request() {
    let (server, console, proxy) = started().await;
    let mut tls = shake(tunnel(&server).await, &proxy, "console.example").await.unwrap();
    tls.write_all(GET.repeat(3).as_bytes()).await.unwrap();
    let mut answers = vec![0; 3 * bytes_of(&sample()).len()];
    tls.read_exact(&mut answers).await.unwrap();
    assert_eq!(answers, bytes_of(&sample()).repeat(3));
    let requests = console.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|it| it.target == "/x" && it.scheme == Some("https")));
    assert!(shake(tunnel(&server).await, &proxy, "other.example").await.is_err(), "not for another");
    assert!(console.refusals().is_empty());
}

#[tokio::test]
async fn a_whole_url_comes_to_the_answer_as_the_same_request_asked_directly() {
    let (server, console, _) = started().await;
    let end = "Connection: close\r\nSEC: t\r\n\r\n";
    let whole = format!(
        "GET http://console.example/x?a=b HTTP/1.1\r\nHost: other\r\nProxy-Connection: close\r\n{end}"
    );
    let direct = format!("GET /x?a=b HTTP/1.1\r\nHost: {}\r\n{end}", server.addr());
    for request in [whole, direct] {
        assert!(said(&server, request).await.ends_with(r#"{"id":7}"#));
    }
    let [proxied, direct] = &console.requests()[..] else { panic!("two requests") };
    let lines = |it: &faultdeck::message::Request| {
        it.headers
            .iter()
            .filter(|line| !line.name.eq_ignore_ascii_case("Host"))
            .map(|line| line.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!((&proxied.target, lines(proxied)), (&direct.target, lines(direct)));
    assert_eq!(proxied.headers.text("Host").unwrap(), "console.example");
    assert_eq!((proxied.scheme, direct.scheme), (Some("http"), None));
}

#[tokio::test]
async fn what_two_programs_could_understand_differently_opens_no_tunnel() {
    let (server, console, _) = started().await;
    let with = |lines: &str| format!("CONNECT a.example:443 HTTP/1.1\r\n{lines}\r\n");
    let refused = [
        with(""),
        with("Host: a\r\nHost: a\r\n"),
        with("Host: a\r\nContent-Length: 4\r\n") + "body",
        with("Host: a\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        with("Host: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
        with("Host: a\r\n") + "GET /behind HTTP/1.1\r\n\r\n",
        with("Host: a\r\n").replace("a.example:443", "a.example"),
        with("Host: a\r\n").replace("a.example:443", "/api/x"),
        with("Host: a\r\n").replace("a.example:443", "http://a.example:443"),
        with("Host: a\r\n").replace("a.example:443", "u:p@a.example:443"),
        with("Host: a\r\n").replace("a.example:443", "a.example:65536"),
        with("Host: a\r\n").replace("a.example:443", "a b:443"),
        with("Host : a\r\n"),
        with("Host: a\n"),
        "CONNECT a.example:443 HTTP/2.0\r\n\r\n".to_owned(),
    ];
    for request in &refused {
        let answer = said(&server, request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request:?}: {answer}");
    }
    assert_eq!(console.refusals().len(), refused.len());
    assert!(console.requests().is_empty());
}

#[tokio::test]
async fn a_tunnel_is_as_strict_as_the_door() {
    let (server, console, proxy) = started().await;
    for (request, status) in [
        (CONNECT, "400"),
        ("GET /x HTTP/1.1\r\n\r\n", "400"),
        ("GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
        ("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        ("GET /x HTTP/1.1\nHost: a\n\n", "400"),
        ("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501"),
        ("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", "413"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"),
    ] {
        let mut plain = tunnel(&server).await;
        plain.send(request).await;
        let answer = plain.read_to_fin().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer}");
        let mut tls = shake(tunnel(&server).await, &proxy, "console.example").await.unwrap();
        tls.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tls.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "over TLS, {request:?}: {answer}");
    }
    assert!(console.requests().is_empty());
    assert_eq!(console.refusals().len(), 16);
}

#[tokio::test]
async fn a_tunnel_takes_plain_http_and_what_it_took_opens_no_door() {
    let (server, console, _) = started().await;
    let page = GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    for _ in 0..2 {
        let mut peer = tunnel(&server).await;
        peer.send(&page).await;
        assert!(peer.read_to_fin().await.ends_with(r#"{"id":7}"#));
        // A page of a stranger that calls 127.0.0.1 by its own name sends the very same bytes.
        let answer = said(&server, &page).await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
    }
    assert_eq!(console.requests().len(), 2);
}

#[tokio::test]
async fn whoever_opens_a_tunnel_and_does_nothing_in_it_is_let_go() {
    let limits = Limits { first_byte: SHORT, head: SHORT, ..Limits::default() };
    let (server, console) = start(Proxy::for_now().unwrap(), limits).await;
    assert_eq!(tunnel(&server).await.read_to_fin().await, "");
    let mut half_a_hello = tunnel(&server).await;
    half_a_hello.send([0x16, 0x03, 0x01]).await;
    let _ = half_a_hello.read_to_end().await;
    let mut half_a_connect = Peer::connect(&server).await;
    half_a_connect.send(&CONNECT[..30]).await;
    assert!(half_a_connect.read_to_fin().await.starts_with("HTTP/1.1 408 "));
    let mut half_a_request = tunnel(&server).await;
    half_a_request.send(&GET[..10]).await;
    assert!(half_a_request.read_to_fin().await.starts_with("HTTP/1.1 408 "));
    assert!(console.requests().is_empty());
    assert_eq!(server.stop().await, 0);
}

#[tokio::test]
async fn a_tunnel_in_use_ends_with_its_listener() {
    let (server, _, proxy) = started().await;
    let idle = tunnel(&server).await;
    let shaken = shake(tunnel(&server).await, &proxy, "console.example").await.unwrap();
    assert_eq!(server.stop().await, 0);
    drop((idle, shaken));
}

#[tokio::test]
async fn one_console_may_be_named_where_somebody_is_asked_in_earnest() {
    let folder = canary::Folder::new();
    let one = TheOne {
        url: "https://console.example".to_owned(),
        host: "console.example".to_owned(),
        port: 443,
        names: Hosts::default(),
    };
    let proxy = Proxy::for_one(folder.path(), one, &[]).unwrap();
    let (server, console) = start(proxy.clone(), Limits::default()).await;
    let mut tls = shake(tunnel(&server).await, &proxy, "console.example").await.unwrap();
    tls.write_all(GET.as_bytes()).await.unwrap();
    let mut answer = vec![0; bytes_of(&sample()).len()];
    tls.read_exact(&mut answer).await.unwrap();
    let port = server.addr().port();
    for other in [
        CONNECT.replace("console.example", "evil.example"),
        CONNECT.replace("443 ", "8443 "),
        "GET http://evil.example/ HTTP/1.1\r\nHost: console.example\r\n\r\n".to_owned(),
        "GET http://console.example/ HTTP/1.1\r\nHost: console.example\r\n\r\n".to_owned(),
        "GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: console.example\r\n\r\n".to_owned(),
    ] {
        let answer = said(&server, &other).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{other}: {answer}");
        assert!(answer.contains("https://console.example alone"), "{answer}");
    }
    let itself = format!("GET http://127.0.0.1:{port}/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(said(&server, itself).await.starts_with("HTTP/1.1 200 "));
    assert_eq!((console.requests().len(), console.refusals().len()), (2, 5));
}

#[tokio::test]
async fn the_authority_of_one_console_vouches_for_no_other_and_that_of_now_is_kept_nowhere() {
    let folder = canary::Folder::new();
    let any = Proxy::for_any(folder.path()).unwrap();
    assert_eq!(any.ca_pem(), Proxy::for_any(folder.path()).unwrap().ca_pem(), "kept");
    assert_eq!(std::fs::read_to_string(any.ca_file().unwrap()).unwrap(), any.ca_pem());
    let now = Proxy::for_now().unwrap();
    assert!(now.ca_file().is_none() && now.ca_pem() != Proxy::for_now().unwrap().ca_pem());
    assert_eq!(faultdeck::serve::tls::forget(folder.path()).unwrap(), 1);
    let text = format!("{:?}", any);
    assert!(text.contains("Any") && !text.contains("KEY"), "{text}");
}

#[tokio::test]
async fn a_proxy_has_no_identity_of_its_own() {
    let folder = canary::Folder::new();
    let options = Options {
        tls: Some(Identity::for_names(folder.path(), &[]).unwrap()),
        proxy: Some(Proxy::for_now().unwrap()),
        ..Options::default()
    };
    let refused = Server::start(options, Arc::new(Console::always(sample()))).await;
    assert!(matches!(refused, Err(StartError::TlsProxy)));
}
