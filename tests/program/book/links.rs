//! The book hangs together: each page is in its contents, and each link leads somewhere.

use std::collections::BTreeSet;

use super::page::{Page, all, book, page, root};

/// The targets of the links of a page, each with its line.
fn links(page: &Page) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (line, text) in page.prose() {
        // What stands between backticks is code.
        let text: String = text.split('`').step_by(2).collect::<Vec<_>>().join("code");
        for part in text.split("](").skip(1) {
            links.extend(part.split_once(')').map(|(target, _)| (line, target.to_owned())));
        }
    }
    links
}

/// The anchors of the headings of a text, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let page = Page { name: String::new(), text: text.to_owned() };
    let headings = page.prose().into_iter().filter(|(_, line)| line.starts_with('#'));
    let mut anchors = BTreeSet::new();
    for (_, line) in headings {
        let name = line.trim_start_matches('#').trim().to_lowercase();
        let kept = name.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let again = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone()).chain(again).find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut pages = all();
    pages.push(page("docs/SUMMARY.md"));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in &pages {
        for (line, link) in links(page) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            seen += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link.as_str(), ""));
            let target =
                if file.is_empty() { root().join(&page.name) } else { root().join(page.folder()).join(file) };
            let place = format!("{}:{line}: {link}", page.name);
            let Ok(text) = std::fs::read(&target).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            else {
                wrong.push(format!("{place}: there is no such file"));
                continue;
            };
            if !anchor.is_empty() && !anchors(&text).contains(anchor) {
                wrong.push(format!("{place}: there is no such heading"));
            }
            // Outside of the book there is nothing when it is read as a book.
            if page.name.starts_with("docs/") && file.starts_with("..") {
                wrong.push(format!("{place}: it leads out of the book; name the file without a link"));
            }
        }
    }
    assert!(seen > 100, "{seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_page_is_missing_from_the_contents_and_none_is_there_twice() {
    let listed: Vec<String> = links(&page("docs/SUMMARY.md")).into_iter().map(|(_, link)| link).collect();
    let once: BTreeSet<&String> = listed.iter().collect();
    assert_eq!(once.len(), listed.len(), "a page is listed twice: {listed:?}");
    for page in book() {
        let name = page.name.trim_start_matches("docs/").to_owned();
        assert!(listed.contains(&name), "{} is not in docs/SUMMARY.md: add a line", page.name);
        assert!(page.text.starts_with("# "), "{} does not begin with its title", page.name);
    }
}

#[test]
fn a_heading_has_the_anchor_that_readers_use() {
    let anchors = anchors("# Two words, `code`\n## It's 3-4\n```\n# no heading\n```\n## It's 3-4\n");
    let wanted = ["its-3-4", "its-3-4-1", "two-words-code"].map(str::to_owned);
    assert_eq!(anchors, BTreeSet::from(wanted));
}
