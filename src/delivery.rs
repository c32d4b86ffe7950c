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
    /// What follows is due so long after what came before was due. Unlike with waits, lateness does not add up: what was
    /// late is made up for.
    Beat(Duration),
    /// From here on no more than so many bytes a second are sent, each when it is due and never before; of several the
    /// least holds, and 0 says nothing.
    Pace(u64),
    /// This part of the [`Image`] is sent; a range past its end is cut.
    Send(Range<usize>),
    /// These bytes are sent, whatever the image says.
    Raw(Bytes),
    /// The response is over.
    End(End),
}

impl Step {
    /// How many bytes it sends of an image of so many.
    pub(crate) fn sends(&self, image_len: usize) -> usize {
        match self {
            Self::Send(range) => range.end.min(image_len).saturating_sub(range.start),
            Self::Raw(bytes) => bytes.len(),
            Self::Wait(_) | Self::Beat(_) | Self::Pace(_) | Self::End(_) => 0,
        }
    }

    /// Takes the first `bytes` bytes, which it has, off what it sends.
    fn split_to(&mut self, bytes: usize) -> Self {
        match self {
            Self::Send(range) => {
                let first = range.start..range.start.saturating_add(bytes);
                range.start = first.end;
                Self::Send(first)
            }
            Self::Raw(raw) => Self::Raw(raw.split_to(bytes.min(raw.len()))),
            // They send nothing.
            Self::Wait(_) | Self::Beat(_) | Self::Pace(_) | Self::End(_) => Self::Raw(Bytes::new()),
        }
    }
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

    /// Whether a client can tell where the whole response ends without the connection's end, and nothing in it speaks of
    /// one.
    pub(crate) fn is_delimited(&self) -> bool {
        let response = &self.response;
        let length = response.body.len() as u64;
        if !response.allows_keeping() {
            return false;
        }
        self.bodiless
            || match &self.framing {
                Framing::Chunked(_) => true,
                Framing::Length(announced) => *announced == length,
                Framing::Raw(_) => false,
                Framing::AsRecorded => {
                    response.headers.lists("Transfer-Encoding", "chunked")
                        || response.declared_length() == Some(length)
                }
            }
    }

    /// How many bytes the steps send.
    pub fn planned_bytes(&self) -> u64 {
        let size = self.size();
        self.steps.iter().map(|step| step.sends(size)).sum::<usize>() as u64
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

    /// Sends no more than so many bytes a second, from the first to the last; a pace of 0 changes nothing.
    pub fn pace(&mut self, bytes_a_second: u64) {
        if bytes_a_second > 0 {
            self.steps.insert(0, Step::Pace(bytes_a_second));
        }
    }

    /// Puts `step` before each of these bytes, counted over what is sent, in ascending order; never before the first, for
    /// what holds back everything is [`Delivery::delay`]. Says how often.
    pub fn put_before(&mut self, bytes: impl IntoIterator<Item = usize>, step: &Step) -> usize {
        let image_len = self.size();
        let mut marks = bytes.into_iter().filter(|mark| *mark > 0).peekable();
        let (mut sent, mut often) = (0, 0);
        let mut steps = Vec::with_capacity(self.steps.len());
        for mut rest in self.steps.drain(..) {
            let end = sent + rest.sends(image_len);
            while let Some(mark) = marks.next_if(|mark| *mark < end) {
                if mark > sent {
                    steps.push(rest.split_to(mark - sent));
                    sent = mark;
                }
                steps.push(step.clone());
                often += 1;
            }
            steps.push(rest);
            sent = end;
        }
        self.steps = steps;
        often
    }

    /// Ends the response after `bytes` bytes, counted over what would have been sent; waits and paces before that point
    /// stay.
    pub fn cut(&mut self, bytes: usize, end: End) {
        let image_len = self.image().size();
        let mut left = bytes;
        let mut steps = Vec::new();
        for step in self.steps.drain(..) {
            let (step, taken) = match step {
                Step::Wait(_) | Step::Beat(_) | Step::Pace(_) => {
                    steps.push(step);
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
                Step::Wait(_) | Step::Beat(_) | Step::Pace(_) | Step::End(_) => {}
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
    fn a_pace_and_beats_stay_in_a_cut_answer_and_count_no_byte() {
        let mut delivery = sample();
        delivery.put_before([20], &Step::Beat(Duration::from_millis(5)));
        delivery.pace(1000);
        assert_eq!(delivery.planned_bytes(), sent(&sample()).len() as u64);
        delivery.cut(30, End::Rst);
        let beat = Step::Beat(Duration::from_millis(5));
        let kept = [Step::Pace(1000), Step::Send(0..20), beat, Step::Send(20..30), Step::End(End::Rst)];
        assert_eq!(delivery.steps, kept);
        assert_eq!(delivery.planned_bytes(), 30);
    }

    #[test]
    fn what_is_put_before_a_byte_splits_what_is_sent_and_loses_nothing() {
        let wait = Step::Wait(Duration::from_millis(1));
        let mut delivery = sample();
        let whole = sent(&delivery);
        // Neither before the first byte nor behind the last.
        assert_eq!(delivery.put_before([0, 1, 40, 40, whole.len(), 10_000], &wait), 3);
        assert_eq!(sent(&delivery), whole);
        let waits = [Step::Send(0..1), wait.clone(), Step::Send(1..40), wait.clone(), wait.clone()];
        assert_eq!(delivery.steps[..5], waits);
        assert_eq!(delivery.steps[5..], [Step::Send(40..usize::MAX), Step::End(End::Keep)]);
        // Where two parts meet, and within bytes that are no part of the image.
        delivery.steps = vec![
            Step::Send(0..5),
            Step::Raw(Bytes::from_static(b"raw")),
            Step::Send(50..usize::MAX),
            Step::End(End::Fin),
        ];
        let before = sent(&delivery);
        assert_eq!(delivery.put_before([5, 7], &wait), 2);
        assert_eq!(sent(&delivery), before);
        assert_eq!(
            delivery.steps[1..5],
            [wait.clone(), Step::Raw(Bytes::from_static(b"ra")), wait, Step::Raw(Bytes::from_static(b"w"))]
        );
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
