//! A miss: a 501 that says why, and which recorded interactions come nearest.

use crate::cassette::MatchKey;
use crate::json::quote;
use crate::ledger::Origin;
use crate::message::{Request, Response};

use super::computed::Lacking;
use super::lookup::Cause;
use super::material::Material;

/// The answer to a request that nothing recorded fits, and its origin.
pub(super) fn answer(material: &Material, request: &Request, cause: Cause) -> (Response, Origin) {
    among(material, request, cause.as_str(), cause.help())
}

/// The answer to a request for a part of a list that cannot be computed.
pub(super) fn uncomputed(material: &Material, request: &Request, why: &Lacking) -> (Response, Origin) {
    among(material, request, why.cause, &why.help)
}

/// The answer to a creation when the cassette holds none that was accepted.
pub(super) fn no_creation(material: &Material, request: &Request) -> (Response, Origin) {
    among(
        material,
        request,
        "no creation recorded",
        "record a creation once: faultdeck record --allow-writes with this endpoint",
    )
}

/// The answer to a creation whose key no recorded one has.
pub(super) fn other_key(material: &Material, request: &Request, key: &[String]) -> (Response, Origin) {
    if key.is_empty() {
        return answer(material, request, Cause::NotRecorded);
    }
    let names = key.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    among(
        material,
        request,
        &format!("no creation recorded with this {}", key.join(", ")),
        &format!(
            "{names} says what is asked for (times and uuids of your own do not count), and nothing else is answered with it: record this one, too"
        ),
    )
}

/// The answer of a full session that has no recording to compare with.
pub(super) fn full(request: &Request) -> (Response, Origin) {
    response_to(Vec::new(), request, Cause::Full.as_str(), Cause::Full.help())
}

fn among(material: &Material, request: &Request, cause: &str, help: &str) -> (Response, Origin) {
    response_to(material.nearest(&MatchKey::of(request)), request, cause, help)
}

fn response_to(
    nearest: Vec<(String, String)>,
    request: &Request,
    cause: &str,
    help: &str,
) -> (Response, Origin) {
    let rows: Vec<String> = nearest
        .iter()
        .map(|(id, differs)| format!("{{\"interaction\":{},\"differs\":{}}}", quote(id), quote(differs)))
        .collect();
    let body = format!(
        "{{\"faultdeck\":\"miss\",\"cause\":{},\"request\":{},\"help\":{},\"nearest\":[{}]}}",
        quote(cause),
        quote(&format!("{} {}", request.method, request.path())),
        quote(help),
        rows.join(",")
    );
    let mut response = Response::json(501, body);
    response.headers.push("X-Faultdeck-Miss", cause.to_owned());
    let nearest = nearest.into_iter().map(|(id, differs)| format!("{id}: {differs}")).collect();
    (response, Origin::Miss { cause: cause.to_owned(), nearest })
}
