//! `pages-through`: a list is read to its end, and each of its elements is reported once.

mod known;
mod pages;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::known::Known;
use self::pages::{Page, Reading};
use super::{Needs, Property};
use crate::client::{JobKind, Outcome, Resting};
use crate::json::Json;
use crate::judge::answers::{Heard, heard};
use crate::judge::case::Run;
use crate::judge::verdict::Verdict;
use crate::judge::wire;

pub(super) static PROPERTY: Property = Property {
    id: "pages-through",
    summary: "A list is read to its end, and each of its elements is reported once.",
    long: "\
Whoever is asked for a whole list reads on until the console says that there is no more: the total of `Content-Range` is \
reached, a page is shorter than what was asked for and no total speaks against it, or a page brings nothing new. What came \
on the way is reported, each element once: elements are known by their `id`, and by their value where they have none.

Broken by: stopping after the first page; stopping while the total says that there is more, or at a full page that says \
nothing of a total; reading on behind the window that was asked for where fewer came, so that those between are never \
asked for; an element reported twice because two pages overlap; an element that came and is not reported, or is reported \
and never came; a crash because a `Content-Range` is odd or missing.

Not broken by: asking for no window where the console answers whole; any size of page, any order of pages or of elements; \
reading a page again; leaving out what the console never showed to whoever reads to the end; reporting the list as \
`usable`, which says that something is missing, or an error, where a page was odd or did not come. Pages that are read \
again for ever are the business of terminates.",
    jobs: &[JobKind::List],
    along: &[],
    report: Needs::Resource,
    generated: false,
    story: None,
    variants: None,
    everywhere: false,
    limits: &[],
    judge,
    in_a_suite: None,
};

fn judge(runs: &[Run]) -> Verdict {
    let Some(run) = runs.first() else { return Verdict::not_reached("no run") };
    if let Some(why) = run.vacuous() {
        return Verdict::not_reached(why);
    }
    let known = Known::of(&run.case);
    let reading = Reading::of(run, &known);
    if reading.is_empty() {
        return Verdict::not_reached("no page of the list came");
    }
    if reading.pages.iter().any(|page| page.has_foreign) {
        return Verdict::not_reached("the elements themselves were altered on the way");
    }
    let (standing, reported) = match &run.report.outcome {
        Outcome::Task { standing, task } => (*standing, task),
        Outcome::TimedOut => return Verdict::not_reached("it did not end, which is judged by terminates"),
        Outcome::GaveUp => return Verdict::not_reached("it gave up, and reports no list"),
        other => return without_a_list(run, other),
    };
    let Ok(json) = Json::parse(reported) else {
        return violated(run, "what it reports as the list is not JSON".to_owned());
    };
    if !json.text().starts_with('[') {
        return violated(run, "what it reports is no list".to_owned());
    }
    let reported: Vec<String> = json.elements().iter().map(|element| known.key(element)).collect();
    let wrong = invented(run, &reading, &reported)
        .or_else(|| twice(&known, &reading, &reported))
        .or_else(|| lost(&reading, &reported))
        .or_else(|| if standing == Resting::Usable { None } else { stopped(&known, &reading, &reported) });
    wrong.map_or_else(Verdict::held, |why| violated(run, why))
}

fn violated(run: &Run, because: String) -> Verdict {
    Verdict::violated(because, wire::story(run))
}

/// Of a client that reports something else than a list.
fn without_a_list(run: &Run, outcome: &Outcome) -> Verdict {
    let is_good = |exchange| heard(run, exchange) == Heard::Surely;
    let all_came = run.exchanges.iter().all(|exchange| is_good(exchange) && exchange.status < 400);
    let is_clean = run.exchanges.iter().all(|exchange| exchange.faults.is_empty());
    match outcome {
        Outcome::Crashed { how } if all_came => {
            violated(run, format!("every page came, and it crashed: {how}"))
        }
        _ if all_came && is_clean => {
            violated(run, format!("every page came, and it reports: {}", run.reported_line()))
        }
        _ => Verdict::not_reached("something was wrong with a page, and it reports no list"),
    }
}

/// An element that is reported and stood in no answer.
fn invented(run: &Run, reading: &Reading, reported: &[String]) -> Option<String> {
    if wire::had_unclear(run) {
        return None;
    }
    let ever: BTreeSet<&str> = reading.pages.iter().flat_map(Page::keys).collect();
    let made_up = reported.iter().find(|key| !ever.contains(key.as_str()))?;
    Some(format!("it reports the element {made_up}, which never came"))
}

/// An element that is reported more often than it stands in the list.
fn twice(known: &Known, reading: &Reading, reported: &[String]) -> Option<String> {
    let (key, times) = counted(reported.iter().map(String::as_str))
        .into_iter()
        .find(|(key, times)| *times > known.times(key).unwrap_or_else(|| reading.times(key)))?;
    Some(format!("the element {key} is reported {}", in_words(times)))
}

/// An element that surely came and is not reported.
fn lost(reading: &Reading, reported: &[String]) -> Option<String> {
    let reported: BTreeSet<&str> = reported.iter().map(String::as_str).collect();
    let came = reading.surely_there();
    let lost: Vec<&&str> = came.iter().filter(|key| !reported.contains(**key)).collect();
    let first = lost.first()?;
    Some(match lost.len() {
        1 => format!("the element {first} came and is not reported"),
        more => format!("{more} elements came and are not reported, {first} among them"),
    })
}

/// Whether it stopped before the end, and misses something for that.
fn stopped(known: &Known, reading: &Reading, reported: &[String]) -> Option<String> {
    let reported: BTreeSet<&str> = reported.iter().map(String::as_str).collect();
    if reading.is_to_the_end() || known.is_all(&reported) || reading.is_filtered() {
        return None;
    }
    if !known.is_certain() && reading.pages.iter().any(|page| page.is_disturbed) {
        // Whether there was more, only the console knows.
        return None;
    }
    let has = reported.len();
    Some(match reading.total() {
        Some(total) => {
            format!(
                "the list was not read to its end: {total} are there, as the console says, and it reports {has}"
            )
        }
        None => {
            format!("the list was not read to its end: the last page was full, and it stopped with {has}")
        }
    })
}

fn counted<'k>(keys: impl Iterator<Item = &'k str>) -> BTreeMap<&'k str, usize> {
    let mut times = BTreeMap::new();
    keys.for_each(|key| *times.entry(key).or_default() += 1);
    times
}

fn in_words(times: usize) -> String {
    if times == 2 { "twice".to_owned() } else { format!("{times} times") }
}
