//! Who we say we are.

use mesh_core::config::{ConfigErrors, Locality};
use mesh_proto::{
    envoy::config::core::v3 as core,
    google::protobuf::{ListValue, Struct, Value as ProtoValue, value::Kind},
};
use serde_json::{Map, Value};

use super::json::Json;

/// The node as the bootstrap describes it. The client adds its own name, version and features when
/// it introduces itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Names this process to the control plane, and the client in every error.
    pub id: String,
    /// The service that it belongs to.
    pub cluster: String,
    /// Where it runs.
    pub locality: Option<Locality>,
    /// Whatever the control plane wants to know.
    pub metadata: Map<String, Value>,
}

impl Node {
    /// A node with this id and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            ..Self::default()
        }
    }

    /// The message that introduces us on a stream (gRFC A27).
    pub(crate) fn to_proto(&self) -> core::Node {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        core::Node {
            id: self.id.clone(),
            cluster: self.cluster.clone(),
            metadata: (!self.metadata.is_empty()).then(|| to_struct(&self.metadata)),
            locality: self.locality.as_ref().map(|locality| core::Locality {
                region: locality.region.to_string(),
                zone: locality.zone.to_string(),
                sub_zone: locality.sub_zone.to_string(),
            }),
            user_agent_name: "mesh".to_owned(),
            user_agent_version_type: Some(core::node::UserAgentVersionType::UserAgentVersion(
                version,
            )),
            client_features: [
                "envoy.lb.does_not_support_overprovisioning",
                "xds.config.resource-in-sotw",
            ]
            .map(str::to_owned)
            .to_vec(),
            ..core::Node::default()
        }
    }
}

/// Reads the field `node`; one that is left out is an anonymous node.
pub(super) fn read(root: Json<'_>, errors: &mut ConfigErrors) -> Node {
    let (Some(value), path) = (root.get("node"), root.at("node")) else {
        return Node::default();
    };
    let node = Json::new(value, &path);
    if !node.is_object(errors) {
        return Node::default();
    }
    Node {
        id: node.text("id", errors).unwrap_or_default(),
        cluster: node.text("cluster", errors).unwrap_or_default(),
        locality: read_locality(node, errors),
        metadata: node
            .entries("metadata", errors)
            .map(|(key, value, _)| (key.to_owned(), value.clone()))
            .collect(),
    }
}

fn read_locality(node: Json<'_>, errors: &mut ConfigErrors) -> Option<Locality> {
    let (value, path) = (node.get("locality")?, node.at("locality"));
    let locality = Json::new(value, &path);
    if !locality.is_object(errors) {
        return None;
    }
    let mut part = |key| locality.text(key, errors).unwrap_or_default().into();
    Some(Locality {
        region: part("region"),
        zone: part("zone"),
        sub_zone: part("sub_zone"),
    })
}

fn to_struct(map: &Map<String, Value>) -> Struct {
    let fields = map.iter();
    Struct {
        fields: fields
            .map(|(key, value)| (key.clone(), to_value(value)))
            .collect(),
    }
}

/// Recursion is bounded: the JSON reader refuses texts nested more than 128 deep.
fn to_value(value: &Value) -> ProtoValue {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(list) => Kind::ListValue(ListValue {
            values: list.iter().map(to_value).collect(),
        }),
        Value::Object(map) => Kind::StructValue(to_struct(map)),
    };
    ProtoValue { kind: Some(kind) }
}
