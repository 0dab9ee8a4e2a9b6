//! A control plane for the simulation: it speaks both variants, and checks that each request is
//! one that it makes sense to send.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// What a resource is told to be by a server that has none.
const NONE: &str = "none";

pub(crate) struct Server<C> {
    variant: Variant,
    /// Makes a resource of its name and content.
    render: fn(ResourceType, &str, &C) -> Any,
    /// Whether requests with a stale nonce are ignored whole, or taken for their names.
    pub(crate) strict: bool,
    /// Content and version, by kind and name.
    pub(crate) world: BTreeMap<(ResourceType, String), (C, u64)>,
    clock: u64,
    nonce: u64,
    stream: Option<Stream>,
}

#[derive(Default)]
struct Stream {
    requests: usize,
    types: BTreeMap<ResourceType, Told>,
}

/// What the client was told of one type.
#[derive(Default)]
struct Told {
    /// The version last sent of each name that it wants, once one was.
    sent: BTreeMap<String, Option<String>>,
    nonces: Vec<String>,
    unanswered: BTreeSet<String>,
    /// State of the world: names and nonce of the last request, stale or not.
    last: (Vec<String>, String),
}

impl<C> Server<C> {
    /// A server whose versions begin after `clock`.
    pub(crate) fn new(
        variant: Variant,
        strict: bool,
        clock: u64,
        render: fn(ResourceType, &str, &C) -> Any,
    ) -> Self {
        Self {
            variant,
            render,
            strict,
            world: BTreeMap::new(),
            clock,
            nonce: 0,
            stream: None,
        }
    }

    pub(crate) fn open(&mut self) {
        self.stream = Some(Stream::default());
    }

    pub(crate) fn close(&mut self) {
        self.stream = None;
    }

    pub(crate) fn set(&mut self, kind: ResourceType, name: &str, content: Option<C>) {
        self.clock += 1;
        let key = (kind, name.to_owned());
        match content {
            Some(content) => drop(self.world.insert(key, (content, self.clock))),
            None => drop(self.world.remove(&key)),
        }
    }

    fn version(&self, kind: ResourceType, name: &str) -> String {
        match self.world.get(&(kind, name.to_owned())) {
            Some((_, version)) => version.to_string(),
            None => NONE.to_owned(),
        }
    }

    /// Takes a request; gives the responses that it calls for.
    pub(crate) fn receive(&mut self, request: AdsRequest) -> Vec<AdsResponse> {
        let mut stream = self.stream.take().expect("a request comes on a stream");
        stream.requests += 1;
        let first = stream.requests == 1;
        let response = match request {
            AdsRequest::Sotw(request) => {
                assert_eq!(
                    request.node.is_some(),
                    first,
                    "node in the first request only"
                );
                self.receive_sotw(&mut stream, request)
            }
            AdsRequest::Delta(request) => {
                assert_eq!(
                    request.node.is_some(),
                    first,
                    "node in the first request only"
                );
                self.receive_delta(&mut stream, request)
            }
        };
        self.stream = Some(stream);
        response.into_iter().collect()
    }

    fn receive_sotw(
        &mut self,
        stream: &mut Stream,
        request: DiscoveryRequest,
    ) -> Option<AdsResponse> {
        let kind = ResourceType::from_type_url(&request.type_url).expect("a known type");
        let first = !stream.types.contains_key(&kind);
        let told = stream.types.entry(kind).or_default();
        let (names, nonce) = (request.resource_names, request.response_nonce);
        assert!(names.is_sorted() && names.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(
            !first || (!names.is_empty() && nonce.is_empty()),
            "would be a wildcard"
        );
        assert!(
            nonce.is_empty() || told.nonces.contains(&nonce),
            "a nonce of this stream"
        );
        let now = (names, nonce);
        assert!(first || told.last != now, "nothing changed: {now:?}");
        if request.error_detail.is_some() {
            assert!(told.last.1 != now.1, "a NACK answers a new nonce");
        }
        if let Ok(version) = request.version_info.parse::<u64>() {
            assert!(version <= self.clock, "a version that was sent");
        }
        told.last = now.clone();
        let (names, nonce) = now;
        let stale = told.nonces.last().is_some_and(|last| *last != nonce);
        if stale && self.strict {
            return None;
        }
        let fresh: Vec<String> = names
            .iter()
            .filter(|name| !told.sent.contains_key(*name))
            .cloned()
            .collect();
        let old = std::mem::take(&mut told.sent);
        told.sent = names
            .into_iter()
            .map(|name| {
                let sent = old.get(&name).cloned().flatten();
                (name, sent)
            })
            .collect();
        let exists = fresh
            .iter()
            .any(|name| self.world.contains_key(&(kind, name.clone())));
        if fresh.is_empty() || !(exists || kind.all_in_sotw()) {
            return None;
        }
        Some(self.sotw_response(told, kind, &fresh))
    }

    /// All that exists for a type that is sent whole; otherwise what is named, if it exists.
    fn sotw_response(
        &mut self,
        told: &mut Told,
        kind: ResourceType,
        names: &[String],
    ) -> AdsResponse {
        let mut response = sotw(kind, &self.clock.to_string(), "", &[]);
        for (name, sent) in &mut told.sent {
            if kind.all_in_sotw() || names.contains(name) {
                *sent = Some(self.version(kind, name));
                if let Some((content, _)) = self.world.get(&(kind, name.clone())) {
                    response.resources.push((self.render)(kind, name, content));
                }
            }
        }
        response.nonce = self.next_nonce(told);
        response.into()
    }

    fn receive_delta(
        &mut self,
        stream: &mut Stream,
        request: DeltaDiscoveryRequest,
    ) -> Option<AdsResponse> {
        let kind = ResourceType::from_type_url(&request.type_url).expect("a known type");
        let first = !stream.types.contains_key(&kind);
        let told = stream.types.entry(kind).or_default();
        let (subscribe, unsubscribe) = (
            request.resource_names_subscribe,
            request.resource_names_unsubscribe,
        );
        assert!(!first || !subscribe.is_empty(), "would be a wildcard");
        assert!(!first || unsubscribe.is_empty());
        assert!(
            first || request.initial_resource_versions.is_empty(),
            "once a stream"
        );
        let nonce = request.response_nonce;
        assert!(
            nonce.is_empty() || told.unanswered.remove(&nonce),
            "one answer a response"
        );
        assert!(request.error_detail.is_none() || !nonce.is_empty());
        let says = !(subscribe.is_empty() && unsubscribe.is_empty() && nonce.is_empty());
        assert!(says, "nothing changed");
        for name in unsubscribe {
            assert!(
                told.sent.remove(&name).is_some(),
                "{name} was not subscribed to"
            );
            assert!(!subscribe.contains(&name), "{name} both ways");
        }
        for name in &subscribe {
            let held = request.initial_resource_versions.get(name).cloned();
            if let Some(Ok(version)) = held.as_ref().map(|version| version.parse::<u64>()) {
                assert!(version <= self.clock, "a version that was sent");
            }
            assert!(
                told.sent.insert(name.clone(), held).is_none(),
                "{name} is known"
            );
        }
        let missing: Vec<String> = subscribe
            .into_iter()
            .filter(|name| told.sent[name].as_deref() != Some(&self.version(kind, name)))
            .collect();
        (!missing.is_empty()).then(|| self.delta_response(told, kind, &missing))
    }

    fn delta_response(
        &mut self,
        told: &mut Told,
        kind: ResourceType,
        names: &[String],
    ) -> AdsResponse {
        let mut response = delta(kind, "", &[], &[]);
        for name in names {
            let version = self.version(kind, name);
            match self.world.get(&(kind, name.clone())) {
                None => response.removed_resources.push(name.clone()),
                Some((content, _)) => {
                    response.resources.push(Resource {
                        name: name.clone(),
                        version: version.clone(),
                        resource: Some((self.render)(kind, name, content)),
                        ..Default::default()
                    });
                }
            }
            told.sent.insert(name.clone(), Some(version));
        }
        response.nonce = self.next_nonce(told);
        response.into()
    }

    fn next_nonce(&mut self, told: &mut Told) -> String {
        self.nonce += 1;
        let nonce = format!("n{}", self.nonce);
        told.nonces.push(nonce.clone());
        told.unanswered.insert(nonce.clone());
        nonce
    }

    /// Sends what the client does not have of a type; in delta one part only, drawn by `draw`. With
    /// `again` also what it has.
    pub(crate) fn push(
        &mut self,
        kind: ResourceType,
        again: bool,
        draw: usize,
    ) -> Option<AdsResponse> {
        let mut stream = self.stream.take()?;
        let response = stream.types.get_mut(&kind).and_then(|told| {
            let mut names: Vec<String> = told
                .sent
                .iter()
                .filter(|(name, sent)| again || self.is_news(kind, name, sent.as_deref()))
                .map(|(name, _)| name.clone())
                .collect();
            if names.is_empty() {
                return None;
            }
            if self.variant == Variant::Sotw {
                return Some(self.sotw_response(told, kind, &names));
            }
            let rotation = draw % names.len();
            names.rotate_left(rotation);
            names.truncate(1 + draw % 3);
            Some(self.delta_response(told, kind, &names))
        });
        self.stream = Some(stream);
        response
    }

    /// Whether there is something to tell of a name.
    fn is_news(&self, kind: ResourceType, name: &str, sent: Option<&str>) -> bool {
        let version = self.version(kind, name);
        // A type that is sent in parts has no way to say that something is gone.
        let tellable = version != NONE || self.variant == Variant::Delta || kind.all_in_sotw();
        tellable && sent != Some(&*version)
    }
}
