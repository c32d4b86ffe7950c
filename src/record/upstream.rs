//! Where the console is.

use std::net::IpAddr;

use rustls_pki_types::ServerName;

use crate::cassette::Console;
use crate::serve::{Hosts, TheOne};

/// Where the console is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    pub(super) secure: bool,
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

/// Why a text is not the address of a console.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the address of a console: write https://HOST or https://HOST:PORT, without a path")]
pub struct NoUpstream {
    text: String,
}

impl Upstream {
    /// `http://HOST[:PORT]` or `https://HOST[:PORT]`, a final slash allowed, a path or user not.
    ///
    /// # Errors
    /// If the text has another form.
    pub fn parse(text: &str) -> Result<Self, NoUpstream> {
        let wrong = || NoUpstream { text: shown(text) };
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(wrong()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !port.contains(']') => {
                (host, port.parse().map_err(|_| wrong())?)
            }
            _ => (authority, if secure { 443 } else { 80 }),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if ServerName::try_from(host).is_err() || port == 0 {
            return Err(wrong());
        }
        Ok(Self { secure, host: host.to_owned(), port })
    }

    /// Whether it is this machine, by its address or as `localhost`.
    pub(crate) fn is_loopback(&self) -> bool {
        let is_loopback = |address: IpAddr| address.is_loopback();
        self.host.eq_ignore_ascii_case("localhost") || self.host.parse().is_ok_and(is_loopback)
    }

    /// Its name or address, without brackets, and its port.
    pub fn host_and_port(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Whether it is asked over TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// As the only one that may be asked for through a proxy.
    pub fn the_one(&self) -> TheOne {
        let scheme = if self.secure { "https" } else { "http" };
        let url = format!("{scheme}://{}", self.authority());
        TheOne { url, host: self.host.clone(), port: self.port, names: Hosts::default() }
    }

    /// The console's address, as it is taken out of what is stored.
    pub(super) fn console(&self) -> Console {
        Console::new(if self.secure { "https" } else { "http" }, &self.written_host(), self.port)
    }

    /// As it stands in a `Host` header: the port only where it is not the scheme's own.
    pub(super) fn authority(&self) -> String {
        let host = self.written_host();
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    fn written_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

/// An address as it may be printed: without user, password and query, which may hold a secret.
fn shown(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let (rest, cut) = rest.find(['?', '#']).map_or((rest, ""), |at| (&rest[..at], "?..."));
    let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(_, rest)| ("...@", rest));
    let slashes = if text.contains("://") { "://" } else { "" };
    let all = format!("{scheme}{slashes}{user}{rest}{cut}");
    all.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_consoles() {
        let parsed = |text| Upstream::parse(text).map(|it| (it.secure, it.authority()));
        assert_eq!(parsed("https://qradar.example").unwrap(), (true, "qradar.example".into()));
        assert_eq!(parsed("HTTPS://qradar.example:8443/").unwrap(), (true, "qradar.example:8443".into()));
        assert_eq!(parsed("http://127.0.0.1:80").unwrap(), (false, "127.0.0.1".into()));
        assert_eq!(parsed("https://[::1]:8443").unwrap(), (true, "[::1]:8443".into()));
        assert_eq!(parsed("https://qradar_1.example").unwrap(), (true, "qradar_1.example".into()));
        for wrong in [
            "qradar.example",
            "ftp://x",
            "https://",
            "https://x/api",
            "https://u:p@x",
            "https://x:y",
            "https://x:0",
            "https://[::1",
            "https://two words",
            "https://x?y",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
