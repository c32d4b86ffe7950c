//! [`Rendered`]: an answer whose bytes were made before; and what every answer's bytes say of its end.

use bytes::{BufMut, Bytes, BytesMut};

use crate::delivery::{Delivery, Framing, Image};
use crate::message::{HttpVersion, Request};

/// A body up to so many bytes is sent in one piece with its head: copying it costs less than a second piece.
const JOINED_MAX: usize = 4096;

/// A whole answer as the bytes that are sent for one request, at once and with nothing amiss.
#[derive(Debug)]
pub struct Rendered {
    /// The head, and the body if it is short.
    pub(super) start: Bytes,
    /// What is left of the body.
    pub(super) body: Bytes,
    /// Whether the connection can be kept, as far as the answer goes.
    pub(super) keeps: bool,
}

impl Rendered {
    /// The bytes of an answer to this request; `None` if more is planned than to send them.
    pub fn of(delivery: &Delivery, request: &Request) -> Option<Self> {
        if !delivery.is_plain() {
            return None;
        }
        let mut delivery = delivery.clone();
        delivery.bodiless |= request.method == "HEAD";
        if request.version == HttpVersion::Http10 {
            unchunk(&mut delivery);
        }
        let image = delivery.image();
        let keeps = delivery.is_delimited();
        let Image { head, body } = image;
        if body.len() > JOINED_MAX {
            return Some(Self { start: head, body, keeps });
        }
        let mut start = BytesMut::with_capacity(head.len() + body.len());
        start.put_slice(&head);
        start.put_slice(&body);
        Some(Self { start: start.freeze(), body: Bytes::new(), keeps })
    }

    /// All that is sent.
    pub fn bytes(&self) -> Vec<u8> {
        [&self.start[..], &self.body[..]].concat()
    }
}

/// Chunks become a plain body that ends with the connection, as HTTP/1.0 has it; trailers go.
pub(super) fn unchunk(delivery: &mut Delivery) {
    if matches!(delivery.framing, Framing::Chunked(_)) {
        delivery.framing = Framing::AsRecorded;
    }
    if delivery.framing == Framing::AsRecorded
        && delivery.response.headers.lists("Transfer-Encoding", "chunked")
    {
        delivery.response.headers.remove("Transfer-Encoding");
        delivery.response.chunks = None;
    }
}
