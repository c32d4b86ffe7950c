//! What is checked of a console while TLS is being set up.
//!
//! With roots, rustls checks everything. A pin asks for less and for something else: that this very certificate came,
//! and that the console has its key. So the certificate itself is not judged, whatever its version, dates, names and
//! signature are, and what the console signs is checked against its key. With `--insecure` nothing is checked.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ring::signature::{
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, UnparsedPublicKey, VerificationAlgorithm,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};

use super::certificate::{KeyKind, Uncheckable, Untrusted};
use super::dial::DialError;
use super::trust::{Age, Trust};

/// Signatures of short RSA keys: what TLS 1.2 has and `ring` checks.
const OLD_SCHEMES: [(SignatureScheme, &dyn VerificationAlgorithm); 3] = [
    (SignatureScheme::RSA_PKCS1_SHA512, &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
    (SignatureScheme::RSA_PKCS1_SHA256, &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
    (SignatureScheme::RSA_PKCS1_SHA1, &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
];

/// What else is offered where the certificate is not judged: the refusal, if it comes to one, is then ours and says why.
const MORE_SCHEMES: [SignatureScheme; 3] =
    [SignatureScheme::ECDSA_NISTP521_SHA512, SignatureScheme::ED448, SignatureScheme::RSA_PKCS1_SHA1];

#[derive(Clone)]
enum Law {
    Roots(Arc<WebPkiServerVerifier>),
    Pin([u8; 32]),
    Nothing,
}

/// The verifier of one connection, which remembers what it was shown.
pub(super) struct Seen {
    law: Law,
    provider: Arc<CryptoProvider>,
    age: Age,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    certificate: Option<Vec<u8>>,
    uncheckable: Option<Uncheckable>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").finish_non_exhaustive()
    }
}

impl Seen {
    pub(super) fn new(
        trust: &Trust,
        roots: Option<Arc<WebPkiServerVerifier>>,
        provider: &Arc<CryptoProvider>,
        age: Age,
    ) -> Self {
        let law = match (roots, trust) {
            (Some(roots), _) => Law::Roots(roots),
            (None, Trust::Pin(pin)) => Law::Pin(*pin),
            (None, _) => Law::Nothing,
        };
        Self { law, provider: Arc::clone(provider), age, shown: Mutex::default() }
    }

    /// What a failed handshake comes to.
    pub(super) fn verdict(&self, error: io::Error) -> DialError {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(uncheckable) = shown.uncheckable.take() {
            return DialError::Uncheckable(Box::new(uncheckable));
        }
        let reason = match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            // Whoever has a certificate and not its key gets no advice to pin it.
            Some(Error::InvalidCertificate(CertificateError::BadSignature))
                if !matches!(self.law, Law::Roots(_)) =>
            {
                return DialError::Handshake(error);
            }
            Some(Error::InvalidCertificate(reason)) => reason,
            _ => return DialError::Handshake(error),
        };
        match &shown.certificate {
            Some(der) => DialError::Untrusted(Box::new(Untrusted::new(der, reason))),
            None => DialError::Handshake(error),
        }
    }

    /// Whether what was signed was signed by the key of the pinned certificate.
    fn check(
        &self,
        tls13: bool,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (kind, key) = KeyKind::of(certificate);
        if !kind.is_checkable(tls13) {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.uncheckable = Some(Uncheckable::new(kind, tls13));
            return Err(Error::InvalidCertificate(CertificateError::BadSignature));
        }
        if tls13 && OLD_SCHEMES.iter().any(|(scheme, _)| *scheme == signed.scheme) {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        if is_signed(&self.provider, &key, signed.scheme, message, signed.signature()) {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::BadSignature))
        }
    }
}

/// Whether `key` made this signature. A scheme that does not fit the key finds nothing.
fn is_signed(
    provider: &CryptoProvider,
    key: &[u8],
    scheme: SignatureScheme,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let algorithms = provider.signature_verification_algorithms.mapping.iter();
    let mut fitting = algorithms.filter(|(known, _)| *known == scheme).flat_map(|(_, all)| all.iter());
    fitting.any(|algorithm| algorithm.verify_signature(key, message, signature).is_ok())
        || OLD_SCHEMES.iter().any(|(old, algorithm)| {
            *old == scheme && UnparsedPublicKey::new(*algorithm, key).verify(message, signature).is_ok()
        })
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
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.certificate = Some(end_entity.to_vec());
        match &self.law {
            Law::Roots(roots) => roots.verify_server_cert(end_entity, intermediates, server_name, ocsp, now),
            Law::Pin(pin) if Sha256::digest(end_entity).as_slice() != pin => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            Law::Pin(_) | Law::Nothing => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.law {
            Law::Roots(roots) => roots.verify_tls12_signature(message, certificate, signature),
            Law::Pin(_) => self.check(false, message, certificate, signature),
            Law::Nothing => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.law {
            Law::Roots(roots) => roots.verify_tls13_signature(message, certificate, signature),
            Law::Pin(_) => self.check(true, message, certificate, signature),
            Law::Nothing => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.provider.signature_verification_algorithms.supported_schemes();
        match (&self.law, self.age) {
            (Law::Roots(_), _) => {}
            (_, Age::Modern) => schemes.extend(MORE_SCHEMES),
            (_, Age::Old) => schemes = OLD_SCHEMES.iter().map(|(scheme, _)| *scheme).collect(),
        }
        schemes
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// A certificate with an RSA key of 1024 bits, and what that key signed. Made with openssl: nothing in Rust makes one.
    const CERTIFICATE: &str = "MIICEDCCAXmgAwIBAgIURyuhpmPNPwSj4z31NK/iIzUhoUswDQYJKoZIhvcNAQELBQAwGjEYMBYGA1UEAwwPcnNhMTAyNC5leGFtcGxlMB4XDTI2MTEyNTE4NTEzM1oXDTM2MTEyMjE4NTEzM1owGjEYMBYGA1UEAwwPcnNhMTAyNC5leGFtcGxlMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDVwsNS7oqY5eRwLRv30BxaISElZEmllUCm8xyscYKUNHlA/CbYMQo0DEUk0q/SgMTVQopFo3yOf6O2yeI3r/cL/A/eDrflAVqljKKc1xOyGDBClDIe1tXY6z40AHJXYu8LCDkEWuBMWMJ5kkUbdFxyxDW1OZD1QyS7LbfkvGQ1mwIDAQABo1MwUTAdBgNVHQ4EFgQUfl8hxFg2Fx3f6VpXUhg1jWxr2jQwHwYDVR0jBBgwFoAUfl8hxFg2Fx3f6VpXUhg1jWxr2jQwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOBgQCjv6RLZEVgMfcjlpOHhmPaDs5s/r53Ek7Y7mpAiBFMUnLqAUr/K/j1bzF5a/JsjAr8vMwjFqhavWp+cELwzDiSnLpWgMoLzldMflEmB/o7NyFN/5IQ0KP6UtmyNw90rpoF2VUFppq6krxHhFJno/nqtTV3/yaa4FWPOU+WC4sVHQ==";
    const MESSAGE: &[u8] = b"what a console signs";
    const SIGNATURES: [(SignatureScheme, &str); 3] = [
        (
            SignatureScheme::RSA_PKCS1_SHA1,
            "Aq1MXaHMfWOS7e0nQ1NtaTOuT86KP8J0Ze6Hg191BdpG3O+EO0a82SlGNJudHuczIefsJZJhQVdatMO64F28LF8Scy3cJj7RF9b6nPVJSfUsh3dAQWNHXxkVWNTB2EvdwiDe1u7dyDnknCltJQycfkek/t3/HH+v4vF4XQImbEI=",
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA256,
            "IyGx8bCtlO0Ug+HzyH+y+JsLu84H5dzODF1XdJYaoAqJ6nBHrOL5L2QDQl9YIWk2dkh2zapoBkHHynle8l7A87Jk+7aBD60bJGzDGJfyewZs5voHIG+2QEc/BuQY2k5EBxty5sPelAfqcGJT+tFvgGNezGv4UTsuH8tUnrUk4bk=",
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA512,
            "t/BwIx+vxnQQeTHtPSwBZJyJyI1BGuoLaztQH0Z0ptHwYc2MpKNz7QtYEExBuS89crUh2TQkEWQ4v07OWN/KP3HxGkI5UmOWFFjNDEtWg0u+W3k4WnE/+SbNhXNzgJlLqnXjoKLZhcvUQdG6zpTPjknjl7hPiFZjyM8QL59lJY8=",
        ),
    ];

    #[test]
    fn a_short_rsa_key_is_checked_in_tls_1_2_and_said_to_be_too_short_in_1_3() {
        let provider = rustls::crypto::ring::default_provider();
        let (kind, key) = KeyKind::of(&STANDARD.decode(CERTIFICATE).unwrap());
        assert_eq!(kind, KeyKind::Rsa(1024));
        assert!(kind.is_checkable(false) && !kind.is_checkable(true));
        for (scheme, signature) in SIGNATURES {
            let signature = STANDARD.decode(signature).unwrap();
            assert!(is_signed(&provider, &key, scheme, MESSAGE, &signature), "{scheme:?}");
            assert!(!is_signed(&provider, &key, scheme, b"something else", &signature), "{scheme:?}");
            assert!(!is_signed(&provider, &key, SignatureScheme::RSA_PSS_SHA256, MESSAGE, &signature));
        }
        let uncheckable = Uncheckable::new(kind, true);
        assert!(uncheckable.may_do_in_tls12);
        assert!(uncheckable.to_string().contains("RSA, 1024 bits"), "{uncheckable}");
    }
}
