//! What a control plane publishes, and under which name.

use bytes::Bytes;
use mesh_proto::envoy::config::cluster::v3::Cluster;
use mesh_proto::envoy::config::endpoint::v3::ClusterLoadAssignment;
use mesh_proto::envoy::config::listener::v3::Listener;
use mesh_proto::envoy::config::route::v3::RouteConfiguration;
use mesh_proto::envoy::extensions::transport_sockets::tls::v3::Secret;
use mesh_proto::{Any, TypeUrl};

/// The type URL of listeners.
pub const LDS: &str = Listener::TYPE_URL;
/// The type URL of route configurations.
pub const RDS: &str = RouteConfiguration::TYPE_URL;
/// The type URL of clusters.
pub const CDS: &str = Cluster::TYPE_URL;
/// The type URL of endpoints.
pub const EDS: &str = ClusterLoadAssignment::TYPE_URL;
/// The type URL of secrets.
pub const SDS: &str = Secret::TYPE_URL;

/// One resource to publish: any bytes, under a type and a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    pub(super) type_url: String,
    pub(super) name: String,
    pub(super) message: Any,
}

impl Resource {
    /// A message of any type under any name.
    #[must_use]
    pub fn new(name: impl Into<String>, message: Any) -> Self {
        Self {
            type_url: message.type_url.clone(),
            name: name.into(),
            message,
        }
    }

    /// A message that is published as `type_url` and holds `message`, of whatever type that is.
    #[must_use]
    pub fn mistyped(type_url: &str, name: impl Into<String>, message: Any) -> Self {
        Self {
            type_url: type_url.to_owned(),
            name: name.into(),
            message,
        }
    }

    /// Bytes that need not decode.
    #[must_use]
    pub fn bad(type_url: &str, name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let message = Any {
            type_url: type_url.to_owned(),
            value: bytes.into(),
        };
        Self::new(name, message)
    }

    /// The name under which it is published.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type under which it is published.
    #[must_use]
    pub fn type_url(&self) -> &str {
        &self.type_url
    }
}

macro_rules! named {
    ($($message:ty: $field:ident),* $(,)?) => {$(
        impl From<$message> for Resource {
            fn from(message: $message) -> Self {
                Self::new(message.$field.clone(), Any::pack(&message))
            }
        }

        impl Resources for $message {
            fn add_to(self, list: &mut Vec<Resource>) {
                list.push(self.into());
            }
        }
    )*};
}

named! {
    Listener: name,
    RouteConfiguration: name,
    Cluster: name,
    ClusterLoadAssignment: cluster_name,
    Secret: name,
}

/// One or more resources: a [`Resource`], a message, or a tuple, array or `Vec` of them.
pub trait Resources {
    /// Appends them to `list`.
    fn add_to(self, list: &mut Vec<Resource>);
}

impl Resources for Resource {
    fn add_to(self, list: &mut Vec<Resource>) {
        list.push(self);
    }
}

impl<T: Resources> Resources for Vec<T> {
    fn add_to(self, list: &mut Vec<Resource>) {
        self.into_iter().for_each(|item| item.add_to(list));
    }
}

impl<T: Resources, const N: usize> Resources for [T; N] {
    fn add_to(self, list: &mut Vec<Resource>) {
        self.into_iter().for_each(|item| item.add_to(list));
    }
}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {$(
        impl<$($name: Resources),*> Resources for ($($name,)*) {
            #[expect(non_snake_case, reason = "one name for a type and its value")]
            fn add_to(self, list: &mut Vec<Resource>) {
                let ($($name,)*) = self;
                $($name.add_to(list);)*
            }
        }
    )*};
}

tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
}
