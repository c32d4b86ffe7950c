//! The self-description: `/api/help/endpoints`, `/resources`, `/versions`, answered from the profiles.

use std::collections::BTreeMap;

use serde::Serialize;

use super::description::Description;
use super::gate::Admitted;
use super::listing::{answer_list, item_response};
use super::{Profile, Version};
use crate::message::{Request, Response};

/// The elements of the three lists as JSON texts, each with the id of its place, counted from 1.
#[derive(Clone, Debug, Default)]
pub(super) struct Documents {
    endpoints: Vec<String>,
    resources: Vec<String>,
    versions: Vec<String>,
}

/// A path, or a part of one.
#[derive(Debug, Serialize)]
struct ResourceDocument {
    id: u64,
    resource: String,
    path: String,
    child_resource_ids: Vec<u64>,
    endpoint_ids: Vec<u64>,
    parent_resource_id: Option<u64>,
    version: String,
}

#[derive(Debug, Serialize)]
struct VersionDocument {
    id: u64,
    version: String,
    deprecated: bool,
    removed: bool,
    root_resource_ids: Vec<u64>,
}

impl Documents {
    pub(super) fn of(mut endpoints: Vec<Description>, version: Version) -> Self {
        let mut resources = resources(&endpoints, version);
        for (id, endpoint) in (1..).zip(&mut endpoints) {
            endpoint.id = id;
            if let Some(resource) = resources.get_mut(&endpoint.path) {
                endpoint.resource_id = resource.id;
                resource.endpoint_ids.push(id);
            }
        }
        let roots = resources.values().filter(|resource| resource.parent_resource_id.is_none());
        let versions = [VersionDocument {
            id: 1,
            version: version.to_string(),
            deprecated: false,
            removed: false,
            root_resource_ids: roots.map(|resource| resource.id).collect(),
        }];
        Self {
            endpoints: texts(&endpoints),
            versions: texts(versions.iter()),
            resources: texts(resources.values()),
        }
    }
}

impl Profile {
    /// The self-description, made when it is first asked for.
    fn documents(&self) -> &Documents {
        self.documents.get_or_init(|| {
            let version = self.versions.described;
            let described = self.entries().map(|(area, entry)| area.description(entry, version));
            Documents::of(described.collect(), version)
        })
    }
}

/// Every path and every part of one, by path, numbered in that order.
fn resources(endpoints: &[Description], version: Version) -> BTreeMap<String, ResourceDocument> {
    let mut resources = BTreeMap::new();
    for endpoint in endpoints {
        for (at, _) in endpoint.path.match_indices('/').skip(1).chain([(endpoint.path.len(), "")]) {
            let path = endpoint.path.get(..at).unwrap_or_default().to_owned();
            let resource = path.rsplit('/').next().unwrap_or_default().to_owned();
            resources.entry(path.clone()).or_insert(ResourceDocument {
                id: 0,
                resource,
                path,
                child_resource_ids: Vec::new(),
                endpoint_ids: Vec::new(),
                parent_resource_id: None,
                version: version.to_string(),
            });
        }
    }
    let ids: BTreeMap<String, u64> = resources.keys().cloned().zip(1..).collect();
    let parent = |path: &str| path.rsplit_once('/').and_then(|(parent, _)| ids.get(parent).copied());
    let mut children: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (path, id) in &ids {
        if let Some(parent) = parent(path) {
            children.entry(parent).or_default().push(*id);
        }
    }
    for (path, resource) in &mut resources {
        resource.id = ids.get(path).copied().unwrap_or_default();
        resource.parent_resource_id = parent(path);
        resource.child_resource_ids = children.remove(&resource.id).unwrap_or_default();
    }
    resources
}

/// Plain data always serialises; were one not to, it would be left out.
fn texts<T: Serialize>(documents: impl IntoIterator<Item = T>) -> Vec<String> {
    documents.into_iter().filter_map(|document| serde_json::to_string(&document).ok()).collect()
}

/// The answer of an admitted request, if it asks for the self-description.
pub(super) fn answer(profile: &Profile, admitted: &Admitted<'_>, request: &Request) -> Option<Response> {
    let endpoint = admitted.matched.endpoint;
    let below = endpoint.template.strip_prefix("/help/")?;
    let documents = profile.documents();
    let documents = match below.split('/').next()? {
        "endpoints" => &documents.endpoints,
        "resources" => &documents.resources,
        "versions" => &documents.versions,
        _ => return None,
    };
    let Some((_, id)) = admitted.matched.path_params.first() else {
        return Some(answer_list(documents, admitted, request));
    };
    let place = id.parse::<usize>().ok().and_then(|id| id.checked_sub(1));
    match place.and_then(|place| documents.get(place)) {
        Some(document) => Some(item_response(200, document, admitted.selector.as_ref())),
        None => endpoint.not_found(id),
    }
}
