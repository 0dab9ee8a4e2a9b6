//! What a cluster's connections are wrapped in. Whatever is asked for and cannot be done leaves the
//! cluster unavailable; nothing falls back to plaintext.

use mesh_core::config::Transport;
use mesh_proto::envoy::{
    config::{
        cluster::v3::Cluster,
        core::v3::{TransportSocket, transport_socket::ConfigType},
    },
    extensions::transport_sockets::{raw_buffer::v3::RawBuffer, tls::v3::UpstreamTlsContext},
};

use crate::resource::{
    at::At,
    reader::{Reader, cut, quoted},
};

/// The only transport socket that gRPC knows (gRFC A29).
const TLS: &str = "envoy.transport_sockets.tls";

impl Reader<'_> {
    pub(super) fn transport(&mut self, at: &At<'_>, cluster: &Cluster) -> Option<Transport> {
        let mut several = None;
        let matches = [
            (
                "transport_socket_matches",
                !cluster.transport_socket_matches.is_empty(),
            ),
            (
                "transport_socket_matcher",
                cluster.transport_socket_matcher.is_some(),
            ),
        ];
        for (field, _) in matches.into_iter().filter(|&(_, set)| set) {
            let place = at.field(field);
            if self.is_grpc() {
                self.error(&place, "is not supported");
            } else {
                self.warn(&place, "is not supported yet: the cluster is unavailable");
                several = Some(Transport::Unsupported(field.into()));
            }
        }
        let single = match &cluster.transport_socket {
            Some(socket) => self.transport_socket(&at.field("transport_socket"), socket)?,
            None => Transport::Plaintext,
        };
        Some(several.unwrap_or(single))
    }

    fn transport_socket(&mut self, at: &At<'_>, socket: &TransportSocket) -> Option<Transport> {
        let place = at.field("typed_config");
        let Some(ConfigType::TypedConfig(any)) = &socket.config_type else {
            self.error(&place, "is missing");
            return None;
        };
        if any.is::<RawBuffer>() {
            self.unpack::<RawBuffer>(&place, any)?;
            return Some(Transport::Plaintext);
        }
        if self.is_grpc() && socket.name != TLS {
            let reason = format!("is {}, not {TLS}", quoted(&socket.name));
            self.error(&at.field("name"), reason);
            return None;
        }
        if any.is::<UpstreamTlsContext>() {
            let context: UpstreamTlsContext = self.unpack(&place, any)?;
            self.check_upstream_tls(&place, &context);
            self.warn(at, "TLS is not supported yet: the cluster is unavailable");
            let reason = "TLS to endpoints is not supported yet";
            return Some(Transport::Unsupported(reason.into()));
        }
        if self.is_grpc() {
            let reason = format!("is {}, not an UpstreamTlsContext", quoted(&any.type_url));
            self.error(&place, reason);
            return None;
        }
        self.warn(at, "is not supported yet: the cluster is unavailable");
        let reason = format!("transport socket {} is not supported", cut(any.full_name()));
        Some(Transport::Unsupported(reason.into()))
    }
}
