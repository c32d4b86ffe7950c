//! The book is true: every command line in `docs/` and in the README is run, page by page, in a folder of its own.
//!
//! No console is at hand here. Where a page asks `https://qradar.example`, a console in memory answers (`emulate`).

mod links;
mod page;
mod script;
mod words;

use std::collections::VecDeque;
use std::sync::Mutex;

use page::{Kind, Page, all};

/// So many blocks of the pages are not run, each with its reason above it. One more is a decision.
const NOT_RUN: usize = 7;

#[test]
fn every_command_of_every_page_does_what_it_says() {
    let waiting: Mutex<VecDeque<Page>> = Mutex::new(all().into());
    let wrong: Mutex<Vec<String>> = Mutex::default();
    let at_a_time = std::thread::available_parallelism().map_or(2, |number| number.get().clamp(2, 8));
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                loop {
                    let Some(page) = waiting.lock().unwrap().pop_front() else { break };
                    // A page that panics (a secret that got out) must be told by its name, too.
                    let done = std::panic::catch_unwind(|| script::run(&page));
                    let error = match done {
                        Ok(Ok(())) => continue,
                        Ok(Err(error)) => error,
                        Err(panic) => panic
                            .downcast_ref::<String>()
                            .cloned()
                            .unwrap_or_else(|| "it panicked".to_owned()),
                    };
                    wrong.lock().unwrap().push(format!("{}: {error}", page.name));
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_is_not_run_says_why_and_is_counted() {
    let mut not_run = Vec::new();
    let mut run = 0;
    for page in all() {
        for block in page.blocks() {
            match block.kind {
                Kind::NotRun(reason) => {
                    assert!(reason.len() > 10, "{}:{}: {reason}", page.name, block.line);
                    not_run.push(format!("{}:{}: {reason}", page.name, block.line));
                }
                Kind::Run | Kind::Needs(_) => run += 1,
                _ => {}
            }
        }
    }
    println!("{run} blocks are run, {} are not:\n{}", not_run.len(), not_run.join("\n"));
    assert!(run > 50, "{run}");
    assert!(not_run.len() <= NOT_RUN, "{} blocks are not run:\n{}", not_run.len(), not_run.join("\n"));
}

/// A command that stands outside of the blocks that are run would be run by nobody.
#[test]
fn no_command_hides_where_nothing_runs_it() {
    for page in all() {
        for (line, text) in page.prose() {
            let command = text.trim_start().trim_start_matches("$ ");
            let is_one = text.starts_with("    ") && command.starts_with("faultdeck ");
            assert!(!is_one, "{}:{line}: put it into a block: {text}", page.name);
        }
        for block in page.blocks() {
            let has_one =
                block.text.lines().any(|line| line.starts_with("faultdeck ") || line.starts_with("$ "));
            let is_no_script = matches!(block.kind, Kind::Printed | Kind::Shown) && has_one;
            assert!(
                !is_no_script,
                "{}:{}: a command in a block that is not run: make it `sh`\n{}",
                page.name, block.line, block.text
            );
        }
    }
}
