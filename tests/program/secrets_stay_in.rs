//! A token appears in no file and no output, wherever it was put and whatever repeats it.

use crate::harness;
use crate::raw;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use faultdeck::message::Request;
use faultdeck::redact::Redactor;
use harness::{CASES, Lab, Running, TASKS, token};
use raw::raw_console;

/// First seen in a path; only the answer's body says that it is a secret.
const LATE: &str = "late-0123456789/abc";
/// Sent in a harmless header at first, as a token in the last request, which nothing is stored of.
const LAST: &str = "last-9876543210/xyz";
/// The password of `Authorization: Basic`.
const PASSWORD: &str = "basic-pass-5566/77";
const BEARER: &str = "bearer-778899/aa.bb-cc";
const COOKIE: &str = "cookie-112233/dd";
const SECRETS: [&str; 5] = [LATE, LAST, PASSWORD, BEARER, COOKIE];

fn percent(text: &str, every: usize) -> String {
    text.bytes().enumerate().fold(String::new(), |mut out, (place, byte)| {
        match place % every == 0 || !byte.is_ascii_alphanumeric() {
            true => write!(out, "%{byte:02x}").unwrap(),
            false => out.push(char::from(byte)),
        }
        out
    })
}

fn unicode(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_digit() { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() })
        .collect()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

fn headed(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Repeats all secrets in many spellings and places.
fn echo(request: &str) -> Vec<u8> {
    let path = request.split(' ').nth(1).unwrap_or("/");
    let all = [token(), LATE, PASSWORD, BEARER, COOKIE];
    let each = |spell: &dyn Fn(&str) -> String| all.map(spell).join("\", \"");
    if path.contains("headers") {
        let mut head = format!("200 OK for {}\r\nContent-Type: text/plain\r\n", token());
        for secret in all {
            write!(
                head,
                "X-Echo: {secret}\r\nX-Hex: {}\r\nX-Percent: {}\r\n",
                hex(secret),
                percent(secret, 3)
            )
            .unwrap();
            write!(head, "X-Basic: {}\r\n", BASE64_STANDARD.encode(format!("someone:{secret}"))).unwrap();
            write!(head, "Location: /api/next/{}?token={}&x=1\r\n", percent(secret, 2), percent(secret, 9))
                .unwrap();
        }
        write!(head, "Set-Cookie: SEC={}; Path=/", percent(COOKIE, 4)).unwrap();
        return headed(&head, "fine");
    }
    if path.contains("chunks") {
        let text = format!("say {} and {} again", token(), percent(token(), 5));
        let chunks: String = text.as_bytes().chunks(7).fold(String::new(), |mut out, part| {
            write!(out, "{:x}\r\n{}\r\n", part.len(), String::from_utf8_lossy(part)).unwrap();
            out
        });
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
        return format!("{head}{chunks}0\r\nX-Trailer: {}\r\n\r\n", token()).into_bytes();
    }
    if path.contains("login") {
        return headed(
            "200 OK\r\nContent-Type: application/json",
            &format!("{{\"access_token\":\"{LATE}\"}}"),
        );
    }
    if path.contains("page") {
        let page =
            format!("<html>{} {} {}</html>", token(), unicode(token()), percent(&percent(token(), 2), 4));
        return headed("200 OK\r\nContent-Type: text/html", &page);
    }
    let inner = unicode(token()).replace('\\', "\\\\");
    let body = format!(
        "{{\"id\":9,\"name\":\"x\",\"{}\":1.00,\"raw\":[\"{}\"],\"hex\":[\"{}\"],\"b64\":[\"{}\"],\"pct\":[\"{}\"],\"u\":[\"{}\"],\"in\":\"{{\\\"a\\\":\\\"{inner}\\\"}}\"}}",
        token(),
        each(&|secret| secret.to_owned()),
        each(&hex),
        each(&|secret| BASE64_STANDARD.encode(format!("u:{secret}"))),
        each(&|secret| percent(&percent(secret, 3), 2)),
        each(&unicode),
    );
    headed("200 OK\r\nContent-Type: application/json", &body)
}

/// Sends requests with secrets in every place a client could put one.
fn send_everything(to: &Running) {
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("someone:{PASSWORD}")));
    let pct = percent(token(), 3);
    let _ =
        to.try_request("GET", &format!("/api/login/{}", LATE.replace('/', "%2f")), &[("X-First", LAST)], b"");
    for path in ["headers", "chunks", "json", "page"] {
        for (name, value) in [
            ("Authorization", basic.as_str()),
            ("Authorization", &format!("Bearer {BEARER}")),
            ("Cookie", &format!("a=b; JSESSIONID={COOKIE}; SEC=\"{}\"", token())),
            ("Referer", &format!("http://user:{}@host/x?token={}", percent(PASSWORD, 2), token())),
        ] {
            let _ = to.try_request("GET", &format!("/api/echo/{path}"), &[(name, value)], b"");
        }
        let _ = to.try_request("GET", &format!("/api/echo/{path}/{pct}?api_key={pct}&q={pct}"), &[], b"");
        let _ = to.try_request("GET", &format!("/@one/api/echo/{path}/{}", percent(token(), 2)), &[], b"");
    }
    let _ = to.try_request("GET", &format!("/@{}/api/forensics/nope", hex(token())), &[], b"");
    let _ = to.try_request("GET", &format!("{TASKS}/42?fields={pct}"), &[], b"");
    let _ = to.try_request("GET", &format!("{TASKS}/42?{pct}={pct}"), &[("Range", token())], b"");
    let _ =
        to.try_request("GET", &format!("{CASES}?filter=name%3D%22{pct}%22"), &[("Version", token())], b"");
    let body = format!(
        "{{\"name\":\"{}\",\"assigned_to\":[\"{}\"],\"password\":\"{PASSWORD}\"}}",
        token(),
        unicode(token())
    );
    let json = [("Content-Type", "application/json")];
    let _ = to.try_request("POST", CASES, &json, body.as_bytes());
    let _ = to.try_request("DELETE", &format!("{CASES}/{pct}"), &[], b"");
    let form = format!("token={pct}&password={}", percent(PASSWORD, 1));
    let form_type = [("Content-Type", "application/x-www-form-urlencoded")];
    let _ = to.try_request("POST", "/api/echo/form", &form_type, form.as_bytes());
    let malformed =
        format!("GET /api/x HTTP/1.1\r\nHost: localhost\r\nSEC: {}\r\nBad Line {}\r\n\r\n", token(), token());
    let _ = to.exchange(malformed.as_bytes());
    let _ = to.exchange(
        format!(
            "GET http://u:{}@h/api/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            percent(PASSWORD, 3)
        )
        .as_bytes(),
    );
    let last =
        format!("DELETE /api/x HTTP/1.1\r\nHost: localhost\r\nSEC: {LAST}\r\nConnection: close\r\n\r\n");
    let _ = to.exchange(last.as_bytes());
}

fn lab() -> Lab {
    let lab = Lab::new();
    SECRETS.iter().filter(|secret| **secret != LATE).for_each(|secret| lab.hide(secret));
    lab
}

fn record(lab: &Lab, console: &str, name: &str) {
    let allow = ["--allow-writes", "cases.post", "--allow-writes", "POST /api/echo/form"];
    let recorder = lab.serve(&[&["record", "--upstream", console, "--cassette", name], &allow[..]].concat());
    send_everything(&recorder);
    let finished = recorder.stop();
    assert!(finished.stderr.contains("interactions in"), "{}", finished.stderr);
}

#[test]
fn a_console_that_repeats_every_secret_is_recorded_replayed_and_reported() {
    let lab = lab();
    lab.hide(LATE);
    record(&lab, &raw_console(echo), "tape.json");
    assert!(lab.read("tape.json").contains("/api/echo/chunks"));
    let lint = lab.run(&["lint", "tape.json"]);
    assert_eq!(lint.code, Some(0), "{}", lint.stderr);

    // A replay is told nothing of what the console's answers gave away.
    let text = lab.read("tape.json");
    drop(lab);
    let lab = self::lab();
    lab.write("tape.json", &text);
    let scenario = "summary = \"x\"\n[[fault]]\nwhen = { nth = \"every 2\" }\ninject = { truncate = { body_bytes = 9 } }\n";
    lab.write("s.toml", scenario);
    let reports = ["--report", "json=r.json", "--report", "junit=r.xml", "--report", "human=r.txt"];
    let args =
        [&["replay", "tape.json", "--scenario", "s.toml", "--ledger", "l.jsonl"], &reports[..]].concat();
    let replay = lab.serve(&args);
    send_everything(&replay);
    let finished = replay.stop();
    assert!(finished.stderr.contains("/api/echo/json"), "{}", finished.stderr);
    let served = lab.read("l.jsonl").matches("\"nth\":").count();
    assert!(served > 40, "no line is lost: {served}");
    for format in ["human", "json", "junit"] {
        assert_eq!(lab.run(&["report", "l.jsonl", "--format", format]).code, Some(0));
    }
}

#[test]
fn the_emulator_is_told_every_secret() {
    let lab = lab();
    let console = lab.serve(&["emulate", "--seed", "3"]);
    record(&lab, &console.url, "emulated.json");
    let replay = lab.serve(&["replay", "emulated.json", "--ledger", "l.jsonl"]);
    send_everything(&replay);
    replay.stop();
    console.stop();
}

#[test]
fn a_miss_does_not_repeat_a_token() {
    let lab = lab();
    let replay = lab.replay(&[]);
    let secret = percent(token(), 2);
    for target in [format!("/api/siem/{secret}"), format!("/api/siem/offenses?x={secret}&token={secret}")] {
        let miss = replay.get(&target);
        assert_eq!(miss.status(), 501);
        harness::canary::assert_clean("the miss", &miss.body);
    }
}

#[test]
fn a_token_in_the_wrong_place_of_a_command_line_is_not_repeated() {
    let lab = lab();
    let pasted = token();
    let url = format!("https://someone:{PASSWORD}@console.example");
    let query = format!("https://console.example/?token={PASSWORD}");
    lab.write("bad.toml", &format!("summary = \"x\"\ncassette = \"{pasted}\"\nnope = \"{pasted}\"\n"));
    let name = pasted.replace('/', "-");
    lab.hide(&name);
    let env = [("OTHER_TOKEN", name.as_str())];
    for args in [
        vec!["record", "--upstream", &url, "--cassette", "x.json"],
        vec!["record", "--upstream", &query, "--cassette", "x.json"],
        vec!["record", "--upstream", "http://127.0.0.1:1", "--cassette", "x.json", "--allow-writes", pasted],
        vec!["replay", pasted],
        vec!["replay", &name],
        vec!["replay", "--scenario", pasted],
        vec!["replay", "--scenario", &name],
        vec!["replay", "--scenario", "bad.toml"],
        vec!["replay", "--seed", pasted],
        vec!["replay", "--listen", pasted],
        vec!["judge", pasted],
        vec!["judge", "builtin:careful", "--scenario", &name],
        vec!["judge", "builtin:careful", "--ledger", "/nonexistent/x", "--cassette", pasted],
        vec!["explain", pasted],
        vec!["lint", pasted],
        vec!["lint", "bad.toml"],
        vec!["report", pasted],
        vec!["run", "--scenario", pasted, "--", "true"],
        vec![pasted],
    ] {
        let finished = lab.run_with(&args, &env);
        assert_ne!(finished.code, Some(0), "{args:?}");
        assert!(!(finished.stderr + &finished.stdout).is_empty(), "{args:?} says nothing");
    }
    // The file is the user's own.
    std::fs::remove_file(lab.file("bad.toml")).unwrap();
}

#[test]
fn a_command_line_with_a_token_is_run_and_not_repeated() {
    let lab = lab();
    let header = format!("SEC: {BEARER}");
    let equals = format!("--api-key={COOKIE}");
    let script = "curl -s -H \"SEC: $FAULTDECK_SEC\" \"$FAULTDECK_URL/api/help/versions\"; exit 3";
    let args = [
        "run",
        "--cassette",
        "builtin:forensics/create-case",
        "--ledger",
        "l.jsonl",
        "--report",
        "junit=r.xml",
        "--trace",
        "--",
    ];
    let command =
        ["sh", "-c", script, "x", "--password", PASSWORD, &equals, "-H", &header, "--token", token()];
    let finished = lab.run(&[&args[..], &command[..]].concat());
    assert!(matches!(finished.code, Some(1 | 3)), "{}", finished.stderr);
    assert!(finished.stderr.contains("repeat it"), "{}", finished.stderr);
}

#[test]
fn debug_text_shows_no_credential() {
    let request = Request::new("GET", "/").with("SEC", token()).with("Cookie", token());
    harness::canary::assert_clean("the debug text", format!("{request:?}").as_bytes());
}

#[test]
fn thousands_of_secrets_and_large_bodies_take_seconds_at_most() {
    let began = std::time::Instant::now();
    let redactor = Redactor::new();
    for n in 0..1000 {
        let request =
            Request::new("GET", &format!("/api/x/{n}")).with("SEC", &format!("token-number-{n:06}"));
        assert!(redactor.request(&request).headers.text("SEC").unwrap().starts_with("fd-secret-"));
    }
    let row = format!("{{\"a\":\"text %41 \\\\u0041 {}\"}},", "x".repeat(80));
    let body = format!("[{}0]", row.repeat(10_000));
    let mut request = Request::new("POST", "/api/x");
    request.body = body.clone().into();
    assert_eq!(redactor.request(&request).body.len(), body.len());
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
