//! [`Delivery`]: everything about to happen on the wire, as plain data.
//!
//! Deciding and performing are apart. A replay, an emulator or a fault edits a `Delivery`; only `serve/perform.rs`
//! turns one into bytes on a socket. So every fault is tested without a port, and a ledger can say what was planned
//! before a byte was sent.

use std::ops::Range;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use crate::message::Response;

/// How a connection ends after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Kept for the next request if HTTP allows it, else [`End::Fin`].
    Keep,
    /// An orderly close.
    Fin,
    /// A reset: the peer's read fails with ECONNRESET.
    Rst,
    /// The sending side is closed, the receiving side stays open until the peer closes.
    HalfClose,
    /// Silence: the connection stays open and nothing more is sent.
    Hang,
}

/// How the body is framed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// As the response's own headers and chunk sizes say.
    #[default]
    AsRecorded,
    /// With this `Content-Length`, whatever the body's real length is.
    Length(u64),
    /// Chunked, in chunks of these sizes; what is left over is one more chunk.
    Chunked(Vec<usize>),
    /// These bytes stand in place of the body, unframed.
    Raw(Bytes),
}

/// One thing done on the wire. Offsets count from the first byte of the status line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing is sent for this long; never less.
    Wait(Duration),
    /// This part of the [`Image`] is sent; a range past its end is cut.
    Send(Range<usize>),
    /// These bytes are sent, whatever the image says.
    Raw(Bytes),
    /// The response is over.
    End(End),
}

/// One response as it is going to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Head and body.
    pub response: Response,
    /// How the body is framed.
    pub framing: Framing,
    /// Whether no body follows the head although headers speak of one (HEAD, 204, 304).
    pub bodiless: bool,
    /// What is done, in order; closed by one [`Step::End`].
    pub steps: Vec<Step>,
}

/// The bytes of a whole response: what would be sent if nothing went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Status line, header lines, blank line.
    pub head: Bytes,
    /// The body with its transfer coding.
    pub body: Bytes,
}

impl Image {
    /// Bytes in all.
    pub(crate) fn size(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// The part of the image in `range`, cut to what there is, as at most two slices.
    pub fn slice(&self, range: Range<usize>) -> [Bytes; 2] {
        let cut = |part: &Bytes, from: usize| {
            let start = range.start.saturating_sub(from).min(part.len());
            let end = range.end.saturating_sub(from).clamp(start, part.len());
            part.slice(start..end)
        };
        [cut(&self.head, 0), cut(&self.body, self.head.len())]
    }
}

impl Delivery {
    /// `response`, whole and at once, connection kept.
    pub fn of(response: Response) -> Self {
        let bodiless = matches!(response.status, 100..=199 | 204 | 304);
        Self {
            response,
            framing: Framing::default(),
            bodiless,
            steps: vec![Step::Send(0..usize::MAX), Step::End(End::Keep)],
        }
    }

    /// Whether the whole response is going to be sent, without a wait and in one piece.
    pub fn is_plain(&self) -> bool {
        self.framing == Framing::AsRecorded && self.steps == [Step::Send(0..usize::MAX), Step::End(End::Keep)]
    }

    /// The bytes of the whole response as framed.
    pub fn image(&self) -> Image {
        let mut head = BytesMut::with_capacity(512);
        let response = &self.response;
        head.put_slice(response.version.as_str().as_bytes());
        head.put_slice(b" ");
        head.put_slice(response.status.to_string().as_bytes());
        head.put_slice(b" ");
        head.put_slice(&response.reason);
        head.put_slice(b"\r\n");
        let replaces_framing = matches!(self.framing, Framing::Length(_) | Framing::Chunked(_));
        for line in response.headers.iter() {
            if replaces_framing && (line.is("Content-Length") || line.is("Transfer-Encoding")) {
                continue;
            }
            put_line(&mut head, line.name.as_bytes(), &line.value);
        }
        match &self.framing {
            Framing::Length(length) => put_line(&mut head, b"Content-Length", length.to_string().as_bytes()),
            Framing::Chunked(_) => put_line(&mut head, b"Transfer-Encoding", b"chunked"),
            Framing::AsRecorded | Framing::Raw(_) => {}
        }
        head.put_slice(b"\r\n");
        Image { head: head.freeze(), body: self.framed_body() }
    }

    fn framed_body(&self) -> Bytes {
        if self.bodiless {
            return Bytes::new();
        }
        match &self.framing {
            Framing::Raw(bytes) => bytes.clone(),
            Framing::Length(_) => self.response.body.clone(),
            Framing::Chunked(sizes) => self.chunked(sizes),
            Framing::AsRecorded if self.response.headers.lists("Transfer-Encoding", "chunked") => {
                self.chunked(self.response.chunks.as_deref().unwrap_or(&[]))
            }
            Framing::AsRecorded => self.response.body.clone(),
        }
    }

    fn chunked(&self, sizes: &[usize]) -> Bytes {
        let mut out = BytesMut::with_capacity(self.response.body.len() + 64);
        let mut rest = &self.response.body[..];
        let mut sizes = sizes.iter().copied().filter(|size| *size > 0);
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(sizes.next().unwrap_or(rest.len()).min(rest.len()));
            out.put_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            out.put_slice(chunk);
            out.put_slice(b"\r\n");
            rest = after;
        }
        out.put_slice(b"0\r\n");
        for line in self.response.trailers.iter() {
            put_line(&mut out, line.name.as_bytes(), &line.value);
        }
        out.put_slice(b"\r\n");
        out.freeze()
    }

    /// How many bytes the steps send.
    pub fn planned_bytes(&self) -> u64 {
        let size = self.size();
        let sent = |step: &Step| match step {
            Step::Send(range) => range.end.min(size).saturating_sub(range.start),
            Step::Raw(bytes) => bytes.len(),
            Step::Wait(_) | Step::End(_) => 0,
        };
        self.steps.iter().map(sent).sum::<usize>() as u64
    }

    /// How many bytes the image has. That of a response as it was recorded need not be made to be measured.
    fn size(&self) -> usize {
        let response = &self.response;
        let is_plain =
            self.framing == Framing::AsRecorded && !response.headers.lists("Transfer-Encoding", "chunked");
        if !is_plain || !(100..=999).contains(&response.status) {
            return self.image().size();
        }
        const START: usize = "HTTP/1.1 200 \r\n\r\n".len();
        let lines: usize = response.headers.iter().map(|line| line.name.len() + line.value.len() + 4).sum();
        let body = if self.bodiless { 0 } else { response.body.len() };
        START + response.reason.len() + lines + body
    }

    /// Holds everything back by `wait`; a wait of nothing changes nothing.
    pub fn delay(&mut self, wait: Duration) {
        if !wait.is_zero() {
            self.steps.insert(0, Step::Wait(wait));
        }
    }

    /// Ends the response after `bytes` bytes, counted over what would have been sent; waits before that point stay.
    pub fn cut(&mut self, bytes: usize, end: End) {
        let image_len = self.image().size();
        let mut left = bytes;
        let mut steps = Vec::new();
        for step in self.steps.drain(..) {
            let (step, taken) = match step {
                Step::Wait(wait) => {
                    steps.push(Step::Wait(wait));
                    continue;
                }
                Step::Send(range) => {
                    let start = range.start.min(image_len);
                    let taken = range.end.min(image_len).saturating_sub(start).min(left);
                    (Step::Send(start..start + taken), taken)
                }
                Step::Raw(raw) => {
                    let taken = raw.len().min(left);
                    (Step::Raw(raw.slice(..taken)), taken)
                }
                Step::End(_) => break,
            };
            if taken > 0 {
                steps.push(step);
            }
            left -= taken;
            if left == 0 {
                break;
            }
        }
        steps.push(Step::End(end));
        self.steps = steps;
    }
}

fn put_line(out: &mut BytesMut, name: &[u8], value: &[u8]) {
    out.put_slice(name);
    out.put_slice(b": ");
    out.put_slice(value);
    out.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Delivery {
        Delivery::of(Response::json(200, r#"{"id":7}"#))
    }

    fn sent(delivery: &Delivery) -> Vec<u8> {
        let image = delivery.image();
        let mut out = Vec::new();
        for step in &delivery.steps {
            match step {
                Step::Send(range) => {
                    image.slice(range.clone()).iter().for_each(|part| out.extend_from_slice(part))
                }
                Step::Raw(raw) => out.extend_from_slice(raw),
                Step::Wait(_) | Step::End(_) => {}
            }
        }
        out
    }

    #[test]
    fn a_plain_delivery_sends_the_whole_image() {
        let delivery = sample();
        assert!(delivery.is_plain());
        assert_eq!(sent(&delivery).len() as u64, delivery.planned_bytes());
        assert!(sent(&delivery).starts_with(b"HTTP/1.1 200 OK\r\nContent-Type: application/json"));
        assert!(sent(&delivery).ends_with(b"\r\n\r\n{\"id\":7}"));
    }

    #[test]
    fn a_cut_counts_from_the_first_byte_of_the_status_line() {
        for bytes in [0, 1, 40, 10_000] {
            let mut delivery = sample();
            let whole = sent(&delivery);
            delivery.delay(Duration::from_millis(3));
            delivery.cut(bytes, End::Rst);
            assert_eq!(sent(&delivery), whole[..bytes.min(whole.len())]);
            assert_eq!(delivery.steps.first(), Some(&Step::Wait(Duration::from_millis(3))));
            assert_eq!(delivery.steps.last(), Some(&Step::End(End::Rst)));
        }
    }

    #[test]
    fn a_cut_before_the_first_byte_keeps_every_wait_before_it() {
        let mut delivery = sample();
        delivery.delay(Duration::from_millis(3));
        delivery.delay(Duration::from_millis(4));
        delivery.cut(0, End::Fin);
        let waits = [4, 3].map(|ms| Step::Wait(Duration::from_millis(ms)));
        assert_eq!(delivery.steps, [&waits[..], &[Step::End(End::Fin)]].concat());
    }

    #[test]
    fn chunks_come_back_in_their_sizes() {
        let mut response = Response::new(200);
        response.headers.push("Transfer-Encoding", "chunked");
        response.body = Bytes::from_static(b"hello world");
        response.chunks = Some(vec![1, 4, 6]);
        assert_eq!(
            &Delivery::of(response).image().body[..],
            b"1\r\nh\r\n4\r\nello\r\n6\r\n world\r\n0\r\n\r\n"
        );
    }

    #[test]
    fn a_head_only_response_sends_no_body() {
        let mut delivery = sample();
        delivery.bodiless = true;
        assert!(delivery.image().body.is_empty());
        assert!(String::from_utf8_lossy(&delivery.image().head).contains("Content-Length: 8"));
    }
}
