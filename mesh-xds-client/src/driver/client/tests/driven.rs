//! The same with the driver that programs spawn, on paused time: connections that are refused or
//! never come, streams that end with a status, late and doubled responses, probes and fallback.
//! Nothing but the network is left out.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use mesh_core::{
    config::Dialect,
    server::{ChannelCredentials, Server},
    source::{ConfigSource, ConfigWatch},
};
use mesh_testkit::{
    ControlPlane,
    control::{Resource, StreamKind},
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tonic::Status;

use super::world::{Content, Expected, Held, Key, TARGETS, brief, draw_key, render};
use crate::{
    XdsOptions, XdsSource,
    bootstrap::{Bootstrap, Node, XdsServer},
    driver::{BoxError, Channel, Connector},
    protocol::{Variant, tests::seeds::seeds},
    resource::ResourceType,
};

/// Longer than any back-off, any timer and any pause between two probes.
const CALM: Duration = Duration::from_secs(900);
const UP: u8 = 0;
const REFUSES: u8 = 1;

/// Connects to the planes as long as they are up; what is neither up nor refuses never answers.
fn connector(planes: [Arc<ControlPlane>; 2], states: [Arc<AtomicU8>; 2]) -> impl Connector {
    move |server: &Server| -> std::pin::Pin<Box<dyn Future<Output = Result<Channel, BoxError>> + Send>> {
        let place = usize::from(!server.uri.starts_with("first"));
        let (plane, state) = (planes[place].service(), states[place].load(Ordering::SeqCst));
        Box::pin(async move {
            match state {
                UP => Ok(Channel::new(plane)),
                REFUSES => Err("refused".into()),
                _ => std::future::pending().await,
            }
        })
    }
}

struct Driven {
    random: fastrand::Rng,
    variant: Variant,
    dialect: Dialect,
    planes: [Arc<ControlPlane>; 2],
    states: [Arc<AtomicU8>; 2],
    source: XdsSource,
    driver: JoinHandle<()>,
    watches: BTreeMap<&'static str, ConfigWatch>,
    world: Held,
    changes: u16,
}

impl Driven {
    async fn new(seed: u64, variant: Variant, dialect: Dialect) -> Self {
        let planes = [ControlPlane::start().await, ControlPlane::start().await].map(Arc::new);
        let states: [Arc<AtomicU8>; 2] = Default::default();
        let server = |uri| XdsServer::new(uri, ChannelCredentials::Insecure).expect("a URI");
        let bootstrap = Bootstrap::new(server("first.test:1"), Node::new("node-1"));
        let bootstrap = bootstrap.with_fallback(server("second.test:1"));
        let mut options = XdsOptions::new(dialect).variant(variant);
        options.seed = seed;
        let connector = connector(planes.clone(), states.clone());
        let (source, driver) = XdsSource::new(bootstrap, connector, options);
        Self {
            random: fastrand::Rng::with_seed(seed),
            variant,
            dialect,
            planes,
            states,
            source,
            driver: tokio::spawn(driver),
            watches: BTreeMap::new(),
            world: Held::new(),
            changes: 0,
        }
    }

    fn set(&mut self, key: Key, content: Option<Content>) {
        for plane in &self.planes {
            match &content {
                None => plane.remove(key.0.type_url(), &key.1),
                Some(content) => plane.set(Resource::new(&key.1, render(key.0, &key.1, content))),
            }
        }
        self.world.insert(key, content);
    }

    fn draw(&mut self, kind: ResourceType) -> Content {
        self.changes += 1;
        Content::draw(&mut self.random, self.changes, kind, self.dialect)
    }

    fn draw_good(&mut self, kind: ResourceType) -> Content {
        loop {
            let content = self.draw(kind);
            if !content.is_bad() {
                return content;
            }
        }
    }

    fn change(&mut self) {
        let key = draw_key(&mut self.random);
        // State of the world cannot tell that routes or endpoints are gone.
        let can_go = self.variant == Variant::Delta || key.0.all_in_sotw();
        let content = match self.random.u8(..6) {
            0 if can_go => None,
            _ => Some(self.draw(key.0)),
        };
        self.set(key, content);
    }

    async fn act(&mut self) {
        let place = self.random.usize(..2);
        match self.random.u8(..12) {
            0..=2 => {
                let target = TARGETS[self.random.usize(..TARGETS.len())];
                if self.watches.remove(target).is_none() {
                    self.watches
                        .insert(target, self.source.watch(&target.into()));
                }
            }
            3..=6 => (0..self.random.usize(1..4)).for_each(|_| self.change()),
            7 => self.planes[place].end_streams(Status::unavailable("the simulation says so")),
            8 => {
                let delay = Duration::from_millis(self.random.u64(..3_000));
                self.planes[place].delay(delay);
            }
            9 => self.planes[place].duplicate_responses(self.random.bool()),
            10 => self.planes[place].refuse_streams(self.random.bool()),
            _ => {
                let state = self.random.u8(..3);
                self.states[place].store(state, Ordering::SeqCst);
                if state != UP {
                    self.planes[place].end_streams(Status::unavailable("going down"));
                }
            }
        }
        let pause = match self.random.u8(..3) {
            0 => 10_f64.powf(self.random.f64() * 5.0 - 1.0),
            _ => self.random.f64() * 0.3,
        };
        sleep(Duration::from_secs_f64(pause)).await;
    }

    async fn converge(&mut self) {
        for (plane, state) in self.planes.iter().zip(&self.states) {
            plane.delay(Duration::ZERO);
            plane.duplicate_responses(false);
            plane.refuse_streams(false);
            state.store(UP, Ordering::SeqCst);
        }
        self.speak();
        sleep(CALM).await;
        // The planes ignore stale requests, and may in state of the world not send again what was
        // dropped and wanted again; all that is new is sent.
        let again = self.variant == Variant::Sotw;
        for (key, content) in self.world.clone() {
            let replace = |content: &Content| again || content.is_bad();
            if content.as_ref().is_some_and(replace) {
                let content = self.draw_good(key.0);
                self.set(key, Some(content));
            }
        }
        sleep(CALM).await;
        self.check();
        // What is bad leaves everything as it is.
        let seen = self.seen();
        for (key, content) in self.world.clone() {
            if content.is_some() && self.random.bool() {
                self.changes += 1;
                self.set(key, Some(Content::bad(self.changes)));
            }
        }
        sleep(CALM).await;
        assert_eq!(self.seen(), seen, "the last good version stays");
    }

    /// A plane of which no listener was ever published says nothing about listeners, and nothing
    /// else is asked for before one is known. Only an answer of the first server moves a client back
    /// to it (gRFC A71): there must be something to answer.
    fn speak(&mut self) {
        let kind = ResourceType::Listener;
        if !self.world.keys().any(|(of, _)| *of == kind) {
            let content = self.draw_good(kind);
            self.set((kind, TARGETS[0].to_owned()), Some(content));
        }
    }

    fn seen(&mut self) -> Vec<(&'static str, String)> {
        let watches = self.watches.iter_mut();
        watches
            .map(|(target, watch)| (*target, brief(&watch.latest())))
            .collect()
    }

    fn check(&mut self) {
        let mut needed = Vec::new();
        for (target, seen) in self.seen() {
            let expected = Expected::of(target, &self.world);
            assert_eq!(seen, expected.sees, "{target}");
            needed.extend(expected.needs);
        }
        needed.sort_unstable();
        needed.dedup();
        let status = self.source.status();
        let resources = status.resources.iter();
        let kept: Vec<Key> = resources
            .map(|resource| (resource.kind, resource.name.to_string()))
            .collect();
        assert_eq!(kept, needed, "what is kept is what is needed");
        let kind = match self.variant {
            Variant::Sotw => StreamKind::Sotw,
            Variant::Delta => StreamKind::Delta,
        };
        let streams = self.planes.each_ref().map(|plane| plane.streams(kind));
        if !self.watches.is_empty() {
            assert_eq!(streams, [1, 0], "one stream, to the first server");
        }
    }

    /// Nobody has a use for it any more: the driver ends, and its streams with it.
    async fn end(self) {
        drop(self.watches);
        drop(self.source);
        let ended = timeout(CALM, self.driver).await;
        ended.expect("the driver ends").expect("without a panic");
        for plane in &self.planes {
            assert_eq!(plane.streams(StreamKind::Sotw), 0);
            assert_eq!(plane.streams(StreamKind::Delta), 0);
        }
    }
}

async fn simulate(variant: Variant) {
    let start = Instant::now();
    for seed in seeds(8) {
        println!("MESH_SEED={seed} ({variant:?})");
        let dialect = [Dialect::Grpc, Dialect::Envoy][usize::from(seed % 2 == 0)];
        let mut driven = Driven::new(seed, variant, dialect).await;
        for _ in 0..10 {
            for _ in 0..30 {
                driven.act().await;
            }
            driven.converge().await;
        }
        driven.end().await;
    }
    println!("{} h", start.elapsed().as_secs() / 3_600);
}

#[tokio::test(start_paused = true)]
async fn sotw_converges() {
    simulate(Variant::Sotw).await;
}

#[tokio::test(start_paused = true)]
async fn delta_converges() {
    simulate(Variant::Delta).await;
}
