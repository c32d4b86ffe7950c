//! Reads interactions that are laid out as faultdeck lays them out, in one pass.
//!
//! Members stand in one order, each at its place, so what is between them is compared and not searched; what many
//! interactions have in common, their head lines, is read once and then known by its text. Nothing is taken on trust: a
//! value is checked by the same rules as any other, most of them by the same code, and whatever is not as expected is
//! `None`. Then the file is read as any JSON text, which finds what is wrong, and where.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use foldhash::quality::RandomState;
use memchr::memmem::Finder;
use serde::Deserialize;

use super::Interaction;
use super::body::{BodyForm, Short};
use super::format::{By, Status, Target, Token, Version, headers, true_chunks};
use super::pool::Pool;
use crate::json::tokens::{self, Tokens};
use crate::message::{Headers, HttpVersion, Request, Response, usual_reason};

/// How many different blocks of head lines are known by their text.
const BLOCKS_MAX: usize = 4096;
/// A longer block is taken for one of its own.
const BLOCK_BYTES_MAX: usize = 1024;

/// A longer target is checked like any other value.
const PLAIN_BYTES_MAX: usize = 4096;

/// What is kept from one interaction to the next.
pub(super) struct Memory {
    pool: Pool,
    blocks: HashMap<Box<str>, Headers, RandomState>,
    end_of_block: Finder<'static>,
    scratch: Vec<u8>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            pool: Pool::default(),
            blocks: HashMap::default(),
            end_of_block: Finder::new("\n        ]"),
            scratch: Vec::new(),
        }
    }
}

/// Reads interactions, one after the other.
pub(super) struct LaidOut<'t, 'm> {
    text: &'t str,
    /// The next byte to be read.
    pub(super) at: usize,
    memory: &'m mut Memory,
}

impl<'t, 'm> LaidOut<'t, 'm> {
    /// Of a text that begins with an interaction.
    pub(super) fn new(text: &'t str, memory: &'m mut Memory) -> Self {
        Self { text, at: 0, memory }
    }

    /// All interactions of the text; `None` if it holds anything else.
    pub(super) fn all(mut self) -> Option<Vec<Interaction>> {
        let mut all = Vec::new();
        loop {
            let interaction = self.interaction()?;
            foresee(&mut all, self.at as u64, (self.text.len() - self.at) as u64);
            all.push(interaction);
            if self.at == self.text.len() {
                return Some(all);
            }
            self.eat(",\n    ")?;
        }
    }

    /// The next one, if all of it is there.
    pub(super) fn interaction(&mut self) -> Option<Interaction> {
        self.eat("{\n      \"id\": ")?;
        let id = self.string()?.into_owned();
        let endpoint = match self.has(",\n      \"endpoint\": ") {
            true => {
                let name = self.string()?;
                self.memory.pool.name(&name)
            }
            false => Arc::default(),
        };
        let by_recorder = match self.has(",\n      \"by\": ") {
            true => matches!(self.read(Self::quoted)?, By::Recorder),
            false => false,
        };
        let moment = match self.has(",\n      \"moment\": ") {
            true => self.read(Self::number)?,
            false => 0,
        };
        self.eat(",\n      \"request\": {\n        \"method\": ")?;
        let request = self.request()?;
        self.eat("\n      },\n      \"response\": {\n        \"version\": ")?;
        let response = self.response()?;
        self.eat("\n      }")?;
        let notes = match self.has(",\n      \"notes\": ") {
            true => self.read(|this| this.until("\n      ]"))?,
            false => Vec::new(),
        };
        self.eat("\n    }")?;
        Some(Interaction { id, endpoint, request, response, by_recorder, moment, notes })
    }

    fn request(&mut self) -> Option<Request> {
        let method = match self.has("\"GET\"") {
            true => "GET".to_owned(),
            false => self.read::<Token<'_>>(Self::quoted)?.0.into_owned(),
        };
        self.eat(",\n        \"target\": ")?;
        let target = self.target()?;
        self.eat(",\n        \"version\": ")?;
        let version = self.version()?;
        let headers = self.headers(",\n        \"headers\": [")?;
        let body = self.body()?;
        Some(Request { method, target, version, headers, body, scheme: None })
    }

    fn target(&mut self) -> Option<String> {
        let quoted = self.quoted()?;
        let inner = quoted.get(1..quoted.len() - 1)?;
        // What nearly every target is.
        let is_plain = inner.len() <= PLAIN_BYTES_MAX
            && inner.starts_with('/')
            && inner.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b'\\');
        if is_plain { Some(inner.to_owned()) } else { Some(serde_json::from_str::<Target>(quoted).ok()?.0) }
    }

    fn response(&mut self) -> Option<Response> {
        let version = self.version()?;
        self.eat(",\n        \"status\": ")?;
        let status = match self.has("200") {
            true if !self.rest().starts_with(|next: char| next.is_ascii_digit()) => 200,
            true => return None,
            false => self.read::<Status>(Self::number)?.0,
        };
        self.eat(",\n        \"reason\": ")?;
        let reason = self.reason(status)?;
        let headers = self.headers(",\n        \"headers\": [")?;
        let chunks: Option<Vec<usize>> = match self.has(",\n        \"chunks\": ") {
            true => Some(self.read(|this| this.until("]"))?),
            false => None,
        };
        let body = self.body()?;
        let trailers = self.headers(",\n        \"trailers\": [")?;
        let chunks = chunks.map(|chunks| true_chunks(chunks, body.len()));
        Some(Response { version, status, reason, headers, chunks, body, trailers })
    }

    fn version(&mut self) -> Option<HttpVersion> {
        match self.has("\"HTTP/1.1\"") {
            true => Some(HttpVersion::Http11),
            false => Some(self.read::<Version>(Self::quoted)?.0),
        }
    }

    fn reason(&mut self, status: u16) -> Option<Bytes> {
        let usual = usual_reason(status);
        let quoted = match self.rest().starts_with('"') {
            true => self.quoted()?,
            false => self.until("}")?,
        };
        if quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(usual) {
            return Some(Bytes::from_static(usual.as_bytes()));
        }
        let reason: Short<'_> = serde_json::from_str(quoted).ok()?;
        Some(self.memory.pool.bytes(&reason.0))
    }

    /// Lines of a head, where they stand.
    fn headers(&mut self, begin: &str) -> Option<Headers> {
        if !self.has(begin) {
            return Some(Headers::new());
        }
        let from = self.at - 1;
        let length = self.memory.end_of_block.find(self.rest().as_bytes())?;
        self.at += length + "\n        ]".len();
        let block = self.text.get(from..self.at)?;
        if let Some(known) = self.memory.blocks.get(block) {
            return Some(known.clone());
        }
        let lines: Vec<(Token<'_>, Short<'_>)> = serde_json::from_str(block).ok()?;
        let headers = headers(&lines, &mut self.memory.pool);
        if self.memory.blocks.len() < BLOCKS_MAX && block.len() <= BLOCK_BYTES_MAX {
            self.memory.blocks.insert(block.into(), headers.clone());
        }
        Some(headers)
    }

    fn body(&mut self) -> Option<Bytes> {
        if !self.has(",\n        \"body\": ") {
            return Some(Bytes::new());
        }
        if !self.has("{\n          \"json\": ") {
            let form: BodyForm<'_> = self.read(|this| this.until("\n        }"))?;
            return Some(form.bytes(&mut self.memory.pool));
        }
        self.memory.scratch.clear();
        self.at = tokens::walk(self.text.as_bytes(), self.at, &mut Compact(&mut self.memory.scratch))?.end;
        self.eat("\n        }")?;
        Some(self.memory.pool.bytes(&self.memory.scratch))
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Whether this comes next; then it is read.
    pub(super) fn has(&mut self, expected: &str) -> bool {
        let has =
            self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(expected.as_bytes()));
        if has {
            self.at += expected.len();
        }
        has
    }

    fn eat(&mut self, expected: &str) -> Option<()> {
        self.has(expected).then_some(())
    }

    /// The value whose text `find` finds.
    fn read<T: Deserialize<'t>>(&mut self, find: impl FnOnce(&mut Self) -> Option<&'t str>) -> Option<T> {
        serde_json::from_str(find(self)?).ok()
    }

    /// A string as it stands there.
    fn quoted(&mut self) -> Option<&'t str> {
        let from = self.at;
        let mut bytes = self.text.as_bytes().get(from + 1..)?.iter();
        if !self.has("\"") {
            return None;
        }
        loop {
            self.at += 1;
            match bytes.next()? {
                b'"' => return self.text.get(from..self.at),
                b'\\' => {
                    bytes.next()?;
                    self.at += 1;
                }
                _ => {}
            }
        }
    }

    /// What a string says.
    fn string(&mut self) -> Option<Cow<'t, str>> {
        let quoted = self.quoted()?;
        let inner = quoted.get(1..quoted.len() - 1)?;
        match inner.bytes().all(|byte| byte >= b' ' && byte != b'\\') {
            true => Some(Cow::Borrowed(inner)),
            false => serde_json::from_str(quoted).ok(),
        }
    }

    /// Digits; whether they are a number that fits is for others to say.
    fn number(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        self.at += length;
        rest.get(..length)
    }

    /// All up to and with the first of these.
    fn until(&mut self, end: &str) -> Option<&'t str> {
        let rest = self.rest();
        let length = rest.find(end)? + end.len();
        self.at += length;
        rest.get(..length)
    }
}

/// Room for one more and for what is to come, if that is like what was read: a list that grows by doubling takes twice
/// what it needs. `behind` bytes were read of the list and of one more, `ahead` are left.
pub(super) fn foresee(interactions: &mut Vec<Interaction>, behind: u64, ahead: u64) {
    if interactions.len() < interactions.capacity() {
        return;
    }
    let each = (behind / (1 + interactions.len() as u64)).max(1);
    let about = usize::try_from(ahead / each).unwrap_or_default();
    interactions.reserve_exact((about + about / 16).min(interactions.len().max(64) * 64) + 4);
}

/// Puts tokens side by side.
struct Compact<'o>(&'o mut Vec<u8>);

impl Tokens for Compact<'_> {
    fn mark(&mut self, mark: u8) {
        self.0.push(mark);
    }

    fn name(&mut self, quoted: &[u8]) {
        self.0.extend_from_slice(quoted);
    }

    fn string(&mut self, quoted: &[u8]) {
        self.0.extend_from_slice(quoted);
    }

    fn other(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::parse_interaction;
    use super::super::write;
    use super::*;

    /// One that has everything.
    fn whole() -> Interaction {
        let headers = |lines: &[(&str, &str)]| {
            lines.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Headers>()
        };
        Interaction {
            id: "cases.post-1".to_owned(),
            endpoint: "POST /x \"quoted\"".into(),
            request: Request {
                headers: headers(&[("SEC", "fd-secret-1"), ("X", "a \"b\" \u{e9}")]),
                body: Bytes::from_static(b"a\nb\"\n]}"),
                ..Request::new("POST", "/api/x?y=\u{e9}")
            },
            response: Response {
                version: HttpVersion::Http10,
                reason: Bytes::from_static(b"Not usual"),
                headers: headers(&[("Content-Type", "application/json")]),
                chunks: Some(vec![10, 13]),
                body: Bytes::from_static(br#"{"a":[1.0,null],"b":{}}"#),
                trailers: headers(&[("T", "1")]),
                ..Response::new(201)
            },
            by_recorder: true,
            moment: 7,
            notes: vec!["a note\n".to_owned(), "another".to_owned()],
        }
    }

    /// One that has only what each has.
    fn bare() -> Interaction {
        let (request, response) = (Request::new("GET", "/api/x"), Response::new(200));
        let (id, endpoint, notes) = ("x.get-1".to_owned(), "".into(), Vec::new());
        Interaction { id, endpoint, request, response, by_recorder: false, moment: 0, notes }
    }

    fn read(text: &str) -> Option<Vec<Interaction>> {
        LaidOut::new(text.strip_prefix("    ").unwrap_or(text), &mut Memory::default()).all()
    }

    #[test]
    fn what_was_written_is_read_in_one_pass() {
        let binary = Interaction {
            response: Response { body: Bytes::from_static(b"\0\xff"), ..bare().response },
            ..bare()
        };
        for interaction in [whole(), bare(), binary] {
            let text = write::interaction(&interaction);
            assert_eq!(read(&text).as_deref(), Some(std::slice::from_ref(&interaction)), "{text}");
            let twice = format!("{text},\n{text}");
            assert_eq!(read(&twice), Some(vec![interaction.clone(), interaction]));
        }
    }

    #[test]
    fn whatever_a_text_says_it_is_read_as_any_json_or_not_at_all() {
        let bytes = [
            "\"", "\\", "{", "}", "[", "]", ",", ":", "\n", " ", "0", "9", "-", "\u{7f}", "\u{1}", "\u{85}",
            "x",
        ];
        let (mut taken, mut refused) = (0, 0);
        for interaction in [whole(), bare()] {
            let text = write::interaction(&interaction).trim_start().to_owned();
            for (at, found) in text.char_indices() {
                let (before, rest) = (&text[..at], &text[at..]);
                let after = &rest[found.len_utf8()..];
                let put = bytes
                    .iter()
                    .flat_map(|put| [[before, put, rest].concat(), [before, put, after].concat()]);
                for changed in put.chain([[before, after].concat()]) {
                    match read(&changed) {
                        Some(all) => {
                            assert_eq!(
                                Ok(all),
                                parse_interaction(&changed).map(|one| vec![one]),
                                "{changed}"
                            );
                            taken += 1;
                        }
                        None => refused += 1,
                    }
                }
            }
        }
        assert!(taken > 1000 && refused > 1000, "{taken} {refused}");
    }
}
