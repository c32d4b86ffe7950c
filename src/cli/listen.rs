//! The flags of the verbs that listen, and how they say where.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::problem::Problem;
use super::settings::BY_HAND;
use super::{home, output};
use crate::report::visible;
use crate::serve::tls::Identity;
use crate::serve::{Answer, Bound, Hosts, Limits, Options, Proxy, Server, TheOne};

/// File descriptors for all that is no connection: files, the runtime's own.
const DESCRIPTORS_BESIDE: u64 = 64;

/// Where to listen, and how it is announced.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Listening")]
pub(super) struct Listen {
    /// Listens on this address. Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0", value_parser = address)]
    listen: SocketAddr,
    /// Allows an address that other machines can reach.
    #[arg(long, group = BY_HAND)]
    expose: bool,
    /// Answers for this name too, beside localhost, the address it listens on and --tls-name: `console.example`, an
    /// address, or `*` for every name. Requests for another host get a 421. Can be given several times.
    #[arg(long, value_name = "NAME", group = BY_HAND)]
    host: Vec<String>,
    /// Prints no line for each request.
    #[arg(long)]
    quiet: bool,
    /// Writes the port and a newline to this file once it listens.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// Is a forward proxy, too: answers for whatever host a client asks for by a whole URL or by CONNECT, with a certificate
    /// made for it on the spot. `record` asks the console of --upstream alone, `replay` and `emulate` nobody.
    #[arg(long, conflicts_with = "tls", group = BY_HAND)]
    proxy: bool,
    #[command(flatten)]
    tls: Tls,
    /// The one console that may be asked for through a recorder; set by that verb.
    #[arg(skip)]
    pub(super) the_one: Option<TheOne>,
    /// Whose pages may send requests to a recorder; set by the verb that has a flag for it.
    #[arg(skip)]
    pub(super) origins: Vec<String>,
}

/// `--tls` and what belongs to it.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "TLS")]
pub(super) struct Tls {
    /// Speaks https instead of http, with a certificate authority of its own (its path goes to standard error).
    #[arg(long)]
    tls: bool,
    /// A further name the certificate is for, beside localhost.
    #[arg(long, value_name = "NAME", requires = "tls", group = BY_HAND)]
    tls_name: Vec<String>,
    /// Shows this certificate chain (PEM) instead.
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls_name")]
    tls_cert: Option<PathBuf>,
    /// The key (PEM) of `--tls-cert`.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

/// An address to listen on. `localhost` is the loopback address: other machines never get in by a name.
fn address(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let parsed = numeric.as_deref().unwrap_or(text).parse();
    parsed.map_err(|_| {
        "write it as 127.0.0.1:8080; the port is at most 65535, and 0 takes a free one".to_owned()
    })
}

impl Tls {
    /// Whether https is spoken.
    pub(super) fn is_asked_for(&self) -> bool {
        self.tls
    }

    /// The flags as they were given, to repeat a command with.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.tls {
            words.push("--tls".to_owned());
        }
        for name in &self.tls_name {
            words.extend(["--tls-name".to_owned(), name.clone()]);
        }
        for (flag, file) in [("--tls-cert", &self.tls_cert), ("--tls-key", &self.tls_key)] {
            if let Some(file) = file {
                words.extend([flag.to_owned(), file.display().to_string()]);
            }
        }
        words
    }

    /// The identity to show, if TLS is asked for.
    ///
    /// # Errors
    /// If no certificate can be made or read.
    pub(super) fn identity(&self) -> Result<Option<Identity>, Problem> {
        if !self.tls {
            return Ok(None);
        }
        let identity = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Identity::from_files(certificate, key),
            _ => Identity::for_names(&home::folder()?.join("ca"), &self.tls_name),
        };
        identity.map(Some).map_err(Problem::input)
    }
}

impl Listen {
    /// Whether no line is printed for each request.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Gets the address, hands the URL to `listening`, writes the port file and the URL, and only then serves.
    ///
    /// # Errors
    /// If the address cannot be had, is reachable from outside without `--expose` and a name, or the port file cannot be
    /// written.
    pub(super) async fn start<A: Answer>(
        &self,
        answer: Arc<A>,
        listening: impl FnOnce(&str),
    ) -> Result<Server, Problem> {
        output::never_wait();
        take_descriptors();
        if !self.listen.ip().is_loopback() && !self.expose {
            return Err(Problem::input(format!("{} can be reached from other machines", self.listen))
                .help("add `--expose` if that is what you want; nothing here asks for a password"));
        }
        let tls = self.tls.identity()?;
        let hosts = self.hosts(tls.as_ref())?;
        let proxy = self.proxy(&hosts)?;
        let of_proxy = proxy.as_ref().and_then(Proxy::ca_file);
        let ca_file = tls.as_ref().map(|identity| identity.ca_file.clone()).or(of_proxy);
        let origins = self.origins.clone();
        let options = Options { listen: Some(self.listen), tls, proxy, hosts, origins, ..Options::default() };
        let bound = Bound::new(options, answer).await?;
        listening(&bound.url());
        if let Some(file) = &self.port_file {
            write_port(file, bound.addr().port())?;
        }
        if let Some(file) = ca_file {
            output::note(&format!("certificate authority: {}", visible(&file.display().to_string())));
            output::note(
                "  hand it to the client: curl --cacert, REQUESTS_CA_BUNDLE, NODE_EXTRA_CA_CERTS, SSL_CERT_FILE",
            );
        }
        if self.proxy {
            let url = bound.url();
            let who = match &self.the_one {
                Some(one) => format!("no console but {}", one.url),
                None => "no host".to_owned(),
            };
            output::note(&visible(&format!("proxy: HTTP_PROXY={url} HTTPS_PROXY={url}; {who} is contacted")));
        }
        output::data(&format!("{}\n", bound.url()))?;
        Ok(bound.serve())
    }

    /// What makes it a proxy, if it is to be one.
    fn proxy(&self, hosts: &Hosts) -> Result<Option<Proxy>, Problem> {
        if !self.proxy {
            return Ok(None);
        }
        let folder = home::folder()?.join("ca");
        let proxy = match &self.the_one {
            None => Proxy::for_any(&folder),
            Some(one) => {
                // An authority for `lab.example` vouches for the names below it, too.
                let below = |name: &String| name.strip_prefix("*.").unwrap_or(name).to_owned();
                let names: Vec<String> = self.host.iter().filter(|name| *name != "*").map(below).collect();
                Proxy::for_one(&folder, TheOne { names: hosts.clone(), ..one.clone() }, &names)
            }
        };
        proxy.map(Some).map_err(Problem::input)
    }

    /// The names it answers for.
    fn hosts(&self, tls: Option<&Identity>) -> Result<Hosts, Problem> {
        let mut hosts = Hosts::default();
        for name in &self.host {
            hosts.add(name).map_err(|error| Problem::input(format!("--host: {error}")))?;
        }
        let names = tls.map(|identity| identity.names.as_slice()).unwrap_or_default();
        if self.expose && !hosts.reach_further() && names.is_empty() {
            return Err(Problem::input("`--expose` needs the names that other machines call this one by")
                .help("add `--host NAME` (or an address) for each, or `--host '*'` for any; with TLS, `--tls-name NAME`"));
        }
        Ok(hosts)
    }
}

/// Takes the file descriptors that a full house of connections needs, as far as the system lets this process have them:
/// a shell often gives a program 1,024 of far more.
fn take_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = 2 * Limits::default().connections as u64 + DESCRIPTORS_BESIDE;
    let most = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if limit.current.is_some_and(|current| current < most) {
        // Without them there are fewer places, and the longest idle connection leaves for a new one.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum });
    }
}

/// Whole or not at all: a script that waits for the file never reads half a number.
fn write_port(file: &Path, port: u16) -> Result<(), Problem> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || {
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(temporary, "{port}")?;
        temporary.persist(file).map_err(|error| error.error)
    };
    // The kind alone: the error's own words name the temporary file, which is no business of the user's.
    write().map(|_| ()).map_err(|error: io::Error| Problem::file("write", file, error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_number_or_localhost() {
        assert_eq!(address("localhost:8080").unwrap(), address("127.0.0.1:8080").unwrap());
        for wrong in ["8080", "example.org:80", "127.0.0.1:99999", ""] {
            assert!(address(wrong).unwrap_err().contains("127.0.0.1:8080"), "{wrong}");
        }
    }

    #[test]
    fn the_port_file_holds_the_port_and_a_newline() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("port");
        write_port(&file, 4711).unwrap();
        write_port(&file, 4712).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "4712\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
