//! Certificates that no authority would sign: what `--pin` and `--insecure` say they accept, they accept.

use crate::canary;
use crate::recorder::{proxy, settings};

use std::path::PathBuf;
use std::sync::Arc;

use faultdeck::record::{DialError, Recorder, Settings, Trust};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A console that shows a certificate whatever it is. `old` leaves it TLS 1.2 alone. Returns its port.
async fn console(certificate: CertificateDer<'static>, key: &PrivateKeyDer<'static>, old: bool) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::crypto::ring::sign::any_supported_type(key).unwrap();
    let shown = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    let versions: &[&rustls::SupportedProtocolVersion] =
        if old { &[&rustls::version::TLS12] } else { &[&rustls::version::TLS13] };
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shown));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else { continue };
            if stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
                let _ = stream.shutdown().await;
            }
        }
    });
    port
}

fn stored(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/certificates").join(name)
}

fn expired(key: &KeyPair) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(["elsewhere.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    params.self_signed(key).unwrap().der().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_accepted_by_its_pin_whatever_else_is_wrong_with_it() {
    let folder = canary::Folder::new();
    let fresh = KeyPair::generate().unwrap();
    let stored_key = || PrivateKeyDer::from_pem_file(stored("key.pem")).unwrap();
    let stored_certificate = |name: &str| CertificateDer::from_pem_file(stored(name)).unwrap();
    let fresh_key = PrivateKeyDer::from_pem_slice(fresh.serialize_pem().as_bytes()).unwrap();
    for (name, certificate, key) in [
        ("version-1", stored_certificate("v1.pem"), stored_key()),
        ("signed-with-sha-1", stored_certificate("sha1.pem"), stored_key()),
        ("expired-for-another-name", expired(&fresh), fresh_key),
    ] {
        for old in [false, true] {
            let port = console(certificate.clone(), &key, old).await;
            let url = format!("https://127.0.0.1:{port}");
            let with = |trust: Trust, kind: &str| {
                let file = folder.path().join(format!("{name}-{old}-{kind}.json"));
                Settings { trust, ..settings(&url, &file) }
            };
            let other = Trust::pin(&format!("sha256:{}", "00".repeat(32))).unwrap();
            let refused = Recorder::new(with(other, "other"), None).unwrap().probe().await.unwrap_err();
            let DialError::Untrusted(untrusted) = refused else { panic!("{name}: {refused}") };
            let pin = Trust::pin(&untrusted.fingerprint).unwrap();
            for (trust, kind) in [(pin, "pin"), (Trust::Insecure, "insecure")] {
                let proxy = proxy(with(trust, kind)).await;
                proxy.recorder.probe().await.unwrap();
                let answer = proxy.get("/api/x").await;
                assert!(answer.starts_with("HTTP/1.1 200 "), "{name} {kind}: {answer}");
                assert_eq!(proxy.stop().await.stored, 1);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pin_is_worth_nothing_to_whoever_has_the_certificate_without_its_key() {
    let folder = canary::Folder::new();
    let certificate = CertificateDer::from_pem_file(stored("v1.pem")).unwrap();
    let other =
        PrivateKeyDer::from_pem_slice(KeyPair::generate().unwrap().serialize_pem().as_bytes()).unwrap();
    for old in [false, true] {
        let port = console(certificate.clone(), &other, old).await;
        let url = format!("https://127.0.0.1:{port}");
        let wrong = Trust::pin(&format!("sha256:{}", "00".repeat(32))).unwrap();
        let file = folder.path().join("c.json");
        let probe = |trust| {
            let settings = Settings { trust, ..settings(&url, &file) };
            async move { Recorder::new(settings, None).unwrap().probe().await.unwrap_err() }
        };
        let DialError::Untrusted(untrusted) = probe(wrong).await else { panic!("another pin") };
        let error = probe(Trust::pin(&untrusted.fingerprint).unwrap()).await;
        assert!(matches!(error, DialError::Handshake(_)), "no pin is offered: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_says_what_is_wrong_before_the_first_request() {
    let folder = canary::Folder::new();
    let file = folder.path().join("c.json");
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = Recorder::new(settings(&format!("http://{gone}"), &file), None).unwrap().probe().await;
    assert!(matches!(refused, Err(DialError::Connect(_))));
    // Whoever speaks no TLS is told from whoever is not there.
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", plain.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let insecure = || Settings { trust: Trust::Insecure, ..settings(&url, &file) };
    let error = Recorder::new(insecure(), None).unwrap().probe().await.unwrap_err();
    assert!(matches!(error, DialError::Handshake(_)) && error.help().contains("http://"), "{error}");
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let wait = std::time::Duration::from_millis(200);
    let slow = Settings { trust: Trust::Insecure, console_timeout: wait, ..settings(&url, &file) };
    let error = Recorder::new(slow, None).unwrap().probe().await.unwrap_err();
    assert_eq!(error.to_string(), "the console did not take the connection within 0.2 s");
}
