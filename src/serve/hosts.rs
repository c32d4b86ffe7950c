//! [`Hosts`]: the names a listener answers for.
//!
//! A page of a stranger can give its own name the address 127.0.0.1 and then read what a listener here answers
//! (DNS rebinding). Its requests carry the stranger's name in `Host`, so a name that is not the listener's own is
//! answered with a 421, before anything else is looked at.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::io::{Entrance, Way};
use super::proxy::{self, Reach};
use super::refusal::Unfit;
use crate::message::{HttpVersion, Request};

/// The names a listener answers for: `localhost`, 127.0.0.0/8, `[::1]` and the address a connection came in at always,
/// further ones if they are given. The port does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    all: bool,
    more: BTreeSet<Host>,
}

/// A name that a listener cannot answer for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name of a host: write it as console.example or 10.1.2.3, without scheme and port, or `*` for any"
)]
pub struct NoHost(String);

/// Whom a request or a user names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Host {
    Address(IpAddr),
    /// In small letters, without a final dot. One that begins with `*.` stands for every first label.
    Name(String),
}

impl Hosts {
    /// Every name is answered.
    pub fn any() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// Answers for `name` too: a DNS name, an address, `*.example.com`, or `*` for every name.
    ///
    /// # Errors
    /// If it is none of these.
    pub fn add(&mut self, name: &str) -> Result<(), NoHost> {
        if name == "*" {
            self.all = true;
            return Ok(());
        }
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let host = match bare.parse::<IpAddr>() {
            Ok(address) => Host::Address(address.to_canonical()),
            Err(_) if bare == name && !name.contains(':') => {
                Host::of(name).ok_or_else(|| NoHost(name.to_owned()))?
            }
            Err(_) => return Err(NoHost(name.to_owned())),
        };
        self.more.insert(host);
        Ok(())
    }

    /// Whether a name beyond the loopback ones is answered.
    pub fn reach_further(&self) -> bool {
        self.all || self.more.iter().any(|host| !host.is_loopback())
    }

    /// Whether the host of `host[:port]` is one of the listener's own names, `*` apart.
    pub(super) fn own(&self, authority: &str, at: IpAddr) -> bool {
        let named = Self { all: false, more: self.more.clone() };
        Host::of(authority).is_some_and(|host| named.answer_for(&host, at))
    }

    fn answer_for(&self, host: &Host, at: IpAddr) -> bool {
        host.is_loopback() || *host == Host::Address(at) || self.names(host)
    }

    /// Whether a host is one of those that were given.
    pub(super) fn names(&self, host: &Host) -> bool {
        let below = |name: &str| name.split_once('.').map(|(_, parent)| Host::Name(format!("*.{parent}")));
        let is_wildcard = match host {
            Host::Name(name) => below(name).is_some_and(|parent| self.more.contains(&parent)),
            Host::Address(_) => false,
        };
        self.all || self.more.contains(host) || is_wildcard
    }
}

impl Host {
    /// A host without a port; an address of version 6 without brackets.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name.parse::<IpAddr>() {
            Ok(address) => Some(Self::Address(address.to_canonical())),
            Err(_) => Self::of(name),
        }
    }

    /// As [`Host::of`], with the port that stands behind it.
    pub(super) fn with_port(authority: &str) -> Option<(Self, Option<u16>)> {
        let host = Self::of(authority)?;
        let after = authority.rsplit(']').next().unwrap_or(authority);
        let port = match after.rsplit_once(':') {
            Some((_, port)) if !port.is_empty() => Some(port.parse().ok()?),
            _ => None,
        };
        Some((host, port))
    }

    /// The host of `host`, `host:port`, `[v6]` or `[v6]:port`; `None` if the text has another form.
    pub(super) fn of(authority: &str) -> Option<Self> {
        if let Some(rest) = authority.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            is_port(port).then_some(())?;
            return Some(Self::Address(IpAddr::from(address.parse::<Ipv6Addr>().ok()?).to_canonical()));
        }
        let at = authority.find(':').unwrap_or(authority.len());
        let (host, port) = authority.split_at(at);
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
        if host.is_empty() || !host.bytes().all(legal) || !is_port(port) {
            return None;
        }
        Some(match host.parse::<Ipv4Addr>() {
            Ok(address) => Self::Address(address.into()),
            Err(_) => Self::Name(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()),
        })
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost",
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Nothing, or a colon and digits.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Lets a request in that is meant for this listener, or for one that it may answer for as a proxy. A whole URL for a
/// target becomes its path, as HTTP asks of every server.
pub(super) fn admit(
    request: &mut Request,
    hosts: &Hosts,
    reach: Option<&Reach>,
    entrance: Entrance,
) -> Result<(), Unfit> {
    let hosts_sent = request.headers.all("Host").count();
    match (hosts_sent, request.version) {
        (1, _) | (0, HttpVersion::Http10) => {}
        (0, HttpVersion::Http11) => return Err(Unfit::new(400, "the request has no Host header")),
        _ => return Err(Unfit::new(400, "the request has more than one Host header")),
    }
    if request.method == "CONNECT" {
        return Err(match reach {
            Some(_) => Unfit::new(400, "a tunnel within a tunnel leads nowhere"),
            None => no_proxy("CONNECT is for proxies; this listener is no proxy"),
        });
    }
    let sent = request.headers.text("Host").map(|host| host.trim().to_owned());
    if let Some(authority) = &sent
        && Host::of(authority).is_none()
    {
        return Err(Unfit::new(400, "the Host header names no host"));
    }
    let is_whole_url = !request.target.starts_with('/');
    let whole = if is_whole_url { Some(take_origin(request)?) } else { None };
    if is_whole_url && reach.is_some() {
        proxy::leave_proxy(request);
    }
    let scheme = match (entrance.way, &whole) {
        (Way::SecureTunnel, _) => Some("https"),
        (Way::Tunnel, _) => Some("http"),
        (Way::Direct, Some((scheme, _))) => Some(*scheme),
        (Way::Direct, None) => None,
    };
    let Some(authority) = whole.map(|(_, authority)| authority).or(sent) else { return Ok(()) };
    let host = Host::of(&authority).ok_or_else(|| Unfit::new(400, "the request target names no host"))?;
    // A whole URL of another port of this machine is somebody else's, where somebody is asked in earnest.
    let is_here = !is_whole_url || reach.is_none_or(|reach| reach.is_here(&authority, entrance.port));
    if is_here && hosts.answer_for(&host, entrance.at) && entrance.way == Way::Direct {
        Ok(())
    } else if let (Some(reach), Some(scheme)) = (reach, scheme) {
        reach.admit(&authority, scheme)?;
        request.scheme = Some(scheme);
        Ok(())
    } else if is_whole_url {
        // Only a client that takes this listener for a proxy asks it so for somebody else.
        let whose = shown(&authority);
        Err(no_proxy(format!("the request target is a URL of `{whose}`; this listener is no proxy")))
    } else {
        Err(misdirected(&authority, reach.is_some()))
    }
}

/// Turns a whole URL into path and query, and gives its scheme and its authority, which outranks `Host`.
fn take_origin(request: &mut Request) -> Result<(&'static str, String), Unfit> {
    let not_a_path = || no_proxy("the request target is neither a path nor a whole URL");
    let (scheme, rest) = request.target.split_once("://").ok_or_else(not_a_path)?;
    let known = ["http", "https"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known));
    let scheme = known.ok_or_else(not_a_path)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (authority, path) = (authority.to_owned(), path.to_owned());
    request.target = if path.starts_with('/') { path } else { format!("/{path}") };
    request.headers.set("Host", authority.clone());
    Ok((scheme, authority))
}

fn no_proxy(why: impl Into<Cow<'static, str>>) -> Unfit {
    Unfit::new(400, why).help("use the listener's URL as the client's address, not as its proxy")
}

fn misdirected(authority: &str, is_proxy: bool) -> Unfit {
    let whose = shown(authority);
    if is_proxy {
        let why = format!("this listener answers for `{whose}` only as a proxy, and was asked by a path");
        return Unfit::new(421, why).help("use the listener's URL as the client's proxy, or as its address");
    }
    Unfit::new(421, format!("this listener does not answer for `{whose}`, and it is no proxy")).help(
        "use the listener's URL as the client's address; replay, record and emulate take further names with --host NAME",
    )
}

/// A name is at most 253 characters long; what is longer is not repeated whole.
fn shown(authority: &str) -> String {
    authority.chars().take(260).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));
    const DIRECT: Entrance = Entrance { at: HERE, port: 9, way: Way::Direct };

    fn admitted(hosts: &Hosts, target: &str, host: &str) -> Result<(String, String), u16> {
        let mut request = Request::new("GET", target).with("Host", host);
        admit(&mut request, hosts, None, DIRECT).map_err(|unfit| unfit.status)?;
        Ok((request.headers.text("Host").unwrap().into_owned(), request.target))
    }

    fn status(hosts: &Hosts, host: &str) -> u16 {
        admitted(hosts, "/", host).err().unwrap_or(200)
    }

    #[test]
    fn loopback_names_and_the_address_of_the_connection_are_answered_whatever_the_port() {
        for own in [
            "localhost",
            "LocalHost.",
            "localhost:1",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]",
            "[::1]:9",
            "10.1.2.3:5",
            "[::ffff:127.0.0.1]",
            "localhost:",
        ] {
            assert_eq!(status(&Hosts::default(), own), 200, "{own}");
        }
        for foreign in [
            "evil.test",
            "evil.test:8080",
            "169.254.169.254",
            "127.0.0.1.evil.test",
            "localhost.evil.test",
            "10.1.2.4",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "0.0.0.0",
            "[::2]",
        ] {
            assert_eq!(status(&Hosts::default(), foreign), 421, "{foreign}");
            assert_eq!(status(&Hosts::any(), foreign), 200, "{foreign}");
        }
        for none in
            ["", "a b", "u@localhost", "localhost:x", "localhost/x", "[::1", "[fe80::1%25lo]", ":80", "a:1:2"]
        {
            assert_eq!(status(&Hosts::any(), none), 400, "{none}");
        }
    }

    #[test]
    fn given_names_are_answered_too() {
        let mut hosts = Hosts::default();
        for name in ["Console.Example.", "10.9.9.9", "::5", "[::6]", "*.lab.example"] {
            hosts.add(name).unwrap();
        }
        for own in ["console.example:443", "10.9.9.9", "[::5]:1", "[::6]", "a.lab.example"] {
            assert_eq!(status(&hosts, own), 200, "{own}");
        }
        for foreign in ["x.console.example", "lab.example", "a.b.lab.example", "other.example"] {
            assert_eq!(status(&hosts, foreign), 421, "{foreign}");
        }
        for wrong in ["", "http://a", "a:1", "[a]", "a b", "a/b"] {
            assert!(Hosts::default().add(wrong).is_err(), "{wrong}");
        }
        let mut any = Hosts::default();
        any.add("*").unwrap();
        assert_eq!(any, Hosts::any());
    }

    #[test]
    fn names_reach_further_than_this_machine_or_not() {
        let mut hosts = Hosts::default();
        assert!(!hosts.reach_further());
        hosts.add("127.0.0.2").unwrap();
        assert!(!hosts.reach_further());
        hosts.add("box").unwrap();
        assert!(hosts.reach_further());
    }

    #[test]
    fn a_whole_url_of_ours_becomes_its_path_and_outranks_host() {
        let pair = |host: &str, target: &str| Ok((host.to_owned(), target.to_owned()));
        let own = Hosts::default();
        assert_eq!(
            admitted(&own, "http://localhost:80/a?b=\"c\"", "other"),
            pair("localhost:80", "/a?b=\"c\"")
        );
        assert_eq!(admitted(&own, "HTTP://127.0.0.1", "127.0.0.1"), pair("127.0.0.1", "/"));
        assert_eq!(admitted(&own, "http://[::1]:9?x", "a"), pair("[::1]:9", "/?x"));
        assert_eq!(admitted(&own, "http://evil.test/a", "localhost"), Err(400), "asked of a proxy");
        for wrong in
            ["ftp://localhost/", "*", "localhost:443", "api/x", "http:///x", "http://u:p@localhost/", "://"]
        {
            assert_eq!(admitted(&own, wrong, "localhost"), Err(400), "{wrong}");
        }
    }

    #[test]
    fn a_proxy_answers_for_others_by_a_whole_url_or_in_a_tunnel_alone() {
        let asked = |target: &str, host: &str, way: Way| {
            let mut request = Request::new("GET", target).with("Host", host).with("Proxy-Connection", "x");
            let entrance = Entrance { way, ..DIRECT };
            admit(&mut request, &Hosts::default(), Some(&Reach::Any), entrance)
                .map_err(|unfit| unfit.status)?;
            let host = request.headers.text("Host").unwrap().into_owned();
            Ok((request.scheme, host, request.target.clone(), request.headers.has("Proxy-Connection")))
        };
        let came =
            |scheme, host: &str, target: &str, kept| Ok((scheme, host.to_owned(), target.to_owned(), kept));
        let (direct, plain, secure) = (Way::Direct, Way::Tunnel, Way::SecureTunnel);
        assert_eq!(
            asked("http://a.example/x", "b.example", direct),
            came(Some("http"), "a.example", "/x", false)
        );
        assert_eq!(asked("HTTPS://a.example:1", "", direct), Err(400), "no Host at all");
        assert_eq!(asked("HTTPS://a.example:1", "a", direct), came(Some("https"), "a.example:1", "/", false));
        assert_eq!(
            asked("http://localhost:9/x", "a", direct),
            came(None, "localhost:9", "/x", false),
            "itself"
        );
        assert_eq!(
            asked("http://localhost:8/x", "a", direct),
            came(Some("http"), "localhost:8", "/x", false)
        );
        assert_eq!(asked("/x", "a.example", direct), Err(421), "a page of a stranger asks so");
        assert_eq!(asked("/x", "a.example", plain), came(Some("http"), "a.example", "/x", true));
        assert_eq!(asked("/x", "a.example:8", secure), came(Some("https"), "a.example:8", "/x", true));
        assert_eq!(asked("http://b.example/x", "a", secure), came(Some("https"), "b.example", "/x", false));
        for wrong in ["ftp://a.example/", "*", "a.example:443", "http:///x", "http://u:p@a.example/"] {
            assert_eq!(asked(wrong, "a", direct), Err(400), "{wrong}");
        }
    }

    #[test]
    fn one_host_line_is_what_http_asks_for() {
        let status = |request: &mut Request| {
            admit(request, &Hosts::default(), None, DIRECT).err().map(|unfit| unfit.status)
        };
        let mut none = Request::new("GET", "/");
        assert_eq!(status(&mut none), Some(400));
        none.version = HttpVersion::Http10;
        assert_eq!(status(&mut none), None);
        let mut two = Request::new("GET", "/").with("Host", "localhost").with("host", "localhost");
        assert_eq!(status(&mut two), Some(400));
        assert_eq!(status(&mut Request::new("CONNECT", "a:443").with("Host", "a:443")), Some(400));
    }
}
