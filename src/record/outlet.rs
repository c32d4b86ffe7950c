//! The way of an answer to the client: as it comes, or, if answers are to wait until they are committed, without their
//! last piece until then. A body whose length is known has arrived with its last byte, and one of no bytes with the head.

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::{Syncing, own_answer};
use crate::delivery::End;
use crate::message::{Headers, Response};
use crate::serve::{Piece, Reply};

/// Pieces of a body on their way to a slow client; the console waits beyond that.
const PIECES_AHEAD: usize = 8;

/// An answer on its way. A client that has left is no error here; it is seen by [`Outlet::left`].
pub(super) struct Outlet {
    syncing: Syncing,
    /// The head, until it is sent.
    head: Option<(oneshot::Sender<Reply>, Reply)>,
    pieces: mpsc::Sender<Piece>,
    /// The last piece so far.
    held: Option<Bytes>,
    /// Pieces that wait for the head.
    early: usize,
}

impl Outlet {
    pub(super) fn new(syncing: Syncing, head: Response, ticket: u64, reply: oneshot::Sender<Reply>) -> Self {
        let (pieces, body) = mpsc::channel(PIECES_AHEAD);
        let head = Some((reply, Reply::Streamed { head, body, ticket }));
        Self { syncing, head, pieces, held: None, early: 0 }
    }

    /// The console takes its time: whoever need not wait for the end of an answer gets what there is of it.
    pub(super) fn waits(&mut self) {
        if self.syncing == Syncing::Grouped {
            self.send_head();
        }
    }

    fn send_head(&mut self) {
        if let Some((reply, head)) = self.head.take() {
            // If it cannot be sent the client has left; what the pieces go into is dropped then.
            let _ = reply.send(head);
        }
    }

    /// Waits until the client has left.
    pub(super) async fn left(&self) {
        self.pieces.closed().await;
    }

    pub(super) async fn body(&mut self, bytes: Bytes) {
        let ready = match self.syncing {
            Syncing::Grouped => Some(bytes),
            Syncing::Always => self.held.replace(bytes),
        };
        // What is there already goes with the head, in one piece.
        if self.syncing == Syncing::Always || self.early >= PIECES_AHEAD / 2 {
            self.send_head();
        }
        if let Some(bytes) = ready {
            self.early += usize::from(self.head.is_some());
            let _ = self.pieces.send(Piece::Body(bytes)).await;
        }
    }

    /// The end of an answer whose client need not wait for anything else.
    pub(super) async fn early_end(&mut self, trailers: &Headers) {
        if self.syncing == Syncing::Grouped {
            let _ = self.pieces.send(Piece::End(trailers.clone())).await;
            self.send_head();
        }
    }

    pub(super) async fn end(&mut self, trailers: Headers) {
        self.send_head();
        if let Some(bytes) = self.held.take() {
            let _ = self.pieces.send(Piece::Body(bytes)).await;
        }
        if self.syncing == Syncing::Always {
            let _ = self.pieces.send(Piece::End(trailers)).await;
        }
    }

    /// It breaks off as the console's own did.
    pub(super) async fn broken(&mut self, end: End) {
        self.send_head();
        if let Some(bytes) = self.held.take() {
            let _ = self.pieces.send(Piece::Body(bytes)).await;
        }
        let _ = self.pieces.send(Piece::Broken(end)).await;
    }

    /// It is not committed, and the client must see that: it breaks off, or is another one if nothing of it was sent.
    pub(super) async fn uncommitted(&mut self) {
        self.held = None;
        match self.head.take() {
            Some((reply, _)) => {
                let help = "the console answered, and its answer is not safe on the disk: see what `faultdeck record` prints";
                let _ = reply.send(own_answer(500, "not committed", help));
            }
            None => drop(self.pieces.send(Piece::Broken(End::Fin)).await),
        }
    }
}
