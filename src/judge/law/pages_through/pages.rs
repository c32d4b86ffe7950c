//! The pages of a list as a client saw them: where each stands, what came in it, and whether the list ends there.

use std::collections::BTreeSet;

use super::known::Known;
use crate::json::Json;
use crate::judge::answers::{Heard, heard};
use crate::judge::case::Run;
use crate::judge::wire;
use crate::ledger::Exchange;
use crate::lists::Window;

/// One answer that is a list, or a part of it.
pub(super) struct Page {
    /// What was asked for; `None` is all of it.
    window: Option<Window>,
    /// How many there are in all, as the answer says.
    total: Option<u64>,
    keys: Vec<String>,
    heard: Heard,
    /// Whether a fault made another answer of it.
    pub(super) is_disturbed: bool,
    /// Whether an element is in it that is none of the list.
    pub(super) has_foreign: bool,
    is_filtered: bool,
}

impl Page {
    fn of(run: &Run, exchange: &Exchange, known: &Known) -> Option<Self> {
        let json = Json::parse(wire::data(exchange)?).ok().filter(|json| json.text().starts_with('['))?;
        let keys: Vec<String> = json.elements().iter().map(|element| known.key(element)).collect();
        let header = |wanted: &str| {
            let headers = exchange.response_headers.iter();
            headers.rev().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
        };
        Some(Self {
            window: wire::headers(exchange, "Range").last().and_then(|range| Window::parse(range).ok()),
            total: header("Content-Range").and_then(|says| says.rsplit_once('/')?.1.trim().parse().ok()),
            heard: heard(run, exchange),
            is_disturbed: wire::is_disturbed(exchange),
            has_foreign: keys.iter().any(|key| known.is_foreign(key)),
            is_filtered: wire::params(exchange).iter().any(|param| param.name == "filter"),
            keys,
        })
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    fn count(&self) -> u64 {
        self.keys.len() as u64
    }

    fn first(&self) -> u64 {
        self.window.map_or(0, |window| window.first)
    }

    /// The place behind its last element.
    fn end(&self) -> u64 {
        self.first().saturating_add(self.count())
    }

    /// Whether all of the list came in it: no window was asked for, or more came than was.
    fn is_whole(&self) -> bool {
        self.window.is_none_or(|window| self.count() > (window.last - window.first).saturating_add(1))
    }

    /// Whether it says that nothing comes behind it. `is_new`: whether it brought anything.
    fn is_last(&self, is_new: bool) -> bool {
        let is_short = || {
            let asked = self.window.map(|window| (window.last - window.first).saturating_add(1));
            asked.is_none_or(|asked| self.count() < asked)
        };
        !is_new || self.total.map_or_else(is_short, |total| self.end() >= total)
    }
}

/// All pages that a client asked for, in order.
pub(super) struct Reading {
    pub(super) pages: Vec<Page>,
}

impl Reading {
    pub(super) fn of(run: &Run, known: &Known) -> Self {
        let asked = run.exchanges.iter().filter(|exchange| run.case.about.is_asked(exchange));
        Self { pages: asked.filter_map(|exchange| Page::of(run, exchange, known)).collect() }
    }

    /// Whether no page came for sure.
    pub(super) fn is_empty(&self) -> bool {
        !self.pages.iter().any(|page| page.heard == Heard::Surely)
    }

    pub(super) fn is_filtered(&self) -> bool {
        self.pages.iter().any(|page| page.is_filtered)
    }

    /// The pages that the client may have.
    fn heard(&self) -> Vec<&Page> {
        self.pages.iter().filter(|page| page.heard != Heard::No).collect()
    }

    /// How many there are, as the last page that says so does.
    pub(super) fn total(&self) -> Option<u64> {
        self.heard().iter().rev().find_map(|page| page.total)
    }

    /// How often an element stands in one page, at most.
    pub(super) fn times(&self, key: &str) -> usize {
        let times = |page: &Page| page.keys().filter(|each| *each == key).count();
        self.pages.iter().map(times).max().unwrap_or_default()
    }

    /// Each time the list was read from its beginning.
    fn passes(&self) -> Vec<Vec<&Page>> {
        let mut passes: Vec<Vec<&Page>> = Vec::new();
        for page in self.heard() {
            match passes.last_mut().filter(|_| page.first() > 0) {
                Some(pass) => pass.push(page),
                None => passes.push(vec![page]),
            }
        }
        passes
    }

    /// Those that came to the end; without one, all that was read, as one.
    fn complete(&self) -> Vec<Vec<&Page>> {
        let complete: Vec<Vec<&Page>> =
            self.passes().into_iter().filter(|pass| is_to_the_end(pass)).collect();
        if complete.is_empty() { vec![self.heard()] } else { complete }
    }

    /// Whether the console had nothing more to say.
    pub(super) fn is_to_the_end(&self) -> bool {
        self.complete().iter().any(|pass| is_to_the_end(pass))
    }

    /// The elements that came for sure, and were there each time that the list was read.
    pub(super) fn surely_there(&self) -> BTreeSet<&str> {
        let complete = self.complete();
        let sure = complete.iter().flatten().filter(|page| page.heard == Heard::Surely);
        let sure: BTreeSet<&str> = sure.flat_map(|page| page.keys()).collect();
        complete.iter().fold(sure, |sure, pass| {
            let there: BTreeSet<&str> = pass.iter().flat_map(|page| page.keys()).collect();
            sure.intersection(&there).copied().collect()
        })
    }
}

/// Whether these pages leave no place out up to one behind which nothing comes.
fn is_to_the_end(pages: &[&Page]) -> bool {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut lasts: Vec<u64> = Vec::new();
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for page in pages {
        let before = seen.len();
        seen.extend(page.keys());
        if page.is_whole() {
            return true;
        }
        if page.is_last(seen.len() > before) {
            lasts.push(page.end());
        }
        parts.push((page.first(), page.end()));
    }
    parts.sort_unstable();
    let reached = parts.iter().fold(0, |reached, (first, end)| match *first <= reached {
        true => reached.max(*end),
        false => reached,
    });
    let most = parts.iter().map(|(_, end)| *end).max().unwrap_or_default();
    // A page that is read once more brings nothing new, and ends before others do.
    reached == most && lasts.into_iter().any(|last| last >= most)
}
