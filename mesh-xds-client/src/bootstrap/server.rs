//! A control plane: where it is, how to trust it, and how it behaves.

use mesh_core::{
    config::{ConfigErrors, FieldPath},
    server::{ChannelCredentials, Server},
};
use serde_json::Value;

use super::{credentials, json::Json, uri};

/// A control plane.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct XdsServer {
    /// Where and how to connect.
    pub server: Server,
    /// How it behaves.
    pub features: ServerFeatures,
}

/// What a control plane is known to do (`server_features`). All are off unless listed; features we
/// do not know are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ServerFeatures {
    /// A listener or cluster that is missing from its response is not thereby deleted (gRFC A53).
    pub ignore_resource_deletion: bool,
    /// Errors of a resource take its last good version out of use (gRFC A88).
    pub fail_on_data_errors: bool,
    /// It reports missing resources itself, so that its silence is a transient error (gRFC A88).
    pub resource_timer_is_transient_error: bool,
    /// It is to be spoken to by deltas; our own feature `delta_xds`, since gRPC has no such variant.
    pub delta: bool,
    /// It may rewrite authorities (gRFC A81).
    pub trusted_xds_server: bool,
}

impl XdsServer {
    /// A control plane at `uri`, in a form that a bootstrap's `server_uri` may have, with
    /// no special features.
    ///
    /// # Errors
    /// The URI cannot be read; the text says why.
    pub fn new(uri: &str, credentials: ChannelCredentials) -> Result<Self, String> {
        Ok(Self {
            server: Server {
                uri: uri.into(),
                address: uri::parse(uri)?,
                credentials,
            },
            features: ServerFeatures::default(),
        })
    }
}

/// Reads the list of servers under `key`; `None` when it is left out.
pub(super) fn read_list(
    parent: Json<'_>,
    key: &str,
    errors: &mut ConfigErrors,
) -> Option<Vec<XdsServer>> {
    let list = parent.list(key, errors)?;
    let servers = list.iter();
    Some(
        servers
            .filter_map(|(value, path)| read(value, path, errors))
            .collect(),
    )
}

fn read(value: &Value, path: &FieldPath, errors: &mut ConfigErrors) -> Option<XdsServer> {
    let server = Json::new(value, path);
    if !server.is_object(errors) {
        return None;
    }
    let text = server.needed_text("server_uri", errors);
    let address = text
        .as_deref()
        .and_then(|text| errors.keep(&server.at("server_uri"), uri::parse(text)));
    let credentials = credentials::read(server, errors);
    let features = read_features(server, errors);
    Some(XdsServer {
        server: Server {
            uri: text?.into(),
            address: address?,
            credentials: credentials?,
        },
        features,
    })
}

fn read_features(server: Json<'_>, errors: &mut ConfigErrors) -> ServerFeatures {
    let mut features = ServerFeatures::default();
    for (value, path) in server.list("server_features", errors).unwrap_or_default() {
        match value.as_str() {
            Some("delta_xds") => features.delta = true,
            Some("ignore_resource_deletion") => features.ignore_resource_deletion = true,
            Some("fail_on_data_errors") => features.fail_on_data_errors = true,
            Some("resource_timer_is_transient_error") => {
                features.resource_timer_is_transient_error = true;
            }
            Some("trusted_xds_server") => features.trusted_xds_server = true,
            Some(_) => {}
            None => errors.push(&path, "is not a text"),
        }
    }
    features
}
