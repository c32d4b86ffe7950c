//! One case put to a client: the job it is given, how its runs follow each other, and all that is kept of them.

use std::sync::Arc;

use super::kept::Kept;
use super::ports::Ports;
use super::slot::Slot;
use super::turns::Turns;
use crate::client::{Client, Job};
use crate::judge::case::{Case, Given, Run};
use crate::judge::law::Property;
use crate::judge::verdict::Verdict;
use crate::ledger::{EndLine, Line};
use crate::profile::Taken;
use crate::redact::Redactor;
use crate::replay::Evidence;
use crate::serve::tls::Identity;

/// The token every client under test is given. It is no secret; it is there to be found where it must not be.
pub(super) const TOKEN: &str = "faultdeck-judge-token-7f3a9c";

/// Who logs in where a client's file asks for a user, and with what. No secrets either.
const USER: &str = "judge";
pub(super) const PASSWORD: &str = "faultdeck-judge-password-b1c7e2";
/// A case waiting to be put to a client.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    /// Its name in ledgers, unique in a run.
    pub(super) label: String,
    /// The case.
    pub(super) case: Case,
    /// What it is answered from, unless it has a task of its own.
    pub(super) evidence: Option<Evidence>,
    /// The properties it is judged by.
    pub(super) properties: Vec<&'static Property>,
    /// What it shrinks from, if it was generated.
    pub(super) sprout: Option<super::generate::Sprout>,
}

/// What is kept of a run.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    pub(super) run: Run,
    /// What its replay kept beside that. A ledger gets it from [`Bench::lines`]: few runs come to stand in one.
    pub(super) kept: Option<Kept>,
    pub(super) account: EndLine,
    pub(super) label: String,
}

/// What is kept of a run beside what laws read.
struct Rest {
    kept: Option<Kept>,
    account: EndLine,
    label: String,
}

impl Ran {
    /// The run by itself: laws read several in a row.
    fn apart(self) -> (Run, Rest) {
        let Self { run, kept, account, label } = self;
        (run, Rest { kept, account, label })
    }
}

impl Rest {
    fn with(self, run: Run) -> Ran {
        let Self { kept, account, label } = self;
        Ran { run, kept, account, label }
    }
}

/// What came of a trial: the answer of each of its properties, with the runs it rests on, the plain one first.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    pub(super) base: Ran,
    pub(super) answers: Vec<(&'static Property, Verdict, Vec<Ran>)>,
}

/// A client and what every case with it has in common.
pub(super) struct Bench<'c, C> {
    pub(super) client: &'c C,
    pub(super) redactor: Redactor,
    pub(super) verb: String,
    /// Knows what the client is given to keep to itself.
    pub(super) secrets: Redactor,
    /// What stands in a ledger where they stood.
    pub(super) placeholders: Arc<[String]>,
    /// What the scenarios' recordings show their console to take.
    pub(super) taken: Taken,
    /// With it the client is spoken to over TLS.
    pub(super) tls: Option<Identity>,
    /// Of the listeners that serve one case each.
    pub(super) ports: Ports,
    /// Whose turn it is with the client. What is made ready and judged around a run needs none.
    pub(super) turns: Turns,
}

/// What stands where the client's token and password stood, once they are learnt.
pub(super) fn placeholders(redactor: &Redactor) -> Arc<[String]> {
    [TOKEN, PASSWORD].map(|secret| redactor.text(secret)).into()
}

impl<C: Client> Bench<'_, C> {
    /// Puts a trial to the client, with the variants of each of its properties, one after the other.
    pub(super) async fn attempt(&self, slot: &Slot, trial: &Trial) -> Tried {
        let further: Vec<Vec<Case>> = trial.properties.iter().map(|one| variants(one, &trial.case)).collect();
        let varied = further.iter().flat_map(|cases| cases.iter().enumerate());
        let varied =
            varied.map(|(index, case)| (case.clone(), format!("{}/variant-{}", trial.label, index + 1)));
        let (plain, varied) = self.run(slot, trial, varied.collect()).await;
        let (plain, rest) = plain.apart();
        let (mut runs, mut varied) = (vec![plain], varied.into_iter());
        let mut answers = Vec::with_capacity(trial.properties.len());
        for (property, cases) in trial.properties.iter().zip(&further) {
            let (own, rests): (Vec<Run>, Vec<Rest>) =
                varied.by_ref().take(cases.len()).map(Ran::apart).unzip();
            runs.extend(own);
            let verdict = (property.judge)(&runs);
            let variants = runs.drain(1..).zip(rests).map(|(run, rest)| rest.with(run)).collect();
            answers.push((*property, verdict, variants));
        }
        let plain = runs.pop().expect("the plain run stays the first of the runs");
        Tried { base: rest.with(plain), answers }
    }

    /// Runs the case of a trial.
    pub(super) async fn run_alone(&self, slot: &Slot, trial: &Trial) -> Ran {
        self.run(slot, trial, Vec::new()).await.0
    }

    /// Runs the case of a trial and then others, in one turn with the client: all are made ready before it, and looked
    /// back at after it, while the client is busy with somebody else's.
    async fn run(&self, slot: &Slot, trial: &Trial, others: Vec<(Case, String)>) -> (Ran, Vec<Ran>) {
        let turn = self.turns.ask();
        let plain = self.make_ready(trial, trial.case.clone(), trial.label.clone()).await;
        let mut ready = Vec::with_capacity(others.len());
        for (case, label) in others {
            ready.push(self.make_ready(trial, case, label).await);
        }
        let place = turn.come().await;
        let plain = self.meet(slot, trial, plain).await;
        let mut met = Vec::with_capacity(ready.len());
        for one in ready {
            met.push(self.meet(slot, trial, one).await);
        }
        place.hand_on().await;
        let plain = self.look_back(plain).await;
        let mut ran = Vec::with_capacity(met.len());
        for one in met {
            ran.push(self.look_back(one).await);
        }
        (plain, ran)
    }

    /// What of a job the client was told.
    pub(super) fn given(&self, job: &Job) -> Given {
        let takes = self.client.takes();
        Given {
            pace_ms: takes.pace.then_some(job.pace_ms),
            deadline_ms: takes.deadline.then_some(job.deadline_ms),
            login: takes.login,
            fields: takes.fields,
            name: takes.name,
            over_tls: self.tls.is_some(),
            secrets: self.secrets.clone(),
            placeholders: Arc::clone(&self.placeholders),
        }
    }

    /// What the client is told of a case.
    pub(super) fn job(&self, case: &Case, url: &str) -> Job {
        Job {
            kind: case.job,
            base_url: url.to_owned(),
            method: case.about.asks.method.clone(),
            path: case.about.path(&case.params),
            params: case.params.clone(),
            body: case.body.clone(),
            id: case.id().map(str::to_owned),
            name: case.name.clone(),
            fields: case.fields.clone(),
            sec: TOKEN.to_owned(),
            user: USER.to_owned(),
            password: PASSWORD.to_owned(),
            ca_file: self.tls.as_ref().map(|identity| identity.ca_file.clone()),
            pace_ms: case.pace_ms,
            // Leaves the client time to say that it gave up before it is ended.
            deadline_ms: self.client.timeout_ms() * 6 / 10,
        }
    }

    /// A run's part of the ledger: its lines under its own name, with what the client was and reported. Of a case that was
    /// not run there is none.
    pub(super) fn lines(&self, ran: Ran) -> Vec<Line> {
        let Ran { run: Run { case, report, exchanges, timings, .. }, kept, label, .. } = ran;
        let Some(kept) = kept else { return Vec::new() };
        let mut labelled: Vec<Line> = kept
            .lines(exchanges, timings)
            .into_iter()
            .map(|mut line| {
                match &mut line {
                    Line::Run(run) => {
                        label.clone_into(&mut run.session);
                        run.client = Some(self.client.name().to_owned());
                        run.job = Some(case.job.as_str().to_owned());
                        run.claims = Some(self.client.claims().to_string());
                    }
                    Line::Exchange(exchange) => label.clone_into(&mut exchange.key.session),
                    Line::Refused(refused) => label.clone_into(&mut refused.session),
                    Line::Greeted(greeted) => label.clone_into(&mut greeted.session),
                    Line::Timing(timing) => label.clone_into(&mut timing.key.session),
                    Line::Outcome(_)
                    | Line::Verdict(_)
                    | Line::Ran(_)
                    | Line::Coverage(_)
                    | Line::Seen(_)
                    | Line::Gap(_)
                    | Line::End(_) => {}
                }
                line
            })
            .collect();
        let mut outcome = report.line(&label, case.job);
        outcome.outcome = self.redactor.text(&outcome.outcome);
        outcome.task = outcome.task.map(|task| self.redactor.text(&task));
        outcome.stderr = self.redactor.text(&outcome.stderr);
        labelled.push(Line::Outcome(outcome));
        labelled
    }
}

/// The further cases that a property is judged by.
fn variants(property: &Property, case: &Case) -> Vec<Case> {
    property.variants.map(|variants| variants(case)).unwrap_or_default()
}
