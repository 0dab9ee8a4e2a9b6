//! A cluster with its endpoints, shared by every target that names it.

use std::{collections::HashSet, sync::Arc};

use mesh_core::config::{
    ClusterConfig, ClusterEntry, ClusterSnapshot, Discovery, EndpointsConfig, LbPolicyConfig,
    Transport,
};

use super::found::{Found, Lookup, Shelf};
use crate::store::{ErrorKind, ErrorState};

/// What is known of a cluster.
///
/// A new version of it is shown only once its endpoints have an answer; until then the old version
/// stays, and follows the old endpoints (make before break).
#[derive(Debug, Default)]
pub(crate) struct ClusterNode {
    /// The listeners whose routes name it.
    pub(crate) users: HashSet<Arc<str>>,
    /// The canonical names of the EDS services that are subscribed to for it.
    pub(crate) followed: Vec<Arc<str>>,
    shown: Option<Shown>,
    /// The EDS service of its newest version.
    wanted: Option<Arc<str>>,
}

#[derive(Debug)]
struct Shown {
    entry: ClusterEntry,
    /// The EDS service that the entry's endpoints come from.
    service: Option<Arc<str>>,
    /// It stands for an answer that may yet come: enough for a target that has nothing, not enough
    /// to replace what one has.
    transient: bool,
}

/// What an evaluation changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changes {
    /// What users of the cluster see.
    pub(crate) entry: bool,
    /// Which endpoints it needs.
    pub(crate) needs: bool,
}

impl ClusterNode {
    /// The cluster as it can be used now, once there is an answer.
    pub(crate) fn entry(&self) -> Option<&ClusterEntry> {
        self.shown.as_ref().map(|shown| &shown.entry)
    }

    /// Whether there is an answer; where `lenient`, one that may pass counts.
    pub(crate) fn is_answered(&self, lenient: bool) -> bool {
        let shown = self.shown.as_ref();
        shown.is_some_and(|shown| lenient || !shown.transient)
    }

    /// The EDS services that it needs: of the version shown, and of the newest.
    pub(crate) fn services(&self) -> impl Iterator<Item = &Arc<str>> {
        let shown = self.shown.as_ref().and_then(|shown| shown.service.as_ref());
        let wanted = self.wanted.as_ref().filter(|wanted| Some(*wanted) != shown);
        shown.into_iter().chain(wanted)
    }

    /// Looks again.
    pub(crate) fn evaluate<L: Lookup>(&mut self, name: &str, shelf: &Shelf<'_, L>) -> Changes {
        let needs = |node: &Self| node.services().cloned().collect::<Vec<_>>();
        let before = needs(self);
        let next = self.newest(name, shelf).or_else(|| self.refreshed(shelf));
        let mut entry = false;
        if let Some(mut next) = next {
            if let Some(shown) = &self.shown {
                keep_parts(&shown.entry, &mut next.entry);
            }
            entry = !self.entry().is_some_and(|entry| entry.same(&next.entry));
            // An answer that is there to stay may settle what waits for it.
            entry |= self.shown.as_ref().is_some_and(|s| s.transient) && !next.transient;
            self.shown = Some(next);
        } else if self.is_coming(name, shelf)
            && let Some(shown) = &mut self.shown
        {
            shown.transient = true;
        }
        Changes {
            entry,
            needs: needs(self) != before,
        }
    }

    /// Whether a cluster that could not be used is on its way: its newest version lacks nothing but
    /// endpoints. What was wrong with it is no answer any more.
    fn is_coming<L: Lookup>(&self, name: &str, shelf: &Shelf<'_, L>) -> bool {
        matches!(self.entry(), Some(ClusterEntry::Unavailable(_)))
            && matches!(shelf.cluster(name), Found::Ready(config, _) if usable(config).is_ok())
    }

    /// The newest version, if it is complete.
    fn newest<L: Lookup>(&mut self, name: &str, shelf: &Shelf<'_, L>) -> Option<Shown> {
        let settled = self.is_answered(false);
        let (config, note) = match shelf.cluster(name) {
            Found::Waiting => return None,
            Found::Failed(failure) if failure.transient && settled => return None,
            Found::Failed(failure) => {
                self.wanted = None;
                return Some(Shown {
                    entry: ClusterEntry::Unavailable(failure.reason),
                    service: None,
                    transient: failure.transient,
                });
            }
            Found::Ready(config, note) => (config, note),
        };
        let (service, endpoints) = match usable(config) {
            Err(reason) => {
                self.wanted = None;
                return Some(Shown {
                    entry: ClusterEntry::Unavailable(reason.into()),
                    service: None,
                    transient: false,
                });
            }
            Ok(Discovered::Here(endpoints)) => (None, Found::Ready(endpoints, None)),
            Ok(Discovered::Eds(service)) => (Some(service), shelf.endpoints(service)),
        };
        self.wanted = service.cloned();
        let (endpoints, note, transient) = match endpoints {
            Found::Waiting => return None,
            Found::Failed(failure) if failure.transient && settled => return None,
            Found::Failed(failure) => (
                Arc::new(EndpointsConfig::default()),
                Some(failure.reason),
                failure.transient,
            ),
            Found::Ready(endpoints, of_endpoints) => {
                let note = explanation(endpoints, [of_endpoints, note]);
                (Arc::clone(endpoints), note, false)
            }
        };
        Some(Shown {
            entry: ClusterEntry::Ready(ClusterSnapshot {
                config: Arc::clone(config),
                endpoints,
                note,
            }),
            service: self.wanted.clone(),
            transient,
        })
    }

    /// The version shown, with its endpoints as they are now.
    fn refreshed<L: Lookup>(&self, shelf: &Shelf<'_, L>) -> Option<Shown> {
        let shown = self.shown.as_ref()?;
        let (ClusterEntry::Ready(cluster), Some(service)) = (&shown.entry, &shown.service) else {
            return None;
        };
        let Found::Ready(endpoints, note) = shelf.endpoints(service) else {
            return None;
        };
        Some(Shown {
            entry: ClusterEntry::Ready(ClusterSnapshot {
                config: Arc::clone(&cluster.config),
                endpoints: Arc::clone(endpoints),
                note: explanation(endpoints, [note, None]),
            }),
            service: Some(Arc::clone(service)),
            transient: false,
        })
    }
}

/// Where a cluster's endpoints are.
enum Discovered<'a> {
    Here(&'a Arc<EndpointsConfig>),
    Eds(&'a Arc<str>),
}

/// Where the endpoints of a cluster are, or why it cannot be used at all.
fn usable(config: &ClusterConfig) -> Result<Discovered<'_>, String> {
    if let Transport::Unsupported(what) = &config.transport {
        return Err(format!("its transport is not supported: {what}"));
    }
    if let LbPolicyConfig::Unsupported(what) = &config.lb.policy {
        return Err(format!("its load balancing is not supported: {what}"));
    }
    let kind = match &config.discovery {
        Discovery::Eds(service) => return Ok(Discovered::Eds(service)),
        Discovery::Static(endpoints) => return Ok(Discovered::Here(endpoints)),
        Discovery::Dns { logical: false, .. } => "STRICT_DNS",
        Discovery::Dns { logical: true, .. } => "LOGICAL_DNS",
        Discovery::Aggregate(_) => "an aggregate",
        Discovery::OriginalDst => "ORIGINAL_DST",
    };
    Err(format!("its discovery type is not supported: {kind}"))
}

/// What would explain a failure of the endpoints (gRFC A88's resolution note): an error of the
/// resources themselves; where there are no endpoints, of the connection too. A lost connection is
/// not noted on clusters that work, so that it changes nothing for them.
fn explanation(endpoints: &EndpointsConfig, notes: [Option<&ErrorState>; 2]) -> Option<Arc<str>> {
    let empty = endpoints.localities.iter().all(|l| l.endpoints.is_empty());
    let mut notes = notes.into_iter().flatten();
    let note = notes.find(|note| empty || note.kind != ErrorKind::Connection)?;
    Some(Arc::clone(&note.details))
}

/// Keeps the old `Arc` of whatever came anew and says the same, so that nobody does anything twice
/// for it.
fn keep_parts(old: &ClusterEntry, new: &mut ClusterEntry) {
    if let (ClusterEntry::Ready(old), ClusterEntry::Ready(new)) = (old, new) {
        keep(&old.config, &mut new.config);
        keep(&old.endpoints, &mut new.endpoints);
    }
}

/// Keeps the old `Arc` if the new one is equal to it.
pub(crate) fn keep<T: PartialEq>(old: &Arc<T>, new: &mut Arc<T>) {
    if !Arc::ptr_eq(old, new) && old == new {
        *new = Arc::clone(old);
    }
}
