//! What the verbs that start programs see to: none of them is left behind, however this process ends.

use std::env;
use std::io;

use crate::client::child::{self, Guard};
use crate::ledger::Exit;

/// Ends the programs that a killed faultdeck has left behind: it waits for the end of its input, which is that of the
/// process that started it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name that the run gave itself.
    run: String,
}

pub(super) fn run(args: &Args) -> Exit {
    // Nothing is ever written there; an error is an end, too.
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    child::end_orphans_of(&args.run);
    Exit::Passed
}

/// Held by a verb for as long as it starts programs. All that descends from them has ended when this is dropped.
#[derive(Debug)]
pub(super) struct Programs {
    _guard: Option<Guard>,
}

impl Programs {
    /// From here on this process answers for all that descends from it.
    pub(super) fn begin() -> Self {
        child::take_charge();
        // Without a guard all is well unless somebody kills this process with -9: no reason to do nothing at all.
        let guard = env::current_exe().ok().and_then(|own| Guard::start(&[own.into(), "guard".into()]).ok());
        Self { _guard: guard }
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        child::end_all();
    }
}
