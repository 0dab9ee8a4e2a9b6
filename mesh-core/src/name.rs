//! Names as types of their own, so that a cluster's name is never taken for a route's.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::Serialize;

/// Declares a name: a cheap-to-clone, comparable text.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<Arc<str>>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

name! {
    /// What a channel or client is opened for: the part of `xds:///greeter:8080` behind the
    /// slashes. It names the listener resource (through the bootstrap's template) and is the
    /// authority by which the virtual host is chosen.
    Target
}
name! {
    /// The name of a Listener resource.
    ListenerName
}
name! {
    /// The name of a RouteConfiguration resource.
    RouteConfigName
}
name! {
    /// The name of a Cluster resource.
    ClusterName
}
name! {
    /// What tells one endpoint of a cluster from another across updates: its address as text.
    EndpointKey
}
