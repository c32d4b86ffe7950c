//! Whom a command is to trust: the certificate authority of its replay, beside those it trusted before.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::NamedTempFile;

use crate::client::child::Environment;
use crate::files;

/// The variables whose file is all that their readers trust.
const WHOLE: [&str; 3] = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];
/// The variable whose file is trusted beside others.
const BESIDE: &str = "NODE_EXTRA_CA_CERTS";
/// A line of a certificate in PEM, in letters.
const LINE: usize = 64;

/// The files that a command is handed; those made for it are gone when this is.
#[derive(Debug)]
pub(super) struct Trusted {
    /// The authority alone.
    pub(super) ca_file: PathBuf,
    /// The machine's roots, the user's, and the authority.
    bundle: NamedTempFile,
    /// The authority's file, if it was made for this run.
    _own: Option<NamedTempFile>,
}

impl Trusted {
    /// An authority whose certificate is in a file.
    pub(super) fn kept(ca_file: &Path, environment: &Environment) -> io::Result<Self> {
        let pem = files::read_text(ca_file, files::SMALL_MAX_BYTES).map_err(io::Error::from)?;
        let bundle = file(&bundle(&pem, environment))?;
        Ok(Self { ca_file: ca_file.to_owned(), bundle, _own: None })
    }

    /// An authority that is kept nowhere: its certificate gets a file for as long as this is there.
    pub(super) fn passing(pem: &str, environment: &Environment) -> io::Result<Self> {
        let own = file(pem)?;
        let bundle = file(&bundle(pem, environment))?;
        Ok(Self { ca_file: own.path().to_owned(), bundle, _own: Some(own) })
    }

    /// The file with all that is to be trusted.
    pub(super) fn bundle(&self) -> &Path {
        self.bundle.path()
    }

    /// Names the files where programs look for them.
    pub(super) fn put_into(&self, environment: &mut Environment) {
        environment.trust(&self.ca_file);
        WHOLE.iter().for_each(|name| environment.set(*name, self.bundle.path()));
        environment.set(BESIDE, self.bundle.path());
    }
}

/// Whatever the machine and the user's variables trust, and then `pem`. What cannot be read was of no use before.
fn bundle(pem: &str, environment: &Environment) -> String {
    let mut text = String::new();
    for root in rustls_native_certs::load_native_certs().certs {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let letters = STANDARD.encode(&root);
        let mut rest = letters.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(LINE));
            text.push_str(line);
            text.push('\n');
            rest = after;
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    let mut theirs: Vec<&OsStr> =
        WHOLE.iter().chain([&BESIDE]).filter_map(|name| environment.get(name)).collect();
    theirs.sort_unstable();
    theirs.dedup();
    // Its roots are the machine's own already.
    let known = environment.get("SSL_CERT_FILE");
    theirs.retain(|file| Some(*file) != known);
    for file in theirs {
        if let Ok(more) = files::read_text(Path::new(file), files::SMALL_MAX_BYTES) {
            text.push_str(&more);
            text.push('\n');
        }
    }
    text + pem
}

fn file(text: &str) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("faultdeck-ca-").suffix(".pem").tempfile()?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundle_ends_with_ours_and_keeps_what_the_user_trusts() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = folder.path().join("theirs.pem");
        std::fs::write(&theirs, "THEIRS").unwrap();
        let vars = [("REQUESTS_CA_BUNDLE", theirs.as_os_str()), ("CURL_CA_BUNDLE", OsStr::new("/no/such"))];
        let mut environment = Environment::whole(vars.map(|(name, value)| (name.into(), value.to_owned())));
        let trusted = Trusted::passing("OURS", &environment).unwrap();
        trusted.put_into(&mut environment);
        let read = |name: &str| std::fs::read_to_string(environment.get(name).unwrap()).unwrap();
        for name in WHOLE.iter().chain([&BESIDE]) {
            assert!(read(name).ends_with("THEIRS\nOURS"), "{name}");
        }
        assert_eq!(read("FAULTDECK_CA_FILE"), "OURS");
        let files = [trusted.ca_file.clone(), trusted.bundle.path().to_owned()];
        drop(trusted);
        assert!(files.iter().all(|file| !file.exists()));
    }
}
