//! A cluster's endpoints in order: by priority, then locality, as the configuration has them.

mod origin;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    vec,
};

use self::origin::{Origin, origins};
use super::ClusterState;
use crate::{
    config::{
        ClusterConfig, ClusterIdentity, EndpointConfig, EndpointsConfig, Locality, LocalityConfig,
    },
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
    pub(in crate::runtime) id: Arc<Locality>,
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
        let before = previous.map_or(&[][..], |it| &it.endpoints[..]);
        let mut build = Build {
            state,
            identity: previous.map_or_else(|| Arc::new(identity), |it| Arc::clone(&it.identity)),
            before,
            origins: compare(before, config).into_iter(),
            places: previous.map(Self::places).unwrap_or_default(),
            endpoints: Vec::with_capacity(before.len()),
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

    fn places(&self) -> HashSet<Arc<Locality>> {
        let groups = self.priorities.iter().flat_map(|it| &it.localities);
        groups.map(|it| Arc::clone(&it.id)).collect()
    }
}

/// Where each endpoint of `config` was before, in order.
fn compare<C>(before: &[Arc<Endpoint<C>>], config: &EndpointsConfig) -> Vec<Origin> {
    let before: Vec<_> = before.iter().map(|it| &it.config().address).collect();
    let now = config.localities.iter().flat_map(|it| &it.endpoints);
    origins(&before, now.map(|it| &it.address))
}

/// A layout in the making.
struct Build<'a, C> {
    state: &'a Arc<ClusterState>,
    identity: Arc<ClusterIdentity>,
    before: &'a [Arc<Endpoint<C>>],
    // Of the endpoints that are still to come.
    origins: vec::IntoIter<Origin>,
    // All that are known: endpoints of one place share it, so that it is the same at a glance.
    places: HashSet<Arc<Locality>>,
    endpoints: Vec<Arc<Endpoint<C>>>,
}

impl<C> Build<'_, C> {
    fn group(&mut self, config: &LocalityConfig) -> Group {
        let place = self.place(&config.id);
        let mut members = Vec::with_capacity(config.endpoints.len());
        for (endpoint, origin) in config.endpoints.iter().zip(&mut self.origins) {
            let Ok(index) = u32::try_from(self.endpoints.len()) else {
                break;
            };
            let endpoint = match origin {
                Origin::Twice => continue,
                Origin::Before(index) => carried(&self.before[index as usize], endpoint, &place),
                Origin::New => Arc::new(Endpoint::new(
                    self.state.endpoint(Some(&self.identity), endpoint),
                    endpoint.clone(),
                    Arc::clone(&place),
                )),
            };
            self.endpoints.push(endpoint);
            members.push(index);
        }
        Group {
            id: place,
            weight: config.weight,
            members,
        }
    }

    fn place(&mut self, id: &Locality) -> Arc<Locality> {
        if let Some(known) = self.places.get(id) {
            return Arc::clone(known);
        }
        let place = Arc::new(id.clone());
        self.places.insert(Arc::clone(&place));
        place
    }
}

/// The endpoint `known` as it is configured now: the same one if nothing of it changed.
fn carried<C>(
    known: &Arc<Endpoint<C>>,
    config: &EndpointConfig,
    place: &Arc<Locality>,
) -> Arc<Endpoint<C>> {
    if known.config() == config && known.place() == place {
        return Arc::clone(known);
    }
    Arc::new(known.with_config(config.clone(), Arc::clone(place)))
}
