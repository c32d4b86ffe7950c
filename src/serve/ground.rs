//! [`Ground`]: a network of its own that a listener stands in.
//!
//! A socket belongs to the network of whoever made it, and stays there whoever holds it. So a process in that network makes
//! them ([`give`]) and hands each over; what is sent and how a connection ends is this process's own doing all the same: no
//! forwarder stands between a client and its answers.

use std::io::{self, IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::retry_on_intr;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socket_with,
};
use tokio::net::TcpSocket;

/// How long a socket is waited for; making one takes no time.
const PATIENCE: Duration = Duration::from_secs(5);

/// A kind of socket, as it is asked for.
const V4: u8 = b'4';
const V6: u8 = b'6';
const UDP: u8 = b'u';

/// Another network, from which sockets can be had, and how a listener there is called.
#[derive(Clone, Debug)]
pub struct Ground {
    giver: Arc<Mutex<UnixStream>>,
    authority: String,
}

impl Ground {
    /// That of the process at the other end, which [gives](give) sockets. `authority` is the host, and the port unless it is the
    /// usual one, that a URL of the listener has.
    ///
    /// # Errors
    /// If the system allows no limit on waiting.
    pub fn new(giver: UnixStream, authority: String) -> io::Result<Self> {
        giver.set_read_timeout(Some(PATIENCE))?;
        giver.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { giver: Arc::new(Mutex::new(giver)), authority })
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// A TCP socket there, for an address of this family.
    pub(super) fn tcp(&self, addr: SocketAddr) -> io::Result<TcpSocket> {
        let socket = self.socket(if addr.is_ipv4() { V4 } else { V6 })?;
        Ok(TcpSocket::from_std_stream(TcpStream::from(socket)))
    }

    /// A UDP socket there, bound to this address.
    ///
    /// # Errors
    /// If there is none, or the address cannot be had.
    pub fn udp(&self, addr: SocketAddr) -> io::Result<UdpSocket> {
        let socket = self.socket(UDP)?;
        rustix::net::bind(&socket, &addr)?;
        Ok(UdpSocket::from(socket))
    }

    fn socket(&self, kind: u8) -> io::Result<OwnedFd> {
        let giver = self.giver.lock().unwrap_or_else(PoisonError::into_inner);
        // A wait with a limit is not taken up again by itself after a signal.
        retry_on_intr(|| rustix::io::write(&*giver, &[kind]))?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut more = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        retry_on_intr(|| {
            recvmsg(&*giver, &mut [IoSliceMut::new(&mut byte)], &mut more, RecvFlags::CMSG_CLOEXEC)
        })?;
        let given = more.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut all) => all.next(),
            _ => None,
        });
        given.ok_or_else(|| io::Error::other("no socket was given"))
    }
}

/// Makes sockets here for who asks at the other end, until that is gone.
///
/// # Errors
/// If the other end asks for what there is not, or one cannot be made.
pub fn give(mut asked: &UnixStream) -> io::Result<()> {
    let mut kind = [0];
    while asked.read(&mut kind)? > 0 {
        let (family, form) = match kind[0] {
            V4 => (AddressFamily::INET, SocketType::STREAM),
            V6 => (AddressFamily::INET6, SocketType::STREAM),
            UDP => (AddressFamily::INET, SocketType::DGRAM),
            _ => return Err(io::Error::from(io::ErrorKind::InvalidData)),
        };
        let socket = socket_with(family, form, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut more = SendAncillaryBuffer::new(&mut space);
        let sockets = [socket.as_fd()];
        more.push(SendAncillaryMessage::ScmRights(&sockets));
        sendmsg(asked, &[IoSlice::new(&kind)], &mut more, SendFlags::empty())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_that_is_handed_over_listens_and_others_are_refused() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let giver = std::thread::spawn(move || give(&theirs));
        let ground = Ground::new(ours, "console.example".into()).unwrap();
        let addr: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let socket = ground.tcp(addr).unwrap();
        socket.bind(addr).unwrap();
        let addr = socket.local_addr().unwrap();
        let listener = socket.listen(8).unwrap();
        let (accepted, connected) = tokio::join!(listener.accept(), tokio::net::TcpStream::connect(addr));
        assert_eq!(accepted.unwrap().1, connected.unwrap().local_addr().unwrap());
        assert!(ground.udp("127.0.0.1:0".parse().unwrap()).unwrap().local_addr().unwrap().port() > 0);
        drop(ground);
        giver.join().unwrap().unwrap();
    }

    #[test]
    fn nobody_waits_for_one_who_is_gone() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let ground = Ground::new(ours, String::new()).unwrap();
        assert!(ground.udp("127.0.0.1:0".parse().unwrap()).is_err());
    }
}
