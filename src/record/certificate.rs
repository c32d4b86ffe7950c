//! What a console's certificate says about itself, for the person who has to decide.

use std::fmt;

use rustls::CertificateError;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

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

impl Untrusted {
    pub(super) fn new(der: &[u8], reason: &CertificateError) -> Self {
        let why = match reason {
            CertificateError::UnknownIssuer => "no root on this machine stands behind it".to_owned(),
            CertificateError::ApplicationVerificationFailure => "it is not the pinned one".to_owned(),
            // A certificate that openssl signed with itself says it is an authority, which no server's may be.
            CertificateError::Other(_) if is_self_signed(der) => {
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
        let (subject, names) = describe(der);
        Self { why: printable(&why), subject, names, fingerprint: fingerprint(der) }
    }

    /// In one line.
    pub(super) fn brief(&self) -> String {
        let Self { why, fingerprint, .. } = self;
        format!(
            "the console's certificate is not trusted ({why}); accept exactly it with --pin {fingerprint}"
        )
    }
}

/// The pinned certificate came, and it cannot be checked that the console has its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the console shows the pinned certificate, but its key ({key}) is none whose signatures can be checked {place}"
)]
pub struct Uncheckable {
    key: KeyKind,
    place: &'static str,
    /// Whether TLS 1.2 has signatures for it that can be checked.
    pub(super) may_do_in_tls12: bool,
}

impl Uncheckable {
    pub(super) fn new(key: KeyKind, tls13: bool) -> Self {
        let may_do_in_tls12 = tls13 && key.is_small_rsa();
        let place = if may_do_in_tls12 { "in TLS 1.3" } else { "here" };
        Self { key, place, may_do_in_tls12 }
    }
}

/// A certificate's key, as far as it matters for what is signed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// With so many bits.
    Rsa(usize),
    P256,
    P384,
    Ed25519,
    /// By the number of its algorithm.
    Other(String),
    /// The certificate cannot be read.
    Unreadable,
}

/// RSA keys that everything checks.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// RSA keys that can be checked with the signatures of TLS 1.2 only.
const SMALL_RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=2047;

impl KeyKind {
    /// The kind of a certificate's key, and the key.
    pub(super) fn of(der: &[u8]) -> (Self, Vec<u8>) {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else {
            return (Self::Unreadable, Vec::new());
        };
        let info = certificate.public_key();
        let algorithm = info.algorithm.algorithm.to_id_string();
        let curve = info.algorithm.parameters.as_ref().and_then(|it| it.as_oid().ok());
        let curve = curve.map(|oid| oid.to_id_string());
        let kind = match (info.parsed(), algorithm.as_str(), curve.as_deref()) {
            (Ok(PublicKey::RSA(key)), ..) => Self::Rsa(bits(key.modulus)),
            (_, "1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7")) => Self::P256,
            (_, "1.2.840.10045.2.1", Some("1.3.132.0.34")) => Self::P384,
            (_, "1.2.840.10045.2.1", Some(curve)) => Self::Other(format!("{algorithm}, curve {curve}")),
            (_, "1.3.101.112", _) => Self::Ed25519,
            _ => Self::Other(algorithm),
        };
        (kind, info.subject_public_key.data.to_vec())
    }

    pub(super) fn is_small_rsa(&self) -> bool {
        matches!(self, Self::Rsa(bits) if SMALL_RSA_BITS.contains(bits))
    }

    /// Whether signatures of this key can be checked.
    pub(super) fn is_checkable(&self, tls13: bool) -> bool {
        match self {
            Self::Rsa(bits) => RSA_BITS.contains(bits) || (!tls13 && SMALL_RSA_BITS.contains(bits)),
            Self::P256 | Self::P384 | Self::Ed25519 => true,
            Self::Other(_) | Self::Unreadable => false,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA, {bits} bits"),
            Self::P256 => f.write_str("ECDSA, P-256"),
            Self::P384 => f.write_str("ECDSA, P-384"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other(algorithm) => write!(f, "algorithm {algorithm}"),
            Self::Unreadable => f.write_str("unreadable"),
        }
    }
}

fn bits(modulus: &[u8]) -> usize {
    let digits = modulus.iter().position(|byte| *byte != 0).and_then(|start| modulus.get(start..));
    let digits = digits.unwrap_or_default();
    let unused = digits.first().map_or(0, |first| first.leading_zeros() as usize);
    (digits.len() * 8).saturating_sub(unused)
}

/// `sha256:` and 64 hex digits.
pub(super) fn fingerprint(der: &[u8]) -> String {
    let digits: String = Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
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
