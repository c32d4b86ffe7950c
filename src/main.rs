//! The binary: starts the runtime, calls [`faultdeck::cli::main`], returns its exit code.

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

fn main() -> ExitCode {
    faultdeck::cli::guard_against_defects();
    let arguments: Vec<_> = std::env::args_os().collect();
    let client = AssertUnwindSafe(|| faultdeck::cli::client(&arguments));
    match std::panic::catch_unwind(client) {
        Ok(None) => verb(arguments),
        Ok(Some(code)) => code,
        Err(_) => faultdeck::cli::defect(),
    }
}

fn verb(arguments: Vec<std::ffi::OsString>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let run = || runtime.block_on(faultdeck::cli::main(arguments));
            let code =
                std::panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| faultdeck::cli::defect());
            // A thread that still waits for a stuck file or name look-up must not keep the program alive.
            runtime.shutdown_background();
            code
        }
        Err(error) => faultdeck::cli::cannot_start(&error),
    }
}
