//! Addresses: a console's own links come back to whoever records or replays it, under the name its client used.

use crate::canary;
use crate::recorder::{proxy, raw_console, settings, whole};

use std::sync::{Arc, Mutex};

use faultdeck::cassette::Cassette;
use faultdeck::message::Request;
use faultdeck::record::{Event, Recorder};
use faultdeck::replay::Replay;
use faultdeck::serve::{Options, Server};

fn line<'a>(answer: &'a str, name: &str) -> &'a str {
    answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or(answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_and_cookies_follow_the_host_that_the_client_used() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let head = "302 Found\r\nLocation: http://127.0.0.1/api/y\r\nSet-Cookie: SEC=0123456789; Domain=127.0.0.1; Path=/";
    let console = raw_console(vec![whole(head, ""), whole(head, "")]).await;
    let proxy = proxy(settings(&console.url, &path)).await;
    let port = proxy.server.addr().port();
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        let sec = canary::canary();
        let request =
            format!("GET /api/x HTTP/1.1\r\nHost: {host}\r\nSEC: {sec}\r\nConnection: close\r\n\r\n");
        let answer = String::from_utf8(proxy.send(&request).await.unwrap()).unwrap();
        assert_eq!(line(&answer, "Location"), format!("http://{host}/api/y"));
        let name = host.split(':').next().unwrap();
        assert_eq!(line(&answer, "Set-Cookie"), format!("SEC=0123456789; Domain={name}; Path=/"));
    }
    proxy.stop().await;
    let cassette = Cassette::load(&path).unwrap();
    let kept = &cassette.interactions[0].response;
    assert_eq!(kept.headers.text("Location").unwrap(), "{base}/api/y");
    assert!(kept.headers.text("Set-Cookie").unwrap().ends_with("; Domain={base}; Path=/"));

    let replay = Replay::builder().recorded(cassette).start().unwrap();
    let port = replay.url().rsplit(':').next().unwrap().to_owned();
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        let answer = ask(&format!("127.0.0.1:{port}"), &host).await;
        assert_eq!(line(&answer, "Location"), format!("http://{host}/api/y"));
    }
}

async fn ask(addr: &str, host: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let request = format!(
        "GET /api/x HTTP/1.1\r\nHost: {host}\r\nSEC: {}\r\nConnection: close\r\n\r\n",
        canary::canary()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_that_sends_its_clients_to_https_gets_them_back_and_the_user_is_told_once() {
    let folder = canary::Folder::new();
    let redirect = whole("302 Found\r\nLocation: https://127.0.0.1/api/x", "");
    let console = raw_console(vec![redirect.clone(), redirect]).await;
    let remarks = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&remarks);
    let watch = Arc::new(move |event: &Event| {
        if let Event::Remark(remark) = event {
            heard.lock().unwrap().push(remark.clone());
        }
    });
    let settings = settings(&console.url, &folder.path().join("c.json"));
    let recorder = Arc::new(Recorder::new(settings, Some(watch)).unwrap());
    let server = Server::start(Options::default(), Arc::clone(&recorder)).await.unwrap();
    recorder.set_base(&server.url());
    let addr = server.addr().to_string();
    for _ in 0..2 {
        let answer = ask(&addr, &addr).await;
        assert_eq!(line(&answer, "Location"), format!("http://{addr}/api/x"));
    }
    server.stop().await;
    recorder.settle().await;
    let remarks = remarks.lock().unwrap();
    assert!(remarks.len() == 1 && remarks[0].contains("--upstream https://127.0.0.1"), "{remarks:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_connection_names_is_not_taken_from_the_console() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let console = raw_console(vec![whole("200 OK", "{}")]).await;
    let proxy = proxy(settings(&console.url, &path)).await;
    let request = format!(
        "GET /api/x HTTP/1.1\r\nHost: {}\r\nSEC: {}\r\nX-Hop: 1\r\nConnection: close, SEC, Host, X-Hop\r\n\r\n",
        proxy.addr,
        canary::canary()
    );
    proxy.send(&request).await.unwrap();
    assert_eq!(proxy.stop().await.stored, 1);
    let heads = console.heads.lock().unwrap();
    let authority = console.url.strip_prefix("http://").unwrap();
    let forwarded = format!(
        "GET /api/x HTTP/1.1\r\nHost: {authority}\r\nSEC: {}\r\nAccept-Encoding: identity\r\n\r\n",
        canary::canary()
    );
    assert_eq!(heads.as_slice(), [forwarded]);
    let kept = &Cassette::load(&path).unwrap().interactions[0];
    assert!(kept.notes[0].contains("Host, SEC") && kept.notes[0].ends_with("X-Hop"), "{:?}", kept.notes);
    assert_eq!(
        kept.request,
        Request { headers: kept.request.headers.clone(), ..Request::new("GET", "/api/x") }
    );
}
