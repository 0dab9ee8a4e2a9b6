//! What a control plane has sent and been told on the stream that is open: it checks that each
//! request makes sense.

use std::collections::{BTreeMap, BTreeSet};

use mesh_proto::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use mesh_xds_client::{
    protocol::{AdsRequest, AdsResponse, Limits, Variant},
    resource::ResourceType,
};

use crate::draw::Draw;

/// The other side.
pub(super) struct Server {
    variant: Variant,
    nonces: u64,
    stream: Option<Stream>,
}

#[derive(Default)]
struct Stream {
    introduced: bool,
    types: BTreeMap<ResourceType, Told>,
}

/// What was said of one type.
#[derive(Default)]
struct Told {
    names: BTreeSet<String>,
    /// Each nonce as often as it waits for its answer; state of the world waits for the last only.
    unanswered: Vec<String>,
    /// State of the world: the nonce of the last response, and its version.
    last_nonce: String,
    last_version: String,
    accepted: Option<String>,
    /// State of the world: names and nonce of the last request.
    last: Option<(Vec<String>, String)>,
}

impl Server {
    pub(super) fn new(variant: Variant) -> Self {
        Self {
            variant,
            nonces: 0,
            stream: None,
        }
    }

    pub(super) const fn variant(&self) -> Variant {
        self.variant
    }

    pub(super) fn open(&mut self) {
        self.stream = Some(Stream::default());
    }

    pub(super) fn close(&mut self) {
        self.stream = None;
    }

    /// Mostly a nonce that was never used; sometimes the one before again, or none, or one that is
    /// too long to be repeated.
    pub(super) fn nonce(&mut self, draw: &mut Draw<'_>) -> String {
        match draw.below(12) {
            0 => String::new(),
            1 => "n".repeat(500),
            2 => format!("n{}", self.nonces),
            _ => {
                self.nonces += 1;
                format!("n{}", self.nonces)
            }
        }
    }

    /// A response is on its way to the client. One that cannot be answered is owed no answer.
    pub(super) fn sent(&mut self, response: &AdsResponse, limits: Limits) {
        let (type_url, nonce, version) = match response {
            AdsResponse::Sotw(it) => (&it.type_url, &it.nonce, it.version_info.clone()),
            AdsResponse::Delta(it) => (&it.type_url, &it.nonce, String::new()),
        };
        let kind = ResourceType::from_type_url(type_url);
        let Some(stream) = &mut self.stream else {
            return;
        };
        let Some(told) = kind.and_then(|kind| stream.types.get_mut(&kind)) else {
            return;
        };
        if nonce.len() > limits.text {
            return;
        }
        if self.variant == Variant::Sotw {
            told.unanswered.clear();
            told.last_nonce.clone_from(nonce);
            told.last_version = version;
        }
        told.unanswered.push(nonce.clone());
    }

    pub(super) fn receive(&mut self, request: AdsRequest) {
        let stream = self.stream.as_mut().expect("a request comes on a stream");
        let first = !std::mem::replace(&mut stream.introduced, true);
        match request {
            AdsRequest::Sotw(request) => {
                assert_eq!(
                    request.node.is_some(),
                    first,
                    "node in the first request only"
                );
                stream.receive_sotw(request);
            }
            AdsRequest::Delta(request) => {
                assert_eq!(
                    request.node.is_some(),
                    first,
                    "node in the first request only"
                );
                stream.receive_delta(request);
            }
        }
    }

    /// The server knows of what is wanted and nothing else, and is owed no answer, unless one is
    /// `held` back.
    pub(super) fn check(&self, wanted: &BTreeSet<(ResourceType, String)>, held: bool) {
        let stream = self.stream.as_ref().expect("it is open");
        for kind in ResourceType::ALL {
            let wanted = wanted.iter().filter(|(other, _)| *other == kind);
            let wanted: BTreeSet<_> = wanted.map(|(_, name)| name.clone()).collect();
            match stream.types.get(&kind) {
                Some(told) => {
                    assert_eq!(told.names, wanted, "{kind}");
                    assert!(held || told.unanswered.is_empty(), "{:?}", told.unanswered);
                }
                None => assert!(wanted.is_empty(), "{kind} was not asked for"),
            }
        }
    }
}

impl Stream {
    fn receive_sotw(&mut self, request: DiscoveryRequest) {
        let kind = ResourceType::from_type_url(&request.type_url).expect("a known type");
        let first = !self.types.contains_key(&kind);
        let told = self.types.entry(kind).or_default();
        let (names, nonce) = (request.resource_names, request.response_nonce);
        assert!(names.is_sorted() && names.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(!first || !names.is_empty(), "would be a wildcard");
        assert_eq!(nonce, told.last_nonce, "the nonce of the last response");
        let answers = told.unanswered.pop().is_some();
        let refused = request.error_detail.is_some();
        assert!(answers || !refused, "refuses nothing");
        let now = (names, nonce);
        assert!(
            answers || told.last.as_ref() != Some(&now),
            "nothing changed: {now:?}"
        );
        if answers && !refused {
            told.accepted = Some(told.last_version.clone());
        }
        if let Some(accepted) = &told.accepted {
            let version = &request.version_info;
            assert!(
                version == accepted || version.is_empty(),
                "{version:?}: {accepted:?}"
            );
        }
        told.names = now.0.iter().cloned().collect();
        told.last = Some(now);
    }

    fn receive_delta(&mut self, request: DeltaDiscoveryRequest) {
        let kind = ResourceType::from_type_url(&request.type_url).expect("a known type");
        let first = !self.types.contains_key(&kind);
        let told = self.types.entry(kind).or_default();
        let (added, removed) = (
            request.resource_names_subscribe,
            request.resource_names_unsubscribe,
        );
        assert!(!first || !added.is_empty(), "would be a wildcard");
        assert!(!first || removed.is_empty());
        assert!(
            first || request.initial_resource_versions.is_empty(),
            "once a stream"
        );
        let nonce = request.response_nonce;
        let at = told.unanswered.iter().position(|other| *other == nonce);
        assert!(nonce.is_empty() || at.is_some(), "one answer a response");
        assert!(
            request.error_detail.is_none() || at.is_some(),
            "refuses nothing"
        );
        let says = !(added.is_empty() && removed.is_empty() && at.is_none());
        assert!(says, "nothing changed");
        if let Some(at) = at {
            told.unanswered.remove(at);
        }
        for name in removed {
            assert!(told.names.remove(&name), "{name} was not subscribed to");
            assert!(!added.contains(&name), "{name} both ways");
        }
        for name in added {
            assert!(told.names.insert(name.clone()), "{name} is known");
        }
    }
}
