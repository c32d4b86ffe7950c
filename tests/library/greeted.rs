//! How connections are greeted: what the system says to a peer that is refused, reset, left waiting, or let down in a TLS
//! handshake.

use crate::{canary, peer};

use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use faultdeck::greeting::{Alert, Arrival, Ending, Flaw, Greeting, OldVersion, Reception, Trouble, Welcome};
use faultdeck::message::Request;
use faultdeck::serve::tls::Identity;
use faultdeck::serve::{Answer, Came, Hosts, Options, Reply, Server, StartError};
use peer::{PATIENCE, Peer, bytes_of, get, sample};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const SHORT: Duration = Duration::from_millis(150);

/// Answers every request alike, and greets connections as it is told.
struct Host {
    reception: Reception,
    greet: Box<dyn Fn(&Arrival) -> Greeting + Send + Sync>,
    arrivals: Mutex<Vec<Arrival>>,
    absent: Mutex<Vec<Range<Duration>>>,
}

impl Host {
    fn new(greet: impl Fn(&Arrival) -> Greeting + Send + Sync + 'static) -> Self {
        let reception = Reception { greets: true, ..Reception::default() };
        Self { reception, greet: Box::new(greet), arrivals: Mutex::default(), absent: Mutex::default() }
    }

    /// Has this become of the connections with these numbers, of the others nothing.
    fn of(numbers: Range<u64>, then: Welcome) -> Self {
        Self::new(move |arrival| Greeting {
            then: if numbers.contains(&arrival.connection) { then } else { Welcome::Accept },
            ..Greeting::default()
        })
    }

    fn away(absences: &[(u64, u64)]) -> Self {
        let ms = Duration::from_millis;
        let absences = absences.iter().map(|(from, to)| ms(*from)..ms(*to)).collect();
        Self { reception: Reception { absences, ..Reception::default() }, ..Self::new(|_| panic!("unasked")) }
    }
}

impl Answer for Host {
    type Asked = Request;

    fn reception(&self) -> Reception {
        self.reception.clone()
    }

    fn greet(&self, arrival: &Arrival) -> Greeting {
        self.arrivals.lock().unwrap().push(*arrival);
        (self.greet)(arrival)
    }

    fn absent(&self, away: &Range<Duration>) {
        self.absent.lock().unwrap().push(away.clone());
    }

    fn asked(&self, request: Request) -> Request {
        request
    }

    async fn answer(&self, _: Arc<Request>, _: Came) -> Reply {
        Reply::Planned { delivery: sample(), ticket: 1 }
    }
}

async fn start(host: Host) -> (Server, Arc<Host>) {
    let host = Arc::new(host);
    let options = Options { hosts: Hosts::any(), ..Options::default() };
    (Server::start(options, Arc::clone(&host)).await.unwrap(), host)
}

async fn is_served(server: &Server) -> bool {
    let mut peer = Peer::connect(server).await;
    peer.send(get("/")).await;
    peer.read(bytes_of(&sample()).len()).await == bytes_of(&sample())
}

async fn connect(server: &Server) -> io::Result<TcpStream> {
    TcpStream::connect(server.addr()).await
}

#[tokio::test]
async fn while_nobody_is_listened_to_connections_are_refused_and_those_before_and_after_are_not() {
    let (server, host) = start(Host::away(&[(300, 600), (800, 900)])).await;
    let began = Instant::now();
    let at = async |ms| tokio::time::sleep_until((began + Duration::from_millis(ms)).into()).await;
    let mut before = Peer::connect(&server).await;
    assert!(is_served(&server).await);
    for away in [350, 550, 850] {
        at(away).await;
        assert_eq!(connect(&server).await.unwrap_err().kind(), ErrorKind::ConnectionRefused, "at {away} ms");
        let taken = TcpListener::bind(server.addr()).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse, "nobody else gets the port");
        // What was open goes on.
        before.send(get("/")).await;
        assert_eq!(before.read(bytes_of(&sample()).len()).await, bytes_of(&sample()));
        if away == 550 {
            at(700).await;
            assert!(is_served(&server).await);
        }
    }
    at(1000).await;
    assert!(is_served(&server).await);
    let ms = Duration::from_millis;
    assert_eq!(*host.absent.lock().unwrap(), [ms(300)..ms(600), ms(800)..ms(900)]);
    drop(before);
    server.stop().await;
}

#[tokio::test]
async fn a_listener_can_be_away_from_the_start_and_stopped_while_it_is() {
    let (server, host) = start(Host::away(&[(0, 3_600_000)])).await;
    let refused = connect(&server).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let began = Instant::now();
    while host.absent.lock().unwrap().is_empty() {
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let addr = server.addr();
    assert_eq!(tokio::time::timeout(PATIENCE, server.stop()).await.unwrap(), 0);
    drop(TcpListener::bind(addr).unwrap());
}

#[tokio::test]
async fn a_connection_ends_at_once_as_it_is_told_and_the_next_does_not() {
    for (ending, kind) in [(Ending::Reset, Some(ErrorKind::ConnectionReset)), (Ending::Close, None)] {
        let (server, host) = start(Host::of(2..3, Welcome::End(ending))).await;
        assert!(is_served(&server).await);
        let mut peer = Peer::connect(&server).await;
        let (bytes, end) = peer.read_to_end().await;
        assert_eq!((bytes, end.err().map(|error| error.kind())), (Vec::new(), kind));
        assert!(is_served(&server).await);
        let numbers: Vec<u64> = host.arrivals.lock().unwrap().iter().map(|it| it.connection).collect();
        assert_eq!(numbers, [1, 2, 3]);
    }
}

#[tokio::test]
async fn a_request_that_is_on_its_way_meets_an_orderly_close_too() {
    let (server, _) = start(Host::of(1..2, Welcome::End(Ending::Close))).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    assert_eq!(peer.read_to_fin().await, "");
}

#[tokio::test]
async fn a_connection_that_hangs_stays_open_until_its_peer_leaves_or_the_listener_stops() {
    let (server, _) = start(Host::of(1..2, Welcome::End(Ending::Hang))).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(get("/")).await;
    assert!(peer.is_silent_for(SHORT).await);
    tokio::join!(async { drop(peer.read_to_reset().await) }, server.stop());
}

#[tokio::test]
async fn a_slow_accept_comes_late_and_never_early() {
    let greeting = Greeting { wait: SHORT, ..Greeting::default() };
    let (server, _) = start(Host::new(move |_| greeting.clone())).await;
    let began = Instant::now();
    assert!(is_served(&server).await);
    assert!(began.elapsed() >= SHORT);
    let slow = Greeting { wait: Duration::from_secs(3600), ..Greeting::default() };
    let (server, _) = start(Host::new(move |_| slow.clone())).await;
    let mut peer = Peer::connect(&server).await;
    assert!(peer.is_silent_for(SHORT).await);
    assert_eq!(tokio::time::timeout(PATIENCE, server.stop()).await.unwrap(), 0);
}

#[tokio::test]
async fn beyond_so_many_open_ones_a_connection_is_turned_away_until_one_leaves() {
    for ending in [Ending::Reset, Ending::Close] {
        let turned_away = Greeting { then: Welcome::End(ending), ..Greeting::default() };
        let greet = move |arrival: &Arrival| match arrival.open {
            0..=2 => Greeting::default(),
            _ => turned_away.clone(),
        };
        let (server, _) = start(Host::new(greet)).await;
        let first = Peer::connect(&server).await;
        let _second = Peer::connect(&server).await;
        for _ in 0..3 {
            let (bytes, end) = Peer::connect(&server).await.read_to_end().await;
            assert_eq!((bytes.len(), end.is_err()), (0, ending == Ending::Reset));
        }
        drop(first);
        // The server learns of it in a moment.
        let began = Instant::now();
        loop {
            let mut peer = Peer::connect(&server).await;
            let _ = peer.0.write_all(get("/").as_bytes()).await;
            if peer.read_to(10).await.len() == 10 {
                break;
            }
            assert!(began.elapsed() < PATIENCE);
        }
    }
}

fn trusting(ca_file: &Path) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca_file).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(roots).with_no_client_auth()
}

async fn shake(server: &Server, identity: &Identity, name: &str) -> io::Result<TlsStream<TcpStream>> {
    let socket = TcpStream::connect(server.addr()).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connector = TlsConnector::from(Arc::new(trusting(&identity.ca_file)));
    tokio::time::timeout(PATIENCE, connector.connect(name, socket)).await.unwrap()
}

/// The second connection is in this trouble.
async fn in_trouble(identity: &Identity, trouble: Trouble) -> Server {
    let mut host = Host::of(2..3, Welcome::Handshake(trouble));
    host.reception.troubles.push(("a fault".to_owned(), trouble));
    let options = Options { tls: Some(identity.clone()), hosts: Hosts::any(), ..Options::default() };
    Server::start(options, Arc::new(host)).await.unwrap()
}

#[tokio::test]
async fn each_trouble_of_a_handshake_is_what_a_client_calls_it_and_the_next_handshake_is_well() {
    let folder = canary::Folder::new();
    let names = ["console.example".to_owned(), "10.1.2.3".to_owned(), "wrong.localhost".to_owned()];
    let identity = Identity::for_names(folder.path(), &names).unwrap();
    let troubles = [
        (Trouble::Alert(Alert::HandshakeFailure), "HandshakeFailure"),
        (Trouble::Alert(Alert::UnrecognizedName), "UnrecognisedName"),
        // rustls offers no suite of that time.
        (Trouble::OldVersion(OldVersion::Tls10), "HandshakeFailure"),
        (Trouble::Certificate(Flaw::Expired), "expired"),
        (Trouble::Certificate(Flaw::WrongName), "not valid for name"),
        (Trouble::Certificate(Flaw::UnknownCa), "UnknownIssuer"),
        (Trouble::Broken(Ending::Close), "eof"),
        (Trouble::Broken(Ending::Reset), "reset"),
    ];
    for (trouble, word) in troubles {
        let server = in_trouble(&identity, trouble).await;
        for name in ["localhost", "127.0.0.1", "console.example", "10.1.2.3", "wrong.localhost"] {
            let server = if name == "localhost" { &server } else { &in_trouble(&identity, trouble).await };
            shake(server, &identity, name).await.unwrap();
            let error = shake(server, &identity, name).await.unwrap_err().to_string();
            assert!(error.to_lowercase().contains(&word.to_lowercase()), "{trouble:?}, {name}: {error}");
            let mut tls = shake(server, &identity, name).await.unwrap();
            tls.write_all(get("/").as_bytes()).await.unwrap();
            let mut answer = vec![0; bytes_of(&sample()).len()];
            tls.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer, bytes_of(&sample()));
        }
    }
}

#[tokio::test]
async fn a_handshake_that_hangs_has_begun() {
    let folder = canary::Folder::new();
    let identity = Identity::for_names(folder.path(), &[]).unwrap();
    let mut host = Host::of(1..2, Welcome::Handshake(Trouble::Broken(Ending::Hang)));
    host.reception.troubles.push(("a fault".to_owned(), Trouble::Broken(Ending::Hang)));
    let options = Options { tls: Some(identity.clone()), ..Options::default() };
    let server = Server::start(options, Arc::new(host)).await.unwrap();
    // A record of a hello comes, and no more: what rustls itself would say is cut in two.
    let config = Arc::new(trusting(&identity.ca_file));
    let mut client = rustls::ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    let mut peer = Peer::connect(&server).await;
    peer.send(hello).await;
    let came = peer.read(6).await;
    assert_eq!((&came[..3], came[5]), (&[22, 3, 3][..], 2), "a record with a server's hello");
    let mut rest = [0; 4096];
    let mut all = came.len();
    while let Ok(read) = tokio::time::timeout(SHORT, peer.0.read(&mut rest)).await {
        all += read.unwrap();
        assert!(all < 4096);
    }
    assert!(all > 100, "{all} bytes");
    tokio::join!(async { drop(peer.read_to_reset().await) }, server.stop());
}

#[tokio::test]
async fn a_server_of_old_names_its_version_to_a_client_that_shares_a_suite_with_it() {
    let folder = canary::Folder::new();
    let identity = Identity::for_names(folder.path(), &[]).unwrap();
    for (version, minor) in [(OldVersion::Tls10, 1), (OldVersion::Tls11, 2)] {
        let server = in_trouble(&identity, Trouble::OldVersion(version)).await;
        drop(Peer::connect(&server).await);
        // A hello of TLS 1.2 that offers AES128-SHA alone, and signatures by RSA.
        let mut hello = vec![3, 3];
        hello.extend([7; 32]);
        hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
        hello.extend([0, 8, 0, 13, 0, 4, 0, 2, 4, 1]);
        let mut record = vec![22, 3, 1, 0, u8::try_from(hello.len() + 4).unwrap(), 1, 0, 0];
        record.push(u8::try_from(hello.len()).unwrap());
        record.extend(hello);
        let mut peer = Peer::connect(&server).await;
        peer.send(record).await;
        let answer = peer.read_to_end().await.0;
        assert_eq!(answer[..11], [22, 3, minor, 0, 49, 2, 0, 0, 45, 3, minor]);
        assert_eq!(answer[43..47], [0, 0, 0x2f, 0], "no session, the suite, no compression");
        assert_eq!(answer[47..], [0, 5, 0xff, 1, 0, 1, 0], "safe renegotiation");
    }
}

#[tokio::test]
async fn what_is_not_possible_is_said_at_the_start() {
    let mut host = Host::new(|_| Greeting::default());
    host.reception.troubles.push(("tls-expired".to_owned(), Trouble::Certificate(Flaw::Expired)));
    let host = Arc::new(host);
    let plain = Server::start(Options::default(), Arc::clone(&host)).await.unwrap_err();
    assert!(matches!(&plain, StartError::NoTls { planned } if planned == "tls-expired"), "{plain}");

    let folder = canary::Folder::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let params =
        rcgen::CertificateParams::new(["own.example".to_owned(), "*.own.example".to_owned()]).unwrap();
    let (certificate_file, key_file) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    std::fs::write(&certificate_file, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let own = Identity::from_files(&certificate_file, &key_file).unwrap();
    let options = || Options { tls: Some(own.clone()), ..Options::default() };
    let error = Server::start(options(), host).await.unwrap_err();
    assert!(matches!(&error, StartError::Tls { planned, .. } if planned == "tls-expired"), "{error}");

    let trouble = Trouble::Certificate(Flaw::UnknownCa);
    let mut host = Host::of(1..2, Welcome::Handshake(trouble));
    host.reception.troubles.push(("tls-unknown-ca".to_owned(), trouble));
    let server = Server::start(options(), Arc::new(host)).await.unwrap();
    let error = shake(&server, &own, "own.example").await.unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
}

#[tokio::test]
async fn plain_http_to_a_listener_in_trouble_is_told_to_speak_tls() {
    let folder = canary::Folder::new();
    let identity = Identity::for_names(folder.path(), &[]).unwrap();
    for trouble in [Trouble::Alert(Alert::InternalError), Trouble::Certificate(Flaw::Expired)] {
        let server = in_trouble(&identity, trouble).await;
        for _ in 0..2 {
            let mut peer = Peer::connect(&server).await;
            peer.send(get("/")).await;
            assert!(peer.read_to_fin().await.starts_with("HTTP/1.1 400 "));
        }
    }
}
