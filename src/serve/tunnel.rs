//! What follows a CONNECT: the word that a tunnel is open, and what its client meets there.
//!
//! A client behind a proxy takes the tunnel for its connection to the console, so what is planned for a connection happens
//! in there: a wait, an end, a handshake that goes wrong. Only nobody's listening at all is met at the proxy itself.

use tokio::io::AsyncWriteExt;

use super::Answer;
use super::connection::{self, Phases, Site};
use super::greet::{Greeted, greet};
use super::io::Io;
use super::patience::within;
use super::places::{Place, Standing};
use super::proxy::Destination;

/// How every request begins that opens a tunnel.
const CONNECT: &[u8] = b"CONNECT ";
const OPEN: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// Whether a head opens a tunnel.
pub(super) fn is_asked_for(head: &[u8]) -> bool {
    head.starts_with(CONNECT)
}

/// Whether a connection begins with a CONNECT; what was read of it is kept. `None` if nobody is there any more.
pub(super) async fn comes_first<A: Answer>(
    io: &mut Io,
    site: &Site<A>,
    place: &Place,
    phases: &mut Phases,
) -> Option<bool> {
    let mut wait = site.limits.first_byte;
    while io.ahead.len() < CONNECT.len() && CONNECT.starts_with(&io.ahead) {
        let filled = tokio::select! {
            biased;
            filled = within(wait, io.fill()) => filled,
            () = phases.draining() => None,
            () = place.asked_to_leave() => None,
        };
        let Some(Ok(1..)) = filled else { return None };
        place.now(Standing::Waiting);
        wait = site.limits.head;
    }
    Some(is_asked_for(&io.ahead))
}

/// Opens a tunnel and greets who is in it; what is left of it may send requests.
pub(super) async fn open<A: Answer>(
    mut io: Io,
    to: &Destination,
    greeted: Option<Greeted>,
    site: &Site<A>,
    place: &Place,
    phases: &mut Phases,
) -> Option<Io> {
    // Only a certificate that cannot be made is missing here, and that is known before anything is said.
    let tls = site.tunnels.as_ref().and_then(|tunnels| tunnels.tls(&to.host).ok())?;
    let opened = async {
        io.write_all(OPEN).await?;
        io.flush().await
    };
    within(site.limits.write_idle, opened).await?.ok()?;
    place.now(Standing::Idle);
    let io = io.into_tunnel();
    match greeted {
        Some(greeted) => greet(io, &greeted, Some(&tls), site, place, phases).await,
        None => connection::open(io, Some(tls.usual()), site, place, phases).await,
    }
}
