//! The state machine with the clock in its hand, and what its user believes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use mesh_core::config::{ConfigErrors, Dialect, FieldPath};
use mesh_proto::{
    Any,
    envoy::{
        config::core::v3::Node as Identity,
        service::discovery::v3::{
            DeltaDiscoveryResponse, DiscoveryResponse, Resource as Wrapper, ResourceError,
            ResourceName,
        },
    },
    google::rpc::Status,
};
use mesh_xds_client::{
    bootstrap::ServerFeatures,
    protocol::{AdsConfig, AdsResponse, AdsState, Decode, Event, Limits, Variant, canonical},
    resource::ResourceType,
    store::Answer,
};
use prost::Message;

use super::model::Server;
use crate::{draw::Draw, mutate::mutate, schema::SCHEMA, tree::Node};

/// What can be subscribed to; two of them are the same.
const NAMES: [&str; 6] = [
    "a",
    "b",
    "c",
    "xdstp://a/t/i?b=1&a=2",
    "xdstp://a/t/i?a=2&b=1",
    "",
];

const LIMITS: Limits = Limits {
    names: 3,
    resources: 8,
    text: 200,
};

/// A resource of any kind: like all of them it has its name in field 1.
#[derive(Clone, PartialEq, Message)]
struct Thing {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    content: String,
}

/// Refuses things whose content begins with `bad`.
#[derive(Debug)]
pub(super) struct Reader;

impl Decode for Reader {
    type Value = String;

    fn decode(&self, _: ResourceType, resource: &Any) -> Result<String, ConfigErrors> {
        let mut errors = ConfigErrors::default();
        let thing = Thing::decode(resource.value.clone());
        let thing = errors.keep(&FieldPath::root(), thing).unwrap_or_default();
        if thing.content.starts_with("bad") {
            errors.push(&FieldPath::root().field("content"), thing.content.clone());
        }
        errors.into_result(thing.content)
    }
}

type Key = (ResourceType, String);

/// One client, one server after the other.
pub(super) struct Client {
    state: AdsState<Reader>,
    server: Server,
    wanted: BTreeSet<Key>,
    /// What a reader of events believes of each resource.
    believed: BTreeMap<Key, String>,
    connecting: bool,
    now: Instant,
}

impl Client {
    pub(super) fn new(draw: &mut Draw<'_>, variant: Variant) -> Self {
        let config = AdsConfig {
            variant,
            node: Identity {
                id: "node-7".to_owned(),
                ..Default::default()
            },
            features: features(draw),
            dialect: *draw.pick(&[Dialect::Grpc, Dialect::Envoy]),
            limits: LIMITS,
            seed: u64::from(draw.byte()),
        };
        Self {
            state: AdsState::new(config, Reader),
            server: Server::new(variant),
            wanted: BTreeSet::new(),
            believed: BTreeMap::new(),
            connecting: false,
            now: Instant::now(),
        }
    }

    pub(super) fn subscribe(&mut self, draw: &mut Draw<'_>) {
        let (kind, name) = (*draw.pick(&ResourceType::ALL), *draw.pick(&NAMES));
        let key = (kind, canonical(name).into_owned());
        let of_kind = self.wanted.iter().filter(|(other, _)| *other == kind);
        let room = of_kind.count() < LIMITS.names || self.wanted.contains(&key);
        let taken = self.state.subscribe(kind, name);
        assert_eq!(taken.is_ok(), room && !name.is_empty(), "{taken:?}");
        if taken.is_ok() && self.wanted.insert(key.clone()) {
            self.believed.insert(key.clone(), self.answer(&key));
        }
    }

    pub(super) fn unsubscribe(&mut self, draw: &mut Draw<'_>) {
        let (kind, name) = (*draw.pick(&ResourceType::ALL), *draw.pick(&NAMES));
        self.state.unsubscribe(kind, name);
        let key = (kind, canonical(name).into_owned());
        self.wanted.remove(&key);
        self.believed.remove(&key);
    }

    /// The stream opens, mostly when it was asked for.
    pub(super) fn connect(&mut self, draw: &mut Draw<'_>) {
        self.turn();
        if std::mem::take(&mut self.connecting) || draw.one_in(16) {
            self.state.handle_connected(self.now);
            self.server.open();
        }
    }

    pub(super) fn close(&mut self, draw: &mut Draw<'_>) {
        self.connecting = false;
        let reason = draw.pick::<&str>(&["reset", "refused", "\n"]);
        self.state.handle_closed(self.now, reason);
        assert!(!self.state.is_connected());
        self.server.close();
    }

    pub(super) fn advance(&mut self, draw: &mut Draw<'_>) {
        let due = self.state.poll_timeout();
        self.now = match due {
            Some(due) if draw.bool() => due,
            _ => self.now + Duration::from_millis(draw.number() % 200_000),
        };
        self.state.handle_timeout(self.now);
        if let Some(due) = self.state.poll_timeout() {
            assert!(due > self.now, "what was due has been done");
            assert!(due <= self.now + Duration::from_secs(150), "waits for ever");
        }
    }

    pub(super) fn switch_server(&mut self, draw: &mut Draw<'_>) {
        self.state.switch_server(features(draw));
        self.server.close();
        self.connecting = false;
    }

    /// A response of resources that are mostly wanted.
    pub(super) fn respond(&mut self, draw: &mut Draw<'_>) {
        let kind = *draw.pick(&ResourceType::ALL);
        let mut bad = BTreeSet::new();
        let mut said = BTreeSet::new();
        let mut resources = Vec::new();
        for _ in 0..draw.below(5) {
            let name = *draw.pick(&NAMES);
            let content = *draw.pick(&["x", "y", "z", "bad", "bad\n"]);
            let canonical = canonical(name).into_owned();
            if content.starts_with("bad") && !said.contains(&canonical) {
                bad.insert(canonical.clone());
            } else {
                bad.remove(&canonical);
            }
            said.insert(canonical);
            resources.push((name, thing(kind, name, content)));
        }
        let mut removed = Vec::new();
        for _ in 0..draw.below(3) {
            removed.push((*draw.pick(&NAMES)).to_owned());
        }
        let errors = (0..draw.below(2)).map(|_| server_error(draw)).collect();
        let version = (*draw.pick(&["1", "2", "3", ""])).to_owned();
        let nonce = self.server.nonce(draw);
        let type_url = match draw.one_in(16) {
            true => "type.googleapis.com/unknown".to_owned(),
            false => kind.type_url().to_owned(),
        };
        let response = match self.server.variant() {
            Variant::Sotw => AdsResponse::Sotw(DiscoveryResponse {
                version_info: version,
                nonce,
                type_url,
                resources: resources.into_iter().map(|(_, any)| any).collect(),
                resource_errors: errors,
                ..Default::default()
            }),
            Variant::Delta => AdsResponse::Delta(DeltaDiscoveryResponse {
                nonce,
                type_url,
                resources: resources
                    .into_iter()
                    .map(|(name, any)| Wrapper {
                        name: name.to_owned(),
                        version: version.clone(),
                        resource: Some(any),
                        ..Default::default()
                    })
                    .collect(),
                removed_resources: removed.clone(),
                resource_errors: errors,
                ..Default::default()
            }),
        };
        bad.retain(|name| !removed.iter().any(|other| canonical(other) == *name));
        self.take_keeping(kind, &bad, response);
    }

    /// A response that is nothing in particular.
    pub(super) fn respond_anything(&mut self, draw: &mut Draw<'_>) {
        let message = match self.server.variant() {
            Variant::Sotw => "envoy::service::discovery::v3::DiscoveryResponse",
            Variant::Delta => "envoy::service::discovery::v3::DeltaDiscoveryResponse",
        };
        let mut node = Node::new(message);
        assert!(!SCHEMA.fields(message).is_empty());
        mutate(draw, &mut node, &[]);
        let bytes = node.write();
        let response = match self.server.variant() {
            Variant::Sotw => DiscoveryResponse::decode(&*bytes).map(|mut response| {
                response.type_url = url(draw, response.type_url);
                AdsResponse::Sotw(response)
            }),
            Variant::Delta => DeltaDiscoveryResponse::decode(&*bytes).map(|mut response| {
                response.type_url = url(draw, response.type_url);
                AdsResponse::Delta(response)
            }),
        };
        if let Ok(response) = response {
            self.take(response);
        }
    }

    /// What was refused and nothing else leaves the last good value in use.
    fn take_keeping(&mut self, kind: ResourceType, bad: &BTreeSet<String>, response: AdsResponse) {
        let values = |client: &Self| -> Vec<Option<String>> {
            let of = |name| client.state.resource(kind, name)?.value().cloned();
            bad.iter().map(|name| of(name)).collect()
        };
        let before = values(self);
        let errors = match &response {
            AdsResponse::Sotw(response) => !response.resource_errors.is_empty(),
            AdsResponse::Delta(response) => !response.resource_errors.is_empty(),
        };
        self.take(response);
        let config = self.state.config();
        let keeps = config.dialect == Dialect::Envoy || !config.features.fail_on_data_errors;
        if keeps && !errors {
            assert_eq!(before, values(self), "the last good values of {bad:?}");
        }
    }

    fn take(&mut self, response: AdsResponse) {
        if self.state.wants_response() || !self.state.is_connected() {
            self.server.sent(&response, LIMITS);
            self.state.handle_response(self.now, response);
        }
    }

    /// What a driver does after each thing that happened.
    pub(super) fn turn(&mut self) {
        while let Some(event) = self.state.poll_event() {
            match event {
                Event::Connect => {
                    assert!(!self.wanted.is_empty(), "nothing to ask for");
                    assert!(!self.connecting && !self.state.is_connected(), "twice");
                    self.connecting = true;
                }
                Event::Connection => {
                    for key in self.wanted.clone() {
                        let answer = self.answer(&key);
                        self.believed.insert(key, answer);
                    }
                }
                Event::Changed { kind, name } => {
                    let key = (kind, name.to_string());
                    assert!(self.wanted.contains(&key), "{key:?} is not wanted");
                    let answer = self.answer(&key);
                    self.believed.insert(key, answer);
                }
            }
        }
        for _ in 0.. {
            let Some(request) = self.state.poll_request(self.now) else {
                break;
            };
            assert!(self.state.is_connected());
            self.server.receive(request);
        }
        self.check();
    }

    /// What holds after every turn.
    fn check(&self) {
        let kept = self.state.resources();
        let kept: BTreeSet<Key> = kept
            .map(|(kind, name, _)| (kind, name.to_string()))
            .collect();
        assert_eq!(kept, self.wanted, "what is kept is what is wanted");
        for (key, believed) in &self.believed {
            assert_eq!(*believed, self.answer(key), "{key:?} was not told of");
        }
        let held = self.state.poll_timeout().is_some();
        if self.state.is_connected() {
            self.server.check(&self.wanted, held);
            assert!(self.state.wants_response(), "reads no more");
        } else if !self.wanted.is_empty() {
            assert!(self.connecting || held, "never connects again");
        }
    }

    /// Everything comes to rest: each response is answered.
    pub(super) fn end(&mut self) {
        self.turn();
        for _ in 0..1_000 {
            let Some(due) = self.state.poll_timeout() else {
                break;
            };
            self.now = self.now.max(due);
            self.state.handle_timeout(self.now);
            self.turn();
        }
        if self.state.is_connected() {
            self.server.check(&self.wanted, false);
        }
    }

    fn answer(&self, (kind, name): &Key) -> String {
        match self.state.answer(*kind, name) {
            None => "unknown".to_owned(),
            Some(Answer::Waiting) => "waiting".to_owned(),
            Some(Answer::Ready { value, note }) => {
                format!("={value} {}", text(note.map(|note| &*note.details)))
            }
            Some(Answer::Failed(error)) => format!("!{}", text(Some(&error.details))),
        }
    }
}

/// A text for users is bounded and stands on a line.
fn text(details: Option<&str>) -> &str {
    let details = details.unwrap_or("");
    assert!(
        details.len() <= LIMITS.text && !details.contains(char::is_control),
        "{details:?}"
    );
    details
}

fn features(draw: &mut Draw<'_>) -> ServerFeatures {
    let bits = draw.byte();
    ServerFeatures {
        ignore_resource_deletion: bits & 1 > 0,
        fail_on_data_errors: bits & 2 > 0,
        resource_timer_is_transient_error: bits & 4 > 0,
        ..Default::default()
    }
}

fn thing(kind: ResourceType, name: &str, content: &str) -> Any {
    let thing = Thing {
        name: name.to_owned(),
        content: content.to_owned(),
    };
    Any {
        type_url: kind.type_url().to_owned(),
        value: thing.encode_to_vec().into(),
    }
}

fn server_error(draw: &mut Draw<'_>) -> ResourceError {
    ResourceError {
        resource_name: Some(ResourceName {
            name: (*draw.pick(&NAMES)).to_owned(),
            ..Default::default()
        }),
        error_detail: Some(Status {
            code: i32::from(draw.byte() % 18),
            message: draw.text(),
            ..Default::default()
        }),
    }
}

fn url(draw: &mut Draw<'_>, as_it_is: String) -> String {
    match draw.one_in(4) {
        true => as_it_is,
        false => draw.pick(&ResourceType::ALL).type_url().to_owned(),
    }
}
