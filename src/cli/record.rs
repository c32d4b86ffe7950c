//! `faultdeck record`: a proxy between a client and a console that keeps what crosses the wire.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use super::listen::Listen;
use super::output;
use super::problem::Problem;
use super::redacting::Redacting;
use super::signals::Signals;
use crate::cassette::find;
use crate::ledger::Exit;
use crate::profile::Profile;
use crate::record::{Existing, Passed, Recorder, Settings, Summary, Trust, Upstream};
use crate::redact::Redactor;
use crate::report::{shell_word, visible};

/// Records what a client and a console say to each other, until Ctrl-C.
///
/// Point the client at the URL printed on standard output instead of the console. GET and HEAD pass; anything that
/// writes is refused unless it is allowed by name: it is somebody's production console.
///
/// Credentials become placeholders before anything reaches the disk: what stands under a name like `token` or `password`
/// in a header, parameter, body or text, and what was seen there wherever else it stands, in any usual encoding. So do
/// the console's own name and address, and the users of cases. Other customer data (names in events, addresses) stays;
/// name it with --redact. An answer that cannot be searched, such as a picture or an archive, is passed on and not
/// stored. The cassette is saved every two seconds and at the end.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck record --upstream https://console.example --cassette forensics/create-case
  faultdeck record --upstream https://10.1.2.3 --pin sha256:... --cassette my.json --overwrite \\
      --allow-writes cases.post
  faultdeck record --upstream https://console.example --cassette mine --redact customer_name \
      --redact /data/*/owner --redact 'regex:CUST-[0-9]+'

Exit codes: 0 recorded, 1 something could not be stored, 2 wrong input (the cassette exists, for instance),
3 nothing was recorded. With the variable CI set it runs only with --overwrite.")]
pub(super) struct Args {
    /// The console: https://HOST or https://HOST:PORT (or http), without a path.
    #[arg(long, value_name = "URL")]
    upstream: String,
    /// The cassette to write: a name below `cassettes/`, or a `.json` file.
    #[arg(long, value_name = "NAME|FILE")]
    cassette: String,
    /// Replaces a cassette that is there already.
    #[arg(long)]
    overwrite: bool,
    /// Lets this endpoint write: `cases.post`, or its full id, or `METHOD /api/path`. Can be given several times.
    #[arg(long, value_name = "ENDPOINT")]
    allow_writes: Vec<String>,
    /// Lets a page of this site send requests through a browser: `http://app.example`. Others are refused, because there
    /// is a real console behind this. Can be given several times.
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    redacting: Redacting,
    #[command(flatten)]
    listen: Listen,
}

/// Whose certificate is believed.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "The console's certificate")]
struct Console {
    /// Believes the certificates in this PEM file instead of the machine's own roots.
    #[arg(long, value_name = "FILE", group = "trust")]
    ca_file: Option<PathBuf>,
    /// Believes exactly the certificate with this fingerprint (a refused one is printed with its own).
    #[arg(long, value_name = "sha256:HEX", group = "trust")]
    pin: Option<String>,
    /// Believes any certificate. The cassette says so.
    #[arg(long, group = "trust")]
    insecure: bool,
}

impl Console {
    fn trust(self) -> Result<Trust, Problem> {
        match (self.ca_file, self.pin) {
            (Some(file), _) => Ok(Trust::CaFile(file)),
            (None, Some(pin)) => Trust::pin(&pin).map_err(Problem::input),
            (None, None) if self.insecure => Ok(Trust::Insecure),
            (None, None) => Ok(Trust::Native),
        }
    }
}

pub(super) async fn run(mut args: Args) -> Result<Exit, Problem> {
    if !args.overwrite && env::var_os("CI").is_some_and(|ci| !ci.is_empty()) {
        return Err(Problem::input(
            "this is CI (the variable CI is set), where nothing is recorded by accident",
        )
        .help("add `--overwrite` if the cassette is to be made here"));
    }
    let mut signals = Signals::listen()?;
    args.listen.origins.append(&mut args.allow_origin);
    let cassette = find::file_to_write(&args.cassette)?;
    let settings = Settings {
        upstream: Upstream::parse(&args.upstream).map_err(Problem::input)?,
        name: name_of(&args.cassette),
        existing: if args.overwrite { Existing::Overwrite } else { Existing::Refuse },
        allow_writes: args.allow_writes,
        trust: args.console.trust()?,
        profile: Profile::builtin(),
        redactor: Redactor::new().with_rules(args.redacting.rules(&cassette)?),
        cassette,
    };
    if matches!(settings.trust, Trust::Insecure) {
        output::note("warning: any certificate is believed; the cassette says so");
    }
    let upstream = args.upstream;
    let told_start = format!("recording {upstream} to {}; stop with Ctrl-C", settings.cassette.display());
    let watch = Arc::new(|passed: &Passed| {
        let Passed { method, target, status, what } = passed;
        output::note(&shown(&format!("{method} {target} -> {status} {what}")));
    });
    let recorder = Arc::new(Recorder::new(settings, Some(watch)).map_err(Problem::input)?);
    let server = args.listen.start(Arc::clone(&recorder), |url| recorder.set_base(url)).await?;
    output::note(&visible(&told_start));
    tokio::select! {
        biased;
        _ = signals.first() => {}
        () = recorder.keep_saving() => {}
    }
    server.stop().await;
    // What could not be stored is the user's loss, not a mistake of theirs: exit code 1.
    let summary = recorder.finish().map_err(Problem::failed)?;
    Ok(told(&summary, &args.cassette))
}

/// Made visible line by line: what a refused certificate says about itself stands on several.
fn shown(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n    ")
}

/// The name a cassette goes by: the argument, or a file's stem.
fn name_of(argument: &str) -> String {
    let path = std::path::Path::new(argument);
    match path.file_stem() {
        Some(stem) if argument.ends_with(".json") => stem.to_string_lossy().into_owned(),
        _ => argument.to_owned(),
    }
}

/// Says what the recording came to.
fn told(summary: &Summary, name: &str) -> Exit {
    let many = |count: usize| if count == 1 { "" } else { "s" };
    let file = summary.path.display().to_string();
    if summary.stored > 0 {
        output::note(&format!(
            "{} interaction{} in {}",
            summary.stored,
            many(summary.stored),
            visible(&file)
        ));
        output::note(&format!("replay it: faultdeck replay {}", shell_word(&visible(name))));
    }
    let lost = [
        (summary.refused_writes, "not allowed to write (see --allow-writes)"),
        (summary.unreachable, "did not reach the console"),
        (summary.not_stored, "could not be stored"),
    ];
    for (count, what) in lost.iter().filter(|(count, _)| *count > 0) {
        output::note(&format!("{count} request{} {what}", if *count == 1 { "" } else { "s" }));
    }
    for reason in &summary.reasons {
        output::note(&format!("  {}", shown(reason)));
    }
    if summary.stored == 0 {
        output::note("nothing was recorded");
    }
    summary.weigh().exit()
}
