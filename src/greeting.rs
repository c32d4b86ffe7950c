//! [`Greeting`]: how a connection is greeted, from the moment it is accepted to its first request, as plain data.
//!
//! As with a delivery, deciding and performing are apart: faults edit a `Greeting`, and only `serve/greet.rs` makes of it
//! what a peer sees. What happens before a connection is there at all, that nobody is listened to, is a [`Reception`]'s.

use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A connection that has just come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Which one of its listener it is, from 1.
    pub connection: u64,
    /// How many are open, itself included.
    pub open: usize,
    /// When it came, since the listener started.
    pub at: Duration,
}

/// How a connection is greeted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Greeting {
    /// For so long nothing is read from it and nothing is sent.
    pub wait: Duration,
    /// What becomes of it then.
    pub then: Welcome,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Welcome {
    /// It is as welcome as any.
    #[default]
    Accept,
    /// It ends before a byte of it is read.
    End(Ending),
    /// The TLS handshake goes wrong.
    Handshake(Trouble),
}

/// How a connection ends that never gets to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an orderly close: the peer reads the end.
    Close,
    /// With a reset: the peer's read fails with ECONNRESET.
    Reset,
    /// Not at all: it stays open, and nothing is sent.
    Hang,
}

/// What goes wrong in a TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is refused with this fatal alert.
    Alert(Alert),
    /// The server knows no version above this one.
    OldVersion(OldVersion),
    /// The server shows a certificate that no client may take.
    Certificate(Flaw),
    /// The connection ends in the middle of the server's first words.
    Broken(Ending),
}

/// An alert with which a server refuses a handshake (RFC 8446, section 6.2; RFC 5246, section 7.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alert {
    /// No set of parameters suits both sides.
    #[default]
    HandshakeFailure,
    /// Who asks may not.
    AccessDenied,
    /// The version is not supported.
    ProtocolVersion,
    /// The ciphers are too weak.
    InsufficientSecurity,
    /// Something is wrong at the server's.
    InternalError,
    /// The server does not go by the name that it was called.
    UnrecognizedName,
}

impl Alert {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::HandshakeFailure,
        Self::AccessDenied,
        Self::ProtocolVersion,
        Self::InsufficientSecurity,
        Self::InternalError,
        Self::UnrecognizedName,
    ];
    /// Their names, in the same order.
    pub const NAMES: &'static [&'static str] = &[
        Self::HandshakeFailure.name(),
        Self::AccessDenied.name(),
        Self::ProtocolVersion.name(),
        Self::InsufficientSecurity.name(),
        Self::InternalError.name(),
        Self::UnrecognizedName.name(),
    ];

    /// What the RFCs call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HandshakeFailure => "handshake_failure",
            Self::AccessDenied => "access_denied",
            Self::ProtocolVersion => "protocol_version",
            Self::InsufficientSecurity => "insufficient_security",
            Self::InternalError => "internal_error",
            Self::UnrecognizedName => "unrecognized_name",
        }
    }

    /// Its number on the wire.
    pub fn code(self) -> u8 {
        match self {
            Self::HandshakeFailure => 40,
            Self::AccessDenied => 49,
            Self::ProtocolVersion => 70,
            Self::InsufficientSecurity => 71,
            Self::InternalError => 80,
            Self::UnrecognizedName => 112,
        }
    }
}

/// A version of TLS that was given up (RFC 8996).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OldVersion {
    /// TLS 1.0, of 1999.
    #[default]
    #[serde(rename = "1.0")]
    Tls10,
    /// TLS 1.1, of 2006.
    #[serde(rename = "1.1")]
    Tls11,
}

impl OldVersion {
    /// Its number.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls10 => "1.0",
            Self::Tls11 => "1.1",
        }
    }

    /// As it stands in a record and in a hello.
    pub fn on_the_wire(self) -> [u8; 2] {
        match self {
            Self::Tls10 => [3, 1],
            Self::Tls11 => [3, 2],
        }
    }
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// It was good until yesterday.
    Expired,
    /// It is for another host.
    WrongName,
    /// It was signed by somebody whom nobody was told to trust.
    UnknownCa,
}

/// What a listener has to be ready for, beside the usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reception {
    /// Whether any connection may be greeted otherwise than any other.
    pub greets: bool,
    /// Whether answers depend on which connection they are asked for on.
    pub numbers: bool,
    /// When nobody is listened to, since the listener started: a connection is refused then.
    pub absences: Vec<Range<Duration>>,
    /// What may go wrong in handshakes, each with what plans it.
    pub troubles: Vec<(String, Trouble)>,
}

/// Which part of a greeting has come to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The wait before anything else.
    Wait,
    /// What became of the connection then.
    Then,
}

impl Greeting {
    /// Whether nothing is out of the ordinary.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Has this become of the connection, unless something has become of it already: whether it has.
    pub fn then(&mut self, welcome: Welcome) -> bool {
        let is_free = self.then == Welcome::Accept;
        if is_free {
            self.then = welcome;
        }
        is_free
    }
}

impl Reception {
    /// The times in which nobody is listened to, in order and without overlaps.
    pub fn away(&self) -> Vec<Range<Duration>> {
        let mut absences: Vec<_> =
            self.absences.iter().filter(|absence| !absence.is_empty()).cloned().collect();
        absences.sort_by_key(|absence| absence.start);
        let mut away: Vec<Range<Duration>> = Vec::new();
        for absence in absences {
            match away.last_mut() {
                Some(last) if absence.start <= last.end => last.end = last.end.max(absence.end),
                _ => away.push(absence),
            }
        }
        away
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_away_that_touch_are_one() {
        let ms = Duration::from_millis;
        let absences = [(50, 60), (10, 20), (20, 30), (15, 18), (40, 40), (55, 90)];
        let absences = absences.map(|(from, to)| ms(from)..ms(to)).to_vec();
        let reception = Reception { absences, ..Reception::default() };
        assert_eq!(reception.away(), [ms(10)..ms(30), ms(50)..ms(90)]);
    }

    #[test]
    fn what_comes_first_takes_the_place() {
        let mut greeting = Greeting::default();
        assert!(greeting.is_plain() && greeting.then(Welcome::End(Ending::Reset)));
        assert!(!greeting.then(Welcome::End(Ending::Close)));
        assert_eq!(greeting.then, Welcome::End(Ending::Reset));
    }
}
