//! `faultdeck man`: the manual, made of the same definition as `--help`.

use std::fs;
use std::path::PathBuf;

use super::output;
use super::problem::Problem;
use crate::ledger::Exit;

/// Prints the manual page, or writes one for each verb.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck man | man -l -                       # reads it at once
  faultdeck man --out ~/.local/share/man/man1    # then: man faultdeck-run")]
pub(super) struct Args {
    /// Writes a page for the program and one for each verb to this folder: `faultdeck.1`, `faultdeck-run.1`, ... Without it
    /// the page of the program goes to standard output.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Result<Exit, Problem> {
    match args.out {
        Some(folder) => fs::create_dir_all(&folder)
            .and_then(|()| clap_mangen::generate_to(super::command(), &folder))
            .map_err(|error| Problem::file("write manual pages to", &folder, error))?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(super::command().disable_help_subcommand(true))
                .render(&mut page)
                .map_err(|error| Problem::input(format!("cannot make the manual page: {error}")))?;
            output::data(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(Exit::Passed)
}
