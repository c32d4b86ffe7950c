//! `lint` on cassettes that somebody edited by hand, and what of a recording never reaches one.

use crate::harness;
use crate::raw;

use std::io::Write as _;

use harness::Lab;
use raw::raw_console;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cassettes/forensics/create-case.json");

fn shipped() -> String {
    std::fs::read_to_string(SHIPPED).unwrap()
}

fn line_of(text: &str, part: &str) -> usize {
    text[..text.find(part).unwrap()].matches('\n').count() + 1
}

fn ids(text: &str) -> Vec<String> {
    let file: serde_json::Value = serde_json::from_str(text).unwrap();
    file["interactions"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_broken_is_told_with_its_line_and_put_right() {
    let lab = Lab::new();
    let whole = shipped();
    let secret = "5f0c7a1e-9d3b-4c22-8f10-aa12bb34cc56";
    lab.hide(secret);
    let first = ids(&whole)[0].clone();
    let case = "\"json\": {";
    let edits: [(&str, String, &str, &str); 5] = [
        ("token", whole.replacen("fd-secret-1", secret, 1), secret, "a secret"),
        (
            "member",
            whole.replacen(case, &format!("{case}\n \"note\": \"curl -H 'SEC: {secret}'\","), 1),
            "\"body\": {",
            "a secret",
        ),
        ("id", whole.replacen(&first, "cases.list-00000000-1", 1), "cases.list-00000000-1", "stale"),
        ("host", whole.replacen("\"endpoint\": \"", "\"endpoint\": \"x", 1), "\"endpoint\": \"x", "endpoint"),
        ("user", whole.replacen("\"user-1\"", "\"alice\"", 1), "\"alice\"", "user"),
    ];
    for (name, text, part, word) in &edits {
        let file = format!("cassettes/{name}.json");
        lab.write(&file, text);
        let lint = lab.run(&["lint", &file]);
        assert_eq!(lint.code, Some(1), "{name}: {}{}", lint.stdout, lint.stderr);
        assert!(lint.stdout.contains(": broken: ") && lint.stdout.contains(word), "{name}: {}", lint.stdout);
        assert!(!lint.stdout.contains(secret), "{name}: {}", lint.stdout);
        if *name != "member" && *name != "user" {
            let place = format!("{file}:{}: broken", line_of(text, part));
            assert!(lint.stdout.contains(&place), "{name}: {place}: {}", lint.stdout);
        }
        let fix = lab.run(&["lint", "--fix", &file]);
        assert_eq!(fix.code, Some(0), "{name}: {}{}", fix.stdout, fix.stderr);
        assert_eq!(ids(&lab.read(&file)).len(), ids(text).len(), "{name}: no interaction is lost");
        assert!(!lab.read(&file).contains(secret), "{name}");
        let again = lab.run(&["lint", &file]);
        assert_eq!((again.code, again.stdout.as_str()), (Some(0), ""), "{name}: {}", again.stderr);
    }
}

#[test]
fn another_order_or_layout_is_told_apart_from_what_is_broken() {
    let lab = Lab::new();
    let text = shipped().replacen("\"format\": 1,", "\"format\":1,", 1);
    lab.write("cassettes/x.json", &text);
    let lint = lab.run(&["lint"]);
    assert_eq!(lint.code, Some(1), "{}", lint.stdout);
    assert!(lint.stdout.contains("cassettes/x.json:2: layout: "), "{}", lint.stdout);
    assert!(!lint.stdout.contains("broken"), "{}", lint.stdout);
    assert_eq!(lab.run(&["lint", "--fix"]).code, Some(0));
    assert_eq!(lab.read("cassettes/x.json"), shipped());
}

#[test]
fn a_length_that_is_wrong_is_broken() {
    let lab = Lab::new();
    let text = shipped().replacen("\"Content-Length\", \"", "\"Content-Length\", \"9", 1);
    assert_ne!(text, shipped(), "the shipped cassette has lengths");
    lab.write("cassettes/x.json", &text);
    let lint = lab.run(&["lint"]);
    assert!(lint.stdout.contains("broken: Content-Length says 9"), "{}", lint.stdout);
    assert_eq!(lab.run(&["lint", "--fix"]).code, Some(0));
    assert_eq!(lab.read("cassettes/x.json"), shipped());
}

fn packed() -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(format!("user=u&token={}", harness::token()).as_bytes()).unwrap();
    gzip.finish().unwrap()
}

fn answer(request: &str) -> Vec<u8> {
    let body = match request.split(' ').nth(1).unwrap_or_default() {
        "/api/picture" => b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff".to_vec(),
        "/api/packed" => packed(),
        "/api/latin1" => b"{\"name\":\"Z\xfcrich\",\"token\":\"5f0c7a1e-9d3b-4c22\"}".to_vec(),
        _ => b"{\"customer_name\":\"Acme\",\"data\":[{\"owner\":\"Bob\"}],\"note\":\"CUST-1234\"}".to_vec(),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

#[test]
fn what_cannot_be_searched_is_passed_on_left_out_and_named() {
    let lab = Lab::new();
    lab.hide("5f0c7a1e-9d3b-4c22");
    let recorder = lab.serve(&["record", "--upstream", &raw_console(answer), "--cassette", "x.json"]);
    assert_eq!(recorder.get("/api/packed").body, packed(), "the client gets it");
    assert!(recorder.get("/api/picture").body.starts_with(b"\x89PNG"));
    assert!(recorder.get("/api/latin1").body.contains(&0xfc));
    recorder.get("/api/plain");
    let finished = recorder.stop();
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    for part in [
        "GET /api/packed: a body holds a secret",
        "GET /api/picture: a body is binary",
        "2 requests answered, but not stored",
    ] {
        assert!(finished.stderr.contains(part), "{part}: {}", finished.stderr);
    }
    let text = lab.read("x.json");
    assert!(text.contains("/api/latin1") && text.contains("/api/plain"), "{text}");
    assert!(!text.contains("/api/packed") && !text.contains("/api/picture"), "{text}");
    assert_eq!(lab.run(&["lint", "x.json"]).code, Some(0));
}

#[test]
fn rules_of_the_users_own_are_kept_named_in_the_cassette_and_linted() {
    let lab = Lab::new();
    lab.write("redact.toml", "redact = [\"customerName\", \"regex:CUST-[0-9]+\"]\n");
    let console = raw_console(answer);
    let plain = lab.serve(&[
        "record",
        "--upstream",
        &console,
        "--cassette",
        "sub/plain.json",
        "--redact-file",
        "redact.toml",
    ]);
    plain.get("/api/plain");
    assert_eq!(plain.stop().code, Some(0));
    let more = lab.serve(&[
        "record",
        "--upstream",
        &console,
        "--cassette",
        "sub/more.json",
        "--redact",
        "/data/*/owner",
    ]);
    more.get("/api/plain?customer_name=Acme");
    assert_eq!(more.stop().code, Some(0));
    let (plain, more) = (lab.read("sub/plain.json"), lab.read("sub/more.json"));
    for secret in ["Acme", "CUST-1234"] {
        assert!(!plain.contains(secret) && !more.contains(secret), "{secret}: {plain}{more}");
    }
    assert!(plain.contains("\"owner\": \"user-1\""), "{plain}");
    assert!(more.contains("\"owner\": \"fd-secret-"), "a rule of one's own comes first: {more}");
    let hash = |text: &str| text.lines().find(|line| line.contains("\"redaction\"")).unwrap().to_owned();
    assert_ne!(hash(&plain), hash(&more));

    // The file of rules is found above the cassette; the request with the hidden value is answered whatever it holds.
    lab.write("sub/edited.json", &plain.replacen("fd-secret-1", "Acme", 1));
    let lint = lab.run(&["lint", "sub/edited.json"]);
    assert_eq!(lint.code, Some(1), "{}", lint.stdout);
    assert!(lint.stdout.contains("broken: a secret"), "{}", lint.stdout);
    let replay = lab.serve(&["replay", "sub/more.json"]);
    assert_eq!(replay.get("/api/plain?customer_name=Other").status(), 200);
    replay.stop();
    let wrong = lab.run(&["lint", "sub/plain.json", "--redact", "regex:("]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("cannot be used"), "{}", wrong.stderr);
}

#[test]
fn a_cassette_from_before_there_was_a_policy_loads() {
    let lab = Lab::new();
    let text = shipped();
    let line = text.lines().find(|line| line.contains("\"redaction\"")).unwrap();
    let old = text.replacen(&format!(",\n{line}"), "", 1);
    assert_ne!(old, text);
    lab.write("cassettes/old.json", &old);
    let lint = lab.run(&["lint"]);
    assert_eq!((lint.code, lint.stdout.as_str()), (Some(0), ""), "{}", lint.stderr);
}

#[test]
fn every_mistake_of_the_rules_beside_a_cassette_is_shown_with_its_caret() {
    let lab = Lab::new();
    let cassette = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("cassettes/forensics/create-case.json"),
    );
    lab.write("mine.json", &cassette.unwrap());
    lab.write("mine.match.toml", "ignores = [\"_\"]\nheaders = [\"SEC\"]\nloose = \"no\"\n");
    for arguments in [&["lint", "mine.match.toml"][..], &["replay", "mine.json"]] {
        let finished = lab.run(arguments);
        assert_eq!(finished.code, Some(2), "{}{}", finished.stdout, finished.stderr);
        let shown = finished.stdout + &finished.stderr;
        for word in
            ["unknown key `ignores`", "did you mean `ignore`?", "`SEC` is a credential", "true or false", "^"]
        {
            assert!(shown.contains(word), "{arguments:?}: {word}: {shown}");
        }
    }
}
