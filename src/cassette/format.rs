//! The file format, version 1: reading, with line and column for everything that is wrong.
//!
//! Reading is strict: an unknown key, a value that could not have crossed a wire, or a format newer than
//! [`FORMAT`] is an error. Formats before this one, once there are any, load for ever.

use std::fmt;

use bytes::Bytes;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, de};

use super::body::{BodyForm, Short};
use super::{Cassette, CassetteError, Interaction, MatchRules, RecordedFrom, TlsTrust};
use crate::message::{Headers, HttpVersion, Request, Response};

/// The format that is written.
pub(super) const FORMAT: u32 = 1;

/// The longest target, in bytes.
const TARGET_MAX: usize = 64 * 1024;

/// Reads `format` alone, so that a newer file is called newer, and not wrong.
struct Probe {
    format: Option<u32>,
}

impl<'de> Deserialize<'de> for Probe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Probe;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a cassette")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Probe, A::Error> {
                let mut format = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "format" {
                        format = Some(map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Probe { format })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'t> {
    #[serde(rename = "format")]
    _format: u32,
    recorded_from: FromForm,
    #[serde(borrow)]
    interactions: Vec<InteractionForm<'t>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FromForm {
    host: String,
    #[serde(default)]
    api_version: Option<String>,
    #[serde(default)]
    tls: TlsForm,
    encoding: String,
    /// Cassettes from before there was one have none.
    #[serde(default)]
    redaction: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TlsForm {
    #[default]
    None,
    Verified,
    Pinned,
    Insecure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InteractionForm<'t> {
    id: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    by: Option<By>,
    #[serde(default)]
    moment: u32,
    #[serde(borrow)]
    request: RequestForm<'t>,
    #[serde(borrow)]
    response: ResponseForm<'t>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    Recorder,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestForm<'t> {
    method: Token,
    target: Target,
    #[serde(default)]
    version: Version,
    #[serde(default)]
    headers: Vec<(Token, Short)>,
    #[serde(default, borrow)]
    body: Option<BodyForm<'t>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseForm<'t> {
    #[serde(default)]
    version: Version,
    status: Status,
    reason: Short,
    #[serde(default)]
    headers: Vec<(Token, Short)>,
    #[serde(default)]
    chunks: Option<Vec<usize>>,
    #[serde(default, borrow)]
    body: Option<BodyForm<'t>>,
    #[serde(default)]
    trailers: Vec<(Token, Short)>,
}

/// A method or a header's name.
struct Token(String);

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        match text.bytes().all(legal) && !text.is_empty() {
            true => Ok(Self(text)),
            false => Err(de::Error::custom(format!("{text:?} is no legal method or header name"))),
        }
    }
}

struct Target(String);

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !text.starts_with('/') {
            return Err(de::Error::custom("a target starts with a slash: /api/..."));
        }
        if text.len() > TARGET_MAX || text.chars().any(|c| c.is_control() || c == ' ') {
            return Err(de::Error::custom(
                "a target has no blanks and no control characters, and at most 64 KiB",
            ));
        }
        Ok(Self(text))
    }
}

struct Status(u16);

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            status @ 100..=999 => Ok(Self(u16::try_from(status).unwrap_or_default())),
            status => Err(de::Error::custom(format!("status {status} is not between 100 and 999"))),
        }
    }
}

#[derive(Default)]
struct Version(HttpVersion);

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let version = HttpVersion::parse(&text);
        version
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is neither HTTP/1.0 nor HTTP/1.1")))
    }
}

/// Reads a cassette's text.
pub(super) fn parse(name: &str, text: &str) -> Result<Cassette, CassetteError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().starts_with('{') {
        let message = "a cassette is a JSON object that starts with its format".to_owned();
        return Err(CassetteError::Invalid { path: name.to_owned(), message, line: 1, column: 1 });
    }
    if let Ok(Probe { format: Some(found) }) = serde_json::from_str(text)
        && found != FORMAT
    {
        let at = text.find("\"format\"").unwrap_or_default();
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        return Err(CassetteError::Format { path: name.to_owned(), line, column, found, supported: FORMAT });
    }
    let file: File<'_> = serde_json::from_str(text).map_err(|error| invalid(name, &error))?;
    let from = file.recorded_from;
    Ok(Cassette {
        name: name.to_owned(),
        recorded_from: RecordedFrom {
            host: from.host,
            api_version: from.api_version,
            tls: match from.tls {
                TlsForm::None => TlsTrust::None,
                TlsForm::Verified => TlsTrust::Verified,
                TlsForm::Pinned => TlsTrust::Pinned,
                TlsForm::Insecure => TlsTrust::Insecure,
            },
            encoding: from.encoding,
            redaction: from.redaction,
        },
        interactions: file.interactions.into_iter().map(InteractionForm::read).collect(),
        matching: MatchRules::default(),
        unfinished: None,
    })
}

/// Reads the text of one interaction.
pub(super) fn parse_interaction(text: &str) -> Result<Interaction, String> {
    let form: InteractionForm<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(form.read())
}

fn invalid(name: &str, error: &serde_json::Error) -> CassetteError {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let message =
        message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message).to_owned();
    CassetteError::Invalid { path: name.to_owned(), message, line, column }
}

impl InteractionForm<'_> {
    fn read(self) -> Interaction {
        let request = self.request;
        Interaction {
            id: self.id,
            endpoint: self.endpoint,
            by_recorder: self.by.is_some(),
            moment: self.moment,
            request: Request {
                method: request.method.0,
                target: request.target.0,
                version: request.version.0,
                headers: headers(request.headers),
                body: request.body.map_or_else(Bytes::new, BodyForm::bytes),
            },
            response: self.response.read(),
            notes: self.notes,
        }
    }
}

impl ResponseForm<'_> {
    fn read(self) -> Response {
        let body = self.body.map_or_else(Bytes::new, BodyForm::bytes);
        Response {
            version: self.version.0,
            status: self.status.0,
            reason: self.reason.0,
            headers: headers(self.headers),
            chunks: self.chunks.map(|chunks| true_chunks(chunks, body.len())),
            body,
            trailers: headers(self.trailers),
        }
    }
}

fn headers(lines: Vec<(Token, Short)>) -> Headers {
    lines.into_iter().map(|(name, value)| (name.0, value.0)).collect()
}

/// Chunk sizes that do not add up to the body (edited by hand) give way to one chunk.
pub(super) fn true_chunks(chunks: Vec<usize>, length: usize) -> Vec<usize> {
    let sum = chunks.iter().try_fold(0_usize, |sum, size| sum.checked_add(*size));
    if sum == Some(length) && !chunks.contains(&0) {
        chunks
    } else if length == 0 {
        Vec::new()
    } else {
        vec![length]
    }
}
