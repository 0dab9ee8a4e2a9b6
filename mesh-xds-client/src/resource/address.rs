//! Addresses.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use mesh_core::config::Address;
use mesh_proto::envoy::config::core::v3::{
    Address as Message, SocketAddress, address, socket_address::PortSpecifier,
};

use super::{
    at::At,
    reader::{Reader, quoted},
};

impl Reader<'_> {
    /// An address to connect to: IP and port, or in dialect envoy a Unix socket.
    pub(super) fn address(&mut self, at: &At<'_>, address: Option<&Message>) -> Option<Address> {
        match address.and_then(|address| address.address.as_ref()) {
            Some(address::Address::SocketAddress(socket)) => {
                let place = at.field("socket_address");
                let ip = self.ip(&place.field("address"), &socket.address);
                let port = self.port(&place, socket);
                Some(Address::Socket(SocketAddr::new(ip?, port?)))
            }
            Some(address::Address::Pipe(pipe)) if !self.is_grpc() => {
                let place = at.field("pipe");
                let place = place.field("path");
                let path = self.filled(&place, &pipe.path)?;
                if path.starts_with('@') || path.contains('\0') {
                    self.error(&place, "abstract sockets are not supported");
                    return None;
                }
                Some(Address::Unix(path.as_ref().into()))
            }
            Some(address::Address::Pipe(_)) => {
                self.error(&at.field("pipe"), "is not a socket_address");
                None
            }
            Some(address::Address::EnvoyInternalAddress(_)) => {
                self.error(&at.field("envoy_internal_address"), "is not supported");
                None
            }
            None => {
                self.error(at, "is missing");
                None
            }
        }
    }

    /// A host to be resolved, and its port (gRFC A37).
    pub(super) fn host(
        &mut self,
        at: &At<'_>,
        address: Option<&Message>,
    ) -> Option<(Arc<str>, u16)> {
        let Some(address::Address::SocketAddress(socket)) =
            address.and_then(|address| address.address.as_ref())
        else {
            self.error(at, "must be a socket_address");
            return None;
        };
        let place = at.field("socket_address");
        if !socket.resolver_name.is_empty() {
            self.error(&place.field("resolver_name"), "is not supported");
        }
        let host = self.filled(&place.field("address"), &socket.address);
        let port = self.port(&place, socket);
        Some((host?, port?))
    }

    fn ip(&mut self, at: &At<'_>, text: &str) -> Option<IpAddr> {
        let ip = text.parse().ok();
        if ip.is_none() {
            self.error(at, format!("{} is not an IP address", quoted(text)));
        }
        ip
    }

    fn port(&mut self, at: &At<'_>, socket: &SocketAddress) -> Option<u16> {
        match socket.port_specifier {
            Some(PortSpecifier::PortValue(value)) => {
                let port = u16::try_from(value).ok();
                if port.is_none() {
                    self.error(&at.field("port_value"), format!("{value} is not a port"));
                }
                port
            }
            Some(PortSpecifier::NamedPort(_)) => {
                self.error(&at.field("named_port"), "is not supported");
                None
            }
            None => {
                self.error(&at.field("port_value"), "is missing");
                None
            }
        }
    }
}
