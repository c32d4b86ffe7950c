//! The files that lie over the machine's own: what names resolve to, and whom to trust.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::files;

const HOSTS: &str = "/etc/hosts";
const RESOLVER: &str = "/etc/resolv.conf";
const SWITCH: &str = "/etc/nsswitch.conf";

/// Where systems keep the authorities that programs trust by themselves.
const ROOTS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Where services that resolve names for others have their sockets: a name would leave the room by them.
const SERVICES: [&str; 3] = ["/run/nscd", "/run/systemd/resolve", "/run/avahi-daemon"];

/// The files, until this is dropped.
#[derive(Debug)]
pub(super) struct Papers {
    folder: TempDir,
    written: Vec<&'static str>,
}

impl Papers {
    /// Writes them; these names are known.
    pub(super) fn write(known: &BTreeMap<String, Ipv4Addr>) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("faultdeck-room-").tempdir()?;
        let switch = files::read_text(Path::new(SWITCH), files::SMALL_MAX_BYTES).ok();
        let texts = [
            (HOSTS, Some(hosts(known))),
            // Nothing is to be put behind a name that is asked for.
            (RESOLVER, Some("nameserver 127.0.0.1\nsearch .\noptions timeout:1 attempts:2\n".to_owned())),
            (SWITCH, switch.map(|text| by_files_and_dns(&text))),
        ];
        let mut written = Vec::new();
        for (over, text) in texts {
            // Where there is no such file, nothing can lie over it, and what holds without one will do.
            if let Some(text) = text.filter(|_| Path::new(over).is_file()) {
                fs::write(folder.path().join(written.len().to_string()), text)?;
                written.push(over);
            }
        }
        Ok(Self { folder, written })
    }

    /// Which file lies over which.
    pub(super) fn over(&self, bundle: Option<&Path>) -> Vec<(PathBuf, PathBuf)> {
        let own = self.written.iter().enumerate();
        let mut all: Vec<_> =
            own.map(|(n, over)| (self.folder.path().join(n.to_string()), PathBuf::from(over))).collect();
        if let Some(bundle) = bundle {
            let roots = ROOTS.iter().map(Path::new).filter(|file| file.is_file());
            all.extend(roots.map(|file| (bundle.to_owned(), file.to_owned())));
        }
        all
    }
}

/// The folders that have to be empty.
pub(super) fn hidden() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = SERVICES.iter().map(PathBuf::from).filter(|folder| folder.is_dir()).collect();
    // The file that lies over the machine's own may be in one of them.
    let resolver = fs::canonicalize(RESOLVER).unwrap_or_default();
    all.retain(|folder| !resolver.starts_with(folder));
    all
}

/// The names that there are: those of this machine and the console's, if it goes by one.
pub(super) fn known(console: Option<(&str, Ipv4Addr)>) -> BTreeMap<String, Ipv4Addr> {
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    named(machine.trim(), console)
}

fn named(machine: &str, console: Option<(&str, Ipv4Addr)>) -> BTreeMap<String, Ipv4Addr> {
    let own = ["localhost", machine].map(|name| (name.to_ascii_lowercase(), Ipv4Addr::LOCALHOST));
    // One that is called as this machine is, is the console.
    let all = own.into_iter().chain(console.map(|(name, address)| (name.to_owned(), address)));
    all.filter(|(name, _)| !name.is_empty()).collect()
}

fn hosts(known: &BTreeMap<String, Ipv4Addr>) -> String {
    let mut text = "::1 localhost ip6-localhost\n".to_owned();
    for (name, address) in known {
        let _ = writeln!(text, "{address} {name}");
    }
    text
}

/// The same rules, in which hosts are looked for in the file and by DNS alone.
fn by_files_and_dns(switch: &str) -> String {
    let others = switch.lines().filter(|line| !line.trim_start().starts_with("hosts:"));
    others.chain(["hosts: files dns"]).fold(String::new(), |text, line| text + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_knows_this_machine_and_the_console() {
        let here = Ipv4Addr::new(192, 0, 2, 1);
        let text = hosts(&named("Box", Some(("console.example", here))));
        assert!(text.contains("\n192.0.2.1 console.example\n") && text.contains("127.0.0.1 box\n"));
        let text = hosts(&named("box", Some(("box", here))));
        assert!(text.contains("192.0.2.1 box\n") && !text.contains("127.0.0.1 box"), "{text}");
        assert_eq!(hosts(&named("", None)), "::1 localhost ip6-localhost\n127.0.0.1 localhost\n");
    }

    #[test]
    fn names_are_asked_for_nowhere_else() {
        let text = by_files_and_dns("passwd: files\n hosts:  files mdns4 resolve [!UNAVAIL=return] dns\n");
        assert_eq!(text, "passwd: files\nhosts: files dns\n");
    }
}
