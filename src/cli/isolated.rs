//! `--isolate`: a command that can reach its replay alone, under the console's own name.

use std::env;

use super::home;
use super::problem::Problem;
use crate::client::child::room::Tools;
use crate::run::{ConsoleName, Isolation};
use crate::serve::tls::Identity;

/// What the replay is called if nobody says it.
const CONSOLE: &str = "console.example:443";

/// `--isolate` and what belongs to it.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Isolated {
    /// Runs the command in a network of its own, in which it reaches the replay alone, under the console's own name and port
    /// (--as), over https: a client whose host stands in its code needs no change. What else it dials fails at once, and is
    /// told. Linux, where user namespaces are allowed.
    #[arg(long, conflicts_with_all = ["tls", "proxy"])]
    isolate: bool,
    /// The name (or address) and port by which the command reaches the replay.
    #[arg(long = "as", value_name = "HOST[:PORT]", requires = "isolate", default_value = CONSOLE)]
    console: ConsoleName,
}

impl Isolated {
    /// Whether it is asked for.
    pub(super) fn is_asked_for(&self) -> bool {
        self.isolate
    }

    /// The flags, to repeat a command with.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.isolate {
            words.push("--isolate".to_owned());
        }
        if self.isolate && self.console.to_string() != CONSOLE {
            words.extend(["--as".to_owned(), self.console.to_string()]);
        }
        words
    }

    /// How the command is kept, if it is to be.
    ///
    /// # Errors
    /// If this system has not what it takes.
    pub(super) fn isolation(&self) -> Result<Option<Isolation>, Problem> {
        if !self.isolate {
            return Ok(None);
        }
        let own =
            env::current_exe().map_err(|error| Problem::input(format!("cannot find myself: {error}")))?;
        let folder = env::current_dir()
            .map_err(|error| Problem::input(format!("cannot find the folder that this is: {error}")))?;
        Ok(Some(Isolation { tools: Tools::find(own, folder)?, console: self.console.clone() }))
    }
}

/// The certificate for the console's name.
///
/// # Errors
/// If it cannot be made.
pub(super) fn identity(isolation: &Isolation) -> Result<Identity, Problem> {
    let names = [isolation.console.host().to_owned()];
    Identity::for_names(&home::folder()?.join("ca"), &names).map_err(Problem::input)
}
