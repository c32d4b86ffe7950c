//! The floor of a replay: raw hyper and one look-up in a hash map.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::cassette;
use crate::process::{Arguments, announce};

struct State {
    bodies: HashMap<String, Bytes>,
    delay: Duration,
}

/// `rig replay-floor [--map N] [--delay-ms N]`: serves the tasks that a cassette of `N` interactions holds.
pub(crate) fn main(arguments: &Arguments) -> Result<(), String> {
    let many = arguments.number("--map")?.unwrap_or(1);
    let delay = Duration::from_millis(arguments.number("--delay-ms")?.unwrap_or(0));
    let bodies = (1..=many).map(|id| (cassette::target(id), Bytes::from(cassette::body(id)))).collect();
    // It serves until it is ended.
    let state: &'static State = Box::leak(Box::new(State { bodies, delay }));
    crate::runtime()?.block_on(serve(state)).map_err(|error| error.to_string())
}

async fn serve(state: &'static State) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?)?;
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        let _ = socket.set_nodelay(true);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(state, request));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

async fn answer(
    state: &'static State,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if !state.delay.is_zero() {
        tokio::time::sleep(state.delay).await;
    }
    let mut response = Response::new(Full::default());
    match state.bodies.get(request.uri().path()) {
        Some(body) => {
            *response.body_mut() = Full::new(body.clone());
            response
                .headers_mut()
                .insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(cassette::JSON));
        }
        None => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    Ok(response)
}
