//! The answers a client had: the tasks among them, how sure it is that it has each, and what must be reported of one.

use super::case::Run;
use super::wire;
use crate::json::Json;
use crate::ledger::{BodyText, Exchange};

/// The whole tasks that the client has, with their texts.
pub(super) fn answers(run: &Run) -> Vec<(&Exchange, &str)> {
    (run.exchanges.iter())
        .filter(|exchange| run.case.about.is_asked(exchange) && wire::is_delivered(run, exchange))
        .filter_map(|exchange| Some((exchange, wire::data(exchange)?)))
        .filter(|(_, text)| Json::is_one(text))
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

/// How sure it is that a client has an answer, all of it, and can read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It came whole, at once, and says one thing.
    Surely,
    /// It may have come, or a reader that forgives much may have made it out: nobody can say.
    Perhaps,
    /// It did not come whole, or nobody can read what came.
    No,
}

/// How sure it is that the client has this answer.
pub(super) fn heard(run: &Run, exchange: &Exchange) -> Heard {
    if wire::is_miss(exchange) {
        return Heard::No;
    }
    if wire::is_unclear(exchange) && !may_be_read(&exchange.response_body) {
        return Heard::No;
    }
    if wire::is_broken(exchange) {
        return if was_sent_whole(exchange) { Heard::Perhaps } else { Heard::No };
    }
    let is_here = wire::is_delivered(run, exchange) && !wire::may_have_left(run, exchange);
    let is_sure = is_here && wire::is_surely_heard(exchange);
    if is_sure { Heard::Surely } else { Heard::Perhaps }
}

/// Whether somebody may read a value of JSON out of a body that a fault has made unclear: behind a mark, in another
/// encoding, before something else.
fn may_be_read(body: &BodyText) -> bool {
    match body {
        BodyText::Empty => false,
        BodyText::SameAs(_) | BodyText::Cut { .. } => true,
        BodyText::Text(text) => {
            let text = text.trim_start_matches('\u{feff}').trim();
            let first = text.lines().next().unwrap_or(text);
            [text, first].into_iter().any(Json::is_one)
        }
    }
}

/// Whether an answer whose end a fault took away lacks nothing but the end of the connection: the text was all sent.
fn was_sent_whole(exchange: &Exchange) -> bool {
    let Some(text) = exchange.response_body.text() else { return exchange.planned_bytes > 0 };
    const START: usize = "HTTP/1.1 200 \r\n\r\n".len();
    let lines: usize =
        exchange.response_headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    let head = START + exchange.reason.len() + lines;
    let text = text.trim_end();
    !text.is_empty() && exchange.planned_bytes >= (head + text.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Effect;
    use crate::judge::sample;
    use crate::ledger::Timing;

    fn of(effect: Option<Effect>, body: &str, planned: u64) -> Heard {
        let mut run = sample::run(sample::get(None));
        let mut exchange = sample::poll(sample::PATH, 200, body);
        exchange.planned_bytes = planned;
        exchange.faults.extend(effect.map(sample::fault));
        run.exchanges = vec![exchange];
        heard(&run, &run.exchanges[0])
    }

    #[test]
    fn a_plain_answer_is_heard_and_a_late_one_perhaps() {
        const TASK: &str = r#"{"id":42}"#;
        assert_eq!(of(None, TASK, 100), Heard::Surely);
        assert_eq!(of(Some(Effect::Altered), TASK, 100), Heard::Surely);
        assert_eq!(of(Some(Effect::Whole), TASK, 100), Heard::Perhaps);
    }

    #[test]
    fn an_answer_that_broke_off_is_not_heard_unless_all_of_its_text_was_sent() {
        const TASK: &str = r#"{"id":42}"#;
        assert_eq!(of(Some(Effect::Lost), TASK, 20), Heard::No);
        assert_eq!(of(Some(Effect::Lost), TASK, 17 + 9), Heard::Perhaps);
        assert_eq!(of(Some(Effect::Lost), "", 90), Heard::No);
    }

    #[test]
    fn what_is_no_json_is_not_heard_and_what_a_forgiving_reader_reads_may_be() {
        for text in ["{\"id\":42", "", "<html>", "{\"id\":42,\n\"state\""] {
            assert_eq!(of(Some(Effect::Unreadable), text, 100), Heard::No, "{text}");
        }
        for text in ["\u{feff}{\"id\":42}", "{\"id\":42}", "{\"id\":1}\n{\"id\":2}\n"] {
            assert_eq!(of(Some(Effect::Unreadable), text, 100), Heard::Perhaps, "{text}");
        }
        assert_eq!(of(Some(Effect::Ambiguous), "{\"id\":1,\"id\":2}", 100), Heard::Perhaps);
    }

    #[test]
    fn an_answer_that_came_as_the_client_gave_up_is_perhaps_heard() {
        let mut run = sample::run(sample::get(None));
        run.exchanges = vec![sample::poll(sample::PATH, 200, r#"{"id":42}"#)];
        assert_eq!(heard(&run, &run.exchanges[0]), Heard::Surely);
        run.given.deadline_ms = Some(1_000);
        assert_eq!(heard(&run, &run.exchanges[0]), Heard::Perhaps);
    }

    #[test]
    fn an_answer_that_the_client_did_not_wait_for_is_perhaps_heard() {
        let mut run = sample::run(sample::get(None));
        run.exchanges = vec![sample::poll(sample::PATH, 200, r#"{"id":42}"#)];
        run.timings =
            vec![Timing { key: run.exchanges[0].key.clone(), cut_short: true, ..Timing::default() }];
        assert_eq!(heard(&run, &run.exchanges[0]), Heard::Perhaps);
    }
}
