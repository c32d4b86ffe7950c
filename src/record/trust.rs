//! Whose certificate the recorder believes.
//!
//! QRadar consoles usually show a self-signed certificate without a matching name. So an untrusted one is refused with
//! all that a person needs to decide, and with the flag that would accept exactly it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::files;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

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

/// A console whose certificate is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the console's certificate is not trusted ({why})\n  subject:     {subject}\n  names:       {names}\n  fingerprint: {fingerprint}\nif this is your console, accept exactly this certificate with: --pin {fingerprint}"
)]
pub struct Untrusted {
    /// Why it was refused.
    pub why: String,
    /// The certificate's subject.
    pub subject: String,
    /// The names and addresses it is for.
    pub names: String,
    /// `sha256:` and 64 hex digits.
    pub fingerprint: String,
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

    pub(super) fn config(&self) -> Result<(ClientConfig, Arc<Seen>), TrustError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let inner = match self {
            Self::Native => Some(verifier(native()?, &provider)?),
            Self::CaFile(path) => Some(verifier(from_file(path)?, &provider)?),
            Self::Pin(_) | Self::Insecure => None,
        };
        let pin = if let Self::Pin(pin) = self { Some(*pin) } else { None };
        let seen = Arc::new(Seen { inner, pin, provider: Arc::clone(&provider), shown: Mutex::default() });
        let verifier = Arc::clone(&seen) as Arc<dyn ServerCertVerifier>;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
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

/// A verifier that remembers what it was shown, so that a refusal can say what was refused.
pub(super) struct Seen {
    inner: Option<Arc<WebPkiServerVerifier>>,
    pin: Option<[u8; 32]>,
    provider: Arc<CryptoProvider>,
    shown: Mutex<Option<Vec<u8>>>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").finish_non_exhaustive()
    }
}

impl Seen {
    /// The refusal behind a failed handshake, if that is what failed it.
    pub(super) fn refused(&self, error: &io::Error) -> Option<Untrusted> {
        let inner = error.get_ref()?.downcast_ref::<Error>()?;
        let Error::InvalidCertificate(reason) = inner else { return None };
        let der = self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let why = match reason {
            CertificateError::UnknownIssuer => "no root on this machine stands behind it".to_owned(),
            CertificateError::ApplicationVerificationFailure => "it is not the pinned one".to_owned(),
            // A certificate that openssl signed with itself says it is an authority, which no server's may be.
            CertificateError::Other(_) if is_self_signed(&der) => {
                "it is signed by nobody but itself".to_owned()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "it has expired".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "it is not valid yet".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it is for another name".to_owned()
            }
            other => other.to_string(),
        };
        let fingerprint: String = Sha256::digest(&der).iter().map(|byte| format!("{byte:02x}")).collect();
        let (subject, names) = describe(&der);
        Some(Untrusted { why: printable(&why), subject, names, fingerprint: format!("sha256:{fingerprint}") })
    }
}

fn is_self_signed(der: &[u8]) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(_, it)| it.subject() == it.issuer())
}

fn describe(der: &[u8]) -> (String, String) {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return ("unreadable".to_owned(), "unreadable".to_owned());
    };
    let names = certificate.subject_alternative_name().ok().flatten().map(|names| {
        let name = |name: &GeneralName<'_>| match name {
            GeneralName::DNSName(name) => (*name).to_owned(),
            GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
                Ok(four) => std::net::Ipv4Addr::from(four).to_string(),
                Err(_) => <[u8; 16]>::try_from(*bytes)
                    .map_or_else(|_| "?".into(), |it| std::net::Ipv6Addr::from(it).to_string()),
            },
            other => other.to_string(),
        };
        names.value.general_names.iter().take(20).map(name).collect::<Vec<_>>().join(", ")
    });
    let names = names.filter(|names| !names.is_empty()).unwrap_or_else(|| "none".to_owned());
    (printable(&certificate.subject().to_string()), printable(&names))
}

/// A certificate is a stranger's text: nothing in it may steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).take(500).collect()
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(end_entity.to_vec());
        match (&self.inner, self.pin) {
            (Some(inner), _) => inner.verify_server_cert(end_entity, intermediates, server_name, ocsp, now),
            (None, Some(pin)) if Sha256::digest(end_entity).as_slice() != pin => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            (None, _) => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
