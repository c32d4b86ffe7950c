//! The recording proxy against a console that is a bare socket: what crossed the wire is what is recorded.

use crate::canary;
use crate::recorder::{Ending, proxy, raw_console, read_request, settings};

use std::sync::Arc;

use faultdeck::cassette::{Cassette, TlsTrust};
use faultdeck::delivery::Delivery;
use faultdeck::message::{Request, Response};
use faultdeck::record::{Existing, KeepError, RecordError, Recorder, Settings, Trust, dials};
use faultdeck::serve::{Answer, Came, Options, Reply, Server, tls::Identity};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

const CANARY: &str = "cAnArY/0123+456=789 abc";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_crossed_the_wire_is_kept_and_passed_on_byte_for_byte() {
    let folder = canary::Folder::new();
    let path = folder.path().join("deep/er/odd.json");
    let body = b"{\"id\": 123456789012345678901234567890,\"a\":1.00,\"a\":1E5}";
    let mut answer =
        b"HTTP/1.1 200 Quite \xe9 Fine\r\nX-One: a\r\ndate: today\r\nx-oNE: b\r\nConnection: close\r\n\
        CONTENT-type: application/json\r\nX-One: \xff\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    let head_length = answer.len();
    for chunk in [&body[..1], &body[1..8], &body[8..]] {
        answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        answer.extend_from_slice(chunk);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n");
    let console = raw_console(vec![(answer.clone(), Ending::Close)]).await;
    let proxy = proxy(settings(&console.url, &path)).await;

    let request = format!(
        "GET /api/odd/%7e?fields=a,b&x=%2f HTTP/1.1\r\nhOST: {}\r\nX-Two: 1\r\nACCEPT-Encoding: gzip\r\nx-tWO: 2\r\nSEC: t\r\nX-Two: 3\r\n\r\n",
        proxy.addr
    );
    let received = proxy.send(&request).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&received), String::from_utf8_lossy(&answer));
    assert_eq!(received, answer);

    let authority = console.url.strip_prefix("http://").unwrap();
    let forwarded = request.replace(&proxy.addr, authority).replace("gzip", "identity");
    assert_eq!(console.heads.lock().unwrap().as_slice(), [forwarded]);

    let summary = proxy.stop().await;
    assert_eq!((summary.stored, summary.not_stored), (1, 0), "{:?}", summary.reasons);
    let cassette = Cassette::load(&path).unwrap();
    assert_eq!(cassette.recorded_from.tls, TlsTrust::None);
    let interaction = &cassette.interactions[0];
    assert_eq!(interaction.request.target, "/api/odd/%7e?fields=a,b&x=%2f");
    let lines: Vec<String> =
        interaction.request.headers.iter().map(|line| format!("{}: {}", line.name, line.text())).collect();
    assert_eq!(
        lines,
        ["hOST: {base}", "X-Two: 1", "ACCEPT-Encoding: gzip", "x-tWO: 2", "SEC: fd-secret-1", "X-Two: 3"]
    );
    let image = Delivery::of(interaction.response.clone()).image();
    assert_eq!(image.head, answer[..head_length]);
    assert_eq!(image.body, answer[head_length..]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_comes_out_nowhere() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let quoted = serde_json::Value::from(CANARY).to_string();
    let percent: String = CANARY.bytes().map(|byte| format!("%{byte:02x}")).collect();
    // The first answer holds the token before the recorder has seen it in a credential's place.
    let early = format!("{{\"echo\":{quoted},\"n\":1}}");
    let late = format!("see {percent} in {CANARY}");
    let answers = [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{early}", early.len()),
        format!(
            "HTTP/1.1 302 {CANARY}\r\nLocation: /x?q={percent}\r\nSet-Cookie: SEC={CANARY}; Path=/\r\nContent-Length: {}\r\n\r\n{late}",
            late.len()
        ),
    ];
    let console = raw_console(answers.map(|answer| (answer.into_bytes(), Ending::Close)).into()).await;
    let proxy =
        proxy(Settings { allow_writes: vec!["POST /api/odd".to_owned()], ..settings(&console.url, &path) })
            .await;
    assert!(proxy.get("/api/early").await.contains(&quoted), "the client gets what the console sent");
    let body = format!("{{\"password\":{quoted},\"more\":[{quoted}]}}");
    let request = format!(
        "POST /api/odd?token={percent}&other={percent} HTTP/1.1\r\nHost: {}\r\nSEC: {CANARY}\r\nX-Other: <{CANARY}>\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        proxy.addr,
        body.len()
    );
    assert!(String::from_utf8_lossy(&proxy.send(&request).await.unwrap()).contains(CANARY));
    assert!(console.heads.lock().unwrap()[1].contains(CANARY), "the console gets the real one");
    assert_eq!(proxy.stop().await.stored, 2);

    let text = std::fs::read_to_string(&path).unwrap();
    for part in CANARY.split(['/', '+', '=', ' ']).filter(|part| part.len() > 3) {
        assert!(!text.contains(part), "{part} in {text}");
    }
    assert!(!text.to_ascii_lowercase().contains(&percent[..12]), "{text}");
    let cassette = Cassette::load(&path).unwrap();
    assert!(cassette.unredacted().is_empty());
    assert_eq!(cassette.interactions[0].response.body, r#"{"echo":"fd-secret-2","n":1}"#);
    assert_eq!(cassette.to_text(), text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_refused_with_the_flag_that_allows_them() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let console =
        raw_console(vec![(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}".to_vec(), Ending::Close)])
            .await;
    let post = |addr: &str| {
        format!(
            "POST /api/forensics/case_management/cases HTTP/1.1\r\nHost: {addr}\r\nSEC: {}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}",
            canary::canary()
        )
    };
    let closed = proxy(settings(&console.url, &path)).await;
    let answer = String::from_utf8(closed.send(&post(&closed.addr)).await.unwrap()).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 501 ")
            && answer.contains("--allow-writes 'POST /forensics/case_management/cases'"),
        "{answer}"
    );
    let summary = closed.stop().await;
    assert_eq!((summary.stored, summary.refused_writes), (0, 1));
    assert!(console.heads.lock().unwrap().is_empty(), "nothing was sent on");
    assert!(!path.exists(), "nothing was recorded, nothing is written");

    let open =
        proxy(Settings { allow_writes: vec!["cases.post".to_owned()], ..settings(&console.url, &path) })
            .await;
    assert!(open.send(&post(&open.addr)).await.unwrap().starts_with(b"HTTP/1.1 201 "));
    assert_eq!(open.stop().await.stored, 1);

    let unknown = Settings {
        allow_writes: vec!["nope.post".to_owned()],
        ..settings(&console.url, &folder.path().join("d"))
    };
    assert!(matches!(Recorder::new(unknown, None), Err(RecordError::Endpoint(_))));
    assert!(matches!(
        Recorder::new(settings(&console.url, &path), None),
        Err(RecordError::Keep(KeepError::Exists(_)))
    ));
    assert!(
        Recorder::new(Settings { existing: Existing::Overwrite, ..settings(&console.url, &path) }, None)
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_answers_break_off_alike_and_are_not_stored() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let short = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_vec();
    let both =
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec();
    let zipped = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc".to_vec();
    let answers = vec![
        (short.clone(), Ending::Close),
        (short.clone(), Ending::Reset),
        (both, Ending::Close),
        (Vec::new(), Ending::Close),
        (zipped.clone(), Ending::Close),
    ];
    let console = raw_console(answers).await;
    let proxy = proxy(settings(&console.url, &path)).await;
    let request = format!(
        "GET /api/x HTTP/1.1\r\nHost: {}\r\nSEC: {}\r\nConnection: close\r\n\r\n",
        proxy.addr,
        canary::canary()
    );
    assert_eq!(proxy.send(&request).await.unwrap(), short, "an early end stays an early end");
    let error = proxy.send(&request).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "a reset stays a reset");
    for _ in 0..2 {
        let answer = String::from_utf8(proxy.send(&request).await.unwrap()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    }
    assert!(proxy.send(&request).await.unwrap().ends_with(b"abc"), "a compressed answer is passed on");
    let summary = proxy.stop().await;
    let counts = (summary.stored, summary.unanswered, summary.not_stored, summary.unreachable);
    assert_eq!(counts, (0, 4, 1, 0), "{:?}", summary.reasons);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_console_is_a_502_that_says_why() {
    let folder = canary::Folder::new();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let proxy = proxy(settings(&format!("http://{gone}"), &folder.path().join("c.json"))).await;
    let before = dials();
    let answer = proxy.get("/api/x").await;
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("Connection refused"), "{answer}");
    assert!(dials() > before);
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_name_the_listener_live_and_base_in_the_cassette() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let answer = format!(
        "HTTP/1.1 302 Found\r\nLocation: {url}/api/y\r\nSet-Cookie: a=b; Domain=127.0.0.1; Path=/\r\nContent-Length: 0\r\n\r\n"
    );
    let listener = TcpListener::bind(url.strip_prefix("http://").unwrap()).await.unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let proxy = proxy(settings(&url, &path)).await;
    let received = proxy.get("/api/x").await;
    assert!(received.contains(&format!("Location: http://{}/api/y\r\n", proxy.addr)), "{received}");
    proxy.stop().await;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(r#"["Location", "{base}/api/y"]"#), "{text}");
    assert!(text.contains(r#"["Set-Cookie", "a=fd-secret-2; Domain={base}; Path=/"]"#), "{text}");
    assert!(!text.contains("127.0.0.1"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_unrelated_requests_does_not_show_and_changes_are_saved_while_recording() {
    let folder = canary::Folder::new();
    let mut texts = Vec::new();
    for (round, order) in
        [["/api/b", "/api/a/10", "/api/a/9", "/api/b"], ["/api/a/9", "/api/b", "/api/b", "/api/a/10"]]
            .iter()
            .enumerate()
    {
        let path = folder.path().join(format!("{round}.json"));
        let mut b = 0;
        let answers = order.map(|target| {
            b += usize::from(target == "/api/b");
            let body = if target == "/api/b" {
                format!("{{\"n\":{b}}}")
            } else {
                format!("{{\"at\":\"{target}\"}}")
            };
            (
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes(),
                Ending::Close,
            )
        });
        let console = raw_console(answers.into()).await;
        let proxy = proxy(settings(&console.url, &path)).await;
        for target in order {
            proxy.get(target).await;
        }
        proxy.stop().await;
        texts.push(std::fs::read_to_string(&path).unwrap());
    }
    assert_eq!(texts[0], texts[1]);
    let places: Vec<_> =
        ["\"/api/a/9\"", "\"/api/a/10\"", "\"/api/b\""].map(|target| texts[0].find(target).unwrap()).into();
    assert!(places.is_sorted());
}

struct Console;

impl Answer for Console {
    type Asked = Request;

    fn asked(&self, request: Request) -> Request {
        request
    }

    async fn answer(&self, _request: Arc<Request>, _came: Came) -> Reply {
        Reply::Planned { delivery: Delivery::of(Response::json(200, "{}")), ticket: 0 }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_verified_pinned_or_refused_with_all_that_is_needed() {
    let folder = canary::Folder::new();
    let identity = Identity::for_names(&folder.path().join("ca"), &["localhost".to_owned()]).unwrap();
    let ca_file = identity.ca_file.clone();
    let console = Server::start(Options { tls: Some(identity), ..Options::default() }, Arc::new(Console))
        .await
        .unwrap();
    let url = format!("https://localhost:{}", console.addr().port());
    let with = |trust: Trust, name: &str| Settings { trust, ..settings(&url, &folder.path().join(name)) };

    let wrong_pin = Trust::pin(&format!("sha256:{}", "00".repeat(32))).unwrap();
    let refusing = proxy(with(wrong_pin, "a.json")).await;
    let answer = refusing.get("/api/x").await;
    refusing.stop().await;
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("localhost"), "{answer}");
    let (_, pin) = answer.split_once("--pin ").expect(&answer);
    let pin = Trust::pin(pin.get(..7 + 64).expect(pin)).unwrap();

    for (trust, mark, name) in [
        (pin, TlsTrust::Pinned, "pin.json"),
        (Trust::CaFile(ca_file), TlsTrust::Verified, "ca.json"),
        (Trust::Insecure, TlsTrust::Insecure, "insecure.json"),
    ] {
        let proxy = proxy(with(trust, name)).await;
        let answer = proxy.get("/api/x").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{name}: {answer}");
        assert_eq!(proxy.stop().await.stored, 1);
        assert_eq!(Cassette::load(&folder.path().join(name)).unwrap().recorded_from.tls, mark);
    }
    console.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_what_is_allowed_writes_nothing_and_is_recorded_like_a_read() {
    let folder = canary::Folder::new();
    let path = folder.path().join("c.json");
    let answer = b"HTTP/1.1 204 No Content\r\nAllow: GET\r\nConnection: close\r\n\r\n".to_vec();
    let console = raw_console(vec![(answer, Ending::Close)]).await;
    let proxy = proxy(settings(&console.url, &path)).await;
    let request = format!("OPTIONS /api/x HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.addr);
    assert!(proxy.send(&request).await.unwrap().starts_with(b"HTTP/1.1 204"));
    let summary = proxy.stop().await;
    assert_eq!((summary.stored, summary.refused_writes), (1, 0));
    assert_eq!(Cassette::load(&path).unwrap().interactions[0].request.method, "OPTIONS");
}
