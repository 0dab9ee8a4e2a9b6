//! The name under which a message travels inside an `Any`.

/// A message with a type URL.
///
/// ```
/// use mesh_proto::TypeUrl;
/// use mesh_proto::envoy::config::cluster::v3::Cluster;
///
/// assert_eq!(Cluster::TYPE_URL, "type.googleapis.com/envoy.config.cluster.v3.Cluster");
/// assert_eq!(Cluster::full_name(), "envoy.config.cluster.v3.Cluster");
/// ```
pub trait TypeUrl: prost::Message + Default {
    /// `type.googleapis.com/`, then the message's full name.
    const TYPE_URL: &'static str;

    /// The message's full name: its package, outer messages and name, joined by dots.
    fn full_name() -> &'static str {
        full_name(Self::TYPE_URL)
    }
}

/// What names the type in a type URL: the part after the last slash. The rest names a server that
/// could tell more about the type, and is free to differ.
pub(crate) fn full_name(type_url: &str) -> &str {
    type_url.rsplit_once('/').map_or(type_url, |(_, name)| name)
}
