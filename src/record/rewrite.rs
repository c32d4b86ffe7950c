//! What is changed between client and console, and nothing else: the addresses in `Host`, `Location` and cookie
//! domains, the hop's own headers, and the encoding asked for. Never a body.

use crate::message::{Header, Headers, Request, Response, octets};

use super::dial::Upstream;
use crate::cassette::{Console, put_base};

/// The request as it goes to the console. Plain bodies are asked for: secrets in compressed ones could not be found.
pub(super) fn to_console(request: &Request, upstream: &Upstream) -> Vec<u8> {
    let target = octets::bytes(&request.target);
    let mut head = [request.method.as_bytes(), b" ", &target, b" HTTP/1.1\r\n"].concat();
    let mut put = |name: &str, value: &[u8]| {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    };
    for line in request.headers.iter().filter(|line| !is_of_this_hop(line, &request.headers)) {
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
    if !request.headers.has("Accept-Encoding") {
        put("Accept-Encoding", b"identity");
    }
    if request.headers.has("Transfer-Encoding") {
        put("Content-Length", request.body.len().to_string().as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head.extend_from_slice(&request.body);
    head
}

/// Headers that speak of one connection only. The body has been read whole, so it goes on with a length.
fn is_of_this_hop(line: &Header, headers: &Headers) -> bool {
    const ALWAYS: [&str; 7] =
        ["Upgrade", "HTTP2-Settings", "Expect", "Transfer-Encoding", "TE", "Keep-Alive", "Proxy-Connection"];
    ALWAYS.iter().any(|name| line.is(name))
        || line.name.to_ascii_lowercase().starts_with("proxy-auth")
        || (line.is("Connection") && headers.lists("Connection", "upgrade"))
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
        let text = String::from_utf8(to_console(&request, &console())).unwrap();
        assert_eq!(
            text,
            "POST /api/x?b=%2c HTTP/1.1\r\nhOST: qradar.example\r\nX-One: 1\r\nSec: t\r\nx-one: 2\r\nContent-Length: 2\r\nAccept-Encoding: identity\r\n\r\n{}"
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
