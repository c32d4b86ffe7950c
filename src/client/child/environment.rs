//! The variables that a program is given.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// What a judged program may inherit. Everything else, proxies and tokens above all, would make two runs differ.
const INHERITED: [&str; 22] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "VIRTUAL_ENV",
    "JAVA_HOME",
    "LD_LIBRARY_PATH",
    "SystemRoot",
    "SystemDrive",
    "ComSpec",
    "PATHEXT",
    "windir",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
];

/// The variables that name the file of a certificate authority to the programs of this world.
const CA_FILE: [&str; 5] =
    ["FAULTDECK_CA_FILE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];

/// What no proxy is asked for.
const LOOPBACK: &str = "127.0.0.1,localhost,::1";

/// The variables a child is given; beside them it gets the mark of `family`, and nothing else reaches it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(pub(super) BTreeMap<OsString, OsString>);

impl Environment {
    /// What a judged program gets of `vars`: a short list of names (`PATH`, `HOME`, the locale, temporary folders),
    /// no proxy, and `NO_PROXY=*`.
    pub fn clean(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let allowed = |name: &OsStr| {
            let name = name.to_string_lossy();
            name.starts_with("LC_") || INHERITED.contains(&name.as_ref())
        };
        let mut environment = Self(vars.into_iter().filter(|(name, _)| allowed(name)).collect());
        environment.set("NO_PROXY", "*");
        environment.set("no_proxy", "*");
        environment
    }

    /// All of `vars`, for a command of the user's own. Loopback is taken out of any proxy's reach.
    pub fn whole(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut environment = Self(vars.into_iter().collect());
        for name in ["NO_PROXY", "no_proxy"] {
            let mut value = environment.0.remove(OsStr::new(name)).unwrap_or_default();
            if !value.is_empty() {
                value.push(",");
            }
            value.push(LOOPBACK);
            environment.set(name, value);
        }
        environment
    }

    /// Sends everything through the proxy at this URL, but for loopback; what was said of other proxies counts no more, for a
    /// host that is spared here would be asked in earnest.
    pub(crate) fn through(&mut self, url: &str) {
        for name in ["HTTP_PROXY", "HTTPS_PROXY"] {
            self.set(name, url);
            self.set(name.to_ascii_lowercase(), url);
        }
        for name in ["ALL_PROXY", "all_proxy"] {
            self.0.remove(OsStr::new(name));
        }
        for name in ["NO_PROXY", "no_proxy"] {
            self.set(name, LOOPBACK);
        }
        // Node looks at the others only when it is told to.
        self.set("NODE_USE_ENV_PROXY", "1");
    }

    /// Leaves no proxy: there is none to be reached.
    pub(crate) fn without_proxies(&mut self) {
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            self.0.remove(OsStr::new(name));
            self.0.remove(OsStr::new(&name.to_ascii_lowercase()));
        }
    }

    /// Sets one variable.
    pub(crate) fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.0.insert(name.into(), value.into());
    }

    /// Names the certificate authority to trust in all the variables that programs look for it.
    pub(crate) fn trust(&mut self, ca_file: &Path) {
        CA_FILE.iter().for_each(|name| self.set(*name, ca_file));
    }

    /// The value of one variable.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_environment_holds_the_listed_names_and_no_proxy() {
        let vars = [("PATH", "/bin"), ("LC_ALL", "C"), ("HTTPS_PROXY", "http://x"), ("AWS_SECRET", "s")];
        let vars = vars.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let environment = Environment::clean(vars.clone());
        assert_eq!(environment.get("PATH"), Some(OsStr::new("/bin")));
        assert_eq!(environment.get("LC_ALL"), Some(OsStr::new("C")));
        assert_eq!(environment.get("NO_PROXY"), Some(OsStr::new("*")));
        assert_eq!(environment.get("HTTPS_PROXY"), None);
        assert_eq!(environment.get("AWS_SECRET"), None);
        let whole = Environment::whole(vars);
        assert_eq!(whole.get("AWS_SECRET"), Some(OsStr::new("s")));
        assert_eq!(whole.get("NO_PROXY"), Some(OsStr::new("127.0.0.1,localhost,::1")));
    }

    #[test]
    fn through_a_proxy_goes_whatever_is_not_loopback() {
        let vars = [("NO_PROXY", "*"), ("all_proxy", "socks5://x"), ("https_proxy", "http://corp:3128")];
        let mut environment = Environment::whole(vars.map(|(name, value)| (name.into(), value.into())));
        environment.through("http://127.0.0.1:1");
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"] {
            assert_eq!(environment.get(name), Some(OsStr::new("http://127.0.0.1:1")), "{name}");
        }
        for name in ["NO_PROXY", "no_proxy"] {
            assert_eq!(environment.get(name), Some(OsStr::new(LOOPBACK)), "{name}");
        }
        assert_eq!(environment.get("all_proxy"), None);
    }
}
