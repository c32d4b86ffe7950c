//! `list`: reads a list page by page, to its end.

use std::collections::BTreeSet;

use super::Program;
use crate::bundled::answer::Answer;
use crate::bundled::defects;
use crate::bundled::report::{Outcome, Standing};
use crate::json::Json;
use crate::message::Response;

/// Where a list is read unless another path is given.
const OFFENSES: &str = "/siem/offenses";
/// How many elements a page has, at most.
const PAGE: usize = 50;

impl Program<'_> {
    /// Reads on from where the last element came to, until the total is reached or a page brings nothing new. An element
    /// is known by its id, else by all that it is: pages overlap where the list grows at the front.
    pub(super) fn list(&mut self) -> Outcome {
        let path = self.arguments.path.clone().unwrap_or_else(|| OFFENSES.to_owned());
        let target = format!("{}/api{path}", self.console.prefix());
        let mut found: Vec<String> = Vec::new();
        let mut ids: BTreeSet<String> = BTreeSet::new();
        loop {
            let at = found.len();
            let range = format!("items={at}-{}", at + PAGE - 1);
            let request = self.request("GET", target.clone()).with("Range", &range);
            let text = match self.ask(&request) {
                Answer::Data(text) => text,
                other => return self.end(other),
            };
            let Some(page) = Json::parse(&text).ok().filter(|json| json.text().starts_with('[')) else {
                return Outcome::Error("the answer is no list".to_owned());
            };
            let count = page.elements().len();
            for element in page.elements() {
                let own = element.member("id").map_or(element.text(), Json::text);
                if ids.insert(own.to_owned()) {
                    found.push(element.text().to_owned());
                }
            }
            let is_short = count < PAGE;
            // More than was asked for is all there is: the window was not seen.
            let is_last = count > PAGE
                || found.len() == at
                || self.total.map_or(is_short, |total| found.len() as u64 >= total)
                || self.defects.has(defects::FIRST_PAGE);
            if is_last {
                return Outcome::Task { standing: Standing::Done, task: format!("[{}]", found.join(",")) };
            }
        }
    }
}

/// How many elements there are in all, as an answer says: `items 0-49/101`, or `items */101`.
pub(super) fn total(response: &Response) -> Option<u64> {
    response.headers.text("Content-Range")?.rsplit_once('/')?.1.trim().parse().ok()
}
