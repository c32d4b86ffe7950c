//! What is changed between client and console, and nothing else: the addresses in `Host`, `Location` and cookie
//! domains, the hop's own headers, and the encoding asked for. Never a body.

use crate::message::{Header, Request, Response, octets};

use super::upstream::Upstream;
use crate::cassette::{Console, put_base};
use crate::redact::is_credential_name;

/// How all fields of a proxy's own authentication begin.
const PROXY: &str = "proxy-auth";
/// Room for an ordinary head.
const HEAD_BYTES: usize = 512;

/// The request as it goes to the console, and a remark if it was odd. Plain bodies are asked for: secrets in
/// compressed ones could not be found.
pub(super) fn to_console(request: &Request, upstream: &Upstream) -> (Vec<u8>, Option<String>) {
    let target = octets::bytes(&request.target);
    let mut head = Vec::with_capacity(HEAD_BYTES + target.len() + request.body.len());
    for part in [request.method.as_bytes(), b" ", &target, b" HTTP/1.1\r\n"] {
        head.extend_from_slice(part);
    }
    let mut put = |name: &str, value: &[u8]| {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    };
    let (mut spared, mut dropped) = (Vec::new(), Vec::new());
    let has_options = request.headers.has("Connection");
    for line in request.headers.iter().filter(|line| !is_of_this_hop(line)) {
        if has_options && request.headers.lists("Connection", &line.name) {
            if is_end_to_end(&line.name) {
                spared.push(line.name.as_str());
            } else {
                dropped.push(line.name.as_str());
                continue;
            }
        }
        if line.is("Host") {
            put(&line.name, upstream.authority().as_bytes());
        } else if line.is("Accept-Encoding") {
            put(&line.name, b"identity");
        } else {
            put(&line.name, &line.value);
        }
    }
    if !request.headers.has("Host") {
        put("Host", upstream.authority().as_bytes());
    }
    if !request.headers.has("Accept-Encoding")
        || dropped.iter().any(|name| name.eq_ignore_ascii_case("Accept-Encoding"))
    {
        put("Accept-Encoding", b"identity");
    }
    if request.headers.has("Transfer-Encoding") {
        put("Content-Length", request.body.len().to_string().as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head.extend_from_slice(&request.body);
    (head, remark(&spared, &dropped))
}

fn remark(spared: &[&str], dropped: &[&str]) -> Option<String> {
    let listed =
        |names: &[&str], what: &str| (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")));
    let parts = [
        listed(
            spared,
            "the request's Connection header names fields that every hop needs, and they were passed on",
        ),
        listed(dropped, "not passed on, because the request's Connection header names them"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Headers that speak of one connection only. The body has been read whole, so it goes on with a length.
fn is_of_this_hop(line: &Header) -> bool {
    const ALWAYS: [&str; 8] = [
        "Connection",
        "Upgrade",
        "HTTP2-Settings",
        "Expect",
        "Transfer-Encoding",
        "TE",
        "Keep-Alive",
        "Proxy-Connection",
    ];
    ALWAYS.iter().any(|name| line.is(name))
        || line.name.get(..PROXY.len()).is_some_and(|start| start.eq_ignore_ascii_case(PROXY))
}

/// Fields that a client cannot take away from the console by naming them in `Connection`: without them it is another
/// request, of another user, or one whose end is unknown.
fn is_end_to_end(name: &str) -> bool {
    let framing =
        ["Host", "Content-Length", "Content-Type", "Content-Encoding", "Version", "Range", "Cache-Control"];
    let who = ["Authorization", "Cookie"];
    framing.iter().chain(&who).any(|known| name.eq_ignore_ascii_case(known)) || is_credential_name(name)
}

/// The answer as the client gets it: addresses of the console become the listener's.
pub(super) fn to_client(response: &mut Response, console: &Console, base: &str) {
    console.leave_links(response);
    put_base(response, base);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console() -> Upstream {
        Upstream::parse("https://qradar.example").unwrap()
    }

    #[test]
    fn requests_go_on_as_sent_but_for_the_hop() {
        let mut request = Request::new("POST", "/api/x?b=%2c")
            .with("hOST", "127.0.0.1:1")
            .with("X-One", "1")
            .with("Sec", "t")
            .with("x-one", "2")
            .with("Upgrade", "h2c")
            .with("Connection", "Upgrade, HTTP2-Settings")
            .with("Content-Length", "2");
        request.body = "{}".into();
        let (asked, remark) = to_console(&request, &console());
        assert_eq!(remark, None);
        let text = String::from_utf8(asked).unwrap();
        assert_eq!(
            text,
            "POST /api/x?b=%2c HTTP/1.1\r\nhOST: qradar.example\r\nX-One: 1\r\nSec: t\r\nx-one: 2\r\nContent-Length: 2\r\nAccept-Encoding: identity\r\n\r\n{}"
        );
    }

    #[test]
    fn what_connection_names_is_dropped_but_for_what_every_hop_needs() {
        let request = Request::new("GET", "/api/x")
            .with("Host", "127.0.0.1:1")
            .with("SEC", "t")
            .with("X-Hop", "1")
            .with("Version", "19.0")
            .with("Connection", "close, sec, X-Hop")
            .with("connection", "HOST, version, x-absent");
        let (asked, remark) = to_console(&request, &console());
        assert_eq!(
            String::from_utf8(asked).unwrap(),
            "GET /api/x HTTP/1.1\r\nHost: qradar.example\r\nSEC: t\r\nVersion: 19.0\r\nAccept-Encoding: identity\r\n\r\n"
        );
        let remark = remark.unwrap();
        assert!(
            remark.contains("passed on: Host, SEC, Version; ") && remark.ends_with(": X-Hop"),
            "{remark}"
        );
    }

    #[test]
    fn addresses_of_the_console_become_the_listeners() {
        let mut response = Response::new(201);
        response.headers.push("Location", "https://qradar.example/api/x/1");
        response.headers.push("location", "https://elsewhere.example/");
        response.headers.push("Set-Cookie", "SEC=a; Domain=.qradar.example; Path=/");
        to_client(&mut response, &console().console(), "http://127.0.0.1:9");
        let values: Vec<String> = response.headers.iter().map(|line| line.text().into_owned()).collect();
        assert_eq!(
            values,
            ["http://127.0.0.1:9/api/x/1", "https://elsewhere.example/", "SEC=a; Domain=127.0.0.1; Path=/"]
        );
    }
}
