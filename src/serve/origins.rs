//! Requests that a browser sends for a page of another site.
//!
//! A page of a stranger can make a browser send a simple POST (`text/plain`, a form) to 127.0.0.1 without asking first.
//! Where a real console stands behind the listener, that write must not reach it. A browser says for whom it sends:
//! in `Origin`, and in `Sec-Fetch-Site`. Programs that are no browsers send neither. A preflight (OPTIONS) passes: it
//! writes nothing, and it is how a page is told what it may do.

use std::net::IpAddr;

use super::hosts::{Host, Hosts};
use super::refusal::Unfit;
use crate::message::Request;

/// Refuses a request for a page of another site, unless its origin was allowed.
pub(super) fn check(request: &Request, hosts: &Hosts, allowed: &[String], at: IpAddr) -> Result<(), Unfit> {
    let origins: Vec<String> =
        request.headers.all("Origin").map(|value| String::from_utf8_lossy(value).trim().to_owned()).collect();
    // Asked as a proxy, it stands where the page's own site is.
    let named = request.scheme.and_then(|_| request.headers.text("Host")).and_then(|host| Host::of(&host));
    let is_named = |origin: &str| {
        let host = origin.split_once("://").and_then(|(_, authority)| Host::of(authority));
        host.is_some() && host == named
    };
    let is_allowed = |origin: &String| {
        allowed.iter().any(|one| one == "*" || one.trim_end_matches('/').eq_ignore_ascii_case(origin))
    };
    if request.method == "OPTIONS" || allowed.iter().any(|one| one == "*") {
        return Ok(());
    }
    if let Some(strange) =
        origins.iter().find(|origin| !is_allowed(origin) && !is_named(origin) && !is_own(origin, hosts, at))
    {
        return Err(refused(strange));
    }
    let crosses =
        request.headers.all("Sec-Fetch-Site").any(|value| value.eq_ignore_ascii_case(b"cross-site"));
    if crosses && !origins.iter().any(is_allowed) { Err(refused("another site")) } else { Ok(()) }
}

fn is_own(origin: &str, hosts: &Hosts, at: IpAddr) -> bool {
    origin.split_once("://").is_some_and(|(_, authority)| hosts.own(authority, at))
}

fn refused(origin: &str) -> Unfit {
    let shown: String = origin.chars().take(260).collect();
    Unfit::new(
        403,
        format!("a browser sent this for a page of {shown}; there is a real console behind this listener"),
    )
    .help("nothing was sent; if the page is yours, start the recorder with --allow-origin ORIGIN")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn status(method: &str, lines: &[(&str, &str)], allowed: &[&str]) -> u16 {
        let request =
            lines.iter().fold(Request::new(method, "/"), |request, (name, value)| request.with(name, value));
        let allowed: Vec<String> = allowed.iter().map(|origin| (*origin).to_owned()).collect();
        let at = Ipv4Addr::LOCALHOST.into();
        check(&request, &Hosts::any(), &allowed, at).err().map_or(200, |unfit| unfit.status)
    }

    #[test]
    fn pages_of_other_sites_are_kept_out_whatever_they_send() {
        let cross = ("Sec-Fetch-Site", "cross-site");
        for method in ["GET", "POST", "DELETE"] {
            for strange in
                ["http://evil.test", "https://localhost.evil.test:80", "null", "", "http://10.0.0.1"]
            {
                assert_eq!(status(method, &[("Origin", strange)], &[]), 403, "{strange}");
            }
            assert_eq!(status(method, &[cross], &[]), 403);
            assert_eq!(status(method, &[("Origin", "http://localhost:1"), cross], &[]), 403);
            assert_eq!(
                status(method, &[("Origin", "http://localhost:1"), ("Origin", "http://evil.test")], &[]),
                403
            );
        }
    }

    #[test]
    fn a_page_of_the_console_itself_passes_through_a_proxy() {
        let status = |scheme, origin: &str| {
            let request = Request::new("POST", "/").with("Host", "console.example").with("Origin", origin);
            let request = Request { scheme, ..request };
            check(&request, &Hosts::default(), &[], Ipv4Addr::LOCALHOST.into())
                .err()
                .map_or(200, |unfit| unfit.status)
        };
        assert_eq!(status(Some("https"), "https://console.example"), 200);
        assert_eq!(status(Some("https"), "https://evil.example"), 403);
        assert_eq!(status(Some("https"), "null"), 403);
        assert_eq!(status(None, "https://console.example"), 403, "not as a proxy");
    }

    #[test]
    fn programs_own_pages_preflights_and_allowed_pages_pass() {
        assert_eq!(status("POST", &[("Content-Type", "text/plain")], &[]), 200);
        for own in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:8080"] {
            assert_eq!(
                status("POST", &[("Origin", own), ("Sec-Fetch-Site", "same-site")], &[]),
                200,
                "{own}"
            );
        }
        let page = [("Origin", "http://app.test"), ("Sec-Fetch-Site", "cross-site")];
        assert_eq!(status("OPTIONS", &page, &[]), 200);
        assert_eq!(status("POST", &page, &["http://app.test/"]), 200);
        assert_eq!(status("POST", &page, &["http://other.test"]), 403);
        assert_eq!(status("POST", &page, &["*"]), 200);
    }
}
