//! One table per rule, and a simulation.

mod bounds;
mod delta;
mod life;
pub(crate) mod model;
pub(crate) mod seeds;
mod simulation;
mod sotw;
mod stream;

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use mesh_core::config::{ConfigErrors, Dialect, FieldPath};
use mesh_proto::{
    Any,
    envoy::{
        config::core::v3::Node,
        service::discovery::v3::{
            DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
            Resource, ResourceError, ResourceName,
        },
    },
    google::rpc::Status as RpcStatus,
};
use prost::Message;

use super::{AdsConfig, AdsRequest, AdsResponse, AdsState, Decode, Event, Limits, Variant};
use crate::{
    bootstrap::ServerFeatures,
    resource::ResourceType::{self, Cluster, Endpoints, Listener, RouteConfig},
    store::{Answer, Status},
};

/// A resource of any kind: like all of them it has its name in field 1.
#[derive(Clone, PartialEq, Message)]
struct Thing {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    content: String,
}

/// Reads [`Thing`]s; refuses those whose content begins with `bad`.
#[derive(Debug, Default)]
struct Reader {
    decoded: Cell<usize>,
}

impl Decode for Reader {
    type Value = String;

    fn decode(&self, _kind: ResourceType, resource: &Any) -> Result<String, ConfigErrors> {
        self.decoded.set(self.decoded.get() + 1);
        let mut errors = ConfigErrors::default();
        let thing = match Thing::decode(resource.value.clone()) {
            Ok(thing) => thing,
            Err(error) => {
                errors.push(&FieldPath::root(), error.to_string());
                Thing::default()
            }
        };
        if thing.content.starts_with("bad") {
            errors.push(&FieldPath::root().field("content"), thing.content.clone());
        }
        errors.into_result(thing.content)
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

/// A state of the world response with resources as `(name, content)`.
fn sotw(
    kind: ResourceType,
    version: &str,
    nonce: &str,
    things: &[(&str, &str)],
) -> DiscoveryResponse {
    DiscoveryResponse {
        version_info: version.to_owned(),
        nonce: nonce.to_owned(),
        type_url: kind.type_url().to_owned(),
        resources: things
            .iter()
            .map(|(name, content)| thing(kind, name, content))
            .collect(),
        ..Default::default()
    }
}

/// A delta response with resources as `(name, version, content)`.
fn delta(
    kind: ResourceType,
    nonce: &str,
    things: &[(&str, &str, &str)],
    removed: &[&str],
) -> DeltaDiscoveryResponse {
    let resource = |(name, version, content): &(&str, &str, &str)| Resource {
        name: (*name).to_owned(),
        version: (*version).to_owned(),
        resource: Some(thing(kind, name, content)),
        ..Default::default()
    };
    DeltaDiscoveryResponse {
        nonce: nonce.to_owned(),
        type_url: kind.type_url().to_owned(),
        resources: things.iter().map(resource).collect(),
        removed_resources: removed.iter().map(|name| (*name).to_owned()).collect(),
        ..Default::default()
    }
}

fn server_error(name: &str, code: i32, message: &str) -> ResourceError {
    ResourceError {
        resource_name: Some(ResourceName {
            name: name.to_owned(),
            ..Default::default()
        }),
        error_detail: Some(RpcStatus {
            code,
            message: message.to_owned(),
            ..Default::default()
        }),
    }
}

/// A client under test, with the clock in its hand.
struct Client {
    state: AdsState<Reader>,
    now: Instant,
}

impl Client {
    fn new(variant: Variant) -> Self {
        Self::with(
            variant,
            Dialect::Grpc,
            ServerFeatures::default(),
            Limits::default(),
        )
    }

    fn with(variant: Variant, dialect: Dialect, features: ServerFeatures, limits: Limits) -> Self {
        let node = Node {
            id: "node-7".to_owned(),
            ..Default::default()
        };
        let config = AdsConfig {
            variant,
            node,
            features,
            dialect,
            limits,
            seed: 1,
        };
        Self {
            state: AdsState::new(config, Reader::default()),
            now: Instant::now(),
        }
    }

    /// Subscribed, connected, and with its first requests out of the way.
    fn watching(mut self, names: &[(ResourceType, &str)]) -> Self {
        self.subscribe(names);
        self.connect();
        self.requests();
        self
    }

    fn subscribe(&mut self, names: &[(ResourceType, &str)]) {
        for (kind, name) in names {
            self.state.subscribe(*kind, name).expect("within bounds");
        }
    }

    fn connect(&mut self) {
        assert_eq!(self.state.poll_event(), Some(Event::Connect));
        self.state.handle_connected(self.now);
    }

    fn close(&mut self) {
        self.state.handle_closed(self.now, "gone");
    }

    fn advance(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
        self.state.handle_timeout(self.now);
    }

    fn requests(&mut self) -> Vec<AdsRequest> {
        std::iter::from_fn(|| self.state.poll_request(self.now)).collect()
    }

    /// The only request that there is to send.
    fn sotw(&mut self) -> DiscoveryRequest {
        match self.requests().as_slice() {
            [AdsRequest::Sotw(request)] => request.clone(),
            other => panic!("not one request: {other:?}"),
        }
    }

    /// The only request that there is to send.
    fn delta(&mut self) -> DeltaDiscoveryRequest {
        match self.requests().as_slice() {
            [AdsRequest::Delta(request)] => request.clone(),
            other => panic!("not one request: {other:?}"),
        }
    }

    /// Takes a response and its answer.
    fn respond(&mut self, response: DiscoveryResponse) -> DiscoveryRequest {
        self.state.handle_response(self.now, response);
        self.sotw()
    }

    /// Takes a response and its answer.
    fn respond_delta(&mut self, response: DeltaDiscoveryResponse) -> DeltaDiscoveryRequest {
        self.state.handle_response(self.now, response);
        self.delta()
    }

    /// The names of what changed.
    fn changes(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(event) = self.state.poll_event() {
            names.push(match event {
                Event::Changed { name, .. } => name.to_string(),
                Event::Connection => "(connection)".to_owned(),
                Event::Connect => panic!("unexpected: connect"),
            });
        }
        names
    }

    /// What a resource is good for: `waiting`, `=value`, `=value !note` or `!error`.
    fn answer(&self, kind: ResourceType, name: &str) -> String {
        match self.state.answer(kind, name) {
            None => "unknown".to_owned(),
            Some(Answer::Waiting) => "waiting".to_owned(),
            Some(Answer::Ready { value, note: None }) => format!("={value}"),
            Some(Answer::Ready {
                value,
                note: Some(note),
            }) => format!("={value} !{note}"),
            Some(Answer::Failed(error)) => format!("!{error}"),
        }
    }

    fn status(&self, kind: ResourceType, name: &str) -> Status {
        self.state
            .resource(kind, name)
            .expect("subscribed")
            .status()
    }

    fn decoded(&self) -> usize {
        self.state.decoder.decoded.get()
    }
}

fn message(error: Option<RpcStatus>) -> String {
    let error = error.expect("a NACK");
    assert_eq!(error.code, 3, "INVALID_ARGUMENT");
    let text = error.message.strip_prefix(r#"node "node-7": "#);
    text.expect("our node's id in front").to_owned()
}
