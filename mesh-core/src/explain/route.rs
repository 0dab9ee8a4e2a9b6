//! Why a request takes its route.

use std::{fmt, sync::Arc};

use serde::Serialize;

use super::text;
use crate::policy::{
    head::RequestHead,
    matcher::path,
    route::{
        ClusterRef, CompiledRoute, RouteTable, Target,
        conditions::{Asked, Failed},
    },
};

/// The way of a request through a route table. Printed, each reason stands on a line.
///
/// It repeats conditions of the configuration and the request's authority, never the value of a
/// header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteExplanation {
    /// The request's authority.
    pub authority: String,
    /// The virtual host; `None` when none serves the authority.
    pub virtual_host: Option<HostReason>,
    /// The routes that were tried, in their order. Only the last can have been taken.
    pub routes: Vec<RouteReason>,
    /// The request's random number.
    pub draw: u64,
    /// Where the request goes; `None` when no route takes it.
    pub cluster: Option<ClusterReason>,
    /// Which of [`RouteTable::scopes`] holds the filter overrides; 0 without a route.
    pub scope: usize,
}

/// Why a virtual host was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostReason {
    /// Its name.
    pub name: Arc<str>,
    /// Its place in the configuration.
    pub place: usize,
    /// The best domain for the authority, as `*.example`.
    pub domain: String,
}

/// Why a route takes a request or does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteReason {
    /// Its name; may be empty.
    pub name: Arc<str>,
    /// Its place in the virtual host.
    pub place: usize,
    /// The first condition that does not hold; `None` when it takes the request.
    pub failed: Option<String>,
}

/// Why a cluster was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum ClusterReason {
    /// The route has no other.
    Only {
        /// Its name.
        cluster: String,
    },
    /// By weight.
    Weight {
        /// Its name.
        cluster: String,
        /// The number that chose, from 0 up to the sum.
        point: u64,
        /// The sum of all weights.
        total: u64,
    },
    /// By a header of the request.
    Header {
        /// The name of the header.
        header: String,
        /// The name of the cluster; empty when the header is missing. It may not exist.
        cluster: String,
    },
    /// The route refuses its requests.
    Refused {
        /// Why.
        reason: Arc<str>,
    },
}

/// Why `table` sends a request with the random number `draw` where it does.
///
/// It agrees with [`RouteTable::select`], and tries the routes one by one.
#[must_use]
pub fn route(table: &RouteTable, head: &RequestHead<'_>, draw: u64) -> RouteExplanation {
    let mut explanation = RouteExplanation {
        authority: head.authority.to_owned(),
        virtual_host: None,
        routes: Vec::new(),
        draw,
        cluster: None,
        scope: 0,
    };
    let Some(place) = table.domain(head.authority) else {
        return explanation;
    };
    let host = table.host(place.host());
    explanation.virtual_host = Some(HostReason {
        name: Arc::clone(&host.name),
        place: place.host(),
        domain: text::domain(&host.domains[place.domain()]),
    });
    for (place, ordinal) in host.routes().enumerate() {
        let compiled = &table.routes()[ordinal];
        let failed = failure(table, compiled, ordinal, head, draw);
        let taken = failed.is_none();
        explanation.routes.push(RouteReason {
            name: Arc::clone(&compiled.route.name),
            place,
            failed,
        });
        if taken {
            let (cluster, scope) = cluster(table, compiled, head, draw);
            explanation.cluster = Some(cluster);
            explanation.scope = scope;
            break;
        }
    }
    explanation
}

/// The first condition of a route that does not hold, in words.
fn failure(
    table: &RouteTable,
    compiled: &CompiledRoute,
    ordinal: usize,
    head: &RequestHead<'_>,
    draw: u64,
) -> Option<String> {
    let matches = &compiled.route.matches;
    let failed = if path::matches(matches, head.path()) {
        let asked = Asked::new(head, draw, table.rules());
        asked.check(matches, ordinal).err()?
    } else {
        Failed::Path
    };
    Some(match failed {
        Failed::Path => text::path(matches),
        Failed::Grpc => "wants a gRPC request".to_owned(),
        Failed::Header(condition) => text::header(condition),
        Failed::Query(condition) => text::query(condition),
        Failed::Fraction => {
            let share = matches.fraction.map_or(0, |share| share.millionths());
            format!("wants a share of {share} in 1000000, and the draw is not in it")
        }
    })
}

/// The cluster that a route chooses, and the scope.
fn cluster(
    table: &RouteTable,
    compiled: &CompiledRoute,
    head: &RequestHead<'_>,
    draw: u64,
) -> (ClusterReason, usize) {
    let rules = table.rules();
    let (chosen, scope) = compiled.target.choose(head, draw, rules);
    let cluster = match chosen {
        Some(ClusterRef::Index(place)) => table.clusters()[place].to_string(),
        Some(ClusterRef::ByName(name)) => name.to_owned(),
        None => String::new(),
    };
    let reason = match &compiled.target {
        Target::Single { .. } => ClusterReason::Only { cluster },
        Target::Weighted(weighted) => {
            let total = weighted.choice.total();
            let point = weighted.draw(head.headers, draw, rules);
            ClusterReason::Weight {
                cluster,
                point: point.checked_rem(total).unwrap_or(0),
                total,
            }
        }
        Target::Header(by) => ClusterReason::Header {
            header: by.0.to_string(),
            cluster,
        },
        Target::Refuse { .. } => ClusterReason::Refused {
            reason: match compiled.forward() {
                Ok(_) => Arc::default(),
                Err(reason) => Arc::clone(reason),
            },
        },
    };
    (reason, scope)
}

impl RouteExplanation {
    /// The place of the route in its virtual host; `None` when no route takes the request.
    #[must_use]
    pub fn taken(&self) -> Option<usize> {
        let last = self.routes.last()?;
        last.failed.is_none().then_some(last.place)
    }
}

impl fmt::Display for RouteExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.virtual_host {
            Some(host) => writeln!(
                f,
                "authority {:?}: virtual host {:?} serves {}",
                self.authority, host.name, host.domain
            )?,
            None => {
                return write!(
                    f,
                    "authority {:?}: no virtual host serves it",
                    self.authority
                );
            }
        }
        for route in &self.routes {
            writeln!(f, "{route}")?;
        }
        match &self.cluster {
            Some(cluster) => write!(f, "{cluster}"),
            None => f.write_str("no route takes the request"),
        }
    }
}

impl fmt::Display for RouteReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "route {}", self.place)?;
        if !self.name.is_empty() {
            write!(f, " {:?}", self.name)?;
        }
        write!(f, ": {}", self.failed.as_deref().unwrap_or("taken"))
    }
}

impl fmt::Display for ClusterReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only { cluster } => write!(f, "cluster {cluster:?}: the only one"),
            Self::Weight {
                cluster,
                point,
                total,
            } => write!(f, "cluster {cluster:?}: by weight, {point} of {total}"),
            Self::Header { header, cluster } if cluster.is_empty() => {
                write!(f, "no cluster: header {header} names none")
            }
            Self::Header { header, cluster } => {
                write!(f, "cluster {cluster:?}: named by header {header}")
            }
            Self::Refused { reason } => write!(f, "refused: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests;
