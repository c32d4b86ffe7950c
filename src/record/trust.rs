//! Whose certificate the recorder believes.
//!
//! QRadar consoles usually show a self-signed certificate without a matching name. So an untrusted one is refused with
//! all that a person needs to decide, and with the flag that would accept exactly it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::files;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, Error, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::handshake::Seen;

/// How the console's certificate is judged.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// By the machine's own roots.
    #[default]
    Native,
    /// By the certificates in this PEM file.
    CaFile(PathBuf),
    /// It is exactly the one with this SHA-256 fingerprint.
    Pin([u8; 32]),
    /// Not at all. Marked in the cassette and said aloud.
    Insecure,
}

/// Why trust settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The CA file cannot be read.
    #[error("cannot read certificates from {}: {why}", path.display())]
    CaFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The machine has no roots.
    #[error(
        "this machine has no root certificates: give the console's with --ca-file, or its fingerprint with --pin"
    )]
    NoRoots,
    /// Not a fingerprint.
    #[error("a pin is written sha256: and 64 hex digits (colons allowed), not `{0}`")]
    NoPin(String),
    /// rustls refuses the settings.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] Error),
}

impl Trust {
    /// Reads `sha256:AB:CD...` or `sha256:abcd...`.
    ///
    /// # Errors
    /// If it is not 32 bytes of hex.
    pub fn pin(text: &str) -> Result<Self, TrustError> {
        let wrong = || TrustError::NoPin(text.chars().filter(|c| !c.is_control()).take(100).collect());
        let digits: String =
            text.strip_prefix("sha256:").ok_or_else(wrong)?.chars().filter(|c| *c != ':').collect();
        let bytes: Option<Vec<u8>> = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
            .collect();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self::Pin).ok_or_else(wrong)
    }
}

/// Which TLS is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// 1.3 and 1.2.
    Modern,
    /// 1.2 alone, with signatures that short RSA keys can make and this program can check.
    Old,
}

/// Trust settings, read once and ready for any number of connections.
#[derive(Debug)]
pub(super) struct Believer {
    trust: Trust,
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    is_old: AtomicBool,
}

impl Believer {
    pub(super) fn new(trust: &Trust) -> Result<Self, TrustError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let inner = match trust {
            Trust::Native => Some(verifier(native()?, &provider)?),
            Trust::CaFile(path) => Some(verifier(from_file(path)?, &provider)?),
            Trust::Pin(_) | Trust::Insecure => None,
        };
        Ok(Self { trust: trust.clone(), inner, provider, is_old: AtomicBool::new(false) })
    }

    /// What the next connection offers.
    pub(super) fn age(&self) -> Age {
        if self.is_old.load(Ordering::Relaxed) { Age::Old } else { Age::Modern }
    }

    /// From now on only the old TLS is offered: the console's key is too short for more.
    pub(super) fn grow_old(&self) {
        self.is_old.store(true, Ordering::Relaxed);
    }

    /// The settings of one connection, and what it is going to see.
    pub(super) fn config(&self, age: Age) -> Result<(ClientConfig, Arc<Seen>), TrustError> {
        let seen = Seen::new(&self.trust, self.inner.clone(), &self.provider, age);
        let seen = Arc::new(seen);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = match age {
            Age::Modern => builder.with_safe_default_protocol_versions()?,
            Age::Old => builder.with_protocol_versions(&[&rustls::version::TLS12])?,
        };
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Seen>::clone(&seen))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((config, seen))
    }
}

fn verifier(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, TrustError> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|_| TrustError::NoRoots)
}

fn native() -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TrustError::NoRoots) } else { Ok(roots) }
}

fn from_file(path: &std::path::Path) -> Result<RootCertStore, TrustError> {
    let failed = |why: String| TrustError::CaFile { path: path.to_owned(), why };
    let mut roots = RootCertStore::empty();
    let text = files::read(path, files::SMALL_MAX_BYTES).map_err(|error| failed(error.to_string()))?;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    if roots.is_empty() { Err(failed("it holds no certificate in PEM form".to_owned())) } else { Ok(roots) }
}
