//! What was answered and why: the way from a decision to a ledger line.

use sha2::{Digest, Sha256};

use crate::cassette::Index;
use crate::delivery::Delivery;
use crate::ledger::{BODY_MAX, BodyText, Exchange, HeadLine, Origin};
use crate::message::{Headers, Request, Response};

use super::Setup;
use super::material::Material;

/// An answer before faults.
pub(super) struct Answer {
    pub(super) response: Response,
    /// The recording it was made from.
    pub(super) index: Option<Index>,
    pub(super) origin: Origin,
    pub(super) projected: bool,
    /// What was computed, in order: `filter`, `sort`, `Range`.
    pub(super) computed: Vec<String>,
    pub(super) state: Option<String>,
    pub(super) findings: Vec<String>,
}

impl Answer {
    /// An answer that no recording stands behind.
    pub(super) fn made(response: Response, origin: Origin) -> Self {
        Self {
            response,
            index: None,
            origin,
            projected: false,
            computed: Vec::new(),
            state: None,
            findings: Vec::new(),
        }
    }

    /// The console was out of the way: a fault puts its own answer in place.
    pub(super) fn nothing() -> Self {
        Self::made(Response::new(200), Origin::Fault(String::new()))
    }

    /// A recorded answer.
    pub(super) fn recorded(material: &Material, index: Index) -> Self {
        let interaction = &material.cassette().interactions[index];
        let twice = material.duplicates(index);
        let mut answer = Self::made(interaction.response.clone(), Origin::Recorded(interaction.id.clone()));
        answer.index = Some(index);
        if material.is_mended(index) {
            answer.findings.push(format!(
                "the recorded Content-Length of {} does not fit its body; the true length is sent",
                interaction.id
            ));
        }
        answer.findings.extend(twice.iter().map(|pointer| {
            format!(
                "the recorded answer {} has the member {pointer} twice; a projection keeps the first",
                interaction.id
            )
        }));
        answer
    }

    /// Nothing fits.
    pub(super) fn missed((response, origin): (Response, Origin)) -> Self {
        Self::made(response, origin)
    }

    /// The recorded answer with a timeline's state in it.
    pub(super) fn rewritten(mut self, response: Response) -> Self {
        self.response = response;
        if let Origin::Recorded(id) = self.origin {
            self.origin = Origin::Timeline(id);
        }
        self
    }

    /// The recorded answer with fresh ids in it.
    pub(super) fn fresh(mut self) -> Self {
        if let Origin::Recorded(id) = self.origin {
            self.origin = Origin::Created(id);
        }
        self
    }
}

/// The ledger line of a decision. The key, call, tick and faults are the session's to fill.
pub(super) fn exchange(
    setup: &Setup,
    request: &Request,
    delivery: &Delivery,
    answer: Answer,
    replaced: Option<&'static str>,
) -> Exchange {
    // What the answer gives away may stand in the request as well.
    setup.redactor.learn_response(&delivery.response);
    let clean_request = setup.redactor.request(request);
    let clean_response = setup.redactor.response(&delivery.response);
    let same_as = match (&answer.origin, answer.projected || !answer.computed.is_empty()) {
        (Origin::Recorded(id), false) if answer.response.body == delivery.response.body => {
            answer.index.and_then(|index| recorded_body(setup, index, id, delivery))
        }
        _ => None,
    };
    let clean = |texts: Vec<String>| texts.iter().map(|text| setup.redactor.text(text)).collect();
    let origin = match (replaced, answer.origin) {
        (Some(kind), _) => Origin::Fault(kind.to_owned()),
        (None, Origin::Miss { cause, nearest }) => Origin::Miss { cause, nearest: clean(nearest) },
        (None, origin) => origin,
    };
    Exchange {
        state: answer.state.map(|state| setup.redactor.text(&state)),
        method: clean_request.method.clone(),
        target: clean_request.target.clone(),
        request_headers: lines(&clean_request.headers),
        request_body: body(&clean_request.body),
        status: clean_response.status,
        reason: String::from_utf8_lossy(&clean_response.reason).into_owned(),
        response_headers: lines(&clean_response.headers),
        response_body: same_as.unwrap_or_else(|| body(&clean_response.body)),
        origin,
        projected: answer.projected,
        computed: answer.computed,
        planned_bytes: delivery.planned_bytes(),
        findings: clean(answer.findings),
        work_done: true,
        ..Exchange::default()
    }
}

/// Long recorded bodies are named, not repeated; short ones stay readable in place.
fn recorded_body(setup: &Setup, index: Index, id: &str, delivery: &Delivery) -> Option<BodyText> {
    const REPEATED_MAX: usize = 4096;
    if delivery.response.body.len() <= REPEATED_MAX {
        return None;
    }
    let super::Evidence::Cassette(material) = &setup.evidence else { return None };
    let interaction = material.cassette().interactions.get(index)?;
    (interaction.response.body == delivery.response.body).then(|| BodyText::SameAs(id.to_owned()))
}

fn lines(headers: &Headers) -> Vec<HeadLine> {
    headers.iter().map(|line| (line.name.clone(), line.text().into_owned())).collect()
}

fn body(bytes: &[u8]) -> BodyText {
    match std::str::from_utf8(bytes) {
        Ok("") => BodyText::Empty,
        Ok(text) if text.len() <= BODY_MAX => BodyText::Text(text.to_owned()),
        text => {
            let start = text.map_or("", |text| &text[..text.floor_char_boundary(BODY_MAX)]);
            BodyText::Cut { length: bytes.len() as u64, hash: hash16(bytes), start: start.to_owned() }
        }
    }
}

/// 16 hex digits of SHA-256.
pub(super) fn hash16(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
