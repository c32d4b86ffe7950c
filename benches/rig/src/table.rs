//! The table that is printed, a row as soon as it is measured.

/// What one row came to.
pub(crate) struct Measured {
    /// The floor's own figure, or what the figure is held against.
    pub(crate) floor: String,
    /// faultdeck's own figure.
    pub(crate) faultdeck: String,
    /// What is compared with the goal, a figure a round.
    pub(crate) figures: Vec<f64>,
}

impl Measured {
    /// A figure without rounds.
    pub(crate) fn once(floor: impl Into<String>, faultdeck: impl Into<String>, figure: f64) -> Self {
        Self { floor: floor.into(), faultdeck: faultdeck.into(), figures: vec![figure] }
    }
}

/// The figure in the middle; of an even number the lower one.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// The rows so far.
pub(crate) struct Table {
    within: usize,
    above: usize,
    unmeasured: usize,
}

impl Table {
    pub(crate) fn begin() -> Self {
        println!(
            "{:<49} {:>12} {:>12} {:>8} {:>16} {:>6}",
            "", "floor", "faultdeck", "figure", "spread", "goal"
        );
        Self { within: 0, above: 0, unmeasured: 0 }
    }

    pub(crate) fn add(&mut self, name: &str, goal: Option<f64>, measured: Result<Measured, String>) {
        let goal_text = goal.map_or("-".to_owned(), |goal| format!("{goal}"));
        let Measured { floor, faultdeck, figures } = match measured {
            Ok(measured) => measured,
            Err(reason) => {
                self.unmeasured += 1;
                println!("{name:<49} not measured: {reason}");
                return;
            }
        };
        let figure = median(&figures);
        let verdict = match goal {
            None => "",
            Some(goal) if figure <= goal => "ok",
            Some(_) => "above",
        };
        match verdict {
            "ok" => self.within += 1,
            "above" => self.above += 1,
            _ => {}
        }
        let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let most = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let spread = if figures.len() > 1 { format!("{least:.2} .. {most:.2}") } else { String::new() };
        println!(
            "{name:<49} {floor:>12} {faultdeck:>12} {figure:>8.2} {spread:>16} {goal_text:>6} {verdict}"
        );
    }

    pub(crate) fn left_out(&mut self, name: &str, goal: Option<f64>) {
        let goal = goal.map_or(String::new(), |goal| format!(" (goal {goal})"));
        println!("{name:<49} left out by --quick{goal}");
    }

    /// Prints the sum; whether all rows that have a goal are at or below it.
    pub(crate) fn end(self) -> bool {
        println!(
            "\n{} at or below the goal, {} above, {} not measured",
            self.within, self.above, self.unmeasured
        );
        self.above + self.unmeasured == 0
    }
}
