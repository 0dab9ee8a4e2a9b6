//! Client and model server over a bad network, in virtual time, from a seed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{model::Server, seeds::seeds, *};
use crate::store::ErrorKind;

type Key = (ResourceType, String);

struct Simulation {
    random: fastrand::Rng,
    client: Client,
    server: Server<String>,
    wanted: BTreeSet<Key>,
    /// Not to be wanted again on this stream. A strict server may have ignored the request that
    /// dropped the name as stale; when it is back in the next one, nothing has changed for the
    /// server, and it is not sent again. State of the world has no cure for that.
    spent: BTreeSet<Key>,
    /// What a reader of events believes.
    view: BTreeMap<Key, String>,
    to_server: VecDeque<(Instant, AdsRequest)>,
    to_client: VecDeque<(Instant, AdsResponse)>,
    connecting: Option<(Instant, bool)>,
    action: Option<Instant>,
    reachable: bool,
    converged: usize,
}

impl Simulation {
    fn new(seed: u64, variant: Variant, strict: bool, features: ServerFeatures) -> Self {
        let limits = Limits {
            names: 4,
            ..Limits::default()
        };
        let client = Client::with(variant, Dialect::Grpc, features, limits);
        Self {
            random: fastrand::Rng::with_seed(seed),
            action: Some(client.now),
            client,
            server: Server::new(variant, strict, 0, |kind, name, content| {
                thing(kind, name, content)
            }),
            wanted: BTreeSet::new(),
            spent: BTreeSet::new(),
            view: BTreeMap::new(),
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            connecting: None,
            reachable: true,
            converged: 0,
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
        let at = self.client.now + Duration::from_millis(self.random.u64(1..400));
        last.map_or(at, |last| last.max(at))
    }

    fn key(&mut self) -> Key {
        let kind = ResourceType::ALL[self.random.usize(..4)];
        (kind, format!("{}", char::from(b'a' + self.random.u8(..4))))
    }

    /// Goes to the next thing that happens, and lets it. False if nothing is left to happen.
    fn step(&mut self) -> bool {
        let front = if self.client.state.wants_response() {
            self.to_client.front()
        } else {
            None
        };
        let next = [
            self.client.state.poll_timeout(),
            self.to_server.front().map(|(at, _)| *at),
            front.map(|(at, _)| *at),
            self.connecting.map(|(at, _)| at),
            self.action,
        ];
        let Some(at) = next.into_iter().flatten().min() else {
            return false;
        };
        self.client.now = self.client.now.max(at);
        let now = self.client.now;
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(next[0]) {
            self.client.state.handle_timeout(now);
        } else if due(next[1]) {
            self.deliver_to_server();
        } else if due(next[2]) {
            let (_, response) = self.to_client.pop_front().expect("it is due");
            self.client.state.handle_response(now, response);
        } else if due(next[3]) {
            self.finish_connecting();
        } else {
            self.act();
            self.action = Some(now + self.pause());
        }
        // A reader of events may be slow, but for the sake of an end not while all is calm.
        if self.action.is_none() || self.random.u8(..20) > 0 {
            self.turn();
            self.check();
        }
        true
    }

    fn deliver_to_server(&mut self) {
        let (_, request) = self.to_server.pop_front().expect("it is due");
        for response in self.server.receive(request) {
            self.send(response);
        }
    }

    fn send(&mut self, response: AdsResponse) {
        let at = self.latency(self.to_client.back().map(|(at, _)| *at));
        self.to_client.push_back((at, response));
    }

    fn finish_connecting(&mut self) {
        let (_, up) = self.connecting.take().expect("it is due");
        if up {
            self.server.open();
            self.client.state.handle_connected(self.client.now);
        } else {
            let reason = ["refused", "unreachable"][self.random.usize(..2)];
            self.client.state.handle_closed(self.client.now, reason);
        }
    }

    fn break_stream(&mut self) {
        if self.client.state.is_connected() {
            self.server.close();
            self.to_server.clear();
            self.to_client.clear();
            self.spent.clear();
            self.client.state.handle_closed(self.client.now, "reset");
        }
    }

    /// Something nobody has asked for.
    fn act(&mut self) {
        match self.random.u8(..12) {
            0..=3 => (0..self.random.usize(1..5)).for_each(|_| self.churn()),
            4..=6 => (0..self.random.usize(1..4)).for_each(|_| self.change()),
            7 | 8 => self.push(false),
            9 => self.push(true),
            10 => self.break_stream(),
            _ => {
                self.reachable = self.random.bool();
                if self.client.state.is_connected() {
                    let mut unknown = sotw(Cluster, "1", "u", &[]);
                    unknown.type_url = "type.googleapis.com/unknown".to_owned();
                    self.send(unknown.into());
                }
            }
        }
    }

    fn churn(&mut self) {
        let (kind, name) = self.key();
        let key = (kind, name.clone());
        if self.wanted.remove(&key) {
            self.client.state.unsubscribe(kind, &name);
            self.view.remove(&key);
            if self.server.strict && self.client.state.is_connected() {
                self.spent.insert(key);
            }
        } else if !self.spent.contains(&key) {
            self.client.subscribe(&[(kind, &name)]);
            self.view
                .insert(key.clone(), self.client.answer(kind, &name));
            self.wanted.insert(key);
        }
    }

    fn change(&mut self) {
        let (kind, name) = self.key();
        let number = self.random.u32(..);
        let content = match self.random.u8(..10) {
            0 | 1 => None,
            2 => Some(format!("bad {number}")),
            3 => Some("bad".to_owned()),
            // The same again under another version.
            4 => self
                .server
                .world
                .get(&(kind, name.clone()))
                .map(|(content, _)| content.clone()),
            _ => Some(format!("{name} {number}")),
        };
        self.server.set(kind, &name, content);
    }

    fn push(&mut self, again: bool) {
        let kind = ResourceType::ALL[self.random.usize(..4)];
        let draw = self.random.usize(..1_000);
        if let Some(response) = self.server.push(kind, again, draw) {
            self.send(response);
        }
    }

    /// What a driver does after each thing that happened.
    fn turn(&mut self) {
        let now = self.client.now;
        while let Some(event) = self.client.state.poll_event() {
            match event {
                Event::Connect => {
                    let up = self.reachable && (self.action.is_none() || self.random.u8(..4) > 0);
                    self.connecting = Some((self.latency(None), up));
                }
                Event::Connection => {
                    for (kind, name) in &self.wanted {
                        let answer = self.client.answer(*kind, name);
                        self.view.insert((*kind, name.clone()), answer);
                    }
                }
                Event::Changed { kind, name } => {
                    let key = (kind, name.to_string());
                    assert!(self.wanted.contains(&key), "{key:?} is not wanted");
                    self.view.insert(key, self.client.answer(kind, &name));
                }
            }
        }
        let mut types = BTreeSet::new();
        while let Some(request) = self.client.state.poll_request(now) {
            if let AdsRequest::Sotw(request) = &request {
                assert!(
                    types.insert(request.type_url.clone()),
                    "one request a type and turn"
                );
            }
            let at = self.latency(self.to_server.back().map(|(at, _)| *at));
            self.to_server.push_back((at, request));
        }
    }

    /// What holds after every turn.
    fn check(&self) {
        let state = &self.client.state;
        let kept: BTreeSet<Key> = state
            .store
            .iter()
            .map(|(kind, name, _)| (kind, name.to_string()))
            .collect();
        assert_eq!(kept, self.wanted, "what is kept is what is wanted");
        for ((kind, name), believed) in &self.view {
            assert_eq!(
                *believed,
                self.client.answer(*kind, name),
                "{kind} {name} was not told of"
            );
        }
        let running = state
            .store
            .iter()
            .filter(|(.., entry)| entry.timer().is_some())
            .count();
        assert_eq!(running, state.timers.len(), "each timer is one resource's");
        let due = state
            .store
            .iter()
            .filter(|(.., entry)| state.is_connected() && entry.status() == Status::Requested);
        assert_eq!(
            running,
            due.count(),
            "timers run for what a live stream was asked for"
        );
        if let Some(at) = state.poll_timeout() {
            assert!(at >= self.client.now, "what was due has been done");
            assert!(
                at <= self.client.now + Duration::from_secs(150),
                "nothing waits for ever"
            );
        }
    }

    /// Lets the storm pass, and sees that the client has what the server has.
    fn converge(&mut self) {
        self.action = None;
        self.reachable = true;
        self.turn();
        for round in 0.. {
            assert!(round < 1_000, "never comes to rest");
            while self.step() {}
            let pushed: Vec<AdsResponse> = ResourceType::ALL
                .into_iter()
                .filter_map(|kind| self.server.push(kind, false, 0))
                .collect();
            if pushed.is_empty() {
                break;
            }
            pushed.into_iter().for_each(|response| self.send(response));
        }
        assert!(self.wanted.is_empty() || self.client.state.is_connected());
        for (kind, name) in &self.wanted {
            self.check_converged(*kind, name);
        }
        self.converged += 1;
        self.action = Some(self.client.now + self.pause());
    }

    fn check_converged(&self, kind: ResourceType, name: &str) {
        let entry = self.client.state.resource(kind, name).expect("wanted");
        let case = format!("{kind} {name}: {entry:?}");
        let error = entry.error().map(|error| error.kind);
        match self.server.world.get(&(kind, name.to_owned())) {
            Some((content, _)) if content.starts_with("bad") => {
                assert_eq!(
                    (entry.status(), error),
                    (Status::Nacked, Some(ErrorKind::Rejected)),
                    "{case}"
                );
                let fails = self.client.state.config().features.fail_on_data_errors;
                assert!(!fails || entry.value().is_none(), "{case}");
            }
            Some((content, _)) => {
                assert_eq!(entry.value(), Some(content), "{case}");
                assert_eq!((entry.status(), error), (Status::Acked, None), "{case}");
            }
            None if self.client.state.config().variant == Variant::Delta || kind.all_in_sotw() => {
                assert_eq!(error, Some(ErrorKind::Absent), "{case}");
                let ignores = self.client.state.config().features.ignore_resource_deletion;
                assert!(ignores || entry.value().is_none(), "{case}");
            }
            None => assert!(entry.status() != Status::Requested, "{case}"),
        }
    }
}

fn simulate(variant: Variant, features: ServerFeatures) {
    let seeds = seeds(12);
    let count = seeds.end - seeds.start;
    let mut hours = 0;
    for seed in seeds {
        println!("MESH_SEED={seed} ({variant:?}, {features:?})");
        let mut simulation = Simulation::new(seed, variant, seed.is_multiple_of(2), features);
        let start = simulation.client.now;
        for step in 1..=4_000 {
            simulation.step();
            if step % 40 == 0 {
                simulation.converge();
            }
        }
        assert_eq!(simulation.converged, 100);
        let counters = simulation.client.state.counters();
        let met = [
            counters.accepted,
            counters.nacks,
            counters.unchanged,
            counters.failures,
        ];
        assert!(met.into_iter().all(|count| count > 0), "{counters:?}");
        hours += (simulation.client.now - start).as_secs() / 3_600;
    }
    println!("{hours} h of {count} seeds");
    // One alone may be a short one.
    assert!(count == 1 || hours > 80 * count, "{hours} h");
}

#[test]
fn sotw_converges() {
    simulate(Variant::Sotw, ServerFeatures::default());
}

#[test]
fn delta_converges() {
    simulate(Variant::Delta, ServerFeatures::default());
}

#[test]
fn sotw_converges_without_deletion() {
    simulate(
        Variant::Sotw,
        ServerFeatures {
            ignore_resource_deletion: true,
            ..Default::default()
        },
    );
}

#[test]
fn delta_converges_under_data_errors_that_count() {
    let features = ServerFeatures {
        fail_on_data_errors: true,
        ..Default::default()
    };
    simulate(Variant::Delta, features);
}
