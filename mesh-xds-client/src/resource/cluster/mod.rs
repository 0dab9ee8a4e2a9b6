//! Clusters (gRFC A27, A37; Envoy, "Cluster").

mod discovery;
mod lb;
mod lb_list;
mod limits;
mod outlier;
mod protocol;
mod tls;
mod transport;

use std::{sync::Arc, time::Duration};

use mesh_core::config::{ClusterConfig, Dialect, Discovery};
use mesh_proto::envoy::config::{
    cluster::v3::Cluster,
    core::v3::{ConfigSource, config_source::ConfigSourceSpecifier},
};

use super::{Resource, at::At, reader::Reader, unsupported};

pub(super) fn read(r: &mut Reader<'_>, message: &Cluster) -> Option<Resource> {
    let at = At::ROOT;
    let unused = unsupported::cluster(message);
    r.unused(&at, &unused);
    let discovery = r.discovery(&at, message);
    let delegated = match &discovery {
        Some(Discovery::Aggregate(_) | Discovery::OriginalDst) => true,
        Some(_) | None => false,
    };
    let lb = r.lb(&at, message, delegated);
    let limits = r.limits(&at, message.circuit_breakers.as_ref());
    let transport = r.transport(&at, message);
    if let Some(outlier) = &message.outlier_detection {
        r.check_outlier(&at.field("outlier_detection"), outlier);
    }
    if let Some(source) = &message.lrs_server {
        check_lrs(r, &at.field("lrs_server"), source);
    }
    let mut config = ClusterConfig::new(message.name.as_str(), discovery?, r.dialect());
    config.connect_timeout = connect_timeout(r, message, config.connect_timeout);
    r.http_protocol(&at, message, &mut config);
    config.lb = lb?;
    config.limits = limits;
    config.transport = transport?;
    Some(Resource::Cluster(Arc::new(config)))
}

/// gRPC has a timeout of its own and ignores the field.
fn connect_timeout(r: &mut Reader<'_>, message: &Cluster, default: Duration) -> Duration {
    let place = At::ROOT.field("connect_timeout");
    match (&message.connect_timeout, r.dialect()) {
        (None, _) => default,
        (Some(_), Dialect::Grpc) => {
            r.warn(&place, "is not read in dialect grpc");
            default
        }
        (Some(timeout), Dialect::Envoy) => r.positive_duration(&place, timeout).unwrap_or(default),
    }
}

/// Load reports go to the server that sent the cluster, or nowhere (gRFC A27).
fn check_lrs(r: &mut Reader<'_>, at: &At<'_>, source: &ConfigSource) {
    let own = matches!(
        source.config_source_specifier,
        Some(ConfigSourceSpecifier::Self_(_))
    );
    if r.is_grpc() && !own {
        r.error(at, "must be self");
    }
}
