//! The certificate authority of one set of names, kept on disk, and fresh certificates from it.
//!
//! A CA's folder appears in one step (made aside, then renamed), so a crash leaves either a whole one or none; whatever
//! is found broken, foreign or close to its end is replaced. Only the CA is kept: a listener's own key never reaches
//! the disk.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;

use super::tls::TlsError;
use crate::files;
use crate::greeting::Flaw;

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// With the day before its making, a CA is valid for one year.
const VALID_DAYS: u32 = 364;
const RENEW_DAYS: u32 = 30;

/// A certificate for a listener, with its key.
pub(super) struct Issued {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// The CA of a set of names, and the names.
pub(super) struct Office {
    names: Names,
    authority: Authority,
}

impl Office {
    /// That of `names` below `folder`, which is made if there is none that will do.
    pub(super) fn open(folder: &Path, names: &[String]) -> Result<Self, TlsError> {
        Self::of(Names::of(names)?, folder)
    }

    /// One that vouches for every name.
    pub(super) fn open_for_any(folder: &Path) -> Result<Self, TlsError> {
        Self::of(Names::any(), folder)
    }

    fn of(names: Names, folder: &Path) -> Result<Self, TlsError> {
        let authority = Authority::open(folder, &names, now())?;
        Ok(Self { names, authority })
    }

    /// One that vouches for every name, and is kept nowhere.
    pub(super) fn for_now() -> Result<Self, TlsError> {
        let names = Names::any();
        let authority = Authority::for_now(&names, now())?;
        Ok(Self { names, authority })
    }

    /// Where its certificate is, if it is kept.
    pub(super) fn ca_file(&self) -> Option<PathBuf> {
        self.authority.folder.as_ref().map(|folder| folder.join(CERTIFICATE))
    }

    pub(super) fn ca_pem(&self) -> &str {
        &self.authority.pem
    }

    /// A new certificate for one host that somebody named, with a flaw or without.
    pub(super) fn issue_for(&self, host: &str, flaw: Option<Flaw>) -> Result<Issued, TlsError> {
        let names = Names::one(host)?;
        match flaw {
            None => sign(&self.authority.issuer, &names, now() - DAY..self.authority.ends),
            Some(flaw) => self.flawed(&names, flaw),
        }
    }

    /// A new certificate for the names.
    pub(super) fn issue(&self) -> Result<Issued, TlsError> {
        let authority = &self.authority;
        sign(&authority.issuer, &self.names, now() - DAY..authority.ends)
    }

    /// One that no client may take.
    pub(super) fn issue_flawed(&self, flaw: Flaw) -> Result<Issued, TlsError> {
        self.flawed(&self.names, flaw)
    }

    fn flawed(&self, names: &Names, flaw: Flaw) -> Result<Issued, TlsError> {
        let (authority, now) = (&self.authority, now());
        match flaw {
            Flaw::Expired => sign(&authority.issuer, names, now - 30 * DAY..now - DAY),
            Flaw::WrongName => sign(&authority.issuer, &names.another(), now - DAY..authority.ends),
            Flaw::UnknownCa => unknown(names),
        }
    }
}

/// Whether a certificate can be for this host.
pub(super) fn is_certifiable(host: &str) -> bool {
    Names::one(host).is_ok()
}

/// A new certificate for these names, signed by a CA that nobody was ever told of.
pub(super) fn issue_unknown(names: &[String]) -> Result<Issued, TlsError> {
    // One's own certificate may be for names that no client asks for, `*.example` among them.
    let names: Vec<String> =
        names.iter().filter(|name| ServerName::try_from(name.as_str()).is_ok()).cloned().collect();
    unknown(&Names::of(&names)?)
}

fn unknown(names: &Names) -> Result<Issued, TlsError> {
    let now = now();
    let mut params = ca_params(names, now);
    // Under the known CA's name a client would find that one, and fault the signature.
    params.distinguished_name = called("a CA that nobody was told of");
    let stranger = Issuer::new(params, KeyPair::generate().map_err(make)?);
    sign(&stranger, names, now - DAY..now + RENEW_DAYS * DAY)
}

/// Whether a CA's folder has such a name.
pub(super) fn is_folder(name: &str) -> bool {
    let tag = name.strip_prefix("ca-");
    tag.is_some_and(|tag| tag.len() == 12 && tag.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Certificates are the one thing here that needs the date.
#[allow(clippy::disallowed_methods, reason = "a certificate's validity is a matter of the calendar")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// The seconds since the start of 1970, by this machine's clock: for days of the calendar, and for nothing that is waited for.
pub fn seconds_now() -> u64 {
    now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A set of names: what the CA is limited to and the certificate is for.
#[derive(Default)]
struct Names {
    /// The CA is not limited.
    any: bool,
    dns: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
}

impl Names {
    fn of(given: &[String]) -> Result<Self, TlsError> {
        let mut names = Self {
            dns: BTreeSet::from(["localhost".to_owned()]),
            addresses: BTreeSet::from([Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
            any: false,
        };
        given.iter().try_for_each(|name| names.add(name))?;
        Ok(names)
    }

    /// No name by itself, and whichever is asked for.
    fn any() -> Self {
        Self { any: true, ..Self::default() }
    }

    /// This name alone.
    fn one(name: &str) -> Result<Self, TlsError> {
        let mut names = Self::default();
        names.add(name)?;
        Ok(names)
    }

    fn add(&mut self, name: &str) -> Result<(), TlsError> {
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        match ServerName::try_from(bare) {
            Ok(ServerName::IpAddress(address)) => {
                self.addresses.insert(address.into());
            }
            Ok(ServerName::DnsName(dns)) => {
                self.dns.insert(dns.as_ref().trim_end_matches('.').to_ascii_lowercase());
            }
            Ok(_) | Err(_) => return Err(TlsError::Name(name.to_owned())),
        }
        Ok(())
    }

    /// A name that is none of these, and that their CA may vouch for all the same: it lies below `localhost`.
    fn another(&self) -> Self {
        let mut other = "wrong.localhost".to_owned();
        while self.dns.contains(&other) {
            other.insert_str(0, "wrong.");
        }
        Self { dns: BTreeSet::from([other]), ..Self::default() }
    }

    /// The same for the same set, however it was written.
    fn tag(&self) -> String {
        let mut hash = Sha256::new();
        if self.any {
            hash.update("every name");
        }
        for name in self.dns.iter().cloned().chain(self.addresses.iter().map(IpAddr::to_string)) {
            hash.update(name);
            hash.update([0]);
        }
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A CA, ready to sign.
struct Authority {
    /// Where it is kept, if it is.
    folder: Option<PathBuf>,
    /// Its certificate.
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    ends: SystemTime,
}

impl Authority {
    fn for_now(names: &Names, now: SystemTime) -> Result<Self, TlsError> {
        let key = KeyPair::generate().map_err(make)?;
        let params = ca_params(names, now);
        let pem = params.self_signed(&key).map_err(make)?.pem();
        let ends = now + VALID_DAYS * DAY;
        Ok(Self { folder: None, pem, issuer: Issuer::new(params, key), ends })
    }

    fn open(parent: &Path, names: &Names, now: SystemTime) -> Result<Self, TlsError> {
        let folder = parent.join(format!("ca-{}", names.tag()));
        if let Some(found) = Self::load(&folder, names, now) {
            return Ok(found);
        }
        DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(at(parent))?;
        let fresh = tempfile::Builder::new()
            .prefix(".new-ca-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .map_err(at(parent))?;
        let key = KeyPair::generate().map_err(make)?;
        let certificate = ca_params(names, now).self_signed(&key).map_err(make)?;
        write(&fresh.path().join(KEY), &key.serialize_pem(), 0o600)?;
        write(&fresh.path().join(CERTIFICATE), &certificate.pem(), 0o644)?;
        if fs::rename(fresh.path(), &folder).is_err() {
            // Another process may have been faster; then its CA is the one to use. Else what stands there will not do.
            if let Some(found) = Self::load(&folder, names, now) {
                return Ok(found);
            }
            clear(&folder).and_then(|()| fs::rename(fresh.path(), &folder)).map_err(at(&folder))?;
        }
        Self::load(&folder, names, now).ok_or_else(|| TlsError::File {
            path: folder,
            source: io::Error::other("the certificate authority that was just made cannot be read back"),
        })
    }

    /// The CA in `folder`, if its files belong together and it lives long enough.
    fn load(folder: &Path, names: &Names, now: SystemTime) -> Option<Self> {
        let read = |name| files::read_text(&folder.join(name), files::SMALL_MAX_BYTES).ok();
        let key = KeyPair::from_pem(&read(KEY)?).ok()?;
        let pem = read(CERTIFICATE)?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).ok()?;
        if certificate.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
            return None;
        }
        let ends = moment(certificate.validity().not_after.timestamp())?;
        let starts = moment(certificate.validity().not_before.timestamp())?;
        if starts > now || ends < now + RENEW_DAYS * DAY {
            return None;
        }
        let issuer = Issuer::new(ca_params(names, now), key);
        Some(Self { folder: Some(folder.to_owned()), pem, issuer, ends })
    }
}

/// A certificate for a new key, valid for these names and this time.
fn sign(issuer: &Issuer<'_, KeyPair>, names: &Names, valid: Range<SystemTime>) -> Result<Issued, TlsError> {
    let key = KeyPair::generate().map_err(make)?;
    let mut params = CertificateParams::default();
    params.not_before = valid.start.into();
    params.not_after = valid.end.into();
    params.distinguished_name = called("faultdeck");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    for name in &names.dns {
        let name = name.as_str().try_into().map_err(|_| TlsError::Name(name.clone()))?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    params.subject_alt_names.extend(names.addresses.iter().copied().map(SanType::IpAddress));
    let certificate = params.signed_by(&key, issuer).map_err(make)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    Ok(Issued { certificate: certificate.der().clone(), key })
}

/// The names and addresses that a certificate is for.
pub(super) fn names_of(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(certificate) else { return Vec::new() };
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map(|names| names.value.general_names.as_slice()).unwrap_or_default();
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    };
    names.iter().filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// The serial number is left to rcgen, which takes it from the (fresh, random) public key.
fn ca_params(names: &Names, now: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = (now - DAY).into();
    params.not_after = (now + VALID_DAYS * DAY).into();
    params.distinguished_name = called(&format!("faultdeck CA {}", names.tag()));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    if names.any {
        return params;
    }
    // Without the list of addresses, a CA limited to DNS names could still vouch for any address.
    let dns = names.dns.iter().cloned().map(GeneralSubtree::DnsName);
    let addresses = names.addresses.iter().map(|address| {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*address, bits))
    });
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: dns.chain(addresses).collect(),
        excluded_subtrees: Vec::new(),
    });
    params
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

fn moment(seconds: i64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let written =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    written.map_err(at(path))
}

fn clear(folder: &Path) -> io::Result<()> {
    if fs::symlink_metadata(folder)?.is_dir() { fs::remove_dir_all(folder) } else { fs::remove_file(folder) }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> TlsError {
    let path = path.to_owned();
    move |source| TlsError::File { path, source }
}

fn make(error: rcgen::Error) -> TlsError {
    TlsError::Make(error.to_string())
}
