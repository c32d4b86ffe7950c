//! The other direction: a console put to the rules of the API, to find where it departs from what is published.
//!
//! Nothing but GET and HEAD is ever sent, to the one host that was named; redirects are not followed; requests, bytes, time
//! and pace have limits. What comes of it is a ledger as of any judgement: a rule that the published pages state and the
//! console breaks is a violation; any other departure is an observation, and says what a console really does.
//!
//! - `rule` is the table of rules, each with what it rests on; `law/` draws tests of them and judges answers, purely
//! - `question` is what is asked and what came, `whole` what a place answers to its plain request, `check` a test
//! - `talk` asks, within the limits of a `plan`; `place` finds places to ask; `examine` compares, confirms and shrinks
//! - `tally` is what it comes to, `observed` the same as a file to keep

mod check;
mod examine;
mod kept;
mod law;
mod observed;
mod place;
mod plan;
mod question;
mod rule;
mod talk;
mod tally;
mod whole;

pub use examine::Examination;
pub use observed::written;
pub use plan::{Ask, Chosen, Plan, Progress, Tell, chosen};
pub use question::Question;
pub use rule::{RULES, Rule, rule};
pub use tally::Examined;
