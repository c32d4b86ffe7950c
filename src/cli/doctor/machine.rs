//! What can be seen of this machine without asking anybody.

use std::env;
use std::io;
use std::net::{TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit};

use super::Check;
use crate::cli::{home, settings};
use crate::files::folders;
use crate::settings::Settings;

/// How many files and sockets a listener under load needs.
const DESCRIPTORS_LEAST: u64 = 512;
/// The variables that name a proxy.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

pub(super) fn checks(asked: Option<&Path>) -> Vec<Check> {
    let mut checks =
        vec![of_settings(asked), ports(), localhost(), descriptors(), proxies(&|name| env::var(name).ok())];
    checks.extend(places());
    checks
}

fn of_settings(asked: Option<&Path>) -> Check {
    const NAME: &str = "settings";
    let Some(file) = settings::file(asked) else {
        return Check::ok(NAME, "no faultdeck.toml here or above: all is as built in");
    };
    let shown = file.display();
    match settings::read(&file) {
        Ok(Settings { defaults, .. }) => {
            let many = if defaults.len() == 1 {
                "1 default".to_owned()
            } else {
                format!("{} defaults", defaults.len())
            };
            Check::ok(NAME, format!("{shown}: {many}"))
        }
        Err(problem) => Check::trouble(
            NAME,
            problem.message(),
            format!("faultdeck lint {shown} shows each mistake with its place"),
        ),
    }
}

fn ports() -> Check {
    match TcpListener::bind(("127.0.0.1", 0)) {
        Ok(_) => Check::ok("ports", "127.0.0.1 gives a free port"),
        Err(error) => Check::trouble(
            "ports",
            format!("no port of 127.0.0.1 can be had: {error}"),
            "does a sandbox forbid to listen? faultdeck needs one port of loopback",
        ),
    }
}

/// Whether `localhost` is this machine. No name server is asked where the system's own table has it, as it does everywhere.
fn localhost() -> Check {
    let all: io::Result<Vec<_>> = ("localhost", 0).to_socket_addrs().map(Iterator::collect);
    match all {
        Ok(all) if !all.is_empty() && all.iter().all(|address| address.ip().is_loopback()) => {
            Check::ok("localhost", "leads to loopback alone")
        }
        Ok(_) => Check::trouble(
            "localhost",
            "leads elsewhere than to loopback",
            "put `127.0.0.1 localhost` into /etc/hosts",
        ),
        Err(error) => Check::trouble(
            "localhost",
            format!("is not known: {error}"),
            "put `127.0.0.1 localhost` into /etc/hosts",
        ),
    }
}

fn descriptors() -> Check {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.or(limit.current);
    match most {
        Some(most) if most < DESCRIPTORS_LEAST => Check::trouble(
            "ulimit",
            format!("at most {most} files may be open at a time"),
            format!("ulimit -n {DESCRIPTORS_LEAST}, or raise the limit of this user or container"),
        ),
        Some(most) => Check::ok("ulimit", format!("{most} files may be open at a time")),
        None => Check::ok("ulimit", "any number of files may be open"),
    }
}

/// Whether clients would ask a proxy for a replay. The value is not shown: it may hold a password.
fn proxies(variable: &dyn Fn(&str) -> Option<String>) -> Check {
    let is_set = |name: &&&str| variable(name).is_some_and(|value| !value.trim().is_empty());
    let named: Vec<&str> = PROXIES.iter().filter(is_set).copied().collect();
    if named.is_empty() {
        return Check::ok("proxy", "no variable names one");
    }
    let named = named.join(", ");
    let spared =
        ["NO_PROXY", "no_proxy"].iter().filter_map(|name| variable(name)).collect::<Vec<_>>().join(",");
    let spares =
        |name: &str| spared.split(',').any(|entry| matches!(entry.trim(), "*") || entry.trim() == name);
    if spares("127.0.0.1") && spares("localhost") {
        return Check::ok(
            "proxy",
            format!("{named} set, and NO_PROXY spares loopback; faultdeck itself asks no proxy"),
        );
    }
    Check::trouble(
        "proxy",
        format!(
            "{named} set, and NO_PROXY does not spare loopback: a client asks the proxy for a replay (`run` and `judge` see to it by themselves); faultdeck itself asks no proxy"
        ),
        "export NO_PROXY=127.0.0.1,localhost,::1 no_proxy=127.0.0.1,localhost,::1",
    )
}

/// Folders that something is written to.
fn places() -> Vec<Check> {
    let temporary = ("temporary", Ok(env::temp_dir()), "TMPDIR");
    let home = ("home", home::folder().map_err(|problem| problem.message()), "FAULTDECK_HOME");
    let cassettes = folders::cassettes().into_iter().next().unwrap_or_default();
    let mut checks: Vec<Check> = [temporary, home]
        .into_iter()
        .map(|(name, folder, variable)| match folder {
            Ok(folder) => {
                writable(name, &folder, &format!("set {variable} to a folder that this user may write to"))
            }
            Err(why) => Check::trouble(name, why, format!("set {variable} to a folder of your own")),
        })
        .collect();
    checks.push(writable("cassettes", &cassettes, "chown or chmod it, or work in a folder of your own"));
    checks
}

/// Whether something can be written to a folder, or the folder made. Nothing is left there.
fn writable(name: &'static str, folder: &Path, fix: &str) -> Check {
    let there = folder.ancestors().map(nonempty).find(|above| above.symlink_metadata().is_ok());
    let there = there.unwrap_or_else(|| PathBuf::from("."));
    let made = if nonempty(folder) == there { "" } else { " can be made, and" };
    match tempfile::tempfile_in(&there) {
        Ok(_) => Check::ok(name, format!("{}{made} can be written to", folder.display())),
        Err(error) => {
            Check::trouble(name, format!("{} cannot be written to: {error}", folder.display()), fix)
        }
    }
}

fn nonempty(folder: &Path) -> PathBuf {
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    fn proxy(set: &[(&str, &str)]) -> Check {
        let set: Vec<(String, String)> =
            set.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        proxies(&move |name| set.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
    }

    #[test]
    fn a_proxy_is_trouble_unless_loopback_is_spared_and_is_never_shown() {
        let theirs = ("HTTPS_PROXY", "http://user:geheim@proxy.example:3128");
        assert_eq!(proxy(&[]).state, State::Ok);
        assert_eq!(proxy(&[("http_proxy", " ")]).state, State::Ok);
        for spared in ["", "example.com", "127.0.0.1"] {
            let check = proxy(&[theirs, ("NO_PROXY", spared)]);
            assert_eq!(check.state, State::Trouble, "{spared}");
            assert!(!check.found.contains("geheim") && check.fix.is_some());
        }
        for spared in ["*", "example.com, localhost, 127.0.0.1"] {
            assert_eq!(proxy(&[theirs, ("no_proxy", spared)]).state, State::Ok, "{spared}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_trouble_and_nothing_is_left_in_one_that_can() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        assert_eq!(writable("x", &inner, "y").state, State::Ok);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert_eq!(writable("x", &folder.path().join("file/below"), "y").state, State::Trouble);
    }
}
