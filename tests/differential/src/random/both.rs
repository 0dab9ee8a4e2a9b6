//! Both, with many listeners whose tables are changed while they run.

use std::{
    collections::{BTreeSet, HashMap},
    net::SocketAddr,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, Version};
use mesh_proto::envoy::config::route::v3::RouteConfiguration;
use mesh_testkit::{
    ControlPlane, EchoServer,
    control::{RDS, Resource, Resources as _},
    echo::{EchoReport, Seen},
    xds::{self, to},
};
use tokio::time::{sleep, timeout};

use super::{
    request::is_diced,
    table::{EMPTY, MISSING, SERVERS},
};
use crate::{
    Ask, Envoy, Outcome, Protocol, Sidecar, compare, get, http1, http2,
    log::{self, Lines},
};

/// Longer than any answer, and any change, takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who asks for this learns which version of a table is in use.
const MARKER: &str = "marker.marker";

/// How often what chance has a part in is asked again until both have answered alike.
const CHANCES: usize = 100;

/// Both.
pub(super) struct Both {
    plane: ControlPlane,
    envoy: Side,
    ours: Side,
    version: AtomicU64,
    /// The number of the next request.
    next: AtomicU64,
    // Kept, so that they go on.
    _running: (Envoy, Sidecar, Vec<EchoServer>),
}

struct Side {
    listeners: HashMap<String, SocketAddr>,
    lines: Lines,
}

/// What differs, and what came of the request at either.
#[derive(Clone, Debug, Default)]
pub(super) struct Difference {
    pub(super) words: String,
    pub(super) theirs: String,
    pub(super) ours: String,
}

/// What came of the requests to a table.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Who answered each.
    pub(super) answers: Vec<String>,
    /// With the places of the requests.
    pub(super) differences: Vec<(usize, Difference)>,
}

/// Whether a table was taken, or why not.
#[derive(Debug)]
pub(super) struct Verdicts {
    pub(super) envoy: Result<(), String>,
    pub(super) ours: Result<(), String>,
}

impl Both {
    /// Starts both, with so many listeners of empty tables.
    pub(super) async fn start(envoy: &Path, listeners: usize) -> Self {
        let plane = ControlPlane::start().await;
        let servers = SERVERS.map(|name| EchoServer::http1().server_id(name).start());
        let mut resources = Vec::new();
        for (name, server) in SERVERS.iter().zip(&servers) {
            xds::cluster(name).http1().add_to(&mut resources);
            xds::endpoints(name, &[server.socket()]).add_to(&mut resources);
        }
        xds::cluster(EMPTY).http1().add_to(&mut resources);
        xds::no_endpoints(EMPTY).add_to(&mut resources);
        let names: Vec<_> = (0..listeners).map(slot).collect();
        for name in &names {
            let listener = xds::listener(name, name).edit(|manager| {
                manager.access_log = vec![log::access_log()];
            });
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            listener.socket(any).add_to(&mut resources);
            table(name, &RouteConfiguration::default(), 0).add_to(&mut resources);
        }
        plane.set(resources);
        let envoy = Envoy::start(envoy, plane.socket()).await;
        let sidecar = Sidecar::start(plane.socket(), &names).await;
        Self {
            envoy: Side {
                listeners: envoy.listeners(listeners).await,
                lines: envoy.lines.clone(),
            },
            ours: Side {
                listeners: sidecar.listeners.clone(),
                lines: sidecar.lines.clone(),
            },
            plane,
            version: AtomicU64::new(0),
            next: AtomicU64::new(0),
            _running: (envoy, sidecar, servers.into()),
        }
    }

    /// Puts tables in the place of those of the first listeners, and waits until both use them.
    ///
    /// # Errors
    /// Why one of both refuses them.
    pub(super) async fn publish(&self, tables: &[&RouteConfiguration]) -> Result<(), String> {
        let version = self.set(tables);
        let all = async {
            for side in [&self.envoy, &self.ours] {
                for place in 0..tables.len() {
                    while !side.uses(&slot(place), version).await {
                        let live = self.plane.version(RDS);
                        let mut nacks = self.plane.nacks(RDS).into_iter().rev();
                        if let Some((_, why)) = nacks.find(|(of, _)| *of == live) {
                            return Err(end(&why));
                        }
                        sleep(Duration::from_millis(2)).await;
                    }
                }
            }
            Ok(())
        };
        let all = timeout(PATIENCE, all).await;
        all.unwrap_or_else(|_| Err("it is not in use in time".to_owned()))
    }

    /// What either says of a table.
    pub(super) async fn verdicts(&self, of: &RouteConfiguration) -> Verdicts {
        self.set(&[of]);
        let live = self.plane.version(RDS);
        let answers = |plane: &ControlPlane| {
            let acks = plane.acks(RDS).into_iter().filter(|of| *of == live);
            let nacks = plane.nacks(RDS).into_iter().filter(|(of, _)| *of == live);
            acks.count() + nacks.count()
        };
        let both = |plane: &ControlPlane| answers(plane) == 2;
        self.plane.wait_for("what both say", both).await;
        let requests = self.plane.requests();
        let node = |stream: u64| {
            let mut nodes = requests.iter().filter(|it| it.stream == stream);
            nodes.find_map(|it| it.node.clone()).unwrap_or_default().id
        };
        let verdict = |id: &str| {
            let of = |it: &&_| matches!(it, mesh_testkit::control::AdsRequest { type_url, stream, .. } if type_url == RDS && node(*stream) == id);
            let last = requests.iter().rfind(of);
            let error = last.expect("what it said last").error.clone();
            error.map_or(Ok(()), |(_, why)| Err(end(&why)))
        };
        Verdicts {
            envoy: verdict("envoy"),
            ours: verdict("sidecar"),
        }
    }

    fn set(&self, tables: &[&RouteConfiguration]) -> u64 {
        let version = self.version.fetch_add(1, Ordering::Relaxed) + 1;
        let tables = tables.iter().enumerate();
        let tables = tables.map(|(place, routes)| table(&slot(place), routes, version));
        self.plane.set(tables.collect::<Vec<_>>());
        version
    }

    /// Asks all this of both, at a listener.
    pub(super) async fn ask(&self, place: usize, asks: &[Ask]) -> Found {
        let slot = slot(place);
        let mut answered = Vec::new();
        for ask in asks {
            answered.push(self.answers(&slot, ask).await);
        }
        let mut found = Found::default();
        for (place, (id, mut theirs, mut ours)) in answered.into_iter().enumerate() {
            let ask = &asks[place];
            // The lines of the log come later, so they are waited for at the end.
            theirs.line = self.envoy.lines.of(&id).await;
            ours.line = self.ours.lines.of(&id).await;
            found.answers.push(who(&theirs));
            let (theirs, ours) = (text(&theirs, &id), text(&ours, &id));
            if theirs == ours || is_diced(ask) && self.alike(&slot, ask, &theirs, &ours).await {
                continue;
            }
            let counts = |text: &String| [(text.clone(), 1)].into();
            let words = compare(&counts(&theirs), &counts(&ours), false).unwrap_or_default();
            let difference = Difference {
                words,
                theirs,
                ours,
            };
            found.differences.push((place, difference));
        }
        found
    }

    /// Whether both answer alike if they are only asked often enough.
    async fn alike(&self, slot: &str, ask: &Ask, theirs: &str, ours: &str) -> bool {
        let mut theirs = BTreeSet::from([theirs.to_owned()]);
        let mut ours = BTreeSet::from([ours.to_owned()]);
        for _ in 0..CHANCES {
            let (id, mut one, mut other) = self.answers(slot, ask).await;
            one.line = self.envoy.lines.of(&id).await;
            other.line = self.ours.lines.of(&id).await;
            theirs.insert(text(&one, &id));
            ours.insert(text(&other, &id));
            if theirs == ours {
                return true;
            }
        }
        false
    }

    /// The answers of both, without the lines of their logs.
    async fn answers(&self, slot: &str, ask: &Ask) -> (String, Outcome, Outcome) {
        let id = format!("r{}", self.next.fetch_add(1, Ordering::Relaxed));
        let (theirs, ours) = tokio::join!(
            self.envoy.answer(slot, ask, &id),
            self.ours.answer(slot, ask, &id)
        );
        (id, theirs, ours)
    }
}

impl Side {
    async fn answer(&self, slot: &str, ask: &Ask, id: &str) -> Outcome {
        let at = self.listeners[slot];
        let sent = async {
            match ask.protocols[0] {
                Protocol::Http1 => http1::send(at, ask, id).await,
                Protocol::Http2 => http2::send(at, ask, id).await,
            }
        };
        let answer = timeout(PATIENCE, sent).await.ok().flatten();
        let report = answer.as_ref().and_then(|answer| {
            let report: EchoReport = serde_json::from_slice(&answer.body).ok()?;
            let name = SERVERS.iter().find(|name| **name == report.server_id)?;
            Some((*name, seen(&report)))
        });
        Outcome {
            answer,
            seen: report.into_iter().collect(),
            line: None,
            untold_length: ask.untold_length(),
        }
    }

    /// Whether it uses this version of a table.
    async fn uses(&self, slot: &str, version: u64) -> bool {
        let ask = get(&format!("/{version}"));
        let answer = http1::send(self.listeners[slot], &ask.at(MARKER), "marker").await;
        answer.is_some_and(|answer| answer.status == 200)
    }
}

fn slot(place: usize) -> String {
    format!("table-{place}")
}

/// The table under its name, with a host that tells its version. That leads to all clusters too: the
/// sidecar knows those that its table names, and has to wait until it knows that one is missing.
fn table(name: &str, routes: &RouteConfiguration, version: u64) -> Resource {
    let version = to(SERVERS[0]).path(&format!("/{version}"));
    let known = SERVERS.iter().chain([&EMPTY, &MISSING]);
    let known = known.map(|cluster| to(cluster).path("/known"));
    let marker = xds::route_config(name).host(&[MARKER], [version].into_iter().chain(known));
    let marker: RouteConfiguration = marker.build();
    let mut routes = routes.clone();
    routes.name = name.to_owned();
    routes.virtual_hosts.extend(marker.virtual_hosts);
    routes.into()
}

fn text(outcome: &Outcome, id: &str) -> String {
    outcome.text().replace(id, "ID")
}

fn who(outcome: &Outcome) -> String {
    match (&outcome.answer, outcome.seen.first()) {
        (_, Some((server, _))) => (*server).to_owned(),
        (Some(answer), None) => answer.status.to_string(),
        (None, None) => "nobody".to_owned(),
    }
}

/// What a server says that it saw.
fn seen(report: &EchoReport) -> Seen {
    let mut headers = HeaderMap::new();
    for (name, values) in &report.headers {
        for value in values {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
    }
    Seen {
        serial: report.serial,
        connection: report.connection,
        method: report.method.parse().unwrap(),
        path: report.path.clone(),
        authority: report.authority.clone(),
        version: Version::HTTP_11,
        headers,
        body: report.body.clone().unwrap_or_default().into(),
        body_len: Some(report.body_len),
    }
}

/// The end of a reason: Envoy's begins with all of the resource.
fn end(why: &str) -> String {
    let skipped = why.char_indices().rev().nth(400).map_or(0, |(at, _)| at);
    why[skipped..].to_owned()
}
