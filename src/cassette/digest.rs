//! What names the contents of a cassette: the same interactions have the same name, however the file is laid out.

use std::collections::HashMap;

use foldhash::quality::RandomState;
use sha2::{Digest, Sha256};

use super::{Cassette, Interaction, TlsTrust};
use crate::message::Headers;

/// Bytes that are gathered before they are hashed.
const GATHERED: usize = 16 * 1024;
/// Of how many shared heads the hash is remembered.
const HEADS_MAX: usize = 4096;

impl Cassette {
    /// 16 hex digits of the SHA-256 of all that it holds. `head` has the head lines of an answer where others stood in the
    /// file than stand in it now.
    pub(crate) fn digest<'c>(&'c self, head: impl Fn(usize) -> Option<&'c Headers>) -> String {
        let mut parts =
            Parts { hash: Sha256::new(), gathered: Vec::with_capacity(GATHERED), heads: HashMap::default() };
        let from = &self.recorded_from;
        parts.add(from.host.as_bytes());
        parts.add(from.api_version.as_deref().unwrap_or("\0").as_bytes());
        parts.add(match from.tls {
            TlsTrust::None => b"none",
            TlsTrust::Verified => b"verified",
            TlsTrust::Pinned => b"pinned",
            TlsTrust::Insecure => b"insecure",
        });
        parts.add(from.encoding.as_bytes());
        parts.add(from.redaction.as_bytes());
        for (index, interaction) in self.interactions.iter().enumerate() {
            parts.add_interaction(interaction, head(index).unwrap_or(&interaction.response.headers));
        }
        parts.finish()
    }
}

/// Parts with their lengths, so that no two lists of them are hashed as the same bytes.
struct Parts {
    hash: Sha256,
    gathered: Vec<u8>,
    /// The hashes of shared heads, by where they are.
    heads: HashMap<usize, [u8; 32], RandomState>,
}

impl Parts {
    fn add(&mut self, part: &[u8]) {
        self.number(part.len());
        if self.gathered.len() + part.len() > GATHERED {
            self.hash.update(&self.gathered);
            self.gathered.clear();
        }
        match part.len() > GATHERED {
            true => self.hash.update(part),
            false => self.gathered.extend_from_slice(part),
        }
    }

    fn number(&mut self, number: usize) {
        self.gathered.extend_from_slice(&(number as u64).to_le_bytes());
    }

    fn add_interaction(&mut self, interaction: &Interaction, head: &Headers) {
        let (request, response) = (&interaction.request, &interaction.response);
        self.add(interaction.id.as_bytes());
        self.add(interaction.endpoint.as_bytes());
        self.number(usize::from(interaction.by_recorder));
        self.add(&interaction.moment.to_le_bytes());
        self.add(request.method.as_bytes());
        self.add(request.target.as_bytes());
        self.add(request.version.as_str().as_bytes());
        self.lines(&request.headers);
        self.add(&request.body);
        self.add(response.version.as_str().as_bytes());
        self.number(usize::from(response.status));
        self.add(&response.reason);
        self.lines(head);
        let chunks = response.chunks.as_deref();
        self.number(chunks.map_or(0, |chunks| chunks.len() + 1));
        chunks.unwrap_or_default().iter().for_each(|size| self.number(*size));
        self.add(&response.body);
        self.lines(&response.trailers);
        self.number(interaction.notes.len());
        interaction.notes.iter().for_each(|note| self.add(note.as_bytes()));
    }

    /// A head is hashed by itself: it stands in many interactions.
    fn lines(&mut self, headers: &Headers) {
        let place = headers.as_shared().map(|lines| lines.as_ptr() as usize);
        let known = place.and_then(|place| self.heads.get(&place)).copied();
        let hash = known.unwrap_or_else(|| hash_of(headers));
        if let Some(place) = place.filter(|_| known.is_none() && self.heads.len() < HEADS_MAX) {
            self.heads.insert(place, hash);
        }
        self.gathered.extend_from_slice(&hash);
    }

    fn finish(mut self) -> String {
        self.hash.update(&self.gathered);
        self.hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn hash_of(headers: &Headers) -> [u8; 32] {
    let mut hash = Sha256::new();
    for line in headers.iter() {
        for part in [line.name.as_bytes(), &line.value] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Request, Response};

    fn tape() -> Cassette {
        let one = Interaction {
            id: "a".to_owned(),
            endpoint: "".into(),
            request: Request::new("GET", "/api/a").with("Accept", "x"),
            response: Response::json(200, "{\"a\":1}"),
            by_recorder: false,
            moment: 0,
            notes: Vec::new(),
        };
        Cassette { interactions: vec![one], ..Cassette::default() }
    }

    #[test]
    fn a_cassette_is_named_by_all_that_it_holds_and_not_by_its_layout() {
        let text = tape().to_text();
        let laid_out = Cassette::parse("a", &text).unwrap();
        let flat = Cassette::parse("b", &text.replace("\n ", "\n   ")).unwrap();
        assert_eq!(laid_out.digest(|_| None), flat.digest(|_| None));
        assert_eq!(laid_out.digest(|_| None).len(), 16);
        let edits: [fn(&mut Interaction); 8] = [
            |it| it.request.target.push('b'),
            |it| it.request.headers.set("Accept", "y"),
            |it| it.request.headers.push("b", ""),
            |it| it.response.status = 201,
            |it| it.response.body = "{\"a\":2}".into(),
            |it| it.response.chunks = Some(Vec::new()),
            |it| it.moment = 1,
            |it| it.notes.push(String::new()),
        ];
        for (place, edit) in edits.iter().enumerate() {
            let mut other = tape();
            other.interactions.iter_mut().for_each(edit);
            assert_ne!(tape().digest(|_| None), other.digest(|_| None), "edit {place}");
        }
    }

    #[test]
    fn a_head_that_was_put_right_counts_as_it_was() {
        let mut other = tape();
        let was = other.interactions[0].response.headers.clone();
        other.interactions[0].response.headers.set("Content-Length", "8");
        assert_ne!(other.digest(|_| None), tape().digest(|_| None));
        assert_eq!(other.digest(|_| Some(&was)), tape().digest(|_| None));
    }
}
