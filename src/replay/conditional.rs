//! 304 is an answer to a condition: who sets none has nothing that could be "not modified".

use crate::cassette::Slot;
use crate::message::{Request, Response};

use super::lookup::Cause;
use super::material::Material;

const NOT_MODIFIED: u16 = 304;

/// Whether a recorded answer can be one to this request at all.
pub(super) fn can_answer(response: &Response, request: &Request) -> bool {
    response.status != NOT_MODIFIED || sets_a_condition(request)
}

/// The recordings that answer this request's condition, or its lack of one, and a mark that tells the two apart.
///
/// A condition as it was recorded gets what was recorded for it. Any other gets a whole answer, which is never wrong.
///
/// # Errors
/// If there are only 304s, and the request asks for none of them.
pub(super) fn fitting<'s>(
    material: &Material,
    request: &Request,
    slots: Vec<&'s Slot>,
) -> Result<(Vec<&'s Slot>, &'static str), Cause> {
    let recorded = |slot: &Slot| &material.cassette().interactions[slot.index];
    if !slots.iter().any(|slot| recorded(slot).response.status == NOT_MODIFIED) {
        return Ok((slots, ""));
    }
    if sets_a_condition(request) {
        let is_same = |slot: &&Slot| {
            let recorded = recorded(slot);
            sets_a_condition(&recorded.request)
                && same_condition(&recorded.request, &recorded.response, request)
        };
        let same: Vec<&Slot> = slots.iter().copied().filter(is_same).collect();
        if !same.is_empty() {
            return Ok((same, "\nconditional"));
        }
    }
    let whole = slots.into_iter().filter(|slot| recorded(slot).response.status != NOT_MODIFIED);
    let whole: Vec<&Slot> = whole.collect();
    if whole.is_empty() { Err(Cause::NotModified) } else { Ok((whole, "")) }
}

fn sets_a_condition(request: &Request) -> bool {
    request.headers.has("If-None-Match") || request.headers.has("If-Modified-Since")
}

/// Whether what was answered to a recorded condition answers this one: the tags are those of the recording. A time says
/// when the client looked last, which is another in each run; with tags it does not count (RFC 9110, section 13.1.3).
fn same_condition(recorded: &Request, answer: &Response, live: &Request) -> bool {
    let Some(asked) = live.headers.text("If-None-Match") else {
        return recorded.headers.has("If-Modified-Since");
    };
    let known = [recorded.headers.text("If-None-Match"), answer.headers.text("ETag")];
    let known: Vec<&str> = known.iter().flatten().flat_map(|tags| tags_of(tags)).collect();
    tags_of(&asked).any(|tag| tag == "*" || known.contains(&tag))
}

/// Weak tags are as good as strong ones here.
fn tags_of(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(|tag| tag.trim()).map(|tag| tag.strip_prefix("W/").unwrap_or(tag))
}
