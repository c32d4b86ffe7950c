//! Which resource each interaction is about: its path up to the last parameter of its endpoint, else its whole path. In
//! nearly all targets that is how they begin, so of most no more is kept than where it ends.

use std::collections::BTreeMap;

use super::{Index, Interaction};

/// The resource of one interaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// So many bytes of the target.
    Begins(u32),
    /// A target that has it in another spelling.
    Other(Box<str>),
}

impl Resource {
    /// `text` as the resource of a request for `target`.
    pub(super) fn of(text: &str, target: &str) -> Self {
        match u32::try_from(text.len()) {
            Ok(length) if target.starts_with(text) => Self::Begins(length),
            _ => Self::Other(text.into()),
        }
    }

    /// Its text.
    pub(crate) fn text<'t>(&'t self, interaction: &'t Interaction) -> &'t str {
        match self {
            Self::Begins(length) => begin(interaction, *length),
            Self::Other(text) => text,
        }
    }
}

fn begin(interaction: &Interaction, length: u32) -> &str {
    interaction.request.target.get(..length as usize).unwrap_or_default()
}

/// The resources of a cassette's interactions, in their order.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    ends: Vec<u32>,
    others: BTreeMap<Index, Box<str>>,
}

impl Resources {
    /// Of so many interactions.
    pub(crate) fn with_capacity(many: usize) -> Self {
        Self { ends: Vec::with_capacity(many), ..Self::default() }
    }

    /// The resource of the next interaction.
    pub(crate) fn push(&mut self, resource: Resource) {
        self.ends.push(match resource {
            Resource::Begins(length) => length,
            Resource::Other(text) => {
                self.others.insert(self.ends.len(), text);
                0
            }
        });
    }

    /// The resource of the interaction that has this place.
    pub(crate) fn of<'r>(&'r self, index: Index, interactions: &'r [Interaction]) -> Option<&'r str> {
        let interaction = interactions.get(index)?;
        let end = self.ends.get(index)?;
        match self.others.get(&index) {
            Some(text) => Some(text),
            None => Some(begin(interaction, *end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Request, Response};

    #[test]
    fn a_resource_is_its_text_whether_or_not_the_target_begins_with_it() {
        let interactions: Vec<Interaction> = ["/api/x/5/notes?a=b", "/api/x/%35", "/api/\u{e9}"]
            .map(|target| Interaction {
                id: String::new(),
                endpoint: "".into(),
                request: Request::new("GET", target),
                response: Response::new(200),
                by_recorder: false,
                moment: 0,
                notes: Vec::new(),
            })
            .into();
        let texts = ["/api/x/5", "/api/x/5", "/api/\u{e9}"];
        let mut resources = Resources::default();
        for (interaction, text) in interactions.iter().zip(texts) {
            let resource = Resource::of(text, &interaction.request.target);
            assert_eq!(resource.text(interaction), text);
            resources.push(resource);
        }
        for (index, text) in texts.into_iter().enumerate() {
            assert_eq!(resources.of(index, &interactions), Some(text));
        }
        assert_eq!(resources.of(3, &interactions), None);
        assert_eq!(resources.others.len(), 1);
    }
}
