//! [`Proxy`]: a listener that is asked as a forward proxy, and answers in the place of whoever was named.
//!
//! A client that hard-codes its console's name, and https, asks a proxy for it: by a whole URL (`GET http://...`), or by
//! `CONNECT host:443` and a TLS handshake inside. Nobody is dialled here: whatever host is named, it is the listener that
//! answers, under a certificate made for that host on the spot. [`Reach`] says who may be named.
//!
//! By its own path alone nobody reaches it under a strange name: a page of a stranger that gives its own name the address
//! 127.0.0.1 sends a plain path, and that is a 421 here as everywhere. It cannot send a whole URL, nor CONNECT.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::ca::Office;
use super::head::{self, BodyFraming, Head};
use super::hosts::{Host, Hosts};
use super::limits::LEAVES_MAX;
use super::refusal::Unfit;
use super::tls::{self, Tls, TlsError};
use crate::greeting::{Flaw, Reception, Trouble};
use crate::message::{HttpVersion, Request};

/// What makes a listener a forward proxy as well: who may be named, and who signs for them.
#[derive(Clone)]
pub struct Proxy {
    office: Arc<Office>,
    reach: Reach,
}

/// Who may be asked for through a proxy.
#[derive(Clone, Debug)]
pub enum Reach {
    /// Whoever is named: nobody is dialled.
    Any,
    /// One console, which is dialled in earnest.
    Only(TheOne),
}

/// The one console that a recorder dials.
#[derive(Clone, Debug)]
pub struct TheOne {
    /// Its address, as its user wrote it.
    pub url: String,
    /// Its host, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Its further names, whatever the port.
    pub names: Hosts,
}

impl Proxy {
    /// Answers for any host. The CA that signs for them is kept below `folder`, as [`tls::Identity::for_names`] does it,
    /// but vouches for every name: it is for the trust of one client, and for no trust store.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn for_any(folder: &Path) -> Result<Self, TlsError> {
        Ok(Self { office: Arc::new(Office::open_for_any(folder)?), reach: Reach::Any })
    }

    /// The same with a CA that lives as long as this: its key never reaches the disk.
    ///
    /// # Errors
    /// If no certificate can be made.
    pub fn for_now() -> Result<Self, TlsError> {
        Ok(Self { office: Arc::new(Office::for_now()?), reach: Reach::Any })
    }

    /// Answers for one console; its CA, below `folder`, vouches for that one and its further `names` alone.
    ///
    /// # Errors
    /// If the folder cannot be used, or a name is none of a host.
    pub fn for_one(folder: &Path, one: TheOne, names: &[String]) -> Result<Self, TlsError> {
        let names: Vec<String> = std::iter::once(one.host.clone()).chain(names.iter().cloned()).collect();
        Ok(Self { office: Arc::new(Office::open(folder, &names)?), reach: Reach::Only(one) })
    }

    /// The PEM file of the CA that a client has to trust, if it is kept.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.office.ca_file()
    }

    /// The CA's certificate, in PEM.
    pub fn ca_pem(&self) -> &str {
        self.office.ca_pem()
    }
}

impl fmt::Debug for Proxy {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("reach", &self.reach).finish_non_exhaustive()
    }
}

impl Reach {
    /// Whether a whole URL of one of the listener's own names is the listener's: its port says so, too.
    pub(super) fn is_here(&self, authority: &str, port: u16) -> bool {
        matches!(Host::with_port(authority), Some((_, Some(named))) if named == port)
    }

    /// Lets a request through that names `authority`, over TLS or not.
    pub(super) fn admit(&self, authority: &str, scheme: &str) -> Result<(), Unfit> {
        let no_host = || Unfit::new(400, "the request names no host");
        let (host, port) = Host::with_port(authority).ok_or_else(no_host)?;
        let Self::Only(one) = self else { return Ok(()) };
        let port = port.unwrap_or(if scheme == "https" { 443 } else { 80 });
        let is_it = Host::of_name(&one.host).is_some_and(|own| own == host) && port == one.port;
        if is_it || one.names.names(&host) {
            return Ok(());
        }
        let whose: String = authority.chars().take(SHOWN_MAX).collect();
        let why = format!("this recorder asks {} alone, and the request is for `{whose}`", one.url);
        Err(Unfit::new(403, why)
            .help("nothing was sent; a further name of the same console is given with --host NAME"))
    }
}

/// How much of a host is repeated: a name is at most 253 characters long.
const SHOWN_MAX: usize = 260;

/// What a client asked for by CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    /// A name in small letters, or an address without brackets.
    pub(super) host: String,
}

/// Reads the head of a CONNECT. What two programs could understand differently is refused, as everywhere.
pub(super) fn destination(raw: &Bytes, reach: &Reach) -> Result<Destination, Unfit> {
    let Head { request, body, .. } = head::parse(raw)?;
    let hosts = request.headers.all("Host").count();
    if hosts > 1 || (hosts == 0 && request.version == HttpVersion::Http11) {
        return Err(Unfit::new(400, "a CONNECT has one Host header"));
    }
    if body != BodyFraming::Length(0) {
        return Err(Unfit::new(400, "a CONNECT has no body"));
    }
    let form =
        || Unfit::new(400, "the target of a CONNECT is a host and a port, such as console.example:443");
    let (host, port) = Host::with_port(&request.target).ok_or_else(form)?;
    port.filter(|port| *port > 0).ok_or_else(form)?;
    let host = host.to_string();
    // A certificate has to be made for it.
    super::ca::is_certifiable(&host).then_some(()).ok_or_else(form)?;
    reach.admit(&request.target, "https")?;
    Ok(Destination { host })
}

/// Takes away what a client says to its proxy alone: asked directly, it sends the same request without.
pub(super) fn leave_proxy(request: &mut Request) {
    for name in ["Proxy-Connection", "Proxy-Authorization"] {
        request.headers.remove(name);
    }
}

/// The proxy of a running listener: it remembers the certificates that it made.
pub(super) struct Tunnels {
    pub(super) reach: Reach,
    office: Arc<Office>,
    /// The flaws that are planned.
    flaws: Vec<Flaw>,
    leaves: Mutex<Leaves>,
}

/// Certificates by host, and when each was used last.
#[derive(Default)]
struct Leaves {
    by_host: HashMap<String, (u64, Arc<Tls>)>,
    uses: u64,
}

impl Tunnels {
    pub(super) fn new(proxy: Proxy, reception: &Reception) -> Self {
        let flaw = |(_, trouble): &(String, Trouble)| match trouble {
            Trouble::Certificate(flaw) => Some(*flaw),
            _ => None,
        };
        let flaws = reception.troubles.iter().filter_map(flaw).collect();
        Self { reach: proxy.reach, office: proxy.office, flaws, leaves: Mutex::default() }
    }

    /// What is shown to who asks for this host; made once, and again if too many others came between.
    pub(super) fn tls(&self, host: &str) -> Result<Arc<Tls>, TlsError> {
        let mut leaves = self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
        leaves.uses += 1;
        let now = leaves.uses;
        if let Some((used, tls)) = leaves.by_host.get_mut(host) {
            *used = now;
            return Ok(Arc::clone(tls));
        }
        let tls = Arc::new(tls::for_host(&self.office, host, &self.flaws)?);
        if leaves.by_host.len() >= LEAVES_MAX {
            let oldest = leaves.by_host.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(host) = oldest.map(|(host, _)| host.clone()) {
                leaves.by_host.remove(&host);
            }
        }
        leaves.by_host.insert(host.to_owned(), (now, Arc::clone(&tls)));
        Ok(tls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(head: &str, reach: &Reach) -> Result<String, u16> {
        let raw = Bytes::copy_from_slice(head.as_bytes());
        destination(&raw, reach).map(|to| to.host).map_err(|unfit| unfit.status)
    }

    fn one() -> Reach {
        let mut names = Hosts::default();
        names.add("other-name.example").unwrap();
        let url = "https://Console.example".to_owned();
        Reach::Only(TheOne { url, host: "Console.example".to_owned(), port: 443, names })
    }

    #[test]
    fn a_connect_names_a_host_and_a_port() {
        let connect =
            |target: &str| asked(&format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n"), &Reach::Any);
        assert_eq!(connect("Console.Example:443"), Ok("console.example".to_owned()));
        assert_eq!(connect("10.1.2.3:8443"), Ok("10.1.2.3".to_owned()));
        assert_eq!(connect("[::5]:443"), Ok("::5".to_owned()));
        for wrong in [
            "console.example",
            "console.example:",
            "console.example:0",
            "console.example:99999",
            ":443",
            "u@console.example:443",
            "console.example:443/x",
            "https://console.example:443",
            "/api/x",
            "*",
            "*.example:443",
            "[::5:443",
            "a:b:443",
            "con%73ole.example:443",
            "a..b:443",
            "console.example:+443",
        ] {
            assert_eq!(connect(wrong), Err(400), "{wrong}");
        }
    }

    #[test]
    fn a_connect_is_framed_as_every_request_is() {
        let with = |version: &str, lines: &str| {
            asked(&format!("CONNECT a.example:443 HTTP/{version}\r\n{lines}\r\n"), &Reach::Any)
        };
        assert!(with("1.1", "Host: anybody\r\nContent-Length: 0\r\n").is_ok());
        assert!(with("1.0", "").is_ok());
        for wrong in [
            "",
            "Host: a\r\nHost: a\r\n",
            "Host: a\r\nContent-Length: 1\r\n",
            "Host: a\r\nTransfer-Encoding: chunked\r\n",
            "Host: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        ] {
            assert_eq!(with("1.1", wrong), Err(400), "{wrong}");
        }
    }

    #[test]
    fn a_recorder_asks_one_console_and_its_further_names() {
        let reach = one();
        for (authority, scheme) in [
            ("console.example", "https"),
            ("CONSOLE.example.:443", "https"),
            ("console.example:443", "http"),
            ("other-name.example", "https"),
            ("other-name.example:8443", "http"),
        ] {
            assert_eq!(reach.admit(authority, scheme), Ok(()), "{authority}");
        }
        for (authority, scheme) in [
            ("console.example", "http"),
            ("console.example:8443", "https"),
            ("evil.example", "https"),
            ("127.0.0.1", "https"),
            ("localhost:443", "https"),
            ("x.console.example", "https"),
        ] {
            let refused = reach.admit(authority, scheme).unwrap_err();
            assert_eq!(refused.status, 403, "{authority}");
            assert!(refused.why.contains("https://Console.example alone"), "{}", refused.why);
        }
        assert_eq!(asked("CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n", &reach), Err(403));
    }

    #[test]
    fn certificates_are_made_once_and_not_kept_without_end() {
        let tunnels = Tunnels::new(Proxy::for_now().unwrap(), &Reception::default());
        let first = tunnels.tls("a.example").unwrap();
        assert!(Arc::ptr_eq(&first, &tunnels.tls("a.example").unwrap()));
        for number in 0..LEAVES_MAX + 5 {
            tunnels.tls(&format!("h{number}.example")).unwrap();
            assert!(Arc::ptr_eq(&first, &tunnels.tls("a.example").unwrap()), "it is in use");
        }
        let leaves = tunnels.leaves.lock().unwrap();
        assert_eq!(leaves.by_host.len(), LEAVES_MAX);
        assert!(!leaves.by_host.contains_key("h0.example"));
    }
}
