//! Asking a console about itself: `GET /api/help/endpoints`, page by page.

use std::time::Duration;

use super::asking::{AskError, Asking, Safe};
use super::dial::DialError;
use super::trust::{Trust, TrustError};
use super::upstream::Upstream;
use crate::json::{Json, JsonError, Kind};
use crate::message::Response;

/// Elements asked for at once: one describes an endpoint in some 10 KiB.
const PAGE: usize = 100;
/// Pages asked for: no console has a tenth of these endpoints.
const PAGES_MAX: usize = 100;
/// The longest answer, in bytes. A console that passes `Range` over sends all of it at once.
const PAGE_MAX_BYTES: usize = 64 * 1024 * 1024;
/// What is kept of all answers, in bytes.
const ALL_MAX_BYTES: usize = 128 * 1024 * 1024;
/// How much of a refusal is shown, in characters.
const SHOWN_MAX: usize = 200;

/// Why a console's description of itself was not had. None of these texts holds the token.
#[derive(Debug, thiserror::Error)]
pub enum InquiryError {
    /// It was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The trust settings are unusable.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// No answer that can be read.
    #[error("{0}")]
    Answer(String),
    /// Another answer than 200 or 206.
    #[error("the console answers {status} to GET {target}{}", if shown.is_empty() { String::new() } else { format!(": {shown}") })]
    Status {
        /// What was asked.
        target: String,
        /// The status.
        status: u16,
        /// The start of its body, in one line.
        shown: String,
    },
    /// No JSON list.
    #[error("the console's answer from element {from} on is no list of JSON: {why}")]
    NoList {
        /// The first element that was asked for.
        from: usize,
        /// Why.
        why: String,
    },
    /// A page that does not follow the one before.
    #[error("the console was asked for element {from} and what follows, and sent `Content-Range: {sent}`")]
    OtherPage {
        /// The first element that was asked for.
        from: usize,
        /// What came.
        sent: String,
    },
    /// More than is taken.
    #[error("the console describes more than {PAGES_MAX} pages of {PAGE} endpoints or 128 MiB")]
    TooMuch,
}

impl From<AskError> for InquiryError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Dial(error) => Self::Dial(error),
            AskError::TooLong(_) => Self::TooMuch,
            AskError::Answer(_) | AskError::Unsendable => Self::Answer(error.to_string()),
        }
    }
}

impl InquiryError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Dial(error) => error.help(),
            Self::Trust(_) => "see --ca-file, --pin and --insecure",
            Self::Status { status: 401 | 403, .. } => {
                "give a token of the console's in the variable FAULTDECK_CONSOLE_SEC, or in a file with --sec-file"
            }
            _ => "is that a QRadar console? `curl` its /api/help/endpoints, and give the file that comes",
        }
    }
}

/// How a console is asked.
#[derive(Clone)]
pub struct Inquiry {
    upstream: Upstream,
    trust: Trust,
    sec: Option<String>,
    wait: Duration,
}

impl std::fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inquiry").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

impl Inquiry {
    /// Asks this console, with this token if there is one; it has `wait` for each step.
    pub fn new(upstream: Upstream, trust: Trust, sec: Option<String>, wait: Duration) -> Self {
        Self { upstream, trust, sec, wait }
    }

    /// All that `GET /api/help/endpoints` says, as the text of one JSON list; `seen` is told of each page how many there
    /// are by now.
    ///
    /// # Errors
    /// If any page cannot be had: a part is never taken for the whole.
    pub async fn endpoints(&self, seen: &(dyn Fn(usize) + Sync)) -> Result<String, InquiryError> {
        let asking = Asking::new(self.upstream.clone(), &self.trust, self.sec.clone(), self.wait)?;
        let mut all = String::from("[");
        let mut count = 0;
        for _ in 0..PAGES_MAX {
            let response = self.page(&asking, "/api/help/endpoints", count).await?;
            let sent = response.headers.text("Content-Range").map(|text| text.trim().to_owned());
            let text = response.text().unwrap_or_default();
            let found = append(&mut all, text, count)?;
            if all.len() > ALL_MAX_BYTES {
                return Err(InquiryError::TooMuch);
            }
            let is_last = match sent.as_deref().map(|sent| (sent, range(sent))) {
                // It does not know `Range`: this is all there is.
                None => true,
                Some((_, Some((first, total)))) if first == count || found == 0 => count + found >= total,
                Some((_, None)) if found == 0 => true,
                Some((sent, _)) => {
                    return Err(InquiryError::OtherPage {
                        from: count,
                        sent: sent.chars().take(SHOWN_MAX).collect(),
                    });
                }
            };
            count += found;
            seen(count);
            if is_last || found == 0 {
                all.push_str("\n]\n");
                return Ok(all);
            }
        }
        Err(InquiryError::TooMuch)
    }

    async fn page(&self, asking: &Asking, target: &str, from: usize) -> Result<Response, InquiryError> {
        let range = format!("items={from}-{}", from + PAGE - 1);
        let headers = [("Accept", "application/json"), ("Range", range.as_str())];
        let response = asking.ask(Safe::Get, target, &headers, true, PAGE_MAX_BYTES).await?;
        match response.status {
            200 | 206 => Ok(response),
            status => {
                let shown = String::from_utf8_lossy(&response.body);
                let shown: String = shown.split_whitespace().collect::<Vec<_>>().join(" ");
                let shown = asking.hidden(&shown).chars().take(SHOWN_MAX).collect();
                Err(InquiryError::Status { target: target.to_owned(), status, shown })
            }
        }
    }
}

/// Puts the elements of a page behind those before it; how many there are.
fn append(all: &mut String, text: &str, from: usize) -> Result<usize, InquiryError> {
    let no_list = |why: String| InquiryError::NoList { from, why };
    let page = Json::parse(text).map_err(|error: JsonError| no_list(error.to_string()))?;
    let Kind::Array(elements) = page.kind() else {
        return Err(no_list("it is one value".to_owned()));
    };
    for element in elements {
        all.push_str(if all.len() > 1 { ",\n" } else { "\n" });
        all.push_str(element.text());
    }
    Ok(elements.len())
}

/// `items 100-199/729`: the first of them, and how many there are in all.
fn range(text: &str) -> Option<(usize, usize)> {
    let (shown, total) = text.strip_prefix("items ")?.split_once('/')?;
    let total = total.trim().parse().ok()?;
    let first = shown.split_once('-').map_or(Some(0), |(first, _)| first.trim().parse().ok())?;
    Some((first, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_says_where_it_begins_and_how_many_there_are() {
        assert_eq!(range("items 100-199/729"), Some((100, 729)));
        assert_eq!(range("items */5"), Some((0, 5)));
        assert_eq!(range("items 0-0/0"), Some((0, 0)));
        for wrong in ["bytes 0-1/2", "items 0-1", "items x-1/2", "items 0-1/*", ""] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn pages_become_one_list_and_what_is_none_is_an_error() {
        let mut all = String::from("[");
        assert_eq!(append(&mut all, "[{\"a\": 1.0}, {}]", 0).unwrap(), 2);
        assert_eq!(append(&mut all, "[3]", 2).unwrap(), 1);
        assert_eq!(all, "[\n{\"a\": 1.0},\n{},\n3");
        assert!(append(&mut all, "{}", 3).unwrap_err().to_string().contains("element 3"));
        assert!(append(&mut all, "<html>", 3).is_err());
    }
}
