//! `faultdeck completions`: what a shell needs to complete faultdeck's command line.

use clap_complete::Shell;

use super::output;
use super::problem::Problem;
use crate::ledger::Exit;

/// Prints a completion script for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck completions bash > ~/.local/share/bash-completion/completions/faultdeck
  faultdeck completions zsh > ~/.zfunc/_faultdeck
  faultdeck completions fish > ~/.config/fish/completions/faultdeck.fish")]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(args: Args) -> Result<Exit, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "faultdeck", &mut script);
    output::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Passed)
}
