//! [`Greets`]: what a fault of connections does to one, and in which words.

use std::time::Duration;

use crate::greeting::{Arrival, Ending, Flaw, Greeting, Part, Trouble, Welcome};

/// What a fault of connections does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greets {
    /// Nobody is listened to.
    Absence,
    /// A connection is left waiting before anything else.
    Wait(Duration),
    /// This becomes of it.
    Then(Welcome),
    /// It ends so if more than so many are open.
    Beyond(u32, Ending),
}

impl Greets {
    /// What goes wrong in a handshake, if that is what it does.
    pub fn trouble(self) -> Option<Trouble> {
        match self {
            Self::Then(Welcome::Handshake(trouble)) => Some(trouble),
            _ => None,
        }
    }

    /// Edits the greeting; the part of it that it has made, if it changed anything.
    pub fn greet(self, greeting: &mut Greeting, arrival: &Arrival) -> Option<Part> {
        let then = |greeting: &mut Greeting, welcome| greeting.then(welcome).then_some(Part::Then);
        match self {
            Self::Absence => None,
            Self::Wait(wait) => {
                greeting.wait = greeting.wait.saturating_add(wait);
                (!wait.is_zero()).then_some(Part::Wait)
            }
            Self::Then(welcome) => then(greeting, welcome),
            Self::Beyond(most, _) if arrival.open <= usize::try_from(most).unwrap_or(usize::MAX) => None,
            Self::Beyond(_, ending) => then(greeting, Welcome::End(ending)),
        }
    }

    /// What it did, in words.
    pub fn did(self) -> String {
        match self {
            Self::Absence => "listened to nobody".to_owned(),
            Self::Wait(wait) => format!("left the connection waiting for {} ms", wait.as_millis()),
            Self::Beyond(most, ending) => {
                format!("{}: more than {most} were open", ended(ending))
            }
            Self::Then(Welcome::Accept) => "accepted the connection".to_owned(),
            Self::Then(Welcome::End(ending)) => format!("{} at once", ended(ending)),
            Self::Then(Welcome::Handshake(trouble)) => match trouble {
                Trouble::Alert(alert) => format!("refused the handshake: {}", alert.name()),
                Trouble::OldVersion(version) => {
                    format!("answered the hello as a server that knows TLS {} at most", version.name())
                }
                Trouble::Certificate(Flaw::Expired) => "showed a certificate that has expired".to_owned(),
                Trouble::Certificate(Flaw::WrongName) => "showed a certificate for another name".to_owned(),
                Trouble::Certificate(Flaw::UnknownCa) => "showed a certificate of an unknown CA".to_owned(),
                Trouble::Broken(ending) => format!("{} in the middle of the handshake", ended(ending)),
            },
        }
    }
}

fn ended(ending: Ending) -> &'static str {
    match ending {
        Ending::Close => "closed the connection",
        Ending::Reset => "reset the connection",
        Ending::Hang => "fell silent",
    }
}
