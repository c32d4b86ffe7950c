//! What real clients send in a target reaches the console byte for byte, and is found again in the recording.

use crate::harness::{Lab, canary};

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// The request lines that a console has seen, each without its end.
type Seen = Arc<Mutex<Vec<Vec<u8>>>>;

/// A console that answers each request with its own number, and keeps the first lines.
fn console() -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let kept = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            if reader.read_until(b'\n', &mut line).is_err() {
                continue;
            }
            let mut rest = String::new();
            while reader.read_line(&mut rest).is_ok_and(|read| read > 2) {}
            let number = {
                let mut kept = kept.lock().unwrap();
                // The test's own plant is none of the requests that are counted.
                if !line.starts_with(b"GET /api/plant") {
                    kept.push(line.strip_suffix(b"\r\n").unwrap_or(&line).to_vec());
                }
                kept.len()
            };
            let body = format!("{{\"number\":{number}}}");
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
            let _ = write!(reader.get_mut(), "{head}Content-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    (url, seen)
}

/// Every byte that may stand in a target, a few at a time, in the path and in the query.
fn targets() -> Vec<Vec<u8>> {
    let fits: Vec<u8> = (0x21..=0xff).filter(|byte: &u8| *byte != 0x7f && *byte != b'#').collect();
    let mut all: Vec<Vec<u8>> =
        fits.chunks(16).map(|some| [b"/api/raw?filter=", &some.repeat(2)[..], b"&z=1"].concat()).collect();
    all.push(b"/api/raw/\"<>{}|^`\\\xfc\xc3\xbc/x".to_vec());
    all.push(
        "/api/siem/offenses?filter=status=\"OPEN\" or description=Z\u{fc}rich".replace(' ', "+").into_bytes(),
    );
    all.push(b"/api/siem/offenses?filter=last_updated_time>169&q=Z\xfcrich".to_vec());
    all.push(b"/api/siem/offenses?filter=last_updated_time>169&q=Z\xe4rich".to_vec());
    all.push(b"/api/c1?q=\xc2\x85\xee\xbe\x80".to_vec());
    all
}

fn request(target: &[u8]) -> Vec<u8> {
    let rest =
        format!(" HTTP/1.1\r\nHost: localhost\r\nSEC: {}\r\nConnection: close\r\n\r\n", canary::canary());
    [b"GET ", target, rest.as_bytes()].concat()
}

/// The body of an answer with status 200.
fn body(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer).into_owned();
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn a_target_goes_to_the_console_into_the_cassette_and_back_byte_for_byte() {
    let lab = Lab::new();
    let (url, seen) = console();
    let recorder = lab.serve(&["record", "--upstream", &url, "--cassette", "raw.json"]);
    let targets = targets();
    let recorded: Vec<String> =
        targets.iter().map(|target| body(&recorder.exchange(&request(target)).unwrap())).collect();
    let ended = recorder.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let sent: Vec<Vec<u8>> =
        seen.lock().unwrap().iter().filter(|line| line.starts_with(b"GET /api/")).cloned().collect();
    let wanted: Vec<Vec<u8>> =
        targets.iter().map(|target| [b"GET ", &target[..], b" HTTP/1.1"].concat()).collect();
    assert_eq!(sent, wanted);

    let replay = lab.serve(&["replay", "raw.json", "--no-auth"]);
    let replayed: Vec<String> =
        targets.iter().map(|target| body(&replay.exchange(&request(target)).unwrap())).collect();
    assert_eq!(replayed, recorded);
    // The spelling that a library would have chosen is the same request.
    let escaped = b"/api/siem/offenses?filter=last_updated_time%3E169&q=Z%FCrich";
    assert_eq!(body(&replay.exchange(&request(escaped)).unwrap()), recorded[recorded.len() - 3]);
    let other =
        replay.exchange(&request(b"/api/siem/offenses?filter=last_updated_time>169&q=Z\xf6rich")).unwrap();
    assert!(other.starts_with(b"HTTP/1.1 501 "), "another byte is another request");
    replay.stop();
}

#[test]
fn a_page_of_another_site_never_reaches_the_console() {
    let lab = Lab::new();
    let (url, seen) = console();
    let flags = ["record", "--upstream", &url, "--cassette", "c.json", "--allow-writes", "cases.post"];
    let post = |lines: &str| {
        format!(
            "POST /api/forensics/case_management/cases HTTP/1.1\r\nHost: localhost\r\nSEC: {}\r\nContent-Type: text/plain\r\n\
             {lines}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}",
            canary::canary()
        )
    };
    let recorder = lab.serve(&flags);
    for lines in ["Origin: http://evil.test\r\n", "Sec-Fetch-Site: cross-site\r\n", "Origin: null\r\n"] {
        let answer = String::from_utf8(recorder.exchange(post(lines).as_bytes()).unwrap()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("--allow-origin"), "{answer}");
    }
    let posted = |seen: &Seen| seen.lock().unwrap().iter().filter(|line| line.starts_with(b"POST")).count();
    assert_eq!(posted(&seen), 0);
    body(&recorder.exchange(post("").as_bytes()).unwrap());
    body(&recorder.exchange(post("Origin: http://localhost:3000\r\n").as_bytes()).unwrap());
    recorder.stop();
    let recorder = lab.serve(&[&flags[..], &["--overwrite", "--allow-origin", "http://app.test"]].concat());
    body(&recorder.exchange(post("Origin: http://app.test\r\n").as_bytes()).unwrap());
    let stranger = recorder.exchange(post("Origin: http://evil.test\r\n").as_bytes()).unwrap();
    assert!(stranger.starts_with(b"HTTP/1.1 403 "));
    recorder.stop();
    assert_eq!(posted(&seen), 3);
}
