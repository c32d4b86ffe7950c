//! How a verb asks a console: whose certificate is believed, and where the token comes from.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::output;
use super::problem::Problem;
use super::settings::BY_HAND;
use crate::files;
use crate::record::Trust;

/// The variable with the console's token.
pub(super) const SEC_VARIABLE: &str = "FAULTDECK_CONSOLE_SEC";
/// The longest token, in bytes.
const SEC_MAX: usize = 4096;
/// The bits of a file's mode that let others than its owner at it.
const OTHERS: u32 = 0o077;

/// Whose certificate is believed.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "The console's certificate")]
pub(super) struct Console {
    /// Believes the certificates in this PEM file instead of the machine's own roots.
    #[arg(long, value_name = "FILE", group = "trust", group = BY_HAND)]
    ca_file: Option<PathBuf>,
    /// Believes exactly the certificate with this fingerprint (a refused one is printed with its own).
    #[arg(long, value_name = "sha256:HEX", group = "trust", group = BY_HAND)]
    pin: Option<String>,
    /// Believes any certificate. The cassette says so.
    #[arg(long, group = "trust", group = BY_HAND)]
    insecure: bool,
}

impl Console {
    /// Whether anything is said.
    pub(super) fn is_given(&self) -> bool {
        self.ca_file.is_some() || self.pin.is_some() || self.insecure
    }

    pub(super) fn trust(self) -> Result<Trust, Problem> {
        match (self.ca_file, self.pin) {
            (Some(file), _) => Ok(Trust::CaFile(file)),
            (None, Some(pin)) => Trust::pin(&pin).map_err(Problem::input),
            (None, None) if self.insecure => Ok(Trust::Insecure),
            (None, None) => Ok(Trust::Native),
        }
    }
}

/// Where the console's token comes from: never from the command line, which every process of the machine can read.
#[derive(Debug, clap::Args)]
pub(super) struct Token {
    /// Takes the console's token from this file, which only its owner may read (`chmod 600`); without it, from the
    /// variable FAULTDECK_CONSOLE_SEC.
    #[arg(long, value_name = "FILE", group = BY_HAND)]
    sec_file: Option<PathBuf>,
}

impl Token {
    /// Whether a file is named.
    pub(super) fn is_given(&self) -> bool {
        self.sec_file.is_some()
    }

    /// The token, if there is one. From here on it is printed nowhere.
    ///
    /// # Errors
    /// If the file cannot be read, others can read it, or what it holds is no token.
    pub(super) fn read(&self) -> Result<Option<String>, Problem> {
        let (text, from) = match &self.sec_file {
            Some(file) => (Some(owners_own(file)?), file.display().to_string()),
            None => (env::var(SEC_VARIABLE).ok(), SEC_VARIABLE.to_owned()),
        };
        let Some(token) = text.map(|text| text.trim().to_owned()).filter(|token| !token.is_empty()) else {
            return match self.sec_file {
                Some(_) => Err(Problem::input(format!("{from} holds no token"))),
                None => Ok(None),
            };
        };
        output::learn(&token);
        if token.len() > SEC_MAX || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Problem::input(format!("what {from} holds is no token"))
                .help("a token is one word of ASCII characters, as the console shows it"));
        }
        Ok(Some(token))
    }
}

fn owners_own(file: &Path) -> Result<String, Problem> {
    let text =
        files::read_text(file, files::SMALL_MAX_BYTES).map_err(|error| Problem::file("read", file, error))?;
    let mode =
        std::fs::metadata(file).map_err(|error| Problem::file("read", file, error))?.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(Problem::input(format!("others than its owner may read {}", file.display()))
            .help(format!("chmod 600 {}", file.display())));
    }
    Ok(text)
}
