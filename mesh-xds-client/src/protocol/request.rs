//! What to send: one request a type and turn, in either variant.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use mesh_proto::{
    envoy::{
        config::core::v3::Node,
        service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest},
    },
    google::rpc::Status,
};

use super::{AdsRequest, AdsState, Decode, Variant};
use crate::{resource::ResourceType, store::Status as ResourceStatus};

impl<D: Decode> AdsState<D> {
    /// The next request to send, in the order of [`ResourceType::ALL`]; at most one a type and
    /// turn, but for delta answers, of which each response gets one.
    ///
    /// From `now` on the server is expected to know of the names in it.
    pub fn poll_request(&mut self, now: Instant) -> Option<AdsRequest> {
        if !self.link.is_live() {
            ResourceType::ALL
                .into_iter()
                .for_each(|kind| drop(self.purge(kind)));
            return None;
        }
        let kind = ResourceType::ALL.into_iter().find(|kind| {
            if !self.wires[*kind as usize].started {
                self.purge(*kind);
            }
            self.owes_request(*kind)
        })?;
        self.counters.requests += 1;
        self.wires[kind as usize].begin_request();
        let node =
            (!std::mem::replace(&mut self.introduced, true)).then(|| self.config.node.clone());
        let request = match self.config.variant {
            Variant::Sotw => AdsRequest::Sotw(self.sotw_request(kind, node, now)),
            Variant::Delta => AdsRequest::Delta(self.delta_request(kind, node, now)),
        };
        Some(request)
    }

    /// Whether there is something to say about a type.
    pub(super) fn owes_request(&self, kind: ResourceType) -> bool {
        let wire = &self.wires[kind as usize];
        wire.is_dirty() || (!wire.started && self.names(kind) > 0)
    }

    /// All names, always: an empty list after the last one went is the only way to say so. The
    /// version is the one accepted last, whatever came since (gRFC A27).
    fn sotw_request(
        &mut self,
        kind: ResourceType,
        node: Option<Node>,
        now: Instant,
    ) -> DiscoveryRequest {
        self.purge(kind);
        self.start_timers(kind, now);
        let first = !self.wires[kind as usize].started;
        if first
            && !self
                .store
                .of(kind)
                .values()
                .any(|entry| entry.value().is_some())
        {
            // Nothing of that version is left, and a server that goes by it would send nothing.
            self.wires[kind as usize].version = Arc::from("");
        }
        let wire = &mut self.wires[kind as usize];
        wire.started = true;
        wire.added.clear();
        DiscoveryRequest {
            version_info: wire.version.to_string(),
            node,
            resource_names: self
                .store
                .of(kind)
                .keys()
                .map(|name| name.to_string())
                .collect(),
            type_url: kind.type_url().to_owned(),
            response_nonce: wire.nonce.clone(),
            error_detail: wire.take_reply().and_then(|reply| reply.error),
            ..Default::default()
        }
    }

    /// What changed since the server was last told. The first request of a stream names everything
    /// and says which versions are held; one that was refused is not held.
    fn delta_request(
        &mut self,
        kind: ResourceType,
        node: Option<Node>,
        now: Instant,
    ) -> DeltaDiscoveryRequest {
        let removed = self.purge(kind);
        self.start_timers(kind, now);
        let first = !std::mem::replace(&mut self.wires[kind as usize].started, true);
        let (subscribe, unsubscribe, held) = if first {
            let entries = self.store.of(kind);
            let held = entries
                .iter()
                .filter(|(_, entry)| entry.value().is_some() && !entry.version().is_empty())
                .map(|(name, entry)| (name.to_string(), entry.version().to_string()))
                .collect();
            (entries.keys().cloned().collect(), Vec::new(), held)
        } else {
            let added = std::mem::take(&mut self.wires[kind as usize].added);
            (added.into_iter().collect(), removed, BTreeMap::new())
        };
        let (nonce, error): (String, Option<Status>) = match self.wires[kind as usize].take_reply()
        {
            Some(reply) => (reply.nonce, reply.error),
            None => Default::default(),
        };
        DeltaDiscoveryRequest {
            node,
            type_url: kind.type_url().to_owned(),
            resource_names_subscribe: texts(subscribe),
            resource_names_unsubscribe: texts(unsubscribe),
            initial_resource_versions: held,
            response_nonce: nonce,
            error_detail: error,
            ..Default::default()
        }
    }

    /// Forgets what nobody wants any more; gives the names.
    fn purge(&mut self, kind: ResourceType) -> Vec<Arc<str>> {
        let removed = std::mem::take(&mut self.wires[kind as usize].removed);
        for name in &removed {
            if let Some(mut entry) = self.store.of_mut(kind).remove(name)
                && let Some(due) = entry.set_timer(None)
            {
                self.timers.remove(&(due, kind, name.clone()));
            }
        }
        removed.into_iter().collect()
    }

    /// Starts the timers of what the request about to be handed out asks for and nothing was ever
    /// heard of (gRFC A27, A57).
    fn start_timers(&mut self, kind: ResourceType, now: Instant) {
        let due = now + self.patience();
        let wire = &self.wires[kind as usize];
        let names: Vec<Arc<str>> = if wire.started {
            wire.added.iter().cloned().collect()
        } else {
            self.store.of(kind).keys().cloned().collect()
        };
        for name in names {
            if let Some(entry) = self.store.of_mut(kind).get_mut(&name)
                && entry.status() == ResourceStatus::Requested
                && entry.timer().is_none()
            {
                entry.set_timer(Some(due));
                self.timers.insert((due, kind, name));
            }
        }
    }
}

fn texts(names: Vec<Arc<str>>) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}
