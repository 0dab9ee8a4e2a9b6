//! A cluster's endpoints in order: by priority, then locality, as the configuration has them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::ClusterState;
use crate::{
    config::{ClusterConfig, ClusterIdentity, EndpointsConfig, Locality, LocalityConfig},
    name::EndpointKey,
    runtime::Endpoint,
};

/// All endpoints of a cluster. Localities refer to them by index.
pub(in crate::runtime) struct Layout<C> {
    pub(in crate::runtime) identity: Arc<ClusterIdentity>,
    pub(in crate::runtime) endpoints: Vec<Arc<Endpoint<C>>>,
    pub(in crate::runtime) priorities: Vec<Priority>,
}

/// The localities of one priority. Numbers that no locality has are left out.
pub(in crate::runtime) struct Priority {
    pub(in crate::runtime) number: u32,
    pub(in crate::runtime) localities: Vec<Group>,
}

/// A locality's endpoints.
pub(in crate::runtime) struct Group {
    pub(in crate::runtime) id: Locality,
    pub(in crate::runtime) weight: Option<u32>,
    pub(in crate::runtime) members: Vec<u32>,
}

impl<C> Layout<C> {
    /// Lays out `config`. Endpoints that `previous` has, spoken to in the same way, are carried
    /// over with state and slot. Of several entries with one address, the first counts.
    pub(super) fn new(
        state: &Arc<ClusterState>,
        cluster: &ClusterConfig,
        config: &EndpointsConfig,
        previous: Option<&Self>,
    ) -> Self {
        let identity = cluster.identity();
        let previous = previous.filter(|it| *it.identity == identity);
        let mut build = Build {
            state,
            identity: previous.map_or_else(|| Arc::new(identity), |it| Arc::clone(&it.identity)),
            known: previous.map(Self::by_key).unwrap_or_default(),
            seen: HashSet::new(),
            endpoints: Vec::new(),
        };
        let mut priorities = BTreeMap::<u32, Vec<Group>>::new();
        for locality in &config.localities {
            let group = build.group(locality);
            priorities.entry(locality.priority).or_default().push(group);
        }
        Self {
            identity: build.identity,
            endpoints: build.endpoints,
            priorities: priorities
                .into_iter()
                .map(|(number, localities)| Priority { number, localities })
                .collect(),
        }
    }

    /// The endpoints of these indices.
    pub(super) fn some(&self, members: &[u32]) -> Vec<Arc<Endpoint<C>>> {
        let endpoint = |index: &u32| Arc::clone(&self.endpoints[*index as usize]);
        members.iter().map(endpoint).collect()
    }

    fn by_key(&self) -> HashMap<EndpointKey, Arc<Endpoint<C>>> {
        let keyed = |it: &Arc<Endpoint<C>>| (it.state().key().clone(), Arc::clone(it));
        self.endpoints.iter().map(keyed).collect()
    }
}

/// A layout being made.
struct Build<'a, C> {
    state: &'a Arc<ClusterState>,
    identity: Arc<ClusterIdentity>,
    known: HashMap<EndpointKey, Arc<Endpoint<C>>>,
    seen: HashSet<EndpointKey>,
    endpoints: Vec<Arc<Endpoint<C>>>,
}

impl<C> Build<'_, C> {
    fn group(&mut self, config: &LocalityConfig) -> Group {
        let mut members = Vec::with_capacity(config.endpoints.len());
        for endpoint in &config.endpoints {
            let key = endpoint.key();
            if !self.seen.insert(key.clone()) {
                continue;
            }
            let Ok(index) = u32::try_from(self.endpoints.len()) else {
                break;
            };
            let endpoint = match self.known.get(&key) {
                Some(known) if known.config() == endpoint && *known.locality() == config.id => {
                    Arc::clone(known)
                }
                Some(known) => Arc::new(known.with_config(endpoint.clone(), config.id.clone())),
                None => Arc::new(Endpoint::new(
                    self.state.endpoint(Some(&self.identity), endpoint),
                    endpoint.clone(),
                    config.id.clone(),
                )),
            };
            self.endpoints.push(endpoint);
            members.push(index);
        }
        Group {
            id: config.id.clone(),
            weight: config.weight,
            members,
        }
    }
}
