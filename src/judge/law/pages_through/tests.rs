use super::*;
use crate::fault::Effect;
use crate::judge::case::Case;
use crate::judge::sample;
use crate::ledger::Exchange;

/// A list of so many elements, ids from 1.
fn list(ids: impl IntoIterator<Item = u64>) -> String {
    let all: Vec<String> = ids.into_iter().map(|id| format!(r#"{{"id":{id}}}"#)).collect();
    format!("[{}]", all.join(","))
}

/// An answer to this `Range` with these elements and this `Content-Range`; empty is none.
fn page(range: &str, ids: impl IntoIterator<Item = u64>, says: &str) -> Exchange {
    let mut page = sample::poll("/api/siem/offenses", 200, &list(ids));
    page.key.endpoint = "GET /siem/offenses".into();
    if !range.is_empty() {
        page.request_headers.push(("range".into(), format!("items={range}")));
    }
    if !says.is_empty() {
        page.response_headers.push(("Content-Range".into(), format!("items {says}")));
    }
    page
}

fn altered(mut page: Exchange) -> Exchange {
    page.faults.push(sample::fault(Effect::Altered));
    page
}

fn run(length: u64, pages: Vec<Exchange>, reported: &str) -> Run {
    let task = Some(list(1..=length));
    let mut run = sample::run(Case { task, ..sample::list("GET /siem/offenses") });
    run.exchanges = pages;
    run.report.outcome = Outcome::Task { standing: Resting::Done, task: reported.to_owned() };
    run
}

fn judged(length: u64, pages: Vec<Exchange>, reported: impl IntoIterator<Item = u64>) -> Verdict {
    judge(&[run(length, pages, &list(reported))])
}

fn because(verdict: Verdict) -> String {
    match verdict {
        Verdict::Violated(violation) => violation.because,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_way_to_read_a_list_to_its_end_holds() {
    let ways: Vec<(u64, Vec<Exchange>)> = vec![
        (5, vec![page("", 1..=5, "")]),
        (5, vec![page("0-4", 1..=5, "0-4/5")]),
        (5, vec![page("0-1", 1..=2, "0-1/5"), page("2-3", 3..=4, "2-3/5"), page("4-5", 5..=5, "4-4/5")]),
        // In any order, and with a look at the total before and after.
        (
            5,
            vec![
                page("0-0", 1..=1, "0-0/5"),
                page("3-4", 4..=5, "3-4/5"),
                page("0-2", 1..=3, "0-2/5"),
                page("0-0", 1..=1, "0-0/5"),
            ],
        ),
        // No total: up to a page that is short, or empty.
        (3, vec![page("0-1", 1..=2, ""), page("2-3", 3..=3, "")]),
        (4, vec![page("0-1", 1..=2, ""), page("2-3", 3..=4, ""), page("4-5", [], "")]),
        // The console does not see the window.
        (5, vec![page("0-1", 1..=5, "")]),
        (2, vec![page("0-1", 1..=2, ""), page("2-3", 1..=2, "")]),
        // Pages overlap.
        (4, vec![page("0-1", 1..=2, "0-1/4"), page("2-3", 2..=3, "2-3/4"), page("3-4", 3..=4, "3-4/4")]),
        (0, vec![page("0-49", [], "*/0")]),
        (0, vec![page("0-49", [], "0-0/0")]),
        (3, vec![page("0-2", 1..=3, "*/3")]),
    ];
    for (length, pages) in ways {
        let asked = format!("{pages:?}");
        assert_eq!(judged(length, pages, (1..=length).rev()), Verdict::held(), "{asked}");
    }
}

#[test]
fn who_stops_before_the_end_loses_elements() {
    for (pages, word) in [
        (vec![page("0-1", 1..=2, "0-1/5")], "5 are there"),
        (vec![page("0-1", 1..=2, "")], "the last page was full"),
        (vec![page("0-1", 1..=2, "*/5")], "5 are there"),
        (vec![page("0-1", 1..=2, "0-1/5"), page("2-3", 3..=4, "2-3/5")], "it reports 4"),
        // A page has fewer than it says.
        (vec![altered(page("0-2", 1..=2, "0-2/5"))], "5 are there"),
    ] {
        let reported: BTreeSet<u64> = (1..=if pages.len() == 2 { 4 } else { 2 }).collect();
        let why = because(judged(5, pages, reported));
        assert!(why.contains(word), "{why}");
    }
}

#[test]
fn places_that_are_left_out_between_pages_are_lost() {
    // One too far: the third is never asked for.
    let gap = vec![page("0-1", 1..=2, "0-1/5"), page("3-4", 4..=5, "3-4/5")];
    assert!(because(judged(5, gap, [1, 2, 4, 5])).contains("not read to its end"));
    // The page was short, and it went on behind the window.
    let behind = vec![altered(page("0-2", 1..=2, "0-2/5")), page("3-4", 4..=5, "3-4/5")];
    assert!(because(judged(5, behind, [1, 2, 4, 5])).contains("5 are there"));
    // Who went on behind the last that came has what there was.
    let on = vec![
        altered(page("0-2", 1..=2, "0-2/5")),
        altered(page("2-4", 3..=4, "2-4/5")),
        altered(page("4-6", [], "4-4/5")),
    ];
    assert_eq!(judged(5, on, 1..=4), Verdict::held());
}

#[test]
fn an_element_is_reported_once_and_none_is_made_up() {
    let pages =
        || vec![page("0-1", 1..=2, "0-1/4"), page("2-3", 2..=3, "2-3/4"), page("3-4", 3..=4, "3-4/4")];
    assert!(because(judged(4, pages(), [1, 2, 2, 3, 3, 4])).contains("reported twice"));
    assert!(because(judged(4, pages(), [1, 2, 3])).contains("id 4 came and is not reported"));
    assert!(because(judged(4, pages(), [1, 2, 3, 4, 5])).contains("id 5, which never came"));
    let why = because(judge(&[run(4, pages(), r#"{"id":1}"#)]));
    assert!(why.contains("no list"), "{why}");
}

#[test]
fn what_the_console_hid_from_who_reads_to_the_end_is_not_missed() {
    let emptied = vec![page("0-1", 1..=2, "0-1/3"), altered(page("2-3", [], "*/3"))];
    assert_eq!(judged(3, emptied, 1..=2), Verdict::held());
    // A total that grows and is never reached.
    let grows = vec![altered(page("0-1", 1..=2, "0-1/3")), altered(page("2-3", [], "*/4"))];
    assert_eq!(judged(2, grows, 1..=2), Verdict::held());
    // Who believes the page in place of a total that is none loses nothing either.
    assert_eq!(judged(1, vec![altered(page("0-1", 1..=1, "0-0/2"))], 1..=1), Verdict::held());
}

#[test]
fn who_says_that_something_is_missing_is_believed() {
    let pages = vec![altered(page("0-2", 1..=2, "0-2/5"))];
    let mut usable = run(5, pages.clone(), &list(1..=2));
    usable.report.outcome = Outcome::Task { standing: Resting::Usable, task: list(1..=2) };
    assert_eq!(judge(&[usable]), Verdict::held());
    let mut complains = run(5, pages, "[]");
    complains.report.outcome = Outcome::Error { text: "a page is short".into() };
    assert!(matches!(judge(&[complains.clone()]), Verdict::NotReached(_)));
    complains.report.outcome = Outcome::Crashed { how: "exit code 1".into() };
    assert!(because(judge(&[complains.clone()])).contains("crashed"));
    // Where nothing goes wrong there is nothing to complain of.
    complains.report.outcome = Outcome::Error { text: "no list".into() };
    complains.exchanges = vec![page("", 1..=5, "")];
    assert!(judge(&[complains]).is_violated());
}

#[test]
fn an_error_that_came_may_be_reported() {
    let mut failed = page("2-3", [], "");
    failed.status = 500;
    let mut run = run(5, vec![page("0-1", 1..=2, "0-1/5"), failed], "[]");
    run.report.outcome = Outcome::ServerError { code: Some(1020) };
    assert!(matches!(judge(&[run]), Verdict::NotReached(_)));
}

#[test]
fn of_a_list_that_nobody_knows_whole_the_pages_alone_tell() {
    assert_eq!(unknown(vec![page("0-1", 1..=2, "0-1/2")], [1, 2]), Verdict::held());
    assert!(unknown(vec![page("0-1", 1..=2, "0-1/3")], [1, 2]).is_violated());
    assert!(unknown(vec![page("0-1", 1..=2, "0-1/2")], [1, 1, 2]).is_violated());
    assert_eq!(unknown(vec![altered(page("0-1", 1..=2, "0-1/3"))], [1, 2]), Verdict::held());
}

/// Of a list that nobody knows whole.
fn unknown(pages: Vec<Exchange>, reported: impl IntoIterator<Item = u64>) -> Verdict {
    let mut run = run(0, pages, &list(reported));
    run.case.task = None;
    judge(&[run])
}

fn is_open(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::NotReached(_))
}

#[test]
fn where_the_list_ends_is_read_off_each_page() {
    // Full pages without a total say nothing of the end, wherever they stand.
    assert!(unknown(vec![page("0-1", 1..=2, ""), page("2-3", 3..=4, "")], 1..=4).is_violated());
    assert_eq!(unknown(vec![page("0-1", 1..=2, ""), page("2-3", 3..=3, "")], 1..=3), Verdict::held());
    // More than was asked for is all there is, in whatever page it came.
    assert_eq!(unknown(vec![page("0-1", 1..=2, ""), page("2-3", 1..=5, "")], 1..=5), Verdict::held());
    assert!(unknown(vec![page("2-4", 3..=5, "")], 3..=5).is_violated());
    // A full page that brings nothing new ends it, even where a total says otherwise.
    assert_eq!(unknown(vec![page("0-1", 1..=2, ""), page("2-3", 1..=2, "")], 1..=2), Verdict::held());
    assert_eq!(unknown(vec![page("0-1", 1..=2, "*/9"), page("2-3", 1..=2, "*/9")], 1..=2), Verdict::held());
    // A total that is not reached speaks against a page that is short; one that was passed ends the list.
    assert!(unknown(vec![page("0-4", 1..=2, "0-1/3")], 1..=2).is_violated());
    assert_eq!(unknown(vec![page("0-1", 1..=2, "0-1/1")], 1..=2), Verdict::held());
}

#[test]
fn what_was_gone_when_the_list_was_read_again_is_not_missed() {
    let again = vec![page("0-4", 1..=5, "0-4/5"), page("0-4", 1..=4, "0-3/4")];
    assert_eq!(unknown(again.clone(), 1..=4), Verdict::held());
    assert_eq!(unknown(again, 1..=5), Verdict::held());
    let further = vec![page("0-2", 1..=3, "0-2/5"), page("3-4", 4..=5, "3-4/5")];
    assert!(because(unknown(further, 1..=3)).contains("2 elements came and are not reported"));
}

#[test]
fn an_element_may_be_reported_as_often_as_it_is_there() {
    let twice = || page("", [1, 1, 2], "");
    assert_eq!(unknown(vec![twice()], [1, 1, 2]), Verdict::held());
    assert!(because(unknown(vec![twice()], [1, 1, 1, 2])).contains("reported 3 times"));
    // A fault that doubles one makes no second one of it.
    assert!(because(judged(2, vec![altered(twice())], [1, 1, 2])).contains("reported twice"));
    // Whose list has it twice reports it twice.
    let mut doubled = run(0, vec![twice()], &list([1, 1, 2]));
    doubled.case.task = Some(list([1, 1, 2]));
    assert_eq!(judge(&[doubled]), Verdict::held());
}

#[test]
fn an_element_that_a_fault_made_another_leaves_the_list_open() {
    let changed = altered(page("", [1, 99], ""));
    assert!(is_open(&judged(2, vec![changed.clone()], [1, 99])));
    assert!(is_open(&judged(2, vec![changed], [1, 2])));
}

#[test]
fn who_asks_for_a_part_by_filter_reads_that_part() {
    let target = |what: &str| {
        let mut page = page("0-1", 1..=2, "0-1/5");
        page.target = format!("/api/siem/offenses?{what}");
        page
    };
    assert_eq!(judged(5, vec![target("filter=id%3C3")], 1..=2), Verdict::held());
    assert!(judged(5, vec![target("sort=%2Bid")], 1..=2).is_violated());
}

#[test]
fn pages_that_may_not_have_come_decide_nothing() {
    let lost = || {
        let mut page = page("0-1", 1..=2, "0-1/2");
        page.faults.push(sample::fault(Effect::Lost));
        page
    };
    assert!(is_open(&judged(2, vec![lost()], [])));
    // Neither its total nor what stood in it is held against anybody.
    let first = || page("0-1", 1..=2, "0-1/4");
    let mut cut = page("2-3", 3..=4, "2-3/9");
    cut.faults.push(sample::fault(Effect::Lost));
    assert!(because(unknown(vec![first(), cut.clone()], 1..=2)).contains("4 are there"));
    assert!(is_open(&judge(&[Run {
        report: sample::report(Outcome::Crashed { how: "exit code 1".into() }),
        ..run(4, vec![first(), cut], "[]")
    }])));
}

#[test]
fn a_page_that_was_refused_may_be_reported_as_that() {
    for status in [400, 500] {
        let mut refused = page("2-3", [], "");
        refused.status = status;
        let mut run = run(4, vec![page("0-1", 1..=2, "0-1/4"), refused], "[]");
        for outcome in [Outcome::Error { text: "no".into() }, Outcome::Crashed { how: "exit code 1".into() }]
        {
            run.report.outcome = outcome;
            assert!(is_open(&judge(&[run.clone()])), "{status}");
        }
    }
}
