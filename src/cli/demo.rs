//! `faultdeck demo`: the whole job in a few seconds, with no console at hand.

mod recording;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::faults::Faults;
use super::guard::Programs;
use super::problem::Problem;
use super::progress::{self, step};
use super::report::written;
use super::signals::Signals;
use super::{judge, output};
use crate::bundled::check_defects;
use crate::cassette::Cassette;
use crate::judge::{Budget, EvidenceOf, Judged, Plan};
use crate::ledger::{EndLine, Exit, Line, Reasons, Standing};
use crate::profile::Profile;
use crate::record;
use crate::redact::Redactor;
use crate::replay::{Evidence, Material};
use crate::report::{shell_word, visible};
use crate::scenario::Scenario;
use crate::seed::Seed;

/// Shows everything at once: records, replays under six scenarios, judges a careful and a careless client.
///
/// It starts the built-in console, records a case creation and its polling through the recording proxy, replays the
/// recording with trouble, and puts two bundled clients to it over real sockets. The verdicts, the recording, the
/// ledger and the reports go to a new temporary folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  faultdeck demo
  faultdeck demo --out demo-files
  faultdeck demo --defect zero-fill      # the careless client with one defect; `explain defects` lists them
  faultdeck demo --defect none           # without a defect it is the careful one: exit code 1

Exit codes: 0 if the careful client violates nothing and the careless one violates something, else 1.")]
pub(super) struct Args {
    /// Writes to this folder instead of a new temporary one; it must be empty or not there yet.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The careless client's defects: names with commas between, `all` or `none`.
    #[arg(long, value_name = "LIST", default_value = "all", value_parser = defects)]
    defect: String,
    /// Fixes every random draw.
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    seed: Seed,
}

/// The cassette's name, as the scenarios call it.
const CASSETTE: &str = "forensics/create-case";
/// The token of the recording; it must not be found in any file afterwards.
const TOKEN: &str = "demo-token-2f9c1d7a64";
/// Generated cases for each dialect of the API.
const CASES: u32 = 30;
/// Cases at a time. They spend their time waiting, so there are more than cores.
const JOBS: usize = 8;
/// How far a counter-example is shrunk here: enough for a small one, and the whole stays short.
const BUDGET: Budget = Budget { tries: 40, wall: Duration::from_secs(60) };

pub(super) async fn run(args: Args) -> Result<Exit, Problem> {
    let mut signals = Signals::listen()?;
    let _programs = Programs::begin();
    tokio::select! {
        biased;
        _ = signals.first() => {
            let mut reasons = Reasons::default();
            reasons.push(Exit::Inconclusive, "interrupted before the end");
            output::note(&reasons.because());
            Ok(reasons.exit())
        }
        exit = whole(&args) => exit,
    }
}

async fn whole(args: &Args) -> Result<Exit, Problem> {
    let out = folder(args.out.as_deref())?;
    step("recording a case creation from the built-in console, through the proxy");
    let file = out.join("cassettes").join(format!("{CASSETTE}.json"));
    let mut cassette = recording::recorded(&file, CASSETTE, TOKEN).await?;
    CASSETTE.clone_into(&mut cassette.name);
    let redactor = Redactor::new();
    redactor.learn(TOKEN);
    let evidence = evidence(cassette);

    // The recording dialled its console; from here on nobody dials.
    let dials = record::dials();
    let careful = judged("builtin:careful", &[], args, &out, &evidence, &redactor).await?;
    let further = ["--defect".to_owned(), args.defect.clone()];
    let careless = judged("builtin:careless", &further, args, &out, &evidence, &redactor).await?;

    let end = EndLine { dials: record::dials() - dials, ..sum(&careful.account, &careless.account) };
    let end = end.closed(weighed(&careful, &careless));
    let exit = end.exit;
    let lines = named(careful.lines, "careful").chain(named(careless.lines, "careless"));
    let lines = lines.chain([Line::End(end)]);
    let report = written(lines, &out, &redactor)?;
    output::data(&format!("{report}\n{}", next(&out, &file)))?;
    Ok(exit)
}

/// A new temporary folder, or the one asked for if there is nothing in it that could be lost.
fn folder(asked: Option<&Path>) -> Result<PathBuf, Problem> {
    let Some(folder) = asked else {
        let made = tempfile::Builder::new().prefix("faultdeck-demo-").tempdir();
        let made =
            made.map_err(|error| Problem::input(format!("cannot make a temporary folder: {error}")))?;
        return Ok(made.keep());
    };
    fs::create_dir_all(folder).map_err(|error| Problem::file("make", folder, error))?;
    let mut inside = fs::read_dir(folder).map_err(|error| Problem::file("read", folder, error))?;
    if inside.next().is_some() {
        return Err(Problem::input(format!("{} is not empty", folder.display()))
            .help("name another folder; nothing is overwritten here"));
    }
    Ok(folder.to_owned())
}

/// The recording answers under every scenario.
fn evidence(cassette: Cassette) -> Arc<EvidenceOf> {
    let material = Arc::new(Material::new(cassette, Profile::builtin()));
    Arc::new(move |_| Ok(Evidence::Cassette(Arc::clone(&material))))
}

async fn judged(
    client: &str,
    further: &[String],
    args: &Args,
    out: &Path,
    evidence: &Arc<EvidenceOf>,
    redactor: &Redactor,
) -> Result<Judged, Problem> {
    let mut plan = Plan::new(Arc::clone(evidence));
    plan.repeat = Some(judge::repeat(client, &Faults::default(), &[]));
    // What is recorded here answers the stories; the others have recordings of their own.
    plan.scenarios.retain(|scenario| Scenario::stories().iter().any(|(name, _)| *name == scenario.name));
    plan.cases = CASES;
    plan.seed = args.seed;
    plan.budget = BUDGET;
    plan.jobs = JOBS;
    plan.found = Some(out.join("scenarios").join("found"));
    plan.redactor = redactor.clone();
    "demo".clone_into(&mut plan.verb);
    let program = judge::open(client)?.with_arguments(further);
    let progress_of = progress::quiet_teller(client.trim_start_matches("builtin:"));
    Ok(crate::judge::judge(&plan, &program, &progress_of).await?)
}

/// Two clients go through sessions of the same names; in one ledger they are told apart.
fn named(lines: Vec<Line>, client: &'static str) -> impl Iterator<Item = Line> {
    lines.into_iter().map(move |mut line| {
        let name = |session: &mut String| session.insert_str(0, &format!("{client}/"));
        match &mut line {
            Line::Run(run) => name(&mut run.session),
            Line::Exchange(exchange) => name(&mut exchange.key.session),
            Line::Refused(refused) => name(&mut refused.session),
            Line::Greeted(greeted) => name(&mut greeted.session),
            Line::Timing(timing) => name(&mut timing.key.session),
            Line::Outcome(outcome) => name(&mut outcome.session),
            Line::Verdict(verdict) => verdict.session.iter_mut().for_each(name),
            Line::Ran(_) | Line::Coverage(_) | Line::Seen(_) | Line::Gap(_) | Line::End(_) => {}
        }
        line
    })
}

/// Both clients met the same scenarios, so a fault never fired if it did for neither.
fn sum(one: &EndLine, other: &EndLine) -> EndLine {
    let mut both =
        EndLine { sum: one.sum, lost_lines: one.lost_lines + other.lost_lines, ..EndLine::default() };
    both.sum += other.sum;
    both.never_fired =
        one.never_fired.iter().filter(|name| other.never_fired.contains(name)).cloned().collect();
    let more = other.in_force.iter().filter(|planned| !one.in_force.contains(planned));
    both.in_force = one.in_force.iter().chain(more).cloned().collect();
    both
}

/// The careful client must violate nothing and leave nothing open, the careless one must be caught.
fn weighed(careful: &Judged, careless: &Judged) -> Reasons {
    let violates =
        |judged: &Judged| judged.verdicts.iter().any(|verdict| verdict.verdict == Standing::Violated);
    let mut reasons = Reasons::default();
    match (violates(careful), violates(careless)) {
        (true, _) => reasons.push(Exit::Failed, "the careful client violates a property"),
        (false, false) => {
            reasons.push(Exit::Failed, "the careless client violates nothing: there was nothing to catch");
        }
        (false, true) => {
            reasons.push(Exit::Passed, "the careful client violates nothing, the careless one is caught");
        }
    }
    for open in careful.account.reasons.iter().filter(|reason| reason.exit == Exit::Inconclusive) {
        reasons.push(open.exit, format!("the careful client: {}", open.why));
    }
    reasons
}

/// What was written, and what to try next.
fn next(out: &Path, cassette: &Path) -> String {
    let shown = |path: &Path| shell_word(&visible(&path.display().to_string()));
    let mut text = format!(
        "Written to {}: the cassette, counter-examples below scenarios/found, ledger.jsonl, report.txt, report.json, \
         report.xml\n\nWhat to try next:\n  \
         faultdeck replay {} --scenario builtin:slow-host\n  \
         faultdeck run --scenario builtin:partial-completion -- YOUR TEST COMMAND\n  \
         faultdeck judge builtin:careless\n  \
         faultdeck explain creates-once\n",
        shown(out),
        shown(cassette)
    );
    if let Some(program) = not_on_path() {
        text.push_str(&format!(
            "faultdeck is {} here; `cargo install --path .` puts it on your path.\n",
            shown(&program)
        ));
    }
    text
}

/// This program, if a shell would not find it by its name.
fn not_on_path() -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    let folder = program.parent()?.to_owned();
    let path = env::var_os("PATH").unwrap_or_default();
    (!env::split_paths(&path).any(|each| each == folder)).then_some(program)
}

fn defects(list: &str) -> Result<String, String> {
    check_defects(list).map(|()| list.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Reason, Sum, VerdictLine};

    fn judged(verdict: Standing, never_fired: &[&str]) -> Judged {
        let line = VerdictLine {
            property: "terminates".into(),
            scenario: "s".into(),
            client: "c".into(),
            verdict,
            required: true,
            because: String::new(),
            evidence: vec![],
            cases: 1,
            session: None,
            found: None,
            repeat: None,
            rests_on: None,
            known: None,
        };
        let never_fired: Vec<String> = never_fired.iter().map(|name| (*name).to_owned()).collect();
        let account = EndLine { sum: Sum { served: 1, ..Sum::default() }, never_fired, ..EndLine::default() };
        let mut reasons = Reasons::default();
        account.weigh("nothing", &mut reasons);
        Judged { lines: vec![], verdicts: vec![line], account: account.closed(reasons) }
    }

    #[test]
    fn a_demo_passes_if_the_careless_is_caught_and_the_careful_left_nothing_open() {
        let (held, violated) = (Standing::Held, Standing::Violated);
        let exit = |careful, careless| weighed(&careful, &careless).exit();
        assert_eq!(exit(judged(held, &[]), judged(violated, &["s: late"])), Exit::Passed);
        assert_eq!(exit(judged(held, &["s: late"]), judged(violated, &[])), Exit::Inconclusive);
        assert_eq!(exit(judged(held, &[]), judged(held, &[])), Exit::Failed);
        assert_eq!(exit(judged(violated, &["s: late"]), judged(violated, &[])), Exit::Failed);
    }

    #[test]
    fn both_clients_are_added_up_and_a_fault_that_one_met_has_fired() {
        let (one, other) = (judged(Standing::Held, &["a", "b"]), judged(Standing::Held, &["b"]));
        let both = sum(&one.account, &other.account);
        assert_eq!((both.sum.served, both.never_fired), (2, vec!["b".to_owned()]));
        assert_eq!(both.reasons, Vec::<Reason>::new(), "they are weighed anew");
    }
}
