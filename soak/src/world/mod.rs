//! The side of the world: a control plane, servers, and what changes. It says where the control
//! plane listens, takes `calm` and `report` by its input, and ends when that does.

mod change;
mod config;
mod servers;

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mesh_testkit::{ControlPlane, Seeded, control::StreamKind, xds};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    sync::RwLock,
    task::JoinSet,
    time::{sleep, timeout},
};

use self::{config::Target, servers::Server};

/// How a target is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Grpc,
    Http1,
    Http2,
}

pub(crate) const TARGETS: [(&str, Wire); 3] = [
    ("grpc", Wire::Grpc),
    ("http1", Wire::Http1),
    ("http2", Wire::Http2),
];

/// Two of each target, in the order of the targets.
pub(crate) const CLUSTERS: [&str; 6] = [
    "grpc-1", "grpc-2", "http1-1", "http1-2", "http2-1", "http2-2",
];

/// Servers of a cluster; one of them at a time is disturbed.
const SERVERS: usize = 3;
/// How long a cluster may take until it is well again: longer than the control plane is ever away,
/// with the back-off after that.
const WELL: Duration = Duration::from_secs(30);

/// What all that changes something shares.
#[derive(Debug)]
struct World {
    plane: ControlPlane,
    clusters: Vec<Vec<Server>>,
    /// One for each target, for clusters that come and go; never disturbed.
    steady: Vec<Server>,
    /// Held for writing while responses get lost, for reading while an ACK decides what is done
    /// next: that of a later increment says nothing of one that was lost.
    heard: RwLock<()>,
    calm: AtomicBool,
    events: Mutex<BTreeMap<&'static str, u64>>,
}

impl World {
    fn count(&self, event: &'static str) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        *events.entry(event).or_default() += 1;
    }

    fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }
}

async fn pause(random: &mut Seeded, millis: Range<u64>) {
    sleep(Duration::from_millis(random.in_range(millis))).await;
}

async fn start() -> Arc<World> {
    let plane = ControlPlane::start().await;
    let random = &mut Seeded::exactly(1);
    let (mut clusters, mut steady) = (Vec::new(), Vec::new());
    for (number, ((target, wire), names)) in TARGETS.iter().zip(CLUSTERS.chunks(2)).enumerate() {
        for name in names {
            let server = |number| Server::start(*wire, &format!("{name}-{number}"));
            let servers: Vec<_> = (0..SERVERS).map(server).collect();
            let sockets: Vec<_> = servers.iter().map(Server::socket).collect();
            let cluster = config::cluster(random, name, *wire);
            plane.set((cluster, xds::endpoints(name, &sockets)));
            clusters.push(servers);
        }
        steady.push(Server::start(*wire, &format!("{target}-steady")));
        let target = Target::of(number);
        plane.set((target.listener(), target.routes(random, None)));
    }
    Arc::new(World {
        plane,
        clusters,
        steady,
        heard: RwLock::default(),
        calm: AtomicBool::new(false),
        events: Mutex::default(),
    })
}

/// Is the world, until its input ends.
pub(crate) async fn run(seed: u64) -> anyhow::Result<()> {
    let world = start().await;
    println!("{}", world.plane.socket());
    let mut changing = JoinSet::new();
    let random = |number: usize| Seeded::exactly(seed.wrapping_mul(100) + number as u64);
    for number in 0..CLUSTERS.len() {
        changing.spawn(change::servers(Arc::clone(&world), number, random(number)));
    }
    for number in 0..TARGETS.len() {
        let random = random(CLUSTERS.len() + number);
        changing.spawn(config::change(Arc::clone(&world), number, random));
    }
    changing.spawn(change::plane(Arc::clone(&world), random(99)));
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        match line.as_str() {
            "calm" => {
                world.calm.store(true, Ordering::Relaxed);
                while let Some(ended) = changing.join_next().await {
                    ended?;
                }
                println!("calm");
            }
            _ => println!("{}", report(&world).await),
        }
    }
    Ok(())
}

/// What was counted; waits for what is open to end.
async fn report(world: &World) -> serde_json::Value {
    let servers = || world.clusters.iter().flatten().chain(&world.steady);
    let count = |count: fn(&Server) -> u64| servers().map(count).sum::<u64>();
    let streams = || {
        let kinds = [StreamKind::Sotw, StreamKind::Delta];
        kinds
            .map(|kind| world.plane.streams(kind))
            .iter()
            .sum::<usize>()
    };
    let ended = async {
        while count(Server::open) + count(Server::in_flight) > 0 || streams() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    // What is left is in the report.
    let _ = timeout(Duration::from_secs(20), ended).await;
    let events = world.events.lock().unwrap_or_else(PoisonError::into_inner);
    json!({
        "requests": count(Server::count),
        "connections": count(Server::connections),
        "open": count(Server::open),
        "in_flight": count(Server::in_flight),
        "streams": streams(),
        "stuck": events.get("stuck").copied().unwrap_or(0),
        "events": *events,
    })
}
