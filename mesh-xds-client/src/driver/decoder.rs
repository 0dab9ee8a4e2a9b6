//! How the state machine's bytes get their meaning.

use mesh_core::config::ConfigErrors;
use mesh_proto::Any;
use tracing::debug;

use crate::{
    protocol::Decode,
    resource::{DecodeOptions, Resource, ResourceType, decode},
};

/// Decodes as the options say; what is set and has no effect goes to the log.
#[derive(Debug)]
pub(crate) struct Decoder(pub(crate) DecodeOptions);

impl Decode for Decoder {
    type Value = Resource;

    fn decode(&self, kind: ResourceType, resource: &Any) -> Result<Resource, ConfigErrors> {
        let decoded = decode(kind, resource, &self.0).map_err(|error| error.errors)?;
        for warning in &decoded.warnings {
            debug!(%kind, name = decoded.name, %warning, "a field has no effect");
        }
        Ok(decoded.resource)
    }
}
