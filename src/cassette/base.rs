//! `{base}`: a console's own address on its way into a cassette, and the address its client used on the way out.
//!
//! A link is the console's own if it names its host, in whatever case and with or without the final dot, on the port it
//! was recorded at or on the usual port of the link's scheme: consoles send clients from `http` to `https`, and such a
//! client has to come back. Everything else in a link stays as it is.

use crate::message::{Header, Request, Response};

/// Stands for the listener's own address.
pub(super) const BASE: &str = "{base}";

/// The longest `Host` that is repeated in a link; a DNS name has at most 253 characters, a port six.
const AUTHORITY_MAX: usize = 260;

/// A URL that names a host.
#[derive(Debug, PartialEq, Eq)]
struct Link<'t> {
    /// `http` or `https`; a link that starts with `//` has none.
    scheme: Option<&'static str>,
    host: String,
    port: Option<u16>,
    /// Path, query and fragment.
    rest: &'t str,
}

impl<'t> Link<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let (scheme, rest) = text.split_once("//")?;
        let scheme = match scheme {
            "" => None,
            _ if scheme.eq_ignore_ascii_case("http:") => Some("http"),
            _ if scheme.eq_ignore_ascii_case("https:") => Some("https"),
            _ => return None,
        };
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        let authority = authority.rsplit_once('@').map_or(authority, |(_, authority)| authority);
        let (host, port) = host_and_port(authority)?;
        Some(Self { scheme, host: plain_host(host), port, rest })
    }
}

/// `host` or `host:port`; an IPv6 address in brackets, which stay. A port that is empty is the usual one.
fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => match port {
            "" => Some((host, None)),
            _ if port.bytes().all(|byte| byte.is_ascii_digit()) => Some((host, Some(port.parse().ok()?))),
            _ => None,
        },
        _ => Some((authority, None)),
    }
}

/// A host as two spellings of it are compared.
pub(super) fn plain_host(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn usual_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

/// Where a console is: what its own links are told by.
#[derive(Clone, Debug)]
pub(super) struct Address {
    scheme: &'static str,
    host: String,
    port: u16,
}

impl Address {
    /// An IPv6 address stands in brackets.
    pub(super) fn new(scheme: &str, host: &str, port: u16) -> Self {
        let scheme = if scheme.eq_ignore_ascii_case("https") { "https" } else { "http" };
        Self { scheme, host: plain_host(host), port }
    }

    /// The console's own link in `text`, if it is one.
    fn own<'t>(&self, text: &'t str) -> Option<Link<'t>> {
        let link = Link::parse(text)?;
        let usual = usual_port(link.scheme.unwrap_or(self.scheme));
        let port = link.port.unwrap_or(usual);
        (link.host == self.host && (port == self.port || port == usual)).then_some(link)
    }

    /// `{base}` in place of this console's address at the start of a URL; whether it stood there.
    pub(super) fn leave_url(&self, line: &mut Header) -> bool {
        let left = std::str::from_utf8(&line.value)
            .ok()
            .and_then(|text| self.own(text))
            .map(|link| format!("{BASE}{}", link.rest));
        match left {
            Some(left) => line.value = left.into(),
            None => return false,
        }
        true
    }

    /// `Location` and the `Domain` of cookies: `{base}` in place of this console's address. A cookie for a domain that
    /// this console lies in is the console's, too: its client would send it back.
    pub(super) fn leave_links(&self, response: &mut Response) {
        // Lines that are only looked at stay shared.
        if !response.headers.iter().any(|line| is_link(line) || line.is("Set-Cookie")) {
            return;
        }
        for line in response.headers.iter_mut() {
            if is_link(line) {
                self.leave_url(line);
            } else if line.is("Set-Cookie") {
                edit_cookie(line, |name, value| match name == "domain" && self.lies_in(value) {
                    true => Edit::Value(BASE.to_owned()),
                    false => Edit::None,
                });
            }
        }
    }

    fn lies_in(&self, domain: &str) -> bool {
        let domain = plain_host(domain.strip_prefix('.').unwrap_or(domain));
        let is_address = self.host.starts_with('[') || self.host.parse::<std::net::Ipv4Addr>().is_ok();
        let above = self.host.strip_suffix(&domain).filter(|rest| rest.ends_with('.') && !is_address);
        !domain.is_empty() && (self.host == domain || above.is_some())
    }

    /// Where this console sends its client although it is the same console: another scheme or port.
    pub(super) fn moved_to(&self, response: &Response) -> Option<String> {
        let text = response.headers.text("Location")?;
        let link = self.own(&text)?;
        let scheme = link.scheme.unwrap_or(self.scheme);
        let usual = usual_port(scheme);
        let port = link.port.unwrap_or(usual);
        let written = if port == usual { String::new() } else { format!(":{port}") };
        ((scheme, port) != (self.scheme, self.port)).then(|| format!("{scheme}://{}{written}", self.host))
    }
}

fn is_link(line: &Header) -> bool {
    line.is("Location") || line.is("Content-Location")
}

/// Replaces the start of a URL by `{base}`, if it is the listener's own `address`.
pub(super) fn leave_listener(line: &mut Header, address: &str) -> bool {
    let left = std::str::from_utf8(&line.value).ok().and_then(|text| {
        let (head, rest) = text.split_at_checked(address.len()).filter(|_| !address.is_empty())?;
        let ends = rest.is_empty() || rest.starts_with(['/', '?', '#']);
        (ends && head.eq_ignore_ascii_case(address)).then(|| format!("{BASE}{rest}"))
    });
    match left {
        Some(left) => line.value = left.into(),
        None => return false,
    }
    true
}

/// The listener's address as the client of `request` knows it: its `Host` in place of the listener's own, and the scheme
/// that it asked a proxy for, if it did.
pub(crate) fn base_for(listener: &str, request: &Request) -> String {
    let host = request.headers.text("Host").filter(|host| {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        !host.is_empty() && host.len() <= AUTHORITY_MAX && host.bytes().all(is_legal)
    });
    let split = host.as_deref().zip(listener.split_once("://"));
    split.map_or_else(
        || listener.to_owned(),
        |(host, (scheme, rest))| {
            let path = rest.find('/').map_or("", |at| rest.get(at..).unwrap_or_default());
            let scheme = request.scheme.unwrap_or(scheme);
            format!("{scheme}://{host}{path}")
        },
    )
}

/// `{base}` in `Location` and in the `Domain` of cookies becomes the listener's address, `scheme://host:port`. A cookie goes
/// no further than that address: below the path of its session, and without `Secure` where the listener speaks no TLS,
/// or its client would not send it back.
pub(crate) fn put_base(response: &mut Response, base: &str) {
    // Lines that are only looked at stay shared with the recording.
    if !response.headers.iter().any(|line| is_link(line) || line.is("Set-Cookie")) {
        return;
    }
    let (scheme, rest) = base.split_once("://").unwrap_or(("", base));
    let (authority, folder) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host_and_port(authority).map_or(authority, |(host, _)| host);
    for line in response.headers.iter_mut() {
        if is_link(line) {
            if let Some(rest) = line.value.strip_prefix(BASE.as_bytes()) {
                line.value = [base.as_bytes(), rest].concat().into();
            }
        } else if line.is("Set-Cookie") {
            edit_cookie(line, |name, value| match name {
                "domain" if value == BASE => Edit::Value(host.to_owned()),
                "path" if !folder.is_empty() && value.starts_with('/') => {
                    Edit::Value(format!("{folder}{}", if value == "/" { "" } else { value }))
                }
                "secure" if scheme == "http" => Edit::Gone,
                _ => Edit::None,
            });
        }
    }
}

/// What becomes of an attribute of a cookie.
enum Edit {
    None,
    Value(String),
    Gone,
}

/// Edits the attributes of a cookie, by their names in small letters.
fn edit_cookie(line: &mut Header, edit: impl Fn(&str, &str) -> Edit) {
    let Ok(text) = std::str::from_utf8(&line.value) else { return };
    let edited = |(place, part): (usize, &str)| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        // The first part is the cookie itself, which may be called what it likes.
        if place == 0 {
            return Some(part.to_owned());
        }
        match edit(&name.trim().to_ascii_lowercase(), value.trim()) {
            Edit::None => Some(part.to_owned()),
            Edit::Value(new) => Some(format!("{name}={new}")),
            Edit::Gone => None,
        }
    };
    let parts: Vec<String> = text.split(';').enumerate().filter_map(edited).collect();
    let new = parts.join(";");
    if new != text {
        line.value = new.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(place: &Address, name: &str, value: &str) -> String {
        let mut response = Response::new(302);
        response.headers.push(name, value.to_owned());
        place.leave_links(&mut response);
        response.headers.text(name).unwrap().into_owned()
    }

    #[test]
    fn a_link_to_the_console_is_known_in_every_spelling() {
        let place = Address::new("https", "Console.Example", 8443);
        for own in [
            "https://console.example:8443/x",
            "HTTPS://CONSOLE.example.:8443/x",
            "http://console.example:8443/x",
            "https://console.example/x",
            "https://console.example:443/x",
            "http://console.example/x",
            "http://console.example:80/x",
            "https://console.example:/x",
            "//console.example:8443/x",
            "//console.example/x",
            "https://me@console.example/x",
        ] {
            assert_eq!(left(&place, "Location", own), "{base}/x", "{own}");
            assert_eq!(left(&place, "content-location", own), "{base}/x", "{own}");
        }
        assert_eq!(left(&place, "Location", "https://console.example?a#b"), "{base}?a#b");
        assert_eq!(left(&place, "Location", "https://console.example"), "{base}");
    }

    #[test]
    fn a_link_to_anywhere_else_stays() {
        let place = Address::new("http", "127.0.0.1", 8080);
        for other in [
            "http://127.0.0.1:9090/x",
            "https://127.0.0.1:8081/",
            "http://127.0.0.11:8080/",
            "http://127.0.0.1:8080@evil.example/",
            "http://127.0.0.1:http/",
            "ftp://127.0.0.1:8080/",
            "/api/x",
            "x//127.0.0.1:8080/",
            "http://x.127.0.0.1/",
            "",
        ] {
            assert_eq!(left(&place, "Location", other), other);
        }
    }

    #[test]
    fn a_console_that_sends_to_another_scheme_is_told_from_one_that_stays() {
        let place = Address::new("http", "console.example", 80);
        let moved = |to: &str| {
            let mut response = Response::new(301);
            response.headers.push("Location", to.to_owned());
            place.moved_to(&response)
        };
        assert_eq!(moved("https://console.example/x").as_deref(), Some("https://console.example"));
        assert_eq!(moved("http://console.example:80/x"), None);
        assert_eq!(moved("https://other.example/"), None);
        assert_eq!(moved("/x"), None);
    }

    #[test]
    fn a_cookie_of_the_console_or_of_a_domain_around_it_is_the_consoles() {
        let place = Address::new("https", "console.example.org", 443);
        for own in ["console.example.org", ".Console.Example.Org", "example.org", ".example.org."] {
            let line = format!("SEC=a; Path=/; domain = {own}; Secure");
            assert_eq!(left(&place, "Set-Cookie", &line), "SEC=a; Path=/; domain ={base}; Secure", "{own}");
        }
        for other in ["onsole.example.org", "a.console.example.org", "other.example", ""] {
            let line = format!("SEC=a; Domain={other}");
            assert_eq!(left(&place, "Set-Cookie", &line), line);
        }
        let named = "domain=console.example.org; Path=/";
        assert_eq!(left(&place, "Set-Cookie", named), named, "a cookie may be called `domain`");
        let address = Address::new("https", "10.1.2.3", 443);
        assert_eq!(left(&address, "Set-Cookie", "a=b; Domain=2.3"), "a=b; Domain=2.3");
    }

    #[test]
    fn the_clients_own_host_comes_back() {
        let base = |host: &str| {
            base_for("https://127.0.0.1:8080/@one", &Request::new("GET", "/").with("Host", host))
        };
        assert_eq!(base("localhost:8080"), "https://localhost:8080/@one");
        for wrong in ["", "a b", "a/b", "a@b", "a\"b"] {
            assert_eq!(base(wrong), "https://127.0.0.1:8080/@one", "{wrong}");
        }
        // Asked for through a proxy, it goes on by the scheme that was asked for.
        let request = Request::new("GET", "/").with("Host", "console.example");
        let proxied = Request { scheme: Some("https"), ..request };
        assert_eq!(base_for("http://127.0.0.1:8080/@one", &proxied), "https://console.example/@one");
        let mut response = Response::new(302);
        response.headers.push("Location", "{base}/x");
        response.headers.push("Set-Cookie", "a=b; Domain={base}");
        put_base(&mut response, &base("[::1]:8080"));
        let lines: Vec<String> = response.headers.iter().map(|line| line.text().into_owned()).collect();
        assert_eq!(lines, ["https://[::1]:8080/@one/x", "a=b; Domain=[::1]"]);
    }

    #[test]
    fn a_cookie_stays_in_its_session_and_can_be_sent_back() {
        let put = |base: &str, cookie: &str| {
            let mut response = Response::new(200);
            response.headers.push("Set-Cookie", cookie.to_owned());
            put_base(&mut response, base);
            response.headers.text("Set-Cookie").unwrap().into_owned()
        };
        let cookie = "SEC=secure; Path=/; secure; HttpOnly";
        assert_eq!(put("https://localhost:1", cookie), cookie);
        assert_eq!(put("http://localhost:1", cookie), "SEC=secure; Path=/; HttpOnly");
        assert_eq!(put("http://localhost:1/@one", cookie), "SEC=secure; Path=/@one; HttpOnly");
        assert_eq!(put("https://localhost:1/@one", "a=b;path=/console"), "a=b;path=/@one/console");
    }
}
