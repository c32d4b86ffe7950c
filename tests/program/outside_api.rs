//! Paths outside `/api/`: a console answers them, so they are recorded, replayed, allowed, faulted and judged like any
//! other. And a login with a name and a password, which needs some of them.

use crate::harness::{Finished, Lab, Raw, Running};
use crate::raw::raw_console;

const PASSWORD: &str = "Hq7-tulip-Basin-0442";
const COOKIE: &str = "c1b9a0ee-5a1e-4b8f-9d2e-7b6a1f0c3d44";

/// A console that lets in whoever has the password, or the cookie it gave for it; it has pages, too.
fn console() -> String {
    raw_console(|request| {
        let first = request.lines().next().unwrap_or_default();
        let (method, target) = first.split_once(' ').unwrap_or_default();
        let target = target.split(' ').next().unwrap_or_default();
        let lower = request.to_lowercase();
        let has_basic = request.contains(&format!("Basic {}", basic()));
        let has_cookie = request.contains(&format!("SEC={COOKIE}"));
        let (status, headers, body) = match (method, target) {
            ("GET", "/console/core/start") => {
                ("200 OK", "Content-Type: text/html\r\n".to_owned(), "<html>start</html>")
            }
            ("POST", "//api/x") => ("201 Created", json(), "{\"id\":7}"),
            ("POST", "/auth/logout") => ("200 OK", json(), "true"),
            ("GET", "/console/logout") => ("302 Found", "Location: /console/login\r\n".to_owned(), ""),
            _ if !has_basic && !has_cookie && !lower.contains("\r\nsec: ") => (
                "401 Unauthorized",
                json(),
                "{\"http_response\":{\"code\":401,\"message\":\"\"},\"code\":18}",
            ),
            ("GET", "/api/system/about") if has_basic && !has_cookie => {
                let cookie = format!("Set-Cookie: SEC={COOKIE}; Path=/; Secure; HttpOnly\r\n");
                ("200 OK", json() + &cookie, "{\"release_name\":\"7.5.0\"}")
            }
            _ => ("200 OK", json(), "[{\"id\":1}]"),
        };
        let length = body.len();
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .into_bytes()
    })
}

fn json() -> String {
    "Content-Type: application/json\r\n".to_owned()
}

/// `admin` and the password, as a client encodes them.
fn basic() -> String {
    let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let text = format!("admin:{PASSWORD}");
    let groups = text.as_bytes().chunks(3).map(|group| {
        let bits =
            group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        let letter = |place: usize| letters[(bits >> (18 - 6 * place)) as usize & 63];
        (0..4).map(|place| if place <= group.len() { letter(place) } else { '=' }).collect::<String>()
    });
    groups.collect()
}

/// A request with these headers and none of the lab's own.
fn send(to: &Running, method: &str, target: &str, headers: &[(&str, &str)]) -> Raw {
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", to.addr);
    headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
    if method == "POST" {
        text.push_str("Content-Length: 0\r\n");
    }
    let answer = String::from_utf8(to.exchange((text + "\r\n").as_bytes()).unwrap()).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Raw { head: head.to_owned(), body: body.as_bytes().to_vec() }
}

const ALLOWED: [&str; 4] = ["--allow-writes", "POST //api/x", "--allow-writes", "POST /auth/logout"];

fn record(lab: &Lab, story: impl Fn(&Running)) -> Finished {
    let url = console();
    let args =
        [&["record", "--upstream", &url, "--cassette", "c.json", "--overwrite"][..], &ALLOWED].concat();
    let recorder = lab.serve(&args);
    story(&recorder);
    let finished = recorder.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    finished
}

fn visits(to: &Running) -> Vec<(u16, String)> {
    let asked = [to.get("/console/core/start"), to.post("//api/x", "{\"a\":1}"), to.post("/auth/logout", "")];
    asked.iter().map(|answer| (answer.status(), answer.text())).collect()
}

#[test]
fn what_lies_outside_the_api_is_recorded_and_replayed_like_anything_else() {
    let lab = Lab::new();
    record(&lab, |recorder| drop(visits(recorder)));
    let replay = lab.serve(&["replay", "c.json"]);
    let expected = [(200, "<html>start</html>"), (201, "{\"id\":7}"), (200, "true")];
    assert_eq!(visits(&replay), expected.map(|(status, body)| (status, body.to_owned())));
    assert_eq!(replay.stop().code, Some(0));
}

#[test]
fn what_was_not_recorded_there_is_a_miss_that_says_what_a_console_does() {
    let lab = Lab::new();
    record(&lab, |recorder| drop(visits(recorder)));
    let replay = lab.serve(&["replay", "c.json"]);
    for target in ["/console/other", "/forensics/case_management/cases", "//api/y"] {
        let answer = replay.get(target);
        assert!(answer.status() == 501 && answer.text().contains("HTML page"), "{target}: {}", answer.text());
    }
    assert_eq!(replay.stop().code, Some(3));
}

#[test]
fn faults_meet_requests_outside_the_api_by_method_and_path() {
    let lab = Lab::new();
    record(&lab, |recorder| drop(visits(recorder)));
    let fault = |endpoint: &str| {
        format!(
            "[[fault]]\nwhen = {{ endpoint = \"{endpoint}\", nth = \"1\" }}\ninject = {{ html-page = {{ status = 503 }} }}\n"
        )
    };
    let text = ["POST //api/x", "POST /auth/logout", "GET /console/core/start"].map(fault).concat();
    lab.write("s.toml", &format!("summary = \"s\"\n{text}"));
    let replay = lab.serve(&["replay", "c.json", "--scenario", "s.toml"]);
    // Each counts by itself: another method on the same path takes no turn.
    assert_eq!(replay.get("//api/x").status(), 501);
    assert!(visits(&replay).iter().all(|(status, _)| *status == 503));
    assert_eq!(visits(&replay).iter().map(|(status, _)| *status).collect::<Vec<_>>(), [200, 201, 200]);
    assert!(replay.stop().stderr.contains("html-page"));
}

#[test]
fn a_path_of_the_api_without_its_api_is_a_slip_wherever_a_name_is_asked_for() {
    let lab = Lab::new();
    let slip = "POST /forensics/case_management/casess";
    let refused = lab.run(&[
        "record",
        "--upstream",
        "http://127.0.0.1:9",
        "--cassette",
        "c.json",
        "--allow-writes",
        slip,
    ]);
    assert!(refused.code == Some(2) && refused.stderr.contains("did you mean"), "{}", refused.stderr);
    lab.write(
        "s.toml",
        &format!(
            "summary = \"s\"\n[[fault]]\nwhen = {{ endpoint = \"{slip}\" }}\ninject = {{ hang = {{}} }}\n"
        ),
    );
    let refused = lab.run(&["lint", "s.toml"]);
    assert!(
        refused.code != Some(0) && refused.stdout.contains("no endpoint is called")
            || refused.stderr.contains("no endpoint is called"),
        "{refused:?}"
    );
}

/// Logs in with name and password, goes on with the cookie as a jar keeps it, and logs out.
fn login(to: &Running) -> Vec<u16> {
    let name_and_password = format!("Basic {}", basic());
    let first = send(to, "GET", "/api/system/about", &[("Authorization", &name_and_password)]);
    let cookie =
        first.header("Set-Cookie").and_then(|line| line.split(';').next()).unwrap_or_default().to_owned();
    let next = send(to, "GET", "/api/siem/older", &[("Cookie", &cookie)]);
    let both =
        send(to, "GET", "/api/siem/older", &[("Authorization", &name_and_password), ("Cookie", &cookie)]);
    let out = send(to, "POST", "/auth/logout", &[("Cookie", &cookie)]);
    let page = send(to, "GET", "/console/logout", &[("Cookie", &cookie)]);
    let after = send(to, "GET", "/api/siem/older", &[]);
    [first, next, both, out, page, after].iter().map(Raw::status).collect()
}

#[test]
fn a_login_with_name_and_password_works_from_its_cookie_to_the_logout() {
    let lab = Lab::new();
    [PASSWORD, COOKIE, &basic()].iter().for_each(|secret| lab.hide(secret));
    record(&lab, |recorder| assert_eq!(login(recorder), [200, 200, 200, 200, 302, 401]));
    let text = lab.read("c.json");
    assert!(text.contains("SEC=fd-secret-") && text.contains("Basic fd-secret-"), "{text}");
    let replay = lab.serve(&["replay", "c.json"]);
    assert_eq!(login(&replay), [200, 200, 200, 200, 302, 401]);
    assert_eq!(login(&replay)[..3], [200, 200, 200], "and again");
    replay.stop();
}
