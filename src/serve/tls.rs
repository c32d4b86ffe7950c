//! [`Identity`]: the certificate and key a listener shows.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::StartError;
use super::ca::{self, Office};
use crate::files;
use crate::greeting::{Flaw, Reception, Trouble};

pub use super::ca::seconds_now;

/// Certificate and key a listener shows, and where the certificate is that a client has to trust.
#[derive(Clone)]
pub struct Identity {
    config: Arc<ServerConfig>,
    /// Who signs for it; nobody if the certificate is one's own.
    office: Option<Arc<Office>>,
    /// The PEM file a client has to trust: the CA's certificate, or one's own.
    pub ca_file: PathBuf,
    /// The names it is for, beside the loopback ones: DNS names (`*.example.com` too) and addresses.
    pub names: Vec<String>,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file or folder cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds no certificate, or no key, in PEM.
    #[error("{} holds no {wanted} in PEM", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// `certificate` or `private key`.
        wanted: &'static str,
    },
    /// A name is neither a DNS name nor an IP address.
    #[error("`{0}` is neither a DNS name nor an IP address")]
    Name(String),
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Make(String),
    /// A flaw that only a certificate authority of ours can put into a certificate.
    #[error("nobody here can sign a certificate of your own anew, so that it is {0}")]
    OnesOwn(&'static str),
    /// Certificate and key cannot be used, for instance because they do not belong together.
    #[error("cannot use this certificate and key: {0}")]
    Unusable(rustls::Error),
}

impl Identity {
    /// A fresh certificate for `names`, `localhost`, 127.0.0.1 and ::1, from the CA for exactly these names.
    ///
    /// The CA is made on first use in a folder of its own below `folder` (0700, its key 0600), lives at most a year, and
    /// is made anew 30 days before its end. It is limited to these names (critical name constraints), so that trusting
    /// it in a test gives away nothing else; it is never added to a trust store. `names` are DNS names or IP addresses.
    pub fn for_names(folder: &Path, names: &[String]) -> Result<Self, TlsError> {
        let office = Office::open(folder, names)?;
        let issued = office.issue()?;
        let config = config(vec![issued.certificate], issued.key)?;
        let ca_file = office.ca_file().unwrap_or_default();
        Ok(Self { config, ca_file, names: names.to_vec(), office: Some(Arc::new(office)) })
    }

    /// One's own certificate chain and key, both PEM; `ca_file` is then the certificate file itself.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(&read(certificate)?).collect::<Result<Vec<_>, _>>();
        let not_pem = |path: &Path, wanted| TlsError::NotPem { path: path.to_owned(), wanted };
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| not_pem(certificate, "certificate"))?;
        let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|_| not_pem(key, "private key"))?;
        let names = chain.first().map(ca::names_of).unwrap_or_default();
        Ok(Self { config: config(chain, private)?, ca_file: certificate.to_owned(), names, office: None })
    }

    /// The same identity with a flaw.
    fn flawed(&self, flaw: Flaw) -> Result<TlsAcceptor, TlsError> {
        let issued = match (&self.office, flaw) {
            (Some(office), flaw) => office.issue_flawed(flaw),
            (None, Flaw::UnknownCa) => ca::issue_unknown(&self.names),
            (None, Flaw::Expired) => Err(TlsError::OnesOwn("expired")),
            (None, Flaw::WrongName) => Err(TlsError::OnesOwn("for another name")),
        }?;
        Ok(config(vec![issued.certificate], issued.key)?.into())
    }
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, TlsError> {
    // Named here, so that a second provider somewhere in the program can not make the choice ambiguous.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsError::Unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// What a listener shows that is ready for what is planned; nothing if it speaks plain http.
///
/// # Errors
/// If something is planned for handshakes and there are none, not even in the tunnels of a proxy, or it cannot be done.
pub(super) fn ready(
    identity: Option<&Identity>,
    is_proxy: bool,
    reception: &Reception,
) -> Result<Option<Tls>, StartError> {
    let Some(identity) = identity else {
        return match reception.troubles.first() {
            None => Ok(None),
            Some(_) if is_proxy => Ok(None),
            Some((planned, _)) => Err(StartError::NoTls { planned: planned.clone() }),
        };
    };
    let mut tls = Tls { usual: TlsAcceptor::from(Arc::clone(&identity.config)), flawed: BTreeMap::new() };
    for (planned, trouble) in &reception.troubles {
        let Trouble::Certificate(flaw) = trouble else { continue };
        let acceptor = identity.flawed(*flaw);
        let acceptor = acceptor.map_err(|source| StartError::Tls { planned: planned.clone(), source })?;
        tls.flawed.insert(*flaw, acceptor);
    }
    Ok(Some(tls))
}

/// What is shown to who asks a proxy for `host`.
pub(super) fn for_host(office: &Office, host: &str, flaws: &[Flaw]) -> Result<Tls, TlsError> {
    let acceptor = |flaw| {
        let issued = office.issue_for(host, flaw)?;
        Ok(TlsAcceptor::from(config(vec![issued.certificate], issued.key)?))
    };
    let mut tls = Tls { usual: acceptor(None)?, flawed: BTreeMap::new() };
    for flaw in flaws {
        tls.flawed.insert(*flaw, acceptor(Some(*flaw))?);
    }
    Ok(tls)
}

/// What a listener shows: its identity, and the flawed ones that are planned.
pub(super) struct Tls {
    usual: TlsAcceptor,
    flawed: BTreeMap<Flaw, TlsAcceptor>,
}

impl Tls {
    pub(super) fn usual(&self) -> &TlsAcceptor {
        &self.usual
    }

    /// The identity with this flaw, if it was asked for at the start.
    pub(super) fn flawed(&self, flaw: Flaw) -> &TlsAcceptor {
        self.flawed.get(&flaw).unwrap_or(&self.usual)
    }
}

impl fmt::Debug for Identity {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("ca_file", &self.ca_file).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let read = files::read(path, files::SMALL_MAX_BYTES);
    read.map_err(|error| TlsError::File { path: path.to_owned(), source: error.into() })
}

/// Removes every CA below `folder`, keys included, and says how many there were. Nothing else in it is touched.
///
/// # Errors
/// If one cannot be removed; those before it are gone.
pub fn forget(folder: &Path) -> io::Result<usize> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut forgotten = 0;
    for entry in entries {
        let entry = entry?;
        // A link to a folder elsewhere is none of ours.
        if entry.file_type()?.is_dir() && ca::is_folder(&entry.file_name().to_string_lossy()) {
            std::fs::remove_dir_all(entry.path())?;
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

/// For each kind of client, the line a shell runs to make it trust `ca_file` and nothing else more.
pub fn trust_lines(ca_file: &Path) -> Vec<(&'static str, String)> {
    let file = shell_quoted(&ca_file.to_string_lossy());
    let store = shell_quoted(&ca_file.with_extension("p12").to_string_lossy());
    vec![
        ("curl", format!("export CURL_CA_BUNDLE={file}")),
        ("Python", format!("export SSL_CERT_FILE={file} REQUESTS_CA_BUNDLE={file}")),
        ("Node", format!("export NODE_EXTRA_CA_CERTS={file}")),
        (
            "Java",
            format!(
                "keytool -importcert -noprompt -alias faultdeck -file {file} -storetype PKCS12 -keystore {store} \
                 -storepass changeit && export JAVA_TOOL_OPTIONS=\"-Djavax.net.ssl.trustStorePassword=changeit \
                 -Djavax.net.ssl.trustStore=\"{store}"
            ),
        ),
        ("Go", format!("export SSL_CERT_FILE={file}")),
    ]
}

/// `text` as one word of a POSIX shell.
fn shell_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
