//! From a [`Greeting`] to what a peer sees before its first request. Beside `perform` the only place that misbehaves on
//! purpose.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::{Accepted, Acceptor, ClientHello};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use super::Answer;
use super::connection::{Phases, Site, Spoken, close, open, spoken};
use super::io::Io;
use super::patience::within;
use super::perform::SETTLE;
use super::places::{Place, Standing};
use super::timer;
use super::tls::Tls;
use crate::greeting::{Alert, Arrival, Ending, Greeting, OldVersion, Part, Trouble, Welcome};

/// What was decided about a connection when it came.
pub(super) struct Greeted {
    pub(super) arrival: Arrival,
    pub(super) greeting: Greeting,
}

/// Greets a connection, or the client of a tunnel; what is left of it may send requests.
pub(super) async fn greet<A: Answer>(
    io: Io,
    greeted: &Greeted,
    tls: Option<&Tls>,
    site: &Site<A>,
    place: &Place,
    phases: &mut Phases,
) -> Option<Io> {
    let Greeted { arrival, greeting } = greeted;
    if !greeting.wait.is_zero() {
        let stayed = wait(greeting.wait, place, phases).await;
        // Who left meanwhile, and took the listener along, was left waiting all the same.
        site.answer.greeted(arrival, Part::Wait);
        stayed?;
    }
    match (greeting.then, tls) {
        (Welcome::Accept, tls) => open(io, tls.map(Tls::usual), site, place, phases).await,
        (Welcome::End(ending), _) => {
            site.answer.greeted(arrival, Part::Then);
            end(io, ending, &[], site, place, phases).await;
            None
        }
        (Welcome::Handshake(trouble), Some(tls)) => match hello(io, site, place, phases).await? {
            Hello::Plain(io) => Some(io),
            Hello::Tls(hello, in_tunnel) => {
                site.answer.greeted(arrival, Part::Then);
                shake(*hello, trouble, tls, in_tunnel, site, place, phases).await
            }
        },
        // A proxy's client that speaks plain http meets no handshake, and nothing has gone wrong.
        (Welcome::Handshake(_), None) => Some(io),
    }
}

/// How a client begins.
enum Hello {
    /// With the hello of a handshake; whether in a tunnel.
    Tls(Box<StartHandshake<TcpStream>>, bool),
    /// In plain http, in a tunnel.
    Plain(Io),
}

/// A client's hello, with the connection it came on.
async fn hello<A: Answer>(io: Io, site: &Site<A>, place: &Place, phases: &mut Phases) -> Option<Hello> {
    let hello = async {
        match spoken(io, site, place).await? {
            Spoken::Plain(io) => Some(Hello::Plain(io)),
            Spoken::Tls { socket, in_tunnel } => {
                let hello = LazyConfigAcceptor::new(Acceptor::default(), socket);
                let hello = within(site.limits.head, hello).await?.ok()?;
                Some(Hello::Tls(Box::new(hello), in_tunnel))
            }
        }
    };
    tokio::select! {
        biased;
        hello = hello => hello,
        () = phases.draining() => None,
        () = place.asked_to_leave() => None,
    }
}

/// Goes on with a handshake, into trouble. A client that takes the wrong certificate is served.
async fn shake<A: Answer>(
    hello: StartHandshake<TcpStream>,
    trouble: Trouble,
    tls: &Tls,
    in_tunnel: bool,
    site: &Site<A>,
    place: &Place,
    phases: &mut Phases,
) -> Option<Io> {
    let usual = tls.usual().config();
    let (words, ending) = match trouble {
        Trouble::Certificate(flaw) => {
            let shaken = hello.into_stream(Arc::clone(tls.flawed(flaw).config()));
            return tokio::select! {
                biased;
                shaken = within(site.limits.head, shaken) => shaken?.ok().map(|tls| Io::tls(tls, in_tunnel)),
                () = phases.draining() => None,
                () = place.asked_to_leave() => None,
            };
        }
        Trouble::Alert(alert) => (alert_record([3, 3], alert), Ending::Close),
        Trouble::OldVersion(version) => (old_hello(version, &hello.client_hello()), Ending::Close),
        Trouble::Broken(ending) => {
            let flight = first_flight(hello.accepted, Arc::clone(usual));
            end(Io::plain(hello.io), ending, half_of(&flight), site, place, phases).await;
            return None;
        }
    };
    end(Io::plain(hello.io), ending, &words, site, place, phases).await;
    None
}

fn half_of(bytes: &[u8]) -> &[u8] {
    bytes.get(..bytes.len() / 2).unwrap_or_default()
}

/// Leaves the peer alone for so long. As with a program that is slow to accept, nobody notices if it leaves meanwhile.
async fn wait(wait: Duration, place: &Place, phases: &mut Phases) -> Option<()> {
    place.now(Standing::Busy);
    tokio::select! {
        biased;
        () = timer::sleep(wait) => {}
        () = phases.draining() => return None,
    }
    place.now(Standing::Idle);
    Some(())
}

/// Says these last words, and ends.
async fn end<A: Answer>(
    mut io: Io,
    ending: Ending,
    words: &[u8],
    site: &Site<A>,
    place: &Place,
    phases: &mut Phases,
) {
    let limits = &site.limits;
    let sent = async {
        io.write_all(words).await?;
        io.flush().await?;
        if ending == Ending::Reset {
            if !words.is_empty() {
                io.all_sent().await?;
            }
            // A client that still waits for the connection finds it there, and sees its end alone.
            timer::sleep(SETTLE).await;
        }
        io::Result::Ok(())
    };
    if !matches!(within(limits.write_idle, sent).await, Some(Ok(()))) {
        return;
    }
    match ending {
        Ending::Close => {
            place.leave();
            tokio::select! {
                biased;
                () = close(&mut io, limits) => {}
                () = phases.draining() => {}
            }
        }
        Ending::Reset => {
            place.leave();
            io.reset_on_close();
        }
        Ending::Hang => {
            place.now(Standing::Busy);
            tokio::select! {
                biased;
                () = io.discard() => {}
                () = phases.draining() => io.reset_on_close(),
                () = tokio::time::sleep(limits.hang) => io.reset_on_close(),
            }
        }
    }
}

/// All that a server says at first, as in a handshake in which nothing goes wrong.
fn first_flight(accepted: Accepted, config: Arc<ServerConfig>) -> Vec<u8> {
    let mut flight = Vec::new();
    match accepted.into_connection(config) {
        Ok(mut connection) => {
            while connection.wants_write() {
                // Writing to memory cannot fail.
                let _ = connection.write_tls(&mut flight);
            }
        }
        Err((_, mut alert)) => {
            let _ = alert.write_all(&mut flight);
        }
    }
    flight
}

/// A fatal alert in a record of this version (RFC 5246, sections 6.2.1 and 7.2).
fn alert_record(version: [u8; 2], alert: Alert) -> Vec<u8> {
    const ALERT: u8 = 21;
    const FATAL: u8 = 2;
    vec![ALERT, version[0], version[1], 0, 2, FATAL, alert.code()]
}

/// The hello of a server that knows nothing newer than `version`. It names its own newest version, whatever newer one the
/// client asked for (RFC 5246, appendix E.1), and the client has to end the handshake if it does not take that one. A server
/// that shares no cipher suite with its client refuses the handshake (section 7.4.1.3).
fn old_hello(version: OldVersion, client: &ClientHello<'_>) -> Vec<u8> {
    /// Those of the time that clients of today still offer: RSA or ECDSA, with or without an exchange of keys, with CBC.
    const SUITES: [u16; 9] = [0xc014, 0xc013, 0xc00a, 0xc009, 0x0039, 0x0033, 0x0035, 0x002f, 0x000a];
    const HANDSHAKE: u8 = 22;
    const SERVER_HELLO: u8 = 2;
    let [major, minor] = version.on_the_wire();
    let offers = |suite: &&u16| client.cipher_suites().iter().any(|offered| u16::from(*offered) == **suite);
    let Some(suite) = SUITES.iter().find(offers) else {
        return alert_record([major, minor], Alert::HandshakeFailure);
    };
    let mut hello = vec![major, minor];
    // Any 32 bytes do: the handshake comes to nothing.
    hello.extend(Sha256::digest(b"faultdeck"));
    // No session to resume, the suite, no compression.
    hello.push(0);
    hello.extend(suite.to_be_bytes());
    hello.push(0);
    // Nearly all of them have learnt since to say that they renegotiate safely (RFC 5746, section 3.6); a client that still
    // takes the version would else find fault with that.
    hello.extend([0, 5, 0xff, 0x01, 0, 1, 0]);
    let length = |length: usize| u16::try_from(length).unwrap_or_default().to_be_bytes();
    let mut record = vec![HANDSHAKE, major, minor];
    record.extend(length(hello.len() + 4));
    record.extend([SERVER_HELLO, 0]);
    record.extend(length(hello.len()));
    record.append(&mut hello);
    record
}
