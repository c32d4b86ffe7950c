//! The lines of a run beside the run: what both hold is held once.

use crate::ledger::{BodyText, Exchange, Line, Timing};

/// A run's lines but for its exchanges and timings, which stand in the run, in this order.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    places: Vec<Place>,
    /// Bodies that a ledger names by their interaction, by the place of their exchange among the others.
    named: Vec<(usize, String)>,
}

/// What stands at a place.
#[derive(Clone, Debug)]
enum Place {
    /// The next exchange of the run.
    Exchange,
    /// The next timing of the run.
    Timing,
    Other(Box<Line>),
}

impl Kept {
    /// Takes a run's exchanges and timings out of its lines. `full` has the body of an interaction by its name: a law
    /// reads it, a ledger does not repeat it.
    pub(super) fn of(
        lines: Vec<Line>,
        full: impl Fn(&str) -> Option<String>,
    ) -> (Self, Vec<Exchange>, Vec<Timing>) {
        let of_kind = |is_it: fn(&Line) -> bool| lines.iter().filter(|line| is_it(line)).count();
        let mut exchanges = Vec::with_capacity(of_kind(|line| matches!(line, Line::Exchange(_))));
        let mut timings = Vec::with_capacity(of_kind(|line| matches!(line, Line::Timing(_))));
        let mut kept = Self { places: Vec::with_capacity(lines.len()), named: Vec::new() };
        for line in lines {
            kept.places.push(match line {
                Line::Exchange(mut exchange) => {
                    if let BodyText::SameAs(id) = &exchange.response_body
                        && let Some(text) = full(id)
                    {
                        kept.named.push((exchanges.len(), id.clone()));
                        exchange.response_body = BodyText::Text(text);
                    }
                    exchanges.push(*exchange);
                    Place::Exchange
                }
                Line::Timing(timing) => {
                    timings.push(timing);
                    Place::Timing
                }
                other => Place::Other(Box::new(other)),
            });
        }
        (kept, exchanges, timings)
    }

    /// All lines, as they were.
    pub(super) fn lines(self, mut exchanges: Vec<Exchange>, timings: Vec<Timing>) -> Vec<Line> {
        for (place, id) in self.named {
            if let Some(exchange) = exchanges.get_mut(place) {
                exchange.response_body = BodyText::SameAs(id);
            }
        }
        let (mut exchanges, mut timings) = (exchanges.into_iter(), timings.into_iter());
        let line = |place| match place {
            Place::Exchange => exchanges.next().map(|exchange| Line::Exchange(Box::new(exchange))),
            Place::Timing => timings.next().map(Line::Timing),
            Place::Other(line) => Some(*line),
        };
        self.places.into_iter().filter_map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample;
    use crate::ledger::RunLine;

    #[test]
    fn the_lines_come_back_as_they_were_and_a_law_reads_whole_bodies() {
        let exchange = |body: BodyText| {
            Line::Exchange(Box::new(Exchange { response_body: body, ..sample::poll("/api/x", 200, "") }))
        };
        let timing = |took_us| Line::Timing(Timing { took_us, ..Timing::default() });
        let text = |lines: &[Line]| lines.iter().map(|line| line.to_json().unwrap()).collect::<String>();
        let lines = vec![
            Line::Run(RunLine { verb: "judge".to_owned(), ..RunLine::default() }),
            exchange(BodyText::Text("{}".to_owned())),
            exchange(BodyText::SameAs("poll-1".to_owned())),
            timing(2),
            exchange(BodyText::SameAs("gone".to_owned())),
            timing(1),
        ];
        let before = text(&lines);
        let full = |id: &str| (id == "poll-1").then(|| "the whole body".to_owned());
        let (kept, exchanges, timings) = Kept::of(lines, full);
        let bodies: Vec<Option<&str>> = exchanges.iter().map(|one| one.response_body.text()).collect();
        assert_eq!(bodies, [Some("{}"), Some("the whole body"), None]);
        assert_eq!(timings.iter().map(|timing| timing.took_us).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(text(&kept.lines(exchanges, timings)), before);
    }
}
