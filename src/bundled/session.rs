//! What a request is signed with: a token, or a password and then the session that was given for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::message::{Headers, Request, Response};

/// What a program is given to prove who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    Token(String),
    Login { user: String, password: String },
}

/// How the requests of a run are signed.
pub(super) struct Session<'a> {
    credential: &'a Credential,
    /// What the console gave for the password.
    given: Option<String>,
}

impl<'a> Session<'a> {
    pub(super) fn of(credential: &'a Credential) -> Self {
        Self { credential, given: None }
    }

    fn line(&self) -> (&'static str, String) {
        match (&self.given, self.credential) {
            (Some(session), _) => ("Cookie", format!("SEC={session}")),
            (None, Credential::Token(token)) => ("SEC", token.clone()),
            (None, Credential::Login { user, password }) => {
                ("Authorization", format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
        }
    }

    /// The header that signs a request now.
    pub(super) fn header(&self) -> String {
        let (name, value) = self.line();
        format!("{name}: {value}")
    }

    /// The request with its credential, behind its host.
    pub(super) fn signed(&self, request: &Request) -> Request {
        let (name, value) = self.line();
        let mut headers = Headers::default();
        for line in request.headers.iter() {
            headers.push(line.name.to_string(), line.value.clone());
            if line.is("Host") {
                headers.push(name, value.clone());
            }
        }
        Request { headers, ..request.clone() }
    }

    /// Takes up the session that an answer gives to whoever has logged in; whether it is the first.
    pub(super) fn take_up(&mut self, response: &Response) -> bool {
        if !matches!(self.credential, Credential::Login { .. }) {
            return false;
        }
        let cookies = response.headers.all("Set-Cookie");
        let given = cookies.filter_map(|line| {
            let line = std::str::from_utf8(line).ok()?;
            line.split(';').next()?.trim().strip_prefix("SEC=").map(str::to_owned)
        });
        let Some(given) = given.last() else { return false };
        self.given.replace(given).is_none()
    }

    /// Whether the console keeps a session for it.
    pub(super) fn is_open(&self) -> bool {
        self.given.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_sent_once_and_the_session_from_then_on() {
        let login = Credential::Login { user: "u".to_owned(), password: "p".to_owned() };
        let mut session = Session::of(&login);
        let request = Request::new("GET", "/api/x").with("Host", "h").with("Accept", "*/*");
        let names =
            |request: &Request| request.headers.iter().map(|line| line.name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&session.signed(&request)), ["Host", "Authorization", "Accept"]);
        assert_eq!(session.header(), "Authorization: Basic dTpw");
        let mut response = Response::json(200, "{}");
        response.headers.push("Set-Cookie", "SEC=abc; Path=/; HttpOnly");
        assert!(session.take_up(&response) && !session.take_up(&response) && session.is_open());
        assert_eq!(session.header(), "Cookie: SEC=abc");
        let token = Credential::Token("t".to_owned());
        let mut session = Session::of(&token);
        assert!(!session.take_up(&response) && !session.is_open());
        assert_eq!(session.header(), "SEC: t");
    }
}
