//! A server on a thread of its own, with a runtime of its own: for tests of any kind, and for programs of any runtime or none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::{Answer, Options, Server, StartError};

/// A running listener that needs no runtime of its owner's, and is in the way of none: it can be started and dropped within one,
/// on a thread of one, and without one.
///
/// [Stopping](Self::stop) it lets running answers finish. Dropping it ends it at once, so that a client on the same thread, which
/// can read nothing meanwhile, is not waited for. Either way it has ended when that returns.
#[must_use = "dropping a ServerThread stops it"]
#[derive(Debug)]
pub struct ServerThread {
    addr: SocketAddr,
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ServerThread {
    /// Listens, and answers until it is stopped or dropped.
    ///
    /// # Errors
    /// If the address cannot be had, or the system gives no thread.
    pub fn start<A: Answer>(options: Options, answer: Arc<A>) -> Result<Self, StartError> {
        let (stop, stopped) = oneshot::channel();
        let (started, start) = sync_channel(1);
        let serve = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(StartError::Thread(error)))),
            };
            runtime.block_on(async move {
                match Server::start(options, answer).await {
                    Ok(server) => {
                        let _ = started.send(Ok((server.addr(), server.url())));
                        // An error means that the owner is gone: nobody waits for what is under way.
                        match stopped.await {
                            Ok(()) => drop(server.stop().await),
                            Err(_) => drop(server),
                        }
                    }
                    Err(error) => drop(started.send(Err(error))),
                }
            });
        };
        let thread = std::thread::Builder::new()
            .name("faultdeck-listener".to_owned())
            .spawn(serve)
            .map_err(StartError::Thread)?;
        match start.recv() {
            Ok(Ok((addr, url))) => Ok(Self { addr, url, stop: Some(stop), thread: Some(thread) }),
            Ok(Err(error)) => Err(error),
            // The thread ends without a word only by a panic.
            Err(_) => Err(StartError::Thread(std::io::Error::other("the listener's thread ended"))),
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:PORT` or `https://...`: no path, no final slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops it as [`Server::stop`] does, and waits for that.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        self.join();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for ServerThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.join();
    }
}
