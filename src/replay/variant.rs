//! One address can have several answers: JSON or CSV by `Accept`, seconds or milliseconds by `Version`.
//!
//! Where the recordings of a request differ in one of these headers, those are meant that were asked for in the same way.
//! Who asks in none of these ways gets what a console would take that for, and never one kind after another.

use crate::cassette::Slot;
use crate::message::{Request, Response};
use crate::profile::Version;

use super::lookup::{Cause, Header};
use super::material::Material;

/// The recordings that were asked for as this request asks, and the values that told them apart.
///
/// # Errors
/// If none of several kinds is what is asked for.
pub(super) fn of<'s>(
    material: &Material,
    request: &Request,
    mut slots: Vec<&'s Slot>,
) -> Result<(Vec<&'s Slot>, String), Cause> {
    let mut variant = String::new();
    let headers: &[Header] = match request.method.as_str() {
        "OPTIONS" => &[Header::Preflight],
        _ => &[Header::Accept, Header::Version],
    };
    for header in headers.iter().copied() {
        let value = |slot: &Slot| header.value(&material.cassette().interactions[slot.index].request);
        let mut kinds: Vec<String> = slots.iter().map(|slot| value(slot)).collect();
        let in_order = kinds.clone();
        kinds.sort();
        kinds.dedup();
        if kinds.len() < 2 {
            continue;
        }
        let asked = header.value(request);
        let meant = match kinds.contains(&asked) {
            true => Some(asked),
            false => header.nearest(&asked, material, &slots, &in_order),
        };
        let meant = meant.ok_or(Cause::OtherHeader(header))?;
        slots.retain(|slot| value(slot) == meant);
        variant.push_str(&format!("\n{}: {meant}", header.name()));
    }
    Ok((slots, variant))
}

impl Header {
    fn name(self) -> &'static str {
        match self {
            Self::Accept => "Accept",
            Self::Version => "Version",
            Self::Preflight => "Access-Control-Request-Method",
        }
    }

    /// The header's value, as far as it matters; `Accept: */*` is as good as none, and version 20 is 20.0.
    fn value(self, request: &Request) -> String {
        let value = request.headers.text(self.name()).unwrap_or_default().trim().to_ascii_lowercase();
        match self {
            Self::Accept if value == "*/*" => String::new(),
            Self::Version => Version::try_from(value.clone()).map_or(value, |version| version.to_string()),
            Self::Accept | Self::Preflight => value,
        }
    }

    /// Of several kinds the one that a request means which asks for none of them by its own words: the first that it
    /// accepts; the latest version, if it names none.
    fn nearest(self, asked: &str, material: &Material, slots: &[&Slot], kinds: &[String]) -> Option<String> {
        match self {
            Self::Accept => {
                let is_accepted =
                    |slot: &&Slot| accepts(asked, &material.cassette().interactions[slot.index].response);
                let first = slots.iter().position(is_accepted)?;
                kinds.get(first).cloned()
            }
            Self::Version if asked.is_empty() => {
                let number = |kind: &&String| Version::try_from((*kind).clone()).ok();
                kinds.iter().filter(|kind| number(kind).is_some()).max_by_key(number).cloned()
            }
            Self::Version | Self::Preflight => None,
        }
    }
}

/// Whether a request with this `Accept` can be answered so: a type, `text/*` or `*/*` of its list fits, and is not
/// forbidden with `q=0`. Nothing asked for is everything.
fn accepts(accept: &str, response: &Response) -> bool {
    let kind = response.headers.text("Content-Type").unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    accept.is_empty()
        || accept.split(',').any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let range = parts.next().unwrap_or_default();
            let fits = match range.strip_suffix("/*") {
                Some(family) => family == "*" || kind.split('/').next() == Some(family),
                None => range == kind,
            };
            let is_forbidden = parts.any(|part| {
                part.strip_prefix("q=")
                    .is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0))
            });
            fits && !is_forbidden
        })
}
