//! The tasks a client was answered with, and what must be reported of one.

use super::case::Run;
use super::wire;
use crate::json::Json;
use crate::ledger::Exchange;

/// The whole tasks that the client has, with their texts.
pub(super) fn answers(run: &Run) -> Vec<(&Exchange, &str)> {
    (run.exchanges.iter())
        .filter(|exchange| run.case.about.is_asked(exchange) && wire::is_delivered(run, exchange))
        .filter_map(|exchange| Some((exchange, wire::data(exchange)?)))
        .filter(|(_, text)| Json::parse(text).is_ok())
        .collect()
}

/// What must be reported of an answer: its part that the client was told to ask for.
pub(super) fn expected(run: &Run, got: &str) -> Option<String> {
    let json = Json::parse(got).ok()?;
    Some(match run.case.selector() {
        Ok(Some(selector)) => selector.project(&json),
        Ok(None) | Err(_) => got.to_owned(),
    })
}
