//! The file format, version 1: reading, with line and column for everything that is wrong.
//!
//! Reading is strict: an unknown key, a value that could not have crossed a wire, or a format newer than
//! [`FORMAT`] is an error. Formats before this one, once there are any, load for ever.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use bytes::Bytes;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, de};

use super::body::{BodyForm, Short};
use super::facts::each_in_a_thread;
use super::laid_out::{LaidOut, Memory};
use super::pool::Pool;
use super::{Cassette, CassetteError, Interaction, MatchRules, RecordedFrom, TlsTrust, parts, window};
use crate::message::{Headers, HttpVersion, Request, Response, usual_reason};

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
struct File {
    format: u32,
    recorded_from: FromForm,
    interactions: Interactions,
}

/// Each is made as it is read: the forms of all of them together would take more than the file.
struct Interactions(Vec<Interaction>);

impl<'de> Deserialize<'de> for Interactions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Interactions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut forms: A) -> Result<Interactions, A::Error> {
                let (mut pool, mut all) = (Pool::default(), Vec::new());
                while let Some(form) = forms.next_element::<InteractionForm<'de>>()? {
                    all.push(form.read(&mut pool));
                }
                all.shrink_to_fit();
                Ok(Interactions(all))
            }
        }
        deserializer.deserialize_seq(InOrder)
    }
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
    #[serde(default, borrow)]
    endpoint: Text<'t>,
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
pub(super) enum By {
    Recorder,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestForm<'t> {
    #[serde(borrow)]
    method: Token<'t>,
    target: Target,
    #[serde(default)]
    version: Version,
    #[serde(default, borrow)]
    headers: Vec<(Token<'t>, Short<'t>)>,
    #[serde(default, borrow)]
    body: Option<BodyForm<'t>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseForm<'t> {
    #[serde(default)]
    version: Version,
    status: Status,
    #[serde(borrow)]
    reason: Short<'t>,
    #[serde(default, borrow)]
    headers: Vec<(Token<'t>, Short<'t>)>,
    #[serde(default)]
    chunks: Option<Vec<usize>>,
    #[serde(default, borrow)]
    body: Option<BodyForm<'t>>,
    #[serde(default, borrow)]
    trailers: Vec<(Token<'t>, Short<'t>)>,
}

/// A string, borrowed from the file where nothing in it is escaped.
#[derive(Default)]
struct Text<'t>(Cow<'t, str>);

impl<'de: 't, 't> Deserialize<'de> for Text<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Whole)
    }
}

/// A method or a header's name.
pub(super) struct Token<'t>(pub(super) Cow<'t, str>);

impl<'de: 't, 't> Deserialize<'de> for Token<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        match text.bytes().all(is_of_a_token) && !text.is_empty() {
            true => Ok(Self(text)),
            false => Err(de::Error::custom(format!("{text:?} is no legal method or header name"))),
        }
    }
}

/// RFC 9110, section 5.6.2.
const fn is_of_a_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

pub(super) struct Target(pub(super) String);

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

pub(super) struct Status(pub(super) u16);

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            status @ 100..=999 => Ok(Self(u16::try_from(status).unwrap_or_default())),
            status => Err(de::Error::custom(format!("status {status} is not between 100 and 999"))),
        }
    }
}

#[derive(Default)]
pub(super) struct Version(pub(super) HttpVersion);

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
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
    let file: File = match in_parts(text).map_or_else(|| serde_json::from_str(text), Ok) {
        Ok(file) => file,
        Err(error) => {
            let newer = serde_json::from_str::<Probe>(text).ok().and_then(|probe| probe.format);
            let newer = newer.filter(|found| *found != FORMAT);
            return Err(newer.map_or_else(|| invalid(name, &error), |found| unknown(name, text, found)));
        }
    };
    if file.format != FORMAT {
        return Err(unknown(name, text, file.format));
    }
    Ok(file.cassette(name))
}

/// Reads a file that is laid out as faultdeck lays it out; `None` for any other, which [`parse`] has the words for.
pub(super) fn read(name: &str, file: impl Read, length: u64, most: u64) -> Option<Cassette> {
    let split = window::split(file, length, most)?;
    let around = split.around.strip_prefix('\u{feff}').unwrap_or(&split.around);
    let mut file: File = serde_json::from_str(around).ok()?;
    if file.format != FORMAT || !file.interactions.0.is_empty() {
        return None;
    }
    file.interactions = Interactions(split.interactions);
    Some(file.cassette(name))
}

impl File {
    fn cassette(self, name: &str) -> Cassette {
        let from = self.recorded_from;
        Cassette {
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
            interactions: self.interactions.0,
            matching: MatchRules::default(),
            unfinished: None,
        }
    }
}

/// A text that is laid out as faultdeck lays it out, a large one in parallel; `None` for any other.
fn in_parts(text: &str) -> Option<File> {
    let cut = parts::cut(text)?;
    let mut file: File = serde_json::from_str(&cut.around).ok()?;
    let read = match cut.parts.as_slice() {
        [whole] => vec![LaidOut::new(whole, &mut Memory::default()).all()],
        parts => each_in_a_thread(parts, |part| LaidOut::new(part, &mut Memory::default()).all()),
    };
    let mut read = read.into_iter().collect::<Option<Vec<_>>>()?.into_iter();
    let all = &mut file.interactions.0;
    if !all.is_empty() {
        return None;
    }
    *all = read.next()?;
    all.reserve_exact(read.as_slice().iter().map(Vec::len).sum());
    read.for_each(|part| all.extend(part));
    all.shrink_to_fit();
    Some(file)
}

/// Reads the text of one interaction.
pub(super) fn parse_interaction(text: &str) -> Result<Interaction, String> {
    let form: InteractionForm<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(form.read(&mut Pool::default()))
}

/// Whether nothing in an interaction is unusual, so that its text is certain to be read as the same again: bodies always
/// are, and the parts of a head if they are legal and of ASCII. A test reads such texts again.
pub(super) fn is_plain(interaction: &Interaction) -> bool {
    let Interaction { request, response, .. } = interaction;
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_of_a_token);
    // Without an early end the compiler looks at many bytes at once.
    let is_value = |value: &[u8]| {
        value.iter().fold(true, |plain, byte| plain & ((*byte == b'\t') | matches!(byte, b' '..=b'~')))
    };
    let are_plain =
        |headers: &Headers| headers.iter().all(|line| is_token(&line.name) && is_value(&line.value));
    is_token(&request.method)
        && request.target.starts_with('/')
        && request.target.len() <= TARGET_MAX
        && request.target.bytes().all(|byte| byte.is_ascii_graphic())
        && (100..=999).contains(&response.status)
        && is_value(&response.reason)
        && [&request.headers, &response.headers, &response.trailers].into_iter().all(are_plain)
        && response
            .chunks
            .as_ref()
            .is_none_or(|chunks| true_chunks(chunks.clone(), response.body.len()) == *chunks)
}

/// A format that is not this one, and where the file says so.
fn unknown(name: &str, text: &str, found: u32) -> CassetteError {
    let at = text.find("\"format\"").unwrap_or_default();
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    CassetteError::Format { path: name.to_owned(), line, column, found, supported: FORMAT }
}

fn invalid(name: &str, error: &serde_json::Error) -> CassetteError {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let message =
        message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message).to_owned();
    CassetteError::Invalid { path: name.to_owned(), message, line, column }
}

impl InteractionForm<'_> {
    fn read(self, pool: &mut Pool) -> Interaction {
        let request = self.request;
        Interaction {
            id: self.id,
            endpoint: pool.name(&self.endpoint.0),
            by_recorder: self.by.is_some(),
            moment: self.moment,
            request: Request {
                method: request.method.0.into_owned(),
                target: request.target.0,
                version: request.version.0,
                headers: headers(&request.headers, pool),
                body: request.body.map_or_else(Bytes::new, |body| body.bytes(pool)),
                scheme: None,
            },
            response: self.response.read(pool),
            notes: self.notes,
        }
    }
}

impl ResponseForm<'_> {
    fn read(self, pool: &mut Pool) -> Response {
        let body = self.body.map_or_else(Bytes::new, |body| body.bytes(pool));
        let usual = usual_reason(self.status.0).as_bytes();
        let reason = match *self.reason.0 == *usual {
            true => Bytes::from_static(usual),
            false => pool.bytes(&self.reason.0),
        };
        Response {
            version: self.version.0,
            status: self.status.0,
            reason,
            headers: headers(&self.headers, pool),
            chunks: self.chunks.map(|chunks| true_chunks(chunks, body.len())),
            body,
            trailers: headers(&self.trailers, pool),
        }
    }
}

pub(super) fn headers(lines: &[(Token<'_>, Short<'_>)], pool: &mut Pool) -> Headers {
    let lines: Vec<(&str, &[u8])> = lines.iter().map(|(name, value)| (&*name.0, &*value.0)).collect();
    pool.headers(&lines)
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
