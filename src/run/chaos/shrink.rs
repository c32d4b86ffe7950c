//! The smallest of a plan that still fails: first the fewest faults, by delta debugging, then the mildest of each.
//!
//! Each try is a real run. The budget counts them, so that shrinking ends at the same plan on a slow machine.

use std::collections::BTreeMap;
use std::future::Future;

use super::in_a_line;
use crate::judge::milder;
use crate::profile::Profile;
use crate::scenario::Scenario;

/// How many runs shrinking may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many are left.
    pub tries: u32,
}

/// Who runs plans.
pub trait Tries {
    /// Runs a plan, and says whether it fails in the same way; nothing if it is not to go on.
    fn fails(&mut self, lines: &[String]) -> impl Future<Output = Option<bool>> + Send;
}

/// The smallest plan that was found, and whether the budget sufficed to look everywhere.
pub async fn smallest(
    lines: Vec<String>,
    budget: &mut Budget,
    tries: &mut impl Tries,
) -> (Vec<String>, bool) {
    let known = BTreeMap::from([(lines.clone(), true)]);
    let mut hunt = Hunt { best: lines, known, budget, tries, is_over: false };
    hunt.fewest().await;
    while hunt.milder().await {}
    (hunt.best, !hunt.is_over)
}

struct Hunt<'h, T> {
    best: Vec<String>,
    /// Plans that were run, and whether they failed.
    known: BTreeMap<Vec<String>, bool>,
    budget: &'h mut Budget,
    tries: &'h mut T,
    is_over: bool,
}

impl<T: Tries> Hunt<'_, T> {
    /// Whether this plan fails, too: then it is the best so far.
    async fn takes(&mut self, lines: Vec<String>) -> bool {
        if let Some(fails) = self.known.get(&lines) {
            return *fails && lines != self.best;
        }
        if self.is_over || self.budget.tries == 0 {
            self.is_over = true;
            return false;
        }
        self.budget.tries = self.budget.tries.saturating_sub(1);
        let Some(fails) = self.tries.fails(&lines).await else {
            self.is_over = true;
            return false;
        };
        self.known.insert(lines.clone(), fails);
        if fails {
            self.best = lines;
        }
        fails
    }

    /// Takes parts out, in halves first and then in smaller ones, until none can be spared.
    async fn fewest(&mut self) {
        let mut parts = 2_usize;
        while self.best.len() > 1 && !self.is_over {
            let all = self.best.clone();
            let size = all.len().div_ceil(parts);
            let mut is_smaller = false;
            for at in (0..all.len()).step_by(size.max(1)) {
                let end = all.len().min(at.saturating_add(size));
                let (part, rest): (Vec<_>, Vec<_>) =
                    all.iter().cloned().enumerate().partition(|(place, _)| (at..end).contains(place));
                let [part, rest] =
                    [part, rest].map(|lines| lines.into_iter().map(|(_, line)| line).collect());
                // A part by itself is smaller than what is left without it, as long as there are two of them.
                if self.takes(part).await || self.takes(rest).await {
                    is_smaller = true;
                    break;
                }
            }
            match (is_smaller, size) {
                (true, _) => parts = 2,
                // Each by itself was tried.
                (false, 1) => return,
                (false, _) => parts = parts.saturating_mul(2).min(all.len()),
            }
        }
    }

    /// Takes the first milder plan that fails; whether there is one.
    async fn milder(&mut self) -> bool {
        let Ok(scenario) = Scenario::of_faults(&self.best, Profile::builtin()) else { return false };
        for milder in milder(&scenario) {
            if self.takes(milder.faults.iter().map(in_a_line).collect()).await {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(all: &[&str]) -> Vec<String> {
        all.iter().map(|line| (*line).to_owned()).collect()
    }

    const DRAWN: [&str; 5] = [
        "latency:40@case_create_tasks.get#1?optional",
        "reset:9@case_create_tasks.get#3-4?optional",
        "garbage@cases.list#1?optional",
        "api-error:500/1020@case_create_tasks.get#2?optional",
        "empty-body@cases.list#2?optional",
    ];

    /// A client that fails if it meets all of these kinds.
    struct Needs<'n>(&'n [&'n str], u32);

    impl Tries for Needs<'_> {
        async fn fails(&mut self, plan: &[String]) -> Option<bool> {
            self.1 += 1;
            Some(self.0.iter().all(|kind| plan.iter().any(|line| line.starts_with(kind))))
        }
    }

    /// One that is interrupted at once.
    struct Interrupted;

    impl Tries for Interrupted {
        async fn fails(&mut self, _: &[String]) -> Option<bool> {
            None
        }
    }

    async fn shrunk(tries: u32, needs: &[&str]) -> (Vec<String>, bool, u32) {
        let mut client = Needs(needs, 0);
        let (found, is_all) = smallest(lines(&DRAWN), &mut Budget { tries }, &mut client).await;
        (found, is_all, client.1)
    }

    #[tokio::test]
    async fn a_failure_that_needs_so_many_faults_ends_with_so_many_and_the_mildest_of_them() {
        for needs in [&["reset"][..], &["latency", "empty-body"], &["reset", "garbage", "api-error"]] {
            let (found, is_all, runs) = shrunk(200, needs).await;
            assert_eq!(found.len(), needs.len(), "{needs:?}: {found:?}");
            assert!(is_all && runs < 60, "{needs:?}: {runs}");
        }
        let (found, _, _) = shrunk(200, &["reset"]).await;
        assert_eq!(found, ["reset@case_create_tasks.get#1?optional"]);
    }

    #[tokio::test]
    async fn the_budget_ends_it_with_the_best_so_far() {
        let (found, is_all, runs) = shrunk(2, &["latency", "empty-body"]).await;
        assert!(!is_all && runs == 2 && found.len() >= 2, "{found:?}");
        let (found, is_all) = smallest(lines(&DRAWN), &mut Budget { tries: 9 }, &mut Interrupted).await;
        assert_eq!((found, is_all), (lines(&DRAWN), false));
    }
}
