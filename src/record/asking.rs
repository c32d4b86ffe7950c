//! Asking a console something that changes nothing there: a GET or a HEAD, one connection each.
//!
//! There is no way to send anything else from here: the method is one of two, a request has no body, and what could end
//! its line early is refused. A redirect is an answer like any other; nobody goes after it.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncWriteExt, split};
use tokio::time::timeout;

use super::answer::{AnswerError, Part, Reader};
use super::dial::{DialError, dial};
use super::trust::{Believer, Trust, TrustError};
use super::upstream::Upstream;
use crate::message::Response;

/// A method that changes nothing on a console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safe {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
}

impl Safe {
    /// As it stands in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
        }
    }
}

/// Why a question was not answered. None of these texts holds the token.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The console was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// No answer that can be read.
    #[error("{0}")]
    Answer(String),
    /// The answer is longer than it may be.
    #[error("the answer has more than {0} bytes")]
    TooLong(usize),
    /// The question cannot be sent as one request.
    #[error("a question holds a character that ends its line")]
    Unsendable,
}

impl From<AnswerError> for AskError {
    fn from(error: AnswerError) -> Self {
        Self::Answer(error.to_string())
    }
}

/// Asks one console. Nothing of it shows the token.
pub struct Asking {
    upstream: Upstream,
    believer: Believer,
    sec: Option<String>,
    wait: Duration,
}

impl std::fmt::Debug for Asking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asking").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

impl Asking {
    /// Asks `upstream`, with this token if there is one; the console has `wait` for each step.
    ///
    /// # Errors
    /// If the trust settings are unusable.
    pub fn new(
        upstream: Upstream,
        trust: &Trust,
        sec: Option<String>,
        wait: Duration,
    ) -> Result<Self, TrustError> {
        Ok(Self { upstream, believer: Believer::new(trust)?, sec, wait })
    }

    /// The console's address, `https://HOST` or `https://HOST:PORT`.
    pub fn base(&self) -> String {
        format!("{}://{}", if self.upstream.secure { "https" } else { "http" }, self.upstream.authority())
    }

    /// Whether there is a token to send.
    pub fn has_token(&self) -> bool {
        self.sec.is_some()
    }

    /// The token put out of sight wherever it stands in `text`.
    pub(super) fn hidden(&self, text: &str) -> String {
        self.sec.as_ref().map_or_else(|| text.to_owned(), |sec| text.replace(sec.as_str(), "fd-secret-1"))
    }

    /// The whole answer to one request with these header lines, and with the token if `credited`; its body has at most
    /// `most` bytes.
    ///
    /// # Errors
    /// If the request cannot be sent, or no whole answer comes.
    pub async fn ask(
        &self,
        method: Safe,
        target: &str,
        headers: &[(&str, &str)],
        credited: bool,
        most: usize,
    ) -> Result<Response, AskError> {
        let request = self.written(method, target, headers, credited).ok_or(AskError::Unsendable)?;
        let line = dial(&self.upstream, &self.believer, self.wait).await?;
        let (reading, mut writing) = split(line);
        let slow = |did| AnswerError::Slow { did, within: self.wait };
        timeout(self.wait, writing.write_all(request.as_bytes()))
            .await
            .map_err(|_| slow("did not take the request"))?
            .map_err(AnswerError::from)?;
        let mut reader = Reader::new(reading, BytesMut::new(), self.wait);
        let mut response = timeout(self.wait, reader.head(method == Safe::Head))
            .await
            .map_err(|_| slow("did not send the head of its answer"))??;
        let mut body = Vec::new();
        while let Part::Body(bytes) = reader.part().await? {
            if body.len() + bytes.len() > most {
                return Err(AskError::TooLong(most));
            }
            body.extend_from_slice(&bytes);
        }
        response.body = body.into();
        Ok(response)
    }

    /// The request as it is sent; `None` if it would be more than one.
    fn written(
        &self,
        method: Safe,
        target: &str,
        headers: &[(&str, &str)],
        credited: bool,
    ) -> Option<String> {
        let is_target = target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic());
        let is_line = |text: &str| text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if !is_target || !headers.iter().all(|(name, value)| is_line(name) && is_line(value)) {
            return None;
        }
        let mut text =
            format!("{} {target} HTTP/1.1\r\nHost: {}\r\n", method.as_str(), self.upstream.authority());
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(sec) = self.sec.as_ref().filter(|_| credited) {
            text.push_str(&format!("SEC: {sec}\r\n"));
        }
        text.push_str("Connection: close\r\n\r\n");
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking() -> Asking {
        let upstream = Upstream::parse("http://console.example:8080").unwrap();
        Asking::new(upstream, &Trust::Insecure, Some("top-secret".into()), Duration::from_secs(1)).unwrap()
    }

    #[test]
    fn a_request_is_one_request_and_one_of_two_methods() {
        let written = asking().written(Safe::Get, "/api/x?a=b", &[("Range", "items=0-4")], true).unwrap();
        assert_eq!(
            written,
            "GET /api/x?a=b HTTP/1.1\r\nHost: console.example:8080\r\nRange: items=0-4\r\nSEC: top-secret\r\n\
             Connection: close\r\n\r\n"
        );
        assert!(!asking().written(Safe::Head, "/api/x", &[], false).unwrap().contains("SEC"));
        for target in ["/a b", "/a\r\nX: y", "", "api", "/é", "/a\n"] {
            assert!(asking().written(Safe::Get, target, &[], true).is_none(), "{target:?}");
        }
        assert!(asking().written(Safe::Get, "/a", &[("X", "y\r\nPOST / HTTP/1.1")], true).is_none());
    }

    #[test]
    fn nothing_shows_the_token() {
        let asking = asking();
        assert!(!format!("{asking:?}").contains("top-secret"));
        assert_eq!(asking.hidden("a top-secret b"), "a fd-secret-1 b");
        assert_eq!(asking.base(), "http://console.example:8080");
    }
}
