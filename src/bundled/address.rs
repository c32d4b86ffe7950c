//! Where the console is, from the base URL a person gives.

/// A base URL in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) is_tls: bool,
    /// To be resolved: a name, or an IP address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// For the `Host` header: as given.
    pub(super) authority: String,
    /// What stands before `/api`: empty, or a path without a final slash.
    pub(super) prefix: String,
}

impl Address {
    /// Reads `http(s)://host[:port][/path]`. A final slash and a final `/api` are taken off: people give both.
    pub(super) fn parse(base: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`--base {base}`: {why}");
        if base
            .contains(|letter: char| letter.is_whitespace() || letter.is_control() || "?#".contains(letter))
        {
            return Err(wrong("a base URL is scheme, host and port"));
        }
        let (is_tls, rest) = match base.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return Err(wrong("start it with http:// or https://")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix("/api").unwrap_or(if path == "api" { "" } else { path });
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                (host, port.parse().map_err(|_| wrong("the port is no number up to 65535"))?)
            }
            _ => (authority, if is_tls { 443 } else { 80 }),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() || authority.contains('@') {
            return Err(wrong("the host is missing"));
        }
        Ok(Self {
            is_tls,
            host: host.to_owned(),
            port,
            authority: authority.to_owned(),
            prefix: if path.is_empty() { String::new() } else { format!("/{path}") },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_give_base_urls_in_many_forms() {
        for base in [
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/",
            "http://127.0.0.1:8080/api",
            "http://127.0.0.1:8080/api/",
        ] {
            let address = Address::parse(base).unwrap();
            assert_eq!(
                (address.host.as_str(), address.port, address.prefix.as_str()),
                ("127.0.0.1", 8080, "")
            );
        }
        let session = Address::parse("https://[::1]:4/@one/api").unwrap();
        assert_eq!((session.host.as_str(), session.port, session.prefix.as_str()), ("::1", 4, "/@one"));
        assert!(session.is_tls);
        assert_eq!(Address::parse("https://console.example").unwrap().port, 443);
        for base in
            ["console", "ftp://x", "http://", "http://x:y", "http://a b", "http://user@x", "http://x?y"]
        {
            assert!(Address::parse(base).is_err(), "{base}");
        }
    }
}
