//! A response, whichever variant it came in.

use std::sync::Arc;

use mesh_proto::{
    Any,
    envoy::service::discovery::v3::{
        DeltaDiscoveryResponse, DiscoveryResponse, Resource, ResourceError,
    },
};
use prost::Message;

use crate::resource::ResourceType;

/// What a response says.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) kind: ResourceType,
    /// Of the whole response; delta has none.
    pub(crate) version: Arc<str>,
    pub(crate) nonce: String,
    pub(crate) sent: Vec<Sent>,
    /// Names said not to exist.
    pub(crate) removed: Vec<String>,
    /// Errors in place of resources (gRFC A88).
    pub(crate) errors: Vec<ResourceError>,
    /// Whether what is not mentioned does not exist.
    pub(crate) complete: bool,
}

/// One resource as it was sent.
#[derive(Debug)]
pub(crate) enum Sent {
    /// As it is, in a state-of-the-world response; or, there, wrapped in a `Resource`.
    Bare(Any),
    /// Wrapped in a `Resource`.
    Wrapped(Box<Resource>),
}

/// One resource, unwrapped.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) name: String,
    pub(crate) version: Option<Arc<str>>,
    pub(crate) any: Any,
}

/// A resource that could not even be unwrapped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) name: Option<String>,
    pub(crate) reason: String,
}

/// The front of each of our resource types: the name is field 1 of all four.
#[derive(Clone, PartialEq, Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

impl Update {
    pub(crate) fn from_sotw(kind: ResourceType, response: DiscoveryResponse) -> Self {
        Self {
            kind,
            version: response.version_info.into(),
            nonce: response.nonce,
            sent: response.resources.into_iter().map(Sent::Bare).collect(),
            removed: Vec::new(),
            errors: response.resource_errors,
            complete: kind.all_in_sotw(),
        }
    }

    pub(crate) fn from_delta(kind: ResourceType, response: DeltaDiscoveryResponse) -> Self {
        let wrapped = |resource| Sent::Wrapped(Box::new(resource));
        let named = response.removed_resource_names.into_iter();
        Self {
            kind,
            version: Arc::from(""),
            nonce: response.nonce,
            sent: response.resources.into_iter().map(wrapped).collect(),
            removed: response
                .removed_resources
                .into_iter()
                .chain(named.map(|removed| removed.name))
                .collect(),
            errors: response.resource_errors,
            complete: false,
        }
    }

    /// How many things it says.
    pub(crate) const fn len(&self) -> usize {
        self.sent.len() + self.removed.len() + self.errors.len()
    }
}

impl Sent {
    /// Unwraps it and reads its name, without decoding it.
    ///
    /// In delta the wrapper's name is the one that was subscribed to. In state of the world the
    /// resource's own name counts, and the wrapper's only where the resource has none.
    pub(crate) fn read(self, kind: ResourceType) -> Result<Received, Unreadable> {
        match self {
            Self::Bare(any) if any.is::<Resource>() => {
                let wrapper = any.unpack::<Resource>().map_err(|error| Unreadable {
                    name: None,
                    reason: error.to_string(),
                })?;
                let outer = Some(wrapper.name).filter(|name| !name.is_empty());
                let any = content(wrapper.resource, outer.as_deref())?;
                let inner =
                    check(kind, &any).map_err(|reason| unreadable(outer.as_deref(), reason))?;
                named(inner.or(outer), None, any)
            }
            Self::Bare(any) => {
                let name = check(kind, &any).map_err(|reason| unreadable(None, reason))?;
                named(name, None, any)
            }
            Self::Wrapped(wrapper) => {
                let Resource {
                    name,
                    resource_name,
                    version,
                    resource,
                    ..
                } = *wrapper;
                let outer = Some(name)
                    .filter(|name| !name.is_empty())
                    .or_else(|| resource_name.map(|name| name.name))
                    .filter(|name| !name.is_empty());
                let any = content(resource, outer.as_deref())?;
                let inner =
                    check(kind, &any).map_err(|reason| unreadable(outer.as_deref(), reason))?;
                named(outer.or(inner), Some(version.into()), any)
            }
        }
    }
}

fn unreadable(name: Option<&str>, reason: String) -> Unreadable {
    Unreadable {
        name: name.map(str::to_owned),
        reason,
    }
}

fn content(content: Option<Any>, name: Option<&str>) -> Result<Any, Unreadable> {
    content.ok_or_else(|| unreadable(name, "resource: missing".to_owned()))
}

/// Whether it is of the type that the response says; its own name, if it has one.
fn check(kind: ResourceType, any: &Any) -> Result<Option<String>, String> {
    let expected = kind.type_url();
    if any.full_name() != expected.rsplit('/').next().unwrap_or(expected) {
        return Err(format!(
            "type_url: is {:?}, the response's is {expected}",
            any.type_url
        ));
    }
    let named = Named::decode(any.value.clone()).map_err(|error| format!("malformed: {error}"))?;
    Ok(Some(named.name).filter(|name| !name.is_empty()))
}

fn named(
    name: Option<String>,
    version: Option<Arc<str>>,
    any: Any,
) -> Result<Received, Unreadable> {
    let name = name.ok_or_else(|| unreadable(None, "name: is empty".to_owned()))?;
    Ok(Received { name, version, any })
}
