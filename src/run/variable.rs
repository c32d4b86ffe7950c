//! What a command is told of its replay under names of its own: `QRADAR_URL={url}/api`.

use std::ffi::OsString;
use std::path::Path;

use super::isolated::Isolated;
use super::trusted::Trusted;
use crate::client::child::Environment;
use crate::spelling::nearest;

/// The replay, as a command hears of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Replayed<'a> {
    /// Scheme, host and port; no path, no final slash.
    pub(super) url: &'a str,
    /// A token to send.
    pub(super) sec: &'a str,
    /// Whom to trust, if there is a certificate.
    pub(super) trusted: Option<&'a Trusted>,
    /// Whether it is a proxy, and to be asked as one.
    pub(super) is_proxy: bool,
    /// Where the command runs, if it is kept from everybody else.
    pub(super) isolated: Option<&'a Isolated>,
}

impl Replayed<'_> {
    /// Host and port of its URL; the host of an address of version 6 without brackets.
    fn host_and_port(&self) -> (&str, &str) {
        let (scheme, authority) = self.url.split_once("://").unwrap_or(("", self.url));
        let usual = if scheme == "https" { "443" } else { "80" };
        let has_port = authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        let (host, port) = has_port.unwrap_or((authority, usual));
        (host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host), port)
    }
}

/// What stands in the place of a word in braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hole {
    Url,
    Host,
    Port,
    Sec,
    CaFile,
}

impl Hole {
    const ALL: [(&'static str, Self); 5] = [
        ("url", Self::Url),
        ("host", Self::Host),
        ("port", Self::Port),
        ("sec", Self::Sec),
        ("ca_file", Self::CaFile),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, hole)| *hole)
    }

    fn value(self, replayed: &Replayed<'_>) -> OsString {
        match self {
            Self::Url => replayed.url.into(),
            Self::Host => replayed.host_and_port().0.into(),
            Self::Port => replayed.host_and_port().1.into(),
            Self::Sec => replayed.sec.into(),
            Self::CaFile => replayed.trusted.map_or(Path::new(""), |trusted| &trusted.ca_file).into(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hole(Hole),
}

/// A variable that a command is given: a name, and a text in which `{url}`, `{host}`, `{port}`, `{sec}` and `{ca_file}`
/// stand for what the replay turns out to be. `{{` and `}}` are single braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    name: String,
    /// The text as it was written.
    text: String,
    pieces: Vec<Piece>,
}

/// Why a text is no variable. The value is not repeated: it may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoVariable {
    /// There is no name, or no `=` behind it.
    #[error("a variable has a name and a text: write it as NAME={{url}}")]
    Form,
    /// A placeholder that there is not.
    #[error(
        "`{name}`: there is no placeholder `{{{wrong}}}`; there are {{url}} {{host}} {{port}} {{sec}} {{ca_file}}{}",
        meant(wrong)
    )]
    Unknown {
        /// The variable.
        name: String,
        /// What stands in the braces.
        wrong: String,
    },
    /// A brace that is not closed.
    #[error("`{name}`: a `{{` has no `}}`; write `{{{{` for a brace of your own")]
    Open {
        /// The variable.
        name: String,
    },
}

/// The longest word in braces that is repeated: what is longer is none of ours, and may be anything.
const WRONG_MAX: usize = 20;

fn meant(wrong: &str) -> String {
    let near = nearest(wrong, Hole::ALL.iter().map(|(name, _)| *name));
    near.first().map_or_else(String::new, |near| format!("; `{{{near}}}`?"))
}

impl Variable {
    /// Reads `NAME=TEXT`.
    ///
    /// # Errors
    /// If it has another form, or a placeholder that there is not.
    pub fn parse(variable: &str) -> Result<Self, NoVariable> {
        let (name, text) = variable.split_once('=').ok_or(NoVariable::Form)?;
        if name.is_empty() || variable.contains('\0') {
            return Err(NoVariable::Form);
        }
        let pieces = pieces(name, text)?;
        Ok(Self { name: name.to_owned(), text: text.to_owned(), pieces })
    }

    /// `NAME=TEXT`, as it was written.
    pub fn written(&self) -> String {
        format!("{}={}", self.name, self.text)
    }

    /// Whether nothing stands in it but placeholders: then it holds no secret of its author's.
    pub fn is_all_ours(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Hole(_)))
    }

    /// Its name, if it speaks of a certificate authority.
    pub fn asks_for_a_ca(&self) -> Option<&str> {
        self.pieces.contains(&Piece::Hole(Hole::CaFile)).then_some(self.name.as_str())
    }

    /// Sets it.
    pub(super) fn set(&self, environment: &mut Environment, replayed: &Replayed<'_>) {
        let mut value = OsString::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => value.push(text),
                Piece::Hole(hole) => value.push(hole.value(replayed)),
            }
        }
        environment.set(&self.name, value);
    }
}

fn pieces(name: &str, text: &str) -> Result<Vec<Piece>, NoVariable> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        if let Some(after) = from.strip_prefix("{{") {
            plain.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}").or_else(|| from.strip_prefix('}')) {
            plain.push('}');
            rest = after;
        } else {
            let inside = from.get(1..).unwrap_or_default();
            let (word, after) =
                inside.split_once('}').ok_or_else(|| NoVariable::Open { name: name.to_owned() })?;
            let hole = Hole::named(word).ok_or_else(|| NoVariable::Unknown {
                name: name.to_owned(),
                wrong: if word.len() <= WRONG_MAX { word.to_owned() } else { "...".to_owned() },
            })?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Hole(hole));
            rest = after;
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn value(url: &str, variable: &str) -> String {
        let mut environment = Environment::default();
        let trusted = Trusted::passing("ours", &environment).unwrap();
        let trusted = Some(&trusted);
        let replayed = Replayed { url, sec: "a-token", trusted, ..Replayed::default() };
        Variable::parse(variable).unwrap().set(&mut environment, &replayed);
        let name = variable.split('=').next().unwrap();
        let value = environment.get(name).map(OsStr::to_string_lossy).unwrap().into_owned();
        value.replace(trusted.map_or("", |trusted| trusted.ca_file.to_str().unwrap()), "CA")
    }

    #[test]
    fn text_and_placeholders_mix() {
        for (url, variable, expected) in [
            ("http://127.0.0.1:8080", "A={url}/api", "http://127.0.0.1:8080/api"),
            ("http://127.0.0.1:8080", "A={host}:{port}", "127.0.0.1:8080"),
            ("https://[::1]:9", "A={host} {port}", "::1 9"),
            ("https://console.example", "A={host}:{port}", "console.example:443"),
            ("https://[2001:db8::1]", "A={host} {port}", "2001:db8::1 443"),
            ("http://h:1", "A=x{sec}y{ca_file}", "xa-tokenyCA"),
            ("http://h:1", "A={{\"url\": \"{url}\"}}", "{\"url\": \"http://h:1\"}"),
            ("http://h:1", "A=b=c", "b=c"),
            ("http://h:1", "A=", ""),
        ] {
            assert_eq!(value(url, variable), expected, "{variable}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        let why = |text: &str| Variable::parse(text).unwrap_err().to_string();
        for none in ["", "A", "=x", "A\0=b"] {
            assert_eq!(Variable::parse(none), Err(NoVariable::Form), "{none:?}");
        }
        assert_eq!(
            why("A=a-secret{urll}"),
            "`A`: there is no placeholder `{urll}`; there are {url} {host} {port} {sec} {ca_file}; `{url}`?"
        );
        assert!(why("A={a-secret-that-nobody-is-to-see}").contains("`{...}`"));
        assert!(why("A=a-secret{url").contains("has no `}`"));
    }

    #[test]
    fn only_placeholders_hold_no_secret_of_somebody_s() {
        let is_ours = |text| Variable::parse(text).unwrap().is_all_ours();
        assert!(is_ours("A={sec}") && is_ours("A={url}{port}") && is_ours("A="));
        assert!(!is_ours("A=x{sec}") && !is_ours("A=x"));
    }
}
