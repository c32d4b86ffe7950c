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
    let unknown = |pages: Vec<Exchange>, reported: &[u64]| {
        let mut run = run(0, pages, &list(reported.iter().copied()));
        run.case.task = None;
        judge(&[run])
    };
    assert_eq!(unknown(vec![page("0-1", 1..=2, "0-1/2")], &[1, 2]), Verdict::held());
    assert!(unknown(vec![page("0-1", 1..=2, "0-1/3")], &[1, 2]).is_violated());
    assert!(unknown(vec![page("0-1", 1..=2, "0-1/2")], &[1, 1, 2]).is_violated());
    assert_eq!(unknown(vec![altered(page("0-1", 1..=2, "0-1/3"))], &[1, 2]), Verdict::held());
}
