//! `faultdeck record`: a proxy between a client and a console that keeps what crosses the wire.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::console::Console;
use super::listen::Listen;
use super::output;
use super::problem::Problem;
use super::redacting::Redacting;
use super::signals::Signals;
use crate::cassette::find;
use crate::ledger::Exit;
use crate::record::{
    CONSOLE_TIMEOUT, Event, Existing, Passed, Recorder, Settings, Summary, Syncing, Trust, Upstream,
};
use crate::redact::Redactor;
use crate::report::{shell_word, visible};

/// Records what a client and a console say to each other, until Ctrl-C.
///
/// Point the client at the URL printed on standard output instead of the console. GET, HEAD and OPTIONS pass; anything that
/// writes is refused unless it is allowed by name: it is somebody's production console.
///
/// Credentials become placeholders before anything reaches the disk: what stands under a name like `token` or `password`
/// in a header, parameter, body or text, and what was seen there wherever else it stands, in any usual encoding. So do
/// the console's own name and address, and all users, hosts, addresses and mail addresses, by the names they stand under
/// or by their looks; `keep = ["hosts"]` in a `redact.toml` leaves a kind alone (users, hosts, addresses, mails, or
/// customer-data for all). Name what else is not to be kept with --redact. An answer that cannot be searched, such as a
/// picture or an archive, is passed on and not stored.
///
/// While it runs, interactions go to a journal beside the cassette (`mine.journal` for `mine.json`), synced in groups at
/// most 50 ms apart; at the end the cassette is made of it. A recording that is cut short, whatever by, leaves its journal:
/// the next `record` to the same cassette goes on with what is in it, and `lint --fix` makes the cassette of it.
///
/// The console is tried before it starts: a connection, and the TLS handshake with https; no request is sent. If that
/// fails the reason is shown, and the recording waits for the console to come up.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck record --upstream https://console.example --cassette forensics/create-case
  faultdeck record --upstream https://10.1.2.3 --pin sha256:... --cassette my.json --overwrite \\
      --allow-writes cases.post
  faultdeck record --upstream https://console.example --cassette mine --redact customer_name \
      --redact /data/*/owner --redact 'regex:CUST-[0-9]+'

Exit codes: 0 recorded, 1 an answer could not be read or not be stored, or the file could not be saved, 2 wrong input
(the cassette exists, or another process records to it, for instance), 3 nothing was recorded, the console was not
reached, or a request was turned away. With the variable CI set it runs only with --overwrite.")]
pub(super) struct Args {
    /// The console: https://HOST or https://HOST:PORT (or http), without a path.
    #[arg(long, value_name = "URL")]
    upstream: String,
    /// The cassette to write: a name below `cassettes/`, or a `.json` file.
    #[arg(long, value_name = "NAME|FILE")]
    cassette: String,
    /// Replaces a cassette that is there already, at the end. What a recording that was cut short has left in its journal
    /// is gone on with all the same.
    #[arg(long)]
    overwrite: bool,
    /// Lets this endpoint write: `cases.post`, `DELETE /api/ariel/searches/{search_id}`, or any method and path, in which
    /// `*` is one segment and `**` any number: `POST /api/reference_data/**`. Can be given several times.
    #[arg(long, value_name = "ENDPOINT")]
    allow_writes: Vec<String>,
    /// Lets a page of this site send requests through a browser: `http://app.example`. Others are refused, because there
    /// is a real console behind this. Can be given several times.
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// How long the console may take for each step: to take the connection (with the TLS handshake), to take the
    /// request, to send the whole head of its answer, and between two pieces of the body.
    #[arg(long, value_name = "SECONDS", default_value_t = CONSOLE_TIMEOUT.as_secs(),
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    console_timeout: u64,
    /// When an answer is called recorded: `grouped` syncs many interactions at one time and lets nobody wait; `always` holds
    /// the end of each answer until its interaction is synced, and breaks the answer off if it cannot be.
    #[arg(long, value_name = "HOW", default_value = "grouped")]
    sync: How,
    /// Appends a line to this file after each sync: how many interactions are committed, that is, safe in the journal
    /// whatever happens to this program.
    #[arg(long, value_name = "FILE")]
    committed_file: Option<PathBuf>,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    redacting: Redacting,
    #[command(flatten)]
    listen: Listen,
}

/// The values of `--sync`.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum How {
    Grouped,
    Always,
}

impl From<How> for Syncing {
    fn from(how: How) -> Self {
        match how {
            How::Grouped => Self::Grouped,
            How::Always => Self::Always,
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
    let upstream = Upstream::parse(&args.upstream).map_err(Problem::input)?;
    args.listen.the_one = Some(upstream.the_one());
    let settings = Settings {
        existing: if args.overwrite { Existing::Overwrite } else { Existing::Refuse },
        allow_writes: args.allow_writes,
        trust: args.console.trust()?,
        console_timeout: Duration::from_secs(args.console_timeout),
        redactor: Redactor::new().with_rules(args.redacting.rules(&cassette)?),
        name: name_of(&args.cassette),
        syncing: args.sync.into(),
        committed_file: args.committed_file,
        ..Settings::new(upstream, cassette)
    };
    if matches!(settings.trust, Trust::Insecure) {
        output::note("warning: any certificate is believed; the cassette says so");
    }
    let start = format!("recording {} to {}; stop with Ctrl-C", args.upstream, settings.cassette.display());
    let is_quiet = args.listen.is_quiet();
    let recorder = Arc::new(
        Recorder::new(settings, Some(Arc::new(move |event| show(event, is_quiet))))
            .map_err(Problem::input)?,
    );
    tokio::select! {
        biased;
        _ = signals.first() => {}
        probed = recorder.probe() => if let Err(error) = probed {
            output::note(&shown(&format!("warning: {error}")));
            output::note(&format!("help: {}; each request tries again", error.help()));
        },
    }
    let server = args.listen.start(Arc::clone(&recorder), |url| recorder.set_base(url)).await?;
    output::note(&visible(&start));
    let _ = signals.first().await;
    server.stop().await;
    recorder.settle().await;
    // What could not be stored is the user's loss, not a mistake of theirs: exit code 1.
    let summary = match recorder.finish() {
        Ok(summary) => summary,
        Err(error) => {
            show_losses(&recorder.summary());
            return Err(Problem::failed(format!("the recording could not be saved: {error}")));
        }
    };
    Ok(account(&summary, &args.cassette))
}

/// A line for each request, unless it is to be quiet, and for what is remarkable.
fn show(event: &Event, is_quiet: bool) {
    match event {
        Event::Passed(_) if is_quiet => {}
        Event::Passed(Passed { method, target, status, what }) => {
            output::in_passing(&shown(&format!("{method} {target} -> {status} {what}")));
        }
        Event::Remark(remark) => output::in_passing(&shown(&format!("warning: {remark}"))),
        Event::Note(note) => output::note(&shown(note)),
    }
}

/// Made visible line by line: what a refused certificate says about itself stands on several.
fn shown(text: &str) -> String {
    let mut lines = text.lines().map(visible);
    let mut shown = lines.next().unwrap_or_default().into_owned();
    for line in lines {
        shown.push_str("\n    ");
        shown.push_str(&line);
    }
    shown
}

/// The name a cassette goes by: the argument, or a file's stem.
fn name_of(argument: &str) -> String {
    let path = std::path::Path::new(argument);
    match path.file_stem() {
        Some(stem) if argument.ends_with(".json") => stem.to_string_lossy().into_owned(),
        _ => argument.to_owned(),
    }
}

/// Shows what the recording came to. Every request that was let through is in the cassette, or the exit says so.
fn account(summary: &Summary, name: &str) -> Exit {
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
    show_losses(summary);
    if summary.stored == 0 {
        output::note("nothing was recorded");
    }
    summary.weigh().exit()
}

fn show_losses(summary: &Summary) {
    let lost = [
        (summary.refused_writes, "not allowed to write (see --allow-writes)"),
        (summary.refused, "turned away: see above"),
        (summary.unreachable, "did not reach the console"),
        (summary.unanswered, "sent without an answer that could be read whole"),
        (summary.not_stored, "answered, but not stored"),
    ];
    if summary.damaged > 0 {
        let many = if summary.damaged == 1 { "entry" } else { "entries" };
        output::note(&format!("{} damaged {many} of a journal", summary.damaged));
    }
    for (count, what) in lost.iter().filter(|(count, _)| *count > 0) {
        output::note(&format!("{count} request{} {what}", if *count == 1 { "" } else { "s" }));
    }
    for reason in &summary.reasons {
        output::note(&format!("  {}", shown(reason)));
    }
}
