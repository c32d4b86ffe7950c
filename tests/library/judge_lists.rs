//! Lists are read to their end in many ways, all of them right; each wrong one breaks `pages-through`, and that alone.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::judging;
use faultdeck::client::{InProcess, Job, JobKind, Outcome, Resting};
use faultdeck::json::Json;
use faultdeck::judge::{Judged, Plan, judge};
use faultdeck::ledger::{Exit, Standing};
use faultdeck::profile::Profile;
use faultdeck::scenario::Scenario;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How a client reads a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Asks for all, without a window.
    Whole,
    /// On from the last that came, pages of this size, until the total or nothing new.
    Pages(usize),
    /// The same, and goes by the length of pages alone.
    UntilShort(usize),
    /// A look at the total first, then everything in one window.
    ByTotal,
    /// A look at the total, then the pages, the last one first.
    Backwards(usize),
    /// Pages up to an empty one.
    UntilEmpty(usize),
    /// Wrong: the first page only.
    FirstPage(usize),
    /// Wrong: takes no element for one it has.
    Twice(usize),
    /// Wrong: the next window begins with the last element of this one.
    OneBack(usize),
    /// Wrong: the next window leaves one out.
    OneOn(usize),
    /// Wrong: goes on behind the window, however few came.
    BehindTheWindow(usize),
    /// Wrong: the last page is left out if it is not full.
    FullPages(usize),
}

type Answered = Pin<Box<dyn Future<Output = Outcome> + Send>>;

fn client(way: Way) -> InProcess<impl Fn(Job) -> Answered + Send + Sync> {
    InProcess::new("lister", move |job: Job| {
        Box::pin(async move {
            let limit = Duration::from_millis(job.deadline_ms);
            let read = async { read(&job, way).await.unwrap_or_else(|error| error) };
            tokio::time::timeout(limit, read).await.unwrap_or(Outcome::GaveUp)
        }) as Answered
    })
    .with_jobs(&[JobKind::List])
    .with_timeout_ms(2_000)
}

/// What a client has of a list.
#[derive(Default)]
struct Found {
    elements: Vec<String>,
    ids: BTreeSet<String>,
    counts_twice: bool,
}

impl Found {
    fn add(&mut self, page: &[String]) {
        for element in page {
            let id =
                Json::parse(element).unwrap().member("id").map_or(element.clone(), |id| id.text().to_owned());
            if self.counts_twice || self.ids.insert(id) {
                self.elements.push(element.clone());
            }
        }
    }

    fn outcome(self) -> Outcome {
        Outcome::Task { standing: Resting::Done, task: format!("[{}]", self.elements.join(",")) }
    }
}

/// One page, and how many there are in all.
type Page = (Vec<String>, Option<usize>);

async fn read(job: &Job, way: Way) -> Result<Outcome, Outcome> {
    let mut found = Found { counts_twice: matches!(way, Way::Twice(_)), ..Found::default() };
    let size = match way {
        Way::Whole => {
            found.add(&page(job, None).await?.0);
            return Ok(found.outcome());
        }
        Way::ByTotal => {
            let (first, total) = page(job, Some((0, 0))).await?;
            found.add(&first);
            if let Some(total) = total.filter(|total| *total > first.len()) {
                found.add(&page(job, Some((0, total - 1))).await?.0);
            }
            return Ok(found.outcome());
        }
        Way::Backwards(size) => {
            let (first, total) = page(job, Some((0, size - 1))).await?;
            for at in (1..total.unwrap_or_default().div_ceil(size)).rev() {
                found.add(&page(job, Some((at * size, at * size + size - 1))).await?.0);
            }
            found.add(&first);
            return Ok(found.outcome());
        }
        Way::Pages(size) | Way::UntilShort(size) | Way::UntilEmpty(size) | Way::FirstPage(size) => size,
        Way::Twice(size) | Way::OneBack(size) | Way::OneOn(size) => size,
        Way::BehindTheWindow(size) | Way::FullPages(size) => size,
    };
    found.counts_twice |= matches!(way, Way::OneBack(_));
    let mut at = 0;
    loop {
        let before = found.elements.len();
        let (page, total) = page(job, Some((at, at + size - 1))).await?;
        if way == Way::FullPages(size) && page.len() < size {
            return Ok(found.outcome());
        }
        found.add(&page);
        at = match way {
            Way::OneBack(_) => at + page.len().max(2) - 1,
            Way::OneOn(_) => at + page.len() + 1,
            Way::BehindTheWindow(_) | Way::Twice(_) => at + size,
            _ => found.elements.len(),
        };
        let has_all = match (way, total) {
            (Way::UntilEmpty(_), _) => page.is_empty(),
            (Way::UntilShort(_), _) | (_, None) => page.len() < size,
            (_, Some(total)) => at >= total,
        };
        let is_last = has_all || page.len() > size || page.is_empty() || found.elements.len() == before;
        if is_last || way == Way::FirstPage(size) {
            return Ok(found.outcome());
        }
    }
}

async fn page(job: &Job, window: Option<(usize, usize)>) -> Result<Page, Outcome> {
    let host = job.base_url.strip_prefix("http://").unwrap();
    let range = window.map(|(first, last)| format!("Range: items={first}-{last}\r\n")).unwrap_or_default();
    let request = format!(
        "GET /api{} HTTP/1.1\r\nHost: {host}\r\nSEC: {}\r\n{range}Connection: close\r\n\r\n",
        job.path, job.sec
    );
    // Whoever fails once is asked again.
    let mut last = Outcome::GaveUp;
    for _ in 0..3 {
        match sent(host, &request).await {
            Some((200..=299, head, body))
                if Json::parse(&body).is_ok_and(|it| it.text().starts_with('[')) =>
            {
                let elements = Json::parse(&body).unwrap();
                let elements = elements.elements().iter().map(|each| each.text().to_owned()).collect();
                let says = head.lines().find_map(|line| line.strip_prefix("Content-Range: "));
                return Ok((elements, says.and_then(|says| says.rsplit_once('/')?.1.trim().parse().ok())));
            }
            Some((status, ..)) if status >= 500 => last = Outcome::ServerError { code: None },
            Some((400..=499, ..)) => return Err(Outcome::Rejected { code: None }),
            Some(_) => return Err(Outcome::Error { text: "no list".to_owned() }),
            None => last = Outcome::GaveUp,
        }
    }
    Err(last)
}

async fn sent(host: &str, request: &str) -> Option<(u16, String, String)> {
    let mut stream = TcpStream::connect(host).await.ok()?;
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, head.to_owned(), body.to_owned()))
}

/// The stories about pages.
const STORIES: [&str; 9] = [
    "lists/changing-total",
    "lists/content-range-with-a-star",
    "lists/empty-last-page",
    "lists/no-content-range",
    "lists/overlapping-page",
    "lists/page-breaks-off",
    "lists/page-fails-once",
    "lists/range-is-passed-over",
    "lists/short-page",
];

async fn judged(way: Way, endpoint: &str, cases: u32, stories: &[&str]) -> Judged {
    let story = |name: &&str| Arc::new(Scenario::builtin(name, Profile::builtin()).unwrap());
    let scenarios = stories.iter().map(story).collect();
    // Each case has a list of its own.
    let plan = Plan { cases, scenarios, ..Plan::new(Arc::new(|_| Ok(judging::recording()))) };
    judge(&plan, &client(way).with_endpoint(JobKind::List, endpoint), &|_| {}).await.unwrap()
}

fn broken(judged: &Judged) -> BTreeSet<(&str, &str)> {
    let violated = judged.verdicts.iter().filter(|line| line.verdict == Standing::Violated);
    violated.map(|line| (line.scenario.as_str(), line.property.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_right_way_to_read_a_list_is_right() {
    for way in [Way::Whole, Way::Pages(50), Way::Pages(7), Way::UntilEmpty(20), Way::Pages(500)] {
        let judged = judged(way, "GET /siem/offenses", 40, &STORIES).await;
        assert_eq!(broken(&judged), BTreeSet::new(), "{way:?}: {:#?}", judged.verdicts);
        let open: Vec<_> = (judged.verdicts.iter().filter(|line| line.required))
            .filter(|line| !matches!(line.verdict, Standing::Held | Standing::NotApplicable))
            .collect();
        assert!(open.is_empty(), "{way:?}: {open:#?}");
        assert_eq!(judged.account.exit, Exit::Passed, "{way:?}");
    }
    // Who goes by the total, or by the length of a page, is right as long as both can be believed.
    for way in [Way::ByTotal, Way::Backwards(10), Way::UntilShort(25)] {
        let judged = judged(way, "GET /siem/offenses", 1, &[]).await;
        assert_eq!(broken(&judged), BTreeSet::new(), "{way:?}: {:#?}", judged.verdicts);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_wrong_way_to_read_a_list_breaks_the_law_of_lists_and_no_other() {
    let clean = |way| async move { judged(way, "GET /siem/offenses", 1, &[]).await };
    for way in [Way::FirstPage(50), Way::OneBack(10), Way::OneOn(10), Way::FullPages(20)] {
        let judged = clean(way).await;
        assert_eq!(broken(&judged), BTreeSet::from([("generated", "pages-through")]), "{way:?}");
    }
    for (way, story) in [
        (Way::Twice(10), "lists/overlapping-page"),
        (Way::BehindTheWindow(10), "lists/short-page"),
        (Way::UntilShort(25), "lists/short-page"),
    ] {
        let judged = judged(way, "GET /siem/offenses", 0, &[story]).await;
        assert_eq!(broken(&judged), BTreeSet::from([(story, "pages-through")]), "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stories_about_lists_are_told_of_any_list() {
    for endpoint in ["GET /reference_data/sets", "GET /config/domain_management/domains"] {
        let right = judged(Way::Pages(10), endpoint, 1, &STORIES).await;
        assert_eq!(broken(&right), BTreeSet::new(), "{endpoint}: {:#?}", right.verdicts);
        let of_the_law = right.verdicts.iter().filter(|line| line.property == "pages-through");
        assert_eq!(of_the_law.filter(|line| line.verdict == Standing::Held).count(), STORIES.len() + 1);
    }
    let wrong = judged(Way::Twice(10), "GET /config/domain_management/domains", 0, &STORIES).await;
    assert!(broken(&wrong).contains(&("lists/overlapping-page", "pages-through")), "{:#?}", wrong.verdicts);
}
