//! The binary: starts the runtime, calls [`faultdeck::cli::main`], returns its exit code.

use std::io;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::runtime::{Builder, Runtime};

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
    match runtime() {
        Ok(runtime) => {
            // As a task of the runtime's own threads: whoever wakes it need not wake another thread.
            let run = async { tokio::spawn(faultdeck::cli::main(arguments)).await };
            let code = runtime.block_on(run).unwrap_or_else(|_| faultdeck::cli::defect());
            // A thread that still waits for a stuck file or name look-up must not keep the program alive.
            runtime.shutdown_background();
            code
        }
        Err(error) => faultdeck::cli::cannot_start(&error),
    }
}

/// Where memory is scarce, a runtime of several threads that gets only some of them panics in the midst of its start, and
/// waits for the others for ever. So it is tried before whether there are as many.
fn runtime() -> io::Result<Runtime> {
    let mut builder = match is_limited() && !gives_threads() {
        true => Builder::new_current_thread(),
        false => Builder::new_multi_thread(),
    };
    builder.enable_all().build()
}

/// Whether the address space has a limit (`ulimit -v`).
fn is_limited() -> bool {
    rustix::process::getrlimit(rustix::process::Resource::As).current.is_some()
}

/// Whether the threads of a runtime can be there at a time. What they take of the address space is kept for those that come
/// after them.
fn gives_threads() -> bool {
    let many = thread::available_parallelism().map_or(1, usize::from);
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock();
    let started: Vec<_> = (0..=many)
        .map(|_| {
            let gate = Arc::clone(&gate);
            // Each has memory of its own from the first piece that it asks for.
            thread::Builder::new().spawn(move || drop((Box::new(many), gate.lock().is_ok())))
        })
        .collect();
    drop(closed);
    let ended: Vec<bool> =
        started.into_iter().map(|thread| thread.is_ok_and(|thread| thread.join().is_ok())).collect();
    ended.into_iter().all(|is_well| is_well)
}
