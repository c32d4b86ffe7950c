//! Who is asked for names in a room: it knows a few, says of every other that there is none, and remembers it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, UdpSocket as Bound};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// How many names are remembered.
const NAMES_MAX: usize = 50;
/// The longest question that is read.
const QUESTION_MAX: usize = 1232;
/// The length of a message's head.
const HEAD: usize = 12;
/// Kinds of questions and answers.
const A: u16 = 1;
const INTERNET: u16 = 1;
/// No such name.
const NO_NAME: u8 = 3;

/// One that answers until it is dropped.
#[derive(Debug)]
pub(super) struct Resolver {
    asked: Arc<Mutex<BTreeSet<String>>>,
    answering: JoinHandle<()>,
}

impl Resolver {
    /// Answers on this socket. `known` are the names that there are, with their addresses.
    pub(super) fn start(socket: Bound, known: BTreeMap<String, Ipv4Addr>) -> io::Result<Self> {
        let socket = UdpSocket::from_std(socket)?;
        let asked = Arc::new(Mutex::new(BTreeSet::new()));
        let remembered = Arc::clone(&asked);
        let answering = tokio::spawn(async move {
            let mut question = [0; QUESTION_MAX];
            loop {
                // One that cannot be read, or whose sender has left, is none.
                let Ok((length, from)) = socket.recv_from(&mut question).await else { continue };
                let Some(question) = question.get(..length).and_then(Question::read) else { continue };
                let address = known.get(&question.name).copied();
                if address.is_none() {
                    remember(&remembered, &question.name);
                }
                let _ = socket.send_to(&question.answer(address), from).await;
            }
        });
        Ok(Self { asked, answering })
    }

    /// The other names that were asked for.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

fn remember(asked: &Mutex<BTreeSet<String>>, name: &str) {
    // Who asks how an address is called wants to reach nobody.
    if name.ends_with(".arpa") || name.is_empty() {
        return;
    }
    let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    if asked.len() < NAMES_MAX {
        asked.insert(name.to_owned());
    }
}

/// A question for one name.
#[derive(Debug, PartialEq, Eq)]
struct Question<'a> {
    /// Number and flags.
    head: [u8; 4],
    /// As it was asked, to be repeated.
    text: &'a [u8],
    /// In small letters.
    name: String,
    kind: u16,
    class: u16,
}

impl<'a> Question<'a> {
    fn read(message: &'a [u8]) -> Option<Self> {
        let head = *message.first_chunk::<4>()?;
        let is_answer = head[2] & 0x80 != 0;
        let [_, _, _, _, high, low, ..] = message else { return None };
        if is_answer || u16::from_be_bytes([*high, *low]) != 1 {
            return None;
        }
        let mut rest = message.get(HEAD..)?;
        let whole = rest;
        let mut name = String::new();
        loop {
            let (length, after) = rest.split_first()?;
            let length = usize::from(*length);
            // A question has no pointers.
            if length > 63 {
                return None;
            }
            if length == 0 {
                rest = after;
                break;
            }
            let (label, after) = after.split_at_checked(length)?;
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(&String::from_utf8_lossy(label).to_ascii_lowercase());
            rest = after;
        }
        let [a, b, c, d, ..] = rest else { return None };
        let text = whole.get(..whole.len() - rest.len() + 4)?;
        let (kind, class) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
        Some(Self { head, text, name, kind, class })
    }

    /// The answer: this address, or that there is no such name. A name that there is has nothing but an address.
    fn answer(&self, address: Option<Ipv4Addr>) -> Vec<u8> {
        let is_asked_for = (self.kind, self.class) == (A, INTERNET);
        let given = address.filter(|_| is_asked_for);
        let code = if address.is_none() { NO_NAME } else { 0 };
        let [number_high, number_low, flags, _] = self.head;
        // An answer with authority; whether recursion is wanted is repeated, and it is to be had.
        let flags = [0x84 | (flags & 0x01), 0x80 | code];
        let mut answer =
            vec![number_high, number_low, flags[0], flags[1], 0, 1, 0, u8::from(given.is_some())];
        answer.extend([0; 4]);
        answer.extend_from_slice(self.text);
        if let Some(address) = given {
            // The name of the question; an address; for one second; four bytes.
            answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
            answer.extend(address.octets());
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A question for `name`, as a program sends it.
    fn asks(name: &str, kind: u8) -> Vec<u8> {
        let mut message = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            message.push(u8::try_from(label.len()).unwrap());
            message.extend_from_slice(label.as_bytes());
        }
        message.extend([0, 0, kind, 0, 1]);
        message
    }

    #[tokio::test]
    async fn one_name_is_known_and_the_others_are_remembered() {
        let known = BTreeMap::from([("console.example".to_owned(), Ipv4Addr::new(192, 0, 2, 1))]);
        let socket = Bound::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let addr = socket.local_addr().unwrap();
        let resolver = Resolver::start(socket, known).unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let ask = async |name: &str, kind| {
            client.send_to(b"no question", addr).await.unwrap();
            client.send_to(&asks(name, kind), addr).await.unwrap();
            let mut answer = [0; 512];
            let length = client.recv(&mut answer).await.unwrap();
            (answer[3] & 0x0f, answer[7], answer[..length].ends_with(&[0, 4, 192, 0, 2, 1]))
        };
        assert_eq!(ask("Console.Example", 1).await, (0, 1, true));
        assert_eq!(ask("console.example", 28).await, (0, 0, false), "it has no address of version 6");
        assert_eq!(ask("hooks.example", 1).await, (3, 0, false));
        assert_eq!(ask("1.2.0.192.in-addr.arpa", 12).await, (3, 0, false));
        assert_eq!(resolver.asked(), ["hooks.example"]);
    }

    #[test]
    fn what_is_no_question_is_none() {
        let whole = asks("console.example", 1);
        assert!(Question::read(&whole).is_some());
        for end in 0..whole.len() {
            assert_eq!(Question::read(&whole[..end]), None, "{end}");
        }
        let mut pointer = whole.clone();
        pointer[12] = 0xc0;
        let mut answer = whole;
        answer[2] |= 0x80;
        assert!(Question::read(&pointer).is_none() && Question::read(&answer).is_none());
    }
}
