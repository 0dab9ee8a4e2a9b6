//! The gRPC bootstrap: which control planes to ask, as whom, and for what names.
//!
//! Read as gRPC's clients read it (gRFC A27, A36, A47, A65, A71), so that a file written for any of
//! them, by an injector for instance, serves here as it is. Unknown keys are ignored at every level.

mod credentials;
mod env;
mod error;
mod json;
mod node;
mod server;
mod template;
mod uri;

use std::{collections::BTreeMap, path::Path};

use mesh_core::{
    config::{ConfigErrors, FieldPath},
    name::{ListenerName, Target},
};

pub use self::{
    error::{BootstrapError, TargetError},
    node::Node,
    server::{ServerFeatures, XdsServer},
};
use self::{json::Json, template::Template};

/// A bootstrap, checked and resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Bootstrap {
    /// Never empty.
    servers: Vec<XdsServer>,
    /// Who we say we are.
    pub node: Node,
    /// How the listener of a target without an authority is named; `%s` stands for the target.
    /// Default `%s`.
    pub client_default_listener_resource_name_template: String,
    /// How the listener of a server is named; `%s` stands for its address (gRFC A36).
    pub server_listener_resource_name_template: Option<String>,
    /// The authorities that a target or a resource may name (gRFC A47).
    pub authorities: BTreeMap<String, Authority>,
    /// The certificate providers as written, by instance name (gRFC A29): they are read where
    /// credentials are made.
    pub certificate_providers: BTreeMap<String, serde_json::Value>,
}

/// An authority: where the resources of one administration come from (gRFC A47).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// How the listener of a target of this authority is named; `%s` stands for the target. Begins
    /// with `xdstp://<authority>/`, and defaults to that and the listener's type.
    pub client_listener_resource_name_template: String,
    /// Its control planes; empty: those of the bootstrap.
    pub servers: Vec<XdsServer>,
}

impl Bootstrap {
    /// Reads what the environment names: the file in `GRPC_XDS_BOOTSTRAP`, or else the JSON text in
    /// `GRPC_XDS_BOOTSTRAP_CONFIG`. A file that cannot be used is an error, never a reason to look
    /// at the second variable (gRFC A27).
    ///
    /// # Errors
    /// Neither variable is set, or what the first one names cannot be read or used.
    pub fn from_env() -> Result<Self, BootstrapError> {
        env::read(|name| std::env::var_os(name))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read or used.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, BootstrapError> {
        let path = path.as_ref();
        let text = std::fs::read(path).map_err(|source| BootstrapError::Read {
            path: path.to_owned(),
            source,
        })?;
        let value = serde_json::from_slice(&text).map_err(BootstrapError::Syntax)?;
        Self::from_value(&value)
    }

    /// Reads JSON text.
    ///
    /// # Errors
    /// It is not JSON, or says something that cannot be used: every such field, with its path.
    pub fn from_json(text: &str) -> Result<Self, BootstrapError> {
        let value = serde_json::from_str(text).map_err(BootstrapError::Syntax)?;
        Self::from_value(&value)
    }

    /// A bootstrap with one control plane and a node id: for programs that need no more.
    #[must_use]
    pub fn new(server: XdsServer, node: Node) -> Self {
        Self {
            servers: vec![server],
            node,
            client_default_listener_resource_name_template: "%s".into(),
            server_listener_resource_name_template: None,
            authorities: BTreeMap::new(),
            certificate_providers: BTreeMap::new(),
        }
    }

    /// Adds a control plane to fall back to when those before it cannot be reached (gRFC A71).
    #[must_use]
    pub fn with_fallback(mut self, server: XdsServer) -> Self {
        self.servers.push(server);
        self
    }

    /// The control planes, the preferred one first. Never empty.
    #[must_use]
    pub fn servers(&self) -> &[XdsServer] {
        &self.servers
    }

    fn from_value(value: &serde_json::Value) -> Result<Self, BootstrapError> {
        let mut errors = ConfigErrors::default();
        let path = FieldPath::root();
        let root = Json::new(value, &path);
        let read = Self::read(root, &mut errors);
        errors.into_result(read).map_err(BootstrapError::Invalid)
    }

    fn read(root: Json<'_>, errors: &mut ConfigErrors) -> Self {
        if !root.is_object(errors) {
            return Self::blank();
        }
        let servers = server::read_list(root, "xds_servers", errors);
        match servers {
            None => errors.push(&root.at("xds_servers"), "is missing"),
            // Of servers that are wrong enough is said.
            Some(ref servers) if servers.is_empty() && errors.is_empty() => {
                errors.push(&root.at("xds_servers"), "names no server that can be used");
            }
            Some(_) => {}
        }
        Self {
            servers: servers.unwrap_or_default(),
            node: node::read(root, errors),
            client_default_listener_resource_name_template: root
                .text("client_default_listener_resource_name_template", errors)
                .unwrap_or_else(|| "%s".into()),
            server_listener_resource_name_template: root
                .text("server_listener_resource_name_template", errors),
            authorities: read_authorities(root, errors),
            certificate_providers: root
                .entries("certificate_providers", errors)
                .map(|(name, value, _)| (name.to_owned(), value.clone()))
                .collect(),
        }
    }

    /// What stands for a bootstrap that is refused in any case.
    fn blank() -> Self {
        Self {
            servers: Vec::new(),
            node: Node::default(),
            client_default_listener_resource_name_template: String::new(),
            server_listener_resource_name_template: None,
            authorities: BTreeMap::new(),
            certificate_providers: BTreeMap::new(),
        }
    }

    /// The listener that holds a target's configuration. A target is what a channel is opened for,
    /// as `xds:///name`, `xds://authority/name`, or the bare name.
    ///
    /// # Errors
    /// The target names an authority that is not in the bootstrap (gRFC A47), or nothing at all.
    pub fn listener_name(&self, target: &Target) -> Result<ListenerName, TargetError> {
        let (authority, name) = split_target(target.as_str());
        if name.is_empty() {
            return Err(TargetError::Empty);
        }
        let template = match authority {
            None => &self.client_default_listener_resource_name_template,
            Some(authority) => match self.authorities.get(authority) {
                Some(known) => &known.client_listener_resource_name_template,
                None => return Err(TargetError::UnknownAuthority(authority.into())),
            },
        };
        Ok(Template(template).fill(name).into())
    }
}

/// A target's authority, if it has one, and its name.
fn split_target(target: &str) -> (Option<&str>, &str) {
    let Some(rest) = target.strip_prefix("xds:") else {
        return (None, target);
    };
    match rest.strip_prefix("//") {
        None => (None, rest),
        Some(rest) => match rest.split_once('/') {
            None => (Some(rest), ""),
            Some(("", name)) => (None, name),
            Some((authority, name)) => (Some(authority), name),
        },
    }
}

fn read_authorities(root: Json<'_>, errors: &mut ConfigErrors) -> BTreeMap<String, Authority> {
    let mut authorities = BTreeMap::new();
    for (name, value, path) in root.entries("authorities", errors).collect::<Vec<_>>() {
        let authority = Json::new(value, &path);
        if !authority.is_object(errors) {
            continue;
        }
        let key = "client_listener_resource_name_template";
        let start = format!("xdstp://{name}/");
        let template = authority.text(key, errors);
        if let Some(template) = &template
            && !template.starts_with(&start)
        {
            errors.push(&authority.at(key), format!("must begin with {start}"));
        }
        let template =
            template.unwrap_or_else(|| format!("{start}envoy.config.listener.v3.Listener/%s"));
        let servers = server::read_list(authority, "xds_servers", errors);
        authorities.insert(
            name.to_owned(),
            Authority {
                client_listener_resource_name_template: template,
                servers: servers.unwrap_or_default(),
            },
        );
    }
    authorities
}

#[cfg(test)]
mod tests;
