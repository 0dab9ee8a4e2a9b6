//! A cluster's endpoints and pickers, swapped together.

use std::sync::Arc;

use super::{
    layout::Layout,
    plan::{self, Answer, Plan, Turns},
};
use crate::{
    Error, ErrorKind,
    config::{ClusterConfig, EndpointsConfig, Readiness},
    entropy::Entropy,
    lb::{self, Loads, PickContext, Picker, Schedule, index_below},
    runtime::{Endpoint, EndpointState, endpoint::Standing},
};

/// Everything that a pick reads; immutable but for the counters of its rotations.
pub(super) struct PickerSet<C> {
    pub(super) plan: Plan,
    /// `None` while the cluster [sleeps](super::sleep).
    pub(super) layout: Option<Arc<Layout<C>>>,
    pub(super) config: Arc<ClusterConfig>,
    pub(super) endpoints: Arc<EndpointsConfig>,
    pub(super) note: Option<Arc<str>>,
    /// As in `config`, near at hand.
    pub(super) max_requests: u32,
    readiness: Readiness,
    /// One for each share of the plan.
    shares: Box<[Share<C>]>,
}

/// A share of the requests, ready to be picked from.
struct Share<C> {
    /// Requests whose draw of 0..100 is below this and not below the last share's.
    end: u32,
    answer: Serve<C>,
}

enum Serve<C> {
    Pools(Pools<C>),
    Queue,
    /// With the one that failed last.
    Unreachable(Option<Arc<Endpoint<C>>>),
    Refuse(Refusal),
}

/// Why nothing can be picked, as configured.
enum Refusal {
    Empty,
    Panic,
    Unsupported(Arc<str>),
}

/// Pools and whose turn it is among them.
struct Pools<C> {
    pools: Vec<Pool<C>>,
    spare: Vec<Member<C>>,
    among: Among,
}

enum Among {
    One,
    Scheduled(Schedule),
    Drawn(lb::Weighted),
}

/// Endpoints that one picker chooses among.
struct Pool<C> {
    members: Box<[Member<C>]>,
    picker: Box<dyn Picker>,
}

/// An endpoint, with its state near at hand: a picker looks at that alone.
struct Member<C> {
    endpoint: Arc<Endpoint<C>>,
    state: Arc<EndpointState>,
}

/// What a set has for a request.
pub(super) enum Found<'a, C> {
    Endpoint(&'a Arc<Endpoint<C>>, &'a Arc<EndpointState>),
    Queue,
    Fail(Error),
}

/// How often a picker is asked again when an endpoint has failed since it was built, before the
/// pool is searched from end to end.
const PROBES: usize = 4;

impl<C> PickerSet<C> {
    pub(super) fn new(
        plan: Plan,
        layout: Option<Arc<Layout<C>>>,
        config: Arc<ClusterConfig>,
        endpoints: Arc<EndpointsConfig>,
        note: Option<Arc<str>>,
    ) -> Self {
        let start = Entropy::system();
        let mut end = 0;
        let shares = match &layout {
            Some(layout) => {
                let serve = |share: &plan::Share| {
                    end += share.percent;
                    let answer = Serve::new(&share.answer, layout, &config, &start);
                    Share { end, answer }
                };
                plan.shares.iter().map(serve).collect()
            }
            None => Box::default(),
        };
        Self {
            shares,
            max_requests: config.limits.max_requests,
            readiness: config.lb.readiness,
            plan,
            layout,
            config,
            endpoints,
            note,
        }
    }

    /// Whether every request has to wait, so that nothing else need be decided about it yet; the first
    /// one of a cluster that sleeps until it is awake.
    pub(super) fn queues(&self) -> bool {
        match &self.shares[..] {
            [share] => matches!(share.answer, Serve::Queue),
            shares => shares.is_empty() && self.is_asleep(),
        }
    }

    /// Whether the cluster sleeps.
    pub(super) const fn is_asleep(&self) -> bool {
        self.layout.is_none()
    }

    /// Finds an endpoint that can be used now. Takes no lock and allocates nothing, unless it fails.
    pub(super) fn find(&self, entropy: &Entropy) -> Found<'_, C> {
        let share = match &self.shares[..] {
            [only] => Some(only),
            several => {
                let draw = lb::below(entropy.draw(), 100);
                several.iter().find(|share| draw < u64::from(share.end))
            }
        };
        match share.map(|share| &share.answer) {
            Some(Serve::Pools(pools)) => pools.find(self.readiness, entropy),
            Some(Serve::Queue) => Found::Queue,
            Some(Serve::Unreachable(latest)) => Found::Fail(unreachable(latest.as_ref())),
            Some(Serve::Refuse(refusal)) => Found::Fail(self.refused(refusal)),
            None => Found::Fail(self.refused(&Refusal::Empty)),
        }
    }

    fn refused(&self, refusal: &Refusal) -> Error {
        let error = match refusal {
            Refusal::Empty => {
                Error::new(ErrorKind::NoEndpoint, "the cluster has no healthy endpoint")
            }
            Refusal::Panic => Error::new(
                ErrorKind::NoEndpoint,
                "too few healthy endpoints, and the cluster is to fail then",
            ),
            Refusal::Unsupported(name) => Error::new(
                ErrorKind::NoCluster,
                format!("load balancing policy {name} is not supported"),
            ),
        };
        match &self.note {
            Some(note) => error.with_source(&**note),
            None => error,
        }
    }
}

impl<C> Serve<C> {
    fn new(answer: &Answer, layout: &Layout<C>, config: &ClusterConfig, start: &Entropy) -> Self {
        match answer {
            Answer::Queue => Self::Queue,
            Answer::Empty => Self::Refuse(Refusal::Empty),
            Answer::Panic => Self::Refuse(Refusal::Panic),
            Answer::Unsupported(name) => Self::Refuse(Refusal::Unsupported(Arc::clone(name))),
            Answer::Unreachable(members) => {
                let endpoints = layout.some(members).into_iter();
                Self::Unreachable(endpoints.max_by_key(|it| it.state().failed_at()))
            }
            Answer::Serve {
                pools,
                spare,
                turns,
            } => {
                let pool = |pool: &plan::Pool| Pool::new(layout.some(&pool.members), config, start);
                let built: Option<Vec<Pool<C>>> = pools.iter().map(pool).collect();
                let weights = pools.iter().map(|pool| pool.weight);
                let among = match turns {
                    _ if pools.len() == 1 => Some(Among::One),
                    Turns::Scheduled => Schedule::new(weights, start.draw()).map(Among::Scheduled),
                    Turns::Drawn => lb::Weighted::new(weights).map(Among::Drawn),
                };
                let spare = layout.some(spare).into_iter().map(Member::new).collect();
                match (built, among) {
                    (Some(pools), Some(among)) => Self::Pools(Pools {
                        pools,
                        spare,
                        among,
                    }),
                    _ => Self::Refuse(Refusal::Empty),
                }
            }
        }
    }
}

impl<C> Pools<C> {
    fn find(&self, readiness: Readiness, entropy: &Entropy) -> Found<'_, C> {
        let index = match &self.among {
            Among::One => 0,
            Among::Scheduled(schedule) => schedule.next(),
            Among::Drawn(odds) => odds.draw(entropy),
        };
        let index = index.min(self.pools.len() - 1);
        let pool = &self.pools[index];
        if let Some(member) = pool.pick(Standing::Usable, readiness, entropy) {
            return Found::Endpoint(&member.endpoint, &member.state);
        }
        self.find_elsewhere(index, readiness, entropy)
    }

    /// Finds an endpoint where the one that was to be picked has failed since the plan was made.
    #[cold]
    fn find_elsewhere(
        &self,
        index: usize,
        readiness: Readiness,
        entropy: &Entropy,
    ) -> Found<'_, C> {
        let (others, rest) = self.pools.split_at(index);
        // The chosen pool first; its neighbours only if nothing in it is left.
        for standing in [Standing::Usable, Standing::Probing] {
            for pool in rest.iter().chain(others) {
                if let Some(member) = pool.find(standing, readiness, entropy) {
                    return Found::Endpoint(&member.endpoint, &member.state);
                }
            }
            if let Some(member) = search(&self.spare, standing, readiness, entropy) {
                return Found::Endpoint(&member.endpoint, &member.state);
            }
        }
        match readiness {
            // A change was reported and the next set, on its way, knows whether to wait or fail.
            Readiness::ConnectFirst => Found::Queue,
            Readiness::OnDemand => {
                let first = self.pools.first().and_then(|pool| pool.members.first());
                Found::Fail(unreachable(first.map(|it| &it.endpoint)))
            }
        }
    }
}

impl<C> Pool<C> {
    fn new(
        members: Vec<Arc<Endpoint<C>>>,
        config: &ClusterConfig,
        start: &Entropy,
    ) -> Option<Self> {
        let weights: Vec<u32> = members.iter().map(|it| it.config().weight).collect();
        let picker = lb::picker(&config.lb.policy, &weights, start.draw())?;
        Some(Self {
            members: members.into_iter().map(Member::new).collect(),
            picker,
        })
    }

    /// An endpoint of that standing: the picker's choice or, if those it chooses have failed since
    /// it was built, any.
    fn find(
        &self,
        standing: Standing,
        readiness: Readiness,
        entropy: &Entropy,
    ) -> Option<&Member<C>> {
        (0..PROBES)
            .find_map(|_| self.pick(standing, readiness, entropy))
            .or_else(|| search(&self.members, standing, readiness, entropy))
    }

    /// The picker's choice, if that is of that standing.
    fn pick(
        &self,
        standing: Standing,
        readiness: Readiness,
        entropy: &Entropy,
    ) -> Option<&Member<C>> {
        let index = self.picker.pick(&PickContext { entropy }, &self.members);
        let member = self.members.get(index)?;
        (member.stands(readiness) == standing).then_some(member)
    }
}

/// The first endpoint of that standing, from a random one on.
fn search<'a, C>(
    members: &'a [Member<C>],
    standing: Standing,
    readiness: Readiness,
    entropy: &Entropy,
) -> Option<&'a Member<C>> {
    if members.is_empty() {
        return None;
    }
    let (before, after) = members.split_at(index_below(entropy.draw(), members.len()));
    let fits = |it: &&Member<C>| it.stands(readiness) == standing;
    after.iter().chain(before).find(fits)
}

impl<C> Member<C> {
    fn new(endpoint: Arc<Endpoint<C>>) -> Self {
        let state = Arc::clone(endpoint.state());
        Self { endpoint, state }
    }

    /// What it is good for now.
    fn stands(&self, readiness: Readiness) -> Standing {
        self.state.reported().standing(readiness)
    }
}

impl<C> Loads for Box<[Member<C>]> {
    fn active(&self, index: usize) -> u32 {
        self.get(index).map_or(0, |it| it.state.in_flight())
    }
}

/// The error for requests none of whose endpoints can be reached, with the reason that one of them
/// gave.
fn unreachable<C>(endpoint: Option<&Arc<Endpoint<C>>>) -> Error {
    let error = Error::new(ErrorKind::Connect, "no endpoint can be reached");
    let Some(endpoint) = endpoint else {
        return error;
    };
    let error = error.at_endpoint(endpoint.state().key().as_str());
    match endpoint.state().last_error() {
        Some(reason) => error.with_source(&*reason),
        None => error,
    }
}
