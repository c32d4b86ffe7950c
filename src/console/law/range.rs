//! Windows of a list, alone and together with all else that a request can ask of one.

use super::fields::is_value;
use super::{Drawn, Ground, fields, filter};
use crate::console::check::{Check, Finding, obstacle};
use crate::console::question::{Answer, Question};
use crate::console::rule::{self, Rule};
use crate::console::whole::{Whole, elements};
use crate::fields::FieldSelector;
use crate::json::{Json, Kind};
use crate::lists::{Asked, Filter, Sort, Window, window_of_answer};
use crate::profile::{Language, Observation};
use crate::seed::Stream;

/// How far past the end a window reaches.
const PAST: u64 = 10;

/// How many elements are known of a list that takes a range.
fn known(ground: &Ground<'_>) -> Result<(u64, bool), Drawn> {
    if !ground.endpoint.takes_range() || !ground.endpoint.is_list {
        return Err(Drawn::NotApplicable);
    }
    let whole = ground.whole.filter(|whole| whole.is_list);
    let count = whole.and_then(Whole::json).map_or(0, |json| elements(&json).len());
    match whole {
        Some(whole) if count > 0 => Ok((count as u64, whole.is_all)),
        _ => Err(Drawn::NotReached("it has no elements")),
    }
}

pub(super) fn slice(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    match known(ground) {
        Ok((count, _)) => {
            let first = stream.below(count);
            let last = first + stream.below(count - first);
            Drawn::check(Slices { window: Window { first, last }, kind: Slice::Within })
        }
        Err(other) => other,
    }
}

pub(super) fn past_the_end(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    match known(ground) {
        Ok((count, true)) => {
            let window = Window { first: stream.below(count), last: count + PAST };
            Drawn::check(Slices { window, kind: Slice::PastTheEnd })
        }
        Ok((_, false)) => Drawn::NotReached("it is too long for its end to be known"),
        Err(other) => other,
    }
}

pub(super) fn beyond_the_end(ground: &Ground<'_>, _stream: &mut Stream) -> Drawn {
    match known(ground) {
        Ok((count, true)) => {
            let window = Window { first: count + PAST, last: count + 2 * PAST };
            Drawn::check(Slices { window, kind: Slice::BeyondTheEnd })
        }
        Ok((_, false)) => Drawn::NotReached("it is too long for its end to be known"),
        Err(other) => other,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slice {
    Within,
    PastTheEnd,
    BeyondTheEnd,
}

/// A window against the same places of the whole.
#[derive(Debug)]
struct Slices {
    window: Window,
    kind: Slice,
}

fn range_of(window: Window) -> String {
    format!("items={}-{}", window.first, window.last)
}

impl Check for Slices {
    fn rule(&self) -> &'static Rule {
        match self.kind {
            Slice::Within => &rule::RANGE_SLICE,
            Slice::PastTheEnd => &rule::RANGE_CUT,
            Slice::BeyondTheEnd => &rule::RANGE_BEYOND,
        }
    }

    fn case(&self) -> String {
        format!("Range: {}", range_of(self.window))
    }

    fn questions(&self, base: &Question) -> Vec<Question> {
        vec![base.clone().header("Range", &range_of(self.window))]
    }

    fn judge(&self, whole: Option<&Whole>, answers: &[Answer]) -> Vec<(&'static Rule, Finding)> {
        let json = whole.and_then(Whole::json);
        let (Some(whole), Some(json), Some(answer)) = (whole, json, answers.first()) else {
            return Vec::new();
        };
        let all = elements(&json);
        let slice = Asked { window: Some(self.window), ..Asked::default() }.of(all).body;
        let mut found: Vec<(&'static Rule, Finding)> = vec![(self.rule(), is_value(answer, &slice))];
        if answer.is_success() && self.kind == Slice::Within {
            found.push((&rule::RANGE_COUNTS, self.counts(whole, answer)));
            found.push((
                &rule::RANGE_STATUS,
                match answer.status {
                    200 => Finding::Holds,
                    other => Finding::answered(other, "200"),
                },
            ));
        }
        found
    }

    fn compares(&self) -> bool {
        true
    }

    fn smaller(&self) -> Vec<Box<dyn Check>> {
        let Window { first, last } = self.window;
        if self.kind != Slice::Within || first == last {
            return Vec::new();
        }
        let windows = [(first, first), (last, last), (first, first + (last - first) / 2), (first, last - 1)];
        let kind = self.kind;
        let boxed = |(first, last)| Box::new(Self { window: Window { first, last }, kind }) as Box<dyn Check>;
        windows.into_iter().filter(|it| *it != (first, last)).map(boxed).collect()
    }
}

impl Slices {
    /// What `Content-Range` has to say; of a list whose length nobody knows, only where the window is.
    fn counts(&self, whole: &Whole, answer: &Answer) -> Finding {
        let Window { first, last } = self.window;
        let total = whole.total.map_or("TOTAL".to_owned(), |total| total.to_string());
        let expected = format!("Content-Range: items {first}-{last}/{total}");
        let Some(text) = &answer.content_range else {
            return Finding::departs(Observation::NO_CONTENT_RANGE, Observation::NO_CONTENT_RANGE, expected);
        };
        match window_of_answer(text) {
            Some((window, found)) if window == self.window && whole.total.is_none_or(|it| it == found) => {
                Finding::Holds
            }
            _ => Finding::departs(
                "Content-Range says another window or total",
                format!("Content-Range is `{text}`"),
                expected,
            ),
        }
    }
}

/// All of them on one request, of those that the endpoint takes.
pub(super) fn all_four(ground: &Ground<'_>, stream: &mut Stream) -> Drawn {
    let endpoint = ground.endpoint;
    let takes_filter = Language::Filter.is_taken_by(endpoint);
    let takes_sort = Language::Sort.is_taken_by(endpoint);
    let takes = [takes_filter, takes_sort, endpoint.takes_range(), fields::takes(endpoint)];
    if !endpoint.is_list || takes.iter().filter(|it| **it).count() < 2 || !(takes_filter || takes_sort) {
        return Drawn::NotApplicable;
    }
    let Some(whole) = ground.whole.filter(|whole| whole.is_list && whole.is_all) else {
        return Drawn::NotReached("it is not known whole");
    };
    let filter = if takes_filter { filter::sure(whole, stream) } else { None };
    let sort = if takes_sort { unique_order(whole, stream) } else { None };
    if filter.is_none() && sort.is_none() {
        return Drawn::NotReached("nothing of it can be filtered or sorted by for sure");
    }
    let last = stream.below(3);
    Drawn::check(AllFour {
        filter,
        sort,
        window: endpoint.takes_range().then_some(Window { first: last / 2, last }),
        selector: if fields::takes(endpoint) { filter::plain_fields(whole) } else { None },
    })
}

/// An order in which no two elements are equal: then there is one answer alone.
fn unique_order(whole: &Whole, stream: &mut Stream) -> Option<Sort> {
    let json = whole.json()?;
    let count = elements(&json).len();
    let columns = filter::columns(&json);
    let column = columns
        .iter()
        .find(|it| it.holds == filter::Holds::Numbers && !it.has_null && it.values.len() == count)?;
    let sign = if stream.below(2) == 0 { "+" } else { "-" };
    Sort::parse(&format!("{sign}{}", column.name)).ok().flatten()
}

/// A request that asks for everything at once.
#[derive(Debug)]
struct AllFour {
    filter: Option<Filter>,
    sort: Option<Sort>,
    window: Option<Window>,
    selector: Option<FieldSelector>,
}

impl Check for AllFour {
    fn rule(&self) -> &'static Rule {
        &rule::ALL_FOUR
    }

    fn case(&self) -> String {
        let parts = [
            self.filter.as_ref().map(|it| format!("filter={it}")),
            self.sort.as_ref().map(|it| format!("sort={it}")),
            self.window.map(|it| format!("Range: {}", range_of(it))),
            self.selector.as_ref().map(|it| format!("fields={it}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn questions(&self, base: &Question) -> Vec<Question> {
        let mut question = base.clone();
        if let Some(filter) = &self.filter {
            question = question.with(Language::Filter.name(), &filter.to_string());
        }
        if let Some(sort) = &self.sort {
            question = question.with(Language::Sort.name(), &sort.to_string());
        }
        if let Some(window) = self.window {
            question = question.header("Range", &range_of(window));
        }
        if let Some(selector) = &self.selector {
            question = question.with("fields", &selector.to_string());
        }
        vec![question]
    }

    fn judge(&self, whole: Option<&Whole>, answers: &[Answer]) -> Vec<(&'static Rule, Finding)> {
        let json = whole.and_then(Whole::json);
        let (Some(json), Some(answer)) = (json, answers.first()) else { return Vec::new() };
        let asked = Asked {
            filter: self.filter.as_ref(),
            sort: self.sort.as_ref(),
            window: self.window,
            selector: self.selector.as_ref(),
        };
        let refused = answer.status == 422;
        let finding = match obstacle(answer) {
            Some(finding) => finding,
            None if refused => {
                Finding::NotReached(format!("the console does not take it ({})", answer.named()))
            }
            None if !is_list(answer) => Finding::answered(answer.named(), "200 and a list"),
            None => is_value(answer, &asked.of(elements(&json)).body),
        };
        vec![(&rule::ALL_FOUR, finding)]
    }

    fn compares(&self) -> bool {
        true
    }

    fn smaller(&self) -> Vec<Box<dyn Check>> {
        let (filter, sort) = (&self.filter, &self.sort);
        let with = |filter: Option<Filter>, sort: Option<Sort>, window, selector| {
            let parts =
                [filter.is_some(), sort.is_some(), Option::is_some(&window), Option::is_some(&selector)];
            // One part alone is a test of another rule.
            (parts.iter().filter(|it| **it).count() > 1)
                .then(|| Box::new(Self { filter, sort, window, selector }) as Box<dyn Check>)
        };
        let (window, selector) = (self.window, self.selector.clone());
        let smaller = [
            filter.as_ref().and_then(|_| with(None, sort.clone(), window, selector.clone())),
            sort.as_ref().and_then(|_| with(filter.clone(), None, window, selector.clone())),
            window.and_then(|_| with(filter.clone(), sort.clone(), None, selector.clone())),
            selector.and_then(|_| with(filter.clone(), sort.clone(), window, None)),
        ];
        smaller.into_iter().flatten().collect()
    }
}

fn is_list(answer: &Answer) -> bool {
    answer.json().is_some_and(|json: Json<'_>| matches!(json.kind(), Kind::Array(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::whole::tests::{answer, whole};

    fn judged(kind: Slice, (first, last): (u64, u64), range: &str, came: &str) -> Vec<(String, bool)> {
        let check = Slices { window: Window { first, last }, kind };
        let answer = Answer { content_range: Some(range.to_owned()), ..answer(200, came) };
        let found = check.judge(Some(&whole("[1,2,3,4,5]")), &[answer]);
        found.into_iter().map(|(rule, it)| (rule.id.to_owned(), it == Finding::Holds)).collect()
    }

    #[test]
    fn a_window_is_these_places_and_content_range_counts_them() {
        let says = |slice, counts| {
            [("range-gives-the-slice", slice), ("content-range-counts", counts), ("range-answers-200", true)]
                .map(|(id, holds)| (id.to_owned(), holds))
        };
        assert_eq!(judged(Slice::Within, (1, 2), "items 1-2/5", "[2,3]"), says(true, true));
        // One too few, as with an end that is left out; one too many; counted from 1; passed over.
        for wrong in ["[2]", "[2,3,4]", "[1,2]", "[1,2,3,4,5]"] {
            assert_eq!(judged(Slice::Within, (1, 2), "items 1-2/5", wrong), says(false, true), "{wrong}");
        }
        for wrong in ["items 1-3/5", "items 1-2/4", "items 2-3/5", "bytes 1-2/5"] {
            assert_eq!(judged(Slice::Within, (1, 2), wrong, "[2,3]"), says(true, false), "{wrong}");
        }
        assert!(judged(Slice::PastTheEnd, (3, 15), "items 3-4/5", "[4,5]")[0].1);
        assert!(judged(Slice::BeyondTheEnd, (15, 25), "items */5", "[]")[0].1);
        assert!(!judged(Slice::BeyondTheEnd, (15, 25), "items 4-4/5", "[5]")[0].1);
    }

    #[test]
    fn a_window_shrinks_to_one_place() {
        let check = Slices { window: Window { first: 2, last: 7 }, kind: Slice::Within };
        let cases: Vec<String> = check.smaller().iter().map(|it| it.case()).collect();
        assert_eq!(cases[0], "Range: items=2-2");
        let least = Slices { window: Window { first: 2, last: 2 }, kind: Slice::Within };
        assert!(least.smaller().is_empty());
    }
}
