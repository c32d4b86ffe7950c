//! The first half of the demo: a recording, made as a user makes one.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::cassette::Cassette;
use crate::cli::problem::Problem;
use crate::client::child::{self, Ending, Environment};
use crate::emulate::{Console, Emulator, Settings};
use crate::record::{self, Recorder, Upstream};
use crate::redact::Redactor;
use crate::seed::Seed;
use crate::serve::{Options, Server};

/// How long the recording client may take; it needs a fraction of it.
const DEADLINE: Duration = Duration::from_secs(10);

/// Starts the built-in console and the recording proxy, sends the careful client on its tour through both, and gives
/// back what was recorded to `file`.
///
/// # Errors
/// If anything on the way fails.
pub(super) async fn recorded(file: &Path, name: &str, token: &str) -> Result<Cassette, Problem> {
    let settings = Settings { seed: Seed(1), ..Settings::default() };
    let console = Console::new(settings).map_err(Problem::input)?;
    let console = Server::start(Options::default(), Arc::new(Emulator::new(console))).await;
    let console = console.map_err(Problem::input)?;

    let redactor = Redactor::new();
    redactor.learn(token);
    let upstream = Upstream::parse(&console.url()).map_err(Problem::input)?;
    let settings = record::Settings {
        allow_writes: vec!["cases.post".to_owned()],
        redactor,
        name: name.to_owned(),
        ..record::Settings::new(upstream, file)
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| Problem::file("make", folder, error))?;
    }
    let recorder = Arc::new(Recorder::new(settings, None).map_err(Problem::input)?);
    let proxy = Server::start(Options::default(), Arc::clone(&recorder)).await.map_err(Problem::input)?;
    recorder.set_base(&proxy.url());

    let toured = tour(&proxy.url(), token).await;
    proxy.stop().await;
    console.stop().await;
    recorder.finish().map_err(Problem::failed)?;
    toured?;
    Ok(Cassette::load(file)?)
}

/// Runs the bundled client that looks at the cases, creates one, polls its task to the end, and looks again.
async fn tour(url: &str, token: &str) -> Result<(), Problem> {
    let program =
        env::current_exe().map_err(|error| Problem::input(format!("cannot find this program: {error}")))?;
    let words = ["client", "careful", "tour", "--base", url, "--name", "CASE1", "--pace-ms", "1"];
    let mut environment = Environment::clean(env::vars_os());
    environment.set("SEC_TOKEN", token);
    let command = child::Command {
        argv: std::iter::once(program.into_os_string()).chain(words.map(Into::into)).collect(),
        environment,
        deadline: Some(DEADLINE),
        ..child::Command::default()
    };
    let finished = child::run(&command).await.map_err(Problem::failed)?;
    match finished.ending {
        Ending::Exited(0) => Ok(()),
        _ => Err(Problem::failed(format!(
            "the recording client did not get through: {}{}",
            finished.stdout.text(),
            finished.stderr.text()
        ))),
    }
}
