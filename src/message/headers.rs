//! Header lines exactly as they crossed the wire.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// One header line: the name in the case it was sent, the value as bytes without surrounding blanks.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Header {
    /// The name as sent.
    pub name: String,
    /// The value; usually ASCII, but any byte from 0x80 up is legal on the wire.
    pub value: Bytes,
}

/// Headers whose value is a credential and nothing else.
const CREDENTIALS: [&str; 6] =
    ["SEC", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "QRadarCSRF"];

/// Whether a header of this name holds a credential and nothing else.
pub(crate) fn is_credential_header(name: &str) -> bool {
    CREDENTIALS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl fmt::Debug for Header {
    /// Without the value of a credential: this text may end up in a panic message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match CREDENTIALS.iter().any(|name| self.is(name)) {
            true => write!(f, "{}: ({} bytes)", self.name, self.value.len()),
            false => write!(f, "{}: {:?}", self.name, self.value),
        }
    }
}

impl Header {
    /// The value as text, bytes that are not UTF-8 replaced.
    pub fn text(&self) -> Cow<'_, str> {
        std::str::from_utf8(&self.value).map_or_else(|_| String::from_utf8_lossy(&self.value), Cow::Borrowed)
    }

    /// Whether this line carries `name`, in any case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Header lines in order, repeats and case kept; looked up without regard to case.
///
/// Lines that stand in many messages can be shared by them; whoever edits a line makes them the message's own.
#[derive(Clone, Default)]
pub struct Headers(Lines);

#[derive(Clone)]
enum Lines {
    Own(Vec<Header>),
    Shared(Arc<[Arc<Header>]>),
}

impl Default for Lines {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

impl Headers {
    /// No lines.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Lines that other messages have, too.
    pub(crate) fn shared(lines: Arc<[Arc<Header>]>) -> Self {
        Self(Lines::Shared(lines))
    }

    /// The shared lines, if they are: the same memory means the same lines.
    pub(crate) fn as_shared(&self) -> Option<&Arc<[Arc<Header>]>> {
        match &self.0 {
            Lines::Own(_) => None,
            Lines::Shared(lines) => Some(lines),
        }
    }

    /// Appends a line.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Bytes>) {
        let line = Header { name: name.into(), value: value.into() };
        self.edit(|lines| lines.push(line));
    }

    /// The lines, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Header> + Clone {
        let (own, shared): (&[Header], &[Arc<Header>]) = match &self.0 {
            Lines::Own(lines) => (lines, &[]),
            Lines::Shared(lines) => (&[], lines),
        };
        shared.iter().map(|line| &**line).chain(own)
    }

    /// The lines, in order, handed over.
    pub(crate) fn into_lines(self) -> impl Iterator<Item = Header> {
        let (own, shared) = match self.0 {
            Lines::Own(lines) => (lines, None),
            Lines::Shared(lines) => (Vec::new(), Some(lines)),
        };
        let shared: Vec<Header> =
            shared.iter().flat_map(|lines| lines.iter()).map(|line| Header::clone(line)).collect();
        shared.into_iter().chain(own)
    }

    /// The lines, in order, to be edited in place.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Header> {
        self.edit(|_| ());
        match &mut self.0 {
            Lines::Own(lines) => lines.iter_mut(),
            Lines::Shared(_) => [].iter_mut(),
        }
    }

    /// Shares the lines with the copies that are made from here on.
    pub(crate) fn share(&mut self) {
        if let Lines::Own(lines) = &mut self.0 {
            self.0 = Lines::Shared(std::mem::take(lines).into_iter().map(Arc::new).collect());
        }
    }

    /// Puts other lines in the place of those that `new` has one for. Shared lines that stay are shared as before.
    pub(crate) fn replace_lines(&mut self, mut new: impl FnMut(&Header) -> Option<Header>) {
        match &mut self.0 {
            Lines::Own(lines) => {
                for line in lines {
                    if let Some(new) = new(line) {
                        *line = new;
                    }
                }
            }
            Lines::Shared(lines) => {
                let edits: Vec<(usize, Header)> =
                    lines.iter().enumerate().filter_map(|(at, line)| Some((at, new(line)?))).collect();
                if edits.is_empty() {
                    return;
                }
                let mut edits = edits.into_iter().peekable();
                let line =
                    |(at, line): (usize, &Arc<Header>)| match edits.next_if(|(edited, _)| *edited == at) {
                        Some((_, new)) => Arc::new(new),
                        None => Arc::clone(line),
                    };
                *lines = lines.iter().enumerate().map(line).collect();
            }
        }
    }

    /// The same for their values alone.
    pub(crate) fn put_values(&mut self, mut new: impl FnMut(&Header) -> Option<Bytes>) {
        self.replace_lines(|line| new(line).map(|value| Header { name: line.name.clone(), value }));
    }

    /// Edits lines of the message's own.
    fn edit(&mut self, edit: impl FnOnce(&mut Vec<Header>)) {
        match &mut self.0 {
            Lines::Own(lines) => edit(lines),
            Lines::Shared(lines) => {
                let mut own = lines.iter().map(|line| Header::clone(line)).collect();
                edit(&mut own);
                self.0 = Lines::Own(own);
            }
        }
    }

    /// Whether there is no line.
    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The value of the first line called `name`.
    fn get(&self, name: &str) -> Option<&Bytes> {
        self.iter().find(|line| line.is(name)).map(|line| &line.value)
    }

    /// The value of the first line called `name`, as text.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.iter().find(|line| line.is(name)).map(Header::text)
    }

    /// The values of all lines called `name`, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> + 'a {
        self.iter().filter(move |line| line.is(name)).map(|line| &line.value)
    }

    /// Whether a line called `name` is there.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether a comma-separated header such as `Connection` names `token`.
    pub(crate) fn lists(&self, name: &str, token: &str) -> bool {
        self.all(name).any(|value| {
            String::from_utf8_lossy(value).split(',').any(|part| part.trim().eq_ignore_ascii_case(token))
        })
    }

    /// Puts `value` in the first line called `name`, or appends such a line; further ones stay.
    pub fn set(&mut self, name: &str, value: impl Into<Bytes>) {
        let value = value.into();
        match self.iter_mut().find(|line| line.is(name)) {
            Some(line) => line.value = value,
            None => self.push(name, value),
        }
    }

    /// Removes all lines called `name`.
    pub fn remove(&mut self, name: &str) {
        if self.has(name) {
            self.edit(|lines| lines.retain(|line| !line.is(name)));
        }
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

impl std::hash::Hash for Headers {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.iter().count().hash(state);
        self.iter().for_each(|line| line.hash(state));
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<N: Into<String>, V: Into<Bytes>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Self {
        let mut headers = Self::new();
        for (name, value) in lines {
            headers.push(name, value);
        }
        headers
    }
}
