//! A command that can reach nobody but its replay, and that under the console's own name and port.
//!
//! It runs in a room ([`room`](crate::client::child::room)): a network in which there is loopback alone. The replay's listener
//! stands in there, and so does whoever is asked for names (`resolver`): it knows the console, and remembers who else was
//! asked for. What a name resolves to comes from files of ours (`papers`) that lie over the machine's own.

mod papers;
mod resolver;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::str::FromStr;

use self::papers::Papers;
use self::resolver::Resolver;
use crate::client::child::room::{Furniture, NoRoom, Room, Tools};
use crate::serve::{Ground, Hosts, StartError};

/// The port of https.
const HTTPS: u16 = 443;
/// Where the console is, if it goes by a name. An address for examples, because some programs treat loopback as no network at all.
const HERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Where names are asked for.
const NAMES: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 53);

/// How a console is called: `console.example`, `console.example:8443`, `10.1.2.3`, `[2001:db8::1]:443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleName {
    /// A name in small letters, or an address without brackets.
    host: String,
    port: u16,
}

/// A text that calls no console.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no host with a port: write it as console.example, console.example:8443 or 10.1.2.3:443, without `https://`"
)]
pub struct NoConsole(String);

impl FromStr for ConsoleName {
    type Err = NoConsole;

    fn from_str(text: &str) -> Result<Self, NoConsole> {
        let wrong = || NoConsole(text.to_owned());
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?,
            None => HTTPS,
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_any = bare.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified());
        if host == "*" || host.starts_with("*.") || is_any || Hosts::default().add(host).is_err() {
            return Err(wrong());
        }
        Ok(Self { host: bare.trim_end_matches('.').to_ascii_lowercase(), port })
    }
}

impl ConsoleName {
    /// Its name, or its address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its address, if it goes by one.
    fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// What stands in a URL of it.
    fn authority(&self) -> String {
        let host = match self.address() {
            Some(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.host.clone(),
        };
        if self.port == HTTPS { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for ConsoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.host.contains(':') { "[" } else { "" };
        let end = if colon.is_empty() { "" } else { "]" };
        write!(f, "{colon}{}{end}:{}", self.host, self.port)
    }
}

/// How a command is kept from everybody but its replay.
#[derive(Clone, Debug)]
pub struct Isolation {
    /// What makes its room.
    pub tools: Tools,
    /// How the replay is called in there.
    pub console: ConsoleName,
}

/// A room with a place for a listener.
#[derive(Debug)]
pub(super) struct Isolated {
    // Gone first: then nobody asks for names any more.
    pub(super) room: Room,
    pub(super) ground: Ground,
    resolver: Resolver,
    /// Where the replay listens.
    pub(super) listen: SocketAddr,
    _papers: Papers,
}

/// Why a run did not begin.
#[derive(Debug, thiserror::Error)]
pub enum NotRun {
    /// The replay cannot listen.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The command cannot have a network of its own.
    #[error(transparent)]
    Room(#[from] NoRoom),
}

impl Isolation {
    /// Makes the room, in which programs that read no variable trust `bundle`.
    pub(super) async fn open(&self, bundle: Option<&Path>) -> Result<Isolated, NoRoom> {
        let (address, is_named) = match self.console.address() {
            Some(address) => (address, false),
            None => (HERE.into(), true),
        };
        let known = papers::known(is_named.then_some((self.console.host(), HERE)));
        let papers = Papers::write(&known)?;
        let furniture = Furniture {
            addresses: Some(address).filter(|address| !address.is_loopback()).into_iter().collect(),
            over: papers.over(bundle),
            empty: papers::hidden(),
        };
        let tools = self.tools.clone();
        // It waits for other programs.
        let open = tokio::task::spawn_blocking(move || Room::open(&tools, &furniture));
        let mut room = open.await.map_err(io::Error::other)??;
        let ground = room.ground(self.console.authority())?;
        let resolver = Resolver::start(ground.udp(NAMES)?, known)?;
        Ok(Isolated {
            room,
            ground,
            resolver,
            listen: SocketAddr::new(address, self.console.port),
            _papers: papers,
        })
    }
}

impl Isolated {
    /// Whom else the command wanted to reach, in words.
    pub(super) fn elsewhere(&self) -> Vec<String> {
        let mut all = self.resolver.asked();
        match self.room.unreached() {
            0 => {}
            1 => all.push("an address by its number, once".to_owned()),
            times => all.push(format!("an address by its number, {times} times")),
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_is_a_host_and_perhaps_a_port() {
        for (text, shown, authority) in [
            ("console.example", "console.example:443", "console.example"),
            ("Console.Example.:443", "console.example:443", "console.example"),
            ("console.example:8443", "console.example:8443", "console.example:8443"),
            ("10.1.2.3", "10.1.2.3:443", "10.1.2.3"),
            ("[2001:db8::1]:444", "[2001:db8::1]:444", "[2001:db8::1]:444"),
            ("2001:db8::1", "[2001:db8::1]:443", "[2001:db8::1]"),
        ] {
            let console: ConsoleName = text.parse().unwrap();
            assert_eq!((console.to_string().as_str(), console.authority().as_str()), (shown, authority));
            assert_eq!(console.to_string().parse(), Ok(console));
        }
        for wrong in
            ["", ":443", "https://a", "a:0", "a:99999", "a:b", "*", "*.example", "0.0.0.0", "a b", "a/b"]
        {
            assert!(wrong.parse::<ConsoleName>().is_err(), "{wrong}");
        }
    }
}
