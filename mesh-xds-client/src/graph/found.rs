//! What the store has to say about a resource, in the graph's terms.

use std::{collections::HashMap, sync::Arc};

use mesh_core::config::{ClusterConfig, EndpointsConfig};

use crate::{
    protocol::{AdsState, Decode},
    resource::{ListenerResource, Resource, ResourceType, RouteConfigResource},
    store::{Answer, ErrorState},
};

/// Where resources are looked up.
pub(crate) trait Lookup {
    /// What a resource is good for; `None` if nobody asked for it.
    fn answer(&self, kind: ResourceType, name: &str) -> Option<Answer<'_, Resource>>;
}

impl<D: Decode<Value = Resource>> Lookup for AdsState<D> {
    fn answer(&self, kind: ResourceType, name: &str) -> Option<Answer<'_, Resource>> {
        Self::answer(self, kind, name)
    }
}

/// Names that could not be asked for, and why.
pub(crate) type Refused = HashMap<(ResourceType, Arc<str>), Arc<str>>;

/// The store, and what never got there.
#[derive(Debug)]
pub(crate) struct Shelf<'a, L> {
    pub(crate) store: &'a L,
    pub(crate) refused: &'a Refused,
}

/// What a resource is good for right now.
#[derive(Debug)]
pub(crate) enum Found<'a, T> {
    /// Nothing is known yet.
    Waiting,
    /// It can be used, whatever is wrong with it beside.
    Ready(&'a Arc<T>, Option<&'a ErrorState>),
    /// It cannot be used.
    Failed(Failure),
}

/// Why a resource cannot be used.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// In words for users.
    pub(crate) reason: Arc<str>,
    /// It may pass by itself: it is about the way to the resource, not about the resource (gRFC
    /// A88).
    pub(crate) transient: bool,
}

impl<L: Lookup> Shelf<'_, L> {
    pub(crate) fn listener(&self, name: &str) -> Found<'_, ListenerResource> {
        self.find(ResourceType::Listener, name, |resource| match resource {
            Resource::Listener(listener) => Some(listener),
            _ => None,
        })
    }

    pub(crate) fn route_config(&self, name: &str) -> Found<'_, RouteConfigResource> {
        self.find(ResourceType::RouteConfig, name, |resource| match resource {
            Resource::RouteConfig(routes) => Some(routes),
            _ => None,
        })
    }

    pub(crate) fn cluster(&self, name: &str) -> Found<'_, ClusterConfig> {
        self.find(ResourceType::Cluster, name, |resource| match resource {
            Resource::Cluster(cluster) => Some(cluster),
            _ => None,
        })
    }

    pub(crate) fn endpoints(&self, name: &str) -> Found<'_, EndpointsConfig> {
        self.find(ResourceType::Endpoints, name, |resource| match resource {
            Resource::Endpoints(endpoints) => Some(endpoints),
            _ => None,
        })
    }

    /// A value of another kind than was asked for cannot be in the store, and would count as
    /// nothing.
    fn find<T>(
        &self,
        kind: ResourceType,
        name: &str,
        read: fn(&Resource) -> Option<&Arc<T>>,
    ) -> Found<'_, T> {
        if !self.refused.is_empty()
            && let Some(reason) = self.refused.get(&(kind, Arc::from(name)))
        {
            return Found::Failed(Failure {
                reason: Arc::clone(reason),
                transient: false,
            });
        }
        match self.store.answer(kind, name) {
            None | Some(Answer::Waiting) => Found::Waiting,
            Some(Answer::Ready { value, note }) => match read(value) {
                Some(value) => Found::Ready(value, note),
                None => Found::Waiting,
            },
            Some(Answer::Failed(error)) => Found::Failed(Failure {
                reason: Arc::clone(&error.details),
                transient: error.kind.is_transient(),
            }),
        }
    }
}
