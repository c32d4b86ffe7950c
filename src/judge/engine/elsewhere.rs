//! Another host, to which a console may redirect its client: a second listener under another name, so that what a client
//! carries along is seen, and no client under test is ever sent to a host that is there.

use std::sync::Arc;

use super::evidence;
use super::kept::Kept;
use super::ports::Ports;
use super::slot::{Begins, Slot};
use crate::client::{Outcome, Report};
use crate::fault::Fault;
use crate::ledger::{EndLine, Exchange, Line};
use crate::replay::{Replay, Setup};
use crate::scenario::{PlannedFault, Scenario};
use crate::serve::StartError;
use crate::serve::tls::Identity;

/// The name of the loopback address that a listener's own URL has, and the other one.
const NAMES: (&str, &str) = ("127.0.0.1", "localhost");

/// The other host, while a case runs.
pub(super) struct Elsewhere {
    slot: Slot,
    replay: Arc<Replay>,
    setup: Setup,
    /// Where it is, and how the scenario calls that.
    places: Vec<(String, String)>,
    scenario: Arc<Scenario>,
}

impl Elsewhere {
    /// The host to which the scenario of `setup` leads, if it does: it answers like the console, and nothing goes wrong there.
    ///
    /// # Errors
    /// If there is no listener for it.
    pub(super) async fn of(
        setup: &Setup,
        tls: Option<&Identity>,
        ports: &Ports,
    ) -> Result<Option<Self>, StartError> {
        let Some(planned) = setup.scenario.as_ref().filter(|it| it.faults.iter().any(leads)) else {
            return Ok(None);
        };
        let setup = Setup { scenario: None, ..setup.clone() };
        let replay = Arc::new(Replay::new(setup.clone()).keeping());
        let slot = Slot::alone(Arc::clone(&replay), Begins::Now, tls, ports).await?;
        let origin = slot.url().replace(NAMES.0, NAMES.1);
        let mut scenario = Scenario::clone(planned);
        let mut places = Vec::new();
        for fault in &mut scenario.faults {
            let named = fault.inject.leads_to().map(str::to_owned);
            if let (Some(named), Some(led)) = (named, fault.inject.leading_to(&origin)) {
                places.push((origin.clone(), named));
                fault.inject = led;
            }
        }
        Ok(Some(Self { slot, replay, setup, places, scenario: Arc::new(scenario) }))
    }

    /// The scenario, leading here.
    pub(super) fn scenario(&self) -> Arc<Scenario> {
        Arc::clone(&self.scenario)
    }

    /// Closes it; what arrived.
    pub(super) async fn stop(self) -> Arrived {
        self.slot.stop().await;
        let lines = self.replay.take_lines();
        let (_, exchanges, _) = Kept::of(lines, |id| evidence::body_of(&self.setup.evidence, id));
        Arrived { exchanges, places: self.places }
    }
}

fn leads(planned: &PlannedFault) -> bool {
    Fault::leads_to(&planned.inject).is_some()
}

/// What arrived at another host, and how to call that host in what is kept: its port differs from run to run.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    pub(super) exchanges: Vec<Exchange>,
    places: Vec<(String, String)>,
}

impl Arrived {
    fn named(&self, text: &mut String) {
        for (is, named) in &self.places {
            let authority = |url: &str| url.split_once("://").map(|(_, authority)| authority.to_owned());
            if text.contains(is.as_str()) {
                *text = text.replace(is.as_str(), named);
            }
            if let (Some(is), Some(named)) = (authority(is), authority(named))
                && text.contains(&is)
            {
                *text = text.replace(&is, &named);
            }
        }
    }

    /// Calls the host as the scenario does in what is kept of a case.
    pub(super) fn leave_address(&self, lines: &mut [Line], report: &mut Report, account: &mut EndLine) {
        if self.places.is_empty() {
            return;
        }
        for line in lines {
            let Line::Exchange(exchange) = line else { continue };
            exchange.response_headers.iter_mut().for_each(|(_, value)| self.named(value));
            for fault in &mut exchange.faults {
                self.named(&mut fault.did);
                self.named(&mut fault.planned);
            }
        }
        self.named(&mut report.stdout);
        self.named(&mut report.stderr);
        if let Outcome::Error { text } = &mut report.outcome {
            self.named(text);
        }
        account.never_fired.iter_mut().for_each(|title| self.named(title));
    }
}
