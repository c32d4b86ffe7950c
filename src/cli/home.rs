//! Where faultdeck keeps what outlives a run: the certificate authorities of `--tls`.

use std::env;
use std::path::PathBuf;

use super::problem::Problem;

/// `FAULTDECK_HOME`, else `faultdeck` below `XDG_DATA_HOME`, else `~/.local/share/faultdeck`.
///
/// # Errors
/// If none of the three is set.
pub(super) fn folder() -> Result<PathBuf, Problem> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("FAULTDECK_HOME")
        .or_else(|| set("XDG_DATA_HOME").map(|folder| folder.join("faultdeck")))
        .or_else(|| set("HOME").map(|folder| folder.join(".local").join("share").join("faultdeck")))
        .ok_or_else(|| {
            Problem::input("there is no folder to keep a certificate authority in")
                .help("set FAULTDECK_HOME to a folder of your own")
        })
}
