//! The end of a long report: a log often shows its last lines alone.

use std::collections::BTreeMap;

use super::account::Account;
use super::{Paint, runs, violations, visible};

/// How many of the last lines of a log have to say all that is needed.
pub(super) const LAST_LINES: usize = 40;
/// How many laws are named.
const LAWS_SHOWN: usize = 5;

/// What is violated, how often, and the smallest counter-example once more; of a matrix without a violation, how to do the failed
/// runs again. Nothing where nothing failed.
pub(super) fn in_short(account: &Account<'_>, paint: Paint) -> String {
    let broken: Vec<_> = account.violations().into_iter().filter(|verdict| verdict.required).collect();
    let body = if broken.is_empty() {
        runs::repeats(&account.ran, paint)
    } else {
        let mut laws: BTreeMap<&str, usize> = BTreeMap::new();
        broken.iter().for_each(|verdict| *laws.entry(&verdict.property).or_default() += 1);
        let mut order: Vec<(&str, usize)> = laws.into_iter().collect();
        order.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        let mut text = String::new();
        for (law, times) in order.iter().take(LAWS_SHOWN) {
            let times = if *times > 1 { format!(" ({times} times)") } else { String::new() };
            text.push_str(&format!("  violated: {}{times}\n", visible(law)));
        }
        if order.len() > LAWS_SHOWN {
            text.push_str(&format!("  and {} more laws\n", order.len() - LAWS_SHOWN));
        }
        text + &violations::first(account, paint)
    };
    if body.is_empty() { body } else { format!("{}\n{body}", paint.heading("In short")) }
}
