//! State machine, graph and decoders together, over a bad network, in virtual time, from a seed.
//!
//! Two control planes have the same resources, good, bad and missing, and change them at any time.
//! Targets come and go. Messages are late, and late by type; streams are cut at any point; either
//! server is out of reach for moments or for hours, and the client falls back and returns (gRFC
//! A71). The model servers see to it that no request is a repetition or makes no sense.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use bytes::Bytes;
use mesh_core::{
    config::{ClusterEntry, Dialect, Snapshot},
    server::ChannelCredentials,
    source::ConfigUpdate,
};
use mesh_proto::Any;

use super::world::{Content, Expected, Held, Key, TARGETS, brief, draw_key, ports, render};
use crate::{
    bootstrap::{Bootstrap, Node, ServerFeatures, XdsServer},
    driver::{Client, Decoder},
    protocol::{
        AdsConfig, AdsRequest, AdsResponse, AdsState, Limits, Variant,
        tests::{model::Server, seeds::seeds},
    },
    resource::{DecodeOptions, ResourceType},
};

/// How a simulation is set up.
#[derive(Clone, Copy, Debug)]
struct Setting {
    variant: Variant,
    dialect: Dialect,
    features: ServerFeatures,
}

struct Simulation {
    setting: Setting,
    strict: bool,
    random: fastrand::Rng,
    now: Instant,
    client: Client,
    servers: [Server<Content>; 2],
    /// Which one the open stream leads to.
    open: Option<usize>,
    reachable: [bool; 2],
    watched: BTreeSet<&'static str>,
    /// What the bytes of a resource mean.
    known: HashMap<Bytes, (Key, Content)>,
    held: Held,
    /// Which service has this port, and the last one received of each.
    services: HashMap<u16, String>,
    newest: HashMap<String, u16>,
    changes: u16,
    told: BTreeMap<Arc<str>, ConfigUpdate>,
    snapshots: Vec<Weak<Snapshot>>,
    to_server: VecDeque<(Instant, AdsRequest)>,
    to_client: [VecDeque<(Instant, AdsResponse)>; 4],
    connecting: Option<(Instant, bool)>,
    probe: Option<(Instant, Duration)>,
    action: Option<Instant>,
    /// Whether something has come that may take a target's configuration away.
    may_lose: bool,
    met: Met,
}

/// What a run has come across, so that none proves nothing.
#[derive(Debug, Default)]
struct Met {
    converged: u32,
    ready: u32,
    absent: u32,
    kept_bad: u32,
    fallbacks: u32,
    returns: u32,
}

fn client(seed: u64, setting: Setting) -> Client {
    let server = |uri| {
        let mut server = XdsServer::new(uri, ChannelCredentials::Insecure).expect("a URI");
        server.features = setting.features;
        server
    };
    let bootstrap = Bootstrap::new(server("first.test:1"), Node::new("node-1"));
    let bootstrap = bootstrap.with_fallback(server("second.test:1"));
    let config = AdsConfig {
        variant: setting.variant,
        node: bootstrap.node.to_proto(),
        features: setting.features,
        dialect: setting.dialect,
        limits: Limits::default(),
        seed,
    };
    let decoder = Decoder(DecodeOptions::new(setting.dialect));
    Client::new(Arc::new(bootstrap), AdsState::new(config, decoder))
}

impl Simulation {
    fn new(seed: u64, setting: Setting) -> Self {
        let now = Instant::now();
        let strict = seed.is_multiple_of(2);
        // No version of one server is one of the other's.
        let server = |clock| Server::new(setting.variant, strict, clock, render);
        Self {
            setting,
            strict,
            random: fastrand::Rng::with_seed(seed),
            now,
            client: client(seed, setting),
            servers: [server(0), server(1 << 32)],
            open: None,
            reachable: [true; 2],
            watched: BTreeSet::new(),
            known: HashMap::new(),
            held: Held::new(),
            services: HashMap::new(),
            newest: HashMap::new(),
            changes: 0,
            told: BTreeMap::new(),
            snapshots: Vec::new(),
            to_server: VecDeque::new(),
            to_client: Default::default(),
            connecting: None,
            probe: None,
            action: Some(now),
            may_lose: false,
            met: Met::default(),
        }
    }

    /// Mostly shorter than a message takes, so that things cross on the way; otherwise spread over
    /// the magnitudes up to three hours.
    fn pause(&mut self) -> Duration {
        Duration::from_secs_f64(match self.random.u8(..3) {
            0 => 10_f64.powf(self.random.f64() * 5.0 - 1.0),
            _ => self.random.f64() * 0.3,
        })
    }

    fn latency(&mut self, last: Option<Instant>) -> Instant {
        let at = self.now + Duration::from_millis(self.random.u64(1..400));
        last.map_or(at, |last| last.max(at))
    }

    fn is_calm(&self) -> bool {
        self.action.is_none()
    }

    /// Goes to the next thing that happens, and lets it. False if nothing is left to happen.
    fn step(&mut self) -> bool {
        let fronts = self
            .to_client
            .iter()
            .enumerate()
            .filter_map(|(kind, queue)| {
                let (at, _) = queue.front()?;
                Some((*at, kind))
            });
        let front = fronts.min().filter(|_| self.client.ads.wants_response());
        let next = [
            self.client.ads.poll_timeout(),
            self.to_server.front().map(|(at, _)| *at),
            front.map(|(at, _)| at),
            self.connecting.map(|(at, _)| at),
            // Nothing is probed with where nothing is wanted.
            self.probe
                .map(|(at, _)| at)
                .filter(|_| !self.watched.is_empty()),
            self.action,
        ];
        let Some(at) = next.into_iter().flatten().min() else {
            return false;
        };
        self.now = self.now.max(at);
        let now = self.now;
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        self.may_lose |= due(next[0]) || (!due(next[1]) && due(next[2]));
        if due(next[0]) {
            self.client.handle_timeout(now);
        } else if due(next[1]) {
            let (_, request) = self.to_server.pop_front().expect("it is due");
            let open = self.open.expect("a request is on a stream");
            let responses = self.servers[open].receive(request);
            responses
                .into_iter()
                .for_each(|response| self.send(response));
        } else if let Some((_, kind)) = front.filter(|(at, _)| *at <= now) {
            let (_, response) = self.to_client[kind].pop_front().expect("it is due");
            self.note_held(&response);
            self.client.handle_response(response, now);
        } else if due(next[3]) {
            self.finish_connecting();
        } else if due(next[4]) {
            self.finish_probe();
        } else {
            self.act();
            self.action = Some(now + self.pause());
        }
        // A driver may be slow, but for the sake of an end not while all is calm.
        if self.is_calm() || self.random.u8(..20) > 0 {
            self.turn();
        }
        true
    }

    fn send(&mut self, response: AdsResponse) {
        let type_url = match &response {
            AdsResponse::Sotw(response) => &response.type_url,
            AdsResponse::Delta(response) => &response.type_url,
        };
        let kind = ResourceType::from_type_url(type_url).expect("a known type") as usize;
        let at = self.latency(self.to_client[kind].back().map(|(at, _)| *at));
        self.to_client[kind].push_back((at, response));
    }

    fn cut(&mut self) {
        if let Some(open) = self.open.take() {
            self.servers[open].close();
        }
        self.to_server.clear();
        self.to_client.iter_mut().for_each(VecDeque::clear);
    }

    fn finish_connecting(&mut self) {
        let (_, up) = self.connecting.take().expect("it is due");
        if up {
            let place = self.client.server_index();
            self.open = Some(place);
            self.servers[place].open();
            self.client.handle_connected(self.now);
        } else {
            let reason = ["refused", "unreachable"][self.random.usize(..2)];
            self.client.handle_closed(self.now, reason);
        }
    }

    /// What the driver does while a server is in use that is not the first.
    fn finish_probe(&mut self) {
        let (_, pause) = self.probe.take().expect("it is due");
        if self.reachable[0] && (self.is_calm() || self.random.u8(..4) > 0) {
            self.cut();
            self.connecting = None;
            self.client.switch_to(0);
            self.met.returns += 1;
        } else {
            let pause = (pause * 2).min(Duration::from_secs(120));
            self.probe = Some((self.now + pause, pause));
        }
    }

    /// Something nobody has asked for.
    fn act(&mut self) {
        match self.random.u8(..13) {
            0..=2 => {
                let target = TARGETS[self.random.usize(..TARGETS.len())];
                if !self.watched.remove(target) {
                    self.watched.insert(target);
                }
            }
            3..=7 => (0..self.random.usize(1..4)).for_each(|_| self.change()),
            8 | 9 => self.push(false),
            10 => self.push(true),
            11 => {
                if self.open.is_some() {
                    self.cut();
                    self.client.handle_closed(self.now, "reset");
                }
            }
            _ => self.reachable = [self.random.bool(), self.random.bool()],
        }
    }

    fn change(&mut self) {
        let (kind, name) = draw_key(&mut self.random);
        let content = match self.random.u8(..6) {
            0 => None,
            // The same again under another version.
            1 => {
                let world = &self.servers[0].world;
                world.get(&(kind, name.clone())).map(|(it, _)| it.clone())
            }
            _ => {
                self.changes += 1;
                let dialect = self.setting.dialect;
                Some(Content::draw(&mut self.random, self.changes, kind, dialect))
            }
        };
        if let Some(content) = &content {
            if kind == ResourceType::Endpoints {
                self.services.insert(content.number, name.clone());
            }
            let Any { value, .. } = render(kind, &name, content);
            self.known
                .insert(value, ((kind, name.clone()), content.clone()));
        }
        for server in &mut self.servers {
            server.set(kind, &name, content.clone());
        }
    }

    fn push(&mut self, again: bool) {
        let kind = ResourceType::ALL[self.random.usize(..4)];
        let draw = self.random.usize(..1_000);
        if let Some(open) = self.open
            && let Some(response) = self.servers[open].push(kind, again, draw)
        {
            self.send(response);
        }
    }

    /// Whether what is deleted goes, and whether the last good version of what is refused does.
    const fn retention(&self) -> (bool, bool) {
        let ServerFeatures {
            ignore_resource_deletion,
            fail_on_data_errors,
            ..
        } = self.setting.features;
        match self.setting.dialect {
            Dialect::Envoy => (true, false),
            Dialect::Grpc => (!ignore_resource_deletion, fail_on_data_errors),
        }
    }

    /// Follows what the client should keep of a response: the last good version, unless it is taken
    /// away.
    fn note_held(&mut self, response: &AdsResponse) {
        let retention = self.retention();
        let mut mentioned = BTreeSet::new();
        let (type_url, resources, mut removed): (_, Vec<&Any>, Vec<String>) = match response {
            AdsResponse::Sotw(response) => (
                &response.type_url,
                response.resources.iter().collect(),
                Vec::new(),
            ),
            AdsResponse::Delta(response) => {
                let resources = response.resources.iter();
                let resources = resources.filter_map(|resource| resource.resource.as_ref());
                let removed = response.removed_resources.clone();
                (&response.type_url, resources.collect(), removed)
            }
        };
        let kind = ResourceType::from_type_url(type_url).expect("a known type");
        for resource in resources {
            let (key, content) = &self.known[&resource.value];
            mentioned.insert(key.1.clone());
            match self.held.get_mut(key) {
                None => {}
                Some(held) if !content.is_bad() => {
                    *held = Some(content.clone());
                    if kind == ResourceType::Endpoints {
                        self.newest.insert(key.1.clone(), content.number);
                    }
                }
                Some(held) if retention.1 => *held = None,
                Some(held) => self.met.kept_bad += u32::from(held.is_some()),
            }
        }
        if self.setting.variant == Variant::Sotw && kind.all_in_sotw() {
            let held = self.held.keys().filter(|(of, _)| *of == kind);
            let names = held.map(|(_, name)| name.clone());
            removed = names.filter(|name| !mentioned.contains(name)).collect();
        }
        for name in removed.into_iter().filter(|_| retention.0) {
            if let Some(held) = self.held.get_mut(&(kind, name)) {
                *held = None;
            }
        }
    }

    /// What a driver does after each thing that happened.
    fn turn(&mut self) {
        let now = self.now;
        let watched: Vec<Arc<str>> = self.watched.iter().map(|name| Arc::from(*name)).collect();
        self.told.retain(|name, _| watched.contains(name));
        self.client.watch_only(watched.into_iter().collect());
        self.client.handle_timeout(now);
        let place = self.client.server_index();
        let turned = self.client.turn();
        for (listener, update) in turned.updates {
            self.tell(listener, update);
        }
        self.may_lose = false;
        if turned.connect {
            // Turning to the second server leaves the stream to a first one that is yet to say
            // anything.
            self.cut();
            let place = self.client.server_index();
            let up = self.reachable[place] && (self.is_calm() || self.random.u8(..4) > 0);
            self.connecting = Some((self.latency(None), up));
        }
        match self.client.server_index() {
            0 => self.probe = None,
            _ if place == 0 => {
                self.met.fallbacks += 1;
                let first = Duration::from_secs(1);
                self.probe = Some((now + first, first));
            }
            _ => {}
        }
        let mut types = BTreeSet::new();
        while let Some(request) = self.client.poll_request(now) {
            if let AdsRequest::Sotw(request) = &request {
                let new = types.insert(request.type_url.clone());
                assert!(new, "one request a type and turn");
            }
            let at = self.latency(self.to_server.back().map(|(at, _)| *at));
            self.to_server.push_back((at, request));
        }
        self.check();
    }

    /// A watch hears of something.
    fn tell(&mut self, listener: Arc<str>, update: ConfigUpdate) {
        assert!(
            self.watched.contains(&*listener),
            "nobody watches {listener}"
        );
        match &update {
            ConfigUpdate::Ready(snapshot) => {
                assert!(
                    snapshot.clusters.keys().eq(snapshot.routes.clusters()),
                    "a configuration in force is whole"
                );
                let unknown = snapshot.clusters.values().any(|entry| {
                    matches!(entry, ClusterEntry::Unavailable(why) if why.contains("not known yet"))
                });
                assert!(!unknown, "a configuration in force has all answers");
                self.snapshots.push(Arc::downgrade(snapshot));
                self.met.ready += 1;
            }
            ConfigUpdate::Absent(_) => self.met.absent += 1,
            ConfigUpdate::Pending(_) => {}
        }
        if let Some(before) = self.told.get(&listener) {
            let lost = matches!(before, ConfigUpdate::Ready(_))
                && !matches!(update, ConfigUpdate::Ready(_));
            assert!(
                !lost || self.may_lose,
                "{listener} is lost to the connection"
            );
            let again = match (before, &update) {
                (ConfigUpdate::Ready(old), ConfigUpdate::Ready(new)) => Arc::ptr_eq(old, new),
                (ConfigUpdate::Absent(old), ConfigUpdate::Absent(new))
                | (ConfigUpdate::Pending(old), ConfigUpdate::Pending(new)) => old == new,
                _ => false,
            };
            assert!(!again, "{listener} is told the same twice: {update:?}");
        }
        self.told.insert(listener, update);
    }

    /// What holds after every turn.
    fn check(&mut self) {
        let resources = self.client.ads.resources();
        let kept: BTreeSet<Key> = resources
            .map(|(kind, name, _)| (kind, name.to_string()))
            .collect();
        self.held.retain(|key, _| kept.contains(key));
        for key in kept {
            self.held.entry(key).or_default();
        }
        for ((kind, name), held) in &self.held {
            let entry = self.client.ads.resource(*kind, name).expect("it is kept");
            assert_eq!(
                entry.value().is_some(),
                held.is_some(),
                "{kind} {name}: {entry:?}, held {held:?}"
            );
        }
        if let Some(at) = self.client.ads.poll_timeout() {
            assert!(at > self.now, "what was due has been done");
            let longest = Duration::from_secs(150);
            assert!(at <= self.now + longest, "nothing waits for ever");
        }
        self.check_endpoints();
        self.snapshots
            .retain(|snapshot| snapshot.strong_count() > 0);
        assert!(
            self.snapshots.len() <= self.told.len(),
            "old snapshots are let go"
        );
    }

    /// Whatever else is in the making, a cluster in force has its newest endpoints.
    fn check_endpoints(&self) {
        for (target, update) in &self.told {
            let ConfigUpdate::Ready(snapshot) = update else {
                continue;
            };
            for (cluster, entry) in snapshot.clusters.iter() {
                for port in ports(entry) {
                    let newest = self.services.get(&port).map(|it| self.newest[it]);
                    assert!(
                        newest.is_none_or(|newest| newest == port),
                        "{target}: {cluster} has {entry:?}, not {newest:?}"
                    );
                }
            }
        }
    }

    /// Lets the storm pass, and sees that the client has what the servers have.
    fn converge(&mut self) {
        self.action = None;
        self.reachable = [true; 2];
        self.turn();
        // A server that ignores stale requests may think that it has sent what was dropped and
        // wanted again: the state of the world has no way to say so, and it is for the server to send
        // that again. What it sends may make the client drop and want more, with requests that are
        // stale once more: only when sending again changes nothing has nothing been lost.
        let forgets = self.strict && self.setting.variant == Variant::Sotw;
        let mut before = None;
        for round in 0.. {
            assert!(round < 1_000, "never comes to rest");
            while self.step() {}
            let Some(open) = self.open else { break };
            let repeat = forgets && before.as_ref() != Some(&self.held);
            before = Some(self.held.clone());
            let mut pushed = Vec::new();
            for kind in ResourceType::ALL {
                pushed.extend(self.servers[open].push(kind, repeat, 0));
            }
            if pushed.is_empty() {
                break;
            }
            pushed.into_iter().for_each(|response| self.send(response));
        }
        if !self.watched.is_empty() {
            assert_eq!(self.open, Some(0), "the first server is back in use");
        }
        self.check_converged();
        self.met.converged += 1;
        self.action = Some(self.now + self.pause());
    }

    fn check_converged(&self) {
        let mut needed = BTreeSet::new();
        for target in &self.watched {
            let expected = Expected::of(target, &self.held);
            assert_eq!(brief(&self.told[*target]), expected.sees, "{target}");
            needed.extend(expected.needs);
        }
        let kept: BTreeSet<Key> = self.held.keys().cloned().collect();
        assert_eq!(kept, needed, "what is kept is what is needed");
        for (key, held) in &self.held {
            match self.servers[0].world.get(key) {
                Some((content, _)) if content.is_bad() => {}
                Some((content, _)) => assert_eq!(held.as_ref(), Some(content), "{key:?}"),
                None => {
                    let told = self.setting.variant == Variant::Delta || key.0.all_in_sotw();
                    let obeyed = self.retention().0;
                    assert!(held.is_none() || !told || !obeyed, "{key:?} is gone");
                }
            }
        }
    }

    /// Nobody watches anything any more.
    fn end(&mut self) {
        self.watched.clear();
        self.action = None;
        self.turn();
        while self.step() {}
        assert_eq!(self.client.ads.resources().count(), 0);
        assert!(self.client.graph.is_empty(), "{:?}", self.client.graph);
        assert_eq!(self.client.ads.poll_timeout(), None, "no timer is left");
        assert!(self.snapshots.is_empty(), "no snapshot is left");
    }
}

fn simulate(setting: Setting) {
    let seeds = seeds(6);
    let count = seeds.end - seeds.start;
    let mut hours = 0;
    for seed in seeds {
        println!("MESH_SEED={seed} ({setting:?})");
        let mut simulation = Simulation::new(seed, setting);
        let start = simulation.now;
        for step in 1..=4_000 {
            simulation.step();
            if step % 80 == 0 {
                simulation.converge();
            }
        }
        simulation.end();
        let Met {
            converged,
            ready,
            absent,
            kept_bad,
            fallbacks,
            returns,
        } = simulation.met;
        assert_eq!(converged, 50);
        let met = [ready, absent, kept_bad, fallbacks, returns];
        let faulty = setting.features.fail_on_data_errors;
        let wanted = met.iter().filter(|count| **count > 0).count();
        assert!(
            wanted >= met.len() - usize::from(faulty),
            "{:?}",
            simulation.met
        );
        hours += (simulation.now - start).as_secs() / 3_600;
    }
    println!("{hours} h of {count} seeds");
    // One alone may be a short one.
    assert!(count == 1 || hours > 50 * count, "{hours} h");
}

fn both_dialects(variant: Variant, features: ServerFeatures) {
    for dialect in [Dialect::Grpc, Dialect::Envoy] {
        simulate(Setting {
            variant,
            dialect,
            features,
        });
    }
}

#[test]
fn sotw_converges() {
    both_dialects(Variant::Sotw, ServerFeatures::default());
}

#[test]
fn delta_converges() {
    both_dialects(Variant::Delta, ServerFeatures::default());
}

#[test]
fn deletions_that_do_not_count_leave_everything_in_use() {
    let features = ServerFeatures {
        ignore_resource_deletion: true,
        ..Default::default()
    };
    both_dialects(Variant::Sotw, features);
}

#[test]
fn data_errors_that_count_take_everything_out_of_use() {
    let features = ServerFeatures {
        fail_on_data_errors: true,
        ..Default::default()
    };
    both_dialects(Variant::Delta, features);
}
