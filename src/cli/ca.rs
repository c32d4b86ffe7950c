//! `faultdeck ca`: the certificate authority that a client of `--tls` has to trust.

use std::path::Path;

use super::home;
use super::output;
use super::problem::Problem;
use super::settings::BY_HAND;
use crate::ledger::Exit;
use crate::report::visible;
use crate::serve::Proxy;
use crate::serve::tls::{self, Identity};

/// Prints the certificate authority's file, and what makes a client trust it.
///
/// It is made on first use, for the loopback names and those of `--tls-name`, and vouches for no others; that of a proxy
/// (`--proxy`) vouches for every name, so trust it in one shell and nowhere else. None is ever added to a trust store.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck ca                                # for `replay --tls`
  faultdeck ca --tls-name qradar.example.com  # for `replay --tls --tls-name qradar.example.com`
  curl --cacert \"$(faultdeck ca 2> /dev/null)\" https://127.0.0.1:PORT/api/help/versions
  faultdeck ca --proxy                        # for `replay --proxy` and `emulate --proxy`
  faultdeck ca forget                         # removes all of them, and their keys")]
pub(super) struct Args {
    /// A name of the console beside the loopback ones. Can be given several times.
    #[arg(long, value_name = "NAME", group = BY_HAND)]
    tls_name: Vec<String>,
    /// That of `replay --proxy` and `emulate --proxy`. `run --proxy` has one of its own each time, and hands it on.
    #[arg(long, conflicts_with = "tls_name", group = BY_HAND)]
    proxy: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Removes every certificate authority that was made, with its key. Clients that trusted one trust nothing by it.
    Forget,
}

pub(super) fn run(args: &Args) -> Result<Exit, Problem> {
    let folder = home::folder()?.join("ca");
    match args.verb {
        None => show(args, &folder),
        Some(Verb::Forget) => {
            let forgotten = tls::forget(&folder);
            let forgotten = forgotten.map_err(|error| Problem::file("clear", &folder, error))?;
            let many = if forgotten == 1 { "certificate authority" } else { "certificate authorities" };
            let folder = folder.display().to_string();
            let where_they_were = visible(&folder);
            output::note(&format!("{forgotten} {many} removed from {where_they_were}"));
            Ok(Exit::Passed)
        }
    }
}

fn show(args: &Args, folder: &Path) -> Result<Exit, Problem> {
    let ca_file = match args.proxy {
        true => Proxy::for_any(folder).map(|proxy| proxy.ca_file().unwrap_or_default()),
        false => Identity::for_names(folder, &args.tls_name).map(|identity| identity.ca_file),
    };
    let ca_file = ca_file.map_err(Problem::input)?;
    output::data(&format!("{}\n", ca_file.display()))?;
    output::note("make a client trust it, and nothing else more:");
    for (client, line) in tls::trust_lines(&ca_file) {
        output::note(&visible(&format!("  {client:<7} {line}")));
    }
    if args.proxy {
        output::note("and ask its proxy, at the URL that it prints:");
        output::note(
            "  most    export HTTP_PROXY=URL HTTPS_PROXY=URL http_proxy=URL NO_PROXY=127.0.0.1,localhost,::1",
        );
        output::note("  Java    -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=PORT, in JAVA_TOOL_OPTIONS");
    }
    Ok(Exit::Passed)
}
