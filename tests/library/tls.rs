//! TLS: who is trusted, for what, and that faults stay faults under it.

use crate::peer;

use std::fs;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::canary;
use faultdeck::delivery::End;
use faultdeck::serve::tls::{Identity, TlsError, trust_lines};
use faultdeck::serve::{Hosts, Limits, Options, Server};
use peer::{Console, PATIENCE, Peer, bytes_of, get, sample, send_then, stepped};
use rcgen::{CertificateParams, CertifiedIssuer, Issuer, KeyPair, PublicKeyData};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::extensions::ParsedExtension;

async fn start(identity: Identity, console: Console) -> Server {
    let limits = Limits { first_byte: Duration::from_millis(100), ..Limits::default() };
    let options =
        Options { tls: Some(identity), hosts: Hosts::any(), limits: Some(limits), ..Options::default() };
    Server::start(options, Arc::new(console)).await.unwrap()
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

async fn connect(server: &Server, config: ClientConfig, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, server.addr().port())).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, socket);
    tokio::time::timeout(PATIENCE, shaken).await.unwrap()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The one folder a CA was put in.
fn only_folder(parent: &Path) -> PathBuf {
    let mut folders = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(folders.len(), 1, "{folders:?}");
    folders.remove(0)
}

#[tokio::test]
async fn a_client_that_trusts_the_ca_is_served_under_each_name_and_no_other() {
    let folder = canary::Folder::new();
    let identity = Identity::for_names(folder.path(), &names(&["Console.Example"])).unwrap();
    let server = start(identity.clone(), Console::always(sample())).await;
    assert_eq!(server.url(), format!("https://127.0.0.1:{}", server.addr().port()));
    for name in ["127.0.0.1", "::1", "localhost", "console.example"] {
        let mut config = trusting(&identity.ca_file);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut tls = connect(&server, config, name).await.unwrap();
        assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        tls.write_all(get("/").repeat(2).as_bytes()).await.unwrap();
        let mut answer = vec![0; 2 * bytes_of(&sample()).len()];
        tls.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, bytes_of(&sample()).repeat(2));
    }
    assert!(connect(&server, trusting(&identity.ca_file), "other.example").await.is_err());
    assert_eq!(server.stop().await, 0);
}

#[tokio::test]
async fn a_client_that_trusts_another_ca_is_not_served() {
    let folder = canary::Folder::new();
    let identity = Identity::for_names(folder.path(), &[]).unwrap();
    let other = Identity::for_names(folder.path(), &names(&["other.example"])).unwrap();
    assert_ne!(identity.ca_file, other.ca_file);
    let console = Console::always(sample());
    let server = start(identity, console).await;
    let error = connect(&server, trusting(&other.ca_file), "localhost").await.unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
}

#[tokio::test]
async fn under_tls_a_reset_is_a_reset_and_an_end_is_an_end() {
    let folder = canary::Folder::new();
    let identity = Identity::for_names(folder.path(), &[]).unwrap();
    for (bytes, end) in [(0, End::Rst), (40, End::Rst), (40, End::Fin), (40, End::HalfClose)] {
        let delivery = stepped(sample(), send_then(0..bytes, end));
        let server = start(identity.clone(), Console::always(delivery)).await;
        let mut tls = connect(&server, trusting(&identity.ca_file), "localhost").await.unwrap();
        tls.write_all(get("/").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(PATIENCE, tls.read_to_end(&mut answer)).await.unwrap();
        assert_eq!(answer, bytes_of(&sample())[..bytes]);
        match end {
            End::Rst => assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset),
            _ => assert_eq!(ended.unwrap(), bytes),
        }
    }
}

#[tokio::test]
async fn whoever_does_not_speak_tls_is_let_go() {
    let folder = canary::Folder::new();
    let identity = Identity::for_names(folder.path(), &[]).unwrap();
    let console = Console::always(sample());
    let server = start(identity, console).await;
    assert_eq!(Peer::connect(&server).await.read_to_fin().await, "");
    let mut plain = Peer::connect(&server).await;
    plain.send(get("/")).await;
    let answer = plain.read_to_fin().await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https"), "{answer}");
    let mut half_a_hello = Peer::connect(&server).await;
    half_a_hello.send([0x16, 0x03, 0x01]).await;
    tokio::task::yield_now().await;
    assert_eq!(server.stop().await, 0);
}

#[tokio::test]
async fn the_names_of_a_certificate_are_the_listeners_own() {
    let folder = canary::Folder::new();
    let given =
        Identity::for_names(&folder.path().join("a"), &names(&["console.example", "10.1.2.3"])).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(names(&["console.example", "10.1.2.3"])).unwrap();
    let (certificate_file, key_file) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    fs::write(&certificate_file, params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    let own = Identity::from_files(&certificate_file, &key_file).unwrap();
    for identity in [given, own] {
        assert_eq!(identity.names, ["console.example", "10.1.2.3"]);
        let options = Options { tls: Some(identity.clone()), ..Options::default() };
        let server = Server::start(options, Arc::new(Console::always(sample()))).await.unwrap();
        for (host, status) in
            [("console.example", 200), ("10.1.2.3:443", 200), ("localhost", 200), ("other.example", 421)]
        {
            let mut tls = connect(&server, trusting(&identity.ca_file), "console.example").await.unwrap();
            let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            tls.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            tokio::time::timeout(PATIENCE, tls.read_to_end(&mut answer)).await.unwrap().unwrap();
            assert!(answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()), "{host}");
        }
    }
}

#[test]
fn the_ca_is_kept_private_and_reused() {
    let parent = canary::Folder::new();
    let store = parent.path().join("not/there/yet");
    let first = Identity::for_names(&store, &names(&["b.example", "a.example"])).unwrap();
    let pem = fs::read(&first.ca_file).unwrap();
    let again = Identity::for_names(&store, &names(&["A.example", "b.example", "localhost"])).unwrap();
    assert_eq!((&again.ca_file, fs::read(&again.ca_file).unwrap()), (&first.ca_file, pem));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = only_folder(&store);
    assert_eq!((mode(&store), mode(&folder), mode(&folder.join("ca-key.pem"))), (0o700, 0o700, 0o600));
    assert!(!format!("{again:?}").contains("PRIVATE"));
}

#[test]
fn a_ca_that_is_half_written_or_does_not_fit_its_key_is_made_anew() {
    let store = canary::Folder::new();
    let issue = || Identity::for_names(store.path(), &[]).unwrap();
    let ca_file = issue().ca_file;
    let folder = only_folder(store.path());
    let broken: [&dyn Fn(); 6] = [
        &|| fs::remove_file(folder.join("ca-key.pem")).unwrap(),
        &|| fs::remove_file(folder.join("ca.pem")).unwrap(),
        &|| fs::write(folder.join("ca.pem"), "").unwrap(),
        &|| fs::write(folder.join("ca-key.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap(),
        &|| fs::remove_dir_all(&folder).unwrap(),
        &|| {
            fs::remove_dir_all(&folder).unwrap();
            fs::write(&folder, "a file").unwrap();
        },
    ];
    for breaks in broken {
        breaks();
        assert_eq!(issue().ca_file, ca_file);
        let made = fs::read(&ca_file).unwrap();
        issue();
        assert_eq!(fs::read(&ca_file).unwrap(), made);
        only_folder(store.path());
    }
}

#[test]
fn the_ca_vouches_for_its_names_only_and_for_a_year_at_most() {
    let store = canary::Folder::new();
    let identity = Identity::for_names(store.path(), &names(&["console.example", "192.0.2.7"])).unwrap();
    let der = CertificateDer::from_pem_file(&identity.ca_file).unwrap();
    let (_, ca) = x509_parser::parse_x509_certificate(&der).unwrap();
    let validity = ca.validity();
    let days = (validity.not_after.timestamp() - validity.not_before.timestamp()) / 86_400;
    assert_eq!(days, 365);
    let constraints = ca
        .extensions()
        .iter()
        .find(|extension| matches!(extension.parsed_extension(), ParsedExtension::NameConstraints(_)))
        .unwrap();
    assert!(constraints.critical);
    let ParsedExtension::NameConstraints(named) = constraints.parsed_extension() else { unreachable!() };
    let permitted = named.permitted_subtrees.as_ref().unwrap();
    let permitted = permitted.iter().map(|subtree| subtree.base.to_string()).collect::<Vec<_>>();
    assert_eq!(permitted.len(), 5, "{permitted:?}");
}

/// A certificate for `name`, signed with the stored key of a CA, as someone who stole it would make it.
fn forged(ca_file: &Path, name: &str, folder: &Path) -> Identity {
    let der = CertificateDer::from_pem_file(ca_file).unwrap();
    let (_, ca) = x509_parser::parse_x509_certificate(&der).unwrap();
    let key = KeyPair::from_pem(&fs::read_to_string(ca_file.with_file_name("ca-key.pem")).unwrap()).unwrap();
    assert_eq!(ca.public_key().subject_public_key.data.as_ref(), key.der_bytes());
    let mut called = CertificateParams::default();
    called.distinguished_name = rcgen::DistinguishedName::new();
    let common = ca.subject().iter_common_name().next().unwrap().as_str().unwrap();
    called.distinguished_name.push(rcgen::DnType::CommonName, common);
    let issuer = Issuer::new(called, key);
    let leaf_key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new([name.to_owned()]).unwrap();
    leaf.not_before = rcgen::date_time_ymd(2000, 1, 1);
    let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
    let (certificate, key) = (folder.join("leaf.pem"), folder.join("leaf-key.pem"));
    fs::write(&certificate, leaf.pem()).unwrap();
    fs::write(&key, leaf_key.serialize_pem()).unwrap();
    Identity::from_files(&certificate, &key).unwrap()
}

#[tokio::test]
async fn what_the_ca_signs_for_another_name_or_address_is_refused() {
    let store = canary::Folder::new();
    let folder = canary::Folder::new();
    let identity = Identity::for_names(store.path(), &[]).unwrap();
    for (name, accepted) in
        [("localhost", true), ("127.0.0.1", true), ("other.example", false), ("192.0.2.1", false)]
    {
        let server = start(forged(&identity.ca_file, name, folder.path()), Console::always(sample())).await;
        let shaken = connect(&server, trusting(&identity.ca_file), name).await;
        match shaken {
            Ok(_) => assert!(accepted, "{name}"),
            Err(error) => {
                assert!(!accepted && error.to_string().contains("NameConstraint"), "{name}: {error}")
            }
        }
    }
}

#[tokio::test]
async fn ones_own_certificate_is_shown() {
    let folder = canary::Folder::new();
    let mut params = CertificateParams::new(names(&["own.example"])).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let own = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(names(&["own.example"])).unwrap().signed_by(&leaf_key, &own).unwrap();
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    fs::write(&certificate, leaf.pem() + &own.pem()).unwrap();
    fs::write(&key, leaf_key.serialize_pem()).unwrap();
    let identity = Identity::from_files(&certificate, &key).unwrap();
    let server = start(identity, Console::always(sample())).await;
    connect(&server, trusting(&certificate), "own.example").await.unwrap();

    let missing = Identity::from_files(&folder.path().join("none.pem"), &key);
    assert!(matches!(missing.unwrap_err(), TlsError::File { .. }));
    let swapped = Identity::from_files(&key, &certificate).unwrap_err();
    assert_eq!(swapped.to_string(), format!("{} holds no certificate in PEM", key.display()));
    fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(matches!(Identity::from_files(&certificate, &key).unwrap_err(), TlsError::Unusable(_)));
}

#[test]
fn names_that_are_no_names_are_refused() {
    let store = canary::Folder::new();
    for name in ["", "two words", "*.example", "a/b", "../up"] {
        let refused = Identity::for_names(store.path(), &names(&[name])).unwrap_err();
        assert!(matches!(&refused, TlsError::Name(given) if given == name), "{refused}");
    }
    assert_eq!(fs::read_dir(store.path()).unwrap().count(), 0);
}

#[test]
fn each_kind_of_client_has_a_line_that_makes_it_trust_the_ca() {
    let lines = trust_lines(Path::new("/a b/it's/ca.pem"));
    let clients = lines.iter().map(|(client, _)| *client).collect::<Vec<_>>();
    assert_eq!(clients, ["curl", "Python", "Node", "Java", "Go"]);
    assert_eq!(lines[0].1, r"export CURL_CA_BUNDLE='/a b/it'\''s/ca.pem'");
}
