//! `faultdeck client`: the bundled clients, as programs of their own. Hidden: `judge` and `demo` start them.

use std::env;
use std::ffi::OsString;
use std::io;

use crate::bundled;

/// Runs a bundled client, careful or careless, as an ordinary program: it reads its own arguments and waits for its
/// answers. Gives back its own exit code, which means something else than faultdeck's.
pub(super) fn run(arguments: &[OsString]) -> u8 {
    bundled::run(arguments, &|name| env::var_os(name), &mut io::stdout().lock(), &mut io::stderr().lock())
}
