//! What a replay is made of, from the arguments of the verbs that replay.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use super::alike::AlikeTexts;
use super::faults::Faults;
use super::output;
use super::problem::Problem;
use super::stdin;
use crate::cassette::find::{Asker, find_within};
use crate::emulate;
use crate::judge;
use crate::profile::Profile;
use crate::redact::Redactor;
use crate::replay::{self, Auth, Clock, ConsoleMaker, Event, Evidence, MAIN, Outside, Served, Setup, Watch};
use crate::report::{LinePieces, greeted_line, refused_line, visible};
use crate::scenario::{Scenario, ScenarioError};
use crate::seed::Seed;

/// The flags that `replay` and `run` share.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Story {
    #[command(flatten)]
    pub(super) faults: Faults,
    /// Fixes every random draw: the same seed meets the same trouble.
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    pub(super) seed: Seed,
    /// So many seconds of the scenario pass in one: latencies, ticks and windows are shorter, and the ledger says what
    /// they would have been. The command of `run` finds it as FAULTDECK_TIME_SCALE. Limits of faultdeck's own stay.
    #[arg(long, value_name = "TIMES", default_value = "1",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(Clock::SCALE_MAX)))]
    pub(super) time_scale: u32,
    /// Answers requests that carry no credentials, too.
    #[arg(long)]
    pub(super) no_auth: bool,
    /// The largest cassette that is read: a number of bytes, or of KiB, MiB or GiB. Loaded it takes up to twice as much
    /// memory.
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    pub(super) max_cassette: u64,
}

/// `2GiB`, `300 MiB`, `1048576`; errors tell a size in MiB.
fn size(text: &str) -> Result<u64, String> {
    let units = [("KiB", 1024), ("MiB", 1024 * 1024), ("GiB", 1024 * 1024 * 1024)];
    let (digits, unit) = units
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))
        .unwrap_or((text, 1_u64));
    let number: Option<u64> = digits.trim_end().parse().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| *bytes >= 1024 * 1024)
        .ok_or_else(|| "write a size of 1MiB or more: 300MiB, 2GiB".to_owned())
}

impl Story {
    /// Everything a replay needs; `cassette` is what the command line names.
    ///
    /// # Errors
    /// If scenario or cassette cannot be had.
    pub(super) fn setup(
        &self,
        verb: &str,
        scenario: Option<Scenario>,
        cassette: Option<&str>,
    ) -> Result<Setup, Problem> {
        let profile = Profile::builtin();
        let scenario = self.faults.put_into(scenario)?.map(Arc::new);
        let auth = if self.no_auth { Auth::Off } else { Auth::Required };
        Ok(Setup {
            evidence: evidence(cassette, scenario.as_deref(), self.seed, auth, self.max_cassette)?,
            scenario,
            profile,
            seed: self.seed,
            auth,
            outside: Outside::Miss,
            redactor: Redactor::new(),
            verb: verb.to_owned(),
            session: MAIN.to_owned(),
            clock: Clock::scaled(NonZeroU32::new(self.time_scale).unwrap_or(NonZeroU32::MIN)),
        })
    }
}

/// A scenario whose names all exist.
///
/// # Errors
/// If it cannot be had, or `must.hold` names a property that there is not.
pub(super) fn open(argument: &str) -> Result<Scenario, Problem> {
    let scenario = match argument {
        stdin::ARGUMENT => stdin::scenario(),
        argument => Scenario::open(argument, Profile::builtin()),
    };
    named(scenario.map_err(with_names)?)
}

/// The scenarios that an argument names: one, or those of a folder (`task/`).
///
/// # Errors
/// As [`open`].
pub(super) fn open_all(argument: &str) -> Result<Vec<Scenario>, Problem> {
    if argument == stdin::ARGUMENT {
        return open(argument).map(|one| vec![one]);
    }
    let all = Scenario::open_all(argument, Profile::builtin()).map_err(with_names)?;
    all.into_iter().map(named).collect()
}

fn named(scenario: Scenario) -> Result<Scenario, Problem> {
    judge::resolve(&scenario).map_err(ScenarioError::Invalid)?;
    Ok(scenario)
}

fn with_names(error: ScenarioError) -> ScenarioError {
    match error {
        ScenarioError::Invalid(mistakes) => judge::with_names(mistakes).into(),
        error => error,
    }
}

/// What answers come from: the cassette the command line names, else what the scenario says; a file of at most `most`
/// bytes.
///
/// # Errors
/// If neither names anything, or there is no such cassette.
pub(super) fn evidence(
    argument: Option<&str>,
    scenario: Option<&Scenario>,
    seed: Seed,
    auth: Auth,
    most: u64,
) -> Result<Evidence, Problem> {
    let evidence = match argument {
        Some(argument) => replay::recorded(find_within(argument, Asker::CommandLine, most)?),
        None => replay::evidence_of(scenario, Some(console(seed, auth)), most)?,
    };
    if let Evidence::Cassette(material) = &evidence
        && let Some(unfinished) = &material.cassette().unfinished
    {
        remark_once(&visible(&format!("warning: {unfinished}")));
    }
    Ok(evidence)
}

/// Several scenarios may name one cassette.
fn remark_once(remark: &str) {
    static REMARKS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if REMARKS.lock().unwrap_or_else(PoisonError::into_inner).insert(remark.to_owned()) {
        output::note(remark);
    }
}

/// The small console in memory, made anew for each session.
fn console(seed: Seed, auth: Auth) -> ConsoleMaker {
    Arc::new(move || {
        let settings = emulate::Settings { seed, no_auth: auth == Auth::Off, ..emulate::Settings::default() };
        let mut console = emulate::Console::new(settings).expect("the default dialect is always there");
        Box::new(move |request| console.answer(request))
    })
}

/// Adds a line for a request; a session of its own is named as the client named it. What else happens has none.
fn add_line(event: &Event, known: &mut AlikeTexts<LinePieces>, text: &mut String) {
    match event {
        Event::Served { served, .. } => {
            let (alike, tick) = (served.alike(), served.times().tick);
            match alike.as_ref().and_then(|alike| known.get(alike)) {
                Some(pieces) => pieces.add(tick, text),
                None => {
                    // Made after it was asked what it is like: nothing that was known by then stands in it.
                    let pieces = pieces(served);
                    pieces.add(tick, text);
                    if let Some(alike) = alike {
                        let bytes = pieces.weight();
                        known.keep(alike, pieces, bytes);
                    }
                }
            }
        }
        Event::Refused(refused) => text.push_str(&output::clean(&refused_line(refused))),
        Event::Greeted(greeted) => text.push_str(&output::clean(&greeted_line(greeted))),
        Event::Opened(_) | Event::Performed { .. } => return,
    }
    text.push('\n');
}

/// The line about a request, without its tick and what is secret.
fn pieces(served: &Served) -> LinePieces {
    let exchange = served.brief();
    let session = exchange.key.session.as_str();
    let of_session = |start: &str| match session {
        MAIN => output::clean(start),
        session => output::clean(&format!("@{} {start}", visible(session))),
    };
    LinePieces::of(&exchange).map(of_session, output::clean)
}

/// Prints a line for each request, in passing.
pub(super) fn a_line_each() -> Watch {
    let lines = Arc::new(Mutex::new(AlikeTexts::default()));
    Arc::new(move |event| {
        let bytes = match event {
            Event::Served { served, .. } => served.weight(),
            Event::Refused(_) | Event::Greeted(_) => 512,
            Event::Opened(_) | Event::Performed { .. } => return,
        };
        let (event, lines) = (event.clone(), Arc::clone(&lines));
        output::in_passing_later(bytes, move |text| {
            add_line(&event, &mut lines.lock().unwrap_or_else(PoisonError::into_inner), text);
        });
    })
}

/// What stands for the evidence in the opening line.
pub(super) fn evidence_name(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Cassette(material) => {
            let cassette = material.cassette();
            let count = cassette.interactions.len();
            format!("cassette {} ({count} interaction{})", cassette.name, if count == 1 { "" } else { "s" })
        }
        Evidence::Console(_) => "the built-in console".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cassette::FILE_MAX_BYTES;
    use crate::message::Request;

    #[test]
    fn a_size_has_a_unit_or_is_bytes() {
        assert_eq!(size("2GiB"), Ok(2 << 30));
        assert_eq!((size("300 MiB"), size("1048576")), (Ok(300 << 20), Ok(1 << 20)));
        for none in ["", "0", "1023KiB", "2GB", "-1", "1.5GiB", "99999999999GiB"] {
            assert!(size(none).is_err(), "{none}");
        }
    }

    #[test]
    fn the_small_console_asks_for_credentials_unless_told_otherwise() {
        let text = "summary = \"x\"\nconsole = \"emulate\"\n";
        let scenario = Scenario::parse("x", "x.toml", text, Profile::builtin()).unwrap();
        let status = |auth| match evidence(None, Some(&scenario), Seed(1), auth, FILE_MAX_BYTES) {
            Ok(Evidence::Console(make)) => {
                make()(&Request::new("GET", "/api/forensics/case_management/cases")).status
            }
            Ok(Evidence::Cassette(_)) | Err(_) => 0,
        };
        assert_eq!((status(Auth::Required), status(Auth::Off)), (401, 200));
    }
}
