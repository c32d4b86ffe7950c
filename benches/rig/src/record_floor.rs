//! The floors of a recording: a reverse proxy that only passes on, and one that also writes what it saw to a file,
//! neither redacted nor synced.

use std::convert::Infallible;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::http::uri::{Authority, Scheme};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use crate::process::{Arguments, announce};

type Body = BoxBody<Bytes, hyper::Error>;

/// Interactions that wait for the writer at one time.
const WAITING_MAX: usize = 4096;

struct Seen {
    line: String,
    status: u16,
    sent: Bytes,
    received: Bytes,
}

#[derive(Clone)]
struct Proxy {
    to: Authority,
    client: Client<HttpConnector, Body>,
    writer: Option<SyncSender<Seen>>,
}

/// `rig record-floor --to ADDRESS:PORT [--out FILE]`
pub(crate) fn main(arguments: &Arguments) -> Result<(), String> {
    let to = arguments.text("--to").ok_or("--to ADDRESS:PORT is missing")?;
    let to = to.parse().map_err(|error| format!("--to: {error}"))?;
    let writer = match arguments.text("--out") {
        Some(path) => {
            let file = File::create(path).map_err(|error| format!("{path}: {error}"))?;
            let (sender, receiver) = sync_channel(WAITING_MAX);
            std::thread::spawn(move || write(file, &receiver));
            Some(sender)
        }
        None => None,
    };
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    crate::runtime()?.block_on(serve(Proxy { to, client, writer })).map_err(|error| error.to_string())
}

fn write(file: File, seen: &Receiver<Seen>) {
    let mut file = BufWriter::with_capacity(256 * 1024, file);
    for Seen { line, status, sent, received } in seen {
        let (sent, received) = (String::from_utf8_lossy(&sent), String::from_utf8_lossy(&received));
        let text = format!(
            "{{\"request\":{line:?},\"status\":{status},\"sent\":{sent:?},\"received\":{received:?}}}"
        );
        if writeln!(file, "{text}").is_err() {
            return;
        }
    }
}

async fn serve(proxy: Proxy) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?)?;
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        let _ = socket.set_nodelay(true);
        let proxy = proxy.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| pass(proxy.clone(), request));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

async fn pass(proxy: Proxy, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    Ok(through(proxy, request).await.unwrap_or_else(|| {
        let mut response = Response::new(Full::default().map_err(|never| match never {}).boxed());
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    }))
}

async fn through(proxy: Proxy, request: Request<Incoming>) -> Option<Response<Body>> {
    let (mut parts, body) = request.into_parts();
    let line = format!("{} {}", parts.method, parts.uri);
    let mut uri = parts.uri.into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(proxy.to);
    parts.uri = Uri::from_parts(uri).ok()?;
    parts.headers.remove(header::CONNECTION);
    parts.headers.remove(header::HOST);
    let Some(writer) = proxy.writer else {
        let response = proxy.client.request(Request::from_parts(parts, body.boxed())).await.ok()?;
        return Some(response.map(BodyExt::boxed));
    };
    let sent = body.collect().await.ok()?.to_bytes();
    let response = proxy.client.request(Request::from_parts(parts, whole(sent.clone()))).await.ok()?;
    let (head, body) = response.into_parts();
    let received = body.collect().await.ok()?.to_bytes();
    // Copied: what is kept of hyper's own bytes keeps a whole read buffer.
    let kept = (Bytes::copy_from_slice(&sent), Bytes::copy_from_slice(&received));
    writer.send(Seen { line, status: head.status.as_u16(), sent: kept.0, received: kept.1 }).ok()?;
    Some(Response::from_parts(head, whole(received)))
}

fn whole(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed()
}
