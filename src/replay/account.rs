//! What is answered before faults, and where it came from.

use sha2::{Digest, Sha256};

use crate::cassette::Index;
use crate::ledger::Origin;
use crate::message::Response;

use super::material::Material;

/// An answer before faults.
#[derive(Clone)]
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
    /// Whether every later poll of the task would be answered alike.
    pub(super) rests: bool,
    /// Whether no other read or poll of the session had a part in it, nor can have one once it is always the same.
    pub(super) stands_alone: bool,
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
            rests: false,
            stands_alone: false,
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
        // It may be another now.
        self.state = None;
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

/// 16 hex digits of SHA-256.
pub(super) fn hash16(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
